//! What the sitter does by itself: what is due by its book, and processes that came to it without being its own.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::book::{Next, Strays};
use super::serve::Server;
use crate::exec::launcher::lock;
use crate::exec::sweep;
use crate::exec::unix::{self, Alarm, Seen, Table};

/// Strays are looked for this often while there are some.
const LOOK_FOR_STRAYS: Duration = Duration::from_secs(5);
/// Between two looks for strays after attempts have ended. A look reads the whole process table, and no child is
/// started meanwhile: after each end it would cost more than the attempt.
const LOOK_AFTER_ENDS: Duration = Duration::from_millis(200);
/// Between two rounds of killing strays.
const STRAY_ROUND: Duration = Duration::from_millis(100);

/// When strays are looked for.
#[derive(Default)]
struct Looks {
    /// The next time anyway.
    at: Option<Duration>,
    /// Attempts have ended since the last time.
    has_ended: bool,
    /// Not sooner than this because of that.
    after_ends: Duration,
}

impl Looks {
    fn next(&self) -> Option<Duration> {
        let after_ends = self.has_ended.then_some(self.after_ends);
        [after_ends, self.at].into_iter().flatten().min()
    }
}

impl Server {
    /// Tends until nobody needs a sitter.
    pub fn tend(&self, woken: &UnixStream) {
        unix::adopt_orphans();
        let alarm = Alarm::new();
        let mut looks = Looks::default();
        loop {
            unix::drain(woken);
            let now = unix::uptime();
            let strays = self.strays(&mut looks, now);
            let until = match self.act(|state, out| state.book.look(now, out)) {
                Next::End => return,
                Next::At(at) => Some(strays.map_or(at, |strays| strays.min(at))),
                Next::Woken => strays,
            };
            alarm.wait(woken, until);
        }
    }

    /// Reaps what has ended among the processes that came to us without being ours, and kills them
    /// when that was asked for. Gives when it is due again.
    fn strays(&self, looks: &mut Looks, now: Duration) -> Option<Duration> {
        let (wanted, has_ended) = self.act(|state, _| state.book.strays());
        let kill = wanted.filter(|strays| strays.at <= now);
        looks.has_ended |= has_ended;
        if kill.is_some() || looks.next().is_some_and(|at| at <= now) {
            // What ends from here on may leave something that this look does not see: the book says so the next time.
            looks.has_ended = false;
            looks.after_ends = now + LOOK_AFTER_ENDS;
            let left = self.reap();
            let backgrounds = {
                let mut backgrounds = lock(&self.backgrounds);
                backgrounds.retain(|(pid, birth)| unix::lives(*pid, *birth));
                backgrounds.clone()
            };
            let is_ours = |seen: &Seen| {
                let is_background = backgrounds.iter().any(|(pid, _)| *pid == seen.pid);
                is_background || self.launcher.is_warden(seen.pid)
            };
            let strays: Vec<Seen> = left.into_iter().filter(|seen| !is_ours(seen)).collect();
            let is_clear = strays.is_empty() && backgrounds.is_empty();
            looks.at = (!is_clear).then_some(now + LOOK_FOR_STRAYS);
            if let Some(kill) = kill {
                let left = sweep::kill_strays(&strays, kill.marked_too) && kill.rounds_left > 0;
                let next = Strays {
                    at: now + STRAY_ROUND,
                    rounds_left: kill.rounds_left.saturating_sub(1),
                    ..kill
                };
                self.act(|state, _| state.book.strays_killed(next, left));
            }
        }
        let kill_at = self.act(|state, _| state.book.kill_strays_at());
        [kill_at, looks.next()].into_iter().flatten().min()
    }

    /// Lets go of our children that have ended and that no attempt waits for; gives those that live.
    fn reap(&self) -> Vec<Seen> {
        self.launcher.between_spawns(|| {
            let live = self.launcher.live();
            let is_leader = |pid: u32| {
                let mut processes = live.iter().filter_map(|live| live.process);
                processes.any(|(leader, _)| leader == pid)
            };
            let mut children = Table::read().children(std::process::id());
            children.retain(|seen| !is_leader(seen.pid));
            let (dead, left): (Vec<_>, Vec<_>) = children.into_iter().partition(|seen| seen.dead);
            for seen in dead {
                unix::reap_stray(seen.pid);
            }
            left
        })
    }
}
