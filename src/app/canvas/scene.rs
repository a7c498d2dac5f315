//! A flow as the canvas sees it: boxes and curves by place, hit tests, what is in view. Pure.
//!
//! Rebuilt when the document's revision changes, and at no other time: while nodes are dragged,
//! a [`Shift`] moves them on the screen and the scene stays as it is. Unaware of statuses, colours
//! and egui's input.

use std::collections::HashMap;
use std::sync::Arc;

use crate::app::theme::size;
use crate::model::{EdgeId, EdgeKind, Flow, Frame, FrameId, Graph, Node, NodeId, Point, Rect};

use super::grid::{self, Grid, Scratch};
use super::route::Curve;

/// Lines of a command shown in its node.
pub const LINES_MAX: usize = 3;
/// Height of one line of a command, in canvas units.
pub const LINE_H: f64 = 16.0;
/// Height of a frame's title row, in canvas units.
pub const FRAME_TITLE_H: f64 = 28.0;
/// Side of the corner by which a frame is resized, in canvas units.
const FRAME_CORNER: f64 = 18.0;
/// Reach of a handle and of an edge, in screen points.
const REACH: f64 = 7.0;
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

/// Nodes that are shown moved, before the document says so.
#[derive(Clone, Debug, Default)]
pub struct Shift {
    /// How far.
    pub by: Point,
    moved: Vec<bool>,
    nodes: Vec<u32>,
    edges: Vec<u32>,
    edge_moved: Vec<bool>,
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

fn moved(rect: Rect, by: Point) -> Rect {
    Rect {
        x: rect.x + by.x,
        y: rect.y + by.y,
        ..rect
    }
}

fn inside(inner: Rect, outer: Rect) -> bool {
    inner.x >= outer.x
        && inner.y >= outer.y
        && inner.x + inner.w <= outer.x + outer.w
        && inner.y + inner.h <= outer.y + outer.h
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
        let mut incident_start = vec![0u32; nodes.len() + 1];
        for edge in &edges {
            incident_start[edge.source as usize + 1] += 1;
            incident_start[edge.target as usize + 1] += 1;
        }
        for at in 1..incident_start.len() {
            incident_start[at] += incident_start[at - 1];
        }
        let mut next = incident_start.clone();
        let mut incident = vec![0u32; edges.len() * 2];
        for (at, edge) in (0u32..).zip(&edges) {
            for node in [edge.source, edge.target] {
                incident[next[node as usize] as usize] = at;
                next[node as usize] += 1;
            }
        }
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
        let frames: Vec<Rect> = scene.frames.iter().map(|frame| frame.rect).collect();
        let round: Vec<Rect> = [grid::bounds(&scene.rects), grid::bounds(&frames)]
            .into_iter()
            .flatten()
            .collect();
        scene.bounds = grid::bounds(&round);
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
            Some(shift) if shift.moves(at) => moved(rect, shift.by),
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

    /// The edge nearest to a point, whatever lies over it, as far as `reach` canvas units away.
    pub fn edge_near(&self, point: Point, reach: f64) -> Option<EdgeId> {
        self.nearest_edge(point, reach, &mut Scratch::default())
    }

    fn nearest_edge(&self, point: Point, reach: f64, scratch: &mut Scratch) -> Option<EdgeId> {
        let near = Rect {
            x: point.x - reach,
            y: point.y - reach,
            w: 2.0 * reach,
            h: 2.0 * reach,
        };
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

    /// Nodes to be shown moved.
    pub fn shift(&self, ids: &[NodeId]) -> Shift {
        let mut shift = Shift {
            moved: vec![false; self.nodes.len()],
            edge_moved: vec![false; self.edges.len()],
            ..Shift::default()
        };
        for at in ids.iter().filter_map(|id| self.node_at(id)) {
            if !std::mem::replace(&mut shift.moved[at as usize], true) {
                shift.nodes.push(at);
            }
        }
        shift.nodes.sort_unstable();
        for &at in &shift.nodes {
            let (from, to) = (
                self.incident_start[at as usize] as usize,
                self.incident_start[at as usize + 1] as usize,
            );
            for &edge in &self.incident[from..to] {
                if !std::mem::replace(&mut shift.edge_moved[edge as usize], true) {
                    shift.edges.push(edge);
                }
            }
        }
        shift
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
            out.edges
                .retain(|&at| !shift.edge_moved.get(at as usize).is_some_and(|&m| m));
            let shown = |at: &&u32| grid::overlap(moved(self.rects[**at as usize], shift.by), view);
            out.nodes.extend(shift.nodes.iter().filter(shown));
            let near = |at: &&u32| {
                let edge = &self.edges[**at as usize];
                // With both ends moved alike the curve only moves; no need to lay it again.
                let bounds = if shift.moves(edge.source) && shift.moves(edge.target) {
                    moved(self.edge_bounds[**at as usize], shift.by)
                } else {
                    self.curve(**at, Some(shift)).bounds()
                };
                grid::overlap(bounds, view)
            };
            out.edges.extend(shift.edges.iter().filter(near));
        }
    }

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
        let here = Rect {
            x: point.x,
            y: point.y,
            w: 0.0,
            h: 0.0,
        };
        self.node_grid
            .query(&self.rects, here, &mut scratch[0], &mut found);
        if let Some(&at) = found.last() {
            return Hit::Node(self.node(at).id.clone());
        }
        if let Some(id) = self.nearest_edge(point, reach, &mut scratch[1]) {
            return Hit::Edge(id);
        }
        for frame in self.frames.iter().rev() {
            let rect = frame.rect;
            if !rect.contains(point) {
                continue;
            }
            let corner = FRAME_CORNER.min(rect.w / 2.0).min(rect.h / 2.0);
            if point.x >= rect.x + rect.w - corner && point.y >= rect.y + rect.h - corner {
                return Hit::FrameCorner(frame.id.clone());
            }
            // A note has no inside to draw nodes in: it is taken hold of anywhere.
            if point.y <= rect.y + FRAME_TITLE_H || !frame.text.is_empty() {
                return Hit::Frame(frame.id.clone());
            }
        }
        Hit::Canvas
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
            .filter(|frame| inside(frame.rect, area))
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
            .filter(|(_, rect)| {
                frame.rect.contains(Point {
                    x: rect.x + rect.w / 2.0,
                    y: rect.y + rect.h / 2.0,
                })
            })
            .map(|(node, _)| node.id.clone())
            .collect();
        (nodes, self.frames_within(frame.rect))
    }

    /// The smallest box round some nodes and frames.
    pub fn bounds_of(&self, nodes: &[NodeId], frames: &[FrameId]) -> Option<Rect> {
        let mut rects: Vec<Rect> = nodes
            .iter()
            .filter_map(|id| Some(self.rects[self.node_at(id)? as usize]))
            .collect();
        rects.extend(
            self.frames
                .iter()
                .filter(|frame| frames.contains(&frame.id))
                .map(|frame| frame.rect),
        );
        grid::bounds(&rects)
    }
}

impl Shift {
    /// True when the node at this place is among them.
    pub fn moves(&self, at: u32) -> bool {
        self.moved.get(at as usize).is_some_and(|&moved| moved)
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

/// Which way an arrow key walks from a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// To a target of its edges.
    Forth,
    /// To a source of its edges.
    Back,
    /// To the next node of the same source or target, upwards.
    Up,
    /// The same, downwards.
    Down,
}

/// The node that an arrow key leads to, along the edges; upwards and downwards among the nodes
/// that share a source or target with this one, else to the nearest node that lies that way.
pub fn walk(graph: &Graph, from: &NodeId, way: Walk) -> Option<NodeId> {
    let here = graph.node(from)?;
    let across = |node: &&Node| (node.pos.y - here.pos.y).abs();
    let nearest = |a: &&Node, b: &&Node| across(a).total_cmp(&across(b));
    match way {
        Walk::Forth => graph
            .outgoing(from)
            .map(|(node, _)| node)
            .filter(|node| node.id != *from)
            .min_by(nearest)
            .map(|node| node.id.clone()),
        Walk::Back => graph
            .incoming(from)
            .map(|(node, _)| node)
            .filter(|node| node.id != *from)
            .min_by(nearest)
            .map(|node| node.id.clone()),
        Walk::Up | Walk::Down => {
            let sign = if way == Walk::Up { -1.0 } else { 1.0 };
            let ahead = |node: &&Node| (node.pos.y - here.pos.y) * sign > 0.5;
            let siblings = graph
                .incoming(from)
                .flat_map(|(source, _)| {
                    let others = graph.outgoing(&source.id);
                    others.filter(|(node, _)| node.id != source.id)
                })
                .chain(graph.outgoing(from).flat_map(|(target, _)| {
                    let others = graph.incoming(&target.id);
                    others.filter(|(node, _)| node.id != target.id)
                }))
                .map(|(node, _)| node)
                .filter(ahead)
                .min_by(nearest);
            siblings
                .or_else(|| {
                    // Sideways counts thrice, so that the step goes up or down and not across.
                    let cost = |node: &Node| {
                        (node.pos.y - here.pos.y).abs() + 3.0 * (node.pos.x - here.pos.x).abs()
                    };
                    graph
                        .nodes()
                        .filter(ahead)
                        .min_by(|a, b| cost(a).total_cmp(&cost(b)))
                })
                .map(|node| node.id.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Edge, EdgeSpec};

    fn flow(nodes: &[(&str, f64, f64)], edges: &[(&str, &str)]) -> Flow {
        let mut flow = Flow::default();
        for &(id, x, y) in nodes {
            flow.graph
                .add_node(Node::new(id, "true", Point { x, y }))
                .expect("fresh id");
        }
        for &(source, target) in edges {
            let (source, target) = (NodeId::from(source), NodeId::from(target));
            let edge = Edge {
                id: flow.graph.free_edge_id(&source, &target),
                kind: EdgeKind::Blocking,
            };
            flow.graph
                .add_edge(EdgeSpec {
                    edge,
                    source,
                    target,
                })
                .expect("known ends");
        }
        flow
    }

    fn see(scene: &Scene, shift: Option<&Shift>) -> Visible {
        let view = Rect {
            x: 0.0,
            y: 0.0,
            w: 1_000.0,
            h: 600.0,
        };
        let mut out = Visible::default();
        scene.visible(view, shift, &mut Default::default(), &mut out);
        out
    }

    #[test]
    fn a_node_is_as_high_as_its_first_three_lines() {
        let height = |command: &str| node_rect(&Node::new("a", command, Point::default())).h;
        assert_eq!(height(""), 56.0);
        assert_eq!(height("one"), 56.0);
        assert_eq!(height("one\ntwo"), 72.0);
        assert_eq!(height("one\ntwo\nthree\nfour"), 88.0);
    }

    #[test]
    fn a_place_that_is_no_number_does_not_break_the_picture() {
        let scene = Scene::new(&flow(
            &[("a", f64::NAN, f64::INFINITY), ("b", 1e300, 0.0)],
            &[("a", "b")],
        ));
        assert_eq!(see(&scene, None).nodes, [0]);
    }

    #[test]
    fn an_edge_is_seen_though_both_its_ends_are_not() {
        let scene = Scene::new(&flow(
            &[("a", -900.0, 300.0), ("b", 2_000.0, 300.0)],
            &[("a", "b")],
        ));
        let seen = see(&scene, None);
        assert_eq!((seen.nodes.len(), seen.edges.len()), (0, 1));
    }

    #[test]
    fn moved_nodes_are_seen_where_they_are_shown_and_their_edges_follow() {
        let scene = Scene::new(&flow(
            &[
                ("a", 100.0, 100.0),
                ("b", 5_000.0, 100.0),
                ("c", 400.0, 100.0),
            ],
            &[("a", "b")],
        ));
        let mut shift = scene.shift(&["a".into(), "b".into()]);
        shift.by.x = -4_500.0;
        let seen = see(&scene, Some(&shift));
        assert_eq!(seen.nodes, [2, 1], "c stays, b came into view on top");
        assert_eq!(scene.curve(0, Some(&shift)).0[3].x, 497.0);
    }

    #[test]
    fn nodes_lie_over_edges_and_edges_over_frames() {
        let mut flow = flow(&[("a", 0.0, 0.0), ("b", 400.0, 0.0)], &[("a", "b")]);
        flow.frames.push(Frame {
            id: FrameId("f".into()),
            rect: Rect {
                x: -50.0,
                y: -50.0,
                w: 800.0,
                h: 300.0,
            },
            title: "All".into(),
            text: String::new(),
        });
        let scene = Scene::new(&flow);
        let hit = |x, y| {
            let node = "a".into();
            scene.hit(Point { x, y }, 1.0, Some(&node), &mut Default::default())
        };
        assert_eq!(hit(20.0, 20.0), Hit::Node("a".into()));
        assert_eq!(hit(203.0, 28.0), Hit::Handle("a".into()));
        assert_eq!(hit(300.0, 30.0), Hit::Edge("a->b".into()));
        assert_eq!(hit(300.0, -40.0), Hit::Frame(FrameId("f".into())));
        assert_eq!(hit(745.0, 245.0), Hit::FrameCorner(FrameId("f".into())));
        assert_eq!(hit(300.0, 150.0), Hit::Canvas);
        assert_eq!(hit(-300.0, 150.0), Hit::Canvas);
        assert_eq!(scene.members(&FrameId("f".into())).0.len(), 2);
    }

    #[test]
    fn arrows_walk_along_edges_and_among_siblings() {
        let graph = flow(
            &[
                ("a", 0.0, 100.0),
                ("up", 300.0, 0.0),
                ("mid", 300.0, 90.0),
                ("low", 300.0, 200.0),
                ("far", 310.0, 210.0),
            ],
            &[("a", "up"), ("a", "mid"), ("a", "low"), ("a", "a")],
        )
        .graph;
        let go = |from: &str, way| walk(&graph, &from.into(), way);
        assert_eq!(go("a", Walk::Forth), Some("mid".into()));
        assert_eq!(go("low", Walk::Back), Some("a".into()));
        assert_eq!(go("mid", Walk::Up), Some("up".into()));
        assert_eq!(go("mid", Walk::Down), Some("low".into()));
        assert_eq!(go("low", Walk::Down), Some("far".into()));
        assert_eq!(go("up", Walk::Up), None);
        assert_eq!(go("a", Walk::Back), None);
        assert_eq!(go("gone", Walk::Forth), None);
    }
}
