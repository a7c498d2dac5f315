//! What is selected in one tab: nodes in the order they were chosen, edges, frames.
//!
//! Unaware of the canvas and of the document; ids that no longer exist are dropped by
//! [`Selection::retain`]. The order matters to [`super::Verb::Connect`].

use std::collections::HashSet;
use std::sync::Arc;

use crate::model::{EdgeId, Flow, FrameId, NodeId};

use super::Action;

/// What is selected, each thing once. A clone is cheap, however much that is.
#[derive(Clone, Debug, Default)]
pub struct Selection(Arc<Chosen>);

#[derive(Clone, Debug, Default)]
struct Chosen {
    nodes: Vec<NodeId>,
    edges: Vec<EdgeId>,
    frames: Vec<FrameId>,
    // Painting asks for every visible node and edge; a scan of a large selection would be felt.
    node_set: HashSet<NodeId>,
    edge_set: HashSet<EdgeId>,
}

impl PartialEq for Selection {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (&self.0, &other.0);
        Arc::ptr_eq(a, b) || a.nodes == b.nodes && a.edges == b.edges && a.frames == b.frames
    }
}

impl Selection {
    /// Exactly these, each once, in the order given.
    pub fn of(nodes: Vec<NodeId>, edges: Vec<EdgeId>, frames: Vec<FrameId>) -> Self {
        let mut selection = Self::default();
        selection.replace(nodes, edges, frames);
        selection
    }

    /// One node and nothing else.
    pub fn of_node(id: NodeId) -> Self {
        Self::of(vec![id], Vec::new(), Vec::new())
    }

    /// Nodes in the order they were chosen.
    pub fn nodes(&self) -> &[NodeId] {
        &self.0.nodes
    }

    /// Edges in the order they were chosen.
    pub fn edges(&self) -> &[EdgeId] {
        &self.0.edges
    }

    /// Frames in the order they were chosen.
    pub fn frames(&self) -> &[FrameId] {
        &self.0.frames
    }

    /// True when nothing is selected.
    pub fn is_empty(&self) -> bool {
        let chosen = &self.0;
        chosen.nodes.is_empty() && chosen.edges.is_empty() && chosen.frames.is_empty()
    }

    /// True when this node is selected.
    pub fn has_node(&self, id: &NodeId) -> bool {
        self.0.node_set.contains(id)
    }

    /// True when this edge is selected.
    pub fn has_edge(&self, id: &EdgeId) -> bool {
        self.0.edge_set.contains(id)
    }

    /// True when this frame is selected.
    pub fn has_frame(&self, id: &FrameId) -> bool {
        self.0.frames.contains(id)
    }

    /// Exactly these from now on, each once, in the order given.
    pub fn replace(&mut self, nodes: Vec<NodeId>, edges: Vec<EdgeId>, frames: Vec<FrameId>) {
        self.clear();
        for id in nodes {
            self.add_node(id);
        }
        for id in edges {
            self.add_edge(id);
        }
        for id in frames {
            self.add_frame(id);
        }
    }

    /// Nothing from now on.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Adds a node at the end of the order, unless it is there.
    pub fn add_node(&mut self, id: NodeId) {
        let chosen = Arc::make_mut(&mut self.0);
        if chosen.node_set.insert(id.clone()) {
            chosen.nodes.push(id);
        }
    }

    /// Adds an edge, unless it is there.
    pub fn add_edge(&mut self, id: EdgeId) {
        let chosen = Arc::make_mut(&mut self.0);
        if chosen.edge_set.insert(id.clone()) {
            chosen.edges.push(id);
        }
    }

    /// Adds a frame, unless it is there.
    pub fn add_frame(&mut self, id: FrameId) {
        if !self.has_frame(&id) {
            Arc::make_mut(&mut self.0).frames.push(id);
        }
    }

    /// Takes a node out when it is selected, else adds it.
    pub fn toggle_node(&mut self, id: NodeId) {
        let chosen = Arc::make_mut(&mut self.0);
        if chosen.node_set.remove(&id) {
            chosen.nodes.retain(|other| *other != id);
        } else {
            self.add_node(id);
        }
    }

    /// Takes an edge out when it is selected, else adds it.
    pub fn toggle_edge(&mut self, id: EdgeId) {
        let chosen = Arc::make_mut(&mut self.0);
        if chosen.edge_set.remove(&id) {
            chosen.edges.retain(|other| *other != id);
        } else {
            self.add_edge(id);
        }
    }

    /// Takes a frame out when it is selected, else adds it.
    pub fn toggle_frame(&mut self, id: FrameId) {
        let frames = &mut Arc::make_mut(&mut self.0).frames;
        if frames.contains(&id) {
            frames.retain(|other| *other != id);
        } else {
            frames.push(id);
        }
    }

    /// Drops what the flow no longer holds; to be called after each change of the document.
    pub fn retain(&mut self, flow: &Flow) {
        if self.is_empty() {
            return;
        }
        let chosen = Arc::make_mut(&mut self.0);
        chosen.nodes.retain(|id| flow.graph.contains(id));
        chosen.edges.retain(|id| flow.graph.edge(id).is_some());
        chosen
            .frames
            .retain(|id| flow.frames.iter().any(|frame| frame.id == *id));
        chosen.node_set = chosen.nodes.iter().cloned().collect();
        chosen.edge_set = chosen.edges.iter().cloned().collect();
    }

    /// The action that makes this the selection.
    pub fn into_action(self) -> Action {
        let chosen = Arc::unwrap_or_clone(self.0);
        Action::Select {
            nodes: chosen.nodes,
            edges: chosen.edges,
            frames: chosen.frames,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Node, Point};

    fn ids(names: &[&str]) -> Vec<NodeId> {
        names.iter().map(|&name| name.into()).collect()
    }

    #[test]
    fn nodes_keep_the_order_they_were_chosen_in_and_stand_once() {
        let selection = Selection::of(ids(&["c", "a", "c", "b"]), vec![], vec![]);
        assert_eq!(selection.nodes(), ids(&["c", "a", "b"]));
    }

    #[test]
    fn toggling_twice_moves_a_node_to_the_end() {
        let mut selection = Selection::of(ids(&["a", "b"]), vec![], vec![]);
        selection.toggle_node("a".into());
        assert!(!selection.has_node(&"a".into()));
        selection.toggle_node("a".into());
        assert_eq!(selection.nodes(), ids(&["b", "a"]));
    }

    #[test]
    fn what_the_flow_no_longer_holds_is_dropped() {
        let mut flow = Flow::default();
        flow.graph
            .add_node(Node::new("a", "", Point::default()))
            .expect("fresh id");
        let mut selection = Selection::of(
            ids(&["a", "gone"]),
            vec!["gone".into()],
            vec![FrameId("gone".into())],
        );
        selection.retain(&flow);
        assert_eq!(selection, Selection::of_node("a".into()));
        assert!(!selection.has_edge(&"gone".into()));
    }
}
