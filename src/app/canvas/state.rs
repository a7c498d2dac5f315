//! What one canvas remembers between frames, and what the shell may ask of it.

use egui::{Context, Pos2, Rect};

use crate::app::{Selection, Verb};
use crate::model::{Edit, Flow, NodeId, Point};
use crate::runtime::FlowBoard;

use super::camera::Camera;
use super::far::Far;
use super::finder::Finder;
use super::gesture::{Gesture, centred};
use super::grid::Scratch;
use super::inline_edit::{InlineEdit, Target};
use super::menu::Menu;
use super::minimap::Minimap;
use super::poster::Poster;
use super::scene::{Hit, Shift, Visible};
use super::seen::Seen;
use super::stage::Stage;
use super::text::Texts;
use super::view::CanvasInput;

/// One step of the zoom keys.
const ZOOM_STEP: f32 = 1.25;

/// Something asked for between frames; carried out when the size of the view is known.
#[derive(Clone, Debug)]
enum Request {
    Zoom(f32),
    ZoomTo(f32),
    FrameAll,
    FrameSelection,
    Reveal(NodeId),
    BeginEdit(NodeId),
    Finder,
}

/// What was fitted to the view.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fit {
    /// The first look at the flow.
    First,
    /// All of it.
    All,
}

/// What one canvas remembers between frames: one per open tab.
#[derive(Default)]
pub struct CanvasState {
    pub(super) camera: Camera,
    pub(super) gesture: Gesture,
    pub(super) hover: Hit,
    pub(super) editor: Option<InlineEdit>,
    pub(super) finder: Option<Finder>,
    pub(super) menu: Option<Menu>,
    pub(super) minimap: Minimap,
    pub(super) stage: Stage,
    pub(super) shift: Option<(u64, Shift)>,
    pub(super) visible: Visible,
    pub(super) scratch: [Scratch; 2],
    pub(super) texts: Texts,
    pub(super) far: Far,
    pub(super) poster: Poster,
    pub(super) view: Option<Rect>,
    pub(super) pointer: Option<Pos2>,
    /// The camera as a fit left it: while it is untouched, another size of the view fits anew.
    fitted: Option<(Camera, Fit)>,
    /// A node that was made just now, while its command is typed for the first time.
    new_node: Option<NodeId>,
    requests: Vec<Request>,
}

impl CanvasState {
    /// Does what a verb of the view means: zoom, frame, the add-node palette. Others are not heard.
    pub fn ask(&mut self, verb: Verb) {
        self.requests.push(match verb {
            Verb::ZoomIn => Request::Zoom(ZOOM_STEP),
            Verb::ZoomOut => Request::Zoom(1.0 / ZOOM_STEP),
            Verb::ZoomReset => Request::ZoomTo(1.0),
            Verb::FrameAll => Request::FrameAll,
            Verb::FrameSelection => Request::FrameSelection,
            Verb::AddNode => Request::Finder,
            _ => return,
        });
    }

    /// Closes what would not outlive a look away: a gesture, a menu, the palette. What is typed in
    /// place stays.
    pub fn put_away(&mut self) {
        self.gesture.cancel();
        self.menu = None;
        self.finder = None;
        self.hover = Hit::Canvas;
        self.pointer = None;
    }

    /// What is being typed in place, as the edit that it would be now.
    pub fn typed(&self, flow: &Flow) -> Option<Edit> {
        self.editor.as_ref()?.edit(flow)
    }

    /// Moves as little as is needed for a node to be seen.
    pub fn go_to(&mut self, id: NodeId) {
        self.requests.push(Request::Reveal(id));
    }

    /// Opens the command of a node for typing, from the next frame on.
    pub fn begin_edit(&mut self, id: NodeId) {
        self.requests.push(Request::BeginEdit(id));
    }

    /// The same for a node that was just made: Esc takes it back.
    pub fn begin_new(&mut self, id: NodeId) {
        self.new_node = Some(id.clone());
        self.begin_edit(id);
    }

    /// The node that was made for the typing that ends now.
    pub(super) fn take_new(&mut self, editor: &InlineEdit) -> Option<NodeId> {
        let new = self.new_node.take()?;
        (*editor.target() == Target::Command(new.clone())).then_some(new)
    }

    /// The verb that is pointed at in an open menu.
    pub fn pointed_verb(&self) -> Option<Verb> {
        self.menu.as_ref()?.pointed()
    }

    /// Screen points per canvas unit.
    pub fn zoom(&self) -> f32 {
        self.camera.zoom
    }

    /// True while the keys belong to the canvas itself: typing in place, the palette, an open menu
    /// or a gesture. Esc is then the canvas's.
    pub fn holds_keys(&self) -> bool {
        self.editor.is_some()
            || self.finder.is_some()
            || self.menu.is_some()
            || !self.gesture.is_idle()
    }

    /// Where a new node goes: under the pointer when it is over the canvas, else in the middle.
    pub fn new_node_place(&self) -> Point {
        let Some(view) = self.view else {
            return Point::default();
        };
        let pos = self
            .pointer
            .filter(|pos| view.contains(*pos))
            .unwrap_or(view.center());
        centred(self.camera.to_world(view, pos))
    }

    /// The canvas point in the middle of the view.
    pub fn view_center(&self) -> Point {
        let middle = |view: Rect| self.camera.to_world(view, view.center());
        self.view.map(middle).unwrap_or_default()
    }

    /// Follows the document, the board and the view, and does what was asked for. While the scene of a large
    /// flow is being worked out, that waits.
    pub(super) fn follow(&mut self, ctx: &Context, input: &CanvasInput<'_>, view: Rect) {
        let doc = (input.doc_id, input.flow, input.revision);
        if self.stage.follow(ctx, doc, input.board) {
            self.hover = Hit::Canvas;
        }
        if !self.stage.is_current() {
            return;
        }
        if self.view.is_none() && view.is_positive() {
            self.fit(view, Fit::First);
        } else if self.view.is_some_and(|was| was.size() != view.size())
            && view.is_positive()
            && self.gesture.is_idle()
            && let Some((_, what)) = self.fitted.filter(|(camera, _)| *camera == self.camera)
        {
            self.fit(view, what);
        }
        if view.is_positive() {
            self.view = Some(view);
        }
        for request in std::mem::take(&mut self.requests) {
            self.carry_out(request, input.flow, input.selection, view);
        }
    }

    fn fit(&mut self, view: Rect, what: Fit) {
        match (self.stage.scene.bounds, what) {
            (Some(bounds), Fit::First) => {
                let n_nodes = self.stage.scene.nodes.len();
                self.camera.first_look(view, bounds, n_nodes);
            }
            (Some(bounds), Fit::All) => self.camera.fit(view, bounds),
            (None, _) => self.camera.center_on(view, Point::default()),
        }
        // A flow that is still empty is not fitted: its first node must not move the view.
        self.fitted = self.stage.scene.bounds.map(|_| (self.camera, what));
    }

    fn carry_out(&mut self, request: Request, flow: &Flow, selection: &Selection, view: Rect) {
        match request {
            Request::Zoom(factor) => self.camera.zoom_at(view, view.center(), factor),
            Request::ZoomTo(zoom) => {
                let factor = zoom / self.camera.zoom;
                self.camera.zoom_at(view, view.center(), factor);
            }
            Request::FrameAll => self.fit(view, Fit::All),
            Request::FrameSelection => {
                let mut nodes = selection.nodes().to_vec();
                for id in selection.edges() {
                    if let Some((source, target, _)) = flow.graph.edge(id) {
                        nodes.extend([source.id.clone(), target.id.clone()]);
                    }
                }
                let chosen = self.stage.scene.bounds_of(&nodes, selection.frames());
                if let Some(bounds) = chosen.or(self.stage.scene.bounds) {
                    self.camera.fit(view, bounds);
                }
            }
            Request::Reveal(id) => {
                if let Some(at) = self.stage.scene.node_at(&id) {
                    self.camera.reveal(view, self.stage.scene.rect(at, None));
                }
            }
            Request::BeginEdit(id) => {
                if let Some(at) = self.stage.scene.node_at(&id) {
                    self.camera.reveal(view, self.stage.scene.rect(at, None));
                }
                self.gesture.cancel();
                self.editor = InlineEdit::new(flow, Target::Command(id));
            }
            Request::Finder => {
                let pos = self.pointer.filter(|pos| view.contains(*pos));
                self.open_finder_at(pos.unwrap_or(view.center()), view, false);
            }
        }
    }

    pub(super) fn open_finder_at(&mut self, pos: Pos2, view: Rect, with_verbs: bool) {
        let place = self.camera.to_world(view, pos);
        self.menu = None;
        self.finder = Some(Finder::new(pos, place, with_verbs));
    }

    /// Keeps the set of nodes shown moved in step with the drag.
    pub(super) fn follow_drag(&mut self) {
        let Gesture::Drag { nodes, by, .. } = &self.gesture else {
            // What was let go of stays where it was dropped until the scene says so too.
            let (is_behind, scene) = (!self.stage.is_current(), self.stage.generation);
            self.shift.take_if(|(of, _)| !is_behind || *of != scene);
            return;
        };
        let generation = self.stage.generation;
        let (of, shift) = self
            .shift
            .get_or_insert_with(|| (generation, self.stage.scene.shift(nodes)));
        if *of != generation {
            *of = generation;
            *shift = self.stage.scene.shift(nodes);
        }
        shift.by = *by;
    }

    /// What of the frame in view is painted and told.
    pub(super) fn seen<'a>(&'a self, input: &'a CanvasInput<'_>, view: Rect) -> Seen<'a> {
        Seen {
            view,
            camera: self.camera,
            scene: &self.stage.scene,
            shift: self.shown_shift(),
            visible: &self.visible,
            standing: &self.stage.standing,
            board: input.board,
            selection: input.selection,
            now: input.now,
        }
    }

    /// The nodes shown moved.
    pub(super) fn shown_shift(&self) -> Option<&Shift> {
        self.shift.as_ref().map(|(_, shift)| shift)
    }

    /// Finds what is in view, and how that stands.
    pub(super) fn see(&mut self, view: Rect, board: Option<&FlowBoard>) {
        let shift = self.shift.as_ref().map(|(_, shift)| shift);
        let shown = self.camera.visible(view);
        let (scratch, out) = (&mut self.scratch, &mut self.visible);
        self.stage.scene.visible(shown, shift, scratch, out);
        self.stage.look_up_seen(board, &self.visible);
    }
}
