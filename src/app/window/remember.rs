//! What the next start finds again.

use egui::Context;

use crate::app::memory::Remembered;

use super::App;

impl App {
    pub(super) fn remember(&mut self, ctx: &Context) {
        // A drag changes widths in every frame; it is remembered when it ends.
        if ctx.input(|input| input.pointer.any_down()) {
            return;
        }
        let (size, maximized) = ctx.input(|input| {
            let size = input.viewport_rect().size();
            (size, input.viewport().maximized.unwrap_or(false))
        });
        self.view.layout.maximized = maximized;
        if !maximized {
            self.view.layout.window = [size.x.round(), size.y.round()];
        }
        if !self.view.quitting {
            self.remember_desks();
        }
        let now = Remembered {
            settings: self.view.settings.clone(),
            layout: self.view.layout.clone(),
        };
        if !self.is_worth_remembering(&now) {
            return;
        }
        if now != self.remembered {
            self.memory.save(&now);
            self.remembered = now;
        }
    }

    /// False for a window that was only looked at: without a collection and a flow, its size alone
    /// is no reason to leave a file behind.
    fn is_worth_remembering(&self, now: &Remembered) -> bool {
        let was = &self.remembered;
        let mut layout = now.layout.clone();
        layout.window = was.layout.window;
        layout.maximized = was.layout.maximized;
        now.settings.collection.is_some()
            || !self.view.tabs.is_empty()
            || now.settings != was.settings
            || layout != was.layout
    }
}
