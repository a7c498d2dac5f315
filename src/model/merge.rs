//! Two versions of a flow that grew from one, made into one (three-way merge).
//!
//! Pure and total: whatever the three flows are, the result is a flow in which every edge has its ends.
//! The rules:
//! - what one side changed is taken, whichever side it was;
//! - the same field changed on both sides is a conflict, ours until somebody picks;
//! - removed here and edited there is a conflict, the edited one until somebody picks. An edge that was joined
//!   to a node counts as an edit of it; a move does not;
//! - places are never a conflict: where both moved a thing, ours holds;
//! - an id that both gave to different new things stays with theirs, ours becomes `id~2`;
//! - blocking edges of both that together form a cycle are a conflict;
//! - the order of nodes, edges and frames is theirs.
//!
//! The window merges what another program wrote into what is on the screen, and restored edits into a file that
//! moved on; the command line is a merge driver for git. Edges without an id of their own have one made from
//! their ends (`graphml`), so the id is the key for them too.

mod cycles;
mod edges;
mod frames;
mod nodes;
#[cfg(test)]
mod tests;
mod unknown_base;

use std::collections::BTreeMap;

use super::fields::{Field, OF_FLOW};
use super::{Change, Flow, Graph, Subject, changes};

pub use unknown_base::unknown_base;

/// One of the two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// What is here: on the screen, on this branch.
    Ours,
    /// What came: from the disk, from the other branch.
    Theirs,
}

impl Side {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Ours => Self::Theirs,
            Self::Theirs => Self::Ours,
        }
    }
}

/// Which conflict, the same each time the same three flows are merged.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    kind: &'static str,
    id: String,
    field: &'static str,
}

/// What somebody picked; a conflict that is not named takes its default.
pub type Picks = BTreeMap<Key, Side>;

/// Something on which both versions differ from the base, each in its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Which.
    pub key: Key,
    /// What it is about.
    pub subject: Subject,
    /// Which field; empty when one side removed the whole thing.
    pub field: &'static str,
    /// What it is with us; `None` when we removed it.
    pub ours: Option<String>,
    /// What it is with them; `None` when they removed it.
    pub theirs: Option<String>,
    /// Which of them the result holds.
    pub pick: Side,
}

/// A thing of ours that got another id because theirs has it too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// As it was called.
    pub from: String,
    /// As it is called in the result.
    pub to: String,
}

/// What came of a merge.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The flow of both.
    pub flow: Flow,
    /// What had to be picked, in the order of the flow.
    pub conflicts: Vec<Conflict>,
    /// Our things that got another id.
    pub renamed: Vec<Renamed>,
}

impl Merged {
    /// What the merge brought to `ours`, for a person.
    pub fn came(&self, ours: &Flow) -> Vec<Change> {
        changes(ours, &self.flow)
    }
}

/// Merges with the default of each conflict.
pub fn merge(base: &Flow, ours: &Flow, theirs: &Flow) -> Merged {
    merge_with(base, ours, theirs, &Picks::new())
}

/// Merges with what somebody picked.
pub fn merge_with(base: &Flow, ours: &Flow, theirs: &Flow, picks: &Picks) -> Merged {
    let mut merger = Merger {
        base,
        ours,
        theirs,
        picks,
        conflicts: Vec::new(),
        renamed: Vec::new(),
    };
    let mut flow = merger.flow_fields();
    let new_ids = merger.nodes(&mut flow.graph);
    let edge_ids = merger.edges(&mut flow.graph, &new_ids);
    merger.break_cycles(&mut flow.graph, &edge_ids);
    flow.frames = merger.frames();
    Merged {
        flow,
        conflicts: merger.conflicts,
        renamed: merger.renamed,
    }
}

struct Merger<'a> {
    base: &'a Flow,
    ours: &'a Flow,
    theirs: &'a Flow,
    picks: &'a Picks,
    conflicts: Vec<Conflict>,
    renamed: Vec<Renamed>,
}

impl<'a> Merger<'a> {
    /// A conflict; gives the side that the result holds.
    fn conflict(
        &mut self,
        (kind, id, field): (&'static str, &str, &'static str),
        subject: Subject,
        (ours, theirs): (Option<String>, Option<String>),
        default: Side,
    ) -> Side {
        let id = id.to_owned();
        let key = Key { kind, id, field };
        let pick = self.picks.get(&key).copied().unwrap_or(default);
        self.conflicts.push(Conflict {
            key,
            subject,
            field,
            ours,
            theirs,
            pick,
        });
        pick
    }

    /// Each field of the table: whoever changed it, else a conflict. `into` begins as ours.
    fn fields<T>(
        &mut self,
        table: &[Field<T>],
        (base, ours, theirs): (&T, &T, &T),
        into: &mut T,
        (kind, id): (&'static str, &str),
        subject: impl Fn() -> Subject,
    ) {
        for field in table {
            let unchanged = (field.same)(theirs, base) || (field.same)(theirs, ours);
            let take_theirs = !unchanged
                && ((field.same)(ours, base) || {
                    let values = (Some((field.text)(ours)), Some((field.text)(theirs)));
                    let what = (kind, id, field.name);
                    self.conflict(what, subject(), values, Side::Ours) == Side::Theirs
                });
            if take_theirs {
                (field.copy)(into, theirs);
            }
        }
    }

    fn flow_fields(&mut self) -> Flow {
        let (base, ours, theirs) = (self.base, self.ours, self.theirs);
        let mut flow = Flow {
            graph: Graph::default(),
            frames: Vec::new(),
            // Copied without its graph, which may be large.
            title: ours.title.clone(),
            group: ours.group.clone(),
            trigger: ours.trigger,
            wrapper: ours.wrapper.clone(),
            shell: ours.shell.clone(),
            cwd: ours.cwd.clone(),
            env: ours.env.clone(),
            max_passes: ours.max_passes,
            jobs_max: ours.jobs_max,
        };
        let what = ("flow", "");
        let three = (base, ours, theirs);
        self.fields(OF_FLOW, three, &mut flow, what, || Subject::Flow);
        flow
    }

    fn note_rename(&mut self, from: &str, to: &str) {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.renamed.push(Renamed { from, to });
    }
}

/// Whether a place is theirs. What lies nearer than a file can tell has not moved.
fn takes_theirs<T: PartialEq>(base: &T, ours: &T, theirs: &T, near: fn(&T, &T) -> bool) -> bool {
    match (near(base, ours), near(base, theirs)) {
        (false, _) => false,
        (true, false) => true,
        (true, true) => ours == base,
    }
}

/// `id~2`, `id~3`, …
fn numbered(id: &str) -> impl Iterator<Item = String> + '_ {
    (2u32..).map(move |n| format!("{id}~{n}"))
}
