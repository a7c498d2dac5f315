//! What each test sits at, and journeys by key and by name.

use std::sync::Arc;

use egui::{Key, Modifiers, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;

use super::fakes::{Fake, NOW, Shared, flow_ref, world};
use crate::app::{App, Ports};
use crate::model::{Choice, Counts, RunSummary, Timestamp};
use crate::runtime::{FlowBoard, Order};

pub fn window(world: &Shared, open: &[&str]) -> Harness<'static, Stage> {
    let ports = Ports {
        engine: Box::new(Fake(world.clone())),
        files: Box::new(Fake(world.clone())),
        memory: Box::new(Fake(world.clone())),
        desktop: Box::new(Fake(world.clone())),
    };
    let open: Vec<std::path::PathBuf> = open.iter().map(Into::into).collect();
    let mut made = Some((ports, open));
    let mut harness = Harness::builder()
        .with_size(vec2(1400.0, 900.0))
        .build_ui_state(
            move |ui, stage: &mut Stage| {
                if let Some((ports, open)) = made.take() {
                    let mut app = App::new(ui.ctx(), ports, open);
                    app.set_zone(jiff::tz::TimeZone::UTC);
                    // Its faces are there from the next pass on.
                    stage.0 = Some(app);
                } else if let Some(app) = &mut stage.0 {
                    app.pass(ui);
                }
            },
            Stage(None),
        );
    harness.run_steps(5);
    harness
}

/// The window, once its first pass has made it.
pub struct Stage(Option<App>);

impl std::ops::DerefMut for Stage {
    fn deref_mut(&mut self) -> &mut App {
        self.0.as_mut().expect("made in the first pass")
    }
}

impl std::ops::Deref for Stage {
    type Target = App;
    fn deref(&self) -> &App {
        self.0.as_ref().expect("made in the first pass")
    }
}

pub fn opened() -> (Shared, Harness<'static, Stage>) {
    let world = world();
    let harness = window(&world, &["/c/claims/flow_modules/orders.graphml"]);
    (world, harness)
}

pub fn press(harness: &mut Harness<'_, Stage>, modifiers: Modifiers, key: Key) {
    harness.key_press_modifiers(modifiers, key);
    harness.run_steps(4);
}

pub fn click(harness: &mut Harness<'_, Stage>, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(4);
}

pub fn runs(world: &Shared) -> Vec<Choice> {
    let world = world.borrow();
    let orders = world.orders.iter();
    orders
        .filter_map(|order| match order {
            Order::StartRun { choice, .. } => Some(choice.clone()),
            _ => None,
        })
        .collect()
}

pub fn n_nodes(harness: &Harness<'_, Stage>) -> usize {
    let doc = harness.state().view.doc().expect("open");
    doc.flow().graph.n_nodes()
}

#[test]
fn keys_reach_their_verbs() {
    let (world, mut harness) = opened();
    press(&mut harness, Modifiers::NONE, Key::R);
    assert_eq!(runs(&world), [Choice::Auto]);
    click(&mut harness, "step b");
    press(&mut harness, Modifiers::NONE, Key::R);
    press(&mut harness, Modifiers::COMMAND, Key::Enter);
    let chosen = vec!["b".into()];
    assert_eq!(
        runs(&world)[1..],
        [Choice::Selection(chosen.clone()), Choice::From(chosen)]
    );
    press(&mut harness, Modifiers::NONE, Key::D);
    assert_eq!(n_nodes(&harness), 3);
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    assert_eq!(n_nodes(&harness), 4);
}

#[test]
fn a_key_that_cannot_be_followed_says_why() {
    let (world, mut harness) = opened();
    press(&mut harness, Modifiers::SHIFT, Key::R);
    assert!(runs(&world).is_empty());
    harness.get_by_label("Nothing failed, was stopped or interrupted");
}

#[test]
fn typing_in_a_field_triggers_no_key() {
    let (world, mut harness) = opened();
    harness.get_by_label("Find flow").click();
    harness.run_steps(2);
    harness.get_by_label("Find flow").type_text("rdr");
    harness.key_press(Key::R);
    harness.key_press(Key::D);
    harness.run_steps(4);
    assert!(runs(&world).is_empty());
    assert_eq!(n_nodes(&harness), 4);
    assert_eq!(harness.state().view.flow_filter, "rdr");
    // Ctrl+S is no text.
    press(&mut harness, Modifiers::COMMAND, Key::K);
    assert!(harness.state().view.palette.is_some());
}

#[test]
fn the_palette_runs_a_verb() {
    let (world, mut harness) = opened();
    press(&mut harness, Modifiers::COMMAND, Key::K);
    harness.get_by_label("Palette").type_text("whole flow");
    harness.run_steps(3);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(runs(&world), [Choice::Full]);
    assert!(harness.state().view.palette.is_none());
}

#[test]
fn a_field_of_the_inspector_makes_one_undo_step() {
    let (_world, mut harness) = opened();
    click(&mut harness, "step b");
    let field = harness.get_by_label("Title");
    field.click();
    harness.run_steps(2);
    for letter in ["!", "?", "!"] {
        harness.get_by_label("Title").type_text(letter);
        harness.run_steps(1);
    }
    // Left by a click on another node: nothing typed is lost.
    click(&mut harness, "step c");
    let title = |harness: &Harness<'_, Stage>| {
        let doc = harness.state().view.doc().expect("open");
        doc.flow()
            .graph
            .node(&"b".into())
            .expect("there")
            .title
            .clone()
    };
    let typed = title(&harness);
    assert_eq!(typed.len(), "step b".len() + 3, "{typed}");
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    assert_eq!(title(&harness), "step b");
    assert!(!harness.state().view.doc().expect("open").can_undo());
}

#[test]
fn connecting_follows_the_order_of_the_selection() {
    let (_world, mut harness) = opened();
    click(&mut harness, "step d");
    harness
        .get_by_label("step c")
        .click_modifiers(Modifiers::SHIFT);
    harness.run_steps(3);
    press(&mut harness, Modifiers::NONE, Key::E);
    let doc = harness.state().view.doc().expect("open");
    assert!(doc.flow().graph.edge(&"d->c".into()).is_some());
}

#[test]
fn escape_closes_a_dialog_though_its_field_has_the_keyboard() {
    let (_world, mut harness) = opened();
    press(&mut harness, Modifiers::NONE, Key::P);
    harness.get_by_label("Use wrapper");
    harness.run_steps(3);
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(harness.query_by_label("Use wrapper").is_none());
}

#[test]
fn what_cannot_be_taken_from_a_field_is_said() {
    let (_world, mut harness) = opened();
    click(&mut harness, "step b");
    harness.get_by_label("Timeout").click();
    harness.run_steps(2);
    harness.get_by_label("Timeout").type_text("soon");
    harness.run_steps(2);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    harness.run_steps(3);
    let said = harness
        .query_all_by_label_contains("‘soon’ is not a duration")
        .count();
    assert!(said > 0);
    assert!(!harness.state().view.doc().expect("open").can_undo());
}

/// Sets how the flow stands.
pub fn stands(world: &Shared, flow: FlowBoard) {
    let flow = FlowBoard {
        loaded: true,
        ..flow
    };
    let flows = &mut world.borrow_mut().board.flows;
    flows.insert(flow_ref(), Arc::new(flow));
}

pub fn live_run() -> RunSummary {
    RunSummary {
        id: "r1".into(),
        choice: "full".into(),
        resumes: None,
        started: Timestamp(NOW.0 - 5_000_000),
        ended: None,
        outcome: None,
        counts: Counts::default(),
        ran_on: None,
    }
}

#[test]
fn item_68_a_flow_shows_how_it_is_set_up() {
    let (_world, harness) = opened();
    // What the other program calls Flow, Group and Max Parallel; State stands on the toolbar and in the sidebar. Mode,
    // interval, settling, source and target come with triggers.
    for field in [
        "Title",
        "Group",
        "Working folder",
        "Environment",
        "Shell",
        "Nodes at once",
        "Passes of one node at most",
    ] {
        harness.get_by_label(field);
    }
}
