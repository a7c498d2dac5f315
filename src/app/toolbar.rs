//! The bar at the top: run, resume, stop, undo, redo, find; at the right the use of the slots.

use egui::{Align, Layout, Ui};

use crate::runtime::Board;

use super::action::{Action, Verb};
use super::icons::Icon;
use super::theme::{Theme, regular, size, space};
use super::verbs::{self, Context};
use super::view::View;
use super::widgets::Button;

/// Draws the bar.
pub fn toolbar_ui(ui: &mut Ui, view: &mut View, board: &Board, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let facts = view.context(board);
    let narrow = ui.available_width() < 820.0;
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        let mut pointed = None;
        let mut verb = |ui: &mut Ui, verb, text: &str, icon, how: How| {
            if verb_button(ui, &facts, verb, text, icon, how, actions) {
                pointed = Some(verb);
            }
        };
        verb(ui, Verb::Run, "Run", Icon::Play, How::Main);
        verb(ui, Verb::Resume, "Resume", Icon::Resume, How::Plain);
        let stop = if facts.stopping {
            "Stop at once"
        } else {
            "Stop"
        };
        verb(ui, Verb::Stop, stop, Icon::Stop, How::Plain);
        ui.add_space(space::XS);
        verb(ui, Verb::Undo, "Undo", Icon::Undo, How::Bare);
        verb(ui, Verb::Redo, "Redo", Icon::Redo, How::Bare);
        ui.add_space(space::XS);
        verb(
            ui,
            Verb::CommandPalette,
            "Find or do…",
            Icon::Search,
            if narrow { How::Bare } else { How::Plain },
        );
        view.pointed_run = view.pointed_run.or(pointed);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let slots = board.slots;
            if slots.total > 0 {
                let text = format!("{} of {} slots", slots.used, slots.total);
                let button = Button::new(&text).tooltip("Nodes running now, and the most that may");
                if button.show(ui).clicked() {
                    actions.push(Action::Do(Verb::ShowSettings));
                }
            }
            let n_live = board.flows.values().filter(|f| f.live.is_some()).count();
            if n_live > 0 && !narrow {
                let text = match n_live {
                    1 => "1 flow running".to_owned(),
                    n => format!("{n} flows running"),
                };
                ui.label(
                    egui::RichText::new(text)
                        .font(regular(size::UI))
                        .color(theme.dim),
                );
            }
        });
    });
}

#[derive(Clone, Copy, PartialEq)]
enum How {
    Main,
    Plain,
    Bare,
}

/// Draws the button of a verb; true while the pointer or the keyboard is on it.
fn verb_button(
    ui: &mut Ui,
    facts: &Context,
    verb: Verb,
    text: &str,
    icon: Icon,
    how: How,
    actions: &mut Vec<Action>,
) -> bool {
    let entry = verbs::entry(verb);
    let mac = ui.ctx().os().is_mac();
    let key = entry.keys.first().map(|key| key.short_label(mac));
    let tooltip = match (&key, how) {
        (Some(key), How::Bare) => format!("{} · {key}", entry.tooltip),
        _ => entry.tooltip.to_owned(),
    };
    let mut button = Button::new(text).icon(icon).tooltip(&tooltip);
    button.disabled = facts.disabled_because(verb);
    match how {
        How::Main => {
            button = button.primary();
            button.key = key;
        }
        How::Plain => button.key = key,
        How::Bare => button = button.bare(icon),
    }
    let response = button.show(ui);
    if response.clicked() {
        actions.push(Action::Do(verb));
    }
    response.hovered() || response.has_focus()
}
