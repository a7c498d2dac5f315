//! Edits such as a person makes, at random.

use std::time::Duration;

use fastrand::Rng;
use handmill::model::{
    Edge, EdgeKind, EdgeSpec, Edit, Env, Flow, FlowField, Frame, FrameId, Node, NodeField, NodeId,
    Point, Rect, Wrapper,
};

const TEXTS: [&str; 12] = [
    "",
    "echo plain",
    "  blanks  ",
    "a\nb\n",
    "tab\there",
    "<&>\"'",
    "]]> <![CDATA[x]]>",
    "cr\r\nlf\r",
    "häß → 日本語 🙂",
    "{}",
    "&amp;amp; &#10;",
    "-> \\ \" ' `date` $HOME",
];

fn text(rng: &mut Rng) -> String {
    TEXTS[rng.usize(..TEXTS.len())].to_owned()
}

fn point(rng: &mut Rng) -> Point {
    let mut side =
        || f64::from(rng.i32(-100_000..100_000)) / [1.0, 4.0, 7.0, 100.0][rng.usize(..4)];
    Point {
        x: side(),
        y: side(),
    }
}

fn some_node(flow: &Flow, rng: &mut Rng) -> Option<NodeId> {
    let n = flow.graph.n_nodes();
    let node = flow.graph.nodes().nth(rng.usize(..n.max(1)))?;
    Some(node.id.clone())
}

/// One edit such as a person makes, on whatever is there.
pub(super) fn random_edit(flow: &Flow, rng: &mut Rng) -> Option<Edit> {
    let env = |rng: &mut Rng| {
        let value = text(rng).replace(['\n', '\r'], " ");
        Env(vec![
            ("A".to_owned(), value),
            ("_b2".to_owned(), "=".to_owned()),
        ])
    };
    Some(match rng.u32(..10) {
        0 => {
            let id = format!("{}{}", text(rng), rng.u32(..1_000_000));
            let node = Node::new(id.as_str(), text(rng), point(rng));
            Edit::Add {
                nodes: vec![node],
                edges: vec![],
            }
        }
        1 => Edit::Remove {
            nodes: vec![some_node(flow, rng)?],
            edges: vec![],
        },
        2 | 3 => {
            let (source, target) = (some_node(flow, rng)?, some_node(flow, rng)?);
            let kind = if rng.bool() {
                EdgeKind::Blocking
            } else {
                EdgeKind::NonBlocking
            };
            let edge = Edge {
                id: flow.graph.free_edge_id(&source, &target),
                kind,
            };
            Edit::Add {
                nodes: vec![],
                edges: vec![EdgeSpec {
                    edge,
                    source,
                    target,
                }],
            }
        }
        4 => {
            let n = flow.graph.n_edges();
            let id = flow.graph.edges().nth(rng.usize(..n.max(1)))?.2.id.clone();
            Edit::Remove {
                nodes: vec![],
                edges: vec![id],
            }
        }
        5 => {
            let n = flow.graph.n_edges();
            let id = flow.graph.edges().nth(rng.usize(..n.max(1)))?.2.id.clone();
            let kind = if rng.bool() {
                EdgeKind::Blocking
            } else {
                EdgeKind::NonBlocking
            };
            Edit::SetEdgeKind(vec![(id, kind)])
        }
        6 => Edit::Move(vec![(some_node(flow, rng)?, point(rng))]),
        7 | 8 => {
            let field = match rng.u32(..8) {
                0 => NodeField::Title(text(rng)),
                1 => NodeField::Command(text(rng)),
                2 => NodeField::Disabled(rng.bool()),
                3 => NodeField::Cwd(text(rng)),
                4 => NodeField::Env(if rng.bool() { env(rng) } else { Env::default() }),
                5 => NodeField::Timeout(
                    rng.bool()
                        .then(|| Duration::from_millis(rng.u64(1..10_000_000))),
                ),
                6 => NodeField::Retries(rng.u32(..5)),
                _ => NodeField::RetryDelay(Duration::from_millis(rng.u64(..5) * 250)),
            };
            Edit::SetNode {
                id: some_node(flow, rng)?,
                field,
            }
        }
        _ => Edit::SetFlow(match rng.u32(..9) {
            0 => FlowField::Title(text(rng)),
            1 => FlowField::Group(text(rng)),
            2 => FlowField::Wrapper(rng.bool().then(|| Wrapper::new(text(rng)))),
            3 => FlowField::Shell(text(rng)),
            4 => FlowField::Cwd(text(rng)),
            5 => FlowField::Env(if rng.bool() { env(rng) } else { Env::default() }),
            6 => FlowField::MaxPasses(rng.bool().then(|| rng.u32(1..100))),
            7 => FlowField::JobsMax(rng.bool().then(|| rng.u32(1..100))),
            _ => FlowField::Frames(frames(rng)),
        }),
    })
}

fn frames(rng: &mut Rng) -> Vec<Frame> {
    let frame = |i: u32| Frame {
        id: FrameId(format!("f{i}")),
        rect: Rect {
            x: f64::from(i),
            y: -0.5,
            w: 100.0,
            h: 50.25,
        },
        title: text(rng),
        text: text(rng),
    };
    (0..2).map(frame).collect()
}
