//! The board under work, and its publication: at most once per frame of a quick screen, and only
//! when something changed.
//!
//! Unaware of what the changes mean. Owned by the dispatcher.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use crate::model::{FlowRef, Notice};

use super::board::{Board, FlowBoard, Slots};
use super::open_flow::OpenFlow;
use super::{Wake, clock};

/// Shortest time between two publications of the board: one frame of a quick screen.
const PUBLISH_EVERY: Duration = Duration::from_millis(16);

/// Notices kept for the operator.
const NOTICES_MAX: usize = 50;

/// The next board, while it is being made.
pub struct Picture {
    /// What faces see next; the flows in it are put there by [`Picture::publish`].
    pub work: Board,
    board: Arc<ArcSwap<Board>>,
    wake: Option<Wake>,
    n_notices: u64,
    /// Flows whose view changed since the last publication.
    changed: BTreeSet<FlowRef>,
    dirty: bool,
    published: Instant,
}

impl Picture {
    /// Published to `board`; `wake` tells the face, and without one nobody looks.
    pub fn new(board: Arc<ArcSwap<Board>>, wake: Option<Wake>) -> Self {
        Self {
            work: Board::default(),
            board,
            wake,
            n_notices: 0,
            changed: BTreeSet::new(),
            dirty: true,
            published: clock::instant(),
        }
    }

    /// True when some face looks at boards.
    pub fn is_looked_at(&self) -> bool {
        self.wake.is_some()
    }

    /// Something on it is other than it was.
    pub fn touch(&mut self) {
        self.dirty = true;
    }

    /// The view of this flow is other than it was, or gone.
    pub fn touch_flow(&mut self, flow: &FlowRef) {
        if !self.changed.contains(flow) {
            self.changed.insert(flow.clone());
        }
        self.dirty = true;
    }

    /// The list of flows tells the newest run of one, also when it is on the board no longer.
    pub fn note_newest(&mut self, flow: &FlowRef, open: &OpenFlow) {
        if let Some(run) = open.view.board.history.first()
            && self.work.last_runs.get(flow) != Some(run)
        {
            Arc::make_mut(&mut self.work.last_runs).insert(flow.clone(), run.clone());
        }
    }

    /// Puts a notice up, in the place of the oldest when there are too many.
    pub fn tell(&mut self, notice: Notice) {
        let notices = Arc::make_mut(&mut self.work.notices);
        self.n_notices += 1;
        notices.push((self.n_notices, notice));
        let too_many = notices.len().saturating_sub(NOTICES_MAX);
        notices.drain(..too_many);
        self.dirty = true;
    }

    /// The number of the notice that was put up last.
    pub fn last_notice(&self) -> u64 {
        self.n_notices
    }

    /// Takes a notice away, when it is still there.
    pub fn dismiss(&mut self, number: u64) {
        Arc::make_mut(&mut self.work.notices).retain(|(n, _)| *n != number);
        self.dirty = true;
    }

    /// When to publish next, when something waits for that.
    pub fn next_due(&self) -> Option<Instant> {
        (self.dirty && self.is_looked_at()).then(|| self.published + PUBLISH_EVERY)
    }

    /// Hands the picture over, when it is time to.
    pub fn publish(&mut self, flows: &BTreeMap<FlowRef, OpenFlow>, slots: (u32, u32)) {
        if !self.is_looked_at() || !self.dirty || clock::instant() - self.published < PUBLISH_EVERY
        {
            return;
        }
        for flow in std::mem::take(&mut self.changed) {
            match flows.get(&flow) {
                Some(open) => {
                    self.note_newest(&flow, open);
                    let board = FlowBoard {
                        starting: open.is_starting(),
                        ..open.view.board.clone()
                    };
                    self.work.flows.insert(flow, Arc::new(board));
                }
                None => {
                    self.work.flows.remove(&flow);
                }
            }
        }
        let (used, total) = slots;
        self.work.slots = Slots { used, total };
        self.work.revision += 1;
        // The old picture is freed here, after the swap: a reader never waits for that.
        let old = self.board.swap(Arc::new(self.work.clone()));
        drop(old);
        self.dirty = false;
        self.published = clock::instant();
        if let Some(wake) = &self.wake {
            wake();
        }
    }
}
