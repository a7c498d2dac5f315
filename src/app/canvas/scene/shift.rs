//! Nodes shown moved while they are dragged: the document is untouched, and so is the scene.

use super::Scene;
use crate::model::{NodeId, Point};

/// Nodes that are shown moved, before the document says so.
#[derive(Clone, Debug, Default)]
pub struct Shift {
    /// How far.
    pub by: Point,
    /// Places of the moved nodes, in order.
    pub(super) nodes: Vec<u32>,
    /// Places of edges with an end among them.
    pub(super) edges: Vec<u32>,
    node_moved: Vec<bool>,
    edge_moved: Vec<bool>,
}

impl Shift {
    /// True when the node at this place is among them.
    pub fn moves(&self, at: u32) -> bool {
        self.node_moved.get(at as usize).is_some_and(|&moved| moved)
    }

    /// True when an end of the edge at this place is among them.
    pub fn touches_edge(&self, at: u32) -> bool {
        self.edge_moved.get(at as usize).is_some_and(|&moved| moved)
    }
}

impl Scene {
    /// Nodes to be shown moved.
    pub fn shift(&self, ids: &[NodeId]) -> Shift {
        let mut shift = Shift {
            node_moved: vec![false; self.nodes.len()],
            edge_moved: vec![false; self.edges.len()],
            ..Shift::default()
        };
        for at in ids.iter().filter_map(|id| self.node_at(id)) {
            if !std::mem::replace(&mut shift.node_moved[at as usize], true) {
                shift.nodes.push(at);
            }
        }
        shift.nodes.sort_unstable();
        for &at in &shift.nodes {
            let (from, to) = (
                self.incident_start[at as usize] as usize,
                self.incident_start[at as usize + 1] as usize,
            );
            for &edge in &self.incident[from..to] {
                if !std::mem::replace(&mut shift.edge_moved[edge as usize], true) {
                    shift.edges.push(edge);
                }
            }
        }
        shift
    }
}
