//! Marks on edges and the triggers they make: the propagation rule of a run, and nothing else.
//!
//! A live run and the replay of an earlier one both go through here, so that what a resume
//! restores is what the run had. Unaware of time, slots and processes.

use crate::model::{EdgeKind, NodeIdx};

use super::topology::{EdgeIdx, Topology};

/// Marks of a run on the edges of its subset.
#[derive(Clone, Debug)]
pub struct Tokens {
    inside: Vec<bool>,
    marked: Vec<bool>,
    /// Blocking edges into each node, inside the subset, that are not marked.
    unmarked_blocking: Vec<u32>,
}

/// What one success did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// Edges marked, non-blocking ones included.
    pub marked: Vec<EdgeIdx>,
    /// Edges whose mark a trigger used up.
    pub cleared: Vec<EdgeIdx>,
    /// Nodes triggered, one entry per trigger, in order.
    pub triggered: Vec<NodeIdx>,
}

impl Tokens {
    /// No marks; `inside[node]` says which nodes are in the subset.
    pub fn new(topology: &Topology, inside: Vec<bool>) -> Self {
        let mut tokens = Self {
            inside,
            marked: vec![false; topology.edges.len()],
            unmarked_blocking: vec![0; topology.n_nodes()],
        };
        for node in topology.all() {
            tokens.unmarked_blocking[node.0 as usize] = tokens.n_blocking(topology, node);
        }
        tokens
    }

    /// True when the node is in the subset.
    pub fn is_inside(&self, NodeIdx(node): NodeIdx) -> bool {
        self.inside[node as usize]
    }

    /// The nodes of the subset, in order.
    pub fn subset(&self, topology: &Topology) -> impl Iterator<Item = NodeIdx> {
        topology.all().filter(|&node| self.is_inside(node))
    }

    /// True when both ends of the edge are in the subset; other edges do not exist for the run.
    pub fn is_edge_inside(&self, topology: &Topology, edge: EdgeIdx) -> bool {
        let link = topology.edge(edge);
        self.is_inside(link.source) && self.is_inside(link.target)
    }

    /// Nodes of the subset without an incoming edge, of either kind, inside the subset.
    pub fn roots(&self, topology: &Topology) -> Vec<NodeIdx> {
        let waits = |node| {
            let mut edges = topology.incoming(node).iter();
            edges.any(|&edge| self.is_edge_inside(topology, edge))
        };
        self.subset(topology).filter(|&node| !waits(node)).collect()
    }

    /// Marked edges, in order.
    pub fn marks(&self) -> impl Iterator<Item = EdgeIdx> {
        (0u32..)
            .zip(&self.marked)
            .filter(|(_, marked)| **marked)
            .map(|(at, _)| EdgeIdx(at))
    }

    /// Sets the mark of a blocking edge inside the subset without triggering anything; other
    /// edges keep no marks. True when it is marked now and was not.
    pub fn mark(&mut self, topology: &Topology, edge: EdgeIdx) -> bool {
        let link = topology.edge(edge);
        let fits = link.kind == EdgeKind::Blocking
            && self.is_edge_inside(topology, edge)
            && !self.marked[edge.0 as usize];
        if fits {
            self.marked[edge.0 as usize] = true;
            self.unmarked_blocking[link.target.0 as usize] -= 1;
        }
        fits
    }

    /// True when every blocking edge into the node is marked, and there is one.
    fn is_satisfied(&self, topology: &Topology, node: NodeIdx) -> bool {
        self.unmarked_blocking[node.0 as usize] == 0 && self.n_blocking(topology, node) > 0
    }

    /// Clears the marks that a trigger of `node` by its blocking edges uses up.
    fn take(&mut self, topology: &Topology, node: NodeIdx, cleared: &mut Vec<EdgeIdx>) {
        for &edge in topology.incoming(node) {
            if std::mem::take(&mut self.marked[edge.0 as usize]) {
                self.unmarked_blocking[node.0 as usize] += 1;
                cleared.push(edge);
            }
        }
    }

    /// `node` succeeded: marks its outgoing edges and says which nodes that triggers.
    ///
    /// A blocking edge completes its target's set or waits; a non-blocking edge triggers at once,
    /// whatever the blocking edges of its target say (scheduler.md, Propagation).
    pub fn spread(&mut self, topology: &Topology, node: NodeIdx) -> Spread {
        let mut spread = Spread::default();
        for &edge in topology.outgoing(node) {
            if !self.is_edge_inside(topology, edge) {
                continue;
            }
            spread.marked.push(edge);
            let target = topology.edge(edge).target;
            match topology.edge(edge).kind {
                EdgeKind::NonBlocking => {
                    spread.cleared.push(edge);
                    spread.triggered.push(target);
                }
                EdgeKind::Blocking => {
                    if self.mark(topology, edge) && self.is_satisfied(topology, target) {
                        self.take(topology, target, &mut spread.cleared);
                        spread.triggered.push(target);
                    }
                }
            }
        }
        spread
    }

    fn n_blocking(&self, topology: &Topology, node: NodeIdx) -> u32 {
        let blocking = topology.incoming(node).iter().filter(|&&edge| {
            topology.edge(edge).kind == EdgeKind::Blocking && self.is_edge_inside(topology, edge)
        });
        u32::try_from(blocking.count()).unwrap_or(u32::MAX)
    }
}
