//! The file of a crash journal: what was typed since the last save, kept for the case that nobody saves it.
//!
//! Append-only. A file is a row of records, each `length (u32, little endian), CRC-32 of the payload (u32),
//! payload`. The first record is the [`Header`], as JSON; what the others hold is the editor's business. Whatever
//! stands after the first record that is cut off or does not match its CRC is not read. One file per document
//! and process, `journals/<hash of the path>-<pid>-<n>.journal`, so that two windows never write into one.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::disk::{self, DiskError, Life};

use super::{Home, StoreError};

/// A journal is not read beyond this, in bytes.
pub const JOURNAL_BYTES_MAX: u64 = 192 << 20;
const VERSION: u32 = 1;
const ENDING: &str = ".journal";
/// Records after the header from which on a journal can stand for another: the base, and what was done.
const WHOLE_RECORDS: usize = 2;

/// What the first record says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the format.
    version: u32,
    /// The workfile; `None` for a flow that has none yet.
    pub path: Option<PathBuf>,
    /// What a person calls the flow.
    pub title: String,
    /// BLAKE3 of the file that the edits were made on, in hex; `None` when there was none.
    pub base: Option<String>,
    /// Names of older journals whose edits this one holds too.
    #[serde(default)]
    replaces: Vec<String>,
    /// Who writes it.
    pid: u32,
    /// When that process began, so that another one with its id is not taken for it.
    birth: Option<u64>,
}

/// A journal under the hands of its writer.
#[derive(Debug)]
pub struct JournalFile {
    file: File,
    path: PathBuf,
    /// Bytes of whole records.
    len: u64,
}

/// A journal that its writer left: a crash, a kill, a power cut.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    /// Where it lies.
    pub file: PathBuf,
    /// Of what.
    pub header: Header,
    /// The records after the header, as far as they are whole.
    pub records: Vec<Vec<u8>>,
    /// Something stood after the last whole record.
    pub torn: bool,
}

impl JournalFile {
    /// Begins a journal for the file at `path`, or for a flow without one. `nth` tells apart the journals of
    /// this process. The journals that `replaces` names are passed over from its second record on.
    pub fn begin(
        home: &Home,
        nth: u64,
        path: Option<&Path>,
        title: &str,
        base: Option<[u8; 32]>,
        replaces: &[&Path],
    ) -> Result<Self, StoreError> {
        let dir = home.journals_dir();
        disk::make_private_folder(&dir)?;
        let pid = std::process::id();
        let file_path = dir.join(format!("{}-{pid}-{nth}{ENDING}", key(path)));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let file = options
            .open(&file_path)
            .map_err(|cause| DiskError::io("keep unsaved edits", &file_path, cause))?;
        let mut journal = Self {
            file,
            path: file_path,
            len: 0,
        };
        let header = Header {
            version: VERSION,
            path: path.map(Path::to_owned),
            title: title.to_owned(),
            replaces: replaces.iter().filter_map(|file| file_name(file)).collect(),
            base: base.map(|hash| blake3::Hash::from_bytes(hash).to_hex().to_string()),
            pid,
            birth: disk::birth_of(pid),
        };
        let begun = serde_json::to_vec(&header)
            .map_err(|why| journal.failed(why.into()))
            .and_then(|header| journal.append(&header));
        match begun {
            Ok(()) => Ok(journal),
            Err(why) => {
                // Half of a journal is of no use to anybody.
                journal.remove().ok();
                Err(why)
            }
        }
    }

    /// Adds a record. It is safe from the end of this process at once, from a power cut after a sync.
    pub fn append(&mut self, payload: &[u8]) -> Result<(), StoreError> {
        let len = u32::try_from(payload.len())
            .map_err(|_| self.failed(std::io::ErrorKind::FileTooLarge.into()))?;
        let mut record = Vec::with_capacity(payload.len() + 8);
        record.extend(len.to_le_bytes());
        record.extend(crc32fast::hash(payload).to_le_bytes());
        record.extend(payload);
        // One call, so that a kill leaves all of it or a beginning that its CRC gives away.
        self.file
            .write_all(&record)
            .map_err(|cause| self.failed(cause))?;
        self.len += record.len() as u64;
        Ok(())
    }

    /// A way to make it durable from another thread.
    pub fn sync_handle(&self) -> Result<SyncHandle, StoreError> {
        let file = self.file.try_clone().map_err(|cause| self.failed(cause))?;
        Ok(SyncHandle {
            file,
            path: self.path.clone(),
        })
    }

    /// Bytes of whole records.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// True before the first record.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The edits are saved, or not wanted.
    pub fn remove(self) -> Result<(), StoreError> {
        Ok(disk::remove(&self.path)?)
    }

    /// What went wrong with it, as an error that names it.
    pub fn failed(&self, cause: std::io::Error) -> StoreError {
        DiskError::io("keep unsaved edits", &self.path, cause).into()
    }
}

/// Makes durable what a journal holds so far.
#[derive(Debug)]
pub struct SyncHandle {
    file: File,
    path: PathBuf,
}

impl SyncHandle {
    /// Waits for the disk. After an error the journal is not to be used any more: what the system could not
    /// write it may have forgotten, and a second sync would succeed over the hole.
    pub fn sync(self) -> Result<(), StoreError> {
        let synced = self.file.sync_data();
        synced.map_err(|cause| DiskError::io("keep unsaved edits", &self.path, cause).into())
    }
}

/// Journals of the file at `path`, or of flows without a file, whose writers are dead. Newest first. What is
/// no journal at all is passed over and stays.
pub fn left_journals(home: &Home, path: Option<&Path>) -> Result<Vec<Left>, StoreError> {
    let dir = home.journals_dir();
    let failed = |cause| DiskError::io("look for unsaved edits", &dir, cause);
    let entries = match fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(failed(cause).into()),
    };
    let prefix = format!("{}-", key(path));
    let mut found = Vec::new();
    let mut replaced = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if !name.starts_with(&prefix) || !name.ends_with(ENDING) {
            continue;
        }
        let Some(left) = read(&entry.path())? else {
            continue;
        };
        let header = &left.header;
        if left.records.len() >= WHOLE_RECORDS {
            replaced.extend(header.replaces.iter().cloned());
        }
        let is_ours = header.path.as_deref() == path && header.version <= VERSION;
        if is_ours && disk::life_of(header.pid, header.birth) == Life::Dead {
            let written = entry.metadata().and_then(|meta| meta.modified()).ok();
            found.push((written, left));
        }
    }
    found.retain(|(_, left)| {
        let is_replaced = file_name(&left.file).is_some_and(|name| replaced.contains(&name));
        if is_replaced {
            // Its writer died between the two steps of replacing it; the newer one holds all of it.
            disk::remove(&left.file).ok();
        }
        !is_replaced
    });
    found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| b.1.file.cmp(&a.1.file)));
    Ok(found.into_iter().map(|(_, left)| left).collect())
}

/// Reads one journal; `None` when it has no whole header.
fn read(path: &Path) -> Result<Option<Left>, StoreError> {
    let failed = |cause| DiskError::io("read unsaved edits", path, cause);
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(JOURNAL_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(failed)?;
    let (mut records, torn) = records(&bytes);
    if records.is_empty() {
        return Ok(None);
    }
    let Ok(header) = serde_json::from_slice(records.remove(0)) else {
        return Ok(None);
    };
    Ok(Some(Left {
        file: path.to_owned(),
        header,
        records: records.into_iter().map(<[u8]>::to_vec).collect(),
        torn,
    }))
}

/// The whole records, and whether something else follows them.
fn records(mut bytes: &[u8]) -> (Vec<&[u8]>, bool) {
    let mut found = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<8>() {
        let [a, b, c, d, e, f, g, h] = *head;
        let len = u32::from_le_bytes([a, b, c, d]) as usize;
        let crc = u32::from_le_bytes([e, f, g, h]);
        let Some(payload) = rest.get(..len).filter(|p| crc32fast::hash(p) == crc) else {
            break;
        };
        found.push(payload);
        bytes = &rest[len..];
    }
    (found, !bytes.is_empty())
}

/// Removes a journal that was restored, discarded or found empty.
pub fn remove_journal(file: &Path) -> Result<(), StoreError> {
    Ok(disk::remove(file)?)
}

fn file_name(file: &Path) -> Option<String> {
    Some(file.file_name()?.to_str()?.to_owned())
}

fn key(path: Option<&Path>) -> String {
    match path {
        Some(path) => super::machine::path_key(path),
        None => "untitled".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().expect("temp dir");
        let home = Home::at(dir.path());
        (dir, home)
    }

    /// As if its writer were dead.
    fn orphan(journal: &JournalFile) {
        let bytes = fs::read(&journal.path).expect("read");
        let (records, _) = records(&bytes);
        let mut header: Header = serde_json::from_slice(records[0]).expect("header");
        (header.pid, header.birth) = (u32::MAX - 7, Some(1));
        let header = serde_json::to_vec(&header).expect("writes");
        let mut new = Vec::new();
        for payload in std::iter::once(header.as_slice()).chain(records[1..].iter().copied()) {
            new.extend((payload.len() as u32).to_le_bytes());
            new.extend(crc32fast::hash(payload).to_le_bytes());
            new.extend(payload);
        }
        fs::write(&journal.path, new).expect("write");
    }

    #[test]
    fn what_a_dead_writer_left_is_found_and_what_a_living_one_writes_is_not() {
        let (_dir, home) = home();
        let path = Path::new("/w/a.graphml");
        assert_eq!(left_journals(&home, Some(path)).expect("none"), []);
        let mut journal =
            JournalFile::begin(&home, 1, Some(path), "A", Some([7; 32]), &[]).expect("begin");
        journal.append(b"one").expect("append");
        journal.append(b"").expect("append");
        journal.sync_handle().expect("handle").sync().expect("sync");
        assert_eq!(left_journals(&home, Some(path)).expect("ours lives"), []);
        orphan(&journal);
        let left = left_journals(&home, Some(path)).expect("found");
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].records, [b"one".to_vec(), vec![]]);
        assert_eq!(left[0].header.title, "A");
        assert!(!left[0].torn);
        assert_eq!(left_journals(&home, None).expect("another"), []);
        journal.remove().expect("remove");
        assert_eq!(left_journals(&home, Some(path)).expect("gone"), []);
    }

    #[test]
    fn a_journal_that_holds_another_stands_for_it_once_it_is_whole() {
        let (_dir, home) = home();
        let old = JournalFile::begin(&home, 1, None, "", None, &[]).expect("begin");
        orphan(&old);
        let mut new = JournalFile::begin(&home, 2, None, "", None, &[old.path()]).expect("begin");
        orphan(&new);
        let names = |home: &Home| -> Vec<PathBuf> {
            let left = left_journals(home, None).expect("list");
            left.into_iter().map(|left| left.file).collect()
        };
        assert_eq!(names(&home).len(), 2, "the new one was never whole");
        new = JournalFile::begin(&home, 2, None, "", None, &[old.path()]).expect("begin");
        new.append(b"base").expect("append");
        new.append(b"edits").expect("append");
        orphan(&new);
        assert_eq!(names(&home), [new.path().to_owned()]);
        assert!(!old.path().exists());
    }

    #[test]
    fn a_tail_cut_anywhere_or_changed_anywhere_costs_only_what_follows() {
        let (_dir, home) = home();
        let mut journal = JournalFile::begin(&home, 1, None, "", None, &[]).expect("begin");
        let head = journal.len() as usize;
        for record in ["first", "second", "third"] {
            journal.append(record.as_bytes()).expect("append");
        }
        let whole = fs::read(&journal.path).expect("read");
        for at in 0..whole.len() {
            let (cut, torn) = records(&whole[..at]);
            let ends = [0, head, head + 13, head + 27];
            let n_whole = ends[1..].iter().filter(|end| **end <= at).count();
            assert_eq!(cut.len(), n_whole, "cut at {at}");
            assert_eq!(torn, !ends.contains(&at), "cut at {at}");
            let mut bad = whole.clone();
            bad[at] ^= 0x40;
            let (kept, torn) = records(&bad);
            assert!(kept.len() < 4 && torn, "a bit flipped at {at}");
            assert!(kept.iter().zip(records(&whole).0).all(|(a, b)| *a == b));
        }
    }

    #[test]
    fn what_is_no_journal_is_passed_over() {
        let (_dir, home) = home();
        fs::create_dir_all(home.journals_dir()).expect("mkdir");
        for (name, bytes) in [
            ("untitled-1-1.journal", &b""[..]),
            ("untitled-x", b"\0\0"),
            ("untitled-2-1.journal", &[0; 64]),
        ] {
            fs::write(home.journals_dir().join(name), bytes).expect("write");
        }
        assert_eq!(left_journals(&home, None).expect("none"), []);
    }
}
