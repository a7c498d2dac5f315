//! Small pieces of work that may wait for a disk, done on the pool's blocking threads; each comes
//! back to the dispatcher as one [`Incoming`].

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::ledger::Orphan;
use crate::model::{FlowRef, Level, Notice, RunId, WorkspaceId};
use crate::sched::would_run;

use super::board::{Preview, RunningThere, Wish};
use super::incoming::Incoming;
use super::mailbox::Inbox;
use super::sharing::step_name;
use super::workspace::Workspace;

/// Has something done that may wait, whose answer goes to the dispatcher.
pub fn on_pool(pool: &Handle, inbox: &Inbox, work: impl FnOnce() -> Incoming + Send + 'static) {
    let inbox = inbox.clone();
    pool.spawn_blocking(move || {
        inbox.send(work());
    });
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

/// Names what runs on other machines, by the ledger.
pub fn name_running_there(
    pool: &Handle,
    inbox: &Inbox,
    id: WorkspaceId,
    workspace: Arc<Workspace>,
) {
    on_pool(pool, inbox, move || {
        // What cannot be read is not named.
        let steps = workspace.ledger.steps_running_elsewhere();
        let mut nodes: Vec<String> = steps
            .unwrap_or_default()
            .iter()
            .map(|label| step_name(label))
            .collect();
        nodes.dedup();
        Incoming::RunningThere(Arc::new(RunningThere {
            workspace: id,
            nodes,
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
