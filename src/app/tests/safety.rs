use std::sync::Arc;

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;

use super::fakes::{NOW, Outside, sample, version, world};
use super::journeys::{click, opened, press, window};
use crate::app::ports::FileJob;
use crate::editor::{Note, Task, Unsaved};
use crate::model::{Edit, Flow, NodeField, Timestamp};
use crate::runtime::Order;

const FILE: &str = "/c/claims/flow_modules/orders.graphml";

fn with_command(id: &str, command: &str) -> Flow {
    let mut flow = sample();
    flow.graph.node_mut(&id.into()).expect("there").command = command.into();
    flow
}

/// The file changes while the window was away.
fn change_outside(
    world: &super::fakes::Shared,
    harness: &mut egui_kittest::Harness<'_, super::journeys::Stage>,
    flow: Flow,
) {
    world.borrow_mut().news = Some(Outside::Changed(Box::new(version(flow))));
    harness.event(egui::Event::WindowFocused(true));
    harness.run_steps(4);
}

#[test]
fn an_outside_change_is_followed_silently_and_the_selection_stays() {
    let (world, mut harness) = opened();
    click(&mut harness, "step c");
    change_outside(&world, &mut harness, with_command("a", "theirs"));
    let tab = harness.state().view.tab().expect("tab");
    let doc = tab.doc().expect("open");
    assert_eq!(
        doc.flow().graph.node(&"a".into()).expect("there").command,
        "theirs"
    );
    assert_eq!(tab.selection.nodes(), ["c".into()]);
    assert!(!doc.is_dirty());
    assert!(harness.query_by_label("Show").is_none(), "nothing is told");
}

#[test]
fn an_outside_change_beside_edits_comes_in_and_is_listed() {
    let (world, mut harness) = opened();
    click(&mut harness, "step d");
    press(&mut harness, Modifiers::NONE, Key::D);
    change_outside(&world, &mut harness, with_command("a", "theirs"));
    let n_nodes = |harness: &egui_kittest::Harness<'_, super::journeys::Stage>| {
        let doc = harness.state().view.doc().expect("open");
        let theirs = &doc.flow().graph.node(&"a".into()).expect("there").command;
        (doc.flow().graph.n_nodes(), theirs.clone())
    };
    assert_eq!(n_nodes(&harness), (3, "theirs".to_owned()));
    click(&mut harness, "Show");
    harness.get_by_label("Node ‘step a’: command");
    press(&mut harness, Modifiers::NONE, Key::Escape);
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    assert_eq!(n_nodes(&harness), (3, "echo a".to_owned()), "one step");
}

#[test]
fn what_both_changed_is_chosen_by_keys() {
    let (world, mut harness) = opened();
    click(&mut harness, "step d");
    press(&mut harness, Modifiers::NONE, Key::D);
    let mut theirs = with_command("d", "theirs");
    theirs.graph.node_mut(&"a".into()).expect("there").command = "also".into();
    change_outside(&world, &mut harness, theirs);
    assert_eq!(
        harness
            .state()
            .view
            .doc()
            .expect("open")
            .flow()
            .graph
            .n_nodes(),
        3
    );
    click(&mut harness, "Choose…");
    harness.run_steps(2);
    harness.get_by_label("Node ‘step d’: Mine: removed");
    press(&mut harness, Modifiers::NONE, Key::ArrowLeft);
    press(&mut harness, Modifiers::NONE, Key::ArrowRight);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    harness.run_steps(3);
    let doc = harness.state().view.doc().expect("open");
    let command = |id: &str| doc.flow().graph.node(&id.into()).map(|n| n.command.clone());
    assert_eq!(command("d").as_deref(), Some("theirs"));
    assert_eq!(command("a").as_deref(), Some("also"));
    assert!(harness.state().view.dialog.is_none());
}

#[test]
fn what_was_picked_last_is_used_however_long_it_takes_to_work_it_out() {
    let (world, mut harness) = opened();
    click(&mut harness, "step d");
    press(&mut harness, Modifiers::NONE, Key::D);
    change_outside(&world, &mut harness, with_command("d", "theirs"));
    let answer = |harness: &mut egui_kittest::Harness<'_, super::journeys::Stage>| {
        let held = world.borrow_mut().held.take().expect("held");
        world.borrow_mut().done.extend(held);
        harness.run_steps(3);
    };
    world.borrow_mut().held = Some(Vec::new());
    click(&mut harness, "Choose…");
    assert!(harness.state().view.dialog.is_none(), "not worked out yet");
    answer(&mut harness);
    harness.get_by_label("Node ‘step d’: Mine: removed");
    world.borrow_mut().held = Some(Vec::new());
    press(&mut harness, Modifiers::NONE, Key::ArrowRight);
    press(&mut harness, Modifiers::NONE, Key::ArrowLeft);
    press(&mut harness, Modifiers::NONE, Key::ArrowRight);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert!(harness.state().view.dialog.is_some(), "it is waited for");
    answer(&mut harness);
    assert!(harness.state().view.dialog.is_none());
    let doc = harness.state().view.doc().expect("open");
    let node = doc.flow().graph.node(&"d".into()).expect("theirs");
    assert_eq!(node.command, "theirs");
}

#[test]
fn every_edit_reaches_the_journal_in_the_frame_it_is_made_and_a_save_ends_it() {
    let (world, mut harness) = opened();
    assert!(world.borrow().notes.is_empty(), "nothing was done");
    click(&mut harness, "step d");
    press(&mut harness, Modifiers::NONE, Key::D);
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    press(&mut harness, Modifiers::COMMAND, Key::Y);
    press(&mut harness, Modifiers::COMMAND, Key::S);
    harness.run_steps(3);
    let kinds: Vec<&str> = world
        .borrow()
        .notes
        .iter()
        .map(|note| match note {
            Note::Begin { .. } => "begin",
            Note::Edits { .. } => "edits",
            Note::End { .. } => "end",
        })
        .collect();
    assert_eq!(
        kinds,
        ["begin", "end", "begin", "end"],
        "undo goes back to what is saved"
    );
}

#[test]
fn what_is_typed_reaches_the_journal_with_each_letter_and_leaves_it_when_it_is_dropped() {
    let (world, mut harness) = opened();
    click(&mut harness, "step a");
    let typed = || match world.borrow().notes.last() {
        Some(Note::Begin { typed, .. } | Note::Edits { typed, .. }) => typed.clone(),
        Some(Note::End { .. }) | None => None,
    };
    harness.get_by_label("Title").click();
    harness.run_steps(2);
    assert_eq!(typed(), None, "nothing is typed");
    for text in ["x", "xy"] {
        let letter = &text[text.len() - 1..];
        harness.get_by_label("Title").type_text(letter);
        harness.step();
        let edit = typed().expect("in the frame of the letter");
        let Edit::SetNode { field, .. } = &edit else {
            panic!("{edit:?}");
        };
        assert!(
            matches!(field, NodeField::Title(title) if title.contains(letter)),
            "{field:?}"
        );
    }
    let doc = harness.state().view.doc().expect("open");
    assert!(!doc.is_dirty(), "it is no step before the field is left");
    press(&mut harness, Modifiers::NONE, Key::Escape);
    harness.run_steps(2);
    let notes = &world.borrow().notes;
    assert!(
        matches!(notes.last(), Some(Note::End { .. })),
        "dropped, and nothing else was done: {notes:?}"
    );
}

fn unsaved() -> Unsaved {
    Unsaved {
        file: "/home/journals/x.journal".into(),
        title: "Orders".into(),
        at: Timestamp(NOW.0 - 3_600_000_000),
        n_steps: 12,
        torn: false,
        base: Arc::new(sample()),
        flow: Arc::new(with_command("b", "unsaved")),
    }
}

#[test]
fn edits_that_a_crash_left_are_offered_shown_and_restored() {
    let world = world();
    world.borrow_mut().unsaved = Some(unsaved());
    let mut harness = window(&world, &[FILE]);
    harness.get_by_label("12 edits of today 09:41 were not saved.");
    click(&mut harness, "Show difference");
    harness.get_by_label("Node ‘step b’: command");
    press(&mut harness, Modifiers::NONE, Key::Escape);
    click(&mut harness, "Restore");
    harness.run_steps(2);
    let doc = harness.state().view.doc().expect("open");
    assert_eq!(
        doc.flow().graph.node(&"b".into()).expect("there").command,
        "unsaved"
    );
    assert!(doc.is_dirty());
    let notes = &world.borrow().notes;
    assert!(
        matches!(&notes[..], [Note::Begin { base, .. }] if base.replaces == Some(unsaved().file)),
        "in the new journal, which stands for the old: {notes:?}"
    );
}

#[test]
fn edits_that_a_crash_left_are_discarded_only_when_asked() {
    let world = world();
    world.borrow_mut().unsaved = Some(unsaved());
    let mut harness = window(&world, &[FILE]);
    let drops = |world: &super::fakes::Shared| {
        let drop = |job: &&FileJob| {
            matches!(
                job,
                FileJob::Task {
                    task: Task::DropJournal(_),
                    ..
                }
            )
        };
        world.borrow().jobs.iter().filter(drop).count()
    };
    assert_eq!(drops(&world), 0);
    click(&mut harness, "Discard");
    harness.run_steps(2);
    assert_eq!(drops(&world), 1);
    assert!(harness.query_by_label("Restore").is_none());
}

#[test]
fn a_workfile_from_elsewhere_runs_only_after_its_commands_were_shown() {
    let world = world();
    world.borrow_mut().untrusted = true;
    let mut harness = window(&world, &[FILE]);
    let starts = |world: &super::fakes::Shared| {
        let start = |order: &&Order| matches!(order, Order::StartRun { .. });
        world.borrow().orders.iter().filter(start).count()
    };
    press(&mut harness, Modifiers::NONE, Key::R);
    harness.run_steps(2);
    assert_eq!(starts(&world), 0);
    harness.get_by_label("Trust this workfile?");
    harness.get_by_label("echo a");
    // What opened the page must not go through it.
    press(&mut harness, Modifiers::NONE, Key::R);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    harness.run_steps(2);
    assert_eq!(starts(&world), 0);
    press(&mut harness, Modifiers::NONE, Key::R);
    harness.run_steps(2);
    click(&mut harness, "Trust and run");
    harness.run_steps(2);
    assert_eq!(starts(&world), 1);
    let asked = |job: &FileJob| match job {
        FileJob::Task {
            task: Task::Trust { root, .. },
            ..
        } => Some(root.clone()),
        _ => None,
    };
    let asked: Vec<_> = world.borrow().jobs.iter().filter_map(asked).collect();
    assert_eq!(asked, [None]);
    press(&mut harness, Modifiers::NONE, Key::R);
    harness.run_steps(2);
    assert_eq!(starts(&world), 2, "asked once");
}

#[test]
fn a_file_in_which_git_left_both_sides_offers_to_merge_them() {
    let world = world();
    let mut harness = window(&world, &["/c/broken.graphml"]);
    click(&mut harness, "Merge both sides…");
    harness.run_steps(2);
    let taken = |job: &FileJob| {
        matches!(
            job,
            FileJob::Task {
                task: Task::TakeApart(_),
                ..
            }
        )
    };
    assert!(world.borrow().jobs.iter().any(taken));
}
