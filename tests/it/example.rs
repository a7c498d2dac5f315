//! The example is what a person meets first: each of its flows reads without a warning and does what the guide
//! says, from the command line, on a copy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const FLOWS: [&str; 4] = [
    "orders/flow_modules/monthly-orders.graphml",
    "orders/flow_modules/watch-the-inbox.graphml",
    "workshop/flow_modules/heat-along-a-rod.graphml",
    "workshop/flow_modules/print-the-booklet.graphml",
];

/// A copy of the example with a home of its own.
struct Example(tempfile::TempDir);

impl Example {
    fn copy() -> Self {
        let folder = tempfile::tempdir().expect("make a folder");
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("workspaces-example");
        copy(&from, &folder.path().join("example"));
        Self(folder)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join("example").join(file)
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap_or_else(|why| panic!("read {file}: {why}"))
    }

    fn handmill(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_handmill"))
            .args(args)
            .env("HANDMILL_HOME", self.0.path().join("home"))
            .current_dir(self.path(""))
            .stdin(Stdio::null())
            .output()
            .expect("start handmill")
    }

    /// Runs a command of Handmill that must end with this exit code.
    #[track_caller]
    fn ends_with(&self, code: i32, args: &[&str]) -> String {
        let output = self.handmill(args);
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{out}\n{err}");
        out
    }
}

/// Copies a folder without what earlier runs left in `out/`.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("make a folder");
    for entry in fs::read_dir(from).expect("read the example") {
        let entry = entry.expect("read the example");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() && entry.file_name() != "out" {
            copy(&entry.path(), &to);
        } else if entry.path().is_file() {
            fs::copy(entry.path(), to).expect("copy a file");
        }
    }
}

#[test]
fn every_flow_reads_without_a_warning() {
    let example = Example::copy();
    for flow in FLOWS {
        let told = example.ends_with(0, &["check", flow, "--json"]);
        let told: serde_json::Value = serde_json::from_str(&told).expect("one JSON object");
        assert_eq!(told["warnings"], serde_json::json!([]), "{flow}");
    }
}

#[test]
fn monthly_orders_reports_in_euro() {
    let example = Example::copy();
    example.ends_with(0, &["run", FLOWS[0]]);
    let report = example.read("orders/out/report.txt");
    assert!(
        report.contains("1236.99 EUR   12 orders   31.3 %  NO"),
        "{report}"
    );
    assert_eq!(example.read("orders/out/rejected.csv").lines().count(), 3);
}

#[test]
fn watching_the_inbox_ends_by_itself_after_three_passes() {
    let example = Example::copy();
    example.ends_with(0, &["run", FLOWS[1]]);
    let tally = example.read("orders/out/post/tally.txt");
    assert!(tally.trim_end().ends_with("5 total"), "{tally}");
    let letters = fs::read_dir(example.path("orders/out/post/inbox")).expect("the inbox");
    assert_eq!(letters.count(), 0, "letters are left in the inbox");
}

#[test]
fn the_booklet_fails_as_the_guide_says_and_is_mended_as_the_guide_says() {
    let example = Example::copy();
    let flow = FLOWS[3];
    example.ends_with(1, &["run", flow]);
    // What a node wrote to stderr comes out of stderr again.
    let log = example.handmill(&["logs", flow, "cover"]);
    let log = String::from_utf8_lossy(&log.stderr);
    assert!(log.contains("unknown colour 'blu'"), "{log}");
    let text = example.read(flow);
    assert_eq!(text.matches("cover.sh blu<").count(), 1);
    let mended = text.replace("cover.sh blu<", "cover.sh blue<");
    fs::write(example.path(flow), mended).expect("mend the command");
    example.ends_with(0, &["resume", flow]);
    let booklet = example.read("workshop/out/booklet/booklet.txt");
    assert!(booklet.contains("in blue"), "{booklet}");
}

#[test]
fn heat_runs_along_the_rod() {
    let example = Example::copy();
    example.ends_with(0, &["run", FLOWS[2]]);
    let cells = fs::read_dir(example.path("workshop/out/heat")).expect("the cells");
    assert_eq!(cells.count(), 200);
    assert_eq!(example.read("workshop/out/heat/9-1").trim(), "95.623");
}
