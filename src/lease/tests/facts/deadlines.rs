//! What happens when the folder, the network or the machine is away.

use super::rig::*;
use crate::lease::*;

#[test]
fn item_29_two_failed_writes_degrade_and_the_deadline_stops() {
    let mut rig = Rig::owner();
    rig.pass(seconds(29));
    rig.ops.clear();
    rig.pass(seconds(2));
    assert!(
        rig.wrote(|op| matches!(
            op,
            Op::MovePage {
                page: Page::Row(_),
                ..
            }
        )),
        "a beat within thirty seconds"
    );
    rig.work(1);
    rig.fault = Some(Fault::Unknown("input/output error".to_owned()));
    rig.pass(seconds(30));
    rig.pass(seconds(6));
    assert!(
        matches!(&rig.facts[1..], [Fact::Degraded { n_failed: 2, why }] if why == "input/output error"),
        "{:?}",
        rig.facts
    );
    assert!(rig.banners()[0].starts_with("Degraded: 2 checkpoints failed (input/output error)."));
    assert!(rig.status().may_start_nodes, "a short outage stops nobody");
    rig.pass(seconds(26));
    assert_eq!(rig.orders, [ChildOrder::Stop]);
    assert!(matches!(
        rig.facts.last(),
        Some(Fact::Lost {
            how: Loss::Expired,
            ..
        })
    ));
    rig.pass(seconds(10));
    assert_eq!(rig.orders[1], ChildOrder::Kill);
    // When the last child is gone and the folder is back, the epoch is released: nobody need wait for its silence.
    rig.fault = None;
    rig.work(0);
    rig.pass(seconds(10));
    assert!(rig.wrote(|op| matches!(op, Op::ReleasePen { epoch: Epoch(1) })));
}

#[test]
fn a_degraded_owner_recovers_with_the_next_checkpoint() {
    let mut rig = Rig::owner();
    rig.fault = Some(Fault::Refused("no space left".to_owned()));
    rig.pass(seconds(37));
    rig.fault = None;
    rig.pass(seconds(10));
    assert!(
        matches!(rig.facts.last(), Some(Fact::Recovered)),
        "{:?}",
        rig.facts
    );
    assert!(rig.banners().is_empty());
}

#[test]
fn item_31_a_hung_folder_holds_up_no_deadline() {
    let mut rig = Rig::owner();
    rig.work(1);
    // From here on nothing comes back.
    let mut out = Vec::new();
    let deadline = rig.armed.expect("armed");
    while rig.now.boot < deadline {
        let next = rig
            .lease
            .next_deadline()
            .expect("the deadline is always there");
        rig.set(next);
        rig.lease.handle(rig.now, Input::Tick, &mut out);
    }
    assert!(out.contains(&Effect::Children(ChildOrder::Stop)));
    assert!(
        out.iter()
            .filter(|effect| matches!(effect, Effect::Carry { .. }))
            .count()
            <= 1
    );
    let age = rig.status().seen.expect("it was looked at once");
    assert!(age >= seconds(50), "the age of what is shown is shown");
}

#[test]
fn item_32_a_vanished_folder_stops_everything_and_nothing_is_made() {
    let mut rig = Rig::owner();
    rig.work(1);
    rig.ops.clear();
    rig.is_vanished = true;
    rig.pass(seconds(3));
    assert_eq!(rig.orders, [ChildOrder::Stop]);
    assert!(matches!(
        rig.facts.last(),
        Some(Fact::Lost {
            how: Loss::Vanished,
            ..
        })
    ));
    assert_eq!(rig.status().stand, Stand::Vanished);
    assert_eq!(
        rig.status().blocked.as_deref(),
        Some("The workspace folder is not there.")
    );
    rig.work(0);
    rig.pass(seconds(100));
    assert!(
        rig.ops.iter().all(|op| matches!(op, Op::ListEpochs)),
        "{:?}",
        rig.ops
    );
    // Back again, it is looked at and the old epoch is released.
    rig.is_vanished = false;
    rig.pass(seconds(5));
    assert!(rig.wrote(|op| matches!(op, Op::ReleasePen { epoch: Epoch(1) })));
}

#[test]
fn sleep_freezes_and_waking_thaws_only_after_a_checkpoint() {
    let mut rig = Rig::owner();
    rig.work(2);
    rig.tell(Input::Suspending);
    assert_eq!(rig.orders, [ChildOrder::Freeze]);
    assert_eq!(rig.armed, None);
    // A short sleep: the epoch is still valid, but the folder does not answer at once.
    let awake = rig.now.boot.plus(seconds(40));
    rig.set(awake);
    rig.fault = Some(Fault::Unknown("timed out".to_owned()));
    rig.tell(Input::Woke);
    assert_eq!(
        rig.orders.len(),
        1,
        "nothing is thawed before the folder has said yes"
    );
    rig.fault = None;
    rig.pass(seconds(6));
    assert_eq!(rig.orders, [ChildOrder::Freeze, ChildOrder::Thaw]);
    assert!(rig.armed.is_some_and(|until| until > rig.now.boot));
}

#[test]
fn a_long_sleep_needs_a_new_epoch_and_a_lost_one_kills_the_frozen() {
    let mut rig = Rig::owner();
    rig.work(2);
    rig.tell(Input::Suspending);
    let awake = rig.now.boot.plus(seconds(3_600));
    rig.set(awake);
    rig.tell(Input::Woke);
    rig.pass(seconds(10));
    assert_eq!(rig.orders, [ChildOrder::Freeze, ChildOrder::Thaw]);
    assert!(matches!(
        rig.status().stand,
        Stand::Owner { epoch: Epoch(2) }
    ));

    rig.orders.clear();
    rig.tell(Input::Suspending);
    rig.held(3, "wsA");
    let awake = rig.now.boot.plus(seconds(3_600));
    rig.set(awake);
    rig.tell(Input::Woke);
    rig.pass(seconds(3));
    assert_eq!(rig.orders, [ChildOrder::Freeze, ChildOrder::Kill]);
    assert!(
        matches!(
            rig.facts.last(),
            Some(Fact::Lost {
                how: Loss::Ousted,
                ..
            })
        ),
        "{:?}",
        rig.facts
    );
}

#[test]
fn nodes_may_finish_without_control_when_the_workspace_says_so() {
    let mut rig = Rig::owner();
    rig.tell(Input::Configure(Policy {
        finishes_when_away: true,
        ..Policy::default()
    }));
    rig.work(1);
    rig.is_vanished = true;
    rig.pass(seconds(120));
    assert!(rig.orders.is_empty());
    assert!(!rig.status().may_start_nodes);
    assert!(
        rig.banners()
            .iter()
            .any(|line| line.contains("finish without control"))
    );
    // Another machine took over meanwhile.
    rig.is_vanished = false;
    rig.held(2, "wsA");
    rig.pass(seconds(5));
    assert_eq!(rig.orders, [ChildOrder::Kill]);
    assert!(
        rig.facts
            .iter()
            .any(|fact| matches!(fact, Fact::Overlapped { with, .. } if with == "wsA"))
    );
}

#[test]
fn children_that_are_ending_do_not_outlive_a_sleep() {
    let mut rig = Rig::owner();
    rig.work(1);
    rig.wish(Wish::Release { when: When::Now });
    rig.tell(Input::Suspending);
    assert_eq!(
        rig.orders,
        [ChildOrder::Stop, ChildOrder::Freeze, ChildOrder::Kill]
    );
}
