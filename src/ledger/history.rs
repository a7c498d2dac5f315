//! Lists for people: runs of a flow, attempts of a run, and how the file is.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Health;
use super::import::newest_import;
use super::keys::run_key;
use super::past::flow;
use super::row::{NodeRunRow, exit_of, status_of, stream_number};
use crate::model::{
    Counts, NodeId, NodeIdx, NodeRunId, NodeStatus, Outcome, RunId, RunSummary, Stream, Timestamp,
};

const NODE_RUN: &str = "SELECT u.name, r.idx, r.pass, r.attempt, n.name, r.status, r.exit,
        r.exit_value, r.started, r.ended, r.pid, r.birth, c.text
    FROM node_runs r
    JOIN runs u ON u.id = r.run
    JOIN nodes n ON n.id = r.node
    LEFT JOIN commands c ON c.id = r.command";

/// Runs of a flow, newest first.
pub(super) fn history(
    conn: &Connection,
    file: &str,
    limit: usize,
    before: Option<&RunId>,
) -> rusqlite::Result<Vec<RunSummary>> {
    let Some((flow, _)) = flow(conn, file)? else {
        return Ok(Vec::new());
    };
    let (started, key) = place_of(conn, before)?;
    let mut select = conn.prepare_cached(
        "SELECT r.id, r.name, r.choice, p.name, r.started, r.ended, r.outcome, r.n_subset, r.n_ran,
                r.n_failed, r.n_stopped, r.n_skipped, r.n_kept, r.host
         FROM runs r LEFT JOIN runs p ON p.id = r.resumes
         WHERE r.flow = ?1 AND r.started <= ?2 AND (r.started < ?2 OR r.id < ?3) AND r.gone = 0
         ORDER BY r.started DESC, r.id DESC LIMIT ?4",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut runs = select
        .query_map([flow, started, key, limit], |row| {
            Ok((row.get(0)?, summary(row)?))
        })?
        .collect::<rusqlite::Result<Vec<(i64, RunSummary)>>>()?;
    for (key, run) in runs.iter_mut().filter(|(_, run)| run.ended.is_none()) {
        count_so_far(conn, *key, &mut run.counts)?;
    }
    Ok(runs.into_iter().map(|(_, run)| run).collect())
}

/// The newest run of every flow that has one, by file.
pub(super) fn newest_runs(conn: &Connection) -> rusqlite::Result<Vec<(Arc<str>, RunSummary)>> {
    let mut select = conn.prepare_cached(
        "SELECT r.id, r.name, r.choice, p.name, r.started, r.ended, r.outcome, r.n_subset, r.n_ran,
                r.n_failed, r.n_stopped, r.n_skipped, r.n_kept, r.host, f.file
         FROM flows f
         JOIN runs r ON r.id = (SELECT id FROM runs WHERE flow = f.id AND gone = 0
                                ORDER BY started DESC, id DESC LIMIT 1)
         LEFT JOIN runs p ON p.id = r.resumes",
    )?;
    let mut runs = select
        .query_map([], |row| Ok((row.get(0)?, row.get(14)?, summary(row)?)))?
        .collect::<rusqlite::Result<Vec<(i64, Arc<str>, RunSummary)>>>()?;
    for (key, _, run) in runs.iter_mut().filter(|(_, _, run)| run.ended.is_none()) {
        count_so_far(conn, *key, &mut run.counts)?;
    }
    Ok(runs.into_iter().map(|(_, file, run)| (file, run)).collect())
}

/// Where a list goes on behind this run: its start and its key. Runs of other machines get their keys
/// when they are taken over, so that the key alone is no order of time.
pub(super) fn place_of(conn: &Connection, run: Option<&RunId>) -> rusqlite::Result<(i64, i64)> {
    let known = match run {
        None => None,
        Some(run) => conn
            .prepare_cached("SELECT started, id FROM runs WHERE name = ?1")?
            .query_row([run.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?,
    };
    Ok(known.unwrap_or((i64::MAX, i64::MAX)))
}

/// A run from the columns id, name, choice, resumed, started, ended, outcome, the six counts and host.
pub(super) fn summary(row: &Row<'_>) -> rusqlite::Result<RunSummary> {
    let run = |text: String| RunId::new(text);
    let outcome: Option<String> = row.get(6)?;
    Ok(RunSummary {
        id: run(row.get(1)?),
        choice: row.get::<_, Arc<str>>(2)?,
        resumes: row.get::<_, Option<String>>(3)?.map(run),
        started: Timestamp(row.get(4)?),
        ended: row.get::<_, Option<i64>>(5)?.map(Timestamp),
        outcome: outcome.and_then(|word| Outcome::from_word(&word)),
        counts: Counts {
            subset: row.get(7)?,
            ran: row.get(8)?,
            failed: row.get(9)?,
            stopped: row.get(10)?,
            skipped: row.get(11)?,
            kept: row.get(12)?,
        },
        ran_on: row.get(13)?,
    })
}

/// Counts of a run that has not ended, from the newest attempt of each of its nodes.
pub(super) fn count_so_far(
    conn: &Connection,
    run: i64,
    counts: &mut Counts,
) -> rusqlite::Result<()> {
    let mut select = conn.prepare_cached(
        "SELECT node, status FROM node_runs WHERE run = ?1 ORDER BY run, node, pass, attempt",
    )?;
    let mut newest: HashMap<i64, NodeStatus> = HashMap::new();
    let mut rows = select.query([run])?;
    while let Some(row) = rows.next()? {
        newest.insert(row.get(0)?, status_of(row.get_ref(1)?));
    }
    let count = |status| {
        let n = newest.values().filter(|s| **s == status).count();
        u32::try_from(n).unwrap_or(u32::MAX)
    };
    counts.ran = count(NodeStatus::Ran);
    counts.failed = count(NodeStatus::Failed);
    counts.stopped = count(NodeStatus::Stopped);
    Ok(())
}

/// Attempts of a run or of one of its nodes. Those that never began come last.
pub(super) fn node_runs(
    conn: &Connection,
    run: &RunId,
    node: Option<&NodeId>,
) -> rusqlite::Result<Vec<NodeRunRow>> {
    let Some(run) = run_key(conn, run)? else {
        return Ok(Vec::new());
    };
    let order = "ORDER BY r.started IS NULL, r.started, r.started_seq, r.idx, r.pass, r.attempt";
    match node {
        None => conn
            .prepare_cached(&format!("{NODE_RUN} WHERE r.run = ?1 {order}"))?
            .query_map([run], node_run)?
            .collect(),
        Some(node) => conn
            .prepare_cached(&format!(
                "{NODE_RUN} WHERE r.run = ?1 AND r.node =
                    (SELECT id FROM nodes WHERE name = ?2 AND flow = u.flow) {order}"
            ))?
            .query_map(params![run, node.as_str()], node_run)?
            .collect(),
    }
}

fn node_run(row: &Row<'_>) -> rusqlite::Result<NodeRunRow> {
    Ok(NodeRunRow {
        id: NodeRunId {
            run: RunId::new(row.get_ref(0)?.as_str()?),
            node: NodeIdx(row.get(1)?),
            pass: row.get(2)?,
            attempt: row.get(3)?,
        },
        node: NodeId::new(row.get_ref(4)?.as_str()?),
        status: status_of(row.get_ref(5)?),
        exit: exit_of(row.get_ref(6)?, row.get_ref(7)?),
        started: row.get::<_, Option<i64>>(8)?.map(Timestamp),
        ended: row.get::<_, Option<i64>>(9)?.map(Timestamp),
        pid: row.get(10)?,
        birth: row.get::<_, Option<i64>>(11)?.map(i64::cast_unsigned),
        command: row.get::<_, Option<Arc<str>>>(12)?.unwrap_or_default(),
    })
}

/// The newest attempt of a node: the one whose status it has. That may have been cleared since; then runs
/// are tried newest first, one seek each.
pub(super) fn newest_node_run(
    conn: &Connection,
    file: &str,
    node: &NodeId,
) -> rusqlite::Result<Option<NodeRunRow>> {
    let Some((flow, _)) = flow(conn, file)? else {
        return Ok(None);
    };
    let key = conn
        .prepare_cached("SELECT id FROM nodes WHERE flow = ?1 AND name = ?2")?
        .query_row(params![flow, node.as_str()], |row| row.get::<_, i64>(0))
        .optional()?;
    let Some(key) = key else {
        return Ok(None);
    };
    let of_status = conn
        .prepare_cached(
            "SELECT s.run FROM node_status s WHERE s.node = ?1
               AND EXISTS (SELECT 1 FROM node_runs x WHERE x.run = s.run AND x.node = ?1)",
        )?
        .query_row([key], |row| row.get::<_, i64>(0))
        .optional()?;
    let run = match of_status {
        Some(run) => Some(run),
        None => conn
            .prepare_cached(
                "SELECT r.id FROM runs r WHERE r.flow = ?1
                   AND EXISTS (SELECT 1 FROM node_runs x WHERE x.run = r.id AND x.node = ?2)
                 ORDER BY r.started DESC, r.id DESC LIMIT 1",
            )?
            .query_row([flow, key], |row| row.get::<_, i64>(0))
            .optional()?,
    };
    let Some(run) = run else {
        return Ok(None);
    };
    conn.prepare_cached(&format!(
        "{NODE_RUN} WHERE r.run = ?1 AND r.node = ?2 ORDER BY r.pass DESC, r.attempt DESC LIMIT 1"
    ))?
    .query_row([run, key], node_run)
    .optional()
}

/// Where times stand in an attempt's log.
pub(super) fn log_index(
    conn: &Connection,
    id: &NodeRunId,
) -> rusqlite::Result<Vec<(Stream, u64, Timestamp)>> {
    let Some(run) = run_key(conn, &id.run)? else {
        return Ok(Vec::new());
    };
    let mut index = Vec::new();
    let mut select = conn.prepare_cached(
        "SELECT at_byte, at FROM log_index
         WHERE run = ?1 AND idx = ?2 AND pass = ?3 AND attempt = ?4 AND stream = ?5
         ORDER BY at_byte",
    )?;
    for stream in [Stream::Out, Stream::Err] {
        let number = stream_number(stream);
        let mut rows = select.query(params![run, id.node.0, id.pass, id.attempt, number])?;
        while let Some(row) = rows.next()? {
            let offset = row.get::<_, i64>(0)?.cast_unsigned();
            index.push((stream, offset, Timestamp(row.get(1)?)));
        }
    }
    Ok(index)
}

/// Output and error that the newest import has for a node.
pub(super) fn imported_log(
    conn: &Connection,
    file: &str,
    node: &NodeId,
) -> rusqlite::Result<Option<(String, String)>> {
    let Some((flow, _)) = flow(conn, file)? else {
        return Ok(None);
    };
    let Some(run) = newest_import(conn, flow)? else {
        return Ok(None);
    };
    conn.prepare_cached(
        "SELECT l.stdout, l.stderr FROM nodes n JOIN import_logs l ON l.run = ?1 AND l.node = n.id
         WHERE n.flow = ?2 AND n.name = ?3",
    )?
    .query_row(params![run, flow, node.as_str()], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
    .optional()
}

/// Format, number of runs, and everything that SQLite or the references between rows say is wrong.
pub(super) fn health(conn: &Connection) -> rusqlite::Result<Health> {
    let mut health = Health {
        format: conn.pragma_query_value(None, "user_version", |row| row.get(0))?,
        runs: conn
            .query_row("SELECT count(*) FROM runs WHERE gone = 0", [], |row| {
                row.get::<_, i64>(0)
            })?
            .cast_unsigned(),
        ..Health::default()
    };
    let mut said = conn.prepare("PRAGMA integrity_check(20)")?;
    let mut rows = said.query([])?;
    while let Some(row) = rows.next()? {
        let line: String = row.get(0)?;
        if line != "ok" {
            health.troubles.push(line);
        }
    }
    let mut said = conn.prepare("PRAGMA foreign_key_check")?;
    let mut rows = said.query([])?;
    while let Some(row) = rows.next()?
        && health.troubles.len() < 40
    {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        health.troubles.push(format!(
            "a row of {table} names a row of {parent} that is gone"
        ));
    }
    Ok(health)
}
