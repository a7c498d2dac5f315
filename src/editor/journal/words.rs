//! Edits as text and back, for the crash journal: JSON, version 1 of its header.
//!
//! The rows below are the format; the model may change as long as they can be made from it. Numbers of places
//! are text, because JSON knows neither all of them nor their last bit.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{
    Edge, EdgeId, EdgeKind, EdgeSpec, Edit, Env, FlowField, Frame, FrameId, Node, NodeField,
    NodeId, Point, Rect, ResourceName, Timestamp, Trigger, Wrapper,
};

/// What was done since the record before.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// When.
    pub(super) at: Timestamp,
    /// Steps that a person took in it.
    pub(super) n_steps: usize,
    /// In order.
    pub(super) edits: Vec<Edit>,
    /// What was being typed after them.
    pub(super) typed: Option<Edit>,
}

impl Entry {
    pub(super) fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&EntryRow {
            at: self.at.0,
            n: self.n_steps,
            edits: self.edits.iter().map(EditRow::of).collect(),
            typed: self.typed.as_ref().map(EditRow::of),
        })
    }

    pub(super) fn from_json(bytes: &[u8]) -> Option<Self> {
        let row: EntryRow = serde_json::from_slice(bytes).ok()?;
        let edits: Option<Vec<Edit>> = row.edits.into_iter().map(EditRow::edit).collect();
        Some(Self {
            at: Timestamp(row.at),
            n_steps: row.n,
            edits: edits?,
            // One that a later release wrote costs only itself.
            typed: row.typed.and_then(EditRow::edit),
        })
    }
}

#[derive(Serialize, Deserialize)]
struct EntryRow {
    at: i64,
    n: usize,
    edits: Vec<EditRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    typed: Option<EditRow>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EditRow {
    Add {
        nodes: Vec<NodeRow>,
        edges: Vec<EdgeRow>,
    },
    Remove {
        nodes: Vec<String>,
        edges: Vec<String>,
    },
    Move(Vec<(String, [Number; 2])>),
    Node(String, NodeFieldRow),
    EdgeKind(Vec<(String, KindRow)>),
    Flow(FlowFieldRow),
    Batch(Vec<Self>),
}

#[derive(Serialize, Deserialize)]
struct NodeRow {
    id: String,
    title: String,
    command: String,
    pos: [Number; 2],
    disabled: bool,
    cwd: String,
    env: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    resources: Vec<String>,
    timeout: Option<Duration>,
    retries: u32,
    retry_delay: Duration,
}

#[derive(Serialize, Deserialize)]
struct EdgeRow {
    id: String,
    kind: KindRow,
    source: String,
    target: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindRow {
    Blocking,
    NonBlocking,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NodeFieldRow {
    Title(String),
    Command(String),
    Disabled(bool),
    Cwd(String),
    Env(Vec<(String, String)>),
    Timeout(Option<Duration>),
    Retries(u32),
    RetryDelay(Duration),
    Resources(Vec<String>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FlowFieldRow {
    Title(String),
    Group(String),
    Trigger(String),
    Wrapper(Option<String>),
    Shell(String),
    Cwd(String),
    Env(Vec<(String, String)>),
    MaxPasses(Option<u32>),
    JobsMax(Option<u32>),
    Frames(Vec<FrameRow>),
}

#[derive(Serialize, Deserialize)]
struct FrameRow {
    id: String,
    rect: [Number; 4],
    title: String,
    text: String,
}

/// A number as text, to its last bit.
#[derive(Serialize, Deserialize)]
struct Number(String);

impl Number {
    fn of(number: f64) -> Self {
        Self(number.to_string())
    }

    fn get(&self) -> Option<f64> {
        self.0.parse().ok()
    }
}

impl EditRow {
    fn of(edit: &Edit) -> Self {
        let names = |nodes: &[NodeId]| nodes.iter().map(ToString::to_string).collect();
        match edit {
            Edit::Add { nodes, edges } => Self::Add {
                nodes: nodes.iter().map(NodeRow::of).collect(),
                edges: edges.iter().map(EdgeRow::of).collect(),
            },
            Edit::Remove { nodes, edges } => Self::Remove {
                nodes: names(nodes),
                edges: edges.iter().map(ToString::to_string).collect(),
            },
            Edit::Move(moves) => {
                let place = |p: &Point| [Number::of(p.x), Number::of(p.y)];
                let moves = moves.iter();
                Self::Move(moves.map(|(id, p)| (id.to_string(), place(p))).collect())
            }
            Edit::SetNode { id, field } => Self::Node(id.to_string(), NodeFieldRow::of(field)),
            Edit::SetEdgeKind(kinds) => {
                let kinds = kinds.iter();
                Self::EdgeKind(
                    kinds
                        .map(|(id, kind)| (id.to_string(), KindRow::of(*kind)))
                        .collect(),
                )
            }
            Edit::SetFlow(field) => Self::Flow(FlowFieldRow::of(field)),
            Edit::Batch(edits) => Self::Batch(edits.iter().map(Self::of).collect()),
        }
    }

    fn edit(self) -> Option<Edit> {
        Some(match self {
            Self::Add { nodes, edges } => Edit::Add {
                nodes: nodes
                    .into_iter()
                    .map(NodeRow::node)
                    .collect::<Option<_>>()?,
                edges: edges.into_iter().map(EdgeRow::spec).collect(),
            },
            Self::Remove { nodes, edges } => Edit::Remove {
                nodes: nodes.into_iter().map(NodeId::new).collect(),
                edges: edges.into_iter().map(EdgeId::new).collect(),
            },
            Self::Move(moves) => {
                let moves = moves.into_iter();
                let moves = moves.map(|(id, place)| Some((NodeId::new(id), point(&place)?)));
                Edit::Move(moves.collect::<Option<_>>()?)
            }
            Self::Node(id, field) => Edit::SetNode {
                id: NodeId::new(id),
                field: field.field(),
            },
            Self::EdgeKind(kinds) => {
                let kinds = kinds.into_iter();
                Edit::SetEdgeKind(
                    kinds
                        .map(|(id, kind)| (EdgeId::new(id), kind.kind()))
                        .collect(),
                )
            }
            Self::Flow(field) => Edit::SetFlow(field.field()?),
            Self::Batch(edits) => {
                Edit::Batch(edits.into_iter().map(Self::edit).collect::<Option<_>>()?)
            }
        })
    }
}

fn point([x, y]: &[Number; 2]) -> Option<Point> {
    Some(Point {
        x: x.get()?,
        y: y.get()?,
    })
}

fn words_of(names: &[ResourceName]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// What is no name costs only itself.
fn names_of(words: &[String]) -> Vec<ResourceName> {
    let names = words.iter().map(|word| ResourceName::new(word));
    names.filter_map(Result::ok).collect()
}

impl NodeRow {
    fn of(node: &Node) -> Self {
        // Taken apart by name, so that a field added to Node is not forgotten here.
        let Node {
            id,
            title,
            command,
            pos,
            disabled,
            cwd,
            env,
            resources,
            timeout,
            retries,
            retry_delay,
        } = node.clone();
        Self {
            id: id.to_string(),
            title,
            command,
            pos: [Number::of(pos.x), Number::of(pos.y)],
            disabled,
            cwd,
            env: env.0,
            resources: words_of(&resources),
            timeout,
            retries,
            retry_delay,
        }
    }

    fn node(self) -> Option<Node> {
        Some(Node {
            id: NodeId::new(self.id),
            title: self.title,
            command: self.command,
            pos: point(&self.pos)?,
            disabled: self.disabled,
            cwd: self.cwd,
            env: Env(self.env),
            resources: names_of(&self.resources),
            timeout: self.timeout,
            retries: self.retries,
            retry_delay: self.retry_delay,
        })
    }
}

impl EdgeRow {
    fn of(spec: &EdgeSpec) -> Self {
        Self {
            id: spec.edge.id.to_string(),
            kind: KindRow::of(spec.edge.kind),
            source: spec.source.to_string(),
            target: spec.target.to_string(),
        }
    }

    fn spec(self) -> EdgeSpec {
        EdgeSpec {
            edge: Edge {
                id: EdgeId::new(self.id),
                kind: self.kind.kind(),
            },
            source: NodeId::new(self.source),
            target: NodeId::new(self.target),
        }
    }
}

impl KindRow {
    fn of(kind: EdgeKind) -> Self {
        match kind {
            EdgeKind::Blocking => Self::Blocking,
            EdgeKind::NonBlocking => Self::NonBlocking,
        }
    }

    fn kind(self) -> EdgeKind {
        match self {
            Self::Blocking => EdgeKind::Blocking,
            Self::NonBlocking => EdgeKind::NonBlocking,
        }
    }
}

impl NodeFieldRow {
    fn of(field: &NodeField) -> Self {
        match field.clone() {
            NodeField::Title(text) => Self::Title(text),
            NodeField::Command(text) => Self::Command(text),
            NodeField::Disabled(is) => Self::Disabled(is),
            NodeField::Cwd(text) => Self::Cwd(text),
            NodeField::Env(env) => Self::Env(env.0),
            NodeField::Timeout(timeout) => Self::Timeout(timeout),
            NodeField::Retries(n) => Self::Retries(n),
            NodeField::RetryDelay(delay) => Self::RetryDelay(delay),
            NodeField::Resources(names) => Self::Resources(words_of(&names)),
        }
    }

    fn field(self) -> NodeField {
        match self {
            Self::Title(text) => NodeField::Title(text),
            Self::Command(text) => NodeField::Command(text),
            Self::Disabled(is) => NodeField::Disabled(is),
            Self::Cwd(text) => NodeField::Cwd(text),
            Self::Env(env) => NodeField::Env(Env(env)),
            Self::Timeout(timeout) => NodeField::Timeout(timeout),
            Self::Retries(n) => NodeField::Retries(n),
            Self::RetryDelay(delay) => NodeField::RetryDelay(delay),
            Self::Resources(names) => NodeField::Resources(names_of(&names)),
        }
    }
}

impl FlowFieldRow {
    fn of(field: &FlowField) -> Self {
        match field.clone() {
            FlowField::Title(text) => Self::Title(text),
            FlowField::Group(text) => Self::Group(text),
            FlowField::Trigger(trigger) => Self::Trigger(trigger.word().to_owned()),
            FlowField::Wrapper(wrapper) => {
                Self::Wrapper(wrapper.map(|wrapper| wrapper.template().to_owned()))
            }
            FlowField::Shell(text) => Self::Shell(text),
            FlowField::Cwd(text) => Self::Cwd(text),
            FlowField::Env(env) => Self::Env(env.0),
            FlowField::MaxPasses(n) => Self::MaxPasses(n),
            FlowField::JobsMax(n) => Self::JobsMax(n),
            FlowField::Frames(frames) => Self::Frames(frames.iter().map(FrameRow::of).collect()),
        }
    }

    fn field(self) -> Option<FlowField> {
        Some(match self {
            Self::Title(text) => FlowField::Title(text),
            Self::Group(text) => FlowField::Group(text),
            Self::Trigger(word) => FlowField::Trigger(Trigger::from_word(&word)?),
            Self::Wrapper(text) => FlowField::Wrapper(text.map(Wrapper::new)),
            Self::Shell(text) => FlowField::Shell(text),
            Self::Cwd(text) => FlowField::Cwd(text),
            Self::Env(env) => FlowField::Env(Env(env)),
            Self::MaxPasses(n) => FlowField::MaxPasses(n),
            Self::JobsMax(n) => FlowField::JobsMax(n),
            Self::Frames(frames) => FlowField::Frames(
                frames
                    .into_iter()
                    .map(FrameRow::frame)
                    .collect::<Option<_>>()?,
            ),
        })
    }
}

impl FrameRow {
    fn of(frame: &Frame) -> Self {
        let rect = frame.rect;
        Self {
            id: frame.id.0.clone(),
            rect: [rect.x, rect.y, rect.w, rect.h].map(Number::of),
            title: frame.title.clone(),
            text: frame.text.clone(),
        }
    }

    fn frame(self) -> Option<Frame> {
        let [x, y, w, h] = &self.rect;
        Some(Frame {
            id: FrameId(self.id),
            rect: Rect {
                x: x.get()?,
                y: y.get()?,
                w: w.get()?,
                h: h.get()?,
            },
            title: self.title,
            text: self.text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_edit_comes_back_as_it_was() {
        let mut node = Node::new(
            "a\u{1}",
            "echo <\"é😀\">\n",
            Point {
                x: 0.1 + 0.2,
                y: -1e300,
            },
        );
        node.timeout = Some(Duration::from_nanos(1));
        node.env = Env(vec![("A".into(), "b=c".into())]);
        let spec = EdgeSpec {
            edge: Edge {
                id: "e".into(),
                kind: EdgeKind::NonBlocking,
            },
            source: "a".into(),
            target: "b".into(),
        };
        let frame = Frame {
            id: FrameId("f".into()),
            rect: Rect {
                x: 1.0 / 3.0,
                ..Rect::default()
            },
            title: "t".into(),
            text: "x\ny".into(),
        };
        let field = |field| Edit::SetNode {
            id: "a".into(),
            field,
        };
        let edits = vec![
            Edit::Add {
                nodes: vec![node],
                edges: vec![spec],
            },
            Edit::Remove {
                nodes: vec!["a".into()],
                edges: vec!["e".into()],
            },
            Edit::Move(vec![(
                "a".into(),
                Point {
                    x: f64::MAX,
                    y: f64::MIN_POSITIVE,
                },
            )]),
            field(NodeField::Title("t".into())),
            field(NodeField::Command("c".into())),
            field(NodeField::Disabled(true)),
            field(NodeField::Cwd("d".into())),
            field(NodeField::Env(Env(vec![("A".into(), String::new())]))),
            field(NodeField::Timeout(None)),
            field(NodeField::Retries(3)),
            field(NodeField::RetryDelay(Duration::from_millis(1_500))),
            field(NodeField::Resources(vec![
                ResourceName::new("DB_URL").expect("a name"),
            ])),
            Edit::SetEdgeKind(vec![("e".into(), EdgeKind::Blocking)]),
            Edit::Batch(vec![
                Edit::SetFlow(FlowField::Title("t".into())),
                Edit::SetFlow(FlowField::Group("g".into())),
                Edit::SetFlow(FlowField::Wrapper(Some(Wrapper::new("nice {}")))),
                Edit::SetFlow(FlowField::Shell("zsh".into())),
                Edit::SetFlow(FlowField::Cwd("d".into())),
                Edit::SetFlow(FlowField::Env(Env::default())),
                Edit::SetFlow(FlowField::MaxPasses(Some(4))),
                Edit::SetFlow(FlowField::JobsMax(None)),
                Edit::SetFlow(FlowField::Frames(vec![frame])),
            ]),
        ];
        let entry = Entry {
            at: Timestamp(-5),
            n_steps: 3,
            typed: edits.last().cloned(),
            edits,
        };
        let json = entry.to_json().expect("writes");
        assert_eq!(Entry::from_json(&json), Some(entry));
    }

    #[test]
    fn what_is_no_entry_is_none() {
        for bad in [
            "",
            "{}",
            "[]",
            r#"{"at":0,"n":1,"edits":[{"jump":1}]}"#,
            r#"{"at":0,"n":1,"edits":[{"move":[["a",["x","1"]]]}]}"#,
        ] {
            assert_eq!(Entry::from_json(bad.as_bytes()), None, "{bad}");
        }
    }
}
