//! What comes back from the pool's threads and from the watchers. Part of the [`Dispatcher`].

use std::collections::HashSet;
use std::sync::Arc;

use crate::model::{Catalog, FlowRef, Level, Notice, RunId, WorkspaceId};
use crate::sched::{Input, Start};
use crate::store::{self, FrozenRun};

use super::dispatcher::{Dispatcher, LiveRun, OpenFlow};
use super::incoming::{Incoming, Loaded, Prepared};
use super::job::Jobs;
use super::keeper::Care;
use super::last_runs::{self, LastRuns};
use super::order::{KillScope, Order};
use super::workspace::Workspace;
use super::{Runner, prepare};

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
            && self.wake.is_some()
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
                self.executor.leave(adoption.run());
            }
            return;
        };
        open.workspace = workspace.clone();
        open.trouble = trouble;
        if let Some(workspace) = &workspace {
            self.logs.opened(&loaded.flow, workspace);
        }
        open.view.load(&loaded.past, loaded.edges, loaded.history);
        let known = std::mem::take(&mut open.orphans);
        let news = loaded.orphans.iter().filter(|left| !known.contains(left));
        let news: Vec<_> = news.cloned().collect();
        open.show_orphans(loaded.orphans);
        for orphan in news {
            prepare::await_orphan(&self.inbox, loaded.flow.clone(), orphan);
        }
        let waiting = std::mem::take(&mut open.waiting);
        self.set_runner(&loaded.flow, loaded.runner);
        if let (Some(adoption), Some(workspace)) = (loaded.adoption, &workspace) {
            self.adopt(&loaded.flow, workspace, *adoption);
        }
        for order in waiting {
            self.order(order);
        }
        self.forget_if_idle(&loaded.flow);
    }

    /// Two flows of one workspace may be opened at the same moment, each with a workspace of its
    /// own. The first stays and is given back: a ledger knows live runs by the handle that their
    /// events go through, and that must be one.
    fn keep_workspace(&mut self, id: WorkspaceId, workspace: Arc<Workspace>) -> Arc<Workspace> {
        let (keeper, rule) = (&mut self.keeper, self.manner.retention);
        let kept = self.workspaces.entry(id.clone()).or_insert_with(|| {
            keeper.look(id, &workspace, rule, Care::Thorough);
            workspace.clone()
        });
        let kept = kept.clone();
        // The end of a ledger waits for its writer.
        self.pool.spawn_blocking(move || drop(workspace));
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
            self.changed.insert(flow);
            self.dirty = true;
        }
    }

    /// Keeps who else runs a flow, and has it told when they do no longer, however they end.
    fn set_runner(&mut self, flow: &FlowRef, runner: Option<Runner>) {
        let Some(open) = self.flows.get_mut(flow) else {
            return;
        };
        if let Some(seen) = &runner
            && open.view.board.runner != runner
        {
            prepare::await_release(&self.inbox, &self.home, flow.clone(), seen.clone());
        }
        open.view.board.runner = runner;
        self.changed.insert(flow.clone());
        self.dirty = true;
        self.follow_elsewhere(flow);
    }

    pub(super) fn scanned(&mut self, mut catalog: Catalog) {
        // A root that is followed no longer may still tell.
        if catalog.root != self.collection {
            return;
        }
        if !catalog.trouble.is_empty() {
            // A root that is away is not empty: what was known of it stays until it is back.
            catalog.workspaces.clone_from(&self.work.catalog.workspaces);
            catalog.rejected.clone_from(&self.work.catalog.rejected);
        }
        self.work.catalog = Arc::new(catalog);
        self.dirty = true;
        self.look_up_last_runs();
    }

    pub(super) fn look_up_last_runs(&self) {
        last_runs::look_up(
            &self.pool,
            &self.inbox,
            &self.home,
            &self.workspaces,
            self.work.catalog.clone(),
        );
    }

    pub(super) fn last_runs_came(&mut self, found: LastRuns) {
        for (id, workspace) in found.opened {
            self.keep_workspace(id, workspace);
        }
        // What an open flow says of itself is newer.
        let news: Vec<_> = found
            .runs
            .into_iter()
            .filter(|(flow, run)| {
                !self.flows.contains_key(flow) && self.work.last_runs.get(flow) != Some(run)
            })
            .collect();
        if !news.is_empty() {
            Arc::make_mut(&mut self.work.last_runs).extend(news);
            self.dirty = true;
        }
        // A run that began while they were counted is counted twice at worst, until the next time.
        let known = &self.work.recent_runs;
        if found.recent.iter().any(|(id, n)| known.get(id) != Some(n)) {
            Arc::make_mut(&mut self.work.recent_runs).extend(found.recent);
            self.dirty = true;
        }
    }

    pub(super) fn orphan_ended(&mut self, flow: &FlowRef) {
        let Some(open) = self.flows.get_mut(flow) else {
            return;
        };
        let mut left = std::mem::take(&mut open.orphans);
        left.retain(|left| crate::exec::orphan_alive(left.pid, left.birth, &left.id));
        open.show_orphans(left);
        self.changed.insert(flow.clone());
        self.dirty = true;
    }

    pub(super) fn prepared(&mut self, prepared: Prepared) {
        let Order::StartRun {
            flow,
            frozen,
            choice,
            jobs_max,
        } = prepared.order
        else {
            return;
        };
        let Some(open) = self.flows.get_mut(&flow) else {
            return;
        };
        open.preparing = false;
        if let Some(orphans) = prepared.orphans {
            open.show_orphans(orphans);
        }
        let workspace = open.workspace.clone();
        self.set_runner(&flow, prepared.runner);
        let (lock, past) = match prepared.result {
            Ok(ready) => ready,
            Err(why) => {
                self.refuse(&flow, why);
                // Its last face may have gone meanwhile.
                return self.forget_if_idle(&flow);
            }
        };
        let Some(workspace) = workspace else {
            return;
        };
        let run = prepared.run;
        let live = LiveRun {
            jobs: Jobs::new(&flow, &frozen, &run, &workspace, &self.manner.shell),
            flow: flow.clone(),
            workspace: workspace.clone(),
            lock: Some(lock),
            held: Some(Vec::new()),
            start: None,
            adopted: false,
        };
        self.runs.insert(run.clone(), live);
        let start = Start {
            run: run.clone(),
            flow,
            frozen,
            choice,
            past,
            jobs_max,
        };
        self.decide(Input::Start(Box::new(start)));
        let inbox = self.inbox.clone();
        let start = self.runs.get_mut(&run).and_then(|live| live.start.take());
        let shell = self.manner.shell.clone();
        self.pool.spawn_blocking(move || {
            if let Some(start) = start {
                let frozen = FrozenRun {
                    start: *start,
                    jobs_max,
                    shell,
                };
                // Without it nobody can carry the run on; that is no reason not to run.
                if let Err(why) = store::freeze(&workspace.run_dir(&run), &frozen) {
                    inbox.send(Incoming::Tell(Notice::warning(
                        format!("What another process needs to carry this run on could not be written: {why}"),
                        "Keep this window open until the run has ended.",
                    )));
                }
            }
            // What cannot be written is told by the ledger, and is no reason not to run.
            workspace.ledger.commit_now().ok();
            inbox.send(Incoming::StartStored(run));
        });
    }

    /// What could not start before its run was recorded starts now.
    pub(super) fn start_stored(&mut self, run: &RunId) {
        let held = self.runs.get_mut(run).and_then(|run| run.held.take());
        for (id, node) in held.into_iter().flatten() {
            self.launch(id, &node);
        }
    }

    pub(super) fn lock_seen(&mut self, flow: &FlowRef, runner: Option<Runner>, stop: Option<bool>) {
        let Some(open) = self.flows.get_mut(flow) else {
            return;
        };
        if let (Some(at_once), Some(live)) = (stop, &open.view.live) {
            let run = live.run.clone();
            if at_once {
                return self.kill(KillScope::Run(flow.clone()));
            }
            return self.decide(Input::Stop {
                run,
                nodes: None,
                at_once,
            });
        }
        if open.view.live.is_none() && !open.preparing && open.view.board.runner != runner {
            let frozen = open.frozen.clone();
            self.set_runner(flow, runner);
            let ours = self.ours();
            // What the other did is in the ledger.
            prepare::reload(
                &self.pool,
                &self.inbox,
                &self.home,
                self.workspaces.get(&flow.workspace).cloned(),
                flow.clone(),
                frozen,
                ours,
            );
        }
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
                prepare::see_locks(&self.pool, &self.inbox, &self.home, flows);
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
            && self.changed_elsewhere(folder, path)
        {
            return;
        }
        let (crate::watch::Change::File(path) | crate::watch::Change::Within { path, .. }) = change;
        if path.starts_with(self.home.locks_dir()) {
            let flows: Vec<FlowRef> = self.flows.keys().cloned().collect();
            prepare::see_locks(&self.pool, &self.inbox, &self.home, flows);
        }
    }
}

/// Why runs are not possible.
pub(super) fn unopened(why: &str) -> String {
    format!("The ledger of this workspace could not be opened: failed to {why}.")
}
