//! Two workstations on one folder, each with a window, a home and a machine id of its own.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::desk::Desk;
use crate::hand::{flow_of, take, wait_for_title};

/// Says under which epoch it began, and ends when it may.
const PATIENT: &str = "echo begun-$HANDMILL_EPOCH &gt;&gt; times.txt; until test -e go.txt; do sleep 0.05; done; \
     echo ended-$HANDMILL_EPOCH &gt;&gt; times.txt";

/// The limits of the protocol, divided: a machine is silent for long enough after 15 s instead of 90.
const QUICK: &[(&str, &str)] = &[("HANDMILL_CONTROL_SCALE", "6")];

/// The workspace in the folder that both share.
struct Mill(PathBuf);

impl Mill {
    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The lines that nodes wrote.
    fn times(&self) -> Vec<String> {
        let text = fs::read_to_string(self.file("times.txt")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// How control stands, as this desk's machine sees it.
    fn seen_from(&self, desk: &Desk) -> Value {
        let path = self.0.to_string_lossy();
        let output = desk.handmill(["control", "status", &*path, "--json"]);
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_default()
    }

    fn has_control(&self, desk: &Desk) -> bool {
        self.seen_from(desk)["has_control"] == true
    }
}

/// Takes an entry that asks first, and waits until its question is drawn in the middle of the window.
fn ask(desk: &Desk, entry: &str) {
    let (x, y) = (600, 600);
    let before = desk.colour_at(x, y);
    take(desk, entry);
    desk.wait_until("it asks", || desk.colour_at(x, y) > before);
}

fn sit_down(folder: &Path, mill: &Mill) -> Desk {
    let flow = mill.file("flow_modules/patient.graphml");
    let desk = Desk::start_sharing(folder, QUICK, [flow]);
    wait_for_title(&desk, "Made by hand");
    desk
}

#[test]
fn control_passes_on_request_and_after_a_crash_and_nothing_runs_twice() {
    let folder = tempfile::tempdir().expect("a folder to share");
    let mill = Mill(folder.path().join("mill"));
    flow_of(&mill.file("flow_modules/patient.graphml"), PATIENT);
    let a = sit_down(folder.path(), &mill);
    let mut b = sit_down(folder.path(), &mill);

    a.key("ctrl+r");
    a.wait_until("the node runs on A", || mill.times() == ["begun-1"]);
    b.wait_until("B sees who has control", || {
        mill.seen_from(&b)["stand"] == "watching"
    });
    // It is not run a second time: B asks for control instead.
    b.key("ctrl+r");
    take(&b, "Request control");
    a.wait_until("A is asked", || {
        mill.seen_from(&a)["requests"]
            .as_array()
            .is_some_and(|asked| asked.len() == 1)
    });
    a.screenshot("two-windows-a-is-asked");
    b.screenshot("two-windows-b-asks");
    assert_eq!(mill.times(), ["begun-1"], "two at once");

    // Handed over by A when its node ends.
    ask(&a, "Hand over control");
    a.key("Return");
    a.wait_until("A gives control up", || {
        mill.seen_from(&a)["stand"] == "leaving"
    });
    a.screenshot("two-windows-a-hands-over");
    fs::write(mill.file("go.txt"), "").expect("written");
    b.wait_until("B has control", || mill.has_control(&b));
    a.screenshot("two-windows-a-watches");
    b.screenshot("two-windows-b-has-control");
    assert_eq!(mill.times(), ["begun-1", "ended-1"]);

    // B runs it, and loses its power.
    fs::remove_file(mill.file("go.txt")).expect("removed");
    b.key("ctrl+r");
    b.wait_until("the node runs on B", || mill.times().len() == 3);
    b.lose_power();
    a.wait_until("A may take over", || {
        mill.seen_from(&a)["text"]
            .as_str()
            .is_some_and(|text| text.contains("Takeover available"))
    });
    ask(&a, "Take over control");
    a.screenshot("two-windows-a-takes-over");
    // Enter alone takes nothing over.
    a.key("shift+Tab");
    a.key("Return");
    a.wait_until("A has control again", || mill.has_control(&a));
    a.key("ctrl+r");
    a.wait_until("the node runs on A again", || mill.times().len() == 4);
    a.screenshot("two-windows-a-goes-on");
    let epochs: Vec<u64> = mill
        .times()
        .iter()
        .filter_map(|line| line.strip_prefix("begun-")?.parse().ok())
        .collect();
    assert!(epochs.is_sorted_by(|a, b| a < b), "{epochs:?}");
    fs::write(mill.file("go.txt"), "").expect("written");
}
