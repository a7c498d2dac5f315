//! What machines publish of themselves: rows, mirrors, requests.

use super::*;

#[test]
fn the_row_says_what_was_published_and_its_beat_changes_with_every_checkpoint() {
    let dir = tempfile::tempdir().expect("temp dir");
    let (mut a, mut b) = (open(dir.path(), "a"), open(dir.path(), "b"));
    claim(&mut a, 1, 11);
    let mut beats: Vec<Beat> = Vec::new();
    for n in 0..3 {
        let published = LeaseRow {
            checkpoint_at: Timestamp(1_795_219_155_000_000 + n),
            ..row(1, 1)
        };
        assert_eq!(publish_row(&mut a, 1, published.clone()), Reply::Done);
        let RowSeen::Is { beat, row } = row_seen(&mut b) else {
            panic!("no row");
        };
        assert_eq!(row, published);
        assert!(!beats.contains(&beat));
        beats.push(beat);
    }
}

#[test]
fn a_lease_that_cannot_be_read_is_damaged_and_never_absent() {
    // Conformance item 15.
    let dir = tempfile::tempdir().expect("temp dir");
    let mut a = open(dir.path(), "a");
    let leases = dir.path().join(".workspace_state/leases");
    fs::create_dir_all(&leases).expect("mkdir");
    let path = leases.join(format!("{}.parquet", a.name()));
    let mut why_of = |bytes: &[u8]| {
        fs::write(&path, bytes).expect("write");
        match row_seen(&mut a) {
            RowSeen::Damaged { why, .. } => why,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(why_of(b""), "it is empty");
    assert_eq!(why_of(b"PAR1"), "it is no Parquet file, or was cut off");
    assert_eq!(why_of(&vec![0; 70_000]), "larger than 64 KiB");
    let none = table::encode(table::Table::Lease, &table::Cells::new(table::Table::Lease));
    assert_eq!(why_of(&none.expect("encodes")), "it has no row");
    fs::remove_file(&path).expect("remove");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into()).expect("mkfifo");
    let RowSeen::Damaged { why, .. } = row_seen(&mut a) else {
        panic!("not damaged");
    };
    assert_eq!(why, "not a regular file");
}

#[test]
fn mirrors_follow_the_owner_and_never_remove_what_is_not_ours() {
    let dir = tempfile::tempdir().expect("temp dir");
    let mut a = open(dir.path(), "a");
    let state = dir.path().join(".workspace_state");
    let (leased, available) = (
        state.join("leased").join(a.name()),
        state.join("available").join(a.name()),
    );
    fs::create_dir_all(&available).expect("as the seed leaves it");
    let note = claim_note(1, 11);
    for _ in 0..2 {
        done(
            &mut a,
            Op::SetMirrors {
                owner: Some(note.clone()),
            },
        );
        assert!(leased.join("owner.json").is_file() && !available.exists());
    }
    let Reply::Markers(markers) = do_op(&mut a, Op::ReadMarkers) else {
        panic!("no markers");
    };
    assert_eq!(markers.token, Some(Token(11)));
    assert!(markers.is_leased && !markers.is_available && markers.foreign.is_none());
    done(&mut a, Op::SetMirrors { owner: None });
    assert!(!leased.exists() && available.join("note.json").is_file());
    fs::write(available.join("theirs"), "x").expect("write");
    let refused = do_op(&mut a, Op::SetMirrors { owner: Some(note) });
    assert!(
        matches!(refused, Reply::Failed(Fault::NotUnderstood(_))),
        "{refused:?}"
    );
    assert!(available.join("theirs").exists());
}

#[test]
fn requests_are_one_per_machine_and_those_of_no_plain_name_are_nobodys() {
    let dir = tempfile::tempdir().expect("temp dir");
    let (mut a, mut b) = (open(dir.path(), "a"), open(dir.path(), "b"));
    let note = |id: &str, seq| RequestNote {
        machine: machine(id),
        host: format!("host of {id}"),
        pid: 3,
        client: "ui".to_owned(),
        token: Token(8),
        seq,
        at: Timestamp(1_795_219_155_000_000),
    };
    for seq in 0..3 {
        done(
            &mut b,
            Op::WriteRequest {
                note: note("b", seq),
            },
        );
    }
    done(&mut b, Op::WriteRequestRow { note: note("b", 2) });
    let folder = dir.path().join(".workspace_state/requests").join(a.name());
    fs::write(folder.join("c.json"), "{").expect("write");
    fs::copy(folder.join("b.json"), folder.join("d.json")).expect("copy");
    fs::create_dir(folder.join("e.json")).expect("mkdir");
    let asked = |shared: &mut SharedFolder| match do_op(shared, Op::ReadRequests) {
        Reply::Requests(asked) => asked,
        other => panic!("{other:?}"),
    };
    let seen = asked(&mut a);
    assert_eq!(seen.requests, [note("b", 2)]);
    assert_eq!(seen.seed, None, "it repeats the request of b");
    let denial = Denial {
        to: machine("b"),
        token: Token(8),
        by: "wsA".to_owned(),
        at: Timestamp(0),
    };
    done(
        &mut a,
        Op::WriteDenial {
            denial: denial.clone(),
        },
    );
    assert_eq!(asked(&mut b).denial, Some(denial));
    done(
        &mut b,
        Op::RemoveRequest {
            machine: machine("b"),
        },
    );
    let seen = asked(&mut b);
    assert!(seen.denial.is_none() && seen.requests.is_empty());
    assert_eq!(seen.seed.expect("the row is left").machine, machine("b"));
    done(
        &mut b,
        Op::RemoveRequestRow {
            machine: machine("x"),
        },
    );
    assert!(asked(&mut b).seed.is_some());
    done(
        &mut b,
        Op::RemoveRequestRow {
            machine: machine("b"),
        },
    );
    assert_eq!(asked(&mut b).seed, None);
    let refused = do_op(
        &mut b,
        Op::RemoveRequest {
            machine: machine("../../b"),
        },
    );
    assert!(matches!(refused, Reply::Failed(Fault::Refused(_))));
}
