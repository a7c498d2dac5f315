//! A folder with a flow and a home of its own, faces without a screen on it, and who lives there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use handmill::model::{Choice, Event, FileResults, Flow, FlowRef, NodeStatus, Outcome};
use handmill::runtime::{Config, Manner, Order, Processes, Runtime, RuntimeHandle, query};
use handmill::store::{self, Home};

/// Far more than anything here takes.
pub const LIMIT: Duration = Duration::from_secs(60);

pub const BINARY: &str = env!("CARGO_BIN_EXE_handmill");

/// Where the test binary finds its flow when it is to be a window.
pub const FACE_DIR: &str = "HANDMILL_TEST_FACE";

/// A folder with a flow and a home of its own.
pub struct Place {
    pub dir: tempfile::TempDir,
    pub flow: FlowRef,
}

impl Place {
    pub fn new(flow: &Flow) -> Self {
        Self::called("handmill-", flow)
    }

    /// One whose folder's name begins so.
    pub fn called(prefix: &str, flow: &Flow) -> Self {
        let dir = tempfile::Builder::new().prefix(prefix).tempdir();
        let dir = dir.expect("a folder");
        for name in ["begun", "done"] {
            fs::write(dir.path().join(name), "").expect("written");
        }
        let path = dir.path().join("flow.graphml");
        store::save(&path, flow, None).expect("saved");
        let flow = store::locate(&path).expect("located");
        Self { dir, flow }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn home(&self) -> Home {
        Home::at(self.path("home"))
    }

    pub fn face(&self, face: &'static str) -> Face {
        Face::new(self.dir.path(), face)
    }

    /// A window that can be killed; it starts what is to run, and ends with its run.
    pub fn window(&self) -> Child {
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

    pub fn workspace_dir(&self) -> PathBuf {
        self.home().workspace_dir(&self.flow.workspace)
    }

    /// The command line on this home.
    pub fn handmill(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .args(args)
            .env("HANDMILL_HOME", self.path("home"))
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// A face that has opened nothing yet.
    pub fn bare_face(&self, face: &'static str) -> Face {
        Face::bare(self.dir.path(), face)
    }

    pub fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path(name)).expect("read");
        text.lines().map(str::to_owned).collect()
    }

    pub fn ids(&self, name: &str) -> BTreeSet<String> {
        self.lines(name).into_iter().collect()
    }

    /// Living processes of ours, by what they are: `node`, `sitter`, `background`.
    pub fn living(&self) -> BTreeMap<u32, &'static str> {
        let flow = format!("HANDMILL_FLOW={}/", self.dir.path().display());
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
            let is_node = |v: &[u8]| v.starts_with(flow.as_bytes());
            if environ.split(|b| *b == 0).any(is_node) {
                living.insert(pid, "node");
            } else if has(&home) && called("__sitter") {
                living.insert(pid, "sitter");
            } else if has(&home) && called("__background") {
                living.insert(pid, "background");
            }
        }
        living
    }

    pub fn of_kind(&self, kind: &str) -> Vec<u32> {
        let living = self.living().into_iter();
        living
            .filter(|(_, is)| *is == kind)
            .map(|(pid, _)| pid)
            .collect()
    }

    /// Waits until nothing of that kind lives.
    #[track_caller]
    pub fn await_none(&self, kind: &str) {
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
    pub fn check_abandoned(&self) {
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
    pub fn record(&self) -> (Option<Option<Outcome>>, BTreeMap<String, NodeStatus>) {
        self.record_of(&self.flow)
    }

    /// The same of another flow in the same home.
    pub fn record_of(
        &self,
        flow: &FlowRef,
    ) -> (Option<Option<Outcome>>, BTreeMap<String, NodeStatus>) {
        let (workspace, _) = query::open(&self.home(), flow).expect("opens");
        let record = query::record(&self.home(), &workspace, flow, 1).expect("read");
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
pub fn wait(what: &str, mut is: impl FnMut() -> bool) {
    let from = Instant::now();
    while !is() {
        assert!(from.elapsed() < LIMIT, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn kill(pid: u32) {
    let pid = Pid::from_raw(pid.cast_signed()).expect("a number of a process");
    // It may have ended by itself.
    kill_process(pid, Signal::KILL).ok();
}

/// A runtime that uses the sitter, as the window's does.
pub struct Face {
    runtime: Option<Runtime>,
    pub handle: RuntimeHandle,
    pub events: Receiver<Arc<Event>>,
    pub flow: FlowRef,
    pub frozen: Arc<Flow>,
}

impl Face {
    pub fn new(dir: &Path, face: &'static str) -> Self {
        let face = Self::bare(dir, face);
        face.open(&face.flow, &face.frozen);
        face
    }

    /// One that has opened nothing yet.
    pub fn bare(dir: &Path, face: &'static str) -> Self {
        Self::through(dir, face, BINARY.into())
    }

    /// One that starts its sitter with another program.
    pub fn through(dir: &Path, face: &'static str, program: PathBuf) -> Self {
        Self::at(dir, &dir.join("home"), face, program)
    }

    /// One with its home elsewhere.
    pub fn at(dir: &Path, home: &Path, face: &'static str, program: PathBuf) -> Self {
        let path = dir.join("flow.graphml");
        let flow = store::locate(&path).expect("located");
        let frozen = Arc::new(store::load(&path).expect("loaded").flow);
        let (sender, events) = channel();
        let runtime = Runtime::start(Config {
            home: Home::at(home),
            face,
            manner: Manner {
                slots: Some(4),
                ..Manner::default()
            },
            processes: Processes::Sitter(program),
            control: crate::support::control(),
            wake: Some(Box::new(|| {})),
            events: Some(Box::new(move |event| {
                sender.send(event.clone()).ok();
            })),
        })
        .expect("starts");
        let handle = runtime.handle();
        Self {
            runtime: Some(runtime),
            handle,
            events,
            flow,
            frozen,
        }
    }

    pub fn open(&self, flow: &FlowRef, frozen: &Arc<Flow>) {
        self.handle.send(Order::OpenFlow {
            flow: flow.clone(),
            frozen: frozen.clone(),
            results: Arc::new(FileResults::default()),
        });
    }

    pub fn run(&self, choice: Choice) {
        self.start(&self.flow, &self.frozen, choice);
    }

    pub fn start(&self, flow: &FlowRef, frozen: &Arc<Flow>, choice: Choice) {
        self.handle.send(Order::StartRun {
            flow: flow.clone(),
            frozen: frozen.clone(),
            choice,
            jobs_max: None,
        });
    }

    /// The next event that this picks.
    #[track_caller]
    pub fn next<T>(&self, what: &str, pick: impl Fn(&Event) -> Option<T>) -> T {
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
    pub fn outcome(&self) -> Outcome {
        self.next("the end of the run", |event| match event {
            Event::RunFinished { outcome, .. } => Some(*outcome),
            Event::RunRefused { notice, .. } => panic!("{}", notice.what),
            _ => None,
        })
    }

    /// Ends it; gives what it told at last.
    pub fn end(mut self, order: Order) -> Receiver<Arc<Event>> {
        self.handle.send(order);
        if let Some(runtime) = self.runtime.take() {
            runtime.join();
        }
        self.events
    }
}
