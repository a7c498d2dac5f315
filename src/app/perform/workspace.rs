//! Setting up a workspace from the window.

use std::path::PathBuf;

use egui::Context;

use crate::app::ports::{Ask, SetUp};
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
}
