//! The log of the selected node or of the whole run: only the lines in view are laid out.

mod header;
mod line;
mod lines;
mod pane;
mod rows;
mod tail;

pub use pane::log_pane_ui;
pub use rows::Cache;
pub use tail::Stood;
