//! What runs now, by workspace.

use std::collections::BTreeMap;

use crate::model::{FlowRef, WorkspaceId};
use crate::runtime::Board;

/// What runs now, by workspace.
pub(super) struct Alive<'a> {
    n_flows: BTreeMap<&'a WorkspaceId, usize>,
    pub first: BTreeMap<&'a WorkspaceId, &'a FlowRef>,
}

impl<'a> Alive<'a> {
    pub fn of(board: &'a Board) -> Self {
        let mut alive = Self {
            n_flows: BTreeMap::new(),
            first: BTreeMap::new(),
        };
        for (flow, stands) in &board.flows {
            if stands.live.is_some() || stands.runner.is_some() {
                *alive.n_flows.entry(&flow.workspace).or_default() += 1;
                alive.first.entry(&flow.workspace).or_insert(flow);
            }
        }
        alive
    }

    pub fn n(&self, workspace: &WorkspaceId) -> usize {
        self.n_flows.get(workspace).copied().unwrap_or_default()
    }
}
