//! Carrying on a run that another process began: its state is built again from its own facts.
//!
//! What was recorded is gone through again with the very code of a live run, so that marks, queues
//! and passes are what they were. A kill may have cost the last moments of that; the exit record
//! and whoever holds the processes know of attempts from then, and those are made up for: told
//! anew, as if they happened now. An attempt without a trigger on record is one whose trigger was
//! lost with it; when that comes again it is used up.

use std::collections::HashSet;

use crate::model::{Event, Exit, Finish, NodeIdx, NodeRunId, RunStart, Timestamp};

use super::live_node::Ending;
use super::message::Effect;
use super::run_state::{After, RunState};

/// A run to carry on.
#[derive(Clone, Debug)]
pub struct Adopt {
    /// Its start, as it was told then.
    pub start: RunStart,
    /// Nodes of this run at once, on top of the flow's own limit and the slots.
    pub jobs_max: Option<u32>,
    /// What is on record, in order.
    pub recorded: Vec<Recorded>,
    /// Ends that were noted, in order; those on record may be among them.
    pub ended: Vec<(Finish, Timestamp)>,
    /// Attempts that live.
    pub live: Vec<Alive>,
    /// Attempts that have begun, as far as their logs show; others may be launched again.
    pub begun: HashSet<NodeRunId>,
    /// It was asked to stop.
    pub stopping: bool,
}

/// A fact on record.
#[derive(Clone, Debug, PartialEq)]
pub enum Recorded {
    /// An attempt began.
    Began {
        /// Which.
        id: NodeRunId,
        /// When.
        at: Timestamp,
    },
    /// An attempt ended; with `retry_at` when another one follows.
    Ended(Finish),
}

/// An attempt that lives, held by somebody who reports its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Alive {
    /// Which.
    pub id: NodeRunId,
    /// Id and start time of its process, once it has one.
    pub process: Option<(u32, u64)>,
    /// What it was asked to end for, when it was.
    pub ending: Option<Ending>,
}

/// A run that was built again, and what its scheduler has to look after.
pub struct Adopted {
    /// The run.
    pub state: RunState,
    /// Attempts under way, with when they began.
    pub running: Vec<(NodeRunId, Timestamp)>,
    /// Nodes that wait for their next attempt, and until when.
    pub delayed: Vec<(NodeIdx, Timestamp)>,
}

/// Builds the run again. Effects of what is on record are for the board alone.
pub fn adopt(now: Timestamp, adopt: Adopt, out: &mut Vec<Effect>) -> Adopted {
    let Adopt {
        start,
        jobs_max,
        recorded,
        ended,
        live,
        begun,
        stopping,
    } = adopt;
    let began_at = start.at;
    let mut state = RunState::begin_again(start, jobs_max, out);
    let mut running: Vec<(NodeRunId, Timestamp)> = Vec::new();
    let mut delayed: Vec<(NodeIdx, Timestamp)> = Vec::new();
    let mut past = Vec::new();
    for fact in recorded {
        match fact {
            Recorded::Began { id, at } => state.begin_as(&id, at, &mut past),
            Recorded::Ended(finish) => {
                delayed.retain(|(node, _)| *node != finish.id.node);
                delayed.extend(finish.retry_at.map(|at| (finish.id.node, at)));
                state.end_as(&finish, &mut past);
            }
        }
    }
    let starts = past.iter().filter_map(|effect| match effect {
        Effect::Record(Event::NodeStarted { id, at }) => Some((id.clone(), *at)),
        _ => None,
    });
    running.extend(starts);
    out.extend(past.into_iter().map(|effect| match effect {
        Effect::Record(event) => Effect::Recall(event),
        other => other,
    }));
    for (finish, began) in ended {
        if state.is_over_for(&finish.id) {
            continue;
        }
        if !state.is_current(&finish.id) {
            state.begin_as(&finish.id, began, out);
        }
        if state.is_current(&finish.id) {
            state.set_ending(finish.id.node, Ending::of(&finish));
            delayed.retain(|(node, _)| *node != finish.id.node);
            let node = finish.id.node;
            let exit = finish.exit;
            if let After::RetryAt(at) = state.end(finish.at, node, exit, out) {
                delayed.push((node, at));
            }
        }
    }
    let mut held = HashSet::new();
    for alive in live {
        if state.is_over_for(&alive.id) {
            continue;
        }
        if !state.is_current(&alive.id) {
            state.begin_as(&alive.id, now, out);
            running.push((alive.id.clone(), now));
        }
        if let Some((pid, birth)) = alive.process {
            let id = alive.id.clone();
            out.push(Effect::Record(Event::NodeSpawned { id, pid, birth }));
        }
        state.set_ending(alive.id.node, alive.ending);
        held.insert(alive.id);
    }
    if stopping {
        // After what was going on already: of that nothing is waiting any more.
        state.stop(now, Ending::Stop, out);
        delayed.clear();
    }
    for (id, node, is_instant) in state.under_way() {
        if held.contains(&id) {
            continue;
        }
        if stopping && !begun.contains(&id) {
            state.set_ending(id.node, Some(Ending::Stop));
            let exit = Exit::NotStarted("stopped before it started".into());
            state.end(now, id.node, exit, out);
        } else if is_instant {
            state.end_instant(now, id.node, out);
        } else if begun.contains(&id) {
            out.push(Effect::Await { id });
        } else {
            out.push(Effect::Launch { id, node });
        }
    }
    running.retain(|(id, _)| state.is_current(id));
    let known: HashSet<NodeRunId> = running.iter().map(|(id, _)| id.clone()).collect();
    for (id, _, _) in state.under_way() {
        if !known.contains(&id) {
            running.push((id, began_at));
        }
    }
    delayed.retain(|(node, _)| state.is_delayed(*node));
    Adopted {
        state,
        running,
        delayed,
    }
}
