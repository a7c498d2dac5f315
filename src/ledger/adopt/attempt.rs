//! Attempts of runs of other machines.

use rusqlite::{Connection, OptionalExtension, params};

use super::TakenAttempt;
use super::run::Known;
use crate::ledger::keys::node_key;
use crate::ledger::row::exit_columns;
use crate::model::{NodeStatus, Timestamp};

/// Stores an attempt, or its end when that was still to come.
pub fn store_attempt(
    conn: &Connection,
    run: &mut Known,
    attempt: &TakenAttempt,
) -> rusqlite::Result<()> {
    let node = node_key(conn, run.flow, &attempt.node)?;
    let (pass, n_th) = match attempt.number {
        Some(number) => number,
        None => (pass_begun(conn, run.key, node, attempt.started)?, 1),
    };
    let known: Option<bool> = conn
        .prepare_cached(
            "SELECT status = 'running' FROM node_runs
             WHERE run = ?1 AND node = ?2 AND pass = ?3 AND attempt = ?4",
        )?
        .query_row(params![run.key, node, pass, n_th], |row| row.get(0))
        .optional()?;
    let is_over = attempt.status != NodeStatus::Running;
    if known == Some(false) || known == Some(true) && !is_over {
        return Ok(());
    }
    let mut next = || {
        run.seq += 1;
        run.seq
    };
    let started_seq = (known.is_none() && n_th <= 1).then(&mut next);
    let ended_seq = (is_over && !attempt.is_retried).then(&mut next);
    let (kind, value) = attempt.exit.as_ref().map(exit_columns).unzip();
    let ended = attempt.ended.map(|at| at.0);
    if known.is_some() {
        conn.prepare_cached(
            "UPDATE node_runs SET status = ?5, exit = ?6, exit_value = ?7, ended = ?8, ended_seq = ?9
             WHERE run = ?1 AND node = ?2 AND pass = ?3 AND attempt = ?4",
        )?
        .execute(params![
            run.key, node, pass, n_th, attempt.status.word(), kind, value, ended, ended_seq
        ])?;
    } else {
        // Its place in the frozen flow is known to that machine alone; the key of the node is as good
        // a name.
        conn.prepare_cached(
            "INSERT INTO node_runs (run, node, pass, attempt, idx, status, exit, exit_value, started,
                                    ended, started_seq, ended_seq)
             VALUES (?1, ?2, ?3, ?4, ?2, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            run.key,
            node,
            pass,
            n_th,
            attempt.status.word(),
            kind,
            value,
            attempt.started.0,
            ended,
            started_seq,
            ended_seq
        ])?;
        show(conn, run, node, pass, n_th)?;
    }
    let words = &attempt.elsewhere;
    conn.prepare_cached(
        "INSERT OR REPLACE INTO steps_elsewhere VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)",
    )?
    .execute(params![
        run.key,
        node,
        pass,
        n_th,
        words.label,
        words.status,
        words.elapsed_ms,
        words.error,
        words.output
    ])?;
    run.is_touched = true;
    Ok(())
}

/// The pass of an attempt that its machine does not number.
fn pass_begun(conn: &Connection, run: i64, node: i64, at: Timestamp) -> rusqlite::Result<u32> {
    let known = conn
        .prepare_cached("SELECT pass FROM node_runs WHERE run = ?1 AND node = ?2 AND started = ?3")?
        .query_row([run, node, at.0], |row| row.get(0))
        .optional()?;
    match known {
        Some(pass) => Ok(pass),
        None => conn
            .prepare_cached(
                "SELECT coalesce(max(pass), 0) + 1 FROM node_runs WHERE run = ?1 AND node = ?2",
            )?
            .query_row([run, node], |row| row.get(0)),
    }
}

/// Makes an attempt the newest of its node, unless a later run of this machine has it.
fn show(conn: &Connection, run: &Known, node: i64, pass: u32, n_th: u32) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO node_status (node, at_run, status, run, pass, attempt)
         VALUES (?1, ?2, NULL, ?2, ?3, ?4)
         ON CONFLICT (node) DO UPDATE
         SET at_run = ?2, status = NULL, run = ?2, pass = ?3, attempt = ?4
         WHERE NOT EXISTS (SELECT 1 FROM runs r WHERE r.id = at_run AND r.host IS NULL
                             AND r.started > ?5)",
    )?
    .execute(params![node, run.key, pass, n_th, run.started.0])?;
    Ok(())
}
