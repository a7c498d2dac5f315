//! Frames and notes behind the nodes: how they look, and new ones.

use std::collections::HashSet;

use egui::{Color32, Rect, pos2, vec2};

use crate::app::theme::size;
use crate::model::{Flow, Frame, FrameId, Point};

use super::gesture::{Gesture, resized};
use super::picture::{Picture, ZOOM_FAR, mix};
use super::scene::{FRAME_TITLE_H, Hit};
use super::text::{Face, Texts, head, step};

/// Width of a new frame or note, in canvas units.
const NEW_W: f64 = 320.0;
/// Height of a new frame or note, in canvas units.
const NEW_H: f64 = 180.0;

/// Characters of a note that are laid out; a larger text belongs into a file.
const NOTE_CHARS_MAX: usize = 8_000;

/// A new frame with its top left corner at a place; a note when `text` is not empty.
pub fn new_frame(flow: &Flow, at: Point, title: &str, text: &str) -> Frame {
    let taken: HashSet<&FrameId> = flow.frames.iter().map(|frame| &frame.id).collect();
    let id = (1u32..)
        .map(|n| FrameId(format!("frame{n}")))
        .find(|id| !taken.contains(id))
        .unwrap_or_else(|| FrameId("frame".into()));
    Frame {
        id,
        rect: crate::model::Rect {
            x: at.x.round(),
            y: at.y.round(),
            w: NEW_W,
            h: NEW_H,
        },
        title: title.into(),
        text: text.into(),
    }
}

/// Where a frame is shown while a gesture lasts.
fn shown_rect(frame: &Frame, gesture: &Gesture) -> crate::model::Rect {
    let mut rect = frame.rect;
    match gesture {
        Gesture::Drag { frames, by, .. } if frames.contains(&frame.id) => {
            rect = rect.shifted(*by);
        }
        Gesture::ResizeFrame { frame: id, by, .. } if *id == frame.id => {
            rect = resized(rect, *by);
        }
        _ => {}
    }
    rect
}

/// Draws all frames and notes that are in view.
pub fn paint(picture: &Picture<'_>, gesture: &Gesture, texts: &mut Texts) {
    let theme = picture.theme;
    let zoom = picture.seen.camera.zoom;
    for frame in &picture.seen.scene.frames {
        let rect = picture.seen.on_screen(shown_rect(frame, gesture));
        if !rect.intersects(picture.seen.view) {
            continue;
        }
        let selected = picture.seen.selection.has_frame(&frame.id);
        let hovered = matches!(picture.hover,
            Hit::Frame(id) | Hit::FrameCorner(id) if *id == frame.id);
        let is_note = !frame.text.is_empty();
        let fill = if is_note {
            mix(
                theme.panel,
                theme.status(crate::model::NodeStatus::Stopped),
                0.08,
            )
        } else {
            theme.panel.gamma_multiply(0.45)
        };
        let border = match (selected, hovered) {
            (true, _) => theme.accent,
            (_, true) => mix(theme.line, theme.text, 0.3),
            _ => theme.line,
        };
        let radius = 10.0 * zoom.min(1.5);
        picture.draw(|pen| {
            pen.round_rect(rect, [radius; 4], fill);
            pen.ring(rect, radius, if selected { 1.0 } else { 0.5 }, border);
            if hovered || selected {
                let corner = rect.max - vec2(5.0, 5.0) * zoom.min(1.5);
                for reach in [5.0, 9.0] {
                    let reach = reach * zoom.min(1.5);
                    let ends = [corner - vec2(reach, 0.0), corner - vec2(0.0, reach)];
                    pen.line(&ends, 0.6, theme.faint);
                }
            }
        });
        words(picture, frame, rect, texts);
    }
}

fn words(picture: &Picture<'_>, frame: &Frame, rect: Rect, texts: &mut Texts) {
    let zoom = picture.seen.camera.zoom;
    let pad = 12.0 * zoom;
    let width = rect.width() - 2.0 * pad;
    // A frame's title is what a flow is read by from afar, so it stays legible.
    let title_size = step((size::UI * zoom).max(10.0));
    if width < 24.0 || rect.height() < title_size {
        return;
    }
    let row_h = (FRAME_TITLE_H as f32 * zoom).max(title_size + 4.0);
    let put = |galley: std::sync::Arc<egui::Galley>, top: f32, color: Color32| {
        let pos = pos2(rect.left() + pad, top);
        picture.painter.galley(pos, galley, color);
    };
    let mut top = rect.top();
    if !frame.title.trim().is_empty() {
        let galley = texts.line(
            picture.ctx,
            frame.title.trim(),
            Face::Bold,
            title_size,
            width,
        );
        let y = top + (row_h - galley.size().y) / 2.0;
        put(galley, y, picture.theme.dim);
        top += row_h;
    } else {
        top += 8.0 * zoom;
    }
    let body = step((size::UI * zoom).max(8.0));
    if frame.text.is_empty() || zoom < ZOOM_FAR {
        return;
    }
    let galley = picture.painter.layout(
        head(&frame.text, NOTE_CHARS_MAX).to_owned(),
        egui::FontId::proportional(body),
        picture.theme.text,
        width,
    );
    picture
        .painter
        .with_clip_rect(rect.intersect(picture.painter.clip_rect()))
        .galley(pos2(rect.left() + pad, top), galley, picture.theme.text);
}
