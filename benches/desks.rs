//! What a switch between two workspaces costs the window's thread, without a screen; and what the first
//! opening of a large flow does, a change of all its nodes, and its undo.
//!
//! `cargo bench --bench desks` prints milliseconds for flows of 1 000, 10 000 and 100 000 nodes open in
//! both: the dearest frame that follows, run and tessellated, as processor time of the window's thread
//! alone. Numbers as arguments choose other sizes. The accessibility tree that finds the buttons here is
//! built in each frame, so a person without a screen reader pays less. GPU time is not in it.

#![allow(
    missing_docs,
    clippy::print_stdout,
    reason = "a program that prints a table, not a library"
)]

#[path = "shared/grid.rs"]
mod grid;
#[path = "shared/nobody.rs"]
mod nobody;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use handmill::app::ports::{
    Engine, FileDone, FileJob, Files, HealthLook, Lister, Loaded, Pasted, Provisioner, ResourceDesk,
};
use handmill::app::{App, Ports};
use handmill::editor::{Note, Stamp, Version};
use handmill::model::{
    Catalog, EdgeKind, Flow, FlowEntry, FlowRef, Node, NodeId, NodeState, NodeStatus, Point,
    Timestamp, Trigger, WorkspaceEntry,
};
use handmill::runtime::control::Moment;
use handmill::runtime::{Board, FlowBoard, Order};

use nobody::Nobody;

const NOW: Timestamp = Timestamp(1_795_257_667_000_000);
const STATUSES: [NodeStatus; 3] = [NodeStatus::Ran, NodeStatus::Running, NodeStatus::Failed];
const ROUNDS: usize = 15;
const SETTLED: Duration = Duration::from_millis(400);

fn main() {
    let mut sizes: Vec<usize> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    if sizes.is_empty() {
        sizes = vec![1_000, 10_000, 100_000];
    }
    println!(
        "{:>7}  {:<34} {:>9} {:>9}",
        "nodes", "case", "median ms", "worst ms"
    );
    for n in sizes {
        measure(n);
    }
}

fn measure(n: usize) {
    let world = Rc::new(World::new(n));
    let mut made = Some(Ports {
        engine: Box::new(Fake(world.clone())),
        files: Box::new(Fake(world.clone())),
        memory: Box::new(Nobody),
        desktop: Box::new(Nobody),
    });
    let world_seen = world.clone();
    let mut harness = Harness::builder()
        .with_size(egui::vec2(1_600.0, 1_000.0))
        .build_ui_state(
            move |ui, app: &mut Option<App>| match (app.as_mut(), made.take()) {
                (None, Some(ports)) => {
                    *app = Some(App::new(ui.ctx(), ports, vec![path_of("a")]));
                }
                (Some(app), _) => {
                    let begin = busy();
                    let mut frame = eframe::Frame::_new_kittest();
                    eframe::App::logic(app, ui.ctx(), &mut frame);
                    eframe::App::ui(app, ui, &mut frame);
                    let number = ui.ctx().cumulative_frame_nr();
                    world_seen.spent(number, (busy() - begin) * 1e3);
                }
                (None, None) => {}
            },
            None,
        );
    dearest(&mut harness, &world);
    let frames: Vec<f64> = (0..ROUNDS).map(|_| frame(&mut harness, &world)).collect();
    print(n, "a frame like any other", frames);
    // The other workspace for the first time, its flow opened there.
    show(&mut harness, &world, "b");
    harness.get_by_label_contains("Flow b").click();
    let opening = dearest(&mut harness, &world);
    print(n, "opening its flow", vec![opening]);
    let switch = |harness: &mut Harness<'_, Option<App>>, round: usize| {
        show(
            harness,
            &world,
            if round.is_multiple_of(2) { "a" } else { "b" },
        )
    };
    let times = (0..ROUNDS).map(|round| switch(&mut harness, round));
    print(n, "switch", times.collect());
    let times = (0..ROUNDS).map(|round| {
        world.turn(round);
        switch(&mut harness, round + 1)
    });
    print(n, "switch, all statuses new", times.collect());
    let (mut made, mut undone) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
        dearest(&mut harness, &world);
        harness.key_press(Key::Delete);
        made.push(dearest(&mut harness, &world));
        harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
        undone.push(dearest(&mut harness, &world));
    }
    print(n, "deleting all nodes", made);
    print(n, "undo of that", undone);
}

fn print(n: usize, case: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
    println!("{n:>7}  {case:<34} {median:>9.2} {worst:>9.2}");
}

/// Clicks on a workspace in the sidebar; the dearest frame until all is drawn.
fn show(harness: &mut Harness<'_, Option<App>>, world: &World, name: &str) -> f64 {
    let row = format!("{name}, ");
    harness.get_by_label_contains(&row).click();
    let ms = dearest(harness, world);
    harness.get_by_label_contains(&format!("Workspace {name}"));
    ms
}

/// The dearest of the frames until what is worked out beside the window's thread is drawn too: nothing of it
/// takes this long.
fn dearest(harness: &mut Harness<'_, Option<App>>, world: &World) -> f64 {
    let begin = Instant::now();
    let mut most = 0.0_f64;
    for n in 0.. {
        most = most.max(frame(harness, world));
        if n >= 6 && begin.elapsed() > SETTLED {
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    most
}

/// The dearest frame of a step, run and tessellated: milliseconds of this thread's processor time. A click is a
/// step of several frames.
fn frame(harness: &mut Harness<'_, Option<App>>, world: &World) -> f64 {
    world.frames.take();
    harness.step();
    let frames = world.frames.take();
    let run = frames.values().copied().fold(0.0, f64::max);
    let output = harness.output();
    let (shapes, scale) = (output.shapes.clone(), output.pixels_per_point);
    let begin = busy();
    let drawn = harness.ctx.tessellate(shapes, scale);
    assert!(!drawn.is_empty());
    run + (busy() - begin) * 1e3
}

/// Seconds that this thread had a processor.
fn busy() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn path_of(name: &str) -> PathBuf {
    PathBuf::from(format!("/c/{name}/flow_modules/{name}.graphml"))
}

fn flow_ref(name: &str) -> FlowRef {
    FlowRef {
        workspace: name.into(),
        root: Arc::from(Path::new("/c").join(name)),
        file: format!("flow_modules/{name}.graphml").into(),
    }
}

struct World {
    flow: Arc<Flow>,
    board: RefCell<Arc<Board>>,
    /// The board again, with all statuses others.
    boards: [Arc<Board>; 3],
    /// What each frame of a step took so far, by its number, in milliseconds.
    frames: RefCell<BTreeMap<u64, f64>>,
    done: RefCell<Vec<FileDone>>,
}

impl World {
    fn new(n: usize) -> Self {
        let mut flow = grid::nodes(n);
        let rows = grid::n_rows(n);
        for i in rows..n {
            grid::join(&mut flow, i - rows, i, EdgeKind::Blocking);
        }
        let stands = |turn: usize| {
            let state = |i: usize| NodeState {
                status: STATUSES[(i + turn) % STATUSES.len()],
                started: Some(NOW),
                ..NodeState::default()
            };
            let nodes: HashMap<NodeId, NodeState> =
                (0..n).map(|i| (grid::node_id(i), state(i))).collect();
            Arc::new(FlowBoard {
                loaded: true,
                nodes: Arc::new(nodes),
                ..FlowBoard::default()
            })
        };
        let workspaces = ["a", "b"].map(|name| {
            Arc::new(WorkspaceEntry {
                id: name.into(),
                name: name.to_owned(),
                root: flow_ref(name).root,
                flows: vec![FlowEntry {
                    flow: flow_ref(name),
                    title: format!("Flow {name}"),
                    group: String::new(),
                    trigger: Trigger::Manual,
                    n_nodes: n,
                    problem: None,
                }],
                modules: Vec::new(),
            })
        });
        let catalog = Arc::new(Catalog {
            root: Some("/c".into()),
            workspaces: workspaces.into(),
            rejected: Vec::new(),
            trouble: String::new(),
        });
        let boards = [0, 1, 2].map(|turn| {
            let stands = stands(turn);
            let flows = ["a", "b"].map(|name| (flow_ref(name), stands.clone()));
            Arc::new(Board {
                catalog: catalog.clone(),
                flows: flows.into(),
                ..Board::default()
            })
        });
        Self {
            flow: Arc::new(flow),
            board: RefCell::new(boards[0].clone()),
            boards,
            frames: RefCell::default(),
            done: RefCell::default(),
        }
    }

    fn spent(&self, frame: u64, ms: f64) {
        *self.frames.borrow_mut().entry(frame).or_default() += ms;
    }

    /// From now on every node has another status.
    fn turn(&self, round: usize) {
        let next = (round + 1) % self.boards.len();
        self.board.replace(self.boards[next].clone());
    }
}

struct Fake(Rc<World>);

impl Engine for Fake {
    fn send(&self, _order: Order) {}
    fn board(&self) -> Arc<Board> {
        self.0.board.borrow().clone()
    }
    fn now(&self) -> Timestamp {
        NOW
    }
    fn boot(&self) -> Moment {
        Moment(0)
    }
    fn health(&self) -> HealthLook {
        Box::new(|_| Vec::new())
    }
    fn resources(&self) -> Arc<dyn ResourceDesk> {
        Arc::new(Nobody)
    }
    fn command_line(&self, _flow: &Flow, node: &Node) -> String {
        node.command.clone()
    }
}

impl Files for Fake {
    fn send(&self, job: FileJob) {
        let FileJob::Load { tab, path } = job else {
            return;
        };
        let name = if path == path_of("a") { "a" } else { "b" };
        let loaded = Loaded {
            collection: None,
            flow_ref: flow_ref(name),
            version: Version {
                flow: self.0.flow.clone(),
                warnings: Arc::default(),
                damaged: false,
                results: Arc::default(),
                stamp: Stamp {
                    len: 1,
                    modified: NOW,
                    inode: 1,
                    hash: [0; 32],
                },
                is_trusted: true,
            },
            unsaved: None,
            remark: None,
        };
        let result = Ok(Box::new(loaded));
        let done = FileDone::Loaded { tab, result };
        self.0.done.borrow_mut().push(done);
    }
    fn note(&self, _note: Note) {}
    fn drain(&self) -> Vec<FileDone> {
        self.0.done.take()
    }
    fn to_text(&self, _flow: &Flow, _nodes: &[NodeId]) -> String {
        String::new()
    }
    fn paste(&self, _text: &str, _into: &Flow, _at: Option<Point>) -> Result<Pasted, String> {
        Err(String::new())
    }
    fn lister(&self) -> Lister {
        Arc::new(|_| Vec::new())
    }
    fn provisioner(&self) -> Provisioner {
        Arc::new(|_, _| Err((String::new(), String::new())))
    }
    fn example(&self) -> Option<PathBuf> {
        None
    }
}
