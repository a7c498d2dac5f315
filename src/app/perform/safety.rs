//! What a crash, another program, git or a stranger left: taken up, merged, reviewed, put back.

use std::path::Path;

use egui::Context;

use crate::app::action::{TabId, Verb};
use crate::app::ports::{FileJob, FileNews};
use crate::app::safety::{Act, ChangesPage, MergePage, Page, Purpose, ReviewPage, VersionsPage};
use crate::app::view::{Content, Dialog};
use crate::app::window::App;
use crate::editor::{
    DiskState, Document, Merging, News, Note, Outcome, Reaction, Seen, Task, Trouble, Unsaved,
    difference, react, take_in,
};
use crate::model::merge::Picks;
use crate::model::{Edit, Flow, Level, Notice, changes};

impl App {
    pub(super) fn safety(&mut self, ctx: &Context, act: Act) {
        match act {
            Act::Restore => self.restore(),
            Act::ShowUnsaved => self.show_unsaved(),
            Act::DropUnsaved => self.drop_unsaved(),
            Act::ShowCame => self.show_came(),
            Act::CloseCame => {
                if let Some(tab) = self.view.tab_mut() {
                    tab.trail.came.clear();
                }
            }
            Act::UseMerged => self.use_merged(),
            Act::TakeApart(tab) => self.ask_saver_of(tab, Task::TakeApart),
            Act::Trust { whole, then } => self.trust(ctx, whole, then),
            Act::ReadVersion(backup) => {
                if let Some(id) = self.view.shown {
                    self.ask_saver_of(id, |path| Task::ReadBackup(path, backup));
                }
            }
            Act::UseVersion => self.use_version(),
            Act::PutBack(tab, backup) => {
                self.ask_saver_of(tab, |path| Task::RestoreBackup(path, backup));
            }
            Act::OpenUnsaved(tab) => self.open_unsaved(tab),
        }
    }

    fn ask_saver(&self, tab: TabId, task: Task) {
        self.files.send(FileJob::Task { tab, task });
    }

    fn ask_saver_of(&mut self, id: TabId, task: impl FnOnce(std::path::PathBuf) -> Task) {
        if let Some(tab) = self.view.tab_of(id) {
            let task = task(tab.path.clone());
            self.ask_saver(id, task);
        }
    }

    // The crash journal.

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

    fn doc_of(&mut self, id: TabId) -> Option<&mut Document> {
        self.view.tab_of(id)?.doc_mut()
    }

    /// Opens a tab for each flow without a file that a crash left.
    fn unsaved_found(&mut self, found: Vec<Unsaved>) {
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

    fn restore(&mut self) {
        let Some(tab) = self.view.tab_mut() else {
            return;
        };
        let id = tab.id;
        let Some(unsaved) = tab.trail.unsaved.clone() else {
            return;
        };
        let Some(doc) = tab.doc() else {
            return;
        };
        let merging = Merging {
            base: unsaved.base.clone(),
            ours: unsaved.flow.clone(),
            theirs: doc.flow().clone(),
            picks: Picks::new(),
        };
        let merged = merging.merged();
        let purpose = Purpose::Unsaved { file: unsaved.file };
        if merged.conflicts.is_empty() {
            self.take_restored(id, &purpose, &merged.flow);
        } else {
            self.show_page(Page::Merge(MergePage::new(id, purpose, merging)));
        }
    }

    fn take_restored(&mut self, id: TabId, purpose: &Purpose, flow: &Flow) {
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

    /// Makes the flow of a tab another, as one step.
    fn make_it(&mut self, id: TabId, flow: &Flow) {
        let Some(doc) = self.doc_of(id) else {
            return;
        };
        let edit = difference(doc.flow(), flow);
        if edit != Edit::Batch(Vec::new()) {
            self.edit_tab(id, edit);
        }
        self.retain_selection(id);
    }

    fn retain_selection(&mut self, id: TabId) {
        if let Some(tab) = self.view.tab_of(id)
            && let Some(flow) = tab.doc().map(|doc| doc.flow().clone())
        {
            tab.selection.retain(&flow);
        }
    }

    fn show_unsaved(&mut self) {
        let Some(tab) = self.view.tab() else {
            return;
        };
        let (Some(unsaved), Some(doc)) = (&tab.trail.unsaved, tab.doc()) else {
            return;
        };
        let page = ChangesPage {
            title: "Edits that were not saved".to_owned(),
            hint: "What restoring them would change.".to_owned(),
            changes: changes(doc.flow(), &unsaved.flow),
            acts: vec![("Restore", Act::Restore), ("Discard", Act::DropUnsaved)],
        };
        self.show_page(Page::Changes(page));
    }

    fn drop_unsaved(&mut self) {
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
    fn open_unsaved(&mut self, id: TabId) {
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

    // What another program changed.

    /// Has the file of a tab looked at.
    pub(super) fn look_at(&mut self, id: TabId) {
        let Some(doc) = self.doc_of(id) else {
            return;
        };
        let known = match &doc.disk {
            DiskState::InStep(stamp) | DiskState::Changed { ours: stamp } => stamp.clone(),
            DiskState::New | DiskState::Deleted => return,
        };
        let flow_ref = doc.flow_ref.clone();
        self.files.send(FileJob::Check {
            tab: id,
            flow_ref,
            known,
        });
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
            FileNews::Changed(version) => Seen::Changed(*version),
            FileNews::Unreadable(why) => {
                tab.trail.unreadable = Some(why);
                return;
            }
        };
        let theirs = match &seen {
            Seen::Changed(version) => Some(version.clone()),
            Seen::Same | Seen::Gone => None,
        };
        match react(doc, seen) {
            Reaction::Nothing | Reaction::Gone => {}
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
            Reaction::Conflict => {
                tab.trail.theirs = theirs;
                self.renew_merge_page(id);
            }
        }
    }

    /// The file changed once more while its conflict is being settled.
    fn renew_merge_page(&mut self, id: TabId) {
        let open = match &self.view.dialog {
            Some(Dialog::Safety(page)) => match &**page {
                Page::Merge(page) if page.tab == id => page.merging.picks.clone(),
                _ => return,
            },
            _ => return,
        };
        self.settle_with_disk(id);
        if let Some(Dialog::Safety(page)) = &mut self.view.dialog
            && let Page::Merge(page) = &mut **page
        {
            page.keep_picks(open);
        }
    }

    pub(super) fn settle_with_disk(&mut self, id: TabId) {
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
            picks: Picks::new(),
        };
        let page = MergePage::new(id, Purpose::Disk { theirs }, merging);
        self.show_page(Page::Merge(page));
    }

    fn show_came(&mut self) {
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

    fn use_merged(&mut self) {
        let Some(Dialog::Safety(page)) = self.view.dialog.take() else {
            return;
        };
        let Page::Merge(page) = *page else {
            return;
        };
        let id = page.tab;
        match &page.purpose {
            Purpose::Disk { theirs } => {
                let Some(tab) = self.view.tab_of(id) else {
                    return;
                };
                tab.trail.theirs = None;
                if let Some(doc) = tab.doc_mut() {
                    take_in(doc, &page.merged.flow, theirs.clone());
                }
                self.retain_selection(id);
            }
            Purpose::Unsaved { .. } => self.take_restored(id, &page.purpose, &page.merged.flow),
            Purpose::Git { path, sides } => {
                let task = Task::Settle(path.clone(), sides.clone(), page.merging.picks);
                self.ask_saver(id, task);
            }
        }
    }

    fn show_page(&mut self, page: Page) {
        self.view.palette = None;
        self.view.dialog = Some(Dialog::Safety(Box::new(page)));
    }

    // Trust.

    /// Shows what a workfile from elsewhere would run, instead of running it.
    pub(super) fn asks_to_trust(&mut self, verb: Verb) -> bool {
        let starts = matches!(
            verb,
            Verb::Run | Verb::Resume | Verb::RunAll | Verb::RunFromHere | Verb::RunUpToHere
        );
        let Some(tab) = self.view.tab().filter(|_| starts) else {
            return false;
        };
        let Some(doc) = tab.doc().filter(|doc| !doc.is_trusted) else {
            return false;
        };
        let root = self.root_of(&doc.flow_ref.root);
        let page = ReviewPage::new(tab.id, verb, root, doc.flow());
        self.show_page(Page::Review(page));
        true
    }

    /// The collection that holds a workspace, else the workspace itself.
    fn root_of(&self, workspace: &Path) -> std::path::PathBuf {
        let collection = self.board.catalog.root.as_deref();
        let root = collection.filter(|root| workspace.starts_with(root));
        root.unwrap_or(workspace).to_owned()
    }

    fn trust(&mut self, ctx: &Context, whole: bool, then: Verb) {
        let Some(Dialog::Safety(page)) = self.view.dialog.take() else {
            return;
        };
        let Page::Review(page) = *page else {
            return;
        };
        let root = whole.then_some(page.root);
        if let Some(root) = &root {
            let away = self.view.away.values_mut().flat_map(|desk| &mut desk.tabs);
            let tabs = self.view.tabs.iter_mut().chain(away);
            let below = tabs.filter_map(|tab| tab.doc_mut());
            for doc in below.filter(|doc| doc.flow_ref.root.starts_with(root)) {
                doc.is_trusted = true;
            }
        }
        let Some(doc) = self.doc_of(page.tab) else {
            return;
        };
        doc.is_trusted = true;
        let task = Task::Trust {
            path: doc.flow_ref.path(),
            // What the file holds; edits made here since are trusted when they are saved.
            flow: doc.base().clone(),
            root,
        };
        self.ask_saver(page.tab, task);
        self.do_verb(ctx, then);
    }

    // Earlier versions.

    pub(super) fn show_versions(&mut self) {
        let Some(tab) = self.view.tab() else {
            return;
        };
        let (id, path) = (tab.id, tab.path.clone());
        if path.as_os_str().is_empty() {
            let what = "This flow was never saved, so there are no older versions.";
            self.view.tell(Notice::new(Level::Info, what, ""));
            return;
        }
        self.show_page(Page::Versions(VersionsPage::new(id, path.clone())));
        self.ask_saver(id, Task::ListBackups(path));
    }

    fn versions_page(&mut self, id: TabId) -> Option<&mut VersionsPage> {
        match &mut self.view.dialog {
            Some(Dialog::Safety(page)) => match &mut **page {
                Page::Versions(page) if page.tab == id => Some(page),
                _ => None,
            },
            _ => None,
        }
    }

    fn use_version(&mut self) {
        let Some(Dialog::Safety(page)) = self.view.dialog.take() else {
            return;
        };
        if let Page::Versions(page) = &*page
            && let Some(version) = page.chosen()
        {
            self.make_it(page.tab, &version.flow);
        }
    }

    /// The saver did what the functions above asked for.
    pub(super) fn task_done(&mut self, id: TabId, outcome: Outcome) {
        let told = |why: &Trouble| why.notice();
        match outcome {
            Outcome::Unsaved(Ok(found)) => self.unsaved_found(found),
            Outcome::Backups(list) => {
                let list = list.map_err(|why| told(&why).what.to_string());
                let page = self.versions_page(id);
                let path = page.as_ref().map(|page| page.path.clone());
                let first = page.and_then(|page| page.listed(list));
                if let (Some(first), Some(path)) = (first, path) {
                    self.ask_saver(id, Task::ReadBackup(path, first));
                }
            }
            Outcome::Backup(backup, version) => {
                let Some(now) = self.doc_of(id).map(|doc| doc.flow().clone()) else {
                    return;
                };
                if let Some(page) = self.versions_page(id) {
                    page.read(
                        backup,
                        version.map_err(|why| told(&why).what.to_string()),
                        &now,
                    );
                }
            }
            Outcome::TakenApart(Ok((sides, merging))) => {
                let Some(path) = self.view.tab_of(id).map(|tab| tab.path.clone()) else {
                    return;
                };
                if !self.view.tabs.iter().any(|tab| tab.id == id) {
                    // Its desk was put away meanwhile; the button is still there.
                    return;
                }
                let purpose = Purpose::Git { path, sides };
                self.show_page(Page::Merge(MergePage::new(id, purpose, merging)));
            }
            Outcome::Written(Ok(saved)) => {
                if let Some(remark) = saved.remark {
                    self.view.tell(remark);
                }
                if let Some(path) = self.view.tab_of(id).map(|tab| tab.path.clone()) {
                    self.files.send(FileJob::Load { tab: id, path });
                }
                self.look_again();
            }
            Outcome::Unsaved(Err(why))
            | Outcome::TakenApart(Err(why))
            | Outcome::Written(Err(why))
            | Outcome::Noted(Err(why)) => self.view.tell(told(&why)),
            Outcome::Noted(Ok(())) => {}
            // These come as results of their own.
            Outcome::Loaded(_) | Outcome::Saved { .. } | Outcome::Checked(_) => {}
        }
    }
}
