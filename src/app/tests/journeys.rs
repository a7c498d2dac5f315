use std::sync::Arc;

use egui::{Key, Modifiers, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};

use super::fakes::{Fake, NOW, Outside, Shared, flow_ref, sample, version, world};
use crate::app::ports::{FileDone, FileJob, SaveTrouble};
use crate::app::{App, Ports};
use crate::model::{
    Choice, Counts, LogLine, LogTail, Notice, Outcome, RunSummary, Stream, Timestamp,
};
use crate::runtime::{FlowBoard, LogTarget, Order, Runner};

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
fn closing_a_dirty_tab_asks_and_saves() {
    let (world, mut harness) = opened();
    click(&mut harness, "step d");
    press(&mut harness, Modifiers::NONE, Key::D);
    press(&mut harness, Modifiers::COMMAND, Key::W);
    harness.get_by_label("Save the changes to ‘Orders’?");
    click(&mut harness, "Cancel");
    assert_eq!(harness.state().view.tabs.len(), 1);
    press(&mut harness, Modifiers::COMMAND, Key::W);
    click(&mut harness, "Save");
    harness.run_steps(3);
    assert!(harness.state().view.tabs.is_empty());
    let saved = world
        .borrow()
        .jobs
        .iter()
        .any(|job| matches!(job, FileJob::Save { flow, .. } if flow.graph.n_nodes() == 3));
    assert!(saved);
}

#[test]
fn a_clean_tab_closes_at_once() {
    let (world, mut harness) = opened();
    press(&mut harness, Modifiers::COMMAND, Key::W);
    assert!(harness.state().view.tabs.is_empty());
    let closed = |order: &Order| matches!(order, Order::CloseFlow(flow) if *flow == flow_ref());
    assert!(world.borrow().orders.iter().any(closed));
}

#[test]
fn a_file_changed_outside_is_never_overwritten_unasked() {
    let (world, mut harness) = opened();
    click(&mut harness, "step d");
    press(&mut harness, Modifiers::NONE, Key::D);
    let mut theirs = sample();
    theirs.graph.node_mut(&"d".into()).expect("there").command = "theirs".into();
    world.borrow_mut().news = Some(Outside::Changed(Box::new(version(theirs))));
    world.borrow_mut().save_troubles.push(SaveTrouble::Changed);
    press(&mut harness, Modifiers::COMMAND, Key::S);
    harness.run_steps(3);
    harness.get_by_label("Another program changed the same things as you.");
    assert!(harness.state().view.tab().expect("tab").is_dirty());
    click(&mut harness, "Keep mine");
    harness.run_steps(3);
    assert!(!harness.state().view.tab().expect("tab").is_dirty());
    // And the other way: a change seen while the window was away.
    world.borrow_mut().news = Some(Outside::Deleted);
    harness.event(egui::Event::WindowFocused(true));
    harness.run_steps(4);
    harness.get_by_label("This workfile is gone from the disk. Save to bring it back.");
}

#[test]
fn a_broken_workfile_says_why_and_offers_to_try_again() {
    let world = world();
    let mut harness = window(&world, &["/c/broken.graphml"]);
    harness.get_by_label("Line 3 is not XML. Mend it in a text editor.");
    click(&mut harness, "Try again");
    let loads = |job: &&FileJob| matches!(job, FileJob::Load { .. });
    let n = world.borrow().jobs.iter().filter(loads).count();
    assert_eq!(n, 2);
    harness.get_by_label("This workfile cannot be opened");
}

#[test]
fn a_broken_workfile_that_is_mended_on_the_disk_opens_by_itself() {
    let world = world();
    let mut harness = window(&world, &["/c/broken.graphml"]);
    harness.get_by_label("This workfile cannot be opened");
    let tab = harness.state().view.shown.expect("a tab");
    // Still broken: nothing changes, and nothing is asked.
    world.borrow_mut().done.push(FileDone::Touched { tab });
    harness.run_steps(3);
    harness.get_by_label("This workfile cannot be opened");
    world.borrow_mut().mended = true;
    world.borrow_mut().done.push(FileDone::Touched { tab });
    harness.run_steps(3);
    assert!(harness.state().view.doc().is_some());
    assert_eq!(harness.state().view.shown, Some(tab));
}

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
fn save_as_works_where_the_desktop_has_no_dialog() {
    let (world, mut harness) = opened();
    press(&mut harness, Modifiers::COMMAND | Modifiers::SHIFT, Key::S);
    harness.run_steps(3);
    harness.get_by_label("Path");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    harness.run_steps(3);
    let world = world.borrow();
    let path = world.jobs.iter().find_map(|job| match job {
        FileJob::SaveAs { path, .. } => Some(path.clone()),
        _ => None,
    });
    assert_eq!(path, Some("/c/claims/flow_modules/orders.graphml".into()));
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
fn errors_stay_until_they_are_read() {
    let world = world();
    let error = Notice::error("The ledger cannot be written.", "Free some space.");
    world.borrow_mut().board.notices = Arc::new(vec![(7, error)]);
    let mut harness = window(&world, &[]);
    harness.run_steps(60 * 10);
    harness.get_by_label("The ledger cannot be written.");
    click(&mut harness, "Dismiss");
    let told = |order: &Order| matches!(order, Order::DismissNotice(7));
    assert!(world.borrow().orders.iter().any(told));
}

#[test]
fn panes_come_back_as_they_were() {
    let (world, mut harness) = opened();
    press(&mut harness, Modifiers::NONE, Key::I);
    press(&mut harness, Modifiers::COMMAND, Key::B);
    drop(harness);
    let harness = window(&world, &[]);
    let layout = &harness.state().view.layout;
    assert!(!layout.panes.inspector && !layout.sidebar && layout.panes.bottom);
    assert_eq!(harness.state().view.tabs.len(), 1, "the open tab came back");
}

#[test]
fn at_rest_nothing_is_drawn_again() {
    let (_world, mut harness) = opened();
    harness.run_steps(30);
    let wait = harness.output().viewport_output[&egui::ViewportId::ROOT].repaint_delay;
    assert!(wait > std::time::Duration::from_secs(60), "{wait:?}");
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

fn live_run() -> RunSummary {
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

/// A run of the history, `n` hours ago.
fn past_run(id: &str, hours: i64, outcome: Outcome) -> RunSummary {
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

fn with_history(
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

fn stand(world: &Shared, stands: FlowBoard) {
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
    let asked = world
        .borrow()
        .orders
        .iter()
        .rev()
        .find_map(|order| match order {
            Order::Compare(ask) => ask.clone(),
            _ => None,
        });
    let ask = asked.expect("asked");
    assert_eq!(
        (ask.a.as_str(), ask.b.as_str()),
        ("1-a", "2-b"),
        "the older first"
    );
    harness.get_by_label("Comparing…");
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
    let comparison = crate::model::compare(
        detail(
            &runs[1],
            node("paint blu", crate::model::NodeStatus::Failed),
        ),
        detail(&runs[0], node("paint blue", crate::model::NodeStatus::Ran)),
    );
    world.borrow_mut().board.comparison = Some(Arc::new(crate::runtime::ComparisonShown {
        ask,
        result: Ok(comparison),
    }));
    harness.run_steps(3);
    harness.get_by_label("1 of 1 nodes differ");
    harness.get_by_label("step b, failed → ran");
    harness.get_by_label("- paint blu");
    click(&mut harness, "Back to runs");
    harness.get_by_label_contains("Today 08:41");
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
