//! Resources as a person at the command line meets them, on a machine without a keyring: CI has no D-Bus session.
//! With `--ignored`, within `dbus-run-session` and beside an unlocked keyring, also with one.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

struct Desk(tempfile::TempDir);

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("make a folder"))
    }

    fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }

    /// The program as it is where no desktop is.
    fn bare(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handmill"));
        command
            .args(args)
            .env("HANDMILL_HOME", self.home())
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")
            .env_remove("DB_URL")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Said {
        Said::from(self.bare(args).output().expect("start handmill"))
    }
}

/// Runs with this on standard input.
fn fed(mut command: Command, text: &str) -> Said {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("start handmill");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(text.as_bytes()).expect("it reads");
    drop(stdin);
    Said::from(child.wait_with_output().expect("it ends"))
}

/// Every byte below a folder.
fn all_bytes(folder: &Path, into: &mut Vec<u8>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("listed").path();
        match path.is_dir() {
            true => all_bytes(&path, into),
            false => into.extend(fs::read(&path).expect("read")),
        }
    }
}

#[test]
fn without_a_keyring_nothing_is_kept_and_one_sentence_says_what_to_do() {
    let desk = Desk::new();
    let said = fed(desk.bare(&["resource", "set", "DB_URL"]), "canary-5d1f\n");
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(
        said.err.contains("there is no D-Bus session"),
        "{}",
        said.err
    );
    assert!(said.err.contains("environment variable"), "{}", said.err);
    assert_eq!(said.err.lines().count(), 1, "{}", said.err);
    let said = desk.run(&["resource", "list"]);
    assert_eq!(said.code, Some(0));
    assert!(said.out.contains("No resources are listed"), "{}", said.out);
    let mut bytes = Vec::new();
    all_bytes(&desk.home(), &mut bytes);
    assert!(!String::from_utf8_lossy(&bytes).contains("canary"));
}

#[test]
fn the_environment_is_the_second_source() {
    let desk = Desk::new();
    let said = desk.run(&["resource", "require", "DB_URL", "OTHER"]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.err.contains("There is no resource DB_URL."),
        "{}",
        said.err
    );
    assert!(
        said.err.contains("There is no resource OTHER."),
        "{}",
        said.err
    );

    let said = desk.run(&["resource", "set", "DB_URL", "--environment"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let list = |set: bool| {
        let mut command = desk.bare(&["resource", "list", "--json"]);
        if set {
            command.env("DB_URL", "canary-7c20");
        }
        let said = Said::from(command.output().expect("start handmill"));
        assert!(!said.out.contains("canary"), "{}", said.out);
        serde_json::from_str::<Value>(&said.out).expect("json")
    };
    let without = list(false);
    assert_eq!(without["keyring"]["state"], "absent");
    let row = &without["resources"][0];
    assert_eq!(
        (&row["name"], &row["available"]),
        (&"DB_URL".into(), &false.into())
    );
    let row = &list(true)["resources"][0];
    assert_eq!(
        (&row["source"], &row["from"]),
        (&"environment".into(), &"environment".into())
    );
    let mut command = desk.bare(&["resource", "require", "DB_URL"]);
    let with = Said::from(
        command
            .env("DB_URL", "canary-7c20")
            .output()
            .expect("start"),
    );
    assert_eq!(
        (with.code, with.out.as_str(), with.err.as_str()),
        (Some(0), "", "")
    );

    assert_eq!(desk.run(&["resource", "remove", "DB_URL"]).code, Some(0));
    let said = desk.run(&["resource", "remove", "DB_URL"]);
    assert_eq!(said.code, Some(2));
    assert!(
        said.err.contains("no resource DB_URL is listed"),
        "{}",
        said.err
    );
}

#[test]
fn a_value_is_no_argument_and_bad_ones_are_told_without_being_shown() {
    let desk = Desk::new();
    assert_eq!(
        desk.run(&["resource", "set", "DB_URL", "canary-1"]).code,
        Some(2)
    );
    for bad in ["", "\n", "abc\n", "can\0ary-9"] {
        let said = fed(desk.bare(&["resource", "set", "DB_URL"]), bad);
        assert_eq!(said.code, Some(2), "{bad:?}: {}", said.err);
        assert!(said.err.contains("The value"), "{bad:?}: {}", said.err);
        assert!(!said.err.contains("ary-9"), "{}", said.err);
    }
    let said = fed(
        desk.bare(&["resource", "set", "DB_URL"]),
        &"x".repeat(70_000),
    );
    assert!(said.err.contains("longer than 64 KiB"), "{}", said.err);
    for bad in ["2DB", "DB-URL", "HANDMILL_TOKEN", "", "A=B"] {
        let said = desk.run(&["resource", "require", bad]);
        assert_eq!(said.code, Some(2), "{bad}: {}", said.err);
    }
    assert!(!desk.home().exists(), "nothing was written");
}

#[test]
fn doctor_says_how_the_keyring_is() {
    let desk = Desk::new();
    let row = || {
        let said = desk.run(&["doctor", "--json"]);
        let all: Value = serde_json::from_str(&said.out).expect("json");
        let rows = all["rows"].as_array().expect("rows").clone();
        let row = rows.into_iter().find(|row| row["what"] == "keyring");
        row.expect("a row for the keyring")
    };
    assert_eq!(row()["state"], "ok", "nothing needs one");
    fs::create_dir_all(desk.home()).expect("mkdir");
    let listed = r#"{"version": 1, "resources": {"DB_URL": "keyring"}}"#;
    fs::write(desk.home().join("resources.json"), listed).expect("write");
    let row = row();
    assert_eq!(row["state"], "bad");
    assert!(
        row["text"].as_str().expect("text").contains("DB_URL"),
        "{row}"
    );
    assert!(!row["remedy"].as_str().expect("text").is_empty());
}

/// By hand: `dbus-run-session -- sh -c 'echo -n x | gnome-keyring-daemon --unlock --components=secrets; cargo test --test it real_keyring -- --ignored'`.
#[test]
#[ignore = "needs a D-Bus session with an unlocked keyring, which CI has not"]
fn a_real_keyring_keeps_values_and_the_disk_does_not() {
    let desk = Desk::new();
    let real = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handmill"));
        command.args(args).env("HANDMILL_HOME", desk.home());
        command.env_remove("DB_URL").stdin(Stdio::null());
        command
    };
    let run = |args: &[&str]| Said::from(real(args).output().expect("start handmill"));
    for value in ["canary-first\n", "canary-second ü\n"] {
        let said = fed(real(&["resource", "set", "DB_URL"]), value);
        assert_eq!(said.code, Some(0), "{}", said.err);
    }
    assert_eq!(run(&["resource", "require", "DB_URL"]).code, Some(0));
    let said = run(&["resource", "list"]);
    assert!(said.out.contains("in the keyring"), "{}", said.out);
    let mut bytes = Vec::new();
    all_bytes(&desk.home(), &mut bytes);
    assert!(!String::from_utf8_lossy(&bytes).contains("canary"));
    assert_eq!(run(&["resource", "remove", "DB_URL"]).code, Some(0));
    assert_eq!(run(&["resource", "require", "DB_URL"]).code, Some(1));
}
