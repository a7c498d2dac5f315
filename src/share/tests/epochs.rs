//! Who has control: claims, fences, releases, takeovers.

use super::*;

#[test]
fn of_two_claims_of_one_epoch_the_second_is_refused_and_can_be_dropped() {
    let dir = tempfile::tempdir().expect("temp dir");
    let (mut a, mut b) = (open(dir.path(), "a"), open(dir.path(), "b"));
    claim(&mut a, 1, 11);
    let note = claim_note(1, 22);
    done(&mut b, Op::Touch { token: Token(22) });
    done(&mut b, Op::MakeNew { note });
    let late = Op::RenameNew {
        token: Token(22),
        epoch: Epoch(1),
    };
    assert_eq!(do_op(&mut b, late), Reply::Failed(Fault::Exists));
    let Reply::Epoch(seen) = do_op(&mut b, Op::ReadEpoch { epoch: Epoch(1) }) else {
        panic!("no epoch");
    };
    assert_eq!(seen.claim, Some(claim_note(1, 11)));
    assert_eq!(seen.pen, PenSeen::Alive);
    let drop = Op::DropNew {
        token: Token(22),
        epoch: Epoch(1),
    };
    done(&mut b, drop.clone());
    done(&mut b, drop);
    let epochs = dir.path().join(".workspace_state/epochs").join(a.name());
    let names = |folder: &Path| -> Vec<_> {
        let names = fs::read_dir(folder).expect("list");
        let mut names: Vec<_> = names.map(|e| e.expect("entry").file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&epochs), ["000000000000", "000000000001"]);
    assert!(names(&epochs.join("000000000000")).is_empty());
}

#[test]
fn an_epoch_is_never_seen_without_its_owner() {
    // Conformance items 13 and 19: the number appears with claim and pen in it, or not at all.
    let dir = tempfile::tempdir().expect("temp dir");
    let mut a = open(dir.path(), "a");
    std::thread::scope(|scope| {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let watcher = scope.spawn(move || {
            let mut b = open(dir.path(), "b");
            let mut n_seen = 0;
            while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                if let Some(epoch) = listing(&mut b).newest {
                    let Reply::Epoch(seen) = do_op(&mut b, Op::ReadEpoch { epoch }) else {
                        panic!("no epoch");
                    };
                    assert!(seen.claim.is_some(), "{epoch} without owner");
                    n_seen += 1;
                }
            }
            (dir, n_seen)
        });
        for epoch in 1..=60 {
            claim(&mut a, epoch, u128::from(epoch));
        }
        drop(stop);
        let (_dir, n_seen) = watcher.join().expect("watches");
        assert!(n_seen > 0);
    });
}

#[test]
fn a_fenced_owner_can_neither_write_nor_move_a_page() {
    // Conformance item 17, as far as the file system does it.
    let dir = tempfile::tempdir().expect("temp dir");
    let (mut a, mut b) = (open(dir.path(), "a"), open(dir.path(), "b"));
    claim(&mut a, 1, 11);
    assert_eq!(publish_row(&mut a, 1, row(1, 1)), Reply::Done);
    let before = row_seen(&mut b);
    // A page is written and not yet moved when the fence comes.
    let page = Page::Row(row(1, 2));
    let token = Token(5);
    done(
        &mut a,
        Op::WritePage {
            epoch: Epoch(1),
            token,
            page: page.clone(),
        },
    );
    claim(&mut b, 2, 22);
    let full = do_op(&mut b, Op::RemovePen { epoch: Epoch(1) });
    assert_eq!(full, Reply::Failed(Fault::NotEmpty));
    done(&mut b, Op::EmptyPen { epoch: Epoch(1) });
    done(&mut b, Op::RemovePen { epoch: Epoch(1) });
    let again = do_op(&mut b, Op::RemovePen { epoch: Epoch(1) });
    assert_eq!(again, Reply::Failed(Fault::Gone));
    let late = Op::MovePage {
        epoch: Epoch(1),
        token,
        page,
    };
    assert_eq!(do_op(&mut a, late), Reply::Failed(Fault::Gone));
    assert_eq!(
        publish_row(&mut a, 1, row(1, 3)),
        Reply::Failed(Fault::Gone)
    );
    let hint = Hint {
        machine: machine("c"),
        host: "wsC".to_owned(),
    };
    let epoch = Epoch(1);
    let late = do_op(&mut a, Op::WriteHint { epoch, hint });
    assert_eq!(late, Reply::Failed(Fault::Gone));
    let late = do_op(&mut a, Op::ReleasePen { epoch });
    assert_eq!(late, Reply::Failed(Fault::Gone));
    assert_eq!(row_seen(&mut b), before);
    assert_eq!(pen(&mut b, 1), PenSeen::Removed);
    assert_eq!(pen(&mut b, 2), PenSeen::Alive);
}

#[test]
fn item_18_a_release_carries_the_hint_and_touches_only_its_own_epoch() {
    let dir = tempfile::tempdir().expect("temp dir");
    let mut a = open(dir.path(), "a");
    claim(&mut a, 1, 11);
    claim(&mut a, 2, 22);
    let hint = Hint {
        machine: machine("c"),
        host: "wsC".to_owned(),
    };
    let epoch = Epoch(1);
    done(
        &mut a,
        Op::WriteHint {
            epoch,
            hint: hint.clone(),
        },
    );
    done(&mut a, Op::ReleasePen { epoch });
    assert_eq!(pen(&mut a, 1), PenSeen::Released { next: Some(hint) });
    assert_eq!(pen(&mut a, 2), PenSeen::Alive);
    done(
        &mut a,
        Op::WriteEnded {
            epoch,
            note: EndedNote {
                by: machine("b"),
                host: "wsB".to_owned(),
                at: Timestamp(0),
                silence: Duration::from_secs(91),
                next: Epoch(2),
            },
        },
    );
}

#[test]
fn item_20_of_two_recoverers_one_takes_over_and_the_new_lease_is_left_alone() {
    for round in 0..20 {
        let dir = tempfile::tempdir().expect("temp dir");
        let mut dead = open(dir.path(), "dead");
        claim(&mut dead, 1, 11);
        assert_eq!(publish_row(&mut dead, 1, row(1, 1)), Reply::Done);
        let go = std::sync::Barrier::new(2);
        let won: Vec<bool> = std::thread::scope(|scope| {
            let recover = |id: &'static str, token: u128| {
                let mut shared = open(dir.path(), id);
                let note = claim_note(2, token);
                done(
                    &mut shared,
                    Op::Touch {
                        token: Token(token),
                    },
                );
                done(&mut shared, Op::MakeNew { note });
                go.wait();
                let rename = Op::RenameNew {
                    token: Token(token),
                    epoch: Epoch(2),
                };
                if do_op(&mut shared, rename) != Reply::Done {
                    done(
                        &mut shared,
                        Op::DropNew {
                            token: Token(token),
                            epoch: Epoch(2),
                        },
                    );
                    return false;
                }
                done(&mut shared, Op::EmptyPen { epoch: Epoch(1) });
                done(&mut shared, Op::RemovePen { epoch: Epoch(1) });
                let name = format!("{}__20261121T000113709261Z__{id}", shared.name());
                done(&mut shared, Op::Quarantine { name });
                publish_row(&mut shared, 2, row(2, token)) == Reply::Done
            };
            let racers = [
                scope.spawn(move || recover("b", 22)),
                scope.spawn(move || recover("c", 33)),
            ];
            racers.map(|racer| racer.join().expect("races")).to_vec()
        });
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "round {round}");
        let stale = dir.path().join(".workspace_state/stale");
        assert_eq!(fs::read_dir(stale).expect("list").count(), 1);
        let RowSeen::Is { row, .. } = row_seen(&mut dead) else {
            panic!("the fresh lease is gone");
        };
        assert_eq!(row.generation.epoch, Some(Epoch(2)));
    }
}

#[test]
fn an_old_epoch_goes_when_the_one_below_is_gone_and_nobody_can_claim_its_number_again() {
    let dir = tempfile::tempdir().expect("temp dir");
    let (mut a, mut b) = (open(dir.path(), "a"), open(dir.path(), "b"));
    claim(&mut a, 1, 11);
    // One who will sleep over its draft, and one who will wake with an old view.
    let (slept, woken) = (claim_note(2, 22), claim_note(2, 33));
    done(&mut b, Op::MakeNew { note: slept });
    for epoch in 1..4_u64 {
        let epoch = Epoch(epoch);
        done(&mut a, Op::ReleasePen { epoch });
        claim(&mut a, epoch.0 + 1, 11 + u128::from(epoch.0));
    }
    let remove = |n: u64| Op::RemoveEpoch { epoch: Epoch(n) };
    for n in [1, 2] {
        assert_eq!(do_op(&mut a, remove(n)), Reply::Failed(Fault::NotEmpty));
    }
    assert_eq!(listing(&mut a).oldest, Some(Epoch(0)));
    for n in [0, 1, 2] {
        done(&mut a, remove(n));
        assert_eq!(do_op(&mut a, remove(n)), Reply::Failed(Fault::Gone));
    }
    let seen = listing(&mut a);
    let numbers = (seen.oldest, seen.before, seen.newest);
    assert_eq!(numbers, (Some(Epoch(3)), Some(Epoch(3)), Some(Epoch(4))));
    let rename = |token: u128| Op::RenameNew {
        token: Token(token),
        epoch: Epoch(2),
    };
    assert_eq!(do_op(&mut b, rename(22)), Reply::Failed(Fault::Gone));
    let make = Op::MakeNew { note: woken };
    assert_eq!(do_op(&mut b, make), Reply::Failed(Fault::Gone));
    assert_eq!(do_op(&mut b, rename(33)), Reply::Failed(Fault::Gone));
    // Nor does a touch begin the log anew.
    done(&mut b, Op::Touch { token: Token(44) });
    assert_eq!(listing(&mut b), seen);
}
