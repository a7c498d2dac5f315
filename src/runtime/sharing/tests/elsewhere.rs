//! What a machine knows of runs elsewhere.

use super::*;

#[test]
fn a_run_that_is_watched_stands_as_it_does_on_its_machine() {
    let (mut a, mut b) = (Machine::new("wsA"), Machine::new("wsB"));
    let mut run = start(&a, "r1", 0);
    run.node(0, Exit::Code(0));
    run.begin(1, 1, 1);
    let first = a.all();
    b.watch(first, "wsA");
    assert_eq!(b.stands(), "a ran, b running");
    assert_eq!(b.history()[0].ended, None);
    assert_eq!(b.history()[0].ran_on.as_deref(), Some("wsA"));
    assert!(
        b.ledger().open_runs().expect("open").is_empty(),
        "not ours to recover"
    );

    let mut run = Run {
        machine: &a,
        id: RunId::from("r1"),
        clock: 1_000,
    };
    run.end(1, 1, 1, Exit::Code(7), false);
    run.finish(Outcome::Failed);
    let second = a.changed();
    assert_eq!(
        (second.runs.len(), second.steps.len()),
        (1, 1),
        "only what is new"
    );
    b.watch(second, "wsA");
    assert_eq!(b.stands(), a.stands());
    assert_eq!(b.facts(), "a+, a ran, b+, b failed");
    assert_eq!(b.facts(), a.facts());
    let ended = &b.history()[0];
    assert_eq!(ended.outcome, Some(Outcome::Failed));
    assert_eq!((ended.counts.ran, ended.counts.failed), (1, 1));
    assert_eq!(&*ended.choice, "full");
    let state = &b.past().nodes[&NodeId::from("b")];
    assert_eq!(state.exit, Some(Exit::Code(7)));
    assert_eq!(a.changed(), Rows::default(), "told once");
    b.healthy();
}

#[test]
fn lines_of_another_machine_are_kept_once_and_found_by_node() {
    let (mut a, mut b) = (Machine::new("wsA"), Machine::new("wsB"));
    let mut run = start(&a, "r1", 0);
    run.print(0, "same\nsame\n", "");
    run.node(0, Exit::Code(0));
    run.print(1, "other\n", "");
    run.node(1, Exit::Code(0));
    run.finish(Outcome::Succeeded);
    for _ in 0..2 {
        let rows = a.all();
        b.watch(rows, "wsA");
    }
    let of_a = b.lines("r1", Some("a")).expect("known");
    let texts: Vec<&str> = of_a
        .lines
        .iter()
        .map(|line| line.message.as_str())
        .collect();
    assert_eq!(texts, ["same", "same"]);
    assert_eq!((&*of_a.host, of_a.seen), ("wsA", NOW));
    assert_eq!(b.lines("r1", None).expect("known").lines.len(), 3);
    assert_eq!(a.lines("r1", None), None, "its own logs are files");
}

#[test]
fn the_log_of_a_run_elsewhere_says_whose_lines_it_shows() {
    let (mut a, mut b) = (Machine::new("wsA"), Machine::new("wsB"));
    let mut run = start(&a, "r1", 0);
    run.print(0, "out\n", "bad\u{1b}[2J\n");
    run.node(0, Exit::Code(1));
    run.finish(Outcome::Failed);
    let rows = a.all();
    b.watch(rows, "wsA");
    let tail = |run: Option<&str>, node: Option<&str>| {
        let target = LogTarget {
            flow: flow_ref(),
            run: run.map(RunId::from),
            node: node.map(NodeId::from),
        };
        query::tail(&b.workspace, &target).expect("a tail")
    };
    let shown = [
        tail(None, Some("a")),
        tail(Some("r1"), Some("a")),
        tail(None, None),
        tail(Some("r1"), None),
    ];
    for tail in shown {
        let published = tail.published.expect("elsewhere");
        assert_eq!((&*published.host, published.seen), ("wsA", NOW));
        let lines: Vec<_> = tail
            .lines
            .iter()
            .map(|line| (line.node.as_str(), line.stream, &*line.text))
            .collect();
        assert_eq!(
            lines,
            [("a", Stream::Out, "out"), ("a", Stream::Err, "bad")]
        );
        assert!(!tail.removed && tail.trouble.is_empty());
    }
    let files = query::log_files(&b.workspace, &flow_ref(), None, Some(&NodeId::from("a")));
    let files = files.expect("files");
    let texts = files[0].imported.as_ref();
    assert_eq!(texts, Some(&("out\n".to_owned(), "bad\n".to_owned())));
}

#[test]
fn who_gains_control_has_what_ran_elsewhere_interrupted_and_resumes_it() {
    let (mut a, mut b) = (Machine::new("wsA"), Machine::new("wsB"));
    let mut run = start(&a, "r1", 0);
    run.node(0, Exit::Code(0));
    run.begin(1, 1, 1);
    let rows = a.all();
    b.watch(rows.clone(), "wsA");
    let running = |machine: &Machine| {
        let steps = machine.ledger().steps_running_elsewhere().expect("read");
        let names: Vec<String> = steps.iter().map(|label| step_name(label)).collect();
        names.join(", ")
    };
    assert_eq!(
        running(&b),
        "Node b",
        "what runs there has a name before it is taken over"
    );
    assert_eq!(running(&a), "", "ours runs here");
    b.claim(rows.clone());
    assert_eq!(running(&b), "");
    assert_eq!(b.stands(), "a ran, b interrupted");
    assert_eq!(b.history()[0].outcome, Some(Outcome::Interrupted));
    assert_eq!(b.facts(), "a+, a ran, b+, b interrupted");
    // The same rows once more, as they still lie there: nothing runs again by them.
    b.claim(rows.clone());
    b.watch(rows, "wsA");
    assert_eq!(b.stands(), "a ran, b interrupted");

    let mut run = start_of(&b, "r2", 5_000, Choice::Resume, Some("r1"), &[0]);
    run.node(1, Exit::Code(0));
    run.finish(Outcome::Succeeded);
    assert_eq!(b.facts(), "a+, a ran, b+, b interrupted, |, b+, b ran");

    // What B publishes, C and A take over; A's own run is what A recorded itself.
    let published = b.all();
    let interrupted = &published.runs[0];
    assert_eq!(interrupted.status, "stopped");
    assert_eq!(
        interrupted.error_text.as_deref(),
        Some(Outcome::Interrupted.remark())
    );
    assert_eq!(
        published.runs[1].source_path.as_deref(),
        Some("wsB:flow_modules/daily.graphml#resume;after=r1")
    );
    let mut c = Machine::new("wsC");
    c.watch(published.clone(), "wsB");
    assert_eq!(c.facts(), b.facts());
    assert_eq!(c.stands(), b.stands());
    let hosts: Vec<_> = c.history().iter().map(|run| run.ran_on.clone()).collect();
    assert_eq!(hosts, [Some("wsB".into()), Some("wsA".into())]);
    let own = a.history();
    a.watch(published, "wsB");
    assert_eq!(a.history()[1..], own[..], "ours is not touched");
    assert_eq!(a.history()[0].ran_on.as_deref(), Some("wsB"));
    assert_eq!(a.past().nodes[&NodeId::from("b")].status, NodeStatus::Ran);
    for machine in [&a, &b, &c] {
        machine.healthy();
    }
}

#[test]
fn older_copies_and_other_machines_leave_our_newer_statuses() {
    let (mut a, mut b) = (Machine::new("wsA"), Machine::new("wsB"));
    let mut run = start(&a, "old", 0);
    run.node(0, Exit::Code(1));
    run.finish(Outcome::Failed);
    let mut run = start(&b, "new", 9_000);
    run.node(0, Exit::Code(0));
    run.finish(Outcome::Succeeded);
    let rows = a.all();
    b.watch(rows, "wsA");
    assert_eq!(b.stands(), "a ran");
    assert_eq!(b.facts(), "a+, a ran");
    let order: Vec<_> = b.history().iter().map(|run| run.id.clone()).collect();
    assert_eq!(order, [RunId::from("new"), RunId::from("old")], "by time");
}

#[test]
fn what_retention_would_remove_is_not_taken_over() {
    let mut a = Machine::keeping(
        "wsA",
        Retention {
            days: 0,
            log_bytes_max: 0,
        },
    );
    let mut b = Machine::new("wsB");
    let day = 24 * 60 * 60 * 1_000_000;
    for (id, days, outcome) in [
        ("ran-6", 6, Outcome::Succeeded),
        ("ran-8", 8, Outcome::Succeeded),
        ("failed-13", 13, Outcome::Failed),
        ("failed-15", 15, Outcome::Failed),
    ] {
        let mut run = start(&a, id, -days * day);
        run.node(0, Exit::Code(i32::from(outcome == Outcome::Failed)));
        run.finish(outcome);
    }
    let rows = a.all();
    b.watch(rows, "wsA");
    let mut kept: Vec<_> = b.history().iter().map(|run| run.id.clone()).collect();
    kept.sort();
    assert_eq!(kept, [RunId::from("failed-13"), RunId::from("ran-6")]);
    b.healthy();
}
