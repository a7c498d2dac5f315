//! Small flows, drawn in a line.

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
