//! Panes and notices, and a window at rest.

use std::sync::Arc;

use egui::{Event, Key, Modifiers, PointerButton, Pos2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;

use super::fakes::world;
use super::journeys::{Stage, click, opened, press, window};
use crate::app::action::{Action, Verb};
use crate::model::Notice;
use crate::runtime::Order;

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

/// Clicks in the one frame that follows, as a quick hand does.
fn click_in_next_frame(harness: &mut Harness<'_, Stage>, at: Pos2) {
    let button = |pressed| Event::PointerButton {
        pos: at,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    let events = &mut harness.input_mut().events;
    events.extend([Event::PointerMoved(at), button(true), button(false)]);
    harness.run_steps(1);
}

#[test]
fn a_click_in_the_frame_after_a_dialog_opens_is_heard() {
    let place =
        |harness: &Harness<'_, Stage>, label: &str| harness.get_by_label(label).rect().center();
    let close = {
        let (_world, mut harness) = opened();
        harness.state_mut().ask(Action::Do(Verb::ShowKeys));
        harness.run_steps(6);
        place(&harness, "Close")
    };
    let (_world, mut harness) = opened();
    harness.state_mut().ask(Action::Do(Verb::ShowKeys));
    harness.run_steps(1);
    assert_eq!(
        place(&harness, "Close"),
        close,
        "it is drawn in its place at once"
    );
    click_in_next_frame(&mut harness, close);
    harness.run_steps(1);
    assert!(harness.state().view.dialog.is_none());
    // The same for one that was open before, and for the palette.
    harness.run_steps(3);
    harness.state_mut().ask(Action::Do(Verb::ShowKeys));
    harness.run_steps(1);
    click_in_next_frame(&mut harness, close);
    harness.run_steps(1);
    assert!(harness.state().view.dialog.is_none());
    harness.state_mut().ask(Action::Do(Verb::CommandPalette));
    harness.run_steps(1);
    let first = place(&harness, "Run whole flow");
    click_in_next_frame(&mut harness, first);
    harness.run_steps(1);
    assert!(harness.state().view.palette.is_none());
}
