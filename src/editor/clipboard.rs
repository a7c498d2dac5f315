//! Parts of a flow as text and back, so that copies go between flows, windows and programs.
//!
//! The text is GraphML. Text that is not becomes one node with that command: a line copied from a
//! terminal or a page is most often meant to be run.

use std::collections::{HashMap, HashSet};

use crate::graphml;
use crate::model::{Edge, EdgeId, EdgeSpec, Flow, Graph, Node, NodeId, Point};

/// Plain text longer than this is no command, in bytes.
const COMMAND_BYTES_MAX: usize = 1 << 20;
/// How far a copy lies from what it was copied from, right and down.
const COPY_OFFSET: f64 = 24.0;

/// Why text was not pasted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasteError {
    /// There is nothing in it.
    #[error("paste: the clipboard holds no text")]
    Empty,
    /// It begins as GraphML and cannot be read.
    #[error("paste: the clipboard holds GraphML that cannot be read: {0}")]
    Unreadable(String),
    /// It is no command anybody wrote.
    #[error("paste: the clipboard holds more than 1 MiB of plain text")]
    TooLong,
}

/// Where copies are put.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Placing {
    /// A little right of and below the originals.
    Beside,
    /// With the top left corner of them all here.
    At(Point),
}

/// Nodes and edges with ids that are free, ready for one `Edit::Add`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Copies {
    /// The nodes, to be selected afterwards.
    pub nodes: Vec<Node>,
    /// The edges among them.
    pub edges: Vec<EdgeSpec>,
}

/// The chosen nodes and the edges between them, as GraphML.
pub fn to_text(flow: &Flow, nodes: &[NodeId]) -> String {
    graphml::subgraph_text(flow, nodes)
}

/// What the text of a clipboard holds: a part of a flow, or one command.
pub fn from_text(text: &str) -> Result<Flow, PasteError> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(PasteError::Empty);
    }
    if is_graphml(text) {
        return graphml::read_text(text)
            .map(|reading| reading.flow)
            .map_err(|why| PasteError::Unreadable(why.to_string()));
    }
    if text.len() > COMMAND_BYTES_MAX {
        return Err(PasteError::TooLong);
    }
    let mut flow = Flow::default();
    let node = Node::new("n1", plain_command(text), Point::default());
    flow.graph
        .add_node(node)
        .map_err(|why| PasteError::Unreadable(why.to_string()))?;
    Ok(flow)
}

/// Looks at the beginning only: a command may speak of GraphML, a document starts with it.
fn is_graphml(text: &str) -> bool {
    let text = text.trim_start();
    let end = text
        .char_indices()
        .map(|(at, _)| at)
        .nth(4_096)
        .unwrap_or(text.len());
    let head = &text[..end];
    head.starts_with("<graphml")
        || ((head.starts_with("<?xml") || head.starts_with("<!--")) && head.contains("<graphml"))
}

/// Without what a terminal or another system's line ends leave in a copy, and XML cannot hold.
fn plain_command(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let kept = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    let text: String = text.chars().filter(kept).collect();
    text.trim_matches('\n').trim_end().to_owned()
}

/// The nodes and edges of `part` as they can be added to `into`: with free ids, moved.
pub fn copies(part: &Graph, into: &Graph, placing: Placing) -> Copies {
    let by = offset(part, placing);
    let mut free = (1..).map(|n| NodeId::new(format!("n{}", into.n_nodes() + n)));
    let mut new_ids: HashMap<&NodeId, NodeId> = HashMap::with_capacity(part.n_nodes());
    let mut nodes = Vec::with_capacity(part.n_nodes());
    for node in part.nodes() {
        let Some(id) = free.find(|id| !into.contains(id)) else {
            break;
        };
        new_ids.insert(&node.id, id.clone());
        nodes.push(Node {
            id,
            pos: Point {
                x: node.pos.x + by.x,
                y: node.pos.y + by.y,
            },
            ..node.clone()
        });
    }
    let mut taken = HashSet::new();
    let mut edges = Vec::with_capacity(part.n_edges());
    for (source, target, edge) in part.edges() {
        let (Some(source), Some(target)) = (new_ids.get(&source.id), new_ids.get(&target.id))
        else {
            continue;
        };
        let plain = format!("{source}->{target}");
        let id = (1u32..)
            .map(|n| match n {
                1 => EdgeId::new(plain.as_str()),
                n => EdgeId::new(format!("{plain}#{n}")),
            })
            .find(|id| into.edge(id).is_none() && !taken.contains(id))
            .unwrap_or_else(|| edge.id.clone());
        taken.insert(id.clone());
        edges.push(EdgeSpec {
            edge: Edge {
                id,
                kind: edge.kind,
            },
            source: source.clone(),
            target: target.clone(),
        });
    }
    Copies { nodes, edges }
}

fn offset(part: &Graph, placing: Placing) -> Point {
    let Placing::At(to) = placing else {
        return Point {
            x: COPY_OFFSET,
            y: COPY_OFFSET,
        };
    };
    let corner = part.nodes().map(|node| node.pos).reduce(|a, b| Point {
        x: a.x.min(b.x),
        y: a.y.min(b.y),
    });
    let corner = corner.unwrap_or_default();
    Point {
        x: to.x - corner.x,
        y: to.y - corner.y,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EdgeKind, Edit};

    fn flow() -> Flow {
        let mut flow = Flow::default();
        for (n, id) in ["n1", "n3", "b"].into_iter().enumerate() {
            let at = Point {
                x: 100.0 * n as f64,
                y: -50.0,
            };
            let node = Node::new(id, format!("echo {id}\n# <&>\""), at);
            flow.graph.add_node(node).expect("fresh id");
        }
        for (id, source, target, kind) in [
            ("1", "n1", "n3", EdgeKind::Blocking),
            ("2", "n1", "n3", EdgeKind::NonBlocking),
            ("3", "n3", "b", EdgeKind::Blocking),
            ("4", "n3", "n3", EdgeKind::NonBlocking),
        ] {
            let spec = EdgeSpec {
                edge: Edge {
                    id: id.into(),
                    kind,
                },
                source: source.into(),
                target: target.into(),
            };
            flow.graph.add_edge(spec).expect("ends are there");
        }
        flow
    }

    #[test]
    fn a_part_pasted_twice_into_its_own_flow_keeps_its_shape() {
        let mut flow = flow();
        let chosen = ["n1".into(), "n3".into()];
        let text = to_text(&flow, &chosen);
        for round in 1..=2 {
            let part = from_text(&text).expect("our own text");
            let copies = copies(&part.graph, &flow.graph, Placing::Beside);
            assert_eq!(copies.nodes.len(), 2);
            assert_eq!(copies.edges.len(), 3, "the edge to b stays behind");
            assert_eq!(copies.nodes[0].command, "echo n1\n# <&>\"");
            assert_eq!(copies.nodes[0].pos, Point { x: 24.0, y: -26.0 });
            let add = Edit::Add {
                nodes: copies.nodes,
                edges: copies.edges,
            };
            add.apply(&mut flow).expect("all ids are free");
            assert_eq!(flow.graph.n_nodes(), 3 + 2 * round);
            assert_eq!(flow.graph.n_edges(), 4 + 3 * round);
        }
    }

    #[test]
    fn copies_are_put_by_their_top_left_corner() {
        let at = Point { x: 7.0, y: 8.0 };
        let copies = copies(&flow().graph, &Graph::default(), Placing::At(at));
        let places: Vec<_> = copies.nodes.iter().map(|node| node.pos.x).collect();
        assert_eq!(places, [7.0, 107.0, 207.0]);
        assert!(copies.nodes.iter().all(|node| node.pos.y == 8.0));
    }

    #[test]
    fn plain_text_becomes_one_command() {
        for (text, command) in [
            ("make all", "make all"),
            ("\n  a \\\r\n    b\r\n\r\n", "  a \\\n    b"),
            ("\u{feff}\u{1b}[31mred\u{1b}[0m\0", "[31mred[0m"),
            ("grep '<graphml' a.wf", "grep '<graphml' a.wf"),
            ("< in.txt sort", "< in.txt sort"),
        ] {
            let flow = from_text(text).expect("a command");
            let commands: Vec<_> = flow.graph.nodes().map(|n| n.command.as_str()).collect();
            assert_eq!(commands, [command]);
        }
    }

    #[test]
    fn what_cannot_be_pasted_is_told() {
        assert_eq!(from_text(" \n\t "), Err(PasteError::Empty));
        assert_eq!(
            from_text(&"x".repeat(COMMAND_BYTES_MAX + 1)),
            Err(PasteError::TooLong)
        );
        // Cut off in the middle, so that the reader refuses or gives what it could read.
        match from_text("<graphml") {
            Err(PasteError::Unreadable(_)) => {}
            other => assert_eq!(other.map(|flow| flow.graph.n_nodes()), Ok(0)),
        }
    }
}
