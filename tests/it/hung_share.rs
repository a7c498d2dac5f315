//! A shared folder whose server does not answer: nothing but its own workspace waits for it.
//!
//! The real binary on a real disk; a library below it (`torture/witness.c`) keeps every step below the folder from
//! coming back, as long as a file says so.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use handmill::lease::limits::Limits;
use handmill::model::{Choice, Event, FileResults, FlowRef, Outcome};
use handmill::runtime::control::{ControlBoard, Setup, Stand, Wish};
use handmill::runtime::{Config, Manner, Order, Processes, Runtime, RuntimeHandle};
use handmill::share::table::TableReader;
use handmill::store::{self, Home};

use crate::flows;
use crate::torture::witness::Witness;

/// Far more than anything here takes.
const LIMIT: Duration = Duration::from_secs(60);

/// A checkpoint each 2 s, 4 s to run without one.
const SCALE: u32 = 15;

/// Set in the process whose folder hangs: where its files lie.
const CHILD: &str = "HANDMILL_TEST_HUNG";

const BINARY: &str = env!("CARGO_BIN_EXE_handmill");

/// Two workspaces, of which one hangs when that is wanted.
struct Place {
    dir: tempfile::TempDir,
    witness: Witness,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        for name in ["hung", "well"] {
            let modules = dir.path().join(name).join("flow_modules");
            fs::create_dir_all(&modules).expect("made");
            let flow = flows::flow(&[("a", "echo x >>done")], &[]);
            store::save(&modules.join("flow.graphml"), &flow, None).expect("saved");
        }
        let witness = Witness::new(dir.path());
        Self { dir, witness }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn hang(&self) {
        fs::write(self.path("hangs"), "").expect("written");
    }

    /// Told of the folder that hangs.
    fn told<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("HANDMILL_HOME", self.path("home"))
            .env("HANDMILL_CONTROL_SCALE", SCALE.to_string())
            .env("HANG_UNDER", self.path("hung"))
            .env("HANG_WHEN", self.path("hangs"))
            .envs(self.witness.env())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
    }

    fn start(&self, args: &[&str]) -> Child {
        let mut command = Command::new(BINARY);
        command.args(args).arg(self.path("hung"));
        self.told(&mut command).spawn().expect("starts")
    }
}

/// Exit code and what was said; it must end by itself.
#[track_caller]
fn ended(mut child: Child, limit: Duration) -> (Option<i32>, String) {
    let from = Instant::now();
    while child.try_wait().expect("asked").is_none() {
        if from.elapsed() > limit {
            child.kill().expect("killed");
            panic!("it waits for a folder that does not answer");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let out = child.wait_with_output().expect("ended");
    let said = [out.stdout, out.stderr].concat();
    (
        out.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn a_command_for_a_folder_that_hangs_ends_with_a_sentence() {
    let place = Place::new();
    place.hang();
    for args in [
        &["control", "request", "--wait", "3"][..],
        &["control", "take-over", "--wait", "3"],
    ] {
        let (code, said) = ended(place.start(args), LIMIT);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("not gained within 3 s"), "{said}");
    }
    let (code, said) = ended(place.start(&["control", "status"]), LIMIT);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("has not answered for 10 s"), "{said}");
    assert!(said.contains("hung"), "it names the folder: {said}");
}

#[test]
fn who_has_control_of_a_folder_that_hangs_can_still_be_ended() {
    let place = Place::new();
    let mut child = place.start(&["control", "request"]);
    let epoch = place.path("hung/.workspace_state/leases/hung.parquet");
    let from = Instant::now();
    while !epoch.exists() {
        assert!(from.elapsed() < LIMIT, "never claimed");
        assert!(child.try_wait().expect("asked").is_none(), "it ended");
        std::thread::sleep(Duration::from_millis(10));
    }
    place.hang();
    let pid = child.id().to_string();
    let kill = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(kill.expect("kill runs").success());
    ended(child, LIMIT);
}

/// The only board of control that this holds of.
#[track_caller]
fn until(
    handle: &RuntimeHandle,
    flow: &FlowRef,
    what: &str,
    is: impl Fn(&ControlBoard) -> bool,
) -> Arc<ControlBoard> {
    let from = Instant::now();
    loop {
        let board = handle.board();
        let control = board.control.get(&flow.workspace);
        if let Some(control) = control.filter(|control| is(control)) {
            return control.clone();
        }
        assert!(from.elapsed() < LIMIT, "never {what}: {control:#?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_folder_that_hangs_costs_its_own_workspace_control_and_another_goes_on() {
    let Some(dir) = std::env::var_os(CHILD).map(PathBuf::from) else {
        let place = Place::new();
        let mut command = Command::new(std::env::current_exe().expect("the test binary"));
        let name =
            "hung_share::a_folder_that_hangs_costs_its_own_workspace_control_and_another_goes_on";
        command
            .args(["--exact", "--nocapture", name])
            .env(CHILD, place.dir.path());
        let (code, said) = ended(
            place.told(&mut command).spawn().expect("starts"),
            // It has limits of its own, and tells which was passed.
            LIMIT * 8,
        );
        assert_eq!(code, Some(0), "{said}");
        return;
    };
    let (sender, events) = channel();
    let runtime = Runtime::start(Config {
        home: Home::at(dir.join("home")),
        face: "window",
        manner: Manner::default(),
        processes: Processes::Sitter(BINARY.into()),
        control: Setup {
            limits: Ok(Limits::divided_by(SCALE).expect("a scale")),
            reader: TableReader::of_program(BINARY),
        },
        // Without a face nothing is published.
        wake: Some(Box::new(|| {})),
        events: Some(Box::new(move |event| {
            sender.send(event.clone()).ok();
        })),
    })
    .expect("starts");
    let handle = runtime.handle();
    let open = |name: &str| {
        let path = dir.join(name).join("flow_modules/flow.graphml");
        let flow = store::locate(&path).expect("located");
        let frozen = Arc::new(store::load(&path).expect("loaded").flow);
        handle.send(Order::OpenFlow {
            flow: flow.clone(),
            frozen: frozen.clone(),
            results: Arc::new(FileResults::default()),
        });
        handle.send(Order::KeepControl {
            workspace: flow.workspace.clone(),
            root: flow.root.clone(),
        });
        handle.send(Order::Control {
            workspace: flow.workspace.clone(),
            wish: Wish::Control,
        });
        (flow, frozen)
    };
    let run = |(flow, frozen): &(FlowRef, Arc<handmill::model::Flow>)| {
        handle.send(Order::StartRun {
            flow: flow.clone(),
            frozen: frozen.clone(),
            choice: Choice::Full,
            jobs_max: None,
        });
    };
    let next = |what: &str, pick: &dyn Fn(&Event) -> bool| {
        let from = Instant::now();
        loop {
            let left = LIMIT.saturating_sub(from.elapsed());
            let event = events.recv_timeout(left);
            let event = event.unwrap_or_else(|why| panic!("{what}: {why}"));
            if pick(&event) {
                return;
            }
        }
    };
    let succeeded = |event: &Event| match event {
        Event::RunFinished { outcome, .. } => *outcome == Outcome::Succeeded,
        _ => false,
    };
    let is_owner = |control: &ControlBoard| {
        matches!(control.status.stand, Stand::Owner { .. }) && control.status.may_start_runs
    };
    let (hung, well) = (open("hung"), open("well"));
    until(&handle, &hung.0, "control of the one", is_owner);
    until(&handle, &well.0, "control of the other", is_owner);
    run(&hung);
    next("a run in the one", &succeeded);
    fs::write(dir.join("hangs"), "").expect("written");
    // Longer than a checkpoint lasts: control of the one is over, and the other is renewed all the time.
    let lost = until(&handle, &hung.0, "a loss", |control| {
        !control.status.may_start_runs
    });
    assert!(lost.status.blocked.is_some(), "and it says why: {lost:?}");
    run(&well);
    next("a run in the other while the one hangs", &succeeded);
    until(&handle, &well.0, "control of the other", is_owner);
    // The one waits or is refused; it does not run.
    run(&hung);
    let done = || fs::read_to_string(dir.join("hung/done")).expect("written");
    assert_eq!(done(), "x\n");
    fs::remove_file(dir.join("hangs")).expect("removed");
    until(&handle, &hung.0, "control again", is_owner);
    handle.send(Order::ShutDown);
    runtime.join();
    let said = done();
    assert!(said == "x\n" || said == "x\nx\n", "{said}");
}
