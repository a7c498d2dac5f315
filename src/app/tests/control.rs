//! Control between workstations, as the window shows it and answers.

use std::sync::Arc;
use std::time::Duration;

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};

use super::fakes::{Shared, with_finance, world};
use super::journeys::{Stage, click, press, runs, window};
use crate::app::control::seat;
use crate::model::WorkspaceId;
use crate::runtime::Order;
use crate::runtime::control::{ControlBoard, MachineId, Moment, Wish};

const ORDERS: &str = "/c/claims/flow_modules/orders.graphml";

/// Control of a workspace stands like this from now on.
fn stands(world: &Shared, workspace: &str, situation: &str) {
    let seat = seat(situation);
    let mut world = world.borrow_mut();
    let control = ControlBoard {
        status: seat.status,
        at: world.boot,
        policy: seat.policy,
        held_by: seat.held_by,
    };
    let all = Arc::make_mut(&mut world.board.control);
    all.insert(workspace.into(), Arc::new(control));
}

fn at(situation: &str) -> (Shared, Harness<'static, Stage>) {
    let world = world();
    with_finance(&world);
    let mut harness = window(&world, &[ORDERS]);
    stands(&world, "claims-1", situation);
    harness.run_steps(3);
    (world, harness)
}

fn wishes(world: &Shared) -> Vec<Wish> {
    let world = world.borrow();
    let orders = world.orders.iter();
    orders
        .filter_map(|order| match order {
            Order::Control { workspace, wish } => {
                assert_eq!(workspace.as_str(), "claims-1");
                Some(wish.clone())
            }
            _ => None,
        })
        .collect()
}

fn description(harness: &Harness<'_, Stage>, label: &str) -> String {
    let node = harness.get_by_label(label);
    node.accesskit_node().description().unwrap_or_default()
}

/// What the palette's Enter does for these letters.
fn do_by_name(harness: &mut Harness<'_, Stage>, name: &str) {
    press(harness, Modifiers::COMMAND, Key::K);
    harness.get_by_label("Palette").type_text(name);
    harness.run_steps(3);
    press(harness, Modifiers::NONE, Key::Enter);
}

fn wait_of(harness: &Harness<'_, Stage>) -> Duration {
    harness.output().viewport_output[&egui::ViewportId::ROOT].repaint_delay
}

#[test]
fn what_is_shown_is_kept_in_sight_and_what_is_no_longer_is_dropped() {
    let (world, mut harness) = at("owner");
    let told = |world: &Shared| {
        let mut world = world.borrow_mut();
        let orders = std::mem::take(&mut world.orders);
        let orders = orders.into_iter().filter_map(|order| match order {
            Order::KeepControl { workspace, root } => {
                Some(format!("keep {workspace} {}", root.display()))
            }
            Order::DropControl(workspace) => Some(format!("drop {workspace}")),
            _ => None,
        });
        orders.collect::<Vec<_>>()
    };
    assert_eq!(told(&world), ["keep claims-1 /c/claims"]);
    // Its flow stays open on the desk that is put away, so its control stays in sight.
    harness
        .state_mut()
        .ask(crate::app::Action::ShowWorkspace("finance-2".into()));
    harness.run_steps(3);
    assert_eq!(told(&world), ["keep finance-2 /c/finance"]);
    harness
        .state_mut()
        .ask(crate::app::Action::ShowWorkspace("claims-1".into()));
    harness.run_steps(3);
    assert_eq!(told(&world), ["drop finance-2"], "nothing of it is open");
}

#[test]
fn one_who_is_alone_sees_a_dot_and_reaches_the_settings_by_it() {
    let (world, mut harness) = at("owner");
    assert!(harness.query_by_label("Control menu").is_none(), "no bar");
    click(&mut harness, "This Workstation has control");
    harness.get_by_label("Control of ‘claims’ on this workstation");
    harness.run_steps(6);
    click(
        &mut harness,
        "Take over without asking when the owner is silent",
    );
    let set = |order: &Order| matches!(order, Order::SetPolicy { policy, .. } if policy.takes_over);
    assert!(
        world.borrow().orders.iter().any(set),
        "{:?}",
        world.borrow().orders
    );
    harness.get_by_label_contains("Control is not exclusive then");
    click(&mut harness, "Close");
    assert!(harness.query_by_label("Close").is_none());
}

#[test]
fn item_6_a_watcher_runs_nothing_is_told_why_and_may_edit() {
    let (world, mut harness) = at("watching silent=10");
    press(&mut harness, Modifiers::NONE, Key::R);
    harness.get_by_label("wsA currently has control of this workspace.");
    press(&mut harness, Modifiers::COMMAND, Key::R);
    assert_eq!(runs(&world), []);
    assert!(
        harness
            .query_all_by_label("wsA currently has control of this workspace.")
            .count()
            == 2
    );
    let why = "wsA currently has control of this workspace.";
    assert_eq!(description(&harness, "Run"), why);
    click(&mut harness, "step d");
    press(&mut harness, Modifiers::NONE, Key::D);
    assert_eq!(super::journeys::n_nodes(&harness), 3);
}

#[test]
fn where_nobody_has_control_a_run_may_be_asked_for() {
    let (world, mut harness) = at("free late");
    press(&mut harness, Modifiers::COMMAND, Key::R);
    assert_eq!(runs(&world).len(), 1);
}

#[test]
fn a_watcher_asks_for_control_and_takes_it_back() {
    let (world, mut harness) = at("watching silent=10");
    click(&mut harness, "Request control");
    stands(&world, "claims-1", "watching silent=10 asked");
    harness.run_steps(3);
    harness.get_by_label("Control requested from wsA");
    assert_eq!(
        description(&harness, "Requesting..."),
        "wsA was asked 4 s ago."
    );
    click(&mut harness, "Requesting...");
    click(&mut harness, "Cancel request");
    let asked = Wish::Request {
        client: "ui".to_owned(),
    };
    assert_eq!(wishes(&world), [asked, Wish::Cancel]);
}

#[test]
fn item_3_seconds_run_down_by_themselves_in_steps_until_a_takeover_can_be_asked_for() {
    let (world, mut harness) = at("watching silent=10");
    harness.get_by_label("wsA has control · takeover available in 80s");
    assert!(
        wait_of(&harness) > Duration::from_secs(8),
        "{:?}",
        wait_of(&harness)
    );
    assert!(
        wait_of(&harness) < Duration::from_secs(11),
        "{:?}",
        wait_of(&harness)
    );
    world.borrow_mut().boot = Moment(20_000_000);
    harness.run_steps(2);
    harness.get_by_label("wsA has control · takeover available in 60s");
    harness.get_by_label("as of 30 s ago");
    // Nothing is asked of the runtime for that.
    assert_eq!(wishes(&world), []);

    stands(&world, "claims-1", "watching silent=100");
    harness.run_steps(2);
    harness.get_by_label("Takeover available");
    click(&mut harness, "Take over…");
    harness.get_by_label("Take over control of ‘claims’ from wsA?");
    // Enter is not enough.
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(wishes(&world), []);
    assert!(
        harness
            .query_by_label_contains("Take over control of")
            .is_none()
    );
    click(&mut harness, "Take over…");
    click(&mut harness, "Take over");
    assert_eq!(wishes(&world), [Wish::TakeOver]);
}

#[test]
fn an_owner_at_rest_draws_no_frame() {
    let (_world, harness) = at("owner");
    assert!(
        wait_of(&harness) > Duration::from_secs(10),
        "{:?}",
        wait_of(&harness)
    );
    let (_world, harness) = at("owner shared advisory");
    assert!(
        wait_of(&harness) > Duration::from_secs(10),
        "{:?}",
        wait_of(&harness)
    );
}

#[test]
fn a_request_is_answered_from_its_line_or_by_name() {
    let (world, mut harness) = at("owner asks=wsB:12");
    harness.get_by_label("wsB asks for control · hands over in 50s");
    // The bar says it, so no notice does.
    assert!(
        harness
            .query_by_label_contains("asks for control of")
            .is_none()
    );
    click(&mut harness, "Refuse");
    do_by_name(&mut harness, "hand over control");
    harness.get_by_label("Hand over control of ‘claims’ to wsB?");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let to = MachineId("id-of-wsB".to_owned());
    let when = crate::runtime::control::When::Now;
    let handed = Wish::HandOver {
        to: to.clone(),
        when,
    };
    assert_eq!(wishes(&world), [Wish::Deny { to }, handed]);
}

#[test]
fn a_request_for_a_workspace_that_is_not_shown_is_marked() {
    let (world, mut harness) = at("owner");
    stands(&world, "finance-2", "owner asks=wsB:0");
    harness.run_steps(3);
    harness.get_by_label("Workspace claims, finance wants attention");
    harness.get_by_label("finance, wsB asks for control");
    // It is in no bar, so a notice tells; once.
    harness.get_by_label("wsB asks for control of finance.");
    stands(&world, "finance-2", "watching silent=3");
    harness.run_steps(3);
    harness.get_by_label("finance, wsA has control");
    harness.get_by_label("Workspace claims");
}

#[test]
fn a_conflict_is_explained_before_it_is_confirmed() {
    let (world, mut harness) = at("free late advisory banner=Conflict:Two_claimed_at_once.");
    harness.get_by_label("Two claimed at once.");
    click(&mut harness, "Settle…");
    harness.get_by_label("Two workstations claimed control at once");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(wishes(&world), [], "Enter closes it");
    // The badge leads to the same page.
    click(
        &mut harness,
        "Control is advisory in this folder. Syncthing keeps it.",
    );
    harness.get_by_label("Control is advisory here");
    click(&mut harness, "Confirm and go on here");
    assert_eq!(wishes(&world), [Wish::Confirm]);
}

#[test]
fn what_data_engine_left_is_taken_over_after_a_question() {
    let (world, mut harness) = at("free late banner=Importable:Data_Engine_left_this.");
    click(&mut harness, "Explain");
    harness.get_by_label("Data Engine 0.5 left this workspace");
    press(&mut harness, Modifiers::NONE, Key::Escape);
    click(&mut harness, "Take over…");
    harness.get_by_label("Take ‘claims’ over from Data Engine 0.5?");
    assert_eq!(wishes(&world), []);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(wishes(&world), [Wish::Import]);
    assert!(
        harness
            .query_by_label_contains("over from Data Engine 0.5?")
            .is_none()
    );
}

#[test]
fn every_act_of_control_is_reached_by_name_and_says_why_it_cannot_be_done() {
    let (world, mut harness) = at("owner");
    do_by_name(&mut harness, "keep control");
    assert!(wishes(&world).is_empty());
    press(&mut harness, Modifiers::NONE, Key::Escape);
    do_by_name(&mut harness, "give up control");
    harness.get_by_label("Give up control of ‘claims’?");
    click(&mut harness, "Give up control");
    let when = crate::runtime::control::When::Now;
    assert_eq!(wishes(&world), [Wish::Release { when }]);
    // In a window without a workspace there is nothing to control.
    let none: WorkspaceId = "claims-1".into();
    Arc::make_mut(&mut world.borrow_mut().board.control).remove(&none);
    harness.run_steps(2);
    assert!(
        harness
            .query_by_label("This Workstation has control")
            .is_none()
    );
}
