//! Each rule once, drawn and told.

use expect_test::{Expect, expect};

use super::*;

/// Starts `choice` on the drawn flow and plays the steps: `a ok`, `a fails`, `stop`, `stop now`,
/// `stop a`, `wait 5`, `crash`, `resume`, `run`. Everything told is compared.
fn check(drawn: &str, choice: Choice, steps: &str, told: Expect) {
    let mut rig = Rig::new(flow(drawn), 16);
    play(&mut rig, choice, steps, told);
}

fn play(rig: &mut Rig, choice: Choice, steps: &str, told: Expect) {
    let mut events = rig.start(choice);
    for step in steps
        .split(',')
        .map(str::trim)
        .filter(|step| !step.is_empty())
    {
        let words: Vec<&str> = step.split(' ').collect();
        events.extend(match words[..] {
            [node, "ok"] => rig.end(node, Exit::Code(0)),
            [node, "fails"] => rig.end(node, Exit::Code(1)),
            [node, "dies"] => rig.end(node, Exit::Signal(15)),
            ["stop"] => rig.stop(None, false),
            ["stop", "now"] => rig.stop(None, true),
            ["stop", node] => rig.stop(Some(&[node]), false),
            ["wait", seconds] => rig.wait(Duration::from_secs(seconds.parse().expect("seconds"))),
            ["crash"] => {
                rig.crash();
                Vec::new()
            }
            ["resume"] => rig.start(Choice::Resume),
            ["run"] => rig.start(Choice::Auto),
            ["retry", node] => {
                let run = RunId::new(format!("r{}", rig.n_runs));
                let nodes = rig
                    .flow
                    .graph
                    .shared_nodes()
                    .filter(|n| n.id.as_str() == node)
                    .cloned()
                    .collect();
                rig.give(Input::Retry { run, nodes })
            }
            _ => panic!("unknown step {step}"),
        });
    }
    told.assert_eq(&tell(rig, &events));
}

#[test]
fn a_node_waits_for_all_its_blocking_sources() {
    check(
        "a -> c; b -> c",
        Choice::Full,
        "b ok, a ok, c ok",
        expect![[r#"
        full of 3
        a starts
        b starts
        b ran (exit 0)
        a ran (exit 0)
        c starts
        c ran (exit 0)
        run succeeded: 3 ran"#]],
    );
}

#[test]
fn a_failed_node_leaves_its_branch_waiting_and_the_others_go_on() {
    check(
        "a -> b -> d; a -> c -> e; c -> d",
        Choice::Full,
        "a ok, b fails, c ok, e ok",
        expect![[r#"
        full of 5
        a starts
        a ran (exit 0)
        b starts
        c starts
        b failed (exit 1)
        c ran (exit 0)
        e starts
        e ran (exit 0)
        run failed: 3 ran, 1 failed, 1 skipped"#]],
    );
}

#[test]
fn a_resume_runs_the_failed_node_and_what_waited_for_it() {
    check(
        "a -> b -> d; a -> c -> d",
        Choice::Full,
        "a ok, b fails, c ok, resume, b ok, d ok",
        expect![[r#"
        full of 4
        a starts
        a ran (exit 0)
        b starts
        c starts
        b failed (exit 1)
        c ran (exit 0)
        run failed: 2 ran, 1 failed, 1 skipped
        resume of 4, kept a c
        b starts
        b ran (exit 0)
        d starts
        d ran (exit 0)
        run succeeded: 2 ran, 2 kept"#]],
    );
}

#[test]
fn a_resume_stays_within_the_subset_of_the_run_it_resumes() {
    check(
        "a -> b -> c",
        Choice::Selection(ids(&["a", "b"])),
        "a ok, b fails, resume, b ok",
        expect![[r#"
        selection of 2
        a starts
        a ran (exit 0)
        b starts
        b failed (exit 1)
        run failed: 1 ran, 1 failed
        resume of 2, kept a
        b starts
        b ran (exit 0)
        run succeeded: 1 ran, 1 kept"#]],
    );
}

#[test]
fn a_second_resume_still_knows_the_first_runs_marks() {
    check(
        "a -> d; b -> d; c -> d",
        Choice::Full,
        "a ok, b fails, c fails, resume, b ok, c fails, resume, c ok, d ok",
        expect![[r#"
        full of 4
        a starts
        b starts
        c starts
        a ran (exit 0)
        b failed (exit 1)
        c failed (exit 1)
        run failed: 1 ran, 2 failed, 1 skipped
        resume of 4, kept a
        b starts
        c starts
        b ran (exit 0)
        c failed (exit 1)
        run failed: 1 ran, 1 failed, 1 skipped, 1 kept
        resume of 4, kept a b
        c starts
        c ran (exit 0)
        d starts
        d ran (exit 0)
        run succeeded: 2 ran, 2 kept"#]],
    );
}

#[test]
fn a_crash_leaves_interrupted_nodes_that_a_resume_runs() {
    check(
        "a -> b -> c; d",
        Choice::Full,
        "a ok, crash, resume, b ok, c ok, d ok",
        expect![[r#"
        full of 4
        a starts
        d starts
        a ran (exit 0)
        b starts
        resume of 4, kept a
        b starts
        d starts
        b ran (exit 0)
        c starts
        c ran (exit 0)
        d ran (exit 0)
        run succeeded: 3 ran, 1 kept"#]],
    );
}

#[test]
fn a_non_blocking_edge_starts_its_target_at_once_and_again() {
    check(
        "a -> c; b ~> c",
        Choice::Full,
        "b ok, c ok, a ok, c ok",
        expect![[r#"
        full of 3
        a starts
        b starts
        b ran (exit 0)
        c starts
        c ran (exit 0)
        a ran (exit 0)
        c starts, pass 2 attempt 1
        c ran (exit 0)
        run succeeded: 3 ran"#]],
    );
}

#[test]
fn a_trigger_for_a_running_node_waits_for_its_own_pass() {
    check(
        "a ~> c; b ~> c",
        Choice::Full,
        "a ok, b ok, c ok, c ok",
        expect![[r#"
        full of 3
        a starts
        b starts
        a ran (exit 0)
        c starts
        b ran (exit 0)
        c ran (exit 0)
        c starts, pass 2 attempt 1
        c ran (exit 0)
        run succeeded: 3 ran"#]],
    );
}

#[test]
fn a_blocking_cycle_refuses_the_run_and_names_itself() {
    check(
        "x; a -> b -> a",
        Choice::Full,
        "",
        expect!["run refused: blocking edges form a cycle: a → b → a"],
    );
    check(
        "a -> a",
        Choice::Full,
        "",
        expect!["run refused: blocking edges form a cycle: a → a"],
    );
    check(
        "x -> y; a -> b -> a",
        Choice::Selection(ids(&["x"])),
        "x ok",
        expect![[r#"
        selection of 1
        x starts
        x ran (exit 0)
        run succeeded: 1 ran"#]],
    );
}

#[test]
fn a_non_blocking_loop_runs_until_something_in_it_fails() {
    check(
        "r -> a -> b; b ~> a",
        Choice::Full,
        "r ok, a ok, b ok, a ok, b ok, a fails",
        expect![[r#"
        full of 3
        r starts
        r ran (exit 0)
        a starts
        a ran (exit 0)
        b starts
        b ran (exit 0)
        a starts, pass 2 attempt 1
        a ran (exit 0)
        b starts, pass 2 attempt 1
        b ran (exit 0)
        a starts, pass 3 attempt 1
        a failed (exit 1)
        run failed: 2 ran, 1 failed"#]],
    );
}

#[test]
fn a_loop_without_a_root_is_started_only_by_choice() {
    check(
        "a ~> b ~> a",
        Choice::Full,
        "",
        expect![
            "run refused: no node can start first, because every node is in a cycle: a → b → a"
        ],
    );
    check(
        "a ~> a",
        Choice::Selection(ids(&["a"])),
        "a fails",
        expect![[r#"
        selection of 1
        a starts
        a failed (exit 1)
        run failed: 1 failed"#]],
    );
}

#[test]
fn max_passes_ends_a_loop_as_failed() {
    let mut drawn = flow("r ~> a; a ~> a");
    drawn.max_passes = Some(2);
    play(
        &mut Rig::new(drawn, 4),
        Choice::Full,
        "r ok, a ok, a ok",
        expect![[r#"
        full of 2
        r starts
        r ran (exit 0)
        a starts
        a ran (exit 0)
        a starts, pass 2 attempt 1
        a ran (exit 0)
        a starts, pass 3 attempt 1
        a failed (max passes reached)
        run failed: 1 ran, 1 failed"#]],
    );
}

#[test]
fn blank_and_muted_nodes_succeed_without_a_process() {
    let mut drawn = flow("a -> b -> c");
    drawn.graph.node_mut(&"a".into()).expect("a").command = " \n ".into();
    drawn.graph.node_mut(&"b".into()).expect("b").disabled = true;
    let mut rig = Rig::new(drawn, 1);
    play(
        &mut rig,
        Choice::Full,
        "c ok",
        expect![[r#"
        full of 3
        a starts
        a ran (exit 0)
        b starts
        b ran (exit 0)
        c starts
        c ran (exit 0)
        run succeeded: 3 ran"#]],
    );
}

#[test]
fn an_endless_loop_of_blank_nodes_can_be_stopped() {
    let mut drawn = flow("r ~> a; a ~> a");
    for id in ["r", "a"] {
        drawn.graph.node_mut(&id.into()).expect("there").command = String::new();
    }
    let mut rig = Rig::new(drawn, 1);
    assert_eq!(outcome(&rig.start(Choice::Full)), None);
    assert_eq!(outcome(&rig.wait(Duration::from_millis(2))), None);
    assert_eq!(outcome(&rig.stop(None, false)), Some(Outcome::Stopped));
}

#[test]
fn a_stop_ends_running_nodes_and_starts_nothing_more() {
    let mut rig = Rig::new(flow("a -> c; b -> d"), 1);
    play(
        &mut rig,
        Choice::Full,
        "stop, a dies",
        expect![[r#"
        full of 4
        a starts
        stopping
        a stopped (SIGTERM)
        run stopped: 1 stopped, 3 skipped"#]],
    );
    assert_eq!(
        rig.terminated
            .iter()
            .map(|(_, force)| *force)
            .collect::<Vec<_>>(),
        [false]
    );
}

#[test]
fn a_resume_after_a_stop_starts_what_was_ready_too() {
    let mut rig = Rig::new(flow("a -> c; b -> d"), 1);
    play(
        &mut rig,
        Choice::Full,
        "stop, a dies, resume, a ok, b ok, c ok, d ok",
        expect![[r#"
        full of 4
        a starts
        stopping
        a stopped (SIGTERM)
        run stopped: 1 stopped, 3 skipped
        resume of 4
        a starts
        a ran (exit 0)
        b starts
        b ran (exit 0)
        c starts
        c ran (exit 0)
        d starts
        d ran (exit 0)
        run succeeded: 4 ran"#]],
    );
}

#[test]
fn the_kill_follows_the_grace_and_a_second_stop_skips_it() {
    let mut rig = Rig::new(flow("a; b"), 2);
    rig.start(Choice::Full);
    rig.stop(None, false);
    rig.wait(Duration::from_secs(4));
    let forced = |rig: &Rig| rig.terminated.iter().filter(|(_, force)| *force).count();
    assert_eq!(forced(&rig), 0);
    rig.wait(Duration::from_secs(1));
    assert_eq!(forced(&rig), 2);

    let mut rig = Rig::new(flow("a; b"), 2);
    rig.start(Choice::Full);
    rig.stop(None, false);
    rig.stop(None, false);
    assert_eq!(forced(&rig), 2);
}

#[test]
fn one_node_is_stopped_without_its_run() {
    check(
        "a -> c; b -> d",
        Choice::Full,
        "stop a, a dies, b ok, d ok",
        expect![[r#"
        full of 4
        a starts
        b starts
        a stopped (SIGTERM)
        b ran (exit 0)
        d starts
        d ran (exit 0)
        run stopped: 2 ran, 1 stopped, 1 skipped"#]],
    );
}

#[test]
fn retries_come_after_their_delay_and_count_attempts() {
    let mut drawn = flow("a -> b");
    let a = drawn.graph.node_mut(&"a".into()).expect("a");
    (a.retries, a.retry_delay) = (2, Duration::from_secs(3));
    play(
        &mut Rig::new(drawn, 1),
        Choice::Full,
        "a fails, wait 2, wait 1, a fails, wait 3, a ok, b ok",
        expect![[r#"
        full of 2
        a starts
        a failed (exit 1), again later
        a starts, pass 1 attempt 2
        a failed (exit 1), again later
        a starts, pass 1 attempt 3
        a ran (exit 0)
        b starts
        b ran (exit 0)
        run succeeded: 2 ran"#]],
    );
}

#[test]
fn a_stop_between_two_attempts_ends_the_run() {
    let mut drawn = flow("a");
    let a = drawn.graph.node_mut(&"a".into()).expect("a");
    (a.retries, a.retry_delay) = (1, Duration::from_secs(3));
    play(
        &mut Rig::new(drawn, 1),
        Choice::Full,
        "a fails, stop, resume, a ok",
        expect![[r#"
        full of 1
        a starts
        a failed (exit 1), again later
        stopping
        a stopped (not started: stopped before its next attempt)
        run stopped: 1 stopped
        resume of 1
        a starts
        a ran (exit 0)
        run succeeded: 1 ran"#]],
    );
}

#[test]
fn a_timeout_ends_the_attempt_as_failed() {
    let mut drawn = flow("a");
    drawn.graph.node_mut(&"a".into()).expect("a").timeout = Some(Duration::from_secs(2));
    let mut rig = Rig::new(drawn, 1);
    rig.start(Choice::Full);
    rig.wait(Duration::from_secs(2));
    assert_eq!(rig.terminated.len(), 1, "asked to end");
    rig.wait(Duration::from_secs(5));
    assert!(rig.terminated[1].1, "killed after the grace");
    let told = rig.end("a", Exit::Signal(9));
    expect![[r#"
        a failed (timed out)
        run failed: 1 failed"#]]
    .assert_eq(&tell(&rig, &told));
    assert_eq!(rig.scheduler.next_deadline(), None);
}

#[test]
fn a_failed_node_is_retried_in_the_live_run() {
    check(
        "a -> c; b",
        Choice::Full,
        "a fails, retry a, a ok, c ok, b ok",
        expect![[r#"
        full of 3
        a starts
        b starts
        a failed (exit 1)
        a starts, pass 2 attempt 1
        a ran (exit 0)
        c starts
        c ran (exit 0)
        b ran (exit 0)
        run succeeded: 3 ran"#]],
    );
}

#[test]
fn unknown_nodes_and_empty_choices_are_refused_by_name() {
    check(
        "a",
        Choice::Selection(ids(&["a", "zz", "y"])),
        "",
        expect!["run refused: the flow has no node ‘zz’, ‘y’"],
    );
    check(
        "a",
        Choice::Selection(vec![]),
        "",
        expect!["nothing to run: no node is selected"],
    );
    check(
        "",
        Choice::Full,
        "",
        expect!["nothing to run: the flow has no nodes"],
    );
    check(
        "a",
        Choice::Resume,
        "",
        expect![
            "nothing to resume: no node of the last run failed, was stopped or was interrupted"
        ],
    );
}

#[test]
fn run_from_here_takes_all_that_lies_downstream() {
    check(
        "a -> b -> c; a -> d",
        Choice::From(ids(&["b"])),
        "b ok, c ok",
        expect![[r#"
        from here of 2
        b starts
        b ran (exit 0)
        c starts
        c ran (exit 0)
        run succeeded: 2 ran"#]],
    );
}

#[test]
fn run_up_to_here_leaves_out_what_is_fresh() {
    let mut rig = Rig::new(flow("a -> b -> c; x -> c -> d"), 4);
    play(
        &mut rig,
        Choice::Selection(ids(&["a"])),
        "a ok",
        expect![[r#"
        selection of 1
        a starts
        a ran (exit 0)
        run succeeded: 1 ran"#]],
    );
    play(
        &mut rig,
        Choice::UpTo(ids(&["c"])),
        "b ok, x ok, c ok",
        expect![[r#"
        up to here of 3
        b starts
        x starts
        b ran (exit 0)
        x ran (exit 0)
        c starts
        c ran (exit 0)
        run succeeded: 3 ran"#]],
    );
    // A changed command makes its node stale, and all below it.
    let mut edited = (*rig.flow).clone();
    edited.graph.node_mut(&"a".into()).expect("a").command = "other".into();
    rig.flow = Arc::new(edited);
    play(
        &mut rig,
        Choice::UpTo(ids(&["c"])),
        "a ok, b ok, c ok",
        expect![[r#"
        up to here of 3
        a starts
        a ran (exit 0)
        b starts
        b ran (exit 0)
        c starts
        c ran (exit 0)
        run succeeded: 3 ran"#]],
    );
}

#[test]
fn plain_run_resumes_a_failure_of_any_run_that_still_shows() {
    let mut rig = Rig::new(flow("a -> b; x -> y"), 4);
    play(
        &mut rig,
        Choice::Selection(ids(&["x"])),
        "x fails",
        expect![[r#"
        selection of 1
        x starts
        x failed (exit 1)
        run failed: 1 failed"#]],
    );
    play(
        &mut rig,
        Choice::Selection(ids(&["a"])),
        "a ok",
        expect![[r#"
        selection of 1
        a starts
        a ran (exit 0)
        run succeeded: 1 ran"#]],
    );
    play(
        &mut rig,
        Choice::Auto,
        "x ok, y ok",
        expect![[r#"
        resume of 4, kept a
        x starts
        x ran (exit 0)
        y starts
        y ran (exit 0)
        run succeeded: 2 ran, 1 skipped, 1 kept"#]],
    );
    assert_eq!(of(&rig.past.nodes, "b"), NodeStatus::Idle);
}

#[test]
fn a_cleared_status_is_no_reason_to_resume() {
    let mut rig = Rig::new(flow("a; b"), 4);
    play(
        &mut rig,
        Choice::Full,
        "a fails, b fails",
        expect![[r#"
        full of 2
        a starts
        b starts
        a failed (exit 1)
        b failed (exit 1)
        run failed: 2 failed"#]],
    );
    rig.past.nodes.remove("a");
    play(
        &mut rig,
        Choice::Resume,
        "b ok",
        expect![[r#"
        resume of 2
        b starts
        b ran (exit 0)
        run succeeded: 1 ran, 1 skipped"#]],
    );
}

#[test]
fn slots_are_shared_between_runs_in_turn() {
    let mut rig = Rig::new(flow("a; b; c"), 2);
    rig.start(Choice::Full);
    rig.start(Choice::Full);
    assert_eq!(rig.running(), ["a", "b"]);
    rig.end("b", Exit::Code(0));
    let second = rig
        .live
        .iter()
        .filter(|(id, _)| id.run.as_str() == "r2")
        .count();
    assert_eq!(second, 1, "the second run gets the next free slot");
}
