//! The buttons of a run in each state of it: what they say, and why one cannot be pressed.

use std::sync::Arc;

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};

use super::fakes::Shared;
use super::journeys::{Stage, live_run, opened, stands};
use crate::app::control::seat;
use crate::model::{NodeState, NodeStatus};
use crate::runtime::FlowBoard;
use crate::runtime::control::ControlBoard;

/// The buttons that start and stop, one per line: what it says, then why it is off.
fn told(harness: &Harness<'_, Stage>) -> String {
    let mut lines = Vec::new();
    for label in ["Run", "Resume", "Stop", "Stop at once"] {
        let Some(button) = harness.query_by_label(label) else {
            continue;
        };
        let node = button.accesskit_node();
        let why = node.description().unwrap_or_default();
        assert_eq!(node.is_disabled(), !why.is_empty(), "{label}: {why:?}");
        match why.is_empty() {
            true => lines.push(label.to_owned()),
            false => lines.push(format!("{label} - {why}")),
        }
    }
    lines.join("\n")
}

/// What the buttons say when the flow stands like this.
fn when(flow: FlowBoard, control: Option<&str>) -> String {
    let (world, mut harness) = opened();
    if let Some(situation) = control {
        under(&world, situation);
    }
    stands(&world, flow);
    harness.run_steps(3);
    told(&harness)
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

fn running() -> FlowBoard {
    let state = NodeState {
        status: NodeStatus::Running,
        ..NodeState::default()
    };
    FlowBoard {
        live: Some(live_run()),
        nodes: Arc::new([("a".into(), state)].into()),
        ..FlowBoard::default()
    }
}

#[test]
fn item_69_idle() {
    assert_eq!(
        when(FlowBoard::default(), None),
        "Run\nResume - Nothing failed, was stopped or interrupted\nStop - Nothing is running"
    );
    let failed = FlowBoard {
        resumable: 2,
        ..FlowBoard::default()
    };
    assert_eq!(when(failed, None), "Run\nResume\nStop - Nothing is running");
}

#[test]
fn item_69_starting() {
    let starting = FlowBoard {
        starting: true,
        resumable: 2,
        ..FlowBoard::default()
    };
    assert_eq!(
        when(starting, None),
        "Run - This flow is starting\nResume - This flow is starting\nStop"
    );
}

#[test]
fn item_69_running() {
    let busy = "This flow is running; stop it first";
    assert_eq!(
        when(running(), None),
        format!("Run - {busy}\nResume - {busy}\nStop")
    );
}

#[test]
fn item_69_stopping() {
    let stopping = FlowBoard {
        stopping: true,
        ..running()
    };
    let busy = "This flow is running; stop it first";
    assert_eq!(
        when(stopping, None),
        format!("Run - {busy}\nResume - {busy}\nStop at once")
    );
}

#[test]
fn item_69_not_in_control() {
    let theirs = "wsA currently has control of this workspace.";
    assert_eq!(
        when(FlowBoard::default(), Some("watching silent=10")),
        format!("Run - {theirs}\nResume - {theirs}\nStop - Nothing is running")
    );
    // What still runs here can be stopped all the same.
    assert_eq!(
        when(running(), Some("watching silent=10")),
        format!("Run - {theirs}\nResume - {theirs}\nStop")
    );
}
