//! The kill switch asks, then shows how far it is. What was ended in the end is told by the runtime.

use egui::{RichText, ScrollArea, Ui};

use crate::app::action::{Action, Answer};
use crate::app::kill::Kill;
use crate::app::theme::{Theme, semibold, size, space};
use crate::app::widgets::{self, Button};
use crate::app::window::App;

/// Room for the list of what will be ended, in points.
const LINES_H: f32 = 220.0;

/// Asks before anything is killed, and names it.
pub fn kill_ui(ui: &Ui, kill: &Kill, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let response = widgets::modal(ui, "kill").show(ui.ctx(), |ui| {
        ui.set_width(420.0);
        ui.label(RichText::new(kill.question()).font(semibold(size::TITLE)));
        ui.add_space(space::XS);
        widgets::field_label(ui, "What will be ended");
        let lines = ScrollArea::vertical().max_height(LINES_H);
        lines.show(ui, |ui| {
            for line in kill.lines() {
                ui.add(egui::Label::new(line).wrap());
            }
        });
        ui.add_space(space::S);
        let hint = "It is asked to end, and forced after half a second, with all that it started. \
                    What it has written stays.";
        ui.add(egui::Label::new(RichText::new(hint).color(theme.dim)).wrap());
        ui.add_space(space::L);
        widgets::answers_ui(ui, |ui| {
            if Button::new("Kill").danger().show(ui).clicked() {
                actions.push(Action::Answer(Answer::Discard));
            }
            let cancel = Button::new("Cancel").show(ui);
            // Enter must not kill.
            if ui.memory(|memory| memory.focused().is_none()) {
                cancel.request_focus();
            }
            if cancel.clicked() {
                actions.push(Action::Answer(Answer::Cancel));
            }
        });
    });
    if response.backdrop_response.clicked() {
        actions.push(Action::Answer(Answer::Cancel));
    }
}

/// How far a kill is. It goes on when this is closed.
pub fn killing_ui(ui: &Ui, app: &App, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let Some(kill) = app.view.killing.last() else {
        return;
    };
    let (n, n_left) = (kill.n_nodes(), kill.n_left(&app.board));
    widgets::modal(ui, "killing").show(ui.ctx(), |ui| {
        ui.set_width(420.0);
        ui.label(RichText::new("Killing…").font(semibold(size::TITLE)));
        ui.add_space(space::S);
        let ended = format!("{} of {n} ended", n - n_left);
        let part = if n == 0 {
            1.0
        } else {
            (n - n_left) as f32 / n as f32
        };
        let (rect, bar) =
            ui.allocate_exact_size(egui::vec2(ui.available_width(), 4.0), egui::Sense::hover());
        ui.painter().rect_filled(rect, 2, theme.line);
        let mut done = rect;
        done.max.x = rect.left() + rect.width() * part;
        ui.painter().rect_filled(done, 2, theme.error());
        bar.widget_info(|| {
            egui::WidgetInfo::labeled(egui::WidgetType::ProgressIndicator, true, "Progress")
        });
        ui.add_space(space::XS);
        let left = kill.names_left(&app.board);
        let words = match left.is_empty() {
            true => ended,
            false => format!("{ended}; still running: {left}"),
        };
        ui.add(egui::Label::new(RichText::new(words).color(theme.dim)).wrap());
        ui.add_space(space::L);
        widgets::answers_ui(ui, |ui| {
            if Button::new("Close")
                .tooltip("It goes on")
                .show(ui)
                .clicked()
            {
                actions.push(Action::Answer(Answer::Cancel));
            }
        });
    });
}
