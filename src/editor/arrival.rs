//! Another program's version of an open workfile, worked out against the document as it stood.
//!
//! Comparing and merging flows of thousands of nodes takes longer than a frame, so the saver does it. The window
//! takes the result in by moving pointers, when the document still stands as it did.

use std::sync::Arc;

use crate::model::merge::{Renamed, merge};
use crate::model::{Change, Flow, changes};

use super::step::Step;
use super::{Document, Version};

/// A document at one moment. Cheap to make.
#[derive(Clone, Debug)]
pub struct Standing {
    base: Arc<Flow>,
    ours: Arc<Flow>,
    is_dirty: bool,
}

impl Document {
    /// How it stands now.
    pub fn standing(&self) -> Standing {
        Standing {
            base: self.base().clone(),
            ours: self.flow().clone(),
            is_dirty: self.is_dirty(),
        }
    }
}

impl Standing {
    pub(super) fn is_of(&self, document: &Document) -> bool {
        Arc::ptr_eq(&self.base, document.base())
            && Arc::ptr_eq(&self.ours, document.flow())
            && self.is_dirty == document.is_dirty()
    }
}

/// Another program's version, ready to be taken in.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub(super) standing: Standing,
    pub(super) theirs: Version,
    pub(super) way: Way,
}

/// How it comes in.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// It means what the document shows.
    Same,
    /// The document has no edits: what comes.
    Follow(Vec<Change>, Option<Step>),
    /// Beside the edits made here.
    Merge {
        came: Vec<Change>,
        renamed: Vec<Renamed>,
        step: Option<Step>,
        /// The result is what the disk holds.
        is_theirs: bool,
    },
    /// Both changed the same.
    Conflict,
}

impl Arrival {
    /// Works out what `theirs` means for a document that stood like this. Takes long for large flows.
    pub fn new(standing: Standing, theirs: Version) -> Self {
        let way = Self::way(&standing, &theirs);
        Self {
            standing,
            theirs,
            way,
        }
    }

    /// What the disk holds.
    pub fn theirs(&self) -> &Version {
        &self.theirs
    }

    fn way(standing: &Standing, theirs: &Version) -> Way {
        let Standing {
            base,
            ours,
            is_dirty,
        } = standing;
        if theirs.flow == *ours {
            return Way::Same;
        }
        if !is_dirty {
            let step = Step::between(ours, &theirs.flow);
            return Way::Follow(changes(ours, &theirs.flow), step);
        }
        let merged = merge(base, ours, &theirs.flow);
        if !merged.conflicts.is_empty() {
            return Way::Conflict;
        }
        Way::Merge {
            came: merged.came(ours),
            step: Step::between(ours, &merged.flow),
            is_theirs: merged.flow == *theirs.flow,
            renamed: merged.renamed,
        }
    }
}
