//! What a person is told of a workspace in each situation.

use std::time::Duration;

use super::rig::*;
use crate::lease::*;

#[test]
fn item_1_an_empty_folder_has_no_owner() {
    let rig = Rig::new();
    let status = rig.status();
    assert_eq!(status.stand, Stand::Free);
    assert_eq!(status.text, "Nobody has control");
    assert_eq!(status.can.claim, Ok(()));
    assert!(status.requests.is_empty() && status.asked.is_none());
}

#[test]
fn item_2_the_text_counts_down_to_the_takeover() {
    let mut rig = Rig::held_by_ws_a();
    rig.pass(seconds(10));
    assert_eq!(
        rig.status().text,
        "wsA has control · takeover available in 80s"
    );
    rig.pass(Duration::from_millis(79_500));
    // Not before it is true.
    assert_eq!(
        rig.status().text,
        "wsA has control · takeover available in 1s"
    );
}

#[test]
fn item_3_after_ninety_seconds_of_silence_a_takeover_is_available() {
    let mut rig = Rig::held_by_ws_a();
    rig.pass(seconds(90));
    let status = rig.status();
    assert_eq!(status.text, "Takeover available");
    assert_eq!(status.can.take_over, Ok(()));
    assert_eq!(
        status.can.claim,
        Err("wsA currently has control of this workspace.".to_owned())
    );
}

#[test]
fn item_4_what_was_requested_is_said_and_cannot_be_requested_twice() {
    let mut rig = Rig::held_by_ws_a();
    rig.wish(Wish::Request {
        client: "ui".to_owned(),
    });
    rig.pass(seconds(3));
    let status = rig.status();
    assert_eq!(status.text, "Control requested from wsA");
    assert_eq!(status.can.request, Err("Requesting...".to_owned()));
    assert!(status.asked.is_some_and(|asked| asked.is_written));
    assert!(rig.wrote(|op| matches!(op, Op::WriteRequestRow { note } if note.host == "wsB")));
}

#[test]
fn item_5_an_own_lease_without_an_engine_says_so() {
    let mut rig = Rig::owner();
    assert_eq!(rig.status().blocked, None);
    // Of an earlier process, as a new one finds it.
    rig = Rig::bare();
    rig.held(1, "wsB");
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    assert_eq!(rig.status().text, "Trying to restore local control...");
    rig.pass(seconds(30));
    assert_eq!(rig.status().text, "Local engine is not responding");
    rig.pass(seconds(60));
    assert_eq!(rig.status().text, "Takeover available");
}

#[test]
fn without_a_sitter_nothing_runs() {
    let mut rig = Rig::owner();
    rig.work(1);
    rig.tell(Input::Sitter { is_there: false });
    assert_eq!(rig.orders, [ChildOrder::Stop]);
    assert_eq!(
        rig.status().blocked.as_deref(),
        Some("Local engine is not responding.")
    );
    rig.work(0);
    rig.wish(Wish::Control);
    rig.pass(seconds(100));
    assert!(!matches!(rig.status().stand, Stand::Owner { .. }));
}

#[test]
fn item_6_nothing_starts_while_another_has_control() {
    let rig = Rig::held_by_ws_a();
    let status = rig.status();
    assert_eq!(
        status.blocked.as_deref(),
        Some("wsA currently has control of this workspace.")
    );
    assert!(!status.may_start_runs && !status.may_start_nodes);
}

#[test]
fn a_sign_of_life_is_news_and_time_alone_is_none() {
    let mut rig = Rig::held_by_ws_a();
    rig.pass(seconds(3));
    let before = rig.status();
    rig.pass(seconds(20));
    let later = rig.status();
    assert!(later.differs_by_time_alone(&before.after(seconds(20))));
    rig.beat("wsA", Some(Epoch(1)));
    rig.pass(seconds(3));
    assert!(!rig.status().differs_by_time_alone(&later.after(seconds(3))));
}

#[test]
fn what_is_free_says_how_to_get_it_and_what_is_silent_how_to_take_it_over() {
    let rig = Rig::new();
    assert_eq!(
        rig.status().blocked.as_deref(),
        Some("Nobody has control. Take control, or start a run: that takes it.")
    );
    let mut rig = Rig::held_by_ws_a();
    rig.pass(seconds(91));
    assert_eq!(
        rig.status().blocked.as_deref(),
        Some("wsA has control and is silent. Take over to run here.")
    );
}

#[test]
fn a_folder_that_cannot_be_written_shows_who_has_control_and_offers_no_request() {
    let mut rig = Rig::held_by_ws_a();
    let why = "This folder cannot be written here: read-only file system.";
    rig.tell(Input::Folder(Folder::Unfit(why.to_owned())));
    let status = rig.status();
    assert_eq!(status.text, "wsA has control · read only here");
    assert_eq!(status.blocked.as_deref(), Some(why));
    assert_eq!(status.can.request, Err(why.to_owned()));
    assert_eq!(status.can.take_over, Err(why.to_owned()));
    assert_eq!(status.after(seconds(200)).text, status.text);
}
