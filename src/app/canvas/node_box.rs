//! Nodes: their boxes with border, status bar and sign. The words in them are `node_words`.

use std::sync::Arc;

use egui::epaint::{Mesh, Shape};
use egui::{Color32, Pos2, Rect, Vec2, pos2, vec2};

use crate::app::theme::size;
use crate::model::{Node, NodeState, NodeStatus};

use super::mesh::Pen;
use super::node_words::Rows;
use super::picture::{Picture, ZOOM_COMPACT, mix};
use super::scene::Hit;
use super::status_icon;
use super::text::Texts;

/// One turn of the running sign, in microseconds.
const TURN: i64 = 1_200_000;

/// A node in view.
pub struct Shown<'a> {
    /// Place in the scene.
    pub at: u32,
    /// The node.
    pub node: &'a Arc<Node>,
    /// How it stands; `None` while nothing is known.
    pub status: Option<NodeStatus>,
    /// What the board tells of it, if anything.
    pub state: Option<&'a NodeState>,
    /// Where it is on the screen, on whole pixels so that its border is crisp.
    pub rect: Rect,
}

impl Picture<'_> {
    /// All visible nodes. Gives back true when one of them is running.
    pub fn nodes(&self, texts: &mut Texts) -> bool {
        if self.seen.camera.zoom < ZOOM_COMPACT {
            self.compact_nodes(texts);
        } else {
            for shown in self.shown() {
                let mut mesh = Mesh::default();
                mesh.vertices.reserve(260);
                mesh.indices.reserve(1_000);
                self.node_box(&mut mesh, &shown);
                self.painter.add(Shape::mesh(mesh));
                self.words(&shown, texts);
            }
        }
        let standing = &self.seen.standing.nodes;
        let mut visible = self.seen.visible.nodes.iter();
        visible.any(|&at| standing[at as usize] == Some(NodeStatus::Running))
    }

    /// Far out, all boxes share one mesh and the titles follow: hundreds of small meshes cost more
    /// than the one thing lost, that a box hides the title of a box under it.
    fn compact_nodes(&self, texts: &mut Texts) {
        let n_nodes = self.seen.visible.nodes.len();
        let mut mesh = Mesh::default();
        mesh.vertices.reserve(n_nodes * 90);
        mesh.indices.reserve(n_nodes * 330);
        for shown in self.shown() {
            self.node_box(&mut mesh, &shown);
        }
        self.painter.add(Shape::mesh(mesh));
        for shown in self.shown() {
            self.compact_words(&shown, texts);
        }
    }

    fn shown(&self) -> impl Iterator<Item = Shown<'_>> {
        let ppp = self.ctx.pixels_per_point();
        let snap = move |pos: Pos2| (pos * ppp).round() / ppp;
        self.seen.visible.nodes.iter().map(move |&at| {
            let rect = self.seen.node_rect(at);
            Shown {
                at,
                node: self.seen.scene.node(at),
                status: self.seen.standing.nodes[at as usize],
                state: self.seen.state(at),
                rect: Rect::from_min_max(snap(rect.min), snap(rect.max)),
            }
        })
    }

    fn bar_width(&self) -> f32 {
        (4.0 * self.seen.camera.zoom).round().max(2.0)
    }

    /// Middle and half side of the status sign.
    pub fn icon_place(&self, rect: Rect) -> (Pos2, f32) {
        let zoom = self.seen.camera.zoom;
        if zoom < ZOOM_COMPACT {
            let r = (6.0 * zoom).max(3.2);
            let left = rect.left() + 1.0 + self.bar_width();
            let rows = Rows::of(rect, zoom);
            (pos2(left + 3.0 + r, rows.title_y), r)
        } else {
            (rect.min + vec2(20.5, 17.0) * zoom, 6.0 * zoom)
        }
    }

    /// Everything of a node but its words.
    fn node_box(&self, mesh: &mut Mesh, shown: &Shown<'_>) {
        let theme = self.theme;
        let zoom = self.seen.camera.zoom;
        let &Shown {
            at,
            node,
            status,
            rect,
            ..
        } = shown;
        // Beyond the width of the status bar, a rounder corner would leave the bar outside.
        let radius = (f32::from(size::NODE_RADIUS) * zoom).min(10.0);
        let hovered = matches!(self.hover, Hit::Node(id) | Hit::Handle(id) if *id == node.id);
        let turn = self.seen.now.0.rem_euclid(TURN) as f32 / TURN as f32;
        let color = status.map_or(theme.line, |status| theme.status(status));
        let fill = self.fill(node, hovered);
        let mut pen = Pen {
            mesh,
            pixel: self.pixel(),
        };
        if zoom >= ZOOM_COMPACT {
            let shade = if theme.dark { 70 } else { 26 };
            let under = rect.translate(vec2(0.0, 1.5 * zoom)).shrink(0.5);
            pen.shadow(under, radius, 3.0 * zoom, Color32::from_black_alpha(shade));
        }
        if self.seen.selection.has_node(&node.id) {
            pen.round_rect(rect.expand(2.0), [radius + 2.0; 4], theme.accent);
        } else if self.focus == Some(at) || self.is_previewed(&node.id) {
            let ring = mix(theme.accent, theme.bg, 0.35);
            pen.round_rect(rect.expand(2.0), [radius + 2.0; 4], ring);
        }
        pen.round_rect(rect, [radius; 4], self.border(status, hovered, turn));
        let inner = rect.shrink(1.0);
        let inner_radius = (radius - 1.0).max(0.0);
        // Small corners are within a pixel of square, and whole pixels need no softening.
        let square = zoom < ZOOM_COMPACT;
        if square {
            pen.quad(inner, fill);
        } else {
            pen.round_rect(inner, [inner_radius; 4], fill);
        }
        if node.disabled {
            let line = mix(fill, theme.line, 0.8);
            hatch(&mut pen, inner.shrink(1.0), zoom, line);
        }
        let bar_w = self.bar_width();
        let bar = Rect::from_min_size(inner.min, vec2(bar_w, inner.height()));
        let bar_radius = inner_radius.min(bar_w);
        let bar_color = if node.disabled {
            mix(color, fill, 0.5)
        } else {
            color
        };
        if square {
            pen.quad(bar, bar_color);
        } else {
            pen.round_rect(bar, [bar_radius, 0.0, 0.0, bar_radius], bar_color);
        }
        let (icon_at, icon_r) = self.icon_place(rect);
        let sign = status.map_or(theme.faint, |_| bar_color);
        status_icon::draw(&mut pen, icon_at, icon_r, status, turn, sign);
        if hovered {
            self.handle(&mut pen, rect);
        }
    }

    /// `turn` in 0..1 is where the running sign stands.
    fn border(&self, status: Option<NodeStatus>, hovered: bool, turn: f32) -> Color32 {
        let theme = self.theme;
        let plain = if theme.dark {
            theme.line
        } else {
            mix(theme.line, theme.faint, 0.25)
        };
        let lit = match status {
            Some(failed @ NodeStatus::Failed) => mix(plain, theme.status(failed), 0.55),
            Some(running @ NodeStatus::Running) => {
                let pulse = 0.5 - 0.5 * (turn * std::f32::consts::TAU).cos();
                mix(plain, theme.status(running), 0.35 + 0.3 * pulse)
            }
            _ => plain,
        };
        if hovered {
            mix(lit, theme.text, 0.3)
        } else {
            lit
        }
    }

    fn fill(&self, node: &Node, hovered: bool) -> Color32 {
        let theme = self.theme;
        let plain = if hovered && theme.dark {
            mix(theme.panel, theme.raised, 0.6)
        } else {
            theme.panel
        };
        if node.disabled {
            mix(plain, theme.bg, 0.6)
        } else {
            plain
        }
    }

    /// The handle that edges are drawn from.
    fn handle(&self, pen: &mut Pen<'_>, rect: Rect) {
        let middle = rect.right_center();
        let r = (5.0 * self.seen.camera.zoom).clamp(3.5, 7.0);
        let square = |r: f32| Rect::from_center_size(middle, Vec2::splat(r * 2.0));
        pen.round_rect(square(r + 1.5), [r + 1.5; 4], self.theme.bg);
        let hot = matches!(self.hover, Hit::Handle(_));
        let color = if hot {
            self.theme.accent
        } else {
            self.theme.dim
        };
        pen.round_rect(square(r), [r; 4], color);
    }
}

/// Slanted lines over a box, for what is muted.
fn hatch(pen: &mut Pen<'_>, rect: Rect, zoom: f32, color: Color32) {
    let every = (9.0 * zoom).max(5.0);
    let (w, h) = (rect.width(), rect.height());
    let mut along = every;
    while along < w + h {
        let a = rect.min + vec2((along).min(w), (along - w).max(0.0));
        let b = rect.min + vec2((along - h).max(0.0), along.min(h));
        pen.line(&[a, b], 0.5, color);
        along += every;
    }
}
