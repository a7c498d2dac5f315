//! What workers give back, and how it is taken in.

use std::path::PathBuf;
use std::sync::mpsc::Sender;

use egui::Context;

use crate::app::action::TabId;
use crate::app::ports::{Ask, FolderEntry, Picked, SetUp};
use crate::app::settings::Granted;
use crate::app::view::Dialog;
use crate::model::{NodeId, Point, WorkspaceId};
use crate::runtime::Order;
use crate::runtime::health::Row;

use super::App;

/// What came from a worker thread.
pub(in crate::app) enum Came {
    /// A layout was worked out.
    Layout {
        tab: TabId,
        revision: u64,
        moves: Vec<(NodeId, Point)>,
    },
    /// The desktop's dialog was answered.
    Picked {
        ask: Ask,
        tab: Option<TabId>,
        /// The workspace that was shown when it was asked.
        desk: Option<WorkspaceId>,
        picked: Picked,
    },
    /// A workspace was set up, or was not: what happened, then what to do.
    SetUp(Result<SetUp, (String, String)>),
    /// The machine was looked at.
    Health(Vec<Row>),
    /// A wish about resources was carried out, or was not.
    Resources(Granted),
    /// A folder was listed.
    Listed {
        folder: PathBuf,
        entries: Vec<FolderEntry>,
    },
}

impl App {
    /// Does `work` on a thread of its own; what it gives is taken up by a later frame.
    pub(in crate::app) fn in_background(
        &self,
        ctx: &Context,
        name: &str,
        work: impl FnOnce() -> Came + Send + 'static,
    ) {
        let (sender, ctx) = (self.came_sender(), ctx.clone());
        let spawned = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                // The window may be gone by now; then nobody waits for it.
                drop(sender.send(work()));
                ctx.request_repaint();
            });
        // Without a thread nothing comes, and the window stays as it is.
        drop(spawned);
    }

    pub(in crate::app) fn came_sender(&self) -> Sender<Came> {
        self.came.0.clone()
    }

    pub(super) fn drain(&mut self, ctx: &Context) {
        for done in self.files.drain() {
            self.file_done(ctx, done);
        }
        while let Ok(came) = self.came.1.try_recv() {
            match came {
                Came::Layout {
                    tab,
                    revision,
                    moves,
                } => self.layout_came(tab, revision, moves),
                Came::SetUp(result) => self.set_up(ctx, result),
                Came::Picked {
                    ask,
                    tab,
                    desk,
                    picked,
                } => self.picked(ctx, ask, tab, desk, picked),
                Came::Health(rows) => {
                    if let Some(Dialog::Settings(page)) = &mut self.view.dialog {
                        page.seen(rows);
                    }
                }
                Came::Resources(granted) => {
                    let untold = match &mut self.view.dialog {
                        Some(Dialog::Settings(page)) => page.granted(granted),
                        _ => granted.done.and_then(Result::err),
                    };
                    if let Some(why) = untold {
                        self.engine.send(Order::Tell(why));
                    }
                }
                Came::Listed { folder, entries } => {
                    if let Some(Dialog::Path(dialog)) = &mut self.view.dialog {
                        dialog.listed(&folder, entries);
                    }
                }
            }
        }
    }
}
