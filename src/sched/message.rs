//! What the scheduler is told, and what it wants done.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{
    Choice, Event, Exit, Flow, FlowRef, Node, NodeId, NodeRunId, Past, RunId, WorkspaceId,
};

use super::adopt::Adopt;
use super::live_node::Ending;

/// A run to start.
#[derive(Clone, Debug)]
pub struct Start {
    /// The id of the new run, made by the caller.
    pub run: RunId,
    /// Whose flow.
    pub flow: FlowRef,
    /// The flow, frozen.
    pub frozen: Arc<Flow>,
    /// What to run.
    pub choice: Choice,
    /// What is known from before.
    pub past: Past,
    /// Nodes of this run at once, on top of the flow's own limit and the slots.
    pub jobs_max: Option<u32>,
}

/// Everything the scheduler can be told. Time comes beside it.
#[derive(Clone, Debug)]
pub enum Input {
    /// Start a run.
    Start(Box<Start>),
    /// Carry on a run that another process began.
    Adopt(Box<Adopt>),
    /// A launched attempt has a process.
    Spawned {
        /// Which attempt.
        id: NodeRunId,
        /// Its process and group id.
        pid: u32,
        /// Its start time as the system counts it.
        birth: u64,
    },
    /// A launched attempt ended, or could not be started.
    Exited {
        /// Which attempt.
        id: NodeRunId,
        /// How.
        exit: Exit,
    },
    /// Stop nodes of a run, or all of it. A second stop, or `at_once`, skips the grace.
    Stop {
        /// Which run.
        run: RunId,
        /// Which nodes; `None` means the run.
        nodes: Option<Vec<NodeId>>,
        /// Kill without grace.
        at_once: bool,
    },
    /// The right to run is lost: nothing of the run starts any more, what runs of it is ended, and both count as
    /// interrupted.
    Interrupt {
        /// Which run.
        run: RunId,
    },
    /// Nodes of a workspace are not started for now, or again. What runs there goes on.
    Hold {
        /// Which workspace.
        workspace: WorkspaceId,
        /// Nothing is started.
        is_held: bool,
    },
    /// Run failed or stopped nodes of a live run again, with their commands as they are now.
    Retry {
        /// Which run.
        run: RunId,
        /// The nodes as they are in the document now.
        nodes: Vec<Arc<Node>>,
    },
    /// What the operator set.
    Configure {
        /// Nodes that may run at once in this process.
        slots: u32,
        /// Time between the request to end and the kill.
        grace: Duration,
    },
    /// The deadline of [`super::Scheduler::next_deadline`] has come.
    DeadlineReached,
}

/// What the scheduler wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Tell everyone what happened.
    Record(Event),
    /// It happened before the run was adopted and is on record: for the board alone.
    Recall(Event),
    /// An attempt of an adopted run began, and nobody who waited for it lives. [`Input::Exited`]
    /// must follow when its process is gone.
    Await {
        /// Which attempt.
        id: NodeRunId,
    },
    /// Start the process of an attempt. [`Input::Exited`] must follow, whatever happens.
    Launch {
        /// Which attempt.
        id: NodeRunId,
        /// The node with its command; blank commands and muted nodes never get here.
        node: Arc<Node>,
    },
    /// End the process group of an attempt.
    Terminate {
        /// Which attempt.
        id: NodeRunId,
        /// SIGKILL instead of SIGTERM.
        force: bool,
        /// What for.
        why: Ending,
    },
}
