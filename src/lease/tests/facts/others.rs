//! Older programs, conflicting copies, and the files as they are written.

use super::rig::*;
use crate::lease::*;
use crate::model::Timestamp;

#[test]
fn an_older_program_in_the_same_workspace_makes_us_step_down() {
    let mut rig = Rig::owner();
    rig.work(1);
    rig.beat("old", None);
    rig.pass(seconds(3));
    assert!(
        matches!(rig.facts.last(), Some(Fact::Lost { how: Loss::SeedMachine { host }, .. }) if host == "old")
    );
    assert_eq!(rig.orders, [ChildOrder::Stop]);
    rig.work(0);
    rig.pass(seconds(3));
    assert_eq!(rig.banners(), ["Controlled by an older program on old."]);
    assert!(
        rig.status().text.starts_with("old has control"),
        "{}",
        rig.status().text
    );
}

#[test]
fn whoever_loses_control_because_the_log_was_removed_is_told_so() {
    let mut rig = Rig::owner();
    rig.work(1);
    rig.listing = Listing::default();
    rig.epoch = None;
    rig.fault = Some(Fault::Gone);
    rig.pass(seconds(40));
    let lost = rig.facts.last().cloned();
    assert!(
        matches!(
            lost,
            Some(Fact::Lost {
                how: Loss::Removed,
                ..
            })
        ),
        "{lost:?}"
    );
    rig.fault = None;
    rig.work(0);
    rig.pass(seconds(3));
    let status = rig.status();
    assert!(
        status
            .text
            .starts_with("The log of control was removed · takeover available in "),
        "{}",
        status.text
    );
    assert_eq!(
        status.blocked.as_deref(),
        Some("Somebody removed the log of control. When it can be taken over, take it again.")
    );
    assert!(rig.banners()[0].contains("while this workstation had control"));
    assert_eq!(rig.banners().len(), 1, "no older program is meant");
    // After the silence it can be taken over, and the log begins anew.
    rig.pass(seconds(100));
    assert_eq!(rig.status().text, "Takeover available");
    rig.wish(Wish::TakeOver);
    rig.pass(seconds(3));
    assert!(matches!(rig.status().stand, Stand::Owner { .. }));
    assert_eq!(rig.banners(), Vec::<String>::new());
}

#[test]
fn a_silent_lease_of_an_older_program_can_be_taken_over() {
    let mut rig = Rig::bare();
    rig.markers.is_leased = true;
    rig.beat("wsA", None);
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    assert_eq!(
        rig.status().text,
        "wsA has control · takeover available in 90s"
    );
    rig.pass(seconds(91));
    rig.wish(Wish::TakeOver);
    rig.pass(seconds(3));
    assert!(matches!(
        rig.status().stand,
        Stand::Owner { epoch: Epoch(1) }
    ));
    assert!(rig.wrote(|op| matches!(op, Op::Quarantine { .. })));
}

#[test]
fn a_conflict_makes_the_owner_step_down_until_a_person_confirms() {
    let mut rig = Rig::owner();
    rig.work(1);
    rig.listing.conflicts = vec!["000000000001 (conflicted copy)".to_owned()];
    rig.pass(seconds(3));
    assert!(
        matches!(rig.facts.last(), Some(Fact::Lost { how: Loss::Conflict { names }, .. }) if names.len() == 1)
    );
    rig.work(0);
    rig.wish(Wish::Control);
    rig.pass(seconds(200));
    assert!(!matches!(rig.status().stand, Stand::Owner { .. }));
    assert!(rig.banners()[0].contains("conflicted copy"));
    rig.wish(Wish::Confirm);
    rig.pass(seconds(10));
    assert!(matches!(
        rig.status().stand,
        Stand::Owner { epoch: Epoch(2) }
    ));
}

#[test]
fn item_30_a_heartbeat_writes_one_page_and_news_write_all() {
    let mut rig = Rig::owner();
    rig.pass(seconds(10));
    rig.ops.clear();
    rig.pass(seconds(25));
    let pages = |rig: &Rig| {
        rig.ops
            .iter()
            .filter(|op| matches!(op, Op::MovePage { .. }))
            .count()
    };
    assert_eq!(pages(&rig), 1);
    rig.ops.clear();
    for _ in 0..50 {
        rig.tell(Input::Changed);
    }
    rig.pass(seconds(4));
    assert_eq!(pages(&rig), 5, "fifty changes are one snapshot");
}

#[test]
fn names_of_epochs_tokens_and_generations_are_read_as_they_are_written() {
    assert_eq!(Epoch(42).to_string(), "000000000042");
    assert_eq!(Epoch::parse("000000000042"), Some(Epoch(42)));
    for odd in [
        "42",
        "00000000004x",
        "+00000000042",
        "0000000000042",
        "000000000000",
    ] {
        assert_eq!(Epoch::parse(odd), None, "{odd}");
    }
    let ours = Generation::new(Epoch(42), Token(7));
    assert_eq!(Generation::parse(&ours.to_string()), ours);
    let seed = Generation::parse("339e4738979c4896a38bd7448d381f95");
    assert_eq!((seed.epoch, seed.to_string().len()), (None, 32));
    let name = note::stale_name("claims", Timestamp(1_795_219_273_709_261), "ws A/..");
    assert_eq!(name, "claims__20261121T000113709261Z__ws_A_..");
    let leap = note::stale_name("w", Timestamp(951_782_400_000_000), "h");
    assert_eq!(leap, "w__20000229T000000000000Z__h");
}
