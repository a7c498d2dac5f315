//! What only says something: headings, tab headers, names and values of fields, empty places.

use egui::{
    Align2, Color32, CornerRadius, Rect, Response, Sense, Stroke, StrokeKind, Ui, WidgetInfo,
    WidgetType, pos2, vec2,
};

use crate::app::theme::{Theme, regular, size, space};

use super::focus::focus_ring;
use super::text::{galley, text_at};

/// A heading over rows, with a count at the right.
pub fn heading(ui: &mut Ui, text: &str, count: Option<usize>) {
    let theme = Theme::of(ui.ctx());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 24.0), Sense::hover());
    let y = rect.bottom() - 10.0;
    let font = regular(size::SMALL);
    text_at(
        ui,
        rect.left() + 8.0,
        y,
        text,
        font.clone(),
        theme.dim,
        rect.width() - 40.0,
    );
    if let Some(count) = count {
        ui.painter().text(
            pos2(rect.right() - 8.0, y),
            Align2::RIGHT_CENTER,
            count.to_string(),
            font,
            theme.faint,
        );
    }
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, text));
}

/// A header of a pane: a word that is underlined by the accent when its pane is shown.
pub fn tab_header(ui: &mut Ui, text: &str, name: &str, selected: bool) -> Response {
    let theme = Theme::of(ui.ctx());
    let colour = if selected { theme.text } else { theme.dim };
    let galley = galley(ui, text, regular(size::UI), colour, 160.0);
    let height = ui.available_height().max(size::CONTROL);
    let (rect, response) = ui.allocate_exact_size(vec2(galley.size().x, height), Sense::click());
    let colour = if response.hovered() {
        theme.text
    } else {
        colour
    };
    let top = (rect.center().y - galley.size().y / 2.0).round();
    ui.painter()
        .galley_with_override_text_color(pos2(rect.left(), top), galley, colour);
    if selected {
        let line = Rect::from_min_max(pos2(rect.left(), rect.bottom() - 2.0), rect.max);
        ui.painter().rect_filled(line, 0, theme.accent);
    }
    focus_ring(ui, &response, rect);
    response
        .widget_info(|| WidgetInfo::selected(WidgetType::SelectableLabel, true, selected, name));
    response
}

/// The name over a field.
pub fn field_label(ui: &mut Ui, text: &str) -> Response {
    let theme = Theme::of(ui.ctx());
    ui.add_space(space::XS);
    let label = egui::RichText::new(text)
        .font(regular(size::SMALL))
        .color(theme.dim);
    ui.add(egui::Label::new(label).selectable(false))
}

/// Small words that explain what stands above them, under its text where that has a box or a ring.
pub fn note_ui(ui: &mut Ui, text: &str, is_under_mark: bool, colour: Color32) {
    let spacing = ui.spacing();
    let left = match is_under_mark {
        true => spacing.icon_width + spacing.icon_spacing,
        false => 0.0,
    };
    let margin = egui::Margin {
        left: left as i8,
        bottom: 2,
        ..egui::Margin::ZERO
    };
    egui::Frame::new().inner_margin(margin).show(ui, |ui| {
        let text = egui::RichText::new(text).font(regular(size::SMALL));
        ui.add(egui::Label::new(text.color(colour)).wrap());
    });
}

/// A value that is shown in a field's frame but cannot be typed.
pub fn shown_value(ui: &mut Ui, text: &str, colour: Color32) -> Response {
    let theme = Theme::of(ui.ctx());
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), size::CONTROL), Sense::hover());
    ui.painter().rect(
        rect,
        CornerRadius::same(size::RADIUS),
        theme.panel,
        Stroke::new(1.0, theme.line),
        StrokeKind::Inside,
    );
    text_at(
        ui,
        rect.left() + 8.0,
        rect.center().y,
        text,
        regular(size::UI),
        colour,
        rect.width() - 16.0,
    );
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, text));
    response
}

/// Calm words in the middle of an empty pane: what is so, then what to do.
pub fn empty_state(ui: &mut Ui, what: &str, hint: &str) {
    let theme = Theme::of(ui.ctx());
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.3).clamp(8.0, 120.0));
        ui.label(egui::RichText::new(what).color(theme.dim));
        if !hint.is_empty() {
            ui.label(
                egui::RichText::new(hint)
                    .font(regular(size::SMALL))
                    .color(theme.faint),
            );
        }
    });
}
