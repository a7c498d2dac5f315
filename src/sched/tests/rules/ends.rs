//! Stops, retries and timeouts.

use super::*;

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
