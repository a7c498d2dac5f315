//! Which pages there are, and what they ask for.

use egui::Ui;

use crate::editor::{Backup, Unsaved, Version};
use crate::model::Change;

use crate::app::action::{Action, TabId, Verb};
use crate::app::window::App;

use super::{ChangesPage, MergePage, Purpose, ReviewPage, VersionsPage};

/// What another program or a crash left to be settled in a tab.
#[derive(Default)]
pub struct Trail {
    /// What a crash left unsaved.
    pub unsaved: Option<Unsaved>,
    /// What the disk holds, when both changed the same.
    pub theirs: Option<Version>,
    /// What a merge is for that is being worked out.
    pub merges_for: Option<Purpose>,
    /// Why what the disk holds cannot be read.
    pub unreadable: Option<String>,
    /// What was taken in from another program beside the edits made here; empty once it was read.
    pub came: Vec<Change>,
}

/// A dialog about the safety of a workfile.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one, and it stands in a box"
)]
pub enum Page {
    /// Both changed the same: choose.
    Merge(MergePage),
    /// What a file from elsewhere would run.
    Review(ReviewPage),
    /// Earlier versions.
    Versions(VersionsPage),
    /// A list of what differs.
    Changes(ChangesPage),
}

/// What is asked for.
#[derive(Clone, Debug)]
pub enum Act {
    /// Take up what a crash left unsaved.
    Restore,
    /// Show what that would change.
    ShowUnsaved,
    /// Let it go for good.
    DropUnsaved,
    /// Show what another program changed.
    ShowCame,
    /// That was read.
    CloseCame,
    /// Work out what was picked on the merge page.
    WorkOut,
    /// Use the flow of both as it was picked.
    UseMerged,
    /// Merge both sides of a file in which git left a conflict.
    TakeApart(TabId),
    /// The file may run without a question; with the folder it lies in, all of it may. Then do this.
    Trust {
        /// All below that folder.
        whole: bool,
        /// What had been asked for.
        then: Verb,
    },
    /// Read an earlier version, to show it.
    ReadVersion(Backup),
    /// Take this earlier version, as a step that can be undone.
    UseVersion,
    /// Put this earlier version in the place of a file that cannot be opened.
    PutBack(TabId, Backup),
    /// Make a flow of what a crash left of a file that is gone.
    OpenUnsaved(TabId),
}

impl Page {
    /// Draws it.
    pub fn show(&mut self, ui: &Ui, app: &App, actions: &mut Vec<Action>) {
        match self {
            Self::Merge(page) => page.show(ui, actions),
            Self::Review(page) => page.show(ui, app, actions),
            Self::Versions(page) => page.show(ui, app, actions),
            Self::Changes(page) => page.show(ui, actions),
        }
    }
}
