//! The collection: its workspaces and flows in the sidebar.

use std::sync::Arc;

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use super::fakes::{NOW, Shared, flow_ref, world};
use super::journeys::{click, live_run, opened, press, window};
use crate::model::{Counts, Outcome, RunSummary, Timestamp};
use crate::runtime::{FlowBoard, Order};

#[test]
fn without_a_collection_the_window_says_what_to_do() {
    let world = world();
    world.borrow_mut().board.catalog = Arc::default();
    let mut harness = window(&world, &[]);
    assert!(
        world.borrow().orders.is_empty(),
        "nothing is made or opened"
    );
    click(&mut harness, "Open the example");
    let chosen = world.borrow().remembered.settings.collection.clone();
    assert_eq!(chosen, Some("/example".into()));
}

#[test]
fn a_flow_that_is_not_open_tells_how_it_last_ended() {
    let world = world();
    let run = RunSummary {
        id: "r1".into(),
        choice: "full".into(),
        resumes: None,
        started: Timestamp(NOW.0 - 190_000_000),
        ended: Some(Timestamp(NOW.0 - 185_000_000)),
        outcome: Some(Outcome::Succeeded),
        counts: Counts::default(),
        ran_on: None,
    };
    {
        let board = &mut world.borrow_mut().board;
        board.flows.clear();
        board.last_runs = Arc::new([(flow_ref(), run)].into());
    }
    let harness = window(&world, &[]);
    harness.get_by_label("Orders, 3m ago");
}

#[test]
fn a_save_has_the_collection_looked_through() {
    let (world, mut harness) = opened();
    let n_looks = |world: &Shared| {
        let world = world.borrow();
        let looks = |order: &&Order| matches!(order, Order::LookAgain);
        world.orders.iter().filter(looks).count()
    };
    let before = n_looks(&world);
    click(&mut harness, "step b");
    press(&mut harness, Modifiers::NONE, Key::D);
    press(&mut harness, Modifiers::COMMAND, Key::S);
    assert_eq!(n_looks(&world), before + 1, "its title may be another");
}

#[test]
fn item_33_without_a_collection_the_selector_is_off_and_says_why() {
    let world = world();
    world.borrow_mut().board.catalog = Arc::default();
    let mut harness = window(&world, &[]);
    let selector = harness.get_by_label("Workspace (no workspace)");
    assert!(selector.accesskit_node().is_disabled());
    harness.get_by_label("Workspace folder is not configured.");
    click(&mut harness, "Choose a folder…");
    assert!(
        harness.state().view.dialog.is_some(),
        "a folder can be chosen"
    );
    let world = world.borrow();
    let follows = |order: &Order| matches!(order, Order::SetCollection(_) | Order::OpenFlow { .. });
    assert!(!world.orders.iter().any(follows), "{:?}", world.orders);
    assert_eq!(
        world.remembered,
        crate::app::Remembered::default(),
        "nothing to remember"
    );
}

#[test]
fn a_flow_that_cannot_be_read_is_a_card_that_opens_its_reason() {
    let world = world();
    {
        let board = &mut world.borrow_mut().board;
        let catalog = Arc::make_mut(&mut board.catalog);
        let workspace = Arc::make_mut(&mut catalog.workspaces[0]);
        let mut broken = workspace.flows[0].clone();
        broken.title = "Broken".into();
        broken.flow.file = "flow_modules/broken.graphml".into();
        broken.problem = Some("failed to read workfile: line 3 is not XML".into());
        workspace.flows.push(broken);
    }
    let mut harness = window(&world, &[]);
    harness.get_by_label("By hand, 2 flows  Error: 1");
    click(&mut harness, "Broken, cannot be read: line 3 is not XML");
    harness.get_by_label("This workfile cannot be opened");
    // A folded group hides its rows, and says how they fare all the same.
    click(&mut harness, "By hand, 2 flows  Error: 1");
    assert!(harness.query_by_label("Orders").is_none());
    click(&mut harness, "By hand, 2 flows  Error: 1");
    harness.get_by_label("Orders");
}

#[test]
fn item_62_a_group_says_how_many_of_its_flows_run() {
    let world = world();
    {
        let board = &mut world.borrow_mut().board;
        let stands = Arc::make_mut(board.flows.get_mut(&flow_ref()).expect("there"));
        stands.live = Some(live_run());
    }
    let harness = window(&world, &[]);
    harness.get_by_label("By hand, 1 flow  Running: 1");
}

#[test]
fn workspaces_that_run_are_alive_in_the_sidebar_wherever_they_lie() {
    let world = world();
    {
        let board = &mut world.borrow_mut().board;
        let catalog = Arc::make_mut(&mut board.catalog);
        let mut other = (*catalog.workspaces[0]).clone();
        other.id = "finance-2".into();
        other.name = "finance".into();
        catalog.workspaces.push(Arc::new(other));
        for workspace in ["finance-2", "elsewhere-3"] {
            let mut flow = flow_ref();
            flow.workspace = workspace.into();
            flow.root = Arc::from(std::path::Path::new("/d/elsewhere"));
            let stands = FlowBoard {
                live: Some(live_run()),
                ..FlowBoard::default()
            };
            board.flows.insert(flow, Arc::new(stands));
        }
    }
    let mut harness = window(&world, &[]);
    harness.get_by_label("elsewhere, 1 running");
    click(&mut harness, "finance, 1 running");
    let shown = harness.state().view.layout.workspace.clone();
    assert_eq!(shown.as_deref(), Some("finance-2"));
    harness.get_by_label("Workspace finance");
}

#[test]
fn a_workspace_that_was_set_up_is_said_and_its_collection_followed() {
    let world = world();
    world.borrow_mut().board.catalog = Arc::default();
    let mut harness = window(&world, &[]);
    click(&mut harness, "Set up a workspace here…");
    harness.get_by_label("Path").type_text("/c/mill");
    harness.run_steps(2);
    click(&mut harness, "Set up");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let told = |order: &Order| matches!(order, Order::SetCollection(Some(_)));
    while !world.borrow().orders.iter().any(told) {
        assert!(std::time::Instant::now() < until, "it was never set up");
        harness.run_steps(1);
    }
    harness.run_steps(3);
    // It is shown once the collection tells of it.
    {
        let board = &mut world.borrow_mut().board;
        let catalog = Arc::make_mut(&mut board.catalog);
        catalog.root = Some("/c".into());
        for id in ["another-1", "new-1"] {
            catalog
                .workspaces
                .push(Arc::new(crate::model::WorkspaceEntry {
                    id: id.into(),
                    name: id.to_owned(),
                    root: Arc::from(std::path::Path::new("/c").join(id)),
                    flows: Vec::new(),
                    modules: Vec::new(),
                }));
        }
    }
    harness.run_steps(3);
    harness.get_by_label("Workspace new-1");
    let told = "is set up: 6 made, 1 kept as they were.";
    harness.get_by_label_contains(told);
}
