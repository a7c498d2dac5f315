//! What all painting begins with: what is seen, the paper, the colours. The parts of a picture are
//! painted by `far` (all of it from afar), `arrow` (edges), `node_box`, `node_words` and `frame`.

use std::collections::HashSet;

use egui::epaint::{Mesh, Shape};
use egui::{Color32, Context, Painter, Rect, Vec2, pos2, vec2};

use crate::app::Theme;
use crate::model::{NodeId, NodeStatus};

use super::mesh::Pen;
use super::scene::Hit;
use super::seen::Seen;

/// Below this zoom there is no text and no curve: boxes and straight lines in one mesh.
pub const ZOOM_FAR: f32 = 0.3;
/// Below this zoom a node's texts are larger than to scale: its title, and of its command the lines
/// that there is room for.
pub const ZOOM_COMPACT: f32 = 0.72;
/// Distance of the dots of the grid, in canvas units.
pub const GRID: f64 = 24.0;

/// Everything a picture is made from.
pub struct Picture<'a> {
    /// egui.
    pub ctx: &'a Context,
    /// Clipped to the view.
    pub painter: &'a Painter,
    /// What is in view.
    pub seen: Seen<'a>,
    /// Under the pointer.
    pub hover: &'a Hit,
    /// The node with the keyboard focus.
    pub focus: Option<u32>,
    /// Colours.
    pub theme: &'a Theme,
    /// Nodes that the run which is pointed at would execute.
    pub preview: Option<&'a HashSet<NodeId>>,
}

/// A mix of two opaque colours; 0 is all `a`.
pub fn mix(a: Color32, b: Color32, t: f32) -> Color32 {
    let part = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * t).round() as u8;
    Color32::from_rgb(part(a.r(), b.r()), part(a.g(), b.g()), part(a.b(), b.b()))
}

/// The colour of a box too small for text.
pub fn block(theme: &Theme, status: Option<NodeStatus>) -> Color32 {
    match status {
        None => theme.line,
        Some(NodeStatus::Idle | NodeStatus::Waiting | NodeStatus::Skipped) => {
            mix(theme.bg, theme.status(NodeStatus::Idle), 0.75)
        }
        Some(status) => theme.status(status),
    }
}

/// The colour of an edge whose mark is set.
pub fn marked(theme: &Theme) -> Color32 {
    mix(theme.status(NodeStatus::Ran), theme.text, 0.45)
}

impl Picture<'_> {
    /// One physical pixel, in points.
    pub fn pixel(&self) -> f32 {
        1.0 / self.ctx.pixels_per_point()
    }

    /// Paints what is drawn into one mesh.
    pub fn draw(&self, draw: impl FnOnce(&mut Pen<'_>)) {
        let mut mesh = Mesh::default();
        let pixel = self.pixel();
        draw(&mut Pen {
            mesh: &mut mesh,
            pixel,
        });
        self.painter.add(Shape::mesh(mesh));
    }

    /// The background and its dots.
    pub fn background(&self) {
        self.painter.rect_filled(self.seen.view, 0.0, self.theme.bg);
        let mut every = GRID;
        while every * f64::from(self.seen.camera.zoom) < 14.0 {
            every *= 4.0;
        }
        let gap = (every * f64::from(self.seen.camera.zoom)) as f32;
        let origin = self.seen.camera.origin;
        let start = |value: f64| {
            ((value / every).ceil() * every - value) * f64::from(self.seen.camera.zoom)
        };
        let first = self.seen.view.min + vec2(start(origin.x) as f32, start(origin.y) as f32);
        let color = mix(self.theme.grid, self.theme.line, 0.55);
        let dot = Vec2::splat((1.4 * self.seen.camera.zoom.sqrt()).clamp(1.0, 2.0));
        self.draw(|pen| {
            let mut y = first.y;
            while y < self.seen.view.max.y {
                let mut x = first.x;
                while x < self.seen.view.max.x {
                    pen.quad(Rect::from_min_size(pos2(x, y).round(), dot), color);
                    x += gap;
                }
                y += gap;
            }
        });
    }

    /// True for a node that the run which is pointed at would execute.
    pub fn is_previewed(&self, id: &NodeId) -> bool {
        self.preview.is_some_and(|nodes| nodes.contains(id))
    }
}
