//! What each order of a face becomes. Part of the [`Dispatcher`].

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::model::{Event, FlowRef, NodeId, Notice, RunId};
use crate::sched::Input;

use super::board::{Preview, Wish};
use super::dispatcher::Dispatcher;
use super::follow::{Follower, News};
use super::incoming::Incoming;
use super::order::Order;
use super::pruner::Care;
use super::{clock, errand, loading, runners};

impl Dispatcher {
    pub(super) fn order(&mut self, order: Order) {
        match order {
            Order::SetCollection(root) => self.set_collection(root),
            Order::LookAgain => {
                if let Some(follower) = &self.follower {
                    follower.look(false);
                }
                self.look_up_last_runs();
            }
            Order::OpenFlow {
                ref flow,
                ref frozen,
                ..
            } => {
                let (flow, frozen) = (flow.clone(), frozen.clone());
                let open = self.flows.entry(flow.clone()).or_default();
                open.shown = true;
                open.frozen = frozen;
                self.picture.touch_flow(&flow);
                self.load(order, &flow);
            }
            Order::AdoptRuns => self.adopt_runs(),
            Order::CloseFlow(flow) => {
                if let Some(open) = self.flows.get_mut(&flow) {
                    open.shown = false;
                }
                self.forget_if_idle(&flow);
            }
            Order::StartRun { .. } => self.start_run(order),
            Order::Retry { flow, run, nodes } => match self.may_retry(&flow) {
                Ok(()) => {
                    self.mend(&run, &nodes);
                    self.decide(Input::Retry { run, nodes });
                }
                Err(why) => self.tell(why),
            },
            Order::Stop {
                flow,
                nodes,
                at_once,
            } => self.stop(flow, nodes, at_once),
            Order::Kill(scope) => self.kill(scope, clock::instant()),
            Order::StopOrphans(flow) => self.stop_orphans(&flow),
            Order::ClearStatus { flow, nodes } => self.clear_status(flow, nodes),
            Order::Give { flow, secrets } => {
                let given = self.given.entry(flow).or_default();
                for (name, secret) in secrets.iter() {
                    given.insert(name.clone(), secret.clone());
                }
            }
            Order::Preview(wish) => self.preview(wish),
            Order::NameRunningThere(id) => {
                // What was found the last time may be true no longer.
                if self.picture.work.running_there.take().is_some() {
                    self.picture.touch();
                }
                if let Some(workspace) = self.workspaces.get(&id).cloned() {
                    errand::name_running_there(&self.pool, &self.inbox, id, workspace);
                }
            }
            Order::ShowRun { flow, run: None } => {
                self.see(&flow, |view| view.show(None, HashMap::new()))
            }
            Order::ShowRun {
                flow,
                run: Some(run),
            } => {
                if let Some(workspace) = self
                    .flows
                    .get(&flow)
                    .and_then(|open| open.workspace.clone())
                {
                    errand::show_run(&self.pool, &self.inbox, workspace, flow, run);
                }
            }
            Order::ShowHistory(ask) => {
                let workspace = ask.as_ref().and_then(|ask| self.workspace_of(&ask.flow));
                self.past_runs.show(ask, workspace);
                self.picture.work.history = self.past_runs.shown();
                self.picture.touch();
            }
            Order::Compare(ask) => {
                let workspace = ask.as_ref().and_then(|ask| self.workspace_of(&ask.flow));
                self.past_runs.compare(ask, workspace);
                self.picture.work.comparison = self.past_runs.compared();
                self.picture.touch();
            }
            Order::PinRun { flow, run, pinned } => {
                if let Some(workspace) = self.workspace_of(&flow) {
                    errand::pin(&self.pool, &self.inbox, workspace, flow, run, pinned);
                }
            }
            Order::FollowLogs(targets) => {
                self.picture
                    .work
                    .logs
                    .retain(|target, _| targets.contains(target));
                self.logs.follow(targets);
                self.picture.touch();
            }
            Order::Configure(manner) => {
                let input = Input::Configure {
                    slots: manner.slots(),
                    grace: manner.grace,
                };
                let rule = manner.retention;
                let other_rule = rule != self.manner.retention;
                self.manner = manner;
                if other_rule {
                    // Those that are not open are looked at when the collection is.
                    self.pruned.clear();
                }
                for (id, workspace) in self.workspaces.iter().filter(|_| other_rule) {
                    self.pruner
                        .look(id.clone(), workspace, rule, Care::Thorough);
                }
                self.decide(input);
                self.picture.touch();
            }
            Order::KeepControl { .. }
            | Order::DropControl(_)
            | Order::Control { .. }
            | Order::SetPolicy { .. } => self.control_order(order),
            Order::Tell(notice) => self.tell(notice),
            Order::DismissNotice(number) => self.picture.dismiss(number),
            Order::EndWhenDone => self.until_done = true,
            Order::Leave if self.executor.outlives_us() => {
                self.ending = true;
                self.leave_all();
            }
            Order::Leave | Order::ShutDown => {
                self.ending = true;
                let runs: Vec<RunId> = self.runs.keys().cloned().collect();
                for run in runs {
                    self.decide(Input::Stop {
                        run,
                        nodes: None,
                        at_once: false,
                    });
                }
            }
        }
    }

    fn preview(&mut self, wish: Option<Box<Wish>>) {
        self.wish = None;
        if self.picture.work.preview.take().is_some() {
            self.picture.touch();
        }
        let Some(wish) = wish else {
            return;
        };
        let open = self.flows.get(&wish.flow);
        if let Some(workspace) = open.and_then(|open| open.workspace.clone()) {
            self.wish = Some((wish.flow.clone(), wish.revision, wish.choice.clone()));
            errand::preview(&self.pool, &self.inbox, workspace, *wish);
        }
    }

    pub(super) fn previewed(&mut self, preview: Arc<Preview>) {
        let about = (
            preview.flow.clone(),
            preview.revision,
            preview.choice.clone(),
        );
        if self.wish.as_ref() == Some(&about) {
            self.picture.work.preview = Some(preview);
            self.picture.touch();
        }
    }

    fn set_collection(&mut self, root: Option<PathBuf>) {
        if let (Some(follower), Some(_)) = (&self.follower, &root)
            && self.collection == root
        {
            return follower.look(true);
        }
        self.collection.clone_from(&root);
        // What the old root holds is not what was asked for; what runs stays on the board.
        self.picture.work.catalog = Arc::default();
        self.picture.touch();
        let inbox = self.inbox.clone();
        let follower = root.map(|root| {
            Follower::start(root, move |news| {
                inbox.send(match news {
                    News::Catalog(catalog) => Incoming::Scanned(catalog),
                    News::Notice(notice) => Incoming::Tell(notice),
                });
            })
        });
        self.follower = match follower.transpose() {
            Ok(follower) => follower,
            Err(why) => {
                let what = format!("The collection cannot be looked through: {why}.");
                self.tell(Notice::error(
                    what,
                    "Close some programs, then choose it again.",
                ));
                None
            }
        };
    }

    /// Has the ledger asked about a flow; `order` says how.
    pub(super) fn load(&mut self, order: Order, flow: &FlowRef) {
        let workspace = self.workspaces.get(&flow.workspace).cloned();
        let ours = self.ours();
        loading::load(&self.pool, &self.inbox, &self.home, workspace, order, ours);
    }

    pub(super) fn stop(&mut self, flow: FlowRef, nodes: Option<Vec<NodeId>>, at_once: bool) {
        let Some(open) = self.flows.get(&flow) else {
            return;
        };
        let live = open.view.live.as_ref().map(|live| live.run.clone());
        let is_run_elsewhere = open.view.board.runner.is_some();
        if let Some(open) = self.flows.get_mut(&flow).filter(|open| open.preparing) {
            open.forgone = true;
            return;
        }
        match live {
            Some(run) => self.decide(Input::Stop {
                run,
                nodes,
                at_once,
            }),
            None if self.drop_waiting(&flow) => {}
            None if is_run_elsewhere => {
                runners::ask_stop(&self.pool, &self.inbox, &self.home, flow, at_once);
            }
            None => self.stop_orphans(&flow),
        }
    }

    pub(super) fn clear_status(&mut self, flow: FlowRef, nodes: Option<Vec<NodeId>>) {
        let Some(open) = self.flows.get(&flow) else {
            return;
        };
        if open.view.live.is_some() {
            let why = Notice::error(
                "A running flow keeps its statuses.",
                "Clear them when it has ended.",
            );
            return self.tell(why);
        }
        self.record(Event::StatusCleared {
            flow,
            nodes,
            at: clock::now(),
        });
    }
}
