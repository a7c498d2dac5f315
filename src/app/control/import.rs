//! Asking before a workspace is taken over from the program that kept it before.

use egui::Ui;

use crate::app::action::{Action, Answer};
use crate::app::theme::Theme;
use crate::app::widgets::{self, Button};
use crate::runtime::control::{BannerKind, Wish};

use super::page::{Act, ask, foot_ui, part_ui, title_ui, words_ui};
use super::seat::Seat;

/// Draws the dialog.
pub fn show(ui: &Ui, seat: &Seat, actions: &mut Vec<Action>) {
    let mut banners = seat.status.banners.iter();
    if !banners.any(|banner| banner.kind == BannerKind::Importable) {
        // It was done, or begun there again, while this was open.
        actions.push(Action::Answer(Answer::Cancel));
        return;
    }
    let theme = Theme::of(ui.ctx());
    let response = widgets::modal(ui, "import").show(ui.ctx(), |ui| {
        ui.set_width(440.0);
        title_ui(ui, &format!("Take ‘{}’ over from Data Engine 0.5?", seat.name));
        words_ui(
            ui,
            "Make sure that Data Engine is closed on every machine that opens this folder.",
            theme.text,
        );
        part_ui(
            ui,
            "Its history",
            "Its runs, steps and the last lines of their logs come into the history of this workstation.",
        );
        part_ui(
            ui,
            "Its state",
            "It is moved to .workspace_state/stale and stays there, unchanged. Data Engine 0.5 finds none here then, \
             and must not be started here again.",
        );
        if foot_ui(ui, Button::new("Take over").primary(), actions) {
            ask(seat, Act::Wish(Wish::Import), actions);
            actions.push(Action::Answer(Answer::Cancel));
        }
    });
    if response.backdrop_response.clicked() {
        actions.push(Action::Answer(Answer::Cancel));
    }
}
