//! Runs that outlive their window: kill -9 of the window, the background process and the sitter at
//! any moment.
//!
//! The window is a face without a screen: this very test binary, started again to be killed. What
//! is killed, and when, is drawn from a seed that is printed on failure. `HANDMILL_KILLS` says how
//! often something is killed (10 000 take a night); `HANDMILL_CRASH_SEED` repeats a round.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use handmill::exec::sitter::{self, Program, Sitter};
use handmill::model::{Choice, Event, Flow, NodeStatus, Outcome, Timestamp};
use handmill::runtime::{Order, query};

use crate::flows;
use crate::place::{BINARY, FACE_DIR, Face, LIMIT, Place, kill, wait};

/// Kills in a usual test run, of carriers alone and of anybody together.
const KILLS: i64 = 300;

/// Kills of one run at most.
const KILLS_PER_RUN: u64 = 24;

/// Runs that are killed at the same time: most of what a kill takes is waiting.
const WORKERS: usize = 3;

const N_NODES: usize = 200;

/// Not a test: the window of the others. It carries on what runs, or starts what is to run.
#[test]
fn a_window_to_be_killed() {
    let Some(dir) = std::env::var_os(FACE_DIR) else {
        return;
    };
    let face = Face::new(Path::new(&dir), "window");
    wait("the flow", || {
        let board = face.handle.board();
        board.flow(&face.flow).is_some_and(|flow| flow.loaded)
    });
    let board = face.handle.board();
    let flow = board.flow(&face.flow).expect("open");
    let newest = flow.history.first().and_then(|run| run.outcome);
    if flow.live.is_none() && flow.runner.is_none() && newest != Some(Outcome::Succeeded) {
        face.run(Choice::Auto);
        face.outcome();
    }
    wait("the end of the run", || {
        let board = face.handle.board();
        let flow = board.flow(&face.flow).expect("open");
        flow.live.is_none()
            && flow.runner.is_none()
            && flow
                .history
                .first()
                .is_some_and(|run| run.outcome.is_some())
    });
    face.end(Order::ShutDown);
}

/// A random flow; each node says when it began and when it was done.
fn draw(random: &mut fastrand::Rng, n_nodes: usize) -> Flow {
    let ids: Vec<String> = (0..n_nodes).map(|n| format!("n{n}")).collect();
    let commands: Vec<String> = ids
        .iter()
        .map(|id| {
            let work = match random.u32(..10) {
                0..3 => format!("sleep 0.0{}; ", random.u32(1..5)),
                3 => "sleep 0.2; ".to_owned(),
                // A node without a process.
                4 => return String::new(),
                _ => String::new(),
            };
            format!("echo {id} >>begun; {work}echo {id} >>done")
        })
        .collect();
    let mut edges = BTreeSet::new();
    for target in 1..n_nodes {
        for _ in 0..random.usize(0..3) {
            edges.insert((random.usize(target.saturating_sub(20)..target), target));
        }
    }
    flows::numbered(&commands, &edges)
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

fn with_seed<T>(seed: u64, round: impl FnOnce(u64) -> T + std::panic::UnwindSafe) -> T {
    std::panic::catch_unwind(|| round(seed)).unwrap_or_else(|why| {
        let text = why.downcast_ref::<String>().cloned();
        let text = text.or_else(|| why.downcast_ref::<&str>().map(|&text| text.to_owned()));
        panic!("HANDMILL_CRASH_SEED={seed}: {}", text.unwrap_or_default());
    })
}

/// Rounds, each with a seed of its own, until there were half of all kills.
#[expect(clippy::print_stdout, reason = "how much was met is worth reading")]
fn in_rounds(round: fn(u64) -> u64) {
    let kills = number("HANDMILL_KILLS").map_or(KILLS, |n| n.try_into().expect("not that many"));
    let left = AtomicI64::new(kills / 2);
    let seed = AtomicU64::new(number("HANDMILL_CRASH_SEED").unwrap_or_else(|| fastrand::u64(..)));
    let n_runs = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while left.load(Ordering::Relaxed) > 0 {
                    let n = with_seed(seed.fetch_add(1, Ordering::Relaxed), round);
                    left.fetch_sub(n.try_into().expect("few"), Ordering::Relaxed);
                    n_runs.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let n = kills / 2 - left.into_inner();
    println!(
        "{n} kills during {} runs of {N_NODES} nodes",
        n_runs.into_inner()
    );
}

#[test]
fn a_run_whose_carriers_are_killed_again_and_again_ends_as_if_nobody_had_been() {
    in_rounds(kill_carriers);
}

/// Gives how many kills met the run.
fn kill_carriers(seed: u64) -> u64 {
    let mut random = fastrand::Rng::with_seed(seed);
    let place = Place::new(&draw(&mut random, N_NODES));
    let mut window = place.window();
    let mut n = 0;
    while n < KILLS_PER_RUN {
        std::thread::sleep(Duration::from_micros(random.u64(0..150_000)));
        if matches!(place.record(), (Some(Some(_)), _)) {
            break;
        }
        n += 1;
        window.kill().ok();
        window.wait().expect("waited for");
        for pid in place.of_kind("background") {
            kill(pid);
        }
        // Half the time a window comes back for it, else the background goes on.
        if random.bool() || place.lines("begun").is_empty() {
            window = place.window();
        }
    }
    wait("the end of the run", || {
        let (outcome, nodes) = place.record();
        let over = window.try_wait().expect("asked").is_some();
        match outcome {
            Some(Some(Outcome::Succeeded)) => return true,
            // Killed before anybody held it: then nothing of it has begun.
            Some(Some(Outcome::Interrupted)) | None => {
                assert!(place.lines("begun").is_empty(), "{outcome:?}: {nodes:?}");
                if over {
                    window = place.window();
                }
            }
            Some(Some(other)) => panic!("{other:?}: {nodes:?}"),
            Some(None) => {}
        }
        false
    });
    all_has_run(&place, window);
    for name in ["begun", "done"] {
        let (lines, ids) = (place.lines(name), place.ids(name));
        assert_eq!(lines.len(), ids.len(), "something ran twice");
    }
    n
}

/// The run is over, and nothing of it is left.
fn all_has_run(place: &Place, mut window: Child) {
    let (outcome, nodes) = place.record();
    assert_eq!(outcome, Some(Some(Outcome::Succeeded)), "{nodes:?}");
    for (id, status) in &nodes {
        assert_eq!(*status, NodeStatus::Ran, "{id}");
    }
    assert_eq!(nodes.len(), N_NODES);
    assert_eq!(place.ids("begun"), place.ids("done"));
    window.kill().ok();
    window.wait().expect("waited for");
    for kind in ["node", "background", "sitter"] {
        place.await_none(kind);
    }
}

#[test]
fn whoever_is_killed_during_a_run_every_node_is_known_and_no_survivor_unlisted() {
    in_rounds(kill_anybody);
}

/// Kills the carriers, the sitter, or all of them at random moments. What nobody saw the end of is resumed.
fn kill_anybody(seed: u64) -> u64 {
    let mut random = fastrand::Rng::with_seed(seed);
    let place = Place::new(&draw(&mut random, N_NODES));
    let mut window = place.window();
    let mut n = 0;
    while n < KILLS_PER_RUN {
        std::thread::sleep(Duration::from_micros(random.u64(0..150_000)));
        if place.record().0 == Some(Some(Outcome::Succeeded)) {
            break;
        }
        n += 1;
        let (carriers, sitter) = match random.u8(..4) {
            0 => (true, false),
            1 => (false, true),
            _ => (true, true),
        };
        let mut doomed = Vec::new();
        for (pid, kind) in place.living() {
            if kind == "background" && carriers || kind == "sitter" && sitter {
                doomed.push(pid);
            }
        }
        let window_lives = window.try_wait().expect("asked").is_none();
        if carriers && window_lives {
            doomed.push(window.id());
        }
        random.shuffle(&mut doomed);
        for pid in doomed {
            kill(pid);
        }
        if carriers {
            window.wait().expect("waited for");
        }
        if carriers && sitter {
            // The sitter may have started one more when it saw the window die.
            for pid in place.of_kind("background") {
                kill(pid);
            }
            place.check_abandoned();
            // Else whoever comes next finds what survived, and may start nothing before that has ended.
            if random.bool() {
                let (workspace, _) = query::open(&place.home(), &place.flow).expect("opens");
                query::end_orphans(&workspace, &place.flow).expect("ended");
            }
        }
        if window.try_wait().expect("asked").is_some() {
            window = place.window();
        }
    }
    let from = Instant::now();
    loop {
        let (outcome, mut nodes) = place.record();
        if outcome == Some(Some(Outcome::Succeeded)) {
            break;
        }
        let window_lives = window.try_wait().expect("asked").is_none();
        nodes.retain(|_, status| *status != NodeStatus::Ran);
        assert!(
            from.elapsed() < LIMIT,
            "no run succeeds: {outcome:?}, window {window_lives}, {:?}, {nodes:?}, it said: {}",
            place.living(),
            fs::read_to_string(place.path("window says")).unwrap_or_default()
        );
        if !window_lives {
            window = place.window();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    all_has_run(&place, window);
    n
}

#[test]
fn a_window_outlives_its_sitter_and_knows_every_node() {
    with_seed(fastrand::u64(..), |seed| {
        let mut random = fastrand::Rng::with_seed(seed);
        let place = Place::new(&draw(&mut random, N_NODES));
        let face = place.face("window");
        face.run(Choice::Full);
        for _ in 0..3 {
            face.next("a node", |event| {
                matches!(event, Event::NodeSpawned { .. }).then_some(())
            });
            std::thread::sleep(Duration::from_micros(random.u64(0..50_000)));
            for pid in place.of_kind("sitter") {
                kill(pid);
            }
        }
        face.outcome();
        wait("the record", || matches!(place.record().0, Some(Some(_))));
        let (_, nodes) = place.record();
        let done = place.ids("done");
        for id in place.ids("begun") {
            let status = nodes[&id];
            let known = matches!(status, NodeStatus::Ran | NodeStatus::Interrupted);
            assert!(known, "{id} had begun and is {status:?}");
        }
        for (id, status) in &nodes {
            let command = &face
                .frozen
                .graph
                .node(&id.as_str().into())
                .expect("there")
                .command;
            let has_run = *status == NodeStatus::Ran && !command.is_empty();
            assert!(!has_run || done.contains(id), "{id} is ran and did nothing");
        }
        place.await_none("node");
        // What nobody saw the end of runs again.
        if nodes.values().any(|status| status.wants_resume()) {
            face.run(Choice::Resume);
            assert_eq!(face.outcome(), Outcome::Succeeded);
            wait("the record", || {
                place.record().0 == Some(Some(Outcome::Succeeded))
            });
        }
        let (outcome, mut nodes) = place.record();
        nodes.retain(|_, status| *status != NodeStatus::Ran);
        assert_eq!(nodes, BTreeMap::new(), "{outcome:?}");
        face.end(Order::ShutDown);
    });
}

#[test]
fn after_a_kill_of_window_and_sitter_no_survivor_is_unlisted() {
    let flow = flows::flow(
        &[
            ("a", "echo a >>begun; sleep 1000"),
            ("b", "echo b >>begun; exec sleep 1000"),
            ("c", "echo c >>done"),
        ],
        &[("a", "c")],
    );
    let place = Place::new(&flow);
    let mut window = place.window();
    wait("both nodes", || place.lines("begun").len() == 2);
    let sitter = place.of_kind("sitter");
    // At once: either of them alone would have the run carried on.
    let both = [window.id(), sitter[0]].map(|pid| pid.to_string());
    let killed = Command::new("kill").arg("-9").args(both).status();
    assert!(killed.expect("kill of util-linux").success());
    window.wait().expect("waited for");
    place.await_none("sitter");
    let listed = |place: &Place| {
        let (workspace, _) = query::open(&place.home(), &place.flow).expect("opens");
        let orphans = workspace.orphans_of(&place.flow).expect("read");
        orphans
            .into_iter()
            .map(|orphan| orphan.node.to_string())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(
        listed(&place),
        BTreeSet::from(["a".to_owned(), "b".to_owned()])
    );
    let (outcome, nodes) = place.record();
    assert_eq!(outcome, Some(Some(Outcome::Interrupted)));
    assert_eq!(nodes["a"], NodeStatus::Interrupted);
    let (workspace, _) = query::open(&place.home(), &place.flow).expect("opens");
    query::end_orphans(&workspace, &place.flow).expect("ended");
    place.await_none("node");
}

#[test]
fn at_its_deadline_the_sitter_ends_what_runs_in_a_workspace() {
    let place = Place::new(&flows::flow(
        &[("a", "echo a >>begun; exec sleep 1000")],
        &[],
    ));
    let face = place.face("window");
    face.run(Choice::Full);
    wait("the node", || !place.lines("begun").is_empty());
    // A client that carries nothing: whose word it is does not matter.
    let program = Program {
        file: BINARY.into(),
        args: &["__sitter"],
        env: Vec::new(),
    };
    let sitter_place = sitter::Place::new(place.home().sitter_dir());
    let client = Sitter::new(sitter_place, program, || Timestamp(0), |_| {});
    let (now, workspace) = (sitter::uptime(), &face.flow.workspace);
    let deadline = |until| client.set_deadline(workspace, until, Duration::from_secs(5));
    // Put off, taken back, then let come.
    deadline(Some(now + LIMIT));
    deadline(None);
    deadline(Some(now + Duration::from_millis(50)));
    let told = face.next("what happened", |event| match event {
        Event::Told(notice) => Some(notice.what.to_string()),
        _ => None,
    });
    assert!(told.contains("Control of workspace"), "{told}");
    assert_eq!(face.outcome(), Outcome::Interrupted);
    place.await_none("node");
    face.end(Order::ShutDown);
}

#[test]
fn the_sitter_is_small_and_ends_when_nobody_needs_it() {
    let place = Place::new(&flows::flow(&[("a", "echo a >>begun; sleep 0.3")], &[]));
    let face = place.face("window");
    face.run(Choice::Full);
    wait("the node", || !place.lines("begun").is_empty());
    let sitter = place.of_kind("sitter");
    assert_eq!(sitter.len(), 1);
    let status = fs::read_to_string(format!("/proc/{}/status", sitter[0])).expect("it lives");
    let rss = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let rss: u64 = rss
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .expect("a number");
    assert!(rss < 20 * 1024, "{rss} kB");
    assert_eq!(face.outcome(), Outcome::Succeeded);
    face.end(Order::ShutDown);
    place.await_none("sitter");
}

#[test]
fn a_long_home_has_a_sitter_too() {
    let deep = "d".repeat(120);
    let dir = tempfile::tempdir().expect("a folder");
    let home = dir.path().join(&deep);
    fs::create_dir(&home).expect("made");
    let mut sitter = Command::new(BINARY)
        .arg("__sitter")
        .env("HANDMILL_HOME", &home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    // It closes its output when it listens.
    let mut said = String::new();
    let mut stdout = sitter.stdout.take().expect("piped");
    stdout.read_to_string(&mut said).expect("read");
    assert_eq!(said, "");
    assert!(home.join("sitter/sitter-4.sock").exists());
    // A second one sees that there is one.
    let second = Command::new(BINARY)
        .arg("__sitter")
        .env("HANDMILL_HOME", &home)
        .status()
        .expect("starts");
    assert!(second.success());
    let status = sitter.wait().expect("waited for");
    assert!(status.success() && status.signal().is_none(), "{status:?}");
    assert!(
        !home.join("sitter/sitter-4.sock").exists(),
        "it took its socket away"
    );
}
