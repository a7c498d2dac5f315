//! An open workfile: the flow, its edit count, its undo history.

use std::sync::Arc;

use crate::disk::Stamp;
use crate::model::{Edit, EditError, FileResults, Flow, FlowRef};

use super::Version;
use super::step::Step;

mod kept;

use kept::Kept;

/// What is known of the file under a document.
#[derive(Clone, Debug, PartialEq)]
pub enum DiskState {
    /// The file is as this document last read or wrote it.
    InStep(Stamp),
    /// Never written yet.
    New,
    /// Another program changed it since; saving would overwrite that.
    Changed {
        /// As this document knew it.
        ours: Stamp,
    },
    /// It was there and is gone; saving brings it back.
    Deleted,
}

/// One entry of a history: the edit, and the place it leads to.
#[derive(Clone, Debug)]
struct Past {
    edit: Edit,
    /// Of a large edit: where it leads, and what leads back.
    there: Option<There>,
    place: usize,
}

/// A flow that a large edit leads to. To go there is to move a pointer, and no frame is lost by it.
#[derive(Clone, Debug)]
struct There {
    flow: Arc<Flow>,
    back: Edit,
}

/// An edit that names more than this is large.
const LARGE: usize = 2_000;
/// Flows that one history keeps beside its edits: of 100 000 nodes, some 20 MB each.
const FLOWS_MAX: usize = 8;

impl Past {
    fn new(edit: Edit, place: usize) -> Self {
        Self {
            edit,
            there: None,
            place,
        }
    }
}

/// Adds an entry to a history, which keeps the flows of its newest large ones alone.
fn push(history: &mut Vec<Past>, past: Past) {
    let is_large = past.there.is_some();
    history.push(past);
    if is_large {
        let large = history.iter_mut().rev().filter(|past| past.there.is_some());
        large.skip(FLOWS_MAX).for_each(|past| past.there = None);
    }
}

/// An open workfile. Edits go through [`Document::apply`]; runs and saves take the shared flow.
#[derive(Clone, Debug)]
pub struct Document {
    /// Which flow.
    pub flow_ref: FlowRef,
    /// What the file is known to be.
    pub disk: DiskState,
    /// What was odd about the file when it was read.
    pub warnings: Arc<[String]>,
    /// The file could be read only in part: it is saved as a copy, never over itself.
    pub damaged: bool,
    /// Results another program left in the file.
    pub results: Arc<FileResults>,
    /// What it would run was written here, or reviewed: it runs without a question.
    pub is_trusted: bool,
    flow: Arc<Flow>,
    /// Counts edits, undo and redo included; never goes back.
    revision: u64,
    undo: Vec<Past>,
    redo: Vec<Past>,
    /// Names the state of the flow: undo and redo come back to a place, an edit makes a new one.
    place: usize,
    n_places: usize,
    /// The place whose flow the file holds.
    saved_at: Option<usize>,
    /// What the file held at the last load or save: what a merge and a crash journal begin from.
    base: Arc<Flow>,
    kept: Kept,
}

impl Document {
    /// A document over a flow as it was read, or over a new one.
    pub fn new(flow_ref: FlowRef, flow: Arc<Flow>, disk: DiskState) -> Self {
        Self {
            flow_ref,
            saved_at: (disk != DiskState::New).then_some(0),
            disk,
            warnings: Arc::default(),
            damaged: false,
            results: Arc::default(),
            is_trusted: true,
            base: flow.clone(),
            kept: Kept::default(),
            flow,
            revision: 0,
            undo: Vec::new(),
            redo: Vec::new(),
            place: 0,
            n_places: 1,
        }
    }

    /// A document over a workfile as it was read.
    pub fn open(flow_ref: FlowRef, version: impl Into<Version>) -> Self {
        let version = version.into();
        let disk = DiskState::InStep(version.stamp);
        Self {
            warnings: version.warnings,
            damaged: version.damaged,
            results: version.results,
            is_trusted: version.is_trusted,
            ..Self::new(flow_ref, version.flow, disk)
        }
    }

    /// The flow as it stands now, to draw, run or save. Cheap.
    pub fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    /// What the file held at the last load or save; empty for a flow without a file.
    pub fn base(&self) -> &Arc<Flow> {
        &self.base
    }

    /// Counts every change; a cache keyed by it is never stale.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// True when the file does not hold what is on the screen.
    pub fn is_dirty(&self) -> bool {
        self.saved_at != Some(self.place)
    }

    /// True when there is a step to undo.
    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty()
    }

    /// True when there is a step to redo.
    pub fn can_redo(&self) -> bool {
        !self.redo.is_empty()
    }

    /// Applies one step. What was undone can no longer be redone.
    pub fn apply(&mut self, edit: Edit) -> Result<(), EditError> {
        let done = edit.clone();
        let before = (done.n_things() > LARGE).then(|| self.flow.clone());
        let edit = edit.apply(Arc::make_mut(&mut self.flow))?;
        let mut past = Past::new(edit, self.place);
        match before {
            Some(flow) => {
                self.kept.did_much();
                past.there = Some(There { flow, back: done });
            }
            None => self.kept.did(done),
        }
        push(&mut self.undo, past);
        self.redo.clear();
        self.place = self.n_places;
        self.n_places += 1;
        self.revision += 1;
        Ok(())
    }

    /// Takes the last step back; false when there is none. Reaches back to the open.
    pub fn undo(&mut self) -> bool {
        let Some(step) = self.undo.pop() else {
            return false;
        };
        if let Some(inverse) = self.walk(step) {
            push(&mut self.redo, inverse);
        }
        true
    }

    /// Makes the last undone step again; false when there is none.
    pub fn redo(&mut self) -> bool {
        let Some(step) = self.redo.pop() else {
            return false;
        };
        if let Some(inverse) = self.walk(step) {
            push(&mut self.undo, inverse);
        }
        true
    }

    /// Goes to where a step leads; gives the step back.
    fn walk(&mut self, step: Past) -> Option<Past> {
        self.revision += 1;
        if let Some(There { flow, back }) = step.there {
            self.kept.did_much();
            let flow = std::mem::replace(&mut self.flow, flow);
            return Some(Past {
                there: Some(There {
                    flow,
                    back: step.edit,
                }),
                ..Past::new(back, std::mem::replace(&mut self.place, step.place))
            });
        }
        let done = step.edit.clone();
        match step.edit.apply(Arc::make_mut(&mut self.flow)) {
            Ok(edit) => {
                self.kept.did(done);
                let place = std::mem::replace(&mut self.place, step.place);
                Some(Past::new(edit, place))
            }
            Err(why) => {
                debug_assert!(false, "an inverse must apply: {why}");
                None
            }
        }
    }

    /// Where the history stands, to be handed to [`Document::saved`] with the save it belongs to.
    pub fn place(&self) -> usize {
        self.place
    }

    /// The save of `flow` begun at `place` is on disk as `stamp`. Edits made since keep it dirty.
    pub fn saved(&mut self, place: usize, flow: Arc<Flow>, stamp: Stamp) {
        self.saved_at = Some(place);
        self.disk = DiskState::InStep(stamp);
        self.stand_on(flow);
    }

    /// From now on this is what edits are counted and merged from.
    fn stand_on(&mut self, base: Arc<Flow>) {
        self.base = base;
        self.kept.stand_anew(self.is_dirty());
    }

    /// The file is gone, and with it every saved state: what is on the screen is the only copy.
    pub fn mark_deleted(&mut self) {
        self.saved_at = None;
        self.disk = DiskState::Deleted;
    }

    /// Replaces the flow by what the disk holds now, as a step that can be undone.
    pub fn reload(&mut self, flow: Arc<Flow>, stamp: Stamp) {
        let step = Step::between(&self.flow, &flow);
        self.reload_by(step, flow, stamp);
    }

    /// The same with the step worked out elsewhere; none when both flows are equal.
    pub(super) fn reload_by(&mut self, step: Option<Step>, flow: Arc<Flow>, stamp: Stamp) {
        self.take(step);
        // Equal, but in the order of the file.
        self.flow = flow.clone();
        self.saved(self.place, flow, stamp);
    }

    /// Takes in a merge of what is on the screen with what the disk holds now, as a step that can be undone.
    /// The result is unsaved unless it is what the disk holds.
    pub fn merge(&mut self, merged: &Flow, theirs: Arc<Flow>, stamp: Stamp) {
        let step = Step::between(&self.flow, merged);
        let is_theirs = *merged == *theirs;
        self.merge_by(step, is_theirs, theirs, stamp);
    }

    /// The same with the step worked out elsewhere, and whether it leads to what the disk holds.
    pub(super) fn merge_by(
        &mut self,
        step: Option<Step>,
        is_theirs: bool,
        theirs: Arc<Flow>,
        stamp: Stamp,
    ) {
        self.take(step);
        self.disk = DiskState::InStep(stamp);
        self.saved_at = is_theirs.then_some(self.place);
        self.stand_on(theirs);
    }

    fn take(&mut self, step: Option<Step>) {
        let Some(Step { done, back, flow }) = step else {
            return;
        };
        let flow = std::mem::replace(&mut self.flow, flow);
        self.redo.clear();
        let is_large = done.n_things() > LARGE;
        match back {
            Some(edit) => {
                let mut past = Past::new(edit, self.place);
                if is_large {
                    self.kept.did_much();
                    past.there = Some(There { flow, back: done });
                } else {
                    self.kept.did(done);
                }
                push(&mut self.undo, past);
            }
            // Steps that lead elsewhere are worse than none.
            None => {
                self.kept.did(done);
                self.undo.clear();
            }
        }
        self.place = self.n_places;
        self.n_places += 1;
        self.revision += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FlowField, Node, Point};
    use std::path::Path;

    fn stamp(n: u8) -> Stamp {
        Stamp {
            len: 0,
            modified: crate::model::Timestamp(0),
            inode: 0,
            hash: [n; 32],
        }
    }

    fn document() -> Document {
        let flow_ref = FlowRef {
            workspace: "w".into(),
            root: Arc::from(Path::new("/w")),
            file: "a.wf".into(),
        };
        Document::new(flow_ref, Arc::default(), DiskState::InStep(stamp(0)))
    }

    fn title(document: &mut Document, title: &str) {
        let edit = Edit::SetFlow(FlowField::Title(title.into()));
        document.apply(edit).expect("applies");
    }

    #[test]
    fn a_document_is_clean_exactly_where_it_was_saved() {
        let mut document = document();
        assert!(!document.is_dirty());
        title(&mut document, "a");
        assert!(document.is_dirty());
        document.saved(document.place(), document.flow().clone(), stamp(1));
        title(&mut document, "b");
        assert!(document.is_dirty());
        document.undo();
        assert!(!document.is_dirty(), "undo came back to the saved state");
        document.undo();
        assert!(document.is_dirty());
        document.redo();
        assert!(!document.is_dirty());
    }

    #[test]
    fn a_large_step_is_undone_and_redone_by_moving_pointers() {
        let mut document = document();
        let add = |of: &str, n: usize| Edit::Add {
            nodes: (0..n)
                .map(|i| Node::new(format!("{of}{i}").as_str(), "true", Point::default()))
                .collect(),
            edges: Vec::new(),
        };
        title(&mut document, "before");
        let before = document.flow().clone();
        document.apply(add("a", LARGE + 1)).expect("applies");
        let after = document.flow().clone();
        title(&mut document, "after");
        for _ in 0..2 {
            assert!(document.undo() && document.undo());
            assert!(Arc::ptr_eq(document.flow(), &before));
            assert!(document.redo());
            assert_eq!(document.flow(), &after);
            assert!(document.redo());
            assert_eq!(document.flow().title, "after");
        }
        // What is told to the crash journal leads to what is on the screen.
        match document.journal(1, crate::model::Timestamp(0)) {
            Some(crate::editor::Note::Begin { since, n_steps, .. }) => {
                assert_eq!(n_steps, 11);
                let crate::editor::Since::Flow(flow) = since else {
                    panic!("{since:?}");
                };
                assert!(Arc::ptr_eq(&flow, document.flow()));
            }
            note => panic!("{note:?}"),
        }
        // Of many large steps the older ones keep their edits alone, and are undone all the same.
        for step in 0..FLOWS_MAX + 3 {
            let name = format!("s{step}-");
            document.apply(add(&name, LARGE + 1)).expect("applies");
        }
        let n_kept = document.undo.iter().filter(|past| past.there.is_some());
        assert_eq!(n_kept.count(), FLOWS_MAX);
        while document.undo() {}
        assert_eq!(**document.flow(), Flow::default());
        while document.redo() {}
        let n = (LARGE + 1) * (FLOWS_MAX + 4);
        assert_eq!(document.flow().graph.n_nodes(), n);
    }

    #[test]
    fn edits_made_while_a_save_was_under_way_keep_it_dirty() {
        let mut document = document();
        title(&mut document, "a");
        title(&mut document, "b");
        let (place, flow) = (document.place(), document.flow().clone());
        // As many steps as at the save, but other ones.
        document.undo();
        title(&mut document, "c");
        document.saved(place, flow, stamp(1));
        assert!(document.is_dirty());
        document.undo();
        assert!(document.is_dirty());
    }

    #[test]
    fn a_reload_is_a_step_that_can_be_undone() {
        let mut document = document();
        title(&mut document, "mine");
        let mine = document.flow().clone();
        let mut theirs = Flow::default();
        let node = Node::new("a", "true", Point::default());
        theirs.graph.add_node(node).expect("fresh id");
        document.reload(Arc::new(theirs.clone()), stamp(2));
        assert_eq!(**document.flow(), theirs);
        assert_eq!(document.disk, DiskState::InStep(stamp(2)));
        assert!(!document.is_dirty());
        assert!(document.undo());
        assert_eq!(document.flow(), &mine);
        assert!(document.is_dirty(), "the disk holds something else");
        assert!(document.undo(), "and on, back to the open");
        assert_eq!(**document.flow(), Flow::default());
    }

    #[test]
    fn a_reload_of_the_same_flow_is_no_step() {
        let mut document = document();
        document.reload(Arc::default(), stamp(3));
        assert!(!document.can_undo());
        assert!(!document.is_dirty());
    }
}
