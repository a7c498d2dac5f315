//! `kill -9` of the program at any moment, over real runs of the real binary.
//!
//! Each node leaves its id in a file when it is done: what really happened, to hold the ledger
//! against. What is killed, when, and how often is drawn from a seed that is printed on failure;
//! `HANDMILL_CRASH_SEED` repeats one, `HANDMILL_CRASH_ROUNDS` asks for more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use handmill::model::Flow;
use handmill::runtime::query;
use handmill::store::{self, Home};

use crate::flows;

const N_NODES: usize = 40;

/// Rounds in the time of a usual test run.
const ROUNDS: u64 = 12;

/// Without a line from the run for this long only the nodes at the gate are left: as good a moment
/// to kill as any.
const QUIET: Duration = Duration::from_millis(300);

#[expect(clippy::print_stdout, reason = "the seed must be seen")]
#[test]
fn a_run_killed_at_any_moment_is_known_and_can_be_resumed() {
    let number = |name: &str| {
        let text = std::env::var(name).ok()?;
        Some(text.parse::<u64>().expect("a number"))
    };
    let seed = number("HANDMILL_CRASH_SEED").unwrap_or_else(|| fastrand::u64(..));
    let rounds = number("HANDMILL_CRASH_ROUNDS").unwrap_or(ROUNDS);
    let mut told = Told::default();
    for round in 0..rounds {
        let seed = seed.wrapping_add(round);
        let result = std::panic::catch_unwind(|| Round::new(seed).play());
        match result {
            Ok(of_round) => told.add(&of_round),
            Err(why) => {
                let text = why.downcast_ref::<String>().cloned();
                let text = text.or_else(|| why.downcast_ref::<&str>().map(|&text| text.to_owned()));
                panic!(
                    "HANDMILL_CRASH_SEED={seed} HANDMILL_CRASH_ROUNDS=1: {}",
                    text.unwrap_or_default()
                );
            }
        }
    }
    println!("{rounds} rounds from seed {seed}: {told:?}");
    // A nemesis that hits nothing proves nothing.
    assert!(told.midway > 0, "no run was met midway: {told:?}");
}

/// What the rounds met.
#[derive(Debug, Default)]
struct Told {
    kills: u32,
    /// Kills that left a run interrupted.
    midway: u32,
    /// Kills that left processes behind.
    orphaned: u32,
    ran: usize,
    interrupted: usize,
}

impl Told {
    fn add(&mut self, other: &Self) {
        self.kills += other.kills;
        self.midway += other.midway;
        self.orphaned += other.orphaned;
        self.ran += other.ran;
        self.interrupted += other.interrupted;
    }
}

struct Round {
    random: fastrand::Rng,
    dir: tempfile::TempDir,
    told: Told,
}

/// What `status --json` says.
struct Status {
    outcome: Option<String>,
    nodes: BTreeMap<String, String>,
}

impl Status {
    fn with(&self, status: &str) -> BTreeSet<String> {
        let with = self.nodes.iter().filter(|(_, is)| *is == status);
        with.map(|(id, _)| id.clone()).collect()
    }
}

impl Round {
    fn new(seed: u64) -> Self {
        let round = Self {
            random: fastrand::Rng::with_seed(seed),
            dir: tempfile::tempdir().expect("a folder"),
            told: Told::default(),
        };
        fs::write(round.path("done"), "").expect("written");
        fs::write(round.path("begun"), "").expect("written");
        round
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A random flow. Late nodes may wait at a gate: they outlive whoever started them.
    fn draw(&mut self) -> Flow {
        let dir = self.dir.path().display();
        let ids: Vec<String> = (0..N_NODES).map(|n| format!("n{n}")).collect();
        let commands: Vec<String> = ids
            .iter()
            .enumerate()
            .map(|(n, id)| {
                let work = match self.random.u32(..10) {
                    0..3 => format!("sleep 0.0{}; ", self.random.u32(1..5)),
                    3 if n > N_NODES / 2 => format!("cat {dir}/gate; "),
                    _ => String::new(),
                };
                format!("echo {id} >>{dir}/begun; {work}echo {id} >>{dir}/done")
            })
            .collect();
        let mut edges = BTreeSet::new();
        for target in 1..N_NODES {
            for _ in 0..self.random.usize(0..3) {
                edges.insert((self.random.usize(0..target), target));
            }
        }
        flows::numbered(&commands, &edges)
    }

    fn play(mut self) -> Told {
        let workfile = self.path("flow.graphml");
        let flow = self.draw();
        store::save(&workfile, &flow, None).expect("saved");
        let made = Command::new("mkfifo").arg(self.path("gate")).status();
        assert!(made.expect("mkfifo of coreutils").success());
        let bytes = fs::read(&workfile).expect("read");

        let mut verb = "run";
        for _ in 0..self.random.u32(1..=2) {
            self.kill_midway(verb);
            assert_eq!(fs::read(&workfile).expect("read"), bytes);
            verb = self.check_after_kill();
        }
        // The gate stands open now.
        fs::remove_file(self.path("gate")).expect("removed");
        fs::write(self.path("gate"), "").expect("written");
        self.finish(verb);
        std::mem::take(&mut self.told)
    }

    /// Starts a run and kills it when it has told a random number of events, or a random time after.
    fn kill_midway(&mut self, verb: &str) {
        let mut child = self
            .handmill(&[verb, "flow.graphml", "--json", "--jobs", "4"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let n_lines = match self.random.u32(..4) {
            0 => 0,
            _ => self.random.usize(0..N_NODES * 3),
        };
        let (sender, lines) = channel();
        let stdout = child.stdout.take().expect("piped");
        // Ends with the child: nobody else holds its output.
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                sender.send(line).ok();
            }
        });
        for _ in 0..n_lines {
            match lines.recv_timeout(QUIET) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        let more = if n_lines == 0 { 40_000 } else { 6_000 };
        std::thread::sleep(Duration::from_micros(self.random.u64(0..more)));
        end(&mut child);
        reader.join().expect("no panic");
        self.told.kills += 1;
    }

    /// Holds what is known against what happened; gives what a person would do next.
    fn check_after_kill(&mut self) -> &'static str {
        let waiting = self.living(Some("cat"));
        if !waiting.is_empty() {
            self.told.orphaned += 1;
            // Whoever looks first must not make the next one blind.
            self.status();
            for verb in ["resume", "run"] {
                let refused = self.ends_with(2, &[verb, "flow.graphml"]);
                assert!(refused.contains("still live"), "{refused}");
                assert!(refused.contains("handmill stop"), "{refused}");
            }
            let ended = self.ends_with(0, &["stop", "flow.graphml"]);
            assert!(ended.contains("interrupted run had left"), "{ended}");
            assert_eq!(self.living(None), BTreeMap::new(), "all of them are ended");
        }
        // Those that do not wait end by themselves, within their 40 ms.
        let from = Instant::now();
        while !self.living(None).is_empty() {
            assert!(from.elapsed() < Duration::from_secs(20), "some never end");
            std::thread::yield_now();
        }
        let status = self.status();
        let done = self.ids("done");
        for id in self.ids("begun") {
            let is = status.nodes[&id].as_str();
            assert!(
                matches!(is, "ran" | "interrupted"),
                "{id} had begun and is {is}"
            );
        }
        let ran = status.with("ran");
        for id in &ran {
            assert!(done.contains(id), "{id} is ran and did nothing");
        }
        for never in ["failed", "running", "ready", "stopped"] {
            assert_eq!(status.with(never), BTreeSet::new(), "{never}");
        }
        self.told.ran += ran.len();
        self.told.interrupted += status.with("interrupted").len();
        let flow = store::locate(&self.path("flow.graphml")).expect("located");
        let (workspace, notices) =
            query::open(&Home::at(self.path("home")), &flow).expect("the ledger opens");
        assert_eq!(notices, []);
        let health = workspace.ledger.health().expect("read");
        assert_eq!(health.troubles, Vec::<String>::new());
        match status.outcome.as_deref() {
            // Killed before the run was one: then nothing of it has begun.
            None => {
                assert_eq!(self.ids("begun"), BTreeSet::new());
                "run"
            }
            Some("interrupted") => {
                self.told.midway += 1;
                "resume"
            }
            Some("succeeded") => "resume",
            other => panic!("the run is {other:?}"),
        }
    }

    /// Resumes; all is done in the end, and what was known to be done was not done again.
    fn finish(&self, verb: &str) {
        let before = self.status();
        let times = |id: &str| self.lines("done").filter(|line| line == id).count();
        let ran: Vec<(String, usize)> = before
            .with("ran")
            .into_iter()
            .map(|id| (id.clone(), times(&id)))
            .collect();
        if ran.len() == N_NODES {
            // Killed between the last node and the end of the run.
            let refused = self.ends_with(2, &[verb, "flow.graphml"]);
            assert!(refused.contains("nothing to resume"), "{refused}");
            return;
        }
        self.ends_with(0, &[verb, "flow.graphml"]);
        let after = self.status();
        assert_eq!(after.outcome.as_deref(), Some("succeeded"));
        assert_eq!(after.with("ran").len(), N_NODES, "{:?}", after.nodes);
        assert_eq!(self.ids("done").len(), N_NODES);
        for (id, n) in ran {
            assert_eq!(times(&id), n, "{id} had run and ran again");
        }
    }

    fn handmill(&self, args: &[&str]) -> Command {
        self.within_home(Command::new(env!("CARGO_BIN_EXE_handmill")), args)
    }

    fn within_home(&self, mut command: Command, args: &[&str]) -> Command {
        command
            .args(args)
            .env("HANDMILL_HOME", self.path("home"))
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        command
    }

    #[track_caller]
    fn ends_with(&self, code: i32, args: &[&str]) -> String {
        // A run that waits at the gate would never end.
        let mut limited = Command::new("timeout");
        limited.arg("20").arg(env!("CARGO_BIN_EXE_handmill"));
        let Output {
            status,
            stdout,
            stderr,
        } = self.within_home(limited, args).output().expect("starts");
        let said = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
        assert_eq!(status.code(), Some(code), "{args:?}: {said}");
        said
    }

    fn status(&self) -> Status {
        let text = self.ends_with(0, &["status", "flow.graphml", "--json"]);
        let status: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let word = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        let nodes = status["nodes"].as_array().expect("nodes");
        Status {
            outcome: word(&status["run"]["outcome"]),
            nodes: nodes
                .iter()
                .map(|node| {
                    let id = word(&node["id"]).expect("an id");
                    (id, word(&node["status"]).expect("a status"))
                })
                .collect(),
        }
    }

    fn lines(&self, name: &str) -> impl Iterator<Item = String> {
        let text = fs::read_to_string(self.path(name)).expect("read");
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.into_iter()
    }

    fn ids(&self, name: &str) -> BTreeSet<String> {
        self.lines(name).collect()
    }

    /// Living processes that nodes of this round started, by their environment: id and program.
    fn living(&self, program: Option<&str>) -> BTreeMap<u32, String> {
        let home = format!("HANDMILL_FLOW={}", self.path("flow.graphml").display());
        let mut living = BTreeMap::new();
        for entry in fs::read_dir("/proc").expect("Linux").flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else {
                continue;
            };
            let Some(name) = of_node(&entry.path(), &home) else {
                continue;
            };
            if program.is_none_or(|program| program == name) {
                living.insert(pid, name);
            }
        }
        living
    }
}

impl Drop for Round {
    /// A round that failed leaves nobody at a gate that is gone.
    fn drop(&mut self) {
        for pid in self.living(None).keys() {
            let kill = Command::new("kill").arg("-9").arg(pid.to_string()).status();
            kill.expect("kill of util-linux or the shell");
        }
    }
}

/// The program of a living process that a node of this flow started.
fn of_node(process: &Path, flow: &str) -> Option<String> {
    let environ = fs::read(process.join("environ")).ok()?;
    let has = |what: &str| {
        environ
            .split(|byte| *byte == 0)
            .any(|var| var.starts_with(what.as_bytes()))
    };
    let name = fs::read_to_string(process.join("comm")).ok()?;
    (has(flow) && has("HANDMILL_NODE_RUN=")).then(|| name.trim().to_owned())
}

fn end(child: &mut Child) {
    // SIGKILL; it may have ended by itself.
    child.kill().ok();
    child.wait().expect("waited for");
}
