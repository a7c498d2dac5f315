//! A field for what nobody may read over a shoulder.

use egui::text_edit::TextEditState;
use egui::{Id, Response, TextEdit, Ui};

use super::frame::field_margin;
use super::label::field_label;

/// A field whose text is shown as dots and cannot be copied, with its name over it. Nothing typed in it stays behind in
/// its own memory; `text` is the caller's to wipe.
pub fn masked_field(ui: &mut Ui, id: Id, label: &str, text: &mut String, width: f32) -> Response {
    let label = field_label(ui, label);
    let field = TextEdit::singleline(text)
        .id(id)
        .password(true)
        .margin(field_margin())
        .desired_width(width);
    let response = ui.add(field).labelled_by(label.id);
    if let Some(mut state) = TextEditState::load(ui.ctx(), id) {
        state.clear_undoer();
        state.store(ui.ctx(), id);
    }
    response
}
