//! Another workspace is looked at while one runs: the runtime goes on, and what is seen on return is
//! true at once. What nobody uses is let go of.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use handmill::model::{Choice, Event, Flow, FlowRef, NodeId, NodeStatus, Outcome};
use handmill::runtime::{Board, HistoryAsk, LogTarget, Order};
use handmill::store;

use crate::flows;
use crate::place::{Face, Place, wait};

/// 200 nodes in 10 columns; each says its name. The middle waits for the file `go`.
fn wide() -> Flow {
    let id = |n: usize| format!("n{n}");
    let nodes: Vec<(String, String)> = (0..200)
        .map(|n| {
            let gate = match n {
                100 => "until [ -e go ]; do sleep 0.01; done; ",
                _ => "",
            };
            (id(n), format!("{gate}echo {}", id(n)))
        })
        .collect();
    let nodes: Vec<(&str, &str)> = nodes
        .iter()
        .map(|(id, command)| (id.as_str(), command.as_str()))
        .collect();
    let edges: Vec<(String, String)> = (20..200).map(|n| (id(n - 20), id(n))).collect();
    let edges: Vec<(&str, &str)> = edges
        .iter()
        .map(|(source, target)| (source.as_str(), target.as_str()))
        .collect();
    flows::flow(&nodes, &edges)
}

/// A workspace of its own in the same home, with a flow of one node.
fn other_workspace(place: &Place) -> (FlowRef, Arc<Flow>) {
    let flow = flows::flow(&[("b", "echo of b")], &[]);
    let path = place.path("other/flow_modules/two.graphml");
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    store::save(&path, &flow, None).expect("saved");
    let other = store::locate(&path).expect("located");
    assert_ne!(other.workspace, place.flow.workspace);
    (other, Arc::new(flow))
}

/// Ran, running, and their logs, as a window that shows this flow would ask for them.
fn look_at(face: &Face, flow: &FlowRef) {
    face.handle.send(Order::FollowLogs(vec![LogTarget {
        flow: flow.clone(),
        run: None,
        node: None,
    }]));
    face.handle.send(Order::ShowHistory(Some(HistoryAsk {
        flow: flow.clone(),
        filter: handmill::model::HistoryFilter::default(),
        n: 50,
    })));
}

fn n_with(board: &Board, flow: &FlowRef, status: NodeStatus) -> usize {
    let states = &board.flow(flow).expect("on the board").nodes;
    states
        .values()
        .filter(|state| state.status == status)
        .count()
}

#[test]
fn item_40_a_run_of_200_nodes_loses_nothing_while_another_workspace_is_looked_at() {
    let place = Place::new(&wide());
    let (other, other_frozen) = other_workspace(&place);
    let face = place.face("window");
    look_at(&face, &face.flow);
    face.run(Choice::Full);
    face.next("its first end", |event| {
        matches!(event, Event::NodeFinished(_)).then_some(())
    });
    // Away: the other workspace is opened, and looked at, and runs as well.
    face.open(&other, &other_frozen);
    look_at(&face, &other);
    face.start(&other, &other_frozen, Choice::Full);
    wait("the other run", || {
        let board = face.handle.board();
        let ended = board
            .flow(&other)
            .and_then(|flow| flow.history.first().cloned());
        ended.is_some_and(|run| run.outcome == Some(Outcome::Succeeded))
    });
    // All but what waits behind the gate has run meanwhile: 100, 120, 140, 160 and 180.
    wait("all but the gate and what is behind it", || {
        n_with(&face.handle.board(), &face.flow, NodeStatus::Ran) == 195
    });
    // Back: the very board that is there is right, before anything is answered.
    look_at(&face, &face.flow);
    let board = face.handle.board();
    let stands = board.flow(&face.flow).expect("on the board");
    assert_eq!(
        stands.nodes[&NodeId::from("n100")].status,
        NodeStatus::Running
    );
    assert!(stands.nodes[&NodeId::from("n100")].pid.is_some());
    assert_eq!(n_with(&board, &face.flow, NodeStatus::Waiting), 4);
    let live = stands.live.as_ref().expect("it runs");
    assert_eq!((live.counts.subset, live.counts.ran), (200, 195));
    assert_eq!(n_with(&board, &other, NodeStatus::Ran), 1);
    wait("its history and its log", || {
        let board = face.handle.board();
        let listed = board.history.as_ref().is_some_and(|shown| {
            shown.ask.flow == face.flow
                && shown.page.runs.iter().any(|run| run.summary.id == live.id)
        });
        listed && board.logs.values().any(|log| log.lines.len() >= 64)
    });
    fs::write(place.path("go"), "").expect("written");
    wait("its end", || {
        let board = face.handle.board();
        board
            .flow(&face.flow)
            .is_some_and(|flow| flow.live.is_none())
    });
    let board = face.handle.board();
    assert_eq!(n_with(&board, &face.flow, NodeStatus::Ran), 200);
    let newest = board.flow(&face.flow).expect("open").history[0].clone();
    assert_eq!(newest.outcome, Some(Outcome::Succeeded));
    assert_eq!((&newest.id, newest.counts.ran), (&live.id, 200));
    face.end(Order::ShutDown);
    let (outcome, nodes) = place.record();
    assert_eq!(outcome, Some(Some(Outcome::Succeeded)));
    assert!(nodes.values().all(|status| *status == NodeStatus::Ran));
    // Each log has what its node printed.
    let logs = fs::read_dir(place.workspace_dir().join("logs").join(newest.id.as_str()));
    let printed: Vec<String> = logs
        .expect("listed")
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|ext| ext == "out"))
        .map(|entry| fs::read_to_string(entry.path()).expect("read"))
        .collect();
    assert_eq!(printed.len(), 200);
    for n in 0..200 {
        assert!(printed.contains(&format!("n{n}\n")), "n{n}");
    }
}

#[test]
fn item_40_a_flow_whose_tab_was_closed_while_it_ran_is_right_when_it_is_opened_again() {
    let place = Place::new(&wide());
    let face = place.face("window");
    face.run(Choice::Full);
    wait("the gate", || {
        let board = face.handle.board();
        board.flow(&face.flow).is_some() && n_with(&board, &face.flow, NodeStatus::Ran) == 195
    });
    face.handle.send(Order::CloseFlow(face.flow.clone()));
    // It is live, and so it stays; opening it again takes nothing away in between.
    face.open(&face.flow, &face.frozen);
    face.handle.send(Order::CloseFlow(face.flow.clone()));
    face.open(&face.flow, &face.frozen);
    for _ in 0..20 {
        let board = face.handle.board();
        let stands = board.flow(&face.flow).expect("on the board");
        assert!(stands.live.is_some());
        assert_eq!(n_with(&board, &face.flow, NodeStatus::Ran), 195);
        std::thread::yield_now();
    }
    fs::write(place.path("go"), "").expect("written");
    assert_eq!(face.outcome(), Outcome::Succeeded);
    face.end(Order::ShutDown);
}

/// Files of this folder that this process has open.
fn open_files(folder: &Path) -> Vec<PathBuf> {
    let fds = fs::read_dir("/proc/self/fd").expect("Linux").flatten();
    fds.filter_map(|fd| fs::read_link(fd.path()).ok())
        .filter(|path| path.starts_with(folder))
        .collect()
}

#[test]
fn a_workspace_in_which_nothing_goes_on_is_let_go_of_and_comes_back() {
    let place = Place::new(&flows::flow(&[("a", "echo a")], &[]));
    let (other, other_frozen) = other_workspace(&place);
    let other_dir = place.home().workspace_dir(&other.workspace);
    let face = place.face("window");
    face.open(&other, &other_frozen);
    face.start(&other, &other_frozen, Choice::Full);
    assert_eq!(face.outcome(), Outcome::Succeeded);
    assert!(!open_files(&other_dir).is_empty(), "its ledger is open");
    face.handle.send(Order::CloseFlow(other.clone()));
    // Where control is kept in sight, that ends too.
    face.handle
        .send(Order::DropControl(other.workspace.clone()));
    wait("its files to be closed", || {
        open_files(&other_dir).is_empty()
    });
    // The list of a collection opens it for a moment.
    face.handle
        .send(Order::SetCollection(Some(place.dir.path().to_owned())));
    wait("its last run in the list", || {
        let board = face.handle.board();
        let known = board.last_runs.get(&other);
        board.recent_runs.get(&other.workspace) == Some(&1)
            && known.is_some_and(|run| run.outcome == Some(Outcome::Succeeded))
    });
    wait("its files to be closed", || {
        open_files(&other_dir).is_empty()
    });
    // And everything is there when it is wanted.
    face.open(&other, &other_frozen);
    wait("its history", || {
        let board = face.handle.board();
        board
            .flow(&other)
            .is_some_and(|flow| flow.history.len() == 1)
    });
    face.start(&other, &other_frozen, Choice::Full);
    assert_eq!(face.outcome(), Outcome::Succeeded);
    face.end(Order::ShutDown);
}
