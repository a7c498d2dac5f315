//! What the window knows of control of a workspace in one frame: what was published, aged by the time that has passed
//! since, and what runs there.

use std::time::Duration;

use crate::app::sidebar::shown_workspace;
use crate::app::view::{Tab, View};
use crate::model::{FlowRef, NodeStatus, RunSummary, WorkspaceId};
use crate::runtime::control::{Can, Owner, Policy, Stand, Status};
use crate::runtime::{Board, Runner};

/// What runs in a workspace on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Runs that have not ended.
    pub n_runs: usize,
    /// Nodes that run.
    pub n_nodes: usize,
}

/// Control of one workspace, as this frame shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seat {
    /// Which workspace.
    pub workspace: WorkspaceId,
    /// What a person calls it.
    pub name: String,
    /// How control stands now.
    pub status: Status,
    /// What the person set.
    pub policy: Policy,
    /// Another Handmill of this machine keeps control for all of them.
    pub held_by: Option<Runner>,
    /// What runs here.
    pub work: Work,
    /// Nodes that the other machine's last snapshot shows as running, by their names.
    pub running_there: Vec<String>,
    /// Another machine was seen to share the workspace since this window was opened.
    pub is_shared: bool,
    /// How long it has stood like this.
    pub standing: Duration,
}

/// The workspace whose control is shown over the canvas.
pub fn workspace_in_front(view: &View, board: &Board) -> Option<WorkspaceId> {
    Some(in_front(view, board)?.0)
}

/// The workspace that a person works in: that of the flow in front, which need not be of the collection, else the one
/// that the sidebar shows.
fn in_front(view: &View, board: &Board) -> Option<(WorkspaceId, String)> {
    if let Some(doc) = view.doc() {
        let name = doc.flow_ref.root.file_name().unwrap_or_default();
        let id = doc.flow_ref.workspace.clone();
        return Some((id, name.to_string_lossy().into_owned()));
    }
    let shown = shown_workspace(view, board)?;
    Some((shown.id.clone(), shown.name.clone()))
}

/// Control of the workspace that a person works in; `None` where there is nothing to control.
pub fn seat_of(view: &View, board: &Board) -> Option<Seat> {
    let (workspace, name) = in_front(view, board)?;
    let control = board.control.get(&workspace)?;
    let seen = view.watch.seen.get(&workspace);
    let now = view.watch.now;
    Some(Seat {
        name,
        status: control.status_at(now).in_coarse_seconds(),
        policy: control.policy.clone(),
        held_by: control.held_by.clone(),
        work: work_of(board, &workspace),
        running_there: running_there(view, board, &workspace),
        is_shared: seen.is_some_and(|seen| seen.is_shared),
        standing: seen.map_or(Duration::ZERO, |seen| now.since(seen.since)),
        workspace,
    })
}

fn work_of(board: &Board, workspace: &WorkspaceId) -> Work {
    let mut work = Work::default();
    for (flow, stands) in &board.flows {
        if flow.workspace == *workspace && stands.live.is_some() {
            work.n_runs += 1;
            work.n_nodes += stands.n_active();
        }
    }
    work
}

/// Nodes that the other machine runs, as far as it was heard of: of all flows once that was asked for, till then of those
/// on the board.
fn running_there(view: &View, board: &Board, workspace: &WorkspaceId) -> Vec<String> {
    if let Some(there) = &board.running_there
        && there.workspace == *workspace
    {
        return there.nodes.clone();
    }
    let mut names = Vec::new();
    let stand = board
        .control
        .get(workspace)
        .map(|control| &control.status.stand);
    // Nobody else runs anything here, and there may be a hundred thousand nodes to go through.
    if matches!(stand, None | Some(Stand::Owner { .. } | Stand::Free)) {
        return names;
    }
    for (flow, stands) in &board.flows {
        if flow.workspace != *workspace || stands.live.is_some() || stands.runner.is_some() {
            continue;
        }
        let doc = view
            .all_tabs()
            .filter_map(Tab::doc)
            .find(|d| d.flow_ref == *flow);
        let running = stands.nodes.iter();
        let running = running.filter(|(_, state)| state.status == NodeStatus::Running);
        names.extend(running.map(|(id, _)| {
            let node = doc.and_then(|doc| doc.flow().graph.node(id));
            node.map_or_else(|| id.to_string(), |node| node.name().to_owned())
        }));
    }
    names.sort();
    names
}

/// Why nothing may be started in a workspace, as sentences; `None` when it may, or when a start first takes control that
/// nobody has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocked {
    /// Why no run.
    pub runs: Option<String>,
    /// Why no node of a run that goes on.
    pub nodes: Option<String>,
}

impl Blocked {
    /// For a flow.
    pub fn of(view: &View, board: &Board, flow: &FlowRef) -> Self {
        let Some(control) = board.control.get(&flow.workspace) else {
            return Self::default();
        };
        let status = control.status_at(view.watch.now);
        let runs = status.blocked.filter(|_| status.can.claim.is_err());
        Self {
            nodes: runs.clone().filter(|_| !status.may_start_nodes),
            runs,
        }
    }
}

/// What the verbs of control are judged by.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What can be wished.
    pub can: Can,
    /// Somebody asks for control.
    pub is_asked: bool,
}

impl Facts {
    /// Of the workspace that a person works in; `None` where there is nothing to control.
    pub fn of(view: &View, board: &Board) -> Option<Self> {
        let (workspace, _) = in_front(view, board)?;
        let status = board.control.get(&workspace)?.status_at(view.watch.now);
        let status = status.in_coarse_seconds();
        Some(Self {
            is_asked: !status.requests.is_empty(),
            can: status.can,
        })
    }
}

/// What a list tells of a workspace's control in a few words, and whether that wants to be looked at. `None` when this
/// machine has control, or there is none.
pub fn told_of(board: &Board, workspace: &WorkspaceId) -> Option<(String, bool)> {
    let status = &board.control.get(workspace)?.status;
    told(status)
}

fn told(status: &Status) -> Option<(String, bool)> {
    if let Some(request) = status.requests.first() {
        return Some((format!("{} asks for control", request.host), true));
    }
    match (status.stand, &status.owner) {
        (Stand::Refused, Some(owner)) => Some((format!("{} has control", owner.host), false)),
        (Stand::Stopping | Stand::Frozen | Stand::Vanished | Stand::Refused, _) => {
            Some((status.text.clone(), true))
        }
        (_, Some(owner)) if owner.takeover_in.is_none() => {
            Some((format!("{} is silent", owner.host), true))
        }
        (_, Some(owner)) => Some((format!("{} has control", owner.host), false)),
        _ => None,
    }
}

/// The workstation on which a run goes on, as far as it was heard of; `None` for one of this machine, or an ended one.
pub fn runs_on(run: &RunSummary) -> Option<&str> {
    run.ran_on.as_deref().filter(|_| run.outcome.is_none())
}

impl Seat {
    /// The other machine that has control; while this one claims, what lies in the folder is its own.
    pub fn other_owner(&self) -> Option<&Owner> {
        let watches = matches!(self.status.stand, Stand::Watching | Stand::Refused);
        self.status.owner.as_ref().filter(|_| watches)
    }

    /// What a person calls the machine that has control, or had it last.
    pub fn host(&self) -> &str {
        let owner = self.status.owner.as_ref();
        owner.map_or("Another machine", |owner| owner.host.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::control::situation::seat;

    #[test]
    fn a_list_tells_who_has_control_and_who_waits_for_an_answer() {
        let told = |situation: &str| match told(&seat(situation).status) {
            Some((words, true)) => format!("{words}!"),
            Some((words, false)) => words,
            None => String::new(),
        };
        assert_eq!(told("owner"), "");
        assert_eq!(told("free"), "");
        assert_eq!(told("watching silent=10"), "wsA has control");
        assert_eq!(told("watching silent=100"), "wsA is silent!");
        assert_eq!(told("owner asks=wsB:12"), "wsB asks for control!");
        assert_eq!(told("vanished"), "The workspace folder is not there!");
    }
}
