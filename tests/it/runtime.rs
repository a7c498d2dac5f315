//! Facts of the runtime as a face sees it: orders in, boards and events out, everything in the
//! ledger, on real processes.
//!
//! Nothing here waits for a time: a test waits until a board says what it must, and fails when no
//! board does within [`LIMIT`].

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use handmill::model::{
    Choice, Event, FileResult, FileResults, Flow, FlowRef, NodeId, NodeStatus, Outcome, Stream,
};
use handmill::runtime::{
    Board, Config, FlowBoard, LogTarget, Manner, Order, Processes, Runtime, RuntimeHandle, Wish,
    query,
};
use handmill::store::{self, Home};

use crate::flows;

mod asked;
mod others;
mod shown;

/// Longest wait for a board or an event, on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

/// Counts publications, and lets a test wait for the next one.
#[derive(Default)]
struct Bell {
    n: AtomicUsize,
    rung: Mutex<usize>,
    ring: Condvar,
}

impl Bell {
    fn ring(&self) {
        self.n.fetch_add(1, Ordering::SeqCst);
        *self.rung.lock().expect("no poison") += 1;
        self.ring.notify_all();
    }

    fn n(&self) -> usize {
        self.n.load(Ordering::SeqCst)
    }
}

/// A folder with a flow and a home.
struct Place {
    dir: tempfile::TempDir,
    flow: FlowRef,
}

impl Place {
    fn new(flow: &Flow) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let made = Command::new("mkfifo").arg(dir.path().join("gate")).status();
        assert!(made.expect("mkfifo of coreutils").success());
        let path = dir.path().join("flow.graphml");
        store::save(&path, flow, None).expect("saved");
        let flow = store::locate(&path).expect("located");
        Self { dir, flow }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn home(&self) -> Home {
        Home::at(self.path("home"))
    }

    /// Lets the node through that waits at the gate, when it is there.
    fn open_gate(&self) {
        // Opening waits until somebody stands there.
        let opened = Command::new("timeout")
            .args(["20", "sh", "-c", ": >gate"])
            .current_dir(self.dir.path())
            .status();
        assert!(
            opened.expect("timeout of coreutils").success(),
            "nobody came"
        );
    }

    /// Nobody has to wait any more.
    fn keep_gate_open(&self) {
        fs::remove_file(self.path("gate")).expect("removed");
        fs::write(self.path("gate"), "").expect("an open gate");
    }
}

/// A command that waits at the gate of its place.
const AT_GATE: &str = "cat gate";

/// A runtime with a face that looks at boards.
struct Face {
    runtime: Option<Runtime>,
    handle: RuntimeHandle,
    bell: Arc<Bell>,
    events: Receiver<Arc<Event>>,
    flow: FlowRef,
}

impl Face {
    fn new(place: &Place, face: &'static str) -> Self {
        let bell = Arc::new(Bell::default());
        let (sender, events) = channel();
        let on_wake = bell.clone();
        let runtime = Runtime::start(Config {
            home: place.home(),
            face,
            manner: manner(4),
            processes: Processes::Own,
            control: crate::support::control(),
            wake: Some(Box::new(move || on_wake.ring())),
            events: Some(Box::new(move |event| {
                sender.send(event.clone()).ok();
            })),
        })
        .expect("starts");
        Self {
            handle: runtime.handle(),
            runtime: Some(runtime),
            bell,
            events,
            flow: place.flow.clone(),
        }
    }

    fn open(place: &Place, face: &'static str) -> Self {
        let face = Self::new(place, face);
        face.open_with(FileResults::default());
        face.until("the flow is loaded", |_, flow| flow.loaded);
        face
    }

    fn frozen(&self) -> Arc<Flow> {
        Arc::new(store::load(&self.flow.path()).expect("read").flow)
    }

    fn open_with(&self, results: FileResults) {
        self.handle.send(Order::OpenFlow {
            flow: self.flow.clone(),
            frozen: self.frozen(),
            results: Arc::new(results),
        });
    }

    fn start(&self, choice: Choice) {
        self.handle.send(Order::StartRun {
            flow: self.flow.clone(),
            frozen: self.frozen(),
            choice,
            jobs_max: None,
        });
    }

    fn stop(&self) {
        self.handle.send(Order::Stop {
            flow: self.flow.clone(),
            nodes: None,
            at_once: false,
        });
    }

    /// The first board of which `is` holds.
    #[track_caller]
    fn until_board(&self, what: &str, is: impl Fn(&Board) -> bool) -> Arc<Board> {
        let from = Instant::now();
        let mut rung = self.bell.rung.lock().expect("no poison");
        loop {
            let board = self.handle.board();
            if is(&board) {
                return board;
            }
            let left = LIMIT.saturating_sub(from.elapsed());
            assert!(
                !left.is_zero(),
                "never came: {what}\n{:#?}\n{:#?}",
                board.flows,
                board.notices
            );
            rung = self
                .bell
                .ring
                .wait_timeout(rung, left)
                .expect("no poison")
                .0;
        }
    }

    #[track_caller]
    fn until(&self, what: &str, is: impl Fn(&Board, &FlowBoard) -> bool) -> Arc<FlowBoard> {
        let board = self.until_board(what, |board| {
            board.flow(&self.flow).is_some_and(|flow| is(board, flow))
        });
        board.flow(&self.flow).expect("just seen").clone()
    }

    #[track_caller]
    fn until_over(&self) -> Outcome {
        let board = self.until("the run is over", |_, flow| {
            flow.live.is_none()
                && flow
                    .history
                    .first()
                    .is_some_and(|run| run.outcome.is_some())
        });
        board.history[0].outcome.expect("just seen")
    }

    /// The first event that `pick` takes.
    #[track_caller]
    fn event<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> T {
        loop {
            let event = self.events.recv_timeout(LIMIT).expect("an event in time");
            if let Some(found) = pick(&event) {
                return found;
            }
        }
    }

    #[track_caller]
    fn refusal(&self) -> (String, String) {
        self.event(|event| match event {
            Event::RunRefused { notice, .. } => {
                Some((notice.what.to_string(), notice.hint.to_string()))
            }
            _ => None,
        })
    }

    fn close(mut self) {
        self.shut_down();
    }

    fn shut_down(&mut self) {
        self.handle.send(Order::ShutDown);
        if let Some(runtime) = self.runtime.take() {
            runtime.join();
        }
    }
}

impl Drop for Face {
    fn drop(&mut self) {
        self.shut_down();
    }
}

fn manner(slots: u32) -> Manner {
    Manner {
        slots: Some(slots),
        ..Manner::default()
    }
}

fn statuses(flow: &FlowBoard, ids: &[&str]) -> Vec<NodeStatus> {
    ids.iter()
        .map(|id| flow.node(&NodeId::from(*id)).status)
        .collect()
}

/// Records of a flow, by a fresh look at the ledger. A face that still lives may be some milliseconds
/// ahead of it.
fn record(place: &Place) -> (Arc<handmill::runtime::Workspace>, query::FlowRecord) {
    let (workspace, notices) = query::open(&place.home(), &place.flow).expect("opens");
    assert_eq!(notices, []);
    let record = query::record(&place.home(), &workspace, &place.flow, 99).expect("recorded");
    (workspace, record)
}
