//! How the window is divided: bars, panes and the canvas, and what lies over them.

use egui::{Align, CentralPanel, Frame, Layout, Margin, Panel, Rect, Sense, Stroke, Ui, UiBuilder};

use super::canvas::{CanvasInput, VerbInfo, canvas_ui};
use super::memory::Layout as PaneLayout;
use super::room::{self, Sizes};
use super::theme::Theme;
use super::view::Content;
use super::window::{App, list_when_asked};
use super::{
    banner, control, dialog, footer, inspector, log_pane, notices, palette, side_pane, sidebar,
    split, tabs, toolbar, verbs, welcome,
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
        {
            let (view, board, actions) = self.parts();
            control::bar_ui(ui, view, board, actions);
        }
        Panel::bottom("footer")
            .exact_size(FOOTER_H)
            .frame(plain.inner_margin(Margin::symmetric(12, 0)))
            .show(ui, |ui| {
                let (view, board, actions) = self.parts();
                footer::footer_ui(ui, view, board, actions);
            });
        let all = ui.available_rect_before_wrap();
        self.view.room = room::share(all.size(), self.wishes(), self.view.asked_pane);
        let given = self.view.room;
        if let Some(width) = given.sidebar {
            let pane = Panel::left("sidebar")
                .resizable(false)
                .exact_size(width)
                .frame(plain.inner_margin(Margin::symmetric(8, 8)))
                .show(ui, |ui| {
                    let (view, board, actions) = self.parts();
                    sidebar::sidebar_ui(ui, view, board, now, actions);
                    ui.take_available_space();
                });
            let wish = split::right_of(ui, "Width of the sidebar", pane.response.rect);
            self.wish(|layout, wish| layout.sidebar_w = wish, wish);
        }
        if let Some(width) = given.inspector {
            let pane = Panel::right("inspector")
                .resizable(false)
                .exact_size(width)
                .frame(plain)
                .show(ui, |ui| {
                    let (view, board, actions) = self.parts();
                    inspector::inspector_ui(ui, view, board, now, actions);
                    ui.take_available_space();
                });
            let wish = split::left_of(ui, "Width of the inspector", pane.response.rect);
            self.wish(|layout, wish| layout.panes.inspector_w = wish, wish);
        }
        if let Some(height) = given.bottom {
            let pane = Panel::bottom("bottom")
                .exact_size(height)
                .frame(plain)
                .show(ui, |ui| {
                    self.bottom_ui(ui);
                    ui.take_available_space();
                });
            let wish = split::top_of(ui, "Height of the log", pane.response.rect);
            self.wish(|layout, wish| layout.panes.bottom_h = wish, wish);
        }
        let center = CentralPanel::default()
            .frame(Frame::new().fill(theme.bg))
            .show(ui, |ui| self.center_ui(ui));

        let (view, board, actions) = self.parts();
        notices::notices_ui(ui, center.response.rect, view, board, actions);
        palette::palette_ui(ui, view, board, actions);
        let asked = dialog::dialogs_ui(ui, self);
        list_when_asked(self, ui.ctx(), asked);
    }

    /// The panes that are to be shown, as large as a person wished for them.
    fn wishes(&self) -> Sizes {
        let (layout, open) = (&self.view.layout, self.view.doc().is_some());
        let panes = &layout.panes;
        Sizes {
            sidebar: layout.sidebar.then_some(layout.sidebar_w),
            inspector: (panes.inspector && open).then_some(panes.inspector_w),
            bottom: (panes.bottom && open).then_some(panes.bottom_h),
        }
    }

    /// A pane was dragged to another size. What the others have now is wished for too, or they would
    /// take back what the hand gives.
    fn wish(&mut self, set: impl FnOnce(&mut PaneLayout, f32), dragged: Option<f32>) {
        let Some(size) = dragged else {
            return;
        };
        let (layout, given) = (&mut self.view.layout, self.view.room);
        layout.sidebar_w = given.sidebar.unwrap_or(layout.sidebar_w);
        let panes = &mut layout.panes;
        panes.inspector_w = given.inspector.unwrap_or(panes.inspector_w);
        panes.bottom_h = given.bottom.unwrap_or(panes.bottom_h);
        set(layout, size.round());
    }

    fn bottom_ui(&mut self, ui: &mut Ui) {
        let now = self.now();
        let width = room::runs_width(ui.available_width(), self.view.layout.panes.runs_w);
        let pane = Panel::right("runs")
            .resizable(false)
            .exact_size(width)
            .frame(Frame::new())
            .show(ui, |ui| {
                let (view, board, actions) = self.parts();
                side_pane::side_pane_ui(ui, view, board, now, actions);
                ui.take_available_space();
            });
        let wish = split::left_of(ui, "Width of the runs", pane.response.rect);
        self.wish(|layout, wish| layout.panes.runs_w = wish, wish);
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
        let minimap = self.view.layout.panes.minimap;
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
                    preview: board.preview.as_ref().filter(|preview| {
                        preview.flow == doc.flow_ref && preview.revision == doc.revision()
                    }),
                    selection: &tab.selection,
                    theme: &theme,
                    now,
                    enabled,
                    minimap,
                    verb_info: &verb_info,
                };
                canvas_ui(ui, &input, &mut tab.canvas, actions);
                let pointed = tab.canvas.pointed_verb();
                view.pointed_run = view.pointed_run.or(pointed);
            }
        }
    }
}
