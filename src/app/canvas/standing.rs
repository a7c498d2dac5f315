//! How nodes and edges stand, by their place in the scene: the board, looked up once per change.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::model::{EdgeId, NodeId, NodeState, NodeStatus};
use crate::runtime::FlowBoard;

use super::scene::Scene;

/// What an edge shows of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lit {
    /// Nothing.
    #[default]
    No,
    /// It fired in the run shown.
    Fired,
    /// Its source failed, so what lies behind it does not come.
    Failed,
    /// Its mark is set: its source succeeded and its target has not used it yet.
    Marked,
}

/// Statuses by place.
#[derive(Debug, Default)]
pub struct Standing {
    /// Per node; `None` while nothing is known.
    pub nodes: Vec<Option<NodeStatus>>,
    /// Per edge.
    pub edges: Vec<Lit>,
    /// Counts changes.
    pub generation: u64,
    of: Option<Key>,
}

#[derive(Debug)]
struct Key {
    scene: u64,
    loaded: bool,
    nodes: Arc<HashMap<NodeId, NodeState>>,
    marked: Arc<HashSet<EdgeId>>,
    fired: Arc<HashSet<EdgeId>>,
}

impl Standing {
    /// Follows the board and the scene (which `scene_generation` counts); cheap when neither
    /// changed.
    pub fn follow(&mut self, scene: &Scene, scene_generation: u64, board: Option<&FlowBoard>) {
        let nothing = FlowBoard::default();
        let board = board.unwrap_or(&nothing);
        let key = self.of.as_ref().filter(|key| key.scene == scene_generation);
        let nodes_same = key.is_some_and(|key| {
            key.loaded == board.loaded && (!board.loaded || Arc::ptr_eq(&key.nodes, &board.nodes))
        });
        let edges_same = key.is_some_and(|key| {
            let (old, new) = (&key.marked, &board.marked);
            let same = Arc::ptr_eq(old, new) || old.is_empty() && new.is_empty();
            let (old, new) = (&key.fired, &board.fired);
            same && (Arc::ptr_eq(old, new) || old.is_empty() && new.is_empty())
        });
        if nodes_same && edges_same {
            return;
        }
        if !nodes_same {
            self.nodes.clear();
            self.nodes.extend(scene.nodes.iter().map(|node| {
                let state = board.nodes.get(&node.id);
                board
                    .loaded
                    .then(|| state.map(|state| state.status).unwrap_or_default())
            }));
        }
        if !edges_same || !nodes_same {
            self.edges.clear();
            self.edges.extend(scene.edges.iter().map(|edge| {
                if board.marked.contains(&edge.id) {
                    Lit::Marked
                } else if board.fired.contains(&edge.id) {
                    Lit::Fired
                } else if self.nodes.get(edge.source as usize) == Some(&Some(NodeStatus::Failed)) {
                    Lit::Failed
                } else {
                    Lit::No
                }
            }));
        }
        self.generation += 1;
        self.of = Some(Key {
            scene: scene_generation,
            loaded: board.loaded,
            nodes: board.nodes.clone(),
            marked: board.marked.clone(),
            fired: board.fired.clone(),
        });
    }
}
