//! The line between two panes as something to drag. Unaware of which panes those are.

use egui::{CursorIcon, Id, Pos2, Rect, Sense, Stroke, Ui, WidgetInfo, WidgetType};

use super::theme::Theme;

/// How far from the line the pointer may take hold, into the pane only: the canvas beside it keeps
/// every point of its own.
const GRIP: f32 = 5.0;

/// The line at the right of a pane; gives its new width while it is dragged.
pub fn right_of(ui: &Ui, name: &str, pane: Rect) -> Option<f32> {
    let mut grip = pane;
    grip.min.x = pane.max.x - GRIP;
    let line = [grip.right_top(), grip.right_bottom()];
    let at = drag(ui, name, grip, line)?;
    Some(at.x - pane.left())
}

/// The line at the left of a pane; gives its new width while it is dragged.
pub fn left_of(ui: &Ui, name: &str, pane: Rect) -> Option<f32> {
    let mut grip = pane;
    grip.max.x = pane.min.x + GRIP;
    let line = [grip.left_top(), grip.left_bottom()];
    let at = drag(ui, name, grip, line)?;
    Some(pane.right() - at.x)
}

/// The line at the top of a pane; gives its new height while it is dragged.
pub fn top_of(ui: &Ui, name: &str, pane: Rect) -> Option<f32> {
    let mut grip = pane;
    grip.max.y = pane.min.y + GRIP;
    let line = [grip.left_top(), grip.right_top()];
    let at = drag(ui, name, grip, line)?;
    Some(pane.bottom() - at.y)
}

/// Where the line is dragged to.
fn drag(ui: &Ui, name: &str, grip: Rect, line: [Pos2; 2]) -> Option<Pos2> {
    let response = ui.interact(grip, Id::new(("split", name)), Sense::drag());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::ResizeHandle, true, name));
    if response.hovered() || response.dragged() {
        ui.ctx().set_cursor_icon(if line[0].x == line[1].x {
            CursorIcon::ResizeHorizontal
        } else {
            CursorIcon::ResizeVertical
        });
        let stroke = Stroke::new(1.0, Theme::of(ui.ctx()).accent);
        ui.painter().line_segment(line, stroke);
    }
    if !response.dragged() {
        return None;
    }
    ui.input(|i| i.pointer.interact_pos())
}
