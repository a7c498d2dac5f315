//! Opening a flow: its workspace, what the ledger knows of it, and its run when that is ours to
//! carry on. Done on the pool's blocking threads; comes back as [`Incoming::Loaded`].

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::exec::Executor;
use crate::model::{FileResults, Flow, FlowRef, Notice, Past, command_hash};
use crate::sched::EdgesAfter;
use crate::store::{self, Home};

use super::adopt::{self, Looked};
use super::board::HISTORY_MAX;
use super::clock;
use super::errand::on_pool;
use super::incoming::{Incoming, Loaded};
use super::mailbox::Inbox;
use super::order::Order;
use super::resources::Resources;
use super::runners::runner;
use super::workspace::Workspace;

/// Looks at a run that is let go at the very moment of each.
const LOOKS: u32 = 20;

/// What this process runs with, for work on the pool.
#[derive(Clone)]
pub struct Ours {
    /// Whoever holds its children.
    pub executor: Arc<Executor>,
    /// What other processes call us.
    pub face: &'static str,
    /// Where what a run may be given comes from.
    pub resources: Resources,
    /// A flow's run is taken over by opening the flow, and not only by asking for a run.
    pub adopts_on_open: bool,
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
pub(super) fn hash_of(results: &FileResults) -> u64 {
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
        stands_alone: store::stands_alone(&flow),
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
    for _ in 0..LOOKS {
        let held = match adopt::look(home, &workspace, &loaded.flow, ours) {
            Ok(Looked::Ours(adoption)) => {
                loaded.adoption = Some(adoption);
                false
            }
            Ok(Looked::Held) => true,
            Ok(Looked::Nothing) => false,
            Err(why) => {
                loaded.troubles.push(why);
                false
            }
        };
        loaded.runner = runner(home, &loaded.flow);
        // Let go between the two reads: nobody would tell of that again, and it is free now.
        if !held || loaded.runner.is_some() {
            break;
        }
    }
    if let Some(runner) = loaded.runner.as_ref().filter(|_| loaded.adoption.is_none()) {
        let asked = adopt::ask_for(home, &loaded.flow, runner, ours);
        loaded.troubles.extend(asked.err());
    }
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
