//! Lines and margins, and where the answers of a dialog stand.

use egui::{Sense, Stroke, Ui, vec2};

use crate::app::theme::{Theme, size, space};

/// The row of answers at the foot of a dialog, from the right; no taller than a button, however
/// tall the dialog was before.
pub fn answers_ui(ui: &mut Ui, answers: impl FnOnce(&mut Ui)) {
    let layout = egui::Layout::right_to_left(egui::Align::Center);
    let size = vec2(ui.available_width(), size::CONTROL);
    ui.allocate_ui_with_layout(size, layout, |ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        answers(ui);
    });
}

/// A line of one pixel over the full width.
pub fn hairline(ui: &mut Ui) {
    let theme = Theme::of(ui.ctx());
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 1.0), Sense::hover());
    ui.painter().hline(
        rect.x_range(),
        rect.center().y,
        Stroke::new(1.0, theme.line),
    );
}

/// The frame of a text field, for [`egui::TextEdit::frame`].
pub fn field_margin() -> egui::Margin {
    egui::Margin::symmetric(8, 6)
}

/// Draws boxes and rings to be ticked in this part of the window so that one sees them before they are.
pub fn seen_marks(ui: &mut Ui) {
    let theme = Theme::of(ui.ctx());
    ui.visuals_mut().widgets.inactive.bg_stroke = Stroke::new(1.0, theme.faint);
}
