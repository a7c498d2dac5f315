//! Gestures as a hand makes them: press, move, release, and what is asked for.

use egui::{Modifiers, PointerButton, pos2};

use super::edits::connect;
use super::*;
use crate::app::canvas::picture::GRID;
use crate::model::{Edge, EdgeSpec, Edit, FlowField, Frame, Node};

struct Hand {
    flow: Flow,
    scene: Scene,
    selection: Selection,
    gesture: Gesture,
    mods: Modifiers,
    wishes: Vec<Wish>,
}

impl Hand {
    /// Nodes a, b, c in a row, 300 units apart; a frame round c.
    fn new() -> Self {
        let mut flow = Flow::default();
        for (n, id) in ["a", "b", "c"].into_iter().enumerate() {
            let pos = Point {
                x: 300.0 * n as f64,
                y: 0.0,
            };
            flow.graph
                .add_node(Node::new(id, "true", pos))
                .expect("fresh id");
        }
        flow.frames.push(Frame {
            id: FrameId("f".into()),
            rect: Rect {
                x: 580.0,
                y: -40.0,
                w: 260.0,
                h: 140.0,
            },
            title: "Group".into(),
            text: String::new(),
        });
        Self {
            scene: Scene::new(&flow),
            flow,
            selection: Selection::default(),
            gesture: Gesture::default(),
            mods: Modifiers::default(),
            wishes: Vec::new(),
        }
    }

    fn signal(&self, x: f32, y: f32) -> Signal {
        let world = Point {
            x: x.into(),
            y: y.into(),
        };
        Signal {
            at: pos2(x, y),
            world,
            mods: self.mods,
            hit: self.scene.hit(world, 1.0, None, &mut Default::default()),
        }
    }

    fn press(&mut self, button: PointerButton, x: f32, y: f32) {
        self.gesture.press(button, false, self.signal(x, y));
    }

    fn move_to(&mut self, x: f32, y: f32) -> Vec2 {
        let signal = self.signal(x, y);
        let around = Surroundings {
            flow: &self.flow,
            scene: &self.scene,
            selection: &self.selection,
        };
        self.gesture.moved(&signal, &around, &mut self.wishes)
    }

    fn release(&mut self, button: PointerButton, x: f32, y: f32, double: bool) {
        let signal = self.signal(x, y);
        let around = Surroundings {
            flow: &self.flow,
            scene: &self.scene,
            selection: &self.selection,
        };
        self.gesture
            .release(button, double, &signal, &around, &mut self.wishes);
        self.take_selection();
    }

    fn take_selection(&mut self) {
        for wish in &self.wishes {
            if let Wish::Act(Action::Select {
                nodes,
                edges,
                frames,
            }) = wish
            {
                self.selection
                    .replace(nodes.clone(), edges.clone(), frames.clone());
            }
        }
        self.wishes
            .retain(|wish| !matches!(wish, Wish::Act(Action::Select { .. })));
    }

    fn drag(&mut self, button: PointerButton, from: (f32, f32), to: (f32, f32)) {
        self.press(button, from.0, from.1);
        self.move_to((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
        self.move_to(to.0, to.1);
        self.release(button, to.0, to.1, false);
    }

    fn click(&mut self, x: f32, y: f32) {
        self.press(PointerButton::Primary, x, y);
        self.release(PointerButton::Primary, x, y, false);
    }

    fn selected(&self) -> Vec<&str> {
        self.selection.nodes().iter().map(NodeId::as_str).collect()
    }

    /// The one edit asked for, and nothing else.
    fn edit(&mut self) -> Option<Edit> {
        let wishes = std::mem::take(&mut self.wishes);
        match wishes.as_slice() {
            [] => None,
            [Wish::Act(Action::Edit(edit))] => Some(edit.clone()),
            other => panic!("one edit expected: {other:?}"),
        }
    }
}

const LEFT: PointerButton = PointerButton::Primary;
const RIGHT: PointerButton = PointerButton::Secondary;

#[test]
fn click_selects_and_shift_click_adds_in_order_and_takes_away() {
    let mut hand = Hand::new();
    hand.click(310.0, 20.0);
    assert_eq!(hand.selected(), ["b"]);
    hand.mods = Modifiers::SHIFT;
    hand.click(10.0, 20.0);
    assert_eq!(hand.selected(), ["b", "a"]);
    hand.mods = Modifiers::COMMAND;
    hand.click(310.0, 20.0);
    assert_eq!(hand.selected(), ["a"]);
    hand.mods = Modifiers::default();
    hand.click(250.0, 300.0);
    assert!(hand.selection.is_empty());
    assert!(hand.edit().is_none());
}

#[test]
fn dragging_moves_the_whole_selection_in_one_edit() {
    let mut hand = Hand::new();
    hand.selection = Selection::of(vec!["a".into(), "b".into()], vec![], vec![]);
    hand.drag(LEFT, (10.0, 20.0), (50.4, 120.0));
    let to = |x, y| Point { x, y };
    let moves = vec![
        ("a".into(), to(40.0, 100.0)),
        ("b".into(), to(340.0, 100.0)),
    ];
    assert_eq!(hand.edit(), Some(Edit::Move(moves)));
    assert_eq!(hand.selected(), ["a", "b"]);
}

#[test]
fn dragging_an_unselected_node_selects_it_and_leaves_the_others() {
    let mut hand = Hand::new();
    hand.selection = Selection::of_node("a".into());
    hand.drag(LEFT, (310.0, 20.0), (310.0, 70.0));
    assert_eq!(hand.selected(), ["b"]);
    let moves = vec![("b".into(), Point { x: 300.0, y: 50.0 })];
    assert_eq!(hand.edit(), Some(Edit::Move(moves)));
}

#[test]
fn a_drag_back_to_its_start_is_no_edit() {
    let mut hand = Hand::new();
    hand.press(LEFT, 10.0, 20.0);
    hand.move_to(200.0, 200.0);
    hand.release(LEFT, 10.0, 20.0, false);
    assert!(hand.edit().is_none());
}

#[test]
fn cancel_leaves_no_trace_and_the_late_release_is_not_heard() {
    let mut hand = Hand::new();
    hand.press(LEFT, 10.0, 20.0);
    hand.move_to(200.0, 200.0);
    assert!(hand.gesture.cancel());
    assert!(!hand.gesture.cancel());
    hand.release(LEFT, 200.0, 200.0, false);
    assert!(hand.edit().is_none());
}

#[test]
fn right_drag_joins_two_nodes_and_ctrl_shift_makes_it_non_blocking() {
    for (mods, kind) in [
        (Modifiers::default(), EdgeKind::Blocking),
        (Modifiers::COMMAND | Modifiers::SHIFT, EdgeKind::NonBlocking),
    ] {
        let mut hand = Hand::new();
        hand.mods = mods;
        hand.drag(RIGHT, (10.0, 20.0), (310.0, 20.0));
        let Some(Edit::Add { nodes, edges }) = hand.edit() else {
            panic!("an edge expected");
        };
        assert!(nodes.is_empty());
        assert_eq!(edges[0].edge.kind, kind);
        assert_eq!(
            (edges[0].source.as_str(), edges[0].target.as_str()),
            ("a", "b")
        );
    }
}

#[test]
fn the_same_edge_twice_is_refused_and_the_other_kind_is_not() {
    let mut hand = Hand::new();
    hand.drag(RIGHT, (10.0, 20.0), (310.0, 20.0));
    let edit = hand.edit().expect("an edge");
    edit.apply(&mut hand.flow).expect("applies");
    hand.drag(RIGHT, (10.0, 20.0), (310.0, 20.0));
    assert!(hand.edit().is_none());
    hand.mods = Modifiers::COMMAND | Modifiers::SHIFT;
    hand.drag(RIGHT, (10.0, 20.0), (310.0, 20.0));
    assert!(hand.edit().is_some());
}

#[test]
fn only_a_non_blocking_edge_may_return_to_its_node() {
    for (mods, edges) in [
        (Modifiers::default(), 0),
        (Modifiers::COMMAND | Modifiers::SHIFT, 1),
    ] {
        let mut hand = Hand::new();
        hand.mods = mods;
        hand.press(RIGHT, 10.0, 20.0);
        hand.move_to(100.0, 300.0);
        hand.release(RIGHT, 20.0, 20.0, false);
        assert_eq!(hand.edit().is_some() as usize, edges);
    }
}

#[test]
fn an_edge_dropped_on_nothing_asks_for_a_new_node() {
    let mut hand = Hand::new();
    hand.drag(RIGHT, (10.0, 20.0), (200.0, 400.0));
    match hand.wishes.as_slice() {
        [
            Wish::Act(Action::NewNodeAt {
                pos,
                from: Some((from, EdgeKind::Blocking)),
            }),
        ] => {
            assert_eq!(from.as_str(), "a");
            assert_eq!(*pos, Point { x: 200.0, y: 372.0 });
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn left_middle_and_space_drags_pan_the_empty_canvas() {
    for (button, space, start) in [
        (LEFT, false, (250.0, 300.0)),
        (PointerButton::Middle, false, (10.0, 20.0)),
        (LEFT, true, (10.0, 20.0)),
    ] {
        let mut hand = Hand::new();
        let signal = hand.signal(start.0, start.1);
        hand.gesture.press(button, space, signal);
        assert_eq!(
            hand.move_to(start.0 + 30.0, start.1 - 9.0),
            Vec2::new(30.0, -9.0)
        );
        assert_eq!(hand.move_to(start.0 + 31.0, start.1 - 9.0), Vec2::X);
        hand.release(button, start.0, start.1, false);
        assert!(hand.edit().is_none() && hand.selection.is_empty());
    }
}

#[test]
fn shift_drag_selects_what_the_box_touches_and_ctrl_adds() {
    let mut hand = Hand::new();
    hand.mods = Modifiers::SHIFT;
    hand.drag(LEFT, (-50.0, 300.0), (320.0, 30.0));
    assert_eq!(hand.selected(), ["a", "b"]);
    hand.drag(LEFT, (900.0, 300.0), (560.0, -80.0));
    assert_eq!(hand.selected(), ["c"]);
    assert_eq!(hand.selection.frames(), [FrameId("f".into())]);
    hand.mods = Modifiers::SHIFT | Modifiers::COMMAND;
    hand.drag(LEFT, (-50.0, 300.0), (20.0, 30.0));
    assert_eq!(hand.selected(), ["c", "a"]);
}

#[test]
fn double_click_types_a_command_or_makes_a_node() {
    let mut hand = Hand::new();
    hand.press(LEFT, 10.0, 20.0);
    hand.release(LEFT, 10.0, 20.0, true);
    assert!(
        matches!(hand.wishes.as_slice(), [Wish::Act(Action::BeginEdit(id))] if id.as_str() == "a")
    );
    hand.wishes.clear();
    hand.press(LEFT, 200.0, 300.0);
    hand.release(LEFT, 200.0, 300.0, true);
    assert!(matches!(
        hand.wishes.as_slice(),
        [Wish::Act(Action::NewNodeAt {
            pos: Point { x: 100.0, y: 272.0 },
            from: None
        })]
    ));
}

#[test]
fn right_click_selects_what_lies_there_and_opens_its_menu() {
    let mut hand = Hand::new();
    hand.press(RIGHT, 10.0, 20.0);
    hand.release(RIGHT, 11.0, 20.0, false);
    assert_eq!(hand.selected(), ["a"]);
    assert!(matches!(hand.wishes.as_slice(), [Wish::Menu(Hit::Node(id), _)] if id.as_str() == "a"));
}

#[test]
fn a_frame_takes_its_nodes_along_in_one_edit() {
    let mut hand = Hand::new();
    hand.drag(LEFT, (600.0, -30.0), (600.0, 70.0));
    let Some(Edit::Batch(edits)) = hand.edit() else {
        panic!("one batch expected");
    };
    assert_eq!(
        edits[0],
        Edit::Move(vec![("c".into(), Point { x: 600.0, y: 100.0 })])
    );
    assert!(
        matches!(&edits[1], Edit::SetFlow(FlowField::Frames(frames)) if frames[0].rect.y == 60.0)
    );
}

#[test]
fn a_frame_is_resized_by_its_corner_and_never_vanishes() {
    let mut hand = Hand::new();
    hand.drag(LEFT, (835.0, 95.0), (100.0, 145.0));
    let Some(Edit::SetFlow(FlowField::Frames(frames))) = hand.edit() else {
        panic!("frames expected");
    };
    assert_eq!((frames[0].rect.w, frames[0].rect.h), (80.0, 190.0));
}

#[test]
fn a_second_button_does_not_end_a_drag() {
    let mut hand = Hand::new();
    hand.press(LEFT, 10.0, 20.0);
    hand.move_to(60.0, 20.0);
    hand.press(RIGHT, 60.0, 20.0);
    hand.release(RIGHT, 60.0, 20.0, false);
    assert!(!hand.gesture.is_idle());
    hand.release(LEFT, 60.0, 20.0, false);
    assert!(hand.edit().is_some());
}

/// The hand over a -> b, with c bare.
fn hand_with_an_edge() -> Hand {
    let mut hand = Hand::new();
    let edge = EdgeSpec {
        edge: Edge {
            id: "ab".into(),
            kind: EdgeKind::NonBlocking,
        },
        source: "a".into(),
        target: "b".into(),
    };
    hand.flow.graph.add_edge(edge).expect("both ends are there");
    hand.scene = Scene::new(&hand.flow);
    hand
}

#[test]
fn a_bare_node_dropped_on_an_edge_is_set_into_it_in_one_step() {
    let mut hand = hand_with_an_edge();
    hand.drag(LEFT, (610.0, 20.0), (160.0, 20.0));
    let Some(edit) = hand.edit() else {
        panic!("an edit expected");
    };
    let before = hand.flow.clone();
    let inverse = edit.apply(&mut hand.flow).expect("it can be made");
    let ends: Vec<(&str, &str, EdgeKind)> = hand
        .flow
        .graph
        .edges()
        .map(|(source, target, edge)| (source.id.as_str(), target.id.as_str(), edge.kind))
        .collect();
    assert_eq!(
        ends,
        [
            ("a", "c", EdgeKind::NonBlocking),
            ("c", "b", EdgeKind::NonBlocking)
        ]
    );
    inverse.apply(&mut hand.flow).expect("it can be undone");
    assert_eq!(hand.flow, before);
}

#[test]
fn a_node_with_edges_of_its_own_is_only_moved_over_an_edge() {
    let mut hand = hand_with_an_edge();
    let own = connect(&hand.flow, &"c".into(), &"a".into(), EdgeKind::Blocking);
    own.expect("a new edge")
        .apply(&mut hand.flow)
        .expect("made");
    hand.scene = Scene::new(&hand.flow);
    hand.drag(LEFT, (610.0, 20.0), (160.0, 20.0));
    assert!(matches!(hand.edit(), Some(Edit::Move(_))));
}

#[test]
fn with_ctrl_a_drag_comes_to_stand_on_the_grid() {
    let mut hand = Hand::new();
    hand.press(LEFT, 10.0, 20.0);
    hand.move_to(40.0, 40.0);
    hand.mods = Modifiers::COMMAND;
    hand.move_to(45.0, 49.0);
    hand.release(LEFT, 45.0, 49.0, false);
    let Some(Edit::Move(moves)) = hand.edit() else {
        panic!("a move expected");
    };
    let (_, to) = moves[0].clone();
    assert_eq!((to.x % GRID, to.y % GRID), (0.0, 0.0), "{to:?}");
    assert_ne!(to, Point::default());
}
