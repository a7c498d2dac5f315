//! Rows of other machines, taken over as runs that ran elsewhere.
//!
//! A run of this machine is never touched, whatever another says of it. A run, an attempt or a line
//! that is known stays as it is, but for an end that was still to come: so the same rows may be given
//! again, and older copies change nothing. All rows of one call are one transaction.
//!
//! Unaware of the shared tables; `runtime` has the words of them turned into ours.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use rusqlite::{Connection, OptionalExtension, params};

use super::fold::{flow_key, node_key};
use super::inbox::Message;
use super::recover::{interrupt, last_seq};
use super::row::exit_columns;
use super::share::{RunElsewhere, StepElsewhere};
use super::{Ledger, LedgerError};
use crate::model::{Exit, NodeId, NodeStatus, Outcome, RunId, Timestamp};

/// Lines of no run that are kept: the newest.
const LOOSE_LINES_KEPT: i64 = 1_000;

/// What another machine published, in our words.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// When it was read here.
    pub seen: Timestamp,
    /// In the order they came into that machine's ledger.
    pub runs: Vec<TakenRun>,
    /// In the order they began.
    pub attempts: Vec<TakenAttempt>,
    /// Lines of logs.
    pub lines: Vec<TakenLine>,
    /// States of watched files.
    pub files: Vec<FileState>,
    /// What still runs elsewhere by what is known was interrupted: this machine has control now.
    pub interrupts: bool,
}

/// A run of another machine.
#[derive(Clone, Debug, PartialEq)]
pub struct TakenRun {
    /// Which.
    pub run: RunId,
    /// Its flow: [`crate::model::FlowRef::file`], or the name of a flow that is no workfile.
    pub file: Arc<str>,
    /// What was asked for.
    pub choice: Arc<str>,
    /// Bound to the whole flow.
    pub whole: bool,
    /// The run that it resumes.
    pub resumes: Option<RunId>,
    /// The machine that ran it.
    pub host: Arc<str>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// That machine's words.
    pub elsewhere: RunElsewhere,
}

/// An attempt of such a run.
#[derive(Clone, Debug, PartialEq)]
pub struct TakenAttempt {
    /// Of which run.
    pub run: RunId,
    /// Of which node.
    pub node: NodeId,
    /// Pass and attempt; `None` when that machine does not number them: then it is known by its start.
    pub number: Option<(u32, u32)>,
    /// How it stands or ended.
    pub status: NodeStatus,
    /// How its process ended.
    pub exit: Option<Exit>,
    /// Another attempt follows: its end ends no pass.
    pub is_retried: bool,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// That machine's words.
    pub elsewhere: StepElsewhere,
}

/// A line of a log of another machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenLine {
    /// The run that printed it.
    pub run: Option<RunId>,
    /// That run's flow.
    pub flow: Option<String>,
    /// What the step is called that printed it.
    pub label: Option<String>,
    /// `INFO` or `ERROR`.
    pub level: String,
    /// The line.
    pub message: String,
    /// When it was printed.
    pub at: Timestamp,
}

/// What became of a file that a flow watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileState {
    /// The flow.
    pub flow: String,
    /// The file.
    pub source: String,
    /// Its time of modification, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Its length in bytes.
    pub bytes: i64,
    /// The run that last succeeded for it.
    pub success_run: Option<String>,
    /// When that was.
    pub success_at: Option<Timestamp>,
    /// How its last run ended.
    pub status: String,
    /// Why it failed.
    pub error: Option<String>,
}

/// Rows on their way to the writer.
#[derive(Debug)]
pub(super) struct Adoption {
    taken: Taken,
    /// Why they could not be stored, told to whoever waits for the commit.
    failed: Arc<OnceLock<String>>,
}

impl Ledger {
    /// Takes rows of another machine over: all of them, or none. Waits until they are on disk.
    pub fn adopt(&self, taken: Taken) -> Result<(), LedgerError> {
        let failed = Arc::new(OnceLock::new());
        self.put(Message::Adopt(Box::new(Adoption {
            taken,
            failed: failed.clone(),
        })));
        self.commit(true)?;
        match failed.get() {
            None => Ok(()),
            Some(why) => Err(self.write_error(why)),
        }
    }
}

/// A run that rows belong to.
struct Known {
    key: i64,
    flow: i64,
    started: Timestamp,
    /// The number of its newest fact.
    seq: i64,
    is_touched: bool,
}

impl Adoption {
    /// Stores the rows inside the transaction that is open on `conn`.
    pub(super) fn apply(&self, conn: &Connection) -> rusqlite::Result<()> {
        conn.execute_batch("SAVEPOINT adopt")?;
        let stored = self.store(conn);
        match &stored {
            Ok(()) => conn.execute_batch("RELEASE adopt")?,
            Err(why) => {
                // Told by whoever waits, also when the whole batch is tried again.
                self.failed.set(why.to_string()).ok();
                if !conn.is_autocommit() {
                    conn.execute_batch("ROLLBACK TO adopt; RELEASE adopt")?;
                }
            }
        }
        stored
    }

    fn store(&self, conn: &Connection) -> rusqlite::Result<()> {
        let mut known: HashMap<&RunId, Known> = HashMap::new();
        for run in &self.taken.runs {
            if let Some(stored) = self.run(conn, run)? {
                known.insert(&run.run, stored);
            }
        }
        for attempt in &self.taken.attempts {
            let Some(run) = known_run(conn, &mut known, &attempt.run)? else {
                continue;
            };
            self.attempt(conn, run, attempt)?;
        }
        for line in &self.taken.lines {
            let key = match &line.run {
                None => 0,
                Some(run) => match known_run(conn, &mut known, run)? {
                    Some(run) => run.key,
                    None => continue,
                },
            };
            store_line(conn, key, line)?;
        }
        if self.taken.lines.iter().any(|line| line.run.is_none()) {
            conn.prepare_cached(
                "DELETE FROM lines_elsewhere WHERE run = 0 AND at <
                     (SELECT min(at) FROM (SELECT at FROM lines_elsewhere WHERE run = 0
                                           ORDER BY at DESC LIMIT ?1))",
            )?
            .execute([LOOSE_LINES_KEPT])?;
        }
        for file in &self.taken.files {
            store_file(conn, file)?;
        }
        let mut touched: Vec<i64> = known
            .values()
            .filter(|r| r.is_touched)
            .map(|r| r.key)
            .collect();
        touched.sort_unstable();
        for run in touched {
            recount(conn, run)?;
        }
        if self.taken.interrupts {
            let open: Vec<i64> = conn
                .prepare_cached("SELECT id FROM runs WHERE ended IS NULL AND host IS NOT NULL")?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            for run in open {
                interrupt(conn, run)?;
            }
        }
        Ok(())
    }

    /// The row of a run, made or brought to its end; `None` when it is ours or was removed here.
    fn run(&self, conn: &Connection, run: &TakenRun) -> rusqlite::Result<Option<Known>> {
        let found = conn
            .prepare_cached(
                "SELECT id, flow, host, ended, gone, started FROM runs WHERE name = ?1",
            )?
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
                self.seen(conn, known.key)?;
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
                self.taken.seen.0
            ])?;
        Ok(Some(known))
    }

    fn seen(&self, conn: &Connection, run: i64) -> rusqlite::Result<()> {
        conn.prepare_cached("UPDATE runs_elsewhere SET seen = ?2 WHERE run = ?1")?
            .execute([run, self.taken.seen.0])?;
        Ok(())
    }

    fn attempt(
        &self,
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
}

/// A run of another machine that rows belong to, given with them or known from before.
fn known_run<'a, 'k>(
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

fn store_line(conn: &Connection, run: i64, line: &TakenLine) -> rusqlite::Result<()> {
    let mut text = String::new();
    for part in [&line.label, &line.flow].into_iter().flatten() {
        text.push_str(part);
        text.push('\0');
    }
    text.push_str(&line.level);
    text.push('\0');
    text.push_str(&line.message);
    let hash = crate::model::command_hash(&text).cast_signed();
    conn.prepare_cached("INSERT OR IGNORE INTO lines_elsewhere VALUES (?1,?2,?3,?4,?5,?6,?7)")?
        .execute(params![
            run,
            line.at.0,
            hash,
            line.flow,
            line.label,
            line.level,
            line.message
        ])?;
    Ok(())
}

fn store_file(conn: &Connection, file: &FileState) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT OR REPLACE INTO file_states VALUES (?1,?2,?3,?4,?5,?6,?7,?8)")?
        .execute(params![
            file.flow,
            file.source,
            file.mtime_ns,
            file.bytes,
            file.success_run,
            file.success_at.map(|at| at.0),
            file.status,
            file.error
        ])?;
    Ok(())
}

/// Counts the nodes of a run that ended by what its attempts say. Nodes that never began are not
/// known.
fn recount(conn: &Connection, run: i64) -> rusqlite::Result<()> {
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
