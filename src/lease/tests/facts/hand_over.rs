//! How control passes from one to another who asked.

use super::rig::*;
use crate::lease::limits::Limits;
use crate::lease::*;
use crate::model::Timestamp;

#[test]
fn item_22_an_observer_takes_over_within_two_seconds_of_the_word() {
    let mut rig = Rig::held_by_ws_a();
    rig.pass(seconds(30));
    assert!(
        matches!(&rig.facts[..], [Fact::Elsewhere { epoch: Epoch(1), host }] if host == "wsA"),
        "{:?}",
        rig.facts
    );
    rig.facts.clear();
    rig.wish(Wish::TakeOver);
    assert!(
        matches!(&rig.facts[..], [Fact::NotGained { why }] if why == "wsA has control; a takeover is possible in 60s."),
        "{:?}",
        rig.facts
    );
    rig.facts.clear();
    rig.pass(seconds(60));
    rig.wish(Wish::TakeOver);
    rig.pass(seconds(2));
    assert!(
        matches!(&rig.facts[..], [Fact::Gained { epoch: Epoch(2), over: Some((host, silence)), .. }]
            if host == "wsA" && *silence >= seconds(90)),
        "{:?}",
        rig.facts
    );
    // What was left is kept aside, and the cut is noted where it happened.
    assert!(rig.wrote(|op| matches!(op, Op::Quarantine { name } if name.starts_with("claims__2025") && name.ends_with("__wsB"))));
    assert!(rig.wrote(
        |op| matches!(op, Op::WriteEnded { epoch: Epoch(1), note } if note.next == Epoch(2))
    ));
    assert!(rig.wrote(|op| matches!(op, Op::RemovePen { epoch: Epoch(1) })));
}

#[test]
fn item_23_a_request_ends_with_its_sender_its_word_or_a_no() {
    // Its sender is gone.
    let mut rig = Rig::owner();
    rig.request_of("wsC", 0);
    rig.pass(seconds(3));
    assert_eq!(rig.status().requests.len(), 1);
    assert!(matches!(rig.facts.last(), Some(Fact::AskedBy { host, .. }) if host == "wsC"));
    rig.pass(seconds(35));
    assert!(rig.status().requests.is_empty());
    assert!(rig.asked.requests.is_empty(), "and its file is removed");

    // Refreshed, it stays.
    for seq in 1..6 {
        rig.request_of("wsC", seq);
        rig.pass(seconds(10));
    }
    assert_eq!(rig.status().requests.len(), 1);
    // A no is an answer that the sender can read.
    rig.wish(Wish::Deny {
        to: me("wsC").machine,
    });
    rig.pass(seconds(3));
    assert!(rig.wrote(|op| matches!(op, Op::WriteDenial { denial } if denial.token == Token(99))));
    assert!(rig.status().requests.is_empty());

    // The sender reads it, says so, and takes its request back.
    let mut rig = Rig::held_by_ws_a();
    rig.wish(Wish::Request {
        client: "ui".to_owned(),
    });
    rig.pass(seconds(3));
    let token = rig.asked.requests[0].token;
    rig.asked.denial = Some(Denial {
        to: me("wsB").machine,
        token,
        by: "wsA".to_owned(),
        at: Timestamp(0),
    });
    rig.pass(seconds(3));
    assert!(matches!(rig.facts.last(), Some(Fact::Denied { by }) if by == "wsA"));
    assert!(rig.asked.requests.is_empty());
    // Or takes it back unasked.
    rig.wish(Wish::Request {
        client: "ui".to_owned(),
    });
    rig.pass(seconds(3));
    assert_eq!(rig.asked.requests.len(), 1);
    rig.wish(Wish::Cancel);
    rig.pass(seconds(12));
    assert!(rig.asked.requests.is_empty());
}

#[test]
fn item_24_control_that_is_gained_takes_its_request_away() {
    let mut rig = Rig::held_by_ws_a();
    rig.wish(Wish::Request {
        client: "cli".to_owned(),
    });
    rig.pass(seconds(3));
    rig.epoch.as_mut().expect("held").pen = PenSeen::Released {
        next: Some(Hint {
            machine: me("wsB").machine,
            host: "wsB".to_owned(),
        }),
    };
    rig.pass(seconds(3));
    assert!(matches!(
        rig.status().stand,
        Stand::Owner { epoch: Epoch(2) }
    ));
    rig.pass(seconds(3));
    assert!(rig.asked.requests.is_empty());
    // An earlier process of this machine left one behind: gone too.
    let mut rig = Rig::held_by_ws_a();
    rig.request_of("wsB", 5);
    rig.pass(seconds(5));
    assert!(rig.asked.requests.is_empty());
}

#[test]
fn item_25_a_hand_over_while_idle_takes_less_than_two_seconds() {
    let mut rig = Rig::owner();
    rig.request_of("wsC", 0);
    rig.pass(seconds(2));
    rig.wish(Wish::HandOver {
        to: me("wsC").machine,
        when: When::AfterRuns,
    });
    rig.pass(seconds(2));
    assert!(
        rig.facts.iter().any(
            |fact| matches!(fact, Fact::GaveUp { epoch: Epoch(1), to: Some(to) } if to == "wsC")
        ),
        "{:?}",
        rig.facts
    );
    assert_eq!(rig.status().stand, Stand::Free);
    assert!(rig.asked.requests.is_empty());
    assert_eq!(rig.armed, None);
    // For ten seconds it is the other's turn, and later too: this operator has given control away.
    rig.pass(seconds(60));
    assert_eq!(rig.status().stand, Stand::Free);
}

/// An owner whose policy gives control away.
fn giving_owner() -> Rig {
    let mut rig = Rig::owner();
    rig.tell(Input::Configure(Policy {
        claims_when_free: false,
        ..Policy::default()
    }));
    rig
}

/// The host to which control was given.
fn given_to(rig: &Rig) -> Option<&str> {
    rig.facts.iter().find_map(|fact| match fact {
        Fact::GaveUp { to, .. } => to.as_deref(),
        _ => None,
    })
}

#[test]
fn item_25_an_idle_owner_hands_over_within_two_seconds_without_being_told() {
    let mut rig = giving_owner();
    rig.pass(Limits::REAL.acting);
    rig.request_of("wsC", 0);
    rig.pass(seconds(2));
    assert_eq!(given_to(&rig), Some("wsC"), "{:?}", rig.facts);
    assert_eq!(rig.status().stand, Stand::Free);
    assert_eq!(rig.armed, None);
}

#[test]
fn item_25_who_is_acting_or_runs_something_has_the_time_of_the_policy() {
    // Somebody wished something a moment ago.
    let mut rig = giving_owner();
    rig.request_of("wsC", 0);
    rig.pass(seconds(4));
    assert_eq!(given_to(&rig), None);
    let in_time = rig.status().requests[0].answered_in;
    assert_eq!(in_time, Some(seconds(6)), "and is told how long there is");
    rig.wish(Wish::Keep);
    rig.pass(seconds(9));
    assert_eq!(given_to(&rig), None, "acting still");
    rig.pass(seconds(2));
    assert_eq!(given_to(&rig), Some("wsC"));

    // Something runs: the policy's time. Its end, and ten seconds for whoever looks at it.
    let mut rig = giving_owner();
    rig.work(1);
    rig.pass(seconds(30));
    for seq in 0..4 {
        rig.request_of("wsC", seq);
        rig.pass(seconds(10));
    }
    assert!(!matches!(rig.status().stand, Stand::Leaving { .. }));
    rig.request_of("wsC", 4);
    rig.work(0);
    rig.pass(seconds(9));
    assert_eq!(given_to(&rig), None);
    rig.pass(seconds(2));
    assert_eq!(given_to(&rig), Some("wsC"));

    // A policy that gives nothing away, or leaves it to a person, is kept.
    for answer in [Answer::Deny, Answer::Wait] {
        let mut rig = Rig::owner();
        rig.tell(Input::Configure(Policy {
            answer,
            ..Policy::default()
        }));
        rig.pass(seconds(30));
        rig.request_of("wsC", 0);
        rig.pass(seconds(25));
        assert_eq!(given_to(&rig), None, "{answer:?}");
        assert_eq!(rig.status().requests.len(), 1);
    }
}

#[test]
fn whoever_gets_control_is_not_asked_for_it_before_anything_can_be_done_with_it() {
    let mut rig = Rig::held_by_ws_a();
    rig.tell(Input::Configure(Policy::default()));
    rig.wish(Wish::Request {
        client: "ui".to_owned(),
    });
    for seq in 0..3 {
        rig.request_of("wsC", seq);
        rig.pass(seconds(10));
        rig.beat("wsA", Some(Epoch(1)));
    }
    rig.epoch.as_mut().expect("held").pen = PenSeen::Released {
        next: Some(Hint {
            machine: me("wsB").machine,
            host: "wsB".to_owned(),
        }),
    };
    rig.pass(seconds(3));
    assert!(matches!(rig.status().stand, Stand::Owner { .. }));
    rig.request_of("wsC", 3);
    rig.pass(seconds(6));
    assert_eq!(given_to(&rig), None);
    rig.request_of("wsC", 4);
    rig.pass(seconds(6));
    assert_eq!(given_to(&rig), Some("wsC"));
}

#[test]
fn a_hint_keeps_the_others_waiting_for_ten_seconds() {
    let mut rig = Rig::held_by_ws_a();
    rig.wish(Wish::Control);
    rig.epoch.as_mut().expect("held").pen = PenSeen::Released {
        next: Some(Hint {
            machine: me("wsC").machine,
            host: "wsC".to_owned(),
        }),
    };
    rig.pass(seconds(9));
    assert_eq!(rig.status().stand, Stand::Free);
    rig.pass(seconds(5));
    assert!(matches!(
        rig.status().stand,
        Stand::Owner { epoch: Epoch(2) }
    ));
}

#[test]
fn item_26_control_waits_for_the_node_that_runs() {
    for (when, n_orders) in [(When::AfterNodes, 0), (When::AfterRuns, 0), (When::Now, 1)] {
        let mut rig = Rig::owner();
        rig.work(1);
        rig.wish(Wish::HandOver {
            to: me("wsC").machine,
            when,
        });
        rig.pass(seconds(600));
        assert!(
            !rig.wrote(|op| matches!(op, Op::ReleasePen { .. })),
            "{when:?}"
        );
        assert_eq!(
            rig.orders
                .iter()
                .filter(|o| **o == ChildOrder::Stop)
                .count(),
            n_orders
        );
        let status = rig.status();
        assert!(!status.may_start_runs);
        assert_eq!(status.may_start_nodes, when == When::AfterRuns);
        rig.work(0);
        rig.pass(seconds(1));
        assert!(
            rig.wrote(|op| matches!(op, Op::ReleasePen { epoch: Epoch(1) })),
            "{when:?}"
        );
    }
}

#[test]
fn item_27_when_a_node_never_ends_the_owner_can_wait_stop_it_or_refuse() {
    let mut rig = Rig::owner();
    rig.request_of("wsC", 0);
    rig.pass(seconds(2));
    rig.work(1);
    let to = me("wsC").machine;
    rig.wish(Wish::HandOver {
        to: to.clone(),
        when: When::AfterNodes,
    });
    assert_eq!(
        rig.banners(),
        ["wsC gets control when 1 running node has ended; nothing new starts."]
    );
    rig.wish(Wish::Deny { to: to.clone() });
    assert!(
        matches!(rig.status().stand, Stand::Owner { .. }),
        "refused: control stays"
    );
    rig.wish(Wish::HandOver {
        to: to.clone(),
        when: When::AfterNodes,
    });
    rig.wish(Wish::HandOver {
        to,
        when: When::Now,
    });
    assert_eq!(rig.orders, [ChildOrder::Stop]);
    rig.pass(seconds(11));
    assert_eq!(rig.orders[1], ChildOrder::Kill);
}

#[test]
fn item_28_what_becomes_of_automation_is_said_with_the_gain() {
    let mut rig = Rig::new();
    rig.tell(Input::Configure(Policy {
        resumes: false,
        ..Policy::default()
    }));
    rig.pass(seconds(3));
    assert!(matches!(
        rig.facts[..],
        [Fact::Gained { resumes: false, .. }]
    ));
}

#[test]
fn nothing_runs_here_once_a_release_has_set_out() {
    // Found by simulation: the rename of the pen came true after its reply was lost, and meanwhile a node was started.
    let mut rig = Rig::owner();
    rig.fault = Some(Fault::Unknown("timed out".to_owned()));
    rig.wish(Wish::HandOver {
        to: me("wsC").machine,
        when: When::AfterRuns,
    });
    let status = rig.status();
    assert!(matches!(status.stand, Stand::Leaving { .. }));
    assert!(!status.may_start_nodes);
    rig.wish(Wish::Keep);
    assert!(!rig.status().may_start_nodes, "there is no way back");
    rig.fault = None;
    rig.pass(seconds(6));
    assert_eq!(rig.status().stand, Stand::Free);
}
