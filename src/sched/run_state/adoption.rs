//! A run that another process began, gone through again from its own facts. Called by
//! [`crate::sched::adopt`], which knows where the facts come from.

use std::collections::HashSet;
use std::sync::Arc;

use crate::model::{
    EdgeId, Event, Exit, Finish, Node, NodeIdx, NodeRunId, NodeStatus, RunStart, Timestamp,
};
use crate::sched::live_node::{Ending, LiveNode, Phase};
use crate::sched::message::Effect;
use crate::sched::tokens::Tokens;
use crate::sched::topology::{EdgeIdx, Topology};

use super::RunState;

impl RunState {
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
        let marks: HashSet<&EdgeId> = start.marks.iter().collect();
        for (at, link) in (0u32..).zip(&topology.edges) {
            if marks.contains(&link.id) {
                tokens.mark(&topology, EdgeIdx(at));
            }
        }
        let mut live = vec![LiveNode::default(); n_nodes];
        for node in start.kept.iter().filter(known) {
            live[node.0 as usize].kept = true;
        }
        Self::new(topology, tokens, live, &start, jobs_max).tell(start, out)
    }

    /// An attempt of an adopted run began, whatever is ready.
    pub fn begin_as(&mut self, id: &NodeRunId, at: Timestamp, out: &mut Vec<Effect>) {
        let node = id.node;
        if !self.is_known(node) {
            return;
        }
        if self.live(node).phase == Phase::Running {
            // The end of the attempt before it is on record nowhere: it cannot be said how it was.
            self.close(at, node, Exit::Unknown, Some(false), out);
        }
        match self.live(node).phase {
            Phase::Ready => self.ready.remove(node),
            Phase::Delayed => self.n_delayed -= 1,
            Phase::Rest | Phase::Running => {}
        }
        let live = self.live_mut(node);
        if id.attempt <= 1 {
            if live.queued > 0 {
                live.queued -= 1;
            } else if live.wants_resume() {
                // A retry by hand.
                live.failed = false;
                live.last = None;
            } else {
                live.owed += 1;
                live.kept = false;
            }
        }
        live.pass = id.pass;
        live.attempt = id.attempt;
        live.phase = Phase::Running;
        self.n_running += 1;
        let id = id.clone();
        out.push(Effect::Record(Event::NodeStarted { id, at }));
    }

    /// An attempt of an adopted run ended, as it was told then.
    pub fn end_as(&mut self, finish: &Finish, out: &mut Vec<Effect>) {
        let node = finish.id.node;
        if !self.is_current(&finish.id) {
            // A node that a stop kept from starting again was told as the end of its last attempt.
            if !self.is_delayed(node) {
                return;
            }
            self.live_mut(node).phase = Phase::Running;
            self.n_delayed -= 1;
            self.n_running += 1;
        }
        let live = self.live_mut(node);
        live.ending = Ending::of(finish);
        let is_stopped = matches!(finish.status, NodeStatus::Stopped | NodeStatus::Interrupted);
        if is_stopped && matches!(finish.exit, Exit::NotStarted(_)) {
            live.queued = 0;
        }
        let retried = Some(finish.retry_at.is_some());
        self.close(finish.at, node, finish.exit.clone(), retried, out);
    }

    /// True when this attempt, or a later one of its node, has come to its end; also when the flow
    /// has no such node.
    pub fn is_over_for(&self, id: &NodeRunId) -> bool {
        if !self.is_known(id.node) {
            return true;
        }
        let live = self.live(id.node);
        match live.phase {
            Phase::Running => (live.pass, live.attempt) > (id.pass, id.attempt),
            _ if live.attempt > 0 => (live.pass, live.attempt) >= (id.pass, id.attempt),
            _ => live.pass >= id.pass,
        }
    }

    /// Notes what the process of a node is being ended for.
    pub fn set_ending(&mut self, node: NodeIdx, ending: Option<Ending>) {
        if self.is_known(node) {
            self.live_mut(node).ending = ending;
        }
    }

    /// Attempts under way: which, of what node, and whether it needs no process.
    pub fn under_way(&self) -> Vec<(NodeRunId, Arc<Node>, bool)> {
        let running = self.nodes_in(Phase::Running).into_iter();
        running
            .map(|node| {
                let LiveNode { pass, attempt, .. } = *self.live(node);
                let instant = self.needs_no_process(node, pass, attempt);
                (
                    self.node_run_id(node),
                    self.topology.node(node).clone(),
                    instant,
                )
            })
            .collect()
    }

    /// True while the node waits for its next attempt.
    pub fn is_delayed(&self, node: NodeIdx) -> bool {
        self.is_known(node) && self.live(node).phase == Phase::Delayed
    }
}
