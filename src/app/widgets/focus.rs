//! The ring round what has the keyboard.

use egui::{CornerRadius, Rect, Response, Stroke, StrokeKind, Ui};

use crate::app::theme::{Theme, size};

/// The accent ring round what has the keyboard; also tells the keys that a control has it.
pub fn focus_ring(ui: &Ui, response: &Response, rect: Rect) {
    if response.has_focus() {
        let theme = Theme::of(ui.ctx());
        ui.painter().rect_stroke(
            rect.expand(1.0),
            CornerRadius::same(size::RADIUS + 1),
            Stroke::new(1.5, theme.accent),
            StrokeKind::Outside,
        );
        let pass = ui.ctx().cumulative_pass_nr();
        ui.data_mut(|data| data.insert_temp(focus_mark(), pass));
    }
}

fn focus_mark() -> egui::Id {
    egui::Id::new("handmill control has focus")
}

/// True when one of these controls had the keyboard in the pass before: Enter, Space and the
/// arrows are then its own.
pub fn control_has_focus(ctx: &egui::Context) -> bool {
    let pass = ctx.cumulative_pass_nr();
    ctx.data(|data| data.get_temp::<u64>(focus_mark()))
        .is_some_and(|at| at + 1 >= pass)
}
