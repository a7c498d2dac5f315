//! Items 1 to 32 of Data Engine's behaviours, as far as they show at the command line: real processes on real folders,
//! and on trees that Data Engine itself has written. Two homes are two machines.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use handmill::store::{self, ControlText, Home};
use serde_json::Value;

use crate::shared;

/// Far more than anything here takes.
const LIMIT: Duration = Duration::from_secs(60);

/// A takeover after 9 s, and control that outlives a machine that is busy for some.
const SCALE: &str = "10";

const FLOW: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><key id="l" for="node" attr.name="label" attr.type="string"/>
<graph edgedefault="directed"><node id="a"><data key="l">echo hello; echo oops &gt;&amp;2</data></node></graph></graphml>
"#;

/// A workspace called `claims`, and homes beside it.
struct Desk {
    dir: tempfile::TempDir,
    scale: &'static str,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("temp dir");
        let modules = dir.path().join("claims/flow_modules");
        fs::create_dir_all(&modules).expect("made");
        fs::write(modules.join("f.graphml"), FLOW).expect("written");
        for home in ["A", "B"] {
            // The trees are of one day; what they hold is not to grow too old.
            let settings = dir.path().join(home).join("settings.json");
            fs::create_dir_all(settings.parent().expect("a folder")).expect("made");
            fs::write(settings, r#"{"version":1,"retention_days":0}"#).expect("written");
        }
        Self { dir, scale: SCALE }
    }

    /// With a state folder that Data Engine has written.
    fn of(tree: &str) -> Option<Self> {
        let archive = shared::shared_dir()?.join(format!("fixtures/data-engine/{tree}.tar.gz"));
        let desk = Self::new();
        let status = Command::new("tar")
            .args(["xzf".as_ref(), archive.as_os_str(), "-C".as_ref()])
            .arg(desk.dir.path())
            .status();
        assert!(status.expect("tar runs").success());
        let to = desk.workspace().join(".workspace_state");
        fs::rename(desk.dir.path().join(tree), to).expect("renamed");
        Some(desk)
    }

    /// What a machine does when it is asked for control and nobody says anything.
    fn policy(&self, home: &str, text: &str) {
        let home = Home::at(self.dir.path().join(home));
        let workspace = store::workspace_id(&self.workspace().canonicalize().expect("there"));
        store::write_control(&home, &workspace, ControlText::Policy, text.as_bytes())
            .expect("written");
    }

    fn workspace(&self) -> PathBuf {
        self.dir.path().join("claims")
    }

    fn state(&self, path: &str) -> PathBuf {
        self.workspace().join(".workspace_state").join(path)
    }

    fn command(&self, home: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handmill"));
        command
            .args(args)
            .current_dir(self.dir.path())
            .env("HANDMILL_HOME", self.dir.path().join(home))
            .env("HANDMILL_CONTROL_SCALE", self.scale);
        command
    }

    fn run(&self, home: &str, args: &[&str]) -> (Option<i32>, String, String) {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command(home, args).output().expect("runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (status.code(), text(stdout), text(stderr))
    }

    fn status(&self, home: &str) -> Value {
        let (code, out, err) = self.run(home, &["control", "status", "claims", "--json"]);
        assert_eq!(code, Some(0), "{err}");
        serde_json::from_str(&out).expect("JSON")
    }

    fn runs(&self, home: &str) -> Vec<Value> {
        let args = ["history", "claims", "--json", "-n", "20000"];
        let (code, out, err) = self.run(home, &args);
        assert_eq!(code, Some(0), "{err}");
        let page: Value = serde_json::from_str(&out).expect("JSON");
        page["runs"].as_array().expect("a list").clone()
    }

    /// Keeps control in a process of its own until it is told to end.
    fn keep(&self, home: &str, verb: &str) -> Kept {
        let args = ["control", verb, "claims", "--json", "--wait", "40"];
        let mut command = self.command(home, &args);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        Kept { child, lines }
    }

    fn until(&self, home: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + LIMIT;
        loop {
            let status = self.status(home);
            if is_so(&status) {
                return status;
            }
            assert!(Instant::now() < end, "never {what}: {status}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A `control request` or `take-over` under way.
struct Kept {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Kept {
    /// Reads states until one is this.
    fn until(&mut self, stand: &str) -> Value {
        loop {
            let mut line = String::new();
            let n = self.lines.read_line(&mut line).expect("a line");
            assert!(n > 0, "ended before {stand}");
            let status: Value = serde_json::from_str(&line).expect("JSON");
            if status["stand"] == stand {
                return status;
            }
        }
    }

    /// Ends it politely; its exit code.
    fn end(&mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .expect("kill runs");
        self.child.wait().expect("ends").code()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn item_1_a_look_at_a_fresh_tree_finds_nobody_and_changes_nothing() {
    let Some(desk) = Desk::of("01-available-fresh") else {
        return;
    };
    let status = desk.status("A");
    assert_eq!(status["stand"], "free");
    assert_eq!(status["requests"], Value::Array(Vec::new()));
    assert_eq!(desk.runs("A"), Vec::<Value>::new());
    assert!(!desk.state("epochs").exists() && !desk.state("fs.json").exists());
}

#[test]
fn items_2_and_6_another_owner_is_named_and_nothing_starts() {
    let Some(mut desk) = Desk::of("03-leased-fresh-with-snapshots") else {
        return;
    };
    desk.scale = "1";
    let status = desk.status("B");
    // Item 21: the silence begins with our first look, whatever its clock says.
    assert_eq!(
        status["text"],
        "wsA has control · takeover available in 90s"
    );
    assert_eq!(status["owner"]["is_older_program"], true);
    let (code, _, err) = desk.run("B", &["run", "claims/flow_modules/f.graphml"]);
    assert_eq!(code, Some(2), "{err}");
    assert!(
        err.contains("wsA currently has control of this workspace."),
        "{err}"
    );
    assert_eq!(
        desk.runs("B")
            .iter()
            .filter(|run| run["flow"] == "flow_modules/f.graphml")
            .count(),
        0
    );
}

#[test]
fn items_3_4_7_and_22_the_seeds_workspace_is_watched_and_taken_over_with_its_history() {
    let Some(desk) = Desk::of("06-leased-stale") else {
        return;
    };
    let mut kept = desk.keep("B", "take-over");
    let available = kept.until("watching");
    assert!(
        available["text"]
            .as_str()
            .expect("text")
            .contains("takeover available in")
    );
    kept.until("owner");
    let runs = desk.runs("B");
    assert_eq!(runs.len(), 14);
    let ended = |word: &str| runs.iter().filter(|run| run["outcome"] == word).count();
    assert_eq!((ended("succeeded"), ended("failed")), (12, 2));
    assert!(runs.iter().all(|run| run["ran_on"] == "wsA"), "{runs:?}");
    // What it said is given on: its own programs and another Handmill find the same rows.
    let quarantined = fs::read_dir(desk.state("stale")).expect("list").count();
    assert_eq!(quarantined, 1);
    assert_eq!(kept.end(), Some(0));
    desk.until("A", "free", |status| status["stand"] == "free");
    let mut other = desk.keep("A", "request");
    other.until("owner");
    assert_eq!(desk.runs("A").len(), 14);
    assert_eq!(other.end(), Some(0));
}

#[test]
fn items_12_and_14_what_data_engine_0_5_left_is_imported_once_it_is_released() {
    let Some(desk) = Desk::of("v2-03-leased-fresh-with-snapshots") else {
        return;
    };
    // Item 13: while it is held there, nobody else claims it or takes it apart.
    assert_eq!(desk.status("A")["stand"], "refused");
    for verb in ["import", "request"] {
        let (code, _, err) = desk.run("A", &["control", verb, "claims"]);
        assert_eq!(code, Some(1), "{err}");
        assert!(err.contains("Data Engine 0.5 has control"), "{verb}: {err}");
    }
    // As its owner leaves it at a release.
    let leased = fs::read_dir(desk.state("leased")).expect("list").next();
    let bundle = leased.expect("one").expect("entry").path();
    fs::rename(bundle, desk.state("available/claims")).expect("renamed");
    let status = desk.status("A");
    let blocked = status["blocked"].as_str().expect("why");
    assert!(blocked.contains("take the workspace over"), "{blocked}");
    let (code, out, err) = desk.run("A", &["control", "import", "claims"]);
    assert_eq!(
        (code, out.as_str()),
        (Some(0), "taken over · 10 runs · 20 steps\n"),
        "{err}"
    );
    let runs = desk.runs("A");
    assert_eq!(runs.len(), 10);
    assert!(runs.iter().all(|run| run["ran_on"] == "Data Engine 0.5"));
    assert_eq!(desk.status("A")["stand"], "free");
    let (code, _, err) = desk.run("A", &["control", "import", "claims"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("no state of Data Engine 0.5"), "{err}");
    let (code, _, err) = desk.run("A", &["run", "-q", "claims/flow_modules/f.graphml"]);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(desk.runs("A").len(), 11);
}

#[test]
fn item_15_a_lease_that_cannot_be_read_is_refused_with_its_reason() {
    let Some(mut desk) = Desk::of("03-leased-fresh-with-snapshots") else {
        return;
    };
    desk.scale = "1";
    fs::write(desk.state("leases/claims.parquet"), b"").expect("written");
    let status = desk.status("A");
    assert_ne!(status["stand"], "free");
    let banners = status["banners"].to_string();
    assert!(banners.contains("The lease cannot be read"), "{banners}");
    let (code, _, err) = desk.run("A", &["run", "claims/flow_modules/f.graphml"]);
    assert_eq!(code, Some(2), "{err}");
}

#[test]
fn item_23_a_request_that_is_not_granted_in_time_is_taken_back() {
    let desk = Desk::new();
    // Nobody answers in the owner's place.
    desk.policy("A", r#"{"answer":"Wait"}"#);
    let mut owner = desk.keep("A", "request");
    owner.until("owner");
    let (code, _, err) = desk.run("B", &["control", "request", "claims", "--wait", "1"]);
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("not gained within 1 s"), "{err}");
    desk.until("A", "no request", |status| {
        status["requests"] == Value::Array(Vec::new())
    });
    let status = desk.status("A");
    assert_eq!(status["has_control"], true, "{status}");
    // And one that its owner refuses says so.
    let mut asking = desk.command("B", &["control", "request", "claims", "--wait", "40"]);
    let mut asking = asking
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("starts");
    // Who answers refuses the request that is shown, and that may be the first one still, seen by a look that was late.
    let mut n_refused = 0;
    while asking.try_wait().expect("asked").is_none() {
        if desk.status("A")["requests"][0]["host"].is_string() {
            let (code, _, _) = desk.run("A", &["control", "deny", "claims"]);
            n_refused += u32::from(code == Some(0));
        }
    }
    assert!(n_refused > 0);
    let denied = asking.wait_with_output().expect("ends");
    assert_eq!(denied.status.code(), Some(1));
    let said = String::from_utf8_lossy(&denied.stderr);
    assert!(said.contains("keeps control"), "{said}");
    assert_eq!(owner.end(), Some(0));
}

#[test]
fn items_24_and_25_control_that_is_handed_over_takes_its_request_and_history_along() {
    let desk = Desk::new();
    let (code, _, err) = desk.run("A", &["run", "-q", "claims/flow_modules/f.graphml"]);
    assert_eq!(code, Some(0), "{err}");
    desk.policy("A", r#"{"answer":"Wait"}"#);
    let mut a = desk.keep("A", "request");
    a.until("owner");
    let mut b = desk.keep("B", "request");
    desk.until("A", "asked", |status| {
        status["requests"][0]["host"].is_string()
    });
    let (code, _, err) = desk.run("A", &["control", "hand-over", "claims", "--when", "now"]);
    assert_eq!(code, Some(0), "{err}");
    b.until("owner");
    assert_eq!(
        a.child.wait().expect("ends").code(),
        Some(0),
        "it was handed over"
    );
    let requests = desk.state("requests/claims");
    let end = Instant::now() + LIMIT;
    while fs::read_dir(&requests).expect("list").count() > 0 {
        assert!(Instant::now() < end, "the request stays");
        std::thread::sleep(Duration::from_millis(50));
    }
    // What ran on A is known to B, with the end of its log.
    let runs = desk.runs("B");
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert!(runs[0]["ran_on"].is_string());
    let (code, out, err) = desk.run("B", &["logs", "claims/flow_modules/f.graphml", "a"]);
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (Some(0), "hello\n", "oops\n")
    );
    // A second process of B's machine gives it up in the first one's place.
    let (code, _, err) = desk.run("B", &["control", "release", "claims", "--when", "now"]);
    assert_eq!(code, Some(0), "{err}");
    desk.until("A", "free", |status| status["stand"] == "free");
    b.end();
}

#[test]
fn item_25_an_idle_owner_hands_over_long_before_its_policy_and_a_running_one_does_not() {
    let mut desk = Desk::new();
    // The policy answers after 30 s; who has not acted for 5 s is idle.
    desk.scale = "2";
    let flow = desk.workspace().join("flow_modules/f.graphml");
    let patient = "touch begun; until test -e go; do sleep 0.05; done";
    fs::write(&flow, FLOW.replace("echo hello", patient)).expect("written");
    let mut a = desk.keep("A", "request");
    a.until("owner");
    let mut run = desk.command("A", &["run", "-q", "claims/flow_modules/f.graphml"]);
    let mut run = run.spawn().expect("starts");
    desk.until("A", "running", |_| desk.workspace().join("begun").exists());
    let (code, _, err) = desk.run("B", &["control", "request", "claims", "--wait", "8"]);
    assert_eq!(code, Some(1), "{err}");
    assert_eq!(desk.status("A")["has_control"], true);
    fs::write(desk.workspace().join("go"), "").expect("written");
    assert!(run.wait().expect("ends").success());
    let args = ["control", "request", "claims", "--json", "--wait", "28"];
    let mut b = desk.command("B", &args);
    let mut child = b.stdout(Stdio::piped()).spawn().expect("starts");
    let lines = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut b = Kept { child, lines };
    b.until("owner");
    assert_eq!(a.child.wait().expect("ends").code(), Some(0), "handed over");
    assert_eq!(b.end(), Some(0));
}

#[test]
fn who_had_control_can_be_read_afterwards_on_both_machines() {
    let desk = Desk::new();
    assert_eq!(
        desk.run("A", &["control", "log", "claims"]).1,
        "nothing recorded on this machine\n"
    );
    let mut a = desk.keep("A", "request");
    a.until("owner");
    let mut b = desk.keep("B", "request");
    b.until("owner");
    a.child.wait().expect("ends");
    assert_eq!(b.end(), Some(0));
    let told = |home: &str| -> Vec<(String, u64)> {
        let (code, out, err) = desk.run(home, &["control", "log", "claims", "--json"]);
        assert_eq!(code, Some(0), "{err}");
        let facts = out
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let mut facts: Vec<_> = facts
            .filter(|fact| fact["epoch"].is_u64())
            .map(|fact| {
                let what = fact["what"].as_str().expect("a word").to_owned();
                (what, fact["epoch"].as_u64().expect("a number"))
            })
            .collect();
        facts.reverse();
        facts
    };
    let at = |home: &str, what: &str, epoch: u64| {
        let all = told(home);
        let found = all
            .iter()
            .position(|(word, number)| word == what && *number == epoch);
        found.unwrap_or_else(|| panic!("{what} {epoch} is not in {all:?}"))
    };
    assert!(at("A", "claimed", 1) < at("A", "handed over", 1));
    assert!(at("B", "elsewhere", 1) < at("B", "claimed", 2));
    assert!(at("B", "claimed", 2) < at("B", "released", 2));
    let (_, out, _) = desk.run("A", &["control", "log", "claims"]);
    assert!(
        out.contains("this machine took control · epoch 1\n"),
        "{out}"
    );
    assert!(out.contains("asked for control\n"), "{out}");
}

#[test]
fn what_makes_no_sense_is_refused_in_one_sentence() {
    let desk = Desk::new();
    let (code, _, err) = desk.run("A", &["control", "status", "nowhere"]);
    assert_eq!(
        (code, err.contains("no such workspace")),
        (Some(2), true),
        "{err}"
    );
    fs::create_dir(desk.dir.path().join("plain")).expect("made");
    let (code, _, err) = desk.run("A", &["control", "status", "plain"]);
    assert_eq!(
        (code, err.contains("nobody shares")),
        (Some(2), true),
        "{err}"
    );
    for verb in ["release", "deny", "hand-over"] {
        let (code, _, err) = desk.run("A", &["control", verb, "claims"]);
        assert_eq!(
            (code, err.contains("No Handmill of this machine")),
            (Some(1), true),
            "{err}"
        );
    }
    let (code, _, err) = desk.run("A", &["control", "take-over", "claims", "--wait", "0"]);
    assert_eq!(code, Some(2), "{err}");
}
