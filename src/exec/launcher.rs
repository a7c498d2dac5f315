//! Starts the processes of attempts, and has them ended.
//!
//! One thread waits per running child, kept and used again (as in n2). Measured here: starting and
//! awaiting a child this way costs what a bare `std::process` loop costs, 0.09 ms less per child
//! than through an async runtime, and a working folder that hangs holds up its own node only.
//!
//! Unaware of graphs, of why a job runs, and of what its exit means. The dispatcher calls it; the
//! reports come from many threads.

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::attempt::Attempt;
use super::exits::ExitRecords;
use super::losses::Losses;
use super::sitter::Scope;
use super::sweep::Sweeper;
use super::warden::Warden;
use super::{End, Job, Report, Why, wire};
use crate::model::{Exit, NodeRunId, Timestamp};

/// Time between asking and killing when the kill switch is used.
pub(super) const KILL_GRACE: Duration = Duration::from_millis(500);
/// A waiting thread without work for this long ends.
const IDLE: Duration = Duration::from_secs(10);
thread_local! {
    /// This thread's process has ended, and it is about to look for the next job.
    static RETURNING: Cell<bool> = const { Cell::new(false) };
}

/// A waiting thread only spawns and waits.
const STACK_BYTES: usize = 256 * 1024;

/// Starts and ends the processes of attempts. Dropping it leaves running processes as they are;
/// their reports still come.
pub struct Launcher {
    shared: Arc<Shared>,
}

/// What the launcher and its threads have in common.
pub(super) struct Shared {
    reports: Box<dyn Fn(Report) + Send + Sync>,
    clock: fn() -> Timestamp,
    pub exits: ExitRecords,
    pub losses: Losses,
    /// Read while a child comes to be, until its number is known here.
    spawning: RwLock<()>,
    pool: Mutex<Pool>,
    work: Condvar,
    live: Mutex<HashMap<NodeRunId, Arc<Attempt>>>,
    pub sweeper: Sweeper,
    pub warden: Warden,
}

#[derive(Default)]
struct Pool {
    queue: VecDeque<(Job, Arc<Attempt>)>,
    workers: usize,
    idle: usize,
    /// Jobs that a thread about to look for work has promised to take.
    reserved: usize,
    closed: bool,
}

/// A poisoned lock means a thread panicked between two plain assignments: the data is still whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Launcher {
    /// A launcher that tells what happens through `reports`. That function is called from many
    /// threads and must not wait for anything.
    /// `clock` tells the time that ends are noted with.
    pub fn new(clock: fn() -> Timestamp, reports: impl Fn(Report) + Send + Sync + 'static) -> Self {
        Self {
            shared: Arc::new(Shared {
                reports: Box::new(reports),
                clock,
                exits: ExitRecords::default(),
                losses: Losses::default(),
                spawning: RwLock::default(),
                pool: Mutex::default(),
                work: Condvar::new(),
                live: Mutex::default(),
                sweeper: Sweeper::default(),
                warden: Warden::default(),
            }),
        }
    }

    /// Bound children that descend from others are ended by this program when this process is killed.
    pub(super) fn call_warden(&self, program: PathBuf, args: &'static [&'static str]) {
        self.shared.warden.called.set((program, args)).ok();
    }

    /// Whether the process of this number is the warden.
    pub(super) fn is_warden(&self, pid: u32) -> bool {
        self.shared.warden.is(pid)
    }

    /// Starts a job and returns at once. [`Report::Exited`] follows, whatever happens.
    pub fn launch(&self, job: Job) {
        let id = job.id.clone();
        let began = self.shared.now();
        let attempt = Attempt::new(&job, began, Arc::downgrade(&self.shared));
        let attempt = Arc::new(attempt);
        let replaced = lock(&self.shared.live).insert(id.clone(), Arc::clone(&attempt));
        debug_assert!(replaced.is_none(), "{id:?} is launched once");
        let mut pool = lock(&self.shared.pool);
        pool.queue.push_back((job, attempt));
        if RETURNING.replace(false) {
            // This very thread is done with its process and takes the next job itself.
            pool.reserved += 1;
            return;
        }
        // A thread that was notified and has not woken yet still counts as idle.
        if pool.idle < pool.queue.len() - pool.reserved.min(pool.queue.len()) {
            // Without a new thread the job waits until one of the others is done.
            if let Err(err) = self.add_worker(&mut pool)
                && pool.workers == 0
                && let Some((_, attempt)) = pool.queue.pop_back()
            {
                drop(pool);
                let why = format!("no thread could be started ({err})");
                attempt.tell_end(Exit::NotStarted(why.into()), &self.shared);
            }
        } else {
            drop(pool);
            self.shared.work.notify_one();
        }
    }

    fn add_worker(&self, pool: &mut Pool) -> std::io::Result<()> {
        let shared = Arc::clone(&self.shared);
        thread::Builder::new()
            .name("node".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || shared.work())?;
        pool.workers += 1;
        Ok(())
    }

    /// Ends an attempt. Returns at once and does nothing for attempts that have ended. After a
    /// stop, [`Report::Exited`] comes when the whole family is gone; what is forced and cannot be
    /// ended (it hangs in the kernel) is given up after some two seconds.
    pub fn terminate(&self, id: &NodeRunId, end: End) {
        let attempt = lock(&self.shared.live).get(id).cloned();
        if let Some(attempt) = attempt
            && attempt.stop(end)
        {
            self.shared.sweeper.watch(attempt);
        }
    }

    /// Has an attempt stand still, or go on.
    pub fn freeze(&self, id: &NodeRunId, frozen: bool) {
        let attempt = lock(&self.shared.live).get(id).cloned();
        if let Some(attempt) = attempt {
            attempt.freeze(frozen);
        }
    }

    /// The kill switch. In one process a workspace is as good as everything: whoever has more than
    /// one names the attempts.
    pub fn kill(&self, scope: &Scope) {
        let end = End::within(Why::Kill, KILL_GRACE);
        for live in self.live() {
            if matches!(scope, Scope::Workspace(_)) || scope.holds(&live.id, None) {
                self.terminate(&live.id, end);
            }
        }
    }

    /// Whether an attempt was launched and its end not told.
    pub fn is_live(&self, id: &NodeRunId) -> bool {
        lock(&self.shared.live).contains_key(id)
    }

    /// The attempts that were launched and whose end was not told: in no order.
    pub fn live(&self) -> Vec<Live> {
        let live = lock(&self.shared.live);
        live.values()
            .map(|attempt| {
                let (process, asked) = attempt.standing();
                Live {
                    id: attempt.id().clone(),
                    process,
                    asked,
                }
            })
            .collect()
    }

    /// The exit record of a run that is over needs to be open no longer.
    pub fn close_run(&self, run_dir: &Path) {
        self.shared.exits.close(run_dir);
    }

    /// Does something while no child comes to be: whoever is our child then is in
    /// [`Launcher::live`], or was not started by us.
    pub(super) fn between_spawns<T>(&self, work: impl FnOnce() -> T) -> T {
        let lock = &self.shared.spawning;
        let _none = lock.write().unwrap_or_else(PoisonError::into_inner);
        work()
    }
}

/// An attempt that lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// Which attempt.
    #[serde(with = "wire::Attempt")]
    pub id: NodeRunId,
    /// Id and start time of its process, once it has one.
    pub process: Option<(u32, u64)>,
    /// What it was asked to end for, when it was.
    pub asked: Option<Why>,
}

impl Drop for Launcher {
    fn drop(&mut self) {
        lock(&self.shared.pool).closed = true;
        self.shared.work.notify_all();
    }
}

impl Shared {
    fn work(self: &Arc<Self>) {
        while let Some((job, attempt)) = self.next() {
            let exit = attempt.run(&job, self);
            // Whoever hears of this end may launch the next job from here: see `launch`.
            RETURNING.set(true);
            attempt.tell_end(exit, self);
            if !RETURNING.replace(false) {
                lock(&self.pool).reserved -= 1;
            }
        }
    }

    fn next(&self) -> Option<(Job, Arc<Attempt>)> {
        let mut pool = lock(&self.pool);
        loop {
            if let Some(next) = pool.queue.pop_front() {
                return Some(next);
            }
            if pool.closed {
                pool.workers -= 1;
                return None;
            }
            pool.idle += 1;
            let (woken, waited) = self
                .work
                .wait_timeout(pool, IDLE)
                .unwrap_or_else(PoisonError::into_inner);
            pool = woken;
            pool.idle -= 1;
            if waited.timed_out() && pool.queue.is_empty() {
                pool.workers -= 1;
                return None;
            }
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(super) fn spawning(&self) -> RwLockReadGuard<'_, ()> {
        self.spawning.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn finish(&self, id: &NodeRunId, exit: Exit) {
        lock(&self.live).remove(id);
        let id = id.clone();
        self.report(Report::Exited { id, exit });
    }

    pub(super) fn report(&self, report: Report) {
        (self.reports)(report);
    }
}
