//! What control costs in a shared folder with 10 000 runs: a heartbeat, a snapshot with a few new
//! rows, an observer's look at either. Prints a line each; `cargo bench --bench share`. A folder as
//! argument is used instead of one in the temporary folder: a mount that is to be measured.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench prints its figures, and ends at the first surprise"
)]

use std::path::{Path, PathBuf};
use std::time::Instant;

use handmill::lease::{
    ClaimNote, Epoch, Generation, Hydrated, LeaseRow, MachineId, Op, Page, Reply, RowStatus, Table,
    Token,
};
use handmill::model::Timestamp;
use handmill::share::table::TableReader;
use handmill::share::{
    Adoption, FileStateRow, LedgerSide, LogRow, Rows, RunRow, SharedFolder, StepRow, Wanted,
};

const RUNS: i64 = 10_000;
const STEPS_PER_RUN: i64 = 3;
const ROUNDS: usize = 21;
const START: i64 = 1_795_000_000_000_000;

/// Has all its rows from the beginning, and one more run at each asking.
struct Ledger {
    n_runs: i64,
    n_adopted: usize,
}

impl LedgerSide for Ledger {
    fn rows(&mut self, wanted: Wanted) -> Result<Rows, String> {
        let runs = match wanted {
            Wanted::Newest { n_runs } => self.n_runs - self.n_runs.min(n_runs as i64)..self.n_runs,
            Wanted::Changed => self.n_runs..self.n_runs + 1,
        };
        self.n_runs = runs.end;
        Ok(Rows {
            steps: runs.clone().flat_map(steps).collect(),
            logs: runs.clone().filter(|n| n % 7 == 0).map(log).collect(),
            files: runs.clone().map(file).collect(),
            runs: runs.map(run).collect(),
        })
    }

    fn adopt(&mut self, rows: Rows, _: Option<&str>, _: Adoption) -> Result<(), String> {
        self.n_adopted = rows.runs.len() + rows.steps.len() + rows.logs.len() + rows.files.len();
        Ok(())
    }
}

fn run_id(n: i64) -> String {
    blake3::hash(&n.to_le_bytes()).to_hex()[..32].to_owned()
}

fn at(n: i64) -> Timestamp {
    Timestamp(START + n * 40_000_123)
}

fn run(n: i64) -> RunRow {
    RunRow {
        run_id: run_id(n),
        flow_name: format!("flow_{}", n % 25),
        group_name: Some(format!("G{}", n % 7)),
        source_path: Some(format!("/data/in/doc_{n}.csv")),
        status: "success".to_owned(),
        started_at: at(n),
        finished_at: Some(at(n + 1)),
        error_text: None,
    }
}

fn steps(n: i64) -> impl Iterator<Item = StepRow> {
    (0..STEPS_PER_RUN).map(move |step| StepRow {
        id: n * STEPS_PER_RUN + step,
        run_id: run_id(n),
        flow_name: format!("flow_{}", n % 25),
        step_label: format!("Step {step}"),
        status: "success".to_owned(),
        started_at: at(n),
        finished_at: Some(at(n + 1)),
        elapsed_ms: Some(120 + n % 50),
        error_text: None,
        output_path: (step == 2).then(|| format!("/data/out/doc_{n}.parquet")),
    })
}

fn log(n: i64) -> LogRow {
    LogRow {
        id: n,
        run_id: Some(run_id(n)),
        flow_name: Some(format!("flow_{}", n % 25)),
        step_label: Some("Step 1".to_owned()),
        level: "ERROR".to_owned(),
        message: format!("run={} status=failed elapsed=0.1", run_id(n)),
        created_at: at(n),
    }
}

fn file(n: i64) -> FileStateRow {
    FileStateRow {
        flow_name: format!("flow_{}", n % 25),
        source_path: format!("/data/in/doc_{n}.csv"),
        mtime_ns: START * 1_000 + n,
        size_bytes: 1_234,
        last_success_run_id: Some(run_id(n)),
        last_success_at: Some(at(n)),
        last_status: "success".to_owned(),
        last_error_text: None,
    }
}

struct Bench {
    owner: SharedFolder,
    ledger: Ledger,
    n_pages: u128,
}

const EPOCH: Epoch = Epoch(1);

impl Bench {
    fn carry(&mut self, op: Op) {
        let reply = self.owner.carry(&op, &mut self.ledger);
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
        ledger: Ledger {
            n_runs: RUNS,
            n_adopted: 0,
        },
        n_pages: 0,
    };
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
    let mut seen = Ledger {
        n_runs: 0,
        n_adopted: 0,
    };
    let hydrate = Instant::now();
    assert_eq!(watcher.watch(&mut seen), Ok(Hydrated::Adopted));
    print(
        &format!("observer's first look, {} rows", seen.n_adopted),
        &[millis(hydrate)],
    );
    let mut figures = [const { Vec::new() }; 4];
    for round in 0..ROUNDS {
        let generation = round as u128 + 2;
        let [heartbeat, snapshot, beat_seen, snapshot_seen] = &mut figures;
        timed(heartbeat, || bench.heartbeat(generation - 1));
        timed(beat_seen, || {
            assert_eq!(watcher.watch(&mut seen), Ok(Hydrated::Nothing));
        });
        timed(snapshot, || bench.snapshot(generation));
        timed(snapshot_seen, || {
            assert_eq!(watcher.watch(&mut seen), Ok(Hydrated::Adopted));
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
    println!("  rows given at the last look: {}", seen.n_adopted);
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
