//! What control costs in a shared folder with 10 000 runs: a heartbeat, a snapshot with a few new
//! rows, an observer's look at either. Prints a line each; `cargo bench --bench share`. A folder as
//! argument is used instead of one in the temporary folder: a mount that is to be measured.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench prints its figures, and ends at the first surprise"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use handmill::lease::{
    ClaimNote, Epoch, Generation, Hydrated, LeaseRow, MachineId, Op, Page, Reply, RowStatus, Table,
    Token,
};
use handmill::model::{
    Choice, Counts, Event, Exit, Finish, Flow, FlowRef, Node, NodeIdx, NodeRunId, NodeStatus,
    Outcome, Point, Retention, RunId, RunStart, Timestamp, WorkspaceId,
};
use handmill::runtime::{SharedLedger, Workspace};
use handmill::share::SharedFolder;
use handmill::share::table::TableReader;
use handmill::store::Home;

const RUNS: i64 = 10_000;
const NODES: u32 = 3;
const ROUNDS: usize = 21;
const START: i64 = 1_795_000_000_000_000;

/// One machine's ledger with its folder.
struct Machine {
    _home: tempfile::TempDir,
    workspace: Arc<Workspace>,
    side: SharedLedger,
    frozen: Arc<Flow>,
}

/// Nothing is too old to be shared.
const FOR_EVER: Retention = Retention {
    days: 0,
    log_bytes_max: 0,
};

fn flow(n: i64) -> FlowRef {
    FlowRef {
        workspace: WorkspaceId::new("bench-1"),
        root: Path::new("/bench").into(),
        file: format!("flow_modules/flow_{}.graphml", n % 25).into(),
    }
}

impl Machine {
    fn new(host: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let home = Home::at(dir.path());
        let open = Workspace::open(&home, &flow(0), Timestamp(START), |notice| {
            println!("{notice:?}");
        });
        let workspace = Arc::new(open.expect("opens"));
        let mut flow = Flow::default();
        for n in 0..NODES {
            let node = Node::new(format!("n{n}").as_str(), "echo", Point::default());
            flow.graph.add_node(node).expect("names differ");
        }
        Self {
            _home: dir,
            side: SharedLedger::new(workspace.clone(), host, FOR_EVER, || {}),
            workspace,
            frozen: Arc::new(flow),
        }
    }

    /// Records a run as the dispatcher does, one in seven failed; with logs or as one whose logs are gone.
    fn run(&self, n: i64, has_logs: bool) {
        let ledger = &self.workspace.ledger;
        let at = |micros: i64| Timestamp(START + n * 40_000_123 + micros);
        let run = RunId::new(format!("run-{n:08}"));
        let all: Arc<[NodeIdx]> = (0..NODES).map(NodeIdx).collect();
        ledger.record(Event::RunStarted(Box::new(RunStart {
            run: run.clone(),
            flow: flow(n),
            frozen: self.frozen.clone(),
            choice: Choice::Full,
            resumes: None,
            subset: all,
            kept: [].into(),
            marks: [].into(),
            triggers: [].into(),
            at: at(0),
        })));
        let mut failed = 0;
        for node in 0..NODES {
            let id = NodeRunId {
                run: run.clone(),
                node: NodeIdx(node),
                pass: 1,
                attempt: 1,
            };
            if has_logs {
                let (out, err) = self.workspace.log_files(&id);
                std::fs::create_dir_all(out.parent().expect("a folder")).expect("made");
                std::fs::write(out, "a line\n".repeat(100)).expect("written");
                std::fs::write(err, "").expect("written");
            }
            let fails = n % 7 == 0 && node == NODES - 1;
            failed += u32::from(fails);
            ledger.record(Event::NodeStarted {
                id: id.clone(),
                at: at(i64::from(node) * 2_000),
            });
            ledger.record(Event::NodeFinished(Finish {
                id,
                exit: Exit::Code(i32::from(fails)),
                status: if fails {
                    NodeStatus::Failed
                } else {
                    NodeStatus::Ran
                },
                retry_at: None,
                at: at(i64::from(node) * 2_000 + 1_000),
            }));
        }
        ledger.record(Event::RunFinished {
            run,
            outcome: if failed > 0 {
                Outcome::Failed
            } else {
                Outcome::Succeeded
            },
            counts: Counts {
                subset: NODES,
                ran: NODES - failed,
                failed,
                ..Counts::default()
            },
            skipped: [].into(),
            at: at(i64::from(NODES) * 2_000),
        });
    }
}

struct Bench {
    owner: SharedFolder,
    ledger: Machine,
    n_pages: u128,
}

const EPOCH: Epoch = Epoch(1);

impl Bench {
    fn carry(&mut self, op: Op) {
        let reply = self.owner.carry(&op, &mut self.ledger.side);
        assert!(matches!(reply, Reply::Done), "{op:?}: {reply:?}");
    }

    fn page(&mut self, page: Page) {
        self.n_pages += 1;
        let token = Token(self.n_pages);
        self.carry(Op::WritePage {
            epoch: EPOCH,
            token,
            page: page.clone(),
        });
        self.carry(Op::MovePage {
            epoch: EPOCH,
            token,
            page,
        });
    }

    fn heartbeat(&mut self, generation: u128) {
        let row = LeaseRow {
            machine: self.owner.machine().clone(),
            host: "bench".to_owned(),
            daemon: "d".to_owned(),
            pid: 1,
            status: RowStatus::Running,
            started_at: Timestamp(START),
            checkpoint_at: Timestamp(START + self.n_pages as i64),
            generation: Generation::new(EPOCH, Token(generation)),
            app_version: "bench".to_owned(),
        };
        self.page(Page::Row(row));
    }

    fn snapshot(&mut self, generation: u128) {
        for table in Table::ALL {
            self.page(Page::Table {
                table,
                generation: Generation::new(EPOCH, Token(generation)),
            });
        }
        self.heartbeat(generation);
    }
}

fn main() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let place = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let place = place.map_or_else(|| dir.path().to_owned(), PathBuf::from);
    for runs_kept in [RUNS as usize, 500] {
        let workspace = place.join(format!("bench-{runs_kept}"));
        std::fs::create_dir_all(&workspace).expect("a folder");
        measure(&workspace, runs_kept);
        std::fs::remove_dir_all(&workspace).expect("removed");
    }
}

fn open(workspace: &Path, id: &str) -> SharedFolder {
    let reader = TableReader::of_program(env!("CARGO_BIN_EXE_handmill"));
    SharedFolder::open(workspace, MachineId(id.to_owned()), reader).expect("opens")
}

fn measure(workspace: &Path, runs_kept: usize) {
    println!("{RUNS} runs in the ledger, the newest {runs_kept} shared");
    let mut bench = Bench {
        owner: open(workspace, "a").sharing_runs(runs_kept),
        ledger: Machine::new("a"),
        n_pages: 0,
    };
    for n in 0..RUNS {
        bench.ledger.run(n, false);
    }
    bench.ledger.workspace.ledger.flush().expect("on disk");
    let note = ClaimNote {
        epoch: EPOCH,
        token: Token(1),
        machine: MachineId("a".to_owned()),
        host: "bench".to_owned(),
        boot: String::new(),
        pid: 1,
        at: Timestamp(START),
        scale: 1,
    };
    let claim = Instant::now();
    bench.carry(Op::Touch { token: Token(1) });
    bench.carry(Op::MakeNew { note });
    bench.carry(Op::RenameNew {
        token: Token(1),
        epoch: EPOCH,
    });
    print("claim", &[millis(claim)]);
    let first = Instant::now();
    bench.snapshot(1);
    print("first snapshot, all rows new", &[millis(first)]);
    let mut watcher = open(workspace, "b");
    let mut seen = Machine::new("b");
    let hydrate = Instant::now();
    assert_eq!(watcher.watch(&mut seen.side), Ok(Hydrated::Adopted));
    print("observer's first look, all rows new", &[millis(hydrate)]);
    let mut figures = [const { Vec::new() }; 4];
    for round in 0..ROUNDS {
        let generation = round as u128 + 2;
        let [heartbeat, snapshot, beat_seen, snapshot_seen] = &mut figures;
        timed(heartbeat, || bench.heartbeat(generation - 1));
        timed(beat_seen, || {
            assert_eq!(watcher.watch(&mut seen.side), Ok(Hydrated::Nothing));
        });
        bench.ledger.run(RUNS + round as i64, true);
        timed(snapshot, || bench.snapshot(generation));
        timed(snapshot_seen, || {
            assert_eq!(watcher.watch(&mut seen.side), Ok(Hydrated::Adopted));
        });
    }
    let names = [
        "heartbeat (goal 20 ms)",
        "snapshot, one new run (goal 250 ms)",
        "observer, heartbeat only",
        "observer, new snapshot (goal 100 ms)",
    ];
    for (name, figures) in names.iter().zip(&figures) {
        print(name, figures);
    }
    let known = seen.workspace.ledger.count_runs_since(Timestamp(0));
    println!(
        "  runs that the observer knows: {}",
        known.expect("counted")
    );
    for table in Table::ALL {
        let path = workspace.join(format!(
            ".workspace_state/state/{}/{}.parquet",
            table.folder(),
            watcher.name()
        ));
        let len = std::fs::metadata(path).expect("published").len();
        println!("  {:<12} {:>8.1} KiB", table.folder(), len as f64 / 1024.0);
    }
}

fn timed(into: &mut Vec<f64>, act: impl FnOnce()) {
    let start = Instant::now();
    act();
    into.push(millis(start));
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn print(name: &str, figures: &[f64]) {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (median, max) = (sorted[sorted.len() / 2], sorted[sorted.len() - 1]);
    println!("  {name:<40} {median:>8.2} ms  (max {max:.2})");
}
