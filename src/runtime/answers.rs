//! What comes back from the pool's threads and from the watchers. Part of the [`Dispatcher`].

use std::sync::Arc;

use crate::model::{Catalog, FlowRef, Level, Notice, RunId, WorkspaceId};
use crate::sched::{Input, Start};
use crate::store::{self, FrozenRun};

use super::dispatcher::{Dispatcher, LiveRun, OpenFlow};
use super::incoming::{Incoming, Loaded, Prepared};
use super::job::Jobs;
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
    }

    /// Two flows of one workspace may be opened at the same moment, each with a workspace of its
    /// own. The first stays and is given back: a ledger knows live runs by the handle that their
    /// events go through, and that must be one.
    fn keep_workspace(&mut self, id: WorkspaceId, workspace: Arc<Workspace>) -> Arc<Workspace> {
        let kept = self
            .workspaces
            .entry(id)
            .or_insert_with(|| workspace.clone());
        let kept = kept.clone();
        // The end of a ledger waits for its writer.
        self.pool.spawn_blocking(move || drop(workspace));
        kept
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
    }

    pub(super) fn scanned(&mut self, catalog: Catalog) {
        self.work.catalog = Arc::new(catalog);
        self.dirty = true;
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
        let last_runs = Arc::make_mut(&mut self.work.last_runs);
        for (flow, run) in found.runs {
            // What an open flow says of itself is newer.
            if !self.flows.contains_key(&flow) {
                last_runs.insert(flow, run);
            }
        }
        self.dirty = true;
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
            Err(why) => return self.refuse(&flow, why),
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
                store::freeze(&workspace.run_dir(&run), &frozen).ok();
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
        let (crate::watch::Change::File(path) | crate::watch::Change::Within { path, .. }) = change;
        if path.starts_with(self.home.locks_dir()) {
            let flows: Vec<FlowRef> = self.flows.keys().cloned().collect();
            prepare::see_locks(&self.pool, &self.inbox, &self.home, flows);
        } else if let Some(root) = self
            .work
            .catalog
            .root
            .clone()
            .filter(|root| path.starts_with(root))
        {
            prepare::scan(&self.pool, &self.inbox, Some(root));
        }
    }
}

/// Why runs are not possible.
pub(super) fn unopened(why: &str) -> String {
    format!("The ledger of this workspace could not be opened: failed to {why}.")
}
