//! What the hand does: presses, moves and releases become pans, drags, edges and clicks. Pure.
//!
//! Unaware of egui's widgets, of painting and of keys other than the modifiers held. The document
//! is not touched while a gesture lasts: what it will change is told once, at its end, as one edit.

mod click;
mod edits;
#[cfg(test)]
mod tests;

use egui::{Modifiers, PointerButton, Pos2, Vec2};

use crate::app::theme::size;
use crate::app::{Action, Selection};
use crate::model::{EdgeId, EdgeKind, Flow, FrameId, NodeId, Point, Rect};

use super::grid::Scratch;
use super::scene::{Hit, Scene};

pub use edits::{centred, resized};

/// Screen points the pointer may stray in a click.
const CLICK_SLOP: f32 = 5.0;

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
                    *by = edits::snapped(*by, around.flow, nodes, frames);
                }
                *onto = match (nodes.as_slice(), frames.as_slice()) {
                    ([one], []) => edits::edge_for(one, *by, around),
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
            Self::Pressed { start, .. } => click::click(button, double, &start, around, wishes),
            Self::BoxSelect { from, to, add } => {
                let selection = boxed(Rect::between(from, to), add, around);
                wishes.push(Wish::Act(selection.into_action()));
            }
            Self::Drag {
                nodes,
                frames,
                by,
                onto,
                ..
            } => {
                let edit = edits::dropped(around.flow, &nodes, &frames, by, onto.as_ref());
                wishes.extend(edit.map(|edit| Wish::Act(Action::Edit(edit))));
            }
            Self::DrawEdge {
                from,
                kind,
                to,
                over: None,
                ..
            } => {
                if around.flow.graph.contains(&from) {
                    let pos = Point {
                        x: to.x.round(),
                        y: (to.y - f64::from(size::NODE_H_MIN) / 2.0).round(),
                    };
                    let from = Some((from, kind));
                    wishes.push(Wish::Act(Action::NewNodeAt { pos, from }));
                }
            }
            Self::DrawEdge {
                from,
                kind,
                over: Some(target),
                away,
                ..
            } => {
                // A blocking loop could never run; a non-blocking one is a poll.
                let means_loop = away && kind == EdgeKind::NonBlocking;
                if target != from || means_loop {
                    let edit = edits::connect(around.flow, &from, &target, kind);
                    wishes.extend(edit.map(|edit| Wish::Act(Action::Edit(edit))));
                }
            }
            Self::ResizeFrame { frame, by, .. } => {
                let edit = edits::resize(around.flow, &frame, by);
                wishes.extend(edit.map(|edit| Wish::Act(Action::Edit(edit))));
            }
        }
    }
}

/// What is selected by a box.
fn boxed(area: Rect, add: bool, around: &Surroundings<'_>) -> Selection {
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
    selection
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
