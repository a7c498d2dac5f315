//! All live runs of the process, the slots they share, and the deadlines they wait for.
//!
//! One scheduler serves every workspace, because slots belong to the process. Told the time with
//! every input; asks nothing; the dispatcher carries its effects out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use crate::model::{Exit, NodeIdx, NodeRunId, RunId, Timestamp, WorkspaceId};

use super::adopt::{Adopt, Adopted, adopt};
use super::live_node::Ending;
use super::message::{Effect, Input, Start};
use super::run_state::{After, Begun, RunState};

/// Time between the request to end and the kill, by default (scheduler.md, Stopping).
pub const GRACE: Duration = Duration::from_secs(5);

/// Nodes without a process that may end in one step. A loop of such nodes would otherwise never
/// give the floor back, and no stop could reach it.
const INSTANT_MAX: u32 = 512;

/// Pause of a run that used up [`INSTANT_MAX`].
const INSTANT_PAUSE: Duration = Duration::from_millis(2);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Kill(NodeRunId),
    Timeout(NodeRunId),
    Retry(RunId, NodeIdx),
    Continue,
}

/// Every live run of the process.
#[derive(Debug)]
pub struct Scheduler {
    runs: BTreeMap<RunId, RunState>,
    /// Whose turn it is: the run after this one begins the next node.
    turn: Option<RunId>,
    n_slots: u32,
    n_used: u32,
    grace: Duration,
    /// A kill whose process has ended meanwhile stays here until its time and is then nothing.
    due: BTreeSet<(Timestamp, Due)>,
    timeouts: HashMap<NodeRunId, Timestamp>,
    /// Workspaces in which nothing is started for now.
    held: BTreeSet<WorkspaceId>,
}

impl Scheduler {
    /// No runs; `n_slots` nodes at once in the process.
    pub fn new(n_slots: u32, grace: Duration) -> Self {
        Self {
            runs: BTreeMap::new(),
            turn: None,
            n_slots: n_slots.max(1),
            n_used: 0,
            grace,
            due: BTreeSet::new(),
            timeouts: HashMap::new(),
            held: BTreeSet::new(),
        }
    }

    /// Slots taken now, and in all.
    pub fn slots(&self) -> (u32, u32) {
        (self.n_used, self.n_slots)
    }

    /// True while a run lives.
    #[cfg(test)]
    pub(super) fn is_busy(&self) -> bool {
        !self.runs.is_empty()
    }

    /// When [`Input::DeadlineReached`] is wanted.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes one input and says what is to be done about it.
    pub fn handle(&mut self, now: Timestamp, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Start(start) => self.start(now, *start, out),
            Input::Adopt(run) => self.adopt(now, *run, out),
            Input::Spawned { id, pid, birth } => {
                out.push(Effect::Record(crate::model::Event::NodeSpawned {
                    id,
                    pid,
                    birth,
                }));
                return;
            }
            Input::Exited { id, exit } => self.exited(now, &id, exit, out),
            Input::Stop {
                run,
                nodes: None,
                at_once,
            } => self.stop_run(now, &run, Ending::Stop, at_once, out),
            Input::Interrupt { run } => self.stop_run(now, &run, Ending::Control, false, out),
            Input::Hold { workspace, is_held } => {
                match is_held {
                    true => self.held.insert(workspace),
                    false => self.held.remove(&workspace),
                };
            }
            Input::Stop {
                run,
                nodes: Some(nodes),
                at_once,
            } => {
                for id in &nodes {
                    let Some(state) = self.runs.get_mut(&run) else {
                        break;
                    };
                    let Some(node) = state.idx(id) else { continue };
                    state.stop_waiting_node(now, node, out);
                    self.terminate(now, &run, node, Ending::Stop, at_once, out);
                }
            }
            Input::Retry { run, nodes } => {
                if let Some(state) = self.runs.get_mut(&run) {
                    for node in &nodes {
                        state.retry(node, out);
                    }
                }
            }
            Input::Configure { slots, grace } => {
                self.n_slots = slots.max(1);
                self.grace = grace;
            }
            Input::DeadlineReached => self.deadlines(now, out),
        }
        self.fill(now, out);
        self.reap(now, out);
    }

    fn start(&mut self, now: Timestamp, start: Start, out: &mut Vec<Effect>) {
        let flow = start.flow.clone();
        match RunState::start(now, start, out) {
            Ok(run) => {
                self.runs.insert(run.id().clone(), run);
            }
            Err(why) => out.push(Effect::Record(why.event(flow))),
        }
    }

    fn adopt(&mut self, now: Timestamp, run: Adopt, out: &mut Vec<Effect>) {
        let Adopted {
            state,
            running,
            delayed,
        } = adopt(now, run, out);
        let run = state.id().clone();
        let stopping = state.is_stopping();
        let mut asked = Vec::new();
        for (id, began) in running {
            self.n_used += 1;
            if let Some(timeout) = state.timeout_of(id.node) {
                let at = began.plus(timeout);
                self.timeouts.insert(id.clone(), at);
                self.due.insert((at, Due::Timeout(id.clone())));
            }
            match state.ending(id.node) {
                // Asked by whoever began the run; whether it was heard nobody knows.
                Some(why) => asked.push((id, why)),
                None if stopping => asked.push((id, Ending::Stop)),
                None => {}
            }
        }
        for (node, at) in delayed {
            self.due.insert((at, Due::Retry(run.clone(), node)));
        }
        self.runs.insert(run.clone(), state);
        for (id, why) in asked {
            if let Some(state) = self.runs.get_mut(&run) {
                state.set_ending(id.node, None);
            }
            self.terminate(now, &run, id.node, why, false, out);
        }
    }

    /// Attempts of a run that are under way.
    pub fn running(&self, run: &RunId) -> Vec<NodeRunId> {
        let under_way = self.runs.get(run).map(RunState::under_way);
        let under_way = under_way.into_iter().flatten();
        under_way.map(|(id, _, _)| id).collect()
    }

    /// How many attempts of a run are under way.
    pub fn n_running(&self, run: &RunId) -> u32 {
        self.runs.get(run).map_or(0, RunState::n_running)
    }

    /// The run is another's from now on: nothing of it is decided here any more.
    pub fn let_go(&mut self, run: &RunId) {
        if let Some(state) = self.runs.remove(run) {
            for (id, _, _) in state.under_way() {
                self.n_used -= 1;
                if let Some(at) = self.timeouts.remove(&id) {
                    self.due.remove(&(at, Due::Timeout(id)));
                }
            }
        }
    }

    fn exited(&mut self, now: Timestamp, id: &NodeRunId, exit: Exit, out: &mut Vec<Effect>) {
        let Some(run) = self.runs.get_mut(&id.run).filter(|run| run.is_current(id)) else {
            return;
        };
        self.n_used -= 1;
        if let Some(at) = self.timeouts.remove(id) {
            self.due.remove(&(at, Due::Timeout(id.clone())));
        }
        if let After::RetryAt(at) = run.end(now, id.node, exit, out) {
            self.due.insert((at, Due::Retry(id.run.clone(), id.node)));
        }
    }

    fn stop_run(
        &mut self,
        now: Timestamp,
        run: &RunId,
        why: Ending,
        at_once: bool,
        out: &mut Vec<Effect>,
    ) {
        let Some(state) = self.runs.get_mut(run) else {
            return;
        };
        let running = state.stop(now, why, out);
        for node in running {
            self.terminate(now, run, node, why, at_once, out);
        }
    }

    fn terminate(
        &mut self,
        now: Timestamp,
        run: &RunId,
        node: NodeIdx,
        why: Ending,
        at_once: bool,
        out: &mut Vec<Effect>,
    ) {
        let Some((id, again)) = self
            .runs
            .get_mut(run)
            .and_then(|state| state.terminate(node, why))
        else {
            return;
        };
        // A second stop means that the person will not wait; a timeout that meets a stop does not.
        let force = at_once || (again && why == Ending::Stop);
        out.push(Effect::Terminate {
            id: id.clone(),
            force,
            why,
        });
        // Whoever holds the processes kills in time by itself when the right to run is lost.
        if !force && why != Ending::Control {
            self.due.insert((now.plus(self.grace), Due::Kill(id)));
        }
    }

    fn deadlines(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        while let Some((at, due)) = self.due.pop_first() {
            if at > now {
                self.due.insert((at, due));
                break;
            }
            match due {
                Due::Kill(id) => {
                    let run = self.runs.get(&id.run);
                    let current = run.filter(|run| run.is_current(&id));
                    if let Some(why) = current.and_then(|run| run.ending(id.node)) {
                        let force = true;
                        out.push(Effect::Terminate { id, force, why });
                    }
                }
                Due::Timeout(id) => {
                    if self
                        .runs
                        .get(&id.run)
                        .is_some_and(|run| run.is_current(&id))
                    {
                        let run = id.run.clone();
                        self.terminate(now, &run, id.node, Ending::Timeout, false, out);
                    }
                }
                Due::Retry(run, node) => {
                    if let Some(run) = self.runs.get_mut(&run) {
                        run.retry_due(node);
                    }
                }
                Due::Continue => {}
            }
        }
    }

    /// Begins ready nodes while there are slots, one per run in turn so that no run starves.
    fn fill(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let mut n_instant = 0;
        loop {
            let has_slot = self.n_used < self.n_slots;
            let can = |run: &RunState| {
                run.can_begin()
                    && (has_slot || run.next_is_instant())
                    && !self.held.contains(run.workspace())
            };
            let turn = match &self.turn {
                Some(last) => {
                    use std::ops::Bound::{Excluded, Unbounded};
                    let after = self.runs.range((Excluded(last.clone()), Unbounded));
                    after
                        .chain(self.runs.range(..=last.clone()))
                        .find(|(_, run)| can(run))
                }
                None => self.runs.iter().find(|(_, run)| can(run)),
            };
            let Some(id) = turn.map(|(id, _)| id.clone()) else {
                break;
            };
            let Some(run) = self.runs.get_mut(&id) else {
                break;
            };
            match run.begin(now, out) {
                Some(Begun::Launch(attempt, node)) => {
                    self.n_used += 1;
                    if let Some(timeout) = node.timeout {
                        let at = now.plus(timeout);
                        self.timeouts.insert(attempt.clone(), at);
                        self.due.insert((at, Due::Timeout(attempt)));
                    }
                }
                Some(Begun::Instant) => n_instant += 1,
                None => break,
            }
            self.turn = Some(id);
            if n_instant >= INSTANT_MAX {
                self.due.insert((now.plus(INSTANT_PAUSE), Due::Continue));
                break;
            }
        }
    }

    /// Ends the runs in which nothing is ready, running or delayed.
    fn reap(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.runs.retain(|_, run| {
            let over = run.is_over();
            if over {
                out.push(Effect::Record(run.finish(now)));
            }
            !over
        });
    }
}
