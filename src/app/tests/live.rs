//! A run that goes on: its stop, its log, and who else runs.

use std::sync::Arc;

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;

use super::fakes::{NOW, Shared, flow_ref};
use super::journeys::{click, opened, press, runs, stands};
use super::past::{past_run, stand, with_history};
use crate::model::{LogLine, LogTail, Outcome, Stream};
use crate::runtime::{FlowBoard, LogTarget, Order, Runner};

#[test]
fn stop_twice_is_stop_at_once() {
    let (world, mut harness) = opened();
    let live = crate::model::RunSummary {
        id: "r1".into(),
        choice: "full".into(),
        resumes: None,
        started: NOW,
        ended: None,
        outcome: None,
        counts: crate::model::Counts::default(),
        ran_on: None,
    };
    let stands = FlowBoard {
        loaded: true,
        live: Some(live),
        ..FlowBoard::default()
    };
    world
        .borrow_mut()
        .board
        .flows
        .insert(flow_ref(), Arc::new(stands));
    press(&mut harness, Modifiers::COMMAND, Key::Period);
    press(&mut harness, Modifiers::COMMAND, Key::Period);
    let stops: Vec<bool> = world
        .borrow()
        .orders
        .iter()
        .filter_map(|order| match order {
            Order::Stop { at_once, .. } => Some(*at_once),
            _ => None,
        })
        .collect();
    assert_eq!(stops, [false, true]);
}

#[test]
fn five_thousand_log_lines_show_only_those_in_view() {
    let (world, mut harness) = opened();
    click(&mut harness, "step a");
    let target = LogTarget {
        flow: flow_ref(),
        run: None,
        node: Some("a".into()),
    };
    let asked =
        |order: &Order| matches!(order, Order::FollowLogs(targets) if targets.contains(&target));
    assert!(world.borrow().orders.iter().any(asked));
    let lines = (0..5_000).map(|n| LogLine {
        at: Some(NOW),
        stream: if n % 7 == 0 { Stream::Err } else { Stream::Out },
        node: "a".into(),
        text: format!("line {n}").into(),
    });
    let log = LogTail {
        lines: lines.collect(),
        ..LogTail::default()
    };
    world
        .borrow_mut()
        .board
        .logs
        .insert(target.clone(), Arc::new(log));
    harness.run_steps(4);
    // It follows: the last line is there, the first is not, and few are laid out.
    harness.get_by_label("line 4999");
    assert!(harness.query_by_label("line 0").is_none());
    let n = harness.query_all_by_label_contains("line 4").count();
    assert!((5..40).contains(&n), "{n} lines laid out");
}

#[test]
fn who_else_runs_a_flow_is_said_and_can_be_stopped() {
    let (world, mut harness) = opened();
    let runner = Runner {
        pid: 7,
        face: "command line".into(),
        since: NOW,
    };
    stands(
        &world,
        FlowBoard {
            runner: Some(runner),
            ..FlowBoard::default()
        },
    );
    harness.run_steps(2);
    let words = "A handmill run on the command line (process 7) runs this flow";
    let said = format!("{words}, started now.");
    let top = harness.get_by_label(&said).rect().top();
    assert!(top < 120.0, "a strip, not a pane: {top}");
    press(&mut harness, Modifiers::NONE, Key::R);
    assert!(runs(&world).is_empty());
    harness.get_by_label(words);
    click(&mut harness, "Stop it");
    assert!(matches!(
        world.borrow().orders.last(),
        Some(Order::Stop { nodes: None, .. })
    ));
}

#[test]
fn processes_left_by_a_dead_handmill_are_said_and_can_be_ended() {
    let (world, mut harness) = opened();
    stands(
        &world,
        FlowBoard {
            orphans: Arc::new(vec![("b".into(), 4711)]),
            ..FlowBoard::default()
        },
    );
    harness.run_steps(2);
    harness.get_by_label("‘step b’ of an interrupted run still runs (process 4711).");
    press(&mut harness, Modifiers::NONE, Key::R);
    assert!(runs(&world).is_empty(), "first what is left is ended");
    click(&mut harness, "Stop what is left");
    let world = world.borrow();
    let stopped = |order: &Order| matches!(order, Order::StopOrphans(flow) if *flow == flow_ref());
    assert!(world.orders.iter().any(stopped));
}

#[test]
fn without_a_node_the_log_is_that_of_the_whole_run() {
    let (world, mut harness) = opened();
    let asked = |world: &Shared| {
        let world = world.borrow();
        let orders = world.orders.iter().rev();
        orders
            .filter_map(|order| match order {
                Order::FollowLogs(targets) => targets.first().map(|target| target.node.clone()),
                _ => None,
            })
            .next()
    };
    assert_eq!(asked(&world), Some(None));
    click(&mut harness, "step b");
    assert_eq!(asked(&world), Some(Some("b".into())));
}

#[test]
fn item_66_the_log_of_a_run_says_how_many_nodes_are_active() {
    let mut live = past_run("r1", 0, Outcome::Succeeded);
    (live.ended, live.outcome) = (None, None);
    let (world, mut harness) = with_history(&[], Some(live));
    let running = crate::model::NodeState {
        status: crate::model::NodeStatus::Running,
        ..crate::model::NodeState::default()
    };
    let nodes = ["a", "b", "c"].map(|id| (crate::model::NodeId::from(id), running.clone()));
    let mut stands = (**world.borrow().board.flow(&flow_ref()).expect("open")).clone();
    stands.nodes = Arc::new(nodes.into_iter().collect());
    stand(&world, stands);
    harness.run_steps(3);
    harness.get_by_label("3 active");
}
