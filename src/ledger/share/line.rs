//! Lines and states of files that other machines published, as they were taken over.

use rusqlite::{Connection, OptionalExtension, params};

use super::LinesElsewhere;
use crate::ledger::adopt::{FileState, TakenLine};
use crate::ledger::keys::run_key;
use crate::model::{NodeId, RunId, Timestamp};

/// Lines of no run that are given out, at most: the newest.
const LOOSE_LINES_MAX: i64 = 500;

/// Lines of a run of another machine, or, for 0, the newest of no run.
pub fn lines_of(conn: &Connection, run: i64, into: &mut Vec<TakenLine>) -> rusqlite::Result<()> {
    let from = into.len();
    let limit = if run == 0 { LOOSE_LINES_MAX } else { i64::MAX };
    let mut select = conn.prepare_cached(
        "SELECT r.name, l.flow, l.label, l.level, l.message, l.at FROM lines_elsewhere l
         LEFT JOIN runs r ON r.id = l.run WHERE l.run = ?1 ORDER BY l.at DESC, l.hash LIMIT ?2",
    )?;
    for line in select.query_map([run, limit], line)? {
        into.push(line?);
    }
    into[from..].reverse();
    Ok(())
}

fn line(row: &rusqlite::Row<'_>) -> rusqlite::Result<TakenLine> {
    Ok(TakenLine {
        run: row.get::<_, Option<String>>(0)?.map(RunId::new),
        flow: row.get(1)?,
        label: row.get(2)?,
        level: row.get(3)?,
        message: row.get(4)?,
        at: Timestamp(row.get(5)?),
    })
}

pub fn files(conn: &Connection) -> rusqlite::Result<Vec<FileState>> {
    conn.prepare_cached(
        "SELECT flow, source, mtime_ns, bytes, success_run, success_at, status, error
         FROM file_states ORDER BY flow, source",
    )?
    .query_map([], |row| {
        Ok(FileState {
            flow: row.get(0)?,
            source: row.get(1)?,
            mtime_ns: row.get(2)?,
            bytes: row.get(3)?,
            success_run: row.get(4)?,
            success_at: row.get::<_, Option<i64>>(5)?.map(Timestamp),
            status: row.get(6)?,
            error: row.get(7)?,
        })
    })?
    .collect()
}

pub fn lines_elsewhere(
    conn: &Connection,
    run: &RunId,
    node: Option<&NodeId>,
) -> rusqlite::Result<Option<LinesElsewhere>> {
    let Some(key) = run_key(conn, run)? else {
        return Ok(None);
    };
    let known = conn
        .prepare_cached(
            "SELECT r.host, e.seen FROM runs r LEFT JOIN runs_elsewhere e ON e.run = r.id
             WHERE r.id = ?1 AND r.host IS NOT NULL",
        )?
        .query_row([key], |row| {
            Ok(LinesElsewhere {
                host: row.get(0)?,
                seen: Timestamp(row.get::<_, Option<i64>>(1)?.unwrap_or(0)),
                lines: Vec::new(),
            })
        })
        .optional()?;
    let Some(mut known) = known else {
        return Ok(None);
    };
    lines_of(conn, key, &mut known.lines)?;
    if let Some(node) = node {
        let labels: Vec<String> = conn
            .prepare_cached(
                "SELECT e.label FROM steps_elsewhere e JOIN nodes n ON n.id = e.node
                 WHERE e.run = ?1 AND n.name = ?2 ORDER BY e.pass DESC, e.attempt DESC LIMIT 1",
            )?
            .query_map(params![key, node.as_str()], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        known
            .lines
            .retain(|line| line.label.as_ref().is_some_and(|of| labels.contains(of)));
    }
    Ok(Some(known))
}
