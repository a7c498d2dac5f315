//! What the pointer, the wheel and the keyboard do to the canvas.

use egui::{CursorIcon, Event, Key, Modifiers, PointerButton, Pos2, Rect, Ui, Vec2, vec2};

use crate::app::{Action, Selection};

use super::access::Heard;
use super::gesture::{Gesture, Signal, Surroundings, Wish};
use super::minimap;
use super::picture::ZOOM_FAR;
use super::scene::Hit;
use super::state::CanvasState;
use super::view::CanvasInput;

/// Zoom per point of wheel travel.
const WHEEL: f32 = 0.0025;
/// Border in which a drag moves the picture along, in points.
const AUTO_PAN_BORDER: f32 = 28.0;
/// Greatest speed of that, in points per second.
const AUTO_PAN_SPEED: f32 = 900.0;

/// Focus by Tab and clicks by a screen reader select.
pub fn keyboard(
    state: &CanvasState,
    input: &CanvasInput<'_>,
    heard: &Heard,
    actions: &mut Vec<Action>,
) {
    if let Some(at) = heard.clicked_node.or(heard.gained) {
        let id = state.stage.scene.node(at).id.clone();
        let selection = Selection::of_node(id);
        if selection != *input.selection {
            actions.push(selection.into_action());
        }
    } else if let Some(at) = heard.clicked_edge {
        let id = state.stage.scene.edges[at as usize].id.clone();
        actions.push(Selection::of(vec![], vec![id], vec![]).into_action());
    }
}

/// Feeds the gesture with what the pointer did, and pans where it drags beyond the border.
pub fn pointer(
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
                    scene: &state.stage.scene,
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
        scene: &state.stage.scene,
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
        hit: state.stage.scene.hit(
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

/// Wheel and pinch zoom at the pointer; with Shift, and sideways, the wheel pans.
pub fn wheel(ui: &Ui, state: &mut CanvasState, view: Rect, over: bool) {
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

/// The shape of the pointer says what a press would do.
pub fn cursor(ui: &Ui, input: &CanvasInput<'_>, state: &CanvasState) {
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
