//! The canvas as a person uses it: nodes and edges found by their names, a real pointer and keys.
//! The little shell below applies what the canvas asks for, as the real one does.

use std::sync::Arc;

use egui::{Event, Key, Modifiers, PointerButton, Pos2, Vec2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};

use super::*;
use crate::app::{Action, Selection, Theme, Verb};
use crate::model::{
    Edge, EdgeKind, EdgeSpec, Edit, Exit, Flow, Node, NodeId, NodeState, NodeStatus, Point,
    Timestamp,
};
use crate::runtime::FlowBoard;

struct Shell {
    flow: Arc<Flow>,
    revision: u64,
    selection: Selection,
    canvas: CanvasState,
    board: FlowBoard,
    edits: Vec<Edit>,
    verbs: Vec<Verb>,
}

impl Shell {
    fn perform(&mut self, action: Action) {
        match action {
            Action::Edit(edit) => self.apply(edit),
            Action::EditAndSelect(edit, nodes) => {
                self.apply(edit);
                self.selection.replace(nodes, vec![], vec![]);
            }
            Action::Select {
                nodes,
                edges,
                frames,
            } => self.selection.replace(nodes, edges, frames),
            Action::BeginEdit(id) => self.canvas.begin_edit(id),
            Action::NewNodeAt { pos, from } => {
                let id = self.flow.graph.free_node_id();
                let edges = from
                    .map(|(source, kind)| EdgeSpec {
                        edge: Edge {
                            id: self.flow.graph.free_edge_id(&source, &id),
                            kind,
                        },
                        source,
                        target: id.clone(),
                    })
                    .into_iter()
                    .collect();
                self.apply(Edit::Add {
                    nodes: vec![Node::new(id.as_str(), "", pos)],
                    edges,
                });
                self.selection = Selection::of_node(id.clone());
                self.canvas.begin_edit(id);
            }
            Action::Do(verb) => self.verbs.push(verb),
            other => panic!("not asked for by a canvas: {other:?}"),
        }
    }

    fn apply(&mut self, edit: Edit) {
        self.edits.push(edit.clone());
        edit.apply(Arc::make_mut(&mut self.flow))
            .expect("a canvas asks for valid edits");
        self.revision += 1;
    }

    fn command(&self, id: &str) -> &str {
        &self
            .flow
            .graph
            .node(&id.into())
            .expect("node is there")
            .command
    }
}

fn info(verb: Verb) -> VerbInfo {
    VerbInfo {
        name: format!("{verb:?}"),
        key_text: "K".into(),
        disabled_because: (verb == Verb::Stop).then(|| "Nothing runs".into()),
    }
}

/// Two nodes side by side and one below, seen at zoom 1.
fn harness() -> Harness<'static, Shell> {
    let mut flow = Flow::default();
    for (id, title, x, y) in [
        ("a", "Fetch", 0.0, 0.0),
        ("b", "Clean", 300.0, 0.0),
        ("c", "Report", 0.0, 200.0),
    ] {
        let mut node = Node::new(id, format!("echo {id}"), Point { x, y });
        node.title = title.into();
        flow.graph.add_node(node).expect("fresh id");
    }
    harness_of(flow)
}

fn harness_of(flow: Flow) -> Harness<'static, Shell> {
    let board = FlowBoard {
        loaded: true,
        ..FlowBoard::default()
    };
    let shell = Shell {
        flow: Arc::new(flow),
        revision: 0,
        selection: Selection::default(),
        canvas: CanvasState::default(),
        board,
        edits: Vec::new(),
        verbs: Vec::new(),
    };
    let theme = Theme::dark();
    let mut harness = Harness::builder()
        .with_size(vec2(900.0, 600.0))
        .with_step_dt(1.0 / 60.0)
        .build_ui_state(
            move |ui, shell: &mut Shell| {
                let mut actions = Vec::new();
                let input = CanvasInput {
                    doc_id: 1,
                    flow: &shell.flow,
                    revision: shell.revision,
                    board: Some(&shell.board),
                    preview: None,
                    selection: &shell.selection,
                    theme: &theme,
                    now: Timestamp(10_000_000),
                    enabled: true,
                    minimap: true,
                    verb_info: &info,
                };
                canvas_ui(ui, &input, &mut shell.canvas, &mut actions);
                for action in actions {
                    shell.perform(action);
                }
            },
            shell,
        );
    harness.run();
    harness
}

fn middle(h: &Harness<'_, Shell>, label: &str) -> Pos2 {
    h.get_by_label(label).rect().center()
}

fn drag(h: &mut Harness<'_, Shell>, button: PointerButton, from: Pos2, to: Pos2, mods: Modifiers) {
    let press = |pos, pressed| Event::PointerButton {
        pos,
        button,
        pressed,
        modifiers: mods,
    };
    h.event_modifiers(Event::PointerMoved(from), mods);
    h.step();
    h.event_modifiers(press(from, true), mods);
    h.step();
    for t in [0.3, 0.7, 1.0] {
        h.event_modifiers(Event::PointerMoved(from.lerp(to, t)), mods);
        h.step();
    }
    h.event_modifiers(press(to, false), mods);
    h.run();
}

fn selected(h: &Harness<'_, Shell>) -> Vec<String> {
    let ids = h.state().selection.nodes();
    ids.iter().map(ToString::to_string).collect()
}

fn double_click(h: &mut Harness<'_, Shell>, pos: Pos2) {
    h.event(Event::PointerMoved(pos));
    h.step();
    for pressed in [true, false, true, false] {
        h.event(Event::PointerButton {
            pos,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        });
        h.step();
    }
    h.run();
}

#[test]
fn a_click_on_a_name_selects_the_node_and_one_on_nothing_deselects() {
    let mut h = harness();
    h.get_by_label("Clean").click();
    h.run();
    assert_eq!(selected(&h), ["b"]);
    h.get_by_label("Fetch").click_modifiers(Modifiers::SHIFT);
    h.run();
    assert_eq!(selected(&h), ["b", "a"]);
    let empty = middle(&h, "Clean") + vec2(0.0, 250.0);
    drag(
        &mut h,
        PointerButton::Primary,
        empty,
        empty,
        Modifiers::NONE,
    );
    assert!(selected(&h).is_empty());
}

#[test]
fn a_screen_reader_can_press_and_focus_a_node() {
    let mut h = harness();
    h.get_by_label("Clean").click_accesskit();
    h.run();
    assert_eq!(selected(&h), ["b"]);
    h.get_by_label("Report").focus();
    h.run();
    assert!(h.get_by_label("Report").is_focused());
    assert_eq!(selected(&h), ["c"]);
}

#[test]
fn a_drag_moves_the_node_in_one_edit_and_shows_it_meanwhile() {
    let mut h = harness();
    let from = middle(&h, "Fetch");
    let press = Event::PointerButton {
        pos: from,
        button: PointerButton::Primary,
        pressed: true,
        modifiers: Modifiers::NONE,
    };
    h.event(Event::PointerMoved(from));
    h.step();
    h.event(press);
    h.step();
    h.event(Event::PointerMoved(from + vec2(30.0, 50.0)));
    h.step();
    h.step();
    assert!(h.state().edits.is_empty(), "nothing is edited meanwhile");
    assert_eq!(middle(&h, "Fetch"), from + vec2(30.0, 50.0));
    h.event(Event::PointerButton {
        pos: from + vec2(30.0, 50.0),
        button: PointerButton::Primary,
        pressed: false,
        modifiers: Modifiers::NONE,
    });
    h.run();
    let to = Point { x: 30.0, y: 50.0 };
    assert_eq!(h.state().edits, [Edit::Move(vec![("a".into(), to)])]);
    assert_eq!(middle(&h, "Fetch"), from + vec2(30.0, 50.0));
}

#[test]
fn esc_cancels_a_drag_without_an_edit() {
    let mut h = harness();
    let from = middle(&h, "Fetch");
    let button = |pressed| Event::PointerButton {
        pos: from,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    h.event(Event::PointerMoved(from));
    h.step();
    h.event(button(true));
    h.step();
    h.event(Event::PointerMoved(from + vec2(90.0, 90.0)));
    h.step();
    assert!(h.state().canvas.holds_keys());
    h.key_press(Key::Escape);
    h.step();
    h.event(button(false));
    h.run();
    assert!(h.state().edits.is_empty());
    assert_eq!(middle(&h, "Fetch"), from);
}

#[test]
fn right_drags_join_nodes_and_the_edges_have_names() {
    let mut h = harness();
    let (a, b, c) = (
        middle(&h, "Fetch"),
        middle(&h, "Clean"),
        middle(&h, "Report"),
    );
    let both = Modifiers::COMMAND | Modifiers::SHIFT;
    drag(&mut h, PointerButton::Secondary, a, b, Modifiers::NONE);
    drag(&mut h, PointerButton::Secondary, a, c, both);
    drag(&mut h, PointerButton::Secondary, a, b, Modifiers::NONE);
    assert_eq!(h.state().edits.len(), 2, "the third is there already");
    let blocking = h.get_by_label("Fetch → Clean, blocking");
    assert_eq!(
        blocking.accesskit_node().description().as_deref(),
        Some("not fired")
    );
    h.get_by_label("Fetch → Report, non-blocking").click();
    h.run();
    assert_eq!(h.state().selection.edges().len(), 1);
    assert!(selected(&h).is_empty());
}

#[test]
fn an_edge_dropped_on_nothing_makes_a_connected_node_and_types_it() {
    let mut h = harness();
    let from = middle(&h, "Clean");
    drag(
        &mut h,
        PointerButton::Secondary,
        from,
        from + vec2(0.0, 220.0),
        Modifiers::NONE,
    );
    assert_eq!(h.state().flow.graph.n_nodes(), 4);
    assert_eq!(h.state().flow.graph.n_edges(), 1);
    h.event(Event::Text("sleep 1".into()));
    h.run();
    h.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    h.run();
    assert_eq!(h.state().command("n4"), "sleep 1");
}

#[test]
fn the_handle_of_a_hovered_node_draws_an_edge() {
    let mut h = harness();
    let a = h.get_by_label("Fetch").rect();
    let b = middle(&h, "Clean");
    h.hover_at(a.center());
    h.run();
    let handle = a.right_center() + vec2(2.0, 0.0);
    drag(&mut h, PointerButton::Primary, handle, b, Modifiers::NONE);
    assert!(h.query_by_label("Fetch → Clean, blocking").is_some());
}

#[test]
fn double_click_types_the_command_in_place_with_tabs_and_newlines() {
    let mut h = harness();
    let a = middle(&h, "Fetch");
    double_click(&mut h, a);
    assert!(h.get_by_label("Command of a").is_focused());
    h.key_press(Key::Enter);
    h.key_press(Key::Tab);
    h.event(Event::Text("more".into()));
    h.run();
    assert!(h.state().edits.is_empty(), "not before it is kept");
    h.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    h.run();
    assert_eq!(h.state().command("a"), "echo a\n\tmore");
    assert_eq!(h.state().edits.len(), 1);
    assert!(h.query_by_label("Command of a").is_none());
}

#[test]
fn esc_drops_what_was_typed_and_a_click_elsewhere_keeps_it() {
    let mut h = harness();
    let a = middle(&h, "Fetch");
    double_click(&mut h, a);
    h.event(Event::Text("!".into()));
    h.run();
    h.key_press(Key::Escape);
    h.run();
    assert_eq!(h.state().command("a"), "echo a");
    // Half a second, so that the next click is not the third of a row.
    h.run_steps(30);
    double_click(&mut h, a);
    h.event(Event::Text("!".into()));
    h.run();
    h.get_by_label("Report").click();
    h.run();
    assert_eq!(h.state().command("a"), "echo a!");
    assert_eq!(selected(&h), ["c"]);
}

#[test]
fn double_click_on_nothing_makes_a_node_and_types_it() {
    let mut h = harness();
    let empty = middle(&h, "Clean") + vec2(0.0, 250.0);
    double_click(&mut h, empty);
    h.event(Event::Text("true".into()));
    h.run();
    h.get_by_label("Fetch").click();
    h.run();
    assert_eq!(h.state().command("n4"), "true");
}

#[test]
fn shift_drag_selects_the_nodes_in_the_box() {
    let mut h = harness();
    let from = middle(&h, "Fetch") - vec2(150.0, 60.0);
    let to = middle(&h, "Clean") + vec2(0.0, 60.0);
    drag(&mut h, PointerButton::Primary, from, to, Modifiers::SHIFT);
    assert_eq!(selected(&h), ["a", "b"]);
}

#[test]
fn the_wheel_zooms_at_the_pointer_and_a_drag_on_nothing_pans() {
    let mut h = harness();
    let a = middle(&h, "Fetch");
    h.hover_at(a);
    h.run();
    h.event(Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: vec2(0.0, 120.0),
        modifiers: Modifiers::NONE,
        phase: egui::TouchPhase::Move,
    });
    h.run_steps(30);
    assert!(h.state().canvas.zoom() > 1.1);
    assert!((middle(&h, "Fetch") - a).length() < 1.0);
    let empty = middle(&h, "Clean") + vec2(0.0, 200.0);
    let by = vec2(-40.0, 30.0);
    drag(
        &mut h,
        PointerButton::Primary,
        empty,
        empty + by,
        Modifiers::NONE,
    );
    assert!((middle(&h, "Fetch") - a - by).length() < 1.0);
    assert!(h.state().edits.is_empty());
}

#[test]
fn the_palette_finds_a_snippet_by_name_and_enter_adds_it() {
    let mut h = harness();
    h.state_mut().canvas.ask(Verb::AddNode);
    h.run();
    h.event(Event::Text("sql".into()));
    h.run();
    h.key_press(Key::Enter);
    h.run();
    assert!(h.state().command("n4").starts_with("sqlite3"));
    assert_eq!(selected(&h), ["n4"]);
    assert!(!h.state().canvas.holds_keys(), "the palette is gone");
}

#[test]
fn what_is_typed_and_entered_at_once_is_taken_at_its_word() {
    let mut h = harness();
    h.state_mut().canvas.ask(Verb::AddNode);
    h.run();
    // A quick typist's text and Enter arrive in one frame.
    let enter = Event::Key {
        key: Key::Enter,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::NONE,
    };
    h.input_mut().events.push(Event::Text("poll".into()));
    h.input_mut().events.push(enter);
    h.run();
    assert!(h.state().command("n4").starts_with("until"));
    h.state_mut().canvas.ask(Verb::AddNode);
    h.run();
    h.event(Event::Text("make -j4 all".into()));
    h.run();
    h.key_press(Key::Enter);
    h.run();
    assert_eq!(h.state().command("n5"), "make -j4 all");
}

#[test]
fn the_palette_is_walked_with_arrows_and_left_with_esc() {
    let mut h = harness();
    h.state_mut().canvas.ask(Verb::AddNode);
    h.run();
    for _ in 0..2 {
        h.key_press(Key::ArrowDown);
        h.run();
    }
    assert!(h.get_by_label("Python script").is_focused());
    h.key_press(Key::Enter);
    h.run();
    assert_eq!(h.state().command("n4"), "python3 script.py");
    h.state_mut().canvas.ask(Verb::AddNode);
    h.run();
    h.key_press(Key::Escape);
    h.run();
    assert!(!h.state().canvas.holds_keys());
    assert_eq!(h.state().edits.len(), 1);
}

#[test]
fn a_right_click_opens_the_menu_of_the_node_and_tells_why_a_verb_is_off() {
    let mut h = harness();
    h.get_by_label("Clean").click_secondary();
    h.run();
    assert_eq!(selected(&h), ["b"]);
    assert!(
        h.get_by_label_contains("Stop")
            .accesskit_node()
            .is_disabled()
    );
    h.get_by_label_contains("ToggleMute").click();
    h.run();
    assert_eq!(h.state().verbs, [Verb::ToggleMute]);
    assert!(h.query_by_label_contains("ToggleMute").is_none());
}

#[test]
fn a_right_click_on_nothing_opens_the_palette_with_the_verbs_of_the_canvas() {
    let mut h = harness();
    let empty = middle(&h, "Clean") + vec2(0.0, 150.0);
    drag(
        &mut h,
        PointerButton::Secondary,
        empty,
        empty,
        Modifiers::NONE,
    );
    assert!(h.query_by_label("Poll until").is_some());
    h.get_by_label_contains("SelectAll").click();
    h.run();
    assert_eq!(h.state().verbs, [Verb::SelectAll]);
}

#[test]
fn a_node_tells_its_status_in_words() {
    let mut h = harness();
    let state = NodeState {
        status: NodeStatus::Failed,
        exit: Some(Exit::Code(67)),
        started: Some(Timestamp(0)),
        ended: Some(Timestamp(250_000)),
        pass: 3,
        ..NodeState::default()
    };
    h.state_mut().board.nodes = Arc::new([(NodeId::from("a"), state)].into());
    h.run();
    let told =
        |h: &Harness<'_, Shell>, label: &str| h.get_by_label(label).accesskit_node().description();
    assert_eq!(
        told(&h, "Fetch").as_deref(),
        Some("status failed, exit 67, 250ms, pass 3")
    );
    assert_eq!(told(&h, "Clean").as_deref(), Some("status idle"));
    h.state_mut().board.loaded = false;
    h.run();
    assert_eq!(told(&h, "Clean").as_deref(), Some("status not known yet"));
}

#[test]
fn a_canvas_at_rest_asks_for_no_frame_and_a_running_node_for_ten_a_second() {
    let mut h = harness();
    h.step();
    let delay = |h: &Harness<'_, Shell>| {
        let output = h.output();
        output.viewport_output[&egui::ViewportId::ROOT].repaint_delay
    };
    assert_eq!(delay(&h), std::time::Duration::MAX);
    let state = NodeState {
        status: NodeStatus::Running,
        started: Some(Timestamp(0)),
        ..NodeState::default()
    };
    h.state_mut().board.nodes = Arc::new([(NodeId::from("a"), state)].into());
    h.run();
    // egui takes the length of a frame off, so as not to come late.
    let wait = delay(&h).as_millis();
    assert!((80..=100).contains(&wait), "{wait} ms");
}

#[test]
fn an_empty_flow_and_a_tiny_view_are_drawn() {
    let mut h = harness_of(Flow::default());
    h.get_by_label("Canvas, 0 nodes, 0 edges");
    h.set_size(Vec2::splat(3.0));
    h.run();
    let mut h = harness();
    h.get_by_label("Canvas, 3 nodes, 0 edges");
    h.set_size(Vec2::splat(3.0));
    h.run();
}

#[test]
fn a_selected_node_out_of_view_is_still_told() {
    let mut h = harness();
    h.get_by_label("Fetch").click();
    h.run();
    let empty = middle(&h, "Clean") + vec2(0.0, 200.0);
    for _ in 0..5 {
        drag(
            &mut h,
            PointerButton::Primary,
            empty,
            empty + vec2(-400.0, 0.0),
            Modifiers::NONE,
        );
    }
    assert!(h.query_by_label("Clean").is_none());
    assert!(h.query_by_label("Fetch").is_some());
    assert_eq!(
        EdgeKind::default(),
        EdgeKind::Blocking,
        "the plain drag's kind"
    );
}

#[test]
fn a_view_of_another_size_fits_anew_until_a_hand_moves_it() {
    let mut h = harness();
    h.state_mut().canvas.ask(Verb::FrameAll);
    h.run_steps(2);
    let fitted = h.state().canvas.zoom();
    h.set_size(vec2(420.0, 300.0));
    h.run_steps(2);
    let smaller = h.state().canvas.zoom();
    assert!(smaller < fitted, "{smaller} {fitted}");
    h.state_mut().canvas.ask(Verb::ZoomReset);
    h.run_steps(2);
    h.set_size(vec2(900.0, 600.0));
    h.run_steps(2);
    assert_eq!(h.state().canvas.zoom(), 1.0, "what was set stays");
}

#[test]
fn a_dashed_edge_as_long_as_a_workfile_may_say_is_drawn_where_it_is_seen() {
    let mut flow = Flow::default();
    for (id, x) in [("a", 0.0), ("b", 1e9)] {
        let node = Node::new(id, "true", Point { x, y: 0.0 });
        flow.graph.add_node(node).expect("fresh id");
    }
    let edge = Edge {
        id: "e".into(),
        kind: EdgeKind::NonBlocking,
    };
    let (source, target) = ("a".into(), "b".into());
    let spec = EdgeSpec {
        edge,
        source,
        target,
    };
    flow.graph.add_edge(spec).expect("known ends");
    // Without a bound, this would dash for ever at the first frame.
    let mut h = harness_of(flow);
    h.state_mut().canvas.ask(Verb::ZoomIn);
    h.run();
    assert!(h.state().canvas.zoom() > 0.3);
}
