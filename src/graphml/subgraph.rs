//! A part of a flow as text, for the clipboard.

use super::escape::with_pictures;
use super::write::write;
use crate::model::{EdgeSpec, Env, Flow, NodeId};

/// The chosen nodes and the edges between them as GraphML text, for the clipboard. What XML cannot
/// hold is shown by visible signs.
pub fn subgraph_text(flow: &Flow, nodes: &[NodeId]) -> String {
    let mut part = Flow::default();
    for id in nodes {
        if let Some(node) = flow.graph.node(id) {
            let mut node = node.clone();
            for text in [&mut node.title, &mut node.command, &mut node.cwd] {
                *text = with_pictures(text).into_owned();
            }
            node.env = Env::parse(&with_pictures(&node.env.to_text())).0;
            // A node named twice is copied once.
            part.graph.add_node(node).unwrap_or_default();
        }
    }
    for (source, target, edge) in flow.graph.edges() {
        if part.graph.contains(&source.id) && part.graph.contains(&target.id) {
            let spec = EdgeSpec {
                edge: edge.clone(),
                source: source.id.clone(),
                target: target.id.clone(),
            };
            part.graph.add_edge(spec).unwrap_or_default();
        }
    }
    let bytes = write(&part, None).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}
