//! Publishing and taking over, without a folder.

use std::collections::HashMap;

use bytes::Bytes;

use super::super::table::{TableReader, decode};
use super::*;
use crate::model::{Timestamp, seeds};

const GENERATION: &str = "000000000001-0000000000000000000000000000000";

fn generation(n: u32) -> String {
    format!("{GENERATION}{n}")
}

fn run(n: usize) -> RunRow {
    RunRow {
        run_id: format!("run-{n:06}"),
        flow_name: "flow".to_owned(),
        group_name: None,
        source_path: None,
        status: "success".to_owned(),
        started_at: Timestamp(n as i64),
        finished_at: Some(Timestamp(n as i64 + 1)),
        error_text: None,
    }
}

fn step(n: usize) -> StepRow {
    StepRow {
        id: n as i64,
        run_id: format!("run-{:06}", n / 3),
        flow_name: "flow".to_owned(),
        step_label: format!("step {}", n % 3),
        status: "success".to_owned(),
        started_at: Timestamp(n as i64),
        finished_at: Some(Timestamp(n as i64 + 1)),
        elapsed_ms: Some(1),
        error_text: None,
        output_path: None,
    }
}

fn file(n: usize) -> FileStateRow {
    FileStateRow {
        flow_name: "flow".to_owned(),
        source_path: format!("/in/{n}"),
        mtime_ns: n as i64,
        size_bytes: 1,
        last_success_run_id: None,
        last_success_at: None,
        last_status: "success".to_owned(),
        last_error_text: None,
    }
}

/// Gives what is put into it, and keeps what it is given.
#[derive(Default)]
struct Ledger {
    all: Rows,
    changed: Rows,
    n_asked: usize,
    fails: bool,
}

impl LedgerSide for Ledger {
    fn rows(&mut self, wanted: Wanted) -> Result<Rows, String> {
        self.n_asked += 1;
        if std::mem::take(&mut self.fails) {
            return Err("the disk is full".to_owned());
        }
        let changed = std::mem::take(&mut self.changed);
        self.all.runs.extend(changed.runs.clone());
        self.all.steps.extend(changed.steps.clone());
        Ok(match wanted {
            Wanted::Newest { .. } => self.all.clone(),
            Wanted::Changed => changed,
        })
    }

    fn adopt(&mut self, _: Rows, _: Option<&str>, _: Adoption) -> Result<(), String> {
        Ok(())
    }
}

fn publish(
    publisher: &mut Publisher,
    ledger: &mut Ledger,
    generation: &str,
) -> HashMap<Table, Option<Bytes>> {
    Table::STATE
        .iter()
        .map(|table| {
            let file = publisher.file(*table, generation, ledger).expect("made");
            (*table, Some(Bytes::from(file)))
        })
        .collect()
}

fn whole(
    observer: &Observer,
    files: &HashMap<Table, Option<Bytes>>,
    wanted: &str,
) -> observe::Whole {
    let read = observer.read(&TableReader::in_place(), files.clone(), Some(wanted));
    match read.expect("read") {
        Picture::Whole(whole) => whole,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_observer_is_given_only_the_rows_that_are_new() {
    let mut ledger = Ledger::default();
    ledger.all.runs = (0..1_000).map(run).collect();
    ledger.all.steps = (0..3_000).map(step).collect();
    let (mut publisher, mut observer) = (Publisher::keeping(10_000), Observer::default());
    let files = publish(&mut publisher, &mut ledger, &generation(1));
    assert_eq!(ledger.n_asked, 1, "one moment for four files");
    let first = whole(&observer, &files, &generation(1));
    assert_eq!(first.rows.runs.len(), 1_000);
    assert_eq!(first.rows.steps.len(), 3_000);
    observer.keep(first);
    assert!(observer.shows(&generation(1)));

    ledger.changed.runs = vec![run(1_000)];
    let files = publish(&mut publisher, &mut ledger, &generation(2));
    let second = whole(&observer, &files, &generation(2));
    let n_runs = second.rows.runs.len();
    assert!(
        n_runs <= 129,
        "{n_runs} runs read again for one that is new"
    );
    assert!(second.rows.runs.contains(&run(1_000)));
    assert!(second.rows.steps.is_empty(), "the steps are as they were");
}

#[test]
fn a_row_that_changes_late_replaces_the_one_that_was_sealed() {
    let mut ledger = Ledger::default();
    ledger.all.files = (0..5_000).map(file).collect();
    let mut publisher = Publisher::keeping(500);
    publish(&mut publisher, &mut ledger, &generation(1));
    let changed = FileStateRow {
        last_status: "failed".to_owned(),
        ..file(17)
    };
    ledger.changed.files = vec![changed.clone()];
    let files = publish(&mut publisher, &mut ledger, &generation(2));
    let read = whole(&Observer::default(), &files, &generation(2));
    assert_eq!(read.rows.files.len(), 5_000);
    let found: Vec<_> = read
        .rows
        .files
        .iter()
        .filter(|f| f.source_path == "/in/17")
        .collect();
    assert_eq!(found, [&changed]);
}

#[test]
fn old_runs_are_left_out_with_their_steps_and_never_too_many() {
    let mut ledger = Ledger::default();
    ledger.all.runs = (0..3_000).map(run).collect();
    ledger.all.steps = (0..9_000).map(step).collect();
    let mut publisher = Publisher::keeping(500);
    let files = publish(&mut publisher, &mut ledger, &generation(1));
    let read = whole(&Observer::default(), &files, &generation(1));
    let n_runs = read.rows.runs.len();
    assert!((500..1_000).contains(&n_runs), "{n_runs}");
    assert!(read.rows.runs.contains(&run(2_999)) && read.rows.runs.contains(&run(2_500)));
    let n_steps = read.rows.steps.len();
    assert!((1_500..5_000).contains(&n_steps), "{n_steps}");
}

#[test]
fn a_run_under_way_is_published_as_it_stands_and_again_when_it_ends() {
    let under_way = RunRow {
        finished_at: None,
        status: "started".to_owned(),
        ..run(0)
    };
    let mut ledger = Ledger::default();
    ledger.all.runs = vec![under_way.clone()];
    // Many others end meanwhile.
    ledger.all.runs.extend((1..1_000).map(run));
    let (mut publisher, mut observer) = (Publisher::keeping(10_000), Observer::default());
    let files = publish(&mut publisher, &mut ledger, &generation(1));
    let first = whole(&observer, &files, &generation(1));
    assert!(first.rows.runs.contains(&under_way));
    observer.keep(first);
    ledger.changed.runs = vec![run(0)];
    let files = publish(&mut publisher, &mut ledger, &generation(2));
    let second = whole(&observer, &files, &generation(2));
    assert!(second.rows.runs.contains(&run(0)) && !second.rows.runs.contains(&under_way));
}

#[test]
fn files_of_two_generations_are_no_snapshot() {
    // Conformance items 10 and 11.
    let mut ledger = Ledger::default();
    ledger.all.runs = (0..3).map(run).collect();
    let mut publisher = Publisher::default();
    let old = publish(&mut publisher, &mut ledger, &generation(1));
    ledger.changed.runs = vec![run(3)];
    let new = publish(&mut publisher, &mut ledger, &generation(2));
    let read = |files: &HashMap<_, _>, wanted: Option<&str>| {
        let read = Observer::default().read(&TableReader::in_place(), files.clone(), wanted);
        read.expect("read")
    };
    for n_new in 1..Table::STATE.len() {
        let mut files = old.clone();
        for table in &Table::STATE[..n_new] {
            files.insert(*table, new[table].clone());
        }
        for wanted in [Some(generation(1)), Some(generation(2)), None] {
            let picture = read(&files, wanted.as_deref());
            assert!(matches!(picture, Picture::Mixed(_)), "{n_new} {picture:?}");
        }
        // The first of all snapshots, cut short.
        for table in &Table::STATE[n_new..] {
            files.insert(*table, None);
        }
        for wanted in [Some(generation(2)), None] {
            let picture = read(&files, wanted.as_deref());
            assert!(matches!(picture, Picture::Mixed(_)), "{n_new} {picture:?}");
        }
    }
}

#[test]
fn a_ledger_that_fails_is_asked_for_everything_again_and_an_old_generation_stays_as_it_was() {
    let mut ledger = Ledger::default();
    ledger.all.runs = vec![run(0)];
    let mut publisher = Publisher::default();
    let first = publish(&mut publisher, &mut ledger, &generation(1));
    ledger.changed.runs = vec![run(1)];
    // The same generation again is the same moment.
    assert_eq!(publish(&mut publisher, &mut ledger, &generation(1)), first);
    ledger.fails = true;
    publisher
        .file(Table::Runs, &generation(2), &mut ledger)
        .expect_err("told");
    let files = publish(&mut publisher, &mut ledger, &generation(2));
    let read = whole(&Observer::default(), &files, &generation(2));
    assert_eq!(read.rows.runs.len(), 2);
}

#[test]
fn random_changes_always_read_back_as_the_newest_of_each_row() {
    seeds::each(seeds::drawn(1), changes_are_read_back);
}

fn changes_are_read_back(random: &mut fastrand::Rng) {
    let (mut publisher, mut observer) = (Publisher::keeping(usize::MAX), Observer::default());
    let (mut truth, mut shown) = (HashMap::new(), HashMap::new());
    for n in 1..40 {
        let mut ledger = Ledger::default();
        for _ in 0..random.usize(0..300) {
            let mut row = run(random.usize(0..1_500));
            row.started_at = Timestamp(random.i64(0..1_000_000));
            if random.bool() {
                row.finished_at = None;
            }
            truth.insert(row.run_id.clone(), row.clone());
            ledger.changed.runs.push(row);
        }
        let generation = format!("{n:012}-{n:032x}");
        let files = publish(&mut publisher, &mut ledger, &generation);
        let decoded = decode(
            Table::Runs,
            &files[&Table::Runs].clone().expect("made"),
            &Default::default(),
        );
        let n_rows: usize = decoded
            .expect("whole")
            .groups
            .iter()
            .map(|g| g.n_rows)
            .sum();
        assert_eq!(n_rows, truth.len(), "no row twice");
        if truth.is_empty() {
            continue;
        }
        let whole = whole(&observer, &files, &generation);
        for row in &whole.rows.runs {
            shown.insert(row.run_id.clone(), row.clone());
        }
        observer.keep(whole);
        assert_eq!(shown, truth);
    }
}
