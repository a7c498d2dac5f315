//! Everything that runs. Faces send orders and read boards; nobody else talks to the hands.
//!
//! One dispatcher decides, through the pure scheduler; ledger writers, processes, log readers and watchers carry. It
//! lives as long as the process, whatever the window shows. Unaware of documents and of egui.

mod adopt;
mod answers;
mod background;
mod board;
mod clock;
pub mod control;
mod details;
mod dispatcher;
mod effects;
mod elsewhere;
mod errand;
mod facts;
mod follow;
pub mod health;
mod held;
mod history_desk;
mod idle;
mod incoming;
mod job;
mod kept;
mod kill;
mod last_runs;
mod live_run;
mod loading;
mod logs;
mod mailbox;
mod open_flow;
mod order;
mod orders;
mod orphans;
mod picture;
mod prepare;
mod pruner;
pub mod query;
pub mod resources;
mod runners;
mod sharing;
mod start;
mod view;
mod workspace;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::exec::sitter::{Place, Program, Scope, Sitter};
use crate::exec::{Executor, Launcher};
use crate::model::{Event, Retention};
use crate::store::Home;

pub use crate::exec::sitter::uptime;
pub use background::{carry_on, sit, stand_by};
pub use board::{
    Board, ComparisonShown, FlowBoard, HISTORY_MAX, HistoryShown, Preview, RECENT, Runner,
    RunningThere, Slots, Wanting, Wish,
};
pub use clock::{boot, now};
pub use history_desk::SHOWN_RUNS_MAX;
pub use kill::KILL_WITHIN;
pub use order::{CompareAsk, HistoryAsk, KillScope, LogTarget, Order};
pub use sharing::SharedLedger;
pub use workspace::Workspace;

use incoming::Incoming;
use mailbox::Inbox;

/// Takes events as they happen.
pub type EventSink = Box<dyn Fn(&Arc<Event>) + Send>;

/// Tells a face that there is a new board.
pub type Wake = Box<dyn Fn() + Send + Sync>;

/// How runs are carried out, as the operator set it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Nodes at once in this process; `None` means the machine's cores.
    pub slots: Option<u32>,
    /// Time between the request to end and the kill.
    pub grace: Duration,
    /// The shell of flows that name none; empty means `bash` where it exists, else `sh`.
    pub shell: String,
    /// How long runs and their logs are kept.
    pub retention: Retention,
    /// The results of a run are written into its workfile, too.
    pub keep_results: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            slots: None,
            grace: crate::sched::GRACE,
            shell: String::new(),
            retention: Retention::default(),
            keep_results: false,
        }
    }
}

impl Manner {
    /// Nodes at once, settled.
    fn slots(&self) -> u32 {
        let cores = || std::thread::available_parallelism().map_or(2, |n| n.get());
        self.slots
            .unwrap_or_else(|| u32::try_from(cores()).unwrap_or(2))
    }
}

/// Who holds the children of runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Processes {
    /// This process: it is small, and its runs end with it.
    Own,
    /// A sitter, made from this binary: runs outlive this process, and a start costs the same
    /// however large this process grows.
    Sitter(PathBuf),
}

impl Processes {
    fn executor(&self, home: &Home, inbox: &Inbox) -> Executor {
        let reports = inbox.clone();
        let report = move |report| reports.carry(Incoming::Report(report));
        match self {
            Self::Own => Executor::Own(Launcher::new(now, report)),
            Self::Sitter(binary) => {
                let place = Place::new(home.sitter_dir());
                let setting = home.setting();
                let program = Program {
                    file: binary.clone(),
                    args: &["__sitter"],
                    env: setting
                        .map(|(name, value)| (name.into(), value.into()))
                        .into_iter()
                        .collect(),
                };
                Executor::Sitter(Sitter::new(place, program, now, report))
            }
        }
    }
}

/// How a runtime is set up.
pub struct Config {
    /// Machine-local places.
    pub home: Home,
    /// Who starts runs here, as another Handmill will name us: `window` or `command line`.
    pub face: &'static str,
    /// What the operator set.
    pub manner: Manner,
    /// Who holds the children of runs.
    pub processes: Processes,
    /// How this runtime has to do with control of workspaces that are shared.
    pub control: control::Setup,
    /// Called after each publication of the board; `None` publishes nothing.
    pub wake: Option<Wake>,
    /// Given every event, in order; must not wait for anything.
    pub events: Option<EventSink>,
}

/// The face's end of the runtime. Cheap to clone.
#[derive(Clone)]
pub struct RuntimeHandle {
    inbox: Inbox,
    board: Arc<ArcSwap<Board>>,
    executor: Arc<Executor>,
}

impl RuntimeHandle {
    /// Asks for something; the answer is on a later board, or an event. Never blocks. After the
    /// runtime ended it does nothing.
    pub fn send(&self, order: Order) {
        self.inbox.send(match order {
            Order::Kill(scope) => {
                self.kill(&scope);
                let asked = clock::instant();
                Incoming::Kill { scope, asked }
            }
            order => Incoming::Order(order),
        });
    }

    /// Whoever holds the processes hears of the kill switch past a dispatcher that may be busy.
    fn kill(&self, scope: &KillScope) {
        let run = |flow| Some(self.board().flow(flow)?.live.as_ref()?.id.clone());
        let scope = match scope {
            // Only the dispatcher knows the attempts.
            KillScope::Nodes(..) => return,
            KillScope::Run(flow) => match run(flow) {
                Some(run) => Scope::Run(run),
                None => return,
            },
            KillScope::Workspace(id) if self.executor.outlives_us() => Scope::Workspace(id.clone()),
            KillScope::Workspace(_) => return,
            KillScope::Everything => Scope::Everything,
        };
        self.executor.kill(&scope);
    }

    /// The newest picture. Takes no lock.
    pub fn board(&self) -> Arc<Board> {
        self.board.load_full()
    }
}

async fn stop_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    // The terminal was closed.
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminate.recv() => Ok(()),
        _ = hang_up.recv() => Ok(()),
    }
}

/// At the limit that `ulimit -f` sets, the system ends a program that writes on. A log or ledger
/// that cannot grow is told like a full disk instead. A handler, because children would inherit
/// that the signal is ignored.
fn outlive_file_limit(pool: &tokio::runtime::Runtime) {
    use tokio::signal::unix::{SignalKind, signal};
    let _inside = pool.enter();
    // Where it cannot be set, only that limit is told less well.
    signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).ok();
}

/// The runtime itself: the pool and the dispatcher.
pub struct Runtime {
    pool: tokio::runtime::Runtime,
    dispatcher: std::thread::JoinHandle<()>,
    handle: RuntimeHandle,
}

impl Runtime {
    /// Starts the pool and the dispatcher.
    pub fn start(config: Config) -> std::io::Result<Self> {
        crate::exec::raise_open_files();
        let pool = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("handmill pool")
            .enable_all()
            .build()?;
        outlive_file_limit(&pool);
        let inbox = Inbox::new();
        let board = Arc::new(ArcSwap::from_pointee(Board::default()));
        let executor = Arc::new(config.processes.executor(&config.home, &inbox));
        let handle = RuntimeHandle {
            inbox: inbox.clone(),
            board: board.clone(),
            executor: executor.clone(),
        };
        let dispatcher = dispatcher::Dispatcher::new(
            config,
            pool.handle().clone(),
            inbox.clone(),
            board,
            executor,
        );
        let work = move || inbox.work(dispatcher);
        let dispatcher = std::thread::Builder::new()
            .name("dispatcher".to_owned())
            .spawn(work)?;
        Ok(Self {
            pool,
            dispatcher,
            handle,
        })
    }

    /// The face's end.
    pub fn handle(&self) -> RuntimeHandle {
        self.handle.clone()
    }

    /// Calls `stop` for each Ctrl-C and each polite request to end this process.
    pub fn on_stop_signal(&self, stop: impl Fn() + Send + 'static) {
        self.pool.spawn(async move {
            loop {
                if stop_signal().await.is_err() {
                    return;
                }
                stop();
            }
        });
    }

    /// Waits until the dispatcher ended after [`Order::ShutDown`]: every run is over and every
    /// fact is in the ledger.
    pub fn join(self) {
        // A panic of the dispatcher was printed by its thread.
        self.dispatcher.join().ok();
        self.pool.shutdown_background();
    }
}
