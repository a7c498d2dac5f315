//! Processes that nobody waits for any more: what a dead Handmill left running, and what the kill
//! switch could not end. They are listed until they have ended. Part of the [`Dispatcher`].

use crate::exec;
use crate::ledger::Orphan;
use crate::model::{FlowRef, Level, NodeId, NodeRunId, Notice};

use super::dispatcher::Dispatcher;
use super::errand;
use super::incoming::Incoming;

impl Dispatcher {
    /// Ends what is listed of a flow. What cannot be ended stays listed.
    pub(super) fn stop_orphans(&mut self, flow: &FlowRef) {
        let Some(open) = self.flows.get(flow) else {
            return;
        };
        let orphans = open.orphans.clone();
        if orphans.is_empty() {
            return;
        }
        let (inbox, flow) = (self.inbox.clone(), flow.clone());
        self.pool.spawn_blocking(move || {
            let (ended, left): (Vec<_>, Vec<_>) = orphans
                .into_iter()
                .partition(|orphan| exec::kill_orphan(orphan.pid, orphan.birth, &orphan.id));
            inbox.send(Incoming::OrphanEnded(flow));
            inbox.send(Incoming::Tell(what_ended(ended.len(), &left)));
        });
    }

    /// Some process that was listed has ended.
    pub(super) fn orphan_ended(&mut self, flow: &FlowRef) {
        let Some(open) = self.flows.get_mut(flow) else {
            return;
        };
        let lives = |left: &Orphan| exec::orphan_alive(left.pid, left.birth, &left.id);
        open.orphans.retain(lives);
        open.unended.retain(lives);
        open.show_orphans_again();
        self.picture.touch_flow(flow);
    }

    /// The kill switch could not end these: nobody waits for them, and they are listed.
    pub(super) fn list_unended(&self, flow: FlowRef, node: NodeId, id: NodeRunId, pids: Vec<u32>) {
        let inbox = self.inbox.clone();
        self.pool.spawn_blocking(move || {
            let left = exec::left_of(&id, &pids).into_iter();
            let unended = left.map(|left| Orphan {
                id: left.id,
                node: node.clone(),
                pid: left.pid,
                birth: left.birth,
            });
            let unended = unended.collect();
            inbox.send(Incoming::Unended { flow, unended });
        });
    }

    /// What the kill switch could not end was found.
    pub(super) fn unended_came(&mut self, flow: &FlowRef, unended: Vec<Orphan>) {
        let Some(open) = self.flows.get_mut(flow) else {
            return;
        };
        open.unended.extend(unended.iter().cloned());
        open.show_orphans_again();
        self.picture.touch_flow(flow);
        for one in unended {
            errand::await_orphan(&self.inbox, flow.clone(), one);
        }
    }
}

fn what_ended(n: usize, left: &[Orphan]) -> Notice {
    let processes = |n| match n {
        1 => "1 process".to_owned(),
        n => format!("{n} processes"),
    };
    let what = format!("Ended {} that nobody waited for.", processes(n));
    if left.is_empty() {
        return Notice::info(what);
    }
    let pids: Vec<String> = left.iter().map(|left| left.pid.to_string()).collect();
    Notice::new(
        Level::Warning,
        format!("{what} Not to be ended: {}.", pids.join(", ")),
        "They hang in the system, which alone can let them go.",
    )
}
