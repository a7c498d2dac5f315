//! The life of one child, on the thread that waits for it.
//!
//! The child's number is ours until it is reaped, and it is reaped only under the lock that every
//! signal is sent under: so no signal ever reaches a later process with the same number.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::launcher::{Shared, lock};
use super::mask::Forms;
use super::pump::{Pump, ROOM_SHORT};
use super::shell::passable_args;
use super::spawn::{self, Start};
use super::warden::Bound;
use super::{End, Ended, Job, Report, Why, environment, unix};
use crate::model::{Exit, NodeIdx, NodeRunId, RunId, Timestamp};

/// First and longest pause before a spawn that the system had no room for is tried again.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Tries after which a shortage is told.
const TRIES_BEFORE_TELLING: u32 = 3;
/// Names the attempt in the environment of everything it starts.
pub(super) const MARK: &str = "HANDMILL_NODE_RUN";

/// One attempt that was launched and has not been reported as ended.
pub(super) struct Attempt {
    id: NodeRunId,
    mark: String,
    run_dir: PathBuf,
    began: Timestamp,
    shared: Weak<Shared>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stop {
    #[default]
    No,
    Ask,
    Kill,
}

#[derive(Default)]
struct State {
    /// Process id and start time, from the spawn until it is reaped.
    leader: Option<(u32, u64)>,
    stop: Stop,
    /// What the stop is for.
    why: Option<Why>,
    /// When a polite stop becomes a kill, in [`unix::uptime`].
    force_at: Option<Duration>,
    /// The leader has ended and waits to be reaped.
    leader_gone: bool,
    /// After a stop: nothing that the attempt started is left.
    swept: bool,
    /// Its end was told, or is about to be.
    told: bool,
    /// It is to stand still until it is thawed.
    frozen: bool,
    /// Processes that a stop found, and those of them that cannot be ended.
    seen: BTreeSet<u32>,
    left: Vec<u32>,
}

/// What the sweeper needs to know of a stopping attempt.
pub(super) struct Stopping {
    pub leader: u32,
    pub birth: u64,
    pub stop: Stop,
    pub leader_gone: bool,
}

/// The environment setting that marks an attempt's processes, as `NAME=value`.
pub(super) fn mark_of(id: &NodeRunId) -> String {
    format!("{MARK}={}", mark_value(id))
}

fn mark_value(id: &NodeRunId) -> String {
    format!("{}/{}.{}.{}", id.run, id.node.0, id.pass, id.attempt)
}

/// The attempt that a value of the mark names; `None` for text that names none.
pub(super) fn attempt_of(value: &str) -> Option<NodeRunId> {
    let (run, place) = value.rsplit_once('/')?;
    let mut numbers = place.split('.').map(|part| part.parse::<u32>().ok());
    let id = NodeRunId {
        run: RunId::new(run),
        node: NodeIdx(numbers.next()??),
        pass: numbers.next()??,
        attempt: numbers.next()??,
    };
    numbers.next().is_none().then_some(id)
}

impl Attempt {
    pub fn new(job: &Job, began: Timestamp, shared: Weak<Shared>) -> Self {
        Self {
            id: job.id.clone(),
            mark: mark_of(&job.id),
            run_dir: job.run_dir().to_owned(),
            began,
            shared,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    pub fn mark(&self) -> &str {
        &self.mark
    }

    pub fn id(&self) -> &NodeRunId {
        &self.id
    }

    /// Its process, once it has one: id and start time; and what it was asked to end for.
    pub fn standing(&self) -> (Option<(u32, u64)>, Option<Why>) {
        let state = lock(&self.state);
        (state.leader, state.why)
    }

    /// Asks or forces it to end; true when somebody must see to that from now on.
    pub fn stop(&self, end: End) -> bool {
        let wanted = if end.force { Stop::Kill } else { Stop::Ask };
        let mut state = lock(&self.state);
        state.why = state.why.max(Some(end.why));
        let sooner = end.grace.map(|grace| unix::uptime() + grace);
        let hurried = match (state.force_at, sooner) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(then), Some(now)) => now < then,
        };
        if hurried {
            state.force_at = sooner;
        }
        if state.stop >= wanted {
            return hurried && state.stop == Stop::Ask;
        }
        state.stop = wanted;
        self.changed.notify_all();
        let Some((leader, _)) = state.leader else {
            // Also when the spawn itself hangs: its slot must not be held for ever.
            return end.force || hurried;
        };
        if end.force {
            // It must not fork away until the sweeper has seen whom it started.
            unix::freeze_group(leader);
        }
        true
    }

    /// Has its group stand still, or go on. One that is just coming to be stands still as soon as it is there. A group
    /// that is being ended goes on: it could not hear what it is asked for.
    pub fn freeze(&self, frozen: bool) {
        let mut state = lock(&self.state);
        state.frozen = frozen;
        match state.leader {
            Some((leader, _)) if frozen && state.stop == Stop::No => unix::freeze_group(leader),
            Some((leader, _)) if !frozen && state.stop != Stop::Kill => unix::thaw_group(leader),
            _ => {}
        }
    }

    /// Sends what was asked for to the group. The sweeper calls this once it knows the family: with
    /// the leader dead, nothing tells whose child an escaped process was.
    pub fn signal_group(&self) {
        let state = lock(&self.state);
        let Some((leader, _)) = state.leader else {
            return;
        };
        match state.stop {
            Stop::No => {}
            Stop::Ask => unix::ask_group(leader),
            Stop::Kill => unix::kill_group(leader),
        }
    }

    /// A kill was asked for and no process is known: the spawn hangs, or is just going on.
    pub fn is_spawning(&self) -> bool {
        let state = lock(&self.state);
        state.leader.is_none() && !state.told && state.stop != Stop::No
    }

    /// Whether a polite stop has used up its time, or when it will have.
    pub fn force_at(&self) -> Option<Duration> {
        let state = lock(&self.state);
        state.force_at.filter(|_| state.stop == Stop::Ask)
    }

    /// Notes whom a stop found.
    pub fn saw(&self, pids: impl Iterator<Item = u32>) {
        lock(&self.state).seen.extend(pids);
    }

    /// What is left of it cannot be ended, so nobody waits for it any longer.
    pub fn give_up(&self, left: Vec<u32>) {
        lock(&self.state).left = left;
        if let Some(shared) = self.shared.upgrade() {
            self.tell_end(Exit::Unknown, &shared);
        }
    }

    /// Notes and reports the end, once.
    pub fn tell_end(&self, exit: Exit, shared: &Shared) {
        let (asked, pids, left) = {
            let mut state = lock(&self.state);
            if std::mem::replace(&mut state.told, true) {
                return;
            }
            let pids: Vec<u32> = state.seen.iter().copied().collect();
            (state.why, pids, std::mem::take(&mut state.left))
        };
        let ended = Ended {
            id: self.id.clone(),
            began: self.began,
            at: shared.now(),
            exit: exit.clone(),
            asked,
        };
        match shared.exits.ended(&self.run_dir, &ended) {
            Ok(()) => shared.losses.record_well(),
            Err((path, err)) => shared.losses.record_refused(&path, &err, shared),
        }
        if asked == Some(Why::Kill) {
            let id = self.id.clone();
            shared.report(Report::Killed { id, pids, left });
        }
        shared.finish(&self.id, exit);
    }

    /// `None` once nobody has to look after it any more.
    pub fn stopping(&self) -> Option<Stopping> {
        let state = lock(&self.state);
        let (leader, birth) = state.leader?;
        (!state.swept).then_some(Stopping {
            leader,
            birth,
            stop: state.stop,
            leader_gone: state.leader_gone,
        })
    }

    /// The time of a polite stop is over.
    pub fn force(&self) {
        let why = lock(&self.state).why.unwrap_or(Why::Stop);
        self.stop(End::force(why));
    }

    /// Its leader has ended, and what else is left cannot be ended.
    pub fn set_left(&self, left: Vec<u32>) {
        lock(&self.state).left = left;
        self.set_swept();
    }

    /// Nothing of it is left but its unreaped leader.
    pub fn set_swept(&self) {
        lock(&self.state).swept = true;
        self.changed.notify_all();
    }

    /// From spawn to end.
    pub fn run(self: &Arc<Self>, job: &Job, shared: &Arc<Shared>) -> Exit {
        let before = unix::birth_count_now();
        let spawning = shared.spawning();
        let Started { pid, pump } = match self.spawn(job, shared) {
            Ok(started) => started,
            Err(why) => return Exit::NotStarted(why.into()),
        };
        // It was born in between; asking the system costs a hundred times what this does. When the
        // count went on meanwhile it is asked: the answer can be had until the child is reaped.
        let birth = match (before, unix::birth_count_now()) {
            (Some(before), Some(after)) if before == after => before,
            _ => unix::birth_of(pid).unwrap_or(0),
        };
        let place = job.is_bound.then(|| {
            let mark = self.mark.clone();
            shared.warden.hold(&Bound { pid, birth, mark })
        });
        let must_watch = {
            let mut state = lock(&self.state);
            state.leader = Some((pid, birth));
            if state.frozen && state.stop == Stop::No {
                unix::freeze_group(pid);
            }
            // A stop may have come during the spawn.
            state.stop != Stop::No
        };
        drop(spawning);
        if must_watch {
            shared.sweeper.watch(Arc::clone(self));
        }
        let id = job.id.clone();
        shared.report(Report::Spawned { id, pid, birth });
        unix::wait_unreaped(pid);
        let exit = self.reap(pid, place.flatten(), shared);
        match pump {
            Some(pump) => {
                pump.drain();
                shared.losses.settle(unix::room_at(&job.stdout), shared);
            }
            None if unix::room_at(&job.stdout) == Some(0) => {
                shared.losses.full_at_end(&job.stdout, shared);
            }
            None => {}
        }
        exit
    }

    fn reap(self: &Arc<Self>, pid: u32, place: Option<u64>, shared: &Shared) -> Exit {
        let mut state = lock(&self.state);
        if state.stop != Stop::No {
            state.leader_gone = true;
            shared.sweeper.watch(Arc::clone(self));
            state = self
                .changed
                .wait_while(state, |state| !state.swept)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(place) = place {
            shared.warden.let_go(place);
        }
        let exit = unix::reap(pid);
        state.leader = None;
        drop(state);
        exit
    }

    fn spawn(&self, job: &Job, shared: &Arc<Shared>) -> Result<Started, String> {
        let mut pause = BACK_OFF.0;
        let mut tries = 0;
        loop {
            if lock(&self.state).stop != Stop::No {
                return Err("stopped before it started".to_owned());
            }
            let (err, why) = match start(job, shared) {
                Ok(started) => return Ok(started),
                Err(failure) => failure,
            };
            if !unix::is_shortage(&err) {
                return Err(why);
            }
            tries += 1;
            if tries == TRIES_BEFORE_TELLING {
                let id = job.id.clone();
                let why = why.into();
                shared.report(Report::Delayed { id, why });
            }
            let state = lock(&self.state);
            let (_state, _) = self
                .changed
                .wait_timeout_while(state, pause, |state| state.stop == Stop::No)
                .unwrap_or_else(PoisonError::into_inner);
            pause = (pause * 2).min(BACK_OFF.1);
        }
    }
}

/// A child that lives.
struct Started {
    pid: u32,
    /// What it prints passes through us.
    pump: Option<Arc<Pump>>,
}

/// One try: the child, or what went wrong and the fragment that says so.
fn start(job: &Job, shared: &Arc<Shared>) -> Result<Started, (io::Error, String)> {
    // A disk that refuses is no reason not to run: the pump tries again, and tells the loss.
    let open = |path: &PathBuf| match unix::open_log(path) {
        Ok(log) => Ok(Some(log)),
        Err(err) if unix::is_disk_trouble(&err) => Ok(None),
        Err(err) => {
            let why = format!("log not writable ({err}): {}", path.display());
            Err((err, why))
        }
    };
    let stdout = open(&job.stdout)?;
    let stderr = open(&job.stderr)?;
    let room = stdout.as_ref().map_or(Some(0), unix::room);
    shared.losses.settle(room, shared);
    let args = passable_args(job).map_err(|err| {
        let why = format!(
            "long command not writable beside its log ({err}): {}",
            job.stdout.display()
        );
        (err, why)
    })?;
    let started = || {
        let own = own_settings(job)?;
        let env = job.base.merged(&own)?;
        let enough = room.is_none_or(|room| room >= ROOM_SHORT);
        let hides = (!job.secrets.is_empty())
            .then(|| Forms::of(job.secrets.iter().map(|(_, secret)| secret)));
        let (pump, [stdout, stderr]) = match (stdout, stderr) {
            (Some(stdout), Some(stderr)) if enough && hides.is_none() => (None, [stdout, stderr]),
            (stdout, stderr) => {
                let logs = [(&*job.stdout, stdout), (&*job.stderr, stderr)];
                let (pump, ends) = Pump::start(logs, hides.as_ref(), Arc::clone(shared))?;
                (Some(pump), ends)
            }
        };
        let pid = spawn::start(&Start {
            program: &job.program,
            args: &args,
            cwd: &job.cwd,
            env: &env,
            files: [unix::no_input()?, &stdout, &stderr],
            is_bound: job.is_bound,
        })?;
        Ok(Started { pid, pump })
    };
    started().map_err(|err| {
        let why = why_not(job, &err);
        (err, why)
    })
}

/// What only this attempt has set, and the mark.
fn own_settings(job: &Job) -> io::Result<Vec<CString>> {
    let own = job.env.iter();
    let mut own = own
        .map(|(name, value)| environment::setting(name, value))
        .collect::<Result<Vec<_>, _>>()?;
    for (name, secret) in job.secrets.iter() {
        let setting = environment::setting(name.as_str().as_ref(), secret.reveal().as_ref());
        own.push(setting?);
    }
    own.push(CString::new(mark_of(&job.id))?);
    Ok(own)
}

fn why_not(job: &Job, err: &io::Error) -> String {
    if !job.cwd.is_dir() {
        let reason = match std::fs::metadata(&job.cwd) {
            Ok(_) => "not a folder".to_owned(),
            Err(err) => err.to_string(),
        };
        return format!(
            "working folder not reachable ({reason}): {}",
            job.cwd.display()
        );
    }
    match err.kind() {
        io::ErrorKind::NotFound => format!("shell not found: {}", job.program.display()),
        io::ErrorKind::InvalidInput => {
            "the command or its environment holds a NUL character; remove it".to_owned()
        }
        _ if unix::is_too_big(err) => {
            "command and environment are longer than the system takes; shorten the environment"
                .to_owned()
        }
        _ => format!("{err}: {}", job.program.display()),
    }
}
