//! What becomes of the file: opened, changed, undone, copied from, closed, and changed by others meanwhile.

use std::fs;
use std::path::Path;

use crate::desk::Desk;
use crate::hand::{
    FLOW, GRIND, SOW, empty_flow, find_node, is_dirty, new_node, on, open_path, standing,
    wait_for_title,
};
use crate::shared::shared_dir;

/// A flow in the form that Workforce 1.0 writes: results and logs among the authored, keys counted downwards,
/// everything a string.
const WORKFORCE: &str = r#"<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
  <key id="d7" for="edge" attr.name="edge_type" attr.type="string" />
  <key id="d6" for="edge" attr.name="id" attr.type="string" />
  <key id="d5" for="node" attr.name="log" attr.type="string" />
  <key id="d4" for="node" attr.name="status" attr.type="string" />
  <key id="d3" for="node" attr.name="y" attr.type="string" />
  <key id="d2" for="node" attr.name="x" attr.type="string" />
  <key id="d1" for="node" attr.name="label" attr.type="string" />
  <key id="d0" for="graph" attr.name="wrapper" attr.type="string" />
  <graph edgedefault="directed">
    <node id="5b0c1a52-1f0e-4a51-8f0a-3f4c9b1f7d01">
      <data key="d1">echo "$MILL sows" &gt;&gt; sown.txt</data>
      <data key="d2">40.0</data>
      <data key="d3">60</data>
      <data key="d4">ran</data>
      <data key="d5">STDOUT:
sown long ago


STDERR:
</data>
    </node>
    <node id="5b0c1a52-1f0e-4a51-8f0a-3f4c9b1f7d02">
      <data key="d1">echo "$MILL grinds" &gt;&gt; ground.txt</data>
      <data key="d2">280.5</data>
      <data key="d3">60</data>
      <data key="d4">fail</data>
      <data key="d5">STDOUT:


STDERR:
the stone is worn
</data>
    </node>
    <node id="5b0c1a52-1f0e-4a51-8f0a-3f4c9b1f7d03">
      <data key="d1">echo "$MILL bakes" &gt;&gt; baked.txt</data>
      <data key="d2">520</data>
      <data key="d3">60</data>
      <data key="d4" />
    </node>
    <edge source="5b0c1a52-1f0e-4a51-8f0a-3f4c9b1f7d01" target="5b0c1a52-1f0e-4a51-8f0a-3f4c9b1f7d02">
      <data key="d6">e1</data>
      <data key="d7">blocking</data>
    </edge>
    <edge source="5b0c1a52-1f0e-4a51-8f0a-3f4c9b1f7d02" target="5b0c1a52-1f0e-4a51-8f0a-3f4c9b1f7d03">
      <data key="d6">e2</data>
      <data key="d7">blocking</data>
    </edge>
    <data key="d0">env MILL=stone bash -c {}</data>
  </graph>
</graphml>
"#;

#[test]
fn a_workforce_file_opens_moves_and_resumes_from_its_own_results() {
    let desk = Desk::start_with(|files| write(&files.join(FLOW), WORKFORCE), [FLOW]);
    wait_for_title(&desk, "made-by-hand");
    desk.wait_until("its results are imported", || {
        (0..3).map(|n| standing(&desk, n)).collect::<Vec<_>>() == ["ran", "failed", "idle"]
    });
    find_node(&desk, "bakes");
    desk.key("alt+Right");
    desk.key("ctrl+s");
    desk.wait_until("the move is saved", || desk.read(FLOW) != WORKFORCE);
    assert_only_node_changed(WORKFORCE, &desk.read(FLOW), "7d03");
    desk.screenshot("workforce-file");

    desk.key("Escape");
    desk.key("shift+r");
    desk.wait_until("what is left has run", || standing(&desk, 2) == "ran");
    assert_eq!(desk.read("mill/ground.txt"), "stone grinds\n");
    assert_eq!(desk.read("mill/baked.txt"), "stone bakes\n");
    assert_eq!(
        desk.read("mill/sown.txt"),
        "",
        "what had succeeded ran again"
    );
}

#[test]
fn real_workforce_files_change_only_where_a_node_moved() {
    let Some(shared) = shared_dir() else { return };
    let names = [
        "made-1.0.41-run-fail.graphml",
        "made-1.1.23-run-diamond-pass.wf",
        "repo-2025-echo_three_ran.graphml",
        "repo-v1.1.10-Workfile.graphml",
        "repo-v1.1.19-Workfile.graphml",
        "repo-HEAD-Workfile.graphml",
    ];
    let lay_out = |files: &Path| {
        for name in names {
            let to = files.join(name);
            let from = shared.join("fixtures/workforce").join(name);
            fs::copy(&from, to).unwrap_or_else(|why| panic!("copy {}: {why}", from.display()));
        }
    };
    let desk = Desk::start_with(lay_out, [names[0]]);
    for (n, name) in names.iter().enumerate() {
        let stem = Path::new(name).file_stem().expect("it has a stem");
        if n > 0 {
            open_path(&desk, &desk.files().join(name));
        }
        wait_for_title(&desk, &stem.to_string_lossy());
        let before = desk.read(name);
        let status = desk.status(name);
        let node = status["nodes"][0].clone();
        let (id, label) = (
            node["id"].as_str().expect("a node"),
            node["name"].as_str().expect("its name"),
        );
        // Enough of it to be found, and nothing that a keyboard would have to shift layers for.
        let part: String = label
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || " -_.".contains(*c))
            .collect();
        assert!(!part.is_empty(), "{name}: {label}");
        find_node(&desk, &part);
        desk.key("alt+Down");
        desk.wait_until(&format!("{name} has an edit"), || is_dirty(&desk));
        desk.key("ctrl+s");
        desk.wait_until(&format!("{name} is saved"), || !is_dirty(&desk));
        let after = desk.read(name);
        assert_ne!(before, after, "{name}");
        let moved = changed_nodes(&before, &after);
        assert_eq!(moved.len(), 1, "{name}: {moved:?}");
        let twin = status["nodes"].as_array().expect("nodes").iter().any(|n| {
            n["id"] == moved[0].as_str() && n["name"].as_str().is_some_and(|n| n.contains(&part))
        });
        assert!(moved[0] == id || twin, "{name}: {moved:?} moved, not {id}");
        desk.screenshot(&format!("workforce-{}", stem.to_string_lossy()));
    }
}

#[test]
fn undo_reaches_back_to_the_open_and_redo_to_the_last_edit() {
    let desk = Desk::start_with(|files| empty_flow(&files.join(FLOW)), [FLOW]);
    wait_for_title(&desk, "Made by hand");
    let opened = desk.read(FLOW);
    let parts = |desk: &Desk| {
        let text = desk.read(FLOW);
        (
            text.matches("<node ").count(),
            text.matches("<edge ").count(),
        )
    };
    new_node(&desk, SOW, "echo sown");
    new_node(&desk, GRIND, "echo ground");
    desk.drag_with(on(SOW), on(GRIND), "3", &[]);
    desk.wait_until("there are edits", || is_dirty(&desk));
    // More often than there is something to undo: the rest does nothing.
    let all = 8;
    for _ in 0..all {
        desk.key("ctrl+z");
    }
    desk.wait_until("nothing is left to save", || !is_dirty(&desk));
    desk.key("ctrl+s");
    for _ in 0..all {
        desk.key("ctrl+shift+z");
    }
    desk.wait_until("the edits are back", || is_dirty(&desk));
    assert_eq!(desk.read(FLOW), opened, "saved what was undone");
    desk.key("ctrl+s");
    desk.wait_until("they are saved", || parts(&desk) == (2, 1));
    desk.wait_until("and known to be", || !is_dirty(&desk));

    // A save is no wall: undo goes back beyond it.
    for _ in 0..all {
        desk.key("ctrl+z");
    }
    desk.key("ctrl+s");
    desk.wait_until("the flow is empty again", || parts(&desk) == (0, 0));
}

#[test]
fn copied_nodes_are_pasted_into_another_flow() {
    const OTHER: &str = "mill/flow_modules/other.graphml";
    let lay_out = |files: &Path| {
        empty_flow(&files.join(FLOW));
        write(&files.join(OTHER), WORKFORCE);
    };
    let desk = Desk::start_with(lay_out, [FLOW]);
    wait_for_title(&desk, "Made by hand");
    new_node(&desk, SOW, "echo sown");
    new_node(&desk, GRIND, "echo ground");
    desk.drag_with(on(SOW), on(GRIND), "3", &[]);
    desk.key("ctrl+a");
    desk.key("ctrl+c");
    desk.key("ctrl+s");
    desk.wait_until("it is saved", || desk.read(FLOW).contains("<edge "));
    open_path(&desk, &desk.files().join(OTHER));
    wait_for_title(&desk, "other");
    desk.key("ctrl+v");
    desk.wait_until("something was pasted", || is_dirty(&desk));
    desk.screenshot("pasted");
    desk.key("ctrl+s");
    desk.wait_until("it is saved", || !is_dirty(&desk));
    let text = desk.read(OTHER);
    assert_eq!(text.matches("<node ").count(), 5, "{text}");
    assert_eq!(text.matches("<edge ").count(), 3, "{text}");
    assert!(text.contains("echo sown") && text.contains("echo ground"));
}

#[test]
fn closing_with_unsaved_edits_asks_and_does_as_answered() {
    let mut desk = Desk::start_with(|files| empty_flow(&files.join(FLOW)), [FLOW]);
    wait_for_title(&desk, "Made by hand");
    let n_nodes = |desk: &Desk| desk.read(FLOW).matches("<node ").count();

    // Cancel: everything goes on.
    new_node(&desk, SOW, "echo sown");
    desk.key("ctrl+q");
    desk.screenshot("close-asks");
    desk.key("Escape");
    assert_eq!(n_nodes(&desk), 0, "saved without being told to");
    desk.key("ctrl+s");
    desk.wait_until("the window goes on and saves", || n_nodes(&desk) == 1);

    // Save, the first answer.
    new_node(&desk, GRIND, "echo ground");
    desk.key("ctrl+q");
    desk.key("Return");
    assert!(desk.wait_for_end().success());
    assert_eq!(n_nodes(&desk), 2);

    // Don't save, the second.
    desk.start_again([FLOW]);
    wait_for_title(&desk, "Made by hand");
    desk.key("ctrl+a");
    desk.key("d");
    desk.wait_until("there is an edit", || is_dirty(&desk));
    desk.key("ctrl+q");
    desk.key("Tab");
    desk.key("Return");
    assert!(desk.wait_for_end().success());
    assert_eq!(n_nodes(&desk), 2);
}

#[test]
fn what_another_program_wrote_is_merged_and_not_overwritten() {
    let desk = Desk::start_with(|files| empty_flow(&files.join(FLOW)), [FLOW]);
    wait_for_title(&desk, "Made by hand");
    new_node(&desk, SOW, "echo sown");
    desk.wait_until("there is an edit", || is_dirty(&desk));
    write(&desk.files().join(FLOW), WORKFORCE);
    desk.key("ctrl+s");
    // Jobs of the saver are done in order: when the copy is there, the save before it was decided.
    desk.key("ctrl+shift+s");
    desk.key("ctrl+a");
    let copy = desk.files().join("mill/flow_modules/copy.graphml");
    desk.type_text(&copy.to_string_lossy());
    desk.screenshot("changed-outside");
    desk.key("Return");
    desk.wait_until("a copy is saved", || {
        desk.read("mill/flow_modules/copy.graphml")
            .contains("echo sown")
    });
    // Whether the merge came before the save or after it, what the other program wrote is there.
    for command in ["MILL sows", "MILL grinds"] {
        assert!(desk.read(FLOW).contains(command), "{command} is lost");
    }
}

#[test]
fn letters_that_are_being_typed_outlive_a_kill_of_the_window() {
    let mut desk = Desk::start_with(|files| empty_flow(&files.join(FLOW)), [FLOW]);
    wait_for_title(&desk, "Made by hand");
    new_node(&desk, SOW, "echo sown");
    desk.key("ctrl+s");
    desk.wait_until("it is saved", || desk.read(FLOW).contains("echo sown"));
    desk.wait_until("and known to be", || !is_dirty(&desk));
    let journals = desk.home().join("journals");
    let kept = || -> String {
        let files = fs::read_dir(&journals).into_iter().flatten().flatten();
        let texts = files.filter_map(|file| fs::read(file.path()).ok());
        texts
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .collect()
    };
    let (x, y) = on(SOW);
    desk.double_click(x, y);
    desk.type_text(" and reaped");
    // The field is open still.
    desk.wait_until("the letters are on the disk", || {
        kept().contains("and reaped")
    });
    desk.kill();
    assert!(!desk.read(FLOW).contains("reaped"), "nobody saved");
    desk.start_again([FLOW]);
    wait_for_title(&desk, "Made by hand");
    desk.screenshot("typed-and-killed");
    assert!(kept().contains("and reaped"), "kept until it is answered");
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("it has a folder")).expect("make the workspace");
    fs::write(path, text).expect("write the flow");
}

#[track_caller]
fn assert_only_node_changed(before: &str, after: &str, id: &str) {
    let changed = changed_nodes(before, after);
    assert!(changed.len() == 1 && changed[0].ends_with(id), "{after}");
}

/// Ids of the nodes on whose lines two texts differ; `outside` stands for a line of no node.
#[track_caller]
fn changed_nodes(before: &str, after: &str) -> Vec<String> {
    assert_eq!(
        before.lines().count(),
        after.lines().count(),
        "lines came or went:\n{after}"
    );
    let mut node = "outside".to_owned();
    let mut changed = Vec::new();
    for (old, new) in before.lines().zip(after.lines()) {
        if let Some((_, rest)) = old.split_once("<node id=\"") {
            node = rest.split('"').next().unwrap_or_default().to_owned();
        }
        if old != new && changed.last() != Some(&node) {
            changed.push(node.clone());
        }
        if old.contains("</node>") {
            node = "outside".to_owned();
        }
    }
    changed
}
