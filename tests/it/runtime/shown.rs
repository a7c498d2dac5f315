//! What the board shows of runs, logs and statuses.

use super::*;

#[test]
fn the_board_follows_a_run_from_start_to_end() {
    let place = Place::new(&flows::flow(
        &[("a", "true"), ("b", AT_GATE), ("c", "false"), ("d", "true")],
        &[("a", "b"), ("b", "d"), ("c", "d")],
    ));
    let face = Face::open(&place, "window");
    face.start(Choice::Full);
    let midway = face.until("b runs alone", |_, flow| {
        statuses(flow, &["a", "b", "c"])
            == [NodeStatus::Ran, NodeStatus::Running, NodeStatus::Failed]
            && flow.node(&"b".into()).pid.is_some()
    });
    assert_eq!(statuses(&midway, &["d"]), [NodeStatus::Waiting]);
    let live = midway.live.as_ref().expect("a live run");
    assert_eq!((live.counts.ran, live.counts.failed), (1, 1));
    assert!(midway.fired.contains("a-b"));
    assert!(!midway.marked.contains("a-b"), "b has used it");
    assert_eq!(midway.resumable, 0, "a live run has nothing to resume");
    assert_eq!(face.handle.board().slots.used, 1);
    place.open_gate();
    assert_eq!(face.until_over(), Outcome::Failed);
    let over = face.until("the end", |board, _| board.slots.used == 0);
    assert_eq!(
        statuses(&over, &["a", "b", "c", "d"]),
        [
            NodeStatus::Ran,
            NodeStatus::Ran,
            NodeStatus::Failed,
            NodeStatus::Skipped
        ]
    );
    assert!(over.marked.contains("b-d"), "d waits for c only");
    assert_eq!(over.resumable, 1);
    assert_eq!(over.history.len(), 1);
    assert_eq!(over.history[0].counts.skipped, 1);

    // Board and ledger are folds over the same events.
    face.close();
    let (_, recorded) = record(&place);
    for id in ["a", "b", "c", "d"].map(NodeId::from) {
        let (seen, stored) = (over.node(&id), &recorded.past.nodes[&id]);
        assert_eq!(
            (seen.status, &seen.exit, seen.started, seen.ended),
            (stored.status, &stored.exit, stored.started, stored.ended),
            "{id}"
        );
    }
    assert_eq!(recorded.history, **over.history);
}

#[test]
fn a_runtime_at_rest_publishes_nothing() {
    let place = Place::new(&flows::flow(&[("a", "true")], &[]));
    let face = Face::open(&place, "window");
    face.start(Choice::Full);
    assert_eq!(face.until_over(), Outcome::Succeeded);
    // The end of a run touches its lock file, which is watched: let that settle first. An order is
    // answered after everything before it.
    let settled = |mark: &str| {
        let order = Order::Tell(handmill::model::Notice::info(mark));
        face.handle.send(order);
        face.until_board(mark, |board| {
            board
                .notices
                .iter()
                .any(|(_, notice)| &*notice.what == mark)
        });
    };
    settled("once");
    let mut n = face.bell.n();
    let mut revision = face.handle.board().revision;
    // Silence has no event to wait for: one second of it, counted anew when the tail of the run
    // still came.
    let mut calm = false;
    for _ in 0..5 {
        std::thread::sleep(Duration::from_secs(1));
        calm = face.bell.n() == n && face.handle.board().revision == revision;
        if calm {
            break;
        }
        (n, revision) = (face.bell.n(), face.handle.board().revision);
    }
    assert!(calm, "it publishes with nothing to tell");
    settled("twice");
    assert_eq!(face.bell.n(), n + 1, "one change, one publication");
}

#[test]
fn followed_logs_come_in_order_with_their_streams_and_bounded() {
    let lines = query::TAIL_LINES_MAX + 1_000;
    let place = Place::new(&flows::flow(
        &[
            ("both", "echo one; echo two; echo bad >&2; echo three"),
            ("many", &format!("seq {lines}")),
        ],
        &[],
    ));
    let face = Face::open(&place, "window");
    let target = |node: &str| LogTarget {
        flow: place.flow.clone(),
        run: None,
        node: Some(node.into()),
    };
    let (both, many) = (target("both"), target("many"));
    face.handle
        .send(Order::FollowLogs(vec![both.clone(), many.clone()]));
    face.start(Choice::Full);
    let board = face.until_board("the logs", |board| {
        let n = |target| board.logs.get(target).map_or(0, |tail| tail.lines.len());
        n(&both) == 4 && n(&many) > 0 && {
            let last = board.logs[&many].lines.last().expect("some");
            *last.text == *lines.to_string()
        }
    });
    let of = |stream| -> Vec<String> {
        let lines = board.logs[&both].lines.iter();
        let of_stream = lines.filter(|line| line.stream == stream);
        of_stream.map(|line| line.text.to_string()).collect()
    };
    assert_eq!(of(Stream::Out), ["one", "two", "three"]);
    assert_eq!(of(Stream::Err), ["bad"]);
    let tail = &board.logs[&many];
    assert!(tail.lines.len() <= query::TAIL_LINES_MAX);
    let numbers: Vec<usize> = tail
        .lines
        .iter()
        .map(|line| line.text.parse().expect("a number"))
        .collect();
    assert!(
        numbers.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "in order, none missing"
    );
    // What is followed no longer is gone from the board.
    face.handle.send(Order::FollowLogs(vec![both.clone()]));
    face.until_board("one log", |board| {
        board.logs.keys().collect::<Vec<_>>() == [&both]
    });
}

#[test]
fn an_older_run_is_shown_and_the_newest_comes_back() {
    let place = Place::new(&flows::flow(
        &[("a", "test -e good"), ("b", "true")],
        &[("a", "b")],
    ));
    let face = Face::open(&place, "window");
    face.start(Choice::Full);
    assert_eq!(face.until_over(), Outcome::Failed);
    fs::write(place.path("good"), "").expect("written");
    face.start(Choice::Resume);
    face.until("both runs", |_, flow| {
        flow.history.len() == 2 && flow.history[0].outcome == Some(Outcome::Succeeded)
    });
    let runs = face
        .handle
        .board()
        .flow(&place.flow)
        .expect("open")
        .history
        .clone();
    let show = |run| {
        let flow = place.flow.clone();
        face.handle.send(Order::ShowRun { flow, run });
    };
    show(Some(runs[1].id.clone()));
    let old = face.until("the old run", |_, flow| {
        flow.shown_run.as_ref() == Some(&runs[1].id)
    });
    assert_eq!(
        statuses(&old, &["a", "b"]),
        [NodeStatus::Failed, NodeStatus::Skipped]
    );
    show(None);
    let new = face.until("the newest", |_, flow| flow.shown_run.is_none());
    assert_eq!(
        statuses(&new, &["a", "b"]),
        [NodeStatus::Ran, NodeStatus::Ran]
    );
}

#[test]
fn cleared_statuses_are_gone_from_board_and_ledger() {
    let place = Place::new(&flows::flow(&[("a", "true"), ("b", "false")], &[]));
    let face = Face::open(&place, "window");
    face.start(Choice::Full);
    assert_eq!(face.until_over(), Outcome::Failed);
    let clear = |nodes| {
        let flow = place.flow.clone();
        face.handle.send(Order::ClearStatus { flow, nodes });
    };
    clear(Some(vec!["b".into()]));
    let board = face.until("b is idle", |_, flow| {
        statuses(flow, &["b"]) == [NodeStatus::Idle]
    });
    assert_eq!(statuses(&board, &["a"]), [NodeStatus::Ran]);
    assert_eq!(board.resumable, 0, "a cleared failure is no work");
    face.start(Choice::Resume);
    assert!(face.refusal().0.contains("nothing to resume"));
    clear(None);
    face.until("all idle", |_, flow| flow.nodes.is_empty());
    face.close();
    assert!(record(&place).1.past.nodes.is_empty());
}

#[test]
fn a_closed_flow_leaves_the_board_when_its_run_is_over() {
    let place = Place::new(&flows::flow(&[("a", AT_GATE)], &[]));
    let face = Face::open(&place, "window");
    let close = || face.handle.send(Order::CloseFlow(place.flow.clone()));
    close();
    face.until_board("gone", |board| board.flow(&place.flow).is_none());
    face.open_with(FileResults::default());
    face.start(Choice::Full);
    face.until("a runs", |_, flow| {
        statuses(flow, &["a"]) == [NodeStatus::Running]
    });
    close();
    // A live run stays on the board, whoever looks; the order after it is answered.
    face.handle.send(Order::Configure(manner(7)));
    let board = face.until_board("the slots", |board| board.slots.total == 7);
    assert!(board.flow(&place.flow).expect("live").live.is_some());
    place.open_gate();
    face.until_board("gone", |board| board.flow(&place.flow).is_none());
    face.close();
    assert_eq!(
        record(&place).1.history[0].outcome,
        Some(Outcome::Succeeded)
    );
}
