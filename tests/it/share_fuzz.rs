//! Damaged tables: whatever the bytes, the reader answers with rows or a sentence, and this process
//! is none the worse.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;

use bytes::Bytes;
use fastrand::Rng;
use handmill::model::Timestamp;
use handmill::share::table::{Cells, ReadError, Segment, Table, TableReader, assemble};
use handmill::share::{LogRow, RunRow};

/// Cases of one test run; each is a process. `HANDMILL_FUZZ_CASES` asks for more.
const CASES: usize = 2_000;
const AT_ONCE: usize = 2;
/// The reader gives itself 1 GiB; here it must do with this and what the program itself maps.
const MEMORY_KIB: u32 = 256 << 10;

#[test]
#[expect(clippy::print_stdout, reason = "the counts are for whoever runs it")]
fn no_damage_to_a_table_reaches_the_program() {
    let seed = std::env::var("HANDMILL_FUZZ_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| fastrand::u64(..));
    let n_cases = std::env::var("HANDMILL_FUZZ_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(CASES);
    let dir = tempfile::tempdir().expect("temp dir");
    let program = dir.path().join("limited");
    let handmill = env!("CARGO_BIN_EXE_handmill");
    let script = format!("#!/bin/sh\nulimit -v {MEMORY_KIB}\nexec '{handmill}' \"$@\"\n");
    std::fs::write(&program, script).expect("written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).expect("mode");
    let reader = TableReader::of_program(&program);
    let files = files();
    // The limit leaves room for the real work.
    for (table, file) in &files {
        let read = reader.read(*table, Bytes::from(file.clone()), &Default::default());
        read.expect("a whole file is read within the limit");
    }
    let next = std::sync::atomic::AtomicUsize::new(0);
    let told = std::sync::Mutex::new(BTreeMap::<&str, usize>::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if n >= n_cases {
                        return;
                    }
                    let mut random = Rng::with_seed(seed.wrapping_add(n as u64));
                    let (table, file) = &files[random.usize(..files.len())];
                    let damaged = damage(&mut random, file);
                    let read = reader.read(*table, damaged.into(), &Default::default());
                    let what = match read {
                        Ok(_) => "read",
                        Err(ReadError::Damage(_)) => "refused",
                        Err(ReadError::TooMuch) => "ended by its limits",
                        Err(ReadError::NoReader(why)) => panic!("seed {seed} case {n}: {why}"),
                    };
                    *told.lock().expect("no poison").entry(what).or_default() += 1;
                }
            });
        }
    });
    let told = told.into_inner().expect("no poison");
    println!("seed {seed}: {told:?}");
    assert_eq!(told.values().sum::<usize>(), n_cases, "seed {seed}");
    assert!(told["refused"] > n_cases / 4, "seed {seed}: {told:?}");
}

#[test]
fn a_reader_that_dies_lies_or_never_answers_is_one_sentence() {
    let dir = tempfile::tempdir().expect("temp dir");
    let (_, whole) = files().remove(0);
    for (name, script) in [
        ("dies", "kill -9 $$"),
        ("lies", "cat >/dev/null; echo HMT1done"),
        ("is silent", "exec sleep 100"),
    ] {
        let program = dir.path().join(name);
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("written");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).expect("mode");
        let reader = TableReader::of_program(&program);
        let told = reader.read(Table::Runs, whole.clone().into(), &Default::default());
        let told = told.expect_err(name).to_string();
        assert_eq!(
            told, "it could not be parsed within 5 s and 1024 MiB",
            "{name}"
        );
    }
    let reader = TableReader::of_program(dir.path().join("is not there"));
    let told = reader.read(Table::Runs, whole.into(), &Default::default());
    assert!(matches!(told, Err(ReadError::NoReader(_))), "{told:?}");
}

#[test]
fn a_small_file_that_unfolds_to_hundreds_of_mebibytes_is_refused() {
    let row = LogRow {
        id: 1,
        run_id: None,
        flow_name: None,
        step_label: None,
        level: "INFO".to_owned(),
        message: "a".repeat(1 << 20),
        created_at: Timestamp(0),
    };
    let cells = Cells::of_rows(std::iter::repeat_n(&row, 30));
    let segment = Segment::encode(Table::Logs, &cells).expect("encodes");
    let file = assemble(Table::Logs, Some("g"), &[&segment; 20]).expect("assembles");
    assert!(file.len() < 1 << 20, "{} bytes", file.len());
    let reader = crate::share::reader();
    let told = reader.read(Table::Logs, file.into(), &Default::default());
    let told = told.expect_err("refused").to_string();
    assert_eq!(told, "column message: it unfolds to more than 256 MiB");
}

fn files() -> Vec<(Table, Vec<u8>)> {
    let runs: Vec<RunRow> = (0..300)
        .map(|n| RunRow {
            run_id: format!("run-{n}"),
            flow_name: format!("flow {}", n % 5),
            group_name: None,
            source_path: None,
            status: "success".to_owned(),
            started_at: Timestamp(n),
            finished_at: Some(Timestamp(n)),
            error_text: None,
        })
        .collect();
    let logs: Vec<LogRow> = (0..100)
        .map(|id| LogRow {
            id,
            run_id: Some("run".to_owned()),
            flow_name: None,
            step_label: None,
            level: "INFO".to_owned(),
            message: "line ".repeat(id as usize % 9),
            created_at: Timestamp(id),
        })
        .collect();
    let mut files = vec![
        (Table::Runs, file(Table::Runs, &Cells::of_rows(&runs))),
        (Table::Logs, file(Table::Logs, &Cells::of_rows(&logs))),
        (Table::Logs, file(Table::Logs, &Cells::new(Table::Logs))),
    ];
    // Those of the seed as well, where they are at hand.
    if let Some(shared) = crate::shared::shared_dir() {
        let archive =
            shared.join("fixtures/data-engine/04-leased-fresh-with-control-request.tar.gz");
        let dir = tempfile::tempdir().expect("temp dir");
        let status = std::process::Command::new("tar")
            .args([
                "xzf".as_ref(),
                archive.as_os_str(),
                "-C".as_ref(),
                dir.path().as_os_str(),
            ])
            .status();
        assert!(status.expect("tar runs").success());
        let tree = dir.path().join("04-leased-fresh-with-control-request");
        for table in Table::ALL {
            let path = tree.join(table.folder()).join("claims.parquet");
            files.push((table, std::fs::read(path).expect("there")));
        }
    }
    files
}

fn file(table: Table, cells: &Cells) -> Vec<u8> {
    let segment = Segment::encode(table, cells).expect("encodes");
    assemble(table, Some("g"), &[&segment, &segment]).expect("assembles")
}

/// A few wrong bytes, mostly in the footer, where the lengths are; or a piece moved or cut out.
fn damage(random: &mut Rng, file: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    for _ in 0..random.usize(1..6) {
        let len = file.len();
        if len < 16 {
            break;
        }
        let footer = u32::from_le_bytes(file[len - 8..len - 4].try_into().expect("four")) as usize;
        let data = len.saturating_sub(footer + 8);
        let at = match random.u8(..4) {
            0 => random.usize(..len),
            1 => random.usize(..data.max(1)),
            _ => random.usize(data.min(len - 9)..len - 8),
        };
        match random.u8(..6) {
            0 => file[at] = random.u8(..),
            1 => file[at] ^= 1 << random.u8(..8),
            // A varint that goes on: lengths and counts become huge.
            2 => {
                let end = (at + random.usize(1..10)).min(len - 8);
                file[at..end.max(at)].fill(0xff);
            }
            3 => file[at] = 0,
            4 => {
                let from = random.usize(..len - 8);
                let n = random.usize(1..32).min(len - from).min(len - at);
                file.copy_within(from..from + n, at);
            }
            _ => {
                let end = (at + random.usize(1..64)).min(len - 8);
                if at < end {
                    file.drain(at..end);
                }
            }
        }
    }
    file
}
