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

mod epochs;
mod folder;
mod notes;

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
fn item_30_a_heartbeat_touches_no_table() {
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
