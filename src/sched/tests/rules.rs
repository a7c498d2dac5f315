//! Each rule once, drawn and told.

use expect_test::{Expect, expect};

use super::*;

mod ends;
mod loops;
mod resumes;

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
