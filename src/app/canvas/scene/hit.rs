//! What lies under a point.

use super::{FRAME_TITLE_H, Scene};
use crate::app::canvas::grid::Scratch;
use crate::model::{EdgeId, Frame, FrameId, NodeId, Point, Rect};

/// Reach of a handle and of an edge, in screen points.
const REACH: f64 = 7.0;
/// Side of the corner by which a frame is resized, in canvas units.
const FRAME_CORNER: f64 = 18.0;

/// What lies under a point.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Hit {
    /// Nothing.
    #[default]
    Canvas,
    /// A node.
    Node(NodeId),
    /// The handle at the right side of a node.
    Handle(NodeId),
    /// An edge.
    Edge(EdgeId),
    /// A frame by its title, or a note.
    Frame(FrameId),
    /// The corner by which a frame is resized.
    FrameCorner(FrameId),
}

impl Scene {
    /// What lies under a point. Nodes lie over edges, edges over frames. `handle_of` is the node
    /// whose handle is shown.
    pub fn hit(
        &self,
        point: Point,
        zoom: f32,
        handle_of: Option<&NodeId>,
        scratch: &mut [Scratch; 2],
    ) -> Hit {
        let zoom = f64::from(zoom);
        if let Some(id) = handle_of
            && let Some(at) = self.node_at(id)
        {
            let rect = self.rect(at, None);
            let (dx, dy) = (point.x - rect.x - rect.w, point.y - rect.y - rect.h / 2.0);
            if dx.hypot(dy) * zoom <= REACH + 1.0 {
                return Hit::Handle(id.clone());
            }
        }
        let reach = REACH / zoom;
        let mut found = Vec::new();
        let here = Rect::around(point, 0.0);
        self.node_grid
            .query(&self.rects, here, &mut scratch[0], &mut found);
        if let Some(&at) = found.last() {
            return Hit::Node(self.node(at).id.clone());
        }
        if let Some(id) = self.nearest_edge(point, reach, &mut scratch[1]) {
            return Hit::Edge(id);
        }
        let mut frames = self.frames.iter().rev();
        frames
            .find_map(|frame| frame_hit(frame, point))
            .unwrap_or_default()
    }

    /// The edge nearest to a point, whatever lies over it, as far as `reach` canvas units away.
    pub fn edge_near(&self, point: Point, reach: f64) -> Option<EdgeId> {
        self.nearest_edge(point, reach, &mut Scratch::default())
    }

    fn nearest_edge(&self, point: Point, reach: f64, scratch: &mut Scratch) -> Option<EdgeId> {
        let near = Rect::around(point, reach);
        let mut found = Vec::new();
        self.edge_grid
            .query(&self.edge_bounds, near, scratch, &mut found);
        let nearest = found
            .iter()
            .map(|&at| (self.curve(at, None).distance(point), at))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let (_, at) = nearest.filter(|(distance, _)| *distance <= reach)?;
        Some(self.edges[at as usize].id.clone())
    }
}

/// What of a frame lies under a point: its inside is canvas.
fn frame_hit(frame: &Frame, point: Point) -> Option<Hit> {
    let rect = frame.rect;
    if !rect.contains(point) {
        return None;
    }
    let corner = FRAME_CORNER.min(rect.w / 2.0).min(rect.h / 2.0);
    if point.x >= rect.x + rect.w - corner && point.y >= rect.y + rect.h - corner {
        return Some(Hit::FrameCorner(frame.id.clone()));
    }
    // A note has no inside to draw nodes in: it is taken hold of anywhere.
    let holds = point.y <= rect.y + FRAME_TITLE_H || !frame.text.is_empty();
    holds.then(|| Hit::Frame(frame.id.clone()))
}
