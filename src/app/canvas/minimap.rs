//! The whole flow in a corner; a click there jumps.

use std::sync::Arc;

use egui::epaint::{Mesh, Shape};
use egui::{Rect, Response, Sense, Ui, Vec2, WidgetInfo, WidgetType, pos2, vec2};

use crate::app::Theme;
use crate::model::{NodeStatus, Point};

use super::camera::Camera;
use super::mesh::Pen;
use super::picture::{block, mix};
use super::scene::Scene;
use super::standing::Standing;

/// Size on the screen.
const SIZE: Vec2 = vec2(168.0, 104.0);
/// Space to the border of the canvas.
const MARGIN: f32 = 12.0;
/// Space inside.
const PAD: f32 = 9.0;
/// Canvases smaller than this have no room for it.
const VIEW_MIN: Vec2 = vec2(480.0, 320.0);
/// Beyond this many nodes, they are gathered into cells of two points.
const NODES_MAX: usize = 2_000;

/// The picture of the flow, kept until it changes.
#[derive(Default)]
pub struct Minimap {
    mesh: Arc<Mesh>,
    of: Option<(u64, u64, Rect, bool)>,
}

/// Where it lies, when the canvas has room for it.
pub fn place(view: Rect) -> Option<Rect> {
    let fits = view.width() >= VIEW_MIN.x && view.height() >= VIEW_MIN.y;
    fits.then(|| Rect::from_min_size(view.max - SIZE - Vec2::splat(MARGIN), SIZE))
}

impl Minimap {
    /// Draws it. A click or drag in it moves the camera.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        (view, camera): (Rect, &mut Camera),
        (scene, scene_generation): (&Scene, u64),
        standing: &Standing,
        theme: &Theme,
    ) -> Option<Response> {
        let rect = place(view)?;
        let bounds = scene.bounds.filter(|_| scene.nodes.len() > 1)?;
        let response = ui.interact(rect, ui.id().with("minimap"), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Other, true, "Minimap"));

        let room = rect.shrink(PAD);
        let scale = (f64::from(room.width()) / bounds.w.max(1.0))
            .min(f64::from(room.height()) / bounds.h.max(1.0));
        let shown = vec2((bounds.w * scale) as f32, (bounds.h * scale) as f32);
        let origin = room.center() - shown / 2.0;
        let to_map = |point: Point| {
            origin
                + vec2(
                    ((point.x - bounds.x) * scale) as f32,
                    ((point.y - bounds.y) * scale) as f32,
                )
        };
        if (response.dragged() || response.clicked() || response.is_pointer_button_down_on())
            && let Some(pos) = response.interact_pointer_pos()
        {
            let point = Point {
                x: bounds.x + f64::from(pos.x - origin.x) / scale,
                y: bounds.y + f64::from(pos.y - origin.y) / scale,
            };
            camera.center_on(view, point);
            ui.ctx().request_repaint();
        }

        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        painter.rect(
            rect,
            6.0,
            theme.panel,
            egui::Stroke::new(1.0, theme.line),
            egui::StrokeKind::Inside,
        );
        let key = (scene_generation, standing.generation, rect, theme.dark);
        if self.of != Some(key) {
            let mut mesh = Mesh::default();
            let mut pen = Pen {
                mesh: &mut mesh,
                pixel: 1.0,
            };
            if scene.nodes.len() <= NODES_MAX {
                for (at, node) in scene.rects.iter().enumerate() {
                    let min = to_map(node.corner());
                    let size = vec2((node.w * scale) as f32, (node.h * scale) as f32);
                    let size = size.max(vec2(2.0, 1.5));
                    let color = block(theme, standing.nodes[at]);
                    pen.round_rect(Rect::from_min_size(min, size), [size.y * 0.25; 4], color);
                }
            } else {
                cells(&mut pen, scene, standing, theme, room, &to_map);
            }
            self.mesh = Arc::new(mesh);
            self.of = Some(key);
        }
        painter.add(Shape::Mesh(self.mesh.clone()));

        let seen = camera.visible(view);
        let window = Rect::from_min_max(
            to_map(seen.corner()),
            to_map(Point {
                x: seen.x + seen.w,
                y: seen.y + seen.h,
            }),
        );
        let window = window.intersect(rect.shrink(3.0));
        if window.is_positive() {
            let line = egui::Stroke::new(1.0, theme.accent);
            painter.rect_stroke(window, 3.0, line, egui::StrokeKind::Inside);
        }
        Some(response)
    }
}

/// Cells of two points, each in the colour of the most telling status inside it.
fn cells(
    pen: &mut Pen<'_>,
    scene: &Scene,
    standing: &Standing,
    theme: &Theme,
    room: Rect,
    to_map: &dyn Fn(Point) -> egui::Pos2,
) {
    const CELL: f32 = 2.0;
    let n_x = (room.width() / CELL) as usize + 1;
    let n_y = (room.height() / CELL) as usize + 1;
    let mut best: Vec<u8> = vec![0; n_x * n_y];
    for (node, status) in scene.rects.iter().zip(&standing.nodes) {
        let pos = to_map(node.center());
        let x = (((pos.x - room.min.x) / CELL).max(0.0) as usize).min(n_x - 1);
        let y = (((pos.y - room.min.y) / CELL).max(0.0) as usize).min(n_y - 1);
        let cell = &mut best[y * n_x + x];
        *cell = (*cell).max(weight(*status));
    }
    let colors = WEIGHTED.map(|status| block(theme, status));
    for (at, &weight) in best.iter().enumerate() {
        if weight == 0 {
            continue;
        }
        let min = room.min + vec2((at % n_x) as f32, (at / n_x) as f32) * CELL;
        let color = mix(theme.panel, colors[weight as usize - 1], 0.9);
        pen.quad(
            Rect::from_min_max(min, pos2(min.x + CELL, min.y + CELL)),
            color,
        );
    }
}

/// What a person looks for first comes last.
const WEIGHTED: [Option<NodeStatus>; 10] = [
    None,
    Some(NodeStatus::Idle),
    Some(NodeStatus::Waiting),
    Some(NodeStatus::Skipped),
    Some(NodeStatus::Ran),
    Some(NodeStatus::Ready),
    Some(NodeStatus::Stopped),
    Some(NodeStatus::Interrupted),
    Some(NodeStatus::Running),
    Some(NodeStatus::Failed),
];

fn weight(status: Option<NodeStatus>) -> u8 {
    (1u8..)
        .zip(WEIGHTED)
        .find(|(_, other)| *other == status)
        .map_or(0, |(weight, _)| weight)
}
