//! The picture from afar: boxes and straight lines in one mesh, kept while nothing in it changes.

use std::sync::Arc;

use egui::Rect;
use egui::epaint::{Mesh, Shape};

use crate::app::Selection;
use crate::model::{NodeStatus, Point};

use super::camera::Camera;
use super::mesh::Pen;
use super::picture::{Picture, block, mix};
use super::standing::Lit;

/// Edges drawn before unlit ones are thinned out; beyond it they are a blur.
const EDGES_MAX: usize = 30_000;

/// The mesh, and what it shows.
#[derive(Default)]
pub struct Far {
    mesh: Arc<Mesh>,
    of: Option<(Key, Selection)>,
}

/// Equal keys mean the same picture, but for the selection, which is compared where it stands.
#[derive(PartialEq)]
struct Key {
    scene: u64,
    standing: u64,
    camera: Camera,
    view: Rect,
    dark: bool,
    shift: Option<Point>,
    /// Where the preview lies that lights nodes: another one lies elsewhere.
    preview: Option<usize>,
}

impl Far {
    /// Paints it, anew when something changed. `scene_generation` counts the scenes.
    pub fn paint(&mut self, picture: &Picture<'_>, scene_generation: u64) {
        let seen = &picture.seen;
        let key = Key {
            scene: scene_generation,
            standing: seen.standing.generation,
            camera: seen.camera,
            view: seen.view,
            dark: picture.theme.dark,
            shift: seen.shift.map(|shift| shift.by),
            preview: picture
                .preview
                .map(|preview| std::ptr::from_ref(preview) as usize),
        };
        let is_same =
            |(of, selection): &(Key, Selection)| *of == key && selection == seen.selection;
        if !self.of.as_ref().is_some_and(is_same) {
            self.mesh = Arc::new(picture.far_mesh());
            self.of = Some((key, seen.selection.clone()));
        }
        picture.painter.add(Shape::Mesh(self.mesh.clone()));
    }
}

impl Picture<'_> {
    /// The far picture: one mesh, no text.
    fn far_mesh(&self) -> Mesh {
        let mut mesh = Mesh::default();
        let (n_nodes, n_edges) = (self.seen.visible.nodes.len(), self.seen.visible.edges.len());
        mesh.vertices.reserve(4 * (n_nodes + n_edges));
        mesh.indices.reserve(6 * (n_nodes + n_edges));
        let mut pen = Pen {
            mesh: &mut mesh,
            pixel: self.pixel(),
        };
        self.far_edges(&mut pen);
        self.far_nodes(&mut pen);
        mesh
    }

    /// Lit edges lie over unlit ones.
    fn far_edges(&self, pen: &mut Pen<'_>) {
        let theme = self.theme;
        let n_edges = self.seen.visible.edges.len();
        let plain = mix(theme.bg, theme.status(NodeStatus::Idle), 0.55);
        let thin = n_edges.div_ceil(EDGES_MAX).max(1);
        let has_edges = !self.seen.selection.edges().is_empty();
        for pass in [Lit::No, Lit::Fired, Lit::Failed, Lit::Marked] {
            for (n, &at) in self.seen.visible.edges.iter().enumerate() {
                if self.seen.standing.edges[at as usize] != pass
                    || (pass == Lit::No && n % thin != 0)
                {
                    continue;
                }
                let edge = &self.seen.scene.edges[at as usize];
                let selected = has_edges && self.seen.selection.has_edge(&edge.id);
                let (color, half) = match pass {
                    _ if selected => (theme.accent, 1.2),
                    Lit::No => (plain, 0.5),
                    Lit::Fired => (theme.status(NodeStatus::Ran), 0.7),
                    Lit::Failed => (theme.status(NodeStatus::Failed), 0.9),
                    Lit::Marked => (self.marked(), 1.0),
                };
                let [from, to] =
                    [edge.source, edge.target].map(|at| self.seen.node_rect(at).center());
                pen.hairline(from, to, half, color);
            }
        }
    }

    fn far_nodes(&self, pen: &mut Pen<'_>) {
        let theme = self.theme;
        let has_nodes = !self.seen.selection.nodes().is_empty();
        for &at in &self.seen.visible.nodes {
            let rect = self.seen.node_rect(at);
            let node = self.seen.scene.node(at);
            if has_nodes && self.seen.selection.has_node(&node.id) {
                pen.quad(rect.expand(1.5), theme.text);
                pen.quad(rect, theme.accent);
                continue;
            }
            if self.is_previewed(&node.id) {
                pen.quad(rect.expand(1.0), theme.accent);
            }
            let mut color = block(theme, self.seen.standing.nodes[at as usize]);
            if node.disabled {
                color = mix(color, theme.bg, 0.6);
            }
            pen.quad(rect, color);
        }
    }
}
