//! What the time brings: deadlines, runs that nobody carries, strays, the end of the sitter.

use std::time::Duration;

use super::{Book, Effect};
use crate::exec::{End, Why};

/// A process that was started to carry a run on has this long to come for it.
const COMES_WITHIN: Duration = Duration::from_secs(10);
/// Processes started in vain after which a run is given up.
const TRIES_MAX: u32 = 3;
/// Without clients, runs and children for this long it ends.
const IDLE: Duration = Duration::from_secs(2);
/// When to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// At this time, in [`crate::exec::sitter::uptime`].
    At(Duration),
    /// When something is told.
    Woken,
    /// Nobody needs a sitter any more.
    End,
}

/// Killing of what belongs to no attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strays {
    /// When.
    pub at: Duration,
    /// How often it is tried again.
    pub rounds_left: u32,
    /// Also what ended attempts left behind on purpose.
    pub marked_too: bool,
}

impl Book {
    /// Does what is due, and says when something is next.
    pub fn look(&mut self, now: Duration, out: &mut Vec<Effect>) -> Next {
        let dues = [
            self.deadlines(now, out),
            self.carriers(now, out),
            self.idle(now),
        ];
        match self.is_ending {
            true => Next::End,
            false => dues
                .into_iter()
                .flatten()
                .min()
                .map_or(Next::Woken, Next::At),
        }
    }

    /// Ends what runs in workspaces whose time is over.
    fn deadlines(&mut self, now: Duration, out: &mut Vec<Effect>) -> Option<Duration> {
        let over: Vec<_> = self
            .deadlines
            .iter()
            .filter(|(_, (until, _))| *until <= now)
            // The grace counts from the deadline, not from when somebody woke up: it is part of what others wait.
            .map(|(id, (until, grace))| (id.clone(), (*until + *grace).saturating_sub(now)))
            .collect();
        for (workspace, grace) in over {
            self.lose(&workspace, out);
            let end = match grace.is_zero() {
                true => End::force(Why::Control),
                false => End::within(Why::Control, grace),
            };
            for id in self.living(|_, of| of == Some(&workspace)) {
                self.terminate(&id, end, out);
            }
        }
        self.deadlines.values().map(|(until, _)| *until).min()
    }

    /// Has somebody carry the runs that nobody does.
    fn carriers(&mut self, now: Duration, out: &mut Vec<Effect>) -> Option<Duration> {
        // Given up: its nodes go on and their ends are noted; the next start finds it interrupted.
        self.runs
            .retain(|_, held| held.owner.is_some() || held.due > now || held.tries < TRIES_MAX);
        let mut must_start = false;
        for held in self.runs.values_mut().filter(|held| held.owner.is_none()) {
            if held.due <= now {
                held.tries += 1;
                held.due = now + COMES_WITHIN;
                must_start = true;
            }
        }
        if must_start {
            // Tried again when the time has come.
            out.push(Effect::StartBackground(self.program.clone()));
        }
        let waiting = self.runs.values().filter(|held| held.owner.is_none());
        waiting.map(|held| held.due).min()
    }

    /// Ends the sitter when nobody has needed it for a while.
    fn idle(&mut self, now: Duration) -> Option<Duration> {
        let is_idle = self.clients.is_empty()
            && self.runs.is_empty()
            && self.live.is_empty()
            && self.strays.is_none();
        if !is_idle {
            self.idle_since = None;
            return None;
        }
        let until = *self.idle_since.get_or_insert(now) + IDLE;
        self.is_ending = until <= now;
        Some(until)
    }

    /// What is to be killed besides attempts, and whether any attempt ended since this was last asked.
    pub fn strays(&mut self) -> (Option<Strays>, bool) {
        (self.strays, std::mem::take(&mut self.ends_seen))
    }

    /// When strays are killed next.
    pub fn kill_strays_at(&self) -> Option<Duration> {
        self.strays.map(|strays| strays.at)
    }

    /// What is still to be killed after a round; more rounds are for attempts that live, or for what is `left`.
    pub fn strays_killed(&mut self, next: Strays, left: bool) {
        self.strays = (left || !self.live.is_empty()).then_some(next);
    }
}
