//! The window itself: what it owns, and what it does in each frame.
//!
//! A frame is: take the newest board once, drain what came from files and workers, carry out what
//! the frame before asked for (`logic`), then draw everything from the same picture (`ui`).

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use egui::{Context, Event, Key, ViewportCommand};

use crate::model::{Choice, FlowRef, NodeId, Notice, Point, Timestamp, WorkspaceId};
use crate::runtime::health::Row;
use crate::runtime::{Board, CompareAsk, HistoryAsk, LogTarget, Order};

use super::action::{Action, TabId, Verb};
use super::memory::Remembered;
use super::path_dialog;
use super::ports::{Ask, Desktop, Engine, Files, FolderEntry, Memory, Picked, SetUp};
use super::settings::Granted;
use super::theme::Theme;
use super::turn::Turn;
use super::view::{Dialog, LogView, SidePane, View};
use super::{desk, fonts, verbs, widgets};

/// Running times are drawn anew this often, and only while one is shown.
const TICK: Duration = Duration::from_millis(100);

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

/// What came from a worker thread.
pub(super) enum Came {
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

/// The window.
pub struct App {
    pub(super) engine: Box<dyn Engine>,
    pub(super) files: Box<dyn Files>,
    memory: Box<dyn Memory>,
    pub(super) desktop: Box<dyn Desktop>,
    /// The picture this frame draws.
    pub(super) board: Arc<Board>,
    pub(super) view: View,
    /// What the frame before asked for.
    actions: Vec<Action>,
    /// Input that waits for what came before it.
    turn: Turn,
    came: (Sender<Came>, Receiver<Came>),
    /// What was last remembered, to write only changes.
    remembered: Remembered,
    /// The logs last asked for.
    followed: Vec<LogTarget>,
    /// The run that the runtime was last asked about: its flow, the edits then, what of it.
    wished: Option<(FlowRef, u64, Choice)>,
    /// The flow whose stop was asked for; a second press ends it at once.
    pub(super) stop_asked: Option<FlowRef>,
    /// The list of past runs and the comparison that the runtime was asked for last.
    asked_history: Option<HistoryAsk>,
    asked_comparison: Option<CompareAsk>,
    /// A save under a new name that is on its way.
    pub(super) saving_as: Option<(TabId, PathBuf)>,
    /// A workspace that was set up and that the collection does not tell of yet.
    pub(super) awaited: Option<WorkspaceId>,
    /// The number of the refusal for want of resources that was met last.
    wanting_seen: u64,
    /// Tabs of workfiles that were opened by their paths, and whose workspace is not known yet.
    pub(super) homeless: Vec<TabId>,
    /// The collection is that of a workfile that was opened while none was set.
    pub(super) adopted: bool,
    /// Everything was asked and answered: the window may go.
    pub(super) may_close: bool,
    title: String,
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
                room: super::room::Sizes::default(),
                asked_pane: None,
                settings: remembered.settings.clone(),
                dialog: None,
                palette: None,
                draft: None,
                log: LogView::following(),
                history: super::history::HistoryView::default(),
                side_pane: super::view::SidePane::default(),
                outline: super::outline::Outline::default(),
                flow_filter: String::new(),
                focus_flow_filter: false,
                toasts: Vec::new(),
                notice_shown_at: std::collections::HashMap::new(),
                zone: jiff::tz::TimeZone::system(),
                laying_out: None,
                pointed_run: None,
                watch: super::control::Watch::default(),
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

    /// Does `work` on a thread of its own; what it gives is taken up by a later frame.
    pub(super) fn in_background(
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

    pub(super) fn came_sender(&self) -> Sender<Came> {
        self.came.0.clone()
    }

    fn drain(&mut self, ctx: &Context) {
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

    /// A run of the flow shown was refused for want of resources: they are asked for, once.
    fn ask_for_resources(&mut self) {
        let Some(wanting) = self.board.wanting.clone() else {
            return;
        };
        if std::mem::replace(&mut self.wanting_seen, wanting.n) == wanting.n {
            return;
        }
        if self.view.flow_ref() == Some(&wanting.flow) && !self.view.is_covered() {
            let give = super::dialog::Give::new(wanting);
            self.view.dialog = Some(Dialog::Give(Box::new(give)));
        }
    }

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

    fn keys(&mut self, ctx: &Context) {
        let typing = ctx.egui_wants_keyboard_input() && ctx.text_edit_focused();
        let covered = self.view.is_covered();
        let on_control = widgets::control_has_focus(ctx);
        let mut verbs_pressed = Vec::new();
        let mut pasted = Vec::new();
        ctx.input(|input| {
            for event in &input.events {
                match event {
                    Event::Key {
                        key,
                        pressed: true,
                        modifiers,
                        repeat,
                        ..
                    } => {
                        let Some((entry, chord)) = verbs::verb_of(*key, *modifiers) else {
                            continue;
                        };
                        let closes = covered && entry.verb == Verb::Escape;
                        if typing && chord.belongs_to_text() && !closes {
                            continue;
                        }
                        let moves = matches!(
                            entry.verb,
                            Verb::Walk(_) | Verb::Nudge(_) | Verb::Undo | Verb::Redo
                        ) || matches!(entry.verb, Verb::ZoomIn | Verb::ZoomOut);
                        if *repeat && !moves {
                            continue;
                        }
                        let own = matches!(
                            key,
                            Key::Enter
                                | Key::Space
                                | Key::ArrowUp
                                | Key::ArrowDown
                                | Key::ArrowLeft
                                | Key::ArrowRight
                        );
                        if on_control && own && !chord.command && !chord.alt {
                            continue;
                        }
                        verbs_pressed.push(entry.verb);
                    }
                    Event::Copy if !typing => verbs_pressed.push(Verb::Copy),
                    Event::Cut if !typing => verbs_pressed.push(Verb::Cut),
                    Event::Paste(text) if !typing => pasted.push(text.clone()),
                    _ => {}
                }
            }
        });
        let canvas_has_keys = self.view.tab().is_some_and(|tab| tab.canvas.holds_keys());
        if canvas_has_keys {
            // Typing in place, a menu or a gesture: letters, arrows and Esc are the canvas's.
            verbs_pressed.retain(|verb| {
                let keys = verbs::entry(*verb).keys;
                keys.iter().any(|key| key.command && !key.belongs_to_text())
            });
        }
        if covered {
            // Only what closes the cover goes through.
            verbs_pressed.retain(|verb| *verb == Verb::Escape);
            pasted.clear();
        }
        self.actions
            .extend(verbs_pressed.into_iter().map(Action::Do));
        self.actions
            .extend(pasted.into_iter().map(Action::PasteText));
    }

    /// Has the collection looked through again where its changes are not told by themselves: a
    /// title, a group or a file may be another, and another process may have run a flow.
    pub(super) fn look_again(&self) {
        if self.board.catalog.root.is_some() {
            self.engine.send(Order::LookAgain);
        }
    }

    fn follow_logs(&mut self) {
        let mut wanted = Vec::new();
        if self.view.layout.panes.bottom {
            wanted.extend(self.log_target());
        }
        // One log per desk that is put away, so that it is there in the first frame on return. It is
        // read when it grows, which costs nothing once its run is over.
        let away = self.view.away.values();
        wanted.extend(away.filter_map(|desk| desk.log_target(&self.board)));
        if wanted != self.followed {
            self.followed.clone_from(&wanted);
            self.engine.send(Order::FollowLogs(wanted));
        }
    }

    /// Asks what the run that is pointed at would do, so that it can be shown.
    fn follow_wish(&mut self) {
        // While one lives no other is asked for: a node that runs again is pointed at itself.
        let live = self
            .view
            .flow_board(&self.board)
            .is_some_and(|f| f.live.is_some());
        let wish = self.view.wish(&self.board).filter(|_| !live);
        let about = wish
            .as_ref()
            .map(|wish| (wish.flow.clone(), wish.revision, wish.choice.clone()));
        if about != self.wished {
            self.wished = about;
            self.engine.send(Order::Preview(wish.map(Box::new)));
        }
    }

    fn follow_history(&mut self) {
        let shown = self.view.layout.panes.bottom && self.view.side_pane == SidePane::Runs;
        let (mut history, mut comparison) = (None, None);
        let tab = self
            .view
            .tabs
            .iter()
            .find(|tab| Some(tab.id) == self.view.shown);
        if let Some(doc) = tab.and_then(super::view::Tab::doc).filter(|_| shown)
            && self
                .board
                .flow(&doc.flow_ref)
                .is_some_and(|flow| flow.loaded)
        {
            let (now, zone) = (self.engine.now(), &self.view.zone);
            history = Some(self.view.history.ask(doc, now, zone));
            comparison = self.view.history.compare_ask();
        }
        if history != self.asked_history {
            self.asked_history.clone_from(&history);
            self.engine.send(Order::ShowHistory(history));
        }
        if comparison != self.asked_comparison {
            self.asked_comparison.clone_from(&comparison);
            self.engine.send(Order::Compare(comparison));
        }
    }

    /// The log that the log pane shows now.
    pub(super) fn log_target(&self) -> Option<LogTarget> {
        desk::log_target(self.view.tab()?, &self.view.log, &self.board)
    }

    /// The log pane keeps showing the last node that was selected while it still exists.
    fn follow_selection(&mut self) {
        let Some(tab) = self.view.tab() else {
            self.view.log.node = None;
            return;
        };
        let selected = tab.selection.nodes().last().cloned();
        let kept = self
            .view
            .log
            .node
            .clone()
            .filter(|id| tab.doc().is_some_and(|doc| doc.flow().graph.contains(id)));
        self.view.log.node = selected.or(kept);
    }

    fn close_requested(&mut self, ctx: &Context) {
        let requested = ctx.input(|input| input.viewport().close_requested());
        if requested && !self.may_close {
            let dirty = self.view.all_tabs().any(super::view::Tab::is_dirty);
            let live = self.board.flows.values().any(|flow| flow.live.is_some());
            if dirty || live {
                ctx.send_viewport_cmd(ViewportCommand::CancelClose);
                self.actions.push(Action::Do(Verb::Quit));
            }
        }
    }

    fn remember(&mut self, ctx: &Context) {
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

    /// The time of this frame.
    pub(super) fn now(&self) -> Timestamp {
        self.engine.now()
    }

    /// Tells the operator something from outside the window.
    pub fn tell(&mut self, notice: Notice) {
        self.view.tell(notice);
    }

    /// Parts for drawing: the view to change, the board to read, the actions to fill.
    pub(super) fn parts(&mut self) -> (&mut View, &Board, &mut Vec<Action>) {
        (&mut self.view, &self.board, &mut self.actions)
    }
}

impl App {
    /// The first half of a frame: takes in what came, and does what the frame before asked for.
    pub(super) fn before_drawing(&mut self, ctx: &Context) {
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
    pub(super) fn drawing(&mut self, ui: &mut egui::Ui) {
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
    pub(crate) fn picture(&self) -> &Board {
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
pub(super) fn list_when_asked(app: &App, ctx: &Context, asked: Option<path_dialog::List>) {
    if let Some(path_dialog::List(folder)) = asked {
        app.list_folder(ctx, folder);
    }
}
