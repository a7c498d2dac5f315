//! What of a workspace is kept while nothing goes on in it: nothing. Part of the [`Dispatcher`].
//!
//! An open workspace is a thread, up to three connections and their files. It is open while a flow
//! of it is open in a face or runs, and while its control is kept; opening it again takes some
//! milliseconds of a thread that nobody waits for.

use std::sync::Arc;

use crate::ledger::LedgerError;
use crate::model::{Notice, WorkspaceId};

use super::dispatcher::Dispatcher;
use super::incoming::Incoming;
use super::pruner::Care;
use super::workspace::Workspace;

impl Dispatcher {
    /// True while something of the workspace is shown, runs or is kept.
    pub(super) fn is_in_use(&self, id: &WorkspaceId) -> bool {
        self.flows.keys().any(|flow| flow.workspace == *id)
            || self.controls.by_workspace.contains_key(id)
    }

    /// Lets go of the workspaces in which nothing goes on.
    pub(super) fn close_idle_workspaces(&mut self) {
        let idle = self.workspaces.keys().filter(|id| !self.is_in_use(id));
        let idle: Vec<WorkspaceId> = idle.cloned().collect();
        for id in idle {
            if let Some(workspace) = self.workspaces.remove(&id) {
                self.close_workspace(workspace);
            }
        }
    }

    /// The end of a ledger waits for its writer; the end of this process waits for both.
    pub(super) fn close_workspace(&mut self, workspace: Arc<Workspace>) {
        self.closing.retain(|closed| !closed.is_finished());
        let inbox = self.inbox.clone();
        self.closing.push(self.pool.spawn_blocking(move || {
            if let Err(why) = workspace.ledger.flush() {
                inbox.carry(Incoming::Tell(unwritten(&why)));
            }
        }));
    }

    /// Retention looks through each workspace once, however often it is opened.
    pub(super) fn prune_first(&mut self, id: &WorkspaceId, workspace: &Arc<Workspace>) {
        if self.pruned.insert(id.clone()) {
            let rule = self.manner.retention;
            self.pruner
                .look(id.clone(), workspace, rule, Care::Thorough);
        }
    }
}

/// That the last of what ran is not in the ledger.
pub(super) fn unwritten(why: &LedgerError) -> Notice {
    Notice::error(
        format!("The end of what ran is not in the run history: failed to {why}."),
        "What nobody could write down counts as interrupted from the next start on.",
    )
}
