//! One line of text where it is wanted, cut with an ellipsis.

use std::sync::Arc;

use egui::text::{LayoutJob, TextWrapping};
use egui::{Color32, FontId, Galley, Sense, Ui, WidgetInfo, WidgetType, pos2};

use crate::app::theme::{Theme, regular, size};

/// One line of text, cut with an ellipsis when it is wider than `max_width`.
pub fn galley(ui: &Ui, text: &str, font: FontId, colour: Color32, max_width: f32) -> Arc<Galley> {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), font, colour);
    job.wrap = TextWrapping::truncate_at_width(max_width.max(0.0));
    ui.painter().layout_job(job)
}

/// Words of a line that may have so many rows; the last one is cut with an ellipsis.
pub fn rows(ui: &Ui, text: &str, rows_max: usize, max_width: f32) -> Arc<Galley> {
    let theme = Theme::of(ui.ctx());
    let font = regular(size::UI);
    let mut job = LayoutJob::simple(text.to_owned(), font, theme.text, max_width);
    job.wrap.max_rows = rows_max;
    ui.painter().layout_job(job)
}

/// Draws [`rows`]; all of `text` is told by pointing at what was cut.
pub fn rows_ui(ui: &mut Ui, galley: Arc<Galley>, text: &str) {
    let theme = Theme::of(ui.ctx());
    let is_cut = galley.elided;
    let (rect, words) = ui.allocate_exact_size(galley.size(), Sense::hover());
    ui.painter().galley(rect.min, galley, theme.text);
    words.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, text));
    if is_cut {
        words.on_hover_text(text);
    }
}

/// Paints one line of text with its middle at `y`, from `x` rightwards; gives its width.
pub fn text_at(
    ui: &Ui,
    x: f32,
    y: f32,
    text: &str,
    font: FontId,
    colour: Color32,
    max_width: f32,
) -> f32 {
    let galley = galley(ui, text, font, colour, max_width);
    let width = galley.size().x;
    let top = (y - galley.size().y / 2.0).round();
    ui.painter().galley(pos2(x, top), galley, colour);
    width
}

/// Paints one line of small text that ends at `right`; gives its width.
pub fn small_text_before(
    ui: &Ui,
    right: f32,
    y: f32,
    text: &str,
    colour: Color32,
    max_width: f32,
) -> f32 {
    let galley = galley(ui, text, regular(size::SMALL), colour, max_width);
    let width = galley.size().x;
    let top = (y - galley.size().y / 2.0).round();
    ui.painter()
        .galley(pos2(right - width, top), galley, colour);
    width
}
