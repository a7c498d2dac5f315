//! Typing in place: the command of a node, the title of a frame, the text of a note.
//!
//! Ctrl+Enter or a click elsewhere keeps what was typed, Esc drops it. The document changes once,
//! at the end.

use egui::{
    CornerRadius, FontId, Frame, Key, Margin, Modifiers, Rect, ScrollArea, Stroke, TextEdit, Ui,
    UiBuilder, Vec2, pos2, vec2,
};

use crate::app::Theme;
use crate::app::theme::size;
use crate::model::{Edit, Flow, FlowField, FrameId, NodeField, NodeId};

/// Least width of the field on the screen.
const WIDTH_MIN: f32 = 340.0;
/// Lines shown before the field scrolls.
const LINES_MAX: usize = 14;

/// What is typed.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// The command of a node.
    Command(NodeId),
    /// The title of a frame.
    FrameTitle(FrameId),
    /// The text of a note.
    NoteText(FrameId),
}

/// A field open for typing.
#[derive(Debug)]
pub struct InlineEdit {
    target: Target,
    text: String,
    fresh: bool,
}

/// How a frame of typing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// It goes on.
    More,
    /// It is over, and what was typed is kept.
    Keep,
    /// It is over, and what was typed is dropped.
    Drop,
}

impl InlineEdit {
    /// Opens a field for what the flow holds; `None` when it does not hold it.
    pub fn new(flow: &Flow, target: Target) -> Option<Self> {
        let text = current(flow, &target)?.to_owned();
        Some(Self {
            target,
            text,
            fresh: true,
        })
    }

    /// What is typed.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The edit that keeps what was typed; `None` when it changes nothing.
    pub fn edit(&self, flow: &Flow) -> Option<Edit> {
        let text = match self.target {
            // A command ends where its last line does; a stray newline is no edit.
            Target::Command(_) => self.text.trim_end_matches(['\n', '\r']).to_owned(),
            Target::FrameTitle(_) => self.text.lines().collect::<Vec<_>>().join(" "),
            Target::NoteText(_) => self.text.clone(),
        };
        if current(flow, &self.target)? == text {
            return None;
        }
        let with_frame = |id: &FrameId, set: &dyn Fn(&mut crate::model::Frame)| {
            let mut frames = flow.frames.clone();
            frames.iter_mut().filter(|f| f.id == *id).for_each(set);
            Edit::SetFlow(FlowField::Frames(frames))
        };
        Some(match &self.target {
            Target::Command(id) => Edit::SetNode {
                id: id.clone(),
                field: NodeField::Command(text),
            },
            Target::FrameTitle(id) => with_frame(id, &|frame| frame.title.clone_from(&text)),
            Target::NoteText(id) => with_frame(id, &|frame| frame.text.clone_from(&text)),
        })
    }

    /// Draws the field over `over` (on the screen, within `view`).
    pub fn ui(&mut self, ui: &mut Ui, view: Rect, over: Rect, zoom: f32, theme: &Theme) -> Typed {
        let cancel = ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Escape));
        if cancel {
            return Typed::Drop;
        }
        let one_line = matches!(self.target, Target::FrameTitle(_));
        let finish = ui.input_mut(|i| {
            i.consume_key(Modifiers::COMMAND, Key::Enter)
                || one_line && i.consume_key(Modifiers::NONE, Key::Enter)
        });
        let (font, label) = match &self.target {
            Target::Command(id) => (
                FontId::monospace((size::MONO * zoom).clamp(size::MONO, 18.0)),
                format!("Command of {id}"),
            ),
            Target::FrameTitle(_) => (FontId::proportional(size::UI), "Frame title".to_owned()),
            Target::NoteText(_) => (FontId::proportional(size::UI), "Note text".to_owned()),
        };
        let n_lines = self.text.split('\n').count();
        let rows = if one_line {
            1
        } else {
            n_lines.clamp(3, LINES_MAX)
        };
        let row_h = ui.ctx().fonts_mut(|fonts| fonts.row_height(&font));
        let width = over.width().max(WIDTH_MIN).min(view.width() - 16.0);
        let height = rows as f32 * row_h + 40.0;
        let min = pos2(
            over.min
                .x
                .min(view.max.x - width - 8.0)
                .max(view.min.x + 8.0),
            over.min
                .y
                .min(view.max.y - height - 8.0)
                .max(view.min.y + 8.0),
        );
        let rect = Rect::from_min_size(min, vec2(width, height));

        // The panel round the text is not the canvas: a press there must not pan.
        let ground = ui.id().with("inline edit ground");
        ui.interact(rect, ground, egui::Sense::click_and_drag());
        let mut field = ui.new_child(
            UiBuilder::new()
                .id_salt("inline edit")
                .max_rect(rect)
                .layout(egui::Layout::top_down(egui::Align::Min)),
        );
        let frame = Frame::new()
            .fill(theme.bg)
            .stroke(Stroke::new(1.5, theme.accent))
            .corner_radius(CornerRadius::same(size::RADIUS))
            .inner_margin(Margin::symmetric(8, 6));
        let response = frame
            .show(&mut field, |ui| {
                ui.spacing_mut().item_spacing = Vec2::new(0.0, 4.0);
                let response = ScrollArea::vertical()
                    .max_height(rows as f32 * row_h + 4.0)
                    .auto_shrink([false, true])
                    .show(ui, |ui| {
                        let edit = if one_line {
                            TextEdit::singleline(&mut self.text)
                        } else {
                            TextEdit::multiline(&mut self.text).desired_rows(rows)
                        };
                        ui.add(
                            edit.font(font)
                                .text_color(theme.text)
                                .frame(Frame::NONE)
                                .margin(Margin::ZERO)
                                .desired_width(f32::INFINITY)
                                .lock_focus(!one_line),
                        )
                    })
                    .inner;
                ui.label(
                    egui::RichText::new(if one_line {
                        "Enter keeps it · Esc drops it"
                    } else {
                        "Ctrl+Enter keeps it · Esc drops it"
                    })
                    .size(11.0)
                    .color(theme.faint),
                );
                response
            })
            .inner;
        ui.ctx()
            .accesskit_node_builder(response.id, |node| node.set_label(label));
        if std::mem::take(&mut self.fresh) {
            response.request_focus();
            caret_to_end(ui, response.id, self.text.chars().count());
            return Typed::More;
        }
        let elsewhere = ui.input(|i| {
            i.pointer.any_pressed()
                && i.pointer
                    .interact_pos()
                    .is_some_and(|pos| !field.min_rect().contains(pos))
        });
        if finish || elsewhere || response.lost_focus() {
            response.surrender_focus();
            return Typed::Keep;
        }
        Typed::More
    }
}

fn current<'a>(flow: &'a Flow, target: &Target) -> Option<&'a str> {
    let frame = |id: &FrameId| flow.frames.iter().find(|frame| frame.id == *id);
    match target {
        Target::Command(id) => Some(&flow.graph.node(id)?.command),
        Target::FrameTitle(id) => Some(&frame(id)?.title),
        Target::NoteText(id) => Some(&frame(id)?.text),
    }
}

fn caret_to_end(ui: &Ui, id: egui::Id, n_chars: usize) {
    use egui::text::{CCursor, CCursorRange};
    let mut state = egui::text_edit::TextEditState::load(ui.ctx(), id).unwrap_or_default();
    let end = CCursor::new(n_chars);
    state.cursor.set_char_range(Some(CCursorRange::one(end)));
    state.store(ui.ctx(), id);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Node, Point};

    fn flow() -> Flow {
        let mut flow = Flow::default();
        flow.graph
            .add_node(Node::new("a", "one\n\ttwo", Point::default()))
            .expect("fresh id");
        flow
    }

    fn typed(text: &str) -> Option<Edit> {
        let flow = flow();
        let mut edit = InlineEdit::new(&flow, Target::Command("a".into())).expect("a is there");
        edit.text = text.into();
        edit.edit(&flow)
    }

    #[test]
    fn what_was_not_changed_is_no_edit() {
        assert_eq!(typed("one\n\ttwo"), None);
        assert_eq!(typed("one\n\ttwo\n"), None);
    }

    #[test]
    fn tabs_and_newlines_inside_are_kept() {
        let Some(Edit::SetNode { field, .. }) = typed("one\n\n\tthree") else {
            panic!("an edit expected");
        };
        assert_eq!(field, NodeField::Command("one\n\n\tthree".into()));
    }

    #[test]
    fn a_node_that_is_gone_takes_no_text() {
        assert!(InlineEdit::new(&flow(), Target::Command("z".into())).is_none());
        let edit = InlineEdit::new(&flow(), Target::Command("a".into())).expect("a is there");
        assert_eq!(edit.edit(&Flow::default()), None);
    }
}
