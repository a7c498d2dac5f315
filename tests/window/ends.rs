//! How runs are brought to an end by hand: the kill switch in its three scopes, and what the question before
//! quitting does.

use std::fs;

use crate::desk::Desk;
use crate::hand::{
    BAKE, FLOW, NOWHERE, STUBBORN, flow_of, is_dirty, new_node, standing, survivors, take,
    wait_for_title,
};

/// Tells that it runs, and ends when it may.
const PATIENT: &str = "echo once &gt;&gt; times.txt; until test -e go.txt; do sleep 0.05; done";

/// Its middle, in the list of sections of the settings page.
const KILL_SWITCH: (i32, i32) = (462, 469);
/// The button *Kill everything…* of that section.
const KILL_EVERYTHING: (i32, i32) = (677, 371);

/// Its icon, which is red.
const ITS_ICON: (i32, i32) = (629, 370);

/// A desk with a run that ignores every request to end, with a child that does and one in another session.
fn stubborn() -> Desk {
    let desk = Desk::start_with(|files| flow_of(&files.join(FLOW), STUBBORN), [FLOW]);
    wait_for_title(&desk, "Made by hand");
    desk.click(NOWHERE.0, NOWHERE.1);
    run_stubborn(&desk);
    desk
}

fn run_stubborn(desk: &Desk) {
    desk.key("ctrl+r");
    desk.wait_until("it and what it forked are there", || {
        desk.read("mill/ready.txt") == "ready\n" && survivors(desk).len() >= 4
    });
}

fn ask_to_kill_everything(desk: &Desk) {
    desk.key("ctrl+comma");
    desk.wait_until("the settings show the kill switch", || {
        desk.click(KILL_SWITCH.0, KILL_SWITCH.1);
        let [red, green, _] = desk.colour_at(ITS_ICON.0, ITS_ICON.1);
        red > 150 && green < 150
    });
    desk.screenshot("settings-kill-switch");
    desk.click(KILL_EVERYTHING.0, KILL_EVERYTHING.1);
}

/// Cancel is what Enter would take; the answer before it kills.
fn confirm(desk: &Desk) {
    desk.key("shift+Tab");
    desk.key("Return");
}

fn wait_for_end(desk: &Desk) {
    desk.wait_until("nothing of it is left", || survivors(desk).is_empty());
    desk.wait_until("it is known as stopped", || {
        standing(desk, 0) == "stopped" && desk.status(FLOW)["runner"].is_null()
    });
    fs::remove_file(desk.files().join("mill/ready.txt")).expect("it was ready");
}

#[test]
fn item_72_the_kill_switch_ends_all_of_a_run_after_it_was_confirmed() {
    let desk = stubborn();
    let before = survivors(&desk);

    // Everything, from the settings. Enter alone kills nothing.
    ask_to_kill_everything(&desk);
    desk.screenshot("kill-everything-asks");
    desk.key("Return");
    // The window has taken that Enter when it shows what was done after it.
    new_node(&desk, BAKE, "true");
    desk.wait_until("there is an edit", || is_dirty(&desk));
    let all_live = |desk: &Desk| {
        let live = survivors(desk);
        // The shell, its child and the one in another session were there before it said that it is ready; what else
        // was counted may have been one of their short sleeps, which come and go.
        before.iter().filter(|pid| live.contains(pid)).count() >= 3
    };
    assert!(all_live(&desk), "killed without being confirmed");
    ask_to_kill_everything(&desk);
    confirm(&desk);
    desk.screenshot("killing");
    wait_for_end(&desk);
    desk.screenshot("killed-everything");

    // One run.
    run_stubborn(&desk);
    take(&desk, "Kill run");
    desk.screenshot("kill-run-asks");
    confirm(&desk);
    wait_for_end(&desk);

    // One node.
    run_stubborn(&desk);
    desk.key("ctrl+a");
    take(&desk, "Kill nodes");
    confirm(&desk);
    wait_for_end(&desk);
    desk.screenshot("killed-node");
}

#[test]
fn the_question_before_quitting_does_as_answered() {
    let mut desk = Desk::start_with(|files| flow_of(&files.join(FLOW), PATIENT), [FLOW]);
    wait_for_title(&desk, "Made by hand");
    desk.click(NOWHERE.0, NOWHERE.1);
    desk.key("r");
    desk.wait_until("it runs", || standing(&desk, 0) == "running");

    // Cancel, the last answer: the window and the run go on.
    desk.key("ctrl+q");
    desk.screenshot("quit-asks");
    desk.key("Tab");
    desk.key("Tab");
    desk.key("Return");
    let window = u64::from(desk.pid());
    assert_eq!(desk.status(FLOW)["runner"]["pid"], window);

    // Keep running, the first: it goes on without a window, and the next start shows it.
    desk.key("ctrl+q");
    desk.key("Return");
    assert!(desk.wait_for_end().success());
    desk.wait_until("the background carries it on", || {
        let runner = desk.status(FLOW)["runner"]["pid"].as_u64();
        runner.is_some_and(|pid| pid != window) && standing(&desk, 0) == "running"
    });
    desk.start_again([FLOW]);
    let window = u64::from(desk.pid());
    desk.wait_until("the new window has taken it over", || {
        desk.status(FLOW)["runner"]["pid"] == window
    });
    assert_eq!(standing(&desk, 0), "running");
    wait_for_title(&desk, "Made by hand");
    desk.screenshot("quit-taken-over");

    // Stop and quit, the second: nothing is left.
    desk.key("ctrl+q");
    desk.key("Tab");
    desk.key("Return");
    assert!(desk.wait_for_end().success());
    desk.wait_until("nothing of it is left", || {
        survivors(&desk).is_empty() && standing(&desk, 0) == "stopped"
    });
    assert!(desk.status(FLOW)["runner"].is_null());
    assert_eq!(desk.read("mill/times.txt"), "once\n", "it ran twice");
}
