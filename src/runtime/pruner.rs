//! Old runs and their logs go: at the opening of a workspace and at the end of a run, one workspace
//! after another on a thread of its own, so that nobody waits for it.
//!
//! What is to go is the rule's decision ([`crate::model::going`]); here it is carried out, in an order
//! that a kill cannot harm: a run is taken off the list, its logs go, its rows go. Each part that is
//! done stays done, and the next time begins where this one was cut off.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use crate::exec;
use crate::model::{KeptRun, Level, Notice, Retention, RunId, Timestamp, WorkspaceId, going};

use super::clock;
use super::incoming::Incoming;
use super::mailbox::Inbox;
use super::workspace::Workspace;

/// Runs whose logs and rows go before the next look at whether to end.
const RUNS_AT_ONCE: usize = 100;

/// Longest wait for it at the end of the process.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// How thorough a look is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// What is over its time goes.
    Brief,
    /// Also logs that were never measured are, and folders of runs that nobody knows go.
    Thorough,
}

/// What went, or would go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Runs, with their logs.
    pub runs: Vec<RunId>,
    /// Runs that stay listed and lost their logs.
    pub logs: Vec<RunId>,
    /// Bytes of all these logs, as far as they were measured.
    pub bytes: u64,
}

/// What the rule would take now; nothing is changed but for the measures of logs.
pub fn plan(workspace: &Workspace, rule: &Retention, now: Timestamp) -> Result<Taken, String> {
    measure(workspace, &AtomicBool::new(false))?;
    let runs = workspace.ledger.kept_runs().map_err(told)?;
    let going = going(&runs, rule, now);
    let named = |keys: &[i64]| {
        let keys: HashSet<&i64> = keys.iter().collect();
        runs.iter()
            .filter(|run| keys.contains(&run.key))
            .map(|run| (run.run.clone(), run.log_bytes.unwrap_or(0)))
            .collect::<Vec<_>>()
    };
    let (runs, logs) = (named(&going.runs), named(&going.logs));
    let bytes = runs.iter().chain(&logs).map(|(_, bytes)| bytes).sum();
    let names = |list: Vec<(RunId, u64)>| list.into_iter().map(|(run, _)| run).collect();
    Ok(Taken {
        runs: names(runs),
        logs: names(logs),
        bytes,
    })
}

/// Has what the rule takes go, until `end` is set; gives what went. Blocking.
pub fn prune(
    workspace: &Workspace,
    rule: &Retention,
    now: Timestamp,
    care: Care,
    end: &AtomicBool,
) -> Result<Taken, String> {
    let ledger = &workspace.ledger;
    let mut taken = Taken::default();
    // What was cut off the last time.
    exec::sweep_removed(workspace.logs_dir()).map_err(|why| unswept(workspace, &why))?;
    take_gone(workspace, &mut taken)?;
    if care == Care::Thorough {
        measure(workspace, end)?;
    }
    let old = rule.time().map_or(Timestamp(i64::MIN), |time| {
        Timestamp(now.0 - i64::try_from(time.as_micros()).unwrap_or(i64::MAX))
    });
    let (n_old, bytes) = ledger.kept_sums(old).map_err(told)?;
    let full = rule.log_bytes_max > 0 && bytes > rule.log_bytes_max;
    if n_old > 0 || full {
        let runs = ledger.kept_runs().map_err(told)?;
        let going = going(&runs, rule, now);
        let by_key: HashMap<i64, &KeptRun> = runs.iter().map(|run| (run.key, run)).collect();
        let bytes_of = |key: &i64| {
            let run = by_key.get(key)?;
            Some((run.run.clone(), run.log_bytes.unwrap_or(0)))
        };
        taken.bytes += going
            .runs
            .iter()
            .filter_map(bytes_of)
            .map(|(_, b)| b)
            .sum::<u64>();
        ledger.unlist(&going.runs).map_err(told)?;
        take_gone(workspace, &mut taken)?;
        for key in &going.logs {
            let Some((run, bytes)) = bytes_of(key).filter(|_| !end.load(Ordering::Relaxed)) else {
                continue;
            };
            remove_logs(workspace, &run)?;
            ledger.record_log_bytes(vec![(*key, 0)]);
            taken.bytes += bytes;
            taken.logs.push(run);
        }
    }
    if care == Care::Thorough && !end.load(Ordering::Relaxed) {
        sweep_unknown(workspace, rule, now)?;
    }
    if !taken.runs.is_empty() {
        ledger.shrink().map_err(told)?;
    }
    Ok(taken)
}

fn take_gone(workspace: &Workspace, taken: &mut Taken) -> Result<(), String> {
    let gone = workspace.ledger.gone().map_err(told)?;
    for some in gone.chunks(RUNS_AT_ONCE) {
        for (_, run) in some {
            remove_logs(workspace, run)?;
        }
        let keys: Vec<i64> = some.iter().map(|(key, _)| *key).collect();
        workspace.ledger.forget(&keys).map_err(told)?;
    }
    taken.runs.extend(gone.into_iter().map(|(_, run)| run));
    Ok(())
}

fn remove_logs(workspace: &Workspace, run: &RunId) -> Result<bool, String> {
    exec::remove_logs(workspace.logs_dir(), run.as_str())
        .map_err(|why| format!("remove logs ({why}): {}", workspace.run_dir(run).display()))
}

fn unswept(workspace: &Workspace, why: &std::io::Error) -> String {
    format!("remove logs ({why}): {}", workspace.logs_dir().display())
}

fn measure(workspace: &Workspace, end: &AtomicBool) -> Result<(), String> {
    let unmeasured = workspace.ledger.unmeasured_runs().map_err(told)?;
    for some in unmeasured.chunks(RUNS_AT_ONCE) {
        if end.load(Ordering::Relaxed) {
            break;
        }
        let bytes = some.iter().map(|(key, run)| {
            let bytes = exec::log_bytes(&workspace.run_dir(run));
            (*key, bytes)
        });
        workspace.ledger.record_log_bytes(bytes.collect());
    }
    Ok(())
}

/// Folders of runs that the ledger does not know, as after it was damaged and begun anew, go when
/// even a failed run's would.
fn sweep_unknown(workspace: &Workspace, rule: &Retention, now: Timestamp) -> Result<(), String> {
    let Some(time) = rule.time() else {
        return Ok(());
    };
    let folders =
        exec::log_folders(workspace.logs_dir()).map_err(|why| unswept(workspace, &why))?;
    let old = |at: &std::time::SystemTime| {
        let at = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let at = Timestamp(i64::try_from(at.as_micros()).unwrap_or(i64::MAX));
        now.since(at) > time * 2
    };
    let mut left: Vec<String> = folders
        .into_iter()
        .filter_map(|(name, at)| old(&at).then_some(name))
        .collect();
    if left.is_empty() {
        return Ok(());
    }
    let runs = workspace.ledger.kept_runs().map_err(told)?;
    let known: HashSet<&str> = runs.iter().map(|run| run.run.as_str()).collect();
    left.retain(|name| !known.contains(name.as_str()));
    for name in left {
        remove_logs(workspace, &RunId::new(name))?;
    }
    Ok(())
}

fn told(why: crate::ledger::LedgerError) -> String {
    why.to_string()
}

struct Job {
    id: WorkspaceId,
    workspace: Arc<Workspace>,
    rule: Retention,
    care: Care,
}

/// The thread that does it for the dispatcher. It begins with the first job and ends with the process.
pub struct Pruner {
    inbox: Inbox,
    // Unbounded: a job per opened workspace and per ended run.
    jobs: Option<Sender<Job>>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    waiting: Mutex<usize>,
    done: Condvar,
    end: AtomicBool,
}

impl Pruner {
    /// Does nothing yet.
    pub fn new(inbox: Inbox) -> Self {
        Self {
            inbox,
            jobs: None,
            state: Arc::default(),
        }
    }

    /// Has a look taken at a workspace, by and by.
    pub fn look(
        &mut self,
        id: WorkspaceId,
        workspace: &Arc<Workspace>,
        rule: Retention,
        care: Care,
    ) {
        let job = Job {
            id,
            workspace: workspace.clone(),
            rule,
            care,
        };
        let jobs = match &self.jobs {
            Some(jobs) => jobs,
            None => {
                let (sender, jobs) = channel::<Job>();
                let (inbox, state) = (self.inbox.clone(), self.state.clone());
                let work = move || {
                    let mut told: HashSet<PathBuf> = HashSet::new();
                    while let Ok(job) = jobs.recv() {
                        carry_out(job, &inbox, &state, &mut told);
                        *state.lock() -= 1;
                        state.done.notify_all();
                    }
                };
                // Without a thread nothing goes, and the next process does it.
                std::thread::Builder::new()
                    .name("pruner".to_owned())
                    .spawn(work)
                    .ok();
                self.jobs.insert(sender)
            }
        };
        *self.state.lock() += 1;
        if jobs.send(job).is_err() {
            *self.state.lock() -= 1;
        }
    }

    /// Lets what is under way come to its end, for a short time.
    pub fn close(&mut self) {
        self.state.end.store(true, Ordering::Relaxed);
        self.jobs = None;
        let waiting = self.state.lock();
        let wait = self
            .state
            .done
            .wait_timeout_while(waiting, LAST_WAIT, |n| *n > 0);
        drop(wait.unwrap_or_else(PoisonError::into_inner));
    }
}

impl State {
    fn lock(&self) -> std::sync::MutexGuard<'_, usize> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn carry_out(job: Job, inbox: &Inbox, state: &State, told: &mut HashSet<PathBuf>) {
    let now = clock::now();
    match prune(&job.workspace, &job.rule, now, job.care, &state.end) {
        Ok(taken) if taken.runs.is_empty() => {}
        Ok(taken) => {
            inbox.send(Incoming::RunsGone {
                workspace: job.id,
                runs: taken.runs,
            });
        }
        // Once for each workspace: the next run would meet it again.
        Err(why) => {
            if told.insert(job.workspace.logs_dir().to_owned()) {
                inbox.send(Incoming::Tell(Notice::new(
                    Level::Warning,
                    format!("Old runs could not be removed: failed to {why}."),
                    "They are tried again at the end of the next run.",
                )));
            }
        }
    }
}
