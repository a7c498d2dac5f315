//! A run and its attempts as other machines are told of them, and what they said of theirs.

use std::sync::Arc;

use crate::ledger::TakenLine;
use crate::model::{Exit, NodeId, NodeRunId, NodeStatus, Outcome, RunId, Timestamp};

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
