//! Two or three ledgers that take each other's rows over, without a shared folder between them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::SharedLedger;
use super::words::{self, step_name};
use crate::ledger::{Ledger, LinesElsewhere};
use crate::model::{
    Choice, Counts, Event, Exit, Finish, Flow, FlowRef, Node, NodeId, NodeIdx, NodeRunId,
    NodeStatus, Outcome, Past, Point, Retention, RunId, RunStart, RunSummary, Stream, Timestamp,
    What, WorkspaceId,
};
use crate::runtime::{LogTarget, Workspace, query};
use crate::share::{Adoption, FileStateRow, LedgerSide, LogRow, Rows, RunRow, StepRow, Wanted};
use crate::store::Home;

/// 2026-11-21 00:00 UTC.
const NOW: Timestamp = Timestamp(1_795_219_200_000_000);

fn now() -> Timestamp {
    NOW
}

/// A machine with its ledger.
struct Machine {
    _home: tempfile::TempDir,
    workspace: Arc<Workspace>,
    side: SharedLedger,
}

fn flow_ref() -> FlowRef {
    FlowRef {
        workspace: WorkspaceId::new("ws-1"),
        root: Path::new("/share/ws").into(),
        file: "flow_modules/daily.graphml".into(),
    }
}

impl Machine {
    fn new(host: &str) -> Self {
        Self::keeping(host, Retention::default())
    }

    fn keeping(host: &str, rule: Retention) -> Self {
        let dir = tempfile::tempdir().expect("temp dir");
        let home = Home::at(dir.path());
        let open = Workspace::open(&home, &flow_ref(), NOW, |notice| panic!("{notice:?}"));
        let workspace = Arc::new(open.expect("opens"));
        Self {
            _home: dir,
            side: SharedLedger::new(workspace.clone(), host, rule, || {}).at(now),
            workspace,
        }
    }

    fn ledger(&self) -> &Ledger {
        &self.workspace.ledger
    }

    fn all(&mut self) -> Rows {
        self.side
            .rows(Wanted::Newest { n_runs: 500 })
            .expect("rows")
    }

    fn changed(&mut self) -> Rows {
        self.side.rows(Wanted::Changed).expect("rows")
    }

    fn watch(&mut self, rows: Rows, host: &str) {
        let watched = self.side.adopt(rows, Some(host), Adoption::Watching);
        watched.expect("adopted");
    }

    fn claim(&mut self, rows: Rows) {
        let claimed = self.side.adopt(rows, None, Adoption::Claiming);
        claimed.expect("adopted");
    }

    fn past(&self) -> Past {
        self.ledger().past(&flow_ref()).expect("past")
    }

    fn history(&self) -> Vec<RunSummary> {
        self.ledger()
            .history(&flow_ref(), 100, None)
            .expect("history")
    }

    /// Facts on one line: `a+` began, `a ran` ended.
    fn facts(&self) -> String {
        let Some(last) = self.past().last else {
            return String::new();
        };
        let facts = last.facts.iter().map(|fact| {
            let node = fact.node.as_ref().map_or("", NodeId::as_str);
            match fact.what {
                What::Started => format!("{node}+"),
                What::Ended(status) => format!("{node} {}", status.word()),
                What::Resumed => "|".to_owned(),
            }
        });
        facts.collect::<Vec<_>>().join(", ")
    }

    /// How each node stands, on one line.
    fn stands(&self) -> String {
        let mut nodes: Vec<String> = self
            .past()
            .nodes
            .iter()
            .map(|(node, state)| format!("{node} {}", state.status.word()))
            .collect();
        nodes.sort();
        nodes.join(", ")
    }

    fn lines(&self, run: &str, node: Option<&str>) -> Option<LinesElsewhere> {
        let node = node.map(NodeId::from);
        let lines = self
            .ledger()
            .lines_elsewhere(&RunId::from(run), node.as_ref());
        lines.expect("lines")
    }

    fn healthy(&self) {
        let health = self.ledger().health().expect("health");
        assert_eq!(health.troubles, Vec::<String>::new());
    }
}

/// Records a run as the dispatcher does. Times are microseconds after [`NOW`].
struct Run<'a> {
    machine: &'a Machine,
    id: RunId,
    clock: i64,
}

fn frozen() -> Arc<Flow> {
    let mut flow = Flow {
        group: "Claims".to_owned(),
        ..Flow::default()
    };
    for name in ["a", "b", "c", "d"] {
        let mut node = Node::new(name, format!("echo {name}"), Point::default());
        node.title = format!("Node {name}");
        flow.graph.add_node(node).expect("names differ");
    }
    Arc::new(flow)
}

fn start<'a>(machine: &'a Machine, id: &str, at: i64) -> Run<'a> {
    start_of(machine, id, at, Choice::Full, None, &[])
}

fn start_of<'a>(
    machine: &'a Machine,
    id: &str,
    at: i64,
    choice: Choice,
    resumes: Option<&str>,
    kept: &[u32],
) -> Run<'a> {
    let indices = |list: &[u32]| list.iter().map(|&i| NodeIdx(i)).collect::<Arc<[_]>>();
    let id = RunId::from(id);
    machine
        .ledger()
        .record(Event::RunStarted(Box::new(RunStart {
            run: id.clone(),
            flow: flow_ref(),
            frozen: frozen(),
            choice,
            resumes: resumes.map(RunId::from),
            subset: indices(&[0, 1, 2, 3]),
            kept: indices(kept),
            marks: [].into(),
            triggers: [].into(),
            at: Timestamp(NOW.0 + at),
        })));
    Run {
        machine,
        id,
        clock: at,
    }
}

impl Run<'_> {
    fn id(&self, node: u32, pass: u32, attempt: u32) -> NodeRunId {
        NodeRunId {
            run: self.id.clone(),
            node: NodeIdx(node),
            pass,
            attempt,
        }
    }

    fn tick(&mut self) -> Timestamp {
        self.clock += 10;
        Timestamp(NOW.0 + self.clock)
    }

    fn begin(&mut self, node: u32, pass: u32, attempt: u32) {
        let (id, at) = (self.id(node, pass, attempt), self.tick());
        self.machine.ledger().record(Event::NodeStarted { id, at });
    }

    fn end(&mut self, node: u32, pass: u32, attempt: u32, exit: Exit, again: bool) {
        let at = self.tick();
        let status = match exit {
            Exit::Code(0) => NodeStatus::Ran,
            Exit::Signal(_) => NodeStatus::Stopped,
            _ => NodeStatus::Failed,
        };
        self.machine.ledger().record(Event::NodeFinished(Finish {
            id: self.id(node, pass, attempt),
            exit,
            status,
            retry_at: again.then_some(at),
            at,
        }));
    }

    fn node(&mut self, node: u32, exit: Exit) {
        self.begin(node, 1, 1);
        self.end(node, 1, 1, exit, false);
    }

    fn finish(mut self, outcome: Outcome) {
        let at = self.tick();
        self.machine.ledger().record(Event::RunFinished {
            run: self.id.clone(),
            outcome,
            counts: Counts::default(),
            skipped: [].into(),
            at,
        });
    }

    /// Writes the log of an attempt, as its command would.
    fn print(&self, node: u32, out: &str, err: &str) {
        let (out_file, err_file) = self.machine.workspace.log_files(&self.id(node, 1, 1));
        let folder = out_file.parent().expect("a folder");
        std::fs::create_dir_all(folder).expect("made");
        std::fs::write(&out_file, out).expect("written");
        std::fs::write(&err_file, err).expect("written");
    }
}

#[test]
fn a_run_that_is_watched_stands_as_it_does_on_its_machine() {
    let (mut a, mut b) = (Machine::new("wsA"), Machine::new("wsB"));
    let mut run = start(&a, "r1", 0);
    run.node(0, Exit::Code(0));
    run.begin(1, 1, 1);
    let first = a.all();
    b.watch(first, "wsA");
    assert_eq!(b.stands(), "a ran, b running");
    assert_eq!(b.history()[0].ended, None);
    assert_eq!(b.history()[0].ran_on.as_deref(), Some("wsA"));
    assert!(
        b.ledger().open_runs().expect("open").is_empty(),
        "not ours to recover"
    );

    let mut run = Run {
        machine: &a,
        id: RunId::from("r1"),
        clock: 1_000,
    };
    run.end(1, 1, 1, Exit::Code(7), false);
    run.finish(Outcome::Failed);
    let second = a.changed();
    assert_eq!(
        (second.runs.len(), second.steps.len()),
        (1, 1),
        "only what is new"
    );
    b.watch(second, "wsA");
    assert_eq!(b.stands(), a.stands());
    assert_eq!(b.facts(), "a+, a ran, b+, b failed");
    assert_eq!(b.facts(), a.facts());
    let ended = &b.history()[0];
    assert_eq!(ended.outcome, Some(Outcome::Failed));
    assert_eq!((ended.counts.ran, ended.counts.failed), (1, 1));
    assert_eq!(&*ended.choice, "full");
    let state = &b.past().nodes[&NodeId::from("b")];
    assert_eq!(state.exit, Some(Exit::Code(7)));
    assert_eq!(a.changed(), Rows::default(), "told once");
    b.healthy();
}

#[test]
fn the_seeds_columns_say_what_its_programs_show() {
    let mut a = Machine::new("wsA");
    let mut run = start(&a, "r1", 0);
    run.print(0, "one\ntwo\n", "");
    run.node(0, Exit::Code(0));
    run.print(1, "", "no such table\n");
    run.node(1, Exit::Code(3));
    run.finish(Outcome::Failed);
    let rows = a.all();
    let at = |n: i64| Timestamp(NOW.0 + n);
    assert_eq!(
        rows.runs,
        [RunRow {
            run_id: "r1".to_owned(),
            flow_name: "flow_modules/daily.graphml".to_owned(),
            group_name: Some("Claims".to_owned()),
            source_path: Some("wsA:flow_modules/daily.graphml#full".to_owned()),
            status: "failed".to_owned(),
            started_at: at(0),
            finished_at: Some(at(50)),
            error_text: Some(
                "Flow \"flow_modules/daily.graphml\" failed in step \"Node b [b]\": exit 3"
                    .to_owned()
            ),
        }]
    );
    let step = |id, label: &str, status: &str, from, error: Option<&str>| StepRow {
        id,
        run_id: "r1".to_owned(),
        flow_name: "flow_modules/daily.graphml".to_owned(),
        step_label: label.to_owned(),
        status: status.to_owned(),
        started_at: at(from),
        finished_at: Some(at(from + 10)),
        elapsed_ms: Some(0),
        error_text: error.map(str::to_owned),
        output_path: None,
    };
    assert_eq!(
        rows.steps,
        [
            step(1, "Node a [a]", "success", 10, None),
            step(2, "Node b [b]", "failed", 30, Some("exit 3")),
        ]
    );
    let log = |id, label: &str, level: &str, message: &str, n| LogRow {
        id,
        run_id: Some("r1".to_owned()),
        flow_name: Some("flow_modules/daily.graphml".to_owned()),
        step_label: Some(label.to_owned()),
        level: level.to_owned(),
        message: message.to_owned(),
        created_at: at(n),
    };
    assert_eq!(
        rows.logs,
        [
            log(1, "Node a [a]", "INFO", "one", 18),
            log(2, "Node a [a]", "INFO", "two", 19),
            log(3, "Node b [b]", "ERROR", "no such table", 39),
        ]
    );
}

#[test]
fn lines_of_another_machine_are_kept_once_and_found_by_node() {
    let (mut a, mut b) = (Machine::new("wsA"), Machine::new("wsB"));
    let mut run = start(&a, "r1", 0);
    run.print(0, "same\nsame\n", "");
    run.node(0, Exit::Code(0));
    run.print(1, "other\n", "");
    run.node(1, Exit::Code(0));
    run.finish(Outcome::Succeeded);
    for _ in 0..2 {
        let rows = a.all();
        b.watch(rows, "wsA");
    }
    let of_a = b.lines("r1", Some("a")).expect("known");
    let texts: Vec<&str> = of_a
        .lines
        .iter()
        .map(|line| line.message.as_str())
        .collect();
    assert_eq!(texts, ["same", "same"]);
    assert_eq!((&*of_a.host, of_a.seen), ("wsA", NOW));
    assert_eq!(b.lines("r1", None).expect("known").lines.len(), 3);
    assert_eq!(a.lines("r1", None), None, "its own logs are files");
}

#[test]
fn the_log_of_a_run_elsewhere_says_whose_lines_it_shows() {
    let (mut a, mut b) = (Machine::new("wsA"), Machine::new("wsB"));
    let mut run = start(&a, "r1", 0);
    run.print(0, "out\n", "bad\u{1b}[2J\n");
    run.node(0, Exit::Code(1));
    run.finish(Outcome::Failed);
    let rows = a.all();
    b.watch(rows, "wsA");
    let tail = |run: Option<&str>, node: Option<&str>| {
        let target = LogTarget {
            flow: flow_ref(),
            run: run.map(RunId::from),
            node: node.map(NodeId::from),
        };
        query::tail(&b.workspace, &target).expect("a tail")
    };
    let shown = [
        tail(None, Some("a")),
        tail(Some("r1"), Some("a")),
        tail(None, None),
        tail(Some("r1"), None),
    ];
    for tail in shown {
        let published = tail.published.expect("elsewhere");
        assert_eq!((&*published.host, published.seen), ("wsA", NOW));
        let lines: Vec<_> = tail
            .lines
            .iter()
            .map(|line| (line.node.as_str(), line.stream, &*line.text))
            .collect();
        assert_eq!(
            lines,
            [("a", Stream::Out, "out"), ("a", Stream::Err, "bad")]
        );
        assert!(!tail.removed && tail.trouble.is_empty());
    }
    let files = query::log_files(&b.workspace, &flow_ref(), None, Some(&NodeId::from("a")));
    let files = files.expect("files");
    let texts = files[0].imported.as_ref();
    assert_eq!(texts, Some(&("out\n".to_owned(), "bad\n".to_owned())));
}

#[test]
fn who_gains_control_has_what_ran_elsewhere_interrupted_and_resumes_it() {
    let (mut a, mut b) = (Machine::new("wsA"), Machine::new("wsB"));
    let mut run = start(&a, "r1", 0);
    run.node(0, Exit::Code(0));
    run.begin(1, 1, 1);
    let rows = a.all();
    b.watch(rows.clone(), "wsA");
    let running = |machine: &Machine| {
        let steps = machine.ledger().steps_running_elsewhere().expect("read");
        let names: Vec<String> = steps.iter().map(|label| step_name(label)).collect();
        names.join(", ")
    };
    assert_eq!(
        running(&b),
        "Node b",
        "what runs there has a name before it is taken over"
    );
    assert_eq!(running(&a), "", "ours runs here");
    b.claim(rows.clone());
    assert_eq!(running(&b), "");
    assert_eq!(b.stands(), "a ran, b interrupted");
    assert_eq!(b.history()[0].outcome, Some(Outcome::Interrupted));
    assert_eq!(b.facts(), "a+, a ran, b+, b interrupted");
    // The same rows once more, as they still lie there: nothing runs again by them.
    b.claim(rows.clone());
    b.watch(rows, "wsA");
    assert_eq!(b.stands(), "a ran, b interrupted");

    let mut run = start_of(&b, "r2", 5_000, Choice::Resume, Some("r1"), &[0]);
    run.node(1, Exit::Code(0));
    run.finish(Outcome::Succeeded);
    assert_eq!(b.facts(), "a+, a ran, b+, b interrupted, |, b+, b ran");

    // What B publishes, C and A take over; A's own run is what A recorded itself.
    let published = b.all();
    let interrupted = &published.runs[0];
    assert_eq!(interrupted.status, "stopped");
    assert_eq!(
        interrupted.error_text.as_deref(),
        Some(Outcome::Interrupted.remark())
    );
    assert_eq!(
        published.runs[1].source_path.as_deref(),
        Some("wsB:flow_modules/daily.graphml#resume;after=r1")
    );
    let mut c = Machine::new("wsC");
    c.watch(published.clone(), "wsB");
    assert_eq!(c.facts(), b.facts());
    assert_eq!(c.stands(), b.stands());
    let hosts: Vec<_> = c.history().iter().map(|run| run.ran_on.clone()).collect();
    assert_eq!(hosts, [Some("wsB".into()), Some("wsA".into())]);
    let own = a.history();
    a.watch(published, "wsB");
    assert_eq!(a.history()[1..], own[..], "ours is not touched");
    assert_eq!(a.history()[0].ran_on.as_deref(), Some("wsB"));
    assert_eq!(a.past().nodes[&NodeId::from("b")].status, NodeStatus::Ran);
    for machine in [&a, &b, &c] {
        machine.healthy();
    }
}

#[test]
fn passes_and_attempts_keep_their_numbers() {
    let (mut a, mut b) = (Machine::new("wsA"), Machine::new("wsB"));
    let mut run = start(&a, "r1", 0);
    run.begin(0, 1, 1);
    run.end(0, 1, 1, Exit::Code(1), true);
    run.begin(0, 1, 2);
    run.end(0, 1, 2, Exit::Code(0), false);
    run.begin(0, 2, 1);
    run.end(0, 2, 1, Exit::Signal(15), false);
    run.finish(Outcome::Stopped);
    let rows = a.all();
    let labels: Vec<&str> = rows.steps.iter().map(|s| s.step_label.as_str()).collect();
    assert_eq!(
        labels,
        [
            "Node a [a]",
            "Node a [a, pass 1, attempt 2]",
            "Node a [a, pass 2]"
        ]
    );
    assert_eq!(
        rows.steps[0].error_text.as_deref(),
        Some("exit 1, tried again")
    );
    b.watch(rows, "wsA");
    let attempts = |machine: &Machine| -> Vec<(u32, u32, NodeStatus, Option<Exit>)> {
        let rows = machine.ledger().node_runs(&RunId::from("r1"), None);
        let rows = rows.expect("rows").into_iter();
        rows.map(|row| (row.id.pass, row.id.attempt, row.status, row.exit))
            .collect()
    };
    assert_eq!(attempts(&b), attempts(&a));
    assert_eq!(b.facts(), "a+, a ran, a+, a stopped");
    assert_eq!(b.facts(), a.facts());
}

#[test]
fn older_copies_and_other_machines_leave_our_newer_statuses() {
    let (mut a, mut b) = (Machine::new("wsA"), Machine::new("wsB"));
    let mut run = start(&a, "old", 0);
    run.node(0, Exit::Code(1));
    run.finish(Outcome::Failed);
    let mut run = start(&b, "new", 9_000);
    run.node(0, Exit::Code(0));
    run.finish(Outcome::Succeeded);
    let rows = a.all();
    b.watch(rows, "wsA");
    assert_eq!(b.stands(), "a ran");
    assert_eq!(b.facts(), "a+, a ran");
    let order: Vec<_> = b.history().iter().map(|run| run.id.clone()).collect();
    assert_eq!(order, [RunId::from("new"), RunId::from("old")], "by time");
}

#[test]
fn what_retention_would_remove_is_not_taken_over() {
    let mut a = Machine::keeping(
        "wsA",
        Retention {
            days: 0,
            log_bytes_max: 0,
        },
    );
    let mut b = Machine::new("wsB");
    let day = 24 * 60 * 60 * 1_000_000;
    for (id, days, outcome) in [
        ("ran-6", 6, Outcome::Succeeded),
        ("ran-8", 8, Outcome::Succeeded),
        ("failed-13", 13, Outcome::Failed),
        ("failed-15", 15, Outcome::Failed),
    ] {
        let mut run = start(&a, id, -days * day);
        run.node(0, Exit::Code(i32::from(outcome == Outcome::Failed)));
        run.finish(outcome);
    }
    let rows = a.all();
    b.watch(rows, "wsA");
    let mut kept: Vec<_> = b.history().iter().map(|run| run.id.clone()).collect();
    kept.sort();
    assert_eq!(kept, [RunId::from("failed-13"), RunId::from("ran-6")]);
    b.healthy();
}

#[test]
fn rows_of_the_seed_are_given_on_word_for_word() {
    let (mut b, mut c) = (Machine::new("wsB"), Machine::new("wsC"));
    let at = |n: i64| Timestamp(NOW.0 - 1_000_000 + n);
    let rows = Rows {
        runs: vec![RunRow {
            run_id: "239aab3682e8401f92cea2de9a94791b".to_owned(),
            flow_name: "poll_docs".to_owned(),
            group_name: Some("Docs".to_owned()),
            source_path: Some("/in/doc_1.csv".to_owned()),
            status: "failed".to_owned(),
            started_at: at(0),
            finished_at: Some(at(90)),
            error_text: Some("RuntimeError: bad row 17".to_owned()),
        }],
        steps: [("Read Doc", "success", 27), ("Read Doc", "failed", 28)]
            .into_iter()
            .map(|(label, status, id)| StepRow {
                id,
                run_id: "239aab3682e8401f92cea2de9a94791b".to_owned(),
                flow_name: "poll_docs".to_owned(),
                step_label: label.to_owned(),
                status: status.to_owned(),
                started_at: at(id),
                finished_at: Some(at(id + 1)),
                elapsed_ms: Some(7),
                error_text: (status == "failed").then(|| "RuntimeError: bad row 17".to_owned()),
                output_path: Some("/out/doc_1.parquet".to_owned()),
            })
            .collect(),
        logs: vec![LogRow {
            id: 4,
            run_id: None,
            flow_name: Some("poll_docs".to_owned()),
            step_label: None,
            level: "ERROR".to_owned(),
            message: "bad row 17".to_owned(),
            created_at: at(50),
        }],
        files: vec![FileStateRow {
            flow_name: "poll_docs".to_owned(),
            source_path: "/in/doc_1.csv".to_owned(),
            mtime_ns: 1_795_219_090_057_174_482,
            size_bytes: 13,
            last_success_run_id: None,
            last_success_at: None,
            last_status: "failed".to_owned(),
            last_error_text: Some("RuntimeError: bad row 17".to_owned()),
        }],
    };
    b.claim(rows.clone());
    let mut given = b.all();
    for step in &mut given.steps {
        step.id += 26;
    }
    given.logs[0].id = 4;
    assert_eq!(given, rows);
    c.watch(b.all(), "wsB");
    c.watch(b.all(), "wsB");
    let again = c.all();
    assert_eq!(
        again.steps.len(),
        2,
        "known by their start, whatever their number"
    );
    assert_eq!(again.files, rows.files);
    assert_eq!(again.logs.len(), 1);
    let flow = FlowRef {
        file: "poll_docs".into(),
        ..flow_ref()
    };
    let history = c.ledger().history(&flow, 9, None).expect("history");
    assert_eq!(history[0].outcome, Some(Outcome::Failed));
}

#[test]
fn names_of_other_machines_are_no_paths_here() {
    let mut b = Machine::new("wsB");
    let row = |id: &str, flow: &str| RunRow {
        run_id: id.to_owned(),
        flow_name: flow.to_owned(),
        group_name: None,
        source_path: Some(format!("\u{1b}]0;evil\u{7}{}:{flow}#full", "x".repeat(500))),
        status: "success".to_owned(),
        started_at: NOW,
        finished_at: Some(NOW),
        error_text: None,
    };
    let rows = Rows {
        runs: vec![
            row("../../etc", "../../flow_modules/a.graphml"),
            row(".hidden", "/abs/a.graphml"),
            row("", ""),
            row("20261121-051234.567-1a2b", "flow_modules/daily.graphml"),
        ],
        ..Rows::default()
    };
    b.watch(rows, "wsA");
    let page = b
        .ledger()
        .search(None, &crate::model::HistoryFilter::default(), 9, None);
    for run in page.expect("page").runs {
        let id = run.summary.id.as_str();
        assert!(
            !id.contains('/') && !id.starts_with('.') && !id.is_empty(),
            "{id}"
        );
        let mut parts = Path::new(&*run.file).components();
        let is_inside = parts.all(|part| matches!(part, std::path::Component::Normal(_)));
        assert!(is_inside && !run.file.is_empty(), "{}", run.file);
        let host = run.summary.ran_on.expect("elsewhere");
        assert!(
            host.chars().count() <= 64 && !host.contains('\u{1b}'),
            "{host}"
        );
    }
    b.healthy();
}

#[test]
fn labels_and_sources_say_again_what_was_put_into_them() {
    for (title, id, pass, attempt) in [
        (Some("Load"), "n1", 1, 1),
        (None, "n1", 3, 1),
        (Some("a [b]"), "x, pass 2]", 1, 9),
        (Some("%5B"), "%5B[", 12, 34),
        (Some(""), "", 1, 1),
    ] {
        let label = words::label(title, &NodeId::from(id), pass, attempt);
        assert_eq!(
            words::parse_label(&label),
            Some((NodeId::from(id), pass, attempt)),
            "{label}"
        );
        let name = title.filter(|title| !title.is_empty()).unwrap_or(id);
        assert_eq!(step_name(&label), name, "{label}");
    }
    for bad in ["", "Read Doc", "x]", "a [b, c]", "a [b, pass x]"] {
        assert_eq!(words::parse_label(bad), None, "{bad}");
    }
    let source = words::Source {
        host: "ws-A".to_owned(),
        choice: "from".to_owned(),
        whole: false,
        resumes: Some(RunId::from("20261121-051234.567-1a2b")),
    };
    let file = "flow_modules/a#b;c.graphml";
    assert_eq!(
        words::Source::parse(&source.to_text(file), file),
        Some(source)
    );
    assert_eq!(words::Source::parse("/in/doc_1.csv", "poll_docs"), None);
}

/// A small generator whose seed is printed when a test fails.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

#[test]
fn who_follows_each_snapshot_knows_what_one_look_at_the_end_tells() {
    let n_seeds = std::env::var("HANDMILL_SEEDS")
        .ok()
        .and_then(|n| n.parse().ok());
    for seed in 1..=n_seeds.unwrap_or(10_u64) {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (mut a, mut b, mut c) = (
            Machine::new("wsA"),
            Machine::new("wsB"),
            Machine::new("wsC"),
        );
        let mut clock = 0;
        let mut is_first = true;
        let mut before: Option<String> = None;
        let mut rows_before: Option<Rows> = None;
        let mut look = |a: &mut Machine, dice: &mut Dice, is_first: &mut bool| {
            if dice.roll(3) != 0 {
                return;
            }
            let rows = match std::mem::take(is_first) {
                true => a.all(),
                false => a.changed(),
            };
            // Older copies, and the same ones, change nothing.
            if let Some(older) = rows_before.replace(rows.clone()) {
                b.watch(rows.clone(), "wsA");
                b.watch(older, "wsA");
            }
            b.watch(rows, "wsA");
        };
        for n in 0..4 {
            let id = format!("r{n}");
            let failed_before = before.clone().filter(|_| dice.roll(2) == 0);
            let choice = match failed_before {
                Some(_) => Choice::Resume,
                None => Choice::Full,
            };
            let mut run = start_of(&a, &id, clock, choice, failed_before.as_deref(), &[]);
            let mut passes: HashMap<u32, u32> = HashMap::new();
            let mut clock_of = clock;
            for _ in 0..dice.roll(8) {
                let node = u32::try_from(dice.roll(4)).expect("small");
                let pass = passes.entry(node).or_default();
                *pass += 1;
                let pass = *pass;
                run.begin(node, pass, 1);
                clock_of = run.clock;
                look(&mut a, &mut dice, &mut is_first);
                run = Run {
                    machine: &a,
                    id: RunId::from(id.as_str()),
                    clock: clock_of,
                };
                let again = dice.roll(4) == 0;
                run.end(node, pass, 1, Exit::Code(i32::from(again)), again);
                if again {
                    run.begin(node, pass, 2);
                    run.end(node, pass, 2, Exit::Code(0), false);
                }
                clock_of = run.clock;
            }
            clock = clock_of + 100;
            if n < 3 || dice.roll(2) == 0 {
                run.finish(Outcome::Succeeded);
            }
            before = Some(id);
            look(&mut a, &mut dice, &mut is_first);
        }
        let rest = match is_first {
            true => a.all(),
            false => a.changed(),
        };
        b.watch(rest, "wsA");
        let whole = a.all();
        c.watch(whole, "wsA");
        for machine in [&b, &c] {
            assert_eq!(machine.facts(), a.facts(), "seed {seed}");
            assert_eq!(machine.stands(), a.stands(), "seed {seed}");
            let (theirs, ours) = (a.history(), machine.history());
            let told = |runs: &[RunSummary]| -> Vec<_> {
                runs.iter()
                    .map(|r| {
                        (
                            r.id.clone(),
                            r.started,
                            r.ended,
                            r.outcome,
                            r.resumes.clone(),
                        )
                    })
                    .collect()
            };
            assert_eq!(told(&ours), told(&theirs), "seed {seed}");
            machine.healthy();
        }
    }
}
