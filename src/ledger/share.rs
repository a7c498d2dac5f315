//! What this ledger gives to other machines, and what it knows of theirs: rows for the shared tables.
//!
//! Unaware of those tables and of log files; `runtime` words the rows and reads the logs. Only what is
//! new since the last call is read: runs by their key, attempts of open runs by the numbers of their
//! facts. So a call costs the runs under way and those that began, however long the history is.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::adopt::{FileState, TakenLine};
use super::fold::{IMPORTED, run_key};
use super::row::{exit_of, status_of};
use super::{Ledger, LedgerError};
use crate::model::{Exit, NodeId, NodeIdx, NodeRunId, NodeStatus, Outcome, RunId, Timestamp};

/// Lines of no run that are given out, at most: the newest.
const LOOSE_LINES_MAX: i64 = 500;

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

/// A run for the other machines.
#[derive(Clone, Debug, PartialEq)]
pub struct RunToShare {
    /// Which.
    pub run: RunId,
    /// Its flow: [`crate::model::FlowRef::file`].
    pub file: Arc<str>,
    /// The flow's group.
    pub group: Option<String>,
    /// What was asked for: [`crate::model::Choice::word`].
    pub choice: Arc<str>,
    /// Bound to the whole flow.
    pub whole: bool,
    /// The run of this or another machine that it resumes.
    pub resumes: Option<RunId>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Of one that failed: the first node that did, with its title and exit.
    pub failed: Option<(NodeId, Option<String>, Option<Exit>)>,
    /// The machine that ran it, and its own words for it; `None`: this machine.
    pub elsewhere: Option<(Arc<str>, RunElsewhere)>,
}

/// What another machine said of a run, in the words of the shared table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunElsewhere {
    /// `success`, `failed`, `started`, `stopped`.
    pub status: String,
    /// The flow's group.
    pub group: Option<String>,
    /// The file it was started for.
    pub source: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// An attempt for the other machines.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptToShare {
    /// Which.
    pub id: NodeRunId,
    /// The run's flow.
    pub file: Arc<str>,
    /// Which node.
    pub node: NodeId,
    /// What the node is called.
    pub title: Option<String>,
    /// How it stands or ended.
    pub status: NodeStatus,
    /// How its process ended.
    pub exit: Option<Exit>,
    /// Another attempt follows.
    pub is_retried: bool,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; known when it is not running.
    pub ended: Option<Timestamp>,
    /// The words of the machine that ran it; `None`: this machine.
    pub elsewhere: Option<StepElsewhere>,
}

/// What another machine said of a step, in the words of the shared table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepElsewhere {
    /// What it is called there.
    pub label: String,
    /// `success`, `failed`, `started`, `stopped`.
    pub status: String,
    /// How long it took, in milliseconds.
    pub elapsed_ms: Option<i64>,
    /// Why it failed.
    pub error: Option<String>,
    /// The file that it made.
    pub output: Option<String>,
}

/// Lines of a run of another machine, as that machine published them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinesElsewhere {
    /// That machine's host.
    pub host: Arc<str>,
    /// When this machine took the run over last.
    pub seen: Timestamp,
    /// In order of time.
    pub lines: Vec<TakenLine>,
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

fn run(conn: &Connection, key: i64) -> rusqlite::Result<Option<RunToShare>> {
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
fn attempts(
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

/// Lines of a run of another machine, or, for 0, the newest of no run.
fn lines_of(conn: &Connection, run: i64, into: &mut Vec<TakenLine>) -> rusqlite::Result<()> {
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

fn files(conn: &Connection) -> rusqlite::Result<Vec<FileState>> {
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

fn lines_elsewhere(
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
