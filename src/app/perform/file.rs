//! Opening, saving, closing; what to do when the file changed underneath; the end of the program.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::{Context, ViewportCommand};

use crate::app::action::{Answer, BannerAct, TabId};
use crate::app::memory::Settings;
use crate::app::path_dialog::PathDialog;
use crate::app::ports::{Ask, Broken, FileDone, FileJob, Loaded, Onto, Picked, SaveTrouble};
use crate::app::theme::Theme;
use crate::app::view::{Content, Dialog, Tab};
use crate::app::window::{App, Came};
use crate::editor::{DiskState, Document, follow};
use crate::model::{Flow, FlowRef, Notice, WorkspaceId};
use crate::runtime::Order;

impl App {
    /// Opens a workfile in a tab, or goes to the tab that has it; of another workspace, there.
    pub(in crate::app) fn open_path(&mut self, ctx: &Context, path: PathBuf) {
        match self.workspace_of(&path) {
            Some(home) => self.show_workspace(ctx, &home),
            // Where the collection is read yet, or the path is another way to the file, it is told later.
            None => {
                self.open_here(path);
                return self.homeless.extend(self.view.shown);
            }
        }
        self.open_here(path);
    }

    /// Opens a workfile on the desk that is out, or goes to the tab that has it.
    pub(in crate::app) fn open_here(&mut self, path: PathBuf) {
        if let Some(tab) = self.view.tabs.iter().find(|tab| tab.path == path) {
            let (id, broken) = (tab.id, matches!(tab.content, Content::Broken(_)));
            self.show_tab(id);
            if !broken {
                return;
            }
            self.view.tabs.retain(|tab| tab.id != id);
        }
        // A file is one document wherever it is shown: a tab that lies elsewhere comes here.
        let elsewhere = self.view.all_tabs().find(|tab| tab.path == path);
        if let Some(id) = elsewhere.map(|tab| tab.id)
            && let Some(tab) = self.view.take_tab(id)
        {
            self.view.tabs.push(tab);
            self.show_tab(id);
            return;
        }
        let id = TabId(self.view.number());
        self.view.tabs.push(Tab::loading(id, path.clone()));
        self.view.shown = Some(id);
        self.files.send(FileJob::Load { tab: id, path });
    }

    pub(super) fn new_flow(&mut self) {
        let id = TabId(self.view.number());
        // Until it is saved it has no file; its number keeps it apart from others without one.
        let flow_ref = FlowRef {
            workspace: WorkspaceId::new("unsaved"),
            root: self.home_folder().into(),
            file: format!("New flow {}.graphml", id.0 % 1_000).into(),
        };
        let doc = Document::new(flow_ref.clone(), Arc::new(Flow::default()), DiskState::New);
        let mut tab = Tab::loading(id, PathBuf::new());
        self.engine.send(Order::OpenFlow {
            flow: flow_ref,
            frozen: doc.flow().clone(),
            results: doc.results.clone(),
        });
        tab.content = Content::Open(Box::new(doc));
        self.view.tabs.push(tab);
        self.view.shown = Some(id);
    }

    /// Where a person's next file most likely belongs.
    fn home_folder(&self) -> PathBuf {
        let shown = self.view.tab().and_then(|tab| tab.path.parent());
        if let Some(folder) = shown.filter(|folder| !folder.as_os_str().is_empty()) {
            return folder.to_owned();
        }
        let chosen = self.view.layout.workspace.as_deref();
        let workspaces = &self.board.catalog.workspaces;
        let workspace = workspaces
            .iter()
            .find(|w| Some(w.id.as_str()) == chosen)
            .or(workspaces.first());
        match workspace {
            Some(workspace) => workspace.root.join("flow_modules"),
            None => std::env::current_dir().unwrap_or_default(),
        }
    }

    pub(super) fn save_shown(&mut self, ctx: &Context) {
        let Some(id) = self.view.shown else {
            return;
        };
        let tab = self.view.tab();
        match tab.is_some_and(|tab| tab.trail.theirs.is_some()) {
            // Neither version may be lost by a key: what both changed is chosen first.
            true => self.settle_with_disk(id),
            false => self.save(ctx, id),
        }
    }

    fn save(&mut self, ctx: &Context, id: TabId) {
        let Some(tab) = self.view.tab_of(id) else {
            return;
        };
        let Some(doc) = tab.doc() else {
            return;
        };
        let onto = match &doc.disk {
            DiskState::New => {
                self.save_as(ctx, id);
                return;
            }
            DiskState::InStep(stamp) | DiskState::Changed { ours: stamp } => {
                Onto::Version(stamp.clone())
            }
            DiskState::Deleted => Onto::Nothing,
        };
        self.write(id, onto);
    }

    fn write(&mut self, id: TabId, onto: Onto) {
        let Some(tab) = self.view.tab_of(id) else {
            return;
        };
        let Some(doc) = tab.doc() else {
            return;
        };
        let job = FileJob::Save {
            tab: id,
            flow_ref: doc.flow_ref.clone(),
            flow: doc.flow().clone(),
            place: doc.place(),
            onto,
            trusted: doc.is_trusted,
        };
        tab.saving = true;
        self.files.send(job);
    }

    pub(super) fn save_and_close(&mut self, ctx: &Context) {
        let Some(tab) = self.view.tab_mut() else {
            return;
        };
        let id = tab.id;
        if tab.is_dirty() {
            tab.close_after_save = true;
            self.save(ctx, id);
        } else {
            self.drop_tab(id);
        }
    }

    pub(super) fn save_shown_as(&mut self, ctx: &Context) {
        if let Some(id) = self.view.shown {
            self.save_as(ctx, id);
        }
    }

    fn save_as(&mut self, ctx: &Context, id: TabId) {
        let Some(tab) = self.view.tab_of(id) else {
            return;
        };
        let (path, title) = (tab.path.clone(), tab.title());
        let start = if path.as_os_str().is_empty() {
            let stem = title.replace(['/', '\\'], "-");
            self.home_folder().join(format!("{stem}.graphml"))
        } else {
            path
        };
        self.ask_desktop(ctx, Ask::SaveFile(start), Some(id));
    }

    pub(super) fn ask_open_file(&mut self, ctx: &Context) {
        self.ask_desktop(ctx, Ask::OpenFile, None);
    }

    pub(super) fn ask_collection(&mut self, ctx: &Context) {
        self.ask_desktop(ctx, Ask::OpenFolder, None);
    }

    pub(super) fn ask_desktop(&mut self, ctx: &Context, ask: Ask, tab: Option<TabId>) {
        let (came, ctx) = (self.came_sender(), ctx.clone());
        let (asked, desk) = (ask.clone(), self.view.desk_of.clone());
        let reply = move |picked| {
            // The window may be gone by now; then nobody asks any more.
            drop(came.send(Came::Picked {
                ask,
                tab,
                desk,
                picked,
            }));
            ctx.request_repaint();
        };
        self.desktop.ask(asked, Box::new(reply));
    }

    /// The desktop's dialog was answered, maybe when another workspace is shown than `desk`, where it
    /// was asked.
    pub(in crate::app) fn picked(
        &mut self,
        ctx: &Context,
        ask: Ask,
        tab: Option<TabId>,
        desk: Option<WorkspaceId>,
        picked: Picked,
    ) {
        if let Some(id) = desk.filter(|id| self.view.away.contains_key(id))
            && !matches!(ask, Ask::OpenFolder | Ask::WorkspaceFolder)
        {
            return self.picked_away(ctx, ask, tab, &id, picked);
        }
        match picked {
            Picked::Path(path) => self.take_path(ctx, &ask, tab, path),
            Picked::Cancelled => self.give_up_closing(tab),
            Picked::Unavailable => {
                let start = match &ask {
                    Ask::SaveFile(path) => path.clone(),
                    Ask::OpenFile | Ask::OpenFolder => self.home_folder(),
                    Ask::WorkspaceFolder => self.folder_of_workspaces(),
                };
                let dialog = PathDialog::new(ask, tab, &start);
                self.list_folder(ctx, dialog.folder());
                self.view.dialog = Some(Dialog::Path(Box::new(dialog)));
            }
        }
    }

    /// The same for a desk that is put away: nothing of it shows on the one that is out.
    fn picked_away(
        &mut self,
        ctx: &Context,
        ask: Ask,
        tab: Option<TabId>,
        desk: &WorkspaceId,
        picked: Picked,
    ) {
        match picked {
            Picked::Path(path) if ask == Ask::OpenFile => {
                let id = TabId(self.view.number());
                if let Some(desk) = self.view.away.get_mut(desk)
                    && desk.tabs.iter().all(|tab| tab.path != path)
                {
                    desk.tabs.push(Tab::loading(id, path.clone()));
                    desk.shown = Some(id);
                    self.files.send(FileJob::Load { tab: id, path });
                }
            }
            Picked::Path(path) => self.take_path(ctx, &ask, tab, path),
            Picked::Cancelled => self.give_up_closing(tab),
            Picked::Unavailable => {
                let start = match &ask {
                    Ask::SaveFile(path) => path.clone(),
                    Ask::OpenFile | Ask::OpenFolder | Ask::WorkspaceFolder => self.home_folder(),
                };
                let dialog = PathDialog::new(ask, tab, &start);
                if let Some(desk) = self.view.away.get_mut(desk) {
                    desk.dialog = Some(Dialog::Path(Box::new(dialog)));
                }
            }
        }
    }

    /// Has a folder listed in the background, for the path dialog.
    pub(in crate::app) fn list_folder(&self, ctx: &Context, folder: PathBuf) {
        let lister = self.files.lister();
        self.in_background(ctx, "handmill-list", move || {
            let entries = lister(&folder);
            Came::Listed { folder, entries }
        });
    }

    pub(super) fn answer_path(&mut self, ctx: &Context, dialog: PathDialog, answer: Answer) {
        match answer {
            Answer::Path(path) => self.take_path(ctx, &dialog.ask, dialog.tab, path),
            Answer::Save | Answer::Discard | Answer::Cancel | Answer::KeepRunning => {
                self.give_up_closing(dialog.tab)
            }
        }
    }

    /// A save that was to close a tab was given up: the tab stays.
    fn give_up_closing(&mut self, tab: Option<TabId>) {
        self.view.quitting = false;
        if let Some(tab) = tab.and_then(|id| self.view.tab_of(id)) {
            tab.close_after_save = false;
        }
    }

    fn take_path(&mut self, ctx: &Context, ask: &Ask, tab: Option<TabId>, path: PathBuf) {
        match ask {
            Ask::OpenFile => self.open_path(ctx, path),
            Ask::OpenFolder => {
                let mut settings = self.view.settings.clone();
                settings.collection = Some(path);
                self.configure(ctx, settings);
            }
            Ask::WorkspaceFolder => self.set_up_in(ctx, path),
            Ask::SaveFile(_) => {
                if let Some(tab) = tab {
                    let path = with_ending(path);
                    self.write_as(tab, path, false);
                }
            }
        }
    }

    pub(super) fn write_as(&mut self, id: TabId, path: PathBuf, overwrite: bool) {
        let Some(tab) = self.view.tab_of(id) else {
            return;
        };
        let origin = (!tab.path.as_os_str().is_empty()).then(|| tab.path.clone());
        let Some(doc) = tab.doc() else {
            return;
        };
        let job = FileJob::SaveAs {
            tab: id,
            flow: doc.flow().clone(),
            place: doc.place(),
            path: path.clone(),
            origin,
            overwrite,
            trusted: doc.is_trusted,
        };
        tab.saving = true;
        self.saving_as = Some((id, path));
        self.files.send(job);
    }

    /// Sees whether another program changed the file of a tab; one that could not be read is read again.
    pub(in crate::app) fn check_file(&mut self, id: TabId) {
        let Some(tab) = self.view.tab_of(id) else {
            return;
        };
        // A save that is on its way finds out itself.
        if tab.saving {
            return;
        }
        match &tab.content {
            Content::Open(_) => self.look_at(id),
            Content::Broken(_) => {
                let path = tab.path.clone();
                self.files.send(FileJob::Load { tab: id, path });
            }
            Content::Loading => {}
        }
    }

    pub(super) fn banner(&mut self, ctx: &Context, act: BannerAct) {
        let Some(tab) = self.view.tab() else {
            return;
        };
        let (id, path) = (tab.id, tab.path.clone());
        match act {
            BannerAct::Settle => self.settle_with_disk(id),
            BannerAct::Look => {
                drop(path);
                self.check_file(id);
            }
            BannerAct::KeepMine => self.write(id, Onto::Whatever),
            BannerAct::SaveCopy => self.save_as(ctx, id),
        }
    }

    /// Closes a tab, asking first when edits would be lost.
    pub(super) fn close_tab(&mut self, id: TabId) {
        let Some(tab) = self.view.tab_of(id) else {
            return;
        };
        if tab.is_dirty() {
            if self.view.away_with(id).is_none() {
                self.view.shown = Some(id);
            }
            self.view.dialog = Some(Dialog::Close(id));
        } else {
            self.drop_tab(id);
        }
    }

    pub(super) fn answer_close(&mut self, ctx: &Context, id: TabId, answer: &Answer) {
        match answer {
            Answer::Save => {
                if let Some(tab) = self.view.tab_of(id) {
                    tab.close_after_save = true;
                }
                self.save(ctx, id);
            }
            Answer::Discard => {
                self.drop_tab(id);
                self.go_on_quitting(ctx);
            }
            Answer::Cancel | Answer::KeepRunning | Answer::Path(_) => self.view.quitting = false,
        }
    }

    fn drop_tab(&mut self, id: TabId) {
        let closed = self.view.take_tab(id);
        if let Some(doc) = closed.as_ref().and_then(|tab| tab.doc()) {
            self.engine.send(Order::CloseFlow(doc.flow_ref.clone()));
            self.end_journal(id);
        }
    }

    pub(super) fn quit(&mut self, ctx: &Context) {
        self.view.quitting = true;
        self.go_on_quitting(ctx);
    }

    fn go_on_quitting(&mut self, ctx: &Context) {
        if !self.view.quitting {
            return;
        }
        // The tabs of this session are remembered as they stand when closing begins.
        self.remember_desks();
        let dirty = self.view.all_tabs().find(|tab| tab.is_dirty());
        if let Some(id) = dirty.map(|tab| tab.id) {
            self.close_tab(id);
            return;
        }
        let n_live = self
            .board
            .flows
            .values()
            .filter(|flow| flow.live.is_some())
            .count();
        if n_live > 0 {
            self.view.dialog = Some(Dialog::QuitRunning);
        } else {
            self.really_quit(ctx);
        }
    }

    pub(super) fn really_quit(&mut self, ctx: &Context) {
        self.may_close = true;
        ctx.send_viewport_cmd(ViewportCommand::Close);
    }

    /// Something came of a file job.
    pub(in crate::app) fn file_done(&mut self, ctx: &Context, done: FileDone) {
        match done {
            FileDone::Loaded { tab, result } => self.loaded(tab, result),
            FileDone::Saved {
                tab,
                place,
                flow,
                result,
                remark,
            } => {
                if let Some(remark) = remark {
                    self.view.tell(remark);
                }
                self.saved(ctx, tab, (place, flow), result);
            }
            FileDone::Touched { tab } => self.check_file(tab),
            FileDone::Checked { tab, news } => self.checked(tab, news),
            FileDone::Task { tab, outcome } => self.task_done(tab, outcome),
            FileDone::Journal(news) => self.journal_told(news),
        }
    }

    fn loaded(&mut self, id: TabId, result: Result<Box<Loaded>, Box<Broken>>) {
        let Some(tab) = self.view.tab_of(id) else {
            return;
        };
        let loaded = match result {
            Ok(loaded) => *loaded,
            Err(broken) if tab.doc().is_some() => {
                self.view.tell(Notice::error(
                    broken.why,
                    "What is on the screen is kept. Save a copy to be safe.",
                ));
                return;
            }
            Err(broken) => {
                tab.content = Content::Broken(broken);
                return;
            }
        };
        tab.path = loaded.flow_ref.path();
        let version = loaded.version;
        let order = Order::OpenFlow {
            flow: loaded.flow_ref.clone(),
            frozen: version.flow.clone(),
            results: version.results.clone(),
        };
        let workspace = loaded.flow_ref.workspace.clone();
        if let Some(doc) = tab.doc_mut() {
            follow(doc, version);
            let flow = doc.flow().clone();
            tab.selection.retain(&flow);
        } else {
            let doc = Document::open(loaded.flow_ref, version);
            tab.content = Content::Open(Box::new(doc));
        }
        tab.trail.unsaved = loaded.unsaved;
        if let Some(remark) = loaded.remark {
            self.view.tell(remark);
        }
        self.engine.send(order);
        if let Some(collection) = loaded.collection {
            self.show_home(&workspace, collection);
        }
    }

    fn saved(
        &mut self,
        ctx: &Context,
        id: TabId,
        (place, flow): (usize, Arc<Flow>),
        result: Result<(FlowRef, crate::editor::Stamp), SaveTrouble>,
    ) {
        let asked_path = self.saving_as.take_if(|(tab, _)| *tab == id);
        if result.is_err() {
            self.view.quitting = false;
        }
        let Some(tab) = self.view.tab_of(id) else {
            return;
        };
        tab.saving = false;
        let close = std::mem::take(&mut tab.close_after_save);
        match result {
            Ok((flow_ref, stamp)) => {
                tab.path = flow_ref.path();
                let Some(doc) = tab.doc_mut() else {
                    return;
                };
                doc.saved(place, flow, stamp);
                tab.trail.came.clear();
                let Some(doc) = tab.doc_mut() else {
                    return;
                };
                if doc.flow_ref != flow_ref {
                    let was = std::mem::replace(&mut doc.flow_ref, flow_ref.clone());
                    let order = Order::OpenFlow {
                        flow: flow_ref,
                        frozen: doc.flow().clone(),
                        results: doc.results.clone(),
                    };
                    self.engine.send(Order::CloseFlow(was));
                    self.engine.send(order);
                }
                if close {
                    self.drop_tab(id);
                }
                self.look_again();
                self.go_on_quitting(ctx);
            }
            Err(trouble) => {
                let name = tab.title();
                let Some(doc) = tab.doc_mut() else {
                    return;
                };
                match trouble {
                    // What changed decides: it is taken in, or has to be settled.
                    SaveTrouble::Changed => self.look_at(id),
                    SaveTrouble::Deleted => doc.disk = DiskState::Deleted,
                    SaveTrouble::Exists => {
                        tab.close_after_save = close;
                        if let Some((_, path)) = asked_path {
                            self.view.ask_about(id, Dialog::Replace(id, path));
                        }
                    }
                    SaveTrouble::Other(what, hint) => {
                        self.view
                            .tell(Notice::error(format!("{name} was not saved: {what}"), hint));
                    }
                }
            }
        }
    }

    /// Uses new settings and remembers them.
    pub(in crate::app) fn configure(&mut self, ctx: &Context, settings: Settings) {
        let was = std::mem::replace(&mut self.view.settings, settings);
        let now = &self.view.settings;
        if was.theme != now.theme {
            Theme::choose(ctx, now.theme);
        }
        if was.collection != now.collection {
            self.engine
                .send(Order::SetCollection(now.collection.clone()));
        }
        if was.manner() != now.manner() {
            self.engine.send(Order::Configure(now.manner()));
        }
    }

    pub(super) fn open_example(&mut self, ctx: &Context) {
        match self.files.example() {
            Some(path) => {
                let mut settings = self.view.settings.clone();
                settings.collection = Some(path);
                self.configure(ctx, settings);
            }
            None => self.view.tell(Notice::error(
                "The example did not come with this copy of Handmill.",
                "Choose a folder of your own, or open a file.",
            )),
        }
    }
}

/// Nodes at once when nothing is set: as many as there are cores.
pub(in crate::app) fn cores() -> u32 {
    std::thread::available_parallelism().map_or(4, |n| u32::try_from(n.get()).unwrap_or(4))
}

/// A name without an ending gets that of a workfile.
fn with_ending(path: PathBuf) -> PathBuf {
    let known = path.extension().is_some() || path.file_name() == Some("Workfile".as_ref());
    if known {
        path
    } else {
        Path::new(&path).with_extension("graphml")
    }
}
