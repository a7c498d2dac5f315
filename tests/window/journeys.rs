//! What a person does at a desk, from the first node to the last look, and what must be true meanwhile.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::desk::{Desk, Screen};
use crate::hand::{
    BAKE, FLOW, GRIND, NOWHERE, SOW, empty_flow, new_node, on, retype, standing, survivors,
    wait_for_title,
};

/// Every journey stands on this: were the display or its tools missing, this test would say so alone.
#[test]
fn a_screen_of_our_own_starts_and_its_picture_is_kept() {
    let screen = Screen::start();
    let picture = screen.screenshot("empty-screen");
    let bytes = fs::read(&picture).expect("the picture is there");
    assert!(bytes.starts_with(b"\x89PNG"), "{}", picture.display());
}

#[test]
fn draw_three_nodes_run_break_mend_resume_and_quit() {
    let mut desk = Desk::start_with(|files| empty_flow(&files.join(FLOW)), [FLOW]);
    wait_for_title(&desk, "Made by hand");
    desk.screenshot("1-empty-flow");

    // Draw, connect, save.
    new_node(&desk, SOW, "echo sown >> sown.txt");
    new_node(&desk, GRIND, "echo grinding; cat sown.txt > ground.txt");
    new_node(&desk, BAKE, "echo baked >> baked.txt");
    desk.drag_with(on(SOW), on(GRIND), "3", &[]);
    desk.drag_with(on(GRIND), on(BAKE), "3", &[]);
    desk.key("ctrl+s");
    desk.wait_until("three nodes and two edges are saved", || {
        let text = desk.read(FLOW);
        text.matches("<node ").count() == 3 && text.matches("<edge ").count() == 2
    });
    desk.screenshot("2-drawn-and-saved");

    // Run all, read a log.
    desk.click(NOWHERE.0, NOWHERE.1);
    desk.key("r");
    desk.wait_until("the last node has run", || {
        desk.read("mill/baked.txt") == "baked\n" && standing(&desk, 2) == "ran"
    });
    let (x, y) = on(GRIND);
    desk.click(x, y);
    desk.key("l");
    let log = desk.handmill(["logs", FLOW]);
    let log = String::from_utf8_lossy(&log.stdout).into_owned();
    assert!(log.contains("grinding"), "{log}");
    desk.screenshot("3-ran-log-shown");

    // Break one, and see it fail.
    retype(&desk, GRIND, "echo the stone is worn >&2; exit 3");
    desk.click(NOWHERE.0, NOWHERE.1);
    desk.key("ctrl+r");
    desk.wait_until("the middle fails and the last is skipped", || {
        standing(&desk, 1) == "failed" && standing(&desk, 2) == "skipped"
    });
    desk.click(x, y);
    desk.screenshot("4-failed");
    assert_eq!(desk.read("mill/sown.txt"), "sown\nsown\n");

    // Mend it, and run only what is left.
    retype(&desk, GRIND, "echo grinding; cat sown.txt > ground.txt");
    desk.key("shift+r");
    desk.wait_until("the rest completes", || {
        desk.read("mill/baked.txt") == "baked\nbaked\n" && standing(&desk, 2) == "ran"
    });
    assert_eq!(
        desk.read("mill/sown.txt"),
        "sown\nsown\n",
        "what had succeeded ran again"
    );
    desk.screenshot("5-mended-and-resumed");

    desk.key("ctrl+s");
    desk.key("ctrl+q");
    assert!(desk.wait_for_end().success());
    assert!(
        !desk.read(FLOW).contains("worn"),
        "the mended command is saved"
    );
    assert_eq!(
        (0..3).map(|n| standing(&desk, n)).collect::<Vec<_>>(),
        ["ran"; 3]
    );
}

#[test]
fn after_kill_9_the_run_goes_on_and_the_next_window_takes_it_over() {
    let mut desk = Desk::start_with(|files| empty_flow(&files.join(FLOW)), [FLOW]);
    wait_for_title(&desk, "Made by hand");
    new_node(&desk, SOW, "echo sown >> sown.txt");
    new_node(
        &desk,
        GRIND,
        "echo ready > ready.txt; until test -e go.txt; do sleep 0.05; done",
    );
    desk.drag_with(on(SOW), on(GRIND), "3", &[]);
    desk.key("ctrl+s");
    desk.click(NOWHERE.0, NOWHERE.1);
    desk.key("r");
    desk.wait_until("the second node is running", || {
        desk.read("mill/ready.txt") == "ready\n"
    });
    // What is recorded survives; a result is on record some milliseconds after it is there.
    desk.wait_until("the first is on record", || standing(&desk, 0) == "ran");
    desk.kill();

    desk.start_again([FLOW]);
    desk.wait_until(
        "the first is known to have run, the second to be running",
        || standing(&desk, 0) == "ran" && standing(&desk, 1) == "running",
    );
    wait_for_title(&desk, "Made by hand");
    desk.screenshot("6-taken-over");
    fs::write(desk.files().join("mill/go.txt"), "").expect("let it go on");
    desk.wait_until("the second has run", || standing(&desk, 1) == "ran");
    assert!(survivors(&desk).is_empty(), "its process outlived its end");
    assert_eq!(
        desk.read("mill/sown.txt"),
        "sown\n",
        "what had succeeded ran again"
    );
    assert_eq!(desk.read(FLOW).matches("<node ").count(), 2);
}

#[test]
fn a_window_at_rest_uses_no_processor() {
    let desk = Desk::start_with(|files| empty_flow(&files.join(FLOW)), [FLOW]);
    wait_for_title(&desk, "Made by hand");
    desk.point(NOWHERE.0, NOWHERE.1);
    // What opening set going has ended when a second passes without work.
    let second = Duration::from_secs(1);
    let mut before = desk.cpu_time();
    desk.wait_until("the window comes to rest", || {
        thread::sleep(second);
        let now = desk.cpu_time();
        std::mem::replace(&mut before, now) == now
    });
    // Not a wait for something: this is the time that is measured.
    thread::sleep(10 * second);
    let used = desk.cpu_time() - before;
    assert!(
        used < Duration::from_millis(50),
        "{used:?} of processor time in 10 s"
    );
}
