//! Older tables brought up to [`FORMAT`] in place, after a copy of the file as it was.
//!
//! A step adds columns, tables and indices and changes no row; the copy and the indices are what takes
//! time. Called by `schema` when a writer opens the file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::schema::{ELSEWHERE, FORMAT, Failure, format_of};
use super::{LedgerError, control};

/// What leads from format `n` to `n + 1`, beginning with 1.
const STEPS: &[&[&str]] = &[
    &["
ALTER TABLE runs ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN log_bytes INTEGER;
CREATE INDEX runs_by_start ON runs (started, log_bytes) WHERE gone = 0;
CREATE INDEX runs_resumed ON runs (resumes) WHERE resumes IS NOT NULL;
"],
    &[
        "
ALTER TABLE runs ADD COLUMN host TEXT;
ALTER TABLE nodes ADD COLUMN title TEXT;
ALTER TABLE flows ADD COLUMN group_name TEXT;
DROP INDEX runs_by_flow;
CREATE INDEX runs_by_flow ON runs (flow, started);
DROP INDEX runs_by_start;
CREATE INDEX runs_by_start ON runs (started, id, log_bytes) WHERE gone = 0;
",
        ELSEWHERE,
    ],
    &[control::TABLE],
];

/// The copy of a ledger of this format, beside it.
pub(super) fn backup_path(path: &Path, format: i64) -> PathBuf {
    path.with_file_name(format!("ledger.format-{format}.sqlite"))
}

/// Brings the file behind `conn` up to [`FORMAT`]. Killed at any point, it is of the old format or of
/// the new one, and the copy is whole or not there.
pub(super) fn migrate(conn: &Connection, path: &Path) -> Result<(), Failure> {
    // Two processes may find the old format at once.
    let lock_path = path.with_file_name("ledger.lock");
    let lock = File::create(&lock_path).map_err(|err| LedgerError::open(err, &lock_path))?;
    lock.lock()
        .map_err(|err| LedgerError::open(err, &lock_path))?;
    let found = format_of(conn, path)?;
    if !(1..FORMAT).contains(&found) {
        return Ok(());
    }
    back_up(conn, &backup_path(path, found)).map_err(|why| {
        let why = format!(
            "it is of format {found} and could not be copied before the change to {FORMAT} ({why})"
        );
        LedgerError::open(why, path)
    })?;
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let made = (|| {
        let from = usize::try_from(found).unwrap_or(usize::MAX);
        for step in STEPS.iter().skip(from.saturating_sub(1)).copied().flatten() {
            conn.execute_batch(step)?;
        }
        conn.pragma_update(None, "user_version", FORMAT)?;
        conn.execute_batch("COMMIT")
    })();
    if made.is_err() && !conn.is_autocommit() {
        conn.execute_batch("ROLLBACK")?;
    }
    Ok(made?)
}

fn back_up(conn: &Connection, to: &Path) -> Result<(), String> {
    let part = to.with_extension("part");
    match fs::remove_file(&part) {
        Err(err) if err.kind() != std::io::ErrorKind::NotFound => return Err(err.to_string()),
        _ => {}
    }
    let Some(name) = part.to_str() else {
        return Err("its path is not UTF-8".to_owned());
    };
    // Takes the -wal in, which a copy of the file alone would miss.
    let copied = conn.execute("VACUUM INTO ?1", [name]);
    copied.map_err(|err| err.to_string())?;
    File::open(&part)
        .and_then(|copy| copy.sync_all())
        .and_then(|()| fs::rename(&part, to))
        .map_err(|err| err.to_string())
}
