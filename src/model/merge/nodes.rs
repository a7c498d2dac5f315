//! Nodes of a merge.

use std::collections::{HashMap, HashSet};

use super::{Merger, Side, numbered, takes_theirs};
use crate::model::change::{near, of_node};
use crate::model::fields::OF_NODE;
use crate::model::{Flow, Graph, Node, NodeId};

impl Merger<'_> {
    /// Fills the nodes; gives the new ids of ours that had to be renamed.
    pub(super) fn nodes(&mut self, into: &mut Graph) -> HashMap<NodeId, NodeId> {
        let (base, ours, theirs) = (self.base, self.ours, self.theirs);
        let (we_joined, they_joined) = (joined(base, ours), joined(base, theirs));
        let mut new_ids = HashMap::new();
        let mut late = Vec::new();
        for their in theirs.graph.nodes() {
            let id = &their.id;
            let node = match (base.graph.node(id), ours.graph.node(id)) {
                (Some(old), Some(our)) => Some(self.node(old, our, their)),
                (None, None) => Some(their.clone()),
                (None, Some(our)) if same_but_place(our, their) => Some(our.clone()),
                (None, Some(our)) => {
                    late.push(our);
                    Some(their.clone())
                }
                (Some(old), None) => {
                    let edited = !same_but_place(old, their) || they_joined.contains(id);
                    let keep = edited && {
                        let values = (None, Some(their.command.clone()));
                        let what = ("node", id.as_str(), "");
                        self.conflict(what, of_node(their), values, Side::Theirs) == Side::Theirs
                    };
                    keep.then(|| their.clone())
                }
            };
            add(into, node);
        }
        for our in ours.graph.nodes() {
            if theirs.graph.contains(&our.id) {
                continue;
            }
            let node = match base.graph.node(&our.id) {
                None => Some(our.clone()),
                Some(old) => {
                    let edited = !same_but_place(old, our) || we_joined.contains(&our.id);
                    let keep = edited && {
                        let values = (Some(our.command.clone()), None);
                        let what = ("node", our.id.as_str(), "");
                        self.conflict(what, of_node(our), values, Side::Ours) == Side::Ours
                    };
                    keep.then(|| our.clone())
                }
            };
            add(into, node);
        }
        // When all other names are known.
        for our in late {
            let is_free = |id: &NodeId| {
                !into.contains(id) && !ours.graph.contains(id) && !base.graph.contains(id)
            };
            let Some(id) = numbered(our.id.as_str())
                .map(NodeId::new)
                .find(|id| is_free(id))
            else {
                continue;
            };
            self.note_rename(our.id.as_str(), id.as_str());
            let node = Node {
                id: id.clone(),
                ..our.clone()
            };
            add(into, Some(node));
            new_ids.insert(our.id.clone(), id);
        }
        new_ids
    }

    /// A node that all three have.
    fn node(&mut self, base: &Node, ours: &Node, theirs: &Node) -> Node {
        let mut node = ours.clone();
        let what = ("node", theirs.id.as_str());
        let subject = || of_node(ours);
        self.fields(OF_NODE, (base, ours, theirs), &mut node, what, subject);
        if takes_theirs(&base.pos, &ours.pos, &theirs.pos, |a, b| near(*a, *b)) {
            node.pos = theirs.pos;
        }
        node
    }
}

/// Nodes that an edge was joined to: a new one, or one that changed.
pub(super) fn joined<'a>(base: &Flow, side: &'a Flow) -> HashSet<&'a NodeId> {
    let mut nodes = HashSet::new();
    for (source, target, edge) in side.graph.edges() {
        let is_old = base.graph.edge(&edge.id).is_some_and(|(s, t, old)| {
            s.id == source.id && t.id == target.id && old.kind == edge.kind
        });
        if !is_old {
            nodes.extend([&source.id, &target.id]);
        }
    }
    nodes
}

/// True when nothing differs that a person would call an edit.
pub(super) fn same_but_place(a: &Node, b: &Node) -> bool {
    OF_NODE.iter().all(|field| (field.same)(a, b))
}

/// Adds a node where there is one to add.
pub(super) fn add(into: &mut Graph, node: Option<Node>) {
    if let Some(node) = node {
        let added = into.add_node(node);
        debug_assert!(added.is_ok(), "each id is met once");
    }
}
