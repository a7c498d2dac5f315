//! Asking for a file or folder: by the desktop's dialog, or by our own where it has none.

use std::path::PathBuf;

use egui::Context;

use super::save::with_ending;
use crate::app::action::{Answer, TabId};
use crate::app::path_dialog::PathDialog;
use crate::app::ports::{Ask, FileJob, Picked};
use crate::app::view::{Dialog, Tab};
use crate::app::window::{App, Came};
use crate::model::WorkspaceId;

impl App {
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
    pub(super) fn picked_away(
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
    pub(super) fn give_up_closing(&mut self, tab: Option<TabId>) {
        self.view.quitting = false;
        if let Some(tab) = tab.and_then(|id| self.view.tab_of(id)) {
            tab.close_after_save = false;
        }
    }

    pub(super) fn take_path(
        &mut self,
        ctx: &Context,
        ask: &Ask,
        tab: Option<TabId>,
        path: PathBuf,
    ) {
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
}
