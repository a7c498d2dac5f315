//! Setting up a workspace from the window.

use std::path::PathBuf;

use egui::Context;

use crate::app::ports::{Ask, SetUp};
use crate::app::view::Content;
use crate::app::window::{App, Came};
use crate::model::{Level, Notice, WorkspaceId};
use crate::runtime::Order;

impl App {
    pub(super) fn ask_workspace_folder(&mut self, ctx: &Context) {
        self.ask_desktop(ctx, Ask::WorkspaceFolder, None);
    }

    /// Where a person's next workspace most likely belongs.
    pub(super) fn folder_of_workspaces(&self) -> PathBuf {
        let collection = self.view.settings.collection.clone();
        collection.unwrap_or_else(|| std::env::current_dir().unwrap_or_default())
    }

    /// Has the folder set up in the background.
    pub(super) fn set_up_in(&mut self, ctx: &Context, folder: PathBuf) {
        let provision = self.files.provisioner();
        let collection = self.view.settings.collection.clone();
        self.in_background(ctx, "handmill-provision", move || {
            Came::SetUp(provision(&folder, collection.as_deref()))
        });
    }

    /// A workspace was set up: it is said, and shown.
    pub(in crate::app) fn set_up(
        &mut self,
        ctx: &Context,
        result: Result<SetUp, (String, String)>,
    ) {
        let made = match result {
            Ok(made) => made,
            Err((what, hint)) => {
                let what = format!("The workspace was not set up: {what}.");
                return self.view.tell(Notice::error(what, hint));
            }
        };
        let name = made.root.file_name().unwrap_or_default().to_string_lossy();
        let what = match made.n_created {
            0 => format!("‘{name}’ was a whole workspace already; nothing was changed."),
            n => format!(
                "‘{name}’ is set up: {n} made, {} kept as they were.",
                made.n_kept
            ),
        };
        let hint = "Flows belong in its flow_modules. Press Ctrl+N to draw one.";
        self.view.tell(Notice::new(Level::Info, what, hint));
        let shown = self.view.settings.collection.clone();
        let lies_in = made.collection.unwrap_or(made.root);
        // A workspace elsewhere is not worth losing sight of the collection that is shown.
        if shown.is_none() {
            let mut settings = self.view.settings.clone();
            settings.collection = Some(lies_in);
            self.configure(ctx, settings);
        } else {
            self.engine.send(Order::SetCollection(shown));
        }
        self.awaited = Some(made.id);
    }

    /// Shows the workspace that was set up last, once the collection tells of it.
    pub(in crate::app) fn show_awaited(&mut self, ctx: &Context) {
        let found = |id: &WorkspaceId| {
            let mut known = self.board.catalog.workspaces.iter();
            known.any(|workspace| workspace.id == *id)
        };
        if self.awaited.as_ref().is_some_and(found)
            && let Some(id) = self.awaited.take()
        {
            self.show_workspace(ctx, &id);
        }
    }

    /// A workfile was read. While no collection is set, that of its workspace is shown; it is not remembered, because a
    /// person opened a file and chose nothing.
    pub(super) fn show_home(&mut self, workspace: &WorkspaceId, collection: PathBuf) {
        let is_set = self.view.settings.collection.is_some() || self.board.catalog.root.is_some();
        if is_set || self.adopted {
            return;
        }
        self.adopted = true;
        self.view.layout.workspace = Some(workspace.as_str().to_owned());
        // What is open lies on the desk of that workspace, once it is known.
        self.view.desk_of = None;
        self.engine.send(Order::SetCollection(Some(collection)));
    }

    /// Brings what was opened by its path to the desk of its workspace, once both the file and the collection are read.
    pub(in crate::app) fn bring_home(&mut self, ctx: &Context) {
        if self.homeless.is_empty() {
            return;
        }
        let expects = self.view.settings.collection.is_some() || self.adopted;
        let is_read = self.board.catalog.root.is_some() || !expects;
        for id in std::mem::take(&mut self.homeless) {
            let Some(tab) = self.view.tab_of(id) else {
                continue;
            };
            let home = match &tab.content {
                Content::Loading => None,
                Content::Broken(_) => continue,
                Content::Open(doc) => Some(doc.flow_ref.workspace.clone()),
            };
            let Some(home) = home.filter(|_| is_read) else {
                self.homeless.push(id);
                continue;
            };
            let mut known = self.board.catalog.workspaces.iter();
            if self.view.desk_of.as_ref() != Some(&home) && known.any(|entry| entry.id == home) {
                self.show_workspace(ctx, &home);
                if let Some(tab) = self.view.take_tab(id) {
                    self.view.tabs.push(tab);
                    self.view.shown = Some(id);
                }
            }
        }
    }
}
