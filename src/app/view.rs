//! What the window holds of its own: tabs, panes, dialogs, drafts. Nothing of it runs or is saved
//! in a workfile.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::editor::Document;
use crate::model::{FlowRef, NodeId, NodeStatus, Notice, WorkspaceId};
use crate::runtime::{Board, FlowBoard, Runner, Wish};

use super::action::{TabId, Verb};
use super::canvas::CanvasState;
use super::control;
use super::desk::Desk;
use super::drafts::Draft;
use super::kill::{Kill, Names};
use super::memory::{Layout, Settings};
use super::path_dialog::PathDialog;
use super::ports::Broken;
use super::room::{Pane, Sizes};
use super::safety::{self, Trail};
use super::selection::Selection;
use super::settings::Page;
use super::tally::Tally;
use super::verbs::Context;

/// An open tab.
pub struct Tab {
    /// Its name for as long as the window lives.
    pub id: TabId,
    /// The file it was opened from; empty for a flow that has none yet.
    pub path: PathBuf,
    /// What is in it.
    pub content: Content,
    /// What is selected in it.
    pub selection: Selection,
    /// Camera and gesture.
    pub canvas: CanvasState,
    /// A save is on its way.
    pub saving: bool,
    /// The tab is to close when that save has succeeded.
    pub close_after_save: bool,
    /// What another program or a crash left to be settled.
    pub trail: Trail,
    /// What is listed of all its nodes.
    pub tally: Tally,
}

/// What is in a tab.
pub enum Content {
    /// The file is being read.
    Loading,
    /// It cannot be read: why, what to do, and what may help.
    Broken(Box<Broken>),
    /// It is open.
    Open(Box<Document>),
}

impl Tab {
    /// A tab over a file that is being read.
    pub fn loading(id: TabId, path: PathBuf) -> Self {
        Self {
            id,
            path,
            content: Content::Loading,
            selection: Selection::default(),
            canvas: CanvasState::default(),
            saving: false,
            close_after_save: false,
            trail: Trail::default(),
            tally: Tally::default(),
        }
    }

    /// Its document, once it is open.
    pub fn doc(&self) -> Option<&Document> {
        match &self.content {
            Content::Open(doc) => Some(doc),
            Content::Loading | Content::Broken(_) => None,
        }
    }

    /// The same, to change.
    pub fn doc_mut(&mut self) -> Option<&mut Document> {
        match &mut self.content {
            Content::Open(doc) => Some(doc),
            Content::Loading | Content::Broken(_) => None,
        }
    }

    /// What stands on the tab.
    pub fn title(&self) -> String {
        if let Some(doc) = self.doc() {
            let title = doc.flow().title.trim();
            if !title.is_empty() {
                return title.to_owned();
            }
            if !self.path.as_os_str().is_empty() {
                return doc.flow_ref.stem().to_owned();
            }
        }
        self.path.file_stem().map_or_else(
            || "New flow".to_owned(),
            |stem| stem.to_string_lossy().into_owned(),
        )
    }

    /// True when closing it would lose edits.
    pub fn is_dirty(&self) -> bool {
        self.doc()
            .is_some_and(|doc| doc.is_dirty() && (doc.revision() > 0 || doc.can_undo()))
    }
}

/// What stands over the window and takes all keys.
pub enum Dialog {
    /// A dirty tab is to close.
    Close(TabId),
    /// The window is to close while runs live.
    QuitRunning,
    /// The wrapper of the shown flow is edited: its text.
    Wrapper(String),
    /// A file of that name is there already: replace it?
    Replace(TabId, PathBuf),
    /// A path is typed, where the desktop has no dialog.
    Path(Box<PathDialog>),
    /// Settings are shown.
    Settings(Box<Page>),
    /// This is to be killed: really?
    Kill(Box<Kill>),
    /// The last of [`View::killing`] is on its way.
    Killing,
    /// A run was refused for want of resources; their values are typed.
    Give(Box<super::dialog::Give>),
    /// All keys are shown.
    Keys,
    /// Something about the safety of a workfile.
    Safety(Box<safety::Page>),
    /// Something about control of the workspace shown.
    Control(Box<control::Page>),
}

/// What the palette lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaletteScope {
    /// Verbs, flows and nodes.
    Everything,
    /// Nodes of the shown flow.
    Nodes,
}

/// The open palette.
pub struct Palette {
    /// What it lists.
    pub scope: PaletteScope,
    /// What is typed.
    pub query: String,
    /// The line that Enter takes.
    pub at: usize,
    /// The keyboard is to be given to its field.
    pub fresh: bool,
}

/// Which log is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogScope {
    /// The selected node's.
    #[default]
    Node,
    /// Every node of the run.
    Run,
}

/// How the log is shown.
#[derive(Default)]
pub struct LogView {
    /// Whose.
    pub scope: LogScope,
    /// The node whose log stays shown when nothing is selected.
    pub node: Option<NodeId>,
    /// The newest line is kept in view.
    pub follow: bool,
    /// Text to look for; `None` while the field is closed.
    pub find: Option<String>,
    /// Which hit is shown.
    pub hit: usize,
    /// A hit is to be brought into view.
    pub jump: bool,
    /// The newest line is to be brought into view.
    pub to_end: bool,
    /// Where the log stood in the frame before.
    pub stood: super::log_pane::Stood,
    /// Rows and hits of the log shown, worked out once per change.
    pub cache: super::log_pane::Cache,
}

impl LogView {
    /// As a log is first shown.
    pub fn following() -> Self {
        Self {
            follow: true,
            ..Self::default()
        }
    }

    /// Whose log is shown: without a node it can only be the run's.
    pub fn shown_scope(&self) -> LogScope {
        match self.node {
            Some(_) => self.scope,
            None => LogScope::Run,
        }
    }
}

/// Which pane stands beside the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SidePane {
    /// The run history.
    #[default]
    Runs,
    /// When each node ran.
    Timeline,
    /// What is wrong with the file and the run.
    Problems,
}

/// A notice of the window's own, beside those of the board.
pub struct Toast {
    /// Its number; above any of the board's.
    pub id: u64,
    /// What it says.
    pub notice: Notice,
}

/// What the window holds.
pub struct View {
    /// The workspace whose desk is out; `None` until the collection tells of one.
    pub desk_of: Option<WorkspaceId>,
    /// The desks of other workspaces.
    pub away: BTreeMap<WorkspaceId, Desk>,
    /// Open tabs, from left to right.
    pub tabs: Vec<Tab>,
    /// The one shown.
    pub shown: Option<TabId>,
    /// Pane places.
    pub layout: Layout,
    /// The sizes that panes had in the last frame.
    pub room: Sizes,
    /// A pane that was asked for though there was no room for it.
    pub asked_pane: Option<Pane>,
    /// Settings.
    pub settings: Settings,
    /// What stands over the window.
    pub dialog: Option<Dialog>,
    /// The open palette.
    pub palette: Option<Palette>,
    /// The field that is being typed in.
    pub draft: Option<Draft>,
    /// How the log is shown.
    pub log: LogView,
    /// What is done with the list of past runs.
    pub history: super::history::HistoryView,
    /// What stands beside the log.
    pub side_pane: SidePane,
    /// The list of the workspace shown, worked out once per change.
    pub outline: super::outline::Outline,
    /// What is typed in *Find flow*.
    pub flow_filter: String,
    /// The keyboard is to be given to *Find flow*.
    pub focus_flow_filter: bool,
    /// Notices of the window's own.
    pub toasts: Vec<Toast>,
    /// When each notice was first shown, in egui seconds, by its number.
    pub notice_shown_at: std::collections::HashMap<u64, f64>,
    /// The zone in which times are told.
    pub zone: jiff::tz::TimeZone,
    /// The tab whose layout is being worked out.
    pub laying_out: Option<TabId>,
    /// The run that the pointer is on: its button, its line in a menu.
    pub pointed_run: Option<Verb>,
    /// What was seen of control, and when.
    pub watch: control::Watch,
    /// What is being killed, oldest first.
    pub killing: Vec<Kill>,
    /// The window is closing, tab by tab.
    pub quitting: bool,
    /// Names the next tab and notice.
    pub next_number: u64,
}

impl View {
    /// The tab shown.
    pub fn tab(&self) -> Option<&Tab> {
        let id = self.shown?;
        self.tabs.iter().find(|tab| tab.id == id)
    }

    /// The same, to change.
    pub fn tab_mut(&mut self) -> Option<&mut Tab> {
        let id = self.shown?;
        self.tab_of(id)
    }

    /// A tab by its name, on whichever desk it lies.
    pub fn tab_of(&mut self, id: TabId) -> Option<&mut Tab> {
        let away = self.away.values_mut().flat_map(|desk| &mut desk.tabs);
        self.tabs.iter_mut().chain(away).find(|tab| tab.id == id)
    }

    /// The document shown.
    pub fn doc(&self) -> Option<&Document> {
        self.tab()?.doc()
    }

    /// The flow shown.
    pub fn flow_ref(&self) -> Option<&FlowRef> {
        Some(&self.doc()?.flow_ref)
    }

    /// How the flow shown stands.
    pub fn flow_board<'a>(&self, board: &'a Board) -> Option<&'a Arc<FlowBoard>> {
        board.flow(self.flow_ref()?)
    }

    /// Shows or hides a pane. One that only gave way in a small window comes back instead.
    pub fn toggle(&mut self, pane: Pane) {
        let has_room = self.room.of(pane).is_some();
        let needs_flow = pane != Pane::Sidebar && self.doc().is_none();
        let wished = match pane {
            Pane::Sidebar => &mut self.layout.sidebar,
            Pane::Inspector => &mut self.layout.panes.inspector,
            Pane::Bottom => &mut self.layout.panes.bottom,
        };
        // Without a flow its panes are not shown anyway; the wish alone changes.
        *wished = if needs_flow { !*wished } else { !has_room };
        self.asked_pane = wished.then_some(pane);
    }

    /// Shows a pane, also where there is little room.
    pub fn bring(&mut self, pane: Pane) {
        if self.room.of(pane).is_none() {
            self.toggle(pane);
        }
    }

    /// The run that is pointed at, as it would be asked for now.
    pub fn wish(&self, board: &Board) -> Option<Wish> {
        let verb = self.pointed_run?;
        let tab = self.tab()?;
        let doc = tab.doc()?;
        if self.context(board).disabled_because(verb).is_some() {
            return None;
        }
        Some(Wish {
            flow: doc.flow_ref.clone(),
            frozen: doc.flow().clone(),
            revision: doc.revision(),
            choice: super::perform::choice_of(verb, tab.selection.nodes())?,
        })
    }

    /// A number that names one thing only. Starts high, so that the board's notices are below.
    pub fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// Tells the operator something.
    pub fn tell(&mut self, notice: Notice) {
        // The same sentence twice is one notice.
        if self.toasts.iter().any(|toast| toast.notice == notice) {
            return;
        }
        let id = self.number();
        self.toasts.push(Toast { id, notice });
    }

    /// Something stands over the window and takes the keys.
    pub fn is_covered(&self) -> bool {
        self.dialog.is_some() || self.palette.is_some()
    }

    /// The facts by which verbs are possible.
    pub fn context(&self, board: &Board) -> Context {
        let mut facts = Context {
            n_tabs: self.tabs.len(),
            n_live_flows: board.flows.values().filter(|f| f.live.is_some()).count(),
            laying_out: self.laying_out.is_some(),
            control: control::Facts::of(self, board),
            ..Context::default()
        };
        let Some(tab) = self.tab() else {
            return facts;
        };
        let Some(doc) = tab.doc() else {
            return facts;
        };
        let graph = &doc.flow().graph;
        facts.open = true;
        facts.n_nodes = graph.n_nodes();
        facts.n_sel_nodes = tab.selection.nodes().len();
        facts.n_sel_edges = tab.selection.edges().len();
        facts.n_sel_frames = tab.selection.frames().len();
        facts.has_sel_links = super::perform::has_links(doc.flow(), &tab.selection);
        facts.can_undo = doc.can_undo();
        facts.can_redo = doc.can_redo();
        facts.dirty = doc.is_dirty();
        facts.blocked = control::Blocked::of(self, board, &doc.flow_ref);
        if let Some(flow) = board.flow(&doc.flow_ref) {
            facts.loaded = flow.loaded;
            facts.live = flow.live.is_some();
            let live = flow.live.as_ref().map(|run| &run.id);
            for id in tab.selection.nodes() {
                let Some(state) = flow.nodes.get(id).filter(|_| live.is_some()) else {
                    continue;
                };
                facts.n_sel_running += usize::from(state.status == NodeStatus::Running);
                let again = state.status.wants_resume() && state.run.as_ref() == live;
                facts.n_sel_retry += usize::from(again);
            }
            facts.starting = flow.starting;
            facts.stopping = flow.stopping;
            facts.resumable = flow.resumable;
            facts.has_status = !flow.nodes.is_empty();
            facts.runner = flow.runner.as_ref().map(runner_words);
            facts.n_orphans = flow.orphans.len();
        }
        facts
    }
}

impl Names for View {
    fn flow(&self, flow: &FlowRef) -> String {
        let of = |tab: &&Tab| tab.doc().is_some_and(|doc| doc.flow_ref == *flow);
        let tab = self.all_tabs().find(of);
        tab.map_or_else(|| flow.stem().to_owned(), Tab::title)
    }

    fn node(&self, flow: &FlowRef, node: &NodeId) -> String {
        let mut docs = self.all_tabs().filter_map(Tab::doc);
        let doc = docs.find(|doc| doc.flow_ref == *flow);
        let node_there = doc.and_then(|doc| doc.flow().graph.node(node));
        node_there.map_or_else(|| node.to_string(), |node| node.name().to_owned())
    }
}

/// Another process that runs a flow, as the subject of a sentence.
pub fn runner_words(runner: &Runner) -> String {
    let who = match &*runner.face {
        "window" => "Another Handmill window",
        "command line" => "A handmill run on the command line",
        other => other,
    };
    format!("{who} (process {})", runner.pid)
}
