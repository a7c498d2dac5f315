//! The kill switch over children that do not want to end.

use std::fs;
use std::sync::Arc;

use handmill::model::{Choice, Event, Outcome};
use handmill::runtime::{KillScope, Manner, Order};
use handmill::store;

use crate::flows;
use crate::place::{Place, wait};

#[test]
fn item_70_the_kill_switch_asks_first_and_leaves_no_survivor_of_any_kind() {
    let nasty = [
        (
            "ignores",
            "trap '' TERM INT HUP; echo $$ >p0; while :; do sleep 1; done",
        ),
        (
            "daemon",
            "(setsid sh -c 'echo $$ >p1; trap \"\" TERM; while :; do sleep 1; done' &) ; sleep 1000",
        ),
        ("stops itself", "echo $$ >p2; kill -STOP $$; sleep 1000"),
        (
            "forks",
            "echo $$ >p3; trap '' TERM; while :; do sleep 0.05 & sleep 0.01; done",
        ),
        ("closes", "exec <&- >&- 2>&-; echo $$ >p4; sleep 1000"),
        (
            "forgets",
            "(env -i setsid sh -c 'echo $$ >p5; while :; do /bin/sleep 1; done' >/dev/null 2>&1 &); sleep 1000",
        ),
        (
            "heeds",
            "trap 'echo asked >asked; exit 0' TERM; echo $$ >p6; while :; do sleep 0.05; done",
        ),
    ];
    let place = Place::new(&flows::flow(&nasty, &[]));
    let face = {
        let mut face = place.face("window");
        face.handle.send(Order::Configure(Manner {
            slots: Some(10),
            ..Manner::default()
        }));
        face.frozen = Arc::new(flows::flow(&nasty, &[]));
        face
    };
    face.run(Choice::Full);
    let pid = |n: usize| {
        let text = fs::read_to_string(place.path(&format!("p{n}"))).unwrap_or_default();
        text.trim().parse::<u32>().ok()
    };
    wait("all of them", || (0..nasty.len()).all(|n| pid(n).is_some()));
    let pids: Vec<u32> = (0..nasty.len()).filter_map(pid).collect();
    face.handle.send(Order::Kill(KillScope::Everything));
    assert_eq!(face.outcome(), Outcome::Stopped);
    // Who listens has the time to put things in order.
    let asked = fs::read_to_string(place.path("asked")).unwrap_or_default();
    assert_eq!(asked, "asked\n");
    let told = face.next("what was ended", |event| match event {
        Event::Told(notice) => Some(notice.what.to_string()),
        _ => None,
    });
    assert!(told.starts_with("Ended 7 nodes ("), "{told}");
    let figure = told.split(" in ").nth(1).unwrap_or_default();
    let figure = figure.split(':').next().unwrap_or_default();
    // It tells how long it took, and would be a warning were it longer than `KILL_WITHIN`.
    assert!(figure.ends_with('s'), "{told}");
    assert!(told.contains("echo $$ >p2; kill -STOP $$; s…"), "{told}");
    place.await_none("node");
    for pid in pids {
        wait("a process without a mark", || {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        });
    }
    face.end(Order::ShutDown);
}

/// Keeps a process from ending: under such a watch it stops at its exit, and no second kill is heard.
/// Ends the watch when dropped.
struct Hold(std::process::Child);

impl Hold {
    fn of(pid: u32) -> Self {
        use std::io::Read as _;
        let script = "import ctypes, sys\n\
            c = ctypes.CDLL(None)\n\
            c.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]\n\
            SEIZE, TRACEEXIT = 0x4206, 0x40\n\
            print('held' if c.ptrace(SEIZE, int(sys.argv[1]), None, TRACEEXIT) == 0 else 'free', flush=True)\n\
            sys.stdin.read()\n";
        let mut child = std::process::Command::new("python3")
            .args(["-c", script, &pid.to_string()])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("python3");
        let mut said = [0; 5];
        let mut out = child.stdout.take().expect("piped");
        out.read_exact(&mut said).expect("an answer");
        assert_eq!(&said, b"held\n", "tracing is allowed");
        Self(child)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().ok();
    }
}

#[test]
fn item_71_what_cannot_be_ended_is_named_and_listed_and_holds_nothing() {
    let place = Place::new(&flows::flow(
        &[
            ("hangs", "echo $$ >p0; exec sleep 1000"),
            ("ends", "echo $$ >p1; exec sleep 1000"),
        ],
        &[],
    ));
    let face = place.face("window");
    face.run(Choice::Full);
    let pid = |n: u32| {
        let text = fs::read_to_string(place.path(&format!("p{n}"))).unwrap_or_default();
        text.trim().parse::<u32>().ok()
    };
    wait("both", || pid(0).is_some() && pid(1).is_some());
    let hung = pid(0).expect("just seen");
    let hold = Hold::of(hung);
    face.handle.send(Order::Kill(KillScope::Everything));
    assert_eq!(face.outcome(), Outcome::Stopped);
    let told = face.next("what was ended", |event| match event {
        Event::Told(notice) => Some(notice.what.to_string()),
        _ => None,
    });
    assert!(told.starts_with("Ended 2 nodes"), "{told}");
    assert!(told.contains("Not to be ended: "), "{told}");
    assert!(told.ends_with(&format!("({hung}).")), "{told}");
    // It lives, it is listed, and it holds nothing.
    assert!(std::path::Path::new(&format!("/proc/{hung}")).exists());
    wait("the list", || {
        let board = face.handle.board();
        let stands = board.flow(&face.flow).expect("open");
        *stands.orphans == [("hangs".into(), hung)] && board.slots.used == 0
    });
    wait("the lock", || {
        store::holder(&place.home(), &place.flow).is_none()
    });
    // Another run may begin, and it stays listed.
    for n in 0..2 {
        fs::remove_file(place.path(&format!("p{n}"))).expect("removed");
    }
    face.run(Choice::Full);
    wait("both again", || pid(0).is_some() && pid(1).is_some());
    let board = face.handle.board();
    assert_eq!(
        *board.flow(&face.flow).expect("open").orphans,
        [("hangs".into(), hung)]
    );
    face.handle
        .send(Order::Kill(KillScope::Run(face.flow.clone())));
    assert_eq!(face.outcome(), Outcome::Stopped);
    drop(hold);
    wait("the end of the list", || {
        let board = face.handle.board();
        board.flow(&face.flow).expect("open").orphans.is_empty()
    });
    face.end(Order::ShutDown);
}

fn signal(pid: u32, name: &str) {
    let sent = std::process::Command::new("kill")
        .args(["-s", name, &pid.to_string()])
        .status();
    assert!(sent.expect("kill of util-linux").success());
}

#[test]
fn stop_now_waits_for_no_frozen_window() {
    let place = Place::new(&flows::flow(
        &[(
            "a",
            "echo a >>begun; trap '' TERM; while :; do sleep 1; done",
        )],
        &[],
    ));
    let mut window = place.window();
    wait("the node", || place.lines("begun").len() == 1);
    signal(window.id(), "STOP");
    let told = place.handmill(&["stop", "--now", "flow.graphml"]).output();
    let told = told.expect("ran");
    let out = String::from_utf8_lossy(&told.stdout);
    assert_eq!(told.status.code(), Some(0), "{out}");
    assert!(out.contains("does not answer"), "{out}");
    place.await_none("node");
    // When it goes on it learns what became of its run.
    signal(window.id(), "CONT");
    wait("the end of the run", || {
        place.record().0 == Some(Some(Outcome::Stopped))
    });
    window.wait().expect("waited for");
}

#[test]
fn stop_now_waits_for_no_frozen_command_line() {
    let place = Place::new(&flows::flow(
        &[(
            "a",
            "echo a >>begun; trap '' TERM; while :; do sleep 1; done",
        )],
        &[],
    ));
    let mut run = place
        .handmill(&["run", "flow.graphml"])
        .spawn()
        .expect("starts");
    wait("the node", || place.lines("begun").len() == 1);
    signal(run.id(), "STOP");
    let told = place.handmill(&["stop", "--now", "flow.graphml"]).output();
    let told = told.expect("ran");
    let out = String::from_utf8_lossy(&told.stdout);
    assert_eq!(told.status.code(), Some(0), "{out}");
    place.await_none("node");
    signal(run.id(), "CONT");
    run.wait().expect("waited for");
    assert!(place.record().0.expect("a run").is_some(), "it has an end");
}
