//! One line of a log.

use egui::{Rect, Ui, UiBuilder, vec2};

use crate::app::theme::{Theme, mono, size};
use crate::app::view::View;
use crate::app::{when, widgets};
use crate::model::{LogLine, LogTail, Stream};

use super::rows::wrapped;

/// Height of a log line in points.
pub(super) const LINE_H: f32 = 19.0;

/// What stands in the place of lines that were not read.
pub(super) fn skipped_ui(ui: &Ui, origin: egui::Pos2, log: &LogTail) {
    let theme = Theme::of(ui.ctx());
    let kib = log.skipped_bytes.div_ceil(1024);
    let text = format!("{kib} KiB before this are in the log file only");
    let y = origin.y + LINE_H / 2.0;
    widgets::text_at(ui, origin.x, y, &text, mono(size::MONO), theme.faint, 600.0);
}

/// How a line is shown.
pub(super) struct Marks {
    pub(super) hit: bool,
    pub(super) here: bool,
    pub(super) columns: usize,
    pub(super) prefix_w: f32,
    pub(super) whole_run: bool,
    pub(super) timed: bool,
}

/// Draws a line; `at` is its place in the log.
pub(super) fn line_ui(
    ui: &mut Ui,
    view: &View,
    at: usize,
    line: &LogLine,
    rect: Rect,
    marks: &Marks,
) {
    let theme = Theme::of(ui.ctx());
    let font = mono(size::MONO);
    if marks.hit {
        let fill = if marks.here {
            theme.select
        } else {
            theme.select.gamma_multiply(0.45)
        };
        ui.painter()
            .rect_filled(rect.expand2(vec2(4.0, 0.0)), 3, fill);
    }
    let (tag, ink) = match line.stream {
        Stream::Out => ("out", theme.text),
        Stream::Err => ("err", theme.warning()),
    };
    let time = line
        .at
        .map_or_else(|| " ".repeat(12), |at| when::clock_ms(at, &view.zone));
    let y = rect.top() + LINE_H / 2.0;
    let prefix = if marks.timed {
        format!("{time} {tag}")
    } else {
        tag.to_owned()
    };
    let width = widgets::text_at(
        ui,
        rect.left(),
        y,
        &prefix,
        font.clone(),
        theme.faint,
        400.0,
    );
    if marks.whole_run {
        let name = view
            .doc()
            .and_then(|doc| doc.flow().graph.node(&line.node))
            .map_or(line.node.as_str(), |node| node.name());
        let x = rect.left() + width + 8.0;
        let room = rect.left() + marks.prefix_w - x - 8.0;
        widgets::text_at(ui, x, y, name, font.clone(), theme.dim, room);
    }
    let mut place = rect;
    place.min.x += marks.prefix_w;
    place.min.y += 1.0;
    let builder = UiBuilder::new().id_salt(("line", at)).max_rect(place);
    ui.scope_builder(builder, |ui| {
        let text = wrapped(&line.text, marks.columns);
        let text = egui::RichText::new(text)
            .font(font)
            .line_height(Some(LINE_H))
            .color(ink);
        ui.add(egui::Label::new(text).selectable(true).extend());
    });
}
