//! After a crash: runs that a dead process left open become interrupted.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::keys::node_key;
use super::row::{exit_columns, exit_of, status_of};
use crate::model::{Exit, Finish, NodeId, NodeIdx, NodeRunId, NodeStatus, RunId, Timestamp};

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

/// An end that was seen and may not be recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenEnd {
    /// Of which node.
    pub node: NodeId,
    /// When the attempt was begun.
    pub began: Timestamp,
    /// How it ended.
    pub finish: Finish,
}

/// An attempt of a run, with the numbers of its facts.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptRow {
    /// Which.
    pub id: NodeRunId,
    /// How it stands or ended.
    pub status: NodeStatus,
    /// How its process ended.
    pub exit: Option<Exit>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Place of its start among the facts of the run; `None` for a later attempt of a pass.
    pub started_seq: Option<i64>,
    /// Place of its end; `None` for one that another attempt followed.
    pub ended_seq: Option<i64>,
}

/// Every attempt of a run, those of a node in the order they were.
pub(super) fn attempts(conn: &Connection, run: &RunId) -> rusqlite::Result<Vec<AttemptRow>> {
    conn.prepare_cached(
        "SELECT n.idx, n.pass, n.attempt, n.status, n.exit, n.exit_value, n.started, n.ended,
                n.started_seq, n.ended_seq
         FROM node_runs n JOIN runs r ON r.id = n.run WHERE r.name = ?1
         ORDER BY n.run, n.node, n.pass, n.attempt",
    )?
    .query_map([run.as_str()], |row| {
        Ok(AttemptRow {
            id: NodeRunId {
                run: run.clone(),
                node: NodeIdx(row.get(0)?),
                pass: row.get(1)?,
                attempt: row.get(2)?,
            },
            status: status_of(row.get_ref(3)?),
            exit: exit_of(row.get_ref(4)?, row.get_ref(5)?),
            started: row.get::<_, Option<i64>>(6)?.map(Timestamp),
            ended: row.get::<_, Option<i64>>(7)?.map(Timestamp),
            started_seq: row.get(8)?,
            ended_seq: row.get(9)?,
        })
    })?
    .collect()
}

/// Every run of this machine without an end, by key.
pub(super) fn open_runs(conn: &Connection) -> rusqlite::Result<Vec<(i64, Recovered)>> {
    conn.prepare_cached(
        "SELECT r.id, f.file, r.name FROM runs r JOIN flows f ON f.id = r.flow
             WHERE r.ended IS NULL AND r.host IS NULL ORDER BY r.id",
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

/// Records ends that are not. An attempt whose start was not recorded either becomes a fact whole.
pub(super) fn ended(conn: &Connection, run: &RunId, attempts: &[SeenEnd]) -> rusqlite::Result<()> {
    let found = conn
        .prepare_cached("SELECT id, flow FROM runs WHERE name = ?1 AND ended IS NULL")?
        .query_row([run.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((key, flow)): Option<(i64, i64)> = found else {
        return Ok(());
    };
    let mut seq = last_seq(conn, key)?;
    let mut ended_at = conn.prepare_cached(
        "SELECT ended FROM node_runs WHERE run = ?1 AND node = ?2 AND pass = ?3 AND attempt = ?4",
    )?;
    let mut begin = conn.prepare_cached(
        "INSERT INTO node_runs (run, node, pass, attempt, idx, status, started, started_seq)
         VALUES (?1, ?2, ?3, ?4, ?5, 'running', ?6, ?7)",
    )?;
    let mut show = conn.prepare_cached(
        "INSERT OR REPLACE INTO node_status (node, at_run, status, run, pass, attempt)
         VALUES (?1, ?2, NULL, ?2, ?3, ?4)",
    )?;
    let mut end = conn.prepare_cached(
        "UPDATE node_runs SET status = ?5, exit = ?6, exit_value = ?7, ended = ?8, ended_seq = ?9
         WHERE run = ?1 AND node = ?2 AND pass = ?3 AND attempt = ?4",
    )?;
    for SeenEnd {
        node,
        began,
        finish,
    } in attempts
    {
        let id = &finish.id;
        let node = node_key(conn, flow, node)?;
        let known: Option<Option<i64>> = ended_at
            .query_row(params![key, node, id.pass, id.attempt], |row| row.get(0))
            .optional()?;
        match known {
            Some(Some(_)) => continue,
            Some(None) => {}
            None => {
                let started = (id.attempt <= 1).then(|| next(&mut seq));
                begin.execute(params![
                    key, node, id.pass, id.attempt, id.node.0, began.0, started
                ])?;
                show.execute(params![node, key, id.pass, id.attempt])?;
            }
        }
        let (kind, value) = exit_columns(&finish.exit);
        end.execute(params![
            key,
            node,
            id.pass,
            id.attempt,
            finish.status.word(),
            kind,
            value,
            finish.at.0,
            next(&mut seq)
        ])?;
    }
    Ok(())
}

fn next(seq: &mut i64) -> i64 {
    *seq += 1;
    *seq
}

/// The number of a run's newest fact; 0 when it has none.
pub(super) fn last_seq(conn: &Connection, run: i64) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "SELECT max(max(coalesce(ended_seq, 0), coalesce(started_seq, 0)))
         FROM node_runs WHERE run = ?1",
    )?
    .query_row([run], |row| Ok(row.get::<_, Option<i64>>(0)?.unwrap_or(0)))
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
