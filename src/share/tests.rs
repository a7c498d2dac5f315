//! The operations on a folder of this disk.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::folder::Folder;
use super::look::sweep;
use super::table::TableReader;
use super::*;
use crate::lease::{
    Beat, ClaimNote, Denial, EndedNote, Epoch, Fault, Generation, Hint, Hydrated, LeaseRow,
    Listing, MachineId, Op, Page, PenSeen, Reply, RequestNote, RowSeen, RowStatus, Table, Token,
};
use crate::model::Timestamp;

#[derive(Default)]
struct NoLedger;

impl LedgerSide for NoLedger {
    fn rows(&mut self, _: Wanted) -> Result<Rows, String> {
        Ok(Rows::default())
    }

    fn adopt(&mut self, _: Rows, _: Option<&str>, _: Adoption) -> Result<(), String> {
        Ok(())
    }
}

fn machine(id: &str) -> MachineId {
    MachineId(id.to_owned())
}

fn open(workspace: &Path, id: &str) -> SharedFolder {
    SharedFolder::open(workspace, machine(id), TableReader::in_place()).expect("opens")
}

fn do_op(shared: &mut SharedFolder, op: Op) -> Reply {
    shared.carry(&op, &mut NoLedger)
}

fn done(shared: &mut SharedFolder, op: Op) {
    assert_eq!(do_op(shared, op.clone()), Reply::Done, "{op:?}");
}

fn claim_note(epoch: u64, token: u128) -> ClaimNote {
    ClaimNote {
        epoch: Epoch(epoch),
        token: Token(token),
        machine: machine("a"),
        host: "wsA".to_owned(),
        boot: "boot".to_owned(),
        pid: 7,
        at: Timestamp(1_795_219_155_000_000),
        scale: 1,
    }
}

fn claim(shared: &mut SharedFolder, epoch: u64, token: u128) {
    let note = claim_note(epoch, token);
    done(shared, Op::Touch { token: note.token });
    let below = shared.workspace_folder().expect("there");
    let below = below.make(&format!(
        ".workspace_state/epochs/{}/{:012}",
        shared.name(),
        epoch - 1
    ));
    below.expect("mkdir");
    done(shared, Op::MakeNew { note });
    done(
        shared,
        Op::RenameNew {
            token: Token(token),
            epoch: Epoch(epoch),
        },
    );
}

fn row(epoch: u64, token: u128) -> LeaseRow {
    LeaseRow {
        machine: machine("a"),
        host: "wsA".to_owned(),
        daemon: "d".to_owned(),
        pid: 7,
        status: RowStatus::Running,
        started_at: Timestamp(1_795_219_000_000_000),
        checkpoint_at: Timestamp(1_795_219_155_000_001),
        generation: Generation::new(Epoch(epoch), Token(token)),
        app_version: "handmill 0.1.0".to_owned(),
    }
}

fn publish_row(shared: &mut SharedFolder, epoch: u64, row: LeaseRow) -> Reply {
    let (epoch, token, page) = (Epoch(epoch), Token(99), Page::Row(row));
    let write = Op::WritePage {
        epoch,
        token,
        page: page.clone(),
    };
    match do_op(shared, write) {
        Reply::Done => do_op(shared, Op::MovePage { epoch, token, page }),
        other => other,
    }
}

fn listing(shared: &mut SharedFolder) -> Listing {
    match do_op(shared, Op::ListEpochs) {
        Reply::Epochs(listing) => listing,
        other => panic!("{other:?}"),
    }
}

fn row_seen(shared: &mut SharedFolder) -> RowSeen {
    match do_op(shared, Op::ReadRow) {
        Reply::Row(seen) => seen,
        other => panic!("{other:?}"),
    }
}

fn pen(shared: &mut SharedFolder, epoch: u64) -> PenSeen {
    match do_op(
        shared,
        Op::ReadEpoch {
            epoch: Epoch(epoch),
        },
    ) {
        Reply::Epoch(seen) => seen.pen,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_look_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("temp dir");
    let mut shared = open(dir.path(), "a");
    assert_eq!(listing(&mut shared), Listing::default());
    assert_eq!(row_seen(&mut shared), RowSeen::Absent);
    for op in [Op::ReadMarkers, Op::ReadRequests, Op::Hydrate] {
        let reply = do_op(&mut shared, op);
        assert!(!matches!(reply, Reply::Failed(_)), "{reply:?}");
    }
    let gone = do_op(&mut shared, Op::ReadEpoch { epoch: Epoch(1) });
    assert_eq!(gone, Reply::Failed(Fault::Gone));
    assert_eq!(fs::read_dir(dir.path()).expect("list").count(), 0);
}

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
fn a_release_carries_the_hint_and_touches_only_its_own_epoch() {
    // Conformance item 18.
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

#[test]
fn a_workspace_seen_under_another_folder_name_keeps_its_name_in_the_shared_folder() {
    let dir = tempfile::tempdir().expect("temp dir");
    let (here, there) = (dir.path().join("here"), dir.path().join("there"));
    fs::create_dir(&here).expect("mkdir");
    let mut a = open(&here, "a");
    let mut late = open(&here, "c");
    claim(&mut a, 1, 11);
    fs::rename(&here, &there).expect("rename");
    let mut b = open(&there, "b");
    assert_eq!(b.name(), "here");
    assert_eq!(listing(&mut b).newest, Some(Epoch(1)));
    // One that looked before there was a log, and finds one of another name when it writes.
    fs::rename(
        there.join(".workspace_state/epochs/here"),
        there.join(".workspace_state/epochs/elsewhere"),
    )
    .expect("rename");
    fs::rename(&there, &here).expect("rename");
    done(&mut late, Op::Touch { token: Token(1) });
    assert_eq!(late.name(), "elsewhere");
    assert_eq!(listing(&mut late).newest, Some(Epoch(1)));
}

#[test]
fn a_workspace_folder_that_is_gone_or_an_empty_mount_point_is_vanished_and_nothing_is_made() {
    // Conformance item 32.
    let dir = tempfile::tempdir().expect("temp dir");
    let workspace = dir.path().join("w");
    fs::create_dir(&workspace).expect("mkdir");
    let mut a = open(&workspace, "a");
    claim(&mut a, 1, 11);
    fs::rename(&workspace, dir.path().join("away")).expect("rename");
    let vanished = Reply::Failed(Fault::Vanished);
    assert_eq!(do_op(&mut a, Op::ListEpochs), vanished);
    assert_eq!(publish_row(&mut a, 1, row(1, 1)), vanished);
    fs::create_dir(&workspace).expect("the mount point");
    assert_eq!(do_op(&mut a, Op::ListEpochs), vanished);
    assert_eq!(do_op(&mut a, Op::Touch { token: Token(3) }), vanished);
    assert_eq!(fs::read_dir(&workspace).expect("list").count(), 0);
    fs::remove_dir(&workspace).expect("rmdir");
    fs::rename(dir.path().join("away"), &workspace).expect("rename");
    assert_eq!(listing(&mut a).newest, Some(Epoch(1)));
}

#[test]
fn copies_of_a_sync_program_are_told_and_links_are_not_followed() {
    let dir = tempfile::tempdir().expect("temp dir");
    let mut a = open(dir.path(), "a");
    claim(&mut a, 41, 1);
    claim(&mut a, 42, 2);
    let epochs = dir.path().join(".workspace_state/epochs").join(a.name());
    fs::create_dir(epochs.join("000000000042 (1)")).expect("mkdir");
    fs::create_dir(epochs.join(".new-leftover")).expect("mkdir");
    fs::write(epochs.join("notes.txt"), "").expect("write");
    let seen = listing(&mut a);
    assert_eq!(
        (seen.newest, seen.before),
        (Some(Epoch(42)), Some(Epoch(41)))
    );
    assert_eq!(seen.conflicts, ["000000000042 (1)"]);
    fs::write(epochs.join("000000000042/claim (conflicted copy).json"), "").expect("write");
    let Reply::Epoch(seen) = do_op(&mut a, Op::ReadEpoch { epoch: Epoch(42) }) else {
        panic!("no epoch");
    };
    assert!(seen.is_doubled);
    fs::remove_dir(epochs.join("000000000042/pen")).expect("rmdir");
    std::os::unix::fs::symlink("/", epochs.join("000000000042/pen")).expect("link");
    for op in [
        Op::ReadEpoch { epoch: Epoch(42) },
        Op::EmptyPen { epoch: Epoch(42) },
        Op::RemovePen { epoch: Epoch(42) },
    ] {
        let reply = do_op(&mut a, op);
        assert!(
            matches!(reply, Reply::Failed(Fault::NotUnderstood(_))),
            "{reply:?}"
        );
    }
}

#[test]
fn what_machines_left_that_died_over_a_look_is_swept_a_day_after_it_was_made() {
    use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
    let dir = tempfile::tempdir().expect("temp dir");
    let mut a = open(dir.path(), "a");
    claim(&mut a, 1, 11);
    let epochs = dir.path().join(".workspace_state/epochs").join(a.name());
    // What an NFS server shows of a file that was made a moment ago.
    let old = Timespec {
        tv_sec: 1_000_000_000,
        tv_nsec: 0,
    };
    let old = Timestamps {
        last_access: old,
        last_modification: old,
    };
    fs::write(epochs.join(".touch-1"), "").expect("write");
    for name in [".touch-1", "000000000001"] {
        utimensat(CWD, epochs.join(name), &old, AtFlags::empty()).expect("utimens");
    }
    let names = || {
        let names = fs::read_dir(&epochs).expect("list");
        let mut names: Vec<_> = names.map(|e| e.expect("entry").file_name()).collect();
        names.sort();
        names
    };
    done(&mut a, Op::Touch { token: Token(5) });
    assert_eq!(names(), [".touch-1", "000000000000", "000000000001"]);
    let folder = Folder::open(&epochs).expect("open");
    let made = folder.changed(".touch-1").expect("stat");
    let day = Duration::from_secs(24 * 3_600);
    sweep(&folder, made.plus(day)).expect("swept");
    assert_eq!(names().len(), 3);
    sweep(&folder, made.plus(day + Duration::from_secs(1))).expect("swept");
    assert_eq!(names(), ["000000000000", "000000000001"]);
}

#[test]
fn a_snapshot_is_published_through_the_pen_and_taken_over_by_the_other() {
    let dir = tempfile::tempdir().expect("temp dir");
    let (mut a, mut b) = (open(dir.path(), "a"), open(dir.path(), "b"));
    claim(&mut a, 1, 11);
    let generation = Generation::new(Epoch(1), Token(77));
    let (epoch, token) = (Epoch(1), Token(5));
    for table in Table::ALL {
        let page = Page::Table {
            table,
            generation: generation.clone(),
        };
        for op in [
            Op::WritePage {
                epoch,
                token,
                page: page.clone(),
            },
            Op::MovePage { epoch, token, page },
        ] {
            done(&mut a, op);
        }
        // Not before the row is there as well.
        let early = b.watch(&mut NoLedger).expect("reads");
        assert!(
            matches!(early, Hydrated::Kept(_) | Hydrated::Nothing),
            "{early:?}"
        );
    }
    assert_eq!(publish_row(&mut a, 1, row(1, 77)), Reply::Done);
    assert_eq!(b.watch(&mut NoLedger), Ok(Hydrated::Nothing), "no rows");
    let state = dir.path().join(".workspace_state/state/runs");
    let files = fs::read_dir(state).expect("list").count();
    assert_eq!(files, 1, "a table without rows is a file without rows");
}

#[test]
fn a_heartbeat_touches_no_table() {
    // Conformance item 30: O(1).
    use std::os::unix::fs::MetadataExt as _;
    let dir = tempfile::tempdir().expect("temp dir");
    let mut a = open(dir.path(), "a");
    claim(&mut a, 1, 11);
    let (epoch, token) = (Epoch(1), Token(5));
    let page = Page::Table {
        table: Table::Runs,
        generation: Generation::new(epoch, token),
    };
    for op in [
        Op::WritePage {
            epoch,
            token,
            page: page.clone(),
        },
        Op::MovePage { epoch, token, page },
    ] {
        done(&mut a, op);
    }
    let runs = dir
        .path()
        .join(format!(".workspace_state/state/runs/{}.parquet", a.name()));
    let inode = fs::metadata(&runs).expect("there").ino();
    for n in 0..3 {
        assert_eq!(publish_row(&mut a, 1, row(1, n)), Reply::Done);
    }
    assert_eq!(fs::metadata(&runs).expect("there").ino(), inode);
}

#[test]
fn of_two_recoverers_one_takes_over_and_the_new_lease_is_left_alone() {
    // Conformance item 20.
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

#[test]
fn an_empty_log_that_somebody_left_can_be_begun() {
    let dir = tempfile::tempdir().expect("temp dir");
    let mut a = open(dir.path(), "a");
    let log = dir.path().join(".workspace_state/epochs").join(a.name());
    fs::create_dir_all(&log).expect("mkdir");
    done(&mut a, Op::Touch { token: Token(1) });
    assert_eq!(listing(&mut a).oldest, Some(Epoch(0)));
    claim(&mut a, 1, 11);
    let state = fs::read_dir(dir.path().join(".workspace_state")).expect("list");
    assert_eq!(state.count(), 1);
}

#[test]
fn item_34_a_root_that_another_program_calls_default_is_default_in_the_shared_folder() {
    let dir = tempfile::tempdir().expect("temp dir");
    let root = dir.path().join("mill");
    fs::create_dir_all(root.join("flow_modules")).expect("mkdir");
    fs::create_dir_all(root.join(".workspace_state/available/default")).expect("mkdir");
    assert_eq!(open(&root, "a").name(), "default");
    fs::remove_dir(root.join(".workspace_state/available/default")).expect("rmdir");
    assert_eq!(open(&root, "a").name(), "mill");
}

#[test]
fn git_passes_over_a_state_folder_that_we_made_and_others_stay_as_they_are() {
    let dir = tempfile::tempdir().expect("temp dir");
    let root = dir.path().join("mill");
    fs::create_dir_all(root.join("flow_modules")).expect("mkdir");
    let mut shared = open(&root, "a");
    claim(&mut shared, 1, 7);
    let ignore = root.join(".workspace_state/.gitignore");
    assert_eq!(fs::read_to_string(&ignore).expect("made"), "*\n");
    let git = |args: &[&str]| {
        let output = std::process::Command::new("git")
            .args(args)
            .current_dir(&root)
            .output();
        String::from_utf8(output.expect("git").stdout).expect("text")
    };
    git(&["init", "--quiet"]);
    fs::write(root.join("flow_modules/a.graphml"), "<graphml/>").expect("write");
    assert_eq!(git(&["status", "--porcelain"]), "?? flow_modules/\n");
    // A person who wants it tracked takes the file away, and that is left alone.
    fs::remove_file(&ignore).expect("remove");
    claim(&mut shared, 2, 8);
    assert!(!ignore.exists());
}
