//! Control of a workspace, through whole runtimes on real folders: claim, refusal, request, hand-over, release, loss, and
//! what the processes of one machine do together.
//!
//! Two homes are two machines. The limits of control are divided, so that a takeover comes after seconds.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use handmill::lease::limits::Limits;
use handmill::model::{Choice, Event, FileResults, Flow, FlowRef, Outcome};
use handmill::runtime::control::{ControlBoard, Policy, Setup, Stand, When, Wish};
use handmill::runtime::{Config, Manner, Order, Processes, Runtime, RuntimeHandle};
use handmill::share::table::TableReader;
use handmill::store::{self, Home};

use crate::flows;
use crate::support::Share;

/// Far more than anything here takes.
const LIMIT: Duration = Duration::from_secs(60);

/// A checkpoint each 2 s, 4 s to run without one, a takeover after 6 s.
const SCALE: u32 = 15;

const BINARY: &str = env!("CARGO_BIN_EXE_handmill");

/// A workspace that machines share, and homes for them.
struct Place {
    share: Share,
    homes: tempfile::TempDir,
}

impl Place {
    fn new(flow: &Flow) -> Self {
        let share = Share::new();
        fs::create_dir_all(share.path().join("ws/flow_modules")).expect("made");
        let path = share.path().join("ws/flow_modules/flow.graphml");
        store::save(&path, flow, None).expect("saved");
        let homes = tempfile::tempdir().expect("a folder");
        Self { share, homes }
    }

    /// The flow as the machine of this home sees it.
    fn flow(&self, home: &str) -> FlowRef {
        let number = usize::from(home.as_bytes()[0] - b'a');
        let path = self.share.of(number).join("ws/flow_modules/flow.graphml");
        store::locate(&path).expect("located")
    }

    /// The machine whose home this is.
    fn machine(&self, home: &str) -> Face {
        Face::new(Home::at(self.homes.path().join(home)), &self.flow(home))
    }

    /// In the folder in which nodes run.
    fn path(&self, name: &str) -> PathBuf {
        self.share.path().join("ws").join(name)
    }

    fn epoch(&self, n: u64) -> PathBuf {
        self.path(&format!(".workspace_state/epochs/ws/{n:012}"))
    }

    fn touch(&self, name: &str) {
        fs::write(self.path(name), "").expect("written");
    }

    /// A `handmill` of this machine.
    fn command(&self, home: &str, args: &[&str]) -> Child {
        Command::new(BINARY)
            .args(args)
            .arg(self.flow(home).path())
            .env("HANDMILL_HOME", self.homes.path().join(home))
            .env("HANDMILL_CONTROL_SCALE", SCALE.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts")
    }
}

/// Waits until the file is there: a node that says so is told by name.
fn until_there(name: &str) -> String {
    format!("while [ ! -e {name} ]; do sleep 0.02; done")
}

#[track_caller]
fn wait(what: &str, mut is: impl FnMut() -> bool) {
    let from = Instant::now();
    while !is() {
        assert!(from.elapsed() < LIMIT, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(pid: u32, signal: &str) {
    Command::new("kill")
        .args([signal, &pid.to_string()])
        .stderr(Stdio::null())
        .status()
        .expect("kill of util-linux or the shell");
}

/// One Handmill of a machine.
struct Face {
    runtime: Option<Runtime>,
    handle: RuntimeHandle,
    events: Mutex<Receiver<Arc<Event>>>,
    flow: FlowRef,
    frozen: Arc<Flow>,
}

impl Face {
    fn new(home: Home, flow: &FlowRef) -> Self {
        let frozen = Arc::new(store::load(&flow.path()).expect("loaded").flow);
        let (sender, events) = channel();
        let runtime = Runtime::start(Config {
            home,
            face: "window",
            manner: Manner {
                slots: Some(4),
                ..Manner::default()
            },
            processes: Processes::Sitter(BINARY.into()),
            control: Setup {
                limits: Ok(Limits::divided_by(SCALE).expect("a scale")),
                reader: TableReader::of_program(BINARY),
            },
            wake: Some(Box::new(|| {})),
            events: Some(Box::new(move |event| {
                sender.send(event.clone()).ok();
            })),
        })
        .expect("starts");
        let handle = runtime.handle();
        handle.send(Order::OpenFlow {
            flow: flow.clone(),
            frozen: frozen.clone(),
            results: Arc::new(FileResults::default()),
        });
        Self {
            runtime: Some(runtime),
            handle,
            events: Mutex::new(events),
            flow: flow.clone(),
            frozen,
        }
    }

    /// Shows the workspace, as a window does.
    fn show(self) -> Self {
        self.handle.send(Order::KeepControl {
            workspace: self.flow.workspace.clone(),
            root: self.flow.root.clone(),
        });
        self
    }

    fn run(&self, choice: Choice) {
        self.handle.send(Order::StartRun {
            flow: self.flow.clone(),
            frozen: self.frozen.clone(),
            choice,
            jobs_max: None,
        });
    }

    fn wish(&self, wish: Wish) {
        self.handle.send(Order::Control {
            workspace: self.flow.workspace.clone(),
            wish,
        });
    }

    /// The first board of control of which this holds.
    #[track_caller]
    fn until(&self, what: &str, is: impl Fn(&ControlBoard) -> bool) -> Arc<ControlBoard> {
        let mut found = None;
        let from = Instant::now();
        loop {
            let board = self.handle.board();
            let control = board.control.get(&self.flow.workspace);
            if let Some(control) = control.filter(|control| is(control)) {
                found.get_or_insert(control.clone());
                return found.expect("just put");
            }
            assert!(
                from.elapsed() < LIMIT,
                "waited in vain for {what}: {control:#?} {:#?}",
                board.notices
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[track_caller]
    fn next<T>(&self, what: &str, pick: impl Fn(&Event) -> Option<T>) -> T {
        let from = Instant::now();
        let events = self.events.lock().expect("no poison");
        loop {
            let left = LIMIT.saturating_sub(from.elapsed());
            let event = events.recv_timeout(left);
            let event = event.unwrap_or_else(|why| {
                panic!(
                    "waited for {what}: {why} {:#?}",
                    self.handle.board().control
                )
            });
            if let Some(found) = pick(&event) {
                return found;
            }
        }
    }

    #[track_caller]
    fn outcome(&self) -> Outcome {
        self.next("the end of the run", |event| match event {
            Event::RunFinished { outcome, .. } => Some(*outcome),
            Event::RunRefused { notice, .. } => panic!("{}", notice.what),
            _ => None,
        })
    }

    #[track_caller]
    fn refusal(&self) -> String {
        self.next("a refusal", |event| match event {
            Event::RunRefused { notice, .. } => Some(notice.what.to_string()),
            Event::RunStarted(_) => panic!("it started"),
            _ => None,
        })
    }

    fn end(mut self, order: Order) {
        self.handle.send(order);
        if let Some(runtime) = self.runtime.take() {
            runtime.join();
        }
    }
}

impl Drop for Face {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            self.handle.send(Order::ShutDown);
            runtime.join();
        }
    }
}

fn is_owner(control: &ControlBoard) -> bool {
    matches!(control.status.stand, Stand::Owner { .. }) && control.status.may_start_runs
}

#[test]
fn a_run_takes_control_first_and_it_is_released_when_nobody_needs_it() {
    let place = Place::new(&flows::flow(&[("a", "echo $HANDMILL_EPOCH >epoch")], &[]));
    let face = place.machine("a");
    face.run(Choice::Full);
    assert_eq!(face.outcome(), Outcome::Succeeded);
    let told = fs::read_to_string(place.path("epoch")).expect("written by the node");
    assert_eq!(told, "1\n");
    wait("the release", || place.epoch(1).join("released").is_dir());
    face.run(Choice::Full);
    assert_eq!(face.outcome(), Outcome::Succeeded);
    face.end(Order::ShutDown);
    assert!(
        place.epoch(2).join("released").is_dir(),
        "released at the end"
    );
    assert!(!place.epoch(2).join("pen").exists());
}

#[test]
fn looking_at_a_workspace_that_nobody_shares_leaves_nothing_in_it() {
    let place = Place::new(&flows::flow(&[("a", "true")], &[]));
    let face = place.machine("a").show();
    let board = face.until("a look", |control| control.status.stand == Stand::Free);
    assert_eq!(board.status.can.claim, Ok(()));
    face.end(Order::ShutDown);
    let left = fs::read_dir(place.path("")).expect("readable").count();
    assert_eq!(left, 1, "only flow_modules");
}

#[test]
fn control_is_refused_asked_for_handed_over_when_nodes_end_and_then_used() {
    let first = until_there("go");
    let nodes = [("first", first.as_str()), ("second", "echo x >>second")];
    let place = Place::new(&flows::flow(&nodes, &[("first", "second")]));
    let a = place.machine("a").show();
    a.run(Choice::Full);
    a.next("the node", |event| {
        matches!(event, Event::NodeSpawned { .. }).then_some(())
    });

    let b = place.machine("b").show();
    b.until("the owner", |control| {
        control.status.stand == Stand::Watching
    });
    b.run(Choice::Full);
    let told = b.refusal();
    assert!(
        told.ends_with("currently has control of this workspace."),
        "{told}"
    );
    b.wish(Wish::Request {
        client: "ui".to_owned(),
    });
    let asked = a.until("the request", |control| !control.status.requests.is_empty());
    a.wish(Wish::HandOver {
        to: asked.status.requests[0].machine.clone(),
        when: When::AfterNodes,
    });
    a.until("no new nodes", |control| !control.status.may_start_nodes);
    place.touch("go");
    assert_eq!(
        a.outcome(),
        Outcome::Interrupted,
        "its second node may not start here"
    );
    b.until("control at b", is_owner);
    a.until("a watches", |control| {
        control.status.stand == Stand::Watching
    });
    assert!(!place.path("second").exists());
    assert!(place.epoch(1).join("released").is_dir());
    b.run(Choice::Full);
    assert_eq!(b.outcome(), Outcome::Succeeded);
    assert_eq!(
        fs::read_to_string(place.path("second")).expect("ran"),
        "x\n"
    );
}

#[test]
fn a_machine_that_hangs_loses_its_nodes_in_time_and_another_takes_over() {
    let node = format!("echo $$ >pid; {}", until_there("go"));
    let place = Place::new(&flows::flow(&[("a", node.as_str())], &[]));
    let mut run = place.command("a", &["run", "--full"]);
    wait("the node", || {
        fs::read_to_string(place.path("pid")).is_ok_and(|pid| pid.ends_with('\n'))
    });
    let pid = fs::read_to_string(place.path("pid")).expect("read");
    let node = PathBuf::from(format!("/proc/{}", pid.trim()));
    let b = place.machine("b").show();
    b.until("the owner", |control| {
        control.status.stand == Stand::Watching
    });
    signal(run.id(), "-STOP");
    // By the sitter alone: who should say so stands still.
    wait("the end of the node", || !node.exists());
    b.until("a takeover", |control| control.status.can.take_over.is_ok());
    assert!(!node.exists(), "nothing runs at a when b may take over");
    b.wish(Wish::TakeOver);
    b.until("control at b", is_owner);
    place.touch("go");
    b.run(Choice::Full);
    assert_eq!(b.outcome(), Outcome::Succeeded);
    signal(run.id(), "-CONT");
    let code = run.wait().expect("ends").code();
    assert_ne!(code, Some(0), "its run was interrupted");
    assert!(!place.epoch(1).join("pen").exists(), "the pen of a is gone");
}

#[test]
fn processes_of_one_machine_run_under_one_keeper_and_the_next_goes_on_when_it_ends() {
    let node = format!("echo $HANDMILL_EPOCH >>epoch; {}", until_there("go"));
    let place = Place::new(&flows::flow(
        &[("a", node.as_str()), ("b", "true")],
        &[("a", "b")],
    ));
    let window = place.machine("a").show();
    window.wish(Wish::Control);
    window.until("control", is_owner);
    let mut run = place.command("a", &["run", "--full"]);
    wait("the node", || place.path("epoch").exists());
    let others = window.until("one owner", is_owner);
    assert_eq!(others.held_by, None);
    // The keeper ends while the run of the other goes on.
    window.end(Order::ShutDown);
    assert!(
        place.epoch(1).join("pen").is_dir(),
        "not released: it is needed here"
    );
    let home = Home::at(place.homes.path().join("a"));
    wait("the other process as keeper", || {
        let held = store::control_holder(&home, &place.flow("a").workspace);
        held.expect("known")
            .is_some_and(|held| held.pid == run.id())
    });
    let again = place.machine("a").show();
    let board = again.until("the same tenure", is_owner);
    let held = board.held_by.as_ref().expect("the run keeps control");
    assert_eq!(held.pid, run.id());
    place.touch("go");
    assert!(run.wait().expect("ends").success());
    again.until("the window keeps control", |control| {
        is_owner(control) && control.held_by.is_none()
    });
    assert!(place.epoch(1).join("pen").is_dir());
    assert!(!place.epoch(2).exists(), "one tenure all the time");
    again.end(Order::ShutDown);
    assert!(place.epoch(1).join("released").is_dir());
}

#[test]
fn a_folder_that_goes_away_interrupts_its_runs_and_control_comes_back_with_it() {
    let place = Place::new(&flows::flow(&[("a", "echo >begun; exec sleep 1000")], &[]));
    let face = place.machine("a").show();
    face.run(Choice::Full);
    wait("the node", || place.path("begun").exists());
    let (there, away) = (place.path(""), place.share.path().join("away"));
    fs::rename(&there, &away).expect("moved away");
    assert_eq!(face.outcome(), Outcome::Interrupted);
    face.until("a folder that is not there", |control| {
        control.status.stand == Stand::Vanished
    });
    face.run(Choice::Full);
    assert_eq!(face.refusal(), "The workspace folder is not there.");
    fs::rename(&away, &there).expect("moved back");
    face.until("control again", is_owner);
}

#[test]
fn a_guest_is_refused_like_its_keeper_and_its_wishes_are_heard() {
    let node = format!("echo >begun; {}", until_there("go"));
    let place = Place::new(&flows::flow(&[("a", node.as_str())], &[]));
    let other = place.machine("a");
    other.run(Choice::Full);
    wait("the node", || place.path("begun").exists());
    let keeper = place.machine("b").show();
    keeper.until("the owner", |control| {
        control.status.stand == Stand::Watching
    });
    let guest = place.machine("b").show();
    let seen = guest.until("what the keeper shows", |control| {
        control.held_by.is_some() && control.status.stand == Stand::Watching
    });
    assert_eq!(
        seen.held_by.as_ref().map(|held| held.pid),
        Some(std::process::id())
    );
    guest.run(Choice::Full);
    let told = guest.refusal();
    assert!(
        told.ends_with("currently has control of this workspace."),
        "{told}"
    );
    guest.wish(Wish::Request {
        client: "ui".to_owned(),
    });
    keeper.until("the wish", |control| control.status.asked.is_some());
    place.touch("go");
    assert_eq!(other.outcome(), Outcome::Succeeded);
    // It was not shown there, so it was released when its run ended; who asked has it now.
    let held = guest.until("control", is_owner);
    assert!(held.held_by.is_some());
    guest.run(Choice::Full);
    assert_eq!(guest.outcome(), Outcome::Succeeded);
}

#[test]
fn a_start_that_meets_the_release_after_the_run_before_waits_and_runs() {
    let place = Place::new(&flows::flow(&[("a", "echo $HANDMILL_EPOCH >>epoch")], &[]));
    let face = place.machine("a");
    for _ in 0..5 {
        face.run(Choice::Full);
        assert_eq!(face.outcome(), Outcome::Succeeded);
    }
    face.end(Order::ShutDown);
    let told = fs::read_to_string(place.path("epoch")).expect("written by the nodes");
    let epochs: Vec<u64> = told
        .lines()
        .map(|line| line.parse().expect("a number"))
        .collect();
    assert_eq!(epochs.len(), 5);
    assert!(epochs.is_sorted(), "{epochs:?}");
}

#[test]
fn a_policy_set_in_one_window_holds_in_the_others_and_after_a_restart() {
    let place = Place::new(&flows::flow(&[("a", "true")], &[]));
    let keeper = place.machine("a").show();
    keeper.until("a look", |control| control.status.stand == Stand::Free);
    let guest = place.machine("a").show();
    let seen = guest.until("the keeper", |control| control.held_by.is_some());
    let policy = Policy {
        takes_over: true,
        ..Policy::default()
    };
    assert_ne!(seen.policy, policy);
    guest.handle.send(Order::SetPolicy {
        workspace: guest.flow.workspace.clone(),
        policy: policy.clone(),
    });
    keeper.until("the policy at the keeper", |control| {
        control.policy == policy
    });
    guest.until("the policy at the guest", |control| {
        control.policy == policy
    });
    guest.end(Order::ShutDown);
    keeper.end(Order::ShutDown);
    let again = place.machine("a").show();
    again.until("the policy after a restart", |control| {
        control.policy == policy
    });
}

#[test]
fn a_keeper_that_is_killed_leaves_its_run_to_the_background_under_the_same_epoch() {
    let node = format!("echo $HANDMILL_EPOCH >>epoch; {}", until_there("go"));
    let place = Place::new(&flows::flow(
        &[("a", node.as_str()), ("b", "echo done >after")],
        &[("a", "b")],
    ));
    let mut run = place.command("a", &["run", "--full"]);
    wait("the node", || place.path("epoch").exists());
    signal(run.id(), "-KILL");
    run.wait().expect("killed");
    // Longer than a tenure without checkpoints lasts: somebody must renew it.
    let row = || fs::read(place.path(".workspace_state/leases/ws.parquet")).ok();
    let before = row();
    let from = Instant::now();
    wait("checkpoints of whoever goes on", || row() != before);
    std::thread::sleep(Duration::from_secs(5).saturating_sub(from.elapsed()));
    place.touch("go");
    wait("the next node", || place.path("after").exists());
    wait("the release", || place.epoch(1).join("released").is_dir());
    assert!(!place.epoch(2).exists(), "one tenure all the time");
}

#[test]
fn a_sitter_and_its_program_that_are_killed_leave_no_node_to_a_shared_workspace() {
    // The node itself, what it started, and what left its group and session.
    let node = "echo $$ >first; (sleep 1000 & echo $! >second; wait) & setsid sh -c 'echo $$ >third; exec sleep 1000'; wait";
    let place = Place::new(&flows::flow(&[("a", node)], &[]));
    let mut run = place.command("a", &["run", "--full"]);
    let pid = |name: &str| {
        let text = fs::read_to_string(place.path(name)).ok()?;
        text.trim()
            .parse::<u32>()
            .ok()
            .filter(|_| text.ends_with('\n'))
    };
    let names = ["first", "second", "third"];
    wait("three processes", || {
        names.iter().all(|name| pid(name).is_some())
    });
    let pids: Vec<u32> = names.iter().filter_map(|name| pid(name)).collect();
    // Whose parent is the sitter.
    let stat = fs::read_to_string(format!("/proc/{}/stat", pids[0])).expect("it lives");
    let after_name = stat.rsplit(')').next().expect("a name");
    let sitter: u32 = after_name
        .split(' ')
        .nth(2)
        .expect("a field")
        .parse()
        .expect("a number");
    for pid in [run.id(), sitter] {
        signal(pid, "-KILL");
    }
    run.wait().expect("killed");
    let lives = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')')
            .next()
            .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
    };
    wait("the end of all", || !pids.iter().any(lives));
}
