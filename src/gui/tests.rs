//! The window over the real runtime, saver and files, without a screen.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable};

use super::{RealEngine, files, memory};
use crate::app::{Action, App, NativeDesktop, Ports, Verb};
use crate::model::{NodeStatus, Outcome};
use crate::runtime::{Config, Manner, Runtime};
use crate::store::{Home, workspace_id};

/// Longest wait for a fact, on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Nodes of the flow that runs.
const N: usize = 200;

struct Sat {
    app: Option<App>,
}

impl Sat {
    fn app(&mut self) -> &mut App {
        self.app.as_mut().expect("made in the first pass")
    }
}

/// A collection with two workspaces; the flow of `a` has nodes that wait until `go` is there.
fn collection(root: &Path) -> PathBuf {
    for name in ["a", "b"] {
        fs::create_dir_all(root.join(name).join("flow_modules")).expect("a workspace");
    }
    let mut text = String::from(
        "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\
         <key id=\"c\" for=\"node\" attr.name=\"label\" attr.type=\"string\"/>\
         <graph edgedefault=\"directed\">",
    );
    for n in 0..N {
        let command = format!(
            "echo {n} &gt;&gt; done.txt; echo begun {n}; until test -e go; do sleep 0.02; done; echo node {n}"
        );
        text += &format!("<node id=\"n{n}\"><data key=\"c\">{command}</data></node>");
    }
    text += "</graph></graphml>";
    let many = root.join("a/flow_modules/many.graphml");
    fs::write(&many, text).expect("a flow");
    let other = "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\
         <graph edgedefault=\"directed\"><node id=\"quiet\"/></graph></graphml>";
    fs::write(root.join("b/flow_modules/other.graphml"), other).expect("a flow");
    many
}

fn wait(harness: &mut Harness<'_, Sat>, what: &str, fact: impl Fn(&mut App) -> bool) {
    let begun = Instant::now();
    while !fact(harness.state_mut().app()) {
        assert!(begun.elapsed() < LIMIT, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
        harness.step();
    }
}

#[test]
fn item_40_a_run_of_200_nodes_goes_on_over_a_switch_and_the_first_frame_back_is_right() {
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().canonicalize().expect("real path").join("c");
    let many = collection(&root);
    let home = Home::at(dir.path().join("home"));
    crate::store::trust_root(&home, &root).expect("trusted");
    let memory = memory::Kept::load(&home, None);
    memory.use_collection(root.clone());
    let runtime = Runtime::start(Config {
        home: home.clone(),
        face: "window",
        manner: Manner {
            slots: Some(4),
            ..Manner::default()
        },
        processes: crate::runtime::Processes::Own,
        control: crate::runtime::control::Setup::default(),
        wake: Some(Box::new(|| {})),
        events: None,
    })
    .expect("starts");
    let mut ports = Some(Ports {
        engine: Box::new(RealEngine(runtime.handle(), home.clone())),
        files: Box::new(files::Files::start(home.clone(), || {}).expect("starts")),
        memory: Box::new(memory),
        desktop: Box::new(NativeDesktop),
    });
    let mut harness = Harness::builder()
        .with_size(egui::vec2(1_400.0, 900.0))
        .build_ui_state(
            move |ui, sat: &mut Sat| match (&mut sat.app, ports.take()) {
                (Some(app), _) => app.pass(ui),
                (empty, Some(ports)) => *empty = Some(App::new(ui.ctx(), ports, Vec::new())),
                (None, None) => {}
            },
            Sat { app: None },
        );
    harness.step();
    let (a, b) = (workspace_id(&root.join("a")), workspace_id(&root.join("b")));
    let flow = crate::store::locate(&many).expect("located");
    wait(&mut harness, "the collection is known", |app| {
        app.picture().catalog.workspaces.len() == 2
    });

    // A runs.
    harness.state_mut().app().ask(Action::OpenPath(many));
    let known = flow.clone();
    wait(&mut harness, "the flow is known", move |app| {
        app.picture().flow(&known).is_some_and(|flow| flow.loaded)
    });
    harness.state_mut().app().ask(Action::Do(Verb::RunAll));
    let running = flow.clone();
    wait(&mut harness, "four nodes run", move |app| {
        let flow = app.picture().flow(&running);
        let nodes = flow.iter().flat_map(|flow| flow.nodes.values());
        nodes.filter(|n| n.status == NodeStatus::Running).count() == 4
    });

    // B is shown, its flow opened, while A goes on to its end.
    let (log, of) = (flow.clone(), flow.clone());
    wait(&mut harness, "their first lines are read", move |app| {
        let logs = app.picture().logs.iter();
        let mut logs = logs.filter(|(target, _)| target.flow == log);
        logs.any(|(_, tail)| tail.lines.len() >= 4)
    });
    wait(&mut harness, "control is known", move |app| {
        let control = &app.picture().control;
        control
            .get(&of.workspace)
            .is_some_and(|c| c.status.may_start_runs)
    });
    harness
        .state_mut()
        .app()
        .ask(Action::ShowWorkspace(b.clone()));
    harness.step();
    assert!(harness.query_by_label_contains("Tab ").is_none());
    let other = root.join("b/flow_modules/other.graphml");
    harness.state_mut().app().ask(Action::OpenPath(other));
    wait(&mut harness, "the other is open", |app| {
        app.picture().flows.len() == 2
    });

    // Back while it runs: one frame, and it is seen to run.
    harness
        .state_mut()
        .app()
        .ask(Action::ShowWorkspace(a.clone()));
    harness.step();
    let stands = harness.state_mut().app().picture().flow(&flow).cloned();
    let stands = stands.expect("it is on the board");
    assert_eq!(stands.n_active(), 4, "four slots, four nodes");
    harness.get_by_label("Tab many");
    harness.get_by_label("many, 4 running");
    assert!(
        harness.query_all_by_label_contains("begun ").count() > 0,
        "its log"
    );
    assert!(
        harness.query_all_by_label_contains("Run Today").count() > 0,
        "its run"
    );
    let stop = harness.get_by_label("Stop");
    assert!(!stop.accesskit_node().is_disabled());
    harness.get_by_label("This Workstation has control");
    harness
        .state_mut()
        .app()
        .ask(Action::ShowWorkspace(b.clone()));
    harness.step();
    assert!(harness.query_by_label("Tab many").is_none());
    fs::write(root.join("a/go"), "").expect("let them go on");
    let ended = flow.clone();
    wait(&mut harness, "the run of A is over", move |app| {
        let flow = app
            .picture()
            .flow(&ended)
            .expect("with work, never dropped");
        flow.live.is_none() && flow.history.len() == 1
    });

    // Back: one frame, and everything is there.
    harness.state_mut().app().ask(Action::ShowWorkspace(a));
    harness.step();
    let stands = harness.state_mut().app().picture().flow(&flow).cloned();
    let stands = stands.expect("it is on the board");
    assert_eq!(stands.history[0].outcome, Some(Outcome::Succeeded));
    let ran = stands.nodes.values();
    assert_eq!(ran.filter(|n| n.status == NodeStatus::Ran).count(), N);
    harness.get_by_label("Tab many");
    assert!(harness.query_all_by_label_contains("ran").count() > 0);
    let lines = fs::read_to_string(root.join("a/done.txt")).expect("they ran");
    assert_eq!(lines.lines().count(), N, "each ran once");
    drop(harness);
    runtime.handle().send(crate::runtime::Order::ShutDown);
    runtime.join();
}

#[test]
fn a_broken_file_is_read_again_when_it_is_mended_on_the_disk() {
    use crate::app::TabId;
    use crate::app::ports::{FileDone, FileJob, Files as _};

    let dir = tempfile::tempdir().expect("a folder");
    let path = dir
        .path()
        .canonicalize()
        .expect("real path")
        .join("x.graphml");
    fs::write(&path, "<graphml").expect("written");
    let (woken, wait) = std::sync::mpsc::channel();
    let home = Home::at(dir.path().join("home"));
    let files = files::Files::start(home, move || {
        woken.send(()).ok();
    })
    .expect("starts");
    let tab = TabId(7);
    let load = || {
        let path = path.clone();
        files.send(FileJob::Load { tab, path });
    };
    load();
    let next = || {
        loop {
            wait.recv_timeout(LIMIT).expect("something is told");
            if let Some(done) = files.drain().into_iter().next() {
                return done;
            }
        }
    };
    assert!(matches!(next(), FileDone::Loaded { result: Err(_), .. }));
    // The watch is asked for on a thread of its own: written until it is noticed.
    let whole = "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\"><graph/></graphml>";
    let begun = Instant::now();
    let touched = loop {
        fs::write(&path, whole).expect("written");
        if wait.recv_timeout(Duration::from_millis(200)).is_ok()
            && let Some(done) = files.drain().into_iter().next()
        {
            break done;
        }
        assert!(begun.elapsed() < LIMIT, "it is never noticed");
    };
    assert!(matches!(touched, FileDone::Touched { tab: TabId(7) }));
    load();
    loop {
        match next() {
            FileDone::Touched { .. } => {}
            FileDone::Loaded { result: Ok(_), .. } => return,
            other => panic!("{other:?}"),
        }
    }
}
