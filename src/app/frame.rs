//! How the window is divided: bars, panes and the canvas, and what lies over them.

use egui::{Align, CentralPanel, Frame, Layout, Margin, Panel, Rect, Sense, Stroke, Ui, UiBuilder};

use super::canvas::{CanvasInput, VerbInfo, canvas_ui};
use super::theme::Theme;
use super::view::Content;
use super::window::{App, list_when_asked};
use super::{
    banner, dialogs, footer, inspector, log_pane, notices, palette, side_pane, sidebar, tabs,
    toolbar, verbs, welcome,
};

/// Heights of the bars in points.
const TOOLBAR_H: f32 = 44.0;
const FOOTER_H: f32 = 28.0;
const TABS_H: f32 = 34.0;

impl App {
    /// Draws the window.
    pub(super) fn draw(&mut self, ui: &mut Ui) {
        let theme = Theme::of(ui.ctx());
        let plain = Frame::new().fill(theme.panel);
        let now = self.now();
        ui.painter().rect_filled(ui.max_rect(), 0, theme.panel);
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;

        Panel::top("toolbar")
            .exact_size(TOOLBAR_H)
            .frame(plain.inner_margin(Margin::symmetric(12, 0)))
            .show(ui, |ui| {
                let (view, board, actions) = self.parts();
                toolbar::toolbar_ui(ui, view, board, actions);
            });
        Panel::bottom("footer")
            .exact_size(FOOTER_H)
            .frame(plain.inner_margin(Margin::symmetric(12, 0)))
            .show(ui, |ui| {
                let (view, board, actions) = self.parts();
                footer::footer_ui(ui, view, board, actions);
            });
        if self.view.layout.sidebar {
            let shown = Panel::left("sidebar")
                .default_size(self.view.layout.sidebar_w)
                .size_range(180.0..=420.0)
                .frame(plain.inner_margin(Margin::symmetric(8, 8)))
                .show(ui, |ui| {
                    let (view, board, actions) = self.parts();
                    sidebar::sidebar_ui(ui, view, board, now, actions);
                    ui.take_available_space();
                });
            self.view.layout.sidebar_w = shown.response.rect.width().round();
        }
        let open = self.view.doc().is_some();
        if self.view.layout.inspector && open {
            let shown = Panel::right("inspector")
                .default_size(self.view.layout.inspector_w)
                .size_range(220.0..=520.0)
                .frame(plain)
                .show(ui, |ui| {
                    let (view, board, actions) = self.parts();
                    inspector::inspector_ui(ui, view, board, now, actions);
                    ui.take_available_space();
                });
            self.view.layout.inspector_w = shown.response.rect.width().round();
        }
        if self.view.layout.bottom && open {
            let most = (ui.available_height() - 160.0).max(120.0);
            let shown = Panel::bottom("bottom")
                .resizable(true)
                .default_size(self.view.layout.bottom_h.min(most))
                .size_range(96.0..=most)
                .frame(plain)
                .show(ui, |ui| {
                    self.bottom_ui(ui);
                    ui.take_available_space();
                });
            self.view.layout.bottom_h = shown.response.rect.height().round();
        }
        CentralPanel::default()
            .frame(Frame::new().fill(theme.bg))
            .show(ui, |ui| self.center_ui(ui));

        let (view, board, actions) = self.parts();
        notices::notices_ui(ui, view, board, actions);
        palette::palette_ui(ui, view, board, actions);
        let asked = dialogs::dialogs_ui(ui, self);
        list_when_asked(self, ui.ctx(), asked);
    }

    fn bottom_ui(&mut self, ui: &mut Ui) {
        let now = self.now();
        // The log is read more than the list beside it.
        let most = (ui.available_width() * 0.45).max(200.0);
        let shown = Panel::right("runs")
            .default_size(self.view.layout.runs_w.min(most))
            .size_range(180.0_f32.min(most)..=most)
            .frame(Frame::new())
            .show(ui, |ui| {
                let (view, board, actions) = self.parts();
                side_pane::side_pane_ui(ui, view, board, now, actions);
                ui.take_available_space();
            });
        self.view.layout.runs_w = shown.response.rect.width().round();
        let target = self.log_target();
        let log = target.and_then(|target| self.board.logs.get(&target).cloned());
        CentralPanel::default().frame(Frame::new()).show(ui, |ui| {
            let (view, board, actions) = self.parts();
            log_pane::log_pane_ui(ui, view, board, log.as_ref(), actions);
        });
    }

    fn center_ui(&mut self, ui: &mut Ui) {
        let theme = Theme::of(ui.ctx());
        if self.view.tabs.is_empty() {
            let (view, board, actions) = self.parts();
            welcome::welcome_ui(ui, view, board, actions);
            return;
        }
        let full = ui.max_rect();
        let bar = Rect::from_min_size(full.min, egui::vec2(full.width(), TABS_H));
        let inside = UiBuilder::new()
            .max_rect(bar)
            .layout(Layout::left_to_right(Align::Max));
        ui.scope_builder(inside, |ui| {
            ui.painter().rect_filled(bar, 0, theme.panel);
            ui.painter().hline(
                bar.x_range(),
                bar.bottom() - 0.5,
                Stroke::new(1.0, theme.line),
            );
            let (view, _, actions) = self.parts();
            tabs::tabs_ui(ui, view, actions);
        });
        let mut rest = full;
        rest.min.y = bar.bottom();
        ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| {
            let now = self.now();
            let (view, board, actions) = self.parts();
            banner::banner_ui(ui, view, board, now, actions);
            let rest = ui.available_rect_before_wrap();
            ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| {
                ui.set_clip_rect(rest);
                self.canvas_or_state_ui(ui);
            });
            ui.allocate_rect(rest, Sense::hover());
        });
    }

    fn canvas_or_state_ui(&mut self, ui: &mut Ui) {
        let theme = Theme::of(ui.ctx());
        let now = self.now();
        let enabled = !self.view.is_covered();
        let facts = self.view.context(&self.board);
        let mac = ui.ctx().os().is_mac();
        let verb_info = |verb| {
            let entry = verbs::entry(verb);
            VerbInfo {
                name: entry.name.to_owned(),
                key_text: entry
                    .keys
                    .first()
                    .map(|key| key.label(mac))
                    .unwrap_or_default(),
                disabled_because: facts.disabled_because(verb),
            }
        };
        let minimap = self.view.layout.minimap;
        let zone = self.view.zone.clone();
        let board = self.board.clone();
        let (view, _, actions) = self.parts();
        let Some(tab) = view.tab_mut() else {
            return;
        };
        match &tab.content {
            Content::Loading => welcome::loading_ui(ui, &tab.path),
            Content::Broken(broken) => {
                welcome::broken_ui(ui, (&tab.path, broken), tab.id, now, &zone, actions);
            }
            Content::Open(doc) => {
                let input = CanvasInput {
                    doc_id: tab.id.0,
                    flow: doc.flow(),
                    revision: doc.revision(),
                    board: board.flow(&doc.flow_ref).map(|flow| &**flow),
                    selection: &tab.selection,
                    theme: &theme,
                    now,
                    enabled,
                    minimap,
                    verb_info: &verb_info,
                };
                canvas_ui(ui, &input, &mut tab.canvas, actions);
            }
        }
    }
}
