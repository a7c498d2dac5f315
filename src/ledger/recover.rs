//! After a crash: runs that a dead process left open become interrupted.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::fold::node_key;

use crate::model::{NodeId, NodeIdx, NodeRunId, RunId};

/// Newest interrupted runs of a flow that are looked through for living processes.
const RUNS_LOOKED_THROUGH: u32 = 100;

/// A run that a dead process left open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Whose: [`crate::model::FlowRef::file`].
    pub file: Arc<str>,
    /// Which run.
    pub run: RunId,
}

/// A process that may have outlived the Handmill that started it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// Which attempt; its log goes on growing while the process lives.
    pub id: NodeRunId,
    /// Of which node.
    pub node: NodeId,
    /// Its process and group id then.
    pub pid: u32,
    /// Start time of that process: a living process with another one is a stranger.
    pub birth: u64,
}

/// Every run without an end, by key.
pub(super) fn open_runs(conn: &Connection) -> rusqlite::Result<Vec<(i64, Recovered)>> {
    conn.prepare_cached(
        "SELECT r.id, f.file, r.name FROM runs r JOIN flows f ON f.id = r.flow
             WHERE r.ended IS NULL ORDER BY r.id",
    )?
    .query_map([], |row| {
        let name: String = row.get(2)?;
        Ok((
            row.get(0)?,
            Recovered {
                file: row.get(1)?,
                run: RunId::new(name),
            },
        ))
    })?
    .collect()
}

/// Attempts of a flow's interrupted runs whose end nobody saw; their processes may still live.
///
/// Asked anew each time and not only when a run becomes interrupted: whoever looks first, a mere
/// `status` included, must not be the only one to know. Older runs than the newest few are left out,
/// so that a long history costs nothing.
pub(super) fn orphans(conn: &Connection, file: &str) -> rusqlite::Result<Vec<Orphan>> {
    conn.prepare_cached(
        "SELECT n.name, r.idx, r.pass, r.attempt, r.pid, r.birth, i.name
         FROM (SELECT runs.id, runs.name FROM runs JOIN flows f ON f.id = runs.flow
               WHERE f.file = ?1 AND runs.outcome = 'interrupted' AND runs.gone = 0
               ORDER BY runs.id DESC LIMIT ?2) i
         JOIN node_runs r ON r.run = i.id JOIN nodes n ON n.id = r.node
         WHERE r.status = 'interrupted' AND r.exit = 'unknown' AND r.pid IS NOT NULL",
    )?
    .query_map(params![file, RUNS_LOOKED_THROUGH], |row| {
        let (node, run): (String, String) = (row.get(0)?, row.get(6)?);
        Ok(Orphan {
            id: NodeRunId {
                run: RunId::new(run),
                node: NodeIdx(row.get(1)?),
                pass: row.get(2)?,
                attempt: row.get(3)?,
            },
            node: NodeId::new(node),
            pid: row.get(4)?,
            birth: row.get::<_, Option<i64>>(5)?.unwrap_or(0).cast_unsigned(),
        })
    })?
    .collect()
}

/// Shows attempts of an open run as interrupted that were begun and never recorded. They do not
/// become facts: what triggered them may be unrecorded too, and a resume triggers them again.
pub(super) fn begun(
    conn: &Connection,
    run: &RunId,
    attempts: &[(NodeRunId, NodeId)],
) -> rusqlite::Result<()> {
    let found = conn
        .prepare_cached("SELECT id, flow FROM runs WHERE name = ?1 AND ended IS NULL")?
        .query_row([run.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((key, flow)): Option<(i64, i64)> = found else {
        return Ok(());
    };
    let mut recorded = conn.prepare_cached(
        "SELECT 1 FROM node_runs WHERE run = ?1 AND node = ?2 AND pass = ?3 AND attempt = ?4",
    )?;
    let mut show = conn.prepare_cached(
        "INSERT OR REPLACE INTO node_status (node, at_run, status) VALUES (?1, ?2, 'interrupted')",
    )?;
    for (id, node) in attempts {
        let node = node_key(conn, flow, node)?;
        if !recorded.exists(params![key, node, id.pass, id.attempt])? {
            show.execute([node, key])?;
        }
    }
    Ok(())
}

/// Ends a run that its process could not end. Passes under way become interrupted: those whose
/// process was alive, and those that waited for a retry. The run's end is its last sign of life,
/// because when it really ended nobody knows.
pub(super) fn interrupt(conn: &Connection, run: i64) -> rusqlite::Result<()> {
    let still_open = conn
        .prepare_cached("SELECT 1 FROM runs WHERE id = ?1 AND ended IS NULL")?
        .exists([run])?;
    if !still_open {
        return Ok(());
    }
    conn.prepare_cached(
        "UPDATE node_runs AS r SET
             ended_seq = 1 + (SELECT max(max(coalesce(ended_seq, 0)), max(coalesce(started_seq, 0)))
                              FROM node_runs WHERE run = ?1),
             exit = coalesce(exit, 'unknown'),
             status = 'interrupted'
         WHERE run = ?1 AND ended_seq IS NULL
           AND NOT EXISTS (SELECT 1 FROM node_runs later
                           WHERE later.run = ?1 AND later.node = r.node
                             AND (later.pass, later.attempt) > (r.pass, r.attempt))",
    )?
    .execute([run])?;
    let mut newest: Vec<(String, u32)> = Vec::new();
    let mut last_sign: i64 = i64::MIN;
    {
        let mut select = conn.prepare_cached(
            "SELECT node, status, max(coalesce(started, 0), coalesce(ended, 0)) FROM node_runs
             WHERE run = ?1 ORDER BY node, pass, attempt",
        )?;
        let mut rows = select.query([run])?;
        let mut of_node: Option<(i64, String)> = None;
        let mut count = |status: String| match newest.iter_mut().find(|(word, _)| *word == status) {
            Some((_, n)) => *n += 1,
            None => newest.push((status, 1)),
        };
        while let Some(row) = rows.next()? {
            let (node, status): (i64, String) = (row.get(0)?, row.get(1)?);
            last_sign = last_sign.max(row.get(2)?);
            if let Some((before, was)) = of_node.replace((node, status))
                && before != node
            {
                count(was);
            }
        }
        if let Some((_, was)) = of_node {
            count(was);
        }
    }
    let n = |word: &str| {
        let found = newest.iter().find(|(status, _)| status == word);
        found.map_or(0, |(_, n)| *n)
    };
    conn.prepare_cached(
        "UPDATE runs SET outcome = 'interrupted', ended = max(started, ?2),
                         n_ran = ?3, n_failed = ?4, n_stopped = ?5 WHERE id = ?1",
    )?
    .execute(params![run, last_sign, n("ran"), n("failed"), n("stopped")])?;
    Ok(())
}
