//! Machines share a folder, and their programs are stopped and killed at random: the real binary, real processes, a
//! real file system.
//!
//! Each machine is a home of its own, in which `handmill run` is started over and over, and an operator who asks for
//! control, takes it over, gives it away and refuses it at random. Its node writes every few hundredths of a second that
//! it lives, itself or through what it started, so it shows afterwards whether two machines ever ran at once. The limits
//! of control are divided, so that a takeover comes after seconds.
//!
//! A program may be stopped for longer than its control lasts, also in the middle of a publication, and killed; so may
//! the sitter be, and both at once; and a machine may lose its power, with its nodes. The sitter is never *stopped*: that
//! this one process keeps the deadline is what the protocol rests on.
//!
//! What the file system said to each step that can be won or lost is written down by a witness below the program
//! (`torture/witness.c`): so it is seen that every page of an owner that had lost was refused, and how often.

pub mod witness;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use handmill::lease::{Hydrated, MachineId, Op, Reply, RowSeen};
use handmill::share::SharedFolder;
use handmill::store::{self, ControlText, Home};

use crate::flows;
use crate::share::{Kept, reader};
use crate::support::Share;
use witness::Witness;

/// What the limits of control are divided by, unless `HANDMILL_TORTURE_SCALE` says otherwise: a checkpoint each 2 s, 4 s to
/// run without one, a takeover after 6 s.
const SCALE: u64 = 15;
/// The longest stop, in seconds of the limits that are not divided: longer than it takes until another takes over.
const STOP_MAX: u64 = 135;
/// How long, unless `HANDMILL_TORTURE_SECONDS` says otherwise.
const SECONDS: u64 = 60;
/// Machines, unless `HANDMILL_TORTURE_MACHINES` says otherwise.
const MACHINES: u64 = 4;
/// What a time in `/proc/uptime` is rounded to.
const RESOLUTION: f64 = 0.01;

/// Lives for two seconds and says so, and every other one does not listen to a polite end. What lives is the node
/// itself, a process that it started, or one that left its session.
const NODE: &str = r#"[ $(($$ / 3 % 2)) = 0 ] && trap '' TERM
case $(($$ % 3)) in
    0) . ./beat.sh ;;
    1) (. ./beat.sh) & wait ;;
    2) setsid -w sh ./beat.sh ;;
esac"#;

const BEAT: &str = r#"n=0
while [ $n -lt 40 ]; do
    read at rest </proc/uptime
    echo "$at $HANDMILL_EPOCH" >>"beats/$TORTURE_MACHINE.$$.$HANDMILL_EPOCH"
    sleep 0.05
    n=$((n + 1))
done"#;

/// What an operator does, and how often in so many.
const VERBS: [(&[&str], u8); 6] = [
    (&["request", "--wait", "6"], 4),
    (&["take-over", "--wait", "6"], 2),
    (&["release", "--when", "now"], 1),
    (&["release", "--when", "after-nodes"], 1),
    (&["hand-over", "--when", "now"], 2),
    (&["deny"], 1),
];

struct Machine {
    number: u64,
    home: PathBuf,
    /// What it runs, as it sees the folder.
    flow: PathBuf,
    /// Set for all that runs on it.
    env: Vec<(&'static str, PathBuf)>,
    /// The programs under way.
    programs: Mutex<BTreeSet<u32>>,
}

fn told(name: &str, otherwise: u64) -> u64 {
    let told = std::env::var(name).ok();
    told.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn scale() -> u64 {
    told("HANDMILL_TORTURE_SCALE", SCALE)
}

fn signal(pid: u32, signal: &str) {
    Command::new("kill")
        .args([signal, &pid.to_string()])
        .stderr(Stdio::null())
        .status()
        .expect("kill of util-linux or the shell");
}

impl Machine {
    fn command(&self, args: &[&str], what: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handmill"));
        command
            .args(args)
            .arg(what)
            .env("HANDMILL_HOME", &self.home)
            .env("HANDMILL_CONTROL_SCALE", scale().to_string());
        command
    }

    fn start(&self, args: &[&str], what: &Path) -> Child {
        let mut command = self.command(args, what);
        command
            .env("TORTURE_MACHINE", self.number.to_string())
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().expect("starts");
        self.programs.lock().expect("no poison").insert(child.id());
        child
    }

    /// Until it ends, is told to, or all is over; true when it did what it was to do.
    fn wait(&self, mut child: Child, at_most: Duration, is_over: &AtomicBool) -> bool {
        let (from, mut is_told) = (Instant::now(), false);
        let status = loop {
            if let Some(status) = child.try_wait().expect("asked") {
                break status;
            }
            if is_over.load(Ordering::Relaxed) {
                signal(child.id(), "-KILL");
            } else if from.elapsed() > at_most && !std::mem::replace(&mut is_told, true) {
                signal(child.id(), "-TERM");
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        self.programs.lock().expect("no poison").remove(&child.id());
        status.success()
    }

    /// Processes that were started for this home, by what they were called with.
    fn processes(&self, called: Option<&str>) -> Vec<u32> {
        let home = format!("HANDMILL_HOME={}", self.home.display());
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").expect("Linux").flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else {
                continue;
            };
            let has = |file: &str, what: &str| {
                let bytes = fs::read(entry.path().join(file)).unwrap_or_default();
                bytes.split(|b| *b == 0).any(|one| one == what.as_bytes())
            };
            if has("environ", &home) && called.is_none_or(|called| has("cmdline", called)) {
                found.push(pid);
            }
        }
        found
    }

    fn cut_power(&self) {
        // Again until there are none: one may have been about to start another.
        loop {
            let left = self.processes(None);
            if left.is_empty() {
                break;
            }
            left.into_iter().for_each(|pid| signal(pid, "-KILL"));
        }
    }

    /// Runs the flow again and again.
    fn work(&self, is_over: &AtomicBool, n_done: &AtomicU64) {
        while !is_over.load(Ordering::Relaxed) {
            let child = self.start(&["run", "--full"], &self.flow);
            let is_done = self.wait(child, Duration::MAX, is_over);
            n_done.fetch_add(u64::from(is_done), Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// An operator who cannot make up its mind. Gives how often each verb did what it says, of how many times.
    fn operate(&self, workspace: &Path, is_over: &AtomicBool, mut random: Rng) -> Verbs {
        let mut verbs = Verbs::new();
        let all: u8 = VERBS.iter().map(|(_, weight)| weight).sum();
        while !is_over.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(random.u64(200..4_000)));
            let mut at = random.u8(..all);
            let picked = VERBS.iter().find(|(_, weight)| {
                let is_it = at < *weight;
                at = at.saturating_sub(*weight);
                is_it
            });
            let (args, _) = picked.expect("the weights add up");
            let child = self.start(&[&["control"], *args].concat(), workspace);
            // Who gained control keeps it for a while.
            let is_done = self.wait(
                child,
                Duration::from_millis(random.u64(500..7_000)),
                is_over,
            );
            let (n, n_done) = verbs.entry(args[0]).or_default();
            *n += 1;
            *n_done += u64::from(is_done);
        }
        verbs
    }
}

/// Tries and successes by verb.
type Verbs = BTreeMap<&'static str, (u64, u64)>;

/// What was done to the machines.
#[derive(Debug, Default)]
struct Blows {
    stops: u64,
    ambushes: u64,
    kills_of_program: u64,
    kills_of_sitter: u64,
    kills_of_both: u64,
    power_cuts: u64,
}

/// The program that has a page in its pen just now; `None` when none has for a while.
fn publishing(workspace: &Path, machines: &[Machine]) -> Option<u32> {
    let from = Instant::now();
    let epochs = workspace.join(".workspace_state/epochs/ws");
    while from.elapsed() < Duration::from_secs(4) {
        let newest = fs::read_dir(&epochs).ok().and_then(|entries| {
            let names = entries.flatten().map(|entry| entry.path());
            names.filter(|path| path.join("claim.json").exists()).max()
        });
        let Some(newest) = newest else { continue };
        let until = Instant::now() + Duration::from_millis(500);
        while Instant::now() < until {
            let pages = fs::read_dir(newest.join("pen")).map_or(0, Iterator::count);
            if pages > 0 {
                let claim = fs::read(newest.join("claim.json")).ok()?;
                let claim: serde_json::Value = serde_json::from_slice(&claim).ok()?;
                let pid = u32::try_from(claim["pid"].as_u64()?).ok()?;
                let is_one =
                    |machine: &Machine| machine.programs.lock().expect("no poison").contains(&pid);
                return machines.iter().any(is_one).then_some(pid);
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }
    None
}

fn strike(workspace: &Path, machines: &[Machine], random: &mut Rng, until: Instant) -> Blows {
    let mut blows = Blows::default();
    let left = || until.saturating_duration_since(Instant::now());
    while !left().is_zero() {
        std::thread::sleep(Duration::from_millis(random.u64(300..2_000)).min(left()));
        let machine = random.choice(machines).expect("some");
        let programs = machine.programs.lock().expect("no poison").clone();
        let programs: Vec<u32> = programs.into_iter().collect();
        let is_there = |pid| machine.programs.lock().expect("no poison").contains(&pid);
        let sitters = || machine.processes(Some("__sitter"));
        match random.u8(..12) {
            10.. => {
                let Some(pid) = publishing(workspace, machines) else {
                    continue;
                };
                blows.ambushes += 1;
                signal(pid, "-STOP");
                // Longer than others wait, so that another machine has control when it goes on in the middle of it.
                let long = random.u64(105_000..150_000) / scale();
                std::thread::sleep(Duration::from_millis(long).min(left()));
                signal(pid, "-CONT");
            }
            0..4 => {
                let Some(&pid) = random.choice(&programs) else {
                    continue;
                };
                blows.stops += 1;
                signal(pid, "-STOP");
                let long = random.u64(100..STOP_MAX * 1_000 / scale());
                std::thread::sleep(Duration::from_millis(long).min(left()));
                // Only if it is still the same: numbers come again.
                if is_there(pid) {
                    signal(pid, "-CONT");
                }
            }
            4..6 => {
                let Some(&pid) = random.choice(&programs) else {
                    continue;
                };
                blows.kills_of_program += 1;
                signal(pid, "-KILL");
            }
            6 => {
                for pid in sitters() {
                    blows.kills_of_sitter += 1;
                    signal(pid, "-KILL");
                }
            }
            7 => {
                let both = [programs, sitters()].concat();
                blows.kills_of_both += u64::from(both.len() > 1);
                both.into_iter().for_each(|pid| signal(pid, "-KILL"));
            }
            _ => {
                blows.power_cuts += 1;
                machine.cut_power();
            }
        }
    }
    blows
}

/// What somebody saw who only looked.
#[derive(Debug, Default)]
struct Seen {
    looks: u64,
    rows: u64,
    /// Of the last row.
    epoch: u64,
    snapshots: u64,
    between: u64,
    wrong: Vec<String>,
}

fn observe(workspace: &Path, is_over: &AtomicBool) -> Seen {
    let mut shared =
        SharedFolder::open(workspace, MachineId("observer".to_owned()), reader()).expect("opened");
    let mut ledger = Kept::default();
    let (mut seen, mut beat) = (Seen::default(), None);
    while !is_over.load(Ordering::Relaxed) {
        seen.looks += 1;
        match shared.carry(&Op::ReadRow, &mut ledger) {
            Reply::Row(RowSeen::Is { beat: new, row }) if beat != Some(new) => {
                beat = Some(new);
                seen.rows += 1;
                let epoch = row.generation.epoch.map_or(0, |epoch| epoch.0);
                if epoch < seen.epoch {
                    let was = seen.epoch;
                    seen.wrong
                        .push(format!("a row of epoch {epoch} after {was}"));
                }
                seen.epoch = seen.epoch.max(epoch);
            }
            Reply::Row(RowSeen::Damaged { why, .. }) => {
                seen.wrong.push(format!("the lease: {why}"))
            }
            Reply::Row(_) => {}
            other => seen.wrong.push(format!("{other:?}")),
        }
        match shared.watch(&mut ledger) {
            Ok(Hydrated::Adopted) => seen.snapshots += 1,
            Ok(Hydrated::Nothing) => {}
            Ok(Hydrated::Kept(why)) if why.contains("damaged") || why.contains("lease") => {
                seen.wrong.push(why);
            }
            // Pages of the next one are on their way.
            Ok(Hydrated::Kept(_)) => seen.between += 1,
            Err(why) => seen.wrong.push(why.to_string()),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    seen
}

/// Since when and until when each node lived, by machine, in seconds, with its epoch.
fn lives(beats: &Path) -> Vec<(String, f64, f64, u64)> {
    let mut lives = Vec::new();
    for entry in fs::read_dir(beats).expect("listed").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let text = fs::read_to_string(entry.path()).expect("read");
        // The last line may be half a line: its writer was killed.
        let lines = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        let mut beats = lines.filter_map(|line| {
            let (at, epoch) = line.trim_end().split_once(' ')?;
            Some((at.parse::<f64>().ok()?, epoch.parse::<u64>().ok()?))
        });
        if let Some((first, epoch)) = beats.next() {
            let last = beats.next_back().map_or(first, |(at, _)| at);
            let machine = name.split('.').next().expect("a part").to_owned();
            lives.push((machine, first, last, epoch));
        }
    }
    lives.sort_by(|a, b| a.1.total_cmp(&b.1));
    lives
}

#[test]
#[expect(clippy::print_stdout, reason = "the counts are for whoever runs it")]
fn machines_that_are_stopped_and_killed_never_run_at_once_and_never_publish_backwards() {
    let seed = told("HANDMILL_TORTURE_SEED", fastrand::u64(..));
    let long = Duration::from_secs(told("HANDMILL_TORTURE_SECONDS", SECONDS));
    println!("HANDMILL_TORTURE_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    let share = Share::new();
    let homes = tempfile::tempdir().expect("a folder");
    let workspace = share.path().join("ws");
    fs::create_dir_all(workspace.join("flow_modules")).expect("made");
    fs::create_dir(workspace.join("beats")).expect("made");
    fs::write(workspace.join("beat.sh"), BEAT).expect("written");
    let witness = Witness::new(homes.path());
    let path = workspace.join("flow_modules/flow.graphml");
    store::save(&path, &flows::flow(&[("beats", NODE)], &[]), None).expect("saved");
    let n_machines = told("HANDMILL_TORTURE_MACHINES", MACHINES);
    let seen_by = |number: u64| share.of(usize::try_from(number).expect("a few")).join("ws");
    let machines: Vec<Machine> = (0..n_machines)
        .map(|number| {
            let home = homes.path().join(format!("home-{number}"));
            let flow = seen_by(number).join("flow_modules/flow.graphml");
            let located = store::locate(&flow).expect("located");
            // Nobody is there to ask for a takeover.
            let policy = br#"{"takes_over":true}"#;
            let at = Home::at(home.clone());
            store::write_control(&at, &located.workspace, ControlText::Policy, policy)
                .expect("written");
            Machine {
                number,
                home,
                flow,
                env: witness.env(),
                programs: Mutex::default(),
            }
        })
        .collect();
    let (is_over, n_done) = (AtomicBool::new(false), AtomicU64::new(0));
    let (blows, seen, verbs) = std::thread::scope(|scope| {
        let mut operators = Vec::new();
        for machine in &machines {
            scope.spawn(|| machine.work(&is_over, &n_done));
            let random = Rng::with_seed(random.u64(..));
            let workspace = seen_by(machine.number);
            let over = &is_over;
            operators.push(scope.spawn(move || machine.operate(&workspace, over, random)));
        }
        let observer = scope.spawn(|| observe(&seen_by(n_machines), &is_over));
        let blows = strike(&workspace, &machines, &mut random, Instant::now() + long);
        is_over.store(true, Ordering::Relaxed);
        let mut verbs = Verbs::new();
        for operator in operators {
            for (verb, (n, n_done)) in operator.join().expect("operated") {
                let all = verbs.entry(verb).or_default();
                *all = (all.0 + n, all.1 + n_done);
            }
        }
        (blows, observer.join().expect("observed"), verbs)
    });
    for machine in &machines {
        machine.cut_power();
    }
    let told = witness.told();
    let lives = lives(&workspace.join("beats"));
    let mut by_machine = BTreeMap::<&str, u64>::new();
    let mut wrong = seen.wrong.clone();
    wrong.extend(told.wrong.iter().cloned());
    for (at, (machine, first, last, epoch)) in lives.iter().enumerate() {
        *by_machine.entry(machine).or_default() += 1;
        for (other, from, _, of) in &lives[at + 1..] {
            let overlap = last - from;
            if other != machine && overlap > RESOLUTION {
                wrong.push(format!(
                    "machine {machine} ran under epoch {epoch} for {overlap:.2} s (of {:.2} s) while {other} did under {of}",
                    last - first
                ));
            }
        }
    }
    let cut_off = fs::read_dir(workspace.join(".workspace_state/stale")).map_or(0, Iterator::count);
    println!(
        "{blows:?}; verbs done of tried {}; {}; {} rows in {} looks up to epoch {}, {} snapshots taken over ({} looks in between), {cut_off} takeovers, {} runs done, nodes by machine {by_machine:?}",
        verbs
            .iter()
            .map(|(verb, (n, n_done))| format!("{verb} {n_done}/{n}"))
            .collect::<Vec<_>>()
            .join(", "),
        told.summary(),
        seen.rows,
        seen.looks,
        seen.epoch,
        seen.snapshots,
        seen.between,
        n_done.load(Ordering::Relaxed),
    );
    wrong.truncate(20);
    if !wrong.is_empty() {
        for machine in &machines {
            println!("machine {}:", machine.number);
            let mut child = machine.command(&["control", "log", "-n", "1000"], &workspace);
            let log = child.output().expect("runs");
            println!("{}", String::from_utf8_lossy(&log.stdout));
        }
    }
    assert!(wrong.is_empty(), "HANDMILL_TORTURE_SEED={seed}: {wrong:#?}");
    assert!(
        seen.epoch >= 2 && seen.rows >= 4,
        "HANDMILL_TORTURE_SEED={seed}: nothing went on"
    );
}
