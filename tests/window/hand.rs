//! What the journeys have in common: flows to sit down with, the gestures that draw, and looks at what became
//! of it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::desk::Desk;

/// The flow that is drawn by hand.
pub const FLOW: &str = "mill/flow_modules/made-by-hand.graphml";

/// Free canvas in a window that fills the screen, with every pane open.
pub const NOWHERE: (i32, i32) = (420, 640);
/// Three places for nodes, from left to right.
pub const SOW: (i32, i32) = (330, 200);
pub const GRIND: (i32, i32) = (640, 330);
pub const BAKE: (i32, i32) = (950, 460);

/// It ignores the request to end, and so do its child and a grandchild in a session of its own.
pub const STUBBORN: &str = "trap '' TERM HUP INT; \
    (while :; do sleep 0.1; done) &amp; \
    setsid sh -c 'trap \"\" TERM; (while :; do sleep 0.1; done) &amp; while :; do sleep 0.1; done' &amp; \
    echo ready &gt; ready.txt; while :; do sleep 0.1; done";

/// Writes a flow that holds nothing.
pub fn empty_flow(path: &Path) {
    fs::create_dir_all(path.parent().expect("it has a folder")).expect("make the workspace");
    let text = "<?xml version='1.0' encoding='utf-8'?>\n\
        <graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n\
        \x20 <key id=\"d0\" for=\"graph\" attr.name=\"title\" attr.type=\"string\" />\n\
        \x20 <graph edgedefault=\"directed\">\n\
        \x20   <data key=\"d0\">Made by hand</data>\n\
        \x20 </graph>\n</graphml>\n";
    fs::write(path, text).expect("write the flow");
}

/// Waits until the window shows a flow of this title, or file.
pub fn wait_for_title(desk: &Desk, part: &str) {
    desk.wait_until("the flow is open", || desk.title().contains(part));
}

/// A place on the node that was made at `place`, whether that became its corner or its middle.
pub fn on(place: (i32, i32)) -> (i32, i32) {
    (place.0 + 60, place.1 + 16)
}

/// Makes a node by a double-click on free canvas.
pub fn new_node(desk: &Desk, place: (i32, i32), command: &str) {
    desk.double_click(place.0, place.1);
    desk.type_text(command);
    desk.key("ctrl+Return");
}

/// Types another command into a node.
pub fn retype(desk: &Desk, place: (i32, i32), command: &str) {
    let (x, y) = on(place);
    desk.click(x, y);
    desk.key("Return");
    desk.key("ctrl+a");
    desk.type_text(command);
    desk.key("ctrl+Return");
}

/// Status of the n-th node of the file, as the command line tells it.
pub fn standing(desk: &Desk, n: usize) -> String {
    let status = desk.status(FLOW);
    let word = status["nodes"][n]["status"].as_str();
    word.map_or_else(|| Value::to_string(&status), str::to_owned)
}

/// Processes that nodes of this desk's flows started and that still live.
pub fn survivors(desk: &Desk) -> Vec<u32> {
    let files = desk.files();
    let marked = |pid: &u32| {
        // A process that ends meanwhile has no environment to read, and is none that survives.
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let settings: Vec<&[u8]> = environ.split(|byte| *byte == 0).collect();
        let of_a_node = settings
            .iter()
            .any(|s| s.starts_with(b"HANDMILL_NODE_RUN="));
        let ours = settings.iter().any(|s| {
            s.strip_prefix(b"HANDMILL_WORKSPACE=")
                .is_some_and(|root| Path::new(&*String::from_utf8_lossy(root)).starts_with(&files))
        });
        of_a_node && ours
    };
    let entries = fs::read_dir("/proc").expect("read /proc");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(marked).collect()
}

/// Selects a node by its name, as a person who looks for it.
pub fn find_node(desk: &Desk, name: &str) {
    desk.key("ctrl+f");
    desk.type_text(name);
    desk.key("Return");
}

/// Opens another workfile by typing its path.
pub fn open_path(desk: &Desk, path: &Path) {
    desk.key("o");
    desk.key("ctrl+a");
    desk.type_text(&path.to_string_lossy());
    desk.key("Return");
}

/// True while the shown flow has edits that are not saved.
pub fn is_dirty(desk: &Desk) -> bool {
    desk.title().starts_with('•')
}

/// Writes a flow of one node; `command` is written as XML has it.
pub fn flow_of(path: &Path, command: &str) {
    empty_flow(path);
    let text = fs::read_to_string(path).expect("it was just written");
    let text = text
        .replace(
            "  <graph ",
            "  <key id=\"d1\" for=\"node\" attr.name=\"label\" attr.type=\"string\" />\n  \
             <key id=\"d2\" for=\"node\" attr.name=\"x\" attr.type=\"double\" />\n  \
             <key id=\"d3\" for=\"node\" attr.name=\"y\" attr.type=\"double\" />\n  <graph ",
        )
        .replace(
            "  </graph>",
            &format!(
                "    <node id=\"only\">\n      <data key=\"d1\">{command}</data>\n      \
                 <data key=\"d2\">0</data>\n      <data key=\"d3\">0</data>\n    </node>\n  </graph>"
            ),
        );
    fs::write(path, text).expect("write the flow");
}

/// Takes an entry of the palette by its name.
pub fn take(desk: &Desk, name: &str) {
    desk.key("ctrl+k");
    desk.type_text(name);
    desk.key("Return");
}
