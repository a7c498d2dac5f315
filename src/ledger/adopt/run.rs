//! Runs of other machines: a row each, brought to its end.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::TakenRun;
use crate::ledger::keys::flow_key;
use crate::ledger::recover::last_seq;
use crate::model::{RunId, Timestamp};

/// A run that rows belong to.
pub struct Known {
    pub key: i64,
    pub flow: i64,
    pub started: Timestamp,
    /// The number of its newest fact.
    pub seq: i64,
    pub is_touched: bool,
}

/// The row of a run, made or brought to its end; `None` when it is ours or was removed here.
pub fn store_run(
    conn: &Connection,
    run: &TakenRun,
    at: Timestamp,
) -> rusqlite::Result<Option<Known>> {
    let found = conn
        .prepare_cached("SELECT id, flow, host, ended, gone, started FROM runs WHERE name = ?1")?
        .query_row([run.run.as_str()], |row| {
            let known = Known {
                key: row.get(0)?,
                flow: row.get(1)?,
                started: Timestamp(row.get(5)?),
                seq: 0,
                is_touched: false,
            };
            let is_ours = row.get_ref(2)?.as_str_or_null()?.is_none();
            let has_ended = row.get::<_, Option<i64>>(3)?.is_some();
            Ok((known, is_ours || row.get::<_, bool>(4)?, has_ended))
        })
        .optional()?;
    let mut known = match found {
        Some((_, true, _)) => return Ok(None),
        Some((known, false, true)) => {
            seen(conn, known.key, at)?;
            return Ok(Some(Known {
                seq: last_seq(conn, known.key)?,
                ..known
            }));
        }
        Some((known, false, false)) => known,
        None => insert_run(conn, run)?,
    };
    if let (Some(ended), Some(outcome)) = (run.ended, run.outcome) {
        conn.prepare_cached("UPDATE runs SET ended = ?2, outcome = ?3 WHERE id = ?1")?
            .execute(params![known.key, ended.0, outcome.word()])?;
    }
    known.is_touched = true;
    known.seq = last_seq(conn, known.key)?;
    let words = &run.elsewhere;
    conn.prepare_cached("INSERT OR REPLACE INTO runs_elsewhere VALUES (?1,?2,?3,?4,?5,?6)")?
        .execute(params![
            known.key,
            words.status,
            words.group,
            words.source,
            words.error,
            at.0
        ])?;
    Ok(Some(known))
}

fn insert_run(conn: &Connection, run: &TakenRun) -> rusqlite::Result<Known> {
    let flow = flow_key(conn, &run.file)?;
    let resumes: Option<i64> = match &run.resumes {
        None => None,
        Some(resumed) => conn
            .prepare_cached("SELECT id FROM runs WHERE name = ?1 AND flow = ?2")?
            .query_row(params![resumed.as_str(), flow], |row| row.get(0))
            .optional()?,
    };
    let key = conn
        .prepare_cached(
            "INSERT INTO runs (name, flow, choice, resumes, whole, started, log_bytes, host)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7)",
        )?
        .insert(params![
            run.run.as_str(),
            flow,
            &*run.choice,
            resumes,
            run.whole,
            run.started.0,
            &*run.host
        ])?;
    // Runs of other machines come in their order. Beside one of ours only the time tells.
    conn.prepare_cached(
        "UPDATE flows SET last_run = ?2 WHERE id = ?1
           AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.id = flows.last_run AND r.host IS NULL
                             AND r.started > ?3)",
    )?
    .execute([flow, key, run.started.0])?;
    Ok(Known {
        key,
        flow,
        started: run.started,
        seq: 0,
        is_touched: true,
    })
}

/// It was read again.
fn seen(conn: &Connection, run: i64, at: Timestamp) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE runs_elsewhere SET seen = ?2 WHERE run = ?1")?
        .execute([run, at.0])?;
    Ok(())
}

/// A run of another machine that rows belong to, given with them or known from before.
pub fn known_run<'a, 'k>(
    conn: &Connection,
    known: &'k mut HashMap<&'a RunId, Known>,
    run: &'a RunId,
) -> rusqlite::Result<Option<&'k mut Known>> {
    if !known.contains_key(run) {
        let found = conn
            .prepare_cached(
                "SELECT id, flow, started FROM runs
                 WHERE name = ?1 AND host IS NOT NULL AND gone = 0",
            )?
            .query_row([run.as_str()], |row| {
                Ok(Known {
                    key: row.get(0)?,
                    flow: row.get(1)?,
                    started: Timestamp(row.get(2)?),
                    seq: 0,
                    is_touched: false,
                })
            })
            .optional()?;
        let Some(mut found) = found else {
            return Ok(None);
        };
        found.seq = last_seq(conn, found.key)?;
        known.insert(run, found);
    }
    Ok(known.get_mut(run))
}

/// Counts the nodes of a run that ended by what its attempts say. Nodes that never began are not
/// known.
pub fn recount(conn: &Connection, run: i64) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "WITH newest AS (
             SELECT r.status AS word FROM node_runs r WHERE r.run = ?1
               AND NOT EXISTS (SELECT 1 FROM node_runs l WHERE l.run = ?1 AND l.node = r.node
                                 AND (l.pass, l.attempt) > (r.pass, r.attempt)))
         UPDATE runs SET n_subset = (SELECT count(*) FROM newest),
             n_ran = (SELECT count(*) FROM newest WHERE word = 'ran'),
             n_failed = (SELECT count(*) FROM newest WHERE word = 'failed'),
             n_stopped = (SELECT count(*) FROM newest WHERE word = 'stopped')
         WHERE id = ?1",
    )?
    .execute([run])?;
    Ok(())
}
