//! Facts about the tables that need no folder.

use std::collections::HashSet;

use bytes::Bytes;

use super::*;
use crate::model::Timestamp;
use crate::share::row::{LeaseRow, RunRow, StepRow};

fn run(n: u32) -> RunRow {
    RunRow {
        run_id: format!("run-{n:06}"),
        flow_name: format!("flow {}", n % 7),
        group_name: n.is_multiple_of(2).then(|| "Group".to_owned()),
        source_path: None,
        status: "success".to_owned(),
        started_at: Timestamp(1_795_219_155_000_000 + i64::from(n)),
        finished_at: (!n.is_multiple_of(3)).then_some(Timestamp(1_795_219_156_000_000)),
        error_text: n.is_multiple_of(5).then(|| "ä\0\n".repeat(n as usize % 50)),
    }
}

fn segment(range: std::ops::Range<u32>) -> Segment {
    let rows: Vec<RunRow> = range.map(run).collect();
    Segment::encode(Table::Runs, &Cells::of_rows(&rows)).expect("encodes")
}

fn decoded(table: Table, file: &[u8]) -> Decoded {
    decode(table, &Bytes::copy_from_slice(file), &HashSet::new()).expect("decodes")
}

#[test]
fn rows_come_back_as_they_were_written() {
    let rows: Vec<RunRow> = (0..10_000).map(run).collect();
    let file = assemble(
        Table::Runs,
        Some("000000000001-a"),
        &[&segment(0..1), &segment(1..9_000), &segment(9_000..10_000)],
    )
    .expect("assembles");
    let decoded = decoded(Table::Runs, &file);
    assert_eq!(decoded.generation.as_deref(), Some("000000000001-a"));
    let mut read = Vec::new();
    for group in &decoded.groups {
        assert_eq!(group.generation.as_deref(), Some("000000000001-a"));
        let cells = group.cells.as_ref().expect("not known");
        read.extend(cells.rows::<RunRow>().expect("makes sense"));
    }
    assert_eq!(read, rows);
}

#[test]
fn a_file_without_rows_still_names_its_generation() {
    let empty = Segment::encode(Table::Logs, &Cells::new(Table::Logs)).expect("encodes");
    let file = assemble(Table::Logs, Some("g"), &[&empty]).expect("assembles");
    let decoded = decoded(Table::Logs, &file);
    assert_eq!(decoded.generation.as_deref(), Some("g"));
    assert!(decoded.groups.is_empty());
}

#[test]
fn a_group_keeps_its_hash_in_the_next_generation_and_known_groups_are_not_decoded() {
    let (old, new) = (segment(0..500), segment(500..600));
    let first = assemble(Table::Runs, Some("g1"), &[&old]).expect("assembles");
    let second = assemble(Table::Runs, Some("g2"), &[&new, &old]).expect("assembles");
    let first = decoded(Table::Runs, &first);
    let known = HashSet::from([first.groups[0].hash]);
    let second = decode(Table::Runs, &second.into(), &known).expect("decodes");
    assert_eq!(second.groups[1].hash, first.groups[0].hash);
    assert_eq!(second.groups[1].cells, None);
    assert_eq!(second.groups[1].generation.as_deref(), Some("g2"));
    assert!(second.groups[0].cells.is_some());
}

#[test]
fn a_segment_gives_its_rows_back() {
    let rows: Vec<RunRow> = (0..100).map(run).collect();
    let cells = decode_segment(Table::Runs, &segment(0..100)).expect("decodes");
    assert_eq!(cells.rows::<RunRow>().expect("makes sense"), rows);
}

#[test]
fn a_lease_whose_times_make_no_sense_is_still_a_lease() {
    let mut lease = LeaseRow {
        generation: "g".to_owned(),
        workspace_id: "claims".to_owned(),
        machine_id: "m".to_owned(),
        host_name: "h".to_owned(),
        daemon_id: "d".to_owned(),
        pid: -1,
        status: "idle".to_owned(),
        last_checkpoint_at: Some(Timestamp(5)),
        started_at: None,
        app_version: String::new(),
    };
    let file = encode(Table::Lease, &Cells::of_rows([&lease])).expect("encodes");
    let read = decoded(Table::Lease, &file).groups[0].cells.clone();
    assert_eq!(
        read.expect("rows").rows::<LeaseRow>().expect("a lease"),
        [lease.clone()]
    );
    lease.last_checkpoint_at = None;
}

#[test]
fn a_file_of_another_table_says_which_column_is_missing() {
    let file = assemble(Table::Runs, Some("g"), &[&segment(0..3)]).expect("assembles");
    let Damage(why) = decode(Table::StepRuns, &file.into(), &HashSet::new()).expect_err("refused");
    assert_eq!(why, "column id is missing");
}

#[test]
fn what_is_no_parquet_file_is_refused_before_it_is_parsed() {
    let whole = assemble(Table::Runs, Some("g"), &[&segment(0..50)]).expect("assembles");
    let refused = |bytes: &[u8]| {
        let bytes = Bytes::copy_from_slice(bytes);
        let Damage(why) = decode(Table::Runs, &bytes, &HashSet::new()).expect_err("refused");
        why
    };
    assert_eq!(refused(b""), "it is empty");
    assert_eq!(
        refused(b"PAR1PAR1"),
        "it is no Parquet file, or was cut off"
    );
    assert_eq!(
        refused(b"PAR1\xff\xff\xff\x7fPAR1"),
        "its footer has an impossible length"
    );
    assert_eq!(
        refused(&whole[..whole.len() - 1]),
        "it is no Parquet file, or was cut off"
    );
    for cut in (0..whole.len()).step_by(7) {
        refused(&whole[..cut]);
    }
}

#[test]
fn steps_keep_their_numbers() {
    let step = |id| StepRow {
        id,
        run_id: "r".to_owned(),
        flow_name: "f".to_owned(),
        step_label: "s".to_owned(),
        status: "started".to_owned(),
        started_at: Timestamp(0),
        finished_at: None,
        elapsed_ms: (id > 0).then_some(id),
        error_text: None,
        output_path: Some(String::new()),
    };
    let rows = [step(i64::MIN), step(-1), step(0), step(i64::MAX)];
    let segment = Segment::encode(Table::StepRuns, &Cells::of_rows(&rows)).expect("encodes");
    let cells = decode_segment(Table::StepRuns, &segment).expect("decodes");
    assert_eq!(cells.rows::<StepRow>().expect("makes sense"), rows);
}

#[test]
fn a_dictionary_that_promises_more_words_than_it_has_is_damage() {
    // What ended a reader in the damage test (seed 11305287551672922969, case 1084): the library panics.
    let mut file = assemble(Table::Runs, Some("g"), &[&segment(0..3)]).expect("assembles");
    // In a page's header: a dictionary (field 7) with three words.
    let three_words = [0x4c, 0x15, 0x06];
    let at = file.windows(3).position(|bytes| bytes == three_words);
    file[at.expect("a dictionary") + 2] = 0x0a;
    let told = TableReader::in_place().read(Table::Runs, file.into(), &HashSet::new());
    let told = told.expect_err("refused").to_string();
    assert_eq!(told, "it is damaged (its pages contradict themselves)");
}
