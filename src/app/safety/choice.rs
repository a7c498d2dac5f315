//! One of two versions of a thing, to be picked.

use egui::{RichText, Sense, Stroke, StrokeKind, Ui, vec2};

use crate::app::theme::{Theme, mono, regular, size};
use crate::app::widgets;

use super::changes::{one_line, shown};

/// One of both versions; true when it was clicked.
pub(super) fn choice_ui(
    ui: &Ui,
    cell: egui::Rect,
    (row, name, what): (usize, &str, &str),
    value: Option<&str>,
    chosen: bool,
    is_at: bool,
) -> bool {
    let theme = Theme::of(ui.ctx());
    let response = ui.interact(cell, ui.id().with((row, name)), Sense::click());
    let told = format!("{what}: {name}: {}", value.unwrap_or("removed"));
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::WidgetType::RadioButton, true, chosen, told.clone())
    });
    let fill = match (chosen, response.hovered()) {
        (true, _) => theme.panel.lerp_to_gamma(theme.accent, 0.16),
        (false, true) => theme.hover(),
        (false, false) => theme.panel,
    };
    let line = match (chosen, is_at) {
        (true, _) => theme.accent,
        (false, true) => theme.dim,
        (false, false) => theme.line,
    };
    let stroke = Stroke::new(if chosen { 1.5 } else { 1.0 }, line);
    ui.painter()
        .rect(cell, size::RADIUS, fill, stroke, StrokeKind::Inside);
    let inner = cell.shrink2(vec2(10.0, 5.0));
    let head = if chosen { theme.accent } else { theme.dim };
    let label = widgets::galley(ui, name, regular(size::SMALL), head, inner.width());
    ui.painter().galley(inner.left_top(), label, head);
    let (text, colour) = match value {
        None => ("removed".to_owned(), theme.dim),
        Some("") => ("(none)".to_owned(), theme.dim),
        Some(text) => (one_line(text), theme.text),
    };
    let text = widgets::galley(ui, &text, mono(size::MONO), colour, inner.width());
    let place = inner.left_top() + vec2(0.0, 17.0);
    ui.painter().galley(place, text.clone(), colour);
    let is_clicked = response.clicked();
    if text.elided || value.is_some_and(|value| value.contains('\n')) {
        response
            .on_hover_text(RichText::new(shown(value.unwrap_or_default())).font(mono(size::SMALL)));
    }
    is_clicked
}
