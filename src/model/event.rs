//! What happened, in the past tense. The board, the ledger and the command line are folds over it.
//!
//! `EVENT_VERSION` names the meaning of these facts in stored form: raise it when one changes.

use std::sync::Arc;

use super::{
    Choice, Counts, EdgeId, Exit, Flow, FlowRef, NodeIdx, NodeRunId, NodeStatus, Notice, Outcome,
    RunId, Timestamp,
};

/// The facts of a run's start.
#[derive(Clone, Debug, PartialEq)]
pub struct RunStart {
    /// The new run.
    pub run: RunId,
    /// Whose flow.
    pub flow: FlowRef,
    /// The flow as it was at the start; later edits do not touch it.
    pub frozen: Arc<Flow>,
    /// What was asked (never [`Choice::Auto`]; that is settled before).
    pub choice: Choice,
    /// The run that this one resumes.
    pub resumes: Option<RunId>,
    /// Nodes in the run, in the order of the frozen flow.
    pub subset: Arc<[NodeIdx]>,
    /// Nodes of the subset kept from the run that is resumed: they count as succeeded.
    pub kept: Arc<[NodeIdx]>,
    /// Edges that are marked at the start, as the run that is resumed left them.
    pub marks: Arc<[EdgeId]>,
    /// Nodes triggered at the start, and how often.
    pub triggers: Arc<[(NodeIdx, u32)]>,
    /// When.
    pub at: Timestamp,
}

/// The facts of an attempt's end.
#[derive(Clone, Debug, PartialEq)]
pub struct Finish {
    /// Which attempt.
    pub id: NodeRunId,
    /// How the process ended.
    pub exit: Exit,
    /// [`NodeStatus::Ran`], [`NodeStatus::Failed`] or [`NodeStatus::Stopped`].
    pub status: NodeStatus,
    /// Another attempt of the same pass follows at this time.
    pub retry_at: Option<Timestamp>,
    /// When.
    pub at: Timestamp,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A run began.
    RunStarted(Box<RunStart>),
    /// A run was asked for and refused before anything started.
    RunRefused {
        /// Whose flow.
        flow: FlowRef,
        /// Why, and what to do.
        notice: Notice,
    },
    /// A node was triggered; its pass waits for a slot, or behind `queued - 1` others.
    NodeTriggered {
        /// Which run.
        run: RunId,
        /// Which node.
        node: NodeIdx,
        /// Triggers now waiting, this one included.
        queued: u32,
    },
    /// An attempt of a node began.
    NodeStarted {
        /// Which attempt.
        id: NodeRunId,
        /// When.
        at: Timestamp,
    },
    /// The process of an attempt is alive.
    NodeSpawned {
        /// Which attempt.
        id: NodeRunId,
        /// Its process id, which is also its process group.
        pid: u32,
        /// Start time of that process as the system counts it, to tell it from a later one.
        birth: u64,
    },
    /// An attempt of a node ended.
    NodeFinished(Finish),
    /// A success marked these edges of its node (and a full set of marks cleared others).
    EdgesMarked {
        /// Which run.
        run: RunId,
        /// Edges now marked `to_run`.
        marked: Vec<EdgeId>,
        /// Edges whose mark was used up by a trigger.
        cleared: Vec<EdgeId>,
    },
    /// A run was asked to stop: nothing ready or queued starts any more.
    RunStopping {
        /// Which run.
        run: RunId,
        /// When.
        at: Timestamp,
    },
    /// A run ended.
    RunFinished {
        /// Which run.
        run: RunId,
        /// How.
        outcome: Outcome,
        /// Nodes by how they ended.
        counts: Counts,
        /// Nodes of the subset that never ran in it.
        skipped: Arc<[NodeIdx]>,
        /// When.
        at: Timestamp,
    },
    /// A person cleared what is known of these nodes (`None`: of all).
    StatusCleared {
        /// Whose flow.
        flow: FlowRef,
        /// Which nodes.
        nodes: Option<Vec<super::NodeId>>,
        /// When.
        at: Timestamp,
    },
    /// Something the operator should read.
    Told(Notice),
}
