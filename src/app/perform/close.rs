//! Closing tabs, and the end of the program.

use egui::{Context, ViewportCommand};

use crate::app::action::{Answer, TabId};
use crate::app::view::Dialog;
use crate::app::window::App;
use crate::runtime::Order;

impl App {
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

    pub(super) fn drop_tab(&mut self, id: TabId) {
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

    pub(super) fn go_on_quitting(&mut self, ctx: &Context) {
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
}
