//! Collections, workspaces and their catalogs: the behaviours of Data Engine that ours match or beat, by
//! their number in its list, and that the catalog follows the disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use handmill::model::{Catalog, Timestamp, WorkspaceEntry, heading_rank, workspace_name_flaw};
use handmill::runtime::{self, Board, Config, Order, Runtime};
use handmill::store::{self, Home, Scanner};

mod followed;
mod provision;

use followed::Desk;

/// For what surely comes; only a failure takes as long.
const PATIENCE: Duration = Duration::from_secs(60);

fn workfile(title: &str, group: &str, trigger: &str) -> String {
    let mut keys = String::new();
    let mut data = String::new();
    for (id, name, value) in [
        ("t", "title", title),
        ("g", "group", group),
        ("r", "trigger", trigger),
    ] {
        if !value.is_empty() {
            keys.push_str(&format!(
                "<key id=\"{id}\" for=\"graph\" attr.name=\"{name}\" attr.type=\"string\"/>"
            ));
            data.push_str(&format!("<data key=\"{id}\">{value}</data>"));
        }
    }
    format!(
        "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">{keys}\
         <graph edgedefault=\"directed\">{data}<node id=\"a\"/></graph></graphml>\n"
    )
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("it has a folder")).expect("make a folder");
    fs::write(path, text).expect("write a file");
}

/// Every path below a folder, with the bytes of files.
fn tree(folder: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(&at).expect("list a folder") {
            let path = entry.expect("list a folder").path();
            let is_dir = path.is_dir() && !path.is_symlink();
            found.push((
                path.clone(),
                (!is_dir).then(|| fs::read(&path).unwrap_or_default()),
            ));
            if is_dir {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}

fn handmill(home: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_handmill"))
        .args(args)
        .env_remove("HANDMILL_HOME")
        .env_remove("HANDMILL_COLLECTION")
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_DATA_HOME")
        .env("HOME", home)
        .current_dir(home)
        .stdin(Stdio::null())
        .output()
        .expect("start handmill")
}

fn json(output: &Output) -> serde_json::Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text:?}"))
}

fn names(catalog: &Catalog) -> Vec<&str> {
    catalog.workspaces.iter().map(|w| w.name.as_str()).collect()
}

// The numbered behaviours.

#[test]
fn item_33_without_a_collection_nothing_is_left_behind() {
    let dir = tempfile::tempdir().expect("a folder");
    let desk = Desk::start_in(dir.path());
    desk.runtime.handle().send(Order::SetCollection(None));
    desk.runtime.handle().send(Order::LookAgain);
    let board = desk.wait("a board", |board| board.revision > 0);
    assert_eq!(board.catalog.root, None);
    desk.end();
    assert!(tree(dir.path()).is_empty(), "{:?}", tree(dir.path()));
    let told = handmill(dir.path(), &["doctor"]);
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    assert_eq!(told.status.code(), Some(0), "{text}");
    assert!(
        text.contains("Workspace folder is not configured"),
        "{text}"
    );
    assert!(tree(dir.path()).is_empty(), "{:?}", tree(dir.path()));
}

#[test]
fn item_34_each_folder_with_flow_modules_is_a_workspace_and_so_is_a_root_with_its_own() {
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().canonicalize().expect("real").join("mill");
    for folder in ["c/flow_modules", "b/config", "a/flow_modules"] {
        fs::create_dir_all(root.join(folder)).expect("make a folder");
    }
    assert_eq!(names(&store::scan(&root)), ["a", "c"]);
    fs::create_dir(root.join("flow_modules")).expect("make a folder");
    // Named by its folder. The other program says "default", which tells nobody at two such windows which is which;
    // in the shared folder the name that stands there already is used, so both programs see one workspace.
    let alone = store::scan(&root);
    assert_eq!(names(&alone), ["mill"]);
    assert_eq!(*alone.workspaces[0].root, *root);
    let told = handmill(dir.path(), &["ls", "mill", "--json"]);
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(text.contains("mill") && !text.contains("default"), "{text}");
}

#[test]
fn item_35_a_name_that_is_no_file_name_everywhere_is_told_and_not_taken() {
    let long = "x".repeat(65);
    let bad = [
        "", ".", "..", "a/b", "a\\b", "a\0b", "con", "CON", "Lpt1", "nul.txt", "a.", "a ", " a",
        "a\nb", &long,
    ];
    for name in bad {
        assert!(workspace_name_flaw(name).is_some(), "{name:?} was taken");
    }
    for name in [
        "a",
        "claims 2026",
        "Zürich",
        "console",
        "com",
        "com10",
        "a.b",
        &long[..64],
    ] {
        assert_eq!(workspace_name_flaw(name), None, "{name:?} was refused");
    }
    let dir = tempfile::tempdir().expect("a folder");
    for name in ["good", "a\\b", "CON", "dot.", &long] {
        fs::create_dir_all(dir.path().join(name).join("flow_modules")).expect("make a folder");
    }
    let catalog = store::scan(dir.path());
    assert_eq!(names(&catalog), ["good"]);
    let rejected: Vec<_> = catalog.rejected.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(rejected, ["a\\b", "CON", "dot.", &long]);
    assert!(
        catalog
            .rejected
            .iter()
            .all(|r| r.why.starts_with("Rename it: the name") || r.why.contains("Windows"))
    );
    let told = handmill(dir.path(), &["ls", "."]);
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(text.contains("CON: not a workspace"), "{text}");
}

#[test]
fn item_39_one_name_under_two_roots_has_two_local_folders() {
    let dir = tempfile::tempdir().expect("a folder");
    let home = Home::at(dir.path().join("home"));
    let place = |root: &str| {
        let root = dir.path().join(root).join("claims");
        fs::create_dir_all(root.join("flow_modules")).expect("make a folder");
        home.workspace_dir(&store::workspace_id(&root))
    };
    let (one, two) = (place("one"), place("two"));
    assert_ne!(one, two);
    assert_eq!(one, place("one"));
}

#[test]
fn item_45_the_same_text_with_a_new_time_is_not_read_out_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let flow = |n: u32| dir.path().join(format!("w/flow_modules/{n}.graphml"));
    for n in 0..20 {
        put(&flow(n), &workfile(&format!("Flow {n}"), "", ""));
    }
    let mut scanner = Scanner::default();
    // Long after the files were written, a look can be believed.
    let later = Timestamp(runtime::now().0 + 3_600_000_000);
    let first = scanner.scan(dir.path(), later).catalog;
    assert_eq!(
        (scanner.effort().n_read, scanner.effort().n_parsed),
        (20, 20)
    );
    assert_eq!(scanner.scan(dir.path(), later).catalog, first);
    assert_eq!(
        scanner.effort().n_read,
        20,
        "nothing was read a second time"
    );
    let text = fs::read(flow(3)).expect("read");
    fs::write(flow(3), text).expect("touch");
    assert_eq!(scanner.scan(dir.path(), later).catalog, first);
    assert_eq!(
        (scanner.effort().n_read, scanner.effort().n_parsed),
        (21, 20)
    );
    put(&flow(3), &workfile("Another", "", ""));
    let changed = scanner.scan(dir.path(), later).catalog;
    assert_eq!(
        (scanner.effort().n_read, scanner.effort().n_parsed),
        (22, 21)
    );
    assert!(
        changed.workspaces[0]
            .flows
            .iter()
            .any(|flow| flow.title == "Another")
    );
}

#[test]
fn a_change_within_the_grain_of_the_clock_is_seen() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("w/flow_modules/a.graphml");
    put(&file, &workfile("One", "", ""));
    let mut scanner = Scanner::default();
    let title = |scanner: &mut Scanner, now| {
        let catalog = scanner.scan(dir.path(), now).catalog;
        catalog.workspaces[0].flows[0].title.clone()
    };
    let now = runtime::now();
    assert_eq!(title(&mut scanner, now), "One");
    // Same length, and on a coarse clock the same time: only the bytes tell.
    let meta = fs::metadata(&file).expect("there");
    fs::write(&file, workfile("Two", "", "")).expect("write");
    let times = fs::FileTimes::new().set_modified(meta.modified().expect("a time"));
    let open = fs::File::options().write(true).open(&file).expect("open");
    open.set_times(times).expect("set the time");
    assert_eq!(title(&mut scanner, now), "Two");
}

#[test]
fn item_46_a_broken_flow_is_one_entry_with_its_reason_and_the_others_stay() {
    let dir = tempfile::tempdir().expect("a folder");
    let modules = dir.path().join("w/flow_modules");
    put(&modules.join("good.graphml"), &workfile("Good", "", ""));
    put(
        &modules.join("cut.graphml"),
        "<graphml><graph><node id=\"a\"",
    );
    put(&modules.join("empty.wf"), "");
    put(&modules.join("noise.wf"), "\u{1}\u{2}");
    std::os::unix::fs::symlink("nowhere", modules.join("gone.wf")).expect("link");
    let catalog = store::scan(dir.path());
    let told: Vec<(String, bool)> = catalog.workspaces[0]
        .flows
        .iter()
        .map(|flow| (flow.title.clone(), flow.problem.is_some()))
        .collect();
    let is = |name: &str, broken| (name.to_owned(), broken);
    assert_eq!(
        told,
        [
            is("cut", true),
            is("empty", true),
            is("gone", true),
            is("Good", false),
            is("noise", true)
        ]
    );
    for flow in &catalog.workspaces[0].flows {
        assert!(
            flow.problem.as_ref().is_none_or(|why| why.len() > 10),
            "{:?}",
            flow.problem
        );
    }
}

#[test]
fn item_62_groups_stand_by_hand_poll_schedule_then_by_name() {
    let dir = tempfile::tempdir().expect("a folder");
    let modules = dir.path().join("w/flow_modules");
    for (file, group, trigger) in [
        ("1", "zebra", ""),
        ("2", "", "schedule"),
        ("3", "Apple", "poll"),
        ("4", "", "poll"),
        ("5", "", ""),
        ("6", "apple", ""),
    ] {
        put(
            &modules.join(format!("{file}.graphml")),
            &workfile(file, group, trigger),
        );
    }
    put(
        &modules.join("nightly/7.graphml"),
        &workfile("7", "", "schedule"),
    );
    let catalog = store::scan(dir.path());
    let groups: Vec<(String, usize)> = catalog.workspaces[0]
        .groups()
        .map(|(name, flows)| (name.to_owned(), flows.len()))
        .collect();
    let is = |name: &str, n| (name.to_owned(), n);
    assert_eq!(
        groups,
        [
            is("By hand", 1),
            is("Poll", 1),
            is("Schedule", 1),
            is("Apple", 2),
            is("nightly", 1),
            is("zebra", 1)
        ]
    );
    let mut seeds = ["reports", "schedule", "poll", "manual"];
    seeds.sort_by_key(|name| heading_rank(name));
    assert_eq!(seeds, ["manual", "poll", "schedule", "reports"]);
}

#[test]
fn modules_are_listed_beside_flows_and_helpers_are_not() {
    let dir = tempfile::tempdir().expect("a folder");
    let modules = dir.path().join("w/flow_modules");
    for file in [
        "report.py",
        "explore.ipynb",
        "etl/load.py",
        "__init__.py",
        "flow_helpers/tool.py",
        "__pycache__/report.py",
        ".ipynb_checkpoints/explore.ipynb",
        "notes.txt",
    ] {
        put(&modules.join(file), "");
    }
    let told = json(&handmill(dir.path(), &["ls", ".", "--json"]));
    let root = dir
        .path()
        .canonicalize()
        .expect("real")
        .join("w/flow_modules");
    let files = ["etl/load.py", "explore.ipynb", "report.py"].map(|file| root.join(file));
    assert_eq!(told["workspaces"][0]["modules"], serde_json::json!(files));
}

// Which collection.

#[test]
fn the_flag_is_stronger_than_the_variable_and_that_than_the_settings() {
    let dir = tempfile::tempdir().expect("a folder");
    let collection = |name: &str| {
        let root = dir.path().join(name);
        fs::create_dir_all(root.join("w/flow_modules")).expect("make a folder");
        root.display().to_string()
    };
    let (flag, variable, set) = (
        collection("flag"),
        collection("variable"),
        collection("set"),
    );
    let home = dir.path().join("home");
    put(
        &home.join("settings.json"),
        &format!("{{\"version\": 1, \"collection\": {set:?}}}"),
    );
    let doctor = |flag: Option<&str>, variable: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handmill"));
        command
            .args(["doctor", "--json"])
            .env("HANDMILL_HOME", &home);
        command.env_remove("HANDMILL_COLLECTION");
        command.args(flag.map(|flag| format!("--collection={flag}")));
        if let Some(variable) = variable {
            command.env("HANDMILL_COLLECTION", variable);
        }
        let told = json(&command.output().expect("start handmill"));
        let rows = told["rows"].as_array().expect("rows").clone();
        let row = rows
            .iter()
            .find(|row| row["what"] == "collection")
            .expect("a row")
            .clone();
        row["text"].as_str().expect("text").to_owned()
    };
    assert!(doctor(Some(&flag), Some(&variable)).starts_with(&flag));
    let told = doctor(None, Some(&variable));
    assert!(
        told.starts_with(&variable) && told.contains("HANDMILL_COLLECTION"),
        "{told}"
    );
    assert!(doctor(None, None).starts_with(&set));
    assert!(doctor(None, Some("")).starts_with(&set));
}

#[test]
fn doctor_ends_with_1_when_something_does_not_work() {
    let dir = tempfile::tempdir().expect("a folder");
    put(&dir.path().join("c/w/flow_modules/bad.graphml"), "no XML");
    let told = handmill(dir.path(), &["doctor", "--collection", "c"]);
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    assert_eq!(told.status.code(), Some(1), "{text}");
    assert!(text.contains("bad   workspace w"), "{text}");
    assert!(text.contains("handmill check"), "{text}");
}

// The catalog follows the disk.
