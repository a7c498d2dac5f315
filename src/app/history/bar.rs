//! The field and the buttons over the list of runs.

use egui::{Align, Layout, Popup, TextEdit, Ui, WidgetInfo, WidgetType, vec2};
use jiff::tz::TimeZone;

use crate::app::theme::{Theme, size, space};
use crate::app::view::View;
use crate::app::widgets::{self, Button, Row};
use crate::model::Timestamp;

use super::asked::Asked;
use super::row::BARS_FROM_W;
use super::search;

/// Draws them.
pub(super) fn bar_ui(ui: &mut Ui, view: &mut View, now: Timestamp) {
    let asked = &mut view.history.asked;
    ui.add_space(space::XS);
    let is_narrow = ui.available_width() < BARS_FROM_W;
    if is_narrow && !asked.picking {
        // Beside the buttons no word would be left of it.
        ui.horizontal(|ui| {
            ui.add_space(space::S);
            field_ui(ui, asked);
        });
    }
    let size = vec2(ui.available_width(), size::CONTROL);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        if asked.picking {
            return picking_ui(ui, asked);
        }
        buttons_ui(ui, asked, now, &view.zone);
        if !is_narrow {
            field_ui(ui, asked);
        }
    });
    ui.add_space(space::XS);
}

fn picking_ui(ui: &mut Ui, asked: &mut Asked) {
    let theme = Theme::of(ui.ctx());
    if Button::new("Cancel").flat().show(ui).clicked() {
        asked.leave_comparison();
    }
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        ui.add_space(space::S);
        let words = match &asked.picked {
            None => "Pick two runs to compare",
            Some(_) => "Pick the second run",
        };
        ui.label(egui::RichText::new(words).color(theme.text));
    });
}

/// The buttons, from the right.
fn buttons_ui(ui: &mut Ui, asked: &mut Asked, now: Timestamp, zone: &TimeZone) {
    let compare = Button::new("Compare").flat();
    let compare = compare.tooltip("Pick two runs and see what differs");
    if compare.show(ui).clicked() {
        asked.picking = true;
    }
    let mut failed = Button::new("Failed").tooltip("List only runs that failed");
    failed.flat = !asked.failed;
    if failed.show(ui).clicked() {
        asked.failed ^= true;
        asked.n = 0;
    }
    let chosen = search::chosen(&asked.line, now, zone);
    let mut when = Button::new("When").tooltip("List only runs that began then");
    when.flat = chosen == Some(0);
    let when = when.show(ui);
    Popup::menu(&when).width(170.0).show(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (at, (name, time)) in search::CHOICES.iter().enumerate() {
            let row = Row {
                text: name,
                detail: time,
                selected: chosen == Some(at),
                ..Row::default()
            };
            if row.show(ui).clicked() {
                asked.line = search::with_time(&asked.line, time, now, zone);
                asked.n = 0;
                ui.close();
            }
        }
    });
}

/// The field that runs are looked for in.
fn field_ui(ui: &mut Ui, asked: &mut Asked) {
    let field = TextEdit::singleline(&mut asked.line)
        .id(egui::Id::new("find run"))
        .hint_text("Find run")
        .margin(widgets::field_margin())
        .desired_width(ui.available_width() - 12.0);
    let field = ui.add(field).on_hover_text(
        "Text in the run, or in a name or command of a node.\n\
         7d, today, 2026-11-21, since:12h, until:yesterday: when it began.\n\
         \"today\" in quotes is text.",
    );
    field.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, "Find run"));
    if field.changed() {
        asked.n = 0;
    }
    if field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Escape)) {
        asked.line.clear();
    }
}
