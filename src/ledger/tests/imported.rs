//! Results and logs from elsewhere.

use super::*;

#[test]
fn imported_results_are_the_base_of_a_resume() {
    let mut bench = Bench::new();
    let result = |status, exit, stdout: &str| FileResult {
        status,
        exit,
        stdout: stdout.to_owned(),
        stderr: String::new(),
    };
    let results = FileResults {
        nodes: [
            ("a".into(), result(NodeStatus::Ran, Some(0), "fine")),
            ("b".into(), result(NodeStatus::Failed, Some(2), "")),
            ("c".into(), FileResult::default()),
        ]
        .into(),
        marks: vec![EdgeId::from("a->b")],
    };
    let import = |bench: &Bench, run: &str, results: &FileResults, hash| {
        let run = RunId::from(run);
        bench
            .ledger
            .record_import(&bench.flow, run, results, hash, Timestamp(5));
    };
    import(&bench, "i1", &results, 1);
    import(&bench, "i2", &results, 1);
    let past = bench.ledger.past(&bench.flow).expect("a past");
    let base = Base {
        statuses: [
            ("a".into(), NodeStatus::Ran),
            ("b".into(), NodeStatus::Failed),
        ]
        .into(),
        marks: vec![EdgeId::from("a->b")],
    };
    let last = past.last.expect("the import is the last run");
    assert_eq!((last.run, last.scope, last.facts.len()), (None, None, 0));
    assert_eq!(last.base.as_ref(), Some(&base));
    let b = &past.nodes[&NodeId::from("b")];
    assert_eq!(
        (b.status, b.run.as_ref(), b.exit.clone()),
        (NodeStatus::Failed, None, Some(Exit::Code(2)))
    );
    let log = bench.ledger.imported_log(&bench.flow, &NodeId::from("a"));
    assert_eq!(log.expect("a log"), Some(("fine".into(), String::new())));
    assert_eq!(
        bench
            .ledger
            .history(&bench.flow, 9, None)
            .expect("history")
            .len(),
        1
    );

    let run = bench.start_of("r1", &["a", "b", "c"], Choice::Resume, None, &[0], None);
    bench.node(&run, 1, 0);
    assert_eq!(bench.facts(), "|, b+, b ran");
    let last = bench.ledger.past(&bench.flow).expect("a past").last;
    let last = last.expect("a last run");
    assert_eq!((last.run, last.base), (Some(run.run.clone()), Some(base)));
    let states = bench.ledger.states_of_run(&bench.flow, &run.run);
    let states = states.expect("states");
    assert_eq!(states[&NodeId::from("a")].status, NodeStatus::Ran);

    // A node was deleted from the file by hand: another hash, and nothing that was not known.
    let mut fewer = results;
    fewer.nodes.remove(&NodeId::from("b"));
    import(&bench, "i3", &fewer, 2);
    assert_eq!(bench.status("b"), NodeStatus::Ran);
    // Another program has run it: that is the newest.
    fewer
        .nodes
        .insert("a".into(), result(NodeStatus::Failed, Some(1), ""));
    import(&bench, "i4", &fewer, 3);
    assert_eq!(bench.status("a"), NodeStatus::Failed);
    assert_eq!(bench.status("b"), NodeStatus::Idle);
}

#[test]
fn a_huge_imported_log_keeps_its_end() {
    let bench = Bench::new();
    let result = FileResult {
        status: NodeStatus::Failed,
        stdout: format!("{}why", "é".repeat(1 << 20)),
        ..FileResult::default()
    };
    let results = FileResults {
        nodes: [("a".into(), result)].into(),
        marks: Vec::new(),
    };
    bench
        .ledger
        .record_import(&bench.flow, "i".into(), &results, 1, Timestamp(1));
    let log = bench.ledger.imported_log(&bench.flow, &NodeId::from("a"));
    let (out, _) = log.expect("a log").expect("an import");
    assert!(out.len() <= 1 << 20 && out.ends_with("éwhy"));
}

#[test]
fn the_log_index_is_ascending_per_stream() {
    let mut bench = Bench::new();
    let run = bench.start("r1", &["a"], Choice::Full);
    let id = run.id(0, 1, 1);
    for (stream, offset, at) in [
        (Stream::Out, 65_536, 2),
        (Stream::Err, 0, 3),
        (Stream::Out, 0, 1),
    ] {
        bench
            .ledger
            .record_log_index(&id, stream, offset, Timestamp(at));
    }
    let index = bench.ledger.log_index(&id).expect("an index");
    assert_eq!(
        index,
        [
            (Stream::Out, 0, Timestamp(1)),
            (Stream::Out, 65_536, Timestamp(2)),
            (Stream::Err, 0, Timestamp(3)),
        ]
    );
}
