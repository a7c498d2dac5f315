//! Pages, searches, what retention takes, and the tables of older releases, through a real file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

use super::inbox::Message;
use super::retain::Retain;
use super::tests::flow_ref;
use super::{FORMAT, Ledger, LedgerError};
use crate::model::{
    Choice, Counts, Event, Exit, FileResult, FileResults, Finish, Flow, FlowRef, HistoryFilter,
    Node, NodeIdx, NodeRunId, NodeStatus, Outcome, Point, Retention, RunId, RunStart, Timestamp,
    going,
};

const DAY: i64 = 24 * 60 * 60 * 1_000_000;
const NOW: Timestamp = Timestamp(100 * DAY);

/// A ledger in a folder of its own.
struct Desk {
    folder: tempfile::TempDir,
    ledger: Ledger,
}

fn open(path: &Path) -> Result<Ledger, LedgerError> {
    Ledger::open(path, NOW, |notice| panic!("{notice:?}"))
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ledger = open(&folder.path().join("ledger.sqlite")).expect("opens");
        Self { folder, ledger }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.sqlite")
    }

    /// Asks the file itself.
    fn count(&self, of: &str) -> i64 {
        self.ledger.commit_now().expect("written");
        let conn = Connection::open(self.path()).expect("opens");
        conn.query_row(&format!("SELECT count(*) FROM {of}"), [], |row| row.get(0))
            .expect("counts")
    }

    /// Records a run of nodes `name=command` that ended `days` ago; a `!` before the name fails it.
    fn run(&self, flow: &FlowRef, run: &str, days: i64, nodes: &[&str]) {
        self.begin(flow, run, days, nodes, None);
        self.end(run, days, nodes);
    }

    fn begin(&self, flow: &FlowRef, run: &str, days: i64, nodes: &[&str], resumes: Option<&str>) {
        let mut frozen = Flow::default();
        for node in nodes {
            let (name, command) = parts(node);
            let node = Node::new(name, command, Point::default());
            frozen.graph.add_node(node).expect("names differ");
        }
        let n = u32::try_from(nodes.len()).expect("few");
        self.ledger.record(Event::RunStarted(Box::new(RunStart {
            run: run.into(),
            flow: flow.clone(),
            frozen: Arc::new(frozen),
            choice: match resumes {
                Some(_) => Choice::Resume,
                None => Choice::Full,
            },
            resumes: resumes.map(RunId::from),
            subset: (0..n).map(NodeIdx).collect(),
            kept: Arc::new([]),
            marks: [].into(),
            triggers: [].into(),
            at: Timestamp(NOW.0 - days * DAY - 1_000),
        })));
    }

    fn end(&self, run: &str, days: i64, nodes: &[&str]) {
        let at = Timestamp(NOW.0 - days * DAY);
        let mut failed = 0;
        for (idx, node) in nodes.iter().enumerate() {
            let id = NodeRunId {
                run: run.into(),
                node: NodeIdx(u32::try_from(idx).expect("few")),
                pass: 1,
                attempt: 1,
            };
            self.ledger
                .record(Event::NodeStarted { id: id.clone(), at });
            let bad = node.starts_with('!');
            failed += u32::from(bad);
            self.ledger.record(Event::NodeFinished(Finish {
                id,
                exit: Exit::Code(i32::from(bad)),
                status: if bad {
                    NodeStatus::Failed
                } else {
                    NodeStatus::Ran
                },
                retry_at: None,
                at,
            }));
        }
        self.ledger.record(Event::RunFinished {
            run: run.into(),
            outcome: if failed > 0 {
                Outcome::Failed
            } else {
                Outcome::Succeeded
            },
            counts: Counts {
                failed,
                ..Counts::default()
            },
            skipped: Arc::new([]),
            at,
        });
    }

    /// Names of the runs that are listed, newest first.
    fn listed(&self, filter: &HistoryFilter) -> String {
        let page = self.ledger.search(None, filter, 1_000, None).expect("page");
        let names: Vec<String> = page.runs.iter().map(|r| r.summary.id.to_string()).collect();
        names.join(" ")
    }

    /// Lets the rule take what is to go.
    fn prune(&self, days: u32) {
        let rule = Retention {
            days,
            log_bytes_max: 0,
        };
        let going = going(&self.ledger.kept_runs().expect("runs"), &rule, NOW);
        self.ledger.unlist(&going.runs).expect("unlisted");
        self.finish_pruning();
    }

    fn finish_pruning(&self) {
        let gone = self.ledger.gone().expect("gone");
        let keys: Vec<i64> = gone.iter().map(|(key, _)| *key).collect();
        self.ledger.forget(&keys).expect("forgotten");
        assert_eq!(self.ledger.gone().expect("gone"), []);
        let health = self.ledger.health().expect("health");
        assert_eq!(health.troubles, [""; 0]);
    }
}

fn parts(node: &str) -> (&str, &str) {
    let (name, command) = node.split_once('=').unwrap_or((node, "true"));
    (name.trim_start_matches('!'), command)
}

fn text(text: &str) -> HistoryFilter {
    HistoryFilter {
        text: text.to_owned(),
        ..HistoryFilter::default()
    }
}

#[test]
fn pages_follow_each_other_without_a_gap() {
    let desk = Desk::new();
    let flow = flow_ref("a.graphml");
    for n in 0..7 {
        desk.run(&flow, &format!("r{n}"), 7 - n, &["a"]);
        desk.run(&flow_ref("b.graphml"), &format!("other{n}"), 7 - n, &["a"]);
    }
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let all = HistoryFilter::default();
        let page = desk.ledger.search(Some(&flow), &all, 3, before.as_ref());
        let page = page.expect("a page");
        assert!(page.runs.iter().all(|run| *run.file == *flow.file));
        seen.extend(page.runs.iter().map(|run| run.summary.id.to_string()));
        before = page.runs.last().map(|run| run.summary.id.clone());
        if !page.more {
            break;
        }
    }
    assert_eq!(seen, ["r6", "r5", "r4", "r3", "r2", "r1", "r0"]);
}

#[test]
fn runs_are_found_by_what_they_ran() {
    let desk = Desk::new();
    let (a, b) = (flow_ref("orders.graphml"), flow_ref("press.graphml"));
    desk.run(&a, "r1", 5, &["fetch=curl Ärger", "!bill=make bill"]);
    desk.run(&a, "r2", 4, &["fetch=curl ok", "bill=make bill"]);
    desk.run(&b, "r3", 3, &["print=lpr"]);
    for (query, found) in [
        ("", "r3 r2 r1"),
        ("BILL", "r2 r1"),
        ("ärger", "r1"),
        ("lpr", "r3"),
        ("Orders", "r2 r1"),
        ("full", "r3 r2 r1"),
        ("100%_", ""),
    ] {
        assert_eq!(desk.listed(&text(query)), found, "{query:?}");
    }
    let titled = HistoryFilter {
        nodes: vec!["print".into()],
        ..text("Print the cover")
    };
    assert_eq!(desk.listed(&titled), "r3");
    let failed = HistoryFilter {
        outcomes: vec![Outcome::Failed],
        ..HistoryFilter::default()
    };
    assert_eq!(desk.listed(&failed), "r1");
    let span = HistoryFilter {
        since: Some(Timestamp(NOW.0 - 5 * DAY)),
        until: Some(Timestamp(NOW.0 - 4 * DAY)),
        ..HistoryFilter::default()
    };
    assert_eq!(desk.listed(&span), "r2");
    let since = |days: i64| Timestamp(NOW.0 - days * DAY - DAY / 2);
    assert_eq!(desk.ledger.count_runs_since(since(3)).expect("n"), 1);
    assert_eq!(desk.ledger.count_runs_since(since(9)).expect("n"), 3);
    let run = desk.ledger.run(&a, &"r1".into()).expect("read");
    assert_eq!(run.expect("listed").summary.counts.failed, 1);
    assert_eq!(desk.ledger.run(&b, &"r1".into()).expect("read"), None);
}

#[test]
fn a_run_that_goes_takes_its_rows_and_leaves_the_statuses_it_gave() {
    let desk = Desk::new();
    let flow = flow_ref("a.graphml");
    desk.run(&flow, "old", 30, &["a=one", "b=two"]);
    desk.run(&flow, "mid", 20, &["a=one"]);
    desk.run(&flow, "new", 0, &["a=one"]);
    let before = desk.ledger.past(&flow).expect("past");
    desk.prune(7);
    assert_eq!(desk.listed(&HistoryFilter::default()), "new");
    // The status of `b` still comes from the run that went.
    let after = desk.ledger.past(&flow).expect("past");
    assert_eq!(after, before);
    assert_eq!(desk.count("node_runs"), 2);
    assert_eq!(desk.count("runs"), 2, "the second is unlisted");
    // Until a later run of that node.
    desk.run(&flow, "newest", 0, &["b=two"]);
    desk.finish_pruning();
    assert_eq!(desk.count("runs"), 2);
    assert_eq!(desk.count("node_runs"), 2);
    assert_eq!(desk.listed(&HistoryFilter::default()), "newest new");
}

#[test]
fn what_a_resume_needs_stays() {
    let desk = Desk::new();
    let flow = flow_ref("a.graphml");
    desk.run(&flow, "gone", 41, &["a", "!b", "c"]);
    desk.run(&flow, "base", 40, &["a", "!b", "c"]);
    desk.begin(&flow, "last", 39, &["a", "!b", "c"], Some("base"));
    desk.end("last", 39, &["a", "!b"]);
    let before = desk.ledger.past(&flow).expect("past").last;
    desk.prune(7);
    assert_eq!(desk.listed(&HistoryFilter::default()), "last base");
    assert_eq!(desk.ledger.past(&flow).expect("past").last, before);
}

#[test]
fn pinned_and_live_runs_stay_even_when_the_rule_was_asked_before() {
    let desk = Desk::new();
    let flow = flow_ref("a.graphml");
    for run in ["pinned", "resumed", "other", "last"] {
        desk.run(&flow, run, 40, &["a"]);
    }
    let keys: Vec<i64> = (1..=5).collect();
    desk.ledger.pin(&"pinned".into(), true).expect("pinned");
    desk.begin(&flow, "live", 39, &["a"], Some("resumed"));
    desk.ledger.unlist(&keys).expect("asked");
    desk.finish_pruning();
    let listed = desk.listed(&HistoryFilter::default());
    assert_eq!(listed, "live resumed pinned");
    desk.ledger.pin(&"pinned".into(), false).expect("unpinned");
    desk.end("live", 39, &["a"]);
    desk.ledger.unlist(&keys).expect("asked");
    desk.finish_pruning();
    assert_eq!(desk.listed(&HistoryFilter::default()), "live");
}

#[test]
fn a_prune_that_was_killed_is_taken_further() {
    let desk = Desk::new();
    let flow = flow_ref("a.graphml");
    let nodes: Vec<String> = (0..50).map(|n| format!("n{n}")).collect();
    let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
    desk.run(&flow, "old", 30, &nodes);
    desk.run(&flow, "new", 0, &nodes);
    desk.ledger.unlist(&[1]).expect("unlisted");
    // What a kill leaves at this point: unlisted, rows and all.
    assert_eq!(desk.listed(&HistoryFilter::default()), "new");
    assert_eq!(desk.count("node_runs"), 100);
    let Desk { folder, ledger } = desk;
    drop(ledger);
    let ledger = open(&folder.path().join("ledger.sqlite")).expect("opens again");
    let desk = Desk { folder, ledger };
    assert_eq!(desk.ledger.gone().expect("gone"), [(1, "old".into())]);
    desk.finish_pruning();
    assert_eq!((desk.count("node_runs"), desk.count("runs")), (50, 1));
}

#[test]
fn nothing_deletes_rows_of_a_run_that_is_listed() {
    let desk = Desk::new();
    let flow = flow_ref("a.graphml");
    desk.run(&flow, "old", 30, &["a", "b"]);
    desk.run(&flow, "new", 0, &["a", "b"]);
    desk.ledger.forget(&[1, 2]).expect("asked");
    assert_eq!((desk.count("node_runs"), desk.count("runs")), (4, 2));
}

#[test]
fn a_run_of_many_passes_goes_in_slices() {
    let desk = Desk::new();
    let flow = flow_ref("a.graphml");
    desk.begin(&flow, "loop", 30, &["a"], None);
    let at = Timestamp(NOW.0 - 30 * DAY);
    for pass in 1..=5_000 {
        let id = NodeRunId {
            run: "loop".into(),
            node: NodeIdx(0),
            pass,
            attempt: 1,
        };
        desk.ledger.record(Event::NodeStarted { id, at });
    }
    desk.ledger.record(Event::RunFinished {
        run: "loop".into(),
        outcome: Outcome::Stopped,
        counts: Counts::default(),
        skipped: Arc::new([]),
        at,
    });
    desk.run(&flow, "new", 0, &["a"]);
    desk.prune(7);
    assert_eq!((desk.count("node_runs"), desk.count("runs")), (1, 1));
}

#[test]
fn the_newest_import_stays_so_that_it_is_not_taken_over_again() {
    let desk = Desk::new();
    let flow = flow_ref("a.graphml");
    let import = |run: &str, hash, log: &str| {
        let mut results = FileResults::default();
        let result = FileResult {
            status: NodeStatus::Ran,
            stdout: log.to_owned(),
            ..FileResult::default()
        };
        results.nodes.insert("a".into(), result);
        let at = Timestamp(NOW.0 - 30 * DAY);
        desk.ledger
            .record_import(&flow, run.into(), &results, hash, at);
    };
    import("first", 1, "x");
    import("second", 2, "y");
    desk.run(&flow, "new", 0, &["a"]);
    desk.prune(7);
    assert_eq!(desk.listed(&HistoryFilter::default()), "new second");
    import("again", 1, "x");
    import("too", 3, "y");
    assert_eq!(desk.listed(&HistoryFilter::default()), "new second");
}

#[test]
fn free_pages_go_back_to_the_disk() {
    let desk = Desk::new();
    let flow = flow_ref("a.graphml");
    let nodes: Vec<String> = (0..300).map(|n| format!("n{n}")).collect();
    let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
    for n in 0..60 {
        desk.run(&flow, &format!("r{n}"), 30, &nodes);
    }
    let pages = || {
        desk.ledger.commit_now().expect("written");
        let conn = Connection::open(desk.path()).expect("opens");
        conn.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0))
            .expect("pages")
    };
    let before = pages();
    desk.prune(7);
    desk.ledger.shrink().expect("shrunk");
    assert!(pages() * 3 < before, "{} of {before} pages", pages());
}

#[test]
fn logs_are_measured_once_and_the_rule_is_told() {
    let desk = Desk::new();
    let flow = flow_ref("a.graphml");
    desk.run(&flow, "r1", 2, &["a"]);
    desk.run(&flow, "r2", 1, &["a"]);
    desk.begin(&flow, "live", 0, &["a"], None);
    let unmeasured = desk.ledger.unmeasured_runs().expect("runs");
    assert_eq!(unmeasured, [(1, "r1".into()), (2, "r2".into())]);
    desk.ledger.record_log_bytes(vec![(1, 70), (2, 0)]);
    assert_eq!(desk.ledger.unmeasured_runs().expect("runs"), []);
    let bytes: Vec<Option<u64>> = desk
        .ledger
        .kept_runs()
        .expect("runs")
        .iter()
        .map(|run| run.log_bytes)
        .collect();
    assert_eq!(bytes, [Some(70), Some(0), None]);
    let sums = desk.ledger.kept_sums(Timestamp(NOW.0 - DAY)).expect("sums");
    assert_eq!(sums, (2, 70));
}

#[test]
fn what_happens_meanwhile_is_written_between_two_slices() {
    let desk = Desk::new();
    let flow = flow_ref("a.graphml");
    desk.run(&flow, "old", 30, &["a"]);
    desk.run(&flow, "new", 0, &["a"]);
    // All in the writer's queue at once: a slice is a message like any other.
    desk.ledger.put(Message::Retain(Retain::Unlist(vec![1])));
    desk.begin(&flow, "live", 0, &["a"], None);
    desk.ledger.put(Message::Retain(Retain::Forget(vec![1])));
    desk.end("live", 0, &["a"]);
    desk.finish_pruning();
    assert_eq!(desk.listed(&HistoryFilter::default()), "live new");
}

const FORMAT_1: &str = include_str!("testdata/format-1.sql");

#[test]
fn a_file_of_format_1_is_brought_up_and_a_copy_is_kept() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("ledger.sqlite");
    let conn = Connection::open(&path).expect("made");
    conn.pragma_update(None, "journal_mode", "WAL")
        .expect("wal");
    conn.execute_batch(FORMAT_1).expect("filled");
    drop(conn);
    let ledger = open(&path).expect("opens");
    let flow = flow_ref("mend.graphml");
    let page = ledger.search(Some(&flow), &HistoryFilter::default(), 9, None);
    let runs = page.expect("a page").runs;
    let choices: Vec<&str> = runs.iter().map(|run| &*run.summary.choice).collect();
    assert_eq!(choices, ["resume", "full"]);
    assert!(!runs[0].pinned && runs[0].log_bytes.is_none());
    assert_eq!(ledger.past(&flow).expect("past").nodes.len(), 3);
    let health = ledger.health().expect("health");
    assert_eq!((health.format, health.runs), (FORMAT, 2));
    assert_eq!(health.troubles, [""; 0]);
    ledger.pin(&runs[1].summary.id, true).expect("pinned");
    assert!(ledger.kept_runs().expect("runs")[0].pinned);
    drop(ledger);

    let schema = |path: &Path| {
        let conn = Connection::open(path).expect("opens");
        let format: i64 = conn
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .expect("format");
        let runs: i64 = conn
            .query_row("SELECT count(*) FROM runs", [], |row| row.get(0))
            .expect("runs");
        let mut indices = conn
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql <> '' ORDER BY 1")
            .expect("asks");
        let indices: Vec<String> = indices
            .query_map([], |row| row.get(0))
            .expect("asks")
            .map(|name| name.expect("a name"))
            .collect();
        (format, runs, indices)
    };
    let copy = folder.path().join("ledger.format-1.sqlite");
    assert_eq!((schema(&copy).0, schema(&copy).1), (1, 2));
    // It has what a new file has.
    let desk = Desk::new();
    desk.run(&flow, "r", 0, &["a"]);
    desk.ledger.commit_now().expect("made");
    assert_eq!(schema(&path).2, schema(&desk.path()).2);
    // And is not copied again.
    std::fs::remove_file(&copy).expect("removed");
    drop(open(&path).expect("opens"));
    assert!(!copy.exists());
}

#[test]
fn a_ledger_that_cannot_be_copied_is_not_changed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("ledger.sqlite");
    let conn = Connection::open(&path).expect("made");
    conn.execute_batch(FORMAT_1).expect("filled");
    drop(conn);
    // A folder in the way of the copy.
    std::fs::create_dir_all(folder.path().join("ledger.format-1.part/x")).expect("in the way");
    let refused = open(&path).expect_err("no copy, no change").to_string();
    assert!(
        refused.contains("format 1 and could not be copied before the change to 4"),
        "{refused}"
    );
    let conn = Connection::open(&path).expect("opens");
    let format: i64 = conn
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .expect("format");
    assert_eq!(format, 1);
}
