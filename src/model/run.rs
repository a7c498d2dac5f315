//! Runs: what was asked, how each node stands, and how it ended.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{EdgeId, NodeId, NodeIdx, RunId, Timestamp};

/// What a run is asked to execute. The scheduler turns it into a subset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Resume when something of the last run failed, was stopped or interrupted; else [`Choice::Full`].
    Auto,
    /// The whole flow from all its roots, whatever their earlier status.
    Full,
    /// The chosen nodes and the edges between them.
    Selection(Vec<NodeId>),
    /// What failed, was stopped or interrupted, within the scope of the last run.
    Resume,
    /// The chosen nodes and all that lies downstream.
    From(Vec<NodeId>),
    /// The chosen nodes and all upstream that is not fresh.
    UpTo(Vec<NodeId>),
}

impl Choice {
    /// True for what means "have this flow run": where a run of it goes on already, following that one
    /// is what was meant. A run of all of it anew or of chosen nodes would be another run.
    pub fn may_follow(&self) -> bool {
        matches!(self, Self::Auto | Self::Resume)
    }

    /// One word for the ledger and for people.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Full => "full",
            Self::Selection(_) => "selection",
            Self::Resume => "resume",
            Self::From(_) => "from here",
            Self::UpTo(_) => "up to here",
        }
    }
}

/// How a node stands, as a person sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NodeStatus {
    /// No run of it is known.
    #[default]
    Idle,
    /// In a live run, before its sources have succeeded.
    Waiting,
    /// Triggered, and waiting for a slot (or for its retry delay).
    Ready,
    /// Its process is alive.
    Running,
    /// Its last node run succeeded.
    Ran,
    /// Its last node run failed.
    Failed,
    /// Its last node run was stopped by a person.
    Stopped,
    /// A run ended without it because something upstream failed.
    Skipped,
    /// Handmill died, or the machine did, while it ran; how it ended is not known.
    Interrupted,
}

impl NodeStatus {
    /// The word shown to people and kept in the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Ran => "ran",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Skipped => "skipped",
            Self::Interrupted => "interrupted",
        }
    }

    /// The status of a ledger word; unknown words are idle.
    pub fn from_word(word: &str) -> Self {
        [
            Self::Waiting,
            Self::Ready,
            Self::Running,
            Self::Ran,
            Self::Failed,
            Self::Stopped,
            Self::Skipped,
            Self::Interrupted,
        ]
        .into_iter()
        .find(|status| status.word() == word)
        .unwrap_or_default()
    }

    /// Resume starts nodes of these statuses again (scheduler.md, Choosing what runs, 2).
    pub fn wants_resume(self) -> bool {
        matches!(self, Self::Failed | Self::Stopped | Self::Interrupted)
    }

    /// In a live run and not at its end.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Waiting | Self::Ready | Self::Running)
    }
}

/// How one attempt of a node ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The process ended by itself; 0 is success. Also the exit of a node without a process.
    Code(i32),
    /// A signal ended it.
    Signal(i32),
    /// It ran longer than its timeout and was ended.
    TimedOut,
    /// It could not be started; why, as a fragment.
    NotStarted(Arc<str>),
    /// The flow's `max_passes` was reached before this pass.
    MaxPasses,
    /// Not known: Handmill or the machine died meanwhile.
    Unknown,
}

impl Exit {
    /// True only for exit code 0.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Code(0))
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit {code}"),
            Self::Signal(signal) => match signal_name(*signal) {
                Some(name) => write!(f, "{name}"),
                None => write!(f, "signal {signal}"),
            },
            Self::TimedOut => f.write_str("timed out"),
            Self::NotStarted(why) => write!(f, "not started: {why}"),
            Self::MaxPasses => f.write_str("max passes reached"),
            Self::Unknown => f.write_str("end not known"),
        }
    }
}

impl Exit {
    /// The exit that [`fmt::Display`] shows so; `None` for any other text.
    pub fn from_text(text: &str) -> Option<Self> {
        Some(match text {
            "timed out" => Self::TimedOut,
            "max passes reached" => Self::MaxPasses,
            "end not known" => Self::Unknown,
            _ => {
                if let Some(code) = text.strip_prefix("exit ") {
                    Self::Code(code.parse().ok()?)
                } else if let Some(signal) = text.strip_prefix("signal ") {
                    Self::Signal(signal.parse().ok()?)
                } else if let Some(why) = text.strip_prefix("not started: ") {
                    Self::NotStarted(why.into())
                } else {
                    Self::Signal((1..=64).find(|&signal| signal_name(signal) == Some(text))?)
                }
            }
        })
    }
}

fn signal_name(signal: i32) -> Option<&'static str> {
    // The numbers that are the same on Linux and macOS; others are shown as numbers.
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        _ => return None,
    })
}

/// One attempt of one pass of one node in one run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeRunId {
    /// The run.
    pub run: RunId,
    /// The node, by its place in the run's frozen flow.
    pub node: NodeIdx,
    /// 1 for the first trigger in this run, then counting.
    pub pass: u32,
    /// 1 for the first attempt of the pass, then counting.
    pub attempt: u32,
}

/// How a node stands and what its newest node run was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeState {
    /// As a person sees it.
    pub status: NodeStatus,
    /// The run that gave this state; `None` when imported from a workfile or never run.
    pub run: Option<RunId>,
    /// Passes begun in that run.
    pub pass: u32,
    /// Attempt of that pass.
    pub attempt: u32,
    /// Triggers that wait behind the pass under way.
    pub queued: u32,
    /// Start of the newest attempt.
    pub started: Option<Timestamp>,
    /// End of the newest attempt.
    pub ended: Option<Timestamp>,
    /// How the newest attempt ended.
    pub exit: Option<Exit>,
    /// Process id while it runs.
    pub pid: Option<u32>,
}

impl NodeState {
    /// Time of the newest attempt, up to `now` while it runs.
    pub fn duration(&self, now: Timestamp) -> Option<Duration> {
        let end = self
            .ended
            .or((self.status == NodeStatus::Running).then_some(now))?;
        Some(end.since(self.started?))
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Nothing failed.
    Succeeded,
    /// At least one node failed.
    Failed,
    /// A person stopped it.
    Stopped,
    /// Handmill or the machine died before its end.
    Interrupted,
}

impl Outcome {
    /// The word shown to people and kept in the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
        }
    }

    /// What a person should know beside the word; empty when the word says it all.
    pub fn remark(self) -> &'static str {
        match self {
            Self::Interrupted => "Recovered after a restart of Handmill.",
            Self::Succeeded | Self::Failed | Self::Stopped => "",
        }
    }

    /// The outcome of a ledger word.
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Succeeded,
            Self::Failed,
            Self::Stopped,
            Self::Interrupted,
        ]
        .into_iter()
        .find(|outcome| outcome.word() == word)
    }
}

/// Nodes of a run by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Nodes in the subset.
    pub subset: u32,
    /// Whose last pass succeeded.
    pub ran: u32,
    /// Whose last pass failed.
    pub failed: u32,
    /// Stopped by a person.
    pub stopped: u32,
    /// Never triggered because something upstream failed or the run was stopped.
    pub skipped: u32,
    /// Kept from the run that this one resumes.
    pub kept: u32,
}

/// One run as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSummary {
    /// Which run.
    pub id: RunId,
    /// What was asked: [`Choice::word`].
    pub choice: Arc<str>,
    /// The run it resumes.
    pub resumes: Option<RunId>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; `None` while it lives.
    pub ended: Option<Timestamp>,
    /// How it ended; `None` while it lives.
    pub outcome: Option<Outcome>,
    /// Nodes by how they ended (so far).
    pub counts: Counts,
    /// The host of the machine that ran it, as that machine published it; `None`: this one.
    pub ran_on: Option<Arc<str>>,
}

impl RunSummary {
    /// `ran on wsA`, or `runs on wsA` while it goes on there; `None` for a run of this machine.
    pub fn place_words(&self) -> Option<String> {
        let verb = match self.outcome {
            Some(_) => "ran",
            None => "runs",
        };
        let host = self.ran_on.as_ref()?;
        Some(format!("{verb} on {host}"))
    }
}

/// Results another program left in a workfile: shown, and resumed from, as the flow's last run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileResults {
    /// Status, exit and logs per node, where the file says any.
    pub nodes: HashMap<NodeId, FileResult>,
    /// Edges marked `to_run`.
    pub marks: Vec<EdgeId>,
}

/// What a workfile says about the last run of one node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileResult {
    /// From the seed's spellings: `ran`, `fail`; `run` and `running` are idle.
    pub status: NodeStatus,
    /// Exit code, when it is a number.
    pub exit: Option<i32>,
    /// Standard output, or the old single `log`.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl FileResult {
    /// What is said in a file of a node that stands so. A file knows only nodes that ran or failed.
    pub fn of(state: &NodeState) -> Self {
        let status = match state.status {
            NodeStatus::Ran | NodeStatus::Failed => state.status,
            _ => NodeStatus::Idle,
        };
        let exit = match &state.exit {
            Some(Exit::Code(code)) if status != NodeStatus::Idle => Some(*code),
            _ => None,
        };
        Self {
            status,
            exit,
            ..Self::default()
        }
    }
}
