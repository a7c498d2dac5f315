//! Milliseconds per node: a bare spawn-and-wait loop beside the launcher, in turns in one run, with
//! a hop to a deciding thread and back for each node as in the program. Arguments: nodes, rounds.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::fs::OpenOptions;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Instant;

use handmill::exec::{Job, Launcher, Report, log_files, shell_for};
use handmill::model::{NodeIdx, NodeRunId, RunId, Timestamp};

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
    let (sender, reports) = channel();
    let launcher = Launcher::new(
        || Timestamp(1),
        move |report| {
            sender.send(report).ok();
        },
    );
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
    start.elapsed().as_secs_f64() * 1e3 / f64::from(nodes)
}

fn id(node: u32) -> NodeRunId {
    NodeRunId {
        run: RunId::from("bench"),
        node: NodeIdx(node),
        pass: 1,
        attempt: 1,
    }
}
