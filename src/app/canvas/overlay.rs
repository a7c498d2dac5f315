//! What lies over the picture: the field being typed in, the add-node palette, the menu.

use egui::{Id, Rect, Ui};

use crate::app::Action;
use crate::model::{Edit, Flow, FlowField, FrameId, Node, Point};

use super::finder::{Found, Template};
use super::frame;
use super::gesture::centred;
use super::inline_edit::{InlineEdit, Target, Typed};
use super::menu::Choice;
use super::state::CanvasState;
use super::view::CanvasInput;

/// The field being typed in, the palette, the menu.
pub fn overlays(
    ui: &mut Ui,
    input: &CanvasInput<'_>,
    state: &mut CanvasState,
    (id, view): (Id, Rect),
    actions: &mut Vec<Action>,
) {
    typing(ui, input, state, view, actions);
    if let Some(mut finder) = state.finder.take() {
        match finder.ui(ui.ctx(), id.with("finder"), input.theme, input.verb_info) {
            Ok(()) => state.finder = Some(finder),
            Err(Some(Found::Verb(verb))) => actions.push(Action::Do(verb)),
            Err(Some(Found::Template(template))) => {
                actions.push(add(template, input.flow, finder.place));
            }
            Err(Some(Found::Command(command))) => {
                actions.push(add_node(input.flow, finder.place, "", &command));
            }
            Err(None) => {}
        }
    }
    if let Some(mut menu) = state.menu.take() {
        match menu.ui(ui.ctx(), id.with("menu"), input.theme, input.verb_info) {
            Ok(()) => state.menu = Some(menu),
            Err(Some(Choice::Verb(verb))) => actions.push(Action::Do(verb)),
            Err(Some(Choice::EditFrame(frame))) => edit_frame(input.flow, state, frame),
            Err(None) => {}
        }
    }
}

/// The field that is typed in, over what it belongs to.
fn typing(
    ui: &mut Ui,
    input: &CanvasInput<'_>,
    state: &mut CanvasState,
    view: Rect,
    actions: &mut Vec<Action>,
) {
    let Some(mut editor) = state.editor.take() else {
        return;
    };
    let scene = &state.stage.scene;
    let over = match editor.target() {
        Target::Command(id) => scene.node_at(id).map(|at| scene.rect(at, None)),
        Target::FrameTitle(id) | Target::NoteText(id) => {
            let frame = scene.frames.iter().find(|frame| frame.id == *id);
            frame.map(|frame| frame.rect)
        }
    };
    // What it belongs to may be gone by another way, and the field with it.
    let Some(over) = over else { return };
    let over = state.camera.rect_to_screen(view, over);
    match editor.ui(ui, view, over, state.camera.zoom, input.theme) {
        Typed::More => state.editor = Some(editor),
        Typed::Drop => actions.extend(state.take_new(&editor).map(Action::DropNewNode)),
        Typed::Keep => {
            state.take_new(&editor);
            actions.extend(editor.edit(input.flow).map(Action::Edit));
        }
    }
}

/// Opens the title of a frame, or the text of a note.
pub fn edit_frame(flow: &Flow, state: &mut CanvasState, id: FrameId) {
    let is_note = flow
        .frames
        .iter()
        .any(|frame| frame.id == id && !frame.text.is_empty());
    let target = if is_note {
        Target::NoteText(id)
    } else {
        Target::FrameTitle(id)
    };
    state.editor = InlineEdit::new(flow, target);
}

/// What the palette's choice does.
fn add(template: Template, flow: &Flow, place: Point) -> Action {
    let with_frame = |title: &str, text: &str| {
        let mut frames = flow.frames.clone();
        frames.push(frame::new_frame(flow, place, title, text));
        Action::Edit(Edit::SetFlow(FlowField::Frames(frames)))
    };
    match template {
        Template::Command => Action::NewNodeAt {
            pos: centred(place),
            from: None,
        },
        Template::Frame => with_frame("Group", ""),
        Template::Note => with_frame("", "Double-click to write a note."),
        Template::Snippet(title, command) => {
            let title = title.split(['/', '(', ',']).next().unwrap_or(title);
            add_node(flow, place, title.trim(), command)
        }
        Template::Typed => add_node(flow, place, "", ""),
    }
}

fn add_node(flow: &Flow, place: Point, title: &str, command: &str) -> Action {
    let id = flow.graph.free_node_id();
    let mut node = Node::new(id.as_str(), command, centred(place));
    node.title = title.into();
    let edit = Edit::Add {
        nodes: vec![node],
        edges: Vec::new(),
    };
    Action::EditAndSelect(edit, vec![id])
}
