//! Sees stopped attempts to their end: nothing they started is left when they are reported.
//!
//! One thread for all of them, so that stopping 500 nodes reads the table of processes a few times
//! and not 500 times. It is started by the first stop, and sleeps until a process ends or another
//! stop comes.
//!
//! A process is found as a member of the group, as a descendant of the leader, or by the mark in its
//! environment. One that left the group, lost its parents and cleared its environment before the
//! stop is found by nothing short of a cgroup.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::attempt::{Attempt, MARK, Stop, attempt_of, mark_of};
use super::launcher::lock;
use super::unix::{self, Seen, Table};
use super::warden::Bound;
use crate::model::{NodeRunId, RunId};

/// Longest wait for killed processes to be gone before they are looked for again.
const KILL_WAIT: Duration = Duration::from_millis(200);
/// The same while processes were only asked to end; a process that ends wakes sooner.
const ASK_WAIT: Duration = Duration::from_secs(1);
/// Rounds of killing after which what is left cannot be killed (it hangs in the kernel).
const ROUNDS_MAX: u32 = 5;
/// A spawn that takes longer than this after it was to be killed hangs.
const SPAWN_WAIT: Duration = Duration::from_secs(1);

/// The sweeping thread's inbox.
#[derive(Default)]
pub(super) struct Sweeper(Mutex<Inbox>);

#[derive(Default)]
struct Inbox {
    new: Arc<Mutex<Vec<Arc<Attempt>>>>,
    wake: Option<UnixStream>,
}

impl Sweeper {
    /// Looks after a stopping attempt until nothing of it is left; again when it has changed.
    pub fn watch(&self, attempt: Arc<Attempt>) {
        let mut inbox = lock(&self.0);
        if inbox.wake.is_none() {
            match start(Arc::clone(&inbox.new)) {
                Ok(wake) => inbox.wake = Some(wake),
                Err(_) => {
                    // Neither thread nor socket to be had. The group gets its signal; the rest of
                    // the family is let go rather than holding the node up for ever.
                    attempt.signal_group();
                    attempt.set_swept();
                    return;
                }
            }
        }
        lock(&inbox.new).push(attempt);
        if let Some(wake) = &mut inbox.wake
            && wake.write(&[1]).is_err()
        {
            // Full: it has been woken often enough.
        }
    }
}

fn start(new: Arc<Mutex<Vec<Arc<Attempt>>>>) -> std::io::Result<UnixStream> {
    let (wake, woken) = UnixStream::pair()?;
    wake.set_nonblocking(true)?;
    woken.set_nonblocking(true)?;
    thread::Builder::new()
        .name("sweep".to_owned())
        .spawn(move || sweep(&new, &woken))?;
    Ok(wake)
}

struct Watched {
    attempt: Arc<Attempt>,
    asked: bool,
    /// When it was first seen to be killed, in [`unix::uptime`].
    killed_at: Option<Duration>,
    /// Everyone found so far, so that whoever loses its parents is not lost.
    family: Vec<Seen>,
    /// Rounds of killing in which nothing ended.
    rounds: u32,
}

impl Watched {
    fn is_killing(&self) -> bool {
        self.attempt
            .stopping()
            .is_some_and(|now| now.stop == Stop::Kill)
    }
}

fn sweep(new: &Mutex<Vec<Arc<Attempt>>>, woken: &UnixStream) {
    let mut watched: Vec<Watched> = Vec::new();
    loop {
        if !unix::drain(woken) {
            // The launcher is gone, and with it everyone who could ask.
            if watched.is_empty() {
                return;
            }
        }
        for attempt in std::mem::take(&mut *lock(new)) {
            if !watched.iter().any(|w| Arc::ptr_eq(&w.attempt, &attempt)) {
                watched.push(Watched {
                    attempt,
                    asked: false,
                    killed_at: None,
                    family: Vec::new(),
                    rounds: 0,
                });
            }
        }
        let now = unix::uptime();
        for w in &watched {
            if w.attempt.force_at().is_some_and(|at| at <= now) {
                // What it is for was said when it was asked.
                w.attempt.force();
            }
        }
        let left = round(&mut watched, now);
        let killing = watched.iter().any(Watched::is_killing);
        let spawning = watched.iter().any(|w| w.attempt.is_spawning());
        let look = match (left.is_empty(), killing || spawning) {
            (true, false) => None,
            (_, true) => Some(KILL_WAIT),
            (false, false) => Some(ASK_WAIT),
        };
        let force = watched.iter().filter_map(|w| w.attempt.force_at()).min();
        let force = force.map(|at| at.saturating_sub(unix::uptime()));
        let at_most = look.into_iter().chain(force).min();
        if !unix::wait_any(&unix::handles(&left), Some(woken), at_most) {
            for w in watched.iter_mut().filter(|w| w.is_killing()) {
                w.rounds += 1;
            }
        }
    }
}

/// One look at all of them; gives what still lives.
fn round(watched: &mut Vec<Watched>, uptime: Duration) -> Vec<Seen> {
    if watched.is_empty() {
        return Vec::new();
    }
    let table = Table::read();
    let mut left = Vec::new();
    let mut doomed = Vec::new();
    watched.retain_mut(|w| {
        let Some(now) = w.attempt.stopping() else {
            if !w.attempt.is_spawning() {
                return false;
            }
            // The spawn itself hangs, as in a folder that never answers.
            let hangs = w.attempt.force_at().is_none()
                && *w.killed_at.get_or_insert(uptime) + SPAWN_WAIT <= uptime;
            if hangs {
                w.attempt.give_up(Vec::new());
            }
            return !hangs;
        };
        let members = table.members(now.leader, now.birth, w.attempt.mark(), &w.family);
        w.family.clone_from(&members);
        w.attempt.saw(members.iter().map(|seen| seen.pid));
        if members.is_empty() {
            if now.leader_gone {
                w.attempt.set_swept();
            } else {
                // Ended and not yet noticed, or a system without a table: the group is all there is.
                w.attempt.signal_group();
            }
            return !now.leader_gone;
        }
        if now.stop == Stop::Kill {
            if w.rounds >= ROUNDS_MAX {
                let left = members.iter().map(|seen| seen.pid).collect();
                if now.leader_gone {
                    w.attempt.set_left(left);
                } else {
                    w.attempt.give_up(left);
                }
                return false;
            }
            doomed.push(Doomed {
                leader: now.leader,
                birth: now.birth,
                mark: w.attempt.mark().to_owned(),
                family: members.clone(),
                attempt: Some(Arc::clone(&w.attempt)),
            });
        } else if !w.asked {
            w.asked = true;
            let outside: Vec<_> = members
                .iter()
                .filter(|seen| seen.group != now.leader)
                .copied()
                .collect();
            w.attempt.signal_group();
            unix::ask(&outside);
        }
        left.extend(members);
        true
    });
    if !doomed.is_empty() {
        left.extend(kill_all(&mut doomed));
    }
    left
}

/// One family that is to be killed.
struct Doomed {
    leader: u32,
    birth: u64,
    mark: String,
    /// Those found so far.
    family: Vec<Seen>,
    attempt: Option<Arc<Attempt>>,
}

/// Stops every member so that none can fork away, looks again until no new one appears, then kills.
fn kill_all(doomed: &mut [Doomed]) -> Vec<Seen> {
    for one in doomed.iter() {
        unix::freeze(&one.family);
    }
    for _ in 0..ROUNDS_MAX {
        let table = Table::read();
        let mut settled = true;
        for one in doomed.iter_mut() {
            let mut new = table.members(one.leader, one.birth, &one.mark, &one.family);
            new.retain(|seen| !one.family.iter().any(|known| known.is(seen)));
            unix::freeze(&new);
            settled &= new.is_empty();
            one.family.append(&mut new);
        }
        if settled {
            break;
        }
    }
    let mut killed = Vec::new();
    for one in doomed {
        unix::kill(&one.family);
        if let Some(attempt) = &one.attempt {
            attempt.signal_group();
        }
        killed.append(&mut one.family);
    }
    killed
}

/// Whether the process of an attempt that a dead Handmill left behind still lives: same number,
/// same start time, and the attempt's mark in its environment (numbers and start times alone could
/// meet again after a restart of the machine).
pub fn orphan_alive(pid: u32, birth: u64, id: &NodeRunId) -> bool {
    unix::lives(pid, birth) && unix::has_mark(pid, &mark_of(id))
}

/// A living process of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// Which attempt started it.
    pub id: NodeRunId,
    /// Its process id.
    pub pid: u32,
    /// When it began, as the system counts it.
    pub birth: u64,
}

/// Those of these processes that still live, as what is left of an attempt: a process that hangs in the
/// system keeps its number as long as it does.
pub fn left_of(id: &NodeRunId, pids: &[u32]) -> Vec<Survivor> {
    let living = pids.iter().filter_map(|&pid| {
        let birth = unix::birth_of(pid)?;
        let id = id.clone();
        unix::lives(pid, birth).then_some(Survivor { id, pid, birth })
    });
    living.collect()
}

/// Living processes that attempts of these runs started, one for each attempt: the oldest. Found by
/// their mark alone, so that nothing needs to have been recorded of them. Looks at every process of
/// the machine: some milliseconds.
pub fn survivors(runs: &[RunId]) -> Vec<Survivor> {
    let mut found: Vec<Survivor> = unix::all_with(MARK)
        .into_iter()
        .filter_map(|(seen, value)| {
            let id = attempt_of(&value).filter(|id| runs.contains(&id.run))?;
            Some(Survivor {
                id,
                pid: seen.pid,
                birth: seen.birth,
            })
        })
        .collect();
    found.sort_by(|a, b| (&a.id, a.birth, a.pid).cmp(&(&b.id, b.birth, b.pid)));
    found.dedup_by(|later, first| later.id == first.id);
    found
}

/// Waits until such a process has ended; returns at once when it has. Blocks for as long as that takes, so it
/// belongs on a thread of its own. Where the system cannot tell of a stranger's end it looks now and then.
pub fn await_orphan(pid: u32, birth: u64, id: &NodeRunId) {
    while orphan_alive(pid, birth, id) {
        unix::await_end(pid);
    }
}

/// Kills what an attempt of a dead Handmill left running; true when nothing is left. Waits up to a
/// second, so it belongs on a thread of its own.
pub fn kill_orphan(pid: u32, birth: u64, id: &NodeRunId) -> bool {
    let mark = mark_of(id);
    // Not the leader's number but its mark says that it is ours; 0 is no start time.
    let (pid, birth) = if orphan_alive(pid, birth, id) {
        (pid, birth)
    } else {
        (0, 0)
    };
    for _ in 0..ROUNDS_MAX {
        let family = Table::read().members(pid, birth, &mark, &[]);
        if family.is_empty() {
            return true;
        }
        let killed = kill_all(&mut [Doomed {
            leader: pid,
            birth,
            mark: mark.clone(),
            family,
            attempt: None,
        }]);
        unix::wait_all(&killed, KILL_WAIT);
    }
    Table::read().members(pid, birth, &mark, &[]).is_empty()
}

/// Kills processes that lost their parents, with their descendants; true when some had to be.
/// Those with the mark of an attempt are left, unless they are wanted too: what a node that ended
/// left in the background was meant to stay.
pub(super) fn kill_strays(strays: &[Seen], marked_too: bool) -> bool {
    let doomed: Vec<Seen> = strays
        .iter()
        .filter(|seen| marked_too || !unix::has_setting(seen.pid, MARK))
        .copied()
        .collect();
    if doomed.is_empty() {
        return false;
    }
    let mut family = Table::read().with_descendants(&doomed);
    unix::freeze(&family);
    for _ in 0..ROUNDS_MAX {
        let now = Table::read().with_descendants(&family);
        let new: Vec<Seen> = now
            .into_iter()
            .filter(|seen| !family.iter().any(|known| known.is(seen)))
            .collect();
        if new.is_empty() {
            break;
        }
        unix::freeze(&new);
        family.extend(new);
    }
    unix::kill(&family);
    true
}

/// Kills what bound children and those they started have left, when whoever started them is dead.
pub(super) fn kill_bound(bound: &[Bound]) {
    if bound.is_empty() {
        return;
    }
    for _ in 0..ROUNDS_MAX {
        let table = Table::read();
        // The leader is dead by now as a rule: its group is told by its number and by being younger.
        let mut family = table.groups(bound.iter().map(|one| (one.pid, one.birth)));
        unix::freeze(&family);
        let marked = unix::all_with(MARK).into_iter().filter(|(_, value)| {
            let is_its = |one: &Bound| one.mark.strip_prefix(MARK) == Some(&format!("={value}"));
            bound.iter().any(is_its)
        });
        family.extend(marked.map(|(seen, _)| seen));
        let family = table.with_descendants(&family);
        if family.is_empty() {
            return;
        }
        unix::freeze(&family);
        let killed = kill_all(&mut [Doomed {
            leader: 0,
            birth: 0,
            mark: String::new(),
            family,
            attempt: None,
        }]);
        unix::wait_all(&killed, KILL_WAIT);
    }
}

/// Asks what an attempt of a dead sitter left running to end; it is not ours, so nobody is told.
pub(super) fn ask_orphan(pid: u32, birth: u64, id: &NodeRunId) {
    if orphan_alive(pid, birth, id) {
        let family = Table::read().members(pid, birth, &mark_of(id), &[]);
        unix::ask(&family);
    }
}
