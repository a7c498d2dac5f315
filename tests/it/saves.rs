//! What is saved is what is loaded: over long random histories of edits, and when the program is
//! killed while it saves.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use handmill::editor::{DiskState, Document, Outcome, Saver, Task};
use handmill::model::{
    Edge, EdgeKind, EdgeSpec, Edit, Env, Flow, FlowField, Frame, FrameId, Node, NodeField, NodeId,
    Point, Rect, Wrapper,
};
use handmill::store;

/// Set in the process that is to be killed: the workfile it saves over and over.
const FILE_OF_CHILD: &str = "HANDMILL_TEST_SAVES";

const KILLS: usize = 60;

/// Small, so that most of the time goes into putting it in place and not into its text.
fn version(n: u64) -> Flow {
    let mut flow = Flow {
        title: n.to_string(),
        ..Flow::default()
    };
    for place in 0..8 {
        let command = format!("echo {n} {place}");
        let node = Node::new(format!("n{place}").as_str(), command, Point::default());
        flow.graph.add_node(node).expect("a fresh id");
    }
    flow
}

/// The other process: saves version after version, and says so after each.
fn save_for_ever(path: &Path) {
    let mut out = std::io::stdout();
    loop {
        let loaded = store::load(path).expect("a workfile");
        let n = 1 + loaded.flow.title.parse::<u64>().expect("a number");
        store::save(path, &version(n), Some(&loaded.stamp)).expect("saved");
        writeln!(out, "\nsaved {n}").expect("the parent listens");
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "how much was met is worth reading")]
fn a_save_killed_at_any_moment_leaves_the_old_file_or_the_new_one() {
    if let Some(path) = std::env::var_os(FILE_OF_CHILD) {
        save_for_ever(Path::new(&path));
    }
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("flow.graphml");
    store::save(&path, &version(0), None).expect("saved");
    let names = || -> Vec<String> {
        let entries = fs::read_dir(dir.path()).expect("listed");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    };
    let (sender, woken) = channel();
    let home = store::Home::at(dir.path().join("home"));
    let saver = Saver::start(home, None, move || {
        sender.send(()).ok();
    })
    .expect("starts");
    let (mut n_temps, mut n_new) = (0, 0);
    for round in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().expect("the test binary"))
            .args(["--exact", "--nocapture", "--test-threads=1"])
            .arg("saves::a_save_killed_at_any_moment_leaves_the_old_file_or_the_new_one")
            .env(FILE_OF_CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the test binary starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut said = stdout.lines().map_while(Result::ok).filter_map(|line| {
            let n = line.strip_prefix("saved ")?;
            Some(n.parse::<u64>().expect("a number"))
        });
        let mut last = 0;
        for _ in 0..random.u32(1..4) {
            last = said
                .next()
                .unwrap_or_else(|| panic!("seed {seed}: it died early"));
        }
        std::thread::sleep(Duration::from_micros(random.u64(..4_000)));
        child.kill().expect("killed");
        last = said.last().unwrap_or(last);
        child.wait().expect("waited for");

        n_temps += names().len() - 1;
        // As the window opens it.
        saver.send(round as u64, Task::Load(path.clone()));
        woken.recv().expect("the saver answers");
        let done = saver.drain().next().expect("an answer");
        let Outcome::Loaded(Ok(opened)) = done.outcome else {
            panic!("seed {seed} round {round}: {:?}", done.outcome);
        };
        let loaded = opened.version;
        assert!(!loaded.damaged, "seed {seed} round {round}");
        assert!(loaded.warnings.is_empty());
        let n: u64 = loaded.flow.title.parse().expect("a number");
        assert!(
            n == last || n == last + 1,
            "seed {seed} round {round}: {n} is there, {last} was saved"
        );
        n_new += u32::from(n > last);
        assert!(
            *loaded.flow == version(n),
            "seed {seed} round {round}: mixed"
        );
        assert_eq!(names(), ["flow.graphml"], "seed {seed} round {round}");
    }
    println!("{KILLS} kills from seed {seed}: {n_temps} temps swept, {n_new} new files untold");
    assert!(n_temps > 0, "no kill met a save");
}

/// One hand that edits, with what it must see.
struct Hand {
    random: fastrand::Rng,
    document: Document,
    /// Every state from the open on, and which one is on the screen.
    states: Vec<Flow>,
    at: usize,
    n_named: u32,
}

impl Hand {
    fn text(&mut self) -> String {
        let words = ["", "a", " b ", "<&>\"'", "é😀", "x\ny\n", "\t]]>", "{}"];
        let n = self.random.usize(..4);
        (0..n)
            .map(|_| words[self.random.usize(..words.len())])
            .collect()
    }

    fn point(&mut self) -> Point {
        // Two decimals, as a file holds them.
        let mut number = || f64::from(self.random.i32(-400_000..400_000)) / 100.0;
        Point {
            x: number(),
            y: number(),
        }
    }

    /// A node of the flow; now and then one that it does not have.
    fn some_node(&mut self) -> NodeId {
        let n = self.document.flow().graph.n_nodes();
        if n == 0 || self.random.u8(..20) == 0 {
            return "nobody".into();
        }
        let nth = self.random.usize(..n);
        let node = self.document.flow().graph.nodes().nth(nth);
        node.expect("counted").id.clone()
    }

    fn some_edges(&mut self) -> Vec<handmill::model::EdgeId> {
        let edges = self.document.flow().graph.edges();
        let ids: Vec<_> = edges.map(|(_, _, edge)| edge.id.clone()).collect();
        let keep = |_: &handmill::model::EdgeId| self.random.u8(..8) == 0;
        ids.into_iter().filter(keep).collect()
    }

    fn new_node(&mut self) -> Node {
        self.n_named += 1;
        let id = format!("{}{}", self.text(), self.n_named);
        let command = self.text();
        let at = self.point();
        let mut node = Node::new(id.as_str(), command, at);
        node.title = self.text();
        node.disabled = self.random.bool();
        node
    }

    fn new_edge(&mut self, source: NodeId, target: NodeId) -> EdgeSpec {
        self.n_named += 1;
        EdgeSpec {
            edge: Edge {
                id: format!("e{}", self.n_named).as_str().into(),
                kind: self.kind(),
            },
            source,
            target,
        }
    }

    fn kind(&mut self) -> EdgeKind {
        match self.random.bool() {
            true => EdgeKind::Blocking,
            false => EdgeKind::NonBlocking,
        }
    }

    fn edit(&mut self, depth: u32) -> Edit {
        let id = self.some_node();
        match self.random.u8(..14) {
            0..3 => {
                let node = self.new_node();
                let edge = self.new_edge(id, node.id.clone());
                let edges = match self.document.flow().graph.contains(&edge.source) {
                    true => vec![edge],
                    false => vec![],
                };
                Edit::Add {
                    nodes: vec![node],
                    edges,
                }
            }
            3..5 => {
                let target = self.some_node();
                let edges = vec![self.new_edge(id, target)];
                Edit::Add {
                    nodes: vec![],
                    edges,
                }
            }
            5 => Edit::Remove {
                nodes: vec![id],
                edges: self.some_edges(),
            },
            6 => {
                let other = self.some_node();
                Edit::Move(vec![
                    (id.clone(), self.point()),
                    (other, self.point()),
                    (id, self.point()),
                ])
            }
            7..10 => Edit::SetNode {
                id,
                field: match self.random.u8(..7) {
                    0 => NodeField::Title(self.text()),
                    1 => NodeField::Command(self.text()),
                    2 => NodeField::Disabled(self.random.bool()),
                    3 => NodeField::Cwd(self.text()),
                    4 => NodeField::Env(Env(vec![("V".into(), "x y=z".into())])),
                    5 => NodeField::Timeout(
                        self.random
                            .bool()
                            .then(|| Duration::from_secs(self.random.u64(1..99))),
                    ),
                    _ => NodeField::Retries(self.random.u32(..9)),
                },
            },
            10 => {
                let kind = self.kind();
                Edit::SetEdgeKind(self.some_edges().into_iter().map(|id| (id, kind)).collect())
            }
            11..13 => Edit::SetFlow(match self.random.u8(..6) {
                0 => FlowField::Title(self.text()),
                1 => FlowField::Group(self.text()),
                2 => FlowField::Wrapper(
                    self.random
                        .bool()
                        .then(|| Wrapper::new(format!("nice {{}} {}", self.text()))),
                ),
                3 => FlowField::MaxPasses(self.random.bool().then_some(7)),
                4 => FlowField::JobsMax(self.random.bool().then_some(3)),
                _ => {
                    let at = self.point();
                    FlowField::Frames(vec![Frame {
                        id: FrameId("f".into()),
                        rect: Rect {
                            x: at.x,
                            y: at.y,
                            w: 100.0,
                            h: 50.25,
                        },
                        title: self.text(),
                        text: self.text(),
                    }])
                }
            }),
            _ if depth == 0 => {
                let n = self.random.usize(1..4);
                Edit::Batch((0..n).map(|_| self.edit(1)).collect())
            }
            _ => Edit::Move(vec![]),
        }
    }

    /// The screen shows `flow` after a step that undo takes back.
    fn step_to(&mut self, flow: Flow) {
        self.states.truncate(self.at + 1);
        self.states.push(flow);
        self.at += 1;
    }
}

#[test]
fn random_histories_of_edits_undone_redone_saved_and_reloaded_lose_nothing() {
    let seed = fastrand::u64(..);
    for round in 0..40 {
        let seed = seed.wrapping_add(round);
        if let Err(why) = std::panic::catch_unwind(|| one_history(seed)) {
            let why = why.downcast_ref::<String>().cloned().unwrap_or_default();
            panic!("one_history({seed}): {why}");
        }
    }
}

fn one_history(seed: u64) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("flow.graphml");
    let first = Flow::default();
    let stamp = store::save(&path, &first, None).expect("saved").stamp;
    let flow_ref = store::locate(&path).expect("located");
    let document = Document::new(
        flow_ref.clone(),
        Arc::new(first.clone()),
        DiskState::InStep(stamp),
    );
    let mut hand = Hand {
        random: fastrand::Rng::with_seed(seed),
        document,
        states: vec![first.clone()],
        at: 0,
        n_named: 0,
    };
    // What the file holds.
    let mut on_disk = first;
    for _ in 0..120 {
        match hand.random.u8(..20) {
            0..3 => {
                assert_eq!(hand.document.can_undo(), hand.at > 0);
                assert_eq!(hand.document.undo(), hand.at > 0);
                hand.at = hand.at.saturating_sub(1);
            }
            3..5 => {
                let can = hand.at + 1 < hand.states.len();
                assert_eq!(hand.document.can_redo(), can);
                assert_eq!(hand.document.redo(), can);
                hand.at += usize::from(can);
            }
            5..8 => {
                let DiskState::InStep(known) = hand.document.disk.clone() else {
                    panic!("{:?}", hand.document.disk);
                };
                let flow = hand.document.flow().clone();
                let saved = store::save(&path, &flow, Some(&known)).expect("saved");
                hand.document
                    .saved(hand.document.place(), flow.clone(), saved.stamp);
                on_disk = (*flow).clone();
                assert!(!hand.document.is_dirty());
            }
            8 => {
                // Another program changes the file; the document takes that over.
                let mut theirs = on_disk.clone();
                theirs.title = hand.text();
                let node = hand.new_node();
                theirs.graph.add_node(node).expect("a fresh id");
                store::save_over(&path, &theirs).expect("saved");
                let loaded = store::load(&path).expect("read");
                hand.document.reload(Arc::new(loaded.flow), loaded.stamp);
                on_disk = theirs.clone();
                hand.step_to(theirs);
            }
            9 => {
                // Closed and opened again: the history begins anew.
                let loaded = store::load(&path).expect("read");
                hand.document = Document::open(flow_ref.clone(), loaded);
                hand.states = vec![on_disk.clone()];
                hand.at = 0;
            }
            _ => {
                let edit = hand.edit(0);
                let mut wanted = hand.states[hand.at].clone();
                let applies = edit.clone().apply(&mut wanted).is_ok();
                assert_eq!(hand.document.apply(edit).is_ok(), applies);
                if applies {
                    hand.step_to(wanted);
                }
            }
        }
        assert_eq!(**hand.document.flow(), hand.states[hand.at]);
        if !hand.document.is_dirty() {
            assert_eq!(**hand.document.flow(), on_disk, "clean means as on disk");
        }
        let loaded = store::load(&path).expect("read");
        assert!(!loaded.damaged);
        assert_eq!(loaded.flow, on_disk);
    }
    while hand.document.undo() {
        hand.at -= 1;
        assert_eq!(**hand.document.flow(), hand.states[hand.at]);
    }
    assert_eq!(hand.at, 0, "undo reaches back to the open");
}
