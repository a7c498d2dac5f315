//! One frame of the canvas: follow the document, hear the hand, draw, and pass on what was asked.

use egui::epaint::{Mesh, Shape};
use egui::{
    CursorIcon, Event, Id, Key, Modifiers, PointerButton, Pos2, Rect, Sense, Ui, Vec2, WidgetInfo,
    WidgetType, vec2,
};
use std::sync::Arc;
use std::time::Duration;

use crate::app::theme::size;
use crate::app::{Action, Selection, Theme, Verb};
use crate::model::{Edit, Flow, FlowField, Node, Point, Timestamp};
use crate::runtime::{FlowBoard, Preview};

use super::access::{self, Heard, Told};
use super::finder::{Found, Template};
use super::frame;
use super::gesture::{Gesture, Signal, Surroundings, Wish, between, centred};
use super::inline_edit::{InlineEdit, Target, Typed};
use super::menu::{Choice, Menu, VerbInfo};
use super::mesh::Pen;
use super::minimap;
use super::paint::{Picture, ZOOM_FAR};
use super::route::Curve;
use super::scene::Hit;
use super::state::CanvasState;
use super::text::Face;

/// Time between frames while something visible runs.
const PULSE: Duration = Duration::from_millis(100);
/// Zoom per point of wheel travel.
const WHEEL: f32 = 0.0025;
/// Border in which a drag moves the picture along, in points.
const AUTO_PAN_BORDER: f32 = 28.0;
/// Greatest speed of that, in points per second.
const AUTO_PAN_SPEED: f32 = 900.0;

/// What a frame of the canvas reads.
pub struct CanvasInput<'a> {
    /// Names the document; another one makes the canvas begin anew.
    pub doc_id: u64,
    /// The document's flow.
    pub flow: &'a Flow,
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
    let doc = (input.doc_id, input.flow, input.revision);
    state.follow(doc, input.selection, view);
    state
        .standing
        .follow(&state.scene, state.scene_generation, input.board);
    state.follow_drag();
    see(state, view);

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
            let words = preview_text(preview, input.flow);
            label.push_str(", ");
            label.push_str(&words);
        }
        WidgetInfo::labeled(WidgetType::Other, input.enabled, label)
    });
    let mut heard = Heard::default();
    heard.pointer(&canvas);
    access::tell(ui, &told(state, input, id, view), &mut heard);

    let seen = (state.camera, shift_of(state));
    if input.enabled {
        let mut wishes = Vec::new();
        hear_keyboard(state, input, &heard, actions);
        hear_pointer(ui, input, state, view, &heard, &mut wishes);
        hear_wheel(ui, state, view, heard.over);
        for wish in wishes {
            grant(wish, input.flow, state, view, actions);
        }
    } else {
        state.gesture.cancel();
    }
    state.follow_drag();
    if (state.camera, shift_of(state)) != seen {
        see(state, view);
    }

    paint(ui, input, state, view, heard.focus);
    if input.minimap {
        state.minimap.ui(
            ui,
            (view, &mut state.camera),
            (&state.scene, state.scene_generation),
            &state.standing,
            input.theme,
        );
    }
    overlays(ui, input, state, (id, view), actions);
    if heard.over && state.editor.is_none() {
        cursor(ui, input, state);
    }
    if state.camera.zoom != zoom_before {
        // The footer that tells the zoom was drawn before.
        ui.ctx().request_repaint();
    }
}

fn shift_of(state: &CanvasState) -> Option<Point> {
    state.shift.as_ref().map(|(_, shift)| shift.by)
}

fn see(state: &mut CanvasState, view: Rect) {
    let shift = state.shift.as_ref().map(|(_, shift)| shift);
    state.scene.visible(
        state.camera.visible(view),
        shift,
        &mut state.scratch,
        &mut state.visible,
    );
}

fn told<'a>(state: &'a CanvasState, input: &'a CanvasInput<'_>, id: Id, view: Rect) -> Told<'a> {
    Told {
        id,
        view,
        camera: state.camera,
        scene: &state.scene,
        shift: state.shift.as_ref().map(|(_, shift)| shift),
        visible: &state.visible,
        standing: &state.standing,
        board: input.board,
        selection: input.selection,
        now: input.now,
    }
}

/// Focus by Tab and clicks by a screen reader select.
fn hear_keyboard(
    state: &CanvasState,
    input: &CanvasInput<'_>,
    heard: &Heard,
    actions: &mut Vec<Action>,
) {
    if let Some(at) = heard.clicked_node.or(heard.gained) {
        let id = state.scene.node(at).id.clone();
        let selection = Selection::of_node(id);
        if selection != *input.selection {
            actions.push(selection.into_action());
        }
    } else if let Some(at) = heard.clicked_edge {
        let id = state.scene.edges[at as usize].id.clone();
        actions.push(Selection::of(vec![], vec![id], vec![]).into_action());
    }
}

fn hear_pointer(
    ui: &Ui,
    input: &CanvasInput<'_>,
    state: &mut CanvasState,
    view: Rect,
    heard: &Heard,
    wishes: &mut Vec<Wish>,
) {
    if !state.gesture.is_idle() && ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Escape)) {
        state.gesture.cancel();
    }
    let (events, mods, latest, space, double, any_down) = ui.input(|i| {
        let is_ours =
            |event: &&Event| matches!(event, Event::PointerMoved(_) | Event::PointerButton { .. });
        (
            i.events
                .iter()
                .filter(is_ours)
                .cloned()
                .collect::<Vec<Event>>(),
            i.modifiers,
            i.pointer.latest_pos(),
            i.key_down(Key::Space),
            i.pointer.button_double_clicked(PointerButton::Primary),
            i.pointer.any_down(),
        )
    });
    let space = space && !ui.ctx().text_edit_focused();
    state.pointer = latest;
    let mut released = false;
    for event in events {
        match event {
            Event::PointerMoved(pos) if !state.gesture.is_idle() => {
                move_hand(input, state, view, pos, mods, wishes);
            }
            Event::PointerButton {
                pos,
                button,
                pressed: true,
                modifiers,
            } if heard.pressed && view.contains(pos) => {
                let signal = signal(state, view, pos, modifiers);
                state.gesture.press(button, space, signal);
            }
            Event::PointerButton {
                pos,
                button,
                pressed: false,
                modifiers,
            } => {
                released = true;
                let signal = signal(state, view, pos, modifiers);
                let around = Surroundings {
                    flow: input.flow,
                    scene: &state.scene,
                    selection: input.selection,
                };
                let double = double && button == PointerButton::Primary;
                state
                    .gesture
                    .release(button, double, &signal, &around, wishes);
            }
            _ => {}
        }
    }
    if !any_down && !released {
        // The release went elsewhere, as when another window took the pointer.
        state.gesture.cancel();
    }
    if let Some(pos) = latest
        && state.gesture.wants_auto_pan()
    {
        let push = auto_pan(view, pos);
        if push != Vec2::ZERO {
            let dt = ui.input(|i| i.stable_dt).min(0.05);
            state.camera.pan(push * AUTO_PAN_SPEED * dt);
            move_hand(input, state, view, pos, mods, wishes);
            ui.ctx().request_repaint();
        }
    }
    state.hover = match latest {
        Some(pos) if heard.over && matches!(state.gesture, Gesture::Idle) => {
            signal(state, view, pos, mods).hit
        }
        Some(_) if !state.gesture.is_idle() => match std::mem::take(&mut state.hover) {
            // The handle stays where the edge is drawn from.
            Hit::Handle(id) => Hit::Handle(id),
            _ => Hit::Canvas,
        },
        _ => Hit::Canvas,
    };
}

fn move_hand(
    input: &CanvasInput<'_>,
    state: &mut CanvasState,
    view: Rect,
    pos: Pos2,
    mods: Modifiers,
    wishes: &mut Vec<Wish>,
) {
    let signal = signal(state, view, pos, mods);
    let around = Surroundings {
        flow: input.flow,
        scene: &state.scene,
        selection: input.selection,
    };
    let pan = state.gesture.moved(&signal, &around, wishes);
    state.camera.pan(pan);
}

fn signal(state: &mut CanvasState, view: Rect, pos: Pos2, mods: Modifiers) -> Signal {
    let world = state.camera.to_world(view, pos);
    let handle_of = match &state.hover {
        Hit::Node(id) | Hit::Handle(id) if state.camera.zoom >= ZOOM_FAR => Some(id.clone()),
        _ => None,
    };
    Signal {
        at: pos,
        world,
        mods,
        hit: state.scene.hit(
            world,
            state.camera.zoom,
            handle_of.as_ref(),
            &mut state.scratch,
        ),
    }
}

/// Direction and strength, each axis within -1..=1, by which the picture moves under a drag.
fn auto_pan(view: Rect, pos: Pos2) -> Vec2 {
    let axis = |value: f32, min: f32, max: f32| {
        let border = AUTO_PAN_BORDER.min((max - min) / 4.0).max(1.0);
        let low = ((min + border - value) / border).clamp(0.0, 1.0);
        let high = ((value - max + border) / border).clamp(0.0, 1.0);
        low - high
    };
    vec2(
        axis(pos.x, view.min.x, view.max.x),
        axis(pos.y, view.min.y, view.max.y),
    )
}

fn hear_wheel(ui: &Ui, state: &mut CanvasState, view: Rect, over: bool) {
    let Some(pos) = state.pointer.filter(|_| over) else {
        return;
    };
    let (scroll, pinch, mods) =
        ui.input(|i| (i.smooth_scroll_delta(), i.zoom_delta(), i.modifiers));
    if pinch != 1.0 {
        state.camera.zoom_at(view, pos, pinch);
    } else if mods.shift {
        state.camera.pan(vec2(scroll.x + scroll.y, 0.0));
    } else if scroll != Vec2::ZERO {
        state.camera.pan(vec2(scroll.x, 0.0));
        state.camera.zoom_at(view, pos, (scroll.y * WHEEL).exp());
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
        Wish::EditFrame(id) => edit_frame(flow, state, id),
    }
}

fn edit_frame(flow: &Flow, state: &mut CanvasState, id: crate::model::FrameId) {
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

fn paint(
    ui: &Ui,
    input: &CanvasInput<'_>,
    state: &mut CanvasState,
    view: Rect,
    focus: Option<u32>,
) {
    let mut texts = std::mem::take(&mut state.texts);
    let mut far = std::mem::take(&mut state.far);
    texts.begin(ui.ctx());
    let painter = ui.painter().with_clip_rect(view.intersect(ui.clip_rect()));
    let picture = Picture {
        ctx: ui.ctx(),
        painter: &painter,
        view,
        camera: state.camera,
        scene: &state.scene,
        shift: state.shift.as_ref().map(|(_, shift)| shift),
        visible: &state.visible,
        standing: &state.standing,
        board: input.board,
        selection: input.selection,
        hover: &state.hover,
        focus,
        theme: input.theme,
        preview: input
            .preview
            .and_then(|preview| preview.nodes.as_ref().ok()),
        now: input.now,
    };
    picture.background();
    frame::paint(&picture, &state.gesture, &mut texts);
    if state.camera.zoom < ZOOM_FAR {
        let key = state.far_key(input.theme, view, input.preview);
        let same = far
            .of
            .as_ref()
            .is_some_and(|(of, selection)| *of == key && selection == input.selection);
        if !same {
            far.mesh = Arc::new(picture.far_mesh());
            far.of = Some((key, input.selection.clone()));
        }
        painter.add(Shape::Mesh(far.mesh.clone()));
    } else {
        far = Default::default();
        picture.edges();
        if picture.nodes(&mut texts) {
            ui.ctx().request_repaint_after(PULSE);
        }
    }
    gesture_marks(&picture, input.flow, state);
    if let Some(preview) = input.preview {
        preview_words(&picture, preview, input.flow, &mut texts);
    }
    if state.scene.nodes.is_empty() && state.scene.frames.is_empty() && state.editor.is_none() {
        empty_hint(&picture, input, &mut texts);
    }
    state.texts = texts;
    state.far = far;
}

/// The box being drawn, the edge being drawn.
fn gesture_marks(picture: &Picture<'_>, flow: &Flow, state: &CanvasState) {
    let accent = picture.theme.accent;
    match &state.gesture {
        Gesture::BoxSelect { from, to, .. } => {
            let rect = picture
                .camera
                .rect_to_screen(picture.view, between(*from, *to));
            picture
                .painter
                .rect_filled(rect, 2.0, accent.gamma_multiply(0.12));
            picture.painter.rect_stroke(
                rect,
                2.0,
                egui::Stroke::new(1.0, accent),
                egui::StrokeKind::Inside,
            );
        }
        Gesture::Drag {
            nodes,
            by,
            onto: Some(edge),
            ..
        } => {
            let at = |id| state.scene.node_at(id).map(|at| state.scene.rect(at, None));
            let Some((source, target, was)) = flow.graph.edge(edge) else {
                return;
            };
            let node = nodes.first().and_then(at);
            let (Some(source), Some(target), Some(mut node)) =
                (at(&source.id), at(&target.id), node)
            else {
                return;
            };
            node.x += by.x;
            node.y += by.y;
            picture.loose_edge(&Curve::between(source, node, 0.0), was.kind);
            picture.loose_edge(&Curve::between(node, target, 0.0), was.kind);
        }
        Gesture::DrawEdge {
            from,
            kind,
            to,
            over,
            away,
            ..
        } => {
            let Some(source) = state.scene.node_at(from) else {
                return;
            };
            let source = state.scene.rect(source, None);
            let target = over.as_ref().and_then(|id| state.scene.node_at(id));
            let curve = match target.map(|at| state.scene.rect(at, None)) {
                Some(rect) if over.as_ref() == Some(from) => {
                    if !*away || *kind == crate::model::EdgeKind::Blocking {
                        return;
                    }
                    Curve::around(rect, 0.0)
                }
                Some(rect) => {
                    ring(picture, rect);
                    Curve::between(source, rect, 0.0)
                }
                None => loose(source, *to),
            };
            picture.loose_edge(&curve, *kind);
        }
        _ => {}
    }
}

fn ring(picture: &Picture<'_>, rect: crate::model::Rect) {
    let rect = picture.camera.rect_to_screen(picture.view, rect);
    let mut mesh = Mesh::default();
    let mut pen = Pen {
        mesh: &mut mesh,
        pixel: 1.0 / picture.ctx.pixels_per_point(),
    };
    let radius = (f32::from(size::NODE_RADIUS) * picture.camera.zoom).min(10.0) + 2.0;
    pen.ring(rect.expand(2.0), radius, 1.0, picture.theme.accent);
    picture.painter.add(Shape::mesh(mesh));
}

/// A curve from a box to the bare pointer.
fn loose(source: crate::model::Rect, to: Point) -> Curve {
    let target = crate::model::Rect {
        x: to.x,
        y: to.y,
        w: 0.0,
        h: 0.0,
    };
    Curve::between(source, target, 0.0)
}

fn preview_text(preview: &Preview, flow: &Flow) -> String {
    match &preview.nodes {
        Ok(nodes) => format!("would run {} of {}", nodes.len(), flow.graph.n_nodes()),
        Err(why) => why.clone(),
    }
}

/// How much a run that is pointed at would do, in the upper left corner.
fn preview_words(
    picture: &Picture<'_>,
    preview: &Preview,
    flow: &Flow,
    texts: &mut super::text::Texts,
) {
    let mut text = preview_text(preview, flow);
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let theme = picture.theme;
    let room = picture.view.width() - 48.0;
    let galley = texts.line(picture.ctx, &text, Face::Plain, size::UI, room);
    let min = picture.view.min + vec2(12.0, 12.0);
    let plate = Rect::from_min_size(min, galley.size() + vec2(20.0, 10.0));
    let line = egui::Stroke::new(1.0, theme.accent);
    let radius = egui::CornerRadius::same(size::RADIUS);
    picture
        .painter
        .rect(plate, radius, theme.raised, line, egui::StrokeKind::Inside);
    picture
        .painter
        .galley(min + vec2(10.0, 5.0), galley, theme.text);
}

fn empty_hint(picture: &Picture<'_>, input: &CanvasInput<'_>, texts: &mut super::text::Texts) {
    let add = (input.verb_info)(Verb::AddNode).key_text;
    let lines = [
        (
            "Nothing here yet".to_owned(),
            Face::Bold,
            size::TITLE,
            picture.theme.dim,
        ),
        (
            if add.is_empty() {
                "Double-click to add a command".to_owned()
            } else {
                format!("Double-click to add a command · {add} for more")
            },
            Face::Plain,
            size::UI,
            picture.theme.faint,
        ),
    ];
    let mut pos = picture.view.center() - vec2(0.0, 24.0);
    for (text, face, size, color) in lines {
        let galley = texts.line(picture.ctx, &text, face, size, picture.view.width() - 24.0);
        let min = pos - vec2(galley.size().x / 2.0, 0.0);
        pos.y += galley.size().y + 6.0;
        picture.painter.galley(min, galley, color);
    }
}

/// The field being typed in, the palette, the menu.
fn overlays(
    ui: &mut Ui,
    input: &CanvasInput<'_>,
    state: &mut CanvasState,
    (id, view): (Id, Rect),
    actions: &mut Vec<Action>,
) {
    if let Some(mut editor) = state.editor.take() {
        let over = match editor.target() {
            Target::Command(id) => state.scene.node_at(id).map(|at| state.scene.rect(at, None)),
            Target::FrameTitle(id) | Target::NoteText(id) => state
                .scene
                .frames
                .iter()
                .find(|frame| frame.id == *id)
                .map(|frame| frame.rect),
        };
        if let Some(over) = over {
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
    }
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

fn cursor(ui: &Ui, input: &CanvasInput<'_>, state: &CanvasState) {
    let icon = match (&state.gesture, &state.hover) {
        (Gesture::Pan { .. }, _) => CursorIcon::Grabbing,
        (Gesture::Drag { .. }, _) => CursorIcon::Move,
        (Gesture::DrawEdge { .. } | Gesture::BoxSelect { .. }, _) | (_, Hit::Handle(_)) => {
            CursorIcon::Crosshair
        }
        (Gesture::ResizeFrame { .. }, _) | (_, Hit::FrameCorner(_)) => CursorIcon::ResizeNwSe,
        (_, Hit::Edge(_) | Hit::Frame(_)) => CursorIcon::PointingHand,
        _ => CursorIcon::Default,
    };
    let over_minimap = input.minimap
        && state
            .view
            .and_then(minimap::place)
            .zip(state.pointer)
            .is_some_and(|(rect, pos)| rect.contains(pos));
    if !over_minimap {
        ui.ctx().set_cursor_icon(icon);
    }
}
