//! How nodes and edges stand, by their place in the scene: the board, looked up once per change.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::model::{EdgeId, NodeId, NodeState, NodeStatus};
use crate::runtime::FlowBoard;

use super::scene::{Scene, Visible};

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
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Per node; `None` while nothing is known.
    pub nodes: Vec<Option<NodeStatus>>,
    /// Per edge.
    pub edges: Vec<Lit>,
    /// Counts changes.
    pub generation: u64,
    of: Option<Told>,
}

/// What the board tells of nodes and edges; shared, so that any thread can look it up.
#[derive(Clone, Debug, Default)]
pub struct Told {
    loaded: bool,
    nodes: Arc<HashMap<NodeId, NodeState>>,
    marked: Arc<HashSet<EdgeId>>,
    fired: Arc<HashSet<EdgeId>>,
}

impl Told {
    /// By a board; without one nothing is known.
    pub fn by(board: Option<&FlowBoard>) -> Self {
        board.map_or_else(Self::default, |board| Self {
            loaded: board.loaded,
            nodes: board.nodes.clone(),
            marked: board.marked.clone(),
            fired: board.fired.clone(),
        })
    }

    fn has_same_nodes(&self, other: &Self) -> bool {
        self.loaded == other.loaded && (!self.loaded || Arc::ptr_eq(&self.nodes, &other.nodes))
    }

    fn has_same_edges(&self, other: &Self) -> bool {
        let same = |a: &Arc<HashSet<EdgeId>>, b: &Arc<HashSet<EdgeId>>| {
            Arc::ptr_eq(a, b) || a.is_empty() && b.is_empty()
        };
        same(&self.marked, &other.marked) && same(&self.fired, &other.fired)
    }

    fn node(&self, id: &NodeId) -> Option<NodeStatus> {
        let state = self.nodes.get(id);
        self.loaded
            .then(|| state.map(|state| state.status).unwrap_or_default())
    }

    fn edge(&self, id: &EdgeId, source: Option<NodeStatus>) -> Lit {
        if self.marked.contains(id) {
            Lit::Marked
        } else if self.fired.contains(id) {
            Lit::Fired
        } else if source == Some(NodeStatus::Failed) {
            Lit::Failed
        } else {
            Lit::No
        }
    }
}

impl Standing {
    /// How everything in a scene stands.
    pub fn new(scene: &Scene, told: Told) -> Self {
        let mut standing = Self::default();
        standing.look_up(scene, told);
        standing
    }

    /// True when it is of what is told now.
    pub fn is_of(&self, told: &Told) -> bool {
        let of = self.of.as_ref();
        of.is_some_and(|of| of.has_same_nodes(told) && of.has_same_edges(told))
    }

    /// Looks everything up that may have changed in the scene it was made for.
    pub fn look_up(&mut self, scene: &Scene, told: Told) {
        let of = self.of.as_ref();
        let nodes_same = of.is_some_and(|of| of.has_same_nodes(&told));
        if !nodes_same {
            let nodes = scene.nodes.iter().map(|node| told.node(&node.id));
            self.nodes.clear();
            self.nodes.extend(nodes);
        }
        if !nodes_same || !of.is_some_and(|of| of.has_same_edges(&told)) {
            let edges = scene.edges.iter().map(|edge| {
                let source = self.nodes.get(edge.source as usize).copied().flatten();
                told.edge(&edge.id, source)
            });
            self.edges.clear();
            self.edges.extend(edges);
        }
        self.generation += 1;
        self.of = Some(told);
    }

    /// Looks up what is in view alone, while the whole is being looked up elsewhere. True when something
    /// was otherwise.
    pub fn look_up_seen(&mut self, scene: &Scene, told: &Told, seen: &Visible) -> bool {
        let mut changed = false;
        for &at in &seen.nodes {
            let now = told.node(&scene.node(at).id);
            changed |= std::mem::replace(&mut self.nodes[at as usize], now) != now;
        }
        for &at in &seen.edges {
            let edge = &scene.edges[at as usize];
            let now = told.edge(&edge.id, told.node(&scene.node(edge.source).id));
            changed |= std::mem::replace(&mut self.edges[at as usize], now) != now;
        }
        self.generation += u64::from(changed);
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::canvas::scene::tests::flow;

    #[test]
    fn what_is_in_view_stands_as_the_whole_would() {
        let flow = flow(
            &[("a", 0.0, 0.0), ("b", 300.0, 0.0), ("c", 600.0, 0.0)],
            &[("a", "b"), ("b", "c")],
        );
        let scene = Scene::new(&flow);
        let state = |status| NodeState {
            status,
            ..NodeState::default()
        };
        let nodes = HashMap::from([
            ("a".into(), state(NodeStatus::Failed)),
            ("c".into(), state(NodeStatus::Running)),
        ]);
        let board = FlowBoard {
            loaded: true,
            nodes: Arc::new(nodes),
            ..FlowBoard::default()
        };
        let told = Told::by(Some(&board));
        let whole = Standing::new(&scene, told.clone());
        assert!(whole.is_of(&told));
        assert!(!whole.is_of(&Told::default()));

        let mut standing = Standing::new(&scene, Told::default());
        let generation = standing.generation;
        let seen = Visible {
            nodes: vec![0],
            edges: vec![0, 1],
        };
        assert!(standing.look_up_seen(&scene, &told, &seen));
        assert_eq!(standing.generation, generation + 1);
        assert_eq!(standing.nodes[0], whole.nodes[0]);
        assert_eq!(standing.nodes[2], None, "out of view");
        assert_eq!(standing.edges, whole.edges);
        assert!(!standing.look_up_seen(&scene, &told, &seen));
        assert!(!standing.is_of(&told), "the rest is still to come");
    }
}
