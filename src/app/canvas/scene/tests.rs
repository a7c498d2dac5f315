//! What is where, in view and under the pointer.

use super::*;
use crate::model::{Edge, EdgeSpec, Point};

/// Nodes at places, joined by blocking edges.
pub fn flow(nodes: &[(&str, f64, f64)], edges: &[(&str, &str)]) -> Flow {
    let mut flow = Flow::default();
    for &(id, x, y) in nodes {
        flow.graph
            .add_node(Node::new(id, "true", Point { x, y }))
            .expect("fresh id");
    }
    for &(source, target) in edges {
        let (source, target) = (NodeId::from(source), NodeId::from(target));
        let edge = Edge {
            id: flow.graph.free_edge_id(&source, &target),
            kind: EdgeKind::Blocking,
        };
        flow.graph
            .add_edge(EdgeSpec {
                edge,
                source,
                target,
            })
            .expect("known ends");
    }
    flow
}

/// `n` nodes, `n0` and on, each joined to the next.
pub fn chain(n: usize) -> Flow {
    let mut flow = Flow::default();
    for i in 0..n {
        let pos = Point {
            x: (i % 100) as f64 * 240.0,
            y: (i / 100) as f64 * 90.0,
        };
        flow.graph
            .add_node(Node::new(format!("n{i}").as_str(), "true", pos))
            .expect("fresh id");
        if i > 0 {
            let (source, target) = (format!("n{}", i - 1), format!("n{i}"));
            let edge = Edge {
                id: EdgeId::new(format!("e{i}")),
                kind: EdgeKind::Blocking,
            };
            flow.graph
                .add_edge(EdgeSpec {
                    edge,
                    source: NodeId::new(source),
                    target: NodeId::new(target),
                })
                .expect("known ends");
        }
    }
    flow
}

fn see(scene: &Scene, shift: Option<&Shift>) -> Visible {
    let view = Rect {
        x: 0.0,
        y: 0.0,
        w: 1_000.0,
        h: 600.0,
    };
    let mut out = Visible::default();
    scene.visible(view, shift, &mut Default::default(), &mut out);
    out
}

#[test]
fn a_node_is_as_high_as_its_first_three_lines() {
    let height = |command: &str| node_rect(&Node::new("a", command, Point::default())).h;
    assert_eq!(height(""), 56.0);
    assert_eq!(height("one"), 56.0);
    assert_eq!(height("one\ntwo"), 72.0);
    assert_eq!(height("one\ntwo\nthree\nfour"), 88.0);
}

#[test]
fn a_place_that_is_no_number_does_not_break_the_picture() {
    let scene = Scene::new(&flow(
        &[("a", f64::NAN, f64::INFINITY), ("b", 1e300, 0.0)],
        &[("a", "b")],
    ));
    assert_eq!(see(&scene, None).nodes, [0]);
}

#[test]
fn an_edge_is_seen_though_both_its_ends_are_not() {
    let scene = Scene::new(&flow(
        &[("a", -900.0, 300.0), ("b", 2_000.0, 300.0)],
        &[("a", "b")],
    ));
    let seen = see(&scene, None);
    assert_eq!((seen.nodes.len(), seen.edges.len()), (0, 1));
}

#[test]
fn moved_nodes_are_seen_where_they_are_shown_and_their_edges_follow() {
    let scene = Scene::new(&flow(
        &[
            ("a", 100.0, 100.0),
            ("b", 5_000.0, 100.0),
            ("c", 400.0, 100.0),
        ],
        &[("a", "b")],
    ));
    let mut shift = scene.shift(&["a".into(), "b".into()]);
    shift.by.x = -4_500.0;
    let seen = see(&scene, Some(&shift));
    assert_eq!(seen.nodes, [2, 1], "c stays, b came into view on top");
    assert_eq!(scene.curve(0, Some(&shift)).0[3].x, 497.0);
}

#[test]
fn nodes_lie_over_edges_and_edges_over_frames() {
    let mut flow = flow(&[("a", 0.0, 0.0), ("b", 400.0, 0.0)], &[("a", "b")]);
    flow.frames.push(Frame {
        id: FrameId("f".into()),
        rect: Rect {
            x: -50.0,
            y: -50.0,
            w: 800.0,
            h: 300.0,
        },
        title: "All".into(),
        text: String::new(),
    });
    let scene = Scene::new(&flow);
    let hit = |x, y| {
        let node = "a".into();
        scene.hit(Point { x, y }, 1.0, Some(&node), &mut Default::default())
    };
    assert_eq!(hit(20.0, 20.0), Hit::Node("a".into()));
    assert_eq!(hit(203.0, 28.0), Hit::Handle("a".into()));
    assert_eq!(hit(300.0, 30.0), Hit::Edge("a->b".into()));
    assert_eq!(hit(300.0, -40.0), Hit::Frame(FrameId("f".into())));
    assert_eq!(hit(745.0, 245.0), Hit::FrameCorner(FrameId("f".into())));
    assert_eq!(hit(300.0, 150.0), Hit::Canvas);
    assert_eq!(hit(-300.0, 150.0), Hit::Canvas);
    assert_eq!(scene.members(&FrameId("f".into())).0.len(), 2);
}
