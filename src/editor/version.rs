//! A workfile as it was read at one moment, with what a document takes over from it.

use std::sync::Arc;

use crate::disk::Stamp;
use crate::model::{FileResults, Flow};
use crate::store::Loaded;

/// What a workfile held at one moment. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// What it said.
    pub flow: Arc<Flow>,
    /// Results that another program left in it.
    pub results: Arc<FileResults>,
    /// What was odd about it, as sentences with line numbers.
    pub warnings: Arc<[String]>,
    /// It could be read only in part; saving over it is refused.
    pub damaged: bool,
    /// What the file looked like.
    pub stamp: Stamp,
    /// It may run without a question on this machine.
    pub is_trusted: bool,
}

impl From<Loaded> for Version {
    fn from(loaded: Loaded) -> Self {
        Self {
            flow: Arc::new(loaded.flow),
            results: Arc::new(loaded.results),
            warnings: loaded.warnings.into(),
            damaged: loaded.damaged,
            stamp: loaded.stamp,
            is_trusted: false,
        }
    }
}
