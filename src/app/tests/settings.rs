//! The page of settings, the kill switch, and running again within a live run.

use std::sync::Arc;

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;

use super::fakes::{NOW, Shared, flow_ref, other_flow, with_finance, world};
use super::journeys::{Stage, click, opened, press, runs, stands, window};
use crate::app::ThemeChoice;
use crate::model::{Choice, Counts, NodeState, NodeStatus, Notice, RunSummary};
use crate::runtime::{FlowBoard, KillScope, Order, Preview, Wanting};

/// A flow with a live run, its nodes so: `a=running b=failed`.
fn live(nodes: &str) -> FlowBoard {
    let nodes = nodes.split_whitespace().map(|node| {
        let (id, word) = node.split_once('=').expect("a status");
        let state = NodeState {
            status: NodeStatus::from_word(word),
            run: Some("r1".into()),
            ..NodeState::default()
        };
        (id.into(), state)
    });
    FlowBoard {
        loaded: true,
        nodes: Arc::new(nodes.collect()),
        live: Some(RunSummary {
            id: "r1".into(),
            choice: "full".into(),
            resumes: None,
            started: NOW,
            ended: None,
            outcome: None,
            counts: Counts::default(),
            ran_on: None,
        }),
        ..FlowBoard::default()
    }
}

fn settings(section: &str) -> (Shared, Harness<'static, Stage>) {
    let (world, mut harness) = opened();
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    click(&mut harness, &format!("Section {section}"));
    (world, harness)
}

/// Types into a field of the page and leaves it.
fn fill(harness: &mut Harness<'_, Stage>, label: &str, text: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run_steps(2);
    harness.get_by_label(label).type_text(text);
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(4);
}

/// What the kill switch was asked to end.
fn kills(world: &Shared) -> Vec<KillScope> {
    let world = world.borrow();
    let kills = world.orders.iter().filter_map(|order| match order {
        Order::Kill(scope) => Some(scope.clone()),
        _ => None,
    });
    kills.collect()
}

#[test]
fn a_setting_applies_at_once_and_is_remembered() {
    let (world, mut harness) = settings("Runs");
    fill(&mut harness, "Slots", "3");
    assert_eq!(world.borrow().remembered.settings.slots, Some(3));
    let configured = |order: &Order| matches!(order, Order::Configure(m) if m.slots == Some(3));
    assert!(world.borrow().orders.iter().any(configured));
    click(&mut harness, "Section Look");
    click(&mut harness, "Light");
    assert_eq!(world.borrow().remembered.settings.theme, ThemeChoice::Light);
    click(&mut harness, "Section History");
    fill(&mut harness, "Keep runs for", "30");
    fill(&mut harness, "Keep logs up to", "500 MiB");
    click(&mut harness, "Keep results in the workfile");
    let keeps = |order: &Order| matches!(order, Order::Configure(m) if m.keep_results);
    assert!(world.borrow().orders.iter().any(keeps));
    let kept = world.borrow().remembered.settings.clone();
    assert!(kept.keep_results);
    assert_eq!(kept.retention_days, Some(30));
    assert_eq!(kept.log_bytes_max, Some(500 << 20));
    assert_eq!(kept.slots, Some(3), "what was set before stays");
    click(&mut harness, "Close settings");
    assert!(harness.query_by_label("Section Runs").is_none());
}

#[test]
fn what_makes_no_sense_says_so_in_its_place_and_changes_nothing() {
    let (world, mut harness) = settings("Runs");
    let before = world.borrow().remembered.settings.clone();
    fill(&mut harness, "Slots", "0");
    harness.get_by_label("Write a whole number from 1 to 10000, or nothing.");
    click(&mut harness, "Section History");
    fill(&mut harness, "Keep logs up to", "much");
    harness.get_by_label_contains("Write a size such as 20 GiB");
    click(&mut harness, "Section Collection");
    fill(&mut harness, "Folder", "half/a/path");
    harness.get_by_label_contains("Write the whole path");
    assert_eq!(world.borrow().remembered.settings, before);
}

#[test]
fn the_health_of_the_machine_is_looked_at_off_the_window_and_shown() {
    let (_world, mut harness) = settings("Diagnostics");
    let begun = std::time::Instant::now();
    while harness.query_by_label("watches: warn").is_none() {
        assert!(begun.elapsed().as_secs() < 20, "nothing was seen");
        harness.step();
    }
    harness.get_by_label("version: ok");
    harness.get_by_label("Raise the limit.");
}

/// Steps until something with this label is there.
fn await_label(harness: &mut Harness<'_, Stage>, label: &str) {
    let begun = std::time::Instant::now();
    while harness.query_by_label(label).is_none() {
        assert!(begun.elapsed().as_secs() < 20, "‘{label}’ never came");
        harness.step();
    }
}

#[test]
fn a_resource_is_added_replaced_and_removed_after_a_question_and_never_shown() {
    let (world, mut harness) = settings("Resources");
    let values = || world.borrow().resources.clone();
    let kept = |name: &str| {
        let desk = values();
        let values = desk.values.lock().expect("not poisoned");
        let found = values.get(name).cloned();
        found.map(|value| value.map(|secret| secret.reveal().to_owned()))
    };
    await_label(&mut harness, "There are none yet.");
    harness.get_by_label("Keyring: ready");
    click(&mut harness, "Add a resource…");
    fill(&mut harness, "Name", "2DB");
    harness.get_by_label("A name is made of letters, digits and _, and begins with no digit.");
    fill(&mut harness, "Name", "DB_URL");
    fill(&mut harness, "Value", "abc");
    harness.get_by_label_contains("shorter than 4 bytes");
    assert_eq!(kept("DB_URL"), None);

    // What the keyring refuses is told, and what was typed is still there.
    let why = Notice::error("Resource DB_URL was not kept.", "Unlock the keyring.");
    *values().refusal.lock().expect("not poisoned") = Some(why);
    fill(&mut harness, "Value", "canary-1");
    await_label(&mut harness, "Resource DB_URL was not kept.");
    harness.get_by_label("Unlock the keyring.");
    assert!(harness.query_by_label_contains("canary").is_none());
    assert!(harness.query_by_value("canary-1").is_none());
    click(&mut harness, "Keep");
    await_label(&mut harness, "DB_URL: in the keyring");
    assert_eq!(kept("DB_URL"), Some(Some("canary-1".to_owned())));

    click(&mut harness, "Replace DB_URL…");
    fill(&mut harness, "Value", "canary-2");
    await_label(&mut harness, "Add a resource…");
    assert_eq!(kept("DB_URL"), Some(Some("canary-2".to_owned())));
    click(&mut harness, "Replace DB_URL…");
    click(
        &mut harness,
        "Keep no value: take it from the environment that Handmill is started with",
    );
    click(&mut harness, "Keep");
    await_label(&mut harness, "DB_URL: missing");
    assert_eq!(kept("DB_URL"), Some(None));

    click(&mut harness, "Remove DB_URL…");
    click(&mut harness, "Keep it");
    assert_eq!(
        kept("DB_URL"),
        Some(None),
        "the question was answered with no"
    );
    click(&mut harness, "Remove DB_URL…");
    click(&mut harness, "Remove");
    await_label(&mut harness, "There are none yet.");
    assert_eq!(kept("DB_URL"), None);
}

#[test]
fn item_72_the_kill_switch_asks_first_and_shows_how_far_it_is() {
    let world = world();
    with_finance(&world);
    let mut harness = window(&world, &["/c/claims/flow_modules/orders.graphml"]);
    stands(&world, live("a=running b=running c=ready"));
    let other = Arc::new(live("a=running"));
    world.borrow_mut().board.flows.insert(other_flow(), other);
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    click(&mut harness, "Section Kill switch");
    click(&mut harness, "Kill everything…");
    harness.get_by_label("Kill all 2 runs?");
    harness.get_by_label("‘Orders’, 2 nodes: step a, step b");
    // Enter is not enough.
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(kills(&world), []);

    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    click(&mut harness, "Section Kill switch");
    click(&mut harness, "Kill the run of Orders…");
    click(&mut harness, "Kill");
    assert_eq!(kills(&world), [KillScope::Run(flow_ref())]);
    harness.get_by_label("0 of 2 ended; still running: step a, step b");
    stands(&world, live("a=stopped b=running c=ready"));
    harness.run_steps(2);
    harness.get_by_label("1 of 2 ended; still running: step b");
    let over = FlowBoard {
        live: None,
        ..live("a=stopped b=stopped c=ready")
    };
    stands(&world, over);
    harness.run_steps(3);
    assert!(harness.query_by_label("Killing…").is_none());
    // What was ended is the runtime's to tell, once.
    assert!(harness.query_by_label_contains("Killed").is_none());
}

#[test]
fn item_72_running_nodes_of_the_selection_are_killed_alone() {
    let (world, mut harness) = opened();
    stands(&world, live("a=running b=running"));
    click(&mut harness, "step b");
    press(&mut harness, Modifiers::COMMAND, Key::K);
    harness.get_by_label("Palette").type_text("kill nodes");
    harness.run_steps(3);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    harness.get_by_label("Kill 1 running node of ‘Orders’?");
    click(&mut harness, "Kill");
    let only_b = KillScope::Nodes(flow_ref(), vec!["b".into()]);
    assert_eq!(kills(&world), [only_b]);
}

#[test]
fn item_72_the_settings_page_kills_one_node_of_a_run() {
    let (world, mut harness) = opened();
    stands(&world, live("a=running b=running"));
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    click(&mut harness, "Section Kill switch");
    click(&mut harness, "Kill node step a of Orders…");
    harness.get_by_label("Kill 1 running node of ‘Orders’?");
    click(&mut harness, "Kill");
    let only_a = KillScope::Nodes(flow_ref(), vec!["a".into()]);
    assert_eq!(kills(&world), [only_a]);
}

#[test]
fn item_69_what_cannot_be_killed_says_why() {
    let (_world, mut harness) = settings("Kill switch");
    harness.get_by_label("Nothing is running.");
    click(&mut harness, "Kill everything…");
    assert!(harness.query_by_label_contains("Kill all").is_none());
}

#[test]
fn pointing_at_run_asks_what_it_would_do_and_says_it() {
    let (world, mut harness) = opened();
    click(&mut harness, "step b");
    let asked = |world: &Shared| {
        let world = world.borrow();
        let wishes = world.orders.iter().rev().find_map(|order| match order {
            Order::Preview(wish) => Some(wish.as_ref().map(|wish| wish.choice.clone())),
            _ => None,
        });
        wishes.flatten()
    };
    assert_eq!(asked(&world), None);
    harness.get_by_label("Run").hover();
    harness.run_steps(4);
    let choice = Choice::Selection(vec!["b".into()]);
    assert_eq!(asked(&world), Some(choice.clone()));
    assert_eq!(runs(&world), [], "nothing is run by looking");
    world.borrow_mut().board.preview = Some(Arc::new(Preview {
        flow: flow_ref(),
        revision: 0,
        choice,
        nodes: Ok(["b".into()].into()),
    }));
    harness.run_steps(2);
    harness.get_by_label("Canvas, 4 nodes, 3 edges, would run 1 of 4");
    let wait = harness.output().viewport_output[&egui::ViewportId::ROOT].repaint_delay;
    assert!(wait > std::time::Duration::from_secs(1), "{wait:?}");
    harness.get_by_label("Undo").hover();
    harness.run_steps(4);
    assert_eq!(asked(&world), None);
}

#[test]
fn r_on_a_failed_node_runs_it_again_within_the_live_run() {
    let (world, mut harness) = opened();
    stands(&world, live("a=ran b=failed d=running"));
    click(&mut harness, "step b");
    press(&mut harness, Modifiers::NONE, Key::R);
    let again = |world: &Shared| {
        let world = world.borrow();
        let orders = world.orders.iter().filter_map(|order| match order {
            Order::Retry { flow, run, nodes } => {
                assert_eq!((flow, run.as_str()), (&flow_ref(), "r1"));
                Some(nodes.iter().map(|n| n.command.clone()).collect::<Vec<_>>())
            }
            _ => None,
        });
        orders.collect::<Vec<_>>()
    };
    assert_eq!(again(&world), [["echo b"]]);
    assert_eq!(runs(&world), [], "no second run was asked for");
    // A node that ran well is not run again in a live run.
    click(&mut harness, "step a");
    press(&mut harness, Modifiers::NONE, Key::R);
    assert_eq!(again(&world).len(), 1);
    harness.get_by_label("This flow is running; stop it first");
}

#[test]
fn what_a_run_lacks_is_asked_for_once_and_given_with_the_run() {
    let (world, mut harness) = opened();
    let name = |text: &str| crate::model::ResourceName::new(text).expect("a name");
    let wanting = |n| {
        Some(Arc::new(Wanting {
            n,
            flow: flow_ref(),
            choice: Choice::Full,
            names: vec![name("DB_URL"), name("TOKEN")],
        }))
    };
    world.borrow_mut().board.wanting = wanting(1);
    harness.run_steps(3);
    harness.get_by_label("This run needs 2 values");
    click(&mut harness, "Run with them");
    assert_eq!(harness.query_all_by_label("The value is empty.").count(), 2);
    click(&mut harness, "Don't run");
    harness.run_steps(3);
    assert!(
        harness.query_by_label("This run needs 2 values").is_none(),
        "asked once"
    );
    assert_eq!(runs(&world), []);

    world.borrow_mut().board.wanting = wanting(2);
    harness.run_steps(3);
    harness.get_by_label("DB_URL").click();
    harness.run_steps(2);
    for (label, value) in [("DB_URL", "canary-1"), ("TOKEN", "canary-2")] {
        assert!(harness.get_by_label(label).is_focused(), "{label}");
        harness.get_by_label(label).type_text(value);
        harness.run_steps(2);
        // From the first it leads to the second, which is empty; there the run is next.
        if label == "DB_URL" {
            press(&mut harness, Modifiers::NONE, Key::Enter);
            harness.run_steps(2);
            assert_eq!(runs(&world), []);
        }
    }
    assert!(harness.query_by_value("canary-1").is_none());
    click(&mut harness, "Run with them");
    assert_eq!(runs(&world), [Choice::Full]);
    let world = world.borrow();
    let given = world.orders.iter().find_map(|order| match order {
        Order::Give { secrets, .. } => Some(secrets.clone()),
        _ => None,
    });
    let given = given.expect("given before the run");
    assert_eq!(
        given.get(&name("TOKEN")).expect("given").reveal(),
        "canary-2"
    );
    assert!(!format!("{:?}", world.orders).contains("canary"));
}
