//! One live run: how each of its nodes stands, what is ready, what is queued. Dies with the run.
//!
//! Unaware of slots, deadlines and other runs; [`super::Scheduler`] calls it. How a run is stopped
//! is in `stop`, how one is carried on from its record in `adoption`.

mod adoption;
mod stop;

use std::sync::Arc;

use crate::model::{
    Counts, EdgeId, Event, Exit, Finish, Node, NodeIdx, NodeRunId, NodeStatus, Outcome, RunId,
    RunStart, Timestamp, WorkspaceId,
};

use super::live_node::{Ending, LiveNode, Phase};
use super::message::{Effect, Start};
use super::plan::{Plan, plan};
use super::ready::Ready;
use super::refusal::Refusal;
use super::tokens::{Spread, Tokens};
use super::topology::{EdgeIdx, Topology};

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
    /// By place in the topology.
    live: Vec<LiveNode>,
    ready: Ready,
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
        let mut live = vec![LiveNode::default(); topology.n_nodes()];
        for node in &kept {
            live[node.0 as usize].kept = true;
        }
        let subset: Arc<[NodeIdx]> = tokens.subset(&topology).collect();
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
        let run = Self::new(topology, tokens, live, &told, start.jobs_max);
        Ok(run.tell(told, out))
    }

    fn new(
        topology: Topology,
        tokens: Tokens,
        live: Vec<LiveNode>,
        start: &RunStart,
        jobs_max: Option<u32>,
    ) -> Self {
        let of_flow = start.frozen.jobs_max.unwrap_or(u32::MAX);
        Self {
            run: start.run.clone(),
            topology,
            tokens,
            live,
            ready: Ready::default(),
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
            for _ in 0..times {
                if self.is_known(node) {
                    self.trigger(node, out);
                }
            }
        }
        self
    }

    /// True once it was asked to stop.
    pub fn is_stopping(&self) -> bool {
        self.stopping
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

    fn live(&self, NodeIdx(node): NodeIdx) -> &LiveNode {
        &self.live[node as usize]
    }

    fn live_mut(&mut self, NodeIdx(node): NodeIdx) -> &mut LiveNode {
        &mut self.live[node as usize]
    }

    /// What a record or a report of a process names may be of another flow.
    fn is_known(&self, NodeIdx(node): NodeIdx) -> bool {
        (node as usize) < self.live.len()
    }

    /// True when nothing is ready, running or delayed.
    pub fn is_over(&self) -> bool {
        self.n_running == 0 && self.n_delayed == 0 && self.ready.is_empty()
    }

    /// True when the next ready node needs no process, so it needs no slot either.
    pub fn next_is_instant(&self) -> bool {
        self.ready.first().is_some_and(|node| {
            let (pass, attempt) = self.next_attempt(node);
            self.needs_no_process(node, pass, attempt)
        })
    }

    /// Pass and attempt that begin when the node's turn comes.
    fn next_attempt(&self, node: NodeIdx) -> (u32, u32) {
        let LiveNode { pass, attempt, .. } = *self.live(node);
        (pass + u32::from(attempt == 0), attempt + 1)
    }

    fn needs_no_process(&self, node: NodeIdx, pass: u32, attempt: u32) -> bool {
        let past_limit = attempt <= 1 && self.max_passes.is_some_and(|max| pass > max);
        let node = self.topology.node(node);
        past_limit || node.disabled || node.command.trim().is_empty()
    }

    /// Takes the next ready node and begins its pass, or the next attempt of it.
    pub fn begin(&mut self, now: Timestamp, out: &mut Vec<Effect>) -> Option<Begun> {
        let node = self.ready.pop()?;
        let (pass, attempt) = self.next_attempt(node);
        let instant = self.needs_no_process(node, pass, attempt);
        let live = self.live_mut(node);
        if attempt == 1 {
            live.queued = live.queued.saturating_sub(1);
        }
        (live.pass, live.attempt) = (pass, attempt);
        live.phase = Phase::Running;
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
        let live = self.live.get(id.node.0 as usize);
        live.is_some_and(|live| {
            live.phase == Phase::Running && (live.pass, live.attempt) == (id.pass, id.attempt)
        })
    }

    /// How long an attempt of a node may take.
    pub fn timeout_of(&self, node: NodeIdx) -> Option<std::time::Duration> {
        self.topology.node(node).timeout
    }

    /// Why the process of a node is being ended, when it is.
    pub fn ending(&self, node: NodeIdx) -> Option<Ending> {
        self.live.get(node.0 as usize)?.ending
    }

    /// A node without a process ends.
    pub fn end_instant(&mut self, now: Timestamp, node: NodeIdx, out: &mut Vec<Effect>) {
        let exit = match self.max_passes {
            Some(max) if self.live(node).pass > max => Exit::MaxPasses,
            _ => Exit::Code(0),
        };
        self.end(now, node, exit, out);
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
        let (retries, retry_delay) = {
            let node = self.topology.node(node);
            (node.retries, node.retry_delay)
        };
        let stopping = self.stopping;
        self.n_running -= 1;
        let live = self.live_mut(node);
        let (status, exit) = live.judge(exit);
        let may_retry = exit != Exit::MaxPasses && live.attempt <= retries;
        if status == NodeStatus::Failed && retried.unwrap_or(may_retry && !stopping) {
            let at = now.plus(retry_delay);
            live.phase = Phase::Delayed;
            self.n_delayed += 1;
            out.push(finished(id, exit, status, Some(at), now));
            return After::RetryAt(at);
        }
        live.phase = Phase::Rest;
        live.attempt = 0;
        live.last = Some(status);
        live.failed |= status == NodeStatus::Failed;
        if exit == Exit::MaxPasses || stopping {
            live.queued = 0;
        }
        let again = live.queued > 0;
        out.push(finished(id, exit, status, None, now));
        if status == NodeStatus::Ran {
            self.spread(node, out);
        }
        // What it triggered may have made it ready already.
        if again && self.live(node).phase == Phase::Rest {
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
        let live = self.live_mut(node);
        if live.owed > 0 {
            live.owed -= 1;
            return;
        }
        live.queued = live.queued.saturating_add(1);
        live.kept = false;
        let queued = live.queued;
        let rests = live.phase == Phase::Rest;
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
        self.live_mut(node).phase = Phase::Ready;
        self.ready.push(node);
    }

    /// The delay before a node's next attempt is over.
    pub fn retry_due(&mut self, node: NodeIdx) {
        if self.is_delayed(node) {
            self.n_delayed -= 1;
            self.make_ready(node);
        }
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
        let stopping = self.stopping;
        let live = self.live_mut(at);
        if stopping || live.phase != Phase::Rest || !live.wants_resume() {
            return;
        }
        live.failed = false;
        live.last = None;
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
        for node in self.tokens.subset(&self.topology) {
            let live = self.live(node);
            counts.subset += 1;
            match live.last {
                _ if live.kept => counts.kept += 1,
                _ if live.failed => counts.failed += 1,
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
            .filter(|&node| self.live(node).phase == phase)
            .collect()
    }

    fn node_run_id(&self, node: NodeIdx) -> NodeRunId {
        let LiveNode { pass, attempt, .. } = *self.live(node);
        NodeRunId {
            run: self.run.clone(),
            node,
            pass,
            attempt,
        }
    }
}

/// The end of an attempt, told.
fn finished(
    id: NodeRunId,
    exit: Exit,
    status: NodeStatus,
    retry_at: Option<Timestamp>,
    at: Timestamp,
) -> Effect {
    Effect::Record(Event::NodeFinished(Finish {
        id,
        exit,
        status,
        retry_at,
        at,
    }))
}
