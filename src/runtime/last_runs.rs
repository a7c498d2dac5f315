//! The last run of each flow of the collection, for a list of flows that are not open.
//!
//! Asks only ledgers that are there already: a workspace where nothing ever ran gets none by being
//! looked at. Unaware of the board; called by the dispatcher when a collection was looked through.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::model::{Catalog, FlowRef, Notice, RunSummary, Timestamp, WorkspaceId};
use crate::store::Home;

use super::board::RECENT;
use super::clock;
use super::incoming::Incoming;
use super::mailbox::Inbox;
use super::workspace::{Workspace, Workspaces};

/// What was found out.
#[derive(Default)]
pub struct LastRuns {
    /// The newest run of each flow that ever ran.
    pub runs: Vec<(FlowRef, RunSummary)>,
    /// How many runs of each workspace began lately.
    pub recent: Vec<(WorkspaceId, u64)>,
    /// Workspaces that were opened for it. Whoever has no use for them lets them go again.
    pub opened: Vec<(WorkspaceId, Arc<Workspace>)>,
}

/// Looks them up on the pool; the answer comes to the inbox.
pub fn look_up(
    pool: &Handle,
    inbox: &Inbox,
    home: &Home,
    open: &Workspaces,
    catalog: Arc<Catalog>,
) {
    let (home, open, inbox) = (home.clone(), open.clone(), inbox.clone());
    pool.spawn_blocking(move || {
        let found = look_up_now(&home, &open, &catalog, &inbox);
        inbox.send(Incoming::LastRuns(found));
    });
}

fn look_up_now(home: &Home, open: &Workspaces, catalog: &Catalog, inbox: &Inbox) -> LastRuns {
    let mut found = LastRuns::default();
    for entry in &catalog.workspaces {
        let Some(first) = entry.flows.first() else {
            continue;
        };
        let workspace = match open.get(&entry.id) {
            Some(workspace) => workspace.clone(),
            None if !Workspace::has_ledger(home, &entry.id) => continue,
            None => {
                let inbox = inbox.clone();
                let tell = move |notice: Notice| {
                    inbox.send(Incoming::Tell(notice));
                };
                // What is wrong with it is told when one of its flows is opened.
                let Ok(workspace) = Workspace::open(home, &first.flow, clock::now(), tell) else {
                    continue;
                };
                let workspace = Arc::new(workspace);
                found.opened.push((entry.id.clone(), workspace.clone()));
                workspace
            }
        };
        let since = Timestamp(clock::now().0 - i64::try_from(RECENT.as_micros()).unwrap_or(0));
        if let Ok(n) = workspace.ledger.count_runs_since(since) {
            found.recent.push((entry.id.clone(), n));
        }
        let newest = workspace.ledger.newest_runs().unwrap_or_default();
        let mut newest: HashMap<Arc<str>, RunSummary> = newest.into_iter().collect();
        let flows = entry.flows.iter().filter_map(|flow| {
            let run = newest.remove(&flow.flow.file)?;
            Some((flow.flow.clone(), run))
        });
        found.runs.extend(flows);
    }
    found
}
