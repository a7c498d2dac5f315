//! Runs of other processes, as far as a face shows their flows: what they record and print is seen
//! here while it happens.
//!
//! The ledger's files and the run's folder of logs tell that there is something new; the ledger says
//! what. Nothing is watched, and nothing read, while nobody else runs a flow that is shown. Part of
//! the [`Dispatcher`]; unaware of who the other process is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::model::{Flow, FlowRef, Past, RunSummary};
use crate::sched::EdgesAfter;

use super::board::HISTORY_MAX;
use super::clock;
use super::dispatcher::Dispatcher;
use super::incoming::Incoming;
use super::workspace::Workspace;

/// Shortest time between two readings of one flow: what is recorded meanwhile is read at once.
const READ_EVERY: Duration = Duration::from_millis(200);

/// Reading takes at most this part of the time, however large the flow is: one in 10.
const READ_SHARE: u32 = 10;

/// The flows that run elsewhere and are shown here.
#[derive(Default)]
pub struct Elsewhere {
    followed: BTreeMap<FlowRef, Followed>,
}

#[derive(Default)]
struct Followed {
    /// Folder of the ledger.
    ledger_dir: PathBuf,
    /// Folder of the run's logs, once the run is known.
    run_dir: Option<PathBuf>,
    /// Something was recorded since the last reading.
    dirty: bool,
    reading: bool,
    next_at: Option<Instant>,
}

/// What the ledger said of a flow that runs elsewhere.
pub struct Seen {
    past: Past,
    edges: EdgesAfter,
    history: Vec<RunSummary>,
    took: Duration,
}

impl Elsewhere {
    /// When something is due to be read.
    pub fn next_due(&self) -> Option<Instant> {
        let ready = self.followed.values().filter(|f| f.dirty && !f.reading);
        ready
            .map(|f| f.next_at.unwrap_or_else(clock::instant))
            .min()
    }
}

impl Dispatcher {
    /// Begins or ends to follow a flow, after who runs it or who shows it has changed.
    pub(super) fn follow_elsewhere(&mut self, flow: &FlowRef) {
        let wanted = self.flows.get(flow).is_some_and(|open| {
            open.shown && open.workspace.is_some() && open.view.board.runner.is_some()
        });
        let is_followed = self.elsewhere.followed.contains_key(flow);
        if wanted && !is_followed {
            let followed = Followed {
                ledger_dir: self.home.workspace_dir(&flow.workspace),
                dirty: true,
                ..Followed::default()
            };
            self.watch_folder(&followed.ledger_dir);
            self.elsewhere.followed.insert(flow.clone(), followed);
        } else if !wanted && let Some(gone) = self.elsewhere.followed.remove(flow) {
            let left = &self.elsewhere.followed;
            let is_needed = left.values().any(|f| f.ledger_dir == gone.ledger_dir);
            if let Some(watcher) = &mut self.watcher {
                if !is_needed {
                    watcher.unwatch(&gone.ledger_dir);
                }
                gone.run_dir.iter().for_each(|dir| watcher.unwatch(dir));
            }
        }
    }

    /// Without the watch the end of the other's run still comes, by its lock.
    fn watch_folder(&mut self, folder: &Path) {
        if let Some(watcher) = &mut self.watcher {
            watcher.watch_dir(folder, false).ok();
        }
    }

    /// Something changed in a watched folder; true when it was one that is watched for this.
    pub(super) fn changed_elsewhere(&mut self, folder: &Path, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_record = path == folder || name.starts_with("ledger.sqlite");
        let mut ours = false;
        let mut printed = Vec::new();
        for (flow, followed) in &mut self.elsewhere.followed {
            if followed.ledger_dir == folder {
                ours = true;
                followed.dirty |= is_record;
            }
            if followed.run_dir.as_deref() == Some(folder) {
                ours = true;
                printed.push(flow.clone());
            }
        }
        for flow in printed {
            self.logs.grew(&flow, None, None);
        }
        ours
    }

    /// Has the flows read whose time has come.
    pub(super) fn read_elsewhere(&mut self) {
        let now = clock::instant();
        for (flow, followed) in &mut self.elsewhere.followed {
            let waited = followed.next_at.is_none_or(|at| at <= now);
            let Some(open) = self.flows.get(flow) else {
                continue;
            };
            let Some(workspace) = open.workspace.clone() else {
                continue;
            };
            if !followed.dirty || followed.reading || !waited {
                continue;
            }
            (followed.dirty, followed.reading) = (false, true);
            let (flow, frozen, inbox) = (flow.clone(), open.frozen.clone(), self.inbox.clone());
            self.pool.spawn_blocking(move || {
                let seen = see(&workspace, &flow, &frozen).map(Box::new);
                inbox.send(Incoming::SeenElsewhere { flow, seen });
            });
        }
    }

    /// A reading came back. What could not be read is read again.
    pub(super) fn seen_elsewhere(&mut self, flow: &FlowRef, seen: Option<Box<Seen>>) {
        let Some(followed) = self.elsewhere.followed.get_mut(flow) else {
            return;
        };
        let pause = seen
            .as_ref()
            .map_or(READ_EVERY, |seen| READ_EVERY.max(seen.took * READ_SHARE));
        followed.reading = false;
        followed.dirty |= seen.is_none();
        followed.next_at = Some(clock::instant() + pause);
        let (Some(seen), Some(open)) = (seen, self.flows.get_mut(flow)) else {
            return;
        };
        let newest = seen.history.first().map(|run| run.id.clone());
        // Who looks at an older run goes on looking at it.
        if open.view.board.shown_run.is_none() {
            open.view.load(&seen.past, seen.edges, seen.history);
            self.picture.touch_flow(flow);
        }
        if let (Some(run), Some(workspace)) = (newest, &open.workspace) {
            let dir = workspace.run_dir(&run);
            if followed.run_dir.as_ref() != Some(&dir) {
                let before = followed.run_dir.replace(dir.clone());
                if let (Some(watcher), Some(before)) = (&mut self.watcher, before) {
                    watcher.unwatch(&before);
                }
                self.watch_folder(&dir);
            }
            // What the nodes printed before the watch, and which of them began.
            self.logs.grew(flow, None, None);
        }
    }
}

fn see(workspace: &Arc<Workspace>, flow: &FlowRef, frozen: &Flow) -> Option<Seen> {
    let begun = clock::instant();
    let past = workspace.ledger.past(flow).ok()?;
    let history = workspace.ledger.history(flow, HISTORY_MAX, None).ok()?;
    Some(Seen {
        edges: EdgesAfter::of(frozen, &past),
        past,
        history,
        took: clock::instant() - begun,
    })
}
