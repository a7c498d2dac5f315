//! A run that this process carries: what the dispatcher keeps for it beside what the scheduler knows.

use std::sync::Arc;

use crate::model::{FlowRef, Node, NodeRunId, RunStart};
use crate::store::RunLock;

use super::job::Jobs;
use super::workspace::Workspace;

/// A live run, as the dispatcher carries it.
pub struct LiveRun {
    pub flow: FlowRef,
    pub jobs: Jobs,
    pub workspace: Arc<Workspace>,
    /// The right to run this flow on this machine; released when the run's facts are stored.
    pub lock: Option<RunLock>,
    /// What is to start once the run itself is in the ledger: a run that a kill made unknown could
    /// not be resumed. `None` from then on.
    pub postponed: Option<Vec<(NodeRunId, Arc<Node>)>>,
    /// The facts of its start, until they are left for whoever may carry it on.
    pub start: Option<Box<RunStart>>,
    /// Another process began it.
    pub adopted: bool,
}
