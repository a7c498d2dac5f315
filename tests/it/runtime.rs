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

/// The flow of a place, run by another process.
struct Other(Child);

impl Other {
    fn run(place: &Place) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handmill"));
        command
            .args(["run", "flow.graphml"])
            .env("HANDMILL_HOME", place.path("home"))
            .current_dir(place.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(command.spawn().expect("starts"))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It has ended, unless the test failed.
        self.0.kill().ok();
        self.0.wait().ok();
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

#[test]
fn the_board_follows_a_run_from_start_to_end() {
    let place = Place::new(&flows::flow(
        &[("a", "true"), ("b", AT_GATE), ("c", "false"), ("d", "true")],
        &[("a", "b"), ("b", "d"), ("c", "d")],
    ));
    let face = Face::open(&place, "window");
    face.start(Choice::Full);
    let midway = face.until("b runs alone", |_, flow| {
        statuses(flow, &["a", "b", "c"])
            == [NodeStatus::Ran, NodeStatus::Running, NodeStatus::Failed]
            && flow.node(&"b".into()).pid.is_some()
    });
    assert_eq!(statuses(&midway, &["d"]), [NodeStatus::Waiting]);
    let live = midway.live.as_ref().expect("a live run");
    assert_eq!((live.counts.ran, live.counts.failed), (1, 1));
    assert!(midway.fired.contains("a-b"));
    assert!(!midway.marked.contains("a-b"), "b has used it");
    assert_eq!(midway.resumable, 0, "a live run has nothing to resume");
    assert_eq!(face.handle.board().slots.used, 1);
    place.open_gate();
    assert_eq!(face.until_over(), Outcome::Failed);
    let over = face.until("the end", |board, _| board.slots.used == 0);
    assert_eq!(
        statuses(&over, &["a", "b", "c", "d"]),
        [
            NodeStatus::Ran,
            NodeStatus::Ran,
            NodeStatus::Failed,
            NodeStatus::Skipped
        ]
    );
    assert!(over.marked.contains("b-d"), "d waits for c only");
    assert_eq!(over.resumable, 1);
    assert_eq!(over.history.len(), 1);
    assert_eq!(over.history[0].counts.skipped, 1);

    // Board and ledger are folds over the same events.
    face.close();
    let (_, recorded) = record(&place);
    for id in ["a", "b", "c", "d"].map(NodeId::from) {
        let (seen, stored) = (over.node(&id), &recorded.past.nodes[&id]);
        assert_eq!(
            (seen.status, &seen.exit, seen.started, seen.ended),
            (stored.status, &stored.exit, stored.started, stored.ended),
            "{id}"
        );
    }
    assert_eq!(recorded.history, **over.history);
}

#[test]
fn a_runtime_at_rest_publishes_nothing() {
    let place = Place::new(&flows::flow(&[("a", "true")], &[]));
    let face = Face::open(&place, "window");
    face.start(Choice::Full);
    assert_eq!(face.until_over(), Outcome::Succeeded);
    // The end of a run touches its lock file, which is watched: let that settle first. An order is
    // answered after everything before it.
    let settled = |mark: &str| {
        let order = Order::Tell(handmill::model::Notice::info(mark));
        face.handle.send(order);
        face.until_board(mark, |board| {
            board
                .notices
                .iter()
                .any(|(_, notice)| &*notice.what == mark)
        });
    };
    settled("once");
    let mut n = face.bell.n();
    let mut revision = face.handle.board().revision;
    // Silence has no event to wait for: one second of it, counted anew when the tail of the run
    // still came.
    let mut calm = false;
    for _ in 0..5 {
        std::thread::sleep(Duration::from_secs(1));
        calm = face.bell.n() == n && face.handle.board().revision == revision;
        if calm {
            break;
        }
        (n, revision) = (face.bell.n(), face.handle.board().revision);
    }
    assert!(calm, "it publishes with nothing to tell");
    settled("twice");
    assert_eq!(face.bell.n(), n + 1, "one change, one publication");
}

#[test]
fn followed_logs_come_in_order_with_their_streams_and_bounded() {
    let lines = query::TAIL_LINES_MAX + 1_000;
    let place = Place::new(&flows::flow(
        &[
            ("both", "echo one; echo two; echo bad >&2; echo three"),
            ("many", &format!("seq {lines}")),
        ],
        &[],
    ));
    let face = Face::open(&place, "window");
    let target = |node: &str| LogTarget {
        flow: place.flow.clone(),
        run: None,
        node: Some(node.into()),
    };
    let (both, many) = (target("both"), target("many"));
    face.handle
        .send(Order::FollowLogs(vec![both.clone(), many.clone()]));
    face.start(Choice::Full);
    let board = face.until_board("the logs", |board| {
        let n = |target| board.logs.get(target).map_or(0, |tail| tail.lines.len());
        n(&both) == 4 && n(&many) > 0 && {
            let last = board.logs[&many].lines.last().expect("some");
            *last.text == *lines.to_string()
        }
    });
    let of = |stream| -> Vec<String> {
        let lines = board.logs[&both].lines.iter();
        let of_stream = lines.filter(|line| line.stream == stream);
        of_stream.map(|line| line.text.to_string()).collect()
    };
    assert_eq!(of(Stream::Out), ["one", "two", "three"]);
    assert_eq!(of(Stream::Err), ["bad"]);
    let tail = &board.logs[&many];
    assert!(tail.lines.len() <= query::TAIL_LINES_MAX);
    let numbers: Vec<usize> = tail
        .lines
        .iter()
        .map(|line| line.text.parse().expect("a number"))
        .collect();
    assert!(
        numbers.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "in order, none missing"
    );
    // What is followed no longer is gone from the board.
    face.handle.send(Order::FollowLogs(vec![both.clone()]));
    face.until_board("one log", |board| {
        board.logs.keys().collect::<Vec<_>>() == [&both]
    });
}

#[test]
fn a_second_start_of_a_live_flow_is_refused_and_the_first_goes_on() {
    let place = Place::new(&flows::flow(&[("a", AT_GATE)], &[]));
    let face = Face::open(&place, "window");
    // The second comes while the first is still being prepared.
    face.start(Choice::Full);
    face.start(Choice::Full);
    assert_eq!(face.refusal().0, "This flow is running already.");
    face.until("a runs", |_, flow| {
        statuses(flow, &["a"]) == [NodeStatus::Running]
    });
    face.start(Choice::Full);
    let (what, hint) = face.refusal();
    assert_eq!(what, "This flow is running already.");
    assert!(!hint.is_empty());
    place.open_gate();
    assert_eq!(face.until_over(), Outcome::Succeeded);
    face.close();
    assert_eq!(record(&place).1.history.len(), 1);
}

#[test]
fn an_older_run_is_shown_and_the_newest_comes_back() {
    let place = Place::new(&flows::flow(
        &[("a", "test -e good"), ("b", "true")],
        &[("a", "b")],
    ));
    let face = Face::open(&place, "window");
    face.start(Choice::Full);
    assert_eq!(face.until_over(), Outcome::Failed);
    fs::write(place.path("good"), "").expect("written");
    face.start(Choice::Resume);
    face.until("both runs", |_, flow| {
        flow.history.len() == 2 && flow.history[0].outcome == Some(Outcome::Succeeded)
    });
    let runs = face
        .handle
        .board()
        .flow(&place.flow)
        .expect("open")
        .history
        .clone();
    let show = |run| {
        let flow = place.flow.clone();
        face.handle.send(Order::ShowRun { flow, run });
    };
    show(Some(runs[1].id.clone()));
    let old = face.until("the old run", |_, flow| {
        flow.shown_run.as_ref() == Some(&runs[1].id)
    });
    assert_eq!(
        statuses(&old, &["a", "b"]),
        [NodeStatus::Failed, NodeStatus::Skipped]
    );
    show(None);
    let new = face.until("the newest", |_, flow| flow.shown_run.is_none());
    assert_eq!(
        statuses(&new, &["a", "b"]),
        [NodeStatus::Ran, NodeStatus::Ran]
    );
}

#[test]
fn cleared_statuses_are_gone_from_board_and_ledger() {
    let place = Place::new(&flows::flow(&[("a", "true"), ("b", "false")], &[]));
    let face = Face::open(&place, "window");
    face.start(Choice::Full);
    assert_eq!(face.until_over(), Outcome::Failed);
    let clear = |nodes| {
        let flow = place.flow.clone();
        face.handle.send(Order::ClearStatus { flow, nodes });
    };
    clear(Some(vec!["b".into()]));
    let board = face.until("b is idle", |_, flow| {
        statuses(flow, &["b"]) == [NodeStatus::Idle]
    });
    assert_eq!(statuses(&board, &["a"]), [NodeStatus::Ran]);
    assert_eq!(board.resumable, 0, "a cleared failure is no work");
    face.start(Choice::Resume);
    assert!(face.refusal().0.contains("nothing to resume"));
    clear(None);
    face.until("all idle", |_, flow| flow.nodes.is_empty());
    face.close();
    assert!(record(&place).1.past.nodes.is_empty());
}

#[test]
fn a_closed_flow_leaves_the_board_when_its_run_is_over() {
    let place = Place::new(&flows::flow(&[("a", AT_GATE)], &[]));
    let face = Face::open(&place, "window");
    let close = || face.handle.send(Order::CloseFlow(place.flow.clone()));
    close();
    face.until_board("gone", |board| board.flow(&place.flow).is_none());
    face.open_with(FileResults::default());
    face.start(Choice::Full);
    face.until("a runs", |_, flow| {
        statuses(flow, &["a"]) == [NodeStatus::Running]
    });
    close();
    // A live run stays on the board, whoever looks; the order after it is answered.
    face.handle.send(Order::Configure(manner(7)));
    let board = face.until_board("the slots", |board| board.slots.total == 7);
    assert!(board.flow(&place.flow).expect("live").live.is_some());
    place.open_gate();
    face.until_board("gone", |board| board.flow(&place.flow).is_none());
    face.close();
    assert_eq!(
        record(&place).1.history[0].outcome,
        Some(Outcome::Succeeded)
    );
}

#[test]
fn shutting_down_stops_what_runs_and_records_it() {
    let place = Place::new(&flows::flow(
        &[("a", "true"), ("b", AT_GATE), ("c", "true")],
        &[("a", "b"), ("b", "c")],
    ));
    let face = Face::open(&place, "window");
    face.start(Choice::Full);
    face.until("b runs", |_, flow| flow.node(&"b".into()).pid.is_some());
    face.close();
    let (workspace, recorded) = record(&place);
    let run = &recorded.history[0];
    assert_eq!(run.outcome, Some(Outcome::Stopped));
    let status = |id: &str| recorded.past.nodes[&NodeId::from(id)].status;
    assert_eq!(status("a"), NodeStatus::Ran);
    assert_eq!(status("b"), NodeStatus::Stopped);
    assert_eq!(status("c"), NodeStatus::Skipped);
    assert_eq!(recorded.runner, None);
    assert_eq!(
        workspace.ledger.health().expect("read").troubles,
        Vec::<String>::new()
    );
    // And it goes on from there.
    place.keep_gate_open();
    let face = Face::open(&place, "window");
    face.start(Choice::Resume);
    face.until("all ran", |_, flow| {
        flow.live.is_none() && statuses(flow, &["a", "b", "c"]) == [NodeStatus::Ran; 3]
    });
    assert_eq!(
        face.handle.board().flow(&place.flow).expect("open").history[0]
            .counts
            .kept,
        1
    );
}

#[test]
fn a_stop_before_the_first_process_begins_ends_the_run() {
    let place = Place::new(&flows::flow(&[("a", "true"), ("b", "true")], &[("a", "b")]));
    for _ in 0..10 {
        let face = Face::open(&place, "window");
        face.start(Choice::Full);
        let started = |event: &Event| matches!(event, Event::RunStarted(_)).then_some(());
        face.event(started);
        face.stop();
        let outcome = face.event(|event| match event {
            Event::RunFinished { outcome, .. } => Some(*outcome),
            _ => None,
        });
        // Quick as it is, it may have been over before the stop came.
        assert!(matches!(outcome, Outcome::Stopped | Outcome::Succeeded));
    }
}

#[test]
fn two_runtimes_on_one_flow_run_it_once_and_can_stop_each_other() {
    let place = Place::new(&flows::flow(&[("a", AT_GATE)], &[]));
    // The other one is another process: the command line.
    let mut other = Other::run(&place);
    let face = Face::open(&place, "window");
    let seen = face.until("who runs it", |_, flow| flow.runner.is_some());
    let runner = seen.runner.as_ref().expect("just seen");
    assert_eq!((runner.pid, &*runner.face), (other.0.id(), "command line"));
    face.start(Choice::Full);
    let (what, hint) = face.refusal();
    assert!(
        what.contains("on the command line runs this flow now"),
        "{what}"
    );
    assert!(what.contains(&other.0.id().to_string()), "{what}");
    assert!(hint.contains("stop"), "{hint}");
    face.stop();
    let code = other.0.wait().expect("ended").code();
    assert_eq!(code, Some(130), "it was asked to stop and did");
    let over = face.until("the other's run", |_, flow| {
        flow.runner.is_none()
            && flow
                .history
                .first()
                .is_some_and(|run| run.outcome.is_some())
    });
    assert_eq!(over.history.len(), 1);
    assert_eq!(over.history[0].outcome, Some(Outcome::Stopped));
    assert_eq!(statuses(&over, &["a"]), [NodeStatus::Stopped]);
}

#[test]
fn a_run_of_another_process_is_followed_while_it_happens_with_what_it_prints() {
    let place = Place::new(&flows::flow(
        &[("a", "echo begun; cat gate; echo gone on"), ("b", AT_GATE)],
        &[("a", "b")],
    ));
    let face = Face::open(&place, "window");
    let target = LogTarget {
        flow: place.flow.clone(),
        run: None,
        node: Some("a".into()),
    };
    face.handle.send(Order::FollowLogs(vec![target.clone()]));
    let mut other = Other::run(&place);
    let printed = |board: &Board, text: &str| {
        let log = board.logs.get(&target);
        log.is_some_and(|log| log.lines.iter().any(|line| &*line.text == text))
    };
    // It stands at the gate, and is seen there.
    face.until("a runs there", |board, flow| {
        statuses(flow, &["a"]) == [NodeStatus::Running] && printed(board, "begun")
    });
    place.open_gate();
    face.until("a has run and b runs", |board, flow| {
        statuses(flow, &["a", "b"]) == [NodeStatus::Ran, NodeStatus::Running]
            && printed(board, "gone on")
            && flow
                .history
                .first()
                .is_some_and(|run| run.outcome.is_none())
    });
    place.open_gate();
    assert!(other.0.wait().expect("ended").success());
    let over = face.until("the other's run is over", |_, flow| {
        flow.runner.is_none()
            && flow
                .history
                .first()
                .is_some_and(|run| run.outcome.is_some())
    });
    assert_eq!(over.history[0].outcome, Some(Outcome::Succeeded));
    assert_eq!(statuses(&over, &["a", "b"]), [NodeStatus::Ran; 2]);
}

#[test]
fn what_a_run_would_do_is_told_without_running_it() {
    let nodes = [("a", "true"), ("b", "true"), ("c", "true")];
    let place = Place::new(&flows::flow(&nodes, &[("a", "b")]));
    let face = Face::open(&place, "window");
    let ask = |choice: Choice| {
        face.handle.send(Order::Preview(Some(Box::new(Wish {
            flow: place.flow.clone(),
            frozen: face.frozen(),
            revision: 7,
            choice,
        }))));
    };
    let told = |choice: Choice| {
        ask(choice.clone());
        let board = face.until_board("it is told", |board| {
            let preview = board.preview.as_ref();
            preview.is_some_and(|preview| preview.choice == choice)
        });
        let preview = board.preview.clone().expect("just seen");
        assert_eq!((&preview.flow, preview.revision), (&place.flow, 7));
        let nodes = preview.nodes.clone();
        nodes.map(|nodes| {
            let mut names: Vec<String> = nodes.iter().map(ToString::to_string).collect();
            names.sort_unstable();
            names.join(" ")
        })
    };
    assert_eq!(told(Choice::Full), Ok("a b c".to_owned()));
    assert_eq!(told(Choice::From(vec!["a".into()])), Ok("a b".to_owned()));
    let why = told(Choice::Resume).expect_err("nothing to resume");
    assert!(why.contains("nothing to resume"), "{why}");
    face.handle.send(Order::Preview(None));
    face.until_board("it is gone", |board| board.preview.is_none());
    let (_, record) = record(&place);
    assert!(record.history.is_empty(), "nothing ran");
}

#[test]
fn a_runner_that_is_killed_is_seen_to_be_gone() {
    let place = Place::new(&flows::flow(&[("a", AT_GATE)], &[]));
    let mut other = Other::run(&place);
    let face = Face::open(&place, "window");
    face.until("who runs it", |_, flow| flow.runner.is_some());
    // Its process lives when the other process has recorded that.
    let (workspace, _) = query::open(&place.home(), &place.flow).expect("opens");
    let from = Instant::now();
    while query::record(&place.home(), &workspace, &place.flow, 1)
        .expect("read")
        .past
        .nodes
        .get("a")
        .is_none_or(|state| state.pid.is_none())
    {
        assert!(from.elapsed() < LIMIT, "nothing is recorded");
        std::thread::yield_now();
    }
    other.0.kill().expect("killed");
    other.0.wait().expect("ended");
    let left = face.until("what it left", |_, flow| {
        flow.runner.is_none() && !flow.orphans.is_empty()
    });
    assert_eq!(left.orphans[0].0, "a".into());
    assert_eq!(statuses(&left, &["a"]), [NodeStatus::Interrupted]);
    assert_eq!(left.resumable, 1);
    face.start(Choice::Resume);
    let (what, hint) = face.refusal();
    assert!(what.contains("still live"), "{what}");
    assert!(hint.contains("Stop"), "{hint}");
    face.stop();
    face.until_board("it is ended", |board| {
        let told = |what: &str| what.starts_with("Ended 1 process");
        board.notices.iter().any(|(_, notice)| told(&notice.what))
    });
    place.keep_gate_open();
    face.start(Choice::Resume);
    face.until("it ran", |_, flow| {
        flow.live.is_none() && statuses(flow, &["a"]) == [NodeStatus::Ran]
    });
}

#[test]
fn imported_results_are_shown_resumed_from_and_imported_once() {
    let place = Place::new(&flows::flow(
        &[
            ("a", "echo a >>done"),
            ("b", "echo b >>done"),
            ("c", "echo c >>done"),
        ],
        &[("a", "b"), ("b", "c")],
    ));
    let result = |status, exit, stderr: &str| FileResult {
        status,
        exit: Some(exit),
        stdout: String::new(),
        stderr: stderr.to_owned(),
    };
    let results = FileResults {
        nodes: [
            ("a".into(), result(NodeStatus::Ran, 0, "")),
            ("b".into(), result(NodeStatus::Failed, 3, "no such table")),
        ]
        .into(),
        marks: vec!["a-b".into()],
    };
    let face = Face::new(&place, "window");
    face.open_with(results.clone());
    let shown = face.until("the results", |_, flow| flow.loaded);
    assert_eq!(
        statuses(&shown, &["a", "b", "c"]),
        [NodeStatus::Ran, NodeStatus::Failed, NodeStatus::Idle]
    );
    assert_eq!(shown.resumable, 1);
    let target = LogTarget {
        flow: place.flow.clone(),
        run: None,
        node: Some("b".into()),
    };
    face.handle.send(Order::FollowLogs(vec![target.clone()]));
    face.until_board("the imported log", |board| {
        let tail = board.logs.get(&target);
        tail.is_some_and(|tail| tail.lines.iter().any(|line| &*line.text == "no such table"))
    });
    face.start(Choice::Resume);
    face.until("all ran", |_, flow| {
        flow.live.is_none() && statuses(flow, &["a", "b", "c"]) == [NodeStatus::Ran; 3]
    });
    let done = fs::read_to_string(place.path("done")).expect("read");
    assert_eq!(done, "b\nc\n", "a had run in the other program");
    face.close();
    // The file still says what it said; that is old news now.
    let face = Face::new(&place, "window");
    face.open_with(results);
    let again = face.until("loaded", |_, flow| flow.loaded);
    assert_eq!(statuses(&again, &["a", "b", "c"]), [NodeStatus::Ran; 3]);
    assert_eq!(again.history.len(), 2, "one import, one run");
    assert_eq!(again.resumable, 0);
}

#[test]
fn a_mended_node_is_retried_in_the_live_run_and_both_commands_are_recorded() {
    let place = Place::new(&flows::flow(
        &[("a", "exit 7"), ("hold", AT_GATE), ("b", "true")],
        &[("a", "b")],
    ));
    // Both flows of the workspace find its ledger not yet open.
    let other = place.path("other.graphml");
    store::save(&other, &flows::flow(&[("x", "true")], &[]), None).expect("saved");
    let face = Face::new(&place, "window");
    face.handle.send(Order::OpenFlow {
        flow: store::locate(&other).expect("located"),
        frozen: Arc::default(),
        results: Arc::default(),
    });
    face.open_with(FileResults::default());
    face.start(Choice::Full);
    let midway = face.until("a failed", |_, flow| {
        statuses(flow, &["a", "hold"]) == [NodeStatus::Failed, NodeStatus::Running]
    });
    let run = midway.live.as_ref().expect("live").id.clone();
    let mut mended = face.frozen().graph.node(&"a".into()).expect("a").clone();
    mended.command = "echo mended".to_owned();
    face.handle.send(Order::Retry {
        flow: place.flow.clone(),
        run: run.clone(),
        nodes: vec![Arc::new(mended)],
    });
    face.until("a and b ran", |_, flow| {
        statuses(flow, &["a", "b"]) == [NodeStatus::Ran, NodeStatus::Ran]
    });
    place.open_gate();
    face.until_over();
    face.close();
    let (workspace, recorded) = record(&place);
    assert_eq!(recorded.history.len(), 1, "it was one run");
    let rows = workspace
        .ledger
        .node_runs(&run, Some(&"a".into()))
        .expect("read");
    let rows: Vec<(&str, NodeStatus)> =
        rows.iter().map(|row| (&*row.command, row.status)).collect();
    assert_eq!(
        rows,
        [
            ("exit 7", NodeStatus::Failed),
            ("echo mended", NodeStatus::Ran)
        ]
    );
    let files = query::log_files(&workspace, &place.flow, None, Some(&"a".into())).expect("known");
    let log = fs::read_to_string(&files.last().expect("a log").stdout).expect("read");
    assert_eq!(log, "mended\n");
}
