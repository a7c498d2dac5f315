//! The page that explains what is wrong with control, or cannot be promised, and offers the one thing to do.

use egui::{Frame, Margin, RichText, ScrollArea, Stroke, Ui};

use crate::app::action::{Action, Answer};
use crate::app::theme::{Theme, semibold, size, space};
use crate::app::widgets::{self, Button};
use crate::runtime::control::{Banner, Wish};

use super::page::{Act, ask, part_ui, title_ui, words_ui};
use super::seat::Seat;
use super::trouble::{Remedy, explained};
use super::words;

/// Draws the page.
pub fn show(ui: &Ui, seat: &Seat, actions: &mut Vec<Action>) {
    let screen = ui.ctx().content_rect();
    let theme = Theme::of(ui.ctx());
    let response = widgets::modal(ui, "about control").show(ui.ctx(), |ui| {
        ui.set_width((screen.width() - 80.0).min(560.0));
        title_ui(ui, &format!("Control of ‘{}’", seat.name));
        let scroll = ScrollArea::vertical().max_height(screen.height() - 200.0);
        scroll.auto_shrink([false, true]).show(ui, |ui| {
            if seat.status.banners.is_empty() {
                words_ui(ui, &seat.status.text, theme.text);
                let why = seat.status.blocked.as_deref();
                words_ui(ui, why.unwrap_or("Nothing is wrong with it."), theme.dim);
            }
            if let Some(words) = age_words(seat) {
                words_ui(ui, &words, theme.dim);
                ui.add_space(space::XS);
            }
            for banner in &seat.status.banners {
                trouble_ui(ui, seat, banner, actions);
                ui.add_space(space::S);
            }
        });
        ui.add_space(space::M);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = space::S;
            let close = Button::new("Close").show(ui);
            // Enter must not confirm.
            if ui.memory(|memory| memory.focused().is_none()) {
                close.request_focus();
            }
            if close.clicked() {
                actions.push(Action::Answer(Answer::Cancel));
            }
            if Button::new("Control settings…").flat().show(ui).clicked() {
                ask(seat, Act::ShowPolicy, actions);
            }
        });
    });
    if response.backdrop_response.clicked() {
        actions.push(Action::Answer(Answer::Cancel));
    }
}

/// How old what is seen of the other machine is; `None` when no other has control.
fn age_words(seat: &Seat) -> Option<String> {
    let owner = seat.other_owner()?;
    let mut words = format!(
        "The last sign of life of {} came {}.",
        owner.host,
        words::about(owner.silent)
    );
    if let Some(seen) = seat.status.seen {
        words.push_str(&format!(" The folder was read {}.", words::about(seen)));
    }
    Some(words)
}

fn trouble_ui(ui: &mut Ui, seat: &Seat, banner: &Banner, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let told = explained(banner.kind);
    Frame::new()
        .fill(theme.raised)
        .stroke(Stroke::new(1.0, theme.line))
        .corner_radius(size::RADIUS)
        .inner_margin(Margin::same(12))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = space::XS;
            ui.label(RichText::new(told.title).font(semibold(size::UI)));
            words_ui(ui, &banner.text, theme.text);
            part_ui(ui, "Why", told.why);
            part_ui(ui, "What to do", told.remedy);
            let Some((name, remedy)) = told.act else {
                return;
            };
            ui.add_space(space::XS);
            let act = match remedy {
                Remedy::Confirm => Act::Wish(Wish::Confirm),
                Remedy::Look => Act::Wish(Wish::Look),
                Remedy::Import => Act::AskImport,
            };
            if Button::new(name).show(ui).clicked() {
                ask(seat, act, actions);
                if remedy == Remedy::Confirm {
                    actions.push(Action::Answer(Answer::Cancel));
                }
            }
        });
}
