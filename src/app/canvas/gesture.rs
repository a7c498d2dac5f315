//! What the hand does: presses, moves and releases become pans, drags, edges and clicks. Pure.
//!
//! Unaware of egui's widgets, of painting and of keys other than the modifiers held. The document
//! is not touched while a gesture lasts: what it will change is told once, at its end, as one edit.

use egui::{Modifiers, PointerButton, Pos2, Vec2};

use crate::app::theme::size;
use crate::app::{Action, Selection};
use crate::model::{
    Edge, EdgeId, EdgeKind, EdgeSpec, Edit, Flow, FlowField, Frame, FrameId, NodeId, Point, Rect,
};

use super::grid::Scratch;
use super::paint::GRID;
use super::scene::{Hit, Scene};

/// Screen points the pointer may stray in a click.
const CLICK_SLOP: f32 = 5.0;
/// Least width and height of a frame, in canvas units.
const FRAME_MIN: f64 = 80.0;

/// The pointer at one moment.
#[derive(Clone, Debug)]
pub struct Signal {
    /// On the screen.
    pub at: Pos2,
    /// On the canvas.
    pub world: Point,
    /// Held keys.
    pub mods: Modifiers,
    /// What lies under it.
    pub hit: Hit,
}

/// What gestures are judged against.
pub struct Surroundings<'a> {
    /// The document.
    pub flow: &'a Flow,
    /// Its boxes.
    pub scene: &'a Scene,
    /// What is selected.
    pub selection: &'a Selection,
}

/// What a gesture asks for.
#[derive(Clone, Debug)]
pub enum Wish {
    /// Something beyond the canvas.
    Act(Action),
    /// The menu of what lies there, or the palette when nothing does.
    Menu(Hit, Pos2),
    /// Type the title of a frame, or the text of a note.
    EditFrame(FrameId),
}

/// What the hand is doing.
#[derive(Clone, Debug, Default)]
pub enum Gesture {
    /// Nothing.
    #[default]
    Idle,
    /// A button is down and the pointer has not moved enough to tell a drag from a click.
    Pressed {
        /// Which button.
        button: PointerButton,
        /// The space bar was held.
        space: bool,
        /// Where it went down.
        start: Signal,
    },
    /// The picture follows the pointer.
    Pan {
        /// Button that holds it.
        button: PointerButton,
        /// Pointer at the last move.
        last: Pos2,
    },
    /// A box is drawn round what is to be selected.
    BoxSelect {
        /// Corner it began at.
        from: Point,
        /// Corner under the pointer.
        to: Point,
        /// What was selected before stays selected.
        add: bool,
    },
    /// Nodes and frames follow the pointer. Frames bring what they hold.
    Drag {
        /// Nodes shown moved.
        nodes: Vec<NodeId>,
        /// Frames shown moved.
        frames: Vec<FrameId>,
        /// Where the hand took hold.
        from: Point,
        /// How far, in whole canvas units.
        by: Point,
        /// The edge that the one node would be set into.
        onto: Option<EdgeId>,
    },
    /// An edge is drawn from a node to the pointer.
    DrawEdge {
        /// Button that holds it.
        button: PointerButton,
        /// Its source.
        from: NodeId,
        /// Its kind, by the keys held.
        kind: EdgeKind,
        /// The pointer.
        to: Point,
        /// The node it would end at.
        over: Option<NodeId>,
        /// The pointer has left the source; only then does coming back mean a loop.
        away: bool,
    },
    /// The corner of a frame follows the pointer.
    ResizeFrame {
        /// Which frame.
        frame: FrameId,
        /// Where the hand took hold.
        from: Point,
        /// How far, in whole canvas units.
        by: Point,
    },
}

fn kind_of(mods: Modifiers) -> EdgeKind {
    if mods.command && mods.shift {
        EdgeKind::NonBlocking
    } else {
        EdgeKind::Blocking
    }
}

fn whole(from: Point, to: Point) -> Point {
    Point {
        x: (to.x - from.x).round(),
        y: (to.y - from.y).round(),
    }
}

/// As far as `by`, but so that the first thing that moves comes to stand on the grid.
fn snapped(by: Point, flow: &Flow, nodes: &[NodeId], frames: &[FrameId]) -> Point {
    let node = nodes.first().and_then(|id| flow.graph.node(id));
    let frame = || flow.frames.iter().find(|frame| frames.contains(&frame.id));
    let corner = match node {
        Some(node) => Some(node.pos),
        None => frame().map(|frame| Point {
            x: frame.rect.x,
            y: frame.rect.y,
        }),
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
fn edge_for(node: &NodeId, by: Point, around: &Surroundings<'_>) -> Option<EdgeId> {
    let graph = &around.flow.graph;
    let is_bare = graph.outgoing(node).next().is_none() && graph.incoming(node).next().is_none();
    if !is_bare {
        return None;
    }
    let rect = around.scene.rect(around.scene.node_at(node)?, None);
    let middle = Point {
        x: rect.x + rect.w / 2.0 + by.x,
        y: rect.y + rect.h / 2.0 + by.y,
    };
    around.scene.edge_near(middle, rect.h / 3.0)
}

/// The edits that set a node into an edge: what was one edge are two of its kind.
pub fn set_between(flow: &Flow, node: &NodeId, edge: &EdgeId) -> Option<[Edit; 2]> {
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

/// The rectangle between two corners.
pub fn between(a: Point, b: Point) -> Rect {
    Rect {
        x: a.x.min(b.x),
        y: a.y.min(b.y),
        w: (a.x - b.x).abs(),
        h: (a.y - b.y).abs(),
    }
}

impl Gesture {
    /// True when nothing is held.
    pub fn is_idle(&self) -> bool {
        matches!(self, Self::Idle)
    }

    /// True when the pointer near the border should move the picture along.
    pub fn wants_auto_pan(&self) -> bool {
        matches!(
            self,
            Self::BoxSelect { .. }
                | Self::Drag { .. }
                | Self::DrawEdge { .. }
                | Self::ResizeFrame { .. }
        )
    }

    /// A button goes down. A second button during a gesture is not heard.
    pub fn press(&mut self, button: PointerButton, space: bool, signal: Signal) {
        if self.is_idle() {
            *self = Self::Pressed {
                button,
                space,
                start: signal,
            };
        }
    }

    /// Ends the gesture without any effect; false when there was none.
    pub fn cancel(&mut self) -> bool {
        let held = !self.is_idle();
        *self = Self::Idle;
        held
    }

    /// The pointer moves. Gives back how far the picture is to be panned, in screen points.
    pub fn moved(
        &mut self,
        signal: &Signal,
        around: &Surroundings<'_>,
        wishes: &mut Vec<Wish>,
    ) -> Vec2 {
        if let Self::Pressed {
            button,
            space,
            start,
        } = self
        {
            if start.at.distance(signal.at) < CLICK_SLOP {
                return Vec2::ZERO;
            }
            *self = begin(*button, *space, start, around, wishes);
        }
        match self {
            Self::Pan { last, .. } => {
                let by = signal.at - *last;
                *last = signal.at;
                return by;
            }
            Self::BoxSelect { to, add, .. } => {
                *to = signal.world;
                *add = signal.mods.command;
            }
            Self::Drag {
                nodes,
                frames,
                from,
                by,
                onto,
            } => {
                *by = whole(*from, signal.world);
                if signal.mods.command {
                    *by = snapped(*by, around.flow, nodes, frames);
                }
                *onto = match (nodes.as_slice(), frames.as_slice()) {
                    ([one], []) => edge_for(one, *by, around),
                    _ => None,
                };
            }
            Self::ResizeFrame { from, by, .. } => *by = whole(*from, signal.world),
            Self::DrawEdge {
                from,
                kind,
                to,
                over,
                away,
                ..
            } => {
                *to = signal.world;
                *kind = kind_of(signal.mods);
                *over = match &signal.hit {
                    Hit::Node(id) | Hit::Handle(id) => Some(id.clone()),
                    _ => None,
                };
                *away |= over.as_ref() != Some(from);
            }
            Self::Idle | Self::Pressed { .. } => {}
        }
        Vec2::ZERO
    }

    /// A button comes up; `double` when it ends a double click.
    pub fn release(
        &mut self,
        button: PointerButton,
        double: bool,
        signal: &Signal,
        around: &Surroundings<'_>,
        wishes: &mut Vec<Wish>,
    ) {
        let holder = match self {
            Self::Idle => return,
            Self::Pressed { button, .. }
            | Self::Pan { button, .. }
            | Self::DrawEdge { button, .. } => *button,
            _ => PointerButton::Primary,
        };
        if holder != button {
            return;
        }
        // The last move and the release may come in one frame.
        let _pan = self.moved(signal, around, wishes);
        match std::mem::take(self) {
            Self::Pressed { space: true, .. } | Self::Idle | Self::Pan { .. } => {}
            Self::Pressed { start, .. } => click(button, double, &start, around, wishes),
            Self::BoxSelect { from, to, add } => {
                let area = between(from, to);
                let mut selection = if add {
                    around.selection.clone()
                } else {
                    Selection::default()
                };
                for id in around.scene.nodes_touching(area, &mut Scratch::default()) {
                    selection.add_node(id);
                }
                for id in around.scene.frames_within(area) {
                    selection.add_frame(id);
                }
                wishes.push(Wish::Act(selection.into_action()));
            }
            Self::Drag {
                nodes,
                frames,
                by,
                onto,
                ..
            } => {
                let between = onto.and_then(|edge| set_between(around.flow, nodes.first()?, &edge));
                let edits = moved_by(around.flow, &nodes, &frames, by).into_iter();
                let mut edits: Vec<Edit> = edits.chain(between.into_iter().flatten()).collect();
                let edit = match edits.len() {
                    0 | 1 => edits.pop(),
                    _ => Some(Edit::Batch(edits)),
                };
                wishes.extend(edit.map(|edit| Wish::Act(Action::Edit(edit))));
            }
            Self::DrawEdge {
                from,
                kind,
                to,
                over,
                away,
                ..
            } => match over {
                Some(target) => {
                    // A blocking loop could never run; a non-blocking one is a poll.
                    let is_loop = target == from;
                    if is_loop && !(away && kind == EdgeKind::NonBlocking) {
                        return;
                    }
                    if let Some(edit) = connect(around.flow, &from, &target, kind) {
                        wishes.push(Wish::Act(Action::Edit(edit)));
                    }
                }
                None if around.flow.graph.contains(&from) => {
                    wishes.push(Wish::Act(Action::NewNodeAt {
                        pos: Point {
                            x: to.x.round(),
                            y: (to.y - f64::from(size::NODE_H_MIN) / 2.0).round(),
                        },
                        from: Some((from, kind)),
                    }));
                }
                None => {}
            },
            Self::ResizeFrame { frame, by, .. } => {
                let mut frames = around.flow.frames.clone();
                if by != Point::default()
                    && let Some(frame) = frames.iter_mut().find(|f| f.id == frame)
                {
                    frame.rect = resized(frame.rect, by);
                    wishes.push(Wish::Act(Action::Edit(Edit::SetFlow(FlowField::Frames(
                        frames,
                    )))));
                }
            }
        }
    }
}

/// What a press becomes once the pointer moves.
fn begin(
    button: PointerButton,
    space: bool,
    start: &Signal,
    around: &Surroundings<'_>,
    wishes: &mut Vec<Wish>,
) -> Gesture {
    let pan = Gesture::Pan {
        button,
        last: start.at,
    };
    let draw = |from: &NodeId| Gesture::DrawEdge {
        button,
        from: from.clone(),
        kind: kind_of(start.mods),
        to: start.world,
        over: None,
        away: false,
    };
    if space {
        return pan;
    }
    match (button, &start.hit) {
        (PointerButton::Secondary, Hit::Node(id) | Hit::Handle(id))
        | (PointerButton::Primary, Hit::Handle(id)) => draw(id),
        (PointerButton::Primary, Hit::Node(id)) => {
            let mut selection = around.selection.clone();
            if !selection.has_node(id) {
                if !(start.mods.shift || start.mods.command) {
                    selection.clear();
                }
                selection.add_node(id.clone());
                wishes.push(Wish::Act(selection.clone().into_action()));
            }
            drag(selection, start.world, around.scene)
        }
        (PointerButton::Primary, Hit::Frame(id)) => {
            let mut selection = around.selection.clone();
            if !selection.has_frame(id) {
                selection = Selection::of(vec![], vec![], vec![id.clone()]);
                wishes.push(Wish::Act(selection.clone().into_action()));
            }
            drag(selection, start.world, around.scene)
        }
        (PointerButton::Primary, Hit::FrameCorner(id)) => Gesture::ResizeFrame {
            frame: id.clone(),
            from: start.world,
            by: Point::default(),
        },
        (PointerButton::Primary, Hit::Canvas | Hit::Edge(_)) if start.mods.shift => {
            Gesture::BoxSelect {
                from: start.world,
                to: start.world,
                add: start.mods.command,
            }
        }
        _ => pan,
    }
}

fn drag(selection: Selection, from: Point, scene: &Scene) -> Gesture {
    let mut carried = selection.clone();
    for id in selection.frames() {
        let (nodes, frames) = scene.members(id);
        for id in nodes {
            carried.add_node(id);
        }
        for id in frames {
            carried.add_frame(id);
        }
    }
    Gesture::Drag {
        nodes: carried.nodes().to_vec(),
        frames: carried.frames().to_vec(),
        from,
        by: Point::default(),
        onto: None,
    }
}

fn click(
    button: PointerButton,
    double: bool,
    start: &Signal,
    around: &Surroundings<'_>,
    wishes: &mut Vec<Wish>,
) {
    let more = start.mods.shift || start.mods.command;
    let mut selection = around.selection.clone();
    if button == PointerButton::Secondary {
        let fresh = match &start.hit {
            Hit::Node(id) | Hit::Handle(id) if !selection.has_node(id) => {
                Some(Selection::of_node(id.clone()))
            }
            Hit::Edge(id) if !selection.has_edge(id) => {
                Some(Selection::of(vec![], vec![id.clone()], vec![]))
            }
            Hit::Frame(id) | Hit::FrameCorner(id) if !selection.has_frame(id) => {
                Some(Selection::of(vec![], vec![], vec![id.clone()]))
            }
            _ => None,
        };
        if let Some(fresh) = fresh {
            wishes.push(Wish::Act(fresh.into_action()));
        }
        wishes.push(Wish::Menu(start.hit.clone(), start.at));
        return;
    }
    if button != PointerButton::Primary {
        return;
    }
    match &start.hit {
        Hit::Node(id) | Hit::Handle(id) => {
            if double && !more {
                wishes.push(Wish::Act(Action::BeginEdit(id.clone())));
                return;
            }
            if more {
                selection.toggle_node(id.clone());
            } else {
                selection = Selection::of_node(id.clone());
            }
        }
        Hit::Edge(id) => {
            if more {
                selection.toggle_edge(id.clone());
            } else {
                selection = Selection::of(vec![], vec![id.clone()], vec![]);
            }
        }
        Hit::Frame(id) | Hit::FrameCorner(id) => {
            if double && !more {
                wishes.push(Wish::EditFrame(id.clone()));
                return;
            }
            if more {
                selection.toggle_frame(id.clone());
            } else {
                selection = Selection::of(vec![], vec![], vec![id.clone()]);
            }
        }
        Hit::Canvas if double && !more => {
            wishes.push(Wish::Act(Action::NewNodeAt {
                pos: centred(start.world),
                from: None,
            }));
            return;
        }
        Hit::Canvas if !more => selection.clear(),
        Hit::Canvas => {}
    }
    if selection != *around.selection {
        wishes.push(Wish::Act(selection.into_action()));
    }
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
pub fn connect(flow: &Flow, source: &NodeId, target: &NodeId, kind: EdgeKind) -> Option<Edit> {
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

/// The one edit that moves nodes and frames; none when nothing moves.
pub fn moved_by(flow: &Flow, nodes: &[NodeId], frames: &[FrameId], by: Point) -> Option<Edit> {
    if by == Point::default() {
        return None;
    }
    let moves: Vec<(NodeId, Point)> = nodes
        .iter()
        .filter_map(|id| flow.graph.node(id))
        .map(|node| {
            let to = Point {
                x: node.pos.x + by.x,
                y: node.pos.y + by.y,
            };
            (node.id.clone(), to)
        })
        .collect();
    let any_frame = flow.frames.iter().any(|frame| frames.contains(&frame.id));
    let moved_frames = || -> Vec<Frame> {
        flow.frames
            .iter()
            .cloned()
            .map(|mut frame| {
                if frames.contains(&frame.id) {
                    frame.rect.x += by.x;
                    frame.rect.y += by.y;
                }
                frame
            })
            .collect()
    };
    match (moves.is_empty(), any_frame) {
        (true, false) => None,
        (false, false) => Some(Edit::Move(moves)),
        (true, true) => Some(Edit::SetFlow(FlowField::Frames(moved_frames()))),
        (false, true) => Some(Edit::Batch(vec![
            Edit::Move(moves),
            Edit::SetFlow(FlowField::Frames(moved_frames())),
        ])),
    }
}

#[cfg(test)]
#[path = "gesture_tests.rs"]
mod tests;
