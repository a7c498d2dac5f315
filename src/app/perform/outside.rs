//! What another program changed in an open workfile: taken in, or shown to be settled.

use crate::app::action::TabId;
use crate::app::ports::{FileJob, FileNews};
use crate::app::safety::{ChangesPage, Page, Purpose};
use crate::app::view::Dialog;
use crate::app::window::App;
use crate::editor::{DiskState, Merging, Reaction, Seen, react};
use crate::model::merge::Picks;
use crate::model::{Level, Notice};

impl App {
    /// Has the file of a tab looked at.
    pub(super) fn look_at(&mut self, id: TabId) {
        let Some(doc) = self.doc_of(id) else {
            return;
        };
        if doc.disk == DiskState::New {
            return;
        }
        let job = FileJob::Check {
            tab: id,
            flow_ref: doc.flow_ref.clone(),
            disk: doc.disk.clone(),
            standing: doc.standing(),
        };
        self.files.send(job);
    }

    pub(super) fn checked(&mut self, id: TabId, news: FileNews) {
        let Some(tab) = self.view.tab_of(id) else {
            return;
        };
        // A save that is on its way finds out itself, and must not be overtaken.
        if tab.saving {
            return;
        }
        tab.trail.theirs = None;
        tab.trail.unreadable = None;
        let Some(doc) = tab.doc_mut() else {
            return;
        };
        let seen = match news {
            FileNews::InStep => Seen::Same,
            FileNews::Deleted => Seen::Gone,
            FileNews::Changed(arrival) => Seen::Changed(arrival),
            FileNews::Unreadable(why) => {
                tab.trail.unreadable = Some(why);
                return;
            }
        };
        match react(doc, seen) {
            Reaction::Nothing | Reaction::Gone => {}
            Reaction::LookAgain => self.look_at(id),
            Reaction::Reloaded(_) => self.retain_selection(id),
            Reaction::Merged(came, renamed) => {
                tab.trail.came = came;
                self.retain_selection(id);
                if let Some(first) = renamed.first() {
                    let what = format!(
                        "Both gave the id ‘{}’ to something new; yours is ‘{}’ now.",
                        first.from, first.to
                    );
                    self.view.tell(Notice::new(Level::Info, what, ""));
                }
            }
            Reaction::Conflict(theirs) => {
                tab.trail.theirs = Some(*theirs);
                self.renew_merge_page(id);
            }
        }
    }

    /// The file changed once more while its conflict is being settled.
    fn renew_merge_page(&mut self, id: TabId) {
        let picks = match &self.view.dialog {
            Some(Dialog::Safety(page)) => match &**page {
                Page::Merge(page) if page.tab == id => page.worked.merging.picks.clone(),
                _ => return,
            },
            _ => return,
        };
        self.settle_with(id, picks);
    }

    pub(super) fn settle_with_disk(&mut self, id: TabId) {
        self.settle_with(id, Picks::new());
    }

    fn settle_with(&mut self, id: TabId, picks: Picks) {
        let Some(tab) = self.view.tab_of(id) else {
            return;
        };
        let (Some(theirs), Some(doc)) = (tab.trail.theirs.clone(), tab.doc()) else {
            // Known of from a save only; the look brings what it holds.
            self.look_at(id);
            return;
        };
        let merging = Merging {
            base: doc.base().clone(),
            ours: doc.flow().clone(),
            theirs: theirs.flow.clone(),
            picks,
        };
        self.merge(id, Purpose::Disk { theirs }, merging);
    }

    pub(super) fn show_came(&mut self) {
        let Some(tab) = self.view.tab() else {
            return;
        };
        let page = ChangesPage {
            title: "Changes by another program".to_owned(),
            hint: "They stand beside your edits. Undo takes them back as one step.".to_owned(),
            changes: tab.trail.came.clone(),
            acts: Vec::new(),
        };
        self.show_page(Page::Changes(page));
    }
}
