//! What came of a file job, what a banner offers, and settings that are used at once.

use egui::Context;

use crate::app::action::BannerAct;
use crate::app::memory::Settings;
use crate::app::ports::{FileDone, Onto};
use crate::app::theme::Theme;
use crate::app::window::App;
use crate::runtime::Order;

impl App {
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
}

/// Nodes at once when nothing is set: as many as there are cores.
pub(in crate::app) fn cores() -> u32 {
    std::thread::available_parallelism().map_or(4, |n| u32::try_from(n.get()).unwrap_or(4))
}
