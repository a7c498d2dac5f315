//! A frozen flow as the scheduler walks it: nodes and edges by number, incidence in flat arrays.
//!
//! Built once per run, so that a step of a run costs its edges and nothing else.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{EdgeId, EdgeKind, Graph, Node, NodeId, NodeIdx};

/// Place of an edge in [`Topology::edges`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EdgeIdx(pub u32);

/// An edge by the places of its ends.
#[derive(Clone, Debug)]
pub struct Link {
    /// As the workfile names it.
    pub id: EdgeId,
    /// Where it starts.
    pub source: NodeIdx,
    /// Where it ends.
    pub target: NodeIdx,
    /// How the target waits.
    pub kind: EdgeKind,
}

/// The numbered graph.
#[derive(Clone, Debug)]
pub struct Topology {
    /// Nodes in the order of [`Graph::nodes`].
    pub nodes: Vec<Arc<Node>>,
    /// Edges in the order of [`Graph::edges`].
    pub edges: Vec<Link>,
    idx: HashMap<NodeId, NodeIdx>,
    out: Incidence,
    into: Incidence,
}

/// Edges of each node: those of node `n` are `edges[start[n]..start[n + 1]]`.
#[derive(Clone, Debug)]
struct Incidence {
    start: Vec<u32>,
    edges: Vec<EdgeIdx>,
}

impl Incidence {
    fn new(n_nodes: usize, ends: impl Iterator<Item = NodeIdx> + Clone) -> Self {
        let mut start = vec![0u32; n_nodes + 1];
        for NodeIdx(node) in ends.clone() {
            start[node as usize + 1] += 1;
        }
        for at in 0..n_nodes {
            start[at + 1] += start[at];
        }
        let mut next = start.clone();
        let mut edges = vec![EdgeIdx(0); start[n_nodes] as usize];
        for (edge, NodeIdx(node)) in (0u32..).zip(ends) {
            let place = &mut next[node as usize];
            edges[*place as usize] = EdgeIdx(edge);
            *place += 1;
        }
        Self { start, edges }
    }

    fn of(&self, NodeIdx(node): NodeIdx) -> &[EdgeIdx] {
        let node = node as usize;
        &self.edges[self.start[node] as usize..self.start[node + 1] as usize]
    }
}

impl Topology {
    /// Numbers a graph.
    pub fn new(graph: &Graph) -> Self {
        let nodes: Vec<Arc<Node>> = graph.shared_nodes().cloned().collect();
        let idx: HashMap<NodeId, NodeIdx> = (0u32..)
            .zip(&nodes)
            .map(|(at, node)| (node.id.clone(), NodeIdx(at)))
            .collect();
        let edges: Vec<Link> = graph
            .edges()
            .map(|(source, target, edge)| Link {
                id: edge.id.clone(),
                source: idx[&source.id],
                target: idx[&target.id],
                kind: edge.kind,
            })
            .collect();
        let out = Incidence::new(nodes.len(), edges.iter().map(|link| link.source));
        let into = Incidence::new(nodes.len(), edges.iter().map(|link| link.target));
        Self {
            nodes,
            edges,
            idx,
            out,
            into,
        }
    }

    /// Number of nodes.
    pub fn n_nodes(&self) -> usize {
        self.nodes.len()
    }

    /// All places, in order.
    pub fn all(&self) -> impl Iterator<Item = NodeIdx> + use<> {
        (0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)).map(NodeIdx)
    }

    /// Place of a node.
    pub fn idx(&self, id: &NodeId) -> Option<NodeIdx> {
        self.idx.get(id).copied()
    }

    /// The node at a place.
    pub fn node(&self, NodeIdx(at): NodeIdx) -> &Arc<Node> {
        &self.nodes[at as usize]
    }

    /// The edge at a place.
    pub fn edge(&self, EdgeIdx(at): EdgeIdx) -> &Link {
        &self.edges[at as usize]
    }

    /// Edges that start at a node.
    pub fn outgoing(&self, node: NodeIdx) -> &[EdgeIdx] {
        self.out.of(node)
    }

    /// Edges that end at a node.
    pub fn incoming(&self, node: NodeIdx) -> &[EdgeIdx] {
        self.into.of(node)
    }
}
