//! Runs that outlive their window: kill -9 of the window, the background process and the sitter at
//! any moment, and the kill switch over nasty children.
//!
//! The window is a face without a screen: this very test binary, started again to be killed. What
//! is killed, and when, is drawn from a seed that is printed on failure. `HANDMILL_KILLS` says how
//! often something is killed (10 000 take a night); `HANDMILL_CRASH_SEED` repeats a round.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use handmill::model::{Choice, Event, FileResults, Flow, FlowRef, NodeId, NodeStatus, Outcome};
use handmill::runtime::{
    Config, KillScope, Manner, Order, Processes, Runtime, RuntimeHandle, query,
};
use handmill::store::{self, Home};

use crate::flows;

/// Far more than anything here takes.
const LIMIT: Duration = Duration::from_secs(60);

/// Kills in a usual test run, of carriers alone and of anybody together.
const KILLS: i64 = 300;

/// Kills of one run at most.
const KILLS_PER_RUN: u64 = 24;

/// Runs that are killed at the same time: most of what a kill takes is waiting.
const WORKERS: usize = 3;

const N_NODES: usize = 200;

const BINARY: &str = env!("CARGO_BIN_EXE_handmill");

/// Where the test binary finds its flow when it is to be a window.
const FACE_DIR: &str = "HANDMILL_TEST_FACE";

/// A folder with a flow and a home of its own.
struct Place {
    dir: tempfile::TempDir,
    flow: FlowRef,
}

impl Place {
    fn new(flow: &Flow) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        for name in ["begun", "done"] {
            fs::write(dir.path().join(name), "").expect("written");
        }
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

    fn face(&self, face: &'static str) -> Face {
        Face::new(self.dir.path(), face)
    }

    /// A window that can be killed; it starts what is to run, and ends with its run.
    fn window(&self) -> Child {
        let test = std::env::current_exe().expect("this binary");
        Command::new(test)
            .args(["--exact", "sitter::a_window_to_be_killed"])
            .env(FACE_DIR, self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.path("window says")).expect("made"))
            .spawn()
            .expect("starts")
    }

    fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path(name)).expect("read");
        text.lines().map(str::to_owned).collect()
    }

    fn ids(&self, name: &str) -> BTreeSet<String> {
        self.lines(name).into_iter().collect()
    }

    /// Living processes of ours, by what they are: `node`, `sitter`, `background`.
    fn living(&self) -> BTreeMap<u32, &'static str> {
        let flow = format!("HANDMILL_FLOW={}", self.flow.path().display());
        let home = format!("HANDMILL_HOME={}", self.path("home").display());
        let mut living = BTreeMap::new();
        for entry in fs::read_dir("/proc").expect("Linux").flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else {
                continue;
            };
            let read = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
            let (environ, cmdline) = (read("environ"), read("cmdline"));
            let has = |what: &str| environ.split(|b| *b == 0).any(|v| v == what.as_bytes());
            let called = |what: &str| cmdline.split(|b| *b == 0).any(|v| v == what.as_bytes());
            if has(&flow) {
                living.insert(pid, "node");
            } else if has(&home) && called("__sitter") {
                living.insert(pid, "sitter");
            } else if has(&home) && called("__background") {
                living.insert(pid, "background");
            }
        }
        living
    }

    fn of_kind(&self, kind: &str) -> Vec<u32> {
        let living = self.living().into_iter();
        living
            .filter(|(_, is)| *is == kind)
            .map(|(pid, _)| pid)
            .collect()
    }

    /// Waits until nothing of that kind lives.
    #[track_caller]
    fn await_none(&self, kind: &str) {
        wait(&format!("the end of every {kind}"), || {
            self.of_kind(kind).is_empty()
        });
    }

    /// Attempts of nodes that have a living process, by the mark in its environment.
    fn marks(&self) -> BTreeSet<String> {
        let nodes = self.of_kind("node").into_iter();
        let mark = |pid: u32| {
            let environ = fs::read(format!("/proc/{pid}/environ")).ok()?;
            let mut settings = environ.split(|byte| *byte == 0);
            let mark = settings.find_map(|one| one.strip_prefix(b"HANDMILL_NODE_RUN="))?;
            Some(String::from_utf8_lossy(mark).into_owned())
        };
        nodes.filter_map(mark).collect()
    }

    /// Nobody carries the run and nobody holds it: what is known of it must be all there is.
    fn check_abandoned(&self) {
        self.await_none("sitter");
        self.await_none("background");
        let before = self.marks();
        let (workspace, _) = query::open(&self.home(), &self.flow).expect("opens");
        let orphans = workspace.orphans_of(&self.flow).expect("read");
        let listed: BTreeSet<String> = orphans
            .iter()
            .map(|orphan| {
                let id = &orphan.id;
                format!("{}/{}.{}.{}", id.run, id.node.0, id.pass, id.attempt)
            })
            .collect();
        // One that ended meanwhile need not be listed.
        let after = self.marks();
        for mark in before.intersection(&after) {
            assert!(
                listed.contains(mark),
                "{mark} lives and is not in {listed:?}"
            );
        }
        let (outcome, nodes) = self.record();
        assert_ne!(outcome, Some(None), "a run that nobody carries has no end");
        self.check_known(&nodes);
    }

    /// Every node that had begun has finished or counts as interrupted.
    fn check_known(&self, nodes: &BTreeMap<String, NodeStatus>) {
        let done = self.ids("done");
        for id in self.ids("begun") {
            match nodes.get(&id) {
                Some(NodeStatus::Ran) => assert!(done.contains(&id), "{id} is ran and did nothing"),
                Some(NodeStatus::Interrupted) => {}
                other => panic!("{id} had begun and is {other:?}"),
            }
        }
    }

    /// How the newest run stands, and each of its nodes.
    fn record(&self) -> (Option<Option<Outcome>>, BTreeMap<String, NodeStatus>) {
        let (workspace, _) = query::open(&self.home(), &self.flow).expect("opens");
        let record = query::record(&self.home(), &workspace, &self.flow, 1).expect("read");
        let nodes = record.past.nodes.into_iter();
        let nodes = nodes.map(|(id, state)| (id.to_string(), state.status));
        let outcome = record.history.first().map(|run| run.outcome);
        (outcome, nodes.collect())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for pid in self.living().keys() {
            kill(*pid);
        }
    }
}

#[track_caller]
fn wait(what: &str, mut is: impl FnMut() -> bool) {
    let from = Instant::now();
    while !is() {
        assert!(from.elapsed() < LIMIT, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn kill(pid: u32) {
    let pid = Pid::from_raw(pid.cast_signed()).expect("a number of a process");
    // It may have ended by itself.
    kill_process(pid, Signal::KILL).ok();
}

/// A runtime that uses the sitter, as the window's does.
struct Face {
    runtime: Option<Runtime>,
    handle: RuntimeHandle,
    events: Receiver<Arc<Event>>,
    flow: FlowRef,
    frozen: Arc<Flow>,
}

impl Face {
    fn new(dir: &Path, face: &'static str) -> Self {
        let path = dir.join("flow.graphml");
        let flow = store::locate(&path).expect("located");
        let frozen = Arc::new(store::load(&path).expect("loaded").flow);
        let (sender, events) = channel();
        let runtime = Runtime::start(Config {
            home: Home::at(dir.join("home")),
            face,
            manner: Manner {
                slots: Some(4),
                ..Manner::default()
            },
            processes: Processes::Sitter(BINARY.into()),
            wake: Some(Box::new(|| {})),
            events: Some(Box::new(move |event| {
                sender.send(event.clone()).ok();
            })),
        })
        .expect("starts");
        let handle = runtime.handle();
        handle.send(Order::OpenFlow {
            flow: flow.clone(),
            frozen: frozen.clone(),
            results: Arc::new(FileResults::default()),
        });
        Self {
            runtime: Some(runtime),
            handle,
            events,
            flow,
            frozen,
        }
    }

    fn run(&self, choice: Choice) {
        self.handle.send(Order::StartRun {
            flow: self.flow.clone(),
            frozen: self.frozen.clone(),
            choice,
            jobs_max: None,
        });
    }

    /// The next event that this picks.
    #[track_caller]
    fn next<T>(&self, what: &str, pick: impl Fn(&Event) -> Option<T>) -> T {
        let from = Instant::now();
        loop {
            let left = LIMIT.saturating_sub(from.elapsed());
            let event = self.events.recv_timeout(left);
            let event = event.unwrap_or_else(|why| panic!("waited for {what}: {why}"));
            if let Some(found) = pick(&event) {
                return found;
            }
        }
    }

    #[track_caller]
    fn outcome(&self) -> Outcome {
        self.next("the end of the run", |event| match event {
            Event::RunFinished { outcome, .. } => Some(*outcome),
            Event::RunRefused { notice, .. } => panic!("{}", notice.what),
            _ => None,
        })
    }

    fn end(mut self, order: Order) {
        self.handle.send(order);
        if let Some(runtime) = self.runtime.take() {
            runtime.join();
        }
    }
}

/// Not a test: the window of the others. It carries on what runs, or starts what is to run.
#[test]
fn a_window_to_be_killed() {
    let Some(dir) = std::env::var_os(FACE_DIR) else {
        return;
    };
    let face = Face::new(Path::new(&dir), "window");
    wait("the flow", || {
        let board = face.handle.board();
        board.flow(&face.flow).is_some_and(|flow| flow.loaded)
    });
    let board = face.handle.board();
    let flow = board.flow(&face.flow).expect("open");
    let newest = flow.history.first().and_then(|run| run.outcome);
    if flow.live.is_none() && flow.runner.is_none() && newest != Some(Outcome::Succeeded) {
        face.run(Choice::Auto);
        face.outcome();
    }
    wait("the end of the run", || {
        let board = face.handle.board();
        let flow = board.flow(&face.flow).expect("open");
        flow.live.is_none()
            && flow.runner.is_none()
            && flow
                .history
                .first()
                .is_some_and(|run| run.outcome.is_some())
    });
    face.end(Order::ShutDown);
}

/// A random flow; each node says when it began and when it was done.
fn draw(random: &mut fastrand::Rng, n_nodes: usize) -> Flow {
    let ids: Vec<String> = (0..n_nodes).map(|n| format!("n{n}")).collect();
    let commands: Vec<String> = ids
        .iter()
        .map(|id| {
            let work = match random.u32(..10) {
                0..3 => format!("sleep 0.0{}; ", random.u32(1..5)),
                3 => "sleep 0.2; ".to_owned(),
                // A node without a process.
                4 => return String::new(),
                _ => String::new(),
            };
            format!("echo {id} >>begun; {work}echo {id} >>done")
        })
        .collect();
    let nodes: Vec<(&str, &str)> = ids
        .iter()
        .zip(&commands)
        .map(|(id, command)| (id.as_str(), command.as_str()))
        .collect();
    let mut edges = BTreeSet::new();
    for target in 1..n_nodes {
        for _ in 0..random.usize(0..3) {
            edges.insert((random.usize(target.saturating_sub(20)..target), target));
        }
    }
    let edges: Vec<(&str, &str)> = edges
        .iter()
        .map(|&(source, target)| (ids[source].as_str(), ids[target].as_str()))
        .collect();
    flows::flow(&nodes, &edges)
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

fn with_seed<T>(seed: u64, round: impl FnOnce(u64) -> T + std::panic::UnwindSafe) -> T {
    std::panic::catch_unwind(|| round(seed)).unwrap_or_else(|why| {
        let text = why.downcast_ref::<String>().cloned();
        let text = text.or_else(|| why.downcast_ref::<&str>().map(|&text| text.to_owned()));
        panic!("HANDMILL_CRASH_SEED={seed}: {}", text.unwrap_or_default());
    })
}

/// Rounds, each with a seed of its own, until there were half of all kills.
#[expect(clippy::print_stdout, reason = "how much was met is worth reading")]
fn in_rounds(round: fn(u64) -> u64) {
    let kills = number("HANDMILL_KILLS").map_or(KILLS, |n| n.try_into().expect("not that many"));
    let left = AtomicI64::new(kills / 2);
    let seed = AtomicU64::new(number("HANDMILL_CRASH_SEED").unwrap_or_else(|| fastrand::u64(..)));
    let n_runs = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while left.load(Ordering::Relaxed) > 0 {
                    let n = with_seed(seed.fetch_add(1, Ordering::Relaxed), round);
                    left.fetch_sub(n.try_into().expect("few"), Ordering::Relaxed);
                    n_runs.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let n = kills / 2 - left.into_inner();
    println!(
        "{n} kills during {} runs of {N_NODES} nodes",
        n_runs.into_inner()
    );
}

#[test]
fn a_run_whose_carriers_are_killed_again_and_again_ends_as_if_nobody_had_been() {
    in_rounds(kill_carriers);
}

/// Gives how many kills met the run.
fn kill_carriers(seed: u64) -> u64 {
    let mut random = fastrand::Rng::with_seed(seed);
    let place = Place::new(&draw(&mut random, N_NODES));
    let mut window = place.window();
    let mut n = 0;
    while n < KILLS_PER_RUN {
        std::thread::sleep(Duration::from_micros(random.u64(0..150_000)));
        if matches!(place.record(), (Some(Some(_)), _)) {
            break;
        }
        n += 1;
        window.kill().ok();
        window.wait().expect("waited for");
        for pid in place.of_kind("background") {
            kill(pid);
        }
        // Half the time a window comes back for it, else the background goes on.
        if random.bool() || place.lines("begun").is_empty() {
            window = place.window();
        }
    }
    wait("the end of the run", || {
        let (outcome, nodes) = place.record();
        let over = window.try_wait().expect("asked").is_some();
        match outcome {
            Some(Some(Outcome::Succeeded)) => return true,
            // Killed before anybody held it: then nothing of it has begun.
            Some(Some(Outcome::Interrupted)) | None => {
                assert!(place.lines("begun").is_empty(), "{outcome:?}: {nodes:?}");
                if over {
                    window = place.window();
                }
            }
            Some(Some(other)) => panic!("{other:?}: {nodes:?}"),
            Some(None) => {}
        }
        false
    });
    all_has_run(&place, window);
    for name in ["begun", "done"] {
        let (lines, ids) = (place.lines(name), place.ids(name));
        assert_eq!(lines.len(), ids.len(), "something ran twice");
    }
    n
}

/// The run is over, and nothing of it is left.
fn all_has_run(place: &Place, mut window: Child) {
    let (outcome, nodes) = place.record();
    assert_eq!(outcome, Some(Some(Outcome::Succeeded)), "{nodes:?}");
    for (id, status) in &nodes {
        assert_eq!(*status, NodeStatus::Ran, "{id}");
    }
    assert_eq!(nodes.len(), N_NODES);
    assert_eq!(place.ids("begun"), place.ids("done"));
    window.kill().ok();
    window.wait().expect("waited for");
    for kind in ["node", "background", "sitter"] {
        place.await_none(kind);
    }
}

#[test]
fn whoever_is_killed_during_a_run_every_node_is_known_and_no_survivor_unlisted() {
    in_rounds(kill_anybody);
}

/// Kills the carriers, the sitter, or all of them at random moments. What nobody saw the end of is resumed.
fn kill_anybody(seed: u64) -> u64 {
    let mut random = fastrand::Rng::with_seed(seed);
    let place = Place::new(&draw(&mut random, N_NODES));
    let mut window = place.window();
    let mut n = 0;
    while n < KILLS_PER_RUN {
        std::thread::sleep(Duration::from_micros(random.u64(0..150_000)));
        if place.record().0 == Some(Some(Outcome::Succeeded)) {
            break;
        }
        n += 1;
        let (carriers, sitter) = match random.u8(..4) {
            0 => (true, false),
            1 => (false, true),
            _ => (true, true),
        };
        let mut doomed = Vec::new();
        for (pid, kind) in place.living() {
            if kind == "background" && carriers || kind == "sitter" && sitter {
                doomed.push(pid);
            }
        }
        let window_lives = window.try_wait().expect("asked").is_none();
        if carriers && window_lives {
            doomed.push(window.id());
        }
        random.shuffle(&mut doomed);
        for pid in doomed {
            kill(pid);
        }
        if carriers {
            window.wait().expect("waited for");
        }
        if carriers && sitter {
            // The sitter may have started one more when it saw the window die.
            for pid in place.of_kind("background") {
                kill(pid);
            }
            place.check_abandoned();
            // Else whoever comes next finds what survived, and may start nothing before that has ended.
            if random.bool() {
                let (workspace, _) = query::open(&place.home(), &place.flow).expect("opens");
                query::end_orphans(&workspace, &place.flow).expect("ended");
            }
        }
        if window.try_wait().expect("asked").is_some() {
            window = place.window();
        }
    }
    let from = Instant::now();
    loop {
        let (outcome, mut nodes) = place.record();
        if outcome == Some(Some(Outcome::Succeeded)) {
            break;
        }
        let window_lives = window.try_wait().expect("asked").is_none();
        nodes.retain(|_, status| *status != NodeStatus::Ran);
        assert!(
            from.elapsed() < LIMIT,
            "no run succeeds: {outcome:?}, window {window_lives}, {:?}, {nodes:?}, it said: {}",
            place.living(),
            fs::read_to_string(place.path("window says")).unwrap_or_default()
        );
        if !window_lives {
            window = place.window();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    all_has_run(&place, window);
    n
}

#[test]
fn a_window_outlives_its_sitter_and_knows_every_node() {
    with_seed(fastrand::u64(..), |seed| {
        let mut random = fastrand::Rng::with_seed(seed);
        let place = Place::new(&draw(&mut random, N_NODES));
        let face = place.face("window");
        face.run(Choice::Full);
        for _ in 0..3 {
            face.next("a node", |event| {
                matches!(event, Event::NodeSpawned { .. }).then_some(())
            });
            std::thread::sleep(Duration::from_micros(random.u64(0..50_000)));
            for pid in place.of_kind("sitter") {
                kill(pid);
            }
        }
        face.outcome();
        wait("the record", || matches!(place.record().0, Some(Some(_))));
        let (_, nodes) = place.record();
        let done = place.ids("done");
        for id in place.ids("begun") {
            let status = nodes[&id];
            let known = matches!(status, NodeStatus::Ran | NodeStatus::Interrupted);
            assert!(known, "{id} had begun and is {status:?}");
        }
        for (id, status) in &nodes {
            let command = &face
                .frozen
                .graph
                .node(&id.as_str().into())
                .expect("there")
                .command;
            let has_run = *status == NodeStatus::Ran && !command.is_empty();
            assert!(!has_run || done.contains(id), "{id} is ran and did nothing");
        }
        place.await_none("node");
        // What nobody saw the end of runs again.
        if nodes.values().any(|status| status.wants_resume()) {
            face.run(Choice::Resume);
            assert_eq!(face.outcome(), Outcome::Succeeded);
            wait("the record", || {
                place.record().0 == Some(Some(Outcome::Succeeded))
            });
        }
        let (outcome, mut nodes) = place.record();
        nodes.retain(|_, status| *status != NodeStatus::Ran);
        assert_eq!(nodes, BTreeMap::new(), "{outcome:?}");
        face.end(Order::ShutDown);
    });
}

#[test]
fn after_a_kill_of_window_and_sitter_no_survivor_is_unlisted() {
    let flow = flows::flow(
        &[
            ("a", "echo a >>begun; sleep 1000"),
            ("b", "echo b >>begun; exec sleep 1000"),
            ("c", "echo c >>done"),
        ],
        &[("a", "c")],
    );
    let place = Place::new(&flow);
    let mut window = place.window();
    wait("both nodes", || place.lines("begun").len() == 2);
    let sitter = place.of_kind("sitter");
    // At once: either of them alone would have the run carried on.
    kill(sitter[0]);
    kill(window.id());
    window.wait().expect("waited for");
    place.await_none("sitter");
    let listed = |place: &Place| {
        let (workspace, _) = query::open(&place.home(), &place.flow).expect("opens");
        let orphans = workspace.orphans_of(&place.flow).expect("read");
        orphans
            .into_iter()
            .map(|orphan| orphan.node.to_string())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(
        listed(&place),
        BTreeSet::from(["a".to_owned(), "b".to_owned()])
    );
    let (outcome, nodes) = place.record();
    assert_eq!(outcome, Some(Some(Outcome::Interrupted)));
    assert_eq!(nodes["a"], NodeStatus::Interrupted);
    let (workspace, _) = query::open(&place.home(), &place.flow).expect("opens");
    query::end_orphans(&workspace, &place.flow).expect("ended");
    place.await_none("node");
}

#[test]
fn a_window_that_leaves_its_runs_finds_them_again() {
    let flow = flows::flow(
        &[
            ("a", "until [ -e go ]; do sleep 0.01; done; echo a >>done"),
            ("b", "echo b >>done"),
        ],
        &[("a", "b")],
    );
    let place = Place::new(&flow);
    let face = place.face("window");
    face.run(Choice::Full);
    face.next("a node", |event| {
        matches!(event, Event::NodeSpawned { .. }).then_some(())
    });
    face.end(Order::Leave);
    wait("the background", || !place.of_kind("background").is_empty());
    // A second window has it again, with the node in its first board that has the run.
    let again = place.face("window");
    wait("the run", || {
        let board = again.handle.board();
        board
            .flow(&again.flow)
            .is_some_and(|flow| flow.live.is_some())
    });
    let board = again.handle.board();
    let states = &board.flow(&again.flow).expect("open").nodes;
    assert_eq!(states[&NodeId::from("a")].status, NodeStatus::Running);
    assert!(states[&NodeId::from("a")].pid.is_some());
    assert_eq!(states[&NodeId::from("b")].status, NodeStatus::Waiting);
    place.await_none("background");
    // Left once more: it ends without any window, and what follows has run.
    again.end(Order::Leave);
    fs::write(place.path("go"), "").expect("written");
    wait("the end", || {
        place.record().0 == Some(Some(Outcome::Succeeded))
    });
    assert_eq!(place.lines("done"), ["a", "b"]);
    place.await_none("background");
    place.await_none("sitter");
}

#[test]
fn the_kill_switch_leaves_no_survivor_of_any_kind() {
    let nasty = [
        (
            "ignores",
            "trap '' TERM INT HUP; echo $$ >p0; while :; do sleep 1; done",
        ),
        (
            "daemon",
            "(setsid sh -c 'echo $$ >p1; trap \"\" TERM; while :; do sleep 1; done' &) ; sleep 1000",
        ),
        ("stops itself", "echo $$ >p2; kill -STOP $$; sleep 1000"),
        (
            "forks",
            "echo $$ >p3; trap '' TERM; while :; do sleep 0.05 & sleep 0.01; done",
        ),
        ("closes", "exec <&- >&- 2>&-; echo $$ >p4; sleep 1000"),
        (
            "forgets",
            "(env -i setsid sh -c 'echo $$ >p5; while :; do /bin/sleep 1; done' >/dev/null 2>&1 &); sleep 1000",
        ),
    ];
    let place = Place::new(&flows::flow(&nasty, &[]));
    let face = {
        let mut face = place.face("window");
        face.handle.send(Order::Configure(Manner {
            slots: Some(10),
            ..Manner::default()
        }));
        face.frozen = Arc::new(flows::flow(&nasty, &[]));
        face
    };
    face.run(Choice::Full);
    let pid = |n: usize| {
        let text = fs::read_to_string(place.path(&format!("p{n}"))).unwrap_or_default();
        text.trim().parse::<u32>().ok()
    };
    wait("all of them", || (0..nasty.len()).all(|n| pid(n).is_some()));
    let pids: Vec<u32> = (0..nasty.len()).filter_map(pid).collect();
    face.handle.send(Order::Kill(KillScope::Everything));
    assert_eq!(face.outcome(), Outcome::Stopped);
    let told = face.next("what was ended", |event| match event {
        Event::Told(notice) => Some(notice.what.to_string()),
        _ => None,
    });
    assert!(told.starts_with("Ended 6 nodes ("), "{told}");
    assert!(told.contains("echo $$ >p2; kill -STOP $$; s…"), "{told}");
    place.await_none("node");
    for pid in pids {
        wait("a process without a mark", || {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        });
    }
    face.end(Order::ShutDown);
}

#[test]
fn at_its_deadline_the_sitter_ends_what_runs_in_a_workspace() {
    let place = Place::new(&flows::flow(
        &[("a", "echo a >>begun; exec sleep 1000")],
        &[],
    ));
    let face = place.face("window");
    face.run(Choice::Full);
    wait("the node", || !place.lines("begun").is_empty());
    let now = handmill::runtime::uptime();
    let workspace = &face.flow.workspace;
    // Put off, taken back, then let come.
    assert!(face.handle.set_deadline(workspace, Some(now + LIMIT)));
    assert!(face.handle.set_deadline(workspace, None));
    assert!(
        face.handle
            .set_deadline(workspace, Some(now + Duration::from_millis(50)))
    );
    let told = face.next("what happened", |event| match event {
        Event::Told(notice) => Some(notice.what.to_string()),
        _ => None,
    });
    assert!(told.contains("Control of workspace"), "{told}");
    assert_eq!(face.outcome(), Outcome::Stopped);
    place.await_none("node");
    face.end(Order::ShutDown);
}

#[test]
fn the_sitter_is_small_and_ends_when_nobody_needs_it() {
    let place = Place::new(&flows::flow(&[("a", "echo a >>begun; sleep 0.3")], &[]));
    let face = place.face("window");
    face.run(Choice::Full);
    wait("the node", || !place.lines("begun").is_empty());
    let sitter = place.of_kind("sitter");
    assert_eq!(sitter.len(), 1);
    let status = fs::read_to_string(format!("/proc/{}/status", sitter[0])).expect("it lives");
    let rss = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let rss: u64 = rss
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .expect("a number");
    assert!(rss < 20 * 1024, "{rss} kB");
    assert_eq!(face.outcome(), Outcome::Succeeded);
    face.end(Order::ShutDown);
    place.await_none("sitter");
}

#[test]
fn a_long_home_has_a_sitter_too() {
    let deep = "d".repeat(120);
    let dir = tempfile::tempdir().expect("a folder");
    let home = dir.path().join(&deep);
    fs::create_dir(&home).expect("made");
    let mut sitter = Command::new(BINARY)
        .arg("__sitter")
        .env("HANDMILL_HOME", &home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    // It closes its output when it listens.
    let mut said = String::new();
    let mut stdout = sitter.stdout.take().expect("piped");
    stdout.read_to_string(&mut said).expect("read");
    assert_eq!(said, "");
    assert!(home.join("sitter/sitter-1.sock").exists());
    // A second one sees that there is one.
    let second = Command::new(BINARY)
        .arg("__sitter")
        .env("HANDMILL_HOME", &home)
        .status()
        .expect("starts");
    assert!(second.success());
    let status = sitter.wait().expect("waited for");
    assert!(status.success() && status.signal().is_none(), "{status:?}");
    assert!(
        !home.join("sitter/sitter-1.sock").exists(),
        "it took its socket away"
    );
}
