//! What to do when the file under a document changed on disk.
//!
//! Nothing is lost on either side: a document without edits follows the disk, one with edits takes in what the
//! other program did as one step, and what both changed waits for the operator's choice.

use std::sync::Arc;

use crate::model::merge::{Merged, Picks, Renamed, merge_with};
use crate::model::{Change, Flow, changes};

use super::arrival::{Arrival, Way};
use super::{DiskState, Document, Version};

/// Three flows of which two grew from the first, and what was picked where both changed the same.
#[derive(Clone, Debug)]
pub struct Merging {
    /// What both grew from.
    pub base: Arc<Flow>,
    /// What is on the screen, or was restored.
    pub ours: Arc<Flow>,
    /// What the disk holds.
    pub theirs: Arc<Flow>,
    /// What the operator picked so far.
    pub picks: Picks,
}

impl Merging {
    /// The flow of both as the picks stand.
    pub fn merged(&self) -> Merged {
        merge_with(&self.base, &self.ours, &self.theirs, &self.picks)
    }
}

/// What three flows come to, as they were picked from.
#[derive(Clone, Debug)]
pub struct WorkedOut {
    /// The three, and what was picked.
    pub merging: Merging,
    /// The flow of both.
    pub merged: Merged,
    /// What the other side brings without a conflict.
    pub came: Vec<Change>,
}

impl From<Merging> for WorkedOut {
    fn from(merging: Merging) -> Self {
        let merged = merging.merged();
        let came = changes(&merging.ours, &merged.flow);
        Self {
            merging,
            merged,
            came,
        }
    }
}

/// How a file stands against what a document knows of it.
#[derive(Clone, Debug)]
pub enum Seen {
    /// As the document knows it.
    Same,
    /// Another program wrote it; this is what that means for the document.
    Changed(Box<Arrival>),
    /// It is not there.
    Gone,
}

/// What a look at the file led to.
#[derive(Clone, Debug)]
pub enum Reaction {
    /// There is nothing to tell.
    Nothing,
    /// The document went on while the other program's version was read: it is to be looked at again.
    LookAgain,
    /// The document had no edits and follows the disk now: what came. Undo brings back what it held.
    Reloaded(Vec<Change>),
    /// What another program did was taken in beside the edits made here: what came, and which of ours got
    /// another id.
    Merged(Vec<Change>, Vec<Renamed>),
    /// Both changed the same: the operator must choose. The document stays as it is until then.
    Conflict(Box<Version>),
    /// The file is gone. The document holds on to its flow; saving puts the file back.
    Gone,
}

/// Brings a document up to date with what a look at its file saw. Moves pointers only, whatever the size.
pub fn react(document: &mut Document, seen: Seen) -> Reaction {
    match seen {
        Seen::Same => {
            if let DiskState::Changed { ours } = &document.disk {
                document.disk = DiskState::InStep(ours.clone());
            }
            Reaction::Nothing
        }
        Seen::Changed(arrival) => take_arrival(document, *arrival),
        Seen::Gone if document.disk == DiskState::Deleted => Reaction::Nothing,
        Seen::Gone => {
            document.mark_deleted();
            Reaction::Gone
        }
    }
}

fn take_arrival(document: &mut Document, arrival: Arrival) -> Reaction {
    if !arrival.standing.is_of(document) {
        return Reaction::LookAgain;
    }
    let theirs = arrival.theirs;
    match arrival.way {
        Way::Same => {
            // Written anew with the same meaning, or by someone who made the same change.
            take_looks(document, &theirs);
            document.reload_by(None, theirs.flow, theirs.stamp);
            Reaction::Nothing
        }
        Way::Follow(came, step) => {
            take_looks(document, &theirs);
            document.reload_by(step, theirs.flow, theirs.stamp);
            Reaction::Reloaded(came)
        }
        Way::Merge {
            came,
            renamed,
            step,
            is_theirs,
        } => {
            take_looks(document, &theirs);
            document.merge_by(step, is_theirs, theirs.flow, theirs.stamp);
            Reaction::Merged(came, renamed)
        }
        Way::Conflict => {
            if let DiskState::InStep(ours) = &document.disk {
                document.disk = DiskState::Changed { ours: ours.clone() };
            }
            Reaction::Conflict(Box::new(theirs))
        }
    }
}

/// Takes the disk's version; undo brings back what the document held.
pub fn follow(document: &mut Document, theirs: Version) {
    take_looks(document, &theirs);
    document.reload(theirs.flow, theirs.stamp);
}

/// Takes in a merge with the disk's version, as one step.
pub fn take_in(document: &mut Document, merged: &Flow, theirs: Version) {
    take_looks(document, &theirs);
    document.merge(merged, theirs.flow, theirs.stamp);
}

fn take_looks(document: &mut Document, theirs: &Version) {
    document.warnings = theirs.warnings.clone();
    document.damaged = theirs.damaged;
    document.results = theirs.results.clone();
    // Whoever wrote it may have written a command too.
    document.is_trusted = theirs.is_trusted;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Stamp;
    use crate::editor::Onto;
    use crate::model::{Edit, FlowField, FlowRef, Node, Point, Timestamp};
    use std::path::Path;

    fn version(title: &str, n: u8) -> Version {
        Version {
            flow: Arc::new(Flow {
                title: title.into(),
                ..Flow::default()
            }),
            results: Arc::default(),
            warnings: Arc::default(),
            damaged: false,
            stamp: Stamp {
                len: 0,
                modified: Timestamp(0),
                inode: 0,
                hash: [n; 32],
            },
            is_trusted: true,
        }
    }

    fn document() -> Document {
        let flow_ref = FlowRef {
            workspace: "w".into(),
            root: Arc::from(Path::new("/w")),
            file: "a.wf".into(),
        };
        Document::open(flow_ref, version("base", 0))
    }

    /// As the saver works it out.
    fn changed(document: &Document, theirs: Version) -> Seen {
        Seen::Changed(Box::new(Arrival::new(document.standing(), theirs)))
    }

    fn edited() -> Document {
        let mut document = document();
        let edit = Edit::SetFlow(FlowField::Title("mine".into()));
        document.apply(edit).expect("applies");
        document
    }

    fn with_node(title: &str, n: u8) -> Version {
        let mut theirs = version(title, n);
        let node = Node::new("a", "echo a", Point::default());
        let flow = Arc::make_mut(&mut theirs.flow);
        flow.graph.add_node(node).expect("fresh id");
        theirs
    }

    #[test]
    fn a_document_without_edits_follows_the_disk_and_undo_goes_back() {
        let mut document = document();
        let seen = changed(&document, version("theirs", 1));
        let reaction = react(&mut document, seen);
        assert!(matches!(reaction, Reaction::Reloaded(came) if came.len() == 1));
        assert_eq!(document.flow().title, "theirs");
        assert_eq!(document.base().title, "theirs");
        assert!(!document.is_dirty());
        document.undo();
        assert_eq!(document.flow().title, "base");
        assert!(document.is_dirty());
    }

    #[test]
    fn what_another_program_did_comes_in_beside_the_edits_as_one_step() {
        let mut document = edited();
        let seen = changed(&document, with_node("base", 1));
        let reaction = react(&mut document, seen);
        match reaction {
            Reaction::Merged(came, renamed) => {
                assert_eq!(came.len(), 1, "{came:?}");
                assert!(renamed.is_empty());
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(document.flow().title, "mine");
        assert_eq!(document.flow().graph.n_nodes(), 1);
        assert!(document.is_dirty());
        let theirs = with_node("base", 1).stamp;
        assert_eq!(document.disk, DiskState::InStep(theirs), "a save goes on");
        document.undo();
        assert_eq!(document.flow().graph.n_nodes(), 0);
        assert_eq!(document.flow().title, "mine", "one step, and only that");
    }

    #[test]
    fn what_both_changed_waits_for_a_choice_and_a_plain_save_is_refused_meanwhile() {
        let mut document = edited();
        let seen = changed(&document, with_node("theirs", 1));
        let reaction = react(&mut document, seen);
        assert!(matches!(reaction, Reaction::Conflict(_)));
        assert_eq!(document.flow().title, "mine");
        assert_eq!(document.flow().graph.n_nodes(), 0, "nothing of it came in");
        let ours = version("base", 0).stamp;
        assert_eq!(document.disk, DiskState::Changed { ours: ours.clone() });
        assert_eq!(Onto::from(&document.disk), Onto::Version(ours));
    }

    #[test]
    fn following_the_disk_over_edits_can_be_undone() {
        let mut document = edited();
        follow(&mut document, version("theirs", 1));
        assert_eq!(document.flow().title, "theirs");
        assert!(!document.is_dirty());
        document.undo();
        assert_eq!(document.flow().title, "mine");
    }

    #[test]
    fn the_same_change_on_both_sides_is_no_conflict() {
        let mut document = edited();
        let seen = changed(&document, version("mine", 1));
        let reaction = react(&mut document, seen);
        assert!(matches!(reaction, Reaction::Nothing));
        assert!(!document.is_dirty());
        assert_eq!(document.disk, DiskState::InStep(version("mine", 1).stamp));
    }

    #[test]
    fn a_change_taken_back_ends_the_conflict() {
        let mut document = edited();
        let seen = changed(&document, version("theirs", 1));
        react(&mut document, seen);
        react(&mut document, Seen::Same);
        assert_eq!(document.disk, DiskState::InStep(version("base", 0).stamp));
        assert!(document.is_dirty());
    }

    #[test]
    fn a_file_that_is_gone_is_told_once_and_makes_the_document_dirty() {
        let mut document = document();
        assert!(matches!(react(&mut document, Seen::Gone), Reaction::Gone));
        assert!(document.is_dirty(), "the screen holds the only copy");
        assert_eq!(Onto::from(&document.disk), Onto::Nothing);
        assert!(matches!(
            react(&mut document, Seen::Gone),
            Reaction::Nothing
        ));
    }

    #[test]
    fn what_was_worked_out_for_a_document_that_went_on_is_looked_at_again() {
        let mut document = edited();
        let seen = changed(&document, with_node("base", 1));
        let edit = Edit::SetFlow(FlowField::Group("new".into()));
        document.apply(edit).expect("applies");
        assert!(matches!(react(&mut document, seen), Reaction::LookAgain));
        assert_eq!(document.flow().graph.n_nodes(), 0, "nothing was taken in");
        let seen = changed(&document, with_node("base", 1));
        assert!(matches!(react(&mut document, seen), Reaction::Merged(..)));
        let flow = document.flow();
        assert_eq!((flow.graph.n_nodes(), &*flow.group), (1, "new"));
    }
}
