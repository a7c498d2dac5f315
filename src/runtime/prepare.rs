//! Work that may wait for a disk, done on the pool's blocking threads; each piece comes back to
//! the dispatcher as one [`Incoming`].

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::exec::Executor;
use crate::ledger::Orphan;
use crate::model::{FileResults, Flow, FlowRef, Level, Notice, Past, RunId, command_hash};
use crate::sched::{EdgesAfter, would_run};
use crate::store::{self, Home, LockError, RunLock};

use super::adopt;
use super::board::{HISTORY_MAX, Preview, Runner, Wish};
use super::clock;
use super::incoming::{Incoming, Loaded, Prepared};
use super::mailbox::Inbox;
use super::order::Order;
use super::workspace::Workspace;

fn on_pool(pool: &Handle, inbox: &Inbox, work: impl FnOnce() -> Incoming + Send + 'static) {
    let inbox = inbox.clone();
    pool.spawn_blocking(move || {
        inbox.send(work());
    });
}

/// What this process runs with, for work on the pool.
#[derive(Clone)]
pub struct Ours {
    /// Whoever holds its children.
    pub executor: Arc<Executor>,
    /// What other processes call us.
    pub face: &'static str,
}

/// Who else runs a flow on this machine; `None` when nobody does, or we do.
pub fn runner(home: &Home, flow: &FlowRef) -> Option<Runner> {
    let held = store::holder(home, flow)?;
    (held.pid != std::process::id()).then(|| Runner {
        pid: held.pid,
        face: held.face.into(),
        since: held.since,
    })
}

/// Opens the workspace of a flow when it is not open, imports what the file carries, and reads
/// what is known of the flow.
pub fn load(
    pool: &Handle,
    inbox: &Inbox,
    home: &Home,
    workspace: Option<Arc<Workspace>>,
    order: Order,
    ours: Ours,
) {
    let Order::OpenFlow {
        flow,
        frozen,
        results,
    } = order
    else {
        return;
    };
    let home = home.clone();
    let tell = notices_to(inbox);
    on_pool(pool, inbox, move || {
        Incoming::Loaded(Box::new(load_now(
            &home, workspace, flow, &frozen, &results, &ours, tell,
        )))
    });
}

/// Reads again what is known of a flow.
pub fn reload(
    pool: &Handle,
    inbox: &Inbox,
    home: &Home,
    workspace: Option<Arc<Workspace>>,
    flow: FlowRef,
    frozen: Arc<Flow>,
    ours: Ours,
) {
    let home = home.clone();
    let tell = notices_to(inbox);
    on_pool(pool, inbox, move || {
        Incoming::Loaded(Box::new(load_now(
            &home,
            workspace,
            flow,
            &frozen,
            &FileResults::default(),
            &ours,
            tell,
        )))
    });
}

/// Hands what a ledger has to say to the operator.
fn notices_to(inbox: &Inbox) -> impl Fn(Notice) + Send + 'static {
    let inbox = inbox.clone();
    move |notice| {
        inbox.send(Incoming::Tell(notice));
    }
}

/// A name for what a file says of results, so that the same results are imported once. Sorted,
/// because a map has no order of its own.
fn hash_of(results: &FileResults) -> u64 {
    let mut parts: Vec<String> = results
        .nodes
        .iter()
        .map(|(id, result)| format!("{id:?} {result:?}"))
        .collect();
    parts.sort_unstable();
    parts.push(format!("{:?}", results.marks));
    command_hash(&parts.join("\n"))
}

fn load_now(
    home: &Home,
    workspace: Option<Arc<Workspace>>,
    flow: FlowRef,
    frozen: &Flow,
    results: &FileResults,
    ours: &Ours,
    on_notice: impl Fn(Notice) + Send + 'static,
) -> Loaded {
    let mut loaded = Loaded {
        workspace: Err(String::new()),
        past: Past::default(),
        history: Vec::new(),
        edges: EdgesAfter::default(),
        orphans: Vec::new(),
        runner: runner(home, &flow),
        adoption: None,
        is_alone: store::is_controlled(&flow.root).is_ok_and(|is_shared| !is_shared),
        troubles: Vec::new(),
        flow,
    };
    let workspace = match workspace {
        Some(open) => {
            // Whoever ran it may have died since.
            let settled = open.recover(|file| {
                *file != *loaded.flow.file || store::holder(home, &loaded.flow).is_some()
            });
            loaded.troubles.extend(settled.err());
            open
        }
        None => match Workspace::open(home, &loaded.flow, clock::now(), on_notice) {
            Ok(workspace) => Arc::new(workspace),
            Err(why) => {
                loaded.workspace = Err(why);
                return loaded;
            }
        },
    };
    // For the watch, which follows what is there: a stop from another process comes through it.
    if let Err(why) = home.make_locks_dir() {
        loaded.workspace = Err(why.to_string());
        return loaded;
    }
    match adopt::look(home, &workspace, &loaded.flow, &ours.executor, ours.face) {
        Ok(adoption) => loaded.adoption = adoption.map(Box::new),
        Err(why) => loaded.troubles.push(why),
    }
    loaded.runner = runner(home, &loaded.flow);
    let ledger = &workspace.ledger;
    if !results.nodes.is_empty() || !results.marks.is_empty() {
        let now = clock::now();
        ledger.record_import(
            &loaded.flow,
            clock::new_run_id(now, 0),
            results,
            hash_of(results),
            now,
        );
    }
    match ledger.past(&loaded.flow) {
        Ok(past) => {
            loaded.edges = EdgesAfter::of(frozen, &past);
            loaded.past = past;
        }
        Err(why) => loaded.troubles.push(why.to_string()),
    }
    match ledger.history(&loaded.flow, HISTORY_MAX, None) {
        Ok(history) => loaded.history = history,
        Err(why) => loaded.troubles.push(why.to_string()),
    }
    match workspace.orphans_of(&loaded.flow) {
        Ok(orphans) => loaded.orphans = orphans,
        Err(why) => loaded.troubles.push(why),
    }
    loaded.workspace = Ok(workspace);
    loaded
}

/// Takes the right to run a flow, once the run before has given it back, and reads its past.
pub fn prepare(
    pool: &Handle,
    inbox: &Inbox,
    home: &Home,
    face: &'static str,
    workspace: Arc<Workspace>,
    run: RunId,
    (order, released): (Order, Option<JoinHandle<()>>),
) {
    let Order::StartRun { flow, frozen, .. } = &order else {
        return;
    };
    let (home, flow, frozen) = (home.clone(), flow.clone(), frozen.clone());
    let waiter = pool.clone();
    on_pool(pool, inbox, move || {
        if let Some(released) = released {
            // It ends with the lock dropped, even when it panics.
            waiter.block_on(released).ok();
        }
        let mut orphans = None;
        let result = match store::acquire(&home, &flow, face, clock::now()) {
            Ok(lock) => match left_behind(&workspace, &flow) {
                Ok(left) => {
                    let orphans = orphans.insert(left);
                    match workspace.open_run(&flow) {
                        Ok(None) => ready(&workspace, &flow, &run, lock, &frozen, orphans),
                        Ok(Some(open)) => Err(Notice::error(
                            format!("Run {open} of this flow goes on without a window."),
                            "Open the flow again to follow it, or stop it with `handmill stop`.",
                        )),
                        Err(why) => Err(unreadable(&why)),
                    }
                }
                Err(why) => Err(unreadable(&why)),
            },
            Err(LockError::Held(held)) => Err(Notice::error(
                format!(
                    "{} runs this flow now (process {}).",
                    who(&held.face),
                    held.pid
                ),
                "Wait for its end, or stop it with `handmill stop`.",
            )),
            Err(LockError::Store(why)) => Err(Notice::error(
                format!("The flow cannot be locked for a run: {why}."),
                why.hint(),
            )),
        };
        let runner = runner(&home, &flow);
        Incoming::Prepared(Box::new(Prepared {
            order,
            run,
            result,
            runner,
            orphans,
        }))
    });
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

/// Reads the past, makes the folder of the logs, and tells other processes which run it is.
fn ready(
    workspace: &Workspace,
    flow: &FlowRef,
    run: &RunId,
    mut lock: RunLock,
    frozen: &Flow,
    orphans: &[Orphan],
) -> Result<(RunLock, Past), Notice> {
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
    workspace.make_run_dir(run, frozen).map_err(|why| {
        Notice::error(
            format!("The folder for its logs cannot be made: {why}."),
            "Nothing was started.",
        )
    })?;
    // Only the name is missing for others then; the lock itself is held.
    lock.name_run(run).ok();
    Ok((lock, past))
}

fn who(face: &str) -> String {
    match face {
        "window" => "A Handmill window".to_owned(),
        "command line" => "A `handmill run` on the command line".to_owned(),
        adopt::BACKGROUND => "The background process".to_owned(),
        other => other.to_owned(),
    }
}

/// Asks whoever runs a flow on this machine to stop it.
pub fn ask_stop(pool: &Handle, inbox: &Inbox, home: &Home, flow: FlowRef, at_once: bool) {
    let home = home.clone();
    on_pool(pool, inbox, move || {
        match store::request_stop(&home, &flow, at_once) {
            Ok(Some(held)) => Incoming::Tell(Notice::info(format!(
                "Asked {} to stop.",
                who(&held.face).to_lowercase()
            ))),
            Ok(None) => Incoming::LockSeen {
                flow,
                runner: None,
                stop: None,
            },
            Err(why) => Incoming::Tell(Notice::error(
                format!("The stop could not be asked for: {why}."),
                why.hint(),
            )),
        }
    });
}

/// Between two looks at a process that has let its lock go and is not gone yet.
const GOING: Duration = Duration::from_millis(1);

/// Tells when `seen` runs a flow no longer. A killed process lets its lock go some microseconds
/// before it counts as dead, so that a watch on the file alone may look too early.
pub fn await_release(inbox: &Inbox, home: &Home, flow: FlowRef, seen: Runner) {
    let (inbox, home) = (inbox.clone(), home.clone());
    // Not on the pool: it may take days. Without a thread the next start looks by itself.
    std::thread::Builder::new()
        .name("runner".to_owned())
        .spawn(move || {
            let runner = loop {
                let waited = store::wait_released(&home, &flow);
                let now = runner(&home, &flow);
                // When waiting is not possible, the answer is what a look tells now.
                if waited.is_err() || now.as_ref() != Some(&seen) {
                    break now;
                }
                std::thread::sleep(GOING);
            };
            inbox.send(Incoming::LockSeen {
                flow,
                runner,
                stop: None,
            });
        })
        .ok();
}

/// Looks at the locks of these flows: who runs them, and whether we are asked to stop.
pub fn see_locks(pool: &Handle, inbox: &Inbox, home: &Home, flows: Vec<FlowRef>) {
    for flow in flows {
        let home = home.clone();
        on_pool(pool, inbox, move || {
            let ours =
                store::holder(&home, &flow).is_some_and(|held| held.pid == std::process::id());
            let stop = if ours {
                store::take_stop_request(&home, &flow).ok().flatten()
            } else {
                None
            };
            if ours && stop.is_none() && store::take_yield_request(&home, &flow).unwrap_or(false) {
                return Incoming::GiveWay(flow);
            }
            Incoming::LockSeen {
                runner: runner(&home, &flow),
                stop: stop.map(|request| request.at_once),
                flow,
            }
        });
    }
}

/// Tells when a process that a dead Handmill left running has ended by itself.
pub fn await_orphan(inbox: &Inbox, flow: FlowRef, orphan: Orphan) {
    let inbox = inbox.clone();
    // Not on the pool: it may take days. Without a thread the next start looks by itself.
    std::thread::Builder::new()
        .name("orphan".to_owned())
        .spawn(move || {
            crate::exec::await_orphan(orphan.pid, orphan.birth, &orphan.id);
            inbox.send(Incoming::OrphanEnded(flow));
        })
        .ok();
}

/// Works out what a run would do.
pub fn preview(pool: &Handle, inbox: &Inbox, workspace: Arc<Workspace>, wish: Wish) {
    on_pool(pool, inbox, move || {
        let told = |why: crate::sched::Refusal| why.to_string();
        let nodes = match workspace.ledger.past(&wish.flow) {
            Ok(past) => would_run(&wish.frozen.graph, wish.choice.clone(), &past).map_err(told),
            Err(why) => Err(why.to_string()),
        };
        Incoming::Previewed(Arc::new(Preview {
            flow: wish.flow,
            revision: wish.revision,
            choice: wish.choice,
            nodes: nodes.map(|nodes| nodes.into_iter().collect()),
        }))
    });
}

/// Reads the statuses of an older run.
pub fn show_run(
    pool: &Handle,
    inbox: &Inbox,
    workspace: Arc<Workspace>,
    flow: FlowRef,
    run: RunId,
) {
    on_pool(pool, inbox, move || {
        match workspace.ledger.states_of_run(&flow, &run) {
            Ok(nodes) => Incoming::RunShown { flow, run, nodes },
            Err(why) => Incoming::Tell(Notice::new(
                Level::Error,
                format!("Run {run} could not be read: {why}."),
                "",
            )),
        }
    });
}

/// Has a run kept whatever its age, or no longer.
pub fn pin(
    pool: &Handle,
    inbox: &Inbox,
    workspace: Arc<Workspace>,
    flow: FlowRef,
    run: RunId,
    pinned: bool,
) {
    on_pool(pool, inbox, move || {
        match workspace.ledger.pin(&run, pinned) {
            Ok(()) => Incoming::Pinned(flow),
            Err(why) => Incoming::Tell(Notice::error(
                format!("Run {run} could not be pinned: failed to {why}."),
                "",
            )),
        }
    });
}
