//! Small flows, drawn in a line.

use std::collections::BTreeSet;

use handmill::model::{Edge, EdgeKind, EdgeSpec, Flow, Node, Point};

/// A flow of these nodes (id, command) and blocking edges (source, target).
pub fn flow(nodes: &[(&str, &str)], edges: &[(&str, &str)]) -> Flow {
    let mut flow = Flow::default();
    for (id, command) in nodes {
        let node = Node::new(*id, *command, Point::default());
        flow.graph.add_node(node).expect("a fresh id");
    }
    for (source, target) in edges {
        let edge = Edge {
            id: format!("{source}-{target}").as_str().into(),
            kind: EdgeKind::Blocking,
        };
        let spec = EdgeSpec {
            edge,
            source: (*source).into(),
            target: (*target).into(),
        };
        flow.graph.add_edge(spec).expect("both ends are there");
    }
    flow
}

/// A flow of nodes `n0`, `n1` and so on with these commands, and blocking edges between their numbers.
pub fn numbered(commands: &[String], edges: &BTreeSet<(usize, usize)>) -> Flow {
    let ids: Vec<String> = (0..commands.len()).map(|n| format!("n{n}")).collect();
    let nodes: Vec<(&str, &str)> = ids
        .iter()
        .zip(commands)
        .map(|(id, command)| (id.as_str(), command.as_str()))
        .collect();
    let edges: Vec<(&str, &str)> = edges
        .iter()
        .map(|&(source, target)| (ids[source].as_str(), ids[target].as_str()))
        .collect();
    flow(&nodes, &edges)
}
