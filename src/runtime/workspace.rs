//! One workspace while it is in use: its ledger, the folder of its logs, and what a dead Handmill
//! left behind in it.

use std::path::{Path, PathBuf};

use crate::exec::sitter::{self, Place};
use crate::exec::{self, Why};
use crate::ledger::{Ledger, LedgerError, Orphan, Recovered, SeenEnd};
use crate::model::{
    Exit, Finish, Flow, FlowRef, NodeRunId, NodeStatus, Notice, Outcome, RunId, Timestamp,
    WorkspaceId,
};
use crate::store::{self, Home};

use super::board::HISTORY_MAX;

/// An open workspace. The ledger handle inside is its writer thread's mailbox.
pub struct Workspace {
    /// Its ledger.
    pub ledger: Ledger,
    logs: PathBuf,
    sitter: Place,
}

/// Open workspaces, by id.
pub type Workspaces = std::collections::BTreeMap<WorkspaceId, std::sync::Arc<Workspace>>;

impl Workspace {
    /// Opens the ledger and settles what a dead Handmill left behind. Blocking. What the
    /// operator should read comes through `on_notice`; the error says why the workspace cannot be
    /// used.
    pub fn open(
        home: &Home,
        flow: &FlowRef,
        now: Timestamp,
        on_notice: impl Fn(Notice) + Send + 'static,
    ) -> Result<Self, String> {
        let dir = home
            .make_workspace_dir(&flow.workspace)
            .map_err(|why| why.to_string())?;
        // There before anybody watches it: a folder that is made later is never noticed. Where it
        // cannot be made, the watch says so.
        home.make_locks_dir().ok();
        let ledger = Ledger::open(&dir.join("ledger.sqlite"), now, on_notice)
            .map_err(|why| why.to_string())?;
        let workspace = Self {
            ledger,
            logs: dir.join("logs"),
            sitter: Place::new(home.sitter_dir()),
        };
        workspace.recover(|file| {
            let other = FlowRef {
                file: file.into(),
                ..flow.clone()
            };
            store::holder(home, &other).is_some()
        })?;
        Ok(workspace)
    }

    /// Settles the runs that a dead Handmill left open; `is_live` says whether a living process runs
    /// the flow of this file. Blocking.
    pub fn recover(&self, is_live: impl Fn(&str) -> bool) -> Result<(), String> {
        let told = |why: crate::ledger::LedgerError| why.to_string();
        let mut open = self.ledger.open_runs().map_err(told)?;
        open.retain(|run| !is_live(&run.file));
        if open.is_empty() {
            return Ok(());
        }
        // What the sitter holds goes on, and whoever carries it on is about to come.
        let Ok(held) = sitter::held(&self.sitter) else {
            // It is there and does not answer: nothing can be said of any run.
            return Ok(());
        };
        open.retain(|run| !held.iter().any(|held| held.run == run.run));
        for dead in &open {
            let dir = self.run_dir(&dead.run);
            // Read before anything is settled: what a disk refuses to say now it says later.
            let ended = ends_seen(&dir, &dead.run)?;
            let begun = exec::attempts_begun(&dir, &dead.run)?;
            self.ledger.record_ended(dead.run.clone(), ended);
            self.ledger.record_begun(dead.run.clone(), begun);
        }
        if !open.is_empty() {
            // Asked once more: a run that began meanwhile is not dead.
            let dead = |run: &Recovered| open.contains(run) && !is_live(&run.file);
            match self.ledger.recover(|run| !dead(run)) {
                // A full disk: the ledger told it, keeps what it could not write, and can be read.
                Ok(_) | Err(LedgerError::Write { .. }) => {}
                Err(why) => return Err(told(why)),
            }
        }
        Ok(())
    }

    /// The run of a flow that has no end, after [`Workspace::recover`]: one that goes on in the sitter.
    pub fn open_run(&self, flow: &FlowRef) -> Result<Option<RunId>, String> {
        let open = self.ledger.open_runs().map_err(|why| why.to_string())?;
        let of_flow = open.into_iter().rev().find(|run| *run.file == *flow.file);
        Ok(of_flow.map(|run| run.run))
    }

    /// True when something was ever recorded of the workspace on this machine.
    pub fn has_ledger(home: &Home, workspace: &WorkspaceId) -> bool {
        home.workspace_dir(workspace).join("ledger.sqlite").exists()
    }

    /// Processes of this flow that a dead Handmill left, as far as they still live. Blocking.
    ///
    /// A run never starts while there are any, so only runs since the last one that came to its end
    /// can have left some. They are found by their mark and not by what was recorded of them: a
    /// kill may come between a start and its record.
    pub fn orphans_of(&self, flow: &FlowRef) -> Result<Vec<Orphan>, String> {
        let told = |why: crate::ledger::LedgerError| why.to_string();
        let history = self.ledger.history(flow, HISTORY_MAX, None).map_err(told)?;
        let interrupted: Vec<RunId> = history
            .into_iter()
            .filter(|run| run.choice.as_ref() != "imported" && run.ran_on.is_none())
            .map_while(|run| (run.outcome == Some(Outcome::Interrupted)).then_some(run.id))
            .collect();
        if interrupted.is_empty() {
            return Ok(Vec::new());
        }
        let mut orphans = Vec::new();
        for left in exec::survivors(&interrupted) {
            let recorded = self.ledger.node_runs(&left.id.run, None).map_err(told)?;
            let node = match recorded.into_iter().find(|row| row.id == left.id) {
                // What a node that ended left in the background was meant to stay.
                Some(row) if row.status != NodeStatus::Interrupted => continue,
                Some(row) => row.node,
                None => {
                    let begun = exec::attempts_begun(&self.run_dir(&left.id.run), &left.id.run)?;
                    match begun.into_iter().find(|(id, _)| *id == left.id) {
                        Some((_, node)) => node,
                        None => continue,
                    }
                }
            };
            orphans.push(Orphan {
                id: left.id,
                node,
                pid: left.pid,
                birth: left.birth,
            });
        }
        Ok(orphans)
    }

    /// The folder that holds a folder of logs per run.
    pub fn logs_dir(&self) -> &std::path::Path {
        &self.logs
    }

    /// Makes the folder of a run's logs, with the names of what it may run.
    pub fn make_run_dir(&self, run: &RunId, frozen: &Flow) -> Result<(), String> {
        let dir = self.run_dir(run);
        store::make_folder(&dir).map_err(|why| why.to_string())?;
        exec::write_nodes(&dir, frozen.graph.nodes().map(|node| &node.id))
            .map_err(|why| format!("{why}: {}", dir.display()))
    }

    /// The folder of a run's logs in a workspace that need not be open.
    pub fn run_dir_of(home: &Home, workspace: &WorkspaceId, run: &RunId) -> PathBuf {
        home.workspace_dir(workspace)
            .join("logs")
            .join(run.as_str())
    }

    /// The folder that holds the logs of a run.
    pub fn run_dir(&self, run: &RunId) -> PathBuf {
        self.logs.join(run.as_str())
    }

    /// The two log files of an attempt.
    pub fn log_files(&self, id: &NodeRunId) -> (PathBuf, PathBuf) {
        crate::exec::log_files(&self.run_dir(&id.run), id)
    }
}

/// Ends of a run's attempts that its exit record knows, as the ledger takes them.
fn ends_seen(run_dir: &Path, run: &RunId) -> Result<Vec<SeenEnd>, String> {
    let nodes = exec::nodes_of(run_dir)?;
    let ended = exec::read_exits(run_dir, run)?.ended.into_iter();
    let seen = ended
        .filter_map(|ended| {
            Some(SeenEnd {
                node: nodes.get(ended.id.node.0 as usize)?.clone(),
                began: ended.began,
                finish: finish_of(ended),
            })
        })
        .collect();
    Ok(seen)
}

/// What the end of a process means for its node when nobody can try again.
pub(super) fn finish_of(ended: exec::Ended) -> Finish {
    let (status, exit) = match (ended.asked, ended.exit) {
        (Some(Why::Stop | Why::Kill), exit) => (NodeStatus::Stopped, exit),
        (Some(Why::Control), exit) => (NodeStatus::Interrupted, exit),
        (Some(Why::Timeout), _) => (NodeStatus::Failed, Exit::TimedOut),
        (None, Exit::Unknown) => (NodeStatus::Interrupted, Exit::Unknown),
        (None, exit) if exit.is_success() => (NodeStatus::Ran, exit),
        (None, exit) => (NodeStatus::Failed, exit),
    };
    Finish {
        id: ended.id,
        exit,
        status,
        retry_at: None,
        at: ended.at,
    }
}
