//! Past runs that go, and those that a person keeps.
//!
//! A run goes in three steps, each whole: it is unlisted (`gone`), its rows go in slices, its own row
//! goes. Killed in between, what is left is found by [`Ledger::gone`] and taken further. The statuses that
//! a run gave its nodes outlive it: then its row and those attempts stay, unlisted, until later runs of
//! these nodes replace them.
//!
//! The writer's thread carries each slice as one message among the others, so what happens meanwhile
//! waits for one slice at most. Unaware of what is to go (that is [`crate::model::going`]) and of log
//! folders.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::fold::IMPORTED;
use super::inbox::Message;
use super::{Ledger, LedgerError};
use crate::model::{KeptRun, Outcome, RunId, Timestamp};

/// Most rows that one slice deletes: about 4 ms.
const SLICE_ROWS: usize = 1_000;

/// Most pages that one slice gives back to the disk: 1 MiB, about 10 ms.
const SLICE_PAGES: u32 = 256;

/// Free pages are given back when they are more than one in this many.
const FREE_SHARE: i64 = 4;

/// One change, small enough for one transaction among others.
#[derive(Debug)]
pub(super) enum Retain {
    /// A person wants a run kept, or no longer.
    Pin(RunId, bool),
    /// Measured bytes of logs, by run.
    LogBytes(Vec<(i64, u64)>),
    /// Runs that are no longer listed.
    Unlist(Vec<i64>),
    /// Rows of runs that are no longer listed.
    Rows(Vec<Slice>),
    /// Runs of whom nothing is left but their row.
    Forget(Vec<i64>),
    /// Free pages go back to the disk.
    Shrink,
}

/// Attempts of one run from one key up to another, that one included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    run: i64,
    from: AttemptKey,
    to: AttemptKey,
}

/// Node, pass, attempt.
type AttemptKey = (i64, i64, i64);

impl Ledger {
    /// Every run that is listed, as the rule about retention wants to know it.
    pub fn kept_runs(&self) -> Result<Vec<KeptRun>, LedgerError> {
        self.catch_up();
        self.read(|tx| kept_runs(tx))
    }

    /// What a look at the ledger tells before all runs are read: whether there may be anything to
    /// do. Runs that ended before this time, and bytes of all measured logs.
    pub fn kept_sums(&self, before: Timestamp) -> Result<(u64, u64), LedgerError> {
        self.catch_up();
        self.read(|tx| {
            let old = tx
                .prepare_cached("SELECT count(*) FROM runs WHERE gone = 0 AND started < ?1")?
                .query_row([before.0], |row| row.get::<_, i64>(0))?;
            let bytes = tx
                .prepare_cached("SELECT coalesce(sum(log_bytes), 0) FROM runs WHERE gone = 0")?
                .query_row([], |row| row.get::<_, i64>(0))?;
            Ok((old.cast_unsigned(), bytes.cast_unsigned()))
        })
    }

    /// Ended runs whose logs were not measured yet, oldest first.
    pub fn unmeasured_runs(&self) -> Result<Vec<(i64, RunId)>, LedgerError> {
        self.catch_up();
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT id, name FROM runs
                 WHERE gone = 0 AND log_bytes IS NULL AND ended IS NOT NULL ORDER BY id",
            )?
            .query_map([], named)?
            .collect()
        })
    }

    /// Records what the logs of these runs take.
    pub fn record_log_bytes(&self, bytes: Vec<(i64, u64)>) {
        self.put(Message::Retain(Retain::LogBytes(bytes)));
    }

    /// Has a run kept whatever its age, or no longer. Waits until it is on disk.
    pub fn pin(&self, run: &RunId, pinned: bool) -> Result<(), LedgerError> {
        self.put(Message::Retain(Retain::Pin(run.clone(), pinned)));
        self.commit(true)
    }

    /// Takes runs off the list. One that began to live, was pinned or is needed since the rule was
    /// asked stays; [`Ledger::gone`] tells which went.
    pub fn unlist(&self, runs: &[i64]) -> Result<(), LedgerError> {
        for some in runs.chunks(SLICE_ROWS / 2) {
            self.put(Message::Retain(Retain::Unlist(some.to_vec())));
        }
        self.commit(false)
    }

    /// Runs that are no longer listed and of which something is left that can go.
    pub fn gone(&self) -> Result<Vec<(i64, RunId)>, LedgerError> {
        self.catch_up();
        self.read(|tx| gone(tx))
    }

    /// Deletes what is left of runs that are no longer listed, slice by slice; what their nodes' statuses
    /// need stays. Waits for the last slice.
    pub fn forget(&self, runs: &[i64]) -> Result<(), LedgerError> {
        let mut batch: Vec<Slice> = Vec::new();
        let mut rows = 0;
        for &run in runs {
            for (slice, n) in self.read(|tx| slices(tx, run))? {
                if rows + n > SLICE_ROWS && !batch.is_empty() {
                    self.carry(Retain::Rows(std::mem::take(&mut batch)))?;
                    rows = 0;
                }
                batch.push(slice);
                rows += n;
            }
        }
        if !batch.is_empty() {
            self.carry(Retain::Rows(batch))?;
        }
        for some in runs.chunks(SLICE_ROWS / 2) {
            self.carry(Retain::Forget(some.to_vec()))?;
        }
        Ok(())
    }

    /// Gives free pages back to the disk, slice by slice, when they are a good part of the file.
    pub fn shrink(&self) -> Result<(), LedgerError> {
        let pages = || {
            self.read(|tx| {
                let pragma = |name| tx.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
                Ok((pragma("freelist_count")?, pragma("page_count")?))
            })
        };
        let (free, all) = pages()?;
        if free * FREE_SHARE < all {
            return Ok(());
        }
        let mut left = free;
        while left > 0 {
            self.carry(Retain::Shrink)?;
            let (now, _) = pages()?;
            // A file that an older release made gives nothing back.
            if now >= left {
                break;
            }
            left = now;
        }
        Ok(())
    }

    /// One slice at a time: what happens in between is written in between.
    fn carry(&self, change: Retain) -> Result<(), LedgerError> {
        self.put(Message::Retain(change));
        self.commit(false)
    }
}

impl Retain {
    /// Applies the change inside the transaction that is open on `conn`.
    pub(super) fn apply(&self, conn: &Connection) -> rusqlite::Result<()> {
        match self {
            Self::Pin(run, pinned) => {
                conn.prepare_cached("UPDATE runs SET pinned = ?2 WHERE name = ?1 AND gone = 0")?
                    .execute(params![run.as_str(), pinned])?;
            }
            Self::LogBytes(runs) => {
                let mut update =
                    conn.prepare_cached("UPDATE runs SET log_bytes = ?2 WHERE id = ?1")?;
                for (run, bytes) in runs {
                    update.execute([*run, bytes.cast_signed()])?;
                }
            }
            Self::Unlist(runs) => {
                // Asked again, here: another process may have begun to need it.
                let mut update = conn.prepare_cached(
                    "UPDATE runs SET gone = 1
                     WHERE id = ?1 AND ended IS NOT NULL AND pinned = 0
                       AND NOT EXISTS (SELECT 1 FROM flows f WHERE f.id = runs.flow AND f.last_run = ?1)
                       AND NOT EXISTS (SELECT 1 FROM runs later
                                       WHERE later.resumes = ?1 AND later.ended IS NULL)",
                )?;
                for run in runs {
                    update.execute([run])?;
                }
            }
            Self::Rows(slices) => {
                for slice in slices {
                    slice.delete(conn)?;
                }
            }
            Self::Forget(runs) => {
                for run in runs {
                    forget(conn, *run)?;
                }
            }
            Self::Shrink => {
                conn.execute_batch(&format!("PRAGMA incremental_vacuum({SLICE_PAGES})"))?;
            }
        }
        Ok(())
    }
}

impl Slice {
    fn delete(&self, conn: &Connection) -> rusqlite::Result<()> {
        let (from, to) = (self.from, self.to);
        conn.prepare_cached(
            "DELETE FROM node_runs
             WHERE run = ?1 AND (node, pass, attempt) >= (?2, ?3, ?4)
               AND (node, pass, attempt) <= (?5, ?6, ?7)
               AND run IN (SELECT id FROM runs WHERE id = ?1 AND gone = 1)
               AND NOT EXISTS (SELECT 1 FROM node_status s
                               WHERE s.node = node_runs.node AND s.run = ?1
                                 AND s.pass = node_runs.pass AND s.attempt = node_runs.attempt)",
        )?
        .execute(params![self.run, from.0, from.1, from.2, to.0, to.1, to.2])?;
        Ok(())
    }
}

/// What is small of a run, and its row, unless a node's status still needs it.
fn forget(conn: &Connection, run: i64) -> rusqlite::Result<()> {
    let gone = conn
        .prepare_cached("SELECT 1 FROM runs WHERE id = ?1 AND gone = 1")?
        .exists([run])?;
    if !gone {
        return Ok(());
    }
    for delete in [
        "DELETE FROM log_index WHERE run = ?1",
        "DELETE FROM import_nodes WHERE run = ?1",
        "DELETE FROM import_logs WHERE run = ?1",
        "DELETE FROM marks WHERE run = ?1",
        "DELETE FROM lines_elsewhere WHERE run = ?1",
        "DELETE FROM steps_elsewhere WHERE run = ?1",
        "DELETE FROM runs_elsewhere WHERE run = ?1",
        // That these results were taken over once stays known.
        "UPDATE imports SET run = NULL WHERE run = ?1",
        "UPDATE runs SET resumes = NULL WHERE resumes = ?1",
    ] {
        conn.prepare_cached(delete)?.execute([run])?;
    }
    let needed: bool = conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM node_runs WHERE run = ?1)
                 OR EXISTS (SELECT 1 FROM nodes n JOIN node_status s ON s.node = n.id
                            WHERE n.flow = (SELECT flow FROM runs WHERE id = ?1)
                              AND (s.at_run = ?1 OR s.run = ?1))",
        )?
        .query_row([run], |row| row.get(0))?;
    if !needed {
        conn.prepare_cached("DELETE FROM runs WHERE id = ?1")?
            .execute([run])?;
    }
    Ok(())
}

/// Attempts of a run, cut into slices of at most [`SLICE_ROWS`], each with its number of rows.
fn slices(conn: &Connection, run: i64) -> rusqlite::Result<Vec<(Slice, usize)>> {
    let mut select = conn.prepare_cached(
        "SELECT node, pass, attempt FROM node_runs WHERE run = ?1 ORDER BY node, pass, attempt",
    )?;
    let mut rows = select.query([run])?;
    let mut slices: Vec<(Slice, usize)> = Vec::new();
    while let Some(row) = rows.next()? {
        let key: AttemptKey = (row.get(0)?, row.get(1)?, row.get(2)?);
        match slices.last_mut() {
            Some((slice, n)) if *n < SLICE_ROWS => {
                slice.to = key;
                *n += 1;
            }
            _ => slices.push((
                Slice {
                    run,
                    from: key,
                    to: key,
                },
                1,
            )),
        }
    }
    Ok(slices)
}

fn named(row: &rusqlite::Row<'_>) -> rusqlite::Result<(i64, RunId)> {
    Ok((row.get(0)?, RunId::new(row.get_ref(1)?.as_str()?)))
}

fn gone(conn: &Connection) -> rusqlite::Result<Vec<(i64, RunId)>> {
    let mut gone: Vec<(i64, RunId)> = conn
        .prepare_cached("SELECT id, name FROM runs WHERE gone = 1 ORDER BY id")?
        .query_map([], named)?
        .collect::<rusqlite::Result<_>>()?;
    if gone.is_empty() {
        return Ok(gone);
    }
    // Those that are left for their nodes' statuses alone have nothing more to give.
    let mut needed: HashSet<i64> = HashSet::new();
    let mut select = conn.prepare_cached("SELECT at_run, run FROM node_status")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        needed.insert(row.get(0)?);
        needed.extend(row.get::<_, Option<i64>>(1)?);
    }
    let mut more = conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM node_runs r WHERE r.run = ?1
               AND NOT EXISTS (SELECT 1 FROM node_status s
                               WHERE s.node = r.node AND s.run = ?1
                                 AND s.pass = r.pass AND s.attempt = r.attempt))",
    )?;
    let mut left = Vec::new();
    for (key, name) in gone.drain(..) {
        if !needed.contains(&key) || more.query_row([key], |row| row.get(0))? {
            left.push((key, name));
        }
    }
    Ok(left)
}

fn kept_runs(conn: &Connection) -> rusqlite::Result<Vec<KeptRun>> {
    // The newest import stays: later ones are compared with it, and its logs are shown.
    let mut needed: HashSet<i64> = HashSet::new();
    for select in [
        "SELECT last_run FROM flows WHERE last_run IS NOT NULL",
        "SELECT max(run) FROM imports WHERE run IS NOT NULL GROUP BY flow",
    ] {
        let mut select = conn.prepare_cached(select)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            needed.insert(row.get(0)?);
        }
    }
    let mut select = conn.prepare_cached(
        "SELECT id, name, flow, resumes, ended, outcome, pinned, log_bytes, choice FROM runs
         WHERE gone = 0 ORDER BY id",
    )?;
    let runs = select.query_map([], |row| {
        let key: i64 = row.get(0)?;
        let outcome = row.get_ref(5)?.as_str_or_null()?;
        let imported = row.get_ref(8)?.as_str()? == IMPORTED;
        let bytes: Option<i64> = row.get(7)?;
        Ok(KeptRun {
            key,
            run: RunId::new(row.get_ref(1)?.as_str()?),
            flow: row.get(2)?,
            resumes: row.get(3)?,
            ended: row.get::<_, Option<i64>>(4)?.map(Timestamp),
            outcome: outcome.and_then(Outcome::from_word),
            pinned: row.get(6)?,
            needed: needed.contains(&key),
            log_bytes: match imported {
                true => Some(0),
                false => bytes.map(i64::cast_unsigned),
            },
        })
    })?;
    runs.collect()
}
