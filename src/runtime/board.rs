//! What a face may see: an immutable picture of the runtime, replaced whole at each change.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::model::{
    Catalog, Choice, EdgeId, Flow, FlowRef, HistoryPage, LogTail, NodeId, NodeState, NodeStatus,
    Notice, ResourceName, RunComparison, RunId, RunSummary, Timestamp, WorkspaceId,
};

use super::control::ControlBoard;
use super::order::{CompareAsk, HistoryAsk, LogTarget};

/// Everything a face may see, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Board {
    /// Counts publications.
    pub revision: u64,
    /// Workspaces and flows found under the collection root.
    pub catalog: Arc<Catalog>,
    /// Flows that are open in a face or live.
    pub flows: BTreeMap<FlowRef, Arc<FlowBoard>>,
    /// The newest run of each flow of the collection that ever ran, open or not.
    pub last_runs: Arc<BTreeMap<FlowRef, RunSummary>>,
    /// Runs of each workspace that began in the last [`RECENT`], as far as its ledger was asked.
    pub recent_runs: Arc<BTreeMap<WorkspaceId, u64>>,
    /// Nodes running now, and the most that may.
    pub slots: Slots,
    /// The logs asked for by [`super::Order::FollowLogs`].
    pub logs: BTreeMap<LogTarget, Arc<LogTail>>,
    /// What the run that was last asked about would do.
    pub preview: Option<Arc<Preview>>,
    /// What was asked for by [`super::Order::NameRunningThere`].
    pub running_there: Option<Arc<RunningThere>>,
    /// The list of past runs asked for by [`super::Order::ShowHistory`]. While another is being read, this
    /// is still the one before: its `ask` tells.
    pub history: Option<Arc<HistoryShown>>,
    /// The comparison asked for by [`super::Order::Compare`].
    pub comparison: Option<Arc<ComparisonShown>>,
    /// Control of each workspace that is kept in sight ([`super::Order::KeepControl`]) or in which something runs.
    /// Absent where there is nothing to control: a file on its own, a folder without `flow_modules/`.
    pub control: Arc<BTreeMap<WorkspaceId, Arc<ControlBoard>>>,
    /// The run that was refused last for want of resources.
    pub wanting: Option<Arc<Wanting>>,
    /// Not yet dismissed, oldest first, with their numbers.
    pub notices: Arc<Vec<(u64, Notice)>>,
}

/// A run that was refused because the values of resources cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanting {
    /// Counts such refusals, from 1.
    pub n: u64,
    /// Of which flow.
    pub flow: FlowRef,
    /// What was to be run.
    pub choice: Choice,
    /// What it lacks.
    pub names: Vec<ResourceName>,
}

/// A run that is not asked for yet.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Of which flow.
    pub flow: FlowRef,
    /// As it stands in the document.
    pub frozen: Arc<Flow>,
    /// Counts the document's edits; comes back.
    pub revision: u64,
    /// What would be run.
    pub choice: Choice,
}

/// What runs on another machine, by what that one published last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningThere {
    /// In which workspace.
    pub workspace: WorkspaceId,
    /// Its nodes, by their names.
    pub nodes: Vec<String>,
}

/// What a run would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Of which flow.
    pub flow: FlowRef,
    /// Of the wish.
    pub revision: u64,
    /// What would be run.
    pub choice: Choice,
    /// The nodes that would be executed if all of them succeeded; why none, as a fragment.
    pub nodes: Result<HashSet<NodeId>, String>,
}

/// Past runs of a flow, as they were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryShown {
    /// What was asked for.
    pub ask: HistoryAsk,
    /// What there is.
    pub page: HistoryPage,
    /// Why it could not be read, as a fragment; empty when it could.
    pub trouble: String,
}

/// Two runs of a flow beside each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparisonShown {
    /// What was asked for.
    pub ask: CompareAsk,
    /// What differs, or why that cannot be told.
    pub result: Result<RunComparison, String>,
}

/// Use of the process's slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// Taken.
    pub used: u32,
    /// In all.
    pub total: u32,
}

/// How one flow stands.
#[derive(Clone, Debug, Default)]
pub struct FlowBoard {
    /// True once the ledger has answered; until then nothing is known and nothing is shown as idle.
    pub loaded: bool,
    /// State per node; absent means idle.
    pub nodes: Arc<HashMap<NodeId, NodeState>>,
    /// Edges whose mark is set: their source has succeeded and their target has not used it.
    pub marked: Arc<HashSet<EdgeId>>,
    /// Edges that fired in the run shown.
    pub fired: Arc<HashSet<EdgeId>>,
    /// The live run.
    pub live: Option<RunSummary>,
    /// A run was ordered and has not begun: it is being prepared, or waits for control.
    pub starting: bool,
    /// A stop was asked for and the run has not ended yet.
    pub stopping: bool,
    /// Nodes that a resume would start again; 0 means there is nothing to resume.
    pub resumable: u32,
    /// Newest runs first, at most [`HISTORY_MAX`].
    pub history: Arc<Vec<RunSummary>>,
    /// The older run whose statuses are shown instead of the newest.
    pub shown_run: Option<RunId>,
    /// Another Handmill on this machine that runs this flow now.
    pub runner: Option<Runner>,
    /// Processes that a dead Handmill left running: node and process id.
    pub orphans: Arc<Vec<(NodeId, u32)>>,
}

/// How long a run counts as recent: seven days.
pub const RECENT: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Newest runs kept on the board per flow.
pub const HISTORY_MAX: usize = 50;

/// Another process that runs a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runner {
    /// Its process id.
    pub pid: u32,
    /// `window` or `command line`.
    pub face: Arc<str>,
    /// Since when.
    pub since: Timestamp,
}

impl Board {
    /// How a flow stands, when it is on the board.
    pub fn flow(&self, flow: &FlowRef) -> Option<&Arc<FlowBoard>> {
        self.flows.get(flow)
    }
}

impl FlowBoard {
    /// State of a node; idle when nothing is known.
    pub fn node(&self, id: &NodeId) -> NodeState {
        self.nodes.get(id).cloned().unwrap_or_default()
    }

    /// Nodes whose process is alive.
    pub fn n_active(&self) -> usize {
        let running = |state: &&NodeState| state.status == NodeStatus::Running;
        match (&self.live, &self.shown_run) {
            (Some(_), None) => self.nodes.values().filter(running).count(),
            _ => 0,
        }
    }
}
