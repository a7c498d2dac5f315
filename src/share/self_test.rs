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

use crate::lease::{Folder as Trust, MachineId, Now, limits};
use crate::model::Timestamp;

use super::fault::fault;
use super::folder::Folder;
use super::note::{NOTE_BYTES_MAX, shown};
use super::shared::STATE;
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
    let measured = match measure(workspace, now) {
        Ok(measured) => measured,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return (Trust::Vanished, None),
        Err(why) => {
            let told = format!("This folder cannot be written: {}.", fault(&why));
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

fn measure(workspace: &Path, now: &dyn Fn() -> Now) -> io::Result<Measured> {
    let folder = Folder::open(workspace)?;
    // Beside the state where there is one: that is what is trusted. Else nothing is to stay behind.
    let (place, prefix) = match folder.at(STATE) {
        Ok(state) => (state, ".test-"),
        Err(why) if why.kind() == io::ErrorKind::NotFound => (folder, ".handmill-test-"),
        Err(why) => return Err(why),
    };
    let began = now();
    let name = format!("{prefix}{}-{:x}", std::process::id(), began.boot.0);
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

    let modified = folder.modified("Case")?;
    measured.clock_offset_ms = (modified.0 - wall.0) / 1_000;
    // One of several: a single time may be a whole second by chance.
    let has_fraction = |name: &str| Ok::<_, io::Error>(folder.modified(name)?.0 % 1_000_000 != 0);
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

fn is_network(kind: &str) -> bool {
    let kind = kind.strip_prefix("fuse.").unwrap_or(kind);
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb",
        "smb2",
        "smb3",
        "smbfs",
        "sshfs",
        "9p",
        "ceph",
        "afs",
        "glusterfs",
        "vboxsf",
        "virtiofs",
        "davfs",
        "lustre",
        "afpfs",
        "webdav",
    ]
    .contains(&kind)
}

/// The sync program that keeps the folder, by the signs it leaves.
fn synced_by(workspace: &Path, kind: &str) -> Option<String> {
    let mounts = [
        ("fuse.rclone", "rclone"),
        ("fuse.gcsfuse", "gcsfuse"),
        ("fuse.s3fs", "s3fs"),
        ("fuse.goofys", "goofys"),
        ("fuse.onedriver", "onedriver"),
        ("fuse.google-drive-ocamlfuse", "Google Drive"),
        ("fuse.dbxfs", "Dropbox"),
    ];
    if let Some((_, by)) = mounts.iter().find(|(name, _)| *name == kind) {
        return Some((*by).to_owned());
    }
    let marks = [
        (".dropbox", "Dropbox"),
        (".dropbox.cache", "Dropbox"),
        (".stfolder", "Syncthing"),
        (".owncloudsync.log", "ownCloud"),
        (".nextcloudsync.log", "Nextcloud"),
        (".tmp.drivedownload", "Google Drive"),
        (".tmp.driveupload", "Google Drive"),
        (".849C9593-D756-4E56-8D6E-42412F2A707B", "OneDrive"),
        (".insync-trash", "Insync"),
        (".seafile-data", "Seafile"),
    ];
    let workspace = std::fs::canonicalize(workspace).unwrap_or_else(|_| workspace.to_owned());
    for above in workspace.ancestors() {
        let has = |mark: &str| std::fs::symlink_metadata(above.join(mark)).is_ok();
        if let Some((_, by)) = marks.iter().find(|(mark, _)| has(mark)) {
            return Some((*by).to_owned());
        }
        let name = above.file_name().unwrap_or_default().to_string_lossy();
        let by = match &*name {
            "Dropbox" | "Google Drive" | "GoogleDrive" | "OneDrive" | "Nextcloud"
            | "pCloudDrive" => &*name,
            "Mobile Documents" | "iCloud Drive" | "iCloudDrive" => "iCloud",
            "CloudStorage" => "a sync program",
            name if name.starts_with("OneDrive - ") => "OneDrive",
            _ => continue,
        };
        return Some(by.to_owned());
    }
    None
}

/// What the system calls the file system of a path.
#[cfg(target_os = "linux")]
fn kind_of(path: &Path) -> String {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    kind_in(&mounts, &path)
}

#[cfg(not(target_os = "linux"))]
fn kind_of(_: &Path) -> String {
    String::new()
}

/// The kind of the last mount that holds the path, in the words of `mountinfo`.
#[cfg(any(target_os = "linux", test))]
fn kind_in(mounts: &str, path: &Path) -> String {
    let mut best: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let Some((left, right)) = line.split_once(" - ") else {
            continue;
        };
        let (Some(at), Some(kind)) = (left.split(' ').nth(4), right.split(' ').next()) else {
            continue;
        };
        let at = at
            .replace("\\040", " ")
            .replace("\\011", "\t")
            .replace("\\134", "\\");
        // A later mount at the same place covers the earlier one.
        if path.starts_with(&at) && best.is_none_or(|(len, _)| at.len() >= len) {
            best = Some((at.len(), kind));
        }
    }
    best.map(|(_, kind)| shown(kind)).unwrap_or_default()
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

    #[test]
    fn the_kind_is_that_of_the_innermost_mount() {
        let mounts = "22 1 0:1 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
                      30 22 0:26 / /mnt/the\\040share rw shared:2 - nfs4 server:/x rw\n\
                      31 22 0:27 / /mnt/the rw - fuse.rclone remote: rw\n";
        for (path, kind) in [
            ("/home", "ext4"),
            ("/mnt/the share/ws", "nfs4"),
            ("/mnt/the/ws", "fuse.rclone"),
            ("/mnt/theory", "ext4"),
        ] {
            assert_eq!(kind_in(mounts, Path::new(path)), kind, "{path}");
        }
        assert!(is_network("nfs4") && is_network("fuse.sshfs") && !is_network("ext4"));
    }
}
