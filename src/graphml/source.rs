//! The text a flow was read from, with all that a write needs to leave it as it is.

use std::fmt;
use std::sync::Arc;

use super::decode::Encoding;
use super::edge_ids::EdgeIds;
use super::element::Layout;
use crate::model::{Flow, NodeId};

/// A workfile's text as it was read. Cheap to clone.
#[derive(Clone)]
pub struct Source(pub(super) Arc<Inner>);

pub(super) struct Inner {
    /// Decoded, without byte order mark.
    pub(super) text: String,
    pub(super) encoding: Encoding,
    pub(super) bom: bool,
    /// The bytes, where encoding the text again does not give them back.
    pub(super) raw: Option<Vec<u8>>,
    pub(super) layout: Layout,
    /// What was read; a write compares with it.
    pub(super) flow: Flow,
    /// Ids of the flow's edges, by place in the layout.
    pub(super) edge_ids: Vec<EdgeIds>,
    /// Nodes whose place is not in the file.
    pub(super) placed: Vec<NodeId>,
    pub(super) damaged: bool,
}

impl Source {
    /// The text, decoded.
    pub fn text(&self) -> &str {
        &self.0.text
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("bytes", &self.0.text.len())
            .field("encoding", &self.0.encoding)
            .field("damaged", &self.0.damaged)
            .finish_non_exhaustive()
    }
}
