//! What a crash, another program, git or a stranger left: taken up, merged, reviewed, put back.

use std::path::Path;
use std::sync::Arc;

use egui::Context;

use crate::app::action::{TabId, Verb};
use crate::app::ports::FileJob;
use crate::app::safety::{Act, MergePage, Page, Purpose, ReviewPage, VersionsPage};
use crate::app::view::Dialog;
use crate::app::window::App;
use crate::editor::{
    Backup, Document, Merging, Outcome, Task, Trouble, WorkedOut, difference, take_in,
};
use crate::model::{Edit, Flow, Level, Notice};

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
            Act::WorkOut => self.work_out(),
            Act::UseMerged => self.use_merged(),
            Act::TakeApart(tab) => self.ask_saver_of(tab, Task::TakeApart),
            Act::Trust { whole, then } => self.trust(ctx, whole, then),
            Act::ReadVersion(backup) => {
                if let Some(id) = self.view.shown {
                    self.read_version(id, backup);
                }
            }
            Act::UseVersion => self.use_version(),
            Act::PutBack(tab, backup) => {
                self.ask_saver_of(tab, |path| Task::RestoreBackup(path, backup));
            }
            Act::OpenUnsaved(tab) => self.open_unsaved(tab),
        }
    }

    pub(super) fn ask_saver(&self, tab: TabId, task: Task) {
        self.files.send(FileJob::Task { tab, task });
    }

    fn ask_saver_of(&mut self, id: TabId, task: impl FnOnce(std::path::PathBuf) -> Task) {
        if let Some(tab) = self.view.tab_of(id) {
            let task = task(tab.path.clone());
            self.ask_saver(id, task);
        }
    }

    // The crash journal.

    pub(super) fn doc_of(&mut self, id: TabId) -> Option<&mut Document> {
        self.view.tab_of(id)?.doc_mut()
    }

    /// Makes the flow of a tab another, as one step.
    pub(super) fn make_it(&mut self, id: TabId, flow: &Flow) {
        let Some(doc) = self.doc_of(id) else {
            return;
        };
        let edit = difference(doc.flow(), flow);
        if edit != Edit::Batch(Vec::new()) {
            self.edit_tab(id, edit);
        }
        self.retain_selection(id);
    }

    pub(super) fn retain_selection(&mut self, id: TabId) {
        if let Some(tab) = self.view.tab_of(id)
            && let Some(flow) = tab.doc().map(|doc| doc.flow().clone())
        {
            tab.selection.retain(&flow);
        }
    }

    /// Has worked out what flows come to; then it is shown, or taken.
    pub(super) fn merge(&mut self, id: TabId, purpose: Purpose, merging: Merging) {
        if let Some(tab) = self.view.tab_of(id) {
            tab.trail.merges_for = Some(purpose);
            self.ask_saver(id, Task::WorkOut(Box::new(merging)));
        }
    }

    fn merge_page(&mut self) -> Option<&mut MergePage> {
        match &mut self.view.dialog {
            Some(Dialog::Safety(page)) => match &mut **page {
                Page::Merge(page) => Some(page),
                _ => None,
            },
            _ => None,
        }
    }

    /// Has worked out what was picked since.
    fn work_out(&mut self) {
        if let Some(page) = self.merge_page() {
            let (id, merging) = (page.tab, page.worked.merging.clone());
            self.ask_saver(id, Task::WorkOut(Box::new(merging)));
        }
    }

    fn worked_out(&mut self, id: TabId, worked: WorkedOut) {
        let Some(tab) = self.view.tab_of(id) else {
            return;
        };
        let Some(purpose) = tab.trail.merges_for.take() else {
            if let Some(page) = self.merge_page().filter(|page| page.tab == id)
                && page.take(worked)
                && page.is_wanted
            {
                self.use_merged();
            }
            return;
        };
        let now = tab.doc().map(Document::flow);
        let of_document = match &purpose {
            Purpose::Disk { .. } => Some(&worked.merging.ours),
            Purpose::Unsaved { .. } => Some(&worked.merging.theirs),
            Purpose::Git { .. } => None,
        };
        if of_document.is_some_and(|flow| now.is_none_or(|now| !Arc::ptr_eq(flow, now))) {
            // The document went on meanwhile: an edit made since must not be lost.
            match purpose {
                Purpose::Disk { .. } => self.settle_with_disk(id),
                Purpose::Unsaved { .. } | Purpose::Git { .. } => self.restore_in(id),
            }
            return;
        }
        let fits = worked.merged.conflicts.is_empty();
        if fits && matches!(purpose, Purpose::Unsaved { .. }) {
            self.take_restored(id, &purpose, &worked.merged.flow);
        } else if self.view.tabs.iter().any(|tab| tab.id == id) {
            // A desk that was put away meanwhile still has its strip.
            self.show_page(Page::Merge(MergePage::new(id, purpose, worked)));
        }
    }

    fn use_merged(&mut self) {
        if let Some(page) = self.merge_page().filter(|page| !page.is_ready()) {
            page.is_wanted = true;
            return;
        }
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
                    take_in(doc, &page.worked.merged.flow, theirs.clone());
                }
                self.retain_selection(id);
            }
            Purpose::Unsaved { .. } => {
                self.take_restored(id, &page.purpose, &page.worked.merged.flow);
            }
            Purpose::Git { path, sides } => {
                let task = Task::Settle(path.clone(), sides.clone(), page.worked.merging.picks);
                self.ask_saver(id, task);
            }
        }
    }

    pub(super) fn show_page(&mut self, page: Page) {
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
        self.show_page(Page::Versions(VersionsPage::new(id)));
        self.ask_saver(id, Task::ListBackups(path));
    }

    fn read_version(&mut self, id: TabId, backup: Backup) {
        let tab = self.view.tab_of(id);
        let now = tab.and_then(|tab| tab.doc()).map(|doc| doc.flow().clone());
        if let Some(now) = now {
            self.ask_saver_of(id, |path| Task::ReadBackup(path, backup, now));
        }
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
                if let Some(first) = page.and_then(|page| page.listed(list)) {
                    self.read_version(id, first);
                }
            }
            Outcome::Backup(backup, version) => {
                if let Some(page) = self.versions_page(id) {
                    page.read(backup, version.map_err(|why| told(&why).what.to_string()));
                }
            }
            Outcome::WorkedOut(Ok(worked)) => self.worked_out(id, *worked),
            Outcome::Compared(Ok(changes)) => self.unsaved_compared(id, changes),
            Outcome::TakenApart(Ok((sides, worked))) => {
                let Some(path) = self.view.tab_of(id).map(|tab| tab.path.clone()) else {
                    return;
                };
                if !self.view.tabs.iter().any(|tab| tab.id == id) {
                    // Its desk was put away meanwhile; the button is still there.
                    return;
                }
                let purpose = Purpose::Git { path, sides };
                self.show_page(Page::Merge(MergePage::new(id, purpose, *worked)));
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
            | Outcome::WorkedOut(Err(why))
            | Outcome::Compared(Err(why))
            | Outcome::Written(Err(why))
            | Outcome::Noted(Err(why)) => self.view.tell(told(&why)),
            Outcome::Noted(Ok(())) => {}
            // These come as results of their own.
            Outcome::Loaded(_) | Outcome::Saved { .. } | Outcome::Checked(_) => {}
        }
    }
}
