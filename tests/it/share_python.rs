//! Our tables read by polars and pyarrow, and theirs read by us.

use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use handmill::model::Timestamp;
use handmill::share::table::{Cells, Row, Segment, Table, TableReader, assemble, encode};
use handmill::share::{FileStateRow, LogRow, RunRow, StepRow};

use crate::share::reader;

/// A Python that has polars and pyarrow, as tests/run.sh makes it. Without one the test says so.
#[expect(
    clippy::print_stderr,
    reason = "the person who runs the tests must see it"
)]
fn python() -> Option<String> {
    let python = std::env::var("HANDMILL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python)
        .args(["-c", "import polars, pyarrow.parquet"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("{python} has no polars and pyarrow; set HANDMILL_PYTHON");
    }
    found.then_some(python)
}

fn run_python(script: &str, dir: &Path) -> Option<String> {
    let output = Command::new(python()?)
        .args(["-c", script])
        .current_dir(dir)
        .output()
        .expect("python runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn run(n: i64) -> RunRow {
    RunRow {
        run_id: format!("run-{n}"),
        flow_name: "flow ä".to_owned(),
        group_name: Some("Group".to_owned()),
        source_path: None,
        status: "success".to_owned(),
        started_at: Timestamp(1_795_219_155_530_618 + n),
        finished_at: (n % 2 == 0).then_some(Timestamp(1_795_219_156_000_000)),
        error_text: None,
    }
}

fn segments<R: Row>(rows: &[R]) -> Vec<Segment> {
    let chunks = rows.chunks(40);
    let encode = |rows: &[R]| Segment::encode(R::TABLE, &Cells::of_rows(rows)).expect("encodes");
    chunks.map(encode).collect()
}

fn write_state<R: Row>(dir: &Path, rows: &[R]) {
    let segments = segments(rows);
    let segments: Vec<&Segment> = segments.iter().collect();
    let file = assemble(R::TABLE, Some("000000000001-g"), &segments).expect("assembles");
    let name = R::TABLE.folder().rsplit('/').next().expect("a name");
    std::fs::write(dir.join(format!("{name}.parquet")), file).expect("written");
}

#[test]
fn polars_and_pyarrow_read_what_we_write_with_the_seeds_columns() {
    let dir = tempfile::tempdir().expect("temp dir");
    let runs: Vec<RunRow> = (0..100).map(run).collect();
    write_state(dir.path(), &runs);
    let step = StepRow {
        id: 1,
        run_id: "run-0".to_owned(),
        flow_name: "flow".to_owned(),
        step_label: "step".to_owned(),
        status: "success".to_owned(),
        started_at: Timestamp(0),
        finished_at: None,
        elapsed_ms: Some(i64::MAX),
        error_text: None,
        output_path: None,
    };
    write_state(dir.path(), &[step]);
    // Without rows: no row group at all.
    write_state::<LogRow>(dir.path(), &[]);
    write_state::<FileStateRow>(dir.path(), &[]);
    for (name, table) in [
        ("leases", Table::Lease),
        ("control_requests", Table::Request),
    ] {
        let file = encode(table, &Cells::new(table)).expect("encodes");
        std::fs::write(dir.path().join(format!("{name}.parquet")), file).expect("written");
    }
    let script = r#"
import polars as pl, pyarrow as pa, pyarrow.parquet as pq
STATE = {
    "runs": "run_id flow_name group_name source_path status started_at_utc finished_at_utc error_text",
    "step_runs": "id:i run_id flow_name step_label status started_at_utc finished_at_utc elapsed_ms:i error_text output_path",
    "logs": "id:i run_id flow_name step_label level message created_at_utc",
    "file_state": "flow_name source_path mtime_ns:i size_bytes:i last_success_run_id last_success_at_utc last_status last_error_text",
}
WANTED = {name: "snapshot_generation_id " + columns for name, columns in STATE.items()}
WANTED["leases"] = ("snapshot_generation_id workspace_id machine_id host_name daemon_id pid:i status "
                    "last_checkpoint_at_utc started_at_utc app_version")
WANTED["control_requests"] = ("workspace_id requester_machine_id requester_host_name requester_pid:i "
                              "requester_client_kind requested_at_utc")
ROWS = {"runs": 100, "step_runs": 1}
for name, columns in WANTED.items():
    columns = [(c.split(":")[0], ":" in c) for c in columns.split()]
    frame = pl.read_parquet(f"{name}.parquet")
    assert frame.schema == pl.Schema({c: pl.Int64 if i else pl.String for c, i in columns}), (name, frame.schema)
    lazy = pl.scan_parquet(f"{name}.parquet").collect()
    assert frame.equals(lazy) and frame.height == ROWS.get(name, 0), (name, frame.height)
    table = pq.read_table(f"{name}.parquet")
    kinds = [(f.name, pa.types.is_int64(f.type), pa.types.is_large_string(f.type))
             for f in table.schema]
    assert kinds == [(c, i, not i) for c, i in columns], (name, table.schema)
    assert table.num_rows == frame.height and all(f.nullable for f in table.schema)
    assert pl.from_arrow(table).equals(frame) if frame.height else True
    if "snapshot_generation_id" in frame.columns and frame.height:
        assert frame["snapshot_generation_id"].unique().to_list() == ["000000000001-g"]
runs = pl.read_parquet("runs.parquet").sort("started_at_utc")
assert runs["run_id"].to_list() == [f"run-{n}" for n in range(100)]
assert runs["started_at_utc"][0] == "2026-11-20T23:59:15.530618+00:00"
assert runs["finished_at_utc"].null_count() == 50
assert runs["finished_at_utc"].drop_nulls().unique().to_list() == ["2026-11-20T23:59:16+00:00"]
assert runs["flow_name"][5] == "flow ä"
assert pl.read_parquet("step_runs.parquet")["elapsed_ms"][0] == 2**63 - 1
print("read")
"#;
    if let Some(said) = run_python(script, dir.path()) {
        assert_eq!(said.trim(), "read");
    }
}

#[test]
fn whatever_polars_and_pyarrow_write_is_read() {
    let dir = tempfile::tempdir().expect("temp dir");
    let script = r#"
import polars as pl, pyarrow as pa, pyarrow.parquet as pq
def rows(n):
    return {
        "snapshot_generation_id": ["g"] * n,
        "run_id": [f"run-{i}" for i in range(n)],
        "flow_name": ["flow ä"] * n,
        "group_name": ["Group"] * n,
        "source_path": [None] * n,
        "status": ["success"] * n,
        "started_at_utc": ["2026-11-20T23:59:15.530618+00:00"] * n,
        "finished_at_utc": ["2026-11-20T23:59:16" if i % 2 == 0 else None for i in range(n)],
        "error_text": [None] * n,
    }
schema = {name: pl.String for name in rows(0)}
names = []
def name(what, n):
    names.append(f"{n} {what}.parquet")
    return names[-1]
for n in (0, 1, 5000):
    frame = pl.DataFrame(rows(n), schema=schema)
    for codec in ("zstd", "snappy", "lz4", "uncompressed"):
        frame.write_parquet(name(f"polars {codec}", n), compression=codec, row_group_size=1000)
    # Columns in another order, and one that is not ours.
    frame.select(reversed(frame.columns)).with_columns(new=1).write_parquet(name("polars reversed", n))
    for kind, as_type in (("string", pa.string()), ("large", pa.large_string()), ("view", pa.string_view())):
        table = pa.table(rows(n), schema=pa.schema([(c, as_type) for c in rows(0)]))
        try:
            pq.write_table(table, name(f"arrow {kind}", n))
        except pa.lib.ArrowNotImplementedError:
            names.pop()
    table = pa.table(rows(n), schema=pa.schema([(c, pa.string()) for c in rows(0)]))
    pq.write_table(table, name("arrow plain", n), use_dictionary=False, compression="none", version="1.0")
    pq.write_table(table, name("arrow v2 pages", n), data_page_version="2.0", compression="lz4")
    pq.write_table(table, name("arrow delta", n), use_dictionary=False, column_encoding="DELTA_BYTE_ARRAY")
    pq.write_table(table, name("arrow pieces", n), row_group_size=7, data_page_size=64, write_page_index=True)
print("\n".join(names))
"#;
    let Some(said) = run_python(script, dir.path()) else {
        return;
    };
    let mut n_files = 0;
    for name in said.lines() {
        let n_rows: usize = name
            .split(' ')
            .next()
            .expect("words")
            .parse()
            .expect("a number");
        let file = Bytes::from(std::fs::read(dir.path().join(name)).expect("written"));
        let read = TableReader::read(&reader(), Table::Runs, file, &Default::default());
        let read = read.unwrap_or_else(|why| panic!("{name}: {why}"));
        let mut rows = Vec::new();
        for group in &read.groups {
            assert_eq!(group.generation.as_deref(), Some("g"), "{name}");
            let cells = group.cells.as_ref().expect("rows");
            rows.extend(
                cells
                    .rows::<RunRow>()
                    .unwrap_or_else(|why| panic!("{name}: {why}")),
            );
        }
        assert_eq!(rows.len(), n_rows, "{name}");
        for (n, row) in rows.iter().enumerate() {
            let expected = RunRow {
                started_at: Timestamp(1_795_219_155_530_618),
                ..run(n as i64)
            };
            assert_eq!(row, &expected, "{name}");
        }
        n_files += 1;
    }
    assert!(n_files >= 30, "{n_files} files");
}
