//! The canvas: a flow drawn, and everything a hand does to it.
//!
//! `scene` knows where things lie, `standing` how they stand, `stage` keeps both in step (for a large flow
//! beside the window's thread); `camera` is where we look, `gesture` what the hand does, `seen` what of
//! it is in view. `picture` and the files beside it (`far`, `poster`, `arrow`, `node_box`,
//! `node_words`, `frame`, `marks`, `hints`) paint that, `access` tells it, `hear` listens, `overlay`
//! lies above; `view` joins them in [`canvas_ui`]. Unaware of runs, files and keys: it reads the
//! document and the board, and asks for [`super::Action`]s. Called by the shell for the open tab.

mod access;
mod arrow;
mod camera;
mod far;
mod finder;
mod frame;
mod gesture;
mod grid;
mod hear;
mod hints;
mod inline_edit;
mod marks;
mod menu;
mod mesh;
mod minimap;
mod node_box;
mod node_words;
mod overlay;
mod picture;
mod poster;
mod raster;
mod route;
mod scene;
mod seen;
mod stage;
mod standing;
mod state;
mod status_icon;
mod text;
mod view;
mod walk;

#[cfg(test)]
mod tests;

pub use menu::VerbInfo;
pub use state::CanvasState;
pub use view::{CanvasInput, canvas_ui};
pub use walk::{Walk, walk};
