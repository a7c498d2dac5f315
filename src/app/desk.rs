//! Desks: what of the window belongs to one workspace, and how one gives way to another.
//!
//! Only one desk is out: its things lie in the [`View`] itself. The others are put away as they
//! were left, documents with their unsaved edits and all, so that a switch moves a few values and
//! reads nothing. What comes late for a desk that is put away reaches it there. Called by the
//! window at the start of a frame; unaware of the disk and of what runs.

use std::path::{Path, PathBuf};

use egui::Context;

use crate::model::{Notice, WorkspaceId};
use crate::runtime::{Board, LogTarget};

use super::action::TabId;
use super::drafts::Draft;
use super::history::HistoryView;
use super::memory::{DeskMemory, Panes};
use super::sidebar::shown_workspace;
use super::view::{Dialog, LogScope, LogView, SidePane, Tab, View};
use super::window::App;

/// A desk that is put away.
pub struct Desk {
    /// Its tabs, from left to right.
    pub tabs: Vec<Tab>,
    /// The one that was shown.
    pub shown: Option<TabId>,
    /// How its log was shown.
    pub log: LogView,
    /// What stood beside the log.
    pub side_pane: SidePane,
    /// What was done with the list of past runs.
    pub history: HistoryView,
    /// Where its panes were.
    pub panes: Panes,
    /// What was typed in *Find flow*.
    pub flow_filter: String,
    /// A field that was being typed in and could not be taken.
    pub draft: Option<Draft>,
    /// A question that came, or was open, and waits until the desk is out again.
    pub dialog: Option<Dialog>,
}

impl Desk {
    /// An empty one with these panes.
    fn new(panes: Panes) -> Self {
        Self {
            tabs: Vec::new(),
            shown: None,
            log: LogView::following(),
            side_pane: SidePane::default(),
            history: HistoryView::default(),
            panes,
            flow_filter: String::new(),
            draft: None,
            dialog: None,
        }
    }

    /// What is remembered of it between two starts.
    pub fn memory(&self) -> DeskMemory {
        DeskMemory {
            panes: self.panes.clone(),
            tabs: paths_of(&self.tabs),
            shown: shown_path(&self.tabs, self.shown),
        }
    }

    /// The log that its log pane showed.
    pub fn log_target(&self, board: &Board) -> Option<LogTarget> {
        let tab = self.tabs.iter().find(|tab| Some(tab.id) == self.shown)?;
        self.panes
            .bottom
            .then(|| log_target(tab, &self.log, board))?
    }
}

/// The log that a log pane shows for a tab.
pub fn log_target(tab: &Tab, log: &LogView, board: &Board) -> Option<LogTarget> {
    let flow = tab.doc()?.flow_ref.clone();
    let run = board.flow(&flow).and_then(|flow| flow.shown_run.clone());
    let node = match log.shown_scope() {
        LogScope::Run => None,
        LogScope::Node => Some(log.node.clone()?),
    };
    Some(LogTarget { flow, run, node })
}

/// Files of these tabs; a flow that was never saved has none.
pub fn paths_of(tabs: &[Tab]) -> Vec<PathBuf> {
    let paths = tabs.iter().map(|tab| &tab.path);
    paths
        .filter(|path| !path.as_os_str().is_empty())
        .cloned()
        .collect()
}

/// File of the tab that is shown.
pub fn shown_path(tabs: &[Tab], shown: Option<TabId>) -> Option<PathBuf> {
    let tab = tabs.iter().find(|tab| Some(tab.id) == shown)?;
    (!tab.path.as_os_str().is_empty()).then(|| tab.path.clone())
}

impl Dialog {
    /// True for what is asked about the whole window: it stays when the workspace changes.
    fn is_of_the_window(&self) -> bool {
        matches!(
            self,
            Self::QuitRunning | Self::Settings(_) | Self::Kill(_) | Self::Killing | Self::Keys
        )
    }
}

impl View {
    /// Takes everything of the desk that is out.
    fn put_away(&mut self) -> Desk {
        for tab in &mut self.tabs {
            tab.canvas.put_away();
        }
        self.palette = None;
        self.focus_flow_filter = false;
        Desk {
            tabs: std::mem::take(&mut self.tabs),
            shown: self.shown.take(),
            log: std::mem::replace(&mut self.log, LogView::following()),
            side_pane: std::mem::take(&mut self.side_pane),
            history: std::mem::take(&mut self.history),
            panes: self.layout.panes.clone(),
            flow_filter: std::mem::take(&mut self.flow_filter),
            draft: self.draft.take(),
            dialog: self.dialog.take_if(|dialog| !dialog.is_of_the_window()),
        }
    }

    /// Puts a desk out, after [`View::put_away`].
    fn put_out(&mut self, desk: Desk) {
        self.tabs = desk.tabs;
        self.shown = desk.shown;
        self.log = desk.log;
        self.side_pane = desk.side_pane;
        self.history = desk.history;
        self.layout.panes = desk.panes;
        self.flow_filter = desk.flow_filter;
        self.draft = desk.draft;
        // A question about the window itself stands first; the other is asked by its cause again.
        if self.dialog.is_none() {
            self.dialog = desk.dialog;
        }
    }

    /// The workspace of the desk on which a tab lies, when that is put away.
    pub fn away_with(&self, id: TabId) -> Option<&WorkspaceId> {
        let mut desks = self.away.iter();
        let found = desks.find(|(_, desk)| desk.tabs.iter().any(|tab| tab.id == id))?;
        Some(found.0)
    }

    /// Every open tab: those shown, then those put away.
    pub fn all_tabs(&self) -> impl Iterator<Item = &Tab> {
        let away = self.away.values().flat_map(|desk| &desk.tabs);
        self.tabs.iter().chain(away)
    }

    /// Takes a tab off its desk, wherever that is; the one beside it is shown instead.
    pub fn take_tab(&mut self, id: TabId) -> Option<Tab> {
        let desks = self.away.values_mut();
        let away = desks.map(|desk| (&mut desk.tabs, &mut desk.shown));
        let all = std::iter::once((&mut self.tabs, &mut self.shown)).chain(away);
        for (tabs, shown) in all {
            let Some(at) = tabs.iter().position(|tab| tab.id == id) else {
                continue;
            };
            let tab = tabs.remove(at);
            if *shown == Some(id) {
                *shown = tabs.get(at).or(tabs.last()).map(|tab| tab.id);
            }
            return Some(tab);
        }
        None
    }

    /// Asks something about a tab: at once when its desk is out, else when it is out again.
    pub fn ask_about(&mut self, id: TabId, dialog: Dialog) {
        let Some(workspace) = self.away_with(id).cloned() else {
            self.dialog = Some(dialog);
            return;
        };
        let title = self.tab_of(id).map(|tab| tab.title()).unwrap_or_default();
        if let Some(desk) = self.away.get_mut(&workspace) {
            desk.dialog = Some(dialog);
        }
        self.tell(Notice::new(
            crate::model::Level::Warning,
            format!("There is a question about ‘{title}’."),
            "Go back to its workspace to answer it.",
        ));
    }
}

impl App {
    /// Shows another workspace, with its desk as it was left.
    pub(super) fn show_workspace(&mut self, ctx: &Context, id: &WorkspaceId) {
        self.view.layout.workspace = Some(id.as_str().to_owned());
        self.settle_desk(ctx);
    }

    /// Puts out the desk of the workspace that the sidebar shows, when another one lies there.
    /// Nothing stops and nothing is closed: the runtime keeps what open tabs show on the board.
    pub(super) fn settle_desk(&mut self, ctx: &Context) {
        // While nothing is known of the collection, as when its share is away, the desk stays.
        let Some(shown) = shown_workspace(&self.view, &self.board) else {
            return;
        };
        if self.view.desk_of.as_ref() == Some(&shown.id) {
            return;
        }
        let id = shown.id.clone();
        let was = self.view.desk_of.replace(id.clone());
        let Some(was) = was else {
            // What was opened before there was a workspace lies on the first desk.
            self.open_remembered(&id);
            return;
        };
        egui::Popup::close_all(ctx);
        let left = self.view.put_away();
        let panes = left.panes.clone();
        self.view.away.insert(was, left);
        match self.view.away.remove(&id) {
            Some(desk) => self.view.put_out(desk),
            None => {
                // A workspace that is new to this window begins with the panes of the one before.
                self.view.put_out(Desk::new(panes));
                self.open_remembered(&id);
            }
        }
        if let Some(Dialog::Path(dialog)) = &self.view.dialog {
            self.list_folder(ctx, dialog.folder());
        }
        if let Some(tab) = self.view.shown {
            self.check_file(tab);
        }
    }

    /// Opens what was open in a workspace when the window closed last.
    fn open_remembered(&mut self, id: &WorkspaceId) {
        let Some(memory) = self.view.layout.desks.remove(id.as_str()) else {
            return;
        };
        let had_tabs = !self.view.tabs.is_empty();
        if !had_tabs {
            self.view.layout.panes = memory.panes;
        }
        let shown = self.view.shown;
        for path in memory.tabs {
            self.open_here(path);
        }
        match (had_tabs, memory.shown) {
            (true, _) => self.view.shown = shown,
            (false, Some(path)) => self.show_path(&path),
            (false, None) => {}
        }
    }

    /// Shows the tab of a file, when there is one on the desk that is out.
    pub(super) fn show_path(&mut self, path: &Path) {
        let mut tabs = self.view.tabs.iter();
        if let Some(tab) = tabs.find(|tab| tab.path == path) {
            self.view.shown = Some(tab.id);
        }
    }

    /// The workspace of the collection in which a file lies.
    pub(super) fn workspace_of(&self, path: &Path) -> Option<WorkspaceId> {
        let workspaces = self.board.catalog.workspaces.iter();
        let mut holding = workspaces.filter(|workspace| path.starts_with(&workspace.root));
        holding.next().map(|workspace| workspace.id.clone())
    }

    /// Takes the desks into what is remembered.
    pub(super) fn remember_desks(&mut self) {
        let view = &mut self.view;
        view.layout.tabs = paths_of(&view.tabs);
        view.layout.shown = shown_path(&view.tabs, view.shown);
        for (id, desk) in &view.away {
            view.layout
                .desks
                .insert(id.as_str().to_owned(), desk.memory());
        }
        if let Some(id) = &view.desk_of {
            view.layout.desks.remove(id.as_str());
        }
    }
}
