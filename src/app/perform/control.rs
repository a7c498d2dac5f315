//! Control between workstations: wishes become orders, questions become dialogs, and what is shown is kept in sight.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::app::action::Verb;
use crate::app::control::{Act, Leave, Page, Seat, seat_of, workspace_in_front};
use crate::app::sidebar::shown_workspace;
use crate::app::view::{Dialog, Tab};
use crate::app::window::App;
use crate::model::{Level, Notice, WorkspaceId};
use crate::runtime::Order;
use crate::runtime::control::{When, Wish};

/// How this program names itself in what it asks of others.
const CLIENT: &str = "ui";

impl App {
    pub(super) fn control_verb(&mut self, verb: Verb) {
        let Some(seat) = seat_of(&self.view, &self.board) else {
            return;
        };
        let workspace = seat.workspace.clone();
        let first = seat.status.requests.first();
        let first = first.map(|request| (request.machine.clone(), request.host.clone()));
        let act = match verb {
            Verb::TakeControl => Act::Wish(Wish::Control),
            Verb::RequestControl => Act::Wish(Wish::Request {
                client: CLIENT.to_owned(),
            }),
            Verb::CancelRequest => Act::Wish(Wish::Cancel),
            Verb::TakeOver => Act::AskTakeOver,
            Verb::HandOver => Act::AskLeave(first, When::AfterRuns),
            Verb::RefuseRequest => match first {
                Some((to, _)) => Act::Wish(Wish::Deny { to }),
                None => return,
            },
            Verb::GiveUpControl => Act::AskLeave(None, proposed(&seat)),
            Verb::KeepControl => Act::Wish(Wish::Keep),
            Verb::CheckFolder => Act::Wish(Wish::Look),
            Verb::AboutControl => Act::Explain,
            Verb::ControlSettings => Act::ShowPolicy,
            _ => return,
        };
        self.control(&workspace, act);
    }

    /// Does something about control of a workspace.
    pub(super) fn control(&mut self, workspace: &WorkspaceId, act: Act) {
        let page = match act {
            Act::Wish(wish) => {
                let workspace = workspace.clone();
                self.engine.send(Order::Control { workspace, wish });
                return;
            }
            Act::SetPolicy(policy) => {
                let workspace = workspace.clone();
                self.engine.send(Order::SetPolicy { workspace, policy });
                return;
            }
            Act::AskTakeOver => {
                self.engine.send(Order::NameRunningThere(workspace.clone()));
                Page::TakeOver
            }
            Act::AskLeave(to, when) => Page::Leave(Leave::new(to, when)),
            Act::AskImport => Page::Import,
            Act::Explain => Page::About,
            Act::ShowPolicy => Page::Policy,
        };
        self.view.dialog = Some(Dialog::Control(Box::new(page)));
    }

    /// Takes in how control stands, and has control of what is shown kept in sight. Who asks for the workspace in front
    /// is in the control bar; of another one a notice tells.
    pub(in crate::app) fn watch_control(&mut self) {
        let asks = self.view.watch.look(self.engine.boot(), &self.board);
        let front = workspace_in_front(&self.view, &self.board);
        for (workspace, host) in asks {
            if Some(&workspace) != front.as_ref() {
                let name = self.workspace_name(&workspace);
                self.view.tell(Notice::new(
                    Level::Info,
                    format!("{host} asks for control of {name}."),
                    "Go there to answer.",
                ));
            }
        }
        self.keep_control();
    }

    /// What a person calls a workspace.
    fn workspace_name(&self, id: &WorkspaceId) -> String {
        let mut listed = self.board.catalog.workspaces.iter();
        if let Some(entry) = listed.find(|entry| entry.id == *id) {
            return entry.name.clone();
        }
        let root = self.view.watch.kept.get(id);
        let name = root.and_then(|root| root.file_name());
        name.map_or_else(
            || id.to_string(),
            |name| name.to_string_lossy().into_owned(),
        )
    }

    /// The workspace shown, those of open tabs, and those whose desks are put away with open tabs.
    fn keep_control(&mut self) {
        let shown = shown_workspace(&self.view, &self.board).map(|shown| shown.id.clone());
        let away = &self.view.away;
        let mut wanted: BTreeMap<WorkspaceId, Arc<Path>> = BTreeMap::new();
        for workspace in &self.board.catalog.workspaces {
            let is_open = || {
                away.get(&workspace.id)
                    .is_some_and(|desk| !desk.tabs.is_empty())
            };
            if shown.as_ref() == Some(&workspace.id) || is_open() {
                wanted.insert(workspace.id.clone(), workspace.root.clone());
            }
        }
        // Flows that were opened by their path may be of a workspace outside the collection.
        for doc in self.view.all_tabs().filter_map(Tab::doc) {
            let (id, root) = (&doc.flow_ref.workspace, &doc.flow_ref.root);
            // A file on its own is nobody's but the person's.
            if doc.flow_ref.file.starts_with("flow_modules/") {
                wanted.entry(id.clone()).or_insert_with(|| root.clone());
            }
        }
        if wanted == self.view.watch.kept {
            return;
        }
        for workspace in self.view.watch.kept.keys() {
            if !wanted.contains_key(workspace) {
                self.engine.send(Order::DropControl(workspace.clone()));
            }
        }
        for (workspace, root) in &wanted {
            if self.view.watch.kept.get(workspace) != Some(root) {
                let (workspace, root) = (workspace.clone(), root.clone());
                self.engine.send(Order::KeepControl { workspace, root });
            }
        }
        self.view.watch.kept = wanted;
    }
}

/// What stops nothing.
fn proposed(seat: &Seat) -> When {
    match seat.work.n_runs {
        0 => When::Now,
        _ => When::AfterRuns,
    }
}
