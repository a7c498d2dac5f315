//! Every file-system call fails once: the first, the second, and so on through each scenario, with each error that a
//! disk can give. Nothing panics, nothing is lost without a word, and every word names the file and the cause.
//!
//! The program under test is the one that ships: the calls are made to fail below it, by a small library that is
//! preloaded into a process of its own (`faults/interposer.c`). SQLite's calls go through it too. What a node prints is
//! written by the node; a disk that refuses that is in `full_disk`. The sitter is a process of its own, whose files,
//! sockets and threads are refused (`faults/sitter.rs`).

mod documents;
mod runs;
mod sitter;

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use handmill::model::{Flow, FlowRef, Node, Point};
use handmill::store::Home;

/// Set in the process whose calls fail: the folder it works in.
const FOLDER_OF_CHILD: &str = "HANDMILL_TEST_FAULTS";

/// Set there when calls without the C library are to fail too. Not where processes are started.
const RAW: &str = "HANDMILL_TEST_FAULTS_RAW";

/// Set there too: which part of the errors it takes, of how many.
const PART: &str = "HANDMILL_TEST_FAULTS_PART";

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
fn every_call_for_a_document_fails_once_and_nothing_is_lost_without_a_word() {
    let name = "every_call_for_a_document_fails_once_and_nothing_is_lost_without_a_word";
    let n = fail_each_call(name, documents::SCENARIOS, true, 2);
    assert!(n >= 2_000, "only {n} calls failed");
}

#[test]
fn every_call_for_a_run_fails_once_and_nothing_is_lost_without_a_word() {
    let name = "every_call_for_a_run_fails_once_and_nothing_is_lost_without_a_word";
    // A ledger that is refused waits before it tries again.
    let n = fail_each_call(name, runs::SCENARIOS, false, 12);
    assert!(n >= 1_500, "only {n} calls failed");
}

/// How many calls failed, in so many processes of their own. Those are this test again, and count for others.
#[expect(clippy::print_stdout, reason = "how much was met is worth reading")]
fn fail_each_call(test: &str, scenarios: &[Scenario], raw: bool, n_parts: usize) -> usize {
    if let Some(folder) = std::env::var_os(FOLDER_OF_CHILD) {
        let part = std::env::var(PART).expect("a part");
        let (nth, n_parts) = part.split_once('/').expect("two numbers");
        let number = |text: &str| text.parse::<usize>().expect("a number");
        let part = (number(nth), number(n_parts));
        let n = fail_them_all(Path::new(&folder), scenarios, part);
        println!("\ninjected {n}");
        return usize::MAX;
    }
    let dir = shared_memory();
    let library = interposer(dir.path());
    let start = |nth: usize| {
        let mut child = Command::new(std::env::current_exe().expect("the test binary"));
        child
            .args(["--exact", "--nocapture", "--test-threads=1"])
            .arg(format!("faults::{test}"))
            .env(
                FOLDER_OF_CHILD,
                dir.path().join(format!("handmill-faults-{nth}")),
            )
            .env(PART, format!("{nth}/{n_parts}"))
            .env("LD_PRELOAD", &library)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if raw {
            child.env(RAW, "1");
        }
        let child = child.spawn().expect("the test binary starts");
        std::thread::spawn(move || child.wait_with_output().expect("waited for"))
    };
    let parts: Vec<_> = (0..n_parts).map(start).collect();
    let (mut n, mut problems) = (0, String::new());
    for part in parts {
        let out = part.join().expect("no panic");
        let said = String::from_utf8_lossy(&out.stdout);
        if !out.status.success() {
            problems += &said;
            problems += &String::from_utf8_lossy(&out.stderr);
            continue;
        }
        let here = said.lines().find_map(|line| line.strip_prefix("injected "));
        n += here
            .and_then(|n| n.parse::<usize>().ok())
            .expect("a number");
    }
    assert!(problems.is_empty(), "{problems}");
    println!("{n} calls failed");
    n
}

/// Builds the library in this folder.
fn interposer(dir: &Path) -> PathBuf {
    let library = dir.join("interposer.so");
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
    library
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
    /// Also with every later call failing.
    sticky: bool,
    /// With the disk well again: what must hold, given whether something was told.
    check: fn(&Path, bool),
}

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

/// Each call of each scenario with each error of this part; gives how many failed.
#[expect(clippy::print_stdout, reason = "read when something is wrong")]
fn fail_them_all(root: &Path, scenarios: &[Scenario], (part, n_parts): (usize, usize)) -> usize {
    let (mut n_injected, mut nth_error) = (0, 0);
    let mut problems: Vec<String> = Vec::new();
    for scenario in scenarios {
        let mut n_here = 0;
        for (name, errno) in ERRORS {
            for sticky in [false, true] {
                if scenario.without.contains(&errno) || sticky && !scenario.sticky {
                    continue;
                }
                nth_error += 1;
                if nth_error % n_parts != part {
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
