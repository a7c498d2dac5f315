//! A list of what differs between two versions of a flow.

use egui::{Align, Key, Layout, Modifiers, RichText, ScrollArea, Sense, Ui, vec2};

use crate::app::action::{Action, Answer};
use crate::app::theme::{Theme, mono, regular, semibold, size, space};
use crate::app::widgets::{self, Button};
use crate::model::Change;

use super::Act;

/// A page that shows what differs, and asks what to do about it.
pub struct ChangesPage {
    /// What the list is.
    pub title: String,
    /// One sentence under it.
    pub hint: String,
    /// The list.
    pub changes: Vec<Change>,
    /// What may be done: its name and what it asks for. The first is the main one.
    pub acts: Vec<(&'static str, Act)>,
}

impl ChangesPage {
    /// Draws it.
    pub(super) fn show(&mut self, ui: &Ui, actions: &mut Vec<Action>) {
        let screen = ui.ctx().content_rect();
        let response = widgets::modal(ui, "changes").show(ui.ctx(), |ui| {
            ui.set_width((screen.width() - 80.0).min(620.0));
            head_ui(ui, &self.title, &self.hint);
            let height = (screen.height() - 240.0).clamp(80.0, 420.0);
            framed(ui, |ui| changes_ui(ui, &self.changes, height));
            ui.add_space(space::L);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = space::S;
                for (at, (name, act)) in self.acts.iter().enumerate() {
                    let mut button = Button::new(name);
                    button.primary = at == 0;
                    let response = button.show(ui);
                    if at == 0 && ui.memory(|memory| memory.focused().is_none()) {
                        response.request_focus();
                    }
                    if response.clicked() {
                        actions.push(Action::Answer(Answer::Cancel));
                        actions.push(Action::Safety(act.clone()));
                    }
                }
                if Button::new("Close").show(ui).clicked() {
                    actions.push(Action::Answer(Answer::Cancel));
                }
            });
        });
        if response.backdrop_response.clicked() {
            actions.push(Action::Answer(Answer::Cancel));
        }
    }
}

/// Title and one sentence of a page.
pub(super) fn head_ui(ui: &mut Ui, title: &str, hint: &str) {
    let theme = Theme::of(ui.ctx());
    ui.add(egui::Label::new(RichText::new(title).font(semibold(size::TITLE))).wrap());
    ui.add_space(space::XS);
    ui.add(egui::Label::new(RichText::new(hint).color(theme.dim)).wrap());
    ui.add_space(space::M);
}

/// A frame round a list.
pub(super) fn framed(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    let theme = Theme::of(ui.ctx());
    egui::Frame::new()
        .stroke(egui::Stroke::new(1.0, theme.line))
        .corner_radius(size::RADIUS)
        .inner_margin(egui::Margin::symmetric(0, 4))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            add(ui);
        });
}

/// The list itself; only the rows in view are drawn.
pub(super) fn changes_ui(ui: &mut Ui, changes: &[Change], height: f32) {
    if changes.is_empty() {
        widgets::empty_state(ui, "No difference", "");
        return;
    }
    const ROW: f32 = 40.0;
    let theme = Theme::of(ui.ctx());
    ui.spacing_mut().item_spacing.y = 0.0;
    let scroll = ScrollArea::vertical()
        .id_salt("changes")
        .max_height(height)
        .auto_shrink([false, true]);
    scroll.show_rows(ui, ROW, changes.len(), |ui, range| {
        for change in changes.get(range).unwrap_or_default() {
            let (rect, response) =
                ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
            let words = change.to_string();
            response.widget_info(|| {
                egui::WidgetInfo::labeled(egui::WidgetType::Label, true, words.clone())
            });
            let (mark, colour) = match (&change.before, &change.after) {
                (None, Some(_)) => ("+", theme.status(crate::model::NodeStatus::Ran)),
                (Some(_), None) => ("−", theme.error()),
                _ => ("~", theme.warning()),
            };
            let inner = rect.shrink2(vec2(10.0, 3.0));
            let text_w = inner.width() - 18.0;
            let top = egui::pos2(inner.left() + 18.0, inner.top());
            let painter = ui.painter();
            painter.text(
                inner.left_top(),
                egui::Align2::LEFT_TOP,
                mark,
                mono(size::MONO),
                colour,
            );
            let line = widgets::galley(ui, &words, regular(size::UI), theme.text, text_w);
            painter.galley(top, line, theme.text);
            let detail = detail(change);
            let line = widgets::galley(ui, &detail, mono(size::SMALL), theme.dim, text_w);
            let is_cut = line.elided;
            painter.galley(top + vec2(0.0, 17.0), line, theme.dim);
            if is_cut {
                response.on_hover_text(RichText::new(detail).font(mono(size::SMALL)));
            }
        }
    });
}

fn detail(change: &Change) -> String {
    let one = |text: &Option<String>| one_line(text.as_deref().unwrap_or_default());
    match (&change.before, &change.after) {
        (None, _) => one(&change.after),
        (_, None) => one(&change.before),
        (Some(a), Some(b)) if a.is_empty() && b.is_empty() => String::new(),
        _ => format!("{}  →  {}", quoted(&change.before), quoted(&change.after)),
    }
}

fn quoted(text: &Option<String>) -> String {
    match text.as_deref() {
        None | Some("") => "(none)".to_owned(),
        Some(text) => one_line(text),
    }
}

/// Text on one line, with signs that hide or turn what follows made visible.
pub(super) fn one_line(text: &str) -> String {
    shown(&text.replace('\n', " ↵ "))
}

/// Text in which nothing is hidden: control, zero-width and direction signs are written out.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let hides = c.is_control() && c != '\n' && c != '\t'
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{00ad}');
        match c {
            '\t' => out.push_str("    "),
            c if hides => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// Steps through a list by the arrow keys.
pub(super) fn step(ui: &Ui, at: usize, n: usize) -> usize {
    let (up, down) = ui.input_mut(|i| {
        (
            i.consume_key(Modifiers::NONE, Key::ArrowUp),
            i.consume_key(Modifiers::NONE, Key::ArrowDown),
        )
    });
    match (up, down) {
        (true, _) => at.saturating_sub(1),
        (_, true) => (at + 1).min(n.saturating_sub(1)),
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hides_in_a_shown_text() {
        assert_eq!(
            shown("rm \u{202e}txt\u{200b} \u{1b}[2K ä"),
            "rm \\u{202e}txt\\u{200b} \\u{1b}[2K ä"
        );
        assert_eq!(one_line("a\nb"), "a ↵ b");
    }
}
