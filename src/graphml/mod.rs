//! Workfiles as text: GraphML to a [`Flow`](crate::model::Flow) and back, by Workforce's and
//! NetworkX's conventions.
//!
//! Reading gives what can be read plus warnings, or one clear refusal. Writing patches the text
//! that was read, so that whatever this program does not know stays byte for byte and a diff shows
//! the edit only. Unaware of files, paths and folders: `store` brings bytes and takes bytes, the
//! editor's clipboard brings and takes text.

mod attributes;
mod change;
mod decode;
mod edge_ids;
mod edge_plan;
mod edge_reader;
mod element;
mod error;
mod escape;
mod flow_reader;
mod frames;
mod key_plan;
mod keys;
pub mod limits;
mod literal;
mod meaning;
mod node_ids;
mod node_reader;
mod number;
mod patch;
mod place;
mod plan;
mod read;
mod resolve;
mod results;
mod scan;
mod source;
mod style;
mod subgraph;
mod warning;
mod write;

pub use error::{ReadError, WriteError};
pub use meaning::same_meaning;
pub use read::{Reading, read, read_text};
pub use results::write_results;
pub use source::Source;
pub use subgraph::subgraph_text;
pub use warning::Warning;
pub use write::write;

#[cfg(test)]
mod tests;
