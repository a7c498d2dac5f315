//! Panes and notices, and a window at rest.

use std::sync::Arc;

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;

use super::fakes::world;
use super::journeys::{click, opened, press, window};
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
