//! What the bar says: a situation as text in, its lines as text out.

use super::*;
use crate::app::control::offer::Does;
use crate::app::control::page::Act;
use crate::app::control::situation::seat;

/// The bar as text: the first line is its own, buttons in brackets, `*` the main one, `-` a disabled one.
fn told(situation: &str) -> String {
    let seat = seat(situation);
    if is_quiet(&seat) {
        return "a dot in the footer".to_owned();
    }
    let bar = Bar::of(&seat);
    let badge = bar.badge.map(|(word, _)| format!(" <{word}>"));
    let aside = match bar.aside.as_str() {
        "" => String::new(),
        aside => format!(" ({aside})"),
    };
    let mut text = format!(
        "{:?}: {}{aside}{}{}",
        bar.tone,
        bar.text,
        badge.unwrap_or_default(),
        buttons(&bar.offers)
    );
    for line in &bar.lines {
        text.push_str(&format!(
            "\n{:?}: {}{}",
            line.tone,
            line.text,
            buttons(&line.offers)
        ));
    }
    text
}

fn buttons(offers: &[Offer]) -> String {
    let button = |offer: &Offer| {
        let mark = match (&offer.disabled, offer.is_main) {
            (Some(_), _) => "-",
            (None, true) => "*",
            (None, false) => "",
        };
        format!(" [{mark}{}]", offer.text)
    };
    offers.iter().map(button).collect()
}

#[test]
fn one_who_is_alone_sees_a_dot_in_the_footer_and_no_bar() {
    for situation in ["owner", "unknown", "claiming", "free", "free late"] {
        assert_eq!(told(situation), "a dot in the footer", "{situation}");
    }
    assert_eq!(told("owner shared"), "Ours: This Workstation has control");
    assert_eq!(
        told("owner advisory"),
        "Ours: This Workstation has control <Advisory>"
    );
}

#[test]
fn what_usually_passes_at_once_is_told_when_it_does_not() {
    assert_eq!(
        told("unknown late"),
        "Open: Looking at the workspace folder… [Try again]"
    );
    assert_eq!(told("claiming late"), "Open: Taking control…");
    let wait = changes_in(&seat("claiming")).expect("it is looked at again");
    assert!(wait >= LATE && wait < LATE * 2);
    assert_eq!(
        changes_in(&seat("owner")),
        None,
        "nothing will change by itself"
    );
    assert_eq!(changes_in(&seat("owner shared")), None);
    assert_eq!(changes_in(&seat("free late")), None);
}

#[test]
fn item_2_and_3_a_watcher_sees_who_has_control_how_old_that_is_and_what_it_can_do() {
    assert_eq!(
        told("watching silent=10"),
        "Theirs: wsA has control · takeover available in 80s (as of 10 s ago) [Request control] [-Take over…]"
    );
    // A folder that does not answer makes old what is seen.
    assert_eq!(
        told("watching silent=57 seen=45"),
        "Theirs: wsA has control · takeover available in 40s (as of 50 s ago · folder last read 40 s ago) \
         [Request control] [-Take over…]"
    );
    assert_eq!(
        told("watching silent=90"),
        "Heed: Takeover available (wsA was last heard of 90 s ago) [Request control] [*Take over…]"
    );
}

#[test]
fn item_4_one_who_asked_waits_and_may_take_it_back() {
    assert_eq!(
        told("watching silent=10 asked"),
        "Theirs: Control requested from wsA (as of 10 s ago) [-Requesting...] [Cancel request] [-Take over…]"
    );
    let bar = Bar::of(&seat("watching silent=10 asked"));
    assert_eq!(
        bar.offers[0].disabled.as_deref(),
        Some("wsA was asked 4 s ago.")
    );
}

#[test]
fn a_request_says_what_comes_of_it_and_offers_the_answers() {
    assert_eq!(
        told("owner asks=wsB:12 runs=1 nodes=1"),
        "Ours: This Workstation has control\n\
         Heed: wsB asks for control · hands over after this run in 50s \
         [Now…] [After this node] [After this run] [Refuse]"
    );
    assert_eq!(
        told("owner asks=wsB:12 runs=2 nodes=3 answer=nodes"),
        "Ours: This Workstation has control\n\
         Heed: wsB asks for control · hands over after these nodes in 50s \
         [Now…] [After these nodes] [After these runs] [Refuse]"
    );
    // Nothing runs: there is nothing to wait for.
    assert_eq!(
        told("owner asks=wsB:12 answer=deny"),
        "Ours: This Workstation has control\n\
         Heed: wsB asks for control · is refused in 50s [*Hand over] [Refuse]"
    );
    assert_eq!(
        told("owner asks=wsB:75 runs=1 answer=wait"),
        "Ours: This Workstation has control\n\
         Heed: wsB asks for control and waits for your answer [Now] [After this run] [Refuse]"
    );
    assert!(told("owner asks=wsB:60").contains("hands over now"));
}

#[test]
fn of_many_requests_the_oldest_have_a_line_each() {
    let told = told("owner asks=b:5 asks=c:4 asks=d:3 asks=e:2 asks=f:1");
    assert_eq!(told.lines().count(), 5, "{told}");
    assert!(
        told.ends_with("Heed: 2 other workstations ask too"),
        "{told}"
    );
}

#[test]
fn now_stops_nodes_only_after_a_question() {
    let asks = |situation: &str| {
        let bar = Bar::of(&seat(situation));
        matches!(bar.lines[0].offers[0].does, Does::Act(Act::AskLeave(..)))
    };
    assert!(asks("owner asks=wsB:12 runs=1 nodes=1"));
    assert!(!asks("owner asks=wsB:12 runs=1"));
    assert!(!asks("owner asks=wsB:12"));
}

#[test]
fn one_who_gives_control_up_may_keep_it_or_hurry() {
    assert_eq!(
        told("leaving runs=1 nodes=1 asks=wsB:12 banner=Waits:wsB_waits_for_1_running_node."),
        "Heed: This Workstation has control [Keep control] [Give up now…]\n\
         Heed: wsB waits for 1 running node."
    );
}

#[test]
fn what_went_wrong_stands_below_with_the_one_thing_to_do() {
    assert_eq!(
        told("watching silent=10 banner=Older:Controlled_by_an_older_program_on_wsA."),
        "Theirs: wsA has control · takeover available in 80s (as of 10 s ago) [Request control] [-Take over…]\n\
         Heed: Controlled by an older program on wsA. [Explain]"
    );
    assert!(
        told("free late banner=Conflict:Two_claimed.").ends_with("Wrong: Two claimed. [*Settle…]")
    );
    assert!(
        told("free late banner=Foreign:Not_ours.")
            .ends_with("Heed: Not ours. [Explain] [Try again]")
    );
    assert!(
        told("free late banner=Importable:Left_here.")
            .ends_with("Heed: Left here. [Explain] [*Take over…]")
    );
    assert_eq!(
        told("vanished"),
        "Wrong: The workspace folder is not there [Try again]"
    );
    assert_eq!(
        told("stopping"),
        "Wrong: Control lost · nodes are being stopped"
    );
    assert_eq!(told("frozen"), "Heed: Trying to restore local control...");
}

#[test]
fn another_handmill_of_this_machine_that_keeps_control_is_named() {
    assert_eq!(
        told("owner kept"),
        "Ours: This Workstation has control (kept by another Handmill window (process 77))"
    );
}

#[test]
fn a_frame_is_due_when_a_number_that_is_shown_changes() {
    let due = |situation: &str| changes_in(&seat(situation)).map(|wait| wait.as_millis());
    // Of 79.75 s left, which read 80, the number changes when 70 are left.
    assert_eq!(due("watching silent=10.25"), Some(9_770));
    assert_eq!(due("watching silent=70.25"), Some(770), "the last seconds");
    assert_eq!(
        due("watching silent=95.25"),
        Some(4_770),
        "the age of what is seen"
    );
    assert_eq!(
        due("watching silent=660.5 seen=660"),
        Some(59_520),
        "told in minutes"
    );
    assert_eq!(due("owner asks=wsB:12"), Some(8_020));
    assert_eq!(due("owner asks=wsB:42"), Some(1_020));
}
