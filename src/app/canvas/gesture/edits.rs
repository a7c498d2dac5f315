//! What a gesture changes, as edits of the document. Each looks at the flow and changes nothing.

use std::collections::HashSet;

use super::Surroundings;
use crate::app::canvas::picture::GRID;
use crate::app::theme::size;
use crate::model::{
    Edge, EdgeId, EdgeKind, EdgeSpec, Edit, Flow, FlowField, FrameId, NodeId, Point, Rect,
};

/// Least width and height of a frame, in canvas units.
const FRAME_MIN: f64 = 80.0;

/// As far as `by`, but so that the first thing that moves comes to stand on the grid.
pub(super) fn snapped(by: Point, flow: &Flow, nodes: &[NodeId], frames: &[FrameId]) -> Point {
    let node = nodes.first().and_then(|id| flow.graph.node(id));
    let frame = || flow.frames.iter().find(|frame| frames.contains(&frame.id));
    let corner = match node {
        Some(node) => Some(node.pos),
        None => frame().map(|frame| frame.rect.corner()),
    };
    let Some(corner) = corner else {
        return by;
    };
    let onto_grid = |corner: f64, by: f64| ((corner + by) / GRID).round() * GRID - corner;
    Point {
        x: onto_grid(corner.x, by.x),
        y: onto_grid(corner.y, by.y),
    }
}

/// The edge under the middle of a node that is dragged: only a node without edges of its own is set
/// into one, so that tidying up a flow never changes what it does.
pub(super) fn edge_for(node: &NodeId, by: Point, around: &Surroundings<'_>) -> Option<EdgeId> {
    let graph = &around.flow.graph;
    let is_bare = graph.outgoing(node).next().is_none() && graph.incoming(node).next().is_none();
    if !is_bare {
        return None;
    }
    let rect = around.scene.rect(around.scene.node_at(node)?, None);
    let middle = rect.center().plus(by);
    around.scene.edge_near(middle, rect.h / 3.0)
}

/// The edits that set a node into an edge: what was one edge are two of its kind.
fn set_between(flow: &Flow, node: &NodeId, edge: &EdgeId) -> Option<[Edit; 2]> {
    let graph = &flow.graph;
    let (source, target, was) = graph.edge(edge)?;
    let half = |source: &NodeId, target: &NodeId| EdgeSpec {
        edge: Edge {
            id: graph.free_edge_id(source, target),
            kind: was.kind,
        },
        source: source.clone(),
        target: target.clone(),
    };
    let remove = Edit::Remove {
        nodes: Vec::new(),
        edges: vec![edge.clone()],
    };
    let add = Edit::Add {
        nodes: Vec::new(),
        edges: vec![half(&source.id, node), half(node, &target.id)],
    };
    Some([remove, add])
}

/// The place of a new node whose middle is to be at `point`.
pub fn centred(point: Point) -> Point {
    Point {
        x: (point.x - f64::from(size::NODE_W) / 2.0).round(),
        y: (point.y - f64::from(size::NODE_H_MIN) / 2.0).round(),
    }
}

/// A frame's rectangle with its lower right corner moved.
pub fn resized(rect: Rect, by: Point) -> Rect {
    Rect {
        w: (rect.w + by.x).max(FRAME_MIN),
        h: (rect.h + by.y).max(FRAME_MIN),
        ..rect
    }
}

/// The edit that adds an edge; none when the same edge is there already or an end is gone.
pub(super) fn connect(
    flow: &Flow,
    source: &NodeId,
    target: &NodeId,
    kind: EdgeKind,
) -> Option<Edit> {
    let graph = &flow.graph;
    let there = graph
        .outgoing(source)
        .any(|(node, edge)| node.id == *target && edge.kind == kind);
    if there || !graph.contains(source) || !graph.contains(target) {
        return None;
    }
    Some(Edit::Add {
        nodes: Vec::new(),
        edges: vec![EdgeSpec {
            edge: Edge {
                id: graph.free_edge_id(source, target),
                kind,
            },
            source: source.clone(),
            target: target.clone(),
        }],
    })
}

/// The one edit that a drag ends in: nodes and frames moved, and the one node set into the edge
/// `onto`; none when nothing changes.
pub(super) fn dropped(
    flow: &Flow,
    nodes: &[NodeId],
    frames: &[FrameId],
    by: Point,
    onto: Option<&EdgeId>,
) -> Option<Edit> {
    let between = onto.and_then(|edge| set_between(flow, nodes.first()?, edge));
    let mut edits = moved_by(flow, nodes, frames, by);
    edits.extend(between.into_iter().flatten());
    match edits.len() {
        0 | 1 => edits.pop(),
        _ => Some(Edit::Batch(edits)),
    }
}

fn moved_by(flow: &Flow, nodes: &[NodeId], frames: &[FrameId], by: Point) -> Vec<Edit> {
    let mut edits = Vec::new();
    if by == Point::default() {
        return edits;
    }
    let there = nodes.iter().filter_map(|id| flow.graph.node(id));
    let moves: Vec<(NodeId, Point)> = there
        .map(|node| (node.id.clone(), node.pos.plus(by)))
        .collect();
    if !moves.is_empty() {
        edits.push(Edit::Move(moves));
    }
    let moved: HashSet<&FrameId> = frames.iter().collect();
    if flow.frames.iter().any(|frame| moved.contains(&frame.id)) {
        let mut frames = flow.frames.clone();
        for frame in frames.iter_mut().filter(|f| moved.contains(&f.id)) {
            frame.rect = frame.rect.shifted(by);
        }
        edits.push(Edit::SetFlow(FlowField::Frames(frames)));
    }
    edits
}

/// The edit that resizes a frame; none when it stays as it is.
pub(super) fn resize(flow: &Flow, id: &FrameId, by: Point) -> Option<Edit> {
    let mut frames = flow.frames.clone();
    let frame = frames.iter_mut().find(|frame| frame.id == *id)?;
    if by == Point::default() {
        return None;
    }
    frame.rect = resized(frame.rect, by);
    Some(Edit::SetFlow(FlowField::Frames(frames)))
}
