//! Saving workfiles, and what became of a save.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::Context;

use crate::app::action::TabId;
use crate::app::ports::{Ask, FileJob, Onto, SaveTrouble};
use crate::app::view::Dialog;
use crate::app::window::App;
use crate::editor::DiskState;
use crate::model::{Flow, FlowRef, Notice};
use crate::runtime::Order;

impl App {
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

    pub(super) fn save(&mut self, ctx: &Context, id: TabId) {
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

    pub(super) fn write(&mut self, id: TabId, onto: Onto) {
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

    pub(super) fn save_as(&mut self, ctx: &Context, id: TabId) {
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

    pub(super) fn saved(
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
}

/// A name without an ending gets that of a workfile.
pub(super) fn with_ending(path: PathBuf) -> PathBuf {
    let known = path.extension().is_some() || path.file_name() == Some("Workfile".as_ref());
    if known {
        path
    } else {
        Path::new(&path).with_extension("graphml")
    }
}
