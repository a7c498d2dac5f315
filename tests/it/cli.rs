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

mod ends;
mod hostile;
mod logs;

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
