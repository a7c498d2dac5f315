//! The canvas: a flow drawn, and everything a hand does to it.
//!
//! `scene` knows where things lie, `camera` where we look, `gesture` what the hand does, `paint`
//! how it looks; `view` joins them in [`canvas_ui`]. Unaware of runs, files and keys: it reads the
//! document and the board, and asks for [`super::Action`]s. Called by the shell for the open tab.

mod access;
mod camera;
mod finder;
mod frame;
mod gesture;
mod grid;
mod inline_edit;
mod menu;
mod mesh;
mod minimap;
mod paint;
mod route;
mod scene;
mod standing;
mod state;
mod status_icon;
mod text;
mod view;

#[cfg(test)]
mod tests;

pub use menu::VerbInfo;
pub use scene::{Walk, walk};
pub use state::CanvasState;
pub use view::{CanvasInput, canvas_ui};
