//! The collection as a person meets it: none at all, one that is followed, a workspace that is set up.

use std::fs;
use std::path::Path;

use crate::desk::Desk;
use crate::hand::{empty_flow, wait_for_title};

/// What lies in a home, but for the files of the desk itself.
fn left_behind(desk: &Desk) -> Vec<String> {
    let entries = fs::read_dir(desk.home()).expect("list the home");
    let names = entries.map(|entry| entry.expect("list the home").file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| !["files", "said.txt", "trust.json"].contains(&name.as_str()))
        .collect()
}

#[test]
fn item_33_a_window_without_a_collection_leaves_nothing_behind() {
    let mut desk = Desk::start([""; 0]);
    wait_for_title(&desk, "Handmill");
    // Looked round, and gone again.
    desk.key("ctrl+k");
    desk.key("Escape");
    desk.screenshot("no-collection");
    desk.key("ctrl+q");
    assert!(desk.wait_for_end().success());
    assert_eq!(left_behind(&desk), [""; 0]);
    assert_eq!(fs::read_dir(desk.files()).expect("list").count(), 0);
}

#[test]
fn a_workspace_is_set_up_from_the_window_and_its_flow_is_found() {
    let desk = Desk::start([""; 0]);
    desk.key("ctrl+k");
    desk.type_text("set up a workspace");
    desk.key("Return");
    desk.key("ctrl+a");
    desk.type_text(&desk.files().join("mill/claims").to_string_lossy());
    desk.key("Return");
    let made = |file: &str| desk.files().join("mill").join(file).exists();
    desk.wait_until("the workspace is set up, and its collection", || {
        made("claims/flow_modules/flow_helpers")
            && made("claims/.vscode/settings.json")
            && made(".vscode/settings.json")
    });
    // A flow that comes from outside is found while the window is open.
    empty_flow(&desk.files().join("mill/claims/flow_modules/late.graphml"));
    desk.wait_until("the settings remember the collection", || {
        let settings = fs::read_to_string(desk.home().join("settings.json")).unwrap_or_default();
        settings.contains("mill")
    });
    desk.key("ctrl+k");
    desk.type_text("made by hand");
    desk.screenshot("set-up");
    desk.key("Return");
    wait_for_title(&desk, "Made by hand");
}

#[test]
fn a_named_collection_is_used_and_not_remembered() {
    let mut desk = Desk::start_with(
        |files: &Path| empty_flow(&files.join("c/mill/flow_modules/a.graphml")),
        ["--collection", "c"],
    );
    desk.key("ctrl+k");
    desk.type_text("made by hand");
    desk.key("Return");
    wait_for_title(&desk, "Made by hand");
    desk.key("ctrl+q");
    assert!(desk.wait_for_end().success());
    let settings = fs::read_to_string(desk.home().join("settings.json")).expect("settings");
    let settings: serde_json::Value = serde_json::from_str(&settings).expect("JSON");
    assert_eq!(settings["collection"], serde_json::Value::Null);
}
