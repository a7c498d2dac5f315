//! What comes back from the pool's threads and from the watchers. Part of the [`Dispatcher`].

use std::collections::HashSet;
use std::sync::Arc;

use crate::model::{Catalog, FlowRef, Level, Notice, RunId, WorkspaceId};
use crate::sched::Input;

use super::adopt::BACKGROUND;
use super::dispatcher::Dispatcher;
use super::incoming::{Incoming, Loaded};
use super::last_runs::{self, LastRuns};
use super::open_flow::OpenFlow;
use super::order::{KillScope, Order};
use super::start::follows;
use super::workspace::Workspace;
use super::{Runner, clock, errand, loading, runners};

impl Dispatcher {
    pub(super) fn loaded(&mut self, loaded: Loaded) {
        for why in loaded.troubles {
            let what = format!("What earlier runs left could not be read: {why}.");
            self.tell(Notice::error(what, "Close the flow and open it again."));
        }
        let (workspace, trouble) = match loaded.workspace {
            Ok(workspace) => (Some(workspace), String::new()),
            Err(why) => (None, why),
        };
        let waits = |open: &OpenFlow| !open.waiting.is_empty();
        // An order that waits is refused with the same words; without a face that looks at boards
        // an order is always on its way, and the reason would be told twice.
        if workspace.is_none()
            && self.picture.is_looked_at()
            && !self.flows.get(&loaded.flow).is_some_and(waits)
        {
            self.tell(Notice::error(
                unopened(&trouble),
                "Runs are not possible until it can be.",
            ));
        }
        let workspace = workspace.map(|workspace| {
            self.watch_locks();
            self.keep_workspace(loaded.flow.workspace.clone(), workspace)
        });
        let Some(open) = self.flows.get_mut(&loaded.flow) else {
            // Closed meanwhile: another process carries the run on then.
            if let Some(adoption) = loaded.adoption {
                self.leave_run(&loaded.flow, adoption.run());
            }
            self.close_idle_workspaces();
            return;
        };
        open.workspace = workspace.clone();
        open.trouble = trouble;
        open.stands_alone = loaded.stands_alone;
        if let Some(workspace) = &workspace {
            self.logs.opened(&loaded.flow, workspace);
        }
        open.view.load(&loaded.past, loaded.edges, loaded.history);
        let news = open.show_orphans(loaded.orphans);
        for orphan in news {
            errand::await_orphan(&self.inbox, loaded.flow.clone(), orphan);
        }
        let mut waiting = std::mem::take(&mut open.waiting);
        // Another comes to us as soon as it is let go.
        let asked = |runner: &Runner| &*runner.face == BACKGROUND && self.face != BACKGROUND;
        open.coming &= loaded.adoption.is_none() && loaded.runner.as_ref().is_some_and(asked);
        self.set_runner(&loaded.flow, loaded.runner);
        if let (Some(adoption), Some(workspace)) = (loaded.adoption, &workspace) {
            if self.ending {
                // Too late: it is neither to be stopped nor to be waited for.
                self.leave_run(&loaded.flow, adoption.run());
            } else {
                let run = adoption.run().clone();
                self.adopt(&loaded.flow, workspace, *adoption);
                if waiting.extract_if(.., |order| is_met(order)).count() > 0 {
                    self.tell(follows(&run));
                }
            }
        }
        for order in waiting {
            self.order(order);
        }
        self.forget_if_idle(&loaded.flow);
    }

    /// Two flows of one workspace may be opened at the same moment, each with a workspace of its
    /// own. The first stays and is given back: a ledger knows live runs by the handle that their
    /// events go through, and that must be one.
    pub(super) fn keep_workspace(
        &mut self,
        id: WorkspaceId,
        workspace: Arc<Workspace>,
    ) -> Arc<Workspace> {
        self.prune_first(&id, &workspace);
        let kept = self
            .workspaces
            .entry(id)
            .or_insert_with(|| workspace.clone());
        let kept = kept.clone();
        // Opened twice: the second is not needed.
        if !Arc::ptr_eq(&kept, &workspace) {
            self.close_workspace(workspace);
        }
        kept
    }

    pub(super) fn workspace_of(&self, flow: &FlowRef) -> Option<Arc<Workspace>> {
        self.workspaces.get(&flow.workspace).cloned()
    }

    /// A run of this flow began, ended or was pinned.
    pub(super) fn past_runs_changed(&mut self, flow: &FlowRef) {
        if let Some(workspace) = self.workspace_of(flow) {
            self.past_runs.changed(flow, &workspace);
        }
    }

    /// Retention took runs: no list names them any longer.
    pub(super) fn runs_gone(&mut self, workspace: &WorkspaceId, runs: &[RunId]) {
        let gone: HashSet<&RunId> = runs.iter().collect();
        let mut flows: Vec<FlowRef> = Vec::new();
        for (flow, open) in &mut self.flows {
            let history = &mut open.view.board.history;
            if flow.workspace == *workspace && history.iter().any(|run| gone.contains(&run.id)) {
                Arc::make_mut(history).retain(|run| !gone.contains(&run.id));
                flows.push(flow.clone());
            }
        }
        for flow in flows {
            self.past_runs_changed(&flow);
            self.picture.touch_flow(&flow);
        }
    }

    /// Keeps who else runs a flow, and has it told when they do no longer, however they end.
    pub(super) fn set_runner(&mut self, flow: &FlowRef, runner: Option<Runner>) {
        let Some(open) = self.flows.get_mut(flow) else {
            return;
        };
        if let Some(seen) = &runner
            && open.view.board.runner != runner
        {
            runners::await_release(&self.inbox, &self.home, flow.clone(), seen.clone());
        }
        open.view.board.runner = runner;
        self.picture.touch_flow(flow);
        self.follow_elsewhere(flow);
    }

    pub(super) fn scanned(&mut self, mut catalog: Catalog) {
        // A root that is followed no longer may still tell.
        if catalog.root != self.collection {
            return;
        }
        if !catalog.trouble.is_empty() {
            // A root that is away is not empty: what was known of it stays until it is back.
            catalog
                .workspaces
                .clone_from(&self.picture.work.catalog.workspaces);
            catalog
                .rejected
                .clone_from(&self.picture.work.catalog.rejected);
        }
        self.picture.work.catalog = Arc::new(catalog);
        self.picture.touch();
        self.look_up_last_runs();
    }

    pub(super) fn look_up_last_runs(&self) {
        last_runs::look_up(
            &self.pool,
            &self.inbox,
            &self.home,
            &self.workspaces,
            self.picture.work.catalog.clone(),
        );
    }

    pub(super) fn last_runs_came(&mut self, found: LastRuns) {
        for (id, workspace) in found.opened {
            self.prune_first(&id, &workspace);
            // Opened for the list alone, unless somebody has come for it meanwhile.
            if self.is_in_use(&id) {
                self.keep_workspace(id, workspace);
            } else {
                self.close_workspace(workspace);
            }
        }
        // What an open flow says of itself is newer.
        let news: Vec<_> = found
            .runs
            .into_iter()
            .filter(|(flow, run)| {
                !self.flows.contains_key(flow) && self.picture.work.last_runs.get(flow) != Some(run)
            })
            .collect();
        if !news.is_empty() {
            Arc::make_mut(&mut self.picture.work.last_runs).extend(news);
            self.picture.touch();
        }
        // A run that began while they were counted is counted twice at worst, until the next time.
        let known = &self.picture.work.recent_runs;
        if found.recent.iter().any(|(id, n)| known.get(id) != Some(n)) {
            Arc::make_mut(&mut self.picture.work.recent_runs).extend(found.recent);
            self.picture.touch();
        }
    }

    pub(super) fn lock_seen(&mut self, flow: &FlowRef, runner: Option<Runner>, stop: Option<bool>) {
        let Some(open) = self.flows.get_mut(flow) else {
            return;
        };
        if let (Some(at_once), Some(live)) = (stop, &open.view.live) {
            let run = live.run.clone();
            if at_once {
                return self.kill(KillScope::Run(flow.clone()), clock::instant());
            }
            return self.decide(Input::Stop {
                run,
                nodes: None,
                at_once,
            });
        }
        if open.view.live.is_none() && !open.preparing && open.view.board.runner != runner {
            self.set_runner(flow, runner);
            // What the other did is in the ledger.
            self.reload(flow);
        }
    }

    /// Has what is known of a flow read again.
    pub(super) fn reload(&mut self, flow: &FlowRef) {
        let Some(open) = self.flows.get(flow) else {
            return;
        };
        loading::reload(
            &self.pool,
            &self.inbox,
            &self.home,
            self.workspaces.get(&flow.workspace).cloned(),
            flow.clone(),
            open.frozen.clone(),
            self.ours(),
        );
    }

    pub(super) fn watch_locks(&mut self) {
        if self.watcher.is_some() {
            return;
        }
        let inbox = self.inbox.clone();
        let watcher = crate::watch::Watcher::start(move |change| {
            inbox.send(Incoming::Changed(change));
        });
        match watcher {
            Ok(mut watcher) => {
                let heard = watcher.watch_dir(&self.home.locks_dir(), false);
                self.watcher = Some(watcher);
                // What happened before the watch is not told by it.
                let flows: Vec<FlowRef> = self.flows.keys().cloned().collect();
                runners::see_locks(&self.pool, &self.inbox, &self.home, flows);
                if let Err(why) = heard {
                    self.tell(Notice::new(
                        Level::Warning,
                        format!("A stop from another process will not be heard: failed to {why}."),
                        "",
                    ));
                }
            }
            Err(why) => self.tell(Notice::new(
                Level::Warning,
                format!("Changes made by other programs will not be noticed: {why}."),
                "",
            )),
        }
    }

    pub(super) fn path_changed(&mut self, change: &crate::watch::Change) {
        if let crate::watch::Change::Within { folder, path } = change
            && (self.changed_elsewhere(folder, path) || self.control_path_changed(folder, path))
        {
            return;
        }
        let (crate::watch::Change::File(path) | crate::watch::Change::Within { path, .. }) = change;
        if path.starts_with(self.home.locks_dir()) {
            let flows: Vec<FlowRef> = self.flows.keys().cloned().collect();
            runners::see_locks(&self.pool, &self.inbox, &self.home, flows);
        }
    }
}

/// A start that a run which goes on is an answer to.
fn is_met(order: &Order) -> bool {
    matches!(order, Order::StartRun { choice, .. } if choice.may_follow())
}

/// Why runs are not possible.
pub(super) fn unopened(why: &str) -> String {
    format!("The ledger of this workspace could not be opened: failed to {why}.")
}
