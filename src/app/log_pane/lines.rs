//! The lines of a log that are in view.

use std::sync::Arc;

use egui::{Rect, ScrollArea, Ui, pos2, vec2};

use crate::app::theme::{mono, size};
use crate::app::view::{LogScope, View};
use crate::model::LogTail;

use super::line::{LINE_H, Marks, line_ui, skipped_ui};
use super::tail::{Stood, follows};

/// Characters of the time and stream columns: `10:41:07.120 out `.
const PREFIX: usize = 17;
/// Characters of the stream column alone: `out `.
const PREFIX_UNTIMED: usize = 4;
/// Width of the pane from which on times are shown, in points.
const TIMED_W_MIN: f32 = 420.0;

/// Draws them, and scrolls as was asked.
pub(super) fn lines_ui(ui: &mut Ui, view: &mut View, log: &Arc<LogTail>) {
    let font = mono(size::MONO);
    let char_w = ui.fonts_mut(|fonts| fonts.glyph_width(&font, '0')).max(1.0);
    let whole_run = view.log.shown_scope() == LogScope::Run;
    let names_w = if whole_run { 16.0 * char_w } else { 0.0 };
    // In a narrow pane the text is worth more than the time.
    let timed = ui.available_width() >= TIMED_W_MIN;
    let prefix = if timed { PREFIX } else { PREFIX_UNTIMED };
    let prefix_w = prefix as f32 * char_w + names_w;
    let room = ui.available_width() - 24.0 - prefix_w;
    let columns = if view.layout.panes.log_wrap {
        ((room / char_w) as usize).max(20)
    } else {
        0
    };
    let find = view.log.find.clone().unwrap_or_default();
    view.log.cache.refresh(log, columns, &find);
    let skipped = log.skipped_bytes > 0;
    let head = if skipped { 1 } else { 0 };
    let n_rows = view.log.cache.n_rows() + head;
    let widest = match columns {
        0 => {
            log.lines
                .iter()
                .map(|line| line.text.len())
                .max()
                .unwrap_or(0) as f32
                * char_w
        }
        n => n as f32 * char_w,
    };
    let mut area = if columns == 0 {
        ScrollArea::both()
    } else {
        ScrollArea::vertical()
    };
    area = area
        .auto_shrink(false)
        .id_salt("log")
        .stick_to_bottom(view.log.follow);
    let mut jumped = view.log.to_end;
    if std::mem::take(&mut view.log.jump)
        && let Some(line) = view.log.cache.hits.get(view.log.hit)
    {
        let row = view.log.cache.first_row[*line] + head;
        let middle = row as f32 * LINE_H - ui.available_height() / 2.0;
        area = area.vertical_scroll_offset(middle.max(0.0));
        view.log.follow = false;
        jumped = true;
    }
    if std::mem::take(&mut view.log.to_end) {
        area = area.vertical_scroll_offset(n_rows as f32 * LINE_H);
    }
    let out = area.show_viewport(ui, |ui, shown| {
        ui.set_height(n_rows as f32 * LINE_H + 12.0);
        ui.set_width((prefix_w + widest + 24.0).max(ui.available_width()));
        let origin = ui.min_rect().min + vec2(12.0, 6.0);
        let first = ((shown.top() - 6.0) / LINE_H).floor().max(0.0) as usize;
        let last = (((shown.bottom() - 6.0) / LINE_H).ceil().max(0.0) as usize).min(n_rows);
        if skipped && first == 0 {
            skipped_ui(ui, origin, log);
        }
        let rows = first.saturating_sub(head)..last.saturating_sub(head);
        if rows.is_empty() {
            return;
        }
        let lines = view.log.cache.line_at(rows.start)..=view.log.cache.line_at(rows.end - 1);
        for at in lines {
            let Some(line) = log.lines.get(at) else {
                break;
            };
            let top = (view.log.cache.first_row[at] + head) as f32 * LINE_H;
            let n = view.log.cache.first_row[at + 1] - view.log.cache.first_row[at];
            let rect = Rect::from_min_size(
                pos2(origin.x, origin.y + top),
                vec2(prefix_w + widest + char_w, n as f32 * LINE_H),
            );
            let hit = !find.is_empty() && view.log.cache.hits.binary_search(&at).is_ok();
            let here = hit && view.log.cache.hits.get(view.log.hit) == Some(&at);
            let marks = Marks {
                hit,
                here,
                columns,
                prefix_w,
                whole_run,
                timed,
            };
            line_ui(ui, view, at, line, rect, &marks);
        }
    });
    let far = out.content_size.y - out.state.offset.y - out.inner_rect.height();
    let wheel = ui.input(|input| input.smooth_scroll_delta().y);
    let up = wheel > 0.0 && ui.rect_contains_pointer(out.inner_rect);
    let stands = Stood {
        content: out.content_size.y,
        height: out.inner_rect.height(),
        offset: out.state.offset.y,
    };
    if !jumped {
        view.log.follow = follows(view.log.follow, view.log.stood, stands, far <= LINE_H, up);
    }
    view.log.stood = stands;
}
