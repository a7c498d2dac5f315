//! What a resume runs.

use super::*;

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
