//! The nouns of Handmill: flows, runs, events, times. Pure values and pure rules about them.
//!
//! Unaware of files, threads, clocks, SQL and windows. Everything above imports from here.

mod catalog;
mod change;
mod compare;
mod control;
mod edit;
mod event;
mod fields;
mod flow;
mod geometry;
mod graph;
mod history;
mod id;
mod log;
pub mod merge;
mod natural;
mod notice;
mod past;
mod resource;
mod retention;
mod run;
#[cfg(test)]
pub mod seeds;
mod time;
mod when;
mod wrapper;

pub use catalog::{
    Catalog, FlowEntry, ModuleEntry, Rejected, WorkspaceEntry, heading_rank, workspace_name_flaw,
};
pub use change::{Change, Subject, changes};
pub use compare::{
    Changed, DiffLine, DiffSide, NodeInRun, NodePair, RunComparison, RunInDetail, command_diff,
    compare,
};
pub use control::{ControlFact, ControlKind};
pub use edit::{Edit, EditError, FlowField, NodeField};
pub use event::{Event, Finish, RunStart};
pub use flow::{
    Env, Flow, FlowRef, Frame, FrameId, JOBS_MAX, PASSES_MAX, RETRIES_MAX, SECONDS_MAX, Trigger,
};
pub use geometry::{Point, Rect};
pub use graph::{Edge, EdgeKind, EdgeSpec, Graph, GraphError, Node, NodeIdx};
pub use history::{HistoryFilter, HistoryPage, HistoryRun};
pub use id::{EdgeId, NodeId, RunId, WorkspaceId};
pub use log::{LogLine, LogTail, Published, Stream};
pub use natural::{ByName, natural_order};
pub use notice::{Level, Notice};
pub use past::{Base, Fact, Past, PastRun, What, command_hash};
pub use resource::{
    ResourceName, ResourceSource, SECRET_MAX, SECRET_MIN, Secret, Secrets, parse_resources,
    resources_text,
};
pub use retention::{Going, KeptRun, Retention, going};
pub use run::{
    Choice, Counts, Exit, FileResult, FileResults, NodeRunId, NodeState, NodeStatus, Outcome,
    RunSummary,
};
pub use time::{Timestamp, human_duration};
pub use when::{day_after, parse_when};
pub use wrapper::Wrapper;
