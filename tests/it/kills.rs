//! The program is killed while a person edits and saves: the file is always whole, and what was done up to a
//! quarter of a second before the kill is offered at the next open.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use handmill::editor::{Document, Journal, Onto, Opened, Outcome, Saver, Task};
use handmill::model::{Edit, Flow, FlowField, Node, NodeField, NodeId, Point, Timestamp};
use handmill::store::{self, Home};

/// Set in the process that is to be killed: the folder it works in.
const FOLDER_OF_CHILD: &str = "HANDMILL_TEST_KILLS";
/// What may be lost.
const LOSS: Duration = Duration::from_millis(250);
/// Processes that are killed at the same time.
const WORKERS: usize = 4;
const NODES: u64 = 8;

fn node(n: u64) -> NodeId {
    NodeId::new(format!("n{}", n % NODES))
}

/// The flow after the first `n` edits; the last is at least `n - 1`, so two numbers tell which.
fn state(n: u64) -> Flow {
    let mut flow = Flow {
        title: n.to_string(),
        ..Flow::default()
    };
    for place in 0..NODES {
        // The last edit that touched this node.
        let last = (place..=n).rev().find(|k| k % NODES == place && *k > 0);
        let command = last.map_or("echo".to_owned(), |k| format!("echo {k}"));
        let node = Node::new(node(place), command, Point::default());
        flow.graph.add_node(node).expect("a fresh id");
    }
    flow
}

fn edit(n: u64) -> Edit {
    Edit::Batch(vec![
        Edit::SetFlow(FlowField::Title(n.to_string())),
        Edit::SetNode {
            id: node(n),
            field: NodeField::Command(format!("echo {n}")),
        },
    ])
}

fn micros() -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_micros()
}

fn open(saver: &Saver, woken: &std::sync::mpsc::Receiver<()>, path: &Path) -> Opened {
    saver.send(0, Task::Load(path.to_owned()));
    woken.recv().expect("the saver answers");
    match saver.drain().next().expect("an answer").outcome {
        Outcome::Loaded(Ok(opened)) => *opened,
        other => panic!("{other:?}"),
    }
}

/// The other process: as the window does it, without the window.
fn edit_for_ever(folder: &Path) {
    let home = Home::at(folder.join("home"));
    let path = folder.join("flow.graphml");
    let (sender, woken) = channel();
    let saver = Saver::start(home.clone(), None, move || {
        sender.send(()).ok();
    })
    .expect("starts");
    let journal = Journal::start(home, || {}).expect("starts");
    let opened = open(&saver, &woken, &path);
    let mut doc = Document::open(opened.flow_ref, opened.version);
    if let Some(unsaved) = opened.unsaved {
        doc.restore(&unsaved.flow, unsaved.file);
    }
    let mut random = fastrand::Rng::new();
    let mut saving = false;
    let mut out = std::io::stdout();
    let mut n: u64 = doc.flow().title.parse().expect("a number");
    loop {
        if let Some(note) = doc.journal(0, Timestamp(i64::try_from(micros()).expect("fits"))) {
            journal.send(note);
        }
        writeln!(out, "\nmade {n} {}", micros()).expect("the parent listens");
        for done in saver.drain() {
            let Outcome::Saved {
                place,
                flow,
                result: Ok((_, saved)),
            } = done.outcome
            else {
                panic!("{:?}", done.outcome);
            };
            doc.saved(place, flow, saved.stamp);
            saving = false;
        }
        if !saving && random.u8(..6) == 0 {
            saving = true;
            let task = Task::Save {
                flow_ref: doc.flow_ref.clone(),
                flow: doc.flow().clone(),
                place: doc.place(),
                onto: Onto::from(&doc.disk),
                trusted: true,
            };
            saver.send(0, task);
        }
        if random.u8(..4) == 0 {
            std::thread::sleep(Duration::from_micros(random.u64(..2_000)));
        }
        n += 1;
        if random.u8(..3) == 0 {
            // Typed in a field that is not left yet: a kill here costs no letter either.
            doc.typing(Some(edit(n)));
            if let Some(note) = doc.journal(0, Timestamp(i64::try_from(micros()).expect("fits"))) {
                journal.send(note);
            }
            writeln!(out, "\nmade {n} {}", micros()).expect("the parent listens");
            std::thread::sleep(Duration::from_micros(random.u64(..2_000)));
            doc.typing(None);
        }
        doc.apply(edit(n)).expect("applies");
    }
}

#[derive(Default)]
struct Tally {
    n_offered: AtomicUsize,
    n_rounds: AtomicUsize,
}

fn kill_again_and_again(seed: u64, n_kills: usize, tally: &Tally) {
    let mut random = fastrand::Rng::with_seed(seed);
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("flow.graphml");
    store::save(&path, &state(0), None).expect("saved");
    let (sender, woken) = channel();
    let saver = Saver::start(Home::at(dir.path().join("home")), None, move || {
        sender.send(()).ok();
    })
    .expect("starts");
    for round in 0..n_kills {
        let mut child = Command::new(std::env::current_exe().expect("the test binary"))
            .args(["--exact", "--nocapture", "--test-threads=1"])
            .arg(
                "kills::a_kill_at_any_moment_costs_no_file_and_no_edit_older_than_a_quarter_second",
            )
            .env(FOLDER_OF_CHILD, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the test binary starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut made = stdout.lines().map_while(Result::ok).filter_map(|line| {
            let mut words = line.strip_prefix("made ")?.split(' ');
            let n: u64 = words.next()?.parse().ok()?;
            let at: u128 = words.next()?.parse().ok()?;
            Some((n, at))
        });
        let first = made.next();
        assert!(first.is_some(), "seed {seed} round {round}: it died early");
        std::thread::sleep(Duration::from_micros(random.u64(..25_000)));
        let killed_at = micros();
        child.kill().expect("killed");
        let made: Vec<(u64, u128)> = first.into_iter().chain(made).collect();
        child.wait().expect("waited for");

        let opened = open(&saver, &woken, &path);
        let what = format!("seed {seed} round {round}");
        assert!(!opened.version.damaged, "{what}");
        assert!(opened.version.warnings.is_empty(), "{what}");
        let on_disk: u64 = opened.version.flow.title.parse().expect("a number");
        assert!(*opened.version.flow == state(on_disk), "{what}: mixed");
        let back = match &opened.unsaved {
            Some(unsaved) => {
                tally.n_offered.fetch_add(1, Ordering::Relaxed);
                Arc::clone(&unsaved.flow)
            }
            None => opened.version.flow,
        };
        let n: u64 = back.title.parse().expect("a number");
        assert!(*back == state(n), "{what}: what is offered is mixed");
        let due = made
            .iter()
            .filter(|(_, at)| at + LOSS.as_micros() <= killed_at)
            .map(|(n, _)| *n)
            .max();
        // What the process began from was there before it.
        let due = due.unwrap_or(made[0].0);
        assert!(n >= due, "{what}: {n} came back, {due} was made in time");
        tally.n_rounds.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "how much was met is worth reading")]
fn a_kill_at_any_moment_costs_no_file_and_no_edit_older_than_a_quarter_second() {
    if let Some(folder) = std::env::var_os(FOLDER_OF_CHILD) {
        edit_for_ever(Path::new(&folder));
    }
    let n_kills: usize =
        std::env::var("HANDMILL_KILLS").map_or(300, |n| n.parse().expect("a number"));
    let seed = fastrand::u64(..);
    let tally = Tally::default();
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let tally = &tally;
            let seed = seed.wrapping_add(worker as u64);
            scope.spawn(move || kill_again_and_again(seed, n_kills.div_ceil(WORKERS), tally));
        }
    });
    let (n, offered) = (
        tally.n_rounds.load(Ordering::Relaxed),
        tally.n_offered.load(Ordering::Relaxed),
    );
    println!("{n} kills from seed {seed}: edits were offered {offered} times");
    assert!(offered > n / 4, "hardly any kill met unsaved edits");
}
