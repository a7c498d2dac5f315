//! The one that carries: receives, lets the scheduler decide, carries out, records, publishes.
//!
//! It works on one thread at a time (see [`super::mailbox`]) and never blocks: whatever touches a
//! disk runs on the pool's blocking threads and comes back as [`Incoming`]. What orders become is
//! in `orders`, what answers become in `answers`, what the scheduler demands in `effects`, and what
//! happened in `facts`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::exec::{Executor, Growth};
use crate::model::{Choice, FlowRef, Notice, RunId, Secrets, WorkspaceId};
use crate::sched::{Effect, Input, Scheduler};
use crate::store::Home;

use super::board::Board;
use super::control::Controls;
use super::elsewhere::Elsewhere;
use super::history_desk::HistoryDesk;
use super::idle::unwritten;
use super::incoming::Incoming;
use super::kill::Killing;
use super::live_run::LiveRun;
use super::logs::LogDesk;
use super::mailbox::{Inbox, Next};
use super::open_flow::OpenFlow;
use super::picture::Picture;
use super::pruner::Pruner;
use super::workspace::Workspaces;
use super::{Config, clock};

/// Everything that runs, and the board under work.
pub struct Dispatcher {
    pub(super) home: Home,
    pub(super) face: &'static str,
    pub(super) manner: super::Manner,
    pub(super) pool: tokio::runtime::Handle,
    pub(super) inbox: Inbox,
    pub(super) picture: Picture,
    pub(super) events: Option<super::EventSink>,
    pub(super) scheduler: Scheduler,
    pub(super) executor: Arc<Executor>,
    pub(super) growth: Growth,
    pub(super) flows: BTreeMap<FlowRef, OpenFlow>,
    pub(super) runs: HashMap<RunId, LiveRun>,
    /// Flows whose run has ended, and when their lock is free again: the end is seen before that,
    /// and a start that comes between waits instead of being refused.
    pub(super) releasing: BTreeMap<FlowRef, tokio::task::JoinHandle<()>>,
    pub(super) workspaces: Workspaces,
    /// Ledgers that are let go of, and may still have something to write.
    pub(super) closing: Vec<tokio::task::JoinHandle<()>>,
    pub(super) logs: LogDesk,
    pub(super) past_runs: HistoryDesk,
    pub(super) pruner: Pruner,
    /// Workspaces that it was sent to already, for the first time.
    pub(super) pruned: BTreeSet<WorkspaceId>,
    pub(super) elsewhere: Elsewhere,
    /// The run that a face wants to be told about; an answer about another comes too late.
    pub(super) wish: Option<(FlowRef, u64, Choice)>,
    pub(super) watcher: Option<crate::watch::Watcher>,
    /// The collection root asked for last, and whoever follows it.
    pub(super) collection: Option<std::path::PathBuf>,
    pub(super) follower: Option<super::follow::Follower>,
    pub(super) n_run_ids: u32,
    pub(super) ending: bool,
    /// Looks at what the sitter holds that are under way.
    pub(super) n_looks: u32,
    /// End when nothing is left to do.
    pub(super) until_done: bool,
    /// Runs that others carry on once this process has said everything it knows of them.
    pub(super) left: Vec<LiveRun>,
    pub(super) killing: Option<Killing>,
    /// Values that faces gave for runs of a flow; they come before all others, and go with this process.
    pub(super) given: BTreeMap<FlowRef, Secrets>,
    pub(super) controls: Controls,
    pub(super) effects: Vec<Effect>,
}

impl Dispatcher {
    /// Nothing runs before [`Inbox::work`].
    pub fn new(
        config: Config,
        pool: tokio::runtime::Handle,
        inbox: Inbox,
        board: Arc<ArcSwap<Board>>,
        executor: Arc<Executor>,
    ) -> Self {
        let reports = inbox.clone();
        let growth = Growth::new(move |report| {
            reports.carry(Incoming::Report(report));
        });
        Self {
            face: config.face,
            scheduler: Scheduler::new(config.manner.slots(), config.manner.grace),
            manner: config.manner,
            logs: LogDesk::new(pool.clone(), inbox.clone()),
            past_runs: HistoryDesk::new(pool.clone(), inbox.clone()),
            pruner: Pruner::new(inbox.clone()),
            pruned: BTreeSet::new(),
            home: config.home,
            pool,
            inbox,
            picture: Picture::new(board, config.wake),
            events: config.events,
            executor,
            growth,
            flows: BTreeMap::new(),
            runs: HashMap::new(),
            releasing: BTreeMap::new(),
            workspaces: Workspaces::new(),
            closing: Vec::new(),
            elsewhere: Elsewhere::default(),
            wish: None,
            watcher: None,
            collection: None,
            follower: None,
            n_run_ids: 0,
            ending: false,
            n_looks: 0,
            until_done: false,
            left: Vec::new(),
            killing: None,
            given: BTreeMap::new(),
            controls: Controls::new(config.control),
            effects: Vec::new(),
        }
    }

    /// Takes what has come, then does what is due. Gives when to be called again without mail;
    /// [`Next::Over`] after [`super::Order::ShutDown`] and the end of every run.
    pub fn work(&mut self, mail: impl Iterator<Item = Incoming>) -> Next {
        for message in mail {
            self.take(message);
        }
        self.deadline();
        self.tend_controls();
        self.picture.publish(&self.flows, self.scheduler.slots());
        let loading = |flow: &OpenFlow| self.until_done && !flow.view.board.loaded;
        let looking = self.until_done && self.n_looks > 0;
        if (self.ending || self.until_done)
            && !looking
            && self.runs.is_empty()
            && !self
                .flows
                .values()
                .any(|flow| flow.preparing || loading(flow))
            && self.controls_are_closed()
        {
            return Next::Over;
        }
        let now = clock::now();
        let due = self
            .scheduler
            .next_deadline()
            .map(|at| clock::instant() + at.since(now));
        let due = [
            due,
            self.picture.next_due(),
            self.logs.next_due(),
            self.elsewhere.next_due(),
            self.control_due(),
        ];
        match due.into_iter().flatten().min() {
            Some(at) => Next::At(at),
            None => Next::Mail,
        }
    }

    /// Everything recorded is on disk when this returns. May wait for a disk.
    pub fn close(&mut self) {
        // Runs that have just ended: the sitter is told so before it is told goodbye.
        for released in std::mem::take(&mut self.releasing).into_values() {
            // It fails only when it panicked, which its thread has printed.
            self.pool.block_on(released).ok();
        }
        let open = self.workspaces.values();
        let failed: Vec<Notice> = open
            .filter_map(|workspace| workspace.ledger.flush().err())
            .map(|why| unwritten(&why))
            .collect();
        failed.into_iter().for_each(|notice| self.tell(notice));
        self.close_controls();
        for closed in std::mem::take(&mut self.closing) {
            self.pool.block_on(closed).ok();
        }
        // Whoever comes for these finds their facts, then their locks free, then nobody carrying them.
        self.left.clear();
        self.executor.goodbye();
        self.pruner.close();
    }

    /// What came while it closed: notices are told, all else is too late.
    pub fn last_words(&mut self, mail: impl Iterator<Item = Incoming>) {
        for message in mail {
            if let Incoming::Tell(notice) = message {
                self.tell(notice);
            }
        }
    }

    fn deadline(&mut self) {
        let now = clock::now();
        if self.scheduler.next_deadline().is_some_and(|at| at <= now) {
            self.decide(Input::DeadlineReached);
        }
        self.logs.read_due();
        self.read_elsewhere();
    }

    fn take(&mut self, message: Incoming) {
        match message {
            Incoming::Order(order) => self.order(order),
            Incoming::Report(report) => self.report(report),
            Incoming::Loaded(loaded) => self.loaded(*loaded),
            Incoming::Prepared(prepared) => self.prepared(*prepared),
            Incoming::OrphanEnded(flow) => self.orphan_ended(&flow),
            Incoming::RunShown { flow, run, nodes } => {
                self.see(&flow, |view| view.show(Some(run), nodes))
            }
            Incoming::LogRead { target, tail } => {
                if self.logs.was_read(&target) {
                    self.picture.work.logs.insert(target, Arc::new(tail));
                    self.picture.touch();
                }
            }
            Incoming::HistoryRead(read) => {
                let workspace = self.past_runs.flow().and_then(|f| self.workspace_of(f));
                if self.past_runs.was_read(*read, workspace) {
                    self.picture.work.history = self.past_runs.shown();
                    self.picture.touch();
                }
            }
            Incoming::Compared(compared) => {
                if self.past_runs.was_compared(*compared) {
                    self.picture.work.comparison = self.past_runs.compared();
                    self.picture.touch();
                }
            }
            Incoming::Pinned(flow) => self.past_runs_changed(&flow),
            Incoming::RunsGone { workspace, runs } => self.runs_gone(&workspace, &runs),
            Incoming::Kill { scope, asked } => self.kill(scope, asked),
            Incoming::Scanned(catalog) => self.scanned(catalog),
            Incoming::LastRuns(found) => self.last_runs_came(found),
            Incoming::Changed(change) => self.path_changed(&change),
            Incoming::LockSeen { flow, runner, stop } => self.lock_seen(&flow, runner, stop),
            Incoming::Unended { flow, unended } => self.unended_came(&flow, unended),
            Incoming::Held(held) => self.held_came(held),
            Incoming::GiveWay(flow) => self.give_way(&flow),
            Incoming::StartStored(run) => self.start_stored(&run),
            Incoming::SeenElsewhere { flow, seen } => self.seen_elsewhere(&flow, seen),
            Incoming::Previewed(preview) => self.previewed(preview),
            Incoming::RunningThere(found) => {
                self.picture.work.running_there = Some(found);
                self.picture.touch();
            }
            Incoming::Control { workspace, n, news } => self.control_news(&workspace, n, news),
            Incoming::Sleep(sleep) => self.machine_sleeps(sleep),
            Incoming::Tell(notice) => self.tell(notice),
        }
    }
}
