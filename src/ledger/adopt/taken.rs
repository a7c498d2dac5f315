//! What another machine published, in our words.

use std::sync::Arc;

use crate::ledger::{RunElsewhere, StepElsewhere};
use crate::model::{Exit, NodeId, NodeStatus, Outcome, RunId, Timestamp};

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
