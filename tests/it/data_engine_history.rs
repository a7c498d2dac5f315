//! Behaviours of the program that Handmill follows on, by the number they have in its list: history, retention,
//! durations and what a log shows. Through the command line and the runtime, on real files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use handmill::ledger::Ledger;
use handmill::model::{
    Choice, Counts, Event, Flow, FlowRef, HistoryFilter, Node, NodeIdx, Outcome, Point, RunId,
    RunStart, Timestamp, human_duration,
};
use handmill::runtime::{
    Board, CompareAsk, Config, HISTORY_MAX, HistoryAsk, Manner, Order, Runtime, RuntimeHandle,
};
use handmill::store::{self, Home};
use rusqlite::Connection;
use serde_json::Value;

/// For what surely comes; only a failure takes as long.
const LIMIT: Duration = Duration::from_secs(30);

/// A folder with a flow, and a home.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new(commands: &[(&str, &str)]) -> Self {
        let place = Self {
            dir: tempfile::tempdir().expect("a folder"),
        };
        place.draw(commands);
        place
    }

    fn draw(&self, commands: &[(&str, &str)]) {
        let mut flow = Flow::default();
        for (name, command) in commands {
            let node = Node::new(*name, *command, Point::default());
            flow.graph.add_node(node).expect("names differ");
        }
        let path = self.workfile();
        // A new file each time: what stands in the old one is not to be kept.
        drop(fs::remove_file(&path));
        store::save(&path, &flow, None).expect("saved");
    }

    fn workfile(&self) -> PathBuf {
        self.dir.path().join("flow.graphml")
    }

    fn flow(&self) -> FlowRef {
        store::locate(&self.workfile()).expect("located")
    }

    fn home(&self) -> Home {
        Home::at(self.dir.path().join("home"))
    }

    fn workspace_dir(&self) -> PathBuf {
        self.home().workspace_dir(&self.flow().workspace)
    }

    fn handmill(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_handmill"))
            .args(args)
            .env("HANDMILL_HOME", self.dir.path().join("home"))
            .env("TZ", "UTC")
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .output()
            .expect("starts");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let (out, err) = (text(output.stdout), text(output.stderr));
        assert!(!err.contains("panicked"), "{err}");
        (output.status.code(), out, err)
    }

    fn json(&self, args: &[&str]) -> Value {
        let (code, out, err) = self.handmill(args);
        assert_eq!(code, Some(0), "{out}{err}");
        serde_json::from_str(&out).unwrap_or_else(|why| panic!("{why}: {out}"))
    }

    fn history(&self) -> Vec<String> {
        let listed = self.json(&["history", "flow.graphml", "--json"]);
        let runs = listed["runs"].as_array().expect("runs").iter();
        runs.map(|run| run["id"].as_str().expect("an id").to_owned())
            .collect()
    }

    fn ledger(&self) -> Connection {
        Connection::open(self.workspace_dir().join("ledger.sqlite")).expect("opens")
    }

    /// Makes every run so far older.
    fn age(&self, days: i64) {
        let by = days * 24 * 60 * 60 * 1_000_000;
        self.ledger()
            .execute(
                "UPDATE runs SET started = started - ?1, ended = ended - ?1",
                [by],
            )
            .expect("aged");
    }

    fn log_folders(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.workspace_dir().join("logs"))
            .expect("logs")
            .map(|entry| {
                let entry = entry.expect("listed");
                entry.file_name().into_string().expect("UTF-8")
            })
            .collect();
        names.sort();
        names
    }

    fn count(&self, table: &str) -> i64 {
        self.ledger()
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                row.get(0)
            })
            .expect("counts")
    }
}

#[test]
fn item_43_old_runs_their_nodes_and_logs_go_when_a_run_finishes() {
    let place = Place::new(&[("a", "echo a"), ("b", "echo b")]);
    for _ in 0..3 {
        assert_eq!(
            place.handmill(&["run", "flow.graphml", "--full"]).0,
            Some(0)
        );
    }
    let old = place.history();
    place.age(8);
    // Nothing finished since: a look changes nothing.
    assert_eq!(place.history(), old);
    let dry = place.json(&["history", "flow.graphml", "--prune", "--dry-run", "--json"]);
    assert_eq!(dry["runs"].as_array().map(Vec::len), Some(2), "{dry}");
    assert_eq!(place.history(), old);
    place.handmill(&["history", "flow.graphml", "--pin", &old[2]]);

    assert_eq!(
        place.handmill(&["run", "flow.graphml", "--full"]).0,
        Some(0)
    );
    let left = place.history();
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(left[1], old[2], "the pinned one stays");
    let mut expected = left.clone();
    expected.sort();
    assert_eq!(place.log_folders(), expected);
    assert_eq!(place.count("runs"), 2);
    assert_eq!(place.count("node_runs"), 4);
    // What stands of each node comes from the last run.
    let status = place.json(&["status", "flow.graphml", "--json"]);
    assert_eq!(status["nodes"][0]["status"], "ran");
}

#[test]
fn item_43_how_long_is_a_setting() {
    let place = Place::new(&[("a", "true")]);
    for _ in 0..2 {
        place.handmill(&["run", "flow.graphml", "--full"]);
    }
    place.age(20);
    let settings = place.home().settings_file();
    fs::write(&settings, r#"{"version": 1, "retention_days": 30}"#).expect("written");
    place.handmill(&["run", "flow.graphml", "--full"]);
    assert_eq!(place.history().len(), 3);
    fs::write(&settings, r#"{"version": 1, "retention_days": 0}"#).expect("written");
    place.age(400);
    place.handmill(&["run", "flow.graphml", "--full"]);
    assert_eq!(place.history().len(), 4);
    fs::write(&settings, r#"{"version": 1, "retention_days": 10}"#).expect("written");
    place.handmill(&["run", "flow.graphml", "--full"]);
    assert_eq!(place.history().len(), 2, "the two of today");
}

#[test]
fn logs_beyond_the_bound_go_and_their_runs_say_so() {
    let place = Place::new(&[("a", "head -c 3000 /dev/zero | tr '\\0' x")]);
    for _ in 0..3 {
        place.handmill(&["run", "flow.graphml", "--full"]);
    }
    fs::write(
        place.home().settings_file(),
        r#"{"version": 1, "log_bytes_max": 4000}"#,
    )
    .expect("written");
    let (code, out, _) = place.handmill(&["history", "flow.graphml", "--prune"]);
    assert_eq!(code, Some(0));
    assert!(
        out.contains("0 runs and the logs of 2 more removed"),
        "{out}"
    );
    let runs = place.history();
    assert_eq!(runs.len(), 3, "all are listed");
    assert_eq!(place.log_folders(), [runs[0].clone()]);
    let (code, _, err) = place.handmill(&["logs", "flow.graphml", "--run", &runs[2]]);
    assert_eq!(code, Some(2));
    assert!(err.contains("was removed by retention"), "{err}");
    assert_eq!(place.handmill(&["logs", "flow.graphml", "a"]).1.len(), 3000);
}

#[test]
fn a_log_folder_of_a_run_that_nobody_knows_goes_only_when_it_is_old() {
    let place = Place::new(&[("a", "true")]);
    place.handmill(&["run", "flow.graphml"]);
    let logs = place.workspace_dir().join("logs");
    for name in ["unknown-new", "unknown-old", ".removed-x"] {
        fs::create_dir(logs.join(name)).expect("made");
        fs::write(logs.join(name).join("00000.1.1.out"), "x").expect("written");
    }
    let touched = Command::new("touch")
        .args(["-d", "2020-01-01"])
        .arg(logs.join("unknown-old"))
        .status();
    assert!(touched.expect("touch of coreutils").success());
    place.handmill(&["history", "flow.graphml", "--prune"]);
    let left = place.log_folders();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left.contains(&"unknown-new".to_owned()), "{left:?}");
}

#[test]
fn item_61_a_run_that_a_dead_process_left_open_is_ended_with_a_word_about_it() {
    let place = Place::new(&[("a", "true"), ("b", "true")]);
    place.handmill(&["run", "flow.graphml"]);
    // As a kill -9 in the middle of `b` leaves it.
    place
        .ledger()
        .execute_batch(
            "UPDATE runs SET ended = NULL, outcome = NULL;
             UPDATE node_runs SET status = 'running', ended = NULL, ended_seq = NULL, exit = NULL
             WHERE idx = 1;",
        )
        .expect("as after a crash");
    for run in place.log_folders() {
        let exits = place.workspace_dir().join("logs").join(run).join("exits");
        fs::remove_file(exits).expect("who waited for `b` died too");
    }
    let listed = place.json(&["history", "flow.graphml", "--json"]);
    let run = &listed["runs"][0];
    assert_eq!(run["outcome"], "interrupted");
    assert_eq!(run["note"], "Recovered after a restart of Handmill.");
    let status = place.json(&["status", "flow.graphml", "--json"]);
    let words: Vec<&str> = status["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|node| node["status"].as_str().expect("a word"))
        .collect();
    assert_eq!(words, ["ran", "interrupted"]);
    // And is not settled a second time.
    let again = place.json(&["history", "flow.graphml", "--json"]);
    assert_eq!(again, listed);
}

#[test]
fn item_63_durations_read_as_a_person_says_them() {
    let cases = [
        (0.0005, "<1ms"),
        (0.25, "250ms"),
        (1.29, "1.2s"),
        (90.0, "1.5m"),
        (4000.0, "1.1h"),
    ];
    for (seconds, text) in cases {
        assert_eq!(human_duration(Duration::from_secs_f64(seconds)), text);
    }
}

/// A runtime with a face that looks at boards.
struct Face {
    runtime: Option<Runtime>,
    handle: RuntimeHandle,
    woken: Receiver<()>,
}

impl Face {
    fn new(place: &Place, slots: u32) -> Self {
        let (wake, woken) = channel();
        let wake = std::sync::Mutex::new(wake);
        let runtime = Runtime::start(Config {
            home: place.home(),
            face: "window",
            manner: Manner {
                slots: Some(slots),
                ..Manner::default()
            },
            processes: handmill::runtime::Processes::Own,
            control: crate::support::control(),
            wake: Some(Box::new(move || {
                wake.lock().expect("no poison").send(()).ok();
            })),
            events: None,
        })
        .expect("starts");
        let face = Self {
            handle: runtime.handle(),
            runtime: Some(runtime),
            woken,
        };
        face.handle.send(Order::OpenFlow {
            flow: place.flow(),
            frozen: Arc::new(store::load(&place.workfile()).expect("read").flow),
            results: Arc::default(),
        });
        face.until("the flow is loaded", |board| {
            board.flow(&place.flow()).is_some_and(|flow| flow.loaded)
        });
        face
    }

    fn until(&self, what: &str, is: impl Fn(&Board) -> bool) -> Arc<Board> {
        loop {
            let board = self.handle.board();
            if is(&board) {
                return board;
            }
            if self.woken.recv_timeout(LIMIT).is_err() {
                panic!("{what}: never");
            }
        }
    }
}

impl Drop for Face {
    fn drop(&mut self) {
        self.handle.send(Order::ShutDown);
        self.runtime.take().expect("once").join();
    }
}

/// Records runs of no nodes, an hour apart; the last one ended now.
fn record(place: &Place, n: usize) {
    let path = place.workspace_dir().join("ledger.sqlite");
    let ledger = Ledger::open(&path, Timestamp(0), |notice| panic!("{notice:?}")).expect("opens");
    let now = handmill::runtime::now();
    for n_th in 0..n {
        let run = RunId::new(format!("r{n_th:03}"));
        let back = i64::try_from(n - n_th).expect("few") * 3_600_000_000;
        ledger.record(Event::RunStarted(Box::new(RunStart {
            run: run.clone(),
            flow: place.flow(),
            frozen: Arc::default(),
            choice: Choice::Full,
            resumes: None,
            subset: Arc::new([]),
            kept: Arc::new([]),
            marks: [].into(),
            triggers: [].into(),
            at: Timestamp(now.0 - back),
        })));
        ledger.record(Event::RunFinished {
            run,
            outcome: Outcome::Succeeded,
            counts: Counts::default(),
            skipped: Arc::<[NodeIdx]>::from([]),
            at: Timestamp(now.0 - back + 1),
        });
    }
    ledger.flush().expect("on disk");
}

#[test]
fn item_64_the_newest_50_are_shown_and_more_on_demand() {
    let place = Place::new(&[("a", "true")]);
    fs::create_dir_all(place.workspace_dir()).expect("made");
    record(&place, 60);
    let face = Face::new(&place, 1);
    let board = face.handle.board();
    let flow = board.flow(&place.flow()).expect("open");
    assert_eq!(flow.history.len(), HISTORY_MAX);
    assert_eq!(HISTORY_MAX, 50);
    // Newest first: a list of runs is read from the top, a log from its end.
    assert_eq!(flow.history[0].id.as_str(), "r059");
    assert_eq!(flow.history[49].id.as_str(), "r010");

    let ask = |n| HistoryAsk {
        flow: place.flow(),
        filter: HistoryFilter::default(),
        n,
    };
    let shown = |n: usize| {
        face.handle.send(Order::ShowHistory(Some(ask(n))));
        let board = face.until("the page came", |board| {
            board
                .history
                .as_ref()
                .is_some_and(|shown| shown.ask == ask(n))
        });
        board.history.clone().expect("a page")
    };
    let page = shown(50);
    assert!(page.page.more && page.page.runs.len() == 50);
    let page = shown(100);
    assert_eq!(page.page.runs.len(), 60);
    assert!(!page.page.more);
    let ids: Vec<&str> = page
        .page
        .runs
        .iter()
        .map(|r| r.summary.id.as_str())
        .collect();
    let expected: Vec<String> = (0..60).rev().map(|n| format!("r{n:03}")).collect();
    assert_eq!(ids, expected);

    // What begins and ends meanwhile comes to the top by itself.
    face.handle.send(Order::StartRun {
        flow: place.flow(),
        frozen: Arc::new(store::load(&place.workfile()).expect("read").flow),
        choice: Choice::Full,
        jobs_max: None,
    });
    let board = face.until("the new run is listed", |board| {
        board.history.as_ref().is_some_and(|shown| {
            let newest = &shown.page.runs[0].summary;
            shown.page.runs.len() == 61 && newest.outcome == Some(Outcome::Succeeded)
        })
    });
    let newest = board.history.as_ref().expect("a page").page.runs[0]
        .summary
        .id
        .clone();

    // Two of them beside each other.
    let pair = CompareAsk {
        flow: place.flow(),
        a: "r059".into(),
        b: newest,
    };
    face.handle.send(Order::Compare(Some(pair.clone())));
    let board = face.until("they are compared", |board| board.comparison.is_some());
    let shown = board.comparison.clone().expect("a comparison");
    assert_eq!(shown.ask, pair);
    let comparison = shown.result.as_ref().expect("both are known");
    let only_in_b = comparison.nodes.iter().filter(|node| node.a.is_none());
    assert_eq!(only_in_b.count(), 1);
    assert!(comparison.nodes.iter().all(|node| node.b.is_some()));

    // Nobody looks any more: the board lets go.
    face.handle.send(Order::ShowHistory(None));
    face.handle.send(Order::Compare(None));
    face.until("it is dropped", |board| {
        board.history.is_none() && board.comparison.is_none()
    });
}

#[test]
fn what_is_searched_is_found_and_an_older_question_is_not_answered() {
    let place = Place::new(&[("fetch", "echo from-the-moon")]);
    place.handmill(&["run", "flow.graphml", "--full"]);
    place.draw(&[("fetch", "echo from-mars")]);
    place.handmill(&["run", "flow.graphml", "--full"]);
    let face = Face::new(&place, 1);
    let ask = |text: &str| {
        Some(HistoryAsk {
            flow: place.flow(),
            filter: HistoryFilter {
                text: text.to_owned(),
                ..HistoryFilter::default()
            },
            n: 50,
        })
    };
    for text in ["m", "mo", "moo", "MOON"] {
        face.handle.send(Order::ShowHistory(ask(text)));
    }
    let board = face.until("the last question is answered", |board| {
        board.history.as_ref().map(|shown| shown.ask.clone()) == ask("MOON")
    });
    assert_eq!(board.history.as_ref().expect("a page").page.runs.len(), 1);
}

#[test]
fn item_66_nodes_that_run_at_once_are_counted() {
    let gate = "cat gate";
    let place = Place::new(&[("a", gate), ("b", gate), ("c", gate), ("d", "true")]);
    let made = Command::new("mkfifo")
        .arg(place.dir.path().join("gate"))
        .status();
    assert!(made.expect("mkfifo of coreutils").success());
    let face = Face::new(&place, 4);
    face.handle.send(Order::StartRun {
        flow: place.flow(),
        frozen: Arc::new(store::load(&place.workfile()).expect("read").flow),
        choice: Choice::Full,
        jobs_max: None,
    });
    let n_active = |board: &Board| board.flow(&place.flow()).map_or(0, |flow| flow.n_active());
    face.until("three are active, and `d` no longer", |board| {
        let ran = board.flow(&place.flow()).and_then(|flow| flow.live.clone());
        n_active(board) == 3 && ran.is_some_and(|run| run.counts.ran == 1)
    });
    face.handle.send(Order::Stop {
        flow: place.flow(),
        nodes: None,
        at_once: true,
    });
    face.until("the run is over", |board| {
        board
            .flow(&place.flow())
            .is_some_and(|flow| flow.live.is_none())
    });
    assert_eq!(n_active(&face.handle.board()), 0);
}

#[test]
fn a_comparison_reads_well_and_names_what_changed() {
    let place = Place::new(&[("cover", "paint blu"), ("text", "true"), ("old", "true")]);
    assert_eq!(place.handmill(&["run", "flow.graphml"]).0, Some(1));
    place.draw(&[("cover", "echo blue"), ("text", "true"), ("new", "true")]);
    assert_eq!(
        place.handmill(&["run", "flow.graphml", "--full"]).0,
        Some(0)
    );
    let (code, out, err) = place.handmill(&["compare", "flow.graphml", "prev"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    for part in [
        "3 of 4 nodes differ",
        "failed → ran",
        "exit 127 → exit 0",
        "- paint blu",
        "+ echo blue",
        "absent → ran",
        "ran → absent",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let json = place.json(&["compare", "flow.graphml", "prev", "last", "--json"]);
    assert_eq!(json["n_changed"], 3);
    assert_eq!(json["nodes"][0]["id"], "cover");
    let (code, _, err) = place.handmill(&["compare", "flow.graphml", "last"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("both are run"), "{err}");
    let (code, _, err) = place.handmill(&["compare", "flow.graphml", "nonsense"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("not in the history of this flow"), "{err}");
}

#[test]
fn the_history_is_a_table_that_fits_a_terminal() {
    let place = Place::new(&[("a", "true"), ("b", "false")]);
    let (_, out, _) = place.handmill(&["history", "flow.graphml"]);
    assert_eq!(out, "never run\n");
    place.handmill(&["run", "flow.graphml"]);
    place.handmill(&["run", "flow.graphml", "--nodes", "a"]);
    let (code, out, _) = place.handmill(&["history", "flow.graphml"]);
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2, "{out}");
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{out}");
    assert!(
        lines[0].contains("succeeded") && lines[0].contains("selection, 1 node"),
        "{out}"
    );
    assert!(lines[1].contains("1 of 2 failed"), "{out}");
    let (_, failed, _) = place.handmill(&["history", "flow.graphml", "--failed"]);
    assert_eq!(failed.lines().collect::<Vec<_>>(), lines[1..]);
    let (_, none, _) = place.handmill(&["history", "flow.graphml", "--until", "2020-01-01"]);
    assert_eq!(none, "no such run\n");
    let (code, _, err) = place.handmill(&["history", "flow.graphml", "--since", "soon"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("‘soon’ is no time"), "{err}");
    assert!(Path::new(&place.workfile()).exists());
}
