//! The shared folder against trees that the seed's own programs wrote, by the numbers of the seed's
//! behaviours, with the real reader process.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use handmill::lease::{
    ClaimNote, Epoch, Fault, Hydrated, MachineId, Markers, Op, Reply, RowSeen, Token,
};
use handmill::model::Timestamp;
use handmill::share::table::TableReader;
use handmill::share::{Adoption, LedgerSide, Rows, SharedFolder, Wanted};

use crate::shared;
use crate::support::Share;

/// Keeps what it is given.
#[derive(Debug, Default)]
pub struct Kept {
    pub rows: Option<Rows>,
}

impl LedgerSide for Kept {
    fn rows(&mut self, _: Wanted) -> Result<Rows, String> {
        Ok(Rows::default())
    }

    fn adopt(&mut self, rows: Rows, _: Option<&str>, _: Adoption) -> Result<(), String> {
        self.rows = Some(rows);
        Ok(())
    }
}

pub fn reader() -> TableReader {
    TableReader::of_program(env!("CARGO_BIN_EXE_handmill"))
}

/// A workspace whose state folder is one of the trees.
struct Fixture {
    _dir: tempfile::TempDir,
    workspace: PathBuf,
    shared: SharedFolder,
    ledger: Kept,
}

impl Fixture {
    fn of(tree: &str) -> Option<Self> {
        let shared = shared::shared_dir()?;
        let archive = shared.join(format!("fixtures/data-engine/{tree}.tar.gz"));
        let dir = tempfile::tempdir().expect("temp dir");
        let status = Command::new("tar")
            .args([
                "xzf".as_ref(),
                archive.as_os_str(),
                "-C".as_ref(),
                dir.path().as_os_str(),
            ])
            .status()
            .expect("tar runs");
        assert!(status.success(), "{}", archive.display());
        let workspace = dir.path().join("claims");
        fs::create_dir(&workspace).expect("mkdir");
        fs::rename(dir.path().join(tree), workspace.join(".workspace_state")).expect("rename");
        Some(Self {
            shared: open(&workspace, "wsB"),
            workspace,
            _dir: dir,
            ledger: Kept::default(),
        })
    }

    fn state(&self, path: &str) -> PathBuf {
        self.workspace.join(".workspace_state").join(path)
    }

    fn carry(&mut self, op: Op) -> Reply {
        self.shared.carry(&op, &mut self.ledger)
    }

    fn markers(&mut self) -> Markers {
        match self.carry(Op::ReadMarkers) {
            Reply::Markers(markers) => markers,
            other => panic!("{other:?}"),
        }
    }

    fn row(&mut self) -> RowSeen {
        match self.carry(Op::ReadRow) {
            Reply::Row(row) => row,
            other => panic!("{other:?}"),
        }
    }

    fn watch(&mut self) -> Hydrated {
        self.shared.watch(&mut self.ledger).expect("reads")
    }

    fn counts(&self) -> [usize; 4] {
        let rows = self.ledger.rows.as_ref().expect("rows");
        [
            rows.runs.len(),
            rows.steps.len(),
            rows.logs.len(),
            rows.files.len(),
        ]
    }
}

fn open(workspace: &Path, id: &str) -> SharedFolder {
    SharedFolder::open(workspace, MachineId(id.to_owned()), reader()).expect("opens")
}

#[test]
fn item_1_a_fresh_tree_has_no_owner_no_request_and_no_runs() {
    let Some(mut tree) = Fixture::of("01-available-fresh") else {
        return;
    };
    assert_eq!(tree.shared.name(), "claims");
    let markers = tree.markers();
    assert!(markers.is_available && !markers.is_leased && markers.foreign.is_none());
    assert_eq!(tree.row(), RowSeen::Absent);
    let Reply::Requests(asked) = tree.carry(Op::ReadRequests) else {
        panic!("no answer");
    };
    assert!(asked.requests.is_empty() && asked.seed.is_none());
    assert_eq!(tree.watch(), Hydrated::Nothing);
}

#[test]
fn items_2_and_4_the_lease_and_the_request_of_the_seed_are_read_as_they_stand() {
    let Some(mut tree) = Fixture::of("04-leased-fresh-with-control-request") else {
        return;
    };
    let RowSeen::Is { row, .. } = tree.row() else {
        panic!("no row");
    };
    assert_eq!((row.machine.0.as_str(), row.host.as_str()), ("wsA", "wsA"));
    assert_eq!((row.pid, row.status.as_str()), (28_173, "idle"));
    // 2026-11-20T23:59:15.530618+00:00
    assert_eq!(row.checkpoint_at, Timestamp(1_795_219_155_530_618));
    assert_eq!(row.generation.epoch, None);
    assert_eq!(
        row.generation.to_string(),
        "339e4738979c4896a38bd7448d381f95"
    );
    assert_eq!(row.app_version, "0.3.9");
    // Its owner is an older program: a marker without a token.
    let markers = tree.markers();
    assert!(markers.is_leased && markers.token.is_none() && markers.foreign.is_none());
    let Reply::Requests(asked) = tree.carry(Op::ReadRequests) else {
        panic!("no answer");
    };
    let request = asked.seed.expect("a request");
    assert_eq!((request.host.as_str(), request.pid), ("wsB", 31_732));
    assert_eq!(request.client, "ui");
}

#[test]
fn item_7_the_seeds_snapshot_is_taken_over_whole() {
    let Some(mut tree) = Fixture::of("03-leased-fresh-with-snapshots") else {
        return;
    };
    assert_eq!(tree.watch(), Hydrated::Adopted);
    assert_eq!(tree.counts(), [14, 28, 7, 5]);
    let rows = tree.ledger.rows.take().expect("rows");
    let of_status = |status: &str| rows.runs.iter().filter(|run| run.status == status).count();
    assert_eq!((of_status("success"), of_status("failed")), (12, 2));
    let with_output: BTreeSet<&str> = rows
        .steps
        .iter()
        .filter(|step| step.output_path.is_some())
        .map(|step| step.step_label.as_str())
        .collect();
    assert_eq!(with_output, BTreeSet::from(["Write Doc", "Write Summary"]));
    assert!(
        rows.runs
            .iter()
            .all(|run| run.finished_at > Some(run.started_at))
    );
    // Nothing new: nothing is given again.
    assert_eq!(tree.watch(), Hydrated::Nothing);
    assert!(tree.ledger.rows.is_none());
}

#[test]
fn item_7_ten_thousand_runs_as_well() {
    let name = "09-unclaimed-marker-lease-file-and-10k-run-snapshots";
    let Some(mut tree) = Fixture::of(name) else {
        return;
    };
    assert_eq!(tree.watch(), Hydrated::Adopted);
    assert_eq!(tree.counts(), [10_000, 30_000, 1_500, 10_000]);
}

#[test]
fn item_7_a_released_tree_has_a_snapshot_without_a_lease() {
    let Some(mut tree) = Fixture::of("08-released-available-with-snapshots") else {
        return;
    };
    assert_eq!(tree.row(), RowSeen::Absent);
    assert_eq!(tree.watch(), Hydrated::Adopted);
    assert_eq!(tree.counts(), [14, 28, 7, 5]);
}

#[test]
fn item_8_files_that_are_missing_or_without_rows_are_no_rows() {
    let Some(mut tree) = Fixture::of("02-leased-fresh-idle-no-runs") else {
        return;
    };
    assert!(tree.state("state/logs/claims.parquet").is_file());
    assert!(!tree.state("state/runs/claims.parquet").exists());
    assert_eq!(tree.watch(), Hydrated::Nothing);
}

#[test]
fn items_10_and_11_a_mixture_is_not_shown_and_the_last_good_picture_stays() {
    let (Some(mut tree), Some(newer)) = (
        Fixture::of("03-leased-fresh-with-snapshots"),
        Fixture::of("07-after-stale-takeover-by-wsB"),
    ) else {
        return;
    };
    assert_eq!(tree.watch(), Hydrated::Adopted);
    tree.ledger.rows = None;
    // File by file as an owner that is killed in between leaves them; the lease comes last.
    let files = [
        "state/runs/claims.parquet",
        "state/step_runs/claims.parquet",
        "state/logs/claims.parquet",
        "state/file_state/claims.parquet",
    ];
    for file in files {
        fs::copy(newer.state(file), tree.state(file)).expect("copies");
        let mut late = open(&tree.workspace, "wsC");
        let mut ledger = Kept::default();
        let told = late.watch(&mut ledger).expect("reads");
        assert!(matches!(told, Hydrated::Kept(_)), "{file}: {told:?}");
        assert!(ledger.rows.is_none());
        assert_eq!(tree.watch(), Hydrated::Nothing, "the lease is as it was");
    }
    let lease = "leases/claims.parquet";
    fs::copy(newer.state(lease), tree.state(lease)).expect("copies");
    assert_eq!(tree.watch(), Hydrated::Adopted);
    // The runs have the bytes that they had, and are not given again.
    assert_eq!(tree.counts()[0], 0);
}

#[test]
fn item_12_of_a_bundle_the_generation_of_its_manifest_is_read() {
    let Some(tree) = Fixture::of("v2-03-leased-fresh-with-snapshots") else {
        return;
    };
    // As its owner leaves it at a release.
    let leased = fs::read_dir(tree.state("leased")).expect("list").next();
    let bundle = leased.expect("one").expect("entry").path();
    fs::rename(bundle, tree.state("available/claims")).expect("renamed");
    let rows = tree.shared.read_free_bundle().expect("reads");
    let rows = rows.expect("a bundle");
    let counts = (
        rows.runs.len(),
        rows.steps.len(),
        rows.logs.len(),
        rows.files.len(),
    );
    assert_eq!(counts, (10, 20, 7, 5));
}

#[test]
fn items_13_and_14_a_bundle_is_refused_with_what_to_do() {
    let Some(mut tree) = Fixture::of("v2-03-leased-fresh-with-snapshots") else {
        return;
    };
    let told = tree.markers().foreign.expect("refused");
    assert!(
        told.starts_with("Data Engine 0.5 has control of this workspace")
            && told.contains("Release it there"),
        "{told}"
    );
    // Before its lease is written it is no free workspace either.
    let bundle = fs::read_dir(tree.state("leased")).expect("list").next();
    let bundle = bundle.expect("one").expect("entry").path();
    fs::remove_file(bundle.join("lease.parquet")).expect("remove");
    let told = tree.markers().foreign.expect("refused");
    assert!(told.contains("is taking control"), "{told}");
    let Err(Fault::NotUnderstood(_)) = tree.shared.take_over_bundle("aside") else {
        panic!("taken from its owner");
    };
    assert!(bundle.is_dir());
    let Some(mut mixed) = Fixture::of("v2-08-mixed-versions-corrupt") else {
        return;
    };
    assert!(mixed.markers().foreign.is_some());
}

#[test]
fn item_14_a_free_bundle_is_taken_over_once_with_its_history() {
    let Some(mut fresh) = Fixture::of("v2-01-available-fresh") else {
        return;
    };
    let told = fresh.markers().foreign.expect("told");
    assert!(told.contains("nobody runs it now"), "{told}");
    assert_eq!(fresh.shared.take_over_bundle("aside"), Ok(Rows::default()));
    assert_eq!(fresh.markers(), Markers::default());

    // As its owner leaves it at a release.
    let Some(mut tree) = Fixture::of("v2-03-leased-fresh-with-snapshots") else {
        return;
    };
    let bundle = fs::read_dir(tree.state("leased")).expect("list").next();
    let bundle = bundle.expect("one").expect("entry").path();
    fs::rename(bundle, tree.state("available/claims")).expect("rename");
    assert!(tree.markers().foreign.is_some());
    let rows = tree.shared.take_over_bundle("aside").expect("taken over");
    assert_eq!(rows.runs.len(), 10);
    assert_eq!(tree.markers(), Markers::default());
    assert!(
        tree.state("stale/aside/bundle/snapshot_manifest.json")
            .is_file()
    );
    assert_eq!(tree.shared.take_over_bundle("again"), Err(Fault::Gone));
}

#[test]
fn item_14_another_name_in_the_same_folder_is_not_claimed_over() {
    let Some(mut tree) = Fixture::of("03-leased-fresh-with-snapshots") else {
        return;
    };
    fs::rename(tree.state("leased/claims"), tree.state("leased/other name")).expect("rename");
    let told = tree.markers().foreign.expect("refused");
    assert!(told.contains("under the name other name"), "{told}");
}

#[test]
fn item_15_a_corrupt_lease_has_a_named_reason_and_is_not_free() {
    let Some(mut tree) = Fixture::of("03-leased-fresh-with-snapshots") else {
        return;
    };
    let path = tree.state("leases/claims.parquet");
    let whole = fs::read(&path).expect("read");
    let mut in_the_middle = whole.clone();
    for byte in &mut in_the_middle[4..whole.len() - 8] {
        *byte ^= 0x5a;
    }
    let runs = fs::read(tree.state("state/runs/claims.parquet")).expect("read");
    for bytes in [
        &b""[..],
        &whole[..100],
        &in_the_middle,
        &runs,
        b"PAR1\0\0\0\0PAR1",
    ] {
        fs::write(&path, bytes).expect("write");
        match tree.row() {
            RowSeen::Damaged { why, .. } => assert!(!why.is_empty()),
            other => panic!("{} bytes: {other:?}", bytes.len()),
        }
        assert!(matches!(tree.watch(), Hydrated::Kept(_)));
    }
    fs::write(&path, &whole).expect("write");
    assert!(matches!(tree.row(), RowSeen::Is { .. }));
}

/// Set in the processes that claim.
const CLAIMS_IN: &str = "HANDMILL_TEST_CLAIMS_IN";

/// Over a network, in a machine that is only imagined, 600 would take the better part of an hour.
fn n_rounds() -> u64 {
    let told = std::env::var("HANDMILL_TEST_ROUNDS").ok();
    told.and_then(|text| text.parse().ok()).unwrap_or(600)
}

#[test]
fn item_16_of_eight_processes_exactly_one_wins_each_of_600_rounds() {
    if let Some(workspace) = std::env::var_os(CLAIMS_IN) {
        return claim_for_ever(Path::new(&workspace));
    }
    let share = Share::new();
    let claimer = |n: usize| {
        Command::new(std::env::current_exe().expect("the test binary"))
            .args(["--exact", "--nocapture", "--test-threads=1"])
            .arg("share::item_16_of_eight_processes_exactly_one_wins_each_of_600_rounds")
            .env(CLAIMS_IN, share.of(n))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the test binary starts")
    };
    let claimers: Vec<_> = (0..8).map(claimer).collect();
    let mut won = Vec::new();
    let mut n_winners = 0;
    for claimer in claimers {
        let output = claimer.wait_with_output().expect("waited for");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        let before = won.len();
        won.extend(
            said.lines()
                // The first stands behind the test's name.
                .filter_map(|line| line.rsplit_once("won "))
                .map(|(_, epoch)| epoch.parse::<u64>().expect("a number")),
        );
        n_winners += usize::from(won.len() > before);
    }
    won.sort_unstable();
    assert_eq!(won, (1..=n_rounds()).collect::<Vec<_>>());
    assert!(n_winners > 1, "they did not race");
}

/// Claims, fences what is below, releases, until the rounds are over. Says which rounds it won.
#[expect(clippy::print_stdout, reason = "the parent counts what it says")]
fn claim_for_ever(workspace: &Path) {
    let mut shared = open(workspace, &format!("m{}", std::process::id()));
    let mut ledger = Kept::default();
    let mut carry = |op: Op| shared.carry(&op, &mut ledger);
    let mut n_th = 0;
    loop {
        let newest = match carry(Op::ListEpochs) {
            Reply::Epochs(listing) => listing.newest.map_or(0, |epoch| epoch.0),
            other => panic!("{other:?}"),
        };
        if newest >= n_rounds() {
            return;
        }
        n_th += 1;
        let token = Token(u128::from(std::process::id()) << 64 | n_th);
        let epoch = Epoch(newest + 1);
        let note = ClaimNote {
            epoch,
            token,
            machine: MachineId("m".to_owned()),
            host: "h".to_owned(),
            boot: String::new(),
            pid: std::process::id(),
            at: Timestamp(0),
            scale: 1,
        };
        assert_eq!(carry(Op::Touch { token }), Reply::Done);
        match carry(Op::MakeNew { note }) {
            Reply::Done => {}
            // A network's client that lists the folder of the newest epoch and does not find it yet.
            Reply::Failed(Fault::Gone) => continue,
            other => panic!("{other:?}"),
        }
        match carry(Op::RenameNew { token, epoch }) {
            Reply::Done => println!("won {epoch}"),
            Reply::Failed(Fault::Exists) => {
                assert_eq!(carry(Op::DropNew { token, epoch }), Reply::Done);
                continue;
            }
            other => panic!("{other:?}"),
        }
        let Reply::Epoch(seen) = carry(Op::ReadEpoch { epoch }) else {
            panic!("the epoch is gone");
        };
        assert_eq!(seen.claim.map(|claim| claim.token), Some(token));
        assert_eq!(carry(Op::ReleasePen { epoch }), Reply::Done);
    }
}
