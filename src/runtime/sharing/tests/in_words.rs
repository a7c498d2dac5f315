//! What is said of a run, and what is made of what others say.

use super::*;

#[test]
fn the_seeds_columns_say_what_its_programs_show() {
    let mut a = Machine::new("wsA");
    let mut run = start(&a, "r1", 0);
    run.print(0, "one\ntwo\n", "");
    run.node(0, Exit::Code(0));
    run.print(1, "", "no such table\n");
    run.node(1, Exit::Code(3));
    run.finish(Outcome::Failed);
    let rows = a.all();
    let at = |n: i64| Timestamp(NOW.0 + n);
    assert_eq!(
        rows.runs,
        [RunRow {
            run_id: "r1".to_owned(),
            flow_name: "flow_modules/daily.graphml".to_owned(),
            group_name: Some("Claims".to_owned()),
            source_path: Some("wsA:flow_modules/daily.graphml#full".to_owned()),
            status: "failed".to_owned(),
            started_at: at(0),
            finished_at: Some(at(50)),
            error_text: Some(
                "Flow \"flow_modules/daily.graphml\" failed in step \"Node b [b]\": exit 3"
                    .to_owned()
            ),
        }]
    );
    let step = |id, label: &str, status: &str, from, error: Option<&str>| StepRow {
        id,
        run_id: "r1".to_owned(),
        flow_name: "flow_modules/daily.graphml".to_owned(),
        step_label: label.to_owned(),
        status: status.to_owned(),
        started_at: at(from),
        finished_at: Some(at(from + 10)),
        elapsed_ms: Some(0),
        error_text: error.map(str::to_owned),
        output_path: None,
    };
    assert_eq!(
        rows.steps,
        [
            step(1, "Node a [a]", "success", 10, None),
            step(2, "Node b [b]", "failed", 30, Some("exit 3")),
        ]
    );
    let log = |id, label: &str, level: &str, message: &str, n| LogRow {
        id,
        run_id: Some("r1".to_owned()),
        flow_name: Some("flow_modules/daily.graphml".to_owned()),
        step_label: Some(label.to_owned()),
        level: level.to_owned(),
        message: message.to_owned(),
        created_at: at(n),
    };
    assert_eq!(
        rows.logs,
        [
            log(1, "Node a [a]", "INFO", "one", 18),
            log(2, "Node a [a]", "INFO", "two", 19),
            log(3, "Node b [b]", "ERROR", "no such table", 39),
        ]
    );
}

#[test]
fn passes_and_attempts_keep_their_numbers() {
    let (mut a, mut b) = (Machine::new("wsA"), Machine::new("wsB"));
    let mut run = start(&a, "r1", 0);
    run.begin(0, 1, 1);
    run.end(0, 1, 1, Exit::Code(1), true);
    run.begin(0, 1, 2);
    run.end(0, 1, 2, Exit::Code(0), false);
    run.begin(0, 2, 1);
    run.end(0, 2, 1, Exit::Signal(15), false);
    run.finish(Outcome::Stopped);
    let rows = a.all();
    let labels: Vec<&str> = rows.steps.iter().map(|s| s.step_label.as_str()).collect();
    assert_eq!(
        labels,
        [
            "Node a [a]",
            "Node a [a, pass 1, attempt 2]",
            "Node a [a, pass 2]"
        ]
    );
    assert_eq!(
        rows.steps[0].error_text.as_deref(),
        Some("exit 1, tried again")
    );
    b.watch(rows, "wsA");
    let attempts = |machine: &Machine| -> Vec<(u32, u32, NodeStatus, Option<Exit>)> {
        let rows = machine.ledger().node_runs(&RunId::from("r1"), None);
        let rows = rows.expect("rows").into_iter();
        rows.map(|row| (row.id.pass, row.id.attempt, row.status, row.exit))
            .collect()
    };
    assert_eq!(attempts(&b), attempts(&a));
    assert_eq!(b.facts(), "a+, a ran, a+, a stopped");
    assert_eq!(b.facts(), a.facts());
}

#[test]
fn rows_of_the_seed_are_given_on_word_for_word() {
    let (mut b, mut c) = (Machine::new("wsB"), Machine::new("wsC"));
    let at = |n: i64| Timestamp(NOW.0 - 1_000_000 + n);
    let rows = Rows {
        runs: vec![RunRow {
            run_id: "239aab3682e8401f92cea2de9a94791b".to_owned(),
            flow_name: "poll_docs".to_owned(),
            group_name: Some("Docs".to_owned()),
            source_path: Some("/in/doc_1.csv".to_owned()),
            status: "failed".to_owned(),
            started_at: at(0),
            finished_at: Some(at(90)),
            error_text: Some("RuntimeError: bad row 17".to_owned()),
        }],
        steps: [("Read Doc", "success", 27), ("Read Doc", "failed", 28)]
            .into_iter()
            .map(|(label, status, id)| StepRow {
                id,
                run_id: "239aab3682e8401f92cea2de9a94791b".to_owned(),
                flow_name: "poll_docs".to_owned(),
                step_label: label.to_owned(),
                status: status.to_owned(),
                started_at: at(id),
                finished_at: Some(at(id + 1)),
                elapsed_ms: Some(7),
                error_text: (status == "failed").then(|| "RuntimeError: bad row 17".to_owned()),
                output_path: Some("/out/doc_1.parquet".to_owned()),
            })
            .collect(),
        logs: vec![LogRow {
            id: 4,
            run_id: None,
            flow_name: Some("poll_docs".to_owned()),
            step_label: None,
            level: "ERROR".to_owned(),
            message: "bad row 17".to_owned(),
            created_at: at(50),
        }],
        files: vec![FileStateRow {
            flow_name: "poll_docs".to_owned(),
            source_path: "/in/doc_1.csv".to_owned(),
            mtime_ns: 1_795_219_090_057_174_482,
            size_bytes: 13,
            last_success_run_id: None,
            last_success_at: None,
            last_status: "failed".to_owned(),
            last_error_text: Some("RuntimeError: bad row 17".to_owned()),
        }],
    };
    b.claim(rows.clone());
    let mut given = b.all();
    for step in &mut given.steps {
        step.id += 26;
    }
    given.logs[0].id = 4;
    assert_eq!(given, rows);
    c.watch(b.all(), "wsB");
    c.watch(b.all(), "wsB");
    let again = c.all();
    assert_eq!(
        again.steps.len(),
        2,
        "known by their start, whatever their number"
    );
    assert_eq!(again.files, rows.files);
    assert_eq!(again.logs.len(), 1);
    let flow = FlowRef {
        file: "poll_docs".into(),
        ..flow_ref()
    };
    let history = c.ledger().history(&flow, 9, None).expect("history");
    assert_eq!(history[0].outcome, Some(Outcome::Failed));
}

#[test]
fn names_of_other_machines_are_no_paths_here() {
    let mut b = Machine::new("wsB");
    let row = |id: &str, flow: &str| RunRow {
        run_id: id.to_owned(),
        flow_name: flow.to_owned(),
        group_name: None,
        source_path: Some(format!("\u{1b}]0;evil\u{7}{}:{flow}#full", "x".repeat(500))),
        status: "success".to_owned(),
        started_at: NOW,
        finished_at: Some(NOW),
        error_text: None,
    };
    let rows = Rows {
        runs: vec![
            row("../../etc", "../../flow_modules/a.graphml"),
            row(".hidden", "/abs/a.graphml"),
            row("", ""),
            row("20261121-051234.567-1a2b", "flow_modules/daily.graphml"),
        ],
        ..Rows::default()
    };
    b.watch(rows, "wsA");
    let page = b
        .ledger()
        .search(None, &crate::model::HistoryFilter::default(), 9, None);
    for run in page.expect("page").runs {
        let id = run.summary.id.as_str();
        assert!(
            !id.contains('/') && !id.starts_with('.') && !id.is_empty(),
            "{id}"
        );
        let mut parts = Path::new(&*run.file).components();
        let is_inside = parts.all(|part| matches!(part, std::path::Component::Normal(_)));
        assert!(is_inside && !run.file.is_empty(), "{}", run.file);
        let host = run.summary.ran_on.expect("elsewhere");
        assert!(
            host.chars().count() <= 64 && !host.contains('\u{1b}'),
            "{host}"
        );
    }
    b.healthy();
}

#[test]
fn labels_and_sources_say_again_what_was_put_into_them() {
    for (title, id, pass, attempt) in [
        (Some("Load"), "n1", 1, 1),
        (None, "n1", 3, 1),
        (Some("a [b]"), "x, pass 2]", 1, 9),
        (Some("%5B"), "%5B[", 12, 34),
        (Some(""), "", 1, 1),
    ] {
        let label = words::label(title, &NodeId::from(id), pass, attempt);
        assert_eq!(
            words::parse_label(&label),
            Some((NodeId::from(id), pass, attempt)),
            "{label}"
        );
        let name = title.filter(|title| !title.is_empty()).unwrap_or(id);
        assert_eq!(step_name(&label), name, "{label}");
    }
    for bad in ["", "Read Doc", "x]", "a [b, c]", "a [b, pass x]"] {
        assert_eq!(words::parse_label(bad), None, "{bad}");
    }
    let source = words::Source {
        host: "ws-A".to_owned(),
        choice: "from".to_owned(),
        whole: false,
        resumes: Some(RunId::from("20261121-051234.567-1a2b")),
    };
    let file = "flow_modules/a#b;c.graphml";
    assert_eq!(
        words::Source::parse(&source.to_text(file), file),
        Some(source)
    );
    assert_eq!(words::Source::parse("/in/doc_1.csv", "poll_docs"), None);
}
