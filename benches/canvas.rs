//! CPU time of the canvas per frame, without a window: what egui runs plus what it tessellates.
//!
//! `cargo bench --bench canvas` prints medians in milliseconds for 1 000, 10 000 and 100 000 nodes.
//! Numbers as arguments choose other sizes. GPU time is not in them.

#![allow(
    missing_docs,
    clippy::print_stdout,
    reason = "a program that prints a table, not a library"
)]

#[path = "shared/grid.rs"]
mod grid;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use egui::{Event, Modifiers, PointerButton, Pos2, RawInput, Rect, Vec2, pos2, vec2};
use handmill::app::{
    Action, CanvasInput, CanvasState, Selection, Theme, Verb, VerbInfo, canvas_ui,
};
use handmill::model::{EdgeKind, Flow, NodeId, NodeState, NodeStatus, Timestamp};
use handmill::runtime::FlowBoard;

const VIEW: Vec2 = vec2(1_600.0, 1_000.0);
const FRAMES: usize = 31;

struct Bench {
    ctx: egui::Context,
    flow: Arc<Flow>,
    board: FlowBoard,
    selection: Selection,
    state: CanvasState,
    now: i64,
}

fn main() {
    let mut sizes: Vec<usize> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    if sizes.is_empty() {
        sizes = vec![1_000, 10_000, 100_000];
    }
    println!(
        "{:>7}  {:<38} {:>7} {:>7} {:>7}",
        "nodes", "case", "run", "tess", "sum ms"
    );
    for n in sizes {
        measure(n);
    }
}

fn measure(n: usize) {
    let mut bench = Bench::new(n);
    let (run, tess) = bench.frame(Vec::new());
    print(n, "first frame, all visible", run, tess);
    bench.case(n, "all visible, mouse moving", |i| {
        vec![Event::PointerMoved(pos2(400.0 + i as f32, 300.0))]
    });
    bench.statuses(n, "all visible, 200 statuses change");
    bench.drag(n, "all visible, panning", PointerButton::Middle);
    // A thousand nodes or so in view, with text: the dearest picture there is.
    bench.zoom_to(0.31);
    bench.case(n, "zoom 0.31, mouse moving", |i| {
        vec![Event::PointerMoved(pos2(400.0 + i as f32, 300.0))]
    });
    bench.drag(n, "zoom 0.31, panning", PointerButton::Middle);
    bench.zoom_to(1.0);
    bench.case(n, "zoom 1, mouse moving", |i| {
        vec![Event::PointerMoved(pos2(400.0 + i as f32, 300.0))]
    });
    bench.drag(n, "zoom 1, panning", PointerButton::Middle);
    bench.drag(n, "zoom 1, dragging a node", PointerButton::Primary);
    bench.statuses(n, "zoom 1, 200 statuses change");
    bench.selection = Selection::of(
        bench
            .flow
            .graph
            .nodes()
            .map(|node| node.id.clone())
            .collect(),
        Vec::new(),
        Vec::new(),
    );
    bench.drag(n, "zoom 1, dragging all nodes", PointerButton::Primary);
    bench.selection = Selection::default();
    bench.ctx.enable_accesskit();
    bench.zoom_to(0.31);
    bench.drag(
        n,
        "zoom 0.31, panning, screen reader on",
        PointerButton::Middle,
    );
}

fn print(n: usize, case: &str, run: f64, tess: f64) {
    println!(
        "{n:>7}  {case:<38} {run:>7.2} {tess:>7.2} {:>7.2}",
        run + tess
    );
}

impl Bench {
    fn new(n: usize) -> Self {
        let mut random = fastrand::Rng::with_seed(7);
        let mut flow = grid::nodes(n);
        let rows = grid::n_rows(n);
        let nodes: HashMap<NodeId, NodeState> =
            (0..n).map(|i| (grid::node_id(i), state_of(i))).collect();
        let mut fired = HashSet::new();
        for i in rows..n {
            let near = (i - rows + random.usize(..3)).min(i - 1);
            let id = grid::join(&mut flow, near, i, EdgeKind::Blocking);
            if i % 3 == 0 {
                fired.insert(id);
                grid::join(&mut flow, i - rows, i, EdgeKind::NonBlocking);
            }
        }
        let board = FlowBoard {
            loaded: true,
            nodes: Arc::new(nodes),
            fired: Arc::new(fired),
            ..FlowBoard::default()
        };
        let ctx = egui::Context::default();
        Self {
            ctx,
            flow: Arc::new(flow),
            board,
            selection: Selection::default(),
            state: CanvasState::default(),
            now: 1_000_000_000,
        }
    }

    /// One frame; milliseconds run and tessellated.
    fn frame(&mut self, events: Vec<Event>) -> (f64, f64) {
        self.now += 16_667;
        let raw = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, VIEW)),
            time: Some(self.now as f64 / 1e6),
            events,
            ..RawInput::default()
        };
        let theme = Theme::dark();
        let verb = |_: Verb| VerbInfo::default();
        let mut actions: Vec<Action> = Vec::new();
        let begin = Instant::now();
        let mut out = self.ctx.run_ui(raw, |ui| {
            let input = CanvasInput {
                doc_id: 1,
                flow: &self.flow,
                revision: 0,
                board: Some(&self.board),
                preview: None,
                selection: &self.selection,
                theme: &theme,
                now: Timestamp(self.now),
                enabled: true,
                minimap: true,
                verb_info: &verb,
            };
            canvas_ui(ui, &input, &mut self.state, &mut actions);
        });
        let run = begin.elapsed();
        let begin = Instant::now();
        let shapes = std::mem::take(&mut out.shapes);
        let drawn = self.ctx.tessellate(shapes, out.pixels_per_point);
        let tess = begin.elapsed();
        // egui insists that a frame's textures are taken; there is no screen to give them to.
        out.textures_delta.clear();
        assert!(!drawn.is_empty());
        (run.as_secs_f64() * 1e3, tess.as_secs_f64() * 1e3)
    }

    fn case(&mut self, n: usize, name: &str, events: impl Fn(usize) -> Vec<Event>) {
        let mut times: Vec<(f64, f64)> = (0..FRAMES).map(|i| self.frame(events(i))).collect();
        times.sort_by(|a, b| (a.0 + a.1).total_cmp(&(b.0 + b.1)));
        let (run, tess) = times[FRAMES / 2];
        print(n, name, run, tess);
    }

    fn drag(&mut self, n: usize, name: &str, button: PointerButton) {
        // The middle of the view may lie between nodes: a press where a node is told to be drags it.
        let start = pos2(800.0, 500.0);
        let press = |pressed, pos| Event::PointerButton {
            pos,
            button,
            pressed,
            modifiers: Modifiers::NONE,
        };
        self.frame(vec![Event::PointerMoved(start)]);
        self.frame(vec![press(true, start)]);
        self.case(n, name, |i| {
            let way = 8.0 + 6.0 * (i % 16) as f32;
            vec![Event::PointerMoved(start + vec2(way, way / 2.0))]
        });
        self.frame(vec![press(false, start)]);
        self.frame(vec![Event::PointerMoved(start)]);
    }

    fn statuses(&mut self, n: usize, name: &str) {
        let mut times = Vec::new();
        for round in 0..FRAMES {
            let mut nodes = (*self.board.nodes).clone();
            for k in 0..200 {
                let i = (round * 977 + k * 131) % n;
                nodes.insert(grid::node_id(i), state_of(i + round + 1));
            }
            self.board.nodes = Arc::new(nodes);
            times.push(self.frame(Vec::new()));
        }
        times.sort_by(|a, b| (a.0 + a.1).total_cmp(&(b.0 + b.1)));
        let (run, tess) = times[FRAMES / 2];
        print(n, name, run, tess);
    }

    fn zoom_to(&mut self, zoom: f32) {
        self.state.ask(Verb::ZoomReset);
        self.frame(Vec::new());
        // Ctrl and the wheel, as a hand would.
        let middle = (VIEW / 2.0).to_pos2();
        self.frame(vec![
            Event::PointerMoved(middle),
            Event::Zoom(zoom / self.state.zoom()),
        ]);
    }
}

fn state_of(i: usize) -> NodeState {
    use NodeStatus::{Failed, Idle, Ran, Ready, Running};
    NodeState {
        status: [Ran, Ran, Running, Idle, Ready, Ran, Failed][i % 7],
        started: Some(Timestamp(999_000_000)),
        ended: (i % 7 != 2).then_some(Timestamp(1_000_000_000)),
        pass: 1,
        ..NodeState::default()
    }
}
