//! Cycles, and how a person is told of one.

use std::collections::{HashMap, HashSet};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::model::{EdgeKind, NodeIdx};

use super::refusal::Refusal;
use super::tokens::Tokens;
use super::topology::{EdgeIdx, Topology};

/// Refuses a subset whose blocking edges wait for each other.
pub fn refuse_cycle(topology: &Topology, tokens: &Tokens) -> Result<(), Refusal> {
    let blocking = |edge| {
        topology.edge(edge).kind == EdgeKind::Blocking && tokens.is_edge_inside(topology, edge)
    };
    match cycle(topology, blocking) {
        Some(path) => Err(Refusal::BlockingCycle(path)),
        None => Ok(()),
    }
}

/// A cycle along edges of either kind, as names; empty when there is none.
pub fn any_cycle(topology: &Topology) -> Vec<String> {
    cycle(topology, |_| true).unwrap_or_default()
}

/// A cycle along the edges that `counts` accepts, as names with the first repeated at the end.
fn cycle(topology: &Topology, counts: impl Fn(EdgeIdx) -> bool) -> Option<Vec<String>> {
    // petgraph finds the components; the walk inside one names the way round. Its other algorithm
    // for this is recursive and overflows the stack on a chain of 200 000 nodes.
    let mut graph = DiGraph::<(), ()>::with_capacity(topology.n_nodes(), topology.edges.len());
    for _ in &topology.nodes {
        graph.add_node(());
    }
    let place = |node: NodeIdx| NodeIndex::new(node.0 as usize);
    for (at, link) in (0u32..).zip(&topology.edges) {
        if counts(EdgeIdx(at)) {
            graph.add_edge(place(link.source), place(link.target), ());
        }
    }
    for component in kosaraju_scc(&graph) {
        let members: HashSet<_> = component.iter().copied().collect();
        let next = |at| graph.neighbors(at).find(|to| members.contains(to));
        let start = component.iter().copied().min()?;
        let mut path = vec![start];
        let mut seen = HashMap::from([(start, 0)]);
        let mut at = start;
        while let Some(to) = next(at) {
            path.push(to);
            if let Some(&from) = seen.get(&to) {
                return Some(
                    path[from..]
                        .iter()
                        .map(|at| name(topology, at.index()))
                        .collect(),
                );
            }
            seen.insert(to, path.len() - 1);
            at = to;
        }
    }
    None
}

/// What a person recognises in one word: the title, else a short id, else the command's start.
fn name(topology: &Topology, at: usize) -> String {
    const NAME_CHARS_MAX: usize = 24;
    let node = &topology.nodes[at];
    if node.title.trim().is_empty() && node.id.as_str().chars().count() <= NAME_CHARS_MAX {
        return node.id.to_string();
    }
    let name = node.name();
    if name.chars().count() <= NAME_CHARS_MAX {
        name.to_owned()
    } else {
        name.chars().take(NAME_CHARS_MAX - 1).chain(['…']).collect()
    }
}
