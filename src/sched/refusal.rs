//! Why a run does not start, in words for a person and with what to do about it.

use crate::model::{Event, FlowRef, Level, NodeId, Notice};

/// Why a run does not start. Nothing has happened then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The choice names nodes that the flow does not have.
    #[error("run refused: the flow has no node {}", quoted(.0))]
    UnknownNodes(Vec<NodeId>),
    /// The flow, or the selection, is empty.
    #[error("nothing to run: the flow has no nodes")]
    NothingToRun,
    /// An empty selection was given.
    #[error("nothing to run: no node is selected")]
    NothingSelected,
    /// Nothing failed, was stopped or interrupted in the last run.
    #[error("nothing to resume: no node of the last run failed, was stopped or was interrupted")]
    NothingToResume,
    /// Blocking edges of the subset wait for each other.
    #[error("run refused: blocking edges form a cycle: {}", arrows(.0))]
    BlockingCycle(Vec<String>),
    /// Every node waits for another, by non-blocking edges.
    #[error("run refused: no node can start first, because every node is in a cycle: {}", arrows(.0))]
    NoRoot(Vec<String>),
}

impl Refusal {
    /// The refusal, told.
    pub fn event(&self, flow: FlowRef) -> Event {
        let level = if self.is_idle() {
            Level::Info
        } else {
            Level::Error
        };
        let notice = Notice::new(level, self.to_string(), self.hint());
        Event::RunRefused { flow, notice }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::UnknownNodes(_) => "Check the ids, or list them with `handmill ls`.",
            Self::NothingToRun => "Add a node first.",
            Self::NothingSelected => "Select the nodes to run.",
            Self::NothingToResume => "Run the whole flow instead.",
            Self::BlockingCycle(_) => "Remove one of these edges, or make it non-blocking.",
            Self::NoRoot(_) => "Select the nodes to start with, then run the selection.",
        }
    }

    /// True for refusals that only say that there is no work.
    pub fn is_idle(&self) -> bool {
        matches!(
            self,
            Self::NothingToRun | Self::NothingSelected | Self::NothingToResume
        )
    }
}

fn quoted(ids: &[NodeId]) -> String {
    ids.iter()
        .map(|id| format!("‘{id}’"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn arrows(names: &[String]) -> String {
    names.join(" → ")
}
