//! How a run, or one node of it, is brought to its end before its time.

use crate::model::{Event, Exit, NodeIdx, NodeRunId, NodeStatus, Timestamp};
use crate::sched::live_node::{Ending, Phase};
use crate::sched::message::Effect;

use super::{RunState, finished};

impl RunState {
    /// Starts ending the process of a running node; gives its attempt, and true when it was
    /// being ended already.
    pub fn terminate(&mut self, node: NodeIdx, why: Ending) -> Option<(NodeRunId, bool)> {
        let live = self
            .live
            .get_mut(node.0 as usize)
            .filter(|live| live.phase == Phase::Running)?;
        let again = live.ending.is_some();
        if live.ending != Some(Ending::Stop) {
            live.ending = Some(why);
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
        while let Some(node) = self.ready.pop() {
            let live = self.live_mut(node);
            // A later attempt of a pass that failed before stays failed; nothing else is said
            // of nodes that had not started: a resume finds their triggers.
            if live.attempt > 0 {
                live.phase = Phase::Delayed;
                self.n_delayed += 1;
            } else {
                live.phase = Phase::Rest;
            }
        }
        for node in self.nodes_in(Phase::Delayed) {
            self.give_up(now, node, out);
        }
        self.nodes_in(Phase::Running)
    }

    /// Stops one node that is not running but ready or delayed.
    pub fn stop_waiting_node(&mut self, now: Timestamp, node: NodeIdx, out: &mut Vec<Effect>) {
        match self.live.get(node.0 as usize).map(|live| live.phase) {
            Some(Phase::Delayed) => self.give_up(now, node, out),
            Some(Phase::Ready) => self.stop_ready_node(now, node, out),
            _ => {}
        }
    }

    /// A node that was about to start is told as an attempt that did not.
    fn stop_ready_node(&mut self, now: Timestamp, node: NodeIdx, out: &mut Vec<Effect>) {
        self.ready.remove(node);
        let live = self.live_mut(node);
        live.pass += u32::from(live.attempt == 0);
        live.attempt += 1;
        let id = self.node_run_id(node);
        out.push(Effect::Record(Event::NodeStarted {
            id: id.clone(),
            at: now,
        }));
        self.rest_as(node, NodeStatus::Stopped);
        let exit = Exit::NotStarted("stopped before it started".into());
        out.push(finished(id, exit, NodeStatus::Stopped, None, now));
    }

    /// A node between two attempts gets no further one.
    fn give_up(&mut self, now: Timestamp, node: NodeIdx, out: &mut Vec<Effect>) {
        let id = self.node_run_id(node);
        let status = if self.interrupted {
            NodeStatus::Interrupted
        } else {
            NodeStatus::Stopped
        };
        self.rest_as(node, status);
        self.n_delayed -= 1;
        let exit = Exit::NotStarted("stopped before its next attempt".into());
        out.push(finished(id, exit, status, None, now));
    }

    fn rest_as(&mut self, node: NodeIdx, status: NodeStatus) {
        let live = self.live_mut(node);
        live.phase = Phase::Rest;
        live.attempt = 0;
        live.queued = 0;
        live.last = Some(status);
    }
}
