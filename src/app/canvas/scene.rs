//! A flow as the canvas sees it: boxes and curves by place, hit tests, what is in view. Pure.
//!
//! Rebuilt when the document's revision changes, and at no other time: while nodes are dragged,
//! a [`Shift`] moves them on the screen and the scene stays as it is. Unaware of statuses, colours
//! and egui's input.

mod hit;
mod shift;
#[cfg(test)]
pub(super) mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use crate::app::theme::size;
use crate::model::{EdgeId, EdgeKind, Flow, Frame, FrameId, Node, NodeId, Rect};

use super::grid::{Grid, Scratch};
use super::route::Curve;

pub use hit::Hit;
pub use shift::Shift;

/// Lines of a command shown in its node.
pub const LINES_MAX: usize = 3;
/// Height of one line of a command, in canvas units.
pub const LINE_H: f64 = 16.0;
/// Height of a frame's title row, in canvas units.
pub const FRAME_TITLE_H: f64 = 28.0;
/// Workfiles may say anything; beyond this, positions lose their meaning.
const FAR: f64 = 1e9;

/// An edge between two places of [`Scene::nodes`].
#[derive(Clone, Debug)]
pub struct SceneEdge {
    /// Its name.
    pub id: EdgeId,
    /// How its target waits.
    pub kind: EdgeKind,
    /// Place of the node it starts at.
    pub source: u32,
    /// Place of the node it ends at.
    pub target: u32,
    /// Step aside from other edges of the same two nodes; 0 for a lone edge.
    pub lane: f64,
}

/// Places of what is in view, in drawing order.
#[derive(Clone, Debug, Default)]
pub struct Visible {
    /// Of [`Scene::nodes`].
    pub nodes: Vec<u32>,
    /// Of [`Scene::edges`].
    pub edges: Vec<u32>,
}

/// A flow by place.
#[derive(Debug, Default)]
pub struct Scene {
    /// Nodes, back to front.
    pub nodes: Vec<Arc<Node>>,
    /// Their boxes.
    pub rects: Vec<Rect>,
    /// Edges, back to front.
    pub edges: Vec<SceneEdge>,
    /// Frames, back to front.
    pub frames: Vec<Frame>,
    /// Round everything; `None` for an empty flow.
    pub bounds: Option<Rect>,
    edge_bounds: Vec<Rect>,
    node_at: HashMap<NodeId, u32>,
    node_grid: Grid,
    edge_grid: Grid,
    /// Edges of node `n` are `incident[incident_start[n]..incident_start[n + 1]]`.
    incident_start: Vec<u32>,
    incident: Vec<u32>,
}

/// The box of a node: its height follows its command.
pub fn node_rect(node: &Node) -> Rect {
    let n_lines = node.command.lines().take(LINES_MAX).count().max(1);
    let tame = |value: f64| {
        if value.is_finite() {
            value.clamp(-FAR, FAR)
        } else {
            0.0
        }
    };
    Rect {
        x: tame(node.pos.x),
        y: tame(node.pos.y),
        w: f64::from(size::NODE_W),
        h: f64::from(size::NODE_H_MIN) + LINE_H * (n_lines - 1) as f64,
    }
}

impl Scene {
    /// The scene of a flow.
    pub fn new(flow: &Flow) -> Self {
        let nodes: Vec<Arc<Node>> = flow.graph.shared_nodes().cloned().collect();
        let rects: Vec<Rect> = nodes.iter().map(|node| node_rect(node)).collect();
        let node_at: HashMap<NodeId, u32> = (0u32..)
            .zip(&nodes)
            .map(|(at, node)| (node.id.clone(), at))
            .collect();
        let mut edges: Vec<SceneEdge> = flow
            .graph
            .edges()
            .filter_map(|(source, target, edge)| {
                Some(SceneEdge {
                    id: edge.id.clone(),
                    kind: edge.kind,
                    source: *node_at.get(&source.id)?,
                    target: *node_at.get(&target.id)?,
                    lane: 0.0,
                })
            })
            .collect();
        assign_lanes(&mut edges);
        let (incident_start, incident) = incidence(nodes.len(), &edges);
        let mut scene = Self {
            node_grid: Grid::new(&rects),
            nodes,
            rects,
            edges,
            frames: flow.frames.clone(),
            node_at,
            incident_start,
            incident,
            ..Self::default()
        };
        scene.edge_bounds = (0..scene.edges.len() as u32)
            .map(|at| scene.curve(at, None).bounds())
            .collect();
        scene.edge_grid = Grid::new(&scene.edge_bounds);
        let frames = scene.frames.iter().map(|frame| frame.rect);
        scene.bounds = Rect::bounds(scene.rects.iter().copied().chain(frames));
        scene
    }

    /// Place of a node.
    pub fn node_at(&self, id: &NodeId) -> Option<u32> {
        self.node_at.get(id).copied()
    }

    /// The node at a place.
    pub fn node(&self, at: u32) -> &Arc<Node> {
        &self.nodes[at as usize]
    }

    /// The box of a node where it is shown.
    pub fn rect(&self, at: u32, shift: Option<&Shift>) -> Rect {
        let rect = self.rects[at as usize];
        match shift {
            Some(shift) if shift.moves(at) => rect.shifted(shift.by),
            _ => rect,
        }
    }

    /// The way of an edge where it is shown.
    pub fn curve(&self, at: u32, shift: Option<&Shift>) -> Curve {
        let edge = &self.edges[at as usize];
        let source = self.rect(edge.source, shift);
        if edge.source == edge.target {
            return Curve::around(source, edge.lane);
        }
        Curve::between(source, self.rect(edge.target, shift), edge.lane)
    }

    /// What touches `view`; moved nodes come last and so lie on top.
    pub fn visible(
        &self,
        view: Rect,
        shift: Option<&Shift>,
        scratch: &mut [Scratch; 2],
        out: &mut Visible,
    ) {
        let [node_scratch, edge_scratch] = scratch;
        self.node_grid
            .query(&self.rects, view, node_scratch, &mut out.nodes);
        self.edge_grid
            .query(&self.edge_bounds, view, edge_scratch, &mut out.edges);
        if let Some(shift) = shift {
            out.nodes.retain(|&at| !shift.moves(at));
            out.edges.retain(|&at| !shift.touches_edge(at));
            let shown = |at: &&u32| self.rects[**at as usize].shifted(shift.by).touches(&view);
            out.nodes.extend(shift.nodes.iter().filter(shown));
            let near = |at: &&u32| {
                let edge = &self.edges[**at as usize];
                // With both ends moved alike the curve only moves; no need to lay it again.
                let bounds = if shift.moves(edge.source) && shift.moves(edge.target) {
                    self.edge_bounds[**at as usize].shifted(shift.by)
                } else {
                    self.curve(**at, Some(shift)).bounds()
                };
                bounds.touches(&view)
            };
            out.edges.extend(shift.edges.iter().filter(near));
        }
    }

    /// Nodes that touch a box.
    pub fn nodes_touching(&self, area: Rect, scratch: &mut Scratch) -> Vec<NodeId> {
        let mut found = Vec::new();
        self.node_grid.query(&self.rects, area, scratch, &mut found);
        found
            .into_iter()
            .map(|at| self.node(at).id.clone())
            .collect()
    }

    /// Frames that lie in a box whole.
    pub fn frames_within(&self, area: Rect) -> Vec<FrameId> {
        self.frames
            .iter()
            .filter(|frame| area.encloses(&frame.rect))
            .map(|frame| frame.id.clone())
            .collect()
    }

    /// What a frame carries when it is moved: the nodes with their middle inside, and the frames
    /// that lie in it whole (itself among them).
    pub fn members(&self, id: &FrameId) -> (Vec<NodeId>, Vec<FrameId>) {
        let Some(frame) = self.frames.iter().find(|frame| frame.id == *id) else {
            return Default::default();
        };
        let nodes = self
            .nodes
            .iter()
            .zip(&self.rects)
            .filter(|(_, rect)| frame.rect.contains(rect.center()))
            .map(|(node, _)| node.id.clone())
            .collect();
        (nodes, self.frames_within(frame.rect))
    }

    /// The smallest box round some nodes and frames.
    pub fn bounds_of(&self, nodes: &[NodeId], frames: &[FrameId]) -> Option<Rect> {
        let of_nodes = nodes
            .iter()
            .filter_map(|id| Some(self.rects[self.node_at(id)? as usize]));
        let of_frames = self
            .frames
            .iter()
            .filter(|frame| frames.contains(&frame.id))
            .map(|frame| frame.rect);
        Rect::bounds(of_nodes.chain(of_frames))
    }
}

/// Gives edges that join the same two nodes steps aside from each other.
fn assign_lanes(edges: &mut [SceneEdge]) {
    let mut pairs: Vec<(u32, u32, u32)> = (0u32..)
        .zip(edges.iter())
        .map(|(at, edge)| {
            let (a, b) = (edge.source, edge.target);
            (a.min(b), a.max(b), at)
        })
        .collect();
    pairs.sort_unstable();
    for group in pairs.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let middle = (group.len() - 1) as f64 / 2.0;
        for (n, &(a, b, at)) in group.iter().enumerate() {
            let lane = if a == b { n as f64 } else { n as f64 - middle };
            edges[at as usize].lane = lane;
        }
    }
}

/// Edges of each node, one node's behind the other's, and where those of each begin.
fn incidence(n_nodes: usize, edges: &[SceneEdge]) -> (Vec<u32>, Vec<u32>) {
    let mut start = vec![0u32; n_nodes + 1];
    for edge in edges {
        start[edge.source as usize + 1] += 1;
        start[edge.target as usize + 1] += 1;
    }
    for at in 1..start.len() {
        start[at] += start[at - 1];
    }
    let mut next = start.clone();
    let mut incident = vec![0u32; edges.len() * 2];
    for (at, edge) in (0u32..).zip(edges) {
        for node in [edge.source, edge.target] {
            incident[next[node as usize] as usize] = at;
            next[node as usize] += 1;
        }
    }
    (start, incident)
}
