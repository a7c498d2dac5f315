//! Nodes that are ready, first come first served. Unaware of what makes a node ready.

use std::collections::{BTreeMap, HashMap};

use crate::model::NodeIdx;

/// The ready queue of a run. A node stands in it once at the most, and may leave from anywhere: a
/// person stops one of thousands, an adopted run begins them in the order of its record.
#[derive(Debug, Default)]
pub struct Ready {
    /// By the number that each drew.
    by_turn: BTreeMap<u64, NodeIdx>,
    turns: HashMap<NodeIdx, u64>,
    n_drawn: u64,
}

impl Ready {
    /// Puts a node at the end; one that is in it keeps its turn.
    pub fn push(&mut self, node: NodeIdx) {
        let turn = self.n_drawn;
        if let std::collections::hash_map::Entry::Vacant(entry) = self.turns.entry(node) {
            entry.insert(turn);
            self.by_turn.insert(turn, node);
            self.n_drawn += 1;
        }
    }

    /// The node whose turn it is.
    pub fn first(&self) -> Option<NodeIdx> {
        self.by_turn.values().next().copied()
    }

    /// Takes the node whose turn it is.
    pub fn pop(&mut self) -> Option<NodeIdx> {
        let (_, node) = self.by_turn.pop_first()?;
        self.turns.remove(&node);
        Some(node)
    }

    /// Takes one node out, wherever it stands.
    pub fn remove(&mut self, node: NodeIdx) {
        if let Some(turn) = self.turns.remove(&node) {
            self.by_turn.remove(&turn);
        }
    }

    /// True when nothing is ready.
    pub fn is_empty(&self) -> bool {
        self.by_turn.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_leaves_gives_its_turn_up() {
        let mut ready = Ready::default();
        for node in [3, 1, 2, 1] {
            ready.push(NodeIdx(node));
        }
        ready.remove(NodeIdx(3));
        ready.push(NodeIdx(3));
        let mut order = Vec::new();
        while let Some(node) = ready.pop() {
            order.push(node.0);
        }
        assert_eq!(order, [1, 2, 3]);
        assert!(ready.is_empty() && ready.first().is_none());
    }
}
