//! The crash journal: what goes there from the window, and what a crash left of it.

use crate::app::action::TabId;
use crate::app::safety::{Act, ChangesPage, Page, Purpose};
use crate::app::view::{Content, Tab};
use crate::app::window::App;
use crate::editor::{Merging, News, Note, Task, Unsaved};
use crate::model::merge::Picks;
use crate::model::{Change, Flow};

impl App {
    /// Asks for flows without a file that a crash left; at the start only.
    pub(in crate::app) fn look_for_unsaved(&self) {
        self.ask_saver(TabId(0), Task::FindUnsaved);
    }

    /// Hands what was done since the last frame to the crash journal.
    pub(in crate::app) fn keep_journals(&mut self) {
        let now = self.engine.now();
        // Also on desks that were put away in this very frame.
        let away = self.view.away.values_mut().flat_map(|desk| &mut desk.tabs);
        for tab in self.view.tabs.iter_mut().chain(away) {
            let ticket = tab.id.0;
            if let Some(note) = tab.doc_mut().and_then(|doc| doc.journal(ticket, now)) {
                self.files.note(note);
            }
        }
    }

    /// Hands what is being typed to the crash journal, with each letter: its field may never be left.
    pub(in crate::app) fn keep_typing(&mut self) {
        let draft = self.view.draft.as_ref();
        let (drafted_in, drafted) = draft
            .map(|draft| (draft.tab, draft.edit().ok().flatten()))
            .unzip();
        for tab in &mut self.view.tabs {
            let Content::Open(doc) = &mut tab.content else {
                continue;
            };
            let in_place = tab.canvas.typed(doc.flow());
            let in_field = drafted.clone().flatten();
            doc.typing(in_place.or(in_field.filter(|_| drafted_in == Some(tab.id))));
        }
        self.keep_journals();
    }

    /// The edits of a tab that closes are saved, or not wanted.
    pub(super) fn end_journal(&self, id: TabId) {
        self.files.note(Note::End { ticket: id.0 });
    }

    pub(super) fn journal_told(&mut self, news: News) {
        match news {
            News::Lost(ticket, notice) => {
                if let Some(doc) = self.doc_of(TabId(ticket)) {
                    doc.journal_is_lost();
                }
                self.view.tell(notice);
            }
            News::Grown(ticket) => {
                if let Some(doc) = self.doc_of(TabId(ticket)) {
                    doc.journal_has_grown();
                }
            }
        }
    }

    /// Opens a tab for each flow without a file that a crash left.
    pub(super) fn unsaved_found(&mut self, found: Vec<Unsaved>) {
        let shown = self.view.shown;
        for unsaved in found.into_iter().rev() {
            self.new_flow();
            if let Some(tab) = self.view.tab_mut() {
                tab.trail.unsaved = Some(unsaved);
            }
        }
        // What the person opened stays in front.
        self.view.shown = shown.or(self.view.shown);
    }

    pub(super) fn restore(&mut self) {
        if let Some(id) = self.view.shown {
            self.restore_in(id);
        }
    }

    /// Takes up what a crash left of a tab; where the file went on, both are merged.
    pub(super) fn restore_in(&mut self, id: TabId) {
        let Some(tab) = self.view.tab_of(id) else {
            return;
        };
        let (Some(unsaved), Some(doc)) = (&tab.trail.unsaved, tab.doc()) else {
            return;
        };
        let merging = Merging {
            base: unsaved.base.clone(),
            ours: unsaved.flow.clone(),
            theirs: doc.flow().clone(),
            picks: Picks::new(),
        };
        let file = unsaved.file.clone();
        self.merge(id, Purpose::Unsaved { file }, merging);
    }

    pub(super) fn take_restored(&mut self, id: TabId, purpose: &Purpose, flow: &Flow) {
        let Purpose::Unsaved { file } = purpose else {
            return;
        };
        let Some(tab) = self.view.tab_of(id) else {
            return;
        };
        tab.trail.unsaved = None;
        let Some(doc) = tab.doc_mut() else {
            return;
        };
        doc.restore(flow, file.clone());
        if !doc.is_dirty() {
            // Nothing new in it after all.
            self.ask_saver(id, Task::DropJournal(file.clone()));
        }
        self.retain_selection(id);
    }

    /// Has worked out what restoring would change.
    pub(super) fn show_unsaved(&mut self) {
        let Some(tab) = self.view.tab() else {
            return;
        };
        if let Some(unsaved) = &tab.trail.unsaved {
            // What the file got since stays there: it is no part of what restoring changes.
            let task = Task::Compare(unsaved.base.clone(), unsaved.flow.clone());
            self.ask_saver(tab.id, task);
        }
    }

    /// Shows what restoring would change, where that is still asked.
    pub(super) fn unsaved_compared(&mut self, id: TabId, changes: Vec<Change>) {
        let is_asked = |tab: &Tab| tab.id == id && tab.trail.unsaved.is_some();
        if !self.view.tab().is_some_and(is_asked) {
            return;
        }
        let page = ChangesPage {
            title: "Edits that were not saved".to_owned(),
            hint: "What restoring them would change.".to_owned(),
            changes,
            acts: vec![("Restore", Act::Restore), ("Discard", Act::DropUnsaved)],
        };
        self.show_page(Page::Changes(page));
    }

    pub(super) fn drop_unsaved(&mut self) {
        let Some(tab) = self.view.tab_mut() else {
            return;
        };
        let id = tab.id;
        let untouched = tab.path.as_os_str().is_empty() && !tab.is_dirty();
        if let Some(unsaved) = tab.trail.unsaved.take() {
            self.ask_saver(id, Task::DropJournal(unsaved.file));
            if untouched {
                self.close_tab(id);
            }
        }
    }

    /// A file is gone or cannot be read, and what was not saved of it is all there is.
    pub(super) fn open_unsaved(&mut self, id: TabId) {
        let Some(tab) = self.view.tab_of(id) else {
            return;
        };
        let Content::Broken(broken) = &tab.content else {
            return;
        };
        let Some(unsaved) = broken.help.unsaved.clone() else {
            return;
        };
        self.view.shown = Some(id);
        self.close_tab(id);
        self.new_flow();
        let Some(id) = self.view.shown else {
            return;
        };
        let purpose = Purpose::Unsaved { file: unsaved.file };
        self.take_restored(id, &purpose, &unsaved.flow);
    }
}
