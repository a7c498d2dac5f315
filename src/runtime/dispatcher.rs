//! The one that carries: receives, lets the scheduler decide, carries out, records, publishes.
//!
//! It works on one thread at a time (see [`super::mailbox`]) and never blocks: whatever touches a
//! disk runs on the pool's blocking threads and comes back as [`Incoming`]. What orders become is
//! in `orders`, what answers become in `answers`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use crate::exec::{End, Executor, Growth, Report, Why};
use crate::ledger::Orphan;
use crate::model::{
    Choice, Event, Exit, Flow, FlowRef, Level, Node, NodeRunId, Notice, RunId, RunStart,
};
use crate::sched::{Effect, Ending, Input, Scheduler};
use crate::store::{Home, RunLock};

use super::board::{Board, Slots};
use super::elsewhere::Elsewhere;
use super::history_desk::HistoryDesk;
use super::incoming::Incoming;
use super::job::Jobs;
use super::keeper::{Care, Keeper};
use super::kill::Killing;
use super::logs::LogDesk;
use super::mailbox::{Inbox, Next};
use super::order::Order;
use super::view::View;
use super::workspace::{Workspace, Workspaces};
use super::{Config, clock};

/// Shortest time between two publications of the board: one frame of a quick screen.
const PUBLISH_EVERY: Duration = Duration::from_millis(16);

/// Notices kept for the operator.
const NOTICES_MAX: usize = 50;

/// A live run, as the dispatcher carries it.
pub(super) struct LiveRun {
    pub(super) flow: FlowRef,
    pub(super) jobs: Jobs,
    pub(super) workspace: Arc<Workspace>,
    /// The right to run this flow on this machine; released when the run's facts are stored.
    pub(super) lock: Option<RunLock>,
    /// What is to start once the run itself is in the ledger: a run that a kill made unknown could
    /// not be resumed. `None` from then on.
    pub(super) held: Option<Vec<(NodeRunId, Arc<Node>)>>,
    /// The facts of its start, until they are left for whoever may carry it on.
    pub(super) start: Option<Box<RunStart>>,
    /// Another process began it.
    pub(super) adopted: bool,
}

/// A flow some face has open, or that runs.
#[derive(Default)]
pub(super) struct OpenFlow {
    pub(super) view: View,
    pub(super) workspace: Option<Arc<Workspace>>,
    /// Orders that wait until the ledger has answered.
    pub(super) waiting: Vec<Order>,
    /// A run is being prepared: a second start is refused.
    pub(super) preparing: bool,
    /// As a face read it from its file last.
    pub(super) frozen: Arc<Flow>,
    pub(super) orphans: Vec<Orphan>,
    /// Why there is no workspace; empty when there is one.
    pub(super) trouble: String,
    /// A face shows it.
    pub(super) shown: bool,
}

impl OpenFlow {
    /// True when no face shows it and nothing is under way for it: a run, its preparation, or an
    /// order that waits for the ledger.
    fn is_idle(&self) -> bool {
        let at_work = self.view.live.is_some() || self.preparing || !self.waiting.is_empty();
        !self.shown && !at_work
    }

    /// What a dead Handmill left of it, for the board and for whoever is to end it.
    pub(super) fn show_orphans(&mut self, orphans: Vec<Orphan>) {
        let shown = orphans
            .iter()
            .map(|orphan| (orphan.node.clone(), orphan.pid));
        self.view.board.orphans = Arc::new(shown.collect());
        self.orphans = orphans;
    }
}

/// Everything that runs, and the board under work.
pub struct Dispatcher {
    pub(super) home: Home,
    pub(super) face: &'static str,
    pub(super) manner: super::Manner,
    pub(super) pool: tokio::runtime::Handle,
    pub(super) inbox: Inbox,
    pub(super) board: Arc<ArcSwap<Board>>,
    pub(super) work: Board,
    pub(super) wake: Option<Box<dyn Fn() + Send + Sync>>,
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
    pub(super) logs: LogDesk,
    pub(super) past_runs: HistoryDesk,
    pub(super) keeper: Keeper,
    pub(super) elsewhere: Elsewhere,
    /// The run that a face wants to be told about; an answer about another comes too late.
    pub(super) wish: Option<(FlowRef, u64, Choice)>,
    pub(super) watcher: Option<crate::watch::Watcher>,
    /// The collection root asked for last, and whoever follows it.
    pub(super) collection: Option<std::path::PathBuf>,
    pub(super) follower: Option<super::follow::Follower>,
    pub(super) n_notices: u64,
    pub(super) n_run_ids: u32,
    /// Flows whose view changed since the last publication.
    pub(super) changed: BTreeSet<FlowRef>,
    pub(super) dirty: bool,
    published: Instant,
    pub(super) ending: bool,
    /// End when nothing is left to do.
    pub(super) until_done: bool,
    /// Runs that others carry on once this process has said everything it knows of them.
    pub(super) left: Vec<LiveRun>,
    pub(super) killing: Option<Killing>,
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
            keeper: Keeper::new(inbox.clone()),
            home: config.home,
            pool,
            inbox,
            board,
            work: Board::default(),
            wake: config.wake,
            events: config.events,
            executor,
            growth,
            flows: BTreeMap::new(),
            runs: HashMap::new(),
            releasing: BTreeMap::new(),
            workspaces: Workspaces::new(),
            elsewhere: Elsewhere::default(),
            wish: None,
            watcher: None,
            collection: None,
            follower: None,
            n_notices: 0,
            n_run_ids: 0,
            changed: BTreeSet::new(),
            dirty: true,
            published: clock::instant(),
            ending: false,
            until_done: false,
            left: Vec::new(),
            killing: None,
            effects: Vec::new(),
        }
    }

    /// Takes what has come, then does what is due. Gives when to be called again without mail;
    /// [`Next::Over`] after [`Order::ShutDown`] and the end of every run.
    pub fn work(&mut self, mail: impl Iterator<Item = Incoming>) -> Next {
        for message in mail {
            self.take(message);
        }
        self.deadline();
        self.publish();
        let loading = |flow: &OpenFlow| self.until_done && !flow.view.board.loaded;
        if (self.ending || self.until_done)
            && self.runs.is_empty()
            && !self
                .flows
                .values()
                .any(|flow| flow.preparing || loading(flow))
        {
            return Next::Over;
        }
        let now = clock::now();
        let due = self
            .scheduler
            .next_deadline()
            .map(|at| clock::instant() + at.since(now));
        let publish = (self.dirty && self.wake.is_some()).then(|| self.published + PUBLISH_EVERY);
        let due = [
            due,
            publish,
            self.logs.next_due(),
            self.elsewhere.next_due(),
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
        let unwritten: Vec<String> = self
            .workspaces
            .values()
            .filter_map(|workspace| workspace.ledger.flush().err())
            .map(|why| why.to_string())
            .collect();
        for why in unwritten {
            self.tell(Notice::error(
                format!("The end of what ran is not in the run history: failed to {why}."),
                "What nobody could write down counts as interrupted from the next start on.",
            ));
        }
        // Whoever comes for these finds their facts, then their locks free, then nobody carrying them.
        self.left.clear();
        self.executor.goodbye();
        self.keeper.close();
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

    fn publish(&mut self) {
        let Some(wake) = &self.wake else { return };
        if !self.dirty || clock::instant() - self.published < PUBLISH_EVERY {
            return;
        }
        for flow in std::mem::take(&mut self.changed) {
            match self.flows.get(&flow) {
                Some(open) => {
                    let newest = open.view.board.history.first();
                    if let Some(run) = newest.filter(|run| {
                        let known = self.work.last_runs.get(&flow);
                        known.is_none_or(|known| known != *run)
                    }) {
                        Arc::make_mut(&mut self.work.last_runs).insert(flow.clone(), run.clone());
                    }
                    self.work
                        .flows
                        .insert(flow, Arc::new(open.view.board.clone()));
                }
                None => {
                    self.work.flows.remove(&flow);
                }
            }
        }
        let (used, total) = self.scheduler.slots();
        self.work.slots = Slots { used, total };
        self.work.revision += 1;
        // The old picture is freed here, after the swap: a reader never waits for that.
        let old = self.board.swap(Arc::new(self.work.clone()));
        drop(old);
        self.dirty = false;
        self.published = clock::instant();
        wake();
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
                    self.work.logs.insert(target, Arc::new(tail));
                    self.dirty = true;
                }
            }
            Incoming::HistoryRead(read) => {
                let workspace = self.past_runs.flow().and_then(|f| self.workspace_of(f));
                if self.past_runs.was_read(*read, workspace) {
                    self.work.history = self.past_runs.shown();
                    self.dirty = true;
                }
            }
            Incoming::Compared(compared) => {
                if self.past_runs.was_compared(*compared) {
                    self.work.comparison = self.past_runs.compared();
                    self.dirty = true;
                }
            }
            Incoming::Pinned(flow) => self.past_runs_changed(&flow),
            Incoming::RunsGone { workspace, runs } => self.runs_gone(&workspace, &runs),
            Incoming::Scanned(catalog) => self.scanned(catalog),
            Incoming::LastRuns(found) => self.last_runs_came(found),
            Incoming::Changed(change) => self.path_changed(&change),
            Incoming::LockSeen { flow, runner, stop } => self.lock_seen(&flow, runner, stop),
            Incoming::GiveWay(flow) => self.give_way(&flow),
            Incoming::StartStored(run) => self.start_stored(&run),
            Incoming::SeenElsewhere { flow, seen } => self.seen_elsewhere(&flow, seen),
            Incoming::Previewed(preview) => self.previewed(preview),
            Incoming::Tell(notice) => self.tell(notice),
        }
    }

    pub(super) fn report(&mut self, report: Report) {
        match report {
            Report::Spawned { id, pid, birth } => self.decide(Input::Spawned { id, pid, birth }),
            Report::Exited { id, exit } => {
                let killed = self.killing.is_some().then(|| id.clone());
                self.decide(Input::Exited { id, exit });
                if let Some(id) = killed {
                    self.kill_ended(&id);
                }
            }
            Report::Delayed { id, why } => {
                let what = format!(
                    "The system is short of resources, so a node of run {} waits: {why}.",
                    id.run
                );
                self.tell(Notice::new(
                    Level::Warning,
                    what,
                    "It is tried again by and by.",
                ));
            }
            Report::Killed { id, pids, left } => self.killed(&id, pids, left),
            Report::ControlLost(workspace) => self.control_lost(&workspace),
            Report::Told(notice) => self.tell(notice),
            Report::Output {
                id,
                stream,
                bytes_total,
            } => {
                let now = clock::now();
                if let Some(run) = self.runs.get(&id.run) {
                    run.workspace
                        .ledger
                        .record_log_index(&id, stream, bytes_total, now);
                    let flow = run.flow.clone();
                    let node = self
                        .flows
                        .get(&flow)
                        .and_then(|open| open.view.live.as_ref()?.id(id.node).cloned());
                    self.logs.grew(&flow, Some(&id.run), node.as_ref());
                }
            }
        }
    }

    pub(super) fn decide(&mut self, input: Input) {
        let mut effects = std::mem::take(&mut self.effects);
        self.scheduler.handle(clock::now(), input, &mut effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::Record(event) => self.record(event),
                Effect::Recall(event) => self.recall(&event),
                Effect::Await { id } => {
                    if let Some(run) = self.runs.get(&id.run) {
                        let dir = run.workspace.run_dir(&id.run);
                        self.executor.await_lost(&id, &dir);
                    }
                }
                Effect::Launch { id, node } => {
                    let run = self.runs.get_mut(&id.run);
                    match run.and_then(|run| run.held.as_mut()) {
                        Some(held) => held.push((id, node)),
                        None => self.launch(id, &node),
                    }
                }
                Effect::Terminate { id, force, why } => {
                    let run = self.runs.get_mut(&id.run);
                    let held = run.and_then(|run| run.held.as_mut());
                    let place = held
                        .and_then(|held| Some((held.iter().position(|(h, _)| *h == id)?, held)));
                    match place {
                        Some((at, held)) => {
                            held.remove(at);
                            self.not_started(id, "stopped before it started");
                        }
                        None => {
                            let why = match why {
                                Ending::Stop => Why::Stop,
                                Ending::Timeout => Why::Timeout,
                            };
                            let end = match force {
                                true => End::force(why),
                                false => End::within(why, self.manner.grace),
                            };
                            self.executor.terminate(&id, end);
                        }
                    }
                }
            }
        }
        self.effects = effects;
    }

    pub(super) fn launch(&mut self, id: NodeRunId, node: &Node) {
        let Some(run) = self.runs.get(&id.run) else {
            return self.not_started(id, "its run is gone");
        };
        if !run.jobs.is_frozen(node) {
            run.workspace.ledger.record_command(&id, &node.command);
        }
        self.executor.launch(run.jobs.job(&id, node));
    }

    fn not_started(&self, id: NodeRunId, why: &str) {
        let exit = Exit::NotStarted(why.into());
        self.inbox
            .send(Incoming::Report(Report::Exited { id, exit }));
    }

    /// One fact goes to the board, the ledger and whoever listens: nothing is shown that is not
    /// recorded, and the other way round.
    pub(super) fn record(&mut self, event: Event) {
        let flow = self.flow_of(&event);
        let event = Arc::new(event);
        if let Some(flow) = flow {
            // Without a face that looks at boards only the run itself has to be known.
            if (self.wake.is_some() || is_about_a_run(&event))
                && let Some(open) = self.flows.get_mut(&flow)
            {
                open.view.apply(&event);
                if !self.changed.contains(&flow) {
                    self.changed.insert(flow.clone());
                }
                self.dirty = true;
            }
            if let Some(workspace) = self.workspaces.get(&flow.workspace)
                && !matches!(
                    *event,
                    Event::RunRefused { .. }
                        | Event::NodeTriggered { .. }
                        | Event::EdgesMarked { .. }
                )
            {
                workspace.ledger.record(event.clone());
            }
            self.follow_up(&flow, &event);
        }
        if let Some(events) = &self.events {
            events(&event);
        }
    }

    /// What is on record already, of a run that was adopted: the board alone has to hear of it.
    fn recall(&mut self, event: &Event) {
        if let Some(flow) = self.flow_of(event) {
            self.see(&flow, |view| view.apply(event));
        }
    }

    fn flow_of(&self, event: &Event) -> Option<FlowRef> {
        let run = match event {
            Event::RunStarted(start) => return Some(start.flow.clone()),
            Event::RunRefused { flow, .. } | Event::StatusCleared { flow, .. } => {
                return Some(flow.clone());
            }
            Event::NodeStarted { id, .. } | Event::NodeSpawned { id, .. } => &id.run,
            Event::NodeFinished(finish) => &finish.id.run,
            Event::NodeTriggered { run, .. }
            | Event::EdgesMarked { run, .. }
            | Event::RunStopping { run, .. }
            | Event::RunFinished { run, .. } => run,
            Event::Told(_) => return None,
        };
        self.runs.get(run).map(|live| live.flow.clone())
    }

    /// What a fact asks of the dispatcher itself.
    fn follow_up(&mut self, flow: &FlowRef, event: &Event) {
        match event {
            Event::RunStarted(start) => {
                let outlives = self.executor.outlives_us();
                let adopted = self.runs.get(&start.run).is_some_and(|run| run.adopted);
                if !adopted {
                    let recent = Arc::make_mut(&mut self.work.recent_runs);
                    *recent.entry(flow.workspace.clone()).or_default() += 1;
                }
                if let Some(run) = self.runs.get_mut(&start.run) {
                    if !adopted {
                        self.executor.begin(&start.run, flow, run.jobs.base());
                        run.start = outlives.then(|| start.clone());
                    }
                    // Without the watch a log is still written, and read when it is opened.
                    self.growth
                        .watch(&start.run, &run.workspace.run_dir(&start.run))
                        .ok();
                }
                self.logs.grew(flow, None, None);
                self.past_runs_changed(flow);
            }
            Event::RunStopping { run, at } => {
                if let Some(live) = self.runs.get(run).filter(|_| self.executor.outlives_us()) {
                    let (dir, at) = (live.workspace.run_dir(run), *at);
                    // Whoever carries it on must not start more of it.
                    let inbox = self.inbox.clone();
                    self.pool.spawn_blocking(move || {
                        if let Err(why) = crate::exec::journal_stopping(&dir, at) {
                            let dir = dir.display();
                            inbox.send(Incoming::Tell(Notice::warning(
                                format!("That a run stops could not be noted ({why}): {dir}"),
                                "After a crash of Handmill, whoever carries it on would not know.",
                            )));
                        }
                    });
                }
            }
            Event::RunRefused { notice, .. } => {
                // A refused start never became a run: its right to run is given back.
                let notice = notice.clone();
                let refused: Vec<RunId> = self
                    .runs
                    .iter()
                    .filter(|(id, run)| {
                        run.flow == *flow
                            && self
                                .flows
                                .get(flow)
                                .and_then(|open| open.view.live.as_ref())
                                .is_none_or(|live| live.run != **id)
                    })
                    .map(|(id, _)| id.clone())
                    .collect();
                for run in refused {
                    self.runs.remove(&run);
                }
                self.tell_board(notice);
            }
            Event::NodeFinished(finish) if self.logs.is_looking() => {
                let node = self
                    .flows
                    .get(flow)
                    .and_then(|open| open.view.live.as_ref()?.id(finish.id.node).cloned());
                self.logs.grew(flow, Some(&finish.id.run), node.as_ref());
            }
            Event::RunFinished { run, .. } => {
                self.growth.unwatch(run);
                self.logs.grew(flow, None, None);
                self.past_runs_changed(flow);
                if let Some(live) = self.runs.get(run) {
                    let care = match self.wake {
                        Some(_) => Care::Thorough,
                        None => Care::Brief,
                    };
                    let (id, rule) = (flow.workspace.clone(), self.manner.retention);
                    self.keeper.look(id, &live.workspace, rule, care);
                }
                if let Some(mut live) = self.runs.remove(run) {
                    let lock = live.lock.take();
                    let (executor, run) = (Arc::clone(&self.executor), run.clone());
                    // The next process to take the lock must find the run's end in the ledger; and one
                    // that comes because we were killed before that must still find the run held.
                    let released = self.pool.spawn_blocking(move || {
                        live.workspace.ledger.flush().ok();
                        executor.over(&run, &live.workspace.run_dir(&run));
                        drop(lock);
                    });
                    self.releasing.insert(flow.clone(), released);
                }
                self.forget_if_idle(flow);
            }
            _ => {}
        }
    }

    pub(super) fn forget_if_idle(&mut self, flow: &FlowRef) {
        let idle = self.flows.get(flow).is_some_and(OpenFlow::is_idle);
        if idle {
            self.flows.remove(flow);
            self.logs.closed(flow);
            self.follow_elsewhere(flow);
            self.changed.insert(flow.clone());
            self.dirty = true;
        }
    }

    pub(super) fn see(&mut self, flow: &FlowRef, change: impl FnOnce(&mut View)) {
        if let Some(open) = self.flows.get_mut(flow) {
            change(&mut open.view);
            self.changed.insert(flow.clone());
            self.dirty = true;
        }
    }

    pub(super) fn refuse(&mut self, flow: &FlowRef, notice: Notice) {
        self.record(Event::RunRefused {
            flow: flow.clone(),
            notice,
        });
    }

    /// Tells the operator, on every face.
    pub(super) fn tell(&mut self, notice: Notice) {
        self.tell_board(notice.clone());
        if let Some(events) = &self.events {
            events(&Arc::new(Event::Told(notice)));
        }
    }

    fn tell_board(&mut self, notice: Notice) {
        let notices = Arc::make_mut(&mut self.work.notices);
        self.n_notices += 1;
        notices.push((self.n_notices, notice));
        let too_many = notices.len().saturating_sub(NOTICES_MAX);
        notices.drain(..too_many);
        self.dirty = true;
    }
}

fn is_about_a_run(event: &Event) -> bool {
    matches!(
        event,
        Event::RunStarted(_) | Event::RunFinished { .. } | Event::StatusCleared { .. }
    )
}
