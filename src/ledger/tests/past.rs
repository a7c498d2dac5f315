//! Runs come back as they were recorded.

use super::*;

#[test]
fn a_run_comes_back_as_past_and_history() {
    let mut bench = Bench::new();
    let run = bench.start("r1", &["a", "b", "c"], Choice::Full);
    bench.node(&run, 0, 0);
    bench.node(&run, 1, 7);
    bench.finish(&run, Outcome::Failed, &[2]);
    let bench = bench.reopened();

    assert_eq!(bench.facts(), "a+, a ran, b+, b failed");
    let past = bench.ledger.past(&bench.flow).expect("a past");
    let last = past.last.expect("a last run");
    assert_eq!(last.run, Some(RunId::from("r1")));
    assert_eq!((last.scope, last.base), (None, None));
    let b = &past.nodes[&NodeId::from("b")];
    assert_eq!(b.status, NodeStatus::Failed);
    assert_eq!(b.exit, Some(Exit::Code(7)));
    assert_eq!((b.pass, b.attempt), (1, 1));
    assert_eq!(b.started, Some(Timestamp(4_000)));
    assert_eq!(b.ended, Some(Timestamp(5_000)));
    assert_eq!(b.run, Some(RunId::from("r1")));
    assert_eq!(past.nodes[&NodeId::from("c")].status, NodeStatus::Skipped);
    assert_eq!(past.commands[&NodeId::from("a")], command_hash("echo a"));
    assert!(!past.commands.contains_key(&NodeId::from("c")));

    let history = bench
        .ledger
        .history(&bench.flow, 50, None)
        .expect("history");
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].outcome, Some(Outcome::Failed));
    assert_eq!(&*history[0].choice, "full");
    assert_eq!(history[0].started, Timestamp(1_000));
    assert_eq!(history[0].ended, Some(Timestamp(6_000)));
    assert_eq!(history[0].counts.failed, 1);
    assert!(bench.ledger.open_runs().expect("open runs").is_empty());
}

#[test]
fn a_resume_of_a_full_run_is_bound_to_the_whole_flow_and_chains_the_facts() {
    let mut bench = Bench::new();
    let names = ["a", "b", "c"];
    let run = bench.start("r1", &names, Choice::Full);
    bench.node(&run, 0, 0);
    bench.node(&run, 1, 1);
    bench.finish(&run, Outcome::Failed, &[2]);
    let run = bench.start_of("r2", &names, Choice::Resume, Some("r1"), &[0], None);
    bench.node(&run, 1, 0);
    bench.node(&run, 2, 0);
    bench.finish(&run, Outcome::Succeeded, &[]);

    assert_eq!(
        bench.facts(),
        "a+, a ran, b+, b failed, |, b+, b ran, c+, c ran"
    );
    let past = bench.ledger.past(&bench.flow).expect("a past");
    assert_eq!(past.last.expect("a last run").scope, None);
    // The kept node has the state that the run before gave it.
    assert_eq!(past.nodes[&NodeId::from("a")].run, Some(RunId::from("r1")));
    let states = |run| {
        let states = bench.ledger.states_of_run(&bench.flow, &RunId::from(run));
        let states = states.expect("states");
        names.map(|n| states.get(&NodeId::from(n)).map(|s| s.status))
    };
    use NodeStatus::{Failed, Ran, Skipped};
    assert_eq!(states("r1"), [Some(Ran), Some(Failed), Some(Skipped)]);
    assert_eq!(states("r2"), [Some(Ran), Some(Ran), Some(Ran)]);
    let history = bench.ledger.history(&bench.flow, 1, None).expect("history");
    assert_eq!(history[0].resumes, Some(RunId::from("r1")));
    let older = bench
        .ledger
        .history(&bench.flow, 9, Some(&history[0].id))
        .expect("history");
    assert_eq!(older.len(), 1);
    assert_eq!(older[0].id, RunId::from("r1"));
}

#[test]
fn a_selection_and_its_resume_are_bound_to_the_chosen_nodes() {
    let mut bench = Bench::new();
    let names = ["a", "b", "c"];
    let choice = Choice::Selection(ids(&["c", "b"]));
    let run = bench.start_of("r1", &names, choice, None, &[], Some(&[1, 2]));
    bench.node(&run, 1, 1);
    bench.finish(&run, Outcome::Failed, &[2]);
    let scope = |bench: &Bench| bench.ledger.past(&bench.flow).expect("a past").last;
    let last = scope(&bench).expect("a last run");
    assert_eq!(last.scope, Some(ids(&["b", "c"])));
    let run = bench.start_of("r2", &names, Choice::Resume, Some("r1"), &[], Some(&[1, 2]));
    bench.node(&run, 1, 0);
    let last = scope(&bench).expect("a last run");
    assert_eq!(last.scope, Some(ids(&["b", "c"])));
}

#[test]
fn a_retried_attempt_is_kept_and_is_no_fact() {
    let mut bench = Bench::new();
    let run = bench.start("r1", &["a"], Choice::Full);
    bench.begin(&run, 0, 1, 1);
    let at = bench.tick();
    bench.ledger.record(Event::NodeFinished(Finish {
        id: run.id(0, 1, 1),
        exit: Exit::TimedOut,
        status: NodeStatus::Failed,
        retry_at: Some(Timestamp(9)),
        at,
    }));
    bench.begin(&run, 0, 1, 2);
    bench.end(&run, 0, 1, 2, 0);
    bench.begin(&run, 0, 2, 1);
    bench.ledger.record_command(&run.id(0, 2, 1), "echo mended");
    bench.end(&run, 0, 2, 1, 3);
    assert_eq!(bench.facts(), "a+, a ran, a+, a failed");

    let rows = bench.ledger.node_runs(&run.run, Some(&NodeId::from("a")));
    let rows = rows.expect("rows");
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.id.pass, row.id.attempt, row.exit.clone(), &*row.command))
        .collect();
    assert_eq!(
        told,
        [
            (1, 1, Some(Exit::TimedOut), "echo a"),
            (1, 2, Some(Exit::Code(0)), "echo a"),
            (2, 1, Some(Exit::Code(3)), "echo mended"),
        ]
    );
    assert_eq!(bench.ledger.node_runs(&run.run, None).expect("rows"), rows);
    let newest = bench
        .ledger
        .newest_node_run(&bench.flow, &NodeId::from("a"))
        .expect("a row");
    assert_eq!(newest.as_ref(), rows.last());
    let history = bench.ledger.history(&bench.flow, 9, None).expect("history");
    assert_eq!(history[0].counts.failed, 1, "a live run is counted so far");
    let past = bench.ledger.past(&bench.flow).expect("a past");
    assert_eq!(
        past.commands[&NodeId::from("a")],
        command_hash("echo mended")
    );
}

#[test]
fn a_pass_that_ends_without_a_start_is_stored() {
    let mut bench = Bench::new();
    let run = bench.start("r1", &["a"], Choice::Full);
    let at = bench.tick();
    bench.ledger.record(Event::NodeFinished(Finish {
        id: run.id(0, 4, 1),
        exit: Exit::MaxPasses,
        status: NodeStatus::Failed,
        retry_at: None,
        at,
    }));
    assert_eq!(bench.facts(), "a failed");
    let past = bench.ledger.past(&bench.flow).expect("a past");
    assert_eq!(past.nodes[&NodeId::from("a")].exit, Some(Exit::MaxPasses));
}

#[test]
fn skipped_does_not_hide_what_the_run_itself_did() {
    let mut bench = Bench::new();
    let names = ["a", "b"];
    let run = bench.start("r1", &names, Choice::Full);
    bench.node(&run, 0, 0);
    bench.node(&run, 1, 0);
    bench.finish(&run, Outcome::Succeeded, &[]);
    let run = bench.start("r2", &names, Choice::Full);
    bench.node(&run, 0, 1);
    bench.finish(&run, Outcome::Failed, &[0, 1]);
    assert_eq!(bench.status("a"), NodeStatus::Failed);
    assert_eq!(bench.status("b"), NodeStatus::Skipped);
    let past = bench.ledger.past(&bench.flow).expect("a past");
    assert_eq!(past.nodes[&NodeId::from("b")].run, Some(RunId::from("r2")));
    assert_eq!(
        past.commands[&NodeId::from("b")],
        command_hash("echo b"),
        "the command of its last run stays known"
    );
}

#[test]
fn cleared_statuses_are_gone_until_the_next_run() {
    let mut bench = Bench::new();
    let run = bench.start("r1", &["a", "b"], Choice::Full);
    bench.node(&run, 0, 0);
    bench.node(&run, 1, 1);
    bench.finish(&run, Outcome::Failed, &[]);
    let clear = |bench: &Bench, nodes| {
        bench.ledger.record(Event::StatusCleared {
            flow: bench.flow.clone(),
            nodes,
            at: Timestamp(1),
        });
    };
    clear(&bench, Some(ids(&["b"])));
    let past = bench.ledger.past(&bench.flow).expect("a past");
    assert_eq!((past.nodes.len(), past.last.is_some()), (1, true));
    clear(&bench, None);
    let past = bench.ledger.past(&bench.flow).expect("a past");
    assert_eq!(past, crate::model::Past::default());
    let newest = bench
        .ledger
        .newest_node_run(&bench.flow, &NodeId::from("b"));
    assert!(
        newest.expect("a row").is_some(),
        "its log can still be read"
    );
    let run = bench.start("r2", &["a", "b"], Choice::Full);
    bench.node(&run, 0, 0);
    assert_eq!(bench.facts(), "a+, a ran");
}
