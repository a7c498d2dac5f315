//! Workfiles as text: GraphML to a [`Flow`](crate::model::Flow) and back, by Workforce's and
//! NetworkX's conventions.
//!
//! Reading gives what can be read plus warnings, or one clear refusal. Writing patches the text
//! that was read, so that whatever this program does not know stays byte for byte and a diff shows
//! the edit only. Unaware of files, paths and folders: `store` brings bytes and takes bytes, the
//! editor's clipboard brings and takes text.

mod decode;
mod edge_ids;
mod edge_plan;
mod element;
mod escape;
mod fields;
mod frames;
mod keys;
pub mod limits;
mod number;
mod patch;
mod place;
mod read;
mod scan;
mod source;
mod style;
mod warning;
mod write;

pub use read::{ReadError, Reading, read, read_text};
pub use source::Source;
pub use warning::Warning;
pub use write::{WriteError, same_meaning, subgraph_text, write};

#[cfg(test)]
mod tests;
