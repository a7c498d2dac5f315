//! What is known of a flow from before: what the ledger hands to the scheduler when a run starts.

use std::collections::HashMap;

use super::{EdgeId, NodeId, NodeState, NodeStatus, RunId};

/// What happened to a node in an earlier run, as far as a resume needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A pass began (first attempt only).
    Started,
    /// A pass ended so; [`NodeStatus::Ran`] propagates along the edges. Attempts that were
    /// retried are not facts.
    Ended(NodeStatus),
    /// A resume began here: every node that wanted it was started again.
    Resumed,
}

/// One fact of an earlier run, in the order it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Which node; for [`What::Resumed`] it carries no meaning.
    pub node: Option<NodeId>,
    /// What happened.
    pub what: What,
}

/// Statuses and marks as a snapshot, when the order of facts is not known (an imported file).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Base {
    /// Status per node.
    pub statuses: HashMap<NodeId, NodeStatus>,
    /// Edges marked `to_run`.
    pub marks: Vec<EdgeId>,
}

/// The last run of a flow with the runs it resumed, oldest fact first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PastRun {
    /// The last run; absent for statuses that no run of ours gave.
    pub run: Option<RunId>,
    /// The subset it was bound to; `None` means the whole flow, nodes added since included.
    pub scope: Option<Vec<NodeId>>,
    /// Where the chain of runs began, when that was an imported file.
    pub base: Option<Base>,
    /// What happened since.
    pub facts: Vec<Fact>,
}

/// Everything known of a flow from before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// How each node stands, whichever run gave it; absent means idle.
    pub nodes: HashMap<NodeId, NodeState>,
    /// The command each node had when it last ran: [`crate::model::command_hash`].
    pub commands: HashMap<NodeId, u64>,
    /// The last run; `None` when there is none, or a person cleared all statuses since.
    pub last: Option<PastRun>,
}

/// A name for a command's text, to tell whether it changed since a node last ran. Not a
/// cryptographic promise: FNV-1a, stable across versions because the ledger stores it.
pub fn command_hash(command: &str) -> u64 {
    command.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
