//! The picture from afar: boxes and straight lines, no text. A few thousand of them are one mesh, kept while
//! nothing in it changes; of more, `poster` makes a picture on a thread of its own.

use std::collections::HashSet;
use std::sync::Arc;

use egui::epaint::{Mesh, Shape};
use egui::{Color32, Pos2, Rect};

use crate::app::{Selection, Theme};
use crate::model::{NodeId, NodeStatus, Point};

use super::camera::Camera;
use super::mesh::Pen;
use super::picture::{Picture, block, marked, mix};
use super::raster::Sheet;
use super::scene::{Scene, Shift, Visible};
use super::standing::{Lit, Standing};

/// Edges drawn before unlit ones are thinned out; beyond it they are a blur.
const EDGES_MAX: usize = 30_000;

/// The mesh, and what it shows.
#[derive(Default)]
pub struct Far {
    mesh: Arc<Mesh>,
    of: Option<(Content, Camera, Rect)>,
}

/// Equal ones make the same picture, wherever the camera stands.
#[derive(PartialEq)]
pub struct Content {
    scene: u64,
    standing: u64,
    dark: bool,
    shift: Option<Point>,
    /// Where the preview lies that lights nodes: another one lies elsewhere.
    preview: Option<usize>,
    selection: Selection,
}

impl Content {
    /// Of a picture. `scene_generation` counts the scenes.
    pub fn of(picture: &Picture<'_>, scene_generation: u64) -> Self {
        let preview = picture.preview;
        Self {
            scene: scene_generation,
            standing: picture.seen.standing.generation,
            dark: picture.theme.dark,
            shift: picture.seen.shift.map(|shift| shift.by),
            preview: preview.map(|preview| std::ptr::from_ref(preview) as usize),
            selection: picture.seen.selection.clone(),
        }
    }
}

impl Far {
    /// Paints it, anew when something changed. `scene_generation` counts the scenes.
    pub fn paint(&mut self, picture: &Picture<'_>, scene_generation: u64) {
        let seen = &picture.seen;
        let of = (
            Content::of(picture, scene_generation),
            seen.camera,
            seen.view,
        );
        if self.of.as_ref() != Some(&of) {
            self.mesh = Arc::new(far_mesh(picture));
            self.of = Some(of);
        }
        picture.painter.add(Shape::Mesh(self.mesh.clone()));
    }
}

fn far_mesh(picture: &Picture<'_>) -> Mesh {
    let seen = &picture.seen;
    let mut mesh = Mesh::default();
    let (n_nodes, n_edges) = (seen.visible.nodes.len(), seen.visible.edges.len());
    mesh.vertices.reserve(4 * (n_nodes + n_edges));
    mesh.indices.reserve(6 * (n_nodes + n_edges));
    let afar = Afar {
        scene: seen.scene,
        standing: seen.standing,
        selection: seen.selection,
        shift: seen.shift,
        preview: picture.preview,
        theme: picture.theme,
        camera: seen.camera,
        view: seen.view,
        point: 1.0,
    };
    afar.plot(
        seen.visible,
        &mut Pen {
            mesh: &mut mesh,
            pixel: picture.pixel(),
        },
    );
    mesh
}

/// What boxes and lines are put on.
pub trait Plot {
    /// A filled box.
    fn quad(&mut self, rect: Rect, color: Color32);
    /// A straight line, `half` wide to each side.
    fn line(&mut self, from: Pos2, to: Pos2, half: f32, color: Color32);
}

impl Plot for Pen<'_> {
    fn quad(&mut self, rect: Rect, color: Color32) {
        Pen::quad(self, rect, color);
    }
    fn line(&mut self, from: Pos2, to: Pos2, half: f32, color: Color32) {
        self.hairline(from, to, half, color);
    }
}

impl Plot for Sheet {
    fn quad(&mut self, rect: Rect, color: Color32) {
        Self::quad(self, rect, color);
    }
    fn line(&mut self, from: Pos2, to: Pos2, half: f32, color: Color32) {
        Self::line(self, from, to, half, color);
    }
}

/// Everything that a far picture is made from, on whatever thread.
pub struct Afar<'a> {
    /// Boxes and edges.
    pub scene: &'a Scene,
    /// How they stand.
    pub standing: &'a Standing,
    /// What is selected.
    pub selection: &'a Selection,
    /// What is dragged.
    pub shift: Option<&'a Shift>,
    /// Nodes that the run which is pointed at would execute.
    pub preview: Option<&'a HashSet<NodeId>>,
    /// Colours.
    pub theme: &'a Theme,
    /// What part of the canvas is seen.
    pub camera: Camera,
    /// Where it is put.
    pub view: Rect,
    /// A point of the screen, in the unit of what is drawn on.
    pub point: f32,
}

impl Afar<'_> {
    /// Draws what is visible.
    pub fn plot(&self, visible: &Visible, on: &mut impl Plot) {
        self.edges(visible, on);
        self.nodes(visible, on);
    }

    fn node_rect(&self, at: u32) -> Rect {
        let rect = self.scene.rect(at, self.shift);
        self.camera.rect_to_screen(self.view, rect)
    }

    /// Lit edges lie over unlit ones.
    fn edges(&self, visible: &Visible, on: &mut impl Plot) {
        let theme = self.theme;
        let plain = mix(theme.bg, theme.status(NodeStatus::Idle), 0.55);
        let thin = visible.edges.len().div_ceil(EDGES_MAX).max(1);
        let has_edges = !self.selection.edges().is_empty();
        for pass in [Lit::No, Lit::Fired, Lit::Failed, Lit::Marked] {
            for (n, &at) in visible.edges.iter().enumerate() {
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
                    Lit::Marked => (marked(theme), 1.0),
                };
                let [from, to] = [edge.source, edge.target].map(|at| self.node_rect(at).center());
                on.line(from, to, half * self.point, color);
            }
        }
    }

    fn nodes(&self, visible: &Visible, on: &mut impl Plot) {
        let theme = self.theme;
        let has_nodes = !self.selection.nodes().is_empty();
        for &at in &visible.nodes {
            let rect = self.node_rect(at);
            let node = self.scene.node(at);
            if has_nodes && self.selection.has_node(&node.id) {
                on.quad(rect.expand(1.5 * self.point), theme.text);
                on.quad(rect, theme.accent);
                continue;
            }
            if self.preview.is_some_and(|nodes| nodes.contains(&node.id)) {
                on.quad(rect.expand(self.point), theme.accent);
            }
            let mut color = block(theme, self.standing.nodes[at as usize]);
            if node.disabled {
                color = mix(color, theme.bg, 0.6);
            }
            on.quad(rect, color);
        }
    }
}
