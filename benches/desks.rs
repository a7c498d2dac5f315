//! What a switch between two workspaces costs the window's thread, without a screen.
//!
//! `cargo bench --bench desks` prints milliseconds of the dearest frame of a switch, run and
//! tessellated, for flows of 1 000, 10 000 and 100 000 nodes open in both. Numbers as arguments
//! choose other sizes. The accessibility tree that finds the buttons here is built in each frame,
//! so a person without a screen reader pays less. GPU time is not in it.

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
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use handmill::app::ports::{
    Engine, FileDone, FileJob, Files, HealthLook, Lister, Loaded, Pasted, Provisioner,
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
const ROUNDS: usize = 15;

fn main() {
    let mut sizes: Vec<usize> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    if sizes.is_empty() {
        sizes = vec![1_000, 10_000, 100_000];
    }
    println!("{:>7}  {:<34} {:>8}", "nodes", "case", "ms");
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
    let mut harness = Harness::builder()
        .with_size(egui::vec2(1_600.0, 1_000.0))
        .build_ui_state(
            move |ui, app: &mut Option<App>| match (app.as_mut(), made.take()) {
                (None, Some(ports)) => {
                    *app = Some(App::new(ui.ctx(), ports, vec![path_of("a")]));
                }
                (Some(app), _) => {
                    let mut frame = eframe::Frame::_new_kittest();
                    eframe::App::logic(app, ui.ctx(), &mut frame);
                    eframe::App::ui(app, ui, &mut frame);
                }
                (None, None) => {}
            },
            None,
        );
    harness.run_steps(8);
    println!(
        "{n:>7}  {:<34} {:>8.2}",
        "a frame like any other",
        dearest(&mut harness)
    );
    // The other workspace for the first time, its flow opened there.
    show(&mut harness, "b");
    harness.get_by_label_contains("Flow b").click();
    println!(
        "{n:>7}  {:<34} {:>8.2}",
        "opening its flow",
        dearest(&mut harness)
    );
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let to = if round % 2 == 0 { "a" } else { "b" };
        times.push(show(&mut harness, to));
    }
    times.sort_by(f64::total_cmp);
    let (median, most) = (times[ROUNDS / 2], times[ROUNDS - 1]);
    println!("{n:>7}  {:<34} {median:>8.2}", "switch, median");
    println!("{n:>7}  {:<34} {most:>8.2}", "switch, dearest");
}

/// Clicks on a workspace in the sidebar; the dearest frame until all is drawn.
fn show(harness: &mut Harness<'_, Option<App>>, name: &str) -> f64 {
    let row = format!("{name}, ");
    harness.get_by_label_contains(&row).click();
    let ms = dearest(harness);
    harness.get_by_label_contains(&format!("Workspace {name}"));
    ms
}

/// The dearest of the next frames, run and tessellated, in milliseconds.
fn dearest(harness: &mut Harness<'_, Option<App>>) -> f64 {
    let frame = |harness: &mut Harness<'_, Option<App>>| {
        let begin = Instant::now();
        harness.step();
        let output = harness.output();
        let (shapes, scale) = (output.shapes.clone(), output.pixels_per_point);
        let drawn = harness.ctx.tessellate(shapes, scale);
        assert!(!drawn.is_empty());
        begin.elapsed().as_secs_f64() * 1e3
    };
    (0..6).map(|_| frame(harness)).fold(0.0, f64::max)
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
    board: Arc<Board>,
    done: RefCell<Vec<FileDone>>,
}

impl World {
    fn new(n: usize) -> Self {
        let mut flow = grid::nodes(n);
        let rows = grid::n_rows(n);
        let mut nodes = HashMap::new();
        for i in 0..n {
            let state = NodeState {
                status: [NodeStatus::Ran, NodeStatus::Running, NodeStatus::Failed][i % 3],
                started: Some(NOW),
                ..NodeState::default()
            };
            nodes.insert(grid::node_id(i), state);
            if i >= rows {
                grid::join(&mut flow, i - rows, i, EdgeKind::Blocking);
            }
        }
        let stands = Arc::new(FlowBoard {
            loaded: true,
            nodes: Arc::new(nodes),
            ..FlowBoard::default()
        });
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
        let board = Board {
            catalog: Arc::new(Catalog {
                root: Some("/c".into()),
                workspaces: workspaces.into(),
                rejected: Vec::new(),
                trouble: String::new(),
            }),
            flows: ["a", "b"]
                .map(|name| (flow_ref(name), stands.clone()))
                .into(),
            ..Board::default()
        };
        Self {
            flow: Arc::new(flow),
            board: Arc::new(board),
            done: RefCell::default(),
        }
    }
}

struct Fake(Rc<World>);

impl Engine for Fake {
    fn send(&self, _order: Order) {}
    fn board(&self) -> Arc<Board> {
        self.0.board.clone()
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
