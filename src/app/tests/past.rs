//! Past runs: their list, their search, two beside each other.

use std::sync::Arc;

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;

use super::fakes::{NOW, Shared, flow_ref};
use super::journeys::{Stage, click, opened, stands};
use crate::model::{Counts, Outcome, RunSummary, Timestamp};
use crate::runtime::{FlowBoard, Order};

#[test]
fn an_older_run_is_told_over_the_canvas() {
    let (world, mut harness) = opened();
    stands(
        &world,
        FlowBoard {
            shown_run: Some("r1".into()),
            ..FlowBoard::default()
        },
    );
    harness.run_steps(2);
    harness.get_by_label("An older run is shown.");
    click(&mut harness, "Back to the newest");
    assert!(matches!(
        world.borrow().orders.last(),
        Some(Order::ShowRun { run: None, .. })
    ));
}

/// A run of the history, `n` hours ago.
pub fn past_run(id: &str, hours: i64, outcome: Outcome) -> RunSummary {
    let started = Timestamp(NOW.0 - hours * 3_600_000_000);
    RunSummary {
        id: id.into(),
        choice: "full".into(),
        resumes: None,
        started,
        ended: Some(started.plus(std::time::Duration::from_secs(1))),
        outcome: Some(outcome),
        counts: Counts {
            subset: 4,
            failed: u32::from(outcome == Outcome::Failed),
            ..Counts::default()
        },
        ran_on: None,
    }
}

pub fn with_history(
    runs: &[RunSummary],
    live: Option<RunSummary>,
) -> (Shared, Harness<'static, Stage>) {
    let (world, mut harness) = opened();
    let stands = FlowBoard {
        loaded: true,
        history: Arc::new(runs.to_vec()),
        live,
        ..FlowBoard::default()
    };
    stand(&world, stands);
    harness.run_steps(3);
    (world, harness)
}

pub fn stand(world: &Shared, stands: FlowBoard) {
    let flows = &mut world.borrow_mut().board.flows;
    flows.insert(flow_ref(), Arc::new(stands));
}

fn asked_history(world: &Shared) -> Option<crate::runtime::HistoryAsk> {
    let world = world.borrow();
    let mut orders = world.orders.iter().rev();
    orders.find_map(|order| match order {
        Order::ShowHistory(ask) => Some(ask.clone()),
        _ => None,
    })?
}

#[test]
fn a_search_asks_for_runs_by_text_and_by_the_titles_that_hold_it() {
    let runs = [past_run("r1", 2, Outcome::Failed)];
    let (world, mut harness) = with_history(&runs, None);
    assert_eq!(asked_history(&world).expect("asked").n, 50);
    harness.get_by_label("Find run").click();
    harness.run_steps(3);
    harness.get_by_label("Find run").type_text("step b");
    harness.run_steps(4);
    let ask = asked_history(&world).expect("asked");
    assert_eq!(ask.filter.text, "step b");
    assert_eq!(ask.filter.nodes, ["b".into()]);
    let shown = crate::runtime::HistoryShown {
        ask,
        page: crate::model::HistoryPage::default(),
        trouble: String::new(),
    };
    world.borrow_mut().board.history = Some(Arc::new(shown));
    harness.run_steps(3);
    harness.get_by_label("No such run");
}

fn asked_comparison(world: &Shared) -> Option<crate::runtime::CompareAsk> {
    let world = world.borrow();
    let mut orders = world.orders.iter().rev();
    orders.find_map(|order| match order {
        Order::Compare(ask) => Some(ask.clone()),
        _ => None,
    })?
}

/// The runtime's answer about the two runs that were asked for, the newer first in `runs`.
pub fn answer_comparison(world: &Shared, runs: &[RunSummary; 2]) {
    let ask = asked_comparison(world).expect("asked");
    let node = |command: &str, status| crate::model::NodeInRun {
        node: "b".into(),
        status,
        kept: false,
        time: None,
        passes: 1,
        attempts: 1,
        exit: None,
        command: command.into(),
    };
    let detail = |summary: &RunSummary, node| crate::model::RunInDetail {
        summary: summary.clone(),
        nodes: vec![node],
    };
    let result = crate::model::compare(
        detail(
            &runs[1],
            node("paint blu", crate::model::NodeStatus::Failed),
        ),
        detail(&runs[0], node("paint blue", crate::model::NodeStatus::Ran)),
    );
    let shown = crate::runtime::ComparisonShown {
        ask,
        result: Ok(result),
    };
    world.borrow_mut().board.comparison = Some(Arc::new(shown));
}

#[test]
fn two_runs_are_picked_and_what_differs_is_shown() {
    let runs = [
        past_run("2-b", 2, Outcome::Succeeded),
        past_run("1-a", 3, Outcome::Failed),
    ];
    let (world, mut harness) = with_history(&runs, None);
    click(&mut harness, "Compare");
    harness.get_by_label("Pick two runs to compare");
    for part in ["Today 08:41", "Today 07:41"] {
        harness.get_by_label_contains(part).click();
        harness.run_steps(3);
    }
    let ask = asked_comparison(&world).expect("asked");
    assert_eq!(
        (ask.a.as_str(), ask.b.as_str()),
        ("1-a", "2-b"),
        "the older first"
    );
    harness.get_by_label("Comparing…");
    answer_comparison(&world, &runs);
    harness.run_steps(3);
    harness.get_by_label("1 of 1 nodes differ");
    harness.get_by_label("step b, failed → ran");
    harness.get_by_label("- paint blu");
    click(&mut harness, "Back to runs");
    harness.get_by_label_contains("Today 08:41");
}

#[test]
fn runs_are_looked_for_by_when_they_began_and_each_flow_keeps_its_search() {
    let (world, mut harness) = with_history(&[past_run("r1", 2, Outcome::Succeeded)], None);
    click(&mut harness, "When");
    click(&mut harness, "Today");
    let filter = asked_history(&world).expect("asked").filter;
    // 10:41 today, and the day ends at midnight.
    let hours = |at: Option<Timestamp>| at.map(|at| (NOW.0 - at.0) / 3_600_000_000);
    assert_eq!(
        (hours(filter.since), hours(filter.until)),
        (Some(10), Some(-13))
    );
    let line = |harness: &Harness<'_, Stage>| harness.get_by_label("Find run").value();
    assert_eq!(line(&harness).as_deref(), Some("today"));
    let n_asked = |world: &Shared| {
        let asks = |order: &&Order| matches!(order, Order::ShowHistory(_));
        world.borrow().orders.iter().filter(asks).count()
    };
    let before = n_asked(&world);
    harness.run_steps(5);
    assert_eq!(n_asked(&world), before, "the same is asked for once");

    harness.state_mut().ask(crate::app::Action::OpenPath(
        "/c/finance/flow_modules/close.graphml".into(),
    ));
    let other = FlowBoard {
        loaded: true,
        history: Arc::new(vec![past_run("r2", 3, Outcome::Failed)]),
        ..FlowBoard::default()
    };
    let flow = super::fakes::other_flow();
    world.borrow_mut().board.flows.insert(flow, Arc::new(other));
    harness.run_steps(4);
    assert_eq!(line(&harness).unwrap_or_default(), "");
    let orders = "/c/claims/flow_modules/orders.graphml".into();
    harness
        .state_mut()
        .ask(crate::app::Action::OpenPath(orders));
    harness.run_steps(4);
    assert_eq!(line(&harness).as_deref(), Some("today"));

    harness.get_by_label("Find run").click();
    harness.run_steps(2);
    harness.get_by_label("Find run").type_text(" since:monday");
    harness.run_steps(3);
    harness.get_by_label_contains("‘monday’ is no time.");
}
