//! Runs that the sitter holds are carried on by whoever is asked to: also those of flows that no
//! face shows. Part of the [`Dispatcher`].

use std::sync::Arc;

use crate::exec::sitter::{self, Place};
use crate::model::{FileResults, Flow, FlowRef, Notice};
use crate::store::{self, Home};

use super::adopt::BACKGROUND;
use super::dispatcher::Dispatcher;
use super::incoming::Incoming;
use super::order::Order;
use super::workspace::Workspace;

/// The flows whose runs the sitter holds, as they are frozen. With `all`, also of runs that some
/// process carries. The error is a fragment. Blocking.
pub fn held_flows(home: &Home, all: bool) -> Result<Vec<(FlowRef, Arc<Flow>)>, String> {
    let held = sitter::held(&Place::new(home.sitter_dir()))?;
    let held = held.into_iter().filter(|held| all || !held.carried);
    let flows = held.filter_map(|held| {
        let dir = Workspace::run_dir_of(home, &held.flow.workspace, &held.run);
        // Without it there is nothing to go on with: what runs ends, and is in its exit record.
        let nodes = crate::exec::nodes_of(&dir).ok()?;
        let frozen = store::thaw(&dir, &held.flow, &nodes).ok()?;
        Some((held.flow, frozen.start.frozen))
    });
    Ok(flows.collect())
}

impl Dispatcher {
    /// Has every run taken over that can be; see [`Order::AdoptRuns`].
    pub(super) fn adopt_runs(&mut self) {
        if !self.executor.outlives_us() {
            return;
        }
        self.n_looks += 1;
        let (home, inbox) = (self.home.clone(), self.inbox.clone());
        let all = self.face != BACKGROUND;
        self.pool.spawn_blocking(move || {
            inbox.send(Incoming::Held(held_flows(&home, all)));
        });
    }

    /// What the sitter holds has been read.
    pub(super) fn held_came(&mut self, held: Result<Vec<(FlowRef, Arc<Flow>)>, String>) {
        self.n_looks -= 1;
        let held = held.unwrap_or_else(|why| {
            let what = format!("Runs that go on in the background are not shown: failed to {why}.");
            let hint = "`handmill doctor` tells more; open a flow to try again.";
            self.tell(Notice::error(what, hint));
            Vec::new()
        });
        for (flow, frozen) in held {
            let open = self.flows.entry(flow.clone()).or_default();
            // Whoever opened it looks for its run by itself.
            if self.ending || open.shown || open.coming || open.view.live.is_some() {
                self.forget_if_idle(&flow);
                continue;
            }
            open.coming = true;
            open.frozen = frozen.clone();
            let order = Order::OpenFlow {
                flow: flow.clone(),
                frozen,
                results: Arc::new(FileResults::default()),
            };
            self.load(order, &flow);
        }
    }
}
