//! One frame: what came is taken in, what was asked for is done, then everything is drawn.

use std::time::Duration;

use egui::{Context, Event, ViewportCommand};

use crate::app::action::{Action, Verb};
use crate::app::path_dialog;
use crate::app::view::Tab;
use crate::runtime::Order;

use super::App;

/// Running times are drawn anew this often, and only while one is shown.
const TICK: Duration = Duration::from_millis(100);

impl App {
    /// The first half of a frame: takes in what came, and does what the frame before asked for.
    pub(in crate::app) fn before_drawing(&mut self, ctx: &Context) {
        self.board = self.engine.board();
        self.drain(ctx);
        self.take_left_draft(ctx);
        self.close_requested(ctx);
        if ctx.input(|input| input.events.contains(&Event::WindowFocused(true))) {
            if let Some(id) = self.view.shown {
                self.check_file(id);
            }
            // A person comes back from where the files may have been changed.
            self.look_again();
        }
        // The collection may tell of another first workspace, or no longer of the one shown.
        self.settle_desk(ctx);
        self.show_awaited(ctx);
        self.bring_home(ctx);
        self.watch_control();
        self.keys(ctx);
        for action in std::mem::take(&mut self.actions) {
            self.perform(ctx, action);
        }
        self.ask_for_resources();
        self.follow_wish();
        self.watch_kills();
        self.keep_journals();
        self.follow_selection();
        self.follow_logs();
        self.follow_history();
        self.remember(ctx);
        self.tell_title(ctx);
    }

    /// The second half: draws, and asks for another frame only when something will change.
    pub(in crate::app) fn drawing(&mut self, ui: &mut egui::Ui) {
        let pointed = self.view.pointed_run.take();
        self.draw(ui);
        self.keep_typing();
        let unsettled = self.view.pointed_run != pointed;
        if !self.actions.is_empty() || self.turn.is_waiting() || unsettled {
            // What was asked for is done before the next frame is drawn.
            ui.ctx().request_repaint();
        }
        self.tick(ui.ctx());
    }
}

impl App {
    /// A draft whose field was left, or is drawn no longer, becomes an edit.
    fn take_left_draft(&mut self, ctx: &Context) {
        let pass = ctx.cumulative_pass_nr();
        if let Some(draft) = &mut self.view.draft {
            draft.left |= draft.seen + 1 < pass && draft.refused.is_none();
            if draft.left {
                self.take_draft();
            }
        }
    }

    fn close_requested(&mut self, ctx: &Context) {
        let requested = ctx.input(|input| input.viewport().close_requested());
        if requested && !self.may_close {
            let dirty = self.view.all_tabs().any(Tab::is_dirty);
            let live = self.board.flows.values().any(|flow| flow.live.is_some());
            if dirty || live {
                ctx.send_viewport_cmd(ViewportCommand::CancelClose);
                self.actions.push(Action::Do(Verb::Quit));
            }
        }
    }

    fn tell_title(&mut self, ctx: &Context) {
        let title = match self.view.tab() {
            Some(tab) => {
                let mark = if tab.is_dirty() { "• " } else { "" };
                format!("{mark}{} — Handmill", tab.title())
            }
            None => "Handmill".to_owned(),
        };
        if title != self.title {
            ctx.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }

    /// Asks for the next frame when something shown changes by itself.
    fn tick(&self, ctx: &Context) {
        let running = self
            .view
            .flow_board(&self.board)
            .is_some_and(|flow| flow.live.is_some());
        if running {
            ctx.request_repaint_after(TICK);
        }
    }
}

/// What tests drive the window by.
#[cfg(test)]
impl App {
    /// One whole frame.
    pub(crate) fn pass(&mut self, ui: &mut egui::Ui) {
        self.before_drawing(ui.ctx());
        self.drawing(ui);
    }

    /// Asks for something, as the frame before would have.
    pub(crate) fn ask(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// The picture that the last frame was drawn from.
    pub(crate) fn picture(&self) -> &crate::runtime::Board {
        &self.board
    }
}

impl eframe::App for App {
    fn raw_input_hook(&mut self, ctx: &Context, raw: &mut egui::RawInput) {
        let unsettled = self.actions.iter().any(Action::may_take_keys);
        self.turn.admit(raw, ctx.text_edit_focused(), unsettled);
    }

    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        self.before_drawing(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.drawing(ui);
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.engine.send(Order::ShutDown);
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}

/// Shows the path dialog's wish for a listing; kept here because it needs the worker.
pub(in crate::app) fn list_when_asked(app: &App, ctx: &Context, asked: Option<path_dialog::List>) {
    if let Some(path_dialog::List(folder)) = asked {
        app.list_folder(ctx, folder);
    }
}
