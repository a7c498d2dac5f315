//! What a run would do, without doing it: for a face that shows it before it is asked for.

use crate::model::{Choice, Graph, NodeId, NodeIdx, Past};

use super::plan::plan;
use super::refusal::Refusal;
use super::topology::Topology;

/// The nodes that a run of this choice would execute if all of them succeeded, in the graph's
/// order; why it would not start. Nodes that are muted or have no command are passed through, so
/// they are not among them.
pub fn would_run(graph: &Graph, choice: Choice, past: &Past) -> Result<Vec<NodeId>, Refusal> {
    let topology = Topology::new(graph);
    let plan = plan(&topology, choice, past)?;
    let mut reached = vec![false; topology.n_nodes()];
    let mut todo: Vec<NodeIdx> = plan.triggers.iter().map(|(node, _)| *node).collect();
    while let Some(node) = todo.pop() {
        if std::mem::replace(&mut reached[node.0 as usize], true) {
            continue;
        }
        let edges = topology.outgoing(node).iter();
        let inside = edges.filter(|&&edge| plan.tokens.is_edge_inside(&topology, edge));
        todo.extend(inside.map(|&edge| topology.edge(edge).target));
    }
    let executed = topology.all().filter(|node| reached[node.0 as usize]);
    let nodes = executed.map(|node| topology.node(node));
    Ok(nodes
        .filter(|node| !node.disabled && !node.command.trim().is_empty())
        .map(|node| node.id.clone())
        .collect())
}
