//! Where an arrow key leads from a node. Pure; works on the graph, seen or not.

use crate::model::{Graph, Node, NodeId};

/// Which way an arrow key walks from a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// To a target of its edges.
    Forth,
    /// To a source of its edges.
    Back,
    /// To the next node of the same source or target, upwards.
    Up,
    /// The same, downwards.
    Down,
}

/// The node that an arrow key leads to, along the edges; upwards and downwards among the nodes
/// that share a source or target with this one, else to the nearest node that lies that way.
pub fn walk(graph: &Graph, from: &NodeId, way: Walk) -> Option<NodeId> {
    let here = graph.node(from)?;
    let across = |node: &&Node| (node.pos.y - here.pos.y).abs();
    let nearest = |a: &&Node, b: &&Node| across(a).total_cmp(&across(b));
    match way {
        Walk::Forth => graph
            .outgoing(from)
            .map(|(node, _)| node)
            .filter(|node| node.id != *from)
            .min_by(nearest)
            .map(|node| node.id.clone()),
        Walk::Back => graph
            .incoming(from)
            .map(|(node, _)| node)
            .filter(|node| node.id != *from)
            .min_by(nearest)
            .map(|node| node.id.clone()),
        Walk::Up | Walk::Down => {
            let sign = if way == Walk::Up { -1.0 } else { 1.0 };
            let ahead = |node: &&Node| (node.pos.y - here.pos.y) * sign > 0.5;
            let siblings = graph
                .incoming(from)
                .flat_map(|(source, _)| {
                    let others = graph.outgoing(&source.id);
                    others.filter(|(node, _)| node.id != source.id)
                })
                .chain(graph.outgoing(from).flat_map(|(target, _)| {
                    let others = graph.incoming(&target.id);
                    others.filter(|(node, _)| node.id != target.id)
                }))
                .map(|(node, _)| node)
                .filter(ahead)
                .min_by(nearest);
            siblings
                .or_else(|| {
                    // Sideways counts thrice, so that the step goes up or down and not across.
                    let cost = |node: &Node| {
                        (node.pos.y - here.pos.y).abs() + 3.0 * (node.pos.x - here.pos.x).abs()
                    };
                    graph
                        .nodes()
                        .filter(ahead)
                        .min_by(|a, b| cost(a).total_cmp(&cost(b)))
                })
                .map(|node| node.id.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::canvas::scene::tests::flow;

    #[test]
    fn arrows_walk_along_edges_and_among_siblings() {
        let graph = flow(
            &[
                ("a", 0.0, 100.0),
                ("up", 300.0, 0.0),
                ("mid", 300.0, 90.0),
                ("low", 300.0, 200.0),
                ("far", 310.0, 210.0),
            ],
            &[("a", "up"), ("a", "mid"), ("a", "low"), ("a", "a")],
        )
        .graph;
        let go = |from: &str, way| walk(&graph, &from.into(), way);
        assert_eq!(go("a", Walk::Forth), Some("mid".into()));
        assert_eq!(go("low", Walk::Back), Some("a".into()));
        assert_eq!(go("mid", Walk::Up), Some("up".into()));
        assert_eq!(go("mid", Walk::Down), Some("low".into()));
        assert_eq!(go("low", Walk::Down), Some("far".into()));
        assert_eq!(go("up", Walk::Up), None);
        assert_eq!(go("a", Walk::Back), None);
        assert_eq!(go("gone", Walk::Forth), None);
    }
}
