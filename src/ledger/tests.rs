//! Events in, past and history out, through a real file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use super::{Ledger, LedgerError};
use crate::model::{
    Base, Choice, Counts, EdgeId, Event, Exit, FileResult, FileResults, Finish, Flow, FlowRef,
    Node, NodeId, NodeIdx, NodeRunId, NodeStatus, Notice, Outcome, Point, RunId, RunStart, Stream,
    Timestamp, What, WorkspaceId, command_hash,
};

/// A ledger in a folder of its own, a flow, and a clock that ticks at each event.
pub(super) struct Bench {
    folder: tempfile::TempDir,
    pub(super) ledger: Ledger,
    pub(super) flow: FlowRef,
    notices: Receiver<Notice>,
    clock: i64,
}

pub(super) fn flow_ref(file: &str) -> FlowRef {
    FlowRef {
        workspace: WorkspaceId::new("w"),
        root: Path::new("/flows").into(),
        file: file.into(),
    }
}

pub(super) fn frozen(names: &[&str]) -> Arc<Flow> {
    let mut flow = Flow::default();
    for name in names {
        let node = Node::new(*name, format!("echo {name}"), Point::default());
        flow.graph.add_node(node).expect("names differ");
    }
    Arc::new(flow)
}

impl Bench {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (tell, notices) = channel();
        let path = folder.path().join("w/ledger.sqlite");
        let ledger = Ledger::open(&path, Timestamp(0), move |notice| {
            drop(tell.send(notice));
        });
        Self {
            ledger: ledger.expect("a new ledger opens"),
            folder,
            flow: flow_ref("a.graphml"),
            notices,
            clock: 0,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("w/ledger.sqlite")
    }

    fn tick(&mut self) -> Timestamp {
        self.clock += 1_000;
        Timestamp(self.clock)
    }

    /// Starts a run over all of `names`.
    fn start(&mut self, run: &str, names: &[&str], choice: Choice) -> Started {
        self.start_of(run, names, choice, None, &[], None)
    }

    fn start_of(
        &mut self,
        run: &str,
        names: &[&str],
        choice: Choice,
        resumes: Option<&str>,
        kept: &[u32],
        subset: Option<&[u32]>,
    ) -> Started {
        let frozen = frozen(names);
        let all: Vec<u32> = (0..u32::try_from(names.len()).expect("few")).collect();
        let indices = |list: &[u32]| list.iter().map(|&i| NodeIdx(i)).collect::<Arc<[_]>>();
        let at = self.tick();
        self.ledger.record(Event::RunStarted(Box::new(RunStart {
            run: RunId::from(run),
            flow: self.flow.clone(),
            frozen,
            choice,
            resumes: resumes.map(RunId::from),
            subset: indices(subset.unwrap_or(&all)),
            kept: indices(kept),
            marks: [].into(),
            triggers: [].into(),
            at,
        })));
        Started { run: run.into() }
    }

    fn begin(&mut self, run: &Started, node: u32, pass: u32, attempt: u32) {
        let at = self.tick();
        let id = run.id(node, pass, attempt);
        self.ledger.record(Event::NodeStarted { id, at });
    }

    fn end(&mut self, run: &Started, node: u32, pass: u32, attempt: u32, code: i32) {
        let at = self.tick();
        self.ledger.record(Event::NodeFinished(Finish {
            id: run.id(node, pass, attempt),
            exit: Exit::Code(code),
            status: if code == 0 {
                NodeStatus::Ran
            } else {
                NodeStatus::Failed
            },
            retry_at: None,
            at,
        }));
    }

    fn node(&mut self, run: &Started, node: u32, code: i32) {
        self.begin(run, node, 1, 1);
        self.end(run, node, 1, 1, code);
    }

    fn finish(&mut self, run: &Started, outcome: Outcome, skipped: &[u32]) {
        let at = self.tick();
        self.ledger.record(Event::RunFinished {
            run: run.run.clone(),
            outcome,
            counts: Counts {
                subset: 3,
                ran: 1,
                failed: 1,
                skipped: 1,
                ..Counts::default()
            },
            skipped: skipped.iter().map(|&i| NodeIdx(i)).collect(),
            at,
        });
    }

    fn status(&self, node: &str) -> NodeStatus {
        let past = self.ledger.past(&self.flow).expect("a past");
        past.nodes
            .get(&NodeId::from(node))
            .map_or(NodeStatus::Idle, |state| state.status)
    }

    /// The facts of the last run as one line: `a+` started, `a ran`, `|` a resume.
    fn facts(&self) -> String {
        let past = self.ledger.past(&self.flow).expect("a past");
        let facts = past.last.map(|last| last.facts).unwrap_or_default();
        let word = |fact: &crate::model::Fact| match (&fact.node, fact.what) {
            (Some(node), What::Started) => format!("{node}+"),
            (Some(node), What::Ended(status)) => format!("{node} {}", status.word()),
            (_, What::Resumed) => "|".to_owned(),
            (None, what) => format!("no node {what:?}"),
        };
        facts.iter().map(word).collect::<Vec<_>>().join(", ")
    }

    /// Closes the ledger and opens the same file again.
    fn reopened(self) -> Self {
        let Self {
            folder,
            ledger,
            flow,
            clock,
            ..
        } = self;
        drop(ledger);
        let (tell, notices) = channel();
        let path = folder.path().join("w/ledger.sqlite");
        let ledger = Ledger::open(&path, Timestamp(clock), move |notice| {
            drop(tell.send(notice));
        });
        Self {
            ledger: ledger.expect("the file opens again"),
            folder,
            flow,
            notices,
            clock,
        }
    }
}

struct Started {
    run: RunId,
}

impl Started {
    fn id(&self, node: u32, pass: u32, attempt: u32) -> NodeRunId {
        NodeRunId {
            run: self.run.clone(),
            node: NodeIdx(node),
            pass,
            attempt,
        }
    }
}

fn ids(names: &[&str]) -> Vec<NodeId> {
    names.iter().map(|name| NodeId::from(*name)).collect()
}

#[test]
fn a_run_comes_back_as_past_and_history() {
    let mut bench = Bench::new();
    let run = bench.start("r1", &["a", "b", "c"], Choice::Full);
    bench.node(&run, 0, 0);
    bench.node(&run, 1, 7);
    bench.finish(&run, Outcome::Failed, &[2]);
    let bench = bench.reopened();

    assert_eq!(bench.facts(), "a+, a ran, b+, b failed");
    let past = bench.ledger.past(&bench.flow).expect("a past");
    let last = past.last.expect("a last run");
    assert_eq!(last.run, Some(RunId::from("r1")));
    assert_eq!((last.scope, last.base), (None, None));
    let b = &past.nodes[&NodeId::from("b")];
    assert_eq!(b.status, NodeStatus::Failed);
    assert_eq!(b.exit, Some(Exit::Code(7)));
    assert_eq!((b.pass, b.attempt), (1, 1));
    assert_eq!(b.started, Some(Timestamp(4_000)));
    assert_eq!(b.ended, Some(Timestamp(5_000)));
    assert_eq!(b.run, Some(RunId::from("r1")));
    assert_eq!(past.nodes[&NodeId::from("c")].status, NodeStatus::Skipped);
    assert_eq!(past.commands[&NodeId::from("a")], command_hash("echo a"));
    assert!(!past.commands.contains_key(&NodeId::from("c")));

    let history = bench
        .ledger
        .history(&bench.flow, 50, None)
        .expect("history");
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].outcome, Some(Outcome::Failed));
    assert_eq!(&*history[0].choice, "full");
    assert_eq!(history[0].started, Timestamp(1_000));
    assert_eq!(history[0].ended, Some(Timestamp(6_000)));
    assert_eq!(history[0].counts.failed, 1);
    assert!(bench.ledger.open_runs().expect("open runs").is_empty());
}

#[test]
fn a_resume_of_a_full_run_is_bound_to_the_whole_flow_and_chains_the_facts() {
    let mut bench = Bench::new();
    let names = ["a", "b", "c"];
    let run = bench.start("r1", &names, Choice::Full);
    bench.node(&run, 0, 0);
    bench.node(&run, 1, 1);
    bench.finish(&run, Outcome::Failed, &[2]);
    let run = bench.start_of("r2", &names, Choice::Resume, Some("r1"), &[0], None);
    bench.node(&run, 1, 0);
    bench.node(&run, 2, 0);
    bench.finish(&run, Outcome::Succeeded, &[]);

    assert_eq!(
        bench.facts(),
        "a+, a ran, b+, b failed, |, b+, b ran, c+, c ran"
    );
    let past = bench.ledger.past(&bench.flow).expect("a past");
    assert_eq!(past.last.expect("a last run").scope, None);
    // The kept node has the state that the run before gave it.
    assert_eq!(past.nodes[&NodeId::from("a")].run, Some(RunId::from("r1")));
    let states = |run| {
        let states = bench.ledger.states_of_run(&bench.flow, &RunId::from(run));
        let states = states.expect("states");
        names.map(|n| states.get(&NodeId::from(n)).map(|s| s.status))
    };
    use NodeStatus::{Failed, Ran, Skipped};
    assert_eq!(states("r1"), [Some(Ran), Some(Failed), Some(Skipped)]);
    assert_eq!(states("r2"), [Some(Ran), Some(Ran), Some(Ran)]);
    let history = bench.ledger.history(&bench.flow, 1, None).expect("history");
    assert_eq!(history[0].resumes, Some(RunId::from("r1")));
    let older = bench
        .ledger
        .history(&bench.flow, 9, Some(&history[0].id))
        .expect("history");
    assert_eq!(older.len(), 1);
    assert_eq!(older[0].id, RunId::from("r1"));
}

#[test]
fn a_selection_and_its_resume_are_bound_to_the_chosen_nodes() {
    let mut bench = Bench::new();
    let names = ["a", "b", "c"];
    let choice = Choice::Selection(ids(&["c", "b"]));
    let run = bench.start_of("r1", &names, choice, None, &[], Some(&[1, 2]));
    bench.node(&run, 1, 1);
    bench.finish(&run, Outcome::Failed, &[2]);
    let scope = |bench: &Bench| bench.ledger.past(&bench.flow).expect("a past").last;
    let last = scope(&bench).expect("a last run");
    assert_eq!(last.scope, Some(ids(&["b", "c"])));
    let run = bench.start_of("r2", &names, Choice::Resume, Some("r1"), &[], Some(&[1, 2]));
    bench.node(&run, 1, 0);
    let last = scope(&bench).expect("a last run");
    assert_eq!(last.scope, Some(ids(&["b", "c"])));
}

#[test]
fn a_retried_attempt_is_kept_and_is_no_fact() {
    let mut bench = Bench::new();
    let run = bench.start("r1", &["a"], Choice::Full);
    bench.begin(&run, 0, 1, 1);
    let at = bench.tick();
    bench.ledger.record(Event::NodeFinished(Finish {
        id: run.id(0, 1, 1),
        exit: Exit::TimedOut,
        status: NodeStatus::Failed,
        retry_at: Some(Timestamp(9)),
        at,
    }));
    bench.begin(&run, 0, 1, 2);
    bench.end(&run, 0, 1, 2, 0);
    bench.begin(&run, 0, 2, 1);
    bench.ledger.record_command(&run.id(0, 2, 1), "echo mended");
    bench.end(&run, 0, 2, 1, 3);
    assert_eq!(bench.facts(), "a+, a ran, a+, a failed");

    let rows = bench.ledger.node_runs(&run.run, Some(&NodeId::from("a")));
    let rows = rows.expect("rows");
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.id.pass, row.id.attempt, row.exit.clone(), &*row.command))
        .collect();
    assert_eq!(
        told,
        [
            (1, 1, Some(Exit::TimedOut), "echo a"),
            (1, 2, Some(Exit::Code(0)), "echo a"),
            (2, 1, Some(Exit::Code(3)), "echo mended"),
        ]
    );
    assert_eq!(bench.ledger.node_runs(&run.run, None).expect("rows"), rows);
    let newest = bench
        .ledger
        .newest_node_run(&bench.flow, &NodeId::from("a"))
        .expect("a row");
    assert_eq!(newest.as_ref(), rows.last());
    let history = bench.ledger.history(&bench.flow, 9, None).expect("history");
    assert_eq!(history[0].counts.failed, 1, "a live run is counted so far");
    let past = bench.ledger.past(&bench.flow).expect("a past");
    assert_eq!(
        past.commands[&NodeId::from("a")],
        command_hash("echo mended")
    );
}

#[test]
fn a_pass_that_ends_without_a_start_is_stored() {
    let mut bench = Bench::new();
    let run = bench.start("r1", &["a"], Choice::Full);
    let at = bench.tick();
    bench.ledger.record(Event::NodeFinished(Finish {
        id: run.id(0, 4, 1),
        exit: Exit::MaxPasses,
        status: NodeStatus::Failed,
        retry_at: None,
        at,
    }));
    assert_eq!(bench.facts(), "a failed");
    let past = bench.ledger.past(&bench.flow).expect("a past");
    assert_eq!(past.nodes[&NodeId::from("a")].exit, Some(Exit::MaxPasses));
}

#[test]
fn skipped_does_not_hide_what_the_run_itself_did() {
    let mut bench = Bench::new();
    let names = ["a", "b"];
    let run = bench.start("r1", &names, Choice::Full);
    bench.node(&run, 0, 0);
    bench.node(&run, 1, 0);
    bench.finish(&run, Outcome::Succeeded, &[]);
    let run = bench.start("r2", &names, Choice::Full);
    bench.node(&run, 0, 1);
    bench.finish(&run, Outcome::Failed, &[0, 1]);
    assert_eq!(bench.status("a"), NodeStatus::Failed);
    assert_eq!(bench.status("b"), NodeStatus::Skipped);
    let past = bench.ledger.past(&bench.flow).expect("a past");
    assert_eq!(past.nodes[&NodeId::from("b")].run, Some(RunId::from("r2")));
    assert_eq!(
        past.commands[&NodeId::from("b")],
        command_hash("echo b"),
        "the command of its last run stays known"
    );
}

#[test]
fn cleared_statuses_are_gone_until_the_next_run() {
    let mut bench = Bench::new();
    let run = bench.start("r1", &["a", "b"], Choice::Full);
    bench.node(&run, 0, 0);
    bench.node(&run, 1, 1);
    bench.finish(&run, Outcome::Failed, &[]);
    let clear = |bench: &Bench, nodes| {
        bench.ledger.record(Event::StatusCleared {
            flow: bench.flow.clone(),
            nodes,
            at: Timestamp(1),
        });
    };
    clear(&bench, Some(ids(&["b"])));
    let past = bench.ledger.past(&bench.flow).expect("a past");
    assert_eq!((past.nodes.len(), past.last.is_some()), (1, true));
    clear(&bench, None);
    let past = bench.ledger.past(&bench.flow).expect("a past");
    assert_eq!(past, crate::model::Past::default());
    let newest = bench
        .ledger
        .newest_node_run(&bench.flow, &NodeId::from("b"));
    assert!(
        newest.expect("a row").is_some(),
        "its log can still be read"
    );
    let run = bench.start("r2", &["a", "b"], Choice::Full);
    bench.node(&run, 0, 0);
    assert_eq!(bench.facts(), "a+, a ran");
}

#[test]
fn imported_results_are_the_base_of_a_resume() {
    let mut bench = Bench::new();
    let result = |status, exit, stdout: &str| FileResult {
        status,
        exit,
        stdout: stdout.to_owned(),
        stderr: String::new(),
    };
    let results = FileResults {
        nodes: [
            ("a".into(), result(NodeStatus::Ran, Some(0), "fine")),
            ("b".into(), result(NodeStatus::Failed, Some(2), "")),
            ("c".into(), FileResult::default()),
        ]
        .into(),
        marks: vec![EdgeId::from("a->b")],
    };
    let import = |bench: &Bench, run: &str, results: &FileResults, hash| {
        let run = RunId::from(run);
        bench
            .ledger
            .record_import(&bench.flow, run, results, hash, Timestamp(5));
    };
    import(&bench, "i1", &results, 1);
    import(&bench, "i2", &results, 1);
    let past = bench.ledger.past(&bench.flow).expect("a past");
    let base = Base {
        statuses: [
            ("a".into(), NodeStatus::Ran),
            ("b".into(), NodeStatus::Failed),
        ]
        .into(),
        marks: vec![EdgeId::from("a->b")],
    };
    let last = past.last.expect("the import is the last run");
    assert_eq!((last.run, last.scope, last.facts.len()), (None, None, 0));
    assert_eq!(last.base.as_ref(), Some(&base));
    let b = &past.nodes[&NodeId::from("b")];
    assert_eq!(
        (b.status, b.run.as_ref(), b.exit.clone()),
        (NodeStatus::Failed, None, Some(Exit::Code(2)))
    );
    let log = bench.ledger.imported_log(&bench.flow, &NodeId::from("a"));
    assert_eq!(log.expect("a log"), Some(("fine".into(), String::new())));
    assert_eq!(
        bench
            .ledger
            .history(&bench.flow, 9, None)
            .expect("history")
            .len(),
        1
    );

    let run = bench.start_of("r1", &["a", "b", "c"], Choice::Resume, None, &[0], None);
    bench.node(&run, 1, 0);
    assert_eq!(bench.facts(), "|, b+, b ran");
    let last = bench.ledger.past(&bench.flow).expect("a past").last;
    let last = last.expect("a last run");
    assert_eq!((last.run, last.base), (Some(run.run.clone()), Some(base)));
    let states = bench.ledger.states_of_run(&bench.flow, &run.run);
    let states = states.expect("states");
    assert_eq!(states[&NodeId::from("a")].status, NodeStatus::Ran);

    // A node was deleted from the file by hand: another hash, and nothing that was not known.
    let mut fewer = results;
    fewer.nodes.remove(&NodeId::from("b"));
    import(&bench, "i3", &fewer, 2);
    assert_eq!(bench.status("b"), NodeStatus::Ran);
    // Another program has run it: that is the newest.
    fewer
        .nodes
        .insert("a".into(), result(NodeStatus::Failed, Some(1), ""));
    import(&bench, "i4", &fewer, 3);
    assert_eq!(bench.status("a"), NodeStatus::Failed);
    assert_eq!(bench.status("b"), NodeStatus::Idle);
}

#[test]
fn a_huge_imported_log_keeps_its_end() {
    let bench = Bench::new();
    let result = FileResult {
        status: NodeStatus::Failed,
        stdout: format!("{}why", "é".repeat(1 << 20)),
        ..FileResult::default()
    };
    let results = FileResults {
        nodes: [("a".into(), result)].into(),
        marks: Vec::new(),
    };
    bench
        .ledger
        .record_import(&bench.flow, "i".into(), &results, 1, Timestamp(1));
    let log = bench.ledger.imported_log(&bench.flow, &NodeId::from("a"));
    let (out, _) = log.expect("a log").expect("an import");
    assert!(out.len() <= 1 << 20 && out.ends_with("éwhy"));
}

#[test]
fn the_log_index_is_ascending_per_stream() {
    let mut bench = Bench::new();
    let run = bench.start("r1", &["a"], Choice::Full);
    let id = run.id(0, 1, 1);
    for (stream, offset, at) in [
        (Stream::Out, 65_536, 2),
        (Stream::Err, 0, 3),
        (Stream::Out, 0, 1),
    ] {
        bench
            .ledger
            .record_log_index(&id, stream, offset, Timestamp(at));
    }
    let index = bench.ledger.log_index(&id).expect("an index");
    assert_eq!(
        index,
        [
            (Stream::Out, 0, Timestamp(1)),
            (Stream::Out, 65_536, Timestamp(2)),
            (Stream::Err, 0, Timestamp(3)),
        ]
    );
}

#[test]
fn a_file_that_another_process_is_just_making_says_nothing_yet() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path().parent().expect("a folder")).expect("made");
    let conn = rusqlite::Connection::open(bench.path()).expect("made");
    conn.pragma_update(None, "journal_mode", "WAL")
        .expect("set");
    assert_eq!(bench.ledger.open_runs().expect("read"), []);
    let past = bench.ledger.past(&bench.flow).expect("read");
    assert!(past.nodes.is_empty());
}

#[test]
fn nothing_is_made_before_something_is_recorded() {
    let bench = Bench::new();
    let past = bench.ledger.past(&bench.flow).expect("a past");
    assert_eq!(past, crate::model::Past::default());
    bench.ledger.record(Event::Told(Notice::info("x")));
    bench.ledger.flush().expect("nothing to do");
    assert_eq!(bench.ledger.health().expect("health").format, 0);
    assert!(!bench.path().exists());
    assert_eq!(bench.folder.path().read_dir().expect("a folder").count(), 0);
}

#[test]
fn a_run_of_this_process_is_never_taken_for_dead() {
    let mut bench = Bench::new();
    let run = bench.start("r1", &["a"], Choice::Full);
    bench.begin(&run, 0, 1, 1);
    bench.ledger.recover(|_| false).expect("recovery");
    assert_eq!(bench.status("a"), NodeStatus::Running);
}

#[test]
fn an_open_run_of_a_dead_process_becomes_interrupted() {
    let mut bench = Bench::new();
    let run = bench.start("r1", &["a", "b", "c", "d"], Choice::Full);
    bench.node(&run, 0, 0);
    bench.begin(&run, 1, 1, 1);
    bench.ledger.record(Event::NodeSpawned {
        id: run.id(1, 1, 1),
        pid: 4_242,
        birth: u64::MAX,
    });
    bench.begin(&run, 2, 1, 1);
    let at = bench.tick();
    bench.ledger.record(Event::NodeFinished(Finish {
        id: run.id(2, 1, 1),
        exit: Exit::Code(5),
        status: NodeStatus::Failed,
        retry_at: Some(Timestamp(99)),
        at,
    }));
    let bench = bench.reopened();
    let open = bench.ledger.open_runs().expect("open runs");
    assert_eq!(open.len(), 1);
    let held = bench.ledger.recover(|run| &*run.file == "a.graphml");
    assert_eq!(
        held.expect("recovery"),
        [],
        "its lock is held by a living process"
    );
    let recovered = bench.ledger.recover(|_| false).expect("recovery");
    assert_eq!(recovered, open);
    let orphans = bench.ledger.orphans(&bench.flow).expect("orphans");
    let orphan = &orphans[0];
    assert_eq!(
        (orphan.node.as_str(), orphan.pid, orphan.birth),
        ("b", 4_242, u64::MAX)
    );
    assert_eq!(orphans.len(), 1);

    assert_eq!(
        bench.facts(),
        "a+, a ran, b+, c+, b interrupted, c interrupted"
    );
    let past = bench.ledger.past(&bench.flow).expect("a past");
    assert_eq!(past.nodes[&NodeId::from("b")].exit, Some(Exit::Unknown));
    assert_eq!(past.nodes[&NodeId::from("b")].pid, None);
    assert_eq!(past.nodes[&NodeId::from("c")].exit, Some(Exit::Code(5)));
    let history = bench.ledger.history(&bench.flow, 9, None).expect("history");
    assert_eq!(history[0].outcome, Some(Outcome::Interrupted));
    assert_eq!(
        history[0].ended,
        Some(Timestamp(6_000)),
        "its last sign of life"
    );
    assert_eq!((history[0].counts.ran, history[0].counts.subset), (1, 4));
    assert_eq!(bench.ledger.recover(|_| false).expect("recovery"), []);
    let again = bench.ledger.orphans(&bench.flow).expect("orphans");
    assert_eq!(again, orphans, "whoever asks later is told too");
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let mut bench = Bench::new();
    bench.start("r1", &["a"], Choice::Full);
    let path = bench.path();
    drop(bench.ledger);
    let conn = rusqlite::Connection::open(&path).expect("the file opens");
    conn.pragma_update(None, "user_version", 99).expect("set");
    drop(conn);
    let err = Ledger::open(&path, Timestamp(0), |_| ()).expect_err("refused");
    assert!(matches!(err, LedgerError::Newer { found: 99, .. }), "{err}");
    assert!(err.to_string().contains("update Handmill"), "{err}");
    let conn = rusqlite::Connection::open(&path).expect("the file opens");
    let format: i64 = conn
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .expect("a version");
    assert_eq!(format, 99);
}

#[test]
fn a_database_of_another_program_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.sqlite");
    let conn = rusqlite::Connection::open(&path).expect("a database");
    conn.execute_batch("CREATE TABLE theirs (x)")
        .expect("a table");
    drop(conn);
    let err = Ledger::open(&path, Timestamp(0), |_| ()).expect_err("refused");
    assert!(matches!(err, LedgerError::Foreign { .. }), "{err}");
}

#[test]
fn a_damaged_file_is_moved_aside_and_told() {
    let mut bench = Bench::new();
    bench.start("r1", &["a"], Choice::Full);
    let path = bench.path();
    let flow = bench.flow.clone();
    drop(bench.ledger);
    let whole = std::fs::read(&path).expect("the file");
    let mut torn = whole.clone();
    // Keep the header, so that only a look inside finds it.
    torn[1_000..].fill(0x5a);
    for (n, damaged) in [
        (1, torn),
        (2, b"not a database at all, but long enough".repeat(200)),
    ] {
        std::fs::write(&path, &damaged).expect("written");
        let (tell, notices) = channel();
        let ledger = Ledger::open(&path, Timestamp(0), move |notice| drop(tell.send(notice)))
            .expect("a new one is begun");
        let notice = notices.try_recv().expect("told");
        let aside = path.with_file_name(format!("ledger.corrupt-{n}.sqlite"));
        assert!(
            notice.hint.contains(&*aside.to_string_lossy()),
            "{notice:?}"
        );
        assert_eq!(std::fs::read(&aside).expect("kept"), damaged);
        assert_eq!(ledger.history(&flow, 9, None).expect("history"), []);
        ledger.record(Event::StatusCleared {
            flow: flow.clone(),
            nodes: None,
            at: Timestamp(1),
        });
        ledger.flush().expect("the new one can be written");
    }
}

#[test]
fn a_full_disk_is_told_once_and_nothing_is_lost_when_there_is_room_again() {
    let mut bench = Bench::new();
    let names: Vec<String> = (0..300).map(|n| format!("node {n:0>200}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let run = bench.start("r1", &names, Choice::Full);
    bench.node(&run, 0, 0);
    bench.ledger.flush().expect("there is room");
    bench.ledger.limit_pages(1);
    for node in 1..300 {
        bench.node(&run, node, 0);
    }
    let err = bench.ledger.flush().expect_err("the disk is full");
    assert!(matches!(err, LedgerError::Write { .. }), "{err}");
    bench
        .ledger
        .past(&bench.flow)
        .expect_err("a past without the newest facts would lie");
    let history = bench
        .ledger
        .history(&bench.flow, 9, None)
        .expect("what there is");
    assert_eq!(history[0].counts.ran, 1);
    bench.finish(&run, Outcome::Succeeded, &[]);
    bench.ledger.limit_pages(0);
    bench.ledger.flush().expect("there is room again");
    let past = bench.ledger.past(&bench.flow).expect("a past");
    assert_eq!(past.nodes.len(), 300);
    assert_eq!(past.last.expect("a last run").facts.len(), 600);
    let told: Vec<Notice> = bench.notices.try_iter().collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].hint.contains("Make room"), "{told:?}");
    assert!(bench.ledger.health().expect("health").troubles.is_empty());
}

#[test]
fn every_reference_between_rows_holds() {
    let mut bench = Bench::new();
    let choice = Choice::Selection(ids(&["a"]));
    let run = bench.start_of("r1", &["a", "b"], choice, None, &[], Some(&[0]));
    bench.node(&run, 0, 0);
    bench.finish(&run, Outcome::Succeeded, &[1]);
    bench
        .ledger
        .record_log_index(&run.id(0, 1, 1), Stream::Out, 0, Timestamp(1));
    let health = bench.ledger.health().expect("health");
    assert_eq!(health.troubles, Vec::<String>::new());
    assert_eq!((health.format, health.runs), (super::FORMAT, 1));
    assert!(health.bytes + health.wal_bytes > 0);
}
