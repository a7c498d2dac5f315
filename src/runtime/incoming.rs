//! Everything that can wake the dispatcher.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use crate::exec::Report;
use crate::ledger::Orphan;
use crate::model::{
    Catalog, Flow, FlowRef, LogTail, NodeId, NodeState, Notice, Past, ResourceName, RunId,
    RunSummary, WorkspaceId,
};
use crate::sched::EdgesAfter;
use crate::watch::Sleep;

use super::adopt::Adoption;
use super::board::{ComparisonShown, HistoryShown, Preview, Runner, RunningThere};
use super::control::ControlNews;
use super::elsewhere::Seen;
use super::last_runs::LastRuns;
use super::order::{KillScope, LogTarget, Order};
use super::prepare::Ready;
use super::workspace::Workspace;

/// Everything that can wake the dispatcher. A closed list: whoever adds a way in adds it here.
pub enum Incoming {
    /// A face asks.
    Order(Order),
    /// The kill switch, which whoever holds the processes has heard of already.
    Kill {
        /// What is to end.
        scope: KillScope,
        /// When it was asked for.
        asked: Instant,
    },
    /// A process tells.
    Report(Report),
    /// What the ledger knows of a flow.
    Loaded(Box<Loaded>),
    /// A run may start, or may not.
    Prepared(Box<Prepared>),
    /// The start of a run is in the ledger: its processes may begin.
    StartStored(RunId),
    /// A process that a dead Handmill left running for this flow has ended.
    OrphanEnded(FlowRef),
    /// Statuses of an older run.
    RunShown {
        /// Whose flow.
        flow: FlowRef,
        /// Which run.
        run: RunId,
        /// How its nodes stood.
        nodes: HashMap<NodeId, NodeState>,
    },
    /// A followed log was read.
    LogRead {
        /// Whose log.
        target: LogTarget,
        /// Its newest lines.
        tail: LogTail,
    },
    /// A list of past runs was read.
    HistoryRead(Box<HistoryShown>),
    /// Two runs were put beside each other.
    Compared(Box<ComparisonShown>),
    /// A run of this flow was pinned, or no longer is.
    Pinned(FlowRef),
    /// Runs of a workspace went, as retention says.
    RunsGone {
        /// Of which workspace.
        workspace: WorkspaceId,
        /// Which runs.
        runs: Vec<RunId>,
    },
    /// The collection was looked through.
    Scanned(Catalog),
    /// The last runs of the collection's flows were looked up.
    LastRuns(LastRuns),
    /// Something changed among these paths.
    Changed(crate::watch::Change),
    /// Another Handmill took or released the right to run a flow, or asks ours to stop.
    LockSeen {
        /// Whose flow.
        flow: FlowRef,
        /// Who runs it now, when that is not this process.
        runner: Option<Runner>,
        /// A stop is asked for: `Some(true)` at once.
        stop: Option<bool>,
    },
    /// What the kill switch could not end of a flow.
    Unended {
        /// Which flow.
        flow: FlowRef,
        /// The processes, those that still live.
        unended: Vec<Orphan>,
    },
    /// The runs that the sitter holds and that somebody is to carry on: their flows, as they are frozen.
    Held(Result<Vec<(FlowRef, Arc<Flow>)>, String>),
    /// Another process wants to carry on what we run of this flow.
    GiveWay(FlowRef),
    /// What the ledger says now of a flow that another process runs; `None` when it could not be read.
    SeenElsewhere {
        /// Which flow.
        flow: FlowRef,
        /// What it says.
        seen: Option<Box<Seen>>,
    },
    /// What a run would do.
    Previewed(Arc<Preview>),
    /// What runs on another machine.
    RunningThere(Arc<RunningThere>),
    /// Something about control of a workspace.
    Control {
        /// Which workspace.
        workspace: WorkspaceId,
        /// Of which opening: news of an earlier one come too late.
        n: u64,
        /// What.
        news: ControlNews,
    },
    /// The machine is about to sleep, or has slept.
    Sleep(Sleep),
    /// Something the operator should read.
    Tell(Notice),
}

/// What was found out about a flow off the dispatcher's thread.
pub struct Loaded {
    /// Which flow.
    pub flow: FlowRef,
    /// Its workspace, opened; or why that failed.
    pub workspace: Result<Arc<Workspace>, String>,
    /// What the ledger knows.
    pub past: Past,
    /// Newest runs first.
    pub history: Vec<RunSummary>,
    /// How the last run left the edges.
    pub edges: EdgesAfter,
    /// Processes that a dead Handmill left running.
    pub orphans: Vec<Orphan>,
    /// Another Handmill that runs it now.
    pub runner: Option<Runner>,
    /// A run of it that another process began and that is ours to carry on now.
    pub adoption: Option<Box<Adoption>>,
    /// Its file stands on its own: nobody shares its folder.
    pub stands_alone: bool,
    /// What could not be read, as fragments.
    pub troubles: Vec<String>,
}

/// The outcome of preparing a run off the dispatcher's thread.
pub struct Prepared {
    /// The order that asked for it.
    pub order: Order,
    /// The id of the run; its log folder exists.
    pub run: RunId,
    /// What may begin, or why nothing may.
    pub result: Result<Ready, Notice>,
    /// Resources that it lacks; nothing may begin then.
    pub missing: Vec<ResourceName>,
    /// Another Handmill that runs it now.
    pub runner: Option<Runner>,
    /// Processes that a dead Handmill left running; `None` when that was not looked at.
    pub orphans: Option<Vec<Orphan>>,
}
