//! What a folder can be trusted with, found out by trying it.
//!
//! The protocol rests on three facts: a folder is not renamed over a full one, a file that must be
//! new is not made twice, and a removed folder refuses what comes late. They are tried in a folder
//! of their own, which is removed again. What cannot be tried from one machine, that a sync program
//! merges copies behind our back, is told by the signs such programs leave.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::disk::{Life, life_of};
use crate::lease::{Folder as Trust, MachineId, Now, limits};
use crate::model::Timestamp;

use super::fault::fault;
use super::folder::Folder;
use super::note::{NOTE_BYTES_MAX, shown};
use super::shared::STATE;
use super::signs::{is_network, kind_of, synced_by};
use super::table::{time_of, time_text};

/// The results of all machines, for each other.
const FILE: &str = "fs.json";
const FORMAT: u32 = 1;
/// What another machine found counts so long.
const FINDING_MAX: Duration = Duration::from_secs(30 * 24 * 3_600);
/// Machines that are remembered.
const MACHINES_MAX: usize = 256;
/// A test that takes longer tells of a folder that a person will feel to be slow.
const SLOW: Duration = Duration::from_millis(250);
/// The longest name that is tried.
const NAME_BYTES_MAX: usize = 255;

/// What was found out about a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// What the system calls the file system; empty when it does not say.
    pub kind: String,
    /// A folder is not renamed over a full one.
    pub renames_exclude: bool,
    /// A file that must be new is made once.
    pub creates_exclude: bool,
    /// A removed folder refuses late writers.
    pub removed_refuses: bool,
    /// A file can be replaced while somebody reads it.
    pub replaces_open: bool,
    /// Files and folders can be synced.
    pub syncs: bool,
    /// `A` and `a` are one file.
    pub folds_case: bool,
    /// The longest name, in bytes.
    pub name_bytes_max: usize,
    /// Times of files have fractions of a second.
    pub has_fine_times: bool,
    /// The server's clock beside ours, in milliseconds; shown, and never used.
    pub clock_offset_ms: i64,
    /// How long the whole test took.
    pub took: Duration,
    /// Signs of a program that copies the folder elsewhere; a fragment.
    pub synced_by: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Findings {
    format: u32,
    machines: BTreeMap<String, Finding>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Finding {
    kind: String,
    /// Why control is only advisory for that machine.
    advisory: Option<String>,
    tested_at_utc: String,
}

/// Tests the folder of a workspace and says what it can be trusted with. What this machine finds is
/// left for the others in `fs.json`, where there is a state folder; when one of them reaches the
/// folder through a sync program, control is advisory for all.
pub fn self_test(
    workspace: &Path,
    machine: &MachineId,
    now: &dyn Fn() -> Now,
) -> (Trust, Option<Measured>) {
    let measured = match measure(workspace, machine, now) {
        Ok(measured) => measured,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return (Trust::Vanished, None),
        Err(why) => {
            let told = format!("This folder cannot be written here: {}.", fault(&why));
            return (Trust::Unfit(told), None);
        }
    };
    let mine = advisory(&measured);
    let others = exchange(workspace, machine, &measured, mine.as_deref(), now().wall);
    let trust = match mine.or(others) {
        Some(why) => Trust::Advisory {
            settle: limits::SETTLE.max(measured.took * 3),
            why,
        },
        None => Trust::Exclusive {
            is_slow: is_network(&measured.kind) || measured.took > SLOW,
        },
    };
    (trust, Some(measured))
}

/// Why control of such a folder is only a convention, as a sentence.
fn advisory(measured: &Measured) -> Option<String> {
    if let Some(by) = &measured.synced_by {
        return Some(format!(
            "{by} copies this folder, so two machines may both believe they have control."
        ));
    }
    let broken = [
        (
            measured.renames_exclude,
            "lets a folder be renamed over another",
        ),
        (measured.creates_exclude, "makes a new file twice"),
        (measured.removed_refuses, "lets a removed folder be written"),
    ];
    let (_, what) = broken.iter().find(|(holds, _)| !holds)?;
    Some(format!(
        "This file system {what}, so two machines may both believe they have control."
    ))
}

fn measure(workspace: &Path, machine: &MachineId, now: &dyn Fn() -> Now) -> io::Result<Measured> {
    let folder = Folder::open(workspace)?;
    // Beside the state where there is one: that is what is trusted. Else nothing is to stay behind.
    let (place, prefix) = match folder.at(STATE) {
        Ok(state) => (state, ".test-"),
        Err(why) if why.kind() == io::ErrorKind::NotFound => (folder, ".handmill-test-"),
        Err(why) => return Err(why),
    };
    let began = now();
    let mine = format!("{prefix}{machine}-");
    sweep(&place, &mine)?;
    let name = format!("{mine}{}", std::process::id());
    place.remove_all(&name)?;
    place.mkdir_new(&name)?;
    let tried = place.at(&name).and_then(|folder| {
        let mut measured = Measured {
            kind: kind_of(workspace),
            ..Measured::default()
        };
        attempt(&folder, &mut measured, began.wall)?;
        Ok(measured)
    });
    let removed = place.remove_all(&name);
    let mut measured = tried?;
    removed?;
    measured.took = now().boot.since(began.boot);
    measured.synced_by = synced_by(workspace, &measured.kind);
    Ok(measured)
}

/// Removes what tests of this machine left that were killed.
fn sweep(place: &Folder, mine: &str) -> io::Result<()> {
    for entry in place.list()? {
        let pid = entry
            .name
            .strip_prefix(mine)
            .and_then(|pid| pid.parse().ok());
        if pid.is_some_and(|pid| life_of(pid, None) == Life::Dead) {
            place.remove_all(&entry.name)?;
        }
    }
    Ok(())
}

fn attempt(folder: &Folder, measured: &mut Measured, wall: Timestamp) -> io::Result<()> {
    // A claim over a claim.
    for name in ["first", "second"] {
        folder.mkdir_new(name)?;
        folder.at(name)?.write_new("claim.json", b"{}")?;
    }
    measured.renames_exclude = folder.rename("second", folder, "first").is_err();

    folder.write_new("new", b"1")?;
    measured.creates_exclude = folder.write_new("new", b"2").is_err();

    // A pen that was removed: neither a new file nor an old one comes out of it.
    folder.mkdir_new("pen")?;
    let pen = folder.at("pen")?;
    pen.write_new("early", b"")?;
    pen.unlink("early")?;
    folder.rmdir("pen")?;
    measured.removed_refuses = pen.write_new("late", b"").is_err() && !folder.has("pen")?;

    // Replaced while it is read.
    let held = folder.open_held("new")?;
    folder.write_new("newer", b"3")?;
    measured.replaces_open =
        folder.rename("newer", folder, "new").is_ok() && folder.read("new", 10)? == b"3";
    drop(held);

    measured.syncs = folder.sync().is_ok();

    folder.write_new("Case", b"")?;
    measured.folds_case = folder.has("case")?;

    for len in [NAME_BYTES_MAX, 143, 100] {
        let name = "n".repeat(len);
        if folder.write_new(&name, b"").is_ok() {
            measured.name_bytes_max = len;
            break;
        }
    }

    let changed = folder.changed("Case")?;
    measured.clock_offset_ms = (changed.0 - wall.0) / 1_000;
    // One of several: a single time may be a whole second by chance.
    let has_fraction = |name: &str| Ok::<_, io::Error>(folder.changed(name)?.0 % 1_000_000 != 0);
    measured.has_fine_times = has_fraction("Case")? || has_fraction("new")?;
    Ok(())
}

/// Leaves what this machine found for the others, and gives what one of them found.
fn exchange(
    workspace: &Path,
    machine: &MachineId,
    measured: &Measured,
    advisory: Option<&str>,
    wall: Timestamp,
) -> Option<String> {
    let state = Folder::open(workspace).and_then(|folder| folder.at(STATE));
    // Without a state folder there are no others yet, and a look leaves nothing behind.
    let state = state.ok()?;
    let read = state.read(FILE, NOTE_BYTES_MAX).ok();
    let read: Option<Findings> = read.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let mut findings = read
        .filter(|findings| findings.format == FORMAT)
        .unwrap_or_default();
    findings.format = FORMAT;
    findings.machines.retain(|_, finding| {
        let tested = time_of(&finding.tested_at_utc).unwrap_or_default();
        wall.since(tested) < FINDING_MAX
    });
    let others = findings.machines.iter().filter(|(id, _)| **id != machine.0);
    let found = others
        .filter_map(|(_, finding)| finding.advisory.as_deref())
        .next()
        .map(|why| format!("Another machine says: {}", shown_sentence(why)));
    let mine = Finding {
        kind: measured.kind.clone(),
        advisory: advisory.map(str::to_owned),
        tested_at_utc: time_text(wall),
    };
    let is_told = findings.machines.get(&machine.0).is_some_and(|told| {
        // Written again once a day, so that a look writes nothing most of the time.
        let tested = time_of(&told.tested_at_utc).unwrap_or_default();
        told.kind == mine.kind
            && told.advisory == mine.advisory
            && wall.since(tested) < Duration::from_secs(24 * 3_600)
    });
    if !is_told && findings.machines.len() < MACHINES_MAX {
        findings.machines.insert(machine.0.clone(), mine);
        if let Ok(bytes) = serde_json::to_vec_pretty(&findings) {
            // Lost when two machines write at once; then it is written at the next opening.
            state
                .replace(FILE, &format!(".{FILE}.{machine}.tmp"), &bytes)
                .ok();
        }
    }
    found
}

fn shown_sentence(why: &str) -> String {
    let words: Vec<String> = why.split_whitespace().take(40).map(shown).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::lease::Moment;

    fn now() -> Now {
        Now {
            boot: Moment(5),
            wall: Timestamp(1_795_219_155_000_000),
        }
    }

    fn machine(id: &str) -> MachineId {
        MachineId(id.to_owned())
    }

    #[test]
    fn a_folder_of_this_disk_is_exclusive_and_left_as_it_was() {
        let dir = tempfile::tempdir().expect("temp dir");
        let (trust, measured) = self_test(dir.path(), &machine("a"), &now);
        assert_eq!(trust, Trust::Exclusive { is_slow: false });
        let measured = measured.expect("measured");
        assert!(measured.renames_exclude && measured.creates_exclude && measured.removed_refuses);
        assert!(measured.replaces_open && measured.syncs && measured.name_bytes_max >= 100);
        assert_eq!(fs::read_dir(dir.path()).expect("list").count(), 0);
    }

    #[test]
    fn what_a_killed_test_left_is_swept_and_that_of_others_stays() {
        let dir = tempfile::tempdir().expect("temp dir");
        let mut child = std::process::Command::new("/bin/true")
            .spawn()
            .expect("spawn");
        child.wait().expect("wait");
        for name in ["a", "b"] {
            let left = format!(".handmill-test-{name}-{}", child.id());
            fs::create_dir_all(dir.path().join(left).join("pen")).expect("mkdir");
        }
        self_test(dir.path(), &machine("a"), &now)
            .1
            .expect("measured");
        let names = fs::read_dir(dir.path()).expect("list");
        let names: Vec<_> = names.map(|e| e.expect("entry").file_name()).collect();
        assert_eq!(names, [&*format!(".handmill-test-b-{}", child.id())]);
    }

    #[test]
    fn one_machine_in_a_sync_folder_makes_control_advisory_for_all() {
        let dir = tempfile::tempdir().expect("temp dir");
        let workspace = dir.path().join("Dropbox/work");
        fs::create_dir_all(workspace.join(STATE)).expect("mkdir");
        let (trust, _) = self_test(&workspace, &machine("a"), &now);
        let told =
            "Dropbox copies this folder, so two machines may both believe they have control.";
        let Trust::Advisory { settle, why } = trust else {
            panic!("{trust:?}");
        };
        assert_eq!((settle, why.as_str()), (limits::SETTLE, told));
        // The same folder as its server sees it.
        let served = dir.path().join("served");
        fs::rename(&workspace, &served).expect("rename");
        let (trust, _) = self_test(&served, &machine("b"), &now);
        let Trust::Advisory { why, .. } = trust else {
            panic!("{trust:?}");
        };
        assert_eq!(why, format!("Another machine says: {told}"));
        // What was found long ago counts no more.
        let later = || Now {
            wall: now().wall.plus(FINDING_MAX * 2),
            ..now()
        };
        let (trust, _) = self_test(&served, &machine("c"), &later);
        assert_eq!(trust, Trust::Exclusive { is_slow: false });
        let names = fs::read_dir(served.join(STATE)).expect("list");
        let names: Vec<_> = names.map(|e| e.expect("entry").file_name()).collect();
        assert_eq!(names, [FILE]);
    }

    #[test]
    fn a_folder_that_is_gone_or_write_protected_is_told_as_such() {
        let dir = tempfile::tempdir().expect("temp dir");
        let gone = self_test(&dir.path().join("gone"), &machine("a"), &now);
        assert_eq!(gone, (Trust::Vanished, None));
        // Nobody may write there, not even the superuser.
        let (trust, measured) = self_test(Path::new("/proc"), &machine("a"), &now);
        assert!(measured.is_none());
        assert!(
            matches!(&trust, Trust::Vanished | Trust::Unfit(_)),
            "{trust:?}"
        );
    }
}
