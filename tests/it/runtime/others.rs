//! Two processes on one flow.

use super::*;

/// The flow of a place, run by another process.
struct Other(Child);

impl Other {
    fn run(place: &Place) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handmill"));
        command
            .args(["run", "flow.graphml"])
            .env("HANDMILL_HOME", place.path("home"))
            .current_dir(place.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(command.spawn().expect("starts"))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It has ended, unless the test failed.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn two_runtimes_on_one_flow_run_it_once_and_can_stop_each_other() {
    let place = Place::new(&flows::flow(&[("a", AT_GATE)], &[]));
    // The other one is another process: the command line.
    let mut other = Other::run(&place);
    let face = Face::open(&place, "window");
    let seen = face.until("who runs it", |_, flow| flow.runner.is_some());
    let runner = seen.runner.as_ref().expect("just seen");
    assert_eq!((runner.pid, &*runner.face), (other.0.id(), "command line"));
    face.start(Choice::Full);
    let (what, hint) = face.refusal();
    assert!(
        what.contains("on the command line runs this flow now"),
        "{what}"
    );
    assert!(what.contains(&other.0.id().to_string()), "{what}");
    assert!(hint.contains("stop"), "{hint}");
    face.stop();
    let code = other.0.wait().expect("ended").code();
    assert_eq!(code, Some(130), "it was asked to stop and did");
    let over = face.until("the other's run", |_, flow| {
        flow.runner.is_none()
            && flow
                .history
                .first()
                .is_some_and(|run| run.outcome.is_some())
    });
    assert_eq!(over.history.len(), 1);
    assert_eq!(over.history[0].outcome, Some(Outcome::Stopped));
    assert_eq!(statuses(&over, &["a"]), [NodeStatus::Stopped]);
}

#[test]
fn a_run_of_another_process_is_followed_while_it_happens_with_what_it_prints() {
    let place = Place::new(&flows::flow(
        &[("a", "echo begun; cat gate; echo gone on"), ("b", AT_GATE)],
        &[("a", "b")],
    ));
    let face = Face::open(&place, "window");
    let target = LogTarget {
        flow: place.flow.clone(),
        run: None,
        node: Some("a".into()),
    };
    face.handle.send(Order::FollowLogs(vec![target.clone()]));
    let mut other = Other::run(&place);
    let printed = |board: &Board, text: &str| {
        let log = board.logs.get(&target);
        log.is_some_and(|log| log.lines.iter().any(|line| &*line.text == text))
    };
    // It stands at the gate, and is seen there.
    face.until("a runs there", |board, flow| {
        statuses(flow, &["a"]) == [NodeStatus::Running] && printed(board, "begun")
    });
    place.open_gate();
    face.until("a has run and b runs", |board, flow| {
        statuses(flow, &["a", "b"]) == [NodeStatus::Ran, NodeStatus::Running]
            && printed(board, "gone on")
            && flow
                .history
                .first()
                .is_some_and(|run| run.outcome.is_none())
    });
    place.open_gate();
    assert!(other.0.wait().expect("ended").success());
    let over = face.until("the other's run is over", |_, flow| {
        flow.runner.is_none()
            && flow
                .history
                .first()
                .is_some_and(|run| run.outcome.is_some())
    });
    assert_eq!(over.history[0].outcome, Some(Outcome::Succeeded));
    assert_eq!(statuses(&over, &["a", "b"]), [NodeStatus::Ran; 2]);
}

#[test]
fn a_runner_that_is_killed_is_seen_to_be_gone() {
    let place = Place::new(&flows::flow(&[("a", AT_GATE)], &[]));
    let mut other = Other::run(&place);
    let face = Face::open(&place, "window");
    face.until("who runs it", |_, flow| flow.runner.is_some());
    // Its process lives when the other process has recorded that.
    let (workspace, _) = query::open(&place.home(), &place.flow).expect("opens");
    let from = Instant::now();
    while query::record(&place.home(), &workspace, &place.flow, 1)
        .expect("read")
        .past
        .nodes
        .get("a")
        .is_none_or(|state| state.pid.is_none())
    {
        assert!(from.elapsed() < LIMIT, "nothing is recorded");
        std::thread::yield_now();
    }
    other.0.kill().expect("killed");
    other.0.wait().expect("ended");
    let left = face.until("what it left", |_, flow| {
        flow.runner.is_none() && !flow.orphans.is_empty()
    });
    assert_eq!(left.orphans[0].0, "a".into());
    assert_eq!(statuses(&left, &["a"]), [NodeStatus::Interrupted]);
    assert_eq!(left.resumable, 1);
    face.start(Choice::Resume);
    let (what, hint) = face.refusal();
    assert!(what.contains("still live"), "{what}");
    assert!(hint.contains("Stop"), "{hint}");
    face.stop();
    face.until_board("it is ended", |board| {
        let told = |what: &str| what.starts_with("Ended 1 process");
        board.notices.iter().any(|(_, notice)| told(&notice.what))
    });
    place.keep_gate_open();
    face.start(Choice::Resume);
    face.until("it ran", |_, flow| {
        flow.live.is_none() && statuses(flow, &["a"]) == [NodeStatus::Ran]
    });
}
