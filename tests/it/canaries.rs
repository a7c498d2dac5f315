//! Secrets of nodes reach their nodes, and nothing that stays: canaries go through runs, a resume, and kills, and then
//! every byte below the home and the workspace is searched for them, in every form that a program may print.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustix::process::{Pid, Signal, kill_process};

/// For what surely comes; only a failure takes as long.
const PATIENCE: Duration = Duration::from_secs(60);
/// The values. Nothing of them stands in a workfile, in an argument or in the name of a file.
const CANARIES: [(&str, &str); 2] = [
    ("CANARY_A", "c4n/ry+\"one\" & more"),
    ("CANARY_B", "two-c4n4ry-7f31-line\nMIIEc4n4ryAKCAQEA"),
];

/// A workspace and a home.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("make a folder");
        fs::create_dir_all(dir.path().join("ws/flow_modules")).expect("make a folder");
        Self(dir)
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("ws")
    }

    fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }

    /// Writes a flow in the workspace, or alone beside it: nodes of an id, a command and names of resources.
    fn flow(&self, place: &str, nodes: &[(&str, &str, &str)], edges: &[(&str, &str)]) -> PathBuf {
        let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
        let mut text = String::from(
            r#"<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><key id="c" for="node" attr.name="label" attr.type="string"/><key id="r" for="node" attr.name="resources" attr.type="string"/><graph edgedefault="directed">"#,
        );
        for (id, command, names) in nodes {
            text += &format!(
                "<node id=\"{id}\"><data key=\"c\">{}</data><data key=\"r\">{names}</data></node>\n",
                escape(command)
            );
        }
        for (from, to) in edges {
            text += &format!("<edge source=\"{from}\" target=\"{to}\"/>\n");
        }
        let path = self.0.path().join(place);
        fs::create_dir_all(path.parent().expect("a folder")).expect("make a folder");
        fs::write(&path, text + "</graph></graphml>\n").expect("write a flow");
        path
    }

    /// The program where no keyring is, with the canaries in its environment.
    fn command(&self, args: &[&str], flow: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handmill"));
        command.args(args).arg(flow);
        command.env("HANDMILL_HOME", self.home());
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
        command.envs(CANARIES).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str], flow: &Path) -> (Option<i32>, String) {
        let said = self.command(args, flow).output().expect("start handmill");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let all = text(&said.stdout) + &text(&said.stderr);
        for (name, form) in forms() {
            assert!(!all.contains(&form), "{name} was printed: {all}");
        }
        (said.status.code(), all)
    }

    /// What the logs of all runs hold.
    fn logs(&self) -> String {
        let mut all = Vec::new();
        every_file(&self.home(), &mut |path, bytes| {
            if path
                .extension()
                .is_some_and(|end| end == "out" || end == "err")
            {
                all.extend_from_slice(bytes);
            }
        });
        String::from_utf8_lossy(&all).into_owned()
    }

    /// No byte that stays tells a canary.
    fn search(&self) {
        let mut n_files = 0;
        for folder in [self.home(), self.root()] {
            every_file(&folder, &mut |path, bytes| {
                n_files += 1;
                for (name, form) in forms() {
                    let form = form.as_bytes();
                    let found = bytes.windows(form.len()).position(|window| window == form);
                    assert_eq!(found, None, "{name} in {}", path.display());
                }
            });
        }
        assert!(n_files > 5, "only {n_files} files were looked at");
    }
}

/// Everything that would tell a canary: the values, their lines, and both as other programs write them.
fn forms() -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for (name, value) in CANARIES {
        let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
        let json = serde_json::to_string(value).expect("json");
        let url: String = value
            .bytes()
            .map(
                |byte| match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    true => char::from(byte).to_string(),
                    false => format!("%{byte:02X}"),
                },
            )
            .collect();
        let mut these = vec![value.to_owned(), hex.to_uppercase(), hex, json, url];
        these.extend(value.lines().map(str::to_owned));
        // Not its last letters, which depend on what comes after.
        for encoded in [STANDARD.encode(value), URL_SAFE_NO_PAD.encode(value)] {
            these.push(encoded[..value.len() / 3 * 4].to_owned());
        }
        all.extend(these.into_iter().map(|form| (name, form)));
    }
    all
}

fn every_file(folder: &Path, see: &mut dyn FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(meta) = fs::symlink_metadata(&path) else {
            continue;
        };
        if meta.is_dir() {
            every_file(&path, see);
        } else if meta.is_file()
            && let Ok(bytes) = fs::read(&path)
        {
            see(&path, &bytes);
        }
    }
}

fn wait(what: &str, fact: impl Fn() -> bool) {
    let begun = Instant::now();
    while !fact() {
        assert!(begun.elapsed() < PATIENCE, "{what} never came");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_search_finds_what_it_looks_for() {
    for (name, form) in forms() {
        let desk = Desk::new();
        let file = desk.home().join("some/file");
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        for n in 0..6 {
            fs::write(desk.root().join(n.to_string()), "nothing").expect("written");
        }
        desk.search();
        fs::write(file, format!("\0before{form}after")).expect("written");
        let found = std::panic::catch_unwind(|| desk.search());
        assert!(found.is_err(), "{name} as {form} was not found");
    }
}

/// Prints both canaries in every way, whole and in pieces.
const TELLS_ALL: &str = r#"
echo "plain $CANARY_A and $CANARY_B"
echo "err $CANARY_A" >&2
printf %s "$CANARY_A" | base64 -w0; echo
printf %s "user:$CANARY_A@host" | base64 -w0; echo
printf %s "$CANARY_B" | base64 -w0; echo
printf %s "$CANARY_A" | od -An -v -tx1 | tr -d ' \n'; echo
env | grep CANARY
half=$(printf %.7s "$CANARY_A"); printf %s "$half"; sleep 0.2; printf '%s\n' "${CANARY_A#"$half"}"
echo "${#CANARY_A} letters"
"#;

#[test]
fn what_a_node_is_given_reaches_no_log_ledger_or_file() {
    let desk = Desk::new();
    // Beyond what one argument may hold, a command goes through a file.
    let long = format!("# {}\n{TELLS_ALL}", "x".repeat(200_000));
    let nodes = [
        ("tells", TELLS_ALL, "CANARY_A\nCANARY_B"),
        ("long", long.as_str(), "CANARY_A, CANARY_B"),
        ("fails", "echo $CANARY_A; test -e mended", "CANARY_A"),
        (
            "bare",
            "env | grep CANARY; test -z \"$CANARY_A$CANARY_B\"",
            "",
        ),
    ];
    let edges = [("tells", "long"), ("long", "fails"), ("bare", "fails")];
    for place in ["ws/flow_modules/in.graphml", "ws/alone/alone.graphml"] {
        let flow = desk.flow(place, &nodes, &edges);
        fs::remove_file(desk.root().join("mended")).ok();
        fs::remove_file(desk.root().join("alone/mended")).ok();
        let (code, said) = desk.run(&["run"], &flow);
        assert_eq!(code, Some(1), "{said}");
        assert_eq!(desk.run(&["logs"], &flow).0, Some(0));
        for folder in ["", "alone"] {
            fs::create_dir_all(desk.root().join(folder)).expect("made");
            fs::write(desk.root().join(folder).join("mended"), "").expect("written");
        }
        let (code, said) = desk.run(&["resume"], &flow);
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(desk.run(&["status", "--json"], &flow).0, Some(0));
        desk.search();
    }
    let logs = desk.logs();
    assert!(logs.contains("plain ••• and •••"), "{logs}");
    assert!(logs.contains("err •••"), "{logs}");
    assert!(
        logs.contains("19 letters"),
        "the node had its value: {logs}"
    );
}

#[test]
fn a_run_that_lacks_a_resource_is_refused_by_its_name_and_can_be_given_it() {
    let desk = Desk::new();
    let nodes = [
        ("a", "echo begun >>begun", ""),
        ("b", "echo \"got $LACKED\"", "LACKED CANARY_A"),
    ];
    let flow = desk.flow("ws/flow_modules/in.graphml", &nodes, &[("a", "b")]);
    let (code, said) = desk.run(&["run"], &flow);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("for want of LACKED."), "{said}");
    assert!(!desk.root().join("begun").exists(), "nothing was started");
    // A node that needs none runs.
    let (code, said) = desk.run(&["run", "--nodes", "a"], &flow);
    assert_eq!(code, Some(0), "{said}");

    let mut command = desk.command(&["run", "--full", "--resource", "LACKED"], &flow);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("start handmill");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(b"c4n4ry-by-hand\n").expect("it reads");
    drop(stdin);
    let said = child.wait_with_output().expect("it ends");
    assert_eq!(said.status.code(), Some(0));
    assert!(desk.logs().contains("got •••"), "{}", desk.logs());
    every_file(&desk.home(), &mut |path, bytes| {
        let found = bytes.windows(14).any(|window| window == b"c4n4ry-by-hand");
        assert!(!found, "{}", path.display());
    });
}

#[test]
fn kills_leave_no_canary_behind() {
    let desk = Desk::new();
    let nodes = [(
        "tells",
        "echo $$ >pid; while :; do echo \"$CANARY_A $CANARY_B\"; printf %.9s \"$CANARY_A\"; sleep 0.05; done",
        "CANARY_A CANARY_B",
    )];
    let flow = desk.flow("ws/flow_modules/in.graphml", &nodes, &[]);
    let mut face: Child = desk
        .command(&["run"], &flow)
        .stdout(Stdio::null())
        .spawn()
        .expect("start handmill");
    wait("its log", || desk.logs().matches("••• •••").count() > 3);
    // No process tells it in its arguments.
    for entry in fs::read_dir("/proc").expect("listed").flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        for (name, form) in forms() {
            assert!(!line.contains(&form), "{name} in {line}");
        }
    }
    desk.search();
    face.kill().expect("killed");
    face.wait().expect("reaped");
    // It goes on without a face; then that and the sitter are killed too.
    let n = desk.logs().matches("•••").count();
    wait("more of its log", || {
        desk.logs().matches("•••").count() > n + 4
    });
    desk.search();
    let ours = || -> Vec<Pid> {
        let home = format!("HANDMILL_HOME={}", desk.home().display());
        let entries = fs::read_dir("/proc").expect("listed").flatten();
        entries
            .filter(|entry| {
                let environ = fs::read(entry.path().join("environ")).unwrap_or_default();
                environ
                    .split(|byte| *byte == 0)
                    .any(|set| set == home.as_bytes())
            })
            .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
            .collect()
    };
    for pid in ours() {
        // It may have ended with the others.
        kill_process(pid, Signal::KILL).ok();
    }
    wait("the end of all", || ours().is_empty());
    desk.search();
    // Whoever comes next finds it interrupted, and tells no more than that.
    assert_eq!(desk.run(&["status"], &flow).0, Some(0));
    desk.search();
}
