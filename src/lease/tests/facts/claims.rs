//! How control is taken, and what keeps a claim back.

use super::rig::*;
use crate::lease::*;
use crate::model::Timestamp;

#[test]
fn item_13_a_claim_has_its_row_before_it_counts() {
    let rig = Rig::owner();
    let at = |is: &dyn Fn(&Op) -> bool| rig.ops.iter().position(is).expect("it was done");
    let renamed = at(&|op| matches!(op, Op::RenameNew { .. }));
    let row = at(&|op| {
        matches!(
            op,
            Op::MovePage {
                page: Page::Row(_),
                ..
            }
        )
    });
    let tables = rig.ops.iter().filter(|op| {
        matches!(
            op,
            Op::MovePage {
                page: Page::Table { .. },
                ..
            }
        )
    });
    assert!(renamed < row);
    assert_eq!(tables.count(), 4);
    assert!(matches!(
        rig.facts[..],
        [Fact::Gained {
            epoch: Epoch(1),
            over: None,
            resumes: true
        }]
    ));
}

#[test]
fn item_14_a_tree_of_a_later_program_is_refused() {
    let mut rig = Rig::bare();
    let why = "This workspace is kept by a later program (0.5). Release it there first.";
    rig.markers.foreign = Some(why.to_owned());
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    rig.wish(Wish::Control);
    rig.wish(Wish::TakeOver);
    rig.pass(seconds(1_000));
    let status = rig.status();
    assert_eq!(status.stand, Stand::Refused);
    assert_eq!(status.blocked.as_deref(), Some(why));
    assert_eq!(status.banners[0].kind, BannerKind::Foreign);
    rig.markers.is_importable = true;
    rig.wish(Wish::Import);
    assert_eq!(rig.status().banners[0].kind, BannerKind::Importable);
    assert!(!rig.wrote(|op| matches!(op, Op::MakeNew { .. } | Op::Touch { .. })));
}

#[test]
fn item_15_a_row_that_cannot_be_read_is_not_free() {
    let mut rig = Rig::bare();
    rig.row = RowSeen::Damaged {
        beat: Beat(1),
        why: "10 bytes are no parquet file".to_owned(),
    };
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    rig.wish(Wish::Control);
    rig.pass(seconds(200));
    let status = rig.status();
    assert_eq!(status.stand, Stand::Watching);
    assert!(
        status.banners[0]
            .text
            .contains("10 bytes are no parquet file"),
        "{:?}",
        status.banners
    );
    // A person may decide that the silent unknown is gone; no policy may.
    rig.tell(Input::Configure(Policy {
        takes_over: true,
        ..Policy::default()
    }));
    rig.pass(seconds(10));
    assert_eq!(rig.status().stand, Stand::Watching);
    rig.wish(Wish::TakeOver);
    rig.pass(seconds(3));
    assert!(matches!(rig.status().stand, Stand::Owner { .. }));
}

#[test]
fn item_17_an_owner_that_was_taken_over_writes_nothing_and_kills() {
    let mut rig = Rig::owner();
    rig.work(1);
    // Ninety-five seconds without a word to the program.
    rig.held(2, "wsA");
    rig.ops.clear();
    let later = rig.now.boot.plus(seconds(95));
    rig.set(later);
    rig.tell(Input::Tick);
    assert_eq!(
        rig.orders,
        [ChildOrder::Kill],
        "there is no grace left to give"
    );
    rig.work(0);
    rig.pass(seconds(20));
    let is_write = |op: &Op| {
        !matches!(
            op,
            Op::ListEpochs
                | Op::ReadEpoch { .. }
                | Op::ReadRow
                | Op::ReadMarkers
                | Op::ReadRequests
        )
    };
    assert!(!rig.wrote(is_write), "{:?}", rig.ops);
    assert!(rig.status().text.starts_with("wsA has control"));
}

#[test]
fn item_18_an_owner_that_lost_leaves_what_the_next_one_has() {
    for wish in [
        Wish::Release { when: When::Now },
        Wish::HandOver {
            to: me("wsC").machine,
            when: When::Now,
        },
    ] {
        let mut rig = Rig::owner();
        rig.held(2, "wsA");
        rig.pass(seconds(3));
        assert!(matches!(
            rig.facts.last(),
            Some(Fact::Elsewhere { .. } | Fact::Lost { .. })
        ));
        rig.ops.clear();
        // It shuts down, or its operator gives away what it has no more.
        rig.wish(wish.clone());
        rig.pass(seconds(60));
        let touches = |op: &Op| {
            matches!(
                op,
                Op::ReleasePen { .. }
                    | Op::RemovePen { .. }
                    | Op::EmptyPen { .. }
                    | Op::SetMirrors { .. }
                    | Op::WritePage { .. }
                    | Op::MovePage { .. }
                    | Op::Quarantine { .. }
                    | Op::RemoveEpoch { .. }
            )
        };
        assert!(!rig.wrote(touches), "{wish:?}: {:?}", rig.ops);
        assert!(rig.status().text.starts_with("wsA has control"));
    }
}

#[test]
fn item_19_a_marker_without_a_row_is_a_claim_on_its_way() {
    let mut rig = Rig::bare();
    rig.markers.is_leased = true;
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    rig.wish(Wish::Control);
    rig.pass(seconds(60));
    assert_eq!(rig.status().stand, Stand::Watching);
    assert_eq!(
        rig.status().text,
        "Another machine has control · takeover available in 30s"
    );
}

#[test]
fn item_21_an_owner_whose_clock_is_wrong_is_not_silent() {
    for skew_s in [-120_i64, 3_600] {
        let mut rig = Rig::held_by_ws_a();
        for _ in 0..20 {
            rig.pass(seconds(30));
            rig.beat("wsA", Some(Epoch(1)));
            if let RowSeen::Is { row, .. } = &mut rig.row {
                row.checkpoint_at = Timestamp(row.checkpoint_at.0 + skew_s * 1_000_000);
            }
        }
        assert!(rig.status().can.take_over.is_err());
    }
}

#[test]
fn in_an_advisory_folder_a_claim_settles_before_it_counts() {
    let mut rig = Rig::bare();
    rig.tell(Input::Folder(Folder::Advisory {
        settle: limits::SETTLE,
        why: "It is kept by Syncthing.".to_owned(),
    }));
    rig.wish(Wish::Control);
    rig.pass(seconds(100));
    assert_eq!(rig.status().stand, Stand::Claiming);
    rig.pass(seconds(30));
    assert!(matches!(rig.status().stand, Stand::Owner { .. }));
    assert_eq!(
        rig.banners(),
        ["Control is advisory in this folder. It is kept by Syncthing."]
    );

    // Another copy of the folder brings the same number with another claim: nobody has it.
    let mut rig = Rig::bare();
    rig.tell(Input::Folder(Folder::Advisory {
        settle: limits::SETTLE,
        why: String::new(),
    }));
    rig.wish(Wish::Control);
    rig.pass(seconds(60));
    rig.held(1, "wsA");
    rig.pass(seconds(100));
    assert!(!matches!(rig.status().stand, Stand::Owner { .. }));
}

#[test]
fn a_jump_in_the_numbers_needs_a_word() {
    let mut rig = Rig::bare();
    rig.held(42, "wsA");
    rig.listing.newest = Some(Epoch(5_000));
    rig.listing.before = Some(Epoch(42));
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    rig.pass(seconds(100));
    assert_eq!(
        rig.status().can.take_over,
        Err("The epoch log is damaged: it jumps from 42 to 5000. Confirm to go on.".to_owned())
    );
    rig.wish(Wish::Confirm);
    rig.wish(Wish::TakeOver);
    rig.pass(seconds(3));
    let fenced: Vec<_> = rig
        .ops
        .iter()
        .filter_map(|op| match op {
            Op::RemovePen { epoch } => Some(epoch.0),
            _ => None,
        })
        .take(2)
        .collect();
    assert_eq!(fenced, [5_000, 42]);
    // The last number of all has no successor.
    let mut rig = Rig::bare();
    rig.held(limits::EPOCH_MAX, "wsA");
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    rig.pass(seconds(100));
    rig.wish(Wish::Confirm);
    rig.wish(Wish::TakeOver);
    assert!(
        rig.status()
            .can
            .take_over
            .is_err_and(|why| why.contains("used up"))
    );
}

#[test]
fn a_cloned_machine_is_noticed() {
    let mut rig = Rig::bare();
    rig.held(1, "wsB");
    if let Some(EpochSeen {
        claim: Some(claim), ..
    }) = &mut rig.epoch
    {
        claim.boot = "another boot".to_owned();
    }
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    rig.pass(seconds(30));
    rig.beat("wsB", Some(Epoch(1)));
    rig.pass(seconds(3));
    assert!(rig.banners()[0].contains("cloned"), "{:?}", rig.banners());
}

#[test]
fn a_new_start_after_a_crash_need_not_wait_for_itself() {
    let mut rig = Rig::bare();
    rig.held(1, "wsB");
    // The dead process had another number.
    if let Some(EpochSeen {
        claim: Some(claim), ..
    }) = &mut rig.epoch
    {
        claim.pid = 3;
    }
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    rig.wish(Wish::Control);
    rig.pass(seconds(10));
    assert_eq!(rig.status().stand, Stand::Watching, "its children may live");
    rig.tell(Input::Alone);
    rig.pass(seconds(3));
    assert!(matches!(
        rig.status().stand,
        Stand::Owner { epoch: Epoch(2) }
    ));
}

#[test]
fn a_restart_does_not_start_the_silence_anew() {
    let mut rig = Rig::bare();
    rig.held(1, "wsA");
    rig.tell(Input::Remembered(Sighting {
        epoch: Some(Epoch(1)),
        is_released: false,
        beat: rig.row.beat(),
        since: Moment(rig.now.boot.0 - 80_000_000),
        until: rig.now.boot,
    }));
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    assert_eq!(
        rig.status().text,
        "wsA has control · takeover available in 10s"
    );
}

#[test]
fn a_try_that_was_not_confirmed_is_cleared_away_before_the_next() {
    // A page that is still on its way must not land between the pages of the next snapshot.
    let mut rig = Rig::owner();
    rig.pass(seconds(10));
    rig.fault = Some(Fault::Unknown("timed out".to_owned()));
    rig.tell(Input::Changed);
    rig.fault = None;
    rig.ops.clear();
    rig.pass(seconds(6));
    let writes: Vec<_> = rig
        .ops
        .iter()
        .filter(|op| matches!(op, Op::EmptyPen { .. } | Op::WritePage { .. }))
        .collect();
    assert!(matches!(writes[0], Op::EmptyPen { epoch: Epoch(1) }));
    assert_eq!(
        writes.len(),
        6,
        "and all tables are written again: {writes:?}"
    );
}

#[test]
fn machines_with_other_limits_neither_claim_nor_take_over() {
    let mut rig = Rig::held_by_ws_a();
    let limits = limits::Limits::divided_by(30).expect("a scale");
    rig.lease = rig.lease.clone().with_limits(limits);
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    rig.pass(seconds(500));
    let status = rig.status();
    assert_eq!(status.stand, Stand::Refused);
    let why = "wsA has control with HANDMILL_CONTROL_SCALE=1, and here it is 30; it must be the same on both.";
    assert_eq!(status.can.take_over, Err(why.to_owned()));
    rig.wish(Wish::TakeOver);
    rig.pass(seconds(500));
    assert!(
        !rig.ops.iter().any(|op| matches!(op, Op::MakeNew { .. })),
        "{:?}",
        rig.ops
    );
}

#[test]
fn limits_divided_by_thirty_allow_a_takeover_after_three_seconds() {
    let mut rig = Rig::bare();
    let limits = limits::Limits::divided_by(30).expect("a scale");
    rig.lease = rig.lease.clone().with_limits(limits);
    rig.held(1, "wsA");
    if let Some(EpochSeen {
        claim: Some(claim), ..
    }) = &mut rig.epoch
    {
        claim.scale = 30;
    }
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    assert_eq!(
        rig.status().text,
        "wsA has control · takeover available in 3s"
    );
    rig.pass(seconds(3));
    assert_eq!(rig.status().text, "Takeover available");
    assert_eq!(limits::Limits::divided_by(0), None);
    assert_eq!(limits::Limits::divided_by(limits::SCALE_MAX + 1), None);
}

#[test]
fn an_owner_removes_old_epochs_a_few_after_each_checkpoint() {
    let mut rig = Rig::bare();
    rig.held(40, "wsA");
    rig.listing.oldest = Some(Epoch(20));
    rig.epoch.as_mut().expect("held").pen = PenSeen::Released { next: None };
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    rig.wish(Wish::Confirm);
    rig.wish(Wish::Control);
    rig.pass(seconds(5));
    assert_eq!(rig.status().text, "This Workstation has control");
    let removed = |rig: &Rig| -> Vec<u64> {
        let numbers = rig.ops.iter().filter_map(|op| match op {
            Op::RemoveEpoch { epoch } => Some(epoch.0),
            _ => None,
        });
        numbers.collect()
    };
    assert!(removed(&rig).is_empty());
    rig.pass(seconds(31));
    assert_eq!(removed(&rig), [20, 21, 22, 23]);
    // Sixteen are kept, the newest among them.
    rig.pass(seconds(90));
    assert_eq!(removed(&rig), [20, 21, 22, 23, 24, 25]);
}
