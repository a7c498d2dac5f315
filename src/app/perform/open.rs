//! Opening workfiles.

use std::path::PathBuf;
use std::sync::Arc;

use egui::Context;

use crate::app::action::TabId;
use crate::app::ports::{Broken, FileJob, Loaded};
use crate::app::view::{Content, Tab};
use crate::app::window::App;
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
    pub(super) fn home_folder(&self) -> PathBuf {
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

    pub(super) fn loaded(&mut self, id: TabId, result: Result<Box<Loaded>, Box<Broken>>) {
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
