//! The sitter's own calls fail, one after the other, while it holds the nodes of a window: some 210, 42 of each error.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use handmill::model::{Choice, Event, Exit, Level, NodeStatus, Outcome};
use handmill::runtime::Order;

use crate::flows;
use crate::place::{BINARY, Face, Place};

/// What the system can say to a process that wants files, threads, sockets and room.
const ERRORS: [(&str, i32); 5] = [
    ("ENOSPC", 28),
    ("EIO", 5),
    ("EMFILE", 24),
    ("EAGAIN", 11),
    ("ENOMEM", 12),
];

/// Trials at the same time: most of each is waiting.
const WORKERS: usize = 3;

#[test]
#[expect(clippy::print_stdout, reason = "how much was met is worth reading")]
fn every_call_of_the_sitter_fails_once_and_what_becomes_of_each_node_is_told() {
    let dir = super::shared_memory();
    let library = super::interposer(dir.path());
    let (n, next) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let problems = Mutex::new(String::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((name, errno)) = ERRORS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut problem = String::new();
                    for nth in 1.. {
                        let trial = Trial::new(&library, nth, *errno);
                        for what in trial.run() {
                            writeln!(problem, "call {nth} gives {name}: {what}").expect("text");
                        }
                        if !trial.was_met() {
                            break;
                        }
                        n.fetch_add(1, Ordering::Relaxed);
                    }
                    problems.lock().expect("no panic").push_str(&problem);
                }
            });
        }
    });
    let (n, problems) = (n.into_inner(), problems.into_inner().expect("no panic"));
    assert!(problems.is_empty(), "{n} calls failed:\n{problems}");
    println!("{n} calls of the sitter failed");
    assert!(n >= 150, "only {n} calls failed");
}

/// A run of a window whose sitter has one call fail.
struct Trial(Place);

impl Trial {
    fn new(library: &Path, nth: u64, errno: i32) -> Self {
        let work = "echo $HANDMILL_NODE >>begun; echo printed; echo $HANDMILL_NODE >>done";
        let flow = flows::flow(
            &[
                ("a", &work.replace("$HANDMILL_NODE", "a")),
                ("b", &work.replace("$HANDMILL_NODE", "b")),
            ],
            &[("a", "b")],
        );
        let place = Place::called("handmill-faults-", &flow);
        let script = format!(
            "#!/bin/sh\n\
             test \"$1\" = __sitter || exec '{BINARY}' \"$@\"\n\
             test -e '{met}' && exec '{BINARY}' \"$@\"\n\
             exec env HANDMILL_TEST_FAULTS_HERE={nth}/{errno} HANDMILL_TEST_FAULTS_MET='{met}' \
             LD_PRELOAD='{library}' '{BINARY}' \"$@\" 2>>'{says}'\n",
            met = place.path("met").display(),
            says = place.path("sitter says").display(),
            library = library.display(),
        );
        let program = place.path("handmill.sh");
        fs::write(&program, script).expect("written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("its own");
        Self(place)
    }

    fn was_met(&self) -> bool {
        self.0.path("met").exists()
    }

    /// What is not as it should be.
    fn run(&self) -> Vec<String> {
        let place = &self.0;
        let face = Face::through(place.dir.path(), "window", place.path("handmill.sh"));
        face.open(&face.flow, &face.frozen);
        face.run(Choice::Full);
        let mut told: Vec<String> = Vec::new();
        let outcome = loop {
            let Ok(event) = face.events.recv_timeout(crate::place::LIMIT) else {
                return vec![format!("the run did not end; told {told:?}")];
            };
            match &*event {
                Event::RunFinished { outcome, .. } => break Some(*outcome),
                Event::RunRefused { notice, .. } => {
                    told.push(notice.what.to_string());
                    break None;
                }
                Event::Told(notice) if notice.level != Level::Info => {
                    told.push(notice.what.to_string());
                }
                Event::NodeFinished(finish) => {
                    if let Exit::NotStarted(why) = &finish.exit {
                        told.push(why.to_string());
                    }
                }
                _ => {}
            }
        };
        face.end(Order::ShutDown);
        let mut wrong = Vec::new();
        let said = fs::read_to_string(place.path("sitter says")).unwrap_or_default();
        if said.contains("panicked") {
            wrong.push(said);
        }
        let (done, begun) = (place.lines("done"), place.lines("begun"));
        for lines in [&done, &begun] {
            if lines.len() > lines.iter().collect::<BTreeSet<_>>().len() {
                wrong.push(format!("a node ran twice: {lines:?}; told {told:?}"));
            }
        }
        let (recorded, nodes) = place.record();
        if recorded != outcome.map(Some) {
            wrong.push(format!("it ended {outcome:?} and is recorded {recorded:?}"));
        }
        for (id, status) in nodes {
            if status == NodeStatus::Ran && !done.contains(&id) {
                wrong.push(format!("{id} is {status:?} and was not done"));
            }
            if status.is_live() {
                wrong.push(format!("{id} is {status:?} for ever"));
            }
        }
        if outcome != Some(Outcome::Succeeded) && told.is_empty() {
            wrong.push(format!("it ended {outcome:?} and nothing tells why"));
        }
        wrong
    }
}
