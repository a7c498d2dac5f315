//! How one flow stands, kept up to date by folding events: the working copy behind a
//! [`FlowBoard`]. Unaware of where events come from.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::model::{
    Counts, EdgeId, Event, Finish, NodeId, NodeIdx, NodeRunId, NodeState, NodeStatus, Outcome,
    Past, RunId, RunStart, RunSummary,
};
use crate::sched::EdgesAfter;

use super::board::{FlowBoard, HISTORY_MAX};

/// The live run of a flow, as far as the fold and the dispatcher need it.
#[derive(Clone, Debug)]
pub struct Live {
    /// Which run.
    pub run: RunId,
    /// Node ids by place.
    pub ids: Arc<[NodeId]>,
}

impl Live {
    /// The id of a node of the run.
    pub fn id(&self, node: NodeIdx) -> Option<&NodeId> {
        self.ids.get(node.0 as usize)
    }
}

/// The working copy of a flow's board.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// What faces are shown; shared again at each publication.
    pub board: FlowBoard,
    /// The live run.
    pub live: Option<Live>,
    /// The newest statuses while an older run is shown.
    newest: Option<Newest>,
}

/// What is put aside while an older run is shown, of whose edges nothing is known.
#[derive(Clone, Debug)]
struct Newest {
    nodes: Arc<HashMap<NodeId, NodeState>>,
    marked: Arc<HashSet<EdgeId>>,
    fired: Arc<HashSet<EdgeId>>,
}

impl View {
    /// What the ledger knows of the flow replaces what was shown, except for a live run.
    pub fn load(&mut self, past: &Past, edges: EdgesAfter, history: Vec<RunSummary>) {
        self.board.loaded = true;
        self.board.history = Arc::new(history);
        if self.live.is_none() {
            self.board.nodes = Arc::new(past.nodes.clone());
            self.board.marked = Arc::new(edges.marked);
            self.board.fired = Arc::new(edges.fired);
            // An older run that was shown gives way to what was just read.
            self.newest = None;
            self.board.shown_run = None;
            self.count_resumable();
        }
    }

    /// Shows the statuses of an older run, or the newest again.
    pub fn show(&mut self, run: Option<RunId>, nodes: HashMap<NodeId, NodeState>) {
        if self.live.is_some() {
            return;
        }
        match run {
            Some(run) => {
                if self.newest.is_none() {
                    self.newest = Some(Newest {
                        nodes: self.board.nodes.clone(),
                        marked: std::mem::take(&mut self.board.marked),
                        fired: std::mem::take(&mut self.board.fired),
                    });
                }
                self.board.nodes = Arc::new(nodes);
                self.board.shown_run = Some(run);
            }
            None => self.show_newest(),
        }
    }

    fn show_newest(&mut self) {
        self.board.shown_run = None;
        if let Some(newest) = self.newest.take() {
            self.board.nodes = newest.nodes;
            self.board.marked = newest.marked;
            self.board.fired = newest.fired;
        }
    }

    /// Another process carries the live run on: what is shown of it stays until it is read anew.
    pub fn let_go(&mut self) {
        self.live = None;
        self.board.live = None;
        self.board.stopping = false;
    }

    /// Takes one event of this flow in.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::RunStarted(start) => self.run_started(start),
            Event::NodeTriggered { node, queued, .. } => {
                let queued = *queued;
                self.node(*node, |state| {
                    if state.status != NodeStatus::Running {
                        state.status = NodeStatus::Ready;
                    }
                    state.queued = queued;
                });
            }
            Event::NodeStarted { id, at } => {
                let fresh = NodeState {
                    status: NodeStatus::Running,
                    run: Some(id.run.clone()),
                    pass: id.pass,
                    attempt: id.attempt,
                    started: Some(*at),
                    ..NodeState::default()
                };
                let first = id.attempt == 1;
                self.node(id.node, |state| {
                    let queued = if first {
                        state.queued.saturating_sub(1)
                    } else {
                        state.queued
                    };
                    *state = NodeState { queued, ..fresh };
                });
            }
            Event::NodeSpawned { id, pid, .. } => {
                let pid = *pid;
                self.current(id, |state| state.pid = Some(pid));
            }
            Event::NodeFinished(finish) => self.node_finished(finish),
            Event::EdgesMarked {
                marked, cleared, ..
            } => {
                let fired = Arc::make_mut(&mut self.board.fired);
                let lit = Arc::make_mut(&mut self.board.marked);
                for edge in marked {
                    fired.insert(edge.clone());
                    lit.insert(edge.clone());
                }
                for edge in cleared {
                    lit.remove(edge);
                }
            }
            Event::RunStopping { .. } => self.board.stopping = true,
            Event::RunFinished {
                outcome,
                counts,
                skipped,
                at,
                ..
            } => {
                for node in skipped.iter() {
                    self.node(*node, |state| state.status = NodeStatus::Skipped);
                }
                self.run_finished(*outcome, *counts, *at);
            }
            Event::StatusCleared { nodes, .. } => {
                let states = Arc::make_mut(&mut self.board.nodes);
                match nodes {
                    None => {
                        states.clear();
                        self.board.fired = Arc::default();
                        self.board.marked = Arc::default();
                    }
                    Some(ids) => {
                        for id in ids {
                            states.remove(id);
                        }
                    }
                }
                self.count_resumable();
            }
            Event::RunRefused { .. } | Event::Told(_) => {}
        }
    }

    fn run_started(&mut self, start: &RunStart) {
        self.show_newest();
        let ids: Arc<[NodeId]> = start
            .frozen
            .graph
            .nodes()
            .map(|node| node.id.clone())
            .collect();
        let states = Arc::make_mut(&mut self.board.nodes);
        let mut kept = start.kept.iter().peekable();
        for node in start.subset.iter() {
            if kept.next_if_eq(&node).is_some() {
                continue;
            }
            if let Some(id) = ids.get(node.0 as usize) {
                let state = states.entry(id.clone()).or_default();
                *state = NodeState {
                    status: NodeStatus::Waiting,
                    run: Some(start.run.clone()),
                    ..NodeState::default()
                };
            }
        }
        // What is kept from the run that is resumed stays lit behind it.
        let kept = start
            .kept
            .iter()
            .filter_map(|node| ids.get(node.0 as usize));
        let fired = kept.flat_map(|id| start.frozen.graph.outgoing(id));
        self.board.fired = Arc::new(fired.map(|(_, edge)| edge.id.clone()).collect());
        self.board.marked = Arc::default();
        self.board.stopping = false;
        self.board.resumable = 0;
        self.board.live = Some(RunSummary {
            id: start.run.clone(),
            choice: start.choice.word().into(),
            resumes: start.resumes.clone(),
            started: start.at,
            ended: None,
            outcome: None,
            counts: Counts {
                subset: u32::try_from(start.subset.len()).unwrap_or(u32::MAX),
                kept: u32::try_from(start.kept.len()).unwrap_or(u32::MAX),
                ..Counts::default()
            },
            ran_on: None,
        });
        self.live = Some(Live {
            run: start.run.clone(),
            ids,
        });
    }

    fn node_finished(&mut self, finish: &Finish) {
        self.current(&finish.id, |state| {
            state.status = if finish.retry_at.is_some() {
                NodeStatus::Ready
            } else {
                finish.status
            };
            state.exit = Some(finish.exit.clone());
            state.ended = Some(finish.at);
            state.pid = None;
            if finish.retry_at.is_none() && state.queued > 0 {
                state.status = NodeStatus::Ready;
            }
        });
        if let Some(live) = &mut self.board.live
            && finish.retry_at.is_none()
            && finish.id.pass == 1
        {
            match finish.status {
                NodeStatus::Ran => live.counts.ran += 1,
                NodeStatus::Failed => live.counts.failed += 1,
                NodeStatus::Stopped => live.counts.stopped += 1,
                _ => {}
            }
        }
    }

    #[expect(
        clippy::iter_over_hash_type,
        reason = "each state is changed on its own"
    )]
    fn run_finished(&mut self, outcome: Outcome, counts: Counts, at: crate::model::Timestamp) {
        if let Some(mut run) = self.board.live.take() {
            run.ended = Some(at);
            run.outcome = Some(outcome);
            run.counts = counts;
            let history = Arc::make_mut(&mut self.board.history);
            history.insert(0, run);
            history.truncate(HISTORY_MAX);
        }
        // Triggers that a stop left behind: the nodes go back to what they were, not to ready.
        for state in Arc::make_mut(&mut self.board.nodes).values_mut() {
            if state.status.is_live() {
                state.queued = 0;
                state.status = match &state.exit {
                    Some(exit) if exit.is_success() => NodeStatus::Ran,
                    Some(_) => NodeStatus::Failed,
                    None => NodeStatus::Skipped,
                };
            }
        }
        self.live = None;
        self.board.stopping = false;
        self.count_resumable();
    }

    fn count_resumable(&mut self) {
        let n = self
            .board
            .nodes
            .values()
            .filter(|state| state.status.wants_resume())
            .count();
        self.board.resumable = u32::try_from(n).unwrap_or(u32::MAX);
    }

    fn node(&mut self, node: NodeIdx, change: impl FnOnce(&mut NodeState)) {
        if let Some(id) = self.live.as_ref().and_then(|live| live.id(node)).cloned() {
            change(Arc::make_mut(&mut self.board.nodes).entry(id).or_default());
        }
    }

    /// Changes a node if its newest attempt is still `id`.
    fn current(&mut self, id: &NodeRunId, change: impl FnOnce(&mut NodeState)) {
        self.node(id.node, |state| {
            if state.pass == id.pass && state.attempt == id.attempt {
                change(state);
            }
        });
    }
}
