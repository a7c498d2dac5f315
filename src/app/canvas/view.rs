//! One frame of the canvas: follow the document, hear the hand, draw, and pass on what was asked.

use std::sync::Arc;
use std::time::Duration;

use egui::{Rect, Sense, Ui, WidgetInfo, WidgetType};

use crate::app::{Action, Selection, Theme, Verb};
use crate::model::{Flow, Timestamp};
use crate::runtime::{FlowBoard, Preview};

use super::access::{self, Heard};
use super::far::Far;
use super::gesture::Wish;
use super::menu::{Menu, VerbInfo};
use super::picture::{Picture, ZOOM_FAR};
use super::poster::MESH_MAX;
use super::scene::Hit;
use super::state::CanvasState;
use super::{frame, hear, hints, marks, overlay};

/// Time between frames while something visible runs.
const PULSE: Duration = Duration::from_millis(100);
/// What a frame of the canvas reads.
pub struct CanvasInput<'a> {
    /// Names the document; another one makes the canvas begin anew.
    pub doc_id: u64,
    /// The document's flow.
    pub flow: &'a Arc<Flow>,
    /// Counts the document's edits.
    pub revision: u64,
    /// How the flow stands; `None` while nothing is known of it.
    pub board: Option<&'a FlowBoard>,
    /// What is selected.
    pub selection: &'a Selection,
    /// Colours.
    pub theme: &'a Theme,
    /// What a run that is pointed at would do: its nodes are lit.
    pub preview: Option<&'a Arc<Preview>>,
    /// Now, for running times.
    pub now: Timestamp,
    /// False while something modal lies above: the canvas is drawn and hears nothing.
    pub enabled: bool,
    /// Whether the minimap is shown, where there is room for it.
    pub minimap: bool,
    /// Names, keys and reasons for the menus.
    pub verb_info: &'a dyn Fn(Verb) -> VerbInfo,
}

/// Draws the canvas into what room is left, and adds to `actions` what the hand asked for.
pub fn canvas_ui(
    ui: &mut Ui,
    input: &CanvasInput<'_>,
    state: &mut CanvasState,
    actions: &mut Vec<Action>,
) {
    let view = ui.available_rect_before_wrap();
    let zoom_before = state.camera.zoom;
    let id = ui.id().with(input.doc_id);
    state.follow(ui.ctx(), input, view);
    state.follow_drag();
    state.see(view, input.board);

    let sense = if input.enabled {
        Sense::click_and_drag()
    } else {
        Sense::hover()
    };
    let canvas = ui.allocate_rect(view, sense);
    canvas.widget_info(|| {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let mut label = format!(
            "Canvas, {}, {}",
            count(input.flow.graph.n_nodes(), "node"),
            count(input.flow.graph.n_edges(), "edge")
        );
        if let Some(preview) = input.preview {
            label.push_str(", ");
            label.push_str(&hints::preview_text(preview, input.flow));
        }
        WidgetInfo::labeled(WidgetType::Other, input.enabled, label)
    });
    let mut heard = Heard::default();
    heard.pointer(&canvas);
    access::tell(ui, id, &state.seen(input, view), &mut heard);

    let moved_by = |state: &CanvasState| state.shown_shift().map(|shift| shift.by);
    let before = (state.camera, moved_by(state));
    if input.enabled {
        let mut wishes = Vec::new();
        hear::keyboard(state, input, &heard, actions);
        hear::pointer(ui, input, state, view, &heard, &mut wishes);
        hear::wheel(ui, state, view, heard.over);
        for wish in wishes {
            grant(wish, input.flow, state, view, actions);
        }
    } else {
        state.gesture.cancel();
    }
    state.follow_drag();
    if (state.camera, moved_by(state)) != before {
        state.see(view, input.board);
    }

    paint(ui, input, state, view, heard.focus);
    if input.minimap {
        state.minimap.ui(
            ui,
            (view, &mut state.camera),
            (&*state.stage.scene, state.stage.generation),
            &state.stage.standing,
            input.theme,
        );
    }
    overlay::overlays(ui, input, state, (id, view), actions);
    if heard.over && state.editor.is_none() {
        hear::cursor(ui, input, state);
    }
    if state.camera.zoom != zoom_before {
        // The footer that tells the zoom was drawn before.
        ui.ctx().request_repaint();
    }
}

fn grant(wish: Wish, flow: &Flow, state: &mut CanvasState, view: Rect, actions: &mut Vec<Action>) {
    match wish {
        Wish::Act(action) => actions.push(action),
        Wish::Menu(Hit::Canvas, pos) => state.open_finder_at(pos, view, true),
        Wish::Menu(hit, pos) => {
            state.finder = None;
            state.menu = Some(Menu::new(hit, pos));
        }
        Wish::EditFrame(id) => overlay::edit_frame(flow, state, id),
    }
}

fn paint(
    ui: &Ui,
    input: &CanvasInput<'_>,
    state: &mut CanvasState,
    view: Rect,
    focus: Option<u32>,
) {
    let mut texts = std::mem::take(&mut state.texts);
    let mut far = std::mem::take(&mut state.far);
    let mut poster = std::mem::take(&mut state.poster);
    texts.begin(ui.ctx());
    let painter = ui.painter().with_clip_rect(view.intersect(ui.clip_rect()));
    let picture = Picture {
        ctx: ui.ctx(),
        painter: &painter,
        seen: state.seen(input, view),
        hover: &state.hover,
        focus,
        theme: input.theme,
        preview: input
            .preview
            .and_then(|preview| preview.nodes.as_ref().ok()),
    };
    picture.background();
    frame::paint(&picture, &state.gesture, &mut texts);
    let visible = &state.visible;
    if state.camera.zoom < ZOOM_FAR && visible.nodes.len() + visible.edges.len() > MESH_MAX {
        far = Far::default();
        poster.paint(&picture, &state.stage, input.preview);
    } else if state.camera.zoom < ZOOM_FAR {
        far.paint(&picture, state.stage.generation);
    } else {
        far = Far::default();
        picture.edges();
        if picture.nodes(&mut texts) {
            ui.ctx().request_repaint_after(PULSE);
        }
    }
    marks::gesture_marks(&picture, input.flow, &state.gesture);
    if let Some(preview) = input.preview {
        hints::preview_words(&picture, preview, input.flow, &mut texts);
    }
    let is_empty = input.flow.graph.n_nodes() == 0 && input.flow.frames.is_empty();
    if is_empty && state.editor.is_none() {
        let add = (input.verb_info)(Verb::AddNode).key_text;
        hints::empty_hint(&picture, &add, &mut texts);
    }
    state.texts = texts;
    state.far = far;
    state.poster = poster;
}
