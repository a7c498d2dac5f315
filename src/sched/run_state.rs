//! One live run: how each of its nodes stands, what is ready, what is queued. Dies with the run.
//!
//! Unaware of slots, deadlines and other runs; [`super::Scheduler`] calls it.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::{
    Counts, EdgeId, Event, Exit, Finish, FlowRef, Node, NodeIdx, NodeRunId, NodeStatus, Outcome,
    RunId, RunStart, Timestamp, WorkspaceId,
};

use super::message::{Effect, Start};
use super::plan::{Plan, Refusal, plan};
use super::tokens::{Spread, Tokens};
use super::topology::{EdgeIdx, Topology};

/// A node of a live run.
#[derive(Clone, Debug, Default)]
struct Slot {
    phase: Phase,
    pass: u32,
    attempt: u32,
    /// Triggers not yet used by a pass.
    queued: u32,
    /// How its newest pass ended in this run.
    last: Option<NodeStatus>,
    /// A pass failed and no retry by hand has mended it.
    failed: bool,
    kept: bool,
    /// Why its process is being ended, when it is.
    ending: Option<Ending>,
    /// Passes of an adopted run that had begun and whose triggers were not on record.
    owed: u32,
}

/// Where a node is between two triggers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Neither triggered nor running.
    #[default]
    Rest,
    /// In the ready queue.
    Ready,
    /// Failed, and waiting for the time of its next attempt.
    Delayed,
    /// Launched, its exit not yet reported.
    Running,
}

/// Why the process of a node is being ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A person stopped it.
    Stop,
    /// It ran past its timeout.
    Timeout,
    /// The right to run in its workspace was lost.
    Control,
}

/// What became of a node taken from the ready queue.
#[derive(Debug)]
pub enum Begun {
    /// It needs a process and a slot.
    Launch(NodeRunId, Arc<Node>),
    /// It ended at once: muted, blank, or past `max_passes`.
    Instant,
}

/// What follows the end of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Nothing that needs a clock.
    Nothing,
    /// The next attempt is due at this time.
    RetryAt(Timestamp),
}

/// One live run.
#[derive(Debug)]
pub struct RunState {
    run: RunId,
    topology: Topology,
    tokens: Tokens,
    slots: Vec<Slot>,
    ready: VecDeque<NodeIdx>,
    n_running: u32,
    n_delayed: u32,
    jobs_max: u32,
    max_passes: Option<u32>,
    stopping: bool,
    /// It stops because the right to run was lost.
    interrupted: bool,
    workspace: WorkspaceId,
}

impl RunState {
    /// Settles the plan and begins the run, or refuses it with nothing begun.
    pub fn start(now: Timestamp, start: Start, out: &mut Vec<Effect>) -> Result<Self, Refusal> {
        let topology = Topology::new(&start.frozen.graph);
        let Plan {
            choice,
            resumes,
            tokens,
            triggers,
            kept,
        } = plan(&topology, start.choice, &start.past)?;
        let mut slots = vec![Slot::default(); topology.n_nodes()];
        for node in &kept {
            slots[node.0 as usize].kept = true;
        }
        let subset: Arc<[NodeIdx]> = topology
            .all()
            .filter(|&node| tokens.is_inside(node))
            .collect();
        let told = RunStart {
            run: start.run,
            flow: start.flow,
            frozen: start.frozen,
            choice,
            resumes,
            subset,
            kept: kept.into(),
            marks: tokens
                .marks()
                .map(|edge| topology.edge(edge).id.clone())
                .collect(),
            triggers: triggers.into(),
            at: now,
        };
        let run = Self::new(topology, tokens, slots, &told, start.jobs_max);
        Ok(run.tell(told, out))
    }

    /// The run as it was at the start that is told of here.
    pub fn begin_again(start: RunStart, jobs_max: Option<u32>, out: &mut Vec<Effect>) -> Self {
        let topology = Topology::new(&start.frozen.graph);
        let n_nodes = topology.n_nodes();
        let known = |node: &&NodeIdx| (node.0 as usize) < n_nodes;
        let mut inside = vec![false; n_nodes];
        for node in start.subset.iter().filter(known) {
            inside[node.0 as usize] = true;
        }
        let mut tokens = Tokens::new(&topology, inside);
        let marks: std::collections::HashSet<&EdgeId> = start.marks.iter().collect();
        for (at, link) in (0u32..).zip(&topology.edges) {
            if marks.contains(&link.id) {
                tokens.mark(&topology, EdgeIdx(at));
            }
        }
        let mut slots = vec![Slot::default(); n_nodes];
        for node in start.kept.iter().filter(known) {
            slots[node.0 as usize].kept = true;
        }
        let run = Self::new(topology, tokens, slots, &start, jobs_max);
        run.tell(start, out)
    }

    fn new(
        topology: Topology,
        tokens: Tokens,
        slots: Vec<Slot>,
        start: &RunStart,
        jobs_max: Option<u32>,
    ) -> Self {
        let of_flow = start.frozen.jobs_max.unwrap_or(u32::MAX);
        Self {
            run: start.run.clone(),
            topology,
            tokens,
            slots,
            ready: VecDeque::new(),
            n_running: 0,
            n_delayed: 0,
            jobs_max: jobs_max.unwrap_or(u32::MAX).min(of_flow).max(1),
            max_passes: start.frozen.max_passes,
            stopping: false,
            interrupted: false,
            workspace: start.flow.workspace.clone(),
        }
    }

    fn tell(mut self, start: RunStart, out: &mut Vec<Effect>) -> Self {
        let (restored, triggers) = (start.marks.to_vec(), start.triggers.clone());
        out.push(Effect::Record(Event::RunStarted(Box::new(start))));
        if !restored.is_empty() {
            out.push(self.edges_marked(restored, Vec::new()));
        }
        for &(node, times) in triggers.iter() {
            if node.0 as usize >= self.slots.len() {
                continue;
            }
            for _ in 0..times {
                self.trigger(node, out);
            }
        }
        self
    }

    /// An attempt of an adopted run began, whatever is ready.
    pub fn begin_as(&mut self, id: &NodeRunId, at: Timestamp, out: &mut Vec<Effect>) {
        let node = id.node;
        let Some(slot) = self.slots.get_mut(node.0 as usize) else {
            return;
        };
        if slot.phase == Phase::Running {
            // The end of the attempt before it is on record nowhere: it cannot be said how it was.
            self.close(at, node, Exit::Unknown, Some(false), out);
        }
        let slot = &mut self.slots[node.0 as usize];
        match slot.phase {
            Phase::Ready => self.ready.retain(|&other| other != node),
            Phase::Delayed => self.n_delayed -= 1,
            Phase::Rest | Phase::Running => {}
        }
        if id.attempt <= 1 {
            let by_hand = slot.last.is_some_and(NodeStatus::wants_resume);
            if slot.queued > 0 {
                slot.queued -= 1;
            } else if by_hand {
                slot.failed = false;
                slot.last = None;
            } else {
                slot.owed += 1;
                slot.kept = false;
            }
        }
        slot.pass = id.pass;
        slot.attempt = id.attempt;
        slot.phase = Phase::Running;
        self.n_running += 1;
        let id = id.clone();
        out.push(Effect::Record(Event::NodeStarted { id, at }));
    }

    /// An attempt of an adopted run ended, as it was told then.
    pub fn end_as(&mut self, finish: &Finish, out: &mut Vec<Effect>) {
        let node = finish.id.node;
        if !self.is_current(&finish.id) {
            // A node that a stop kept from starting again was told as the end of its last attempt.
            let slot = self.slots.get_mut(node.0 as usize);
            let Some(slot) = slot.filter(|slot| slot.phase == Phase::Delayed) else {
                return;
            };
            slot.phase = Phase::Running;
            self.n_delayed -= 1;
            self.n_running += 1;
        }
        let ending = match (finish.status, &finish.exit) {
            (NodeStatus::Stopped, _) => Some(Ending::Stop),
            (_, Exit::TimedOut) => Some(Ending::Timeout),
            // Nobody saw the end of one with an unknown exit; of any other the right to run had ended.
            (NodeStatus::Interrupted, exit) if *exit != Exit::Unknown => Some(Ending::Control),
            _ => None,
        };
        let slot = &mut self.slots[node.0 as usize];
        slot.ending = ending;
        if finish.status == NodeStatus::Stopped && matches!(finish.exit, Exit::NotStarted(_)) {
            slot.queued = 0;
        }
        let retried = Some(finish.retry_at.is_some());
        self.close(finish.at, node, finish.exit.clone(), retried, out);
    }

    /// True when this attempt, or a later one of its node, has come to its end.
    pub fn is_over_for(&self, id: &NodeRunId) -> bool {
        let Some(slot) = self.slots.get(id.node.0 as usize) else {
            return true;
        };
        match slot.phase {
            Phase::Running => (slot.pass, slot.attempt) > (id.pass, id.attempt),
            _ if slot.attempt > 0 => (slot.pass, slot.attempt) >= (id.pass, id.attempt),
            _ => slot.pass >= id.pass,
        }
    }

    /// Notes what the process of a node is being ended for.
    pub fn set_ending(&mut self, node: NodeIdx, ending: Option<Ending>) {
        if let Some(slot) = self.slots.get_mut(node.0 as usize) {
            slot.ending = ending;
        }
    }

    /// Attempts under way: which, of what node, and whether it needs no process.
    pub fn under_way(&self) -> Vec<(NodeRunId, Arc<Node>, bool)> {
        let running = self.nodes_in(Phase::Running).into_iter();
        running
            .map(|node| {
                let command = self.topology.node(node).clone();
                let instant = self.needs_no_process(node);
                (self.node_run_id(node), command, instant)
            })
            .collect()
    }

    /// A node without a process ends.
    pub fn end_instant(&mut self, now: Timestamp, node: NodeIdx, out: &mut Vec<Effect>) {
        let pass = self.slots[node.0 as usize].pass;
        let exit = match self.max_passes {
            Some(max) if pass > max => Exit::MaxPasses,
            _ => Exit::Code(0),
        };
        self.end(now, node, exit, out);
    }

    /// True while the node waits for its next attempt.
    pub fn is_delayed(&self, NodeIdx(node): NodeIdx) -> bool {
        let slot = self.slots.get(node as usize);
        slot.is_some_and(|slot| slot.phase == Phase::Delayed)
    }

    /// True once it was asked to stop.
    pub fn is_stopping(&self) -> bool {
        self.stopping
    }

    fn needs_no_process(&self, node: NodeIdx) -> bool {
        let slot = &self.slots[node.0 as usize];
        let past_limit = slot.attempt <= 1 && self.max_passes.is_some_and(|max| slot.pass > max);
        let node = self.topology.node(node);
        past_limit || node.disabled || node.command.trim().is_empty()
    }

    /// The run's id.
    pub fn id(&self) -> &RunId {
        &self.run
    }

    /// The workspace of its flow.
    pub fn workspace(&self) -> &WorkspaceId {
        &self.workspace
    }

    /// Attempts under way.
    pub fn n_running(&self) -> u32 {
        self.n_running
    }

    /// True when a node is ready and the run's own limit lets it start.
    pub fn can_begin(&self) -> bool {
        !self.ready.is_empty() && self.n_running < self.jobs_max
    }

    /// True when nothing is ready, running or delayed.
    pub fn is_over(&self) -> bool {
        self.n_running == 0 && self.n_delayed == 0 && self.ready.is_empty()
    }

    /// True when the next ready node needs no process, so it needs no slot either.
    pub fn next_is_instant(&self) -> bool {
        self.ready
            .front()
            .is_some_and(|&node| self.is_instant(node))
    }

    fn is_instant(&self, node: NodeIdx) -> bool {
        let slot = &self.slots[node.0 as usize];
        let past_limit = slot.attempt == 0 && self.max_passes.is_some_and(|max| slot.pass >= max);
        let node = self.topology.node(node);
        past_limit || node.disabled || node.command.trim().is_empty()
    }

    /// Takes the next ready node and begins its pass, or the next attempt of it.
    pub fn begin(&mut self, now: Timestamp, out: &mut Vec<Effect>) -> Option<Begun> {
        let node = self.ready.pop_front()?;
        let instant = self.is_instant(node);
        let slot = &mut self.slots[node.0 as usize];
        if slot.attempt == 0 {
            slot.queued = slot.queued.saturating_sub(1);
            slot.pass += 1;
        }
        slot.attempt += 1;
        slot.phase = Phase::Running;
        self.n_running += 1;
        let id = self.node_run_id(node);
        out.push(Effect::Record(Event::NodeStarted {
            id: id.clone(),
            at: now,
        }));
        if !instant {
            let node = self.topology.node(node).clone();
            out.push(Effect::Launch {
                id: id.clone(),
                node: node.clone(),
            });
            return Some(Begun::Launch(id, node));
        }
        self.end_instant(now, node, out);
        Some(Begun::Instant)
    }

    /// True when this attempt is the one under way.
    pub fn is_current(&self, id: &NodeRunId) -> bool {
        let slot = self.slots.get(id.node.0 as usize);
        slot.is_some_and(|s| {
            s.phase == Phase::Running && s.pass == id.pass && s.attempt == id.attempt
        })
    }

    /// How long an attempt of a node may take.
    pub fn timeout_of(&self, node: NodeIdx) -> Option<std::time::Duration> {
        self.topology.node(node).timeout
    }

    /// Why the process of a node is being ended, when it is.
    pub fn ending(&self, node: NodeIdx) -> Option<Ending> {
        self.slots.get(node.0 as usize)?.ending
    }

    /// The attempt under way ended.
    pub fn end(
        &mut self,
        now: Timestamp,
        node: NodeIdx,
        exit: Exit,
        out: &mut Vec<Effect>,
    ) -> After {
        self.close(now, node, exit, None, out)
    }

    /// `retried` says whether another attempt follows, where that was decided before.
    fn close(
        &mut self,
        now: Timestamp,
        node: NodeIdx,
        exit: Exit,
        retried: Option<bool>,
        out: &mut Vec<Effect>,
    ) -> After {
        let id = self.node_run_id(node);
        let retries = self.topology.node(node).retries;
        let retry_delay = self.topology.node(node).retry_delay;
        let stopping = self.stopping;
        let slot = &mut self.slots[node.0 as usize];
        self.n_running -= 1;
        let (status, exit) = match slot.ending.take() {
            // Stopped even when it then exited with 0: what it was to do was cut short.
            Some(Ending::Stop) => (NodeStatus::Stopped, exit),
            Some(Ending::Control) => (NodeStatus::Interrupted, exit),
            Some(Ending::Timeout) => (NodeStatus::Failed, Exit::TimedOut),
            None if exit.is_success() => (NodeStatus::Ran, exit),
            // Nobody saw how it ended: it may have done its work or half of it.
            None if exit == Exit::Unknown => (NodeStatus::Interrupted, exit),
            None => (NodeStatus::Failed, exit),
        };
        let may_retry = exit != Exit::MaxPasses && slot.attempt <= retries;
        let retries = retried.unwrap_or(may_retry && !stopping);
        if status == NodeStatus::Failed && retries {
            let at = now.plus(retry_delay);
            slot.phase = Phase::Delayed;
            self.n_delayed += 1;
            let finish = Finish {
                id,
                exit,
                status,
                retry_at: Some(at),
                at: now,
            };
            out.push(Effect::Record(Event::NodeFinished(finish)));
            return After::RetryAt(at);
        }
        slot.phase = Phase::Rest;
        slot.attempt = 0;
        slot.last = Some(status);
        slot.failed |= status == NodeStatus::Failed;
        let ended_loop = exit == Exit::MaxPasses;
        if ended_loop || stopping {
            slot.queued = 0;
        }
        let again = slot.queued > 0;
        out.push(Effect::Record(Event::NodeFinished(Finish {
            id,
            exit,
            status,
            retry_at: None,
            at: now,
        })));
        if status == NodeStatus::Ran {
            self.spread(node, out);
        }
        if again && self.slots[node.0 as usize].phase == Phase::Rest {
            self.make_ready(node);
        }
        After::Nothing
    }

    fn spread(&mut self, node: NodeIdx, out: &mut Vec<Effect>) {
        let Spread {
            marked,
            cleared,
            triggered,
        } = self.tokens.spread(&self.topology, node);
        if !marked.is_empty() {
            let ids = |edges: Vec<EdgeIdx>| {
                edges
                    .into_iter()
                    .map(|e| self.topology.edge(e).id.clone())
                    .collect()
            };
            let (marked, cleared) = (ids(marked), ids(cleared));
            out.push(self.edges_marked(marked, cleared));
        }
        for target in triggered {
            self.trigger(target, out);
        }
    }

    fn edges_marked(&self, marked: Vec<EdgeId>, cleared: Vec<EdgeId>) -> Effect {
        Effect::Record(Event::EdgesMarked {
            run: self.run.clone(),
            marked,
            cleared,
        })
    }

    /// One more pass of `node` is due. Two passes of one node never overlap: it waits its turn.
    fn trigger(&mut self, node: NodeIdx, out: &mut Vec<Effect>) {
        let slot = &mut self.slots[node.0 as usize];
        if slot.owed > 0 {
            slot.owed -= 1;
            return;
        }
        slot.queued = slot.queued.saturating_add(1);
        slot.kept = false;
        let queued = slot.queued;
        let rests = slot.phase == Phase::Rest;
        out.push(Effect::Record(Event::NodeTriggered {
            run: self.run.clone(),
            node,
            queued,
        }));
        if rests && !self.stopping {
            self.make_ready(node);
        }
    }

    fn make_ready(&mut self, node: NodeIdx) {
        self.slots[node.0 as usize].phase = Phase::Ready;
        self.ready.push_back(node);
    }

    /// The delay before a node's next attempt is over.
    pub fn retry_due(&mut self, node: NodeIdx) {
        if self.slots[node.0 as usize].phase == Phase::Delayed {
            self.n_delayed -= 1;
            self.make_ready(node);
        }
    }

    /// Starts ending the process of a running node; gives its attempt, and true when it was
    /// being ended already.
    pub fn terminate(&mut self, node: NodeIdx, why: Ending) -> Option<(NodeRunId, bool)> {
        let slot = self
            .slots
            .get_mut(node.0 as usize)
            .filter(|slot| slot.phase == Phase::Running)?;
        let again = slot.ending.is_some();
        if slot.ending != Some(Ending::Stop) {
            slot.ending = Some(why);
        }
        Some((self.node_run_id(node), again))
    }

    /// Stops the run: nothing ready or queued starts any more. Gives the nodes that run.
    pub fn stop(&mut self, now: Timestamp, why: Ending, out: &mut Vec<Effect>) -> Vec<NodeIdx> {
        if !std::mem::replace(&mut self.stopping, true) {
            self.interrupted = why == Ending::Control;
            out.push(Effect::Record(Event::RunStopping {
                run: self.run.clone(),
                at: now,
            }));
        }
        for node in std::mem::take(&mut self.ready) {
            let slot = &mut self.slots[node.0 as usize];
            // A later attempt of a pass that failed before stays failed; nothing else is said
            // of nodes that had not started: a resume finds their triggers.
            slot.phase = if slot.attempt > 0 {
                Phase::Delayed
            } else {
                Phase::Rest
            };
            self.n_delayed += u32::from(slot.phase == Phase::Delayed);
        }
        let delayed: Vec<NodeIdx> = self.nodes_in(Phase::Delayed);
        for node in delayed {
            self.give_up(now, node, out);
        }
        self.nodes_in(Phase::Running)
    }

    /// Stops one node that is not running but ready or delayed.
    pub fn stop_waiting_node(&mut self, now: Timestamp, node: NodeIdx, out: &mut Vec<Effect>) {
        match self.slots.get(node.0 as usize).map(|slot| slot.phase) {
            Some(Phase::Delayed) => self.give_up(now, node, out),
            Some(Phase::Ready) => {
                self.ready.retain(|&other| other != node);
                let slot = &mut self.slots[node.0 as usize];
                slot.phase = Phase::Rest;
                slot.queued = 0;
                slot.pass += u32::from(slot.attempt == 0);
                slot.attempt += 1;
                let id = self.node_run_id(node);
                out.push(Effect::Record(Event::NodeStarted {
                    id: id.clone(),
                    at: now,
                }));
                let slot = &mut self.slots[node.0 as usize];
                slot.attempt = 0;
                slot.last = Some(NodeStatus::Stopped);
                let exit = Exit::NotStarted("stopped before it started".into());
                let finish = Finish {
                    id,
                    exit,
                    status: NodeStatus::Stopped,
                    retry_at: None,
                    at: now,
                };
                out.push(Effect::Record(Event::NodeFinished(finish)));
            }
            _ => {}
        }
    }

    /// A node between two attempts gets no further one.
    fn give_up(&mut self, now: Timestamp, node: NodeIdx, out: &mut Vec<Effect>) {
        let id = self.node_run_id(node);
        let slot = &mut self.slots[node.0 as usize];
        slot.phase = Phase::Rest;
        slot.attempt = 0;
        slot.queued = 0;
        let status = match self.interrupted {
            true => NodeStatus::Interrupted,
            false => NodeStatus::Stopped,
        };
        slot.last = Some(status);
        self.n_delayed -= 1;
        let exit = Exit::NotStarted("stopped before its next attempt".into());
        let finish = Finish {
            id,
            exit,
            status,
            retry_at: None,
            at: now,
        };
        out.push(Effect::Record(Event::NodeFinished(finish)));
    }

    /// Runs a node that failed or was stopped again, as it is now.
    pub fn retry(&mut self, node: &Arc<Node>, out: &mut Vec<Effect>) {
        let Some(at) = self
            .topology
            .idx(&node.id)
            .filter(|&at| self.tokens.is_inside(at))
        else {
            return;
        };
        let slot = &mut self.slots[at.0 as usize];
        let ended_badly = slot.last.is_some_and(NodeStatus::wants_resume);
        if self.stopping || slot.phase != Phase::Rest || !ended_badly {
            return;
        }
        slot.failed = false;
        slot.last = None;
        self.topology.nodes[at.0 as usize] = node.clone();
        self.trigger(at, out);
    }

    /// Place of a node in this run.
    pub fn idx(&self, id: &crate::model::NodeId) -> Option<NodeIdx> {
        self.topology.idx(id)
    }

    /// The facts of the run's end.
    pub fn finish(&self, now: Timestamp) -> Event {
        let mut counts = Counts::default();
        let mut skipped = Vec::new();
        let mut interrupted = false;
        for node in self
            .topology
            .all()
            .filter(|&node| self.tokens.is_inside(node))
        {
            let slot = &self.slots[node.0 as usize];
            counts.subset += 1;
            match slot.last {
                _ if slot.kept => counts.kept += 1,
                _ if slot.failed => counts.failed += 1,
                Some(NodeStatus::Stopped) => counts.stopped += 1,
                // Nobody knows what it did: it counts as nothing, and resume runs it again.
                Some(NodeStatus::Interrupted) => interrupted = true,
                Some(_) => counts.ran += 1,
                None => {
                    counts.skipped += 1;
                    skipped.push(node);
                }
            }
        }
        let outcome = match counts {
            _ if self.interrupted => Outcome::Interrupted,
            _ if self.stopping => Outcome::Stopped,
            Counts { failed: 1.., .. } => Outcome::Failed,
            _ if interrupted => Outcome::Interrupted,
            Counts { stopped: 1.., .. } => Outcome::Stopped,
            _ => Outcome::Succeeded,
        };
        Event::RunFinished {
            run: self.run.clone(),
            outcome,
            counts,
            skipped: skipped.into(),
            at: now,
        }
    }

    fn nodes_in(&self, phase: Phase) -> Vec<NodeIdx> {
        self.topology
            .all()
            .filter(|node| self.slots[node.0 as usize].phase == phase)
            .collect()
    }

    fn node_run_id(&self, node: NodeIdx) -> NodeRunId {
        let slot = &self.slots[node.0 as usize];
        NodeRunId {
            run: self.run.clone(),
            node,
            pass: slot.pass,
            attempt: slot.attempt,
        }
    }
}

/// A refused run, told.
pub fn refused(flow: FlowRef, why: &Refusal) -> Event {
    let level = if why.is_idle() {
        crate::model::Level::Info
    } else {
        crate::model::Level::Error
    };
    Event::RunRefused {
        flow,
        notice: crate::model::Notice::new(level, why.to_string(), why.hint()),
    }
}
