//! What of a document is in its crash journal, and what still has to go there.

use std::path::PathBuf;

use crate::editor::journal::{Base, Note, Since};
use crate::editor::step::Step;
use crate::model::{Edit, Flow, Timestamp};

use super::{DiskState, Document};

/// How the crash journal of a document stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// There is one.
    begun: bool,
    /// It is to be begun anew, whatever it holds.
    stale: bool,
    /// It could not be written; not before the next edit is that tried again.
    waits: bool,
    /// Steps since the base.
    n_steps: usize,
    /// Edits that are not in it yet.
    pending: Vec<Edit>,
    /// A journal that a crash left, whose edits are among these.
    replaces: Option<PathBuf>,
    /// What is being typed and is no step yet.
    typed: Option<Edit>,
    /// The journal knows of something else that is being typed, or of nothing.
    typed_anew: bool,
}

impl Kept {
    /// A step was taken, or taken back.
    pub(super) fn did(&mut self, done: Edit) {
        self.n_steps += 1;
        self.pending.push(done);
    }

    /// The same of a step so large that the journal's thread works it out from where it led.
    pub(super) fn did_much(&mut self) {
        self.n_steps += 1;
        self.pending.clear();
        self.stale = true;
    }

    /// Edits are counted from another base from now on.
    pub(super) fn stand_anew(&mut self, is_dirty: bool) {
        self.stale = true;
        self.n_steps = usize::from(is_dirty);
    }
}

impl Document {
    /// What is being typed in a field and would become a step when the field is left; `None` when nothing is,
    /// or what is typed makes no sense yet. The crash journal has it beside the steps.
    pub fn typing(&mut self, edit: Option<Edit>) {
        if self.kept.typed != edit {
            self.kept.typed = edit;
            self.kept.typed_anew = true;
        }
    }

    /// What the crash journal has to be told since the last call. Cheap when nothing happened.
    pub fn journal(&mut self, ticket: u64, now: Timestamp) -> Option<Note> {
        if !self.is_dirty() && self.kept.typed.is_none() {
            let was = std::mem::take(&mut self.kept);
            return was.begun.then_some(Note::End { ticket });
        }
        let kept = &mut self.kept;
        let typed_anew = std::mem::take(&mut kept.typed_anew);
        if kept.waits && kept.pending.is_empty() && !typed_anew {
            return None;
        }
        let typed = kept.typed.clone();
        kept.stale |= std::mem::take(&mut kept.waits);
        let edits = std::mem::take(&mut kept.pending);
        if kept.begun && !kept.stale {
            return (!edits.is_empty() || typed_anew).then_some(Note::Edits {
                ticket,
                edits,
                typed,
                at: now,
            });
        }
        // Nothing was done to it: a file that is gone is told of, and saving brings it back.
        if !kept.stale && edits.is_empty() && typed.is_none() && self.disk == DiskState::New {
            return None;
        }
        let since = match kept.stale || edits.is_empty() {
            true => Since::Flow(self.flow.clone()),
            false => Since::Edits(edits),
        };
        (kept.begun, kept.stale) = (true, false);
        let known = match &self.disk {
            DiskState::InStep(stamp) | DiskState::Changed { ours: stamp } => Some(stamp.hash),
            DiskState::New | DiskState::Deleted => None,
        };
        let base = Base {
            path: (self.disk != DiskState::New).then(|| self.flow_ref.path()),
            title: self.flow.title.clone(),
            flow: self.base.clone(),
            hash: known,
            replaces: self.kept.replaces.clone(),
        };
        Some(Note::Begin {
            ticket,
            base,
            since,
            typed,
            n_steps: self.kept.n_steps,
            at: now,
        })
    }

    /// Makes of what is on the screen what a crash left unsaved in the journal `left`, as one step. That journal
    /// goes when the one of this document holds the same.
    pub fn restore(&mut self, flow: &Flow, left: PathBuf) {
        self.take(Step::between(&self.flow, flow));
        self.kept.stale = true;
        self.kept.replaces = Some(left);
    }

    /// The crash journal has grown long: it is begun anew.
    pub fn journal_has_grown(&mut self) {
        self.kept.stale = true;
    }

    /// The crash journal could not be written: it is begun anew with the next edit.
    pub fn journal_is_lost(&mut self) {
        self.kept.waits = true;
    }
}
