//! What differs between two versions of a flow, as a list for a person.

use std::fmt;

use super::fields::{Field, OF_EDGE, OF_FLOW, OF_FRAME, OF_NODE};
use super::{Edge, EdgeId, Flow, Frame, FrameId, Node, NodeId, Point, Rect};

/// How far two places may lie apart and still be the same: a file holds two decimals.
pub(super) const PLACE_ROUNDING: f64 = 0.010_001;

/// What a change or a conflict is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// The flow itself.
    Flow,
    /// A node, and what a person calls it.
    Node(NodeId, String),
    /// An edge, and the names of its ends.
    Edge(EdgeId, String, String),
    /// A frame or note, and its title.
    Frame(FrameId, String),
    /// The places of things, whichever: how many moved.
    Places(usize),
    /// Edges of both versions that together lead round in a cycle: the names along it.
    Cycle(Vec<String>),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flow => f.write_str("Flow"),
            Self::Node(_, name) => write!(f, "Node ‘{name}’"),
            Self::Edge(_, from, to) => write!(f, "Edge ‘{from}’ → ‘{to}’"),
            Self::Frame(_, title) if title.is_empty() => f.write_str("Frame"),
            Self::Frame(_, title) => write!(f, "Frame ‘{title}’"),
            Self::Places(1) => f.write_str("One thing moved"),
            Self::Places(n) => write!(f, "{n} things moved"),
            Self::Cycle(names) => write!(f, "Cycle {}", names.join(" → ")),
        }
    }
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is about.
    pub subject: Subject,
    /// Which field of it; empty when the whole thing came or went.
    pub field: &'static str,
    /// What it held; `None` when it was not there.
    pub before: Option<String>,
    /// What it holds; `None` when it is gone.
    pub after: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.subject)?;
        match (&self.before, &self.after) {
            (None, Some(_)) => f.write_str(": added"),
            (Some(_), None) => f.write_str(": removed"),
            _ if self.field.is_empty() => Ok(()),
            _ => write!(f, ": {}", self.field),
        }
    }
}

/// What differs from `from` to `to`: the flow, then nodes, edges and frames, then what only moved.
pub fn changes(from: &Flow, to: &Flow) -> Vec<Change> {
    let mut found = Vec::new();
    fields(&mut found, &Subject::Flow, OF_FLOW, from, to);
    let mut n_moved = 0;
    for new in to.graph.nodes() {
        let subject = || of_node(new);
        match from.graph.node(&new.id) {
            None => found.push(came(subject(), new.command.clone())),
            Some(old) if std::ptr::eq(old, new) => {}
            Some(old) => {
                n_moved += usize::from(!near(old.pos, new.pos));
                fields(&mut found, &subject(), OF_NODE, old, new);
            }
        }
    }
    let gone = from.graph.nodes().filter(|old| !to.graph.contains(&old.id));
    found.extend(gone.map(|old| went(of_node(old), old.command.clone())));
    for (source, target, new) in to.graph.edges() {
        let subject = of_edge(source, target, new);
        match from.graph.edge(&new.id) {
            None => found.push(came(subject, (OF_EDGE[0].text)(new))),
            Some((s, t, old)) => {
                if s.id != source.id || t.id != target.id {
                    found.push(Change {
                        subject: subject.clone(),
                        field: "ends",
                        before: Some(ends(s, t)),
                        after: Some(ends(source, target)),
                    });
                }
                fields(&mut found, &subject, OF_EDGE, old, new);
            }
        }
    }
    for (source, target, old) in from.graph.edges() {
        if to.graph.edge(&old.id).is_none() {
            found.push(went(of_edge(source, target, old), (OF_EDGE[0].text)(old)));
        }
    }
    for new in &to.frames {
        match from.frames.iter().find(|old| old.id == new.id) {
            None => found.push(came(of_frame(new), new.text.clone())),
            Some(old) => {
                n_moved += usize::from(!near_rect(old.rect, new.rect));
                fields(&mut found, &of_frame(new), OF_FRAME, old, new);
            }
        }
    }
    for old in &from.frames {
        if !to.frames.iter().any(|new| new.id == old.id) {
            found.push(went(of_frame(old), old.text.clone()));
        }
    }
    if n_moved > 0 {
        found.push(Change {
            subject: Subject::Places(n_moved),
            field: "",
            before: Some(String::new()),
            after: Some(String::new()),
        });
    }
    found
}

fn came(subject: Subject, after: String) -> Change {
    Change {
        subject,
        field: "",
        before: None,
        after: Some(after),
    }
}

fn went(subject: Subject, before: String) -> Change {
    Change {
        subject,
        field: "",
        before: Some(before),
        after: None,
    }
}

fn fields<T>(found: &mut Vec<Change>, subject: &Subject, table: &[Field<T>], old: &T, new: &T) {
    for field in table {
        if !(field.same)(old, new) {
            found.push(Change {
                subject: subject.clone(),
                field: field.name,
                before: Some((field.text)(old)),
                after: Some((field.text)(new)),
            });
        }
    }
}

pub(super) fn of_node(node: &Node) -> Subject {
    Subject::Node(node.id.clone(), node.name().to_owned())
}

pub(super) fn of_edge(source: &Node, target: &Node, edge: &Edge) -> Subject {
    let (from, to) = (source.name().to_owned(), target.name().to_owned());
    Subject::Edge(edge.id.clone(), from, to)
}

pub(super) fn of_frame(frame: &Frame) -> Subject {
    Subject::Frame(frame.id.clone(), frame.title.clone())
}

pub(super) fn ends(source: &Node, target: &Node) -> String {
    format!("‘{}’ → ‘{}’", source.name(), target.name())
}

/// True when a file would hold the same for both.
pub(super) fn near(a: Point, b: Point) -> bool {
    (a.x - b.x).abs() <= PLACE_ROUNDING && (a.y - b.y).abs() <= PLACE_ROUNDING
}

pub(super) fn near_rect(a: Rect, b: Rect) -> bool {
    let corner = |r: Rect| Point { x: r.x, y: r.y };
    let size = |r: Rect| Point { x: r.w, y: r.h };
    near(corner(a), corner(b)) && near(size(a), size(b))
}

#[cfg(test)]
mod tests {
    use super::super::{EdgeKind, EdgeSpec};
    use super::*;

    fn flow(nodes: &[(&str, &str)]) -> Flow {
        let mut flow = Flow::default();
        for (id, command) in nodes {
            let node = Node::new(*id, *command, Point::default());
            flow.graph.add_node(node).expect("fresh id");
        }
        flow
    }

    #[test]
    fn a_list_names_each_thing_that_differs_and_counts_what_moved() {
        let old = flow(&[("a", "echo a"), ("b", "echo b"), ("c", "echo c")]);
        let mut new = flow(&[("a", "echo A"), ("b", "echo b"), ("d", "echo d")]);
        new.graph.node_mut(&"b".into()).expect("there").pos.x = 7.0;
        new.title = "New".into();
        let edge = Edge {
            id: "e".into(),
            kind: EdgeKind::Blocking,
        };
        let (source, target) = ("a".into(), "b".into());
        let spec = EdgeSpec {
            edge,
            source,
            target,
        };
        new.graph.add_edge(spec).expect("ends are there");
        let told: Vec<String> = changes(&old, &new).iter().map(Change::to_string).collect();
        assert_eq!(
            told,
            [
                "Flow: title",
                "Node ‘echo A’: command",
                "Node ‘echo d’: added",
                "Node ‘echo c’: removed",
                "Edge ‘echo A’ → ‘echo b’: added",
                "One thing moved",
            ]
        );
        assert!(changes(&new, &new).is_empty());
    }
}
