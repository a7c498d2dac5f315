//! What a run leaves on the disk: its history, its logs, how its nodes ended, and what is made of that after a crash.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use handmill::exec::{self, End, Job, Launcher, Report, Why};
use handmill::ledger::Ledger;
use handmill::model::{
    Choice, Counts, Event, Exit, FileResults, Finish, Level, NodeId, NodeIdx, NodeRunId,
    NodeStatus, Outcome, RunId, RunStart, Timestamp,
};
use handmill::runtime::{Config, Manner, Order, Processes, Runtime, query};
use handmill::store;

use super::{Scenario, file, flow, flow_ref, home, told};

/// Far more than anything here takes.
const LIMIT: Duration = Duration::from_secs(60);

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "ledger",
        sticky: true,
        without: &[13, 122, 24, 2, 116],
        prepare: |dir| fs::create_dir_all(dir.join("home")).expect("a folder"),
        act: |dir| {
            let (sender, notices) = std::sync::mpsc::channel();
            let path = dir.join("home/ledger.sqlite");
            let opened = Ledger::open(&path, Timestamp(0), move |notice| {
                // That it is well again is no loss.
                if notice.level != Level::Info {
                    sender.send(notice).ok();
                }
            });
            let ledger = opened.map_err(told)?;
            for event in events(dir) {
                ledger.record(event);
            }
            let flushed = ledger.flush();
            drop(ledger);
            let mut lost: Vec<String> = notices.try_iter().map(|n| n.what.to_string()).collect();
            lost.extend(flushed.err().map(|why| why.to_string()));
            if lost.is_empty() { Ok(()) } else { Err(lost) }
        },
        check: |dir, was_told| {
            let path = dir.join("home/ledger.sqlite");
            if was_told && !path.exists() {
                return;
            }
            let ledger = Ledger::open(&path, Timestamp(0), |_| {}).expect("opens again");
            let runs = ledger.history(&flow_ref(dir), 10, None).expect("runs");
            assert!(
                was_told || runs.len() == 1,
                "the run is lost and nobody was told"
            );
        },
    },
    Scenario {
        name: "logs",
        sticky: true,
        without: &[],
        prepare: |dir| fs::create_dir_all(dir.join("home")).expect("a folder"),
        act: |dir| {
            let run_dir = run_dir(dir);
            store::make_folder(&run_dir).map_err(told)?;
            let ids = ["a", "b"].map(NodeId::from);
            exec::write_nodes(&run_dir, ids.iter())
                .map_err(|why| told(format!("{why}: {}", run_dir.display())))?;
            let lost = print_twice(dir);
            if lost.is_empty() { Ok(()) } else { Err(lost) }
        },
        check: |dir, was_told| {
            if was_told {
                return;
            }
            let run = RunId::from("r1");
            for node in 0..2 {
                let (out, _) = exec::log_files(&run_dir(dir), &node_run(node));
                let log = fs::read_to_string(out).expect("a log");
                assert_eq!(log, "printed\n", "node {node}");
            }
            let begun = exec::attempts_begun(&run_dir(dir), &run).expect("readable");
            assert_eq!(begun.len(), 2);
            let record = exec::read_exits(&run_dir(dir), &run).expect("readable");
            let ends: Vec<_> = record
                .ended
                .iter()
                .map(|end| (end.id.node.0, &end.exit))
                .collect();
            assert_eq!(ends, [(0, &Exit::Code(0)), (1, &Exit::Code(0))]);
        },
    },
    Scenario {
        name: "reading a log",
        sticky: true,
        without: &[2],
        prepare: |dir| {
            let (out, err) = exec::log_files(&run_dir(dir), &node_run(0));
            fs::create_dir_all(run_dir(dir)).expect("a folder");
            fs::write(out, "printed\n").expect("written");
            fs::write(err, "").expect("written");
        },
        act: |dir| {
            let (out, err) = exec::log_files(&run_dir(dir), &node_run(0));
            let tail = exec::read_tail(&out, &err, &[], "a".into(), 1 << 20, 100);
            let mut bytes = Vec::new();
            let read = exec::read_from(&out, &mut 0, |some| {
                bytes.extend_from_slice(some);
                true
            });
            let mut troubles: Vec<String> = Some(tail.trouble)
                .into_iter()
                .filter(|t| !t.is_empty())
                .collect();
            troubles.extend(read.err().map(|why| format!("{why}: {}", out.display())));
            if troubles.is_empty() {
                assert_eq!((tail.lines.len(), &bytes[..]), (1, &b"printed\n"[..]));
                return Ok(());
            }
            Err(troubles)
        },
        check: |dir, _| {
            let (out, _) = exec::log_files(&run_dir(dir), &node_run(0));
            assert_eq!(fs::read_to_string(out).expect("read"), "printed\n");
        },
    },
    Scenario {
        name: "after a crash",
        sticky: true,
        // A file that is there and is said not to be: nobody could see through that.
        without: &[2],
        prepare: |dir| {
            fs::create_dir_all(dir.join("home")).expect("a folder");
            store::save(&file(dir), &flow("true"), None).expect("prepared");
            let workspace = home(dir).make_workspace_dir(&"w".into()).expect("a folder");
            let ledger = Ledger::open(&workspace.join("ledger.sqlite"), Timestamp(0), |_| {})
                .expect("opens");
            // Begun, and ended with nobody to record it but the exit record.
            let [started, ..] = events(dir);
            ledger.record(started);
            ledger.flush().expect("written");
            fs::create_dir_all(run_dir(dir)).expect("a folder");
            exec::write_nodes(&run_dir(dir), [NodeId::from("a")].iter()).expect("written");
            let (out, err) = exec::log_files(&run_dir(dir), &node_run(0));
            fs::write(out, "printed\n").expect("written");
            fs::write(err, "").expect("written");
            note_end(dir);
        },
        act: |dir| {
            let (workspace, notices) = query::open(&home(dir), &flow_ref(dir)).map_err(told)?;
            let lost: Vec<String> = notices
                .iter()
                .filter(|notice| notice.level != Level::Info)
                .map(|notice| notice.what.to_string())
                .collect();
            let shown = query::record(&home(dir), &workspace, &flow_ref(dir), 1).map_err(told)?;
            if lost.is_empty() {
                assert_eq!(shown.history.len(), 1);
                return Ok(());
            }
            Err(lost)
        },
        check: |dir, _| {
            let (workspace, _) = query::open(&home(dir), &flow_ref(dir)).expect("opens again");
            let shown = query::record(&home(dir), &workspace, &flow_ref(dir), 1).expect("read");
            let newest = shown.history.first().expect("the run is known");
            assert_eq!(newest.outcome, Some(Outcome::Interrupted));
            let status = shown
                .past
                .nodes
                .get(&NodeId::from("a"))
                .map(|state| state.status);
            assert_eq!(
                status,
                Some(NodeStatus::Ran),
                "the end that the exit record knew is taken over"
            );
        },
    },
    Scenario {
        name: "a whole run",
        // Each try of a ledger that is refused for good takes its time.
        sticky: false,
        without: &[2, 116, 122, 30],
        prepare: |dir| {
            store::save(&file(dir), &flow("echo printed"), None).expect("prepared");
        },
        act: |dir| {
            let told = a_run(dir);
            if told.is_empty() { Ok(()) } else { Err(told) }
        },
        check: |dir, was_told| {
            if was_told {
                return;
            }
            let flow = store::locate(&file(dir)).expect("located");
            let (workspace, _) = query::open(&home(dir), &flow).expect("opens");
            let shown = query::record(&home(dir), &workspace, &flow, 1).expect("read");
            let newest = shown.history.first().expect("the run is recorded");
            assert_eq!(newest.outcome, Some(Outcome::Succeeded));
            let id = NodeRunId {
                run: newest.id.clone(),
                ..node_run(0)
            };
            let log = fs::read_to_string(workspace.log_files(&id).0).expect("a log");
            assert_eq!(log, "printed\n");
        },
    },
];

fn run_dir(dir: &Path) -> PathBuf {
    dir.join("home/workspaces/w/logs/r1")
}

fn node_run(node: u32) -> NodeRunId {
    NodeRunId {
        run: "r1".into(),
        node: NodeIdx(node),
        pass: 1,
        attempt: 1,
    }
}

/// Leaves an end that only the exit record knows.
fn note_end(dir: &Path) {
    let line = "ended 0.1.1 1000 2000 - code 0 .\n";
    fs::write(run_dir(dir).join("exits"), line).expect("written");
}

/// Two nodes that print; what was told of that.
fn print_twice(dir: &Path) -> Vec<String> {
    let (sender, reports) = channel();
    let launcher = Launcher::new(
        || Timestamp(2_000),
        move |report| {
            sender.send(report).ok();
        },
    );
    let mut lost = Vec::new();
    for node in 0..2 {
        let job = Job::shell(
            node_run(node),
            "/bin/sh".into(),
            "echo printed",
            "/".into(),
            Vec::new(),
            &run_dir(dir),
        );
        launcher.launch(job);
        loop {
            match reports.recv_timeout(LIMIT).expect("a report") {
                Report::Exited { exit, .. } => {
                    match exit {
                        Exit::Code(0) => {}
                        Exit::NotStarted(why) => lost.push(why.to_string()),
                        other => panic!("{other:?}"),
                    }
                    break;
                }
                Report::Delayed { id, why } => {
                    lost.push(why.to_string());
                    launcher.terminate(&id, End::force(Why::Stop));
                }
                Report::Told(notice) if notice.level != Level::Info => {
                    lost.push(notice.what.to_string())
                }
                _ => {}
            }
        }
    }
    launcher.close_run(&run_dir(dir));
    // Stopped while it waited, which was told.
    lost.retain(|why| !why.starts_with("stopped before"));
    lost
}

/// A run as the command line makes it; what was told of it.
fn a_run(dir: &Path) -> Vec<String> {
    let flow = match store::locate(&file(dir)) {
        Ok(flow) => flow,
        Err(why) => return told(why),
    };
    let frozen = match store::load(&file(dir)) {
        Ok(loaded) => Arc::new(loaded.flow),
        Err(why) => return told(why),
    };
    let (sender, events) = channel();
    let runtime = Runtime::start(Config {
        home: home(dir),
        face: "command line",
        manner: Manner::default(),
        processes: Processes::Own,
        control: crate::support::control(),
        wake: None,
        events: Some(Box::new(move |event| {
            sender.send(event.clone()).ok();
        })),
    });
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(why) => return told(format!("{why}: {}", dir.display())),
    };
    let handle = runtime.handle();
    handle.send(Order::OpenFlow {
        flow: flow.clone(),
        frozen: frozen.clone(),
        results: Arc::new(FileResults::default()),
    });
    handle.send(Order::StartRun {
        flow,
        frozen,
        choice: Choice::Full,
        jobs_max: None,
    });
    let mut told = Vec::new();
    // Watches are no files: how many there may be is a limit of the machine, which all tests share.
    let of_watches = "Changes made by other programs will not be noticed";
    let mut hear = |event: &Event| match event {
        Event::Told(notice) if notice.what.starts_with(of_watches) => {}
        Event::Told(notice) if notice.level != Level::Info => told.push(notice.what.to_string()),
        Event::RunRefused { notice, .. } => told.push(notice.what.to_string()),
        Event::NodeFinished(finish) => {
            if let Exit::NotStarted(why) = &finish.exit {
                told.push(why.to_string());
            }
        }
        _ => {}
    };
    loop {
        let event = events.recv_timeout(LIMIT).expect("the run ends");
        hear(&event);
        if matches!(*event, Event::RunFinished { .. } | Event::RunRefused { .. }) {
            break;
        }
    }
    handle.send(Order::ShutDown);
    runtime.join();
    events.try_iter().for_each(|event| hear(&event));
    told
}

/// A run of one node.
fn events(dir: &Path) -> [Event; 4] {
    let (run, node, at) = (RunId::from("r1"), NodeIdx(0), Timestamp(1_000));
    let id = NodeRunId {
        run: run.clone(),
        node,
        pass: 1,
        attempt: 1,
    };
    let started = RunStart {
        run: run.clone(),
        flow: flow_ref(dir),
        frozen: Arc::new(flow("true")),
        choice: Choice::Full,
        resumes: None,
        subset: Arc::new([node]),
        kept: Arc::new([]),
        marks: [].into(),
        triggers: [].into(),
        at,
    };
    let finish = Finish {
        id: id.clone(),
        exit: Exit::Code(0),
        status: NodeStatus::Ran,
        retry_at: None,
        at,
    };
    let counts = Counts {
        subset: 1,
        ran: 1,
        ..Counts::default()
    };
    [
        Event::RunStarted(Box::new(started)),
        Event::NodeStarted { id, at },
        Event::NodeFinished(finish),
        Event::RunFinished {
            run,
            outcome: Outcome::Succeeded,
            counts,
            skipped: Arc::new([]),
            at,
        },
    ]
}
