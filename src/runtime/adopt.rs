//! Carrying on runs that another process began, and leaving ours to another.
//!
//! A run outlives its process when the sitter holds its nodes. Whoever takes the lock of its flow
//! next reads what the run left: its frozen flow and start, its facts in the ledger, its exit record,
//! and what lives in the sitter. The scheduler makes a run of that again.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::exec::{self, Live, Why, sitter};
use crate::ledger::AttemptRow;
use crate::model::{Exit, Finish, FlowRef, Node, NodeStatus, Notice, RunId, Secrets, Timestamp};
use crate::sched::{Adopt, Alive, Ending, Input, Recorded};
use crate::store::{self, FrozenRun, Home, LockError, RunLock};

use super::board::Runner;
use super::clock;
use super::dispatcher::Dispatcher;
use super::incoming::Incoming;
use super::job::Jobs;
use super::live_run::LiveRun;
use super::loading::Ours;
use super::resources::{Gathered, Resources, needed};
use super::workspace::{Workspace, finish_of};

/// The face of a process without one, that carries runs on.
pub const BACKGROUND: &str = "background";

/// A run to carry on, with the right to.
pub struct Adoption {
    lock: RunLock,
    frozen: FrozenRun,
    adopt: Adopt,
    gathered: Gathered,
}

impl Adoption {
    /// Which run.
    pub fn run(&self) -> &RunId {
        &self.frozen.start.run
    }
}

/// What a look for a run to carry on came to.
pub enum Looked {
    /// It is ours from now on.
    Ours(Box<Adoption>),
    /// Somebody else has the right to run the flow.
    Held,
    /// There is none.
    Nothing,
}

/// Takes over the run of a flow that nobody carries, when there is one. The error is a fragment. Blocking.
pub fn look(
    home: &Home,
    workspace: &Workspace,
    flow: &FlowRef,
    ours: &Ours,
) -> Result<Looked, String> {
    if !ours.adopts_on_open || !ours.executor.outlives_us() {
        return Ok(Looked::Nothing);
    }
    let held = sitter::held(&sitter::Place::new(home.sitter_dir()))?;
    if !held.iter().any(|held| held.flow == *flow) {
        return Ok(Looked::Nothing);
    }
    let lock = match store::acquire(home, flow, ours.face, clock::now()) {
        Ok(lock) => lock,
        Err(LockError::Held(_)) => return Ok(Looked::Held),
        Err(LockError::Store(why)) => return Err(why.to_string()),
    };
    let open = workspace.open_run(flow)?;
    match open {
        Some(run) => {
            let adoption = adopt(workspace, flow, run, lock, ours, &Secrets::default())?;
            Ok(adoption.map_or(Looked::Nothing, |adoption| Looked::Ours(Box::new(adoption))))
        }
        None => {
            // Whoever carried it died between writing its end down and telling the sitter.
            for over in held.iter().filter(|held| held.flow == *flow) {
                let dir = workspace.run_dir(&over.run);
                if ours.executor.attach(&over.run, flow, &dir).is_some() {
                    ours.executor.over(&over.run, &dir);
                }
            }
            Ok(Looked::Nothing)
        }
    }
}

/// Asks the background process that carries a flow's run to let it go; the release of the lock is noticed like
/// any other. `runner` is who is waited for from now on, and so must be the one that is asked: another may have come
/// since the lock was tried, and would never hear of it. The error is a fragment. Blocking.
pub fn ask_for(home: &Home, flow: &FlowRef, runner: &Runner, ours: &Ours) -> Result<(), String> {
    let may_have = ours.adopts_on_open && ours.executor.outlives_us() && ours.face != BACKGROUND;
    if may_have && &*runner.face == BACKGROUND {
        store::request_yield(home, flow).map_err(|why| why.to_string())?;
    }
    Ok(())
}

/// With the right to run a flow in hand: everything that carrying this run of it on takes. `None`
/// when no sitter holds the run. The error is a fragment. Blocking.
pub fn adopt(
    workspace: &Workspace,
    flow: &FlowRef,
    run: RunId,
    mut lock: RunLock,
    ours: &Ours,
    given: &Secrets,
) -> Result<Option<Adoption>, String> {
    let executor = &ours.executor;
    let ledger = &workspace.ledger;
    let dir = workspace.run_dir(&run);
    let nodes = exec::nodes_of(&dir)?;
    let frozen = store::thaw(&dir, flow, &nodes)?;
    let attempts = ledger.attempts(&run).map_err(|why| why.to_string())?;
    let Some(live) = executor.attach(&run, flow, &dir) else {
        return Ok(None);
    };
    // Only for others to see.
    lock.name_run(&run).ok();
    let left = exec::read_exits(&dir, &run)
        .and_then(|noted| Ok((noted, exec::attempts_begun(&dir, &run)?)));
    let (noted, begun) = match left {
        Ok(left) => left,
        Err(why) => {
            // Somebody else may come for it.
            executor.leave(&run);
            return Err(why);
        }
    };
    let retry_delay = |node: crate::model::NodeIdx| {
        let id = nodes.get(node.0 as usize)?;
        Some(frozen.start.frozen.graph.node(id)?.retry_delay)
    };
    let recorded = recorded(attempts, |finish| {
        retry_delay(finish.id.node).map(|delay| finish.at.plus(delay))
    });
    let ended = noted.ended.into_iter();
    let adopt = Adopt {
        start: frozen.start.clone(),
        jobs_max: frozen.jobs_max,
        recorded,
        ended: ended
            .map(|ended| {
                let began = ended.began;
                (finish_of(ended), began)
            })
            .collect(),
        live: live.into_iter().map(alive).collect(),
        begun: begun.into_iter().map(|(id, _)| id).collect::<HashSet<_>>(),
        stopping: noted.stopping.is_some(),
    };
    // Nobody wrote the values down, so they are looked for anew. What lacks one fails with that as its reason.
    let flow = &frozen.start.frozen;
    let ids: Vec<_> = flow.graph.nodes().map(|node| &node.id).collect();
    let gathered = ours.resources.gather(flow, &needed(flow, ids), given);
    Ok(Some(Adoption {
        lock,
        frozen,
        adopt,
        gathered,
    }))
}

fn alive(live: Live) -> Alive {
    Alive {
        id: live.id,
        process: live.process,
        ending: live.asked.map(|why| match why {
            Why::Timeout => Ending::Timeout,
            Why::Stop | Why::Kill => Ending::Stop,
            Why::Control => Ending::Control,
        }),
    }
}

/// The facts of a run in their order. What has no number, tries of a pass before its last, comes
/// before the next fact of its node that has one, or at the end.
fn recorded(
    attempts: Vec<AttemptRow>,
    retry_at: impl Fn(&Finish) -> Option<Timestamp>,
) -> Vec<Recorded> {
    let mut numbered: BTreeMap<(i64, usize), Vec<Recorded>> = BTreeMap::new();
    let mut last = Vec::new();
    let mut before: Vec<Recorded> = Vec::new();
    let mut of_node = None;
    for (n, row) in attempts.into_iter().enumerate() {
        if of_node.replace(row.id.node) != Some(row.id.node) {
            last.append(&mut before);
        }
        let at = row.started.or(row.ended).unwrap_or_default();
        before.push(Recorded::Began {
            id: row.id.clone(),
            at,
        });
        if let Some(seq) = row.started_seq {
            numbered.insert((seq, n), std::mem::take(&mut before));
        }
        let Some(ended) = row.ended else { continue };
        let mut finish = Finish {
            id: row.id,
            exit: row.exit.unwrap_or(Exit::Unknown),
            status: row.status,
            retry_at: None,
            at: ended,
        };
        if row.ended_seq.is_none() && row.status == NodeStatus::Failed {
            finish.retry_at = retry_at(&finish);
        }
        before.push(Recorded::Ended(finish));
        if let Some(seq) = row.ended_seq {
            numbered.insert((seq, n), std::mem::take(&mut before));
        }
    }
    last.append(&mut before);
    numbered.into_values().flatten().chain(last).collect()
}

impl Dispatcher {
    /// What this process runs with, for work on the pool.
    pub(super) fn ours(&self) -> Ours {
        Ours {
            executor: self.executor.clone(),
            face: self.face,
            resources: Resources::new(&self.home),
            adopts_on_open: self.picture.is_looked_at() || self.face == BACKGROUND,
        }
    }

    /// Nodes of a live run were mended: whoever carries it on runs them as they are now.
    pub(super) fn mend(&mut self, run: &RunId, nodes: &[Arc<Node>]) {
        let Some(live) = self.runs.get(run).filter(|_| self.executor.outlives_us()) else {
            return;
        };
        let (dir, nodes) = (live.workspace.run_dir(run), nodes.to_vec());
        let (flow, ids) = (live.flow.clone(), live.jobs.ids());
        let inbox = self.inbox.clone();
        self.pool.spawn_blocking(move || {
            // One at a time, so that no mending undoes another.
            static MENDING: Mutex<()> = Mutex::new(());
            let _one = MENDING.lock().unwrap_or_else(PoisonError::into_inner);
            let Ok(frozen) = store::thaw(&dir, &flow, &ids) else {
                return;
            };
            let mut mended = (*frozen.start.frozen).clone();
            for node in nodes {
                if let Ok(place) = mended.graph.node_mut(&node.id) {
                    place.clone_from(&node);
                }
            }
            if let Err(why) = store::freeze_flow(&dir, &mended) {
                inbox.send(Incoming::Tell(Notice::warning(
                    format!("What was mended in this run could not be noted: {why}"),
                    "After a crash of this window the node is carried on as it was.",
                )));
            }
        });
    }

    /// Carries on a run that another process began.
    pub(super) fn adopt(&mut self, flow: &FlowRef, workspace: &Arc<Workspace>, taken: Adoption) {
        let Adoption {
            lock,
            frozen,
            adopt,
            gathered,
        } = taken;
        let run = frozen.start.run.clone();
        // Whoever held it had control. Nothing new is started before it is known whether this machine still has.
        self.ensure_control_of(flow);
        let epoch = self.epoch_of(&flow.workspace);
        let live = LiveRun {
            jobs: Jobs::new(
                flow,
                &frozen.start.frozen,
                (&run, epoch),
                workspace,
                &frozen.shell,
                gathered,
            ),
            flow: flow.clone(),
            workspace: workspace.clone(),
            lock: Some(lock),
            postponed: None,
            start: None,
            adopted: true,
        };
        let env = live.jobs.base().clone();
        self.runs.insert(run.clone(), live);
        self.decide(Input::Adopt(Box::new(adopt)));
        self.executor.taken_over(&run, &env);
        let open = self.flows.get_mut(flow);
        if open.is_some_and(|open| std::mem::take(&mut open.gives_way)) {
            self.give_way(flow);
        }
    }

    /// Lets another process carry on the run of a flow: from here on it decides.
    pub(super) fn give_way(&mut self, flow: &FlowRef) {
        let run = self.runs.iter().find(|(_, live)| live.flow == *flow);
        let Some(run) = run.map(|(run, _)| run.clone()) else {
            // Its lock is taken before the run is known here, and that is when others see who has it.
            if let Some(open) = self.flows.get_mut(flow) {
                open.gives_way = true;
            }
            return;
        };
        if !self.executor.outlives_us()
            || self.runs.get(&run).is_some_and(|r| r.postponed.is_some())
        {
            return;
        }
        if let Some(mut live) = self.let_go(&run) {
            self.leave_run(flow, &run);
            let lock = live.lock.take();
            self.pool.spawn_blocking(move || {
                // Whoever comes reads the facts there.
                live.workspace.ledger.flush().ok();
                drop(lock);
            });
        }
        self.forget_if_idle(flow);
    }

    fn let_go(&mut self, run: &RunId) -> Option<LiveRun> {
        self.scheduler.let_go(run);
        self.growth.unwatch(run);
        let live = self.runs.remove(run)?;
        self.see(&live.flow, super::view::View::let_go);
        Some(live)
    }

    /// Leaves every run to whoever carries it on, when there can be such a process.
    pub(super) fn leave_all(&mut self) {
        let runs: Vec<RunId> = self.runs.keys().cloned().collect();
        for run in runs {
            // One that has not begun yet is in the ledger as soon as it can be carried on.
            if let Some(live) = self.let_go(&run) {
                self.left.push(live);
            }
        }
    }
}
