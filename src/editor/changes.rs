//! What to do when the file under a document changed on disk.
//!
//! Nothing is lost on either side: a document without edits follows the disk, one with edits waits
//! for the operator's choice. Merging both versions is left for later.

use std::sync::Arc;

use crate::store::Loaded;

use super::{DiskState, Document, Found, Onto, Task, Trouble};

/// Both the operator and another program changed the flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// What the disk holds now.
    pub theirs: Loaded,
}

/// What a check of the file led to.
#[derive(Debug)]
pub enum Reaction {
    /// There is nothing to tell.
    Nothing,
    /// The document follows the disk now; undo brings back what it held.
    Reloaded,
    /// Edits on both sides: the operator must choose, see [`settle`]. The window shows it until then.
    Conflict(Box<Conflict>),
    /// The file is gone. The document holds on to its flow; saving puts the file back.
    Gone,
    /// The file cannot be read any more. The document holds on to its flow.
    Unreadable(Trouble),
}

/// How the operator settles a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Write mine over theirs.
    KeepMine,
    /// Take theirs; undo brings mine back.
    Reload,
    /// Put mine into another file. The document stays as it is until that is done.
    SaveCopy,
}

/// Brings a document up to date with what a check of its file found.
pub fn react(document: &mut Document, found: Found) -> Reaction {
    match found {
        Found::Same => {
            if let DiskState::Changed { ours } = &document.disk {
                document.disk = DiskState::InStep(ours.clone());
            }
            Reaction::Nothing
        }
        Found::Changed(theirs) if theirs.flow == **document.flow() => {
            // Written anew with the same meaning, or by someone who made the same change.
            follow(document, *theirs);
            Reaction::Nothing
        }
        Found::Changed(theirs) if !document.is_dirty() => {
            follow(document, *theirs);
            Reaction::Reloaded
        }
        Found::Changed(theirs) => {
            if let DiskState::InStep(ours) = &document.disk {
                document.disk = DiskState::Changed { ours: ours.clone() };
            }
            Reaction::Conflict(Box::new(Conflict { theirs: *theirs }))
        }
        Found::Gone if document.disk == DiskState::Deleted => Reaction::Nothing,
        Found::Gone => {
            document.mark_deleted();
            Reaction::Gone
        }
        Found::Unreadable(why) => Reaction::Unreadable(why),
    }
}

/// Carries out the operator's choice. Gives the save to send, when the choice asks for one; a copy
/// is saved by the caller, who has to ask where to.
pub fn settle(document: &mut Document, conflict: Conflict, choice: Choice) -> Option<Task> {
    match choice {
        Choice::Reload => {
            follow(document, conflict.theirs);
            None
        }
        Choice::KeepMine => Some(Task::Save {
            flow_ref: document.flow_ref.clone(),
            flow: document.flow().clone(),
            place: document.place(),
            // The very version the operator was shown. Should the file have changed again, they are
            // asked again.
            onto: Onto::Version(conflict.theirs.stamp),
        }),
        Choice::SaveCopy => None,
    }
}

fn follow(document: &mut Document, theirs: Loaded) {
    document.warnings = theirs.warnings.into();
    document.damaged = theirs.damaged;
    document.results = Arc::new(theirs.results);
    document.reload(Arc::new(theirs.flow), theirs.stamp);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Stamp;
    use crate::model::{Edit, FileResults, Flow, FlowField, FlowRef, Timestamp};
    use std::path::Path;

    fn loaded(title: &str, n: u8) -> Loaded {
        Loaded {
            flow: Flow {
                title: title.into(),
                ..Flow::default()
            },
            results: FileResults::default(),
            warnings: Vec::new(),
            damaged: false,
            stamp: Stamp {
                len: 0,
                modified: Timestamp(0),
                inode: 0,
                hash: [n; 32],
            },
        }
    }

    fn document() -> Document {
        let flow_ref = FlowRef {
            workspace: "w".into(),
            root: Arc::from(Path::new("/w")),
            file: "a.wf".into(),
        };
        Document::open(flow_ref, loaded("base", 0))
    }

    fn edited() -> Document {
        let mut document = document();
        let edit = Edit::SetFlow(FlowField::Title("mine".into()));
        document.apply(edit).expect("applies");
        document
    }

    fn changed(title: &str, n: u8) -> Found {
        Found::Changed(Box::new(loaded(title, n)))
    }

    fn conflict(document: &mut Document) -> Conflict {
        match react(document, changed("theirs", 1)) {
            Reaction::Conflict(conflict) => *conflict,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_document_without_edits_follows_the_disk_and_undo_goes_back() {
        let mut document = document();
        let reaction = react(&mut document, changed("theirs", 1));
        assert!(matches!(reaction, Reaction::Reloaded));
        assert_eq!(document.flow().title, "theirs");
        assert!(!document.is_dirty());
        document.undo();
        assert_eq!(document.flow().title, "base");
        assert!(document.is_dirty());
    }

    #[test]
    fn edits_wait_for_a_choice_and_a_plain_save_is_refused_meanwhile() {
        let mut document = edited();
        let conflict = conflict(&mut document);
        assert_eq!(document.flow().title, "mine");
        let ours = loaded("base", 0).stamp;
        assert_eq!(document.disk, DiskState::Changed { ours: ours.clone() });
        assert_eq!(Onto::from(&document.disk), Onto::Version(ours));
        assert!(settle(&mut document, conflict, Choice::SaveCopy).is_none());
        assert_eq!(document.flow().title, "mine");
    }

    #[test]
    fn keeping_mine_writes_over_the_version_that_was_shown() {
        let mut document = edited();
        let conflict = conflict(&mut document);
        match settle(&mut document, conflict, Choice::KeepMine) {
            Some(Task::Save {
                flow, place, onto, ..
            }) => {
                assert_eq!(flow.title, "mine");
                assert_eq!(place, document.place());
                assert_eq!(onto, Onto::Version(loaded("theirs", 1).stamp));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn reloading_over_edits_can_be_undone() {
        let mut document = edited();
        let conflict = conflict(&mut document);
        assert!(settle(&mut document, conflict, Choice::Reload).is_none());
        assert_eq!(document.flow().title, "theirs");
        assert!(!document.is_dirty());
        document.undo();
        assert_eq!(document.flow().title, "mine");
    }

    #[test]
    fn the_same_change_on_both_sides_is_no_conflict() {
        let mut document = edited();
        assert!(matches!(
            react(&mut document, changed("mine", 1)),
            Reaction::Nothing
        ));
        assert!(!document.is_dirty());
        assert_eq!(document.disk, DiskState::InStep(loaded("mine", 1).stamp));
    }

    #[test]
    fn a_change_taken_back_ends_the_conflict() {
        let mut document = edited();
        conflict(&mut document);
        react(&mut document, Found::Same);
        assert_eq!(document.disk, DiskState::InStep(loaded("base", 0).stamp));
        assert!(document.is_dirty());
    }

    #[test]
    fn a_file_that_is_gone_is_told_once_and_makes_the_document_dirty() {
        let mut document = document();
        assert!(matches!(react(&mut document, Found::Gone), Reaction::Gone));
        assert!(document.is_dirty(), "the screen holds the only copy");
        assert_eq!(Onto::from(&document.disk), Onto::Nothing);
        assert!(matches!(
            react(&mut document, Found::Gone),
            Reaction::Nothing
        ));
    }
}
