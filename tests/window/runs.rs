//! Runs that meet others: a second process that wants the same flow, and children that will not end.

use std::fs;
use std::process::{Command, Stdio};

use crate::desk::Desk;
use crate::hand::{
    FLOW, NOWHERE, SOW, STUBBORN, flow_of, is_dirty, new_node, standing, survivors, wait_for_title,
};

/// A flow of one node that tells when it runs and ends when it may.
const PATIENT: &str =
    "echo once &gt;&gt; times.txt; until test -e go.txt; do sleep 0.05; done; rm go.txt";

#[test]
fn a_flow_that_runs_elsewhere_is_not_run_twice_and_the_second_says_who_runs_it() {
    let desk = Desk::start_with(|files| flow_of(&files.join(FLOW), PATIENT), [FLOW]);
    wait_for_title(&desk, "Made by hand");

    // The window runs it, the command line is refused.
    desk.click(NOWHERE.0, NOWHERE.1);
    desk.key("r");
    desk.wait_until("it runs", || desk.read("mill/times.txt") == "once\n");
    let refused = desk.handmill(["run", FLOW]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{why}");
    assert!(why.contains("window"), "{why}");
    assert!(why.contains(&desk.pid().to_string()), "{why}");
    fs::write(desk.files().join("mill/go.txt"), "").expect("let it go on");
    desk.wait_until("it has run", || {
        standing(&desk, 0) == "ran" && desk.status(FLOW)["runner"].is_null()
    });

    // The command line runs it, the window is refused.
    let mut other = Command::new(env!("CARGO_BIN_EXE_handmill"))
        .args(["run", FLOW])
        .env("HANDMILL_HOME", desk.home())
        .current_dir(desk.files())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("start the command line");
    desk.wait_until("it runs there", || {
        desk.read("mill/times.txt") == "once\nonce\n"
    });
    desk.key("ctrl+r");
    // The window has taken the key when it has saved what was done after it.
    new_node(&desk, SOW, "true");
    desk.wait_until("there is an edit", || is_dirty(&desk));
    desk.key("ctrl+s");
    desk.wait_until("it is saved", || !is_dirty(&desk));
    desk.screenshot("runs-elsewhere");
    assert_eq!(desk.read("mill/times.txt"), "once\nonce\n", "it ran twice");
    fs::write(desk.files().join("mill/go.txt"), "").expect("let it go on");
    let status = other.wait().expect("wait for the command line");
    assert!(status.success(), "{status}");
    assert_eq!(desk.read("mill/times.txt"), "once\nonce\n", "it ran twice");
}

#[test]
fn a_stopped_node_that_ignores_signals_and_forks_leaves_nothing_behind() {
    let desk = Desk::start_with(|files| flow_of(&files.join(FLOW), STUBBORN), [FLOW]);
    wait_for_title(&desk, "Made by hand");
    desk.click(NOWHERE.0, NOWHERE.1);
    desk.key("r");
    desk.wait_until("it and what it forked are there", || {
        desk.read("mill/ready.txt") == "ready\n" && survivors(&desk).len() >= 4
    });
    desk.key("ctrl+period");
    // Asked once it may take its grace; asked again it ends at once.
    desk.key("ctrl+period");
    desk.wait_until("nothing of it is left", || survivors(&desk).is_empty());
    desk.wait_until("it is known as stopped", || standing(&desk, 0) == "stopped");
    desk.screenshot("stopped");
}
