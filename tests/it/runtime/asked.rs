//! Runs that are refused, planned, stopped, retried or resumed.

use handmill::model::{Edit, NodeField, ResourceName, ResourceSource, Secret, Secrets};

use super::*;

#[test]
fn a_second_start_of_a_live_flow_is_refused_and_the_first_goes_on() {
    let place = Place::new(&flows::flow(&[("a", AT_GATE)], &[]));
    let face = Face::open(&place, "window");
    // The second comes while the first is still being prepared.
    face.start(Choice::Full);
    face.start(Choice::Full);
    assert_eq!(face.refusal().0, "This flow is running already.");
    face.until("a runs", |_, flow| {
        statuses(flow, &["a"]) == [NodeStatus::Running]
    });
    face.start(Choice::Full);
    let (what, hint) = face.refusal();
    assert_eq!(what, "This flow is running already.");
    assert!(!hint.is_empty());
    place.open_gate();
    assert_eq!(face.until_over(), Outcome::Succeeded);
    face.close();
    assert_eq!(record(&place).1.history.len(), 1);
}

#[test]
fn shutting_down_stops_what_runs_and_records_it() {
    let place = Place::new(&flows::flow(
        &[("a", "true"), ("b", AT_GATE), ("c", "true")],
        &[("a", "b"), ("b", "c")],
    ));
    let face = Face::open(&place, "window");
    face.start(Choice::Full);
    face.until("b runs", |_, flow| flow.node(&"b".into()).pid.is_some());
    face.close();
    let (workspace, recorded) = record(&place);
    let run = &recorded.history[0];
    assert_eq!(run.outcome, Some(Outcome::Stopped));
    let status = |id: &str| recorded.past.nodes[&NodeId::from(id)].status;
    assert_eq!(status("a"), NodeStatus::Ran);
    assert_eq!(status("b"), NodeStatus::Stopped);
    assert_eq!(status("c"), NodeStatus::Skipped);
    assert_eq!(recorded.runner, None);
    assert_eq!(
        workspace.ledger.health().expect("read").troubles,
        Vec::<String>::new()
    );
    // And it goes on from there.
    place.keep_gate_open();
    let face = Face::open(&place, "window");
    face.start(Choice::Resume);
    face.until("all ran", |_, flow| {
        flow.live.is_none() && statuses(flow, &["a", "b", "c"]) == [NodeStatus::Ran; 3]
    });
    assert_eq!(
        face.handle.board().flow(&place.flow).expect("open").history[0]
            .counts
            .kept,
        1
    );
}

#[test]
fn a_stop_before_the_first_process_begins_ends_the_run() {
    let place = Place::new(&flows::flow(&[("a", "true"), ("b", "true")], &[("a", "b")]));
    for _ in 0..10 {
        let face = Face::open(&place, "window");
        face.start(Choice::Full);
        let started = |event: &Event| matches!(event, Event::RunStarted(_)).then_some(());
        face.event(started);
        face.stop();
        let outcome = face.event(|event| match event {
            Event::RunFinished { outcome, .. } => Some(*outcome),
            _ => None,
        });
        // Quick as it is, it may have been over before the stop came.
        assert!(matches!(outcome, Outcome::Stopped | Outcome::Succeeded));
    }
}

#[test]
fn what_a_run_would_do_is_told_without_running_it() {
    let nodes = [("a", "true"), ("b", "true"), ("c", "true")];
    let place = Place::new(&flows::flow(&nodes, &[("a", "b")]));
    let face = Face::open(&place, "window");
    let ask = |choice: Choice| {
        face.handle.send(Order::Preview(Some(Box::new(Wish {
            flow: place.flow.clone(),
            frozen: face.frozen(),
            revision: 7,
            choice,
        }))));
    };
    let told = |choice: Choice| {
        ask(choice.clone());
        let board = face.until_board("it is told", |board| {
            let preview = board.preview.as_ref();
            preview.is_some_and(|preview| preview.choice == choice)
        });
        let preview = board.preview.clone().expect("just seen");
        assert_eq!((&preview.flow, preview.revision), (&place.flow, 7));
        let nodes = preview.nodes.clone();
        nodes.map(|nodes| {
            let mut names: Vec<String> = nodes.iter().map(ToString::to_string).collect();
            names.sort_unstable();
            names.join(" ")
        })
    };
    assert_eq!(told(Choice::Full), Ok("a b c".to_owned()));
    assert_eq!(told(Choice::From(vec!["a".into()])), Ok("a b".to_owned()));
    let why = told(Choice::Resume).expect_err("nothing to resume");
    assert!(why.contains("nothing to resume"), "{why}");
    face.handle.send(Order::Preview(None));
    face.until_board("it is gone", |board| board.preview.is_none());
    let (_, record) = record(&place);
    assert!(record.history.is_empty(), "nothing ran");
}

#[test]
fn a_mended_node_is_retried_in_the_live_run_and_both_commands_are_recorded() {
    let place = Place::new(&flows::flow(
        &[("a", "exit 7"), ("hold", AT_GATE), ("b", "true")],
        &[("a", "b")],
    ));
    // Both flows of the workspace find its ledger not yet open.
    let other = place.path("other.graphml");
    store::save(&other, &flows::flow(&[("x", "true")], &[]), None).expect("saved");
    let face = Face::new(&place, "window");
    face.handle.send(Order::OpenFlow {
        flow: store::locate(&other).expect("located"),
        frozen: Arc::default(),
        results: Arc::default(),
    });
    face.open_with(FileResults::default());
    face.start(Choice::Full);
    let midway = face.until("a failed", |_, flow| {
        statuses(flow, &["a", "hold"]) == [NodeStatus::Failed, NodeStatus::Running]
    });
    let run = midway.live.as_ref().expect("live").id.clone();
    let mut mended = face.frozen().graph.node(&"a".into()).expect("a").clone();
    mended.command = "echo mended".to_owned();
    face.handle.send(Order::Retry {
        flow: place.flow.clone(),
        run: run.clone(),
        nodes: vec![Arc::new(mended)],
    });
    face.until("a and b ran", |_, flow| {
        statuses(flow, &["a", "b"]) == [NodeStatus::Ran, NodeStatus::Ran]
    });
    place.open_gate();
    face.until_over();
    face.close();
    let (workspace, recorded) = record(&place);
    assert_eq!(recorded.history.len(), 1, "it was one run");
    let rows = workspace
        .ledger
        .node_runs(&run, Some(&"a".into()))
        .expect("read");
    let rows: Vec<(&str, NodeStatus)> =
        rows.iter().map(|row| (&*row.command, row.status)).collect();
    assert_eq!(
        rows,
        [
            ("exit 7", NodeStatus::Failed),
            ("echo mended", NodeStatus::Ran)
        ]
    );
    let files = query::log_files(&workspace, &place.flow, None, Some(&"a".into())).expect("known");
    let log = fs::read_to_string(&files.last().expect("a log").stdout).expect("read");
    assert_eq!(log, "mended\n");
}

#[test]
fn imported_results_are_shown_resumed_from_and_imported_once() {
    let place = Place::new(&flows::flow(
        &[
            ("a", "echo a >>done"),
            ("b", "echo b >>done"),
            ("c", "echo c >>done"),
        ],
        &[("a", "b"), ("b", "c")],
    ));
    let result = |status, exit, stderr: &str| FileResult {
        status,
        exit: Some(exit),
        stdout: String::new(),
        stderr: stderr.to_owned(),
    };
    let results = FileResults {
        nodes: [
            ("a".into(), result(NodeStatus::Ran, 0, "")),
            ("b".into(), result(NodeStatus::Failed, 3, "no such table")),
        ]
        .into(),
        marks: vec!["a-b".into()],
    };
    let face = Face::new(&place, "window");
    face.open_with(results.clone());
    let shown = face.until("the results", |_, flow| flow.loaded);
    assert_eq!(
        statuses(&shown, &["a", "b", "c"]),
        [NodeStatus::Ran, NodeStatus::Failed, NodeStatus::Idle]
    );
    assert_eq!(shown.resumable, 1);
    let target = LogTarget {
        flow: place.flow.clone(),
        run: None,
        node: Some("b".into()),
    };
    face.handle.send(Order::FollowLogs(vec![target.clone()]));
    face.until_board("the imported log", |board| {
        let tail = board.logs.get(&target);
        tail.is_some_and(|tail| tail.lines.iter().any(|line| &*line.text == "no such table"))
    });
    face.start(Choice::Resume);
    face.until("all ran", |_, flow| {
        flow.live.is_none() && statuses(flow, &["a", "b", "c"]) == [NodeStatus::Ran; 3]
    });
    let done = fs::read_to_string(place.path("done")).expect("read");
    assert_eq!(done, "b\nc\n", "a had run in the other program");
    face.close();
    // The file still says what it said; that is old news now.
    let face = Face::new(&place, "window");
    face.open_with(results);
    let again = face.until("loaded", |_, flow| flow.loaded);
    assert_eq!(statuses(&again, &["a", "b", "c"]), [NodeStatus::Ran; 3]);
    assert_eq!(again.history.len(), 2, "one import, one run");
    assert_eq!(again.resumable, 0);
}

#[test]
fn what_was_said_of_a_run_that_lacked_a_resource_goes_when_one_begins() {
    let mut flow = flows::flow(&[("a", "test \"$LACKED\" = \"by hand\"")], &[]);
    let name = ResourceName::new("LACKED").expect("a name");
    let names = vec![name.clone()];
    let edit = Edit::SetNode {
        id: "a".into(),
        field: NodeField::Resources(names.clone()),
    };
    edit.apply(&mut flow).expect("set");
    let place = Place::new(&flow);
    // No keyring is asked: it may be this machine's own.
    let from = ResourceSource::Environment;
    store::list_resource(&place.home(), &name, from).expect("listed");
    let face = Face::open(&place, "window");
    for n in 1..=2 {
        face.start(Choice::Full);
        let board = face.until_board("it is asked for", |board| {
            board.wanting.as_ref().is_some_and(|wanting| wanting.n == n)
        });
        let wanting = board.wanting.as_ref().expect("just seen");
        assert_eq!(wanting.names, names);
        let told: Vec<&str> = board.notices.iter().map(|(_, told)| &*told.what).collect();
        assert!(
            matches!(told[..], [what] if what.contains("for want of LACKED.")),
            "{told:?}"
        );
    }
    let mut secrets = Secrets::default();
    let value = Secret::new("by hand".to_owned().into()).expect("a value");
    secrets.insert(name, value);
    let flow = face.flow.clone();
    face.handle.send(Order::Give { flow, secrets });
    face.start(Choice::Full);
    assert_eq!(face.until_over(), Outcome::Succeeded);
    assert_eq!(face.handle.board().notices.len(), 0);
}
