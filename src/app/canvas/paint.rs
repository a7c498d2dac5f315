//! The scene as shapes: edges in one mesh, a small mesh and a few texts per node; far away, one
//! mesh for everything. Draws what is visible and changes nothing.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use egui::epaint::{Mesh, Shape};
use egui::{Color32, Context, Painter, Pos2, Rect, Vec2, pos2, vec2};

use crate::app::theme::size;
use crate::app::{Selection, Theme};
use crate::model::{
    EdgeKind, Exit, Node, NodeId, NodeState, NodeStatus, Timestamp, human_duration,
};
use crate::runtime::FlowBoard;

use super::camera::Camera;
use super::mesh::Pen;
use super::route::Curve;
use super::scene::{Hit, LINES_MAX, Scene, Shift, Visible};
use super::standing::{Lit, Standing};
use super::status_icon;
use super::text::{Face, LINE_PER_SIZE, Texts, step, title};

/// Below this zoom there is no text and no curve: boxes and straight lines in one mesh.
pub const ZOOM_FAR: f32 = 0.3;
/// Below this zoom a node's texts are larger than to scale: its title, and of its command the lines
/// that there is room for.
const ZOOM_COMPACT: f32 = 0.72;
/// Distance of the dots of the grid, in canvas units.
pub const GRID: f64 = 24.0;
/// Least size of a title, in points.
const TITLE_MIN: f32 = 9.0;
/// Least size of a command, in points.
const COMMAND_MIN: f32 = 8.0;
/// Height of the title's row per point of its size.
const TITLE_LINE: f32 = 1.3;
/// Edges drawn in the far picture before unlit ones are thinned out; beyond it they are a blur.
const FAR_EDGES_MAX: usize = 30_000;
/// One turn of the running sign.
const TURN: Duration = Duration::from_millis(1_200);

/// Everything a picture is made from.
pub struct Picture<'a> {
    /// egui.
    pub ctx: &'a Context,
    /// Clipped to the view.
    pub painter: &'a Painter,
    /// Where the canvas is on the screen.
    pub view: Rect,
    /// What part of it is seen.
    pub camera: Camera,
    /// The boxes.
    pub scene: &'a Scene,
    /// Those that are dragged.
    pub shift: Option<&'a Shift>,
    /// Those in view.
    pub visible: &'a Visible,
    /// How they stand.
    pub standing: &'a Standing,
    /// Times, exits and passes.
    pub board: Option<&'a FlowBoard>,
    /// What is selected.
    pub selection: &'a Selection,
    /// Under the pointer.
    pub hover: &'a Hit,
    /// The node with the keyboard focus.
    pub focus: Option<u32>,
    /// Colours.
    pub theme: &'a Theme,
    /// Now.
    /// Nodes that the run which is pointed at would execute.
    pub preview: Option<&'a HashSet<NodeId>>,
    pub now: Timestamp,
}

/// A mix of two opaque colours; 0 is all `a`.
pub fn mix(a: Color32, b: Color32, t: f32) -> Color32 {
    let part = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * t).round() as u8;
    Color32::from_rgb(part(a.r(), b.r()), part(a.g(), b.g()), part(a.b(), b.b()))
}

impl Picture<'_> {
    fn pixel(&self) -> f32 {
        1.0 / self.ctx.pixels_per_point()
    }

    /// The background and its dots.
    pub fn background(&self) {
        self.painter.rect_filled(self.view, 0.0, self.theme.bg);
        let mut every = GRID;
        while every * f64::from(self.camera.zoom) < 14.0 {
            every *= 4.0;
        }
        let gap = (every * f64::from(self.camera.zoom)) as f32;
        let origin = self.camera.origin;
        let start =
            |value: f64| ((value / every).ceil() * every - value) * f64::from(self.camera.zoom);
        let first = self.view.min + vec2(start(origin.x) as f32, start(origin.y) as f32);
        let mut mesh = Mesh::default();
        let mut pen = Pen {
            mesh: &mut mesh,
            pixel: self.pixel(),
        };
        let color = mix(self.theme.grid, self.theme.line, 0.55);
        let dot = Vec2::splat((1.4 * self.camera.zoom.sqrt()).clamp(1.0, 2.0));
        let mut y = first.y;
        while y < self.view.max.y {
            let mut x = first.x;
            while x < self.view.max.x {
                pen.quad(Rect::from_min_size(pos2(x, y).round(), dot), color);
                x += gap;
            }
            y += gap;
        }
        self.painter.add(Shape::mesh(mesh));
    }

    /// The far picture: one mesh, no text.
    pub fn far_mesh(&self) -> Mesh {
        let mut mesh = Mesh::default();
        let (n_nodes, n_edges) = (self.visible.nodes.len(), self.visible.edges.len());
        mesh.vertices.reserve(4 * (n_nodes + n_edges));
        mesh.indices.reserve(6 * (n_nodes + n_edges));
        let mut pen = Pen {
            mesh: &mut mesh,
            pixel: self.pixel(),
        };
        let theme = self.theme;
        let plain = mix(theme.bg, theme.status(NodeStatus::Idle), 0.55);
        let thin = n_edges.div_ceil(FAR_EDGES_MAX).max(1);
        let has_edges = !self.selection.edges().is_empty();
        for pass in [Lit::No, Lit::Fired, Lit::Failed, Lit::Marked] {
            for (n, &at) in self.visible.edges.iter().enumerate() {
                if self.standing.edges[at as usize] != pass || (pass == Lit::No && n % thin != 0) {
                    continue;
                }
                let edge = &self.scene.edges[at as usize];
                let selected = has_edges && self.selection.has_edge(&edge.id);
                let (color, half) = match pass {
                    _ if selected => (theme.accent, 1.2),
                    Lit::No => (plain, 0.5),
                    Lit::Fired => (theme.status(NodeStatus::Ran), 0.7),
                    Lit::Failed => (theme.status(NodeStatus::Failed), 0.9),
                    Lit::Marked => (self.marked(), 1.0),
                };
                let from = self.scene.rect(edge.source, self.shift);
                let to = self.scene.rect(edge.target, self.shift);
                let from = self.camera.rect_to_screen(self.view, from).center();
                let to = self.camera.rect_to_screen(self.view, to).center();
                pen.hairline(from, to, half, color);
            }
        }
        let has_nodes = !self.selection.nodes().is_empty();
        for &at in &self.visible.nodes {
            let rect = self.scene.rect(at, self.shift);
            let rect = self.camera.rect_to_screen(self.view, rect);
            let node = self.scene.node(at);
            if has_nodes && self.selection.has_node(&node.id) {
                pen.quad(rect.expand(1.5), theme.text);
                pen.quad(rect, theme.accent);
                continue;
            }
            if self.is_previewed(&node.id) {
                pen.quad(rect.expand(1.0), theme.accent);
            }
            let mut color = self.block(self.standing.nodes[at as usize]);
            if node.disabled {
                color = mix(color, theme.bg, 0.6);
            }
            pen.quad(rect, color);
        }
        mesh
    }

    /// True for a node that the run which is pointed at would execute.
    fn is_previewed(&self, id: &NodeId) -> bool {
        self.preview.is_some_and(|nodes| nodes.contains(id))
    }

    /// The colour of a box without text.
    pub fn block(&self, status: Option<NodeStatus>) -> Color32 {
        block(self.theme, status)
    }

    fn marked(&self) -> Color32 {
        mix(self.theme.status(NodeStatus::Ran), self.theme.text, 0.45)
    }

    /// All visible edges, in one mesh.
    pub fn edges(&self) {
        let zoom = self.camera.zoom;
        let scale = zoom.clamp(0.55, 1.6);
        let n_points = if zoom > 0.6 {
            (20.0 * zoom.max(1.0)) as usize
        } else {
            8
        };
        let mut mesh = Mesh::default();
        mesh.vertices
            .reserve(self.visible.edges.len() * 4 * (n_points + 2));
        mesh.indices
            .reserve(self.visible.edges.len() * 18 * (n_points + 1));
        let mut pen = Pen {
            mesh: &mut mesh,
            pixel: self.pixel(),
        };
        let mut points = Vec::with_capacity(n_points + 2);
        let ran = self.theme.status(NodeStatus::Ran);
        for &at in &self.visible.edges {
            let edge = &self.scene.edges[at as usize];
            let lit = self.standing.edges[at as usize];
            let hovered = matches!(self.hover, Hit::Edge(id) if *id == edge.id);
            let (mut color, mut half) = match lit {
                Lit::No => (self.theme.status(NodeStatus::Idle), 0.75),
                Lit::Fired => (ran, 1.0),
                Lit::Failed => (self.theme.status(NodeStatus::Failed), 1.0),
                Lit::Marked => (self.marked(), 1.3),
            };
            let muted =
                self.scene.node(edge.source).disabled || self.scene.node(edge.target).disabled;
            if muted && lit == Lit::No {
                color = mix(color, self.theme.bg, 0.5);
            }
            if hovered {
                color = mix(color, self.theme.text, 0.35);
                half += 0.35;
            }
            if self.selection.has_edge(&edge.id) {
                color = self.theme.accent;
                half = 1.5;
            }
            let curve = self.scene.curve(at, self.shift);
            arrow(
                &mut pen,
                &curve,
                (self.camera, self.view, n_points),
                edge.kind,
                (half * scale, color, scale, lit == Lit::Marked),
                &mut points,
            );
        }
        self.painter.add(Shape::mesh(mesh));
    }

    /// An edge that is being drawn.
    pub fn loose_edge(&self, curve: &Curve, kind: EdgeKind) {
        let mut mesh = Mesh::default();
        let mut pen = Pen {
            mesh: &mut mesh,
            pixel: self.pixel(),
        };
        let scale = self.camera.zoom.clamp(0.55, 1.6);
        arrow(
            &mut pen,
            curve,
            (self.camera, self.view, 20),
            kind,
            (1.25 * scale, self.theme.accent, scale, false),
            &mut Vec::new(),
        );
        self.painter.add(Shape::mesh(mesh));
    }

    /// All visible nodes. Gives back true when one of them is running.
    pub fn nodes(&self, texts: &mut Texts) -> bool {
        let mut running = false;
        let nothing = NodeState::default();
        // Far out, all boxes share one mesh and the titles follow: hundreds of small meshes cost
        // more than the one thing lost, that a box hides the title of a box under it.
        let compact = self.camera.zoom < ZOOM_COMPACT;
        let mut shared = Mesh::default();
        if compact {
            shared.vertices.reserve(self.visible.nodes.len() * 90);
            shared.indices.reserve(self.visible.nodes.len() * 330);
        }
        for &at in &self.visible.nodes {
            let node = self.scene.node(at);
            let status = self.standing.nodes[at as usize];
            let state = self
                .board
                .and_then(|board| board.nodes.get(&node.id))
                .unwrap_or(&nothing);
            running |= status == Some(NodeStatus::Running);
            if compact {
                self.node_box(&mut shared, at, node, status);
                continue;
            }
            let mut mesh = Mesh::default();
            mesh.vertices.reserve(260);
            mesh.indices.reserve(1_000);
            let rect = self.node_box(&mut mesh, at, node, status);
            self.painter.add(Shape::mesh(mesh));
            self.texts(node, status, state, rect, texts);
        }
        if compact {
            self.painter.add(Shape::mesh(shared));
            for &at in &self.visible.nodes {
                let node = self.scene.node(at);
                let status = self.standing.nodes[at as usize];
                let state = self.board.and_then(|board| board.nodes.get(&node.id));
                let state = state.unwrap_or(&nothing);
                self.compact_texts(node, status, state, self.node_rect(at), texts);
            }
        }
        running
    }

    /// Where a node is on the screen, on whole pixels so that its border is crisp.
    fn node_rect(&self, at: u32) -> Rect {
        let ppp = self.ctx.pixels_per_point();
        let snap = |pos: Pos2| (pos * ppp).round() / ppp;
        let rect = self
            .camera
            .rect_to_screen(self.view, self.scene.rect(at, self.shift));
        Rect::from_min_max(snap(rect.min), snap(rect.max))
    }

    fn bar_width(&self) -> f32 {
        (4.0 * self.camera.zoom).round().max(2.0)
    }

    /// Middle and half side of the status sign.
    fn icon_place(&self, rect: Rect) -> (Pos2, f32) {
        let zoom = self.camera.zoom;
        if zoom < ZOOM_COMPACT {
            let r = (6.0 * zoom).max(3.2);
            let left = rect.left() + 1.0 + self.bar_width();
            let rows = Rows::of(rect, zoom);
            (pos2(left + 3.0 + r, rows.title_y), r)
        } else {
            (rect.min + vec2(20.5, 17.0) * zoom, 6.0 * zoom)
        }
    }

    /// Everything of a node but its texts; gives back where it is.
    fn node_box(&self, mesh: &mut Mesh, at: u32, node: &Node, status: Option<NodeStatus>) -> Rect {
        let theme = self.theme;
        let zoom = self.camera.zoom;
        let rect = self.node_rect(at);
        // Beyond the width of the status bar, a rounder corner would leave the bar outside.
        let radius = (f32::from(size::NODE_RADIUS) * zoom).min(10.0);
        let selected = self.selection.has_node(&node.id);
        let hovered = matches!(self.hover, Hit::Node(id) | Hit::Handle(id) if *id == node.id);
        let color = status.map_or(theme.line, |status| theme.status(status));
        let turn =
            (self.now.0.rem_euclid(TURN.as_micros() as i64)) as f32 / TURN.as_micros() as f32;

        let mut border = if theme.dark {
            theme.line
        } else {
            mix(theme.line, theme.faint, 0.25)
        };
        match status {
            Some(NodeStatus::Failed) => border = mix(border, color, 0.55),
            Some(NodeStatus::Running) => {
                let pulse = 0.5 - 0.5 * (turn * std::f32::consts::TAU).cos();
                border = mix(border, color, 0.35 + 0.3 * pulse);
            }
            _ => {}
        }
        if hovered {
            border = mix(border, theme.text, 0.3);
        }
        let mut fill = if hovered && theme.dark {
            mix(theme.panel, theme.raised, 0.6)
        } else {
            theme.panel
        };
        if node.disabled {
            fill = mix(fill, theme.bg, 0.6);
        }

        let mut pen = Pen {
            mesh,
            pixel: self.pixel(),
        };
        if zoom >= ZOOM_COMPACT {
            let shade = if theme.dark { 70 } else { 26 };
            let under = rect.translate(vec2(0.0, 1.5 * zoom)).shrink(0.5);
            pen.shadow(under, radius, 3.0 * zoom, Color32::from_black_alpha(shade));
        }
        if selected {
            pen.round_rect(rect.expand(2.0), [radius + 2.0; 4], theme.accent);
        } else if self.focus == Some(at) || self.is_previewed(&node.id) {
            let ring = mix(theme.accent, theme.bg, 0.35);
            pen.round_rect(rect.expand(2.0), [radius + 2.0; 4], ring);
        }
        pen.round_rect(rect, [radius; 4], border);
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
            hatch(
                &mut pen,
                inner.shrink(1.0),
                zoom,
                mix(fill, theme.line, 0.8),
            );
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
        let sign = if status.is_none() {
            theme.faint
        } else {
            bar_color
        };
        status_icon::draw(&mut pen, icon_at, icon_r, status, turn, sign);
        if hovered {
            self.handle(&mut pen, rect);
        }
        rect
    }

    /// Texts of a node that is too small for them to scale.
    fn compact_texts(
        &self,
        node: &Arc<Node>,
        status: Option<NodeStatus>,
        state: &NodeState,
        rect: Rect,
        texts: &mut Texts,
    ) {
        let theme = self.theme;
        let rows = Rows::of(rect, self.camera.zoom);
        let (icon_at, icon_r) = self.icon_place(rect);
        let left = icon_at.x + icon_r + 3.5;
        let right = rect.right() - 6.0;
        let (title_color, command_color) = if node.disabled {
            (theme.faint, theme.faint)
        } else {
            (theme.text, theme.dim)
        };
        let galley = texts.line(self.ctx, title(node), Face::Bold, rows.title, right - left);
        let title_end = left + galley.size().x;
        let pos = pos2(left, rows.title_y - galley.size().y / 2.0);
        self.painter.galley(pos, galley, title_color);
        if rows.n_lines == 0 {
            return;
        }
        // Only where the title leaves room: the name matters more than the time.
        let failed = state
            .exit
            .as_ref()
            .filter(|_| status == Some(NodeStatus::Failed));
        let word = match failed {
            Some(exit) => Some((exit_word(exit), theme.status(NodeStatus::Failed))),
            None => state
                .duration(self.now)
                .map(|time| (human_duration(time), theme.dim)),
        };
        if let Some((word, color)) = word.filter(|_| !node.disabled) {
            let galley = texts.line(self.ctx, &word, Face::Plain, rows.command, f32::INFINITY);
            let at = right - galley.size().x;
            if at >= title_end + 6.0 {
                let pos = pos2(at, rows.title_y - galley.size().y / 2.0);
                self.painter.galley(pos, galley, color);
            }
        }
        let left = icon_at.x - icon_r;
        // In steps, so that zooming does not lay out every command in every frame.
        let width = ((right - left) / 8.0).floor() * 8.0;
        let galley = texts.command(self.ctx, node, rows.command, (width, rows.n_lines));
        let pos = pos2(left, rows.command_top);
        self.painter.galley(pos, galley, command_color);
    }

    fn texts(
        &self,
        node: &Arc<Node>,
        status: Option<NodeStatus>,
        state: &NodeState,
        rect: Rect,
        texts: &mut Texts,
    ) {
        let theme = self.theme;
        let zoom = self.camera.zoom;
        let (title_color, command_color) = if node.disabled {
            (theme.faint, theme.faint)
        } else {
            (theme.text, theme.dim)
        };
        let row = rect.top() + 17.0 * zoom;
        let mut right = rect.right() - size::NODE_PAD * zoom;
        let left = rect.left() + 34.0 * zoom;
        let small = step(12.0 * zoom);
        if node.disabled {
            right = self.pill("muted", theme.faint, right, row, texts);
        } else if let Some(time) = state.duration(self.now) {
            let text = human_duration(time);
            let galley = texts.line(self.ctx, &text, Face::Plain, small, f32::INFINITY);
            let width = galley.size().x;
            let pos = pos2(right - width, row - galley.size().y / 2.0);
            self.painter.galley(pos, galley, theme.dim);
            // In steps, so that a counting time does not move the title's ellipsis at each digit.
            let quantum = 8.0 * zoom;
            right -= (width / quantum).ceil() * quantum + 4.0 * zoom;
        }
        if status == Some(NodeStatus::Failed)
            && let Some(exit) = &state.exit
        {
            let color = theme.status(NodeStatus::Failed);
            right = self.pill(&exit_word(exit), color, right, row, texts);
        }
        let color = status.map_or(theme.faint, |status| theme.status(status));
        let mut marks: Vec<String> = Vec::new();
        if state.pass > 1 {
            marks.push(format!("×{}", state.pass));
        }
        if state.attempt > 1 {
            marks.push(format!("try {}", state.attempt));
        }
        let pill_size = step(10.5 * zoom);
        let marks_width: f32 = marks
            .iter()
            .map(|text| {
                let galley = texts.line(self.ctx, text, Face::Plain, pill_size, f32::INFINITY);
                galley.size().x + 18.0 * zoom
            })
            .sum();
        let galley = texts.line(
            self.ctx,
            title(node),
            Face::Bold,
            step(size::UI * zoom),
            (right - left - marks_width - 2.0 * zoom).max(12.0 * zoom),
        );
        let mut after = left + galley.size().x + 6.0 * zoom;
        let pos = pos2(left, row - galley.size().y / 2.0);
        self.painter.galley(pos, galley, title_color);
        for text in marks {
            let galley = texts.line(self.ctx, &text, Face::Plain, pill_size, f32::INFINITY);
            let end = after + galley.size().x + 12.0 * zoom;
            self.pill(&text, color, end, row, texts);
            after = end + 6.0 * zoom;
        }

        let mono = step(size::MONO * zoom);
        let pos = rect.min + vec2(14.5, 31.0) * zoom;
        if node.command.trim().is_empty() {
            let galley = texts.line(self.ctx, "no command", Face::Plain, small, f32::INFINITY);
            self.painter.galley(pos, galley, theme.faint);
            return;
        }
        // To scale of the size that is laid out, so that one text serves all zooms of its step.
        let width = (size::NODE_W - 14.5 - size::NODE_PAD + 2.0) * mono / size::MONO;
        let galley = texts.command(self.ctx, node, mono, (width, LINES_MAX));
        self.painter.galley(pos, galley, command_color);
    }

    /// A small outlined word that ends at `right`; gives back where the next thing may end.
    fn pill(&self, text: &str, color: Color32, right: f32, row: f32, texts: &mut Texts) -> f32 {
        let zoom = self.camera.zoom;
        let galley = texts.line(self.ctx, text, Face::Plain, step(10.5 * zoom), 110.0 * zoom);
        let size = vec2(galley.size().x + 12.0 * zoom, 17.0 * zoom);
        let rect = Rect::from_min_size(pos2(right - size.x, row - size.y / 2.0), size);
        let mut mesh = Mesh::default();
        let mut pen = Pen {
            mesh: &mut mesh,
            pixel: self.pixel(),
        };
        pen.ring(rect, size.y / 2.0, 0.5 * zoom.max(1.0), color);
        self.painter.add(Shape::mesh(mesh));
        let pos = rect.center() - galley.size() / 2.0;
        self.painter.galley(pos, galley, color);
        rect.left() - 6.0 * zoom
    }

    fn handle(&self, pen: &mut Pen<'_>, rect: Rect) {
        let middle = rect.right_center();
        let r = (5.0 * self.camera.zoom).clamp(3.5, 7.0);
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

/// Where the texts of a compact node go, and how large they are.
struct Rows {
    /// Size of the title, in points.
    title: f32,
    /// Middle of its row.
    title_y: f32,
    /// Size of the command, in points.
    command: f32,
    /// Top of its first line.
    command_top: f32,
    /// Lines of the command that there is room for.
    n_lines: usize,
}

impl Rows {
    fn of(rect: Rect, zoom: f32) -> Self {
        let title = step((size::UI * zoom).max(TITLE_MIN));
        let command = step((size::MONO * zoom).max(COMMAND_MIN));
        let (title_h, line_h) = (title * TITLE_LINE, command * LINE_PER_SIZE);
        let pad = (5.0 * zoom).max(2.0);
        let room = rect.height() - 2.0 * pad - title_h;
        let n_lines = ((room / line_h).max(0.0) as usize).min(LINES_MAX);
        let title_y = if n_lines == 0 {
            rect.center().y
        } else {
            rect.top() + pad + title_h / 2.0
        };
        Self {
            title,
            title_y,
            command,
            command_top: rect.top() + pad + title_h,
            n_lines,
        }
    }
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

/// The points of a curve on the screen.
pub fn flatten(curve: &Curve, camera: Camera, view: Rect, n: usize, out: &mut Vec<Pos2>) {
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

/// An edge with its arrowhead: half its width, its colour, the scale of dashes and head, and whether
/// it glows.
fn arrow(
    pen: &mut Pen<'_>,
    curve: &Curve,
    (camera, view, n_points): (Camera, Rect, usize),
    kind: EdgeKind,
    (half, color, scale, glows): (f32, Color32, f32, bool),
    points: &mut Vec<Pos2>,
) {
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
        EdgeKind::NonBlocking => pen.dashed(points, half, 6.0 * scale, 4.5 * scale, color),
    }
    let aside = vec2(-way.y, way.x) * (5.0 * scale + (half - scale).max(0.0));
    pen.polygon(&[tip, base + aside, base - aside], pen.pixel, color);
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

/// How an attempt failed, in a word or two.
pub fn exit_word(exit: &Exit) -> String {
    match exit {
        Exit::NotStarted(_) => "not started".into(),
        Exit::MaxPasses => "max passes".into(),
        other => other.to_string(),
    }
}
