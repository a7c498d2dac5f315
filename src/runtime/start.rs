//! A run's start, from the order to its first nodes. Part of the [`Dispatcher`].

use std::sync::Arc;

use crate::model::{Choice, FlowRef, Notice, ResourceName, RunId};
use crate::sched::{Input, Start};
use crate::store::{self, FrozenRun};

use super::answers::unopened;
use super::board::Wanting;
use super::clock;
use super::control::Gate;
use super::dispatcher::Dispatcher;
use super::incoming::{Incoming, Prepared};
use super::job::Jobs;
use super::live_run::LiveRun;
use super::order::Order;
use super::prepare::{self, Ready};

impl Dispatcher {
    pub(super) fn start_run(&mut self, order: Order) {
        let Order::StartRun { flow, .. } = &order else {
            return;
        };
        let flow = flow.clone();
        if self.ending {
            return self.refuse(
                &flow,
                Notice::error("Handmill is closing.", "Start it again to run the flow."),
            );
        }
        let Some(open) = self.flows.get_mut(&flow) else {
            return self.refuse(
                &flow,
                Notice::error("The flow is not open.", "Open it first."),
            );
        };
        if !open.view.board.loaded {
            open.waiting.push(order);
            return;
        }
        let Some(workspace) = open.workspace.clone() else {
            let why = Notice::error(
                unopened(&open.trouble),
                "Mend it, then open the flow again.",
            );
            return self.refuse(&flow, why);
        };
        if open.preparing || open.view.live.is_some() {
            let why = Notice::error(
                "This flow is running already.",
                "Stop it first, or wait for its end.",
            );
            return self.refuse(&flow, why);
        }
        self.picture.touch_flow(&flow);
        let gate = match open.stands_alone {
            true => Gate::Open,
            false => self.gate(&flow),
        };
        let Some(open) = self.flows.get_mut(&flow) else {
            return;
        };
        match gate {
            Gate::Open => {}
            Gate::Wait => return open.waiting.push(order),
            Gate::Refused(why) => return self.refuse(&flow, why),
        }
        open.preparing = true;
        open.forgone = false;
        self.n_run_ids += 1;
        let run = clock::new_run_id(clock::now(), self.n_run_ids);
        let given = self.given.get(&flow).cloned().unwrap_or_default();
        prepare::prepare(
            &self.pool,
            &self.inbox,
            &self.home,
            self.ours(),
            workspace,
            run,
            (order, self.releasing.remove(&flow), given),
        );
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
            if let Ok(Ready::GoesOn(adoption)) = &prepared.result {
                self.leave_run(&flow, adoption.run());
            }
            return;
        };
        open.preparing = false;
        let forgone = std::mem::take(&mut open.forgone);
        self.picture.touch_flow(&flow);
        if let Some(orphans) = prepared.orphans {
            open.show_orphans(orphans);
        }
        let workspace = open.workspace.clone();
        self.set_runner(&flow, prepared.runner);
        let (lock, past, gathered) = match prepared.result {
            Ok(Ready::Fresh(fresh)) => *fresh,
            Ok(Ready::GoesOn(adoption)) => {
                if let Some(workspace) = workspace {
                    self.tell(follows(adoption.run()));
                    self.adopt(&flow, &workspace, *adoption);
                }
                return;
            }
            Err(why) => {
                self.refuse(&flow, why);
                if !prepared.missing.is_empty() {
                    self.want(&flow, choice, prepared.missing);
                }
                // Its last face may have gone meanwhile.
                return self.forget_if_idle(&flow);
            }
        };
        let Some(workspace) = workspace else {
            return;
        };
        if forgone {
            let what = "The run was stopped before it began.";
            self.refuse(&flow, Notice::info(what));
            return self.forget_if_idle(&flow);
        }
        if let Err(why) = self.may_still_start(&flow) {
            self.refuse(&flow, why);
            return self.forget_if_idle(&flow);
        }
        let run = prepared.run;
        let epoch = self.epoch_of(&flow.workspace);
        let live = LiveRun {
            jobs: Jobs::new(
                &flow,
                &frozen,
                (&run, epoch),
                &workspace,
                &self.manner.shell,
                gathered,
            ),
            flow: flow.clone(),
            workspace: workspace.clone(),
            lock: Some(lock),
            postponed: Some(Vec::new()),
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
                        format!("Another process could not carry this run on, for want of: {why}"),
                        "Keep Handmill running until the run has ended.",
                    )));
                }
            }
            // What cannot be written is told by the ledger, and is no reason not to run.
            workspace.ledger.commit_now().ok();
            inbox.send(Incoming::StartStored(run));
        });
    }

    /// A start was just refused for want of resources: faces may ask for them. What is told of it goes when it is told
    /// anew, or when a run of the flow begins.
    fn want(&mut self, flow: &FlowRef, choice: Choice, names: Vec<ResourceName>) {
        let told = self.picture.last_notice();
        let open = self.flows.get_mut(flow);
        if let Some(before) = open.and_then(|open| open.lacks.replace(told)) {
            self.picture.dismiss(before);
        }
        let before = self.picture.work.wanting.as_ref();
        self.picture.work.wanting = Some(Arc::new(Wanting {
            n: before.map_or(0, |wanting| wanting.n) + 1,
            flow: flow.clone(),
            choice,
            names,
        }));
        self.picture.touch();
    }

    /// What could not start before its run was recorded starts now.
    pub(super) fn start_stored(&mut self, run: &RunId) {
        let postponed = self.runs.get_mut(run).and_then(|run| run.postponed.take());
        for (id, node) in postponed.into_iter().flatten() {
            self.launch(id, &node);
        }
    }
}

/// A run was to be started, and one goes on: that one is followed.
pub(super) fn follows(run: &RunId) -> Notice {
    Notice::info(format!(
        "Run {run} of this flow goes on already: no other is started, this one is followed."
    ))
}
