//! Words in nodes: to scale, or from further away as large as is legible.

use egui::{Color32, Rect, pos2, vec2};

use crate::app::theme::size;
use crate::model::{Exit, Node, NodeStatus, human_duration};

use super::node_box::Shown;
use super::picture::Picture;
use super::scene::LINES_MAX;
use super::text::{Face, LINE_PER_SIZE, Texts, step, title};

/// Least size of a title, in points.
const TITLE_MIN: f32 = 9.0;
/// Least size of a command, in points.
const COMMAND_MIN: f32 = 8.0;
/// Height of the title's row per point of its size.
const TITLE_LINE: f32 = 1.3;

impl Shown<'_> {
    /// How it failed, when it did.
    fn failure(&self) -> Option<&Exit> {
        let failed = self
            .state
            .filter(|_| self.status == Some(NodeStatus::Failed));
        failed?.exit.as_ref()
    }

    /// Which pass and which try it is, beyond the first.
    fn marks(&self) -> Vec<String> {
        let mut marks = Vec::new();
        if let Some(state) = self.state {
            if state.pass > 1 {
                marks.push(format!("×{}", state.pass));
            }
            if state.attempt > 1 {
                marks.push(format!("try {}", state.attempt));
            }
        }
        marks
    }
}

impl Picture<'_> {
    /// Texts of a node that is too small for them to scale.
    pub fn compact_words(&self, shown: &Shown<'_>, texts: &mut Texts) {
        let theme = self.theme;
        let Shown { node, rect, .. } = *shown;
        let rows = Rows::of(rect, self.seen.camera.zoom);
        let (icon_at, icon_r) = self.icon_place(rect);
        let left = icon_at.x + icon_r + 3.5;
        let right = rect.right() - 6.0;
        let (title_color, command_color) = self.word_colors(node);
        let galley = texts.line(self.ctx, title(node), Face::Bold, rows.title, right - left);
        let title_end = left + galley.size().x;
        let pos = pos2(left, rows.title_y - galley.size().y / 2.0);
        self.painter.galley(pos, galley, title_color);
        if rows.n_lines == 0 {
            return;
        }
        // Only where the title leaves room: the name matters more than the time.
        let word = match shown.failure() {
            Some(exit) => Some((exit_word(exit), theme.status(NodeStatus::Failed))),
            None => self.time(shown).map(|time| (time, theme.dim)),
        };
        if let Some((word, color)) = word.filter(|_| !node.disabled) {
            let galley = texts.line(self.ctx, &word, Face::Plain, rows.command, f32::INFINITY);
            let at = right - galley.size().x;
            if at >= title_end + 6.0 {
                let pos = pos2(at, rows.title_y - galley.size().y / 2.0);
                self.painter.galley(pos, galley, color);
            }
        }
        let left = icon_at.x - icon_r;
        // In steps, so that zooming does not lay out every command in every frame.
        let width = ((right - left) / 8.0).floor() * 8.0;
        let galley = texts.command(self.ctx, node, rows.command, (width, rows.n_lines));
        let pos = pos2(left, rows.command_top);
        self.painter.galley(pos, galley, command_color);
    }

    /// Words of a node, to scale.
    pub fn words(&self, shown: &Shown<'_>, texts: &mut Texts) {
        let theme = self.theme;
        let zoom = self.seen.camera.zoom;
        let Shown { node, rect, .. } = *shown;
        let (title_color, command_color) = self.word_colors(node);
        let row = rect.top() + 17.0 * zoom;
        let mut right = rect.right() - size::NODE_PAD * zoom;
        let left = rect.left() + 34.0 * zoom;
        let small = step(12.0 * zoom);
        if node.disabled {
            right = self.pill("muted", theme.faint, right, row, texts);
        } else if let Some(text) = self.time(shown) {
            let galley = texts.line(self.ctx, &text, Face::Plain, small, f32::INFINITY);
            let width = galley.size().x;
            let pos = pos2(right - width, row - galley.size().y / 2.0);
            self.painter.galley(pos, galley, theme.dim);
            // In steps, so that a counting time does not move the title's ellipsis at each digit.
            let quantum = 8.0 * zoom;
            right -= (width / quantum).ceil() * quantum + 4.0 * zoom;
        }
        if let Some(exit) = shown.failure() {
            let color = theme.status(NodeStatus::Failed);
            right = self.pill(&exit_word(exit), color, right, row, texts);
        }
        let color = shown
            .status
            .map_or(theme.faint, |status| theme.status(status));
        let marks = shown.marks();
        let pill_size = step(10.5 * zoom);
        let marks_width: f32 = marks
            .iter()
            .map(|text| {
                let galley = texts.line(self.ctx, text, Face::Plain, pill_size, f32::INFINITY);
                galley.size().x + 18.0 * zoom
            })
            .sum();
        let galley = texts.line(
            self.ctx,
            title(node),
            Face::Bold,
            step(size::UI * zoom),
            (right - left - marks_width - 2.0 * zoom).max(12.0 * zoom),
        );
        let mut after = left + galley.size().x + 6.0 * zoom;
        let pos = pos2(left, row - galley.size().y / 2.0);
        self.painter.galley(pos, galley, title_color);
        for text in marks {
            let galley = texts.line(self.ctx, &text, Face::Plain, pill_size, f32::INFINITY);
            let end = after + galley.size().x + 12.0 * zoom;
            self.pill(&text, color, end, row, texts);
            after = end + 6.0 * zoom;
        }

        let mono = step(size::MONO * zoom);
        let pos = rect.min + vec2(14.5, 31.0) * zoom;
        if node.command.trim().is_empty() {
            let galley = texts.line(self.ctx, "no command", Face::Plain, small, f32::INFINITY);
            self.painter.galley(pos, galley, theme.faint);
            return;
        }
        // To scale of the size that is laid out, so that one text serves all zooms of its step.
        let width = (size::NODE_W - 14.5 - size::NODE_PAD + 2.0) * mono / size::MONO;
        let galley = texts.command(self.ctx, node, mono, (width, LINES_MAX));
        self.painter.galley(pos, galley, command_color);
    }

    /// Colours of a title and of a command.
    fn word_colors(&self, node: &Node) -> (Color32, Color32) {
        if node.disabled {
            (self.theme.faint, self.theme.faint)
        } else {
            (self.theme.text, self.theme.dim)
        }
    }

    /// How long it ran, or has run till now.
    fn time(&self, shown: &Shown<'_>) -> Option<String> {
        shown.state?.duration(self.seen.now).map(human_duration)
    }

    /// A small outlined word that ends at `right`; gives back where the next thing may end.
    fn pill(&self, text: &str, color: Color32, right: f32, row: f32, texts: &mut Texts) -> f32 {
        let zoom = self.seen.camera.zoom;
        let galley = texts.line(self.ctx, text, Face::Plain, step(10.5 * zoom), 110.0 * zoom);
        let size = vec2(galley.size().x + 12.0 * zoom, 17.0 * zoom);
        let rect = Rect::from_min_size(pos2(right - size.x, row - size.y / 2.0), size);
        self.draw(|pen| pen.ring(rect, size.y / 2.0, 0.5 * zoom.max(1.0), color));
        let pos = rect.center() - galley.size() / 2.0;
        self.painter.galley(pos, galley, color);
        rect.left() - 6.0 * zoom
    }
}

/// Where the texts of a compact node go, and how large they are.
pub struct Rows {
    /// Size of the title, in points.
    title: f32,
    /// Middle of its row.
    pub title_y: f32,
    /// Size of the command, in points.
    command: f32,
    /// Top of its first line.
    command_top: f32,
    /// Lines of the command that there is room for.
    n_lines: usize,
}

impl Rows {
    /// The rows that a box has room for.
    pub fn of(rect: Rect, zoom: f32) -> Self {
        let title = step((size::UI * zoom).max(TITLE_MIN));
        let command = step((size::MONO * zoom).max(COMMAND_MIN));
        let (title_h, line_h) = (title * TITLE_LINE, command * LINE_PER_SIZE);
        let pad = (5.0 * zoom).max(2.0);
        let room = rect.height() - 2.0 * pad - title_h;
        let n_lines = ((room / line_h).max(0.0) as usize).min(LINES_MAX);
        let title_y = if n_lines == 0 {
            rect.center().y
        } else {
            rect.top() + pad + title_h / 2.0
        };
        Self {
            title,
            title_y,
            command,
            command_top: rect.top() + pad + title_h,
            n_lines,
        }
    }
}

/// How an attempt failed, in a word or two.
pub fn exit_word(exit: &Exit) -> String {
    match exit {
        Exit::NotStarted(_) => "not started".into(),
        Exit::MaxPasses => "max passes".into(),
        other => other.to_string(),
    }
}
