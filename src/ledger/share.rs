//! What this ledger gives to other machines, and what it knows of theirs: rows for the shared tables.
//!
//! Unaware of those tables and of log files; `runtime` words the rows and reads the logs. Only what is
//! new since the last call is read: runs by their key, attempts of open runs by the numbers of their
//! facts. So a call costs the runs under way and those that began, however long the history is.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::adopt::{FileState, TakenLine};
use super::fold::IMPORTED;
use super::{Ledger, LedgerError};
use crate::model::{NodeId, NodeStatus, RunId};

mod line;
mod read;
mod row;

use line::{files, lines_elsewhere, lines_of};
use read::{attempts, run};
pub use row::{AttemptToShare, LinesElsewhere, RunElsewhere, RunToShare, StepElsewhere};

/// How far the other machines were told.
#[derive(Clone, Debug, Default)]
pub struct ShareCursor {
    /// The newest run that was given, by key and name.
    newest: Option<(i64, String)>,
    /// Runs that had not ended then.
    open: HashMap<i64, OpenRun>,
}

/// A run under way, as far as it was given.
#[derive(Clone, Debug, Default)]
struct OpenRun {
    is_given: bool,
    /// The number of the newest fact that was read.
    seq: i64,
    /// Attempts that were given, and how they stood.
    given: HashMap<(i64, u32, u32), NodeStatus>,
}

/// What is new, all as of one moment.
#[derive(Clone, Debug, Default)]
pub struct ToShare {
    /// In the order they came into this ledger.
    pub runs: Vec<RunToShare>,
    /// In the order of their runs, and in a run in the order they began.
    pub attempts: Vec<AttemptToShare>,
    /// Lines that other machines published.
    pub lines: Vec<TakenLine>,
    /// States of files that other machines published.
    pub files: Vec<FileState>,
}

impl Ledger {
    /// Rows for the other machines, with all that was recorded until now. `Some(n)` asks for the newest
    /// `n` runs and those under way, `None` for what is new or other since the last call with this cursor.
    pub fn to_share(
        &self,
        cursor: &mut ShareCursor,
        newest: Option<usize>,
    ) -> Result<ToShare, LedgerError> {
        self.commit(false)?;
        let before = match newest {
            Some(_) => ShareCursor::default(),
            None => cursor.clone(),
        };
        let read = self.read(|tx| to_share(tx, before, newest).map(Some))?;
        let (found, after) = read.unwrap_or_default();
        *cursor = after;
        Ok(found)
    }

    /// States of files, as they were taken over.
    pub fn file_states(&self) -> Result<Vec<FileState>, LedgerError> {
        self.catch_up();
        self.read(|tx| files(tx))
    }

    /// Lines that another machine published of one of its runs, or of one node of it; `None` when this
    /// machine ran it, or when it is not known.
    pub fn lines_elsewhere(
        &self,
        run: &RunId,
        node: Option<&NodeId>,
    ) -> Result<Option<LinesElsewhere>, LedgerError> {
        self.catch_up();
        self.read(|tx| lines_elsewhere(tx, run, node))
    }
}

fn to_share(
    conn: &Connection,
    mut cursor: ShareCursor,
    newest: Option<usize>,
) -> rusqlite::Result<(ToShare, ShareCursor)> {
    let mut found = ToShare::default();
    let mut keys: Vec<i64> = match (newest, &cursor.newest) {
        (Some(n), _) => newest_runs(conn, n)?,
        (None, Some((key, name))) => {
            // A key is given again when the run that had it is gone.
            let is_same = conn
                .prepare_cached("SELECT 1 FROM runs WHERE id = ?1 AND name = ?2")?
                .exists(params![key, name])?;
            new_runs(conn, key - i64::from(!is_same))?
        }
        (None, None) => new_runs(conn, 0)?,
    };
    keys.extend(cursor.open.keys());
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let mut open = cursor.open.remove(&key).unwrap_or_default();
        let Some(run) = run(conn, key)? else {
            continue;
        };
        attempts(conn, key, &run, &mut open, &mut found.attempts)?;
        if run.elsewhere.is_some() && !open.is_given {
            lines_of(conn, key, &mut found.lines)?;
        }
        if run.ended.is_none() {
            if !open.is_given {
                found.runs.push(run);
            }
            open.is_given = true;
            cursor.open.insert(key, open);
        } else {
            found.runs.push(run);
        }
    }
    if newest.is_some() {
        lines_of(conn, 0, &mut found.lines)?;
        found.files = files(conn)?;
    }
    cursor.newest = conn
        .prepare_cached("SELECT id, name FROM runs ORDER BY id DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok((found, cursor))
}

/// Keys of the newest runs, and of those under way.
fn newest_runs(conn: &Connection, n: usize) -> rusqlite::Result<Vec<i64>> {
    let n = i64::try_from(n).unwrap_or(i64::MAX);
    let mut keys: Vec<i64> = conn
        .prepare_cached(
            "SELECT id FROM runs WHERE gone = 0 AND choice <> ?2
             ORDER BY started DESC, id DESC LIMIT ?1",
        )?
        .query_map(params![n, IMPORTED], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut open = conn.prepare_cached("SELECT id FROM runs WHERE ended IS NULL AND gone = 0")?;
    for key in open.query_map([], |row| row.get(0))? {
        keys.push(key?);
    }
    Ok(keys)
}

fn new_runs(conn: &Connection, after: i64) -> rusqlite::Result<Vec<i64>> {
    conn.prepare_cached("SELECT id FROM runs WHERE id > ?1 AND gone = 0 AND choice <> ?2")?
        .query_map(params![after, IMPORTED], |row| row.get(0))?
        .collect()
}
