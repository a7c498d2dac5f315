//! Edges: curves with arrowheads, whole or dashed, all in one mesh.

use egui::epaint::{Mesh, Shape};
use egui::{Color32, Pos2, Rect, Vec2, pos2, vec2};

use crate::model::{EdgeKind, NodeStatus};

use super::camera::Camera;
use super::mesh::Pen;
use super::picture::{Picture, marked, mix};
use super::route::Curve;
use super::scene::Hit;
use super::seen::Seen;
use super::standing::Lit;

/// How an edge looks on the screen.
#[derive(Clone, Copy)]
struct Look {
    /// Half its width.
    half: f32,
    color: Color32,
    /// Of its dashes and its head.
    scale: f32,
    glows: bool,
    /// Straight pieces that its curve is made of.
    n_points: usize,
}

/// Heads and dashes stay legible from afar and do not grow out of bounds.
fn scale(zoom: f32) -> f32 {
    zoom.clamp(0.55, 1.6)
}

impl Picture<'_> {
    /// All visible edges, in one mesh.
    pub fn edges(&self) {
        let zoom = self.seen.camera.zoom;
        let scale = scale(zoom);
        let n_points = if zoom > 0.6 {
            (20.0 * zoom.max(1.0)) as usize
        } else {
            8
        };
        let n_edges = self.seen.visible.edges.len();
        let mut mesh = Mesh::default();
        mesh.vertices.reserve(n_edges * 4 * (n_points + 2));
        mesh.indices.reserve(n_edges * 18 * (n_points + 1));
        let mut pen = Pen {
            mesh: &mut mesh,
            pixel: self.pixel(),
        };
        let mut points = Vec::with_capacity(n_points + 2);
        let ran = self.theme.status(NodeStatus::Ran);
        for &at in &self.seen.visible.edges {
            let edge = &self.seen.scene.edges[at as usize];
            let lit = self.seen.standing.edges[at as usize];
            let hovered = matches!(self.hover, Hit::Edge(id) if *id == edge.id);
            let (mut color, mut half) = match lit {
                Lit::No => (self.theme.status(NodeStatus::Idle), 0.75),
                Lit::Fired => (ran, 1.0),
                Lit::Failed => (self.theme.status(NodeStatus::Failed), 1.0),
                Lit::Marked => (marked(self.theme), 1.3),
            };
            let muted = self.seen.scene.node(edge.source).disabled
                || self.seen.scene.node(edge.target).disabled;
            if muted && lit == Lit::No {
                color = mix(color, self.theme.bg, 0.5);
            }
            if hovered {
                color = mix(color, self.theme.text, 0.35);
                half += 0.35;
            }
            if self.seen.selection.has_edge(&edge.id) {
                color = self.theme.accent;
                half = 1.5;
            }
            let curve = self.seen.scene.curve(at, self.seen.shift);
            let look = Look {
                half: half * scale,
                color,
                scale,
                glows: lit == Lit::Marked,
                n_points,
            };
            arrow(&mut pen, &curve, &self.seen, edge.kind, look, &mut points);
        }
        self.painter.add(Shape::mesh(mesh));
    }

    /// An edge that is being drawn.
    pub fn loose_edge(&self, curve: &Curve, kind: EdgeKind) {
        let scale = scale(self.seen.camera.zoom);
        let look = Look {
            half: 1.25 * scale,
            color: self.theme.accent,
            scale,
            glows: false,
            n_points: 20,
        };
        self.draw(|pen| arrow(pen, curve, &self.seen, kind, look, &mut Vec::new()));
    }
}

/// An edge with its arrowhead. `points` is memory to reuse.
fn arrow(
    pen: &mut Pen<'_>,
    curve: &Curve,
    seen: &Seen<'_>,
    kind: EdgeKind,
    look: Look,
    points: &mut Vec<Pos2>,
) {
    let Seen { camera, view, .. } = *seen;
    let Look {
        half,
        color,
        scale,
        glows,
        n_points,
    } = look;
    // The head lies along the curve's end; the line is drawn to the head's base.
    let [_, b, c, d] = curve.0;
    let tip = camera.to_screen(view, d);
    let end = [c, b]
        .map(|control| tip - camera.to_screen(view, control))
        .into_iter()
        .find(|way| way.length_sq() > 0.01);
    let way = end.map_or(Vec2::X, Vec2::normalized);
    let length = 10.0 * scale;
    let back = way * f32::max(length - 1.0, 0.0) / camera.zoom;
    let mut stem = *curve;
    for point in &mut stem.0[2..] {
        point.x -= f64::from(back.x);
        point.y -= f64::from(back.y);
    }
    flatten(&stem, camera, view, n_points, points);
    let base = tip - way * length;
    if glows {
        pen.line(points, half + 2.5 * scale, color.gamma_multiply(0.22));
    }
    match kind {
        EdgeKind::Blocking => pen.line(points, half, color),
        EdgeKind::NonBlocking => {
            pen.dashed(points, half, (6.0 * scale, 4.5 * scale), view, color);
        }
    }
    let aside = vec2(-way.y, way.x) * (5.0 * scale + (half - scale).max(0.0));
    pen.polygon(&[tip, base + aside, base - aside], pen.pixel, color);
}

/// The points of a curve on the screen.
fn flatten(curve: &Curve, camera: Camera, view: Rect, n: usize, out: &mut Vec<Pos2>) {
    out.clear();
    let [a, b, c, d] = curve.0.map(|point| camera.to_screen(view, point));
    for i in 0..=n {
        let t = i as f32 / n as f32;
        let u = 1.0 - t;
        let (wa, wb, wc, wd) = (u * u * u, 3.0 * u * u * t, 3.0 * u * t * t, t * t * t);
        out.push(pos2(
            wa * a.x + wb * b.x + wc * c.x + wd * d.x,
            wa * a.y + wb * b.y + wc * c.y + wd * d.y,
        ));
    }
}
