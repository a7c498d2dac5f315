//! What a large collection costs: looking it through, looking again, and a frame of the window that
//! lists it.
//!
//! `cargo bench --bench catalog` prints milliseconds for workspaces of 20, 200 and 2 000 flows of 20
//! nodes. Read the ratios: a second look must not depend on how large the flows are, and a frame not
//! on how many there are.

#![allow(
    missing_docs,
    clippy::print_stdout,
    reason = "a program that prints a table, not a library"
)]

#[path = "shared/nobody.rs"]
mod nobody;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use handmill::app::ports::{
    Engine, FileDone, FileJob, Files, HealthLook, Lister, Pasted, Provisioner, ResourceDesk,
};
use handmill::app::{App, Ports};
use handmill::editor::Note;
use handmill::graphml;
use handmill::model::{
    Catalog, Counts, Flow, FlowRef, Node, NodeId, Outcome, Point, RunSummary, Timestamp,
};
use handmill::runtime::control::Moment;
use handmill::runtime::{Board, Order};
use handmill::store::Scanner;

use nobody::Nobody;

const NOW: Timestamp = Timestamp(1_795_257_667_000_000);
const LONG_AFTER: Timestamp = Timestamp(i64::MAX / 2);
const ROUNDS: usize = 25;

fn main() {
    println!("{:>6}  {:<42} {:>9}", "flows", "case", "ms");
    for n in [20, 200, 2_000] {
        measure(n);
    }
}

fn measure(n: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let modules = folder.path().join("mill/flow_modules");
    std::fs::create_dir_all(&modules).expect("a folder");
    for i in 0..n {
        let text = graphml::write(&flow(i), None).expect("a flow");
        std::fs::write(modules.join(format!("flow-{i:04}.graphml")), text).expect("a file");
    }
    let mut scanner = Scanner::default();
    let row = |case: &str, ms: f64| println!("{n:>6}  {case:<42} {ms:>9.2}");
    let mut look = || {
        let begun = Instant::now();
        let scan = scanner.scan(folder.path(), LONG_AFTER);
        (begun.elapsed().as_secs_f64() * 1e3, scan.catalog)
    };
    row("first look", look().0);
    let again: Vec<f64> = (0..ROUNDS).map(|_| look().0).collect();
    row("look again, nothing changed", median(again));
    let text = graphml::write(&flow(n + 1), None).expect("a flow");
    std::fs::write(modules.join("flow-0000.graphml"), text).expect("a file");
    let (ms, catalog) = look();
    row("look again, one flow changed", ms);
    frames(catalog, row);
}

/// Frames of the window at rest, and while a run publishes a new board for each.
fn frames(catalog: Catalog, row: impl Fn(&str, f64)) {
    let flows = &catalog.workspaces[0].flows;
    let last_runs: BTreeMap<FlowRef, RunSummary> = flows
        .iter()
        .map(|flow| (flow.flow.clone(), run()))
        .collect();
    let board = Board {
        catalog: Arc::new(catalog),
        last_runs: Arc::new(last_runs),
        ..Board::default()
    };
    let world = Rc::new(RefCell::new(Arc::new(board)));
    let mut made = Some(Ports {
        engine: Box::new(Fake(world.clone())),
        files: Box::new(Fake(world.clone())),
        memory: Box::new(Nobody),
        desktop: Box::new(Nobody),
    });
    let mut harness = Harness::builder()
        .with_size(egui::vec2(1_280.0, 800.0))
        .build_ui_state(
            move |ui, app: &mut Option<App>| match (made.take(), app) {
                (Some(ports), app) => *app = Some(App::new(ui.ctx(), ports, Vec::new())),
                (None, Some(app)) => {
                    let mut frame = eframe::Frame::_new_kittest();
                    let ctx = ui.ctx().clone();
                    eframe::App::logic(app, &ctx, &mut frame);
                    eframe::App::ui(app, ui, &mut frame);
                }
                (None, None) => {}
            },
            None,
        );
    harness.run_steps(5);
    let mut frame = |change: bool| {
        if change {
            let mut world = world.borrow_mut();
            let board = Arc::make_mut(&mut world);
            board.revision += 1;
            let runs = Arc::make_mut(&mut board.last_runs);
            if let Some(mut first) = runs.first_entry() {
                first.get_mut().started.0 += 1;
            }
        }
        let begun = Instant::now();
        harness.step();
        begun.elapsed().as_secs_f64() * 1e3
    };
    row("frame", median((0..ROUNDS).map(|_| frame(false)).collect()));
    let live = (0..ROUNDS).map(|_| frame(true)).collect();
    row("frame, a run has ended since the last", median(live));
    harness.get_by_label_contains("Workspace ").click();
    harness.run_steps(3);
    harness.get_by_label_contains("Show mill");
    let step = |_| {
        let begun = Instant::now();
        harness.step();
        begun.elapsed().as_secs_f64() * 1e3
    };
    row(
        "frame, the list of workspaces is open",
        median((0..ROUNDS).map(step).collect()),
    );
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn flow(i: usize) -> Flow {
    let mut flow = Flow {
        title: format!("Flow number {i}"),
        group: format!("Group {}", i % 12),
        ..Flow::default()
    };
    for at in 0..20_u32 {
        let place = Point {
            x: f64::from(at) * 200.0,
            y: 0.0,
        };
        let node = Node::new(format!("n{at}").as_str(), format!("echo {i} {at}"), place);
        flow.graph.add_node(node).expect("a fresh id");
    }
    flow
}

fn run() -> RunSummary {
    RunSummary {
        id: "r".into(),
        choice: "full".into(),
        resumes: None,
        started: Timestamp(NOW.0 - 90_000_000),
        ended: Some(Timestamp(NOW.0 - 60_000_000)),
        outcome: Some(Outcome::Failed),
        counts: Counts::default(),
        ran_on: None,
    }
}

struct Fake(Rc<RefCell<Arc<Board>>>);

impl Engine for Fake {
    fn send(&self, _order: Order) {}
    fn board(&self) -> Arc<Board> {
        self.0.borrow().clone()
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
    fn send(&self, _job: FileJob) {}
    fn note(&self, _note: Note) {}
    fn drain(&self) -> Vec<FileDone> {
        Vec::new()
    }
    fn to_text(&self, _flow: &Flow, _nodes: &[NodeId]) -> String {
        String::new()
    }
    fn paste(&self, _text: &str, _into: &Flow, _at: Option<Point>) -> Result<Pasted, String> {
        Err(String::new())
    }
    fn lister(&self) -> Lister {
        Arc::new(|_: &Path| Vec::new())
    }
    fn provisioner(&self) -> Provisioner {
        Arc::new(|_, _| Err((String::new(), String::new())))
    }
    fn example(&self) -> Option<PathBuf> {
        None
    }
}
