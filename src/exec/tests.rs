//! Real children of the launcher, nasty ones included. Every survivor is looked for by its mark.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::attempt::mark_of;
use super::unix::Table;
use super::*;
use crate::model::{Exit, NodeIdx, NodeRunId, ResourceName, RunId, Secret, Timestamp};

/// Far more than anything here takes; a test that hangs fails instead.
const PATIENCE: Duration = Duration::from_secs(20);

struct Bench {
    launcher: Launcher,
    reports: Receiver<Report>,
    dir: tempfile::TempDir,
    run: RunId,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let (sender, reports) = channel();
        Self {
            launcher: Launcher::new(
                || Timestamp(1),
                move |report| {
                    sender.send(report).ok();
                },
            ),
            reports,
            // Unique over test processes, since survivors are looked for by it.
            run: RunId::new(dir.path().to_string_lossy().as_ref()),
            dir,
        }
    }

    fn id(&self, node: u32) -> NodeRunId {
        NodeRunId {
            run: self.run.clone(),
            node: NodeIdx(node),
            pass: 1,
            attempt: 1,
        }
    }

    fn job(&self, node: u32, line: &str) -> Job {
        Job::shell(
            self.id(node),
            shell_for("sh"),
            line,
            self.dir.path().to_owned(),
            vec![("GREETING".into(), "hello".into())],
            &self.dir.path().join("logs"),
        )
    }

    fn next(&self) -> Report {
        self.reports.recv_timeout(PATIENCE).expect("a report")
    }

    fn exit(&self) -> (NodeRunId, Exit) {
        loop {
            if let Report::Exited { id, exit } = self.next() {
                return (id, exit);
            }
        }
    }

    fn run(&self, line: &str) -> (Exit, String, String) {
        self.launcher.launch(self.job(0, line));
        let (id, exit) = self.exit();
        let (out, err) = log_files(&self.dir.path().join("logs"), &id);
        let read =
            |path: PathBuf| String::from_utf8_lossy(&fs::read(path).expect("a log")).into_owned();
        (exit, read(out), read(err))
    }

    /// Waits until the child says that it is ready to be stopped.
    fn wait_for(&self, file: &str) {
        let path = self.dir.path().join(file);
        let ready = std::time::Instant::now() + PATIENCE;
        while !path.exists() {
            assert!(std::time::Instant::now() < ready, "{file} never came");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn survivors(&self, node: u32) -> usize {
        Table::read()
            .members(0, 0, &mark_of(&self.id(node)), &[])
            .len()
    }
}

#[test]
fn a_child_has_its_command_folder_environment_and_logs() {
    let bench = Bench::new();
    let (exit, out, err) = bench.run("echo $GREETING; pwd; echo oops >&2; cat; exit 3");
    assert_eq!(exit, Exit::Code(3));
    let dir = fs::canonicalize(bench.dir.path()).expect("a path");
    assert_eq!(out, format!("hello\n{}\n", dir.display()));
    assert_eq!(err, "oops\n");
}

#[test]
fn a_child_is_reported_as_spawned_and_then_as_exited() {
    let bench = Bench::new();
    bench.launcher.launch(bench.job(7, "exit 0"));
    let Report::Spawned { id, pid, birth } = bench.next() else {
        panic!("spawned comes first");
    };
    assert_eq!(id, bench.id(7));
    assert!(pid > 1 && birth > 0);
    let exit = Exit::Code(0);
    assert_eq!(bench.next(), Report::Exited { id, exit });
}

#[test]
fn a_signal_is_told() {
    assert_eq!(Bench::new().run("kill -SEGV $$").0, Exit::Signal(11));
}

#[test]
fn what_cannot_start_says_why() {
    let bench = Bench::new();
    let why = |job: Job| {
        bench.launcher.launch(job);
        match bench.exit().1 {
            Exit::NotStarted(why) => why.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let mut job = bench.job(0, "true");
    job.cwd = "/no/such".into();
    assert!(why(job).starts_with("working folder not reachable (No such file"));
    let mut job = bench.job(1, "true");
    job.program = "/no/shell".into();
    assert_eq!(why(job), "shell not found: /no/shell");
    assert_eq!(
        why(bench.job(2, "echo a\0b")),
        "the command or its environment holds a NUL character; remove it"
    );
    let mut job = bench.job(3, "true");
    job.env
        .push(("BIG".into(), OsString::from("x".repeat(200_000))));
    assert!(why(job).starts_with("command and environment are longer"));
    let mut job = bench.job(4, "true");
    job.stdout = Path::new("/proc/none/x.out").to_owned();
    assert!(why(job).starts_with("log not writable"));
}

#[test]
fn a_command_of_three_megabytes_runs() {
    let line = format!("x='{}'; echo ${{#x}}", "y".repeat(3_000_000));
    let (exit, out, _) = Bench::new().run(&line);
    assert_eq!((exit, out.as_str()), (Exit::Code(0), "3000000\n"));
}

#[test]
fn a_polite_stop_lets_the_child_clean_up() {
    let bench = Bench::new();
    let line = "trap 'echo cleaned; exit 9' TERM; : > ready; while :; do sleep 0.05; done";
    bench.launcher.launch(bench.job(0, line));
    bench.wait_for("ready");
    bench.launcher.terminate(&bench.id(0), End::ask(Why::Stop));
    let (id, exit) = bench.exit();
    assert_eq!(exit, Exit::Code(9));
    let (out, _) = log_files(&bench.dir.path().join("logs"), &id);
    assert_eq!(fs::read_to_string(out).expect("a log"), "cleaned\n");
    assert_eq!(bench.survivors(0), 0);
}

#[test]
fn a_stopped_node_ends_when_its_last_process_has_cleaned_up() {
    let bench = Bench::new();
    // The leader dies of the signal at once, its child takes its time.
    let line = "sh -c 'trap \"sleep 0.3; : > cleaned; exit\" TERM; : > ready; \
                while :; do sleep 0.05; done'; true";
    bench.launcher.launch(bench.job(0, line));
    bench.wait_for("ready");
    bench.launcher.terminate(&bench.id(0), End::ask(Why::Stop));
    assert_eq!(bench.exit().1, Exit::Signal(15));
    assert!(bench.dir.path().join("cleaned").exists());
    assert_eq!(bench.survivors(0), 0);
}

#[test]
fn a_normal_end_leaves_background_children_alone() {
    let bench = Bench::new();
    let (exit, ..) = bench.run("sleep 30 & exit 0");
    assert_eq!(exit, Exit::Code(0));
    assert_eq!(bench.survivors(0), 1);
    assert!(kill_orphan(0, 0, &bench.id(0)));
    assert_eq!(bench.survivors(0), 0);
}

#[test]
fn a_forced_stop_leaves_no_survivor_of_nasty_children() {
    let nasty = [
        (
            "ignores TERM",
            "trap '' TERM; : > ready0; while :; do sleep 0.05; done",
        ),
        ("stops itself", ": > ready1; kill -STOP $$; sleep 60"),
        ("new session", "setsid sleep 60 & : > ready2; wait"),
        (
            "double fork",
            "(setsid sh -c 'sleep 60 & sleep 60 & : > ready3' &) ; sleep 60",
        ),
        (
            "nohup",
            "nohup sh -c 'trap \"\" TERM HUP; : > ready4; sleep 60' & wait",
        ),
        (
            "clean environment",
            "env -i setsid sh -c 'echo $$ > pid5; mv pid5 ready5; sleep 60; true'; true",
        ),
        (
            "forks on",
            "f() { sleep 0.01; (f &) ; }; trap '' TERM; (f &); : > ready6; sleep 60",
        ),
        (
            "leader gone by itself after ask",
            "setsid sh -c 'trap \"\" TERM; : > ready7; sleep 60' & wait",
        ),
        (
            "traps everything",
            "trap '' HUP INT TERM CHLD USR1; : > ready8; while :; do sleep 60; done",
        ),
        (
            "zombie maker",
            "sh -c 'sleep 0 & exec sleep 60' & : > ready9; exec sleep 60",
        ),
    ];
    let bench = Bench::new();
    for (node, (_, line)) in (0..).zip(nasty) {
        bench.launcher.launch(bench.job(node, line));
    }
    for node in 0..nasty.len() {
        bench.wait_for(&format!("ready{node}"));
    }
    for node in 0..10 {
        let force = node % 2 == 0;
        let end = End {
            force,
            ..End::ask(Why::Stop)
        };
        bench.launcher.terminate(&bench.id(node), end);
        bench
            .launcher
            .terminate(&bench.id(node), End::force(Why::Stop));
    }
    for _ in 0..nasty.len() {
        let (id, exit) = bench.exit();
        assert!(matches!(exit, Exit::Signal(_)), "{id:?} {exit:?}");
    }
    // Without a mark it is known by its number only.
    let pid = fs::read_to_string(bench.dir.path().join("ready5")).expect("a number");
    let pid = pid.trim().parse().expect("a number");
    let birth = super::unix::birth_of(pid).unwrap_or(0);
    assert!(!super::unix::lives(pid, birth), "clean environment");
    for (node, (name, _)) in (0..).zip(nasty) {
        assert_eq!(bench.survivors(node), 0, "{name}");
    }
}

#[test]
fn an_attempt_stopped_before_it_started_says_so() {
    let bench = Bench::new();
    let id = bench.id(0);
    let job = bench.job(0, ":");
    let attempt = super::attempt::Attempt::new(&job, Timestamp(1), std::sync::Weak::new());
    assert!(
        !attempt.stop(End::ask(Why::Stop)),
        "no process to look after"
    );
    bench.launcher.terminate(&id, End::force(Why::Stop));
    assert!(attempt.stopping().is_none());
}

#[test]
fn an_orphan_is_known_by_number_start_and_mark() {
    let bench = Bench::new();
    let job = bench.job(0, "echo up; while :; do sleep 60; done");
    let printed = job.stdout.clone();
    bench.launcher.launch(job);
    let Report::Spawned { id, pid, birth } = bench.next() else {
        panic!("spawned comes first");
    };
    // While a program is being put in place its environment cannot be read yet.
    while std::fs::read(&printed).is_ok_and(|text| text.is_empty()) {
        std::thread::yield_now();
    }
    assert!(orphan_alive(pid, birth, &id));
    assert!(!orphan_alive(pid, birth + 1, &id));
    assert!(!orphan_alive(pid, birth, &bench.id(1)));
    for never in [0, 1, u32::MAX, std::process::id()] {
        assert!(!orphan_alive(never, birth, &id), "{never}");
    }
    assert!(kill_orphan(pid, birth, &id));
    assert_eq!(bench.exit().1, Exit::Signal(9));
}

#[test]
fn two_hundred_children_at_once_all_report() {
    let bench = Bench::new();
    raise_open_files();
    for node in 0..200 {
        bench.launcher.launch(bench.job(node, "exit 0"));
    }
    let mut seen: Vec<_> = (0..200).map(|_| bench.exit().0.node.0).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..200).collect::<Vec<_>>());
}

#[test]
fn a_hundred_nodes_stop_together() {
    let bench = Bench::new();
    for node in 0..100 {
        bench.launcher.launch(bench.job(node, "sleep 60; true"));
    }
    for _ in 0..100 {
        assert!(matches!(bench.next(), Report::Spawned { .. }));
    }
    for node in 0..100 {
        bench
            .launcher
            .terminate(&bench.id(node), End::ask(Why::Stop));
    }
    for _ in 0..100 {
        assert_eq!(bench.exit().1, Exit::Signal(15));
    }
    for node in 0..100 {
        assert_eq!(bench.survivors(node), 0, "{node}");
    }
}

#[test]
fn secrets_are_given_and_hidden_in_what_is_printed() {
    let bench = Bench::new();
    let mut job = bench.job(
        0,
        "echo \"<$TOKEN>\"; echo $TOKEN >&2; printf hun; sleep 0.1; printf 'ter2\\n'; echo ${#TOKEN}; printf hunt",
    );
    let name = ResourceName::new("TOKEN").expect("a name");
    let secret = Secret::new("hunter2".to_owned().into()).expect("a value");
    job.secrets.insert(name, secret);
    assert!(!format!("{job:?}").contains("hunter2"), "{job:?}");
    bench.launcher.launch(job);
    let (id, exit) = bench.exit();
    assert_eq!(exit, Exit::Code(0));
    let (out, err) = log_files(&bench.dir.path().join("logs"), &id);
    let read = |path| fs::read_to_string(path).expect("a log");
    assert_eq!(read(out), "<•••>\n•••\n7\nhunt");
    assert_eq!(read(err), "•••\n");
}
