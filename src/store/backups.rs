//! Earlier versions of workfiles, kept on this machine each time a save replaces one.
//!
//! `backups/<hash of the path>/<when it was written>-<BLAKE3>.graphml`, the time in microseconds since 1970; a
//! file named `path` beside them says of which workfile. The name is the index: nothing can get out of step, and a
//! person finds a version without Handmill. A version that is there already is not kept twice.
//!
//! Bounded: per workfile the last [`LAST_MAX`] and one per day for [`DAYS_MAX`] days, and [`BYTES_MAX`] for all.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::disk::{self, DiskError, Expect, Stamp};
use crate::model::Timestamp;

use super::machine::path_key;
use super::{Home, StoreError, WORKFILE_BYTES_MAX};

/// Versions of one workfile kept whatever their age.
pub const LAST_MAX: usize = 20;
/// Days for which the last version of each is kept.
pub const DAYS_MAX: i64 = 30;
/// Bytes kept of all workfiles together.
pub const BYTES_MAX: u64 = 200 << 20;

const DAY_US: i64 = 24 * 3600 * 1_000_000;
const ENDING: &str = ".graphml";
const NAME_FILE: &str = "path";

/// An earlier version of a workfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// When it was written, by the file's own time.
    pub written: Timestamp,
    /// Its length in bytes.
    pub len: u64,
    /// BLAKE3 of it, in hex.
    hash: String,
    file: PathBuf,
}

/// Keeps a version of the workfile at `path` that is about to be replaced, durably, and lets go of what is beyond
/// the bounds of that workfile.
pub fn keep(home: &Home, path: &Path, bytes: &[u8], stamp: &Stamp) -> Result<(), StoreError> {
    let dir = dir_of(home, path);
    let kept = list(&dir)?;
    let hash = blake3::hash(bytes).to_hex().to_string();
    if kept.iter().any(|backup| backup.hash == hash) {
        return Ok(());
    }
    disk::make_private_folder(&dir)?;
    let named = dir.join(NAME_FILE);
    if !named.exists() {
        let name = path.as_os_str().as_encoded_bytes();
        disk::replace(&named, name, Expect::Anything)?;
    }
    let written = stamp.modified.0.max(0);
    let file = dir.join(format!("{written:020}-{hash}{ENDING}"));
    disk::replace_private(&file, bytes)?;
    let mut all = list(&dir)?;
    all.sort_by(newest_first);
    for backup in beyond(&all) {
        disk::remove(&backup.file)?;
    }
    Ok(())
}

/// The versions kept of the workfile at `path`, newest first.
pub fn backups(home: &Home, path: &Path) -> Result<Vec<Backup>, StoreError> {
    let mut all = list(&dir_of(home, path))?;
    all.sort_by(newest_first);
    Ok(all)
}

/// The bytes of a version; one that was damaged since is refused.
pub fn read_backup(backup: &Backup) -> Result<Vec<u8>, StoreError> {
    let (bytes, _) = disk::read_with_stamp(&backup.file, WORKFILE_BYTES_MAX)?;
    if blake3::hash(&bytes).to_hex().as_str() != backup.hash {
        return Err(StoreError::NotAWorkfile {
            why: "this earlier version was damaged on the disk".to_owned(),
            path: backup.file.clone(),
        });
    }
    Ok(bytes)
}

/// Lets go of the oldest versions of all workfiles until they fit. The newest of each goes last.
pub fn prune_backups(home: &Home) -> Result<usize, StoreError> {
    prune_to(home, BYTES_MAX)
}

fn prune_to(home: &Home, bytes_max: u64) -> Result<usize, StoreError> {
    let root = home.backups_dir();
    let failed = |cause| DiskError::io("look through earlier versions", &root, cause);
    let dirs = match fs::read_dir(&root) {
        Ok(dirs) => dirs,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(0),
        Err(cause) => return Err(failed(cause).into()),
    };
    // Oldest first; the newest of each workfile behind all others.
    let mut queue = Vec::new();
    let mut total = 0;
    for dir in dirs {
        let mut of_one = list(&dir.map_err(failed)?.path())?;
        of_one.sort_by(newest_first);
        total += of_one.iter().map(|backup| backup.len).sum::<u64>();
        queue.extend(of_one.into_iter().enumerate().map(|(at, b)| (at == 0, b)));
    }
    queue.sort_by(|(a_newest, a), (b_newest, b)| {
        a_newest.cmp(b_newest).then(a.written.cmp(&b.written))
    });
    let mut n_removed = 0;
    for (_, backup) in queue {
        if total <= bytes_max {
            break;
        }
        disk::remove(&backup.file)?;
        total -= backup.len;
        n_removed += 1;
    }
    Ok(n_removed)
}

/// What is beyond the bounds of one workfile, of versions from the newest on.
fn beyond(newest_first: &[Backup]) -> Vec<&Backup> {
    let day = |backup: &Backup| backup.written.0.div_euclid(DAY_US);
    let Some(today) = newest_first.first().map(day) else {
        return Vec::new();
    };
    let older = newest_first.iter().enumerate().skip(LAST_MAX);
    older
        .filter(|(at, backup)| {
            let is_last_of_its_day = day(&newest_first[at - 1]) != day(backup);
            !is_last_of_its_day || day(backup) <= today - DAYS_MAX
        })
        .map(|(_, backup)| backup)
        .collect()
}

fn newest_first(a: &Backup, b: &Backup) -> std::cmp::Ordering {
    b.written.cmp(&a.written).then_with(|| b.hash.cmp(&a.hash))
}

fn dir_of(home: &Home, path: &Path) -> PathBuf {
    home.backups_dir().join(path_key(path))
}

/// In no order. What is not named as a version is passed over.
fn list(dir: &Path) -> Result<Vec<Backup>, StoreError> {
    let failed = |cause| DiskError::io("look for earlier versions", dir, cause);
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(cause) => return Err(failed(cause).into()),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let parts = name
            .to_str()
            .and_then(|name| name.strip_suffix(ENDING)?.split_once('-'))
            .and_then(|(written, hash)| Some((written.parse().ok()?, hash)));
        let Some((written, hash)) = parts.filter(|(_, hash)| hash.len() == 64) else {
            continue;
        };
        match entry.metadata() {
            Ok(meta) => found.push(Backup {
                written: Timestamp(written),
                len: meta.len(),
                hash: hash.to_owned(),
                file: entry.path(),
            }),
            // Another window let go of it meanwhile.
            Err(cause) if cause.kind() == ErrorKind::NotFound => {}
            Err(cause) => return Err(failed(cause).into()),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().expect("temp dir");
        let home = Home::at(dir.path().join("home"));
        (dir, home)
    }

    fn stamp(at: i64) -> Stamp {
        Stamp {
            len: 0,
            modified: Timestamp(at),
            inode: 0,
            hash: [0; 32],
        }
    }

    fn put(home: &Home, path: &Path, text: &str, at: i64) {
        keep(home, path, text.as_bytes(), &stamp(at)).expect("kept");
    }

    #[test]
    fn versions_are_kept_once_each_and_read_back_newest_first() {
        let (_dir, home) = home();
        let path = Path::new("/w/a.graphml");
        assert_eq!(backups(&home, path).expect("none"), []);
        for (at, text) in [(1, "one"), (2, "two"), (3, "one"), (4, "four")] {
            put(&home, path, text, at);
        }
        put(&home, Path::new("/w/b.graphml"), "other", 9);
        let all = backups(&home, path).expect("list");
        let texts: Vec<_> = all.iter().map(|b| read_backup(b).expect("read")).collect();
        assert_eq!(texts, [b"four".to_vec(), b"two".to_vec(), b"one".to_vec()]);
        fs::write(&all[0].file, "fuor").expect("write");
        assert!(read_backup(&all[0]).is_err(), "damage is seen");
    }

    #[test]
    fn the_last_ones_and_one_per_day_stay() {
        let (_dir, home) = home();
        let path = Path::new("/w/a.graphml");
        // Four a day for forty days.
        for n in 0..160 {
            put(&home, path, &n.to_string(), n * DAY_US / 4);
        }
        let all = backups(&home, path).expect("list");
        let days: Vec<i64> = all.iter().map(|b| b.written.0 / DAY_US).collect();
        assert_eq!(
            days[..20],
            [[39i64; 4], [38; 4], [37; 4], [36; 4], [35; 4]].concat()
        );
        let older: Vec<i64> = (10..35).rev().collect();
        assert_eq!(days[20..], older, "one of each day, thirty days back");
        let last_of_day_34 = read_backup(&all[20]).expect("read");
        assert_eq!(last_of_day_34, b"139");
    }

    #[test]
    fn beyond_the_bytes_the_oldest_go_and_the_newest_of_each_workfile_last() {
        let (_dir, home) = home();
        let (a, b) = (Path::new("/w/a.graphml"), Path::new("/w/b.graphml"));
        for at in 0..5 {
            put(&home, a, &format!("{at:0100}"), 10 + at);
        }
        put(&home, b, &"b".repeat(100), 1);
        assert_eq!(prune_to(&home, 600).expect("fits"), 0);
        assert_eq!(prune_to(&home, 250).expect("pruned"), 4);
        assert_eq!(backups(&home, a).expect("list").len(), 1);
        assert_eq!(backups(&home, b).expect("list").len(), 1, "its newest");
        assert_eq!(prune_to(&home, 0).expect("pruned"), 2);
    }
}
