//! What the sitter does by itself: deadlines, runs that nobody carries, strays, its own end.

use std::collections::BTreeMap;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::super::launcher::lock;
use super::super::sweep;
use super::super::unix::{self, Alarm, Table};
use super::super::{End, Why};
use super::message::{self, Tell};
use super::server::{Server, State, Strays};
use crate::model::WorkspaceId;

/// Without clients, runs and children for this long it ends.
const IDLE: Duration = Duration::from_secs(2);
/// A process that was started to carry a run on has this long to come for it.
const COMES_WITHIN: Duration = Duration::from_secs(10);
/// Processes started in vain after which a run is given up.
const TRIES_MAX: u32 = 3;
/// Strays are looked for this often while there are some.
const LOOK_FOR_STRAYS: Duration = Duration::from_secs(5);
/// Between two rounds of killing strays.
const STRAY_ROUND: Duration = Duration::from_millis(100);

/// When to look again.
enum Next {
    At(Duration),
    Woken,
    End,
}

#[derive(Default)]
struct Tended {
    idle_since: Option<Duration>,
    /// When strays are looked for next.
    look_at: Option<Duration>,
}

impl Server {
    /// Tends until nobody needs a sitter.
    pub fn tend(&self, woken: &UnixStream) {
        unix::adopt_orphans();
        let alarm = Alarm::new();
        let mut tended = Tended::default();
        loop {
            unix::drain(woken);
            match self.look(&mut tended, unix::uptime()) {
                Next::At(at) => alarm.wait(woken, Some(at)),
                Next::Woken => alarm.wait(woken, None),
                Next::End => return,
            }
        }
    }

    fn look(&self, tended: &mut Tended, now: Duration) -> Next {
        let mut dues = vec![self.deadlines(now), self.carriers(now)];
        dues.push(self.strays(tended, now));
        let mut state = lock(&self.state);
        let idle = state.clients.is_empty()
            && state.runs.is_empty()
            && state.strays.is_none()
            && self.launcher.live().is_empty();
        if idle {
            let since = *tended.idle_since.get_or_insert(now);
            if since + IDLE <= now {
                state.ending = true;
                return Next::End;
            }
            dues.push(Some(since + IDLE));
        } else {
            tended.idle_since = None;
        }
        dues.into_iter()
            .flatten()
            .min()
            .map_or(Next::Woken, Next::At)
    }

    /// Ends what runs in workspaces whose time is over.
    fn deadlines(&self, now: Duration) -> Option<Duration> {
        let mut state = lock(&self.state);
        let over: BTreeMap<WorkspaceId, Duration> = state
            .deadlines
            .iter()
            .filter(|(_, (until, _))| *until <= now)
            // The grace counts from the deadline, not from when somebody woke up: it is part of what others wait.
            .map(|(id, (until, grace))| (id.clone(), (*until + *grace).saturating_sub(now)))
            .collect();
        for id in over.keys() {
            state.deadlines.remove(id);
            state.lost.insert(id.clone());
        }
        let of = |state: &State, id: &crate::model::RunId| {
            let held = state.runs.get(id)?;
            over.get(&held.flow.workspace).copied()
        };
        let doomed: Vec<_> = match over.is_empty() {
            true => Vec::new(),
            false => {
                let live = self.launcher.live().into_iter();
                live.filter_map(|live| Some((of(&state, &live.id.run)?, live.id)))
                    .collect()
            }
        };
        for id in over.keys() {
            let workspace = id.as_str().to_owned();
            let frame = message::frame(&Tell::ControlLost { workspace });
            for outbox in state.clients.values() {
                outbox.send(&frame);
            }
        }
        let next = state.deadlines.values().map(|(until, _)| *until).min();
        drop(state);
        for (grace, id) in doomed {
            let end = match grace.is_zero() {
                true => End::force(Why::Control),
                false => End::within(Why::Control, grace),
            };
            self.launcher.terminate(&id, end);
        }
        next
    }

    /// Has somebody carry the runs that nobody does.
    fn carriers(&self, now: Duration) -> Option<Duration> {
        let mut state = lock(&self.state);
        let mut given_up = Vec::new();
        let mut start = false;
        for (run, held) in &mut state.runs {
            if held.owner.is_some() || held.due > now {
                continue;
            }
            if held.tries >= TRIES_MAX {
                given_up.push(run.clone());
                continue;
            }
            held.tries += 1;
            held.due = now + COMES_WITHIN;
            start = true;
        }
        for run in given_up {
            // Its nodes go on and their ends are noted; the next start finds it interrupted.
            state.runs.remove(&run);
        }
        if start {
            let program = state.program.clone();
            // Tried again when the time has come.
            let started = self.start_background(&program);
            state.backgrounds.extend(started);
        }
        let waiting = state.runs.values().filter(|held| held.owner.is_none());
        waiting.map(|held| held.due).min()
    }

    /// Reaps what has ended among the processes that came to us without being ours, and kills them
    /// when that was asked for.
    fn strays(&self, tended: &mut Tended, now: Duration) -> Option<Duration> {
        let (kill, look) = {
            let mut state = lock(&self.state);
            let kill = state.strays.filter(|strays| strays.at <= now);
            let ended = std::mem::take(&mut state.ends_seen);
            (kill, ended || tended.look_at.is_some_and(|at| at <= now))
        };
        if kill.is_none() && !look {
            let state = lock(&self.state);
            return state
                .strays
                .map(|s| s.at)
                .into_iter()
                .chain(tended.look_at)
                .min();
        }
        let own = std::process::id();
        let left = self.launcher.between_spawns(|| {
            let live = self.launcher.live();
            let is_leader = |pid: u32| {
                let mut processes = live.iter().filter_map(|live| live.process);
                processes.any(|(leader, _)| leader == pid)
            };
            let mut children = Table::read().children(own);
            children.retain(|seen| !is_leader(seen.pid));
            let (dead, left): (Vec<_>, Vec<_>) = children.into_iter().partition(|seen| seen.dead);
            for seen in dead {
                unix::reap_stray(seen.pid);
            }
            left
        });
        let mut state = lock(&self.state);
        state
            .backgrounds
            .retain(|(pid, birth)| unix::lives(*pid, *birth));
        let backgrounds: Vec<u32> = state.backgrounds.iter().map(|(pid, _)| *pid).collect();
        let strays: Vec<_> = left
            .into_iter()
            .filter(|seen| !backgrounds.contains(&seen.pid) && !self.launcher.is_warden(seen.pid))
            .collect();
        tended.look_at =
            (!strays.is_empty() || !backgrounds.is_empty()).then_some(now + LOOK_FOR_STRAYS);
        if let Some(kill) = kill {
            let left = sweep::kill_strays(&strays, kill.marked_too);
            let again = left && kill.rounds_left > 0 || !self.launcher.live().is_empty();
            state.strays = again.then_some(Strays {
                at: now + STRAY_ROUND,
                rounds_left: kill.rounds_left.saturating_sub(1),
                ..kill
            });
        }
        state
            .strays
            .map(|s| s.at)
            .into_iter()
            .chain(tended.look_at)
            .min()
    }
}
