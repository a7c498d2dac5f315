//! The logs that faces look at: which ones, and when each is due to be read again.
//!
//! A log is read when it is asked for and when its file grew, at most every [`READ_EVERY`], on
//! the pool's blocking threads. A log nobody looks at costs nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::model::{FlowRef, LogTail, NodeId, RunId};

use super::clock;
use super::incoming::Incoming;
use super::mailbox::Inbox;
use super::order::LogTarget;
use super::query;
use super::workspace::Workspace;

/// Shortest time between two readings of one log.
const READ_EVERY: Duration = Duration::from_millis(50);

#[derive(Default)]
struct Followed {
    /// It grew since it was last read, or was never read.
    dirty: bool,
    /// A reading is under way.
    reading: bool,
    read_at: Option<Instant>,
}

/// The followed logs.
pub struct LogDesk {
    pool: Handle,
    inbox: Inbox,
    followed: BTreeMap<LogTarget, Followed>,
    workspaces: HashMap<FlowRef, Arc<Workspace>>,
}

impl LogDesk {
    /// Follows nothing.
    pub fn new(pool: Handle, inbox: Inbox) -> Self {
        Self {
            pool,
            inbox,
            followed: BTreeMap::new(),
            workspaces: HashMap::new(),
        }
    }

    /// Follows exactly these logs from now on.
    pub fn follow(&mut self, targets: Vec<LogTarget>) {
        self.followed.retain(|target, _| targets.contains(target));
        for target in targets {
            self.followed.entry(target).or_insert_with(|| Followed {
                dirty: true,
                ..Followed::default()
            });
        }
        self.read_due();
    }

    /// True when some log is followed.
    pub fn is_looking(&self) -> bool {
        !self.followed.is_empty()
    }

    /// The workspace of a flow is open: its logs can be read.
    pub fn opened(&mut self, flow: &FlowRef, workspace: &Arc<Workspace>) {
        self.workspaces.insert(flow.clone(), workspace.clone());
        self.grew(flow, None, None);
        self.read_due();
    }

    /// The flow is no longer on the board.
    pub fn closed(&mut self, flow: &FlowRef) {
        self.workspaces.remove(flow);
        self.followed.retain(|target, _| target.flow != *flow);
    }

    /// A log of this node in this run grew, or began; `None` means any.
    pub fn grew(&mut self, flow: &FlowRef, run: Option<&RunId>, node: Option<&NodeId>) {
        for (target, followed) in &mut self.followed {
            let same_run = target.run.as_ref().zip(run).is_none_or(|(a, b)| a == b);
            let same_node = target.node.as_ref().zip(node).is_none_or(|(a, b)| a == b);
            if target.flow == *flow && same_run && same_node {
                followed.dirty = true;
            }
        }
    }

    /// When [`LogDesk::read_due`] has something to do.
    pub fn next_due(&self) -> Option<Instant> {
        let due = |followed: &Followed| {
            followed
                .read_at
                .map_or_else(clock::instant, |at| at + READ_EVERY)
        };
        let ready = self.followed.iter().filter(|(target, followed)| {
            followed.dirty && !followed.reading && self.workspaces.contains_key(&target.flow)
        });
        ready.map(|(_, followed)| due(followed)).min()
    }

    /// Has the logs read whose time has come.
    pub fn read_due(&mut self) {
        if self.followed.is_empty() {
            return;
        }
        let now = clock::instant();
        for (target, followed) in &mut self.followed {
            let Some(workspace) = self.workspaces.get(&target.flow) else {
                continue;
            };
            let waited = followed.read_at.is_none_or(|at| at + READ_EVERY <= now);
            if !followed.dirty || followed.reading || !waited {
                continue;
            }
            (followed.dirty, followed.reading, followed.read_at) = (false, true, Some(now));
            let (target, workspace, inbox) =
                (target.clone(), workspace.clone(), self.inbox.clone());
            self.pool.spawn_blocking(move || {
                let tail = query::tail(&workspace, &target).unwrap_or_else(|why| LogTail {
                    trouble: why,
                    ..LogTail::default()
                });
                inbox.send(Incoming::LogRead { target, tail });
            });
        }
    }

    /// A reading came back; true when the log is still followed.
    pub fn was_read(&mut self, target: &LogTarget) -> bool {
        match self.followed.get_mut(target) {
            Some(followed) => {
                followed.reading = false;
                true
            }
            None => false,
        }
    }
}
