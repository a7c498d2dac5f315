//! Opening, saving and closing workfiles, and what another program does to them.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;

use super::fakes::{Outside, flow_ref, sample, version, world};
use super::journeys::{click, opened, press, window};
use crate::app::ports::{FileDone, FileJob, SaveTrouble};
use crate::runtime::Order;

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
