//! What a face may ask of the runtime.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::{
    Choice, FileResults, Flow, FlowRef, HistoryFilter, Node, NodeId, RunId, Secrets, WorkspaceId,
};

/// Whose log: one node's, or a whole run's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogTarget {
    /// Whose flow.
    pub flow: FlowRef,
    /// Which run; `None` means the newest that has it.
    pub run: Option<RunId>,
    /// Which node; `None` means every node of the run.
    pub node: Option<NodeId>,
}

/// Which past runs of a flow are to be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryAsk {
    /// Whose flow.
    pub flow: FlowRef,
    /// Which of its runs.
    pub filter: HistoryFilter,
    /// The newest so many of them; more of the same list are read from where it ended.
    pub n: usize,
}

impl HistoryAsk {
    /// True when the two differ by their length alone.
    pub fn is_same_list(&self, other: &Self) -> bool {
        self.flow == other.flow && self.filter == other.filter
    }
}

/// Which two runs of a flow are to be put beside each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompareAsk {
    /// Whose flow.
    pub flow: FlowRef,
    /// The first run.
    pub a: RunId,
    /// The second.
    pub b: RunId,
}

/// What a face may ask. Nothing is answered directly: the answer is on the next board, or an event.
#[derive(Clone, Debug)]
pub enum Order {
    /// Look through a collection root and follow it from now on; `None` follows nothing.
    SetCollection(Option<PathBuf>),
    /// Look again at what may have changed unheard: in a collection whose changes are not told by
    /// themselves, and in the ledgers, which other processes write too.
    LookAgain,
    /// Put a flow's history and statuses on the board, and import the results its file carries.
    OpenFlow {
        /// Which flow.
        flow: FlowRef,
        /// As read from its file.
        frozen: Arc<Flow>,
        /// Results another program left in the file.
        results: Arc<FileResults>,
    },
    /// Carry on every run that the sitter holds, also of flows that no face shows: they are on the board
    /// while they run. A face asks the background process for those that it has; that one only takes
    /// what nobody carries.
    AdoptRuns,
    /// The flow is shown no longer; it stays on the board while it runs.
    CloseFlow(FlowRef),
    /// Start a run.
    StartRun {
        /// Which flow.
        flow: FlowRef,
        /// The flow as it stands in the document now.
        frozen: Arc<Flow>,
        /// What to run.
        choice: Choice,
        /// Nodes at once for this run only.
        jobs_max: Option<u32>,
    },
    /// Values for the runs of a flow from this process, before those of the keyring and the environment. They are kept
    /// in memory; one replaces what was given under its name before.
    Give {
        /// Which flow.
        flow: FlowRef,
        /// The values.
        secrets: Secrets,
    },
    /// Run failed nodes of a live run again, as they are now.
    Retry {
        /// Which flow.
        flow: FlowRef,
        /// Which run.
        run: RunId,
        /// The nodes as they are now.
        nodes: Vec<Arc<Node>>,
    },
    /// Stop the live run of a flow, or some of its nodes.
    Stop {
        /// Which flow.
        flow: FlowRef,
        /// Which nodes; `None` means the whole run.
        nodes: Option<Vec<NodeId>>,
        /// Kill without grace.
        at_once: bool,
    },
    /// The kill switch: asks to end, forces the whole tree after half a second, and tells in a
    /// notice what was ended (and what could not be). Done within three seconds also when processes
    /// ignore signals or hang; what is killed counts as stopped. Whoever holds the processes does it
    /// by itself, however busy the dispatcher is.
    Kill(KillScope),
    /// End processes that a dead Handmill left running for this flow.
    StopOrphans(FlowRef),
    /// Forget statuses; `None` forgets all of the flow's.
    ClearStatus {
        /// Which flow.
        flow: FlowRef,
        /// Which nodes.
        nodes: Option<Vec<NodeId>>,
    },
    /// Show on the board what a run of this choice would do; `None` shows nothing any more.
    Preview(Option<Box<super::Wish>>),
    /// Have the board name the nodes that run in a workspace on another machine.
    NameRunningThere(WorkspaceId),
    /// Show the statuses of an older run instead of the newest; `None` goes back.
    ShowRun {
        /// Which flow.
        flow: FlowRef,
        /// Which run.
        run: Option<RunId>,
    },
    /// Keep this list of past runs on the board, up to date; `None` keeps none.
    ShowHistory(Option<HistoryAsk>),
    /// Keep this comparison on the board, up to date; `None` keeps none.
    Compare(Option<CompareAsk>),
    /// Have a run kept whatever its age, or no longer.
    PinRun {
        /// Whose flow.
        flow: FlowRef,
        /// Which run.
        run: RunId,
        /// It is kept from now on.
        pinned: bool,
    },
    /// Keep exactly these logs on the board, up to date.
    FollowLogs(Vec<LogTarget>),
    /// Keep control of a workspace in sight, because a face shows it: watch the shared folder, and claim it when it is
    /// free and the policy says so.
    KeepControl {
        /// Which workspace.
        workspace: WorkspaceId,
        /// Its folder.
        root: Arc<Path>,
    },
    /// No face shows the workspace any more. While something runs in it, its control is kept all the same.
    DropControl(WorkspaceId),
    /// A wish about control of a workspace that is kept in sight.
    Control {
        /// Which workspace.
        workspace: WorkspaceId,
        /// What is wished.
        wish: super::control::Wish,
    },
    /// What holds for control of a workspace on this machine from now on.
    SetPolicy {
        /// Which workspace.
        workspace: WorkspaceId,
        /// What.
        policy: super::control::Policy,
    },
    /// How runs are carried out from now on; live ones keep what they began with, but for slots.
    Configure(super::Manner),
    /// Tell the operator something on every face.
    Tell(crate::model::Notice),
    /// A notice was read and is to go.
    DismissNotice(u64),
    /// Stop everything, record it, and end the dispatcher.
    ShutDown,
    /// End the dispatcher and leave every run going: another process carries them on. Where runs
    /// are children of this process it is [`Order::ShutDown`].
    Leave,
    /// End the dispatcher once no run lives and no flow is being opened.
    EndWhenDone,
}

/// What the kill switch is to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KillScope {
    /// Nodes of a live run; the rest of it goes on.
    Nodes(FlowRef, Vec<NodeId>),
    /// The live run of a flow.
    Run(FlowRef),
    /// Every live run of a workspace.
    Workspace(WorkspaceId),
    /// Every live run, and what their nodes left in the background.
    Everything,
}
