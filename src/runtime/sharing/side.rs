//! The ledger of a workspace as the shared folder needs it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::exec;
use crate::ledger::{AttemptToShare, ShareCursor, TakenLine, ToShare};
use crate::model::{LogLine, NodeRunId, NodeStatus, Retention, RunId, Stream, Timestamp};
use crate::share::{Adoption, LedgerSide, Rows, Wanted};

use super::super::workspace::Workspace;
use super::{give, take};

/// Lines of an attempt that are shared: of one that ended well, and of one that did not.
const LINES_OF_GOOD: usize = 5;
const LINES_OF_BAD: usize = 40;

/// Lines of a run that are shared before those of attempts that ended well are left out.
const LINES_OF_RUN: usize = 200;

/// Bytes that are read from the end of a log for that.
const LOG_BYTES_READ: u64 = 16 << 10;

/// Longest line that is shared, in characters.
const LINE_CHARS_MAX: usize = 1_000;

/// Attempts whose logs are read when everything is published anew: the newest. Two files each.
const LOGS_READ_AT_FIRST: usize = 500;

/// Gives rows of a workspace's ledger to other machines, and takes theirs over. Blocking; used on the
/// thread of the workspace's shared folder.
pub struct SharedLedger {
    workspace: Arc<Workspace>,
    host: String,
    rule: Retention,
    now: fn() -> Timestamp,
    cursor: ShareCursor,
    /// The last numbers that were given.
    n_steps: i64,
    n_lines: i64,
    /// Numbers of attempts that have not ended.
    open: HashMap<NodeRunId, i64>,
    /// Lines that were shared of runs under way.
    lines: HashMap<RunId, usize>,
    /// States of files were taken over since they were given.
    has_files: bool,
    on_adopted: Box<dyn Fn() + Send>,
}

impl SharedLedger {
    /// Of an open workspace. `host` is this machine's, for people. `on_adopted` is called, on the thread of
    /// the shared folder, when rows of another machine are in the ledger.
    pub fn new(
        workspace: Arc<Workspace>,
        host: impl Into<String>,
        rule: Retention,
        on_adopted: impl Fn() + Send + 'static,
    ) -> Self {
        Self {
            workspace,
            host: host.into(),
            rule,
            now: super::super::clock::now,
            cursor: ShareCursor::default(),
            n_steps: 0,
            n_lines: 0,
            open: HashMap::new(),
            lines: HashMap::new(),
            has_files: false,
            on_adopted: Box::new(on_adopted),
        }
    }

    /// With another clock.
    #[must_use]
    pub fn at(mut self, now: fn() -> Timestamp) -> Self {
        self.now = now;
        self
    }

    fn step_number(&mut self, id: &NodeRunId, is_over: bool) -> i64 {
        let known = match is_over {
            true => self.open.remove(id),
            false => self.open.get(id).copied(),
        };
        known.unwrap_or_else(|| {
            self.n_steps += 1;
            if !is_over {
                self.open.insert(id.clone(), self.n_steps);
            }
            self.n_steps
        })
    }

    /// Ends of logs of attempts that have ended, in the order of the attempts.
    fn log_lines(&mut self, attempts: &[AttemptToShare], read_max: usize) -> Vec<TakenLine> {
        let ended = attempts
            .iter()
            .filter(|attempt| attempt.elsewhere.is_none() && attempt.status != NodeStatus::Running);
        let mut lines = Vec::new();
        for attempt in ended.rev().take(read_max) {
            let given = self.lines.entry(attempt.id.run.clone()).or_default();
            let wanted = match attempt.status {
                NodeStatus::Ran => LINES_OF_GOOD.min(LINES_OF_RUN.saturating_sub(*given)),
                // Why something failed is told of every failure, as far as a run may fill a snapshot.
                _ => LINES_OF_BAD.min((LINES_OF_RUN * 5).saturating_sub(*given)),
            };
            if wanted == 0 {
                continue;
            }
            let read = lines_of(&self.workspace, attempt, wanted);
            *given += read.len();
            lines.push(read);
        }
        lines.reverse();
        lines.into_iter().flatten().collect()
    }

    fn rows_of(&mut self, found: ToShare, read_max: usize) -> Rows {
        let mut lines = self.log_lines(&found.attempts, read_max);
        lines.extend(found.lines);
        lines.sort_by_key(|line| line.at);
        for run in found.runs.iter().filter(|run| run.ended.is_some()) {
            self.lines.remove(&run.run);
        }
        let host = self.host.clone();
        let steps = found.attempts.into_iter().map(|attempt| {
            let is_over = attempt.status != NodeStatus::Running;
            let id = self.step_number(&attempt.id, is_over);
            give::step_row(attempt, id)
        });
        let steps = steps.collect();
        let logs = lines.into_iter().map(|line| {
            self.n_lines += 1;
            give::log_row(line, self.n_lines)
        });
        Rows {
            logs: logs.collect(),
            steps,
            runs: found
                .runs
                .into_iter()
                .map(|run| give::run_row(run, &host))
                .collect(),
            files: found.files.into_iter().map(give::file_row).collect(),
        }
    }
}

impl LedgerSide for SharedLedger {
    fn rows(&mut self, wanted: Wanted) -> Result<Rows, String> {
        let told = |why: crate::ledger::LedgerError| why.to_string();
        let newest = match wanted {
            Wanted::Newest { n_runs } => Some(n_runs),
            Wanted::Changed => None,
        };
        let ledger = &self.workspace.ledger;
        let mut found = ledger.to_share(&mut self.cursor, newest).map_err(told)?;
        if newest.is_none() && self.has_files {
            found.files = ledger.file_states().map_err(told)?;
        }
        self.has_files = false;
        let read_max = match newest {
            Some(_) => {
                (self.n_steps, self.n_lines) = (0, 0);
                self.open.clear();
                self.lines.clear();
                LOGS_READ_AT_FIRST
            }
            None => usize::MAX,
        };
        Ok(self.rows_of(found, read_max))
    }

    fn adopt(&mut self, rows: Rows, host: Option<&str>, why: Adoption) -> Result<(), String> {
        let has_files = !rows.files.is_empty();
        let for_ever = Retention {
            days: 0,
            log_bytes_max: 0,
        };
        let rule = match why {
            Adoption::Importing => &for_ever,
            Adoption::Watching | Adoption::Claiming => &self.rule,
        };
        let mut taken = take::taken(rows, host, rule, (self.now)());
        taken.interrupts = why != Adoption::Watching;
        let ledger = &self.workspace.ledger;
        ledger.adopt(taken).map_err(|why| why.to_string())?;
        self.has_files |= has_files;
        (self.on_adopted)();
        Ok(())
    }
}

/// The end of the log of an attempt. Times are made to differ, so that two equal lines are two.
fn lines_of(workspace: &Workspace, attempt: &AttemptToShare, wanted: usize) -> Vec<TakenLine> {
    let (out, err) = workspace.log_files(&attempt.id);
    let node = attempt.node.clone();
    let tail = exec::read_tail(&out, &err, &[], node, LOG_BYTES_READ, wanted);
    let ended = attempt.ended.unwrap_or(attempt.started);
    let n = tail.lines.len();
    let label = give::step_label(attempt);
    let line = |(at, line): (usize, LogLine)| TakenLine {
        run: Some(attempt.id.run.clone()),
        flow: Some(attempt.file.to_string()),
        label: Some(label.clone()),
        level: match line.stream {
            Stream::Out => "INFO",
            Stream::Err => "ERROR",
        }
        .to_owned(),
        message: line.text.chars().take(LINE_CHARS_MAX).collect(),
        at: Timestamp(ended.0 - i64::try_from(n - at).unwrap_or(0)),
    };
    tail.lines.into_iter().enumerate().map(line).collect()
}
