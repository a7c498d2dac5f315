//! Runs and attempts, read as they are given to other machines.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::{AttemptToShare, OpenRun, RunElsewhere, RunToShare, StepElsewhere};
use crate::ledger::fold::IMPORTED;
use crate::ledger::row::{exit_of, status_of};
use crate::model::{NodeId, NodeIdx, NodeRunId, NodeStatus, Outcome, RunId, Timestamp};

/// A run; `None` when it is gone.
pub fn run(conn: &Connection, key: i64) -> rusqlite::Result<Option<RunToShare>> {
    let found = conn
        .prepare_cached(
            "SELECT r.name, f.file, f.group_name, r.choice, r.whole, p.name, r.started, r.ended,
                    r.outcome, r.host, e.status, e.group_name, e.source, e.error
             FROM runs r JOIN flows f ON f.id = r.flow
             LEFT JOIN runs p ON p.id = r.resumes AND p.choice <> ?2
             LEFT JOIN runs_elsewhere e ON e.run = r.id WHERE r.id = ?1",
        )?
        .query_row(params![key, IMPORTED], |row| {
            let host: Option<Arc<str>> = row.get(9)?;
            let elsewhere = RunElsewhere {
                status: row.get::<_, Option<String>>(10)?.unwrap_or_default(),
                group: row.get(11)?,
                source: row.get(12)?,
                error: row.get(13)?,
            };
            let outcome: Option<String> = row.get(8)?;
            Ok(RunToShare {
                run: RunId::new(row.get_ref(0)?.as_str()?),
                file: row.get(1)?,
                group: row.get(2)?,
                choice: row.get(3)?,
                whole: row.get(4)?,
                resumes: row.get::<_, Option<String>>(5)?.map(RunId::new),
                started: Timestamp(row.get(6)?),
                ended: row.get::<_, Option<i64>>(7)?.map(Timestamp),
                outcome: outcome.and_then(|word| Outcome::from_word(&word)),
                failed: None,
                elsewhere: host.map(|host| (host, elsewhere)),
            })
        })
        .optional()?;
    let Some(mut run) = found else {
        return Ok(None);
    };
    if run.outcome == Some(Outcome::Failed) && run.elsewhere.is_none() {
        run.failed = conn
            .prepare_cached(
                "SELECT n.name, n.title, r.exit, r.exit_value FROM node_runs r
                 JOIN nodes n ON n.id = r.node
                 WHERE r.run = ?1 AND r.status = 'failed' AND r.ended_seq IS NOT NULL
                 ORDER BY r.ended_seq LIMIT 1",
            )?
            .query_row([key], |row| {
                Ok((
                    NodeId::new(row.get_ref(0)?.as_str()?),
                    row.get(1)?,
                    exit_of(row.get_ref(2)?, row.get_ref(3)?),
                ))
            })
            .optional()?;
    }
    Ok(Some(run))
}

/// Attempts of a run that are new, or stand otherwise than they were given.
pub fn attempts(
    conn: &Connection,
    key: i64,
    run: &RunToShare,
    open: &mut OpenRun,
    into: &mut Vec<AttemptToShare>,
) -> rusqlite::Result<()> {
    // Facts are found by their number. What is none, and what is under way, is looked at each time.
    let mut select = conn.prepare_cached(
        "SELECT r.node, r.pass, r.attempt, r.status, n.name, n.title, r.idx, r.exit, r.exit_value,
                r.started, r.ended, r.started_seq, r.ended_seq, e.label, e.status, e.elapsed, e.error,
                e.output
         FROM node_runs r JOIN nodes n ON n.id = r.node
         LEFT JOIN steps_elsewhere e ON e.run = r.run AND e.node = r.node AND e.pass = r.pass
                                    AND e.attempt = r.attempt
         WHERE r.run = ?1 AND (r.started_seq > ?2 OR r.ended_seq > ?2
                               OR r.started_seq IS NULL OR r.ended_seq IS NULL)
         ORDER BY coalesce(r.started, r.ended), coalesce(r.started_seq, r.ended_seq), r.pass, r.attempt",
    )?;
    let mut seq = open.seq;
    let mut rows = select.query([key, open.seq])?;
    while let Some(row) = rows.next()? {
        let started_seq: Option<i64> = row.get(11)?;
        let ended_seq: Option<i64> = row.get(12)?;
        seq = seq
            .max(started_seq.unwrap_or(0))
            .max(ended_seq.unwrap_or(0));
        let (node, pass, attempt) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let status = status_of(row.get_ref(3)?);
        if open.given.insert((node, pass, attempt), status) == Some(status) {
            continue;
        }
        let ended = row.get::<_, Option<i64>>(10)?.map(Timestamp);
        let started = row.get::<_, Option<i64>>(9)?.map(Timestamp);
        let started = started.or(ended).unwrap_or(run.started);
        let label: Option<String> = row.get(13)?;
        into.push(AttemptToShare {
            id: NodeRunId {
                run: run.run.clone(),
                node: NodeIdx(row.get(6)?),
                pass,
                attempt,
            },
            file: run.file.clone(),
            node: NodeId::new(row.get_ref(4)?.as_str()?),
            title: row.get(5)?,
            status,
            exit: exit_of(row.get_ref(7)?, row.get_ref(8)?),
            is_retried: ended.is_some() && ended_seq.is_none(),
            started,
            // When an interrupted attempt ended nobody knows.
            ended: match status {
                NodeStatus::Running => None,
                _ => Some(ended.or(run.ended).unwrap_or(started)),
            },
            elsewhere: match label {
                None => None,
                Some(label) => Some(StepElsewhere {
                    label,
                    status: row.get(14)?,
                    elapsed_ms: row.get(15)?,
                    error: row.get(16)?,
                    output: row.get(17)?,
                }),
            },
        });
    }
    open.seq = seq;
    Ok(())
}
