//! Several processes on one file, some of them killed. The other process is this test again, told by
//! the environment to play it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use super::Ledger;
use super::tests::{flow_ref, frozen};
use crate::model::{
    Choice, Counts, Event, Exit, Finish, FlowRef, NodeId, NodeIdx, NodeRunId, NodeStatus, Outcome,
    RunId, RunStart, Timestamp, seeds,
};

/// Set in the other process: where the ledger is.
const LEDGER_OF_CHILD: &str = "HANDMILL_TEST_LEDGER";

const NODES: u32 = 2_000;

/// Nodes recorded between two acknowledgements.
const STEP: u32 = 20;

/// Starts this test binary with only the test `name`, which then finds the path in its environment.
fn other_process(name: &str, ledger: &Path) -> Child {
    Command::new(std::env::current_exe().expect("the test binary"))
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .arg(format!("ledger::crash_tests::{name}"))
        .env(LEDGER_OF_CHILD, ledger)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the test binary starts")
}

fn open(path: &Path) -> Ledger {
    Ledger::open(path, Timestamp(0), |notice| {
        panic!("unexpected: {notice:?}")
    })
    .expect("the ledger opens")
}

/// Records a run of [`NODES`] nodes; `acknowledge` hears how many are on disk.
fn record_run(ledger: &Ledger, flow: &FlowRef, run: &str, mut acknowledge: impl FnMut(u32)) {
    let names: Vec<String> = (0..NODES).map(|n| format!("n{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let run = RunId::from(run);
    ledger.record(Event::RunStarted(Box::new(RunStart {
        run: run.clone(),
        flow: flow.clone(),
        frozen: frozen(&names),
        choice: Choice::Full,
        resumes: None,
        subset: (0..NODES).map(NodeIdx).collect(),
        kept: Arc::new([]),
        marks: [].into(),
        triggers: [].into(),
        at: Timestamp(1),
    })));
    for n in 0..NODES {
        let id = NodeRunId {
            run: run.clone(),
            node: NodeIdx(n),
            pass: 1,
            attempt: 1,
        };
        let at = Timestamp(i64::from(n) * 1_000);
        ledger.record(Event::NodeStarted { id: id.clone(), at });
        ledger.record(Event::NodeSpawned {
            id: id.clone(),
            pid: n + 1,
            birth: 1,
        });
        ledger.record(Event::NodeFinished(Finish {
            id,
            exit: Exit::Code(0),
            status: NodeStatus::Ran,
            retry_at: None,
            at,
        }));
        if n % STEP == STEP - 1 {
            ledger.past(flow).expect("committed");
            acknowledge(n + 1);
        }
    }
    ledger.record(Event::RunFinished {
        run,
        outcome: Outcome::Succeeded,
        counts: Counts {
            subset: NODES,
            ran: NODES,
            ..Counts::default()
        },
        skipped: Arc::new([]),
        at: Timestamp(i64::from(NODES) * 1_000),
    });
}

#[test]
fn a_recorder_killed_at_any_moment_leaves_its_acknowledged_nodes_and_an_interrupted_run() {
    let flow = flow_ref("a.graphml");
    if let Some(path) = std::env::var_os(LEDGER_OF_CHILD) {
        let ledger = open(Path::new(&path));
        record_run(&ledger, &flow, "r1", |n| {
            writeln!(std::io::stdout(), "\nack {n}").expect("the parent listens");
        });
        // The parent kills before that, or the run would not be open.
        std::thread::park();
    }
    seeds::each(seeds::drawn(8), |random| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger.sqlite");
        let mut child = other_process(
            "a_recorder_killed_at_any_moment_leaves_its_acknowledged_nodes_and_an_interrupted_run",
            &path,
        );
        let kill_at = random.u32(1..30) * STEP;
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut acknowledged = 0;
        let mut ack = |line: std::io::Result<String>| {
            let line = line.expect("a line");
            if let Some(n) = line.strip_prefix("ack ") {
                acknowledged = n.parse::<u32>().expect("a number");
            }
            acknowledged
        };
        for line in lines.by_ref() {
            if ack(line) >= kill_at {
                break;
            }
        }
        child.kill().expect("the child can be killed");
        // What it said before it died counts too.
        lines.for_each(|line| {
            ack(line);
        });
        child.wait().expect("the child is gone");
        assert!(acknowledged >= kill_at, "the child died early");

        let ledger = open(&path);
        assert_eq!(
            ledger.health().expect("health").troubles,
            Vec::<String>::new()
        );
        let recovered = ledger.recover(|_| false).expect("recovery");
        assert_eq!(recovered.len(), 1);
        assert_eq!(recovered[0].run, RunId::from("r1"));
        let past = ledger.past(&flow).expect("a past");
        for n in 0..acknowledged {
            let node = NodeId::new(format!("n{n}"));
            let status = past.nodes.get(&node).map(|state| state.status);
            assert_eq!(status, Some(NodeStatus::Ran), "{node}");
        }
        let open_still = past.nodes.values().filter(|state| state.status.is_live());
        assert_eq!(open_still.count(), 0);
        let history = ledger.history(&flow, 9, None).expect("history");
        assert_eq!(history[0].outcome, Some(Outcome::Interrupted));
    });
}

#[test]
fn two_processes_record_into_one_file_at_once() {
    if let Some(path) = std::env::var_os(LEDGER_OF_CHILD) {
        let ledger = open(Path::new(&path));
        record_run(&ledger, &flow_ref("child.graphml"), "rc", |_| {});
        ledger.flush().expect("written");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.sqlite");
    let mut child = other_process("two_processes_record_into_one_file_at_once", &path);
    let ledger = open(&path);
    record_run(&ledger, &flow_ref("parent.graphml"), "rp", |_| {});
    assert!(child.wait().expect("the child ends").success());
    for (file, run) in [("parent.graphml", "rp"), ("child.graphml", "rc")] {
        let flow = flow_ref(file);
        let past = ledger.past(&flow).expect("a past");
        assert_eq!(past.nodes.len(), NODES as usize, "{file}");
        let last = past.last.expect("a last run");
        assert_eq!(last.run, Some(RunId::from(run)));
        assert_eq!(last.facts.len(), 2 * NODES as usize);
    }
    assert_eq!(
        ledger.health().expect("health").troubles,
        Vec::<String>::new()
    );
}

#[test]
fn a_ledger_opened_while_another_process_makes_it_is_empty_or_whole() {
    for _ in 0..40 {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger.sqlite");
        let flow = flow_ref("a.graphml");
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    // Handles of one process are as strange to each other as processes are.
                    let mut known = 0;
                    while known == 0 {
                        let ledger = open(&path);
                        known = ledger.history(&flow, 9, None).expect("read").len();
                    }
                });
            }
            let ledger = open(&path);
            ledger.record(Event::RunStarted(Box::new(RunStart {
                run: RunId::from("r1"),
                flow: flow.clone(),
                frozen: frozen(&["a"]),
                choice: Choice::Full,
                resumes: None,
                subset: [NodeIdx(0)].into(),
                kept: Arc::new([]),
                marks: [].into(),
                triggers: [].into(),
                at: Timestamp(1),
            })));
        });
    }
}
