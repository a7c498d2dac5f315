//! Two workspaces at one desk: what runs in one goes on while the other is shown.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::desk::Desk;
use crate::hand::{is_dirty, wait_for_title};

/// Nodes of the flow that runs.
const N: usize = 200;

fn flow(title: &str, commands: impl Iterator<Item = String>) -> String {
    let mut text = String::from(
        "<?xml version='1.0' encoding='utf-8'?>\n\
         <graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n\
         <key id=\"t\" for=\"graph\" attr.name=\"title\" attr.type=\"string\"/>\n\
         <key id=\"c\" for=\"node\" attr.name=\"label\" attr.type=\"string\"/>\n\
         <key id=\"x\" for=\"node\" attr.name=\"x\" attr.type=\"int\"/>\n\
         <key id=\"y\" for=\"node\" attr.name=\"y\" attr.type=\"int\"/>\n",
    );
    writeln!(
        text,
        "<graph edgedefault=\"directed\"><data key=\"t\">{title}</data>"
    )
    .expect("text");
    for (n, command) in commands.enumerate() {
        let (x, y) = (n / 20 * 240, n % 20 * 90);
        writeln!(
            text,
            "<node id=\"n{n}\"><data key=\"c\">{command}</data>\
             <data key=\"x\">{x}</data><data key=\"y\">{y}</data></node>"
        )
        .expect("text");
    }
    text + "</graph>\n</graphml>\n"
}

fn collection(root: &Path) {
    for name in ["mill", "bakery"] {
        fs::create_dir_all(root.join(name).join("flow_modules")).expect("a workspace");
    }
    let wait = |n| {
        format!(
            "echo {n} &gt;&gt; done.txt; until test -e go.txt; do sleep 0.02; done; echo node {n}"
        )
    };
    let many = flow("Many", (0..N).map(wait));
    fs::write(root.join("mill/flow_modules/many.graphml"), many).expect("a flow");
    let other = flow("Other", ["echo other".to_owned()].into_iter());
    fs::write(root.join("bakery/flow_modules/other.graphml"), other).expect("a flow");
}

/// Goes to a flow by its name, whichever workspace it is in.
fn go_to(desk: &Desk, title: &str) {
    desk.key("ctrl+k");
    desk.type_text(title);
    desk.key("Return");
    wait_for_title(desk, title);
}

#[test]
fn item_40_a_run_and_unsaved_edits_outlive_a_look_at_another_workspace() {
    const MANY: &str = "mill/flow_modules/many.graphml";
    let mut desk = Desk::start_with(collection, ["."]);
    wait_for_title(&desk, "Handmill");
    go_to(&desk, "Many");
    desk.key("ctrl+r");
    desk.wait_until("it runs", || !desk.read("mill/done.txt").is_empty());
    // An edit while it runs, not saved.
    desk.key("n");
    desk.type_text("echo unsaved");
    desk.key("ctrl+Return");
    desk.wait_until("there is an edit", || is_dirty(&desk));
    desk.screenshot("desks-1-mill-runs");

    go_to(&desk, "Other");
    assert!(!is_dirty(&desk), "that is another flow");
    desk.screenshot("desks-2-bakery-is-shown");

    // There and back while it runs: what was left stands there, and the run has not noticed.
    go_to(&desk, "Many");
    assert!(is_dirty(&desk), "the edit is as it was left");
    let status = desk.status(MANY);
    let nodes = status["nodes"].as_array().expect("nodes");
    let running = nodes.iter().filter(|node| node["status"] == "running");
    assert!(running.count() > 0, "it still runs");
    desk.screenshot("desks-3-back-while-it-runs");
    go_to(&desk, "Other");
    fs::write(desk.files().join("mill/go.txt"), "").expect("let them go on");
    desk.wait_until("every node of the mill has run", || {
        let status = desk.status(MANY);
        let nodes = status["nodes"].as_array().map_or(0, |nodes| {
            let ran = |node: &&serde_json::Value| node["status"] == "ran";
            nodes.iter().filter(ran).count()
        });
        nodes == N
    });

    go_to(&desk, "Many");
    assert!(is_dirty(&desk), "the edit is as it was left");
    desk.screenshot("desks-4-back-at-the-mill");
    let lines = desk.read("mill/done.txt");
    assert_eq!(lines.lines().count(), N, "each ran once");

    // The edit of a workspace that is not shown is asked about at the end.
    go_to(&desk, "Other");
    desk.key("ctrl+q");
    desk.screenshot("desks-5-asked-at-the-end");
    desk.key("Return");
    assert!(desk.wait_for_end().success());
    assert!(desk.read(MANY).contains("echo unsaved"), "it was saved");
}
