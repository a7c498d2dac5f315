//! What happened goes to the board, the ledger and whoever listens; and what it asks of the
//! [`Dispatcher`] itself, whose part this is.

use std::sync::Arc;

use crate::model::{Event, FlowRef, Notice, RunId};

use super::dispatcher::Dispatcher;
use super::incoming::Incoming;
use super::kept;
use super::open_flow::OpenFlow;
use super::pruner::Care;
use super::view::View;

impl Dispatcher {
    /// One fact goes to the board, the ledger and whoever listens: nothing is shown that is not
    /// recorded, and the other way round.
    pub(super) fn record(&mut self, event: Event) {
        let flow = self.flow_of(&event);
        let event = Arc::new(event);
        if let Some(flow) = flow {
            // Without a face that looks at boards only the run itself has to be known.
            if (self.picture.is_looked_at() || is_about_a_run(&event))
                && let Some(open) = self.flows.get_mut(&flow)
            {
                open.view.apply(&event);
                self.picture.touch_flow(&flow);
            }
            if let Some(workspace) = self.workspaces.get(&flow.workspace)
                && !matches!(
                    *event,
                    Event::RunRefused { .. }
                        | Event::NodeTriggered { .. }
                        | Event::EdgesMarked { .. }
                )
            {
                workspace.ledger.record(event.clone());
                self.ledger_grew(&flow.workspace);
            }
            self.follow_up(&flow, &event);
        }
        if let Some(events) = &self.events {
            events(&event);
        }
    }

    /// What is on record already, of a run that was adopted: the board alone has to hear of it.
    pub(super) fn recall(&mut self, event: &Event) {
        if let Some(flow) = self.flow_of(event) {
            self.see(&flow, |view| view.apply(event));
        }
    }

    fn flow_of(&self, event: &Event) -> Option<FlowRef> {
        let run = match event {
            Event::RunStarted(start) => return Some(start.flow.clone()),
            Event::RunRefused { flow, .. } | Event::StatusCleared { flow, .. } => {
                return Some(flow.clone());
            }
            Event::NodeStarted { id, .. } | Event::NodeSpawned { id, .. } => &id.run,
            Event::NodeFinished(finish) => &finish.id.run,
            Event::NodeTriggered { run, .. }
            | Event::EdgesMarked { run, .. }
            | Event::RunStopping { run, .. }
            | Event::RunFinished { run, .. } => run,
            Event::Told(_) => return None,
        };
        self.runs.get(run).map(|live| live.flow.clone())
    }

    /// What a fact asks of the dispatcher itself.
    fn follow_up(&mut self, flow: &FlowRef, event: &Event) {
        match event {
            Event::RunStarted(start) => {
                let lacked = self.flows.get_mut(flow).and_then(|open| open.lacks.take());
                if let Some(notice) = lacked {
                    self.picture.dismiss(notice);
                }
                let outlives = self.executor.outlives_us();
                let adopted = self.runs.get(&start.run).is_some_and(|run| run.adopted);
                if !adopted {
                    let recent = Arc::make_mut(&mut self.picture.work.recent_runs);
                    *recent.entry(flow.workspace.clone()).or_default() += 1;
                }
                if let Some(run) = self.runs.get_mut(&start.run) {
                    if !adopted {
                        self.executor.begin(&start.run, flow, run.jobs.base());
                        run.start = outlives.then(|| start.clone());
                    }
                    // Without the watch a log is still written, and read when it is opened.
                    self.growth
                        .watch(&start.run, &run.workspace.run_dir(&start.run))
                        .ok();
                }
                self.logs.grew(flow, None, None);
                self.past_runs_changed(flow);
            }
            Event::RunStopping { run, at } => {
                if let Some(live) = self.runs.get(run).filter(|_| self.executor.outlives_us()) {
                    let (dir, at) = (live.workspace.run_dir(run), *at);
                    // Whoever carries it on must not start more of it.
                    let inbox = self.inbox.clone();
                    self.pool.spawn_blocking(move || {
                        if let Err(why) = crate::exec::note_stopping(&dir, at) {
                            let dir = dir.display();
                            inbox.send(Incoming::Tell(Notice::warning(
                                format!("That a run stops could not be noted ({why}): {dir}"),
                                "After a crash of Handmill, whoever carries it on would not know.",
                            )));
                        }
                    });
                }
            }
            Event::RunRefused { notice, .. } => {
                // A refused start never became a run: its right to run is given back.
                let notice = notice.clone();
                let refused: Vec<RunId> = self
                    .runs
                    .iter()
                    .filter(|(id, run)| {
                        run.flow == *flow
                            && self
                                .flows
                                .get(flow)
                                .and_then(|open| open.view.live.as_ref())
                                .is_none_or(|live| live.run != **id)
                    })
                    .map(|(id, _)| id.clone())
                    .collect();
                for run in refused {
                    self.runs.remove(&run);
                }
                self.picture.tell(notice);
            }
            Event::NodeFinished(finish) if self.logs.is_looking() => {
                let node = self
                    .flows
                    .get(flow)
                    .and_then(|open| open.view.live.as_ref()?.id(finish.id.node).cloned());
                self.logs.grew(flow, Some(&finish.id.run), node.as_ref());
            }
            Event::RunFinished { run, .. } => {
                self.growth.unwatch(run);
                self.logs.grew(flow, None, None);
                self.past_runs_changed(flow);
                if let Some(live) = self.runs.get(run) {
                    let care = match self.picture.is_looked_at() {
                        true => Care::Thorough,
                        false => Care::Brief,
                    };
                    let (id, rule) = (flow.workspace.clone(), self.manner.retention);
                    self.pruner.look(id, &live.workspace, rule, care);
                }
                if let Some(mut live) = self.runs.remove(run) {
                    let lock = live.lock.take();
                    let (executor, run) = (Arc::clone(&self.executor), run.clone());
                    let keeps = self.manner.keep_results;
                    let keeps = keeps.then(|| (self.inbox.clone(), flow.clone()));
                    // The next process to take the lock must find the run's end in the ledger; and one
                    // that comes because we were killed before that must still find the run held.
                    let released = self.pool.spawn_blocking(move || {
                        live.workspace.ledger.flush().ok();
                        executor.over(&run, &live.workspace.run_dir(&run));
                        if let Some((inbox, flow)) = keeps
                            && let Some(notice) = kept::keep_results(&live.workspace, &flow, &run)
                        {
                            inbox.send(Incoming::Tell(notice));
                        }
                        drop(lock);
                    });
                    self.releasing.insert(flow.clone(), released);
                }
                self.forget_if_idle(flow);
            }
            _ => {}
        }
    }

    pub(super) fn forget_if_idle(&mut self, flow: &FlowRef) {
        let idle = self.flows.get(flow).is_some_and(OpenFlow::is_idle);
        if idle && let Some(gone) = self.flows.remove(flow) {
            self.picture.note_newest(flow, &gone);
            self.logs.closed(flow);
            self.follow_elsewhere(flow);
            self.picture.touch_flow(flow);
            self.close_idle_workspaces();
        }
    }

    pub(super) fn see(&mut self, flow: &FlowRef, change: impl FnOnce(&mut View)) {
        if let Some(open) = self.flows.get_mut(flow) {
            change(&mut open.view);
            self.picture.touch_flow(flow);
        }
    }

    pub(super) fn refuse(&mut self, flow: &FlowRef, notice: Notice) {
        self.record(Event::RunRefused {
            flow: flow.clone(),
            notice,
        });
    }

    /// Tells the operator, on every face.
    pub(super) fn tell(&mut self, notice: Notice) {
        self.picture.tell(notice.clone());
        self.tell_listeners(notice);
    }

    /// Tells whoever listens to events what a face that draws the board has in a better place there.
    pub(super) fn tell_listeners(&self, notice: Notice) {
        if let Some(events) = &self.events {
            events(&Arc::new(Event::Told(notice)));
        }
    }
}

fn is_about_a_run(event: &Event) -> bool {
    matches!(
        event,
        Event::RunStarted(_) | Event::RunFinished { .. } | Event::StatusCleared { .. }
    )
}
