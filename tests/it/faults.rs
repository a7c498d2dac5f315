//! Every file-system call fails once: the first, the second, and so on through each scenario, with each error that a
//! disk can give. Nothing panics, nothing is lost without a word, and every word names the file and the cause.
//!
//! The program under test is the one that ships: the calls are made to fail below it, by a small library that is
//! preloaded into a process of its own (`faults/interposer.c`). SQLite's calls go through it too. Calls that the
//! program makes without the C library (`rustix`: exchanging two files, modes and owners) are out of its reach.

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use handmill::editor::{Base, Journal, News, Note};
use handmill::ledger::Ledger;
use handmill::model::{
    Choice, Counts, Edit, Event, Exit, Finish, Flow, FlowField, FlowRef, Level, Node, NodeIdx,
    NodeRunId, NodeStatus, Outcome, Point, RunId, RunStart, Timestamp,
};
use handmill::store::{self, Home, JournalFile, Settings, Theme, Trust, Writer};

/// Set in the process whose calls fail: the folder it works in.
const FOLDER_OF_CHILD: &str = "HANDMILL_TEST_FAULTS";

/// Of what went wrong, so much is shown.
const PROBLEMS_SHOWN: usize = 40;

/// What a disk can say.
const ERRORS: [(&str, i32); 8] = [
    ("ENOSPC", 28),
    ("EIO", 5),
    ("EACCES", 13),
    ("EROFS", 30),
    ("EDQUOT", 122),
    ("EMFILE", 24),
    ("ENOENT", 2),
    ("ESTALE", 116),
];

#[test]
#[expect(clippy::print_stdout, reason = "how much was met is worth reading")]
fn every_call_that_can_fail_fails_and_nothing_is_lost_without_a_word() {
    if let Some(folder) = std::env::var_os(FOLDER_OF_CHILD) {
        let n = fail_them_all(Path::new(&folder));
        println!("injected {n}");
        return;
    }
    let dir = shared_memory();
    let library = dir.path().join("interposer.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/faults/interposer.c");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-o"])
        .arg(&library)
        .arg(&source)
        .arg("-ldl")
        .output()
        .expect("a C compiler, which Rust needs to link");
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let out = Command::new(std::env::current_exe().expect("the test binary"))
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .arg("faults::every_call_that_can_fail_fails_and_nothing_is_lost_without_a_word")
        .env(FOLDER_OF_CHILD, dir.path().join("handmill-faults-x"))
        .env("LD_PRELOAD", &library)
        .output()
        .expect("the test binary starts");
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{said}\n{complaint}");
    print!("{said}");
    let n = said.lines().find_map(|line| line.split_once("injected "));
    let n: usize = n.and_then(|(_, n)| n.parse().ok()).expect("a number");
    assert!(n >= 2_000, "only {n} calls failed");
}

/// A folder in memory where there is one: thousands of syncs are made.
fn shared_memory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    match memory.is_dir() {
        true => tempfile::tempdir_in(memory).expect("a folder"),
        false => tempfile::tempdir().expect("a folder"),
    }
}

/// One thing that a person or a run does with the disk.
struct Scenario {
    name: &'static str,
    /// Everything is well before it.
    prepare: fn(&Path),
    /// Under failing calls; gives what was told.
    act: fn(&Path) -> Result<(), Vec<String>>,
    /// Errors that are left out: a lie about a file that is there, which nobody could see through; or more of the
    /// same where each takes long.
    without: &'static [i32],
    /// With the disk well again: what must hold, given whether something was told.
    check: fn(&Path, bool),
}

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "save over",
        without: &[],
        prepare: |dir| drop(store::save(&file(dir), &flow("old"), None).expect("prepared")),
        act: |dir| {
            let loaded = store::load(&file(dir)).map_err(told)?;
            let home = home(dir);
            let writer = Writer { keep: Some(&home) };
            let saved = writer.save(&file(dir), &flow("new"), Some(&loaded.stamp));
            match saved.map_err(told)?.remark {
                None => Ok(()),
                Some(remark) => Err(vec![remark.what.to_string()]),
            }
        },
        check: |dir, was_told| {
            let now = command(dir);
            assert!(now == "old" || now == "new", "{now}");
            if !was_told {
                assert_eq!(now, "new");
                let kept = store::backups(&home(dir), &file(dir)).expect("listed");
                assert_eq!(kept.len(), 1, "what was replaced is kept");
            }
        },
    },
    Scenario {
        name: "save new",
        without: &[],
        prepare: |_| {},
        act: |dir| {
            store::save(&file(dir), &flow("new"), None)
                .map(drop)
                .map_err(told)
        },
        check: |dir, was_told| {
            if file(dir).exists() {
                assert_eq!(command(dir), "new", "whole");
            } else {
                assert!(was_told);
            }
        },
    },
    Scenario {
        name: "put an older version back",
        without: &[],
        prepare: |dir| {
            let home = home(dir);
            let writer = Writer { keep: Some(&home) };
            let first = writer
                .save(&file(dir), &flow("old"), None)
                .expect("prepared");
            let second = writer.save(&file(dir), &flow("new"), Some(&first.stamp));
            second.expect("prepared");
        },
        act: |dir| {
            let home = home(dir);
            let all = store::backups(&home, &file(dir)).map_err(told)?;
            let writer = Writer { keep: Some(&home) };
            let Some(newest) = all.first() else {
                return Err(told(format!("no version of {}", file(dir).display())));
            };
            let saved = writer.restore(&file(dir), newest).map_err(told)?;
            match saved.remark {
                None => Ok(()),
                Some(remark) => Err(vec![remark.what.to_string()]),
            }
        },
        check: |dir, was_told| {
            let now = command(dir);
            assert!(now == "old" || was_told && now == "new", "{now}");
        },
    },
    Scenario {
        name: "crash journal",
        without: &[2],
        prepare: |_| {},
        act: |dir| {
            let mut journal = Journal::start(home(dir), || {}).expect("threads");
            journal.send(Note::Begin {
                ticket: 1,
                base: Base {
                    path: None,
                    title: String::new(),
                    flow: Arc::new(flow("base")),
                    hash: None,
                    replaces: None,
                },
                edits: vec![title("one")],
                n_steps: 1,
                at: Timestamp(0),
            });
            for (n, text) in ["two", "three"].into_iter().enumerate() {
                let at = Timestamp(3_000_000 * (n as i64 + 1));
                journal.send(Note::Edits {
                    ticket: 1,
                    edits: vec![title(text)],
                    at,
                });
            }
            journal.finish();
            let lost: Vec<String> = journal
                .drain()
                .filter_map(|news| match news {
                    News::Lost(_, notice) => Some(notice.what.to_string()),
                    News::Grown(_) => None,
                })
                .collect();
            if lost.is_empty() { Ok(()) } else { Err(lost) }
        },
        check: |dir, was_told| {
            let files = fs::read_dir(dir.join("home/journals"))
                .into_iter()
                .flatten();
            let texts = files.map(|file| fs::read(file.expect("an entry").path()).expect("read"));
            let whole = texts
                .filter(|text| String::from_utf8_lossy(text).contains("three"))
                .count();
            assert!(whole == 1 || was_told, "edits are lost and nobody was told");
        },
    },
    Scenario {
        name: "what a crash left",
        without: &[],
        prepare: |dir| {
            let mut left = JournalFile::begin(&home(dir), 1, None, "", None, &[]).expect("begun");
            left.append(b"").expect("appended");
        },
        act: |dir| {
            store::left_journals(&home(dir), None)
                .map(drop)
                .map_err(told)
        },
        check: |dir, _| {
            let n = fs::read_dir(dir.join("home/journals"))
                .expect("there")
                .count();
            assert_eq!(n, 1, "a failed look removes nothing");
        },
    },
    Scenario {
        name: "settings",
        without: &[],
        prepare: |dir| Settings::default().save(&home(dir)).expect("prepared"),
        act: |dir| {
            let loading = Settings::load(&home(dir));
            if !loading.warnings.is_empty() {
                // Rightly not saved over what could not be read.
                return Err(loading.warnings);
            }
            let mut settings = loading.settings;
            settings.theme = Theme::Light;
            settings.save(&home(dir)).map_err(told)
        },
        check: |dir, was_told| {
            let loading = Settings::load(&home(dir));
            assert!(loading.warnings.is_empty(), "{:?}", loading.warnings);
            assert!(was_told || loading.settings.theme == Theme::Light);
        },
    },
    Scenario {
        name: "trust",
        without: &[2],
        prepare: |dir| {
            let other = dir.join("other.graphml");
            store::trust_file(&home(dir), &other, &flow("x")).expect("prepared");
        },
        act: |dir| store::trust_file(&home(dir), &file(dir), &flow("x")).map_err(told),
        check: |dir, was_told| {
            let list = Trust::load(&home(dir));
            assert!(was_told || list.holds(&file(dir), &flow("x")));
            assert!(list.holds(&dir.join("other.graphml"), &flow("x")), "kept");
        },
    },
    Scenario {
        name: "ledger",
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
];

fn file(dir: &Path) -> PathBuf {
    dir.join("flow.graphml")
}

fn home(dir: &Path) -> Home {
    Home::at(dir.join("home"))
}

fn flow(command: &str) -> Flow {
    let mut flow = Flow::default();
    let node = Node::new("a", command, Point::default());
    flow.graph.add_node(node).expect("a fresh id");
    flow
}

fn command(dir: &Path) -> String {
    let loaded = store::load(&file(dir)).expect("whole");
    assert!(!loaded.damaged);
    let node = loaded.flow.graph.nodes().next().cloned();
    node.expect("one node").command
}

fn title(text: &str) -> Edit {
    Edit::SetFlow(FlowField::Title(text.into()))
}

fn flow_ref(dir: &Path) -> FlowRef {
    FlowRef {
        workspace: "w".into(),
        root: Arc::from(dir),
        file: "flow.graphml".into(),
    }
}

fn told(why: impl std::fmt::Display) -> Vec<String> {
    vec![why.to_string()]
}

/// Arms the library.
fn arm(nth: u64, errno: i32, sticky: bool) {
    let order = format!("/handmill-fault/arm/{nth}/{errno}/{}", u8::from(sticky));
    fs::remove_file(order).expect("the library is preloaded");
}

/// How many calls were counted since; from now on none fails.
fn seen() -> io::Result<u64> {
    let seen = fs::read_link("/handmill-fault/seen")?;
    seen.to_string_lossy().parse().map_err(io::Error::other)
}

/// Each call of each scenario with each error; gives how many failed.
#[expect(clippy::print_stdout, reason = "read when something is wrong")]
fn fail_them_all(root: &Path) -> u64 {
    let mut n_injected = 0;
    let mut problems: Vec<String> = Vec::new();
    for scenario in SCENARIOS {
        let mut n_here = 0;
        for (name, errno) in ERRORS {
            for sticky in [false, true] {
                if scenario.without.contains(&errno) {
                    continue;
                }
                for nth in 1.. {
                    let what = format!(
                        "{}: call {nth} gives {name}, sticky {sticky}",
                        scenario.name
                    );
                    fs::remove_dir_all(root).ok();
                    fs::create_dir_all(root).expect("a folder");
                    (scenario.prepare)(root);
                    arm(nth, errno, sticky);
                    let result = catch_unwind(AssertUnwindSafe(|| (scenario.act)(root)));
                    let n_seen = seen().expect("the library is preloaded");
                    let told = match result {
                        Ok(Ok(())) => Vec::new(),
                        Ok(Err(told)) => told,
                        Err(_) => {
                            problems.push(format!("{what}: it panicked"));
                            Vec::new()
                        }
                    };
                    let unnamed = told.iter().find(|text| !text.contains("handmill-faults-"));
                    if let Some(sentence) = unnamed {
                        problems.push(format!("{what}: no file is named: {sentence}"));
                    }
                    let check = || (scenario.check)(root, !told.is_empty());
                    if catch_unwind(AssertUnwindSafe(check)).is_err() {
                        problems.push(format!("{what}: told {told:?}"));
                    }
                    if n_seen < nth {
                        break;
                    }
                    n_here += 1;
                }
            }
        }
        println!("{}: {n_here}", scenario.name);
        n_injected += n_here;
    }
    fs::remove_dir_all(root).ok();
    let shown = problems.len().min(PROBLEMS_SHOWN);
    assert!(
        problems.is_empty(),
        "{} problems, the first of them:\n{}",
        problems.len(),
        problems[..shown].join("\n")
    );
    n_injected
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
