//! A disk of 8 MB that is full while a run goes on: nodes go on to their ends, the loss is told with file and cause,
//! and when there is room again logs and run history are written again.
//!
//! The disk is a file system in memory, in a mount namespace of its own. The test starts itself again in there.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use handmill::model::{Choice, Event, Flow, NodeStatus, Outcome};
use handmill::runtime::{Order, query};
use handmill::store::{self, Home};

use crate::flows;
use crate::place::{BINARY, Face, LIMIT};

/// Set in the process that has the small disk: the folder that it is mounted in.
const FOLDER_OF_CHILD: &str = "HANDMILL_TEST_FULL_DISK";

const TEST: &str =
    "full_disk::nodes_go_on_while_the_disk_is_full_and_all_is_told_and_well_again_after_it";

/// Nodes that print while the disk is full, and after that.
const FULL: usize = 24;
const AFTER: usize = 6;
const PRINTED: &str = "a line of what a node prints";

#[test]
fn nodes_go_on_while_the_disk_is_full_and_all_is_told_and_well_again_after_it() {
    if let Some(folder) = std::env::var_os(FOLDER_OF_CHILD) {
        let folder = PathBuf::from(folder);
        a_run_of_the_command_line(&folder.join("cli"));
        a_run_of_the_window(&folder.join("window"));
        a_run_that_ends_on_a_full_disk(&folder.join("end"));
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join("disk")).expect("a folder");
    let mount = "mount -t tmpfs -o size=8m,mode=700 tmpfs \"$1\"/disk && shift && exec \"$@\"";
    let inside = |ways: &[&str]| {
        let mut words = ways.iter();
        let mut command = Command::new(words.next().expect("a program"));
        command
            .args(words)
            .args(["sh", "-c", mount, "sh"])
            .arg(dir.path());
        command
    };
    // An ordinary user needs a user namespace for that; root in a container may have none.
    let ways: [&[&str]; 2] = [
        &["unshare", "--user", "--map-root-user", "--mount"],
        &["unshare", "--mount"],
    ];
    let tried = ways.map(|way| {
        inside(way)
            .arg("true")
            .output()
            .expect("unshare of util-linux")
    });
    let way = tried.iter().position(|out| out.status.success());
    let Some(way) = way else {
        let said = tried.map(|out| String::from_utf8_lossy(&out.stderr).trim().to_owned());
        panic!(
            "A disk of 8 MB can be mounted neither in a user namespace ({}) nor as root ({}): allow one of both.",
            said[0], said[1]
        );
    };
    let out = inside(ways[way])
        .arg(std::env::current_exe().expect("the test binary"))
        .args(["--exact", "--nocapture", "--test-threads=1", TEST])
        .env(FOLDER_OF_CHILD, dir.path())
        .output()
        .expect("the test binary starts");
    let said = String::from_utf8_lossy(&out.stdout);
    let complaint = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{said}\n{complaint}");
}

/// A flow on a large disk, whose history and logs are on the small one.
struct Place {
    dir: PathBuf,
    home: PathBuf,
    before: Vec<u8>,
}

impl Place {
    fn new(dir: &Path, flow: &Flow) -> Self {
        fs::create_dir_all(dir).expect("a folder");
        let disk = dir.parent().expect("the folder of all").join("disk");
        let home = disk.join(dir.file_name().expect("a name"));
        store::save(&dir.join("flow.graphml"), flow, None).expect("saved");
        for name in ["begun", "done"] {
            fs::write(dir.join(name), "").expect("written");
        }
        let before = fs::read(dir.join("flow.graphml")).expect("read");
        Self {
            dir: dir.to_owned(),
            home,
            before,
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .args(args)
            .env("HANDMILL_HOME", &self.home)
            .current_dir(&self.dir)
            .stdin(Stdio::null());
        command
    }

    /// A run of the command line, and the file with what it says.
    fn run(&self, args: &[&str]) -> (Child, PathBuf) {
        let said = self.dir.join("said");
        let mut command = self.command(args);
        command
            .stdout(Stdio::null())
            .stderr(File::create(&said).expect("made"));
        (command.spawn().expect("handmill starts"), said)
    }

    #[track_caller]
    fn await_begun(&self, node: &str) {
        let from = Instant::now();
        let begun = || fs::read_to_string(self.dir.join("begun")).expect("read");
        while !begun().lines().any(|line| line == node) {
            assert!(from.elapsed() < LIMIT, "{node} never began");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn open(&self, gate: &str) {
        fs::write(self.dir.join(gate), "").expect("written");
    }

    /// Leaves no byte of room.
    fn fill(&self) {
        let mut file = File::create(self.ballast()).expect("made");
        while file.write(&[0; 4096]).is_ok_and(|n| n > 0) {}
        let full = file.write(&[0]).expect_err("no room is left");
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    }

    fn make_room(&self) {
        fs::remove_file(self.ballast()).expect("removed");
    }

    fn ballast(&self) -> PathBuf {
        self.home.parent().expect("the disk").join("ballast")
    }

    /// Statuses of the last run's nodes, and how it ended.
    fn record(&self) -> (Outcome, Vec<(String, NodeStatus)>) {
        let home = Home::at(&self.home);
        let flow = store::locate(&self.dir.join("flow.graphml")).expect("located");
        let (workspace, _) = query::open(&home, &flow).expect("opens");
        let record = query::record(&home, &workspace, &flow, 1).expect("read");
        let nodes = record.past.nodes.into_iter();
        let mut nodes: Vec<_> = nodes.map(|(id, s)| (id.to_string(), s.status)).collect();
        nodes.sort();
        let newest = record.history.first().expect("a run");
        (newest.outcome.expect("it has ended"), nodes)
    }

    fn log(&self, node: &str) -> String {
        let out = self.command(&["logs", "flow.graphml", node]).output();
        let out = out.expect("handmill starts");
        assert!(out.status.success(), "{out:?}");
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    /// What must hold after a run that met a full disk and outlived it.
    fn check(&self, told: &[String]) {
        let (outcome, nodes) = self.record();
        assert_eq!(outcome, Outcome::Succeeded);
        assert_eq!(nodes.len(), 3 + FULL + AFTER);
        for (node, status) in &nodes {
            assert_eq!(*status, NodeStatus::Ran, "{node}");
        }
        let done = fs::read_to_string(self.dir.join("done")).expect("read");
        assert_eq!(done.lines().count(), FULL + AFTER, "each node ran once");

        let disk = self.home.display().to_string();
        let cause = "No space left on device";
        for what in [
            "What nodes print is being lost",
            "The run history cannot be written",
        ] {
            let sentence = told.iter().find(|text| text.contains(what));
            let sentence = sentence.unwrap_or_else(|| panic!("no ‘{what}’: {told:#?}"));
            assert!(sentence.contains(&disk), "it names the file: {sentence}");
            let full = sentence.contains(cause) || sentence.contains("full");
            assert!(full, "it names the cause: {sentence}");
        }
        for what in [
            "Logs are written again",
            "The run history is written again; nothing was lost",
        ] {
            assert!(
                told.iter().any(|text| text.contains(what)),
                "{what}: {told:#?}"
            );
        }

        let mut n_short = 0;
        for node in 0..FULL {
            let log = self.log(&format!("full{node}"));
            let gap = log.contains("bytes are missing here: No space left on device");
            let lines = log.lines().filter(|line| *line == PRINTED).count();
            assert!(
                gap || lines == 200,
                "full{node} has {lines} lines and says nothing"
            );
            n_short += usize::from(gap);
        }
        assert!(n_short > 0, "nothing was lost, so nothing was shown");
        for node in 0..AFTER {
            let log = self.log(&format!("after{node}"));
            assert_eq!(log.lines().filter(|line| *line == PRINTED).count(), 200);
            assert!(!log.contains("missing"), "{log}");
        }
        assert_eq!(
            fs::read(self.dir.join("flow.graphml")).expect("read"),
            self.before
        );
    }
}

/// `first` waits for the disk to be full, `second` for room.
fn flow() -> Flow {
    let gate = |name: &str| {
        format!(
            "echo here; echo {name} >>begun; while [ ! -e {name} ]; do sleep 0.02; done; echo on"
        )
    };
    let print = |id: &str| {
        format!("for n in $(seq 200); do echo '{PRINTED}' || exit 1; done; echo {id} >>done")
    };
    let full: Vec<String> = (0..FULL).map(|n| format!("full{n}")).collect();
    let after: Vec<String> = (0..AFTER).map(|n| format!("after{n}")).collect();
    let mut nodes = vec![
        ("first".to_owned(), gate("first")),
        ("second".to_owned(), gate("second")),
        ("last".to_owned(), "echo done".to_owned()),
    ];
    let mut edges = Vec::new();
    for id in &full {
        nodes.push((id.clone(), print(id)));
        edges.extend([("first", id.as_str()), (id, "second")]);
    }
    for id in &after {
        nodes.push((id.clone(), print(id)));
        edges.extend([("second", id.as_str()), (id, "last")]);
    }
    let nodes: Vec<(&str, &str)> = nodes.iter().map(|(id, c)| (&**id, &**c)).collect();
    flows::flow(&nodes, &edges)
}

fn a_run_of_the_command_line(dir: &Path) {
    let place = Place::new(dir, &flow());
    let (mut run, said) = place.run(&["run", "--jobs", "4", "flow.graphml"]);
    place.await_begun("first");
    place.fill();
    place.open("first");
    place.await_begun("second");
    place.make_room();
    place.open("second");
    let code = run.wait().expect("waited for");
    let told = fs::read_to_string(said).expect("read");
    assert_eq!(code.code(), Some(0), "{told}");
    let told: Vec<String> = told.lines().map(str::to_owned).collect();
    place.check(&told);
}

/// A window without a screen; its nodes are children of the sitter.
fn a_run_of_the_window(dir: &Path) {
    let place = Place::new(dir, &flow());
    let face = Face::at(&place.dir, &place.home, "window", BINARY.into());
    face.open(&face.flow, &face.frozen);
    face.run(Choice::Auto);
    place.await_begun("first");
    place.fill();
    place.open("first");
    place.await_begun("second");
    place.make_room();
    place.open("second");
    let mut told = until_the_end(&face.events);
    let events = face.end(Order::ShutDown);
    told.extend(events.try_iter().filter_map(|event| sentence(&event)));
    place.check(&told);
}

/// What was told until the run ended.
fn until_the_end(events: &Receiver<Arc<Event>>) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        let event = match events.recv_timeout(LIMIT) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => panic!("the run does not end; told: {told:#?}"),
            Err(RecvTimeoutError::Disconnected) => panic!("the runtime ended"),
        };
        told.extend(sentence(&event));
        match &*event {
            Event::RunRefused { notice, .. } => panic!("{}", notice.what),
            Event::RunFinished { .. } => return told,
            _ => {}
        }
    }
}

fn sentence(event: &Event) -> Option<String> {
    match event {
        Event::Told(notice) => Some(notice.what.to_string()),
        _ => None,
    }
}

/// No room comes back before the program ends: it says what is not written down, and when there is room the next
/// start finds a run that was interrupted, and runs.
fn a_run_that_ends_on_a_full_disk(dir: &Path) {
    let line = "echo first >>begun; while [ ! -e first ]; do sleep 0.02; done; echo on";
    let place = Place::new(
        dir,
        &flows::flow(
            &[("first", line), ("then", "echo then")],
            &[("first", "then")],
        ),
    );
    let (mut run, said) = place.run(&["run", "flow.graphml"]);
    place.await_begun("first");
    place.fill();
    place.open("first");
    run.wait().expect("waited for");
    let told = fs::read_to_string(&said).expect("read");
    let lost = "The end of what ran is not in the run history";
    let sentence = told.lines().find(|line| line.contains(lost));
    let sentence = sentence.unwrap_or_else(|| panic!("no ‘{lost}’: {told}"));
    assert!(
        sentence.contains(&place.home.display().to_string()),
        "{sentence}"
    );
    assert!(sentence.contains("full"), "{sentence}");

    // Nothing starts whose logs have no place; it says so.
    let refused = place.command(&["run", "flow.graphml"]).output();
    let refused = refused.expect("handmill starts");
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        why.contains("No space left") || why.contains("no space is left"),
        "{why}"
    );
    assert!(why.contains(&place.home.display().to_string()), "{why}");

    place.make_room();
    let (outcome, _) = place.record();
    assert_eq!(outcome, Outcome::Interrupted);
    let again = place.command(&["run", "flow.graphml"]).output();
    let again = again.expect("handmill starts");
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    let (outcome, nodes) = place.record();
    assert_eq!(outcome, Outcome::Succeeded);
    assert!(
        nodes.iter().all(|(_, status)| *status == NodeStatus::Ran),
        "{nodes:?}"
    );
    assert_eq!(place.log("then").trim(), "then");
    assert_eq!(
        fs::read(place.dir.join("flow.graphml")).expect("read"),
        place.before
    );
}
