//! A flow of any size, laid out in rows: what the canvas is measured with.

use handmill::model::{Edge, EdgeId, EdgeKind, EdgeSpec, Flow, Node, NodeId, Point};

/// Nodes of one column in a flow of `n` nodes.
pub fn n_rows(n: usize) -> usize {
    (n as f64).sqrt().ceil() as usize
}

/// The id of a node by its place.
pub fn node_id(i: usize) -> NodeId {
    NodeId::new(format!("n{i}"))
}

/// `n` nodes without edges.
pub fn nodes(n: usize) -> Flow {
    let rows = n_rows(n);
    let mut flow = Flow::default();
    for i in 0..n {
        let pos = Point {
            x: (i / rows) as f64 * 240.0,
            y: (i % rows) as f64 * 90.0,
        };
        let command = format!("python3 step_{i}.py \\\n  --in part-{i}.csv");
        let mut node = Node::new(node_id(i), command, pos);
        node.title = format!("Step {i}");
        flow.graph.add_node(node).expect("fresh id");
    }
    flow
}

/// Joins two nodes by their places.
pub fn join(flow: &mut Flow, from: usize, to: usize, kind: EdgeKind) -> EdgeId {
    let (source, target) = (node_id(from), node_id(to));
    let id = flow.graph.free_edge_id(&source, &target);
    let edge = Edge {
        id: id.clone(),
        kind,
    };
    let spec = EdgeSpec {
        edge,
        source,
        target,
    };
    flow.graph.add_edge(spec).expect("known ends");
    id
}
