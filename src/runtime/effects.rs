//! What comes from processes, and what the scheduler demands of them. Part of the [`Dispatcher`].

use crate::exec::{End, Report, Why};
use crate::model::{Exit, Level, Node, NodeRunId, Notice};
use crate::sched::{Effect, Ending, Input};

use super::clock;
use super::dispatcher::Dispatcher;
use super::incoming::Incoming;

impl Dispatcher {
    pub(super) fn report(&mut self, report: Report) {
        match report {
            Report::Spawned { id, pid, birth } => self.decide(Input::Spawned { id, pid, birth }),
            Report::Exited { id, exit } => {
                let killed = self.killing.is_some().then(|| id.clone());
                self.decide(Input::Exited { id, exit });
                if let Some(id) = killed {
                    self.kill_ended(&id);
                }
            }
            Report::Delayed { id, why } => {
                let what = format!(
                    "The system is short of resources, so a node of run {} waits: {why}.",
                    id.run
                );
                self.tell(Notice::new(
                    Level::Warning,
                    what,
                    "It is tried again by and by.",
                ));
            }
            Report::Killed { id, pids, left } => self.killed(&id, pids, left),
            Report::ControlLost(workspace) => self.control_lost(&workspace),
            Report::Others {
                workspace,
                runs,
                children,
            } => self.others_run(&workspace, (runs, children)),
            Report::Told(notice) => self.tell(notice),
            Report::Output {
                id,
                stream,
                bytes_total,
            } => {
                let now = clock::now();
                if let Some(run) = self.runs.get(&id.run) {
                    run.workspace
                        .ledger
                        .record_log_index(&id, stream, bytes_total, now);
                    let flow = run.flow.clone();
                    let node = self
                        .flows
                        .get(&flow)
                        .and_then(|open| open.view.live.as_ref()?.id(id.node).cloned());
                    self.logs.grew(&flow, Some(&id.run), node.as_ref());
                }
            }
        }
    }

    pub(super) fn decide(&mut self, input: Input) {
        let mut effects = std::mem::take(&mut self.effects);
        self.scheduler.handle(clock::now(), input, &mut effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::Record(event) => self.record(event),
                Effect::Recall(event) => self.recall(&event),
                Effect::Await { id } => {
                    if let Some(run) = self.runs.get(&id.run) {
                        let dir = run.workspace.run_dir(&id.run);
                        self.executor.await_lost(&id, &dir);
                    }
                }
                Effect::Launch { id, node } => {
                    let run = self.runs.get_mut(&id.run);
                    match run.and_then(|run| run.postponed.as_mut()) {
                        Some(postponed) => postponed.push((id, node)),
                        None => self.launch(id, &node),
                    }
                }
                Effect::Terminate { id, force, why } => {
                    let run = self.runs.get_mut(&id.run);
                    let postponed = run.and_then(|run| run.postponed.as_mut());
                    let place = postponed.and_then(|postponed| {
                        Some((postponed.iter().position(|(p, _)| *p == id)?, postponed))
                    });
                    match place {
                        Some((at, postponed)) => {
                            postponed.remove(at);
                            self.not_started(id, "stopped before it started");
                        }
                        None => {
                            let why = match why {
                                Ending::Stop => Why::Stop,
                                Ending::Timeout => Why::Timeout,
                                Ending::Control => Why::Control,
                            };
                            let grace = match why {
                                Why::Control => self.controls.grace(),
                                _ => self.manner.grace,
                            };
                            let end = match force {
                                true => End::force(why),
                                false => End::within(why, grace),
                            };
                            self.executor.terminate(&id, end);
                        }
                    }
                }
            }
        }
        self.effects = effects;
    }

    pub(super) fn launch(&mut self, id: NodeRunId, node: &Node) {
        let Some(run) = self.runs.get(&id.run) else {
            return self.not_started(id, "its run is gone");
        };
        if !run.jobs.is_frozen(node) {
            run.workspace.ledger.record_command(&id, &node.command);
        }
        match run.jobs.job(&id, node) {
            Ok(job) => self.executor.launch(job),
            Err(why) => self.not_started(id, &why),
        }
    }

    fn not_started(&self, id: NodeRunId, why: &str) {
        let exit = Exit::NotStarted(why.into());
        self.inbox
            .send(Incoming::Report(Report::Exited { id, exit }));
    }
}
