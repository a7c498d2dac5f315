//! What the window owns.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use egui::Context;

use crate::app::action::{Action, TabId};
use crate::app::control::Watch;
use crate::app::history::HistoryView;
use crate::app::memory::Remembered;
use crate::app::outline::Outline;
use crate::app::ports::{Desktop, Engine, Files, Memory};
use crate::app::room::Sizes;
use crate::app::theme::Theme;
use crate::app::turn::Turn;
use crate::app::view::{LogView, SidePane, View};
use crate::app::{fonts, widgets};
use crate::model::{Choice, FlowRef, Notice, Timestamp, WorkspaceId};
use crate::runtime::{Board, CompareAsk, HistoryAsk, LogTarget, Order};

use super::Came;

/// Longest time between the two clicks of a double-click, in seconds.
const DOUBLE_CLICK: f64 = 0.5;

/// What the window is made from.
pub struct Ports {
    /// The runtime.
    pub engine: Box<dyn Engine>,
    /// The saver.
    pub files: Box<dyn Files>,
    /// Settings and layout.
    pub memory: Box<dyn Memory>,
    /// The desktop's file dialogs.
    pub desktop: Box<dyn Desktop>,
}

/// The window.
pub struct App {
    pub(in crate::app) engine: Box<dyn Engine>,
    pub(in crate::app) files: Box<dyn Files>,
    pub(super) memory: Box<dyn Memory>,
    pub(in crate::app) desktop: Box<dyn Desktop>,
    /// The picture this frame draws.
    pub(in crate::app) board: Arc<Board>,
    pub(in crate::app) view: View,
    /// What the frame before asked for.
    pub(super) actions: Vec<Action>,
    /// Input that waits for what came before it.
    pub(super) turn: Turn,
    pub(super) came: (Sender<Came>, Receiver<Came>),
    /// What was last remembered, to write only changes.
    pub(super) remembered: Remembered,
    /// The logs last asked for.
    pub(super) followed: Vec<LogTarget>,
    /// The run that the runtime was last asked about: its flow, the edits then, what of it.
    pub(super) wished: Option<(FlowRef, u64, Choice)>,
    /// The flow whose stop was asked for; a second press ends it at once.
    pub(in crate::app) stop_asked: Option<FlowRef>,
    /// The list of past runs and the comparison that the runtime was asked for last.
    pub(super) asked_history: Option<HistoryAsk>,
    pub(super) asked_comparison: Option<CompareAsk>,
    /// A save under a new name that is on its way.
    pub(in crate::app) saving_as: Option<(TabId, PathBuf)>,
    /// A workspace that was set up and that the collection does not tell of yet.
    pub(in crate::app) awaited: Option<WorkspaceId>,
    /// The number of the refusal for want of resources that was met last.
    pub(in crate::app) wanting_seen: u64,
    /// Tabs of workfiles that were opened by their paths, and whose workspace is not known yet.
    pub(in crate::app) homeless: Vec<TabId>,
    /// The collection is that of a workfile that was opened while none was set.
    pub(in crate::app) adopted: bool,
    /// Everything was asked and answered: the window may go.
    pub(in crate::app) may_close: bool,
    pub(super) title: String,
}

impl App {
    /// A window over these ports; `open` are workfiles named on the command line.
    pub fn new(ctx: &Context, ports: Ports, open: Vec<PathBuf>) -> Self {
        let remembered = ports.memory.load();
        ctx.set_fonts(fonts::definitions(None));
        fonts::add_cjk_later(ctx);
        Theme::install(ctx);
        // As desktops have it; egui's own 0.3 s is missed by a calm hand, and on a slow screen.
        ctx.options_mut(|options| {
            options.input_options.max_double_click_delay = DOUBLE_CLICK;
            options.max_passes = widgets::PASSES_MAX;
        });
        Theme::choose(ctx, remembered.settings.theme);
        let mut app = Self {
            board: ports.engine.board(),
            engine: ports.engine,
            files: ports.files,
            memory: ports.memory,
            desktop: ports.desktop,
            view: View {
                desk_of: remembered.layout.workspace.as_deref().map(WorkspaceId::new),
                away: std::collections::BTreeMap::new(),
                tabs: Vec::new(),
                shown: None,
                layout: remembered.layout.clone(),
                room: Sizes::default(),
                asked_pane: None,
                settings: remembered.settings.clone(),
                dialog: None,
                palette: None,
                draft: None,
                log: LogView::following(),
                history: HistoryView::default(),
                side_pane: SidePane::default(),
                outline: Outline::default(),
                flow_filter: String::new(),
                focus_flow_filter: false,
                toasts: Vec::new(),
                notice_shown_at: std::collections::HashMap::new(),
                zone: jiff::tz::TimeZone::system(),
                laying_out: None,
                pointed_run: None,
                watch: Watch::default(),
                killing: Vec::new(),
                quitting: false,
                // The board counts its notices from 1; the window's own are far above.
                next_number: 1 << 40,
            },
            actions: Vec::new(),
            turn: Turn::default(),
            came: channel(),
            remembered,
            followed: Vec::new(),
            wished: None,
            asked_history: None,
            asked_comparison: None,
            stop_asked: None,
            saving_as: None,
            awaited: None,
            wanting_seen: 0,
            homeless: Vec::new(),
            adopted: false,
            may_close: false,
            title: String::new(),
        };
        let settings = app.view.settings.clone();
        if settings.collection.is_some() {
            app.engine.send(Order::SetCollection(settings.collection));
        }
        let before = std::mem::take(&mut app.view.layout.tabs);
        for path in before {
            app.open_here(path);
        }
        if let Some(path) = app.view.layout.shown.take() {
            app.show_path(&path);
        }
        for path in open {
            app.open_path(ctx, path);
        }
        app.look_for_unsaved();
        app
    }

    /// The size the window had, for whoever makes it.
    pub fn window_size(remembered: &Remembered) -> egui::Vec2 {
        let [w, h] = remembered.layout.window;
        egui::vec2(w.max(640.0), h.max(420.0))
    }

    /// Tells times in this zone instead of the system's; tests have no system to ask.
    pub fn set_zone(&mut self, zone: jiff::tz::TimeZone) {
        self.view.zone = zone;
    }

    /// The time of this frame.
    pub(in crate::app) fn now(&self) -> Timestamp {
        self.engine.now()
    }

    /// Tells the operator something from outside the window.
    pub fn tell(&mut self, notice: Notice) {
        self.view.tell(notice);
    }

    /// Parts for drawing: the view to change, the board to read, the actions to fill.
    pub(in crate::app) fn parts(&mut self) -> (&mut View, &Board, &mut Vec<Action>) {
        (&mut self.view, &self.board, &mut self.actions)
    }
}
