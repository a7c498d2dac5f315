//! The saves of this saver, told from the writes of other programs.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};

use crate::disk::Stamp;

use super::task::Onto;

/// Own earlier versions remembered per file: as many saves as may be on their way at once.
const SUPERSEDED_MAX: usize = 32;

/// What this saver wrote last, and over what: a job may have been sent by someone who had not yet
/// heard of it. Forgotten as soon as another program's version of the file has been handed out.
#[derive(Default)]
pub(super) struct OwnSaves(HashMap<PathBuf, OwnSave>);

struct OwnSave {
    last: Stamp,
    superseded: VecDeque<Onto>,
}

impl OwnSaves {
    pub fn wrote(&mut self, path: &Path, onto: Onto, stamp: &Stamp) {
        let save = self.0.entry(path.to_owned()).or_insert_with(|| OwnSave {
            last: stamp.clone(),
            superseded: VecDeque::new(),
        });
        let before = std::mem::replace(&mut save.last, stamp.clone());
        save.superseded.push_back(onto);
        save.superseded.push_back(Onto::Version(before));
        while save.superseded.len() > SUPERSEDED_MAX {
            save.superseded.pop_front();
        }
    }

    pub fn read(&mut self, path: &Path, stamp: &Stamp) {
        if self
            .last(path)
            .is_some_and(|last| !last.same_content(stamp))
        {
            self.0.remove(path);
        }
    }

    pub fn last(&self, path: &Path) -> Option<&Stamp> {
        self.0.get(path).map(|save| &save.last)
    }

    pub fn superseded(&self, path: &Path, onto: &Onto) -> bool {
        let same = |old: &Onto| match (old, onto) {
            (Onto::Version(old), Onto::Version(new)) => old.same_content(new),
            (old, new) => old == new,
        };
        self.0
            .get(path)
            .is_some_and(|save| save.superseded.iter().any(same))
    }
}
