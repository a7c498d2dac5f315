//! What a screen reader is told, page by page: whatever can be pressed or typed into has a name, and no two buttons of
//! one pane have the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use egui::accesskit::{Action as Act, Node, NodeId, Role};
use egui::{Key, Modifiers, Pos2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable};

use super::fakes::{NOW, Shared, flow_ref, with_finance, world};
use super::journeys::{Stage, click, live_run, opened, press, stands, window};
use super::past::{answer_comparison, past_run};
use crate::app::action::{Action, Verb};
use crate::app::control::seat;
use crate::model::{NodeState, NodeStatus, Notice, Outcome};
use crate::runtime::control::ControlBoard;
use crate::runtime::{FlowBoard, KillScope};

const ORDERS: &str = "/c/claims/flow_modules/orders.graphml";

/// Every node that the last frame told.
fn told(harness: &Harness<'_, Stage>) -> BTreeMap<NodeId, Node> {
    let nodes = harness.root().children_recursive();
    let nodes = nodes.map(|node| {
        let node = node.accesskit_node();
        (node.locate().0, node.data().clone())
    });
    nodes.collect()
}

/// Where a node lies: the pane, or what stands over the window.
fn pane(harness: &Harness<'_, Stage>, node: &Node) -> &'static str {
    let Some(at) = node.bounds() else {
        return "nowhere";
    };
    let ratio = f64::from(harness.ctx.pixels_per_point());
    let at = Pos2::new(
        ((at.x0 + at.x1) / 2.0 / ratio) as f32,
        ((at.y0 + at.y1) / 2.0 / ratio) as f32,
    );
    let all = harness.ctx.content_rect();
    let room = harness.state().view.room;
    let bottom = all.bottom() - 28.0 - room.bottom.unwrap_or_default();
    match at {
        at if at.y < 44.0 => "toolbar",
        at if at.y > all.bottom() - 28.0 => "footer",
        at if at.x < room.sidebar.unwrap_or_default() => "sidebar",
        at if at.x > all.right() - room.inspector.unwrap_or_default() => "inspector",
        at if at.y > bottom => "bottom",
        _ => "center",
    }
}

/// What a screen reader says of a node: its name, else those that name it, else the text that it shows.
fn spoken(all: &BTreeMap<NodeId, Node>, node: &Node) -> String {
    let own = |node: &Node| {
        let shows = node.value().filter(|_| node.role() == Role::Label);
        let own = node.label().or(shows).unwrap_or_default();
        own.trim().to_owned()
    };
    let name = own(node);
    if !name.is_empty() {
        return name;
    }
    let by = node.labelled_by().iter().filter_map(|id| all.get(id));
    by.map(own).collect::<Vec<_>>().join(" ")
}

/// What is wrong with a page; `before` are the nodes that something else owns, which stands below it.
fn flaws(harness: &Harness<'_, Stage>, before: &BTreeSet<NodeId>) -> Vec<String> {
    let all = told(harness);
    let mut flaws = Vec::new();
    let mut names: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for (id, node) in &all {
        if before.contains(id) {
            continue;
        }
        let types = matches!(node.role(), Role::TextInput | Role::MultilineTextInput);
        let presses = node.supports_action(Act::Click) && !node.is_hidden();
        let name = spoken(&all, node);
        // What holds others and only catches clicks, so that they reach nothing below it.
        let is_ground = matches!(
            node.role(),
            Role::Unknown | Role::GenericContainer | Role::Window
        ) && !node.children().is_empty();
        // It has no keys and no meaning apart from what it scrolls.
        let scrolls = node.role() == Role::ScrollBar;
        if (types || presses) && name.is_empty() && !is_ground && !scrolls {
            flaws.push(format!(
                "{:?} without a name at {:?}",
                node.role(),
                node.bounds()
            ));
        }
        if types || node.role() == Role::Button {
            *names.entry((pane(harness, node), name)).or_default() += 1;
        }
    }
    let twice = names.into_iter().filter(|(_, n)| *n > 1);
    flaws.extend(twice.map(|((pane, name), n)| format!("{n} times ‘{name}’ in the {pane}")));
    flaws
}

/// Checks what came onto the window with `open`.
fn check(
    page: &str,
    harness: &mut Harness<'static, Stage>,
    open: impl FnOnce(&mut Harness<'static, Stage>),
) {
    harness.run_steps(2);
    let before: BTreeSet<NodeId> = told(harness).into_keys().collect();
    open(harness);
    harness.run_steps(4);
    let fresh = told(harness).into_keys().filter(|id| !before.contains(id));
    assert!(fresh.count() > 2, "{page} did not open");
    let flaws = flaws(harness, &before);
    assert!(flaws.is_empty(), "{page}:\n{}", flaws.join("\n"));
}

fn ask(verb: Verb) -> impl FnOnce(&mut Harness<'static, Stage>) {
    move |harness| harness.state_mut().ask(Action::Do(verb))
}

fn running() -> FlowBoard {
    let state = NodeState {
        status: NodeStatus::Running,
        run: Some("r1".into()),
        started: Some(NOW),
        ..NodeState::default()
    };
    FlowBoard {
        live: Some(live_run()),
        nodes: Arc::new([("a".into(), state)].into()),
        history: Arc::new(vec![
            past_run("r3", 3, Outcome::Succeeded),
            past_run("r2", 30, Outcome::Failed),
        ]),
        ..FlowBoard::default()
    }
}

fn under(world: &Shared, situation: &str) {
    let seat = seat(situation);
    let mut world = world.borrow_mut();
    let control = ControlBoard {
        status: seat.status,
        at: world.boot,
        policy: seat.policy,
        held_by: seat.held_by,
    };
    let all = Arc::make_mut(&mut world.board.control);
    all.insert("claims-1".into(), Arc::new(control));
}

#[test]
fn whatever_can_be_pressed_in_the_main_window_has_a_name_of_its_own() {
    let nothing = BTreeSet::new();
    let whole = |page: &str, harness: &Harness<'_, Stage>| {
        let flaws = flaws(harness, &nothing);
        assert!(flaws.is_empty(), "{page}:\n{}", flaws.join("\n"));
    };
    let empty = world();
    empty.borrow_mut().board.catalog = Arc::default();
    whole("no collection", &window(&empty, &[]));
    let world = world();
    with_finance(&world);
    let mut harness = window(&world, &[ORDERS]);
    whole("a flow", &harness);
    stands(&world, running());
    world.borrow_mut().board.notices = Arc::new(vec![(1, Notice::error("It broke.", "Mend it."))]);
    harness.run_steps(3);
    whole("a run", &harness);
    for node in ["step a", "step b"] {
        harness.get_by_label(node).click_modifiers(Modifiers::SHIFT);
        harness.run_steps(4);
        whole(node, &harness);
    }
    for pane in ["Timeline", "Problems"] {
        click(&mut harness, pane);
        whole(pane, &harness);
    }
    for situation in [
        "watching silent=10",
        "owner asks=wsB:12 runs=1 nodes=1",
        "free late",
    ] {
        under(&world, situation);
        harness.run_steps(3);
        whole(situation, &harness);
    }
    let broken = window(&world, &["/c/claims/flow_modules/broken.graphml"]);
    whole("a broken file", &broken);
}

#[test]
fn whatever_can_be_pressed_in_a_dialog_has_a_name_of_its_own() {
    for (page, verb) in [
        ("keys", Verb::ShowKeys),
        ("wrapper", Verb::EditWrapper),
        ("a path", Verb::Open),
        ("older versions", Verb::OlderVersions),
        ("palette", Verb::CommandPalette),
        ("nodes", Verb::FindNode),
        ("settings", Verb::ShowSettings),
    ] {
        let (_world, mut harness) = opened();
        check(page, &mut harness, ask(verb));
    }
    for section in [
        "Collection",
        "Look",
        "Runs",
        "History",
        "Diagnostics",
        "Kill switch",
    ] {
        let (world, mut harness) = opened();
        stands(&world, running());
        check(section, &mut harness, |harness| {
            press(harness, Modifiers::COMMAND, Key::Comma);
            click(harness, &format!("Section {section}"));
        });
    }
    for (page, verb) in [("kill", Verb::KillRun), ("quit", Verb::Quit)] {
        let (world, mut harness) = opened();
        stands(&world, running());
        check(page, &mut harness, ask(verb));
    }
    let (_world, mut harness) = opened();
    click(&mut harness, "step d");
    press(&mut harness, Modifiers::NONE, Key::D);
    check("close", &mut harness, ask(Verb::CloseTab));
    let (world, mut harness) = opened();
    stands(&world, running());
    harness.run_steps(2);
    check("killing", &mut harness, |harness| {
        harness
            .state_mut()
            .ask(Action::Kill(KillScope::Run(flow_ref())));
        harness.run_steps(4);
        click(harness, "Kill");
    });
}

#[test]
fn whatever_can_be_pressed_about_control_has_a_name_of_its_own() {
    for (page, situation, verb) in [
        ("about", "owner", Verb::AboutControl),
        ("settings", "owner", Verb::ControlSettings),
        ("give up", "owner runs=1 nodes=1", Verb::GiveUpControl),
        (
            "hand over",
            "owner asks=wsB:12 runs=1 nodes=1",
            Verb::HandOver,
        ),
        ("take over", "watching silent=100", Verb::TakeOver),
    ] {
        let (world, mut harness) = opened();
        under(&world, situation);
        harness.run_steps(2);
        check(page, &mut harness, ask(verb));
    }
}

#[test]
fn whatever_can_be_pressed_among_past_runs_has_a_name_of_its_own() {
    let (world, mut harness) = opened();
    stands(&world, running());
    harness.run_steps(3);
    check("when", &mut harness, |harness| click(harness, "When"));
    press(&mut harness, Modifiers::NONE, Key::Escape);
    check("two runs", &mut harness, |harness| {
        click(harness, "Compare");
        let rows: Vec<String> = told(harness)
            .into_values()
            .filter_map(|node| node.label().map(str::to_owned))
            .filter(|label| label.starts_with("Run ") && label.contains(','))
            .collect();
        for row in &rows[rows.len() - 2..] {
            click(harness, row);
        }
        let runs = running().history;
        answer_comparison(&world, &[runs[0].clone(), runs[1].clone()]);
    });
}
