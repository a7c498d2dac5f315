//! Non-blocking edges and cycles.

use super::*;

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
