//! The command line as a person or a script meets it: exit codes, what is said, what is chosen, who
//! may run, how it is stopped, and what hostile input gets.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;

/// For what surely comes; only a failure takes as long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder for flows, which is their working folder, and a home beside it.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("make a folder");
        fs::create_dir(dir.path().join("flows")).expect("make a folder");
        Self(dir)
    }

    fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join("flows").join(name)
    }

    /// Writes a flow of nodes (id, title, command) and blocking edges.
    fn flow(&self, name: &str, nodes: &[(&str, &str, &str)], edges: &[(&str, &str)]) {
        fs::write(self.path(name), workfile(nodes, edges)).expect("write a flow");
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handmill"));
        command
            .args(args)
            .env("HANDMILL_HOME", self.home())
            .current_dir(self.path(""))
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Said {
        Said::from(self.command(args).output().expect("start handmill"))
    }

    fn start(&self, args: &[&str]) -> Live {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Live(Some(command.spawn().expect("start handmill")))
    }

    /// Waits until a node has written a file, and gives what it wrote.
    fn wait_for(&self, name: &str) -> String {
        let start = Instant::now();
        loop {
            match fs::read_to_string(self.path(name)) {
                Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
                _ => assert!(start.elapsed() < PATIENCE, "{name} was never written"),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn workfile(nodes: &[(&str, &str, &str)], edges: &[(&str, &str)]) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let mut text = String::from(
        r#"<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><key id="c" for="node" attr.name="label" attr.type="string"/><key id="t" for="node" attr.name="title" attr.type="string"/><graph edgedefault="directed">"#,
    );
    for (id, title, command) in nodes {
        text += &format!(
            "<node id=\"{id}\"><data key=\"t\">{}</data><data key=\"c\">{}</data></node>\n",
            escape(title),
            escape(command)
        );
    }
    for (from, to) in edges {
        text += &format!("<edge source=\"{from}\" target=\"{to}\"/>\n");
    }
    text + "</graph></graphml>\n"
}

/// What one command said and how it ended.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = Self {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        };
        assert!(!said.err.contains("panicked"), "{said:?}");
        said
    }
}

impl Said {
    /// Each line of standard output as an object.
    fn objects(&self) -> Vec<Value> {
        let objects: Vec<Value> = self
            .out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}")))
            .collect();
        assert!(objects.iter().all(Value::is_object), "{self:?}");
        objects
    }

    /// Ids of the nodes that ran, in order of their names.
    fn ran(&self) -> Vec<String> {
        let finished = |event: &&Value| event["event"] == "node_finished";
        let id = |event: &Value| event["node"]["id"].as_str().expect("an id").to_owned();
        let mut ids: Vec<String> = self.objects().iter().filter(finished).map(id).collect();
        ids.sort();
        ids
    }

    /// Refused, with one line that says why.
    fn refused(&self) -> &str {
        assert_eq!(self.code, Some(2), "{self:?}");
        let (last, before) = self
            .err
            .lines()
            .rev()
            .partition::<Vec<_>, _>(|line| line.starts_with("handmill: "));
        assert_eq!(last.len(), 1, "one sentence: {self:?}");
        assert!(
            before.iter().all(|line| line.starts_with("warning: ")),
            "{self:?}"
        );
        last[0]
    }
}

/// A command under way; killed when a test fails before its end.
struct Live(Option<Child>);

impl Live {
    fn pid(&self) -> Pid {
        Pid::from_child(self.0.as_ref().expect("alive"))
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("signal");
    }

    fn end(mut self) -> Said {
        let child = self.0.take().expect("alive");
        Said::from(child.wait_with_output().expect("wait"))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// True while a process runs; one that has ended and waits to be reaped does not.
fn is_alive(pid: &str) -> bool {
    let ps = Command::new("ps").args(["-o", "stat=", "-p", pid]).output();
    let state = ps.expect("ps").stdout;
    !state.is_empty() && !state.starts_with(b"Z")
}

/// Says where its process is, then lasts longer than any test.
const LASTING: &str = "echo $$ > pid; exec sleep 600";

#[test]
fn exit_codes_say_how_it_ended() {
    let desk = Desk::new();
    desk.flow("good.wf", &[("a", "", "true")], &[]);
    desk.flow(
        "bad.wf",
        &[("a", "", "exit 3"), ("b", "", "true")],
        &[("a", "b")],
    );
    assert_eq!(desk.run(&["run", "good.wf"]).code, Some(0));
    let said = desk.run(&["run", "bad.wf"]);
    assert_eq!(said.code, Some(1));
    assert!(said.out.contains("1 failed · 1 skipped"), "{said:?}");
    let said = desk.run(&["run", "none.wf"]);
    assert!(
        said.refused()
            .contains("failed to read file: there is no such file")
    );
    assert!(
        desk.run(&["resume", "good.wf"])
            .refused()
            .contains("nothing to resume")
    );
    for wrong in [
        ["run", "good.wf", "--jobs=0"],
        ["run", "good.wf", "--no-such"],
    ] {
        assert_eq!(desk.run(&wrong).code, Some(2));
    }
}

#[test]
fn nodes_are_chosen_by_id_by_name_and_repeated() {
    let desk = Desk::new();
    let nodes = [
        ("1", "first", "true"),
        ("2", "same", "true"),
        ("3", "same", "true"),
        ("4", "1", "true"),
    ];
    desk.flow("f.wf", &nodes, &[]);
    let cases: [(&[&str], &[&str]); 4] = [
        (&["--nodes", "first"], &["1"]),
        (&["--nodes", "1"], &["1"]),
        (&["--nodes", "first,2"], &["1", "2"]),
        (&["--nodes", "2", "--nodes", "3,4"], &["2", "3", "4"]),
    ];
    for (chosen, ran) in cases {
        let said = desk.run(&[&["run", "f.wf", "--json"], chosen].concat());
        assert_eq!(
            (said.code, said.ran().iter().map(String::as_str).collect()),
            (Some(0), ran.to_vec())
        );
    }
    let said = desk.run(&["run", "f.wf", "--nodes", "same"]);
    assert!(said.refused().contains("2 nodes are named ‘same’"));
    for option in ["--nodes", "--from", "--to"] {
        let said = desk.run(&["run", "f.wf", option, "1,x,y"]);
        assert!(said.refused().contains("the flow has no node ‘x’, ‘y’"));
    }
}

#[test]
fn from_to_and_full_choose_along_the_edges() {
    let desk = Desk::new();
    let nodes = [("a", "", "true"), ("b", "", "true"), ("c", "", "true")];
    desk.flow("f.wf", &nodes, &[("a", "b"), ("b", "c")]);
    let ran = |args: &[&str]| {
        desk.run(&[&["run", "f.wf", "--json"], args].concat())
            .ran()
            .join("")
    };
    assert_eq!(ran(&["--to", "b"]), "ab");
    assert_eq!(ran(&["--from", "b"]), "bc");
    assert_eq!(ran(&["--full"]), "abc");
}

#[test]
fn wrapper_and_jobs_hold_for_this_run() {
    let desk = Desk::new();
    let alone = "mkdir busy && rmdir busy && echo done";
    let nodes = [
        ("a", "", alone),
        ("b", "", alone),
        ("c", "", alone),
        ("d", "", alone),
    ];
    desk.flow("f.wf", &nodes, &[]);
    let said = desk.run(&[
        "run",
        "f.wf",
        "--jobs",
        "1",
        "--wrapper",
        "bash -c 'echo before; {}'",
    ]);
    assert_eq!(said.code, Some(0), "one at a time: {said:?}");
    assert_eq!(desk.run(&["logs", "f.wf", "a"]).out, "before\ndone\n");
    assert!(
        !fs::read_to_string(desk.path("f.wf"))
            .expect("read")
            .contains("before")
    );
}

#[test]
fn json_is_one_object_per_line_with_the_facts_of_the_run() {
    let desk = Desk::new();
    let nodes = [
        ("a", "one \"two\"", "exit 3"),
        ("b", "", "true"),
        ("c", "", "true"),
    ];
    desk.flow("f.wf", &nodes, &[("a", "b")]);
    let said = desk.run(&["run", "f.wf", "--json"]);
    let events = said.objects();
    let first = &events[0];
    assert_eq!(
        (&first["event"], &first["choice"], &first["subset"]),
        (&"run_started".into(), &"full".into(), &3.into())
    );
    let finished = |event: &&Value| event["event"] == "node_finished" && event["node"]["id"] == "a";
    let failed = events.iter().find(finished).expect("a finished");
    assert_eq!(
        (&failed["status"], &failed["exit"], &failed["node"]["name"]),
        (&"failed".into(), &3.into(), &"one \"two\"".into())
    );
    let last = events.last().expect("an end");
    assert_eq!(
        (&last["event"], &last["outcome"]),
        (&"run_finished".into(), &"failed".into())
    );
    assert_eq!(
        (
            &last["counts"]["ran"],
            &last["counts"]["failed"],
            &last["counts"]["skipped"]
        ),
        (&1.into(), &1.into(), &1.into())
    );
    assert!(events.iter().all(|event| event["run"] == first["run"]));

    let status = desk.run(&["status", "f.wf", "--json"]).objects().remove(0);
    assert_eq!(
        (&status["run"]["id"], &status["run"]["outcome"]),
        (&first["run"], &"failed".into())
    );
    assert_eq!(
        (&status["nodes"][1]["status"], &status["runner"]),
        (&"skipped".into(), &Value::Null)
    );
}

#[test]
fn check_and_ls_say_what_a_file_holds() {
    let desk = Desk::new();
    desk.flow(
        "f.wf",
        &[("a", "A\u{202e}", "true"), ("b", "", "echo hi")],
        &[("a", "b"), ("b", "zz")],
    );
    let object = desk.run(&["check", "f.wf", "--json"]).objects().remove(0);
    assert_eq!(
        (&object["nodes"], &object["edges"], &object["blocking"]),
        (&2.into(), &1.into(), &1.into())
    );
    let warning = object["warnings"][0].as_str().expect("a warning");
    assert!(warning.contains("no node ‘zz’"), "{warning}");
    let nodes = desk.run(&["ls", "f.wf", "--json"]).objects().remove(0);
    assert_eq!(nodes["nodes"][1]["command"], "echo hi");
    let shown = desk.run(&["ls", "f.wf"]).out;
    assert!(
        shown.contains("A·") && !shown.contains('\u{202e}'),
        "a name cannot turn the line: {shown}"
    );
    fs::write(desk.path("bad.wf"), "").expect("write");
    let said = desk.run(&["check", "bad.wf", "--json"]);
    assert_eq!(said.code, Some(2));
    assert!(
        said.objects()[0]["error"]
            .as_str()
            .is_some_and(|why| why.contains("empty file"))
    );
}

#[test]
fn a_name_that_is_not_utf8_is_no_panic() {
    let desk = Desk::new();
    let name = OsStr::from_bytes(b"f\xfe.wf");
    fs::write(desk.path(name), workfile(&[("a", "", "true")], &[])).expect("write");
    let said = |verb: &str| {
        let output = desk.command(&[verb, "--json"]).arg(name).output();
        Said::from(output.expect("start handmill"))
    };
    assert_eq!(said("check").objects()[0]["nodes"], 1);
    assert!(said("run").refused().contains("not UTF-8; rename it"));
    assert!(said("status").refused().contains("not UTF-8; rename it"));
}

#[test]
fn hostile_files_are_refused_in_one_sentence() {
    let desk = Desk::new();
    let deep = format!("<graphml>{}", "<a>".repeat(100_000));
    let files: [(&str, &[u8]); 7] = [
        ("entities", b"<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>\n<graphml><graph/></graphml>"),
        ("deep", deep.as_bytes()),
        ("zeros", &[0; 5_000]),
        ("latin", b"<graphml><graph><node id=\"\xff\"/></graph></graphml>"),
        ("twice", b"<graphml><graph><node id=\"a\"/><node id=\"a\"/></graph></graphml>"),
        ("gzip", b"\x1f\x8b\x08\x00rest"),
        ("page", b"<html><body>404</body></html>"),
    ];
    for (name, bytes) in files {
        fs::write(desk.path(name), bytes).expect("write");
    }
    std::os::unix::fs::symlink("/dev/zero", desk.path("device")).expect("link");
    std::os::unix::fs::symlink("circle", desk.path("circle")).expect("link");
    fs::create_dir(desk.path("folder")).expect("mkdir");
    let fifo = Command::new("mkfifo").arg(desk.path("pipe")).status();
    assert!(fifo.expect("mkfifo").success());
    let others = ["device", "circle", "folder", "pipe"];
    for name in files.iter().map(|(name, _)| *name).chain(others) {
        for verb in ["check", "run"] {
            let said = desk.run(&[verb, name]);
            let told = said.refused();
            assert!(
                told.starts_with("handmill: failed to ") && told.contains(name),
                "{told}"
            );
        }
    }
    assert!(!desk.home().exists(), "nothing was begun");
}

#[test]
fn a_chain_of_fifty_thousand_nodes_is_no_stack_overflow() {
    let desk = Desk::new();
    let ids: Vec<String> = (0..50_000).map(|n| n.to_string()).collect();
    let nodes: Vec<_> = ids.iter().map(|id| (id.as_str(), "", "")).collect();
    let edges: Vec<_> = ids
        .windows(2)
        .map(|two| (two[0].as_str(), two[1].as_str()))
        .collect();
    desk.flow("chain.wf", &nodes, &edges);
    let said = desk.run(&["run", "chain.wf", "-q"]);
    assert_eq!(said.code, Some(0));
    assert!(said.out.contains("50000 ran"), "{said:?}");
    let round: Vec<_> = edges.into_iter().chain([("49999", "0")]).collect();
    desk.flow("round.wf", &nodes, &round);
    assert!(desk.run(&["run", "round.wf"]).refused().contains("cycle"));
}

#[test]
fn a_command_longer_than_one_argument_runs() {
    let desk = Desk::new();
    let command = format!("echo {} | wc -c", "x".repeat(3 << 20));
    desk.flow("f.wf", &[("a", "", &command)], &[]);
    let said = desk.run(&["run", "f.wf"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(
        desk.run(&["logs", "f.wf"]).out.lines().last(),
        Some("3145729")
    );
}

#[test]
fn logs_go_to_the_stream_they_were_written_to() {
    let desk = Desk::new();
    desk.flow(
        "f.wf",
        &[
            ("a", "", "echo out; echo err >&2"),
            ("b", "", "printf '\\0\\377'"),
        ],
        &[],
    );
    assert!(
        desk.run(&["logs", "f.wf"])
            .refused()
            .contains("no log of this flow")
    );
    desk.run(&["run", "f.wf"]);
    let said = desk.run(&["logs", "f.wf", "a"]);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("out\n", "err\n"));
    let bytes = desk
        .command(&["logs", "f.wf", "b"])
        .output()
        .expect("start");
    assert_eq!(bytes.stdout, b"\0\xff", "into a pipe a log goes as it is");
    assert!(
        desk.run(&["logs", "f.wf", "zz"])
            .refused()
            .contains("no node ‘zz’")
    );
    let said = desk.run(&["logs", "f.wf", "--run", "../../x"]);
    assert!(said.refused().contains("no log of run ‘../../x’"));
}

#[test]
fn following_a_log_ends_with_the_run() {
    let desk = Desk::new();
    let command = "echo one; echo $$ > pid; until test -e go; do sleep 0.02; done; echo two";
    desk.flow("f.wf", &[("a", "", command)], &[]);
    let run = desk.start(&["run", "f.wf"]);
    desk.wait_for("pid");
    let mut follow = desk.start(&["logs", "-f", "f.wf", "a"]);
    let out = follow
        .0
        .as_mut()
        .and_then(|child| child.stdout.take())
        .expect("piped");
    let mut lines = BufReader::new(out)
        .lines()
        .map(|line| line.expect("a line"));
    assert_eq!(lines.next().as_deref(), Some("one"));
    fs::write(desk.path("go"), "").expect("write");
    assert_eq!(lines.collect::<Vec<_>>(), ["two"]);
    assert_eq!(follow.end().code, Some(0));
    assert_eq!(run.end().code, Some(0));
}

#[test]
fn a_second_runner_is_refused_and_another_process_stops_the_first() {
    let desk = Desk::new();
    desk.flow("f.wf", &[("a", "", LASTING)], &[]);
    let run = desk.start(&["run", "f.wf"]);
    let pid = desk.wait_for("pid");
    let runner = format!("process {}", run.pid().as_raw_nonzero());
    for verb in ["run", "resume"] {
        let said = desk.run(&[verb, "f.wf"]);
        assert!(said.refused().contains(&runner), "{said:?}");
    }
    assert!(desk.run(&["status", "f.wf"]).out.contains(&runner));
    let said = desk.run(&["stop", "f.wf"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(run.end().code, Some(130));
    assert!(!is_alive(&pid));
    assert!(
        desk.run(&["stop", "f.wf"])
            .refused()
            .contains("not running")
    );
}

#[test]
fn the_first_ctrl_c_asks_and_so_do_a_polite_kill_and_a_closed_terminal() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let desk = Desk::new();
        let command =
            "trap 'echo bye > bye; exit 1' TERM; echo $$ > pid; while :; do sleep 0.02; done";
        desk.flow(
            "f.wf",
            &[("a", "", command), ("b", "", "true")],
            &[("a", "b")],
        );
        let run = desk.start(&["run", "f.wf"]);
        let pid = desk.wait_for("pid");
        run.signal(signal);
        let said = run.end();
        assert_eq!(said.code, Some(130), "{signal:?}: {said:?}");
        assert_eq!(desk.wait_for("bye"), "bye", "it had its grace");
        assert!(!is_alive(&pid));
        assert!(said.out.contains("1 stopped · 1 skipped"), "{said:?}");
    }
}

#[test]
fn the_second_ctrl_c_kills_everyone_at_once() {
    let desk = Desk::new();
    fs::create_dir(desk.home()).expect("mkdir");
    fs::write(
        desk.home().join("settings.json"),
        r#"{"grace_seconds": 3600}"#,
    )
    .expect("write");
    let command = "trap 'echo asked > asked' TERM; trap '' INT HUP
        setsid sh -c 'trap \"\" TERM; echo $$ > away; while :; do sleep 600; done' &
        echo $$ > pid; while :; do sleep 0.02; done";
    desk.flow("f.wf", &[("a", "", command)], &[]);
    let run = desk.start(&["run", "f.wf"]);
    let pids = [desk.wait_for("pid"), desk.wait_for("away")];
    run.signal(Signal::INT);
    desk.wait_for("asked");
    run.signal(Signal::INT);
    assert_eq!(run.end().code, Some(130));
    for pid in pids {
        assert!(!is_alive(&pid), "{pid} lives on");
    }
}

#[test]
fn what_a_killed_runner_left_is_found_whoever_looks_first() {
    let desk = Desk::new();
    desk.flow("f.wf", &[("a", "", LASTING)], &[]);
    let run = desk.start(&["run", "f.wf"]);
    let pid = desk.wait_for("pid");
    // Its facts reach the disk a moment after its process.
    let start = Instant::now();
    while !desk.run(&["status", "f.wf"]).out.contains("running  ") {
        assert!(start.elapsed() < PATIENCE, "never recorded");
    }
    run.signal(Signal::KILL);
    run.end();
    for _ in 0..2 {
        let said = desk.run(&["status", "f.wf"]);
        assert!(said.out.contains("interrupted"), "{said:?}");
    }
    assert!(is_alive(&pid));
    for args in [&["resume", "f.wf"][..], &["run", "f.wf", "--full"]] {
        let said = desk.run(args);
        assert!(
            said.refused().contains(&format!("(process {pid})")),
            "{said:?}"
        );
    }
    let said = desk.run(&["stop", "f.wf"]);
    assert!(said.out.contains("ended 1 of its processes"), "{said:?}");
    assert!(!is_alive(&pid));
    desk.flow("f.wf", &[("a", "", "true")], &[]);
    let said = desk.run(&["resume", "f.wf"]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_run() {
    let desk = Desk::new();
    let nodes = [
        ("a", "", "true"),
        ("b", "", "until test -e go; do sleep 0.02; done"),
        ("c", "", "echo end > end"),
    ];
    desk.flow("f.wf", &nodes, &[("a", "b"), ("b", "c")]);
    let mut run = desk.start(&["run", "f.wf"]);
    let out = run
        .0
        .as_mut()
        .and_then(|child| child.stdout.take())
        .expect("piped");
    let mut reader = BufReader::new(out);
    reader.read_line(&mut String::new()).expect("a line");
    drop(reader);
    fs::write(desk.path("go"), "").expect("write");
    assert_eq!(run.end().code, Some(0));
    assert_eq!(desk.wait_for("end"), "end");
}

#[test]
fn a_flow_file_that_goes_away_does_not_end_its_run() {
    let desk = Desk::new();
    let nodes = [
        (
            "a",
            "",
            "echo $$ > pid; until test -e go; do sleep 0.02; done",
        ),
        ("b", "", "true"),
    ];
    desk.flow("f.wf", &nodes, &[("a", "b")]);
    let run = desk.start(&["run", "f.wf"]);
    desk.wait_for("pid");
    fs::write(desk.path("f.wf"), "no workfile").expect("write");
    fs::remove_file(desk.path("f.wf")).expect("remove");
    fs::write(desk.path("go"), "").expect("write");
    let said = run.end();
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("2 ran"), "{said:?}");
}

#[test]
fn a_home_that_cannot_be_used_is_refused_in_one_sentence() {
    let desk = Desk::new();
    desk.flow("f.wf", &[("a", "", "echo x > touched")], &[]);
    fs::write(desk.home(), "a file").expect("write");
    for verb in ["run", "resume", "status", "logs"] {
        let said = desk.run(&[verb, "f.wf"]);
        assert!(
            said.refused().contains("a part of the path is a file"),
            "{said:?}"
        );
    }
    assert!(!desk.path("touched").exists());
}

#[test]
fn a_folder_in_the_place_of_the_ledger_is_named_once() {
    let desk = Desk::new();
    desk.flow("f.wf", &[("a", "", "true")], &[]);
    desk.run(&["run", "f.wf"]);
    let workspaces = fs::read_dir(desk.home().join("workspaces")).expect("list");
    let workspace = workspaces.last().expect("one").expect("entry").path();
    for file in fs::read_dir(&workspace).expect("list") {
        fs::remove_file(file.expect("entry").path()).ok();
    }
    fs::create_dir(workspace.join("ledger.sqlite")).expect("mkdir");
    for verb in ["run", "status"] {
        let said = desk.run(&[verb, "f.wf"]);
        let told = said.refused();
        assert_eq!(told.matches("ledger.sqlite").count(), 1, "{told}");
    }
}

#[test]
fn settings_that_cannot_be_read_are_told_and_kept_aside() {
    let desk = Desk::new();
    desk.flow("f.wf", &[("a", "", "true")], &[]);
    fs::create_dir(desk.home()).expect("mkdir");
    fs::write(desk.home().join("settings.json"), "{garbage").expect("write");
    let said = desk.run(&["run", "f.wf"]);
    assert_eq!(said.code, Some(0));
    assert!(
        said.err.contains("warning: ") && said.err.contains("is kept as"),
        "{said:?}"
    );
}

#[test]
fn a_limit_on_file_sizes_does_not_end_the_runner() {
    let desk = Desk::new();
    let nodes = [("a", "", "head -c 9000000 /dev/zero"), ("b", "", "true")];
    desk.flow("f.wf", &nodes, &[]);
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "ulimit -f 8; exec \"$0\" run f.wf",
            env!("CARGO_BIN_EXE_handmill"),
        ])
        .env("HANDMILL_HOME", desk.home())
        .current_dir(desk.path(""));
    let said = Said::from(command.output().expect("start"));
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.out.contains("SIGXFSZ"),
        "the node has the usual signal: {said:?}"
    );
    assert!(said.out.contains("1 ran · 1 failed"), "{said:?}");
    assert!(
        said.err.contains("The run history cannot be written"),
        "{said:?}"
    );
}

#[test]
fn a_closed_terminal_takes_its_whole_session_along() {
    let desk = Desk::new();
    desk.flow("f.wf", &[("a", "", LASTING)], &[]);
    let mut command = desk.command(&["run", "f.wf"]);
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    let run = Live(Some(command.spawn().expect("start")));
    let pid = desk.wait_for("pid");
    kill_process_group(run.pid(), Signal::HUP).expect("signal");
    assert_eq!(run.end().code, Some(130));
    assert!(!is_alive(&pid));
}
