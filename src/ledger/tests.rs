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

mod file;
mod imported;
mod past;

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
