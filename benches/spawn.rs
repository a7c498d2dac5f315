//! Milliseconds per node: a bare spawn-and-wait loop beside the launcher, in turns in one run, with
//! a hop to a deciding thread and back for each node as in the program. Arguments: nodes, rounds.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::fs::OpenOptions;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Instant;

use handmill::exec::sitter::{Place, Program, Sitter};
use handmill::exec::{Environment, Executor, Job, Launcher, Report, log_files, shell_for};
use handmill::model::{FlowRef, NodeIdx, NodeRunId, RunId, Timestamp};

fn main() {
    let mut args = std::env::args().skip(1).filter_map(|arg| arg.parse().ok());
    let nodes: u32 = args.next().unwrap_or(1_000);
    let rounds: u32 = args.next().unwrap_or(3);
    let dir = tempfile::tempdir().expect("a folder");
    let fresh = |name: &str| {
        let dir = dir.path().join(name);
        std::fs::create_dir_all(&dir).expect("a folder");
        dir
    };
    for round in 0..rounds {
        let bare = bare(nodes, None);
        let files = self::bare(nodes, Some(&fresh(&format!("bare{round}"))));
        println!("bare {bare:.3} ms/node, with two log files {files:.3}");
        for width in [1, 2, 8] {
            let ms = launcher(nodes, width, &fresh(&format!("{round}.{width}")));
            let (over, ratio) = (ms - bare, ms / bare);
            println!("  launcher, width {width}: {ms:.3} ({over:+.3} ms, {ratio:.2} x bare)");
        }
        // The client of a sitter may be as large as it likes.
        for gigabytes in [0, 1] {
            let ballast = vec![1u8; gigabytes << 30];
            for width in [1, 8] {
                let ms = sitter(
                    nodes,
                    width,
                    &fresh(&format!("{round}.{gigabytes}.{width}")),
                );
                let ratio = ms / bare;
                println!(
                    "  sitter, client of {gigabytes} GB, width {width}: {ms:.3} ({ratio:.2} x bare)"
                );
            }
            std::hint::black_box(&ballast);
        }
    }
}

fn bare(nodes: u32, logs: Option<&Path>) -> f64 {
    let start = Instant::now();
    for node in 0..nodes {
        let mut command = Command::new(shell_for("sh"));
        command
            .args(["-c", ":"])
            .stdin(Stdio::null())
            .process_group(0);
        if let Some(dir) = logs {
            let (out, err) = log_files(dir, &id(node));
            let open = |path| OpenOptions::new().append(true).create(true).open(path);
            command
                .stdout(open(out).expect("a log"))
                .stderr(open(err).expect("a log"));
        }
        command.spawn().expect("spawned").wait().expect("waited");
    }
    start.elapsed().as_secs_f64() * 1e3 / f64::from(nodes)
}

fn launcher(nodes: u32, width: u32, dir: &Path) -> f64 {
    through(nodes, width, dir, |report| {
        Executor::Own(Launcher::new(|| Timestamp(1), report))
    })
}

fn sitter(nodes: u32, width: u32, dir: &Path) -> f64 {
    let home = dir.join("home");
    let program = Program {
        file: env!("CARGO_BIN_EXE_handmill").into(),
        args: &["__sitter"],
        env: vec![("HANDMILL_HOME".into(), home.clone().into())],
    };
    let place = Place::new(home.join("sitter"));
    through(nodes, width, dir, |report| {
        Executor::Sitter(Sitter::new(place, program, || Timestamp(1), report))
    })
}

type OnReport = Box<dyn Fn(Report) + Send + Sync>;

fn through(nodes: u32, width: u32, dir: &Path, make: impl FnOnce(OnReport) -> Executor) -> f64 {
    let (sender, reports) = channel();
    let launcher = make(Box::new(move |report| {
        sender.send(report).ok();
    }));
    let flow = FlowRef {
        workspace: "bench".into(),
        root: dir.into(),
        file: "bench".into(),
    };
    let run = RunId::from("bench");
    launcher.begin(&run, &flow, &Environment::of_process());
    let launch = |node| {
        let env = ["RUN_ID", "NODE_ID", "NODE_NAME", "PASS", "ATTEMPT"]
            .map(|name| (format!("HANDMILL_{name}").into(), "1".into()));
        let cwd = "/tmp".into();
        launcher.launch(Job::shell(
            id(node),
            shell_for("sh"),
            ":",
            cwd,
            env.into(),
            dir,
        ));
    };
    // A sitter is started by the first one, once.
    launch(nodes);
    while !matches!(reports.recv().expect("a report"), Report::Exited { .. }) {}
    let start = Instant::now();
    let mut next = width.min(nodes);
    (0..next).for_each(launch);
    let mut ended = 0;
    while ended < nodes {
        if let Report::Exited { .. } = reports.recv().expect("a report") {
            ended += 1;
            if next < nodes {
                launch(next);
                next += 1;
            }
        }
    }
    let ms = start.elapsed().as_secs_f64() * 1e3 / f64::from(nodes);
    launcher.over(&run, dir);
    ms
}

fn id(node: u32) -> NodeRunId {
    NodeRunId {
        run: RunId::from("bench"),
        node: NodeIdx(node),
        pass: 1,
        attempt: 1,
    }
}
