//! Switching workspaces: what is put away, what comes back, what comes late.

use std::sync::Arc;

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};

use super::fakes::{
    NOW, Outside, Shared, flow_ref, other_flow, sample, version, with_finance, world,
};
use super::journeys::{Stage, click, n_nodes, press, stands, window};
use crate::app::action::Action;
use crate::app::ports::{FileJob, Picked, SaveTrouble};
use crate::app::view::Dialog;
use crate::model::{LogLine, LogTail, NodeState, NodeStatus, Stream, WorkspaceId};
use crate::runtime::{FlowBoard, LogTarget, Order};

const ORDERS: &str = "/c/claims/flow_modules/orders.graphml";

/// The window with two workspaces, the flow of the first open.
fn two() -> (Shared, Harness<'static, Stage>) {
    let world = world();
    with_finance(&world);
    let harness = window(&world, &[ORDERS]);
    (world, harness)
}

/// Switches as the sidebar does; the next frame is the first one of that workspace.
fn switch(harness: &mut Harness<'_, Stage>, id: &str) {
    harness.state_mut().ask(Action::ShowWorkspace(id.into()));
    harness.run_steps(1);
}

fn open_other(harness: &mut Harness<'_, Stage>) {
    harness.state_mut().ask(Action::OpenFlow(other_flow()));
    harness.run_steps(3);
}

/// What a screen reader says of a node on the canvas.
fn description(harness: &Harness<'_, Stage>, label: &str) -> String {
    let nodes = harness.query_all_by_label(label);
    let mut told = nodes.filter_map(|node| node.accesskit_node().description());
    told.next().unwrap_or_default()
}

#[test]
fn a_desk_is_put_away_with_its_edits_and_comes_back_as_it_was() {
    let (_world, mut harness) = two();
    click(&mut harness, "step d");
    press(&mut harness, Modifiers::NONE, Key::D);
    click(&mut harness, "step b");
    press(&mut harness, Modifiers::COMMAND, Key::ArrowUp);
    press(&mut harness, Modifiers::COMMAND, Key::J);
    let zoom = harness.state().view.tab().expect("open").canvas.zoom();
    switch(&mut harness, "finance-2");
    assert!(harness.state().view.tabs.is_empty());
    harness.get_by_label("Workspace finance");

    // There it has other panes and another flow.
    open_other(&mut harness);
    press(&mut harness, Modifiers::COMMAND, Key::J);
    press(&mut harness, Modifiers::NONE, Key::I);
    assert_eq!(harness.state().view.flow_ref(), Some(&other_flow()));
    assert_eq!(n_nodes(&harness), 4);

    switch(&mut harness, "claims-1");
    let view = &harness.state().view;
    assert_eq!(view.flow_ref(), Some(&flow_ref()));
    let tab = view.tab().expect("open");
    assert!(tab.is_dirty() && tab.doc().expect("open").can_undo());
    assert_eq!(tab.selection.nodes(), ["b".into()]);
    assert_eq!(tab.canvas.zoom(), zoom);
    assert!(view.layout.panes.inspector && !view.layout.panes.bottom);
    assert_eq!(n_nodes(&harness), 3);
    switch(&mut harness, "finance-2");
    let panes = &harness.state().view.layout.panes;
    assert!(!panes.inspector && panes.bottom);
}

#[test]
fn item_40_in_the_first_frame_after_a_return_all_is_as_it_stands_now() {
    let (world, mut harness) = two();
    click(&mut harness, "step b");
    switch(&mut harness, "finance-2");
    assert!(harness.query_by_label("step b").is_none());

    // Meanwhile it ran.
    let closed = |order: &Order| matches!(order, Order::CloseFlow(_));
    assert!(!world.borrow().orders.iter().any(closed));
    let ran = NodeState {
        status: NodeStatus::Ran,
        started: Some(NOW),
        ended: Some(NOW),
        ..NodeState::default()
    };
    stands(
        &world,
        FlowBoard {
            nodes: Arc::new([("b".into(), ran)].into()),
            ..FlowBoard::default()
        },
    );
    let target = LogTarget {
        flow: flow_ref(),
        run: None,
        node: Some("b".into()),
    };
    let line = LogLine {
        at: Some(NOW),
        stream: Stream::Out,
        node: "b".into(),
        text: "printed meanwhile".into(),
    };
    let log = LogTail {
        lines: [line].into_iter().collect(),
        ..LogTail::default()
    };
    let log = (target.clone(), Arc::new(log));
    world.borrow_mut().board.logs.extend([log]);
    harness.run_steps(1);
    let followed = |order: &Order| match order {
        Order::FollowLogs(targets) => Some(targets.contains(&target)),
        _ => None,
    };
    let last = world.borrow().orders.iter().rev().find_map(followed);
    assert_eq!(last, Some(true), "its log stays at hand");

    switch(&mut harness, "claims-1");
    assert!(description(&harness, "step b").starts_with("status ran"));
    harness.get_by_label("printed meanwhile");
}

#[test]
fn item_41_dialogs_and_menus_close_and_late_answers_change_nothing_in_the_other() {
    let (world, mut harness) = two();
    press(&mut harness, Modifiers::NONE, Key::P);
    harness.get_by_label("Use wrapper");
    switch(&mut harness, "finance-2");
    harness.run_steps(1);
    assert!(harness.query_by_label("Use wrapper").is_none());
    switch(&mut harness, "claims-1");
    press(&mut harness, Modifiers::NONE, Key::Escape);
    press(&mut harness, Modifiers::COMMAND, Key::K);
    harness
        .state_mut()
        .ask(Action::ShowWorkspace("finance-2".into()));
    harness.run_steps(1);
    assert!(harness.state().view.palette.is_none());

    // A load, a save and an answer of the desktop for claims arrive while finance is shown.
    switch(&mut harness, "claims-1");
    click(&mut harness, "step d");
    press(&mut harness, Modifiers::NONE, Key::D);
    {
        let mut world = world.borrow_mut();
        world.held = Some(Vec::new());
        world.replies = Some(Vec::new());
        world.save_troubles.push(SaveTrouble::Changed);
        let mut theirs = sample();
        let node = theirs.graph.node_mut(&"d".into());
        node.expect("there").command = "theirs".into();
        world.news = Some(Outside::Changed(Box::new(version(theirs))));
    }
    let late = std::path::PathBuf::from("/c/claims/flow_modules/late.graphml");
    harness.state_mut().ask(Action::OpenPath(late));
    harness.run_steps(1);
    let orders = harness.state().view.tabs[0].id;
    harness.state_mut().ask(Action::ShowTab(orders));
    harness.run_steps(1);
    press(&mut harness, Modifiers::COMMAND, Key::S);
    press(&mut harness, Modifiers::COMMAND | Modifiers::SHIFT, Key::S);
    switch(&mut harness, "finance-2");
    {
        let mut world = world.borrow_mut();
        let held = world.held.take().expect("held");
        world.done.extend(held);
        for reply in world.replies.take().into_iter().flatten() {
            reply(Picked::Unavailable);
        }
    }
    harness.run_steps(3);
    let view = &harness.state().view;
    assert!(view.tabs.is_empty() && view.shown.is_none() && view.dialog.is_none());
    assert!(view.toasts.is_empty());

    switch(&mut harness, "claims-1");
    harness.run_steps(2);
    let view = &harness.state().view;
    assert_eq!(view.tabs.len(), 2);
    assert!(
        view.tabs.iter().all(|tab| tab.doc().is_some()),
        "it was read"
    );
    assert!(view.tab().expect("shown").is_dirty(), "it was not saved");
    assert!(matches!(view.dialog, Some(Dialog::Path(_))), "it waited");
    press(&mut harness, Modifiers::NONE, Key::Escape);
    harness.get_by_label("Another program changed the same things as you.");
}

#[test]
fn item_42_a_switch_reads_no_file_and_asks_for_no_more_than_what_is_shown() {
    let (world, mut harness) = two();
    switch(&mut harness, "finance-2");
    open_other(&mut harness);
    world.borrow_mut().jobs.clear();
    world.borrow_mut().orders.clear();
    for id in ["claims-1", "finance-2", "claims-1"] {
        switch(&mut harness, id);
    }
    let world = world.borrow();
    // The saver looks whether the file of the tab shown is as it was, on its own thread.
    let looks = |job: &FileJob| matches!(job, FileJob::Check { .. });
    assert!(world.jobs.iter().all(looks), "{:?}", world.jobs);
    // No flow is opened or closed: the runtime works for both all the time.
    let passes = |order: &Order| {
        matches!(
            order,
            Order::FollowLogs(_) | Order::ShowHistory(_) | Order::Preview(_) | Order::Compare(_)
        )
    };
    let others = world.orders.iter().filter(|order| !passes(order));
    assert_eq!(others.count(), 0, "{:?}", world.orders);
}

#[test]
fn edits_of_a_workspace_that_is_put_away_are_asked_about_at_the_end() {
    let (world, mut harness) = two();
    click(&mut harness, "step d");
    press(&mut harness, Modifiers::NONE, Key::D);
    switch(&mut harness, "finance-2");
    press(&mut harness, Modifiers::COMMAND, Key::Q);
    harness.get_by_label("Save the changes to ‘Orders’ in claims?");
    click(&mut harness, "Save");
    harness.run_steps(3);
    let world = world.borrow();
    let saved =
        |job: &FileJob| matches!(job, FileJob::Save { flow, .. } if flow.graph.n_nodes() == 3);
    assert!(world.jobs.iter().any(saved));
}

#[test]
fn each_workspace_has_its_tabs_back_at_the_next_start() {
    let (world, mut harness) = two();
    switch(&mut harness, "finance-2");
    open_other(&mut harness);
    drop(harness);
    let mut harness = window(&world, &[]);
    assert_eq!(harness.state().view.flow_ref(), Some(&other_flow()));
    assert_eq!(harness.state().view.tabs.len(), 1);
    switch(&mut harness, "claims-1");
    harness.run_steps(2);
    assert_eq!(harness.state().view.flow_ref(), Some(&flow_ref()));
    assert_eq!(harness.state().view.tabs.len(), 1);
}

#[test]
fn a_file_of_another_workspace_is_opened_there_and_a_file_is_open_once() {
    let (_world, mut harness) = two();
    harness
        .state_mut()
        .ask(Action::OpenPath(other_flow().path()));
    harness.run_steps(3);
    let view = &harness.state().view;
    assert_eq!(view.desk_of, Some(WorkspaceId::new("finance-2")));
    assert_eq!(view.flow_ref(), Some(&other_flow()));
    harness.state_mut().ask(Action::OpenPath(ORDERS.into()));
    harness.run_steps(3);
    let view = &harness.state().view;
    assert_eq!(view.desk_of, Some(WorkspaceId::new("claims-1")));
    assert_eq!(view.all_tabs().count(), 2, "neither was opened twice");
}

#[test]
fn while_the_collection_cannot_be_read_the_desk_stays() {
    let (world, mut harness) = two();
    switch(&mut harness, "finance-2");
    open_other(&mut harness);
    let catalog = world.borrow().board.catalog.clone();
    Arc::make_mut(&mut world.borrow_mut().board.catalog)
        .workspaces
        .clear();
    harness.run_steps(2);
    assert_eq!(harness.state().view.flow_ref(), Some(&other_flow()));
    world.borrow_mut().board.catalog = catalog;
    harness.run_steps(2);
    assert_eq!(harness.state().view.flow_ref(), Some(&other_flow()));
}

#[test]
fn a_file_opened_by_its_path_shows_its_workspace_and_collection_while_none_is_set() {
    let world = world();
    let catalog = std::mem::take(&mut world.borrow_mut().board.catalog);
    let mut harness = window(&world, &[ORDERS]);
    harness.get_by_label("Workspace (no workspace)");
    let asked = |world: &Shared| {
        let world = world.borrow();
        let roots = world.orders.iter().filter_map(|order| match order {
            Order::SetCollection(root) => Some(root.clone()),
            _ => None,
        });
        roots.collect::<Vec<_>>()
    };
    assert_eq!(asked(&world), [Some("/c".into())]);
    world.borrow_mut().board.catalog = catalog;
    with_finance(&world);
    // Another workspace stands first in the list.
    Arc::make_mut(&mut world.borrow_mut().board.catalog)
        .workspaces
        .reverse();
    harness.run_steps(3);
    harness.get_by_label("Workspace claims");
    assert_eq!(harness.state().view.flow_ref(), Some(&flow_ref()));
    // It was looked at, not chosen: the next start knows of none.
    assert_eq!(world.borrow().remembered.settings.collection, None);
    harness
        .state_mut()
        .ask(Action::OpenPath("/elsewhere/x.graphml".into()));
    harness.run_steps(4);
    assert_eq!(asked(&world).len(), 1, "what is shown stays");
}

#[test]
fn a_file_opened_by_its_path_is_shown_in_its_workspace_once_the_collection_is_read() {
    let world = world();
    with_finance(&world);
    let catalog = std::mem::take(&mut world.borrow_mut().board.catalog);
    world.borrow_mut().remembered.settings.collection = Some("/c".into());
    world.borrow_mut().remembered.layout.workspace = Some("claims-1".into());
    let mut harness = window(&world, &["/c/finance/flow_modules/close.graphml"]);
    harness.run_steps(2);
    world.borrow_mut().board.catalog = catalog;
    harness.run_steps(3);
    harness.get_by_label("Workspace finance");
    assert_eq!(harness.state().view.flow_ref(), Some(&other_flow()));
    switch(&mut harness, "claims-1");
    assert!(harness.state().view.tabs.is_empty(), "it lies there alone");
}
