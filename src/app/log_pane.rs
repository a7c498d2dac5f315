//! The log of the selected node or of the whole run: only the lines in view are laid out.

use std::sync::Arc;

use egui::{
    Align, Key, Layout, Margin, Rect, ScrollArea, TextEdit, Ui, UiBuilder, WidgetInfo, WidgetType,
    pos2, vec2,
};

use crate::model::{LogLine, LogTail, NodeStatus, Published, Stream};
use crate::runtime::Board;

use super::action::Action;
use super::icons::Icon;
use super::side_pane::HEADER_H;
use super::theme::{Theme, mono, semibold, size, space};
use super::view::{LogScope, View};
use super::when;
use super::widgets::{self, Button};

/// Height of a log line in points.
const LINE_H: f32 = 19.0;
/// Characters of the time and stream columns: `10:41:07.120 out `.
const PREFIX: usize = 17;
/// Characters of the stream column alone: `out `.
const PREFIX_UNTIMED: usize = 4;
/// Width of the pane from which on times are shown, in points.
const TIMED_W_MIN: f32 = 420.0;

/// Rows and hits of the log shown, worked out once per change of log, width or search.
#[derive(Default)]
pub struct Cache {
    key: Option<(usize, usize, usize, String)>,
    /// First row of each line, and the number of rows at the end.
    first_row: Vec<usize>,
    /// Lines that hold the searched text.
    hits: Vec<usize>,
}

impl Cache {
    /// `columns` is 0 when lines are not wrapped.
    fn refresh(&mut self, log: &Arc<LogTail>, columns: usize, find: &str) {
        let key = (
            Arc::as_ptr(log) as usize,
            log.lines.len(),
            columns,
            find.to_owned(),
        );
        if self.key.as_ref() == Some(&key) {
            return;
        }
        self.first_row.clear();
        let mut row = 0;
        for line in &log.lines {
            self.first_row.push(row);
            // The face is monospace, so characters tell the rows.
            row += match columns {
                0 => 1,
                n => line.text.chars().count().div_ceil(n).max(1),
            };
        }
        self.first_row.push(row);
        let find = find.to_lowercase();
        self.hits.clear();
        if !find.is_empty() {
            let lines = log.lines.iter().enumerate();
            self.hits.extend(
                lines
                    .filter(|(_, line)| line.text.to_lowercase().contains(&find))
                    .map(|(at, _)| at),
            );
        }
        self.key = Some(key);
    }

    fn n_rows(&self) -> usize {
        self.first_row.last().copied().unwrap_or(0)
    }

    /// The line that a row belongs to.
    fn line_at(&self, row: usize) -> usize {
        self.first_row
            .partition_point(|first| *first <= row)
            .saturating_sub(1)
    }
}

/// Draws the pane.
pub fn log_pane_ui(
    ui: &mut Ui,
    view: &mut View,
    board: &Board,
    log: Option<&Arc<LogTail>>,
    actions: &mut Vec<Action>,
) {
    egui::Frame::new()
        .inner_margin(Margin::symmetric(12, 0))
        .show(ui, |ui| {
            ui.set_height(HEADER_H);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                header_ui(ui, view, board, log, actions);
            });
        });
    widgets::hairline(ui);
    let Some(doc) = view.doc() else {
        return;
    };
    let loaded = board.flow(&doc.flow_ref).is_some_and(|flow| flow.loaded);
    let whole_run = view.log.shown_scope() == LogScope::Run;
    match log {
        None if loaded => widgets::empty_state(ui, "Reading the log…", ""),
        None => widgets::empty_state(ui, "Reading the last run…", ""),
        Some(log) if !log.trouble.is_empty() => {
            widgets::empty_state(ui, "The log cannot be read", &log.trouble);
        }
        Some(log) if log.removed => widgets::empty_state(
            ui,
            "The log of this run was removed",
            "Settings say how long logs are kept; a pinned run keeps its own.",
        ),
        Some(log) if log.lines.is_empty() && log.published.is_some() => {
            widgets::empty_state(
                ui,
                "No lines of this log were published",
                "Another workstation ran it; it shares the last lines of a node when that ends.",
            );
        }
        Some(log) if log.lines.is_empty() => {
            let (what, hint) = nothing_printed(view, board, whole_run);
            widgets::empty_state(ui, what, hint);
        }
        Some(log) => {
            if let Some(published) = &log.published {
                published_ui(ui, view, published);
            }
            lines_ui(ui, view, log);
        }
    }
}

/// Whose lines these are, and how old what is known of them is.
fn published_ui(ui: &mut Ui, view: &View, published: &Published) {
    let theme = Theme::of(ui.ctx());
    let seen = when::clock_ms(published.seen, &view.zone);
    let seen = seen.split('.').next().unwrap_or_default();
    let text = format!("As published by {} · seen {seen}", published.host);
    egui::Frame::new()
        .inner_margin(Margin::symmetric(12, 4))
        .show(ui, |ui| {
            let text = egui::RichText::new(text).size(size::SMALL).color(theme.dim);
            ui.add(egui::Label::new(text).truncate());
        });
    widgets::hairline(ui);
}

/// Why a log is empty, in the words of how its node stands.
fn nothing_printed(view: &View, board: &Board, whole_run: bool) -> (&'static str, &'static str) {
    let flow = view.flow_board(board);
    if whole_run {
        return match flow {
            Some(flow) if flow.live.is_none() && flow.history.is_empty() => (
                "This flow has not run yet",
                "What its nodes print appears here.",
            ),
            _ => ("Nothing was printed", "What the nodes print appears here."),
        };
    }
    let node = flow.zip(view.log.node.as_ref());
    match node.map_or(NodeStatus::Idle, |(flow, id)| flow.node(id).status) {
        NodeStatus::Idle => ("This node has not run yet", "What it prints appears here."),
        NodeStatus::Waiting | NodeStatus::Ready => ("This node waits for its turn", ""),
        NodeStatus::Running => ("Nothing was printed yet", "What it prints appears here."),
        NodeStatus::Skipped => (
            "This node was not run",
            "Something it waits for failed or was stopped.",
        ),
        _ => ("Nothing was printed", ""),
    }
}

fn header_ui(
    ui: &mut Ui,
    view: &mut View,
    board: &Board,
    log: Option<&Arc<LogTail>>,
    actions: &mut Vec<Action>,
) {
    let theme = Theme::of(ui.ctx());
    let (narrow, tiny) = (ui.available_width() < 480.0, ui.available_width() < 360.0);
    ui.spacing_mut().item_spacing.x = if narrow { space::M } else { space::L };
    if !tiny {
        ui.label(egui::RichText::new("Log").font(semibold(size::UI)));
    }
    let node_name = view.log.node.as_ref().and_then(|id| {
        let node = view.doc()?.flow().graph.node(id)?;
        Some(node.name().to_owned())
    });
    let chosen = view.log.shown_scope() == LogScope::Node;
    if let Some(name) = &node_name
        && widgets::tab_header(ui, name, &format!("Log of {name}"), chosen).clicked()
    {
        view.log.scope = LogScope::Node;
    }
    if widgets::tab_header(ui, "Whole run", "Log of the whole run", !chosen).clicked() {
        view.log.scope = LogScope::Run;
    }
    let n_active = view.flow_board(board).map_or(0, |flow| flow.n_active());
    if !chosen && n_active > 0 && !tiny {
        let words = egui::RichText::new(format!("{n_active} active"));
        ui.label(words.small().color(theme.status(NodeStatus::Running)));
    }
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        let follow = if view.log.follow {
            "Following"
        } else {
            "Follow"
        };
        let mut button = Button::new(follow)
            .icon(Icon::ToEnd)
            .flat()
            .tooltip("Keep the newest line in view");
        button.flat = !view.log.follow;
        button.bare = narrow;
        if button.show(ui).clicked() {
            view.log.follow ^= true;
            view.log.to_end = view.log.follow;
        }
        if tiny {
            return;
        }
        let mut wrap = Button::new("Wrap lines")
            .bare(Icon::Wrap)
            .tooltip("Wrap long lines");
        wrap.flat = !view.layout.panes.log_wrap;
        if wrap.show(ui).clicked() {
            view.layout.panes.log_wrap ^= true;
        }
        let mut copy = Button::new("Copy log")
            .bare(Icon::Copy)
            .flat()
            .tooltip("Copy every line shown");
        let text = || log.map(|log| plain_text(log)).unwrap_or_default();
        if log.is_none_or(|log| log.lines.is_empty()) {
            copy.disabled = Some("There is nothing to copy".to_owned());
        }
        if copy.show(ui).clicked() {
            actions.push(Action::CopyText(text()));
        }
        find_ui(ui, view, &theme);
    });
}

fn find_ui(ui: &mut Ui, view: &mut View, theme: &Theme) {
    let Some(find) = &mut view.log.find else {
        let button = Button::new("Find in log")
            .bare(Icon::Search)
            .flat()
            .tooltip("Find in this log");
        if button.show(ui).clicked() {
            view.log.find = Some(String::new());
        }
        return;
    };
    let n = view.log.cache.hits.len();
    let empty = find.is_empty();
    let field = ui.add(
        TextEdit::singleline(find)
            .id(egui::Id::new("find in log"))
            .hint_text("Find in log")
            .margin(egui::Margin::symmetric(8, 4))
            .desired_width(150.0),
    );
    field.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, "Text to find in log"));
    if !field.has_focus() && !field.lost_focus() && empty {
        field.request_focus();
    }
    if field.changed() {
        (view.log.hit, view.log.jump) = (0, true);
    }
    let escaped = ui.input(|i| i.key_pressed(Key::Escape));
    if field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter)) {
        let back = ui.input(|i| i.modifiers.shift);
        let step = if back { n.saturating_sub(1) } else { 1 };
        view.log.hit = (view.log.hit + step) % n.max(1);
        view.log.jump = true;
        field.request_focus();
    } else if field.lost_focus() && (escaped || empty) {
        view.log.find = None;
        return;
    }
    let words = match (empty, n) {
        (true, _) => String::new(),
        (false, 0) => "none".to_owned(),
        (false, n) => format!("{} of {n}", view.log.hit.min(n - 1) + 1),
    };
    ui.label(egui::RichText::new(words).small().color(theme.dim));
}

fn lines_ui(ui: &mut Ui, view: &mut View, log: &Arc<LogTail>) {
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

/// Where a log stood in one frame, in points.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stood {
    content: f32,
    height: f32,
    offset: f32,
}

/// Whether the newest line is followed from now on: scrolling away from the end stops it, by wheel or by
/// bar, and scrolling back to the end begins it again. What the log grows by, or a pane that takes
/// another size, changes nothing.
fn follows(was: bool, before: Stood, now: Stood, at_end: bool, wheel_up: bool) -> bool {
    let same_log = before.content == now.content && before.height == now.height;
    if same_log && before.offset != now.offset {
        return at_end;
    }
    was && (at_end || !wheel_up)
}

fn skipped_ui(ui: &Ui, origin: egui::Pos2, log: &LogTail) {
    let theme = Theme::of(ui.ctx());
    let kib = log.skipped_bytes.div_ceil(1024);
    let text = format!("{kib} KiB before this are in the log file only");
    let y = origin.y + LINE_H / 2.0;
    widgets::text_at(ui, origin.x, y, &text, mono(size::MONO), theme.faint, 600.0);
}

struct Marks {
    hit: bool,
    here: bool,
    columns: usize,
    prefix_w: f32,
    whole_run: bool,
    timed: bool,
}

fn line_ui(ui: &mut Ui, view: &View, at: usize, line: &LogLine, rect: Rect, marks: &Marks) {
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

/// The text broken after `columns` characters, as the rows were counted.
fn wrapped(text: &str, columns: usize) -> String {
    if columns == 0 || text.len() <= columns {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + text.len() / columns);
    for (at, c) in text.chars().enumerate() {
        if at > 0 && at % columns == 0 {
            out.push('\n');
        }
        out.push(c);
    }
    out
}

fn plain_text(log: &LogTail) -> String {
    let mut text = String::new();
    for line in &log.lines {
        text.push_str(&line.text);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: &[&str]) -> Arc<LogTail> {
        let lines = lines.iter().map(|text| LogLine {
            at: None,
            stream: Stream::Out,
            node: "a".into(),
            text: (*text).into(),
        });
        Arc::new(LogTail {
            lines: lines.collect(),
            ..LogTail::default()
        })
    }

    #[test]
    fn a_wrapped_line_takes_as_many_rows_as_it_is_broken_into() {
        let log = log(&["", "12345", "1234567890x", "äöüäöü"]);
        let mut cache = Cache::default();
        cache.refresh(&log, 5, "");
        assert_eq!(cache.first_row, [0, 1, 2, 5, 7]);
        for (at, line) in log.lines.iter().enumerate() {
            let n = wrapped(&line.text, 5).split('\n').count();
            assert_eq!(
                n,
                cache.first_row[at + 1] - cache.first_row[at],
                "{}",
                line.text
            );
        }
        let lines: Vec<usize> = (0..7).map(|row| cache.line_at(row)).collect();
        assert_eq!(lines, [0, 1, 2, 2, 2, 3, 3]);
    }

    #[test]
    fn item_64_the_tail_is_followed_only_from_the_end() {
        let at = |content: f32, offset: f32| Stood {
            content,
            height: 100.0,
            offset,
        };
        let check = |was, before: Stood, now: Stood, wheel_up| {
            let at_end = now.content - now.offset - now.height <= LINE_H;
            follows(was, before, now, at_end, wheel_up)
        };
        // The log grows: who followed goes on, who did not does not begin.
        assert!(check(true, at(500.0, 400.0), at(900.0, 400.0), false));
        assert!(check(true, at(900.0, 400.0), at(900.0, 800.0), false));
        assert!(!check(false, at(500.0, 100.0), at(900.0, 100.0), false));
        // Scrolled away by the bar, or by the wheel while it grows; and back to the end.
        assert!(!check(true, at(900.0, 800.0), at(900.0, 300.0), false));
        assert!(!check(true, at(900.0, 800.0), at(950.0, 700.0), true));
        assert!(check(false, at(900.0, 300.0), at(900.0, 795.0), false));
        // A smaller pane is no scrolling.
        let small = Stood {
            height: 60.0,
            ..at(900.0, 800.0)
        };
        assert!(check(true, at(900.0, 800.0), small, false));
    }

    #[test]
    fn hits_are_found_whatever_their_case() {
        let mut cache = Cache::default();
        cache.refresh(&log(&["Warn: x", "fine", "a WARNING"]), 0, "warn");
        assert_eq!(cache.hits, [0, 2]);
    }
}
