//! Past runs as lists show them, and which of them are asked for.

use std::sync::Arc;

use super::{NodeId, Outcome, RunSummary, Timestamp};

/// Which runs are asked for; the default asks for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Text in the run's choice, id or workfile, or in the id or a command of a node that it ran, whatever
    /// its case.
    pub text: String,
    /// Nodes whose title holds the text: titles are in the workfile, so whoever has read it tells.
    pub nodes: Vec<NodeId>,
    /// Only runs that ended so; empty means any, live ones included.
    pub outcomes: Vec<Outcome>,
    /// Only runs that began then or later.
    pub since: Option<Timestamp>,
    /// Only runs that began before then.
    pub until: Option<Timestamp>,
}

impl HistoryFilter {
    /// True when every run is asked for.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }
}

/// One run of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRun {
    /// What every list shows.
    pub summary: RunSummary,
    /// Its flow: [`super::FlowRef::file`].
    pub file: Arc<str>,
    /// Retention leaves it.
    pub pinned: bool,
    /// Bytes of its logs; `None` when they were not measured yet.
    pub log_bytes: Option<u64>,
}

/// Some runs, newest first, and whether there are more behind the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryPage {
    /// Newest first.
    pub runs: Vec<HistoryRun>,
    /// There are older ones that are asked for too.
    pub more: bool,
}
