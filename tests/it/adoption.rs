//! Runs whose face is gone: the next window and `handmill run` carry them on.

use std::fs;
use std::sync::Arc;

use handmill::model::{Choice, Event, Flow, FlowRef, NodeId, NodeStatus, Outcome};
use handmill::runtime::Order;
use handmill::store;

use crate::flows;
use crate::place::{Place, kill, wait};

#[test]
fn a_window_that_leaves_its_runs_finds_them_again() {
    let flow = flows::flow(
        &[
            ("a", "until [ -e go ]; do sleep 0.01; done; echo a >>done"),
            ("b", "echo b >>done"),
        ],
        &[("a", "b")],
    );
    let place = Place::new(&flow);
    let face = place.face("window");
    face.run(Choice::Full);
    face.next("a node", |event| {
        matches!(event, Event::NodeSpawned { .. }).then_some(())
    });
    face.end(Order::Leave);
    wait("the background", || !place.of_kind("background").is_empty());
    // A second window has it again, with the node in its first board that has the run.
    let again = place.face("window");
    wait("the run", || {
        let board = again.handle.board();
        board
            .flow(&again.flow)
            .is_some_and(|flow| flow.live.is_some())
    });
    let board = again.handle.board();
    let states = &board.flow(&again.flow).expect("open").nodes;
    assert_eq!(states[&NodeId::from("a")].status, NodeStatus::Running);
    assert!(states[&NodeId::from("a")].pid.is_some());
    assert_eq!(states[&NodeId::from("b")].status, NodeStatus::Waiting);
    place.await_none("background");
    // Left once more: it ends without any window, and what follows has run.
    again.end(Order::Leave);
    fs::write(place.path("go"), "").expect("written");
    wait("the end", || {
        place.record().0 == Some(Some(Outcome::Succeeded))
    });
    assert_eq!(place.lines("done"), ["a", "b"]);
    place.await_none("background");
    place.await_none("sitter");
}

/// A node that waits for the file `go`, and one behind it.
fn waiting(last: &str) -> Flow {
    flows::flow(
        &[
            ("a", "echo a >>begun; until [ -e go ]; do sleep 0.01; done"),
            ("b", last),
        ],
        &[("a", "b")],
    )
}

/// Starts the run and leaves it to the background.
fn leave_running(place: &Place) {
    let face = place.face("window");
    face.run(Choice::Full);
    wait("the node", || place.lines("begun").len() == 1);
    face.end(Order::Leave);
    wait("the background", || {
        let held = store::holder(&place.home(), &place.flow);
        held.is_some_and(|held| held.face == "background" && held.run.is_some())
    });
}

#[test]
fn a_new_window_takes_over_the_runs_of_flows_that_it_does_not_open() {
    let flow = waiting("echo b >>done");
    let place = Place::new(&flow);
    // Another workspace of the same home.
    let root = place.path("other");
    let modules = root.join("flow_modules");
    fs::create_dir_all(&modules).expect("made");
    fs::write(root.join("begun"), "").expect("written");
    let path = modules.join("two.graphml");
    store::save(&path, &flow, None).expect("saved");
    let other: FlowRef = store::locate(&path).expect("located");
    assert_ne!(other.workspace, place.flow.workspace);
    let frozen = Arc::new(store::load(&path).expect("loaded").flow);

    let face = place.face("window");
    face.run(Choice::Full);
    face.open(&other, &frozen);
    face.start(&other, &frozen, Choice::Full);
    for _ in 0..2 {
        face.next("a node", |event| {
            matches!(event, Event::NodeSpawned { .. }).then_some(())
        });
    }
    face.end(Order::Leave);
    wait("the background to carry both", || {
        let held = |flow| store::holder(&place.home(), flow);
        let carries = |flow| held(flow).is_some_and(|held| held.face == "background");
        carries(&place.flow) && carries(&other)
    });

    let again = place.bare_face("window");
    again.handle.send(Order::AdoptRuns);
    for flow in [&place.flow, &other] {
        wait("the run", || {
            let board = again.handle.board();
            board.flow(flow).is_some_and(|flow| flow.live.is_some())
        });
        let board = again.handle.board();
        let states = &board.flow(flow).expect("on the board").nodes;
        assert_eq!(states[&NodeId::from("a")].status, NodeStatus::Running);
        assert_eq!(states[&NodeId::from("b")].status, NodeStatus::Waiting);
    }
    // Nothing is left for it to carry.
    place.await_none("background");
    for go in [place.path("go"), root.join("go")] {
        fs::write(go, "").expect("written");
    }
    for _ in 0..2 {
        assert_eq!(again.outcome(), Outcome::Succeeded);
    }
    // Shown nowhere, they are on the board no longer; the list of flows knows how they ended.
    wait("the end on the board", || {
        let board = again.handle.board();
        let ended = |flow| board.last_runs.get(flow).and_then(|run| run.outcome);
        board.flows.is_empty() && [&place.flow, &other].map(ended) == [Some(Outcome::Succeeded); 2]
    });
    again.end(Order::ShutDown);
    for flow in [&place.flow, &other] {
        assert_eq!(place.record_of(flow).0, Some(Some(Outcome::Succeeded)));
    }
}

#[test]
fn a_run_on_the_command_line_follows_the_one_that_goes_on_and_ends_with_its_exit_code() {
    for (last, code) in [("echo b >>done", 0), ("echo b >>done; exit 3", 1)] {
        let place = Place::new(&waiting(last));
        leave_running(&place);
        let follower = place.handmill(&["run", "flow.graphml"]).spawn();
        let follower = follower.expect("starts");
        // It carries the run now.
        place.await_none("background");
        fs::write(place.path("go"), "").expect("written");
        let told = follower.wait_with_output().expect("waited for");
        let (out, err) = (
            String::from_utf8_lossy(&told.stdout),
            String::from_utf8_lossy(&told.stderr),
        );
        assert_eq!(told.status.code(), Some(code), "{out}{err}");
        let lines: Vec<&str> = err.lines().collect();
        assert_eq!(lines.len(), 1, "{err}");
        assert!(lines[0].contains("of this flow goes on already"), "{err}");
        assert!(out.contains(" · full · 2 nodes to run"), "{out}");
        assert_eq!(place.lines("begun"), ["a"], "nothing ran twice");
        assert_eq!(place.lines("done"), ["b"]);
    }
}

#[test]
fn a_run_of_chosen_nodes_does_not_pass_for_the_one_that_goes_on() {
    let place = Place::new(&waiting("echo b >>done"));
    leave_running(&place);
    for args in [
        ["run", "flow.graphml", "--nodes", "b"],
        ["run", "flow.graphml", "--wrapper", "nice {}"],
    ] {
        let told = place.handmill(&args).output().expect("ran");
        let err = String::from_utf8_lossy(&told.stderr);
        assert_eq!(told.status.code(), Some(2), "{err}");
        assert!(err.contains("runs this flow now"), "{err}");
    }
    fs::write(place.path("go"), "").expect("written");
    wait("the end", || {
        place.record().0 == Some(Some(Outcome::Succeeded))
    });
    assert_eq!(place.lines("done"), ["b"]);
}

#[test]
fn after_kill_9_of_the_window_and_of_who_follows_the_next_follows_on() {
    let place = Place::new(&waiting("echo b >>done"));
    let mut window = place.window();
    wait("the node", || place.lines("begun").len() == 1);
    window.kill().expect("killed");
    window.wait().expect("waited for");
    let mut first = place
        .handmill(&["run", "flow.graphml"])
        .spawn()
        .expect("starts");
    // It has the run when it is the one whom the lock names.
    wait("the follower", || {
        let held = store::holder(&place.home(), &place.flow);
        held.is_some_and(|held| held.pid == first.id() && held.run.is_some())
    });
    kill(first.id());
    first.wait().expect("waited for");
    let second = place.handmill(&["resume", "flow.graphml"]).spawn();
    let second = second.expect("starts");
    wait("the follower", || {
        let held = store::holder(&place.home(), &place.flow);
        held.is_some_and(|held| held.pid == second.id())
    });
    fs::write(place.path("go"), "").expect("written");
    let told = second.wait_with_output().expect("waited for");
    let err = String::from_utf8_lossy(&told.stderr);
    assert_eq!(told.status.code(), Some(0), "{err}");
    assert_eq!(place.record().0, Some(Some(Outcome::Succeeded)));
    assert_eq!(place.lines("begun"), ["a"], "nothing ran twice");
    assert_eq!(place.lines("done"), ["b"]);
}
