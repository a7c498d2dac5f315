//! What a gesture shows while it lasts: the box being drawn, the edge being drawn.

use egui::{Stroke, StrokeKind};

use crate::app::theme::size;
use crate::model::{EdgeId, EdgeKind, Flow, NodeId, Point, Rect};

use super::gesture::Gesture;
use super::picture::Picture;
use super::route::Curve;

/// Draws what belongs to the gesture.
pub fn gesture_marks(picture: &Picture<'_>, flow: &Flow, gesture: &Gesture) {
    match gesture {
        Gesture::BoxSelect { from, to, .. } => select_box(picture, Rect::between(*from, *to)),
        Gesture::Drag {
            nodes,
            by,
            onto: Some(edge),
            ..
        } => {
            if let Some(node) = nodes.first() {
                halves(picture, flow, edge, node, *by);
            }
        }
        Gesture::DrawEdge {
            from,
            kind,
            to,
            over,
            away,
            ..
        } => {
            let curve = match over {
                Some(over) if over == from => {
                    let means_loop = *away && *kind == EdgeKind::NonBlocking;
                    let rect = means_loop.then(|| box_of(picture, from)).flatten();
                    rect.map(|rect| Curve::around(rect, 0.0))
                }
                _ => drawn(picture, from, over.as_ref(), *to),
            };
            if let Some(curve) = curve {
                picture.loose_edge(&curve, *kind);
            }
        }
        _ => {}
    }
}

/// Where a node stands in the document, whatever is dragged.
fn box_of(picture: &Picture<'_>, id: &NodeId) -> Option<Rect> {
    let scene = picture.seen.scene;
    Some(scene.rect(scene.node_at(id)?, None))
}

fn select_box(picture: &Picture<'_>, area: Rect) {
    let accent = picture.theme.accent;
    let rect = picture.seen.on_screen(area);
    let painter = picture.painter;
    painter.rect_filled(rect, 2.0, accent.gamma_multiply(0.12));
    painter.rect_stroke(rect, 2.0, Stroke::new(1.0, accent), StrokeKind::Inside);
}

/// The two edges that one becomes when the dragged node is set into it.
fn halves(picture: &Picture<'_>, flow: &Flow, edge: &EdgeId, node: &NodeId, by: Point) {
    let Some((source, target, was)) = flow.graph.edge(edge) else {
        return;
    };
    let boxes = [&source.id, node, &target.id].map(|id| box_of(picture, id));
    if let [Some(source), Some(node), Some(target)] = boxes {
        let node = node.shifted(by);
        picture.loose_edge(&Curve::between(source, node, 0.0), was.kind);
        picture.loose_edge(&Curve::between(node, target, 0.0), was.kind);
    }
}

/// The way from a node to the one under the pointer, which is ringed, else to the bare pointer.
fn drawn(picture: &Picture<'_>, from: &NodeId, over: Option<&NodeId>, to: Point) -> Option<Curve> {
    let source = box_of(picture, from)?;
    let over = over.and_then(|id| box_of(picture, id));
    if let Some(over) = over {
        ring(picture, over);
    }
    let target = over.unwrap_or_else(|| Rect::around(to, 0.0));
    Some(Curve::between(source, target, 0.0))
}

fn ring(picture: &Picture<'_>, rect: Rect) {
    let rect = picture.seen.on_screen(rect);
    let radius = (f32::from(size::NODE_RADIUS) * picture.seen.camera.zoom).min(10.0) + 2.0;
    picture.draw(|pen| pen.ring(rect.expand(2.0), radius, 1.0, picture.theme.accent));
}
