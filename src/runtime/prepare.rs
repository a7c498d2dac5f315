//! What a run needs before it starts: the right to run its flow, its past, the folder of its logs.
//! Done on the pool's blocking threads; comes back as [`Incoming::Prepared`].

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::ledger::Orphan;
use crate::model::{Choice, Flow, FlowRef, Notice, Past, ResourceName, RunId, Secrets};
use crate::sched::would_run;
use crate::store::{self, Home, LockError, RunLock};

use super::adopt::{self, Adoption, BACKGROUND};
use super::clock;
use super::errand::on_pool;
use super::incoming::{Incoming, Prepared};
use super::loading::Ours;
use super::mailbox::Inbox;
use super::order::Order;
use super::resources::{Gathered, Resources, needed};
use super::runners::{runner, who};
use super::workspace::Workspace;

/// Longest wait for the background process to let a run go: it is asked through a file that it
/// watches, and writes down what it knows first.
const GIVES_WAY_WITHIN: Duration = Duration::from_secs(5);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(5);

/// What a start may do.
pub enum Ready {
    /// Begin a run.
    Fresh(Box<(RunLock, Past, Gathered)>),
    /// Carry on the run of the flow that another process began: that is what was asked for.
    GoesOn(Box<Adoption>),
}

/// Takes the right to run a flow, once the run before has given it back, and reads its past.
pub fn prepare(
    pool: &Handle,
    inbox: &Inbox,
    home: &Home,
    ours: Ours,
    workspace: Arc<Workspace>,
    run: RunId,
    (order, released, given): (Order, Option<JoinHandle<()>>, Secrets),
) {
    let Order::StartRun {
        flow,
        frozen,
        choice,
        ..
    } = &order
    else {
        return;
    };
    let (home, flow, frozen) = (home.clone(), flow.clone(), frozen.clone());
    let choice_made = choice.clone();
    let joins = choice.may_follow() && ours.executor.outlives_us();
    let waiter = pool.clone();
    on_pool(pool, inbox, move || {
        if let Some(released) = released {
            // It ends with the lock dropped, even when it panics.
            waiter.block_on(released).ok();
        }
        let mut orphans = None;
        let missing = RefCell::new(Vec::new());
        let result = take_lock(&home, &flow, ours.face, joins).and_then(|lock| {
            let left = left_behind(&workspace, &flow).map_err(|why| unreadable(&why))?;
            let orphans = orphans.insert(left);
            match workspace.open_run(&flow).map_err(|why| unreadable(&why))? {
                None => {
                    let gather = |past: &Past| {
                        gathered(&ours.resources, &frozen, choice_made.clone(), past, &given)
                            .map_err(|lacking| {
                                missing.replace(lacking.names);
                                lacking.told
                            })
                    };
                    ready(&workspace, &flow, &run, lock, &frozen, (orphans, &gather))
                }
                Some(open) if joins => {
                    let adopted =
                        adopt::adopt(&workspace, &flow, open.clone(), lock, &ours, &given);
                    match adopted.map_err(|why| unreadable(&why))? {
                        Some(adoption) => Ok(Ready::GoesOn(Box::new(adoption))),
                        None => Err(goes_on(&open)),
                    }
                }
                Some(open) => Err(goes_on(&open)),
            }
        });
        let runner = runner(&home, &flow);
        Incoming::Prepared(Box::new(Prepared {
            order,
            run,
            result,
            missing: missing.into_inner(),
            runner,
            orphans,
        }))
    });
}

fn goes_on(run: &RunId) -> Notice {
    Notice::error(
        format!("Run {run} of this flow goes on without a window."),
        "Follow it with a plain `handmill run`, or stop it with `handmill stop`.",
    )
}

/// The right to run the flow. With `joins`, the background process is asked to give it.
fn take_lock(
    home: &Home,
    flow: &FlowRef,
    face: &'static str,
    joins: bool,
) -> Result<RunLock, Notice> {
    let unlocked = |why: store::StoreError| {
        Notice::error(
            format!("The flow cannot be locked for a run: {why}."),
            why.hint(),
        )
    };
    let asked_at = clock::instant();
    let mut asked = false;
    loop {
        match store::acquire(home, flow, face, clock::now()) {
            Ok(lock) => return Ok(lock),
            Err(LockError::Held(held))
                if joins
                    && held.face == BACKGROUND
                    && clock::instant() - asked_at < GIVES_WAY_WITHIN =>
            {
                if !std::mem::replace(&mut asked, true) {
                    store::request_yield(home, flow).map_err(unlocked)?;
                }
                std::thread::sleep(LOOK_AGAIN_AFTER);
            }
            Err(LockError::Held(held)) => {
                let what = format!(
                    "{} runs this flow now (process {}).",
                    who(&held.face),
                    held.pid
                );
                let hint = "Wait for its end, or stop it with `handmill stop`.";
                return Err(Notice::error(what, hint));
            }
            Err(LockError::Store(why)) => return Err(unlocked(why)),
        }
    }
}

/// With the right to run a flow in hand: a run of it that has no end has no runner either. Settles
/// that, and gives the processes it left.
fn left_behind(workspace: &Workspace, flow: &FlowRef) -> Result<Vec<Orphan>, String> {
    workspace.recover(|file| *file != *flow.file)?;
    workspace.orphans_of(flow)
}

fn unreadable(why: &str) -> Notice {
    Notice::error(
        format!("What earlier runs left could not be read: {why}."),
        "Nothing was started.",
    )
}

/// Finds the resources of a run, given its past.
type Gather<'a> = &'a dyn Fn(&Past) -> Result<Gathered, Notice>;

/// Resources that cannot be had, and the sentence that says so.
struct Lacking {
    names: Vec<ResourceName>,
    told: Notice,
}

/// The resources of the nodes that a run would execute; the error names those that it lacks.
fn gathered(
    resources: &Resources,
    frozen: &Flow,
    choice: Choice,
    past: &Past,
    given: &Secrets,
) -> Result<Gathered, Lacking> {
    // Why a run would not start at all is the scheduler's to say.
    let nodes = would_run(&frozen.graph, choice, past).unwrap_or_default();
    let gathered = resources.gather(frozen, &needed(frozen, &nodes), given);
    match gathered.refusal() {
        Some(told) => Err(Lacking {
            names: gathered.missing.into_iter().map(|(name, _)| name).collect(),
            told,
        }),
        None => Ok(gathered),
    }
}

/// Reads the past, makes the folder of the logs, and tells other processes which run it is.
fn ready(
    workspace: &Workspace,
    flow: &FlowRef,
    run: &RunId,
    mut lock: RunLock,
    frozen: &Flow,
    (orphans, gather): (&[Orphan], Gather<'_>),
) -> Result<Ready, Notice> {
    if !orphans.is_empty() {
        let pids: Vec<String> = orphans.iter().map(|left| left.pid.to_string()).collect();
        let what = format!(
            "{} of its processes from an interrupted run still live (process {}).",
            orphans.len(),
            pids.join(", ")
        );
        return Err(Notice::error(
            what,
            "Stop them with Stop, or `handmill stop`, then run again.",
        ));
    }
    let past = workspace
        .ledger
        .past(flow)
        .map_err(|why| unreadable(&why.to_string()))?;
    let gathered = gather(&past)?;
    workspace.make_run_dir(run, frozen).map_err(|why| {
        Notice::error(
            format!("The folder for its logs cannot be made: {why}."),
            "Nothing was started.",
        )
    })?;
    // Only the name is missing for others then; the lock itself is held.
    lock.name_run(run).ok();
    Ok(Ready::Fresh(Box::new((lock, past, gathered))))
}
