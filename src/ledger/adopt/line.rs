//! Lines of logs, and states of watched files, that other machines published.

use rusqlite::{Connection, params};

use super::{FileState, TakenLine};

/// Lines of no run that are kept: the newest.
const LOOSE_LINES_KEPT: i64 = 1_000;

/// Stores a line of a run; 0: of none.
pub fn store_line(conn: &Connection, run: i64, line: &TakenLine) -> rusqlite::Result<()> {
    let mut text = String::new();
    for part in [&line.label, &line.flow].into_iter().flatten() {
        text.push_str(part);
        text.push('\0');
    }
    text.push_str(&line.level);
    text.push('\0');
    text.push_str(&line.message);
    let hash = crate::model::command_hash(&text).cast_signed();
    conn.prepare_cached("INSERT OR IGNORE INTO lines_elsewhere VALUES (?1,?2,?3,?4,?5,?6,?7)")?
        .execute(params![
            run,
            line.at.0,
            hash,
            line.flow,
            line.label,
            line.level,
            line.message
        ])?;
    Ok(())
}

pub fn store_file(conn: &Connection, file: &FileState) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT OR REPLACE INTO file_states VALUES (?1,?2,?3,?4,?5,?6,?7,?8)")?
        .execute(params![
            file.flow,
            file.source,
            file.mtime_ns,
            file.bytes,
            file.success_run,
            file.success_at.map(|at| at.0),
            file.status,
            file.error
        ])?;
    Ok(())
}

/// Only the newest lines of no run are kept.
pub fn drop_loose_lines(conn: &Connection) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "DELETE FROM lines_elsewhere WHERE run = 0 AND at <
             (SELECT min(at) FROM (SELECT at FROM lines_elsewhere WHERE run = 0
                                   ORDER BY at DESC LIMIT ?1))",
    )?
    .execute([LOOSE_LINES_KEPT])?;
    Ok(())
}
