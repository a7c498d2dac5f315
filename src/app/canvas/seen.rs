//! What a frame of the canvas shows: read alike by those who paint it and those who tell it.

use crate::app::Selection;
use crate::model::{NodeState, Rect, Timestamp};
use crate::runtime::FlowBoard;

use super::camera::Camera;
use super::scene::{Scene, Shift, Visible};
use super::standing::Standing;

/// The part of a flow that is in view, and how it stands.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// Where the canvas is on the screen.
    pub view: egui::Rect,
    /// What part of it is seen.
    pub camera: Camera,
    /// The boxes.
    pub scene: &'a Scene,
    /// Those that are dragged.
    pub shift: Option<&'a Shift>,
    /// Those in view.
    pub visible: &'a Visible,
    /// How they stand.
    pub standing: &'a Standing,
    /// Times, exits and passes.
    pub board: Option<&'a FlowBoard>,
    /// What is selected.
    pub selection: &'a Selection,
    /// Now.
    pub now: Timestamp,
}

impl Seen<'_> {
    /// A rectangle of the canvas on the screen.
    pub fn on_screen(&self, rect: Rect) -> egui::Rect {
        self.camera.rect_to_screen(self.view, rect)
    }

    /// The box of a node on the screen.
    pub fn node_rect(&self, at: u32) -> egui::Rect {
        self.on_screen(self.scene.rect(at, self.shift))
    }

    /// What the board tells of a node.
    pub fn state(&self, at: u32) -> Option<&NodeState> {
        self.board?.nodes.get(&self.scene.node(at).id)
    }
}
