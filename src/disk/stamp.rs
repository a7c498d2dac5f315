//! What a file looked like when it was read or written, and reading it so.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use crate::model::Timestamp;

use super::DiskError;

/// What a file looked like when it was read or written: enough to notice that it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Length in bytes.
    pub len: u64,
    /// Modification time.
    pub modified: Timestamp,
    /// Inode or file index; 0 where the system has none.
    pub inode: u64,
    /// BLAKE3 of the content: times are coarse on network folders, so they only save a read.
    pub hash: [u8; 32],
}

impl Stamp {
    /// True when both stand for the same bytes, though one may have been touched or replaced.
    pub fn same_content(&self, other: &Self) -> bool {
        self.len == other.len && self.hash == other.hash
    }

    /// True when `meta` looks as it did then: the same file, not written to since.
    pub(super) fn is_of(&self, meta: &Metadata) -> bool {
        self.inode != 0
            && self.inode == inode(meta)
            && self.len == meta.len()
            && self.modified == modified(meta)
    }

    pub(super) fn of(meta: &Metadata, bytes: &[u8]) -> Self {
        Self {
            len: bytes.len() as u64,
            modified: modified(meta),
            inode: inode(meta),
            hash: *blake3::hash(bytes).as_bytes(),
        }
    }
}

/// What a look at a file or folder tells without reading it. Equal looks mean the same bytes, but for
/// a change within the grain of the file system's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Length in bytes.
    pub len: u64,
    /// Modification time.
    pub modified: Timestamp,
    /// Time of the last change of content, name or rights; 0 where the system has none. A program
    /// may set the modification time, but not this one.
    pub changed: Timestamp,
    /// Device and inode; 0 where the system has none.
    pub place: (u64, u64),
}

impl Look {
    /// What these metadata tell.
    pub fn of(meta: &Metadata) -> Self {
        Self {
            len: meta.len(),
            modified: modified(meta),
            changed: changed(meta),
            place: (device(meta), inode(meta)),
        }
    }
}

/// Reads a regular file of at most `bytes_max` bytes, symbolic links followed, with its stamp.
/// Folders, pipes, sockets and devices are refused without waiting on them.
pub fn read_with_stamp(path: &Path, bytes_max: u64) -> Result<(Vec<u8>, Stamp), DiskError> {
    let mut file = open_regular(path)?;
    let failed = |cause| DiskError::io("read file", path, cause);
    let too_large = || DiskError::TooLarge {
        max: bytes_max,
        path: path.to_owned(),
    };
    let len = file.metadata().map_err(failed)?.len();
    if len > bytes_max {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
    // The file may grow while it is read, and those under /proc say 0: the limit holds anyway.
    (&mut file)
        .take(bytes_max.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > bytes_max {
        return Err(too_large());
    }
    // Taken after the read: a write in between then shows as a newer time, never as an older one.
    let meta = file.metadata().map_err(failed)?;
    let stamp = Stamp::of(&meta, &bytes);
    Ok((bytes, stamp))
}

/// The stamp of a regular file as it is now. Reads it whole, because only the content decides.
pub fn stamp(path: &Path) -> Result<Stamp, DiskError> {
    let mut file = open_regular(path)?;
    let failed = |cause| DiskError::io("read file", path, cause);
    let mut hasher = blake3::Hasher::new();
    let len = io::copy(&mut file, &mut hasher).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    Ok(Stamp {
        len,
        modified: modified(&meta),
        inode: inode(&meta),
        hash: *hasher.finalize().as_bytes(),
    })
}

fn open_regular(path: &Path) -> Result<File, DiskError> {
    let failed = |cause| DiskError::io("read file", path, cause);
    // Looked at before it is opened: opening a tape or a terminal can act on it.
    refuse_irregular(path, &fs::metadata(path).map_err(failed)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // A pipe put there since the look would otherwise hold us until somebody writes.
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        options.custom_flags(flags.bits().cast_signed());
    }
    let file = options.open(path).map_err(failed)?;
    refuse_irregular(path, &file.metadata().map_err(failed)?)?;
    Ok(file)
}

pub(super) fn refuse_irregular(path: &Path, meta: &Metadata) -> Result<(), DiskError> {
    if meta.is_file() {
        return Ok(());
    }
    Err(DiskError::NotRegular {
        what: kind(meta),
        path: path.to_owned(),
    })
}

#[cfg(unix)]
fn kind(meta: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = meta.file_type();
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn kind(meta: &Metadata) -> &'static str {
    if meta.is_dir() {
        "a folder"
    } else {
        "a device"
    }
}

#[cfg(unix)]
fn modified(meta: &Metadata) -> Timestamp {
    use std::os::unix::fs::MetadataExt as _;
    Timestamp(
        meta.mtime()
            .saturating_mul(1_000_000)
            .saturating_add(meta.mtime_nsec() / 1_000),
    )
}

#[cfg(not(unix))]
fn modified(meta: &Metadata) -> Timestamp {
    let since = meta
        .modified()
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    Timestamp(since.map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX)))
}

#[cfg(unix)]
fn inode(meta: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    meta.ino()
}

#[cfg(unix)]
fn device(meta: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    meta.dev()
}

#[cfg(not(unix))]
fn device(_: &Metadata) -> u64 {
    0
}

#[cfg(unix)]
fn changed(meta: &Metadata) -> Timestamp {
    use std::os::unix::fs::MetadataExt as _;
    Timestamp(
        meta.ctime()
            .saturating_mul(1_000_000)
            .saturating_add(meta.ctime_nsec() / 1_000),
    )
}

#[cfg(not(unix))]
fn changed(_: &Metadata) -> Timestamp {
    Timestamp(0)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_a_pipe_and_a_device_are_refused_by_name() {
        let dir = tempfile::tempdir().expect("temp dir");
        let pipe = dir.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, 0o600.into()).expect("mkfifo");
        for (path, what) in [
            (dir.path(), "a folder"),
            (pipe.as_path(), "a pipe"),
            (Path::new("/dev/null"), "a device"),
        ] {
            let told = read_with_stamp(path, 10).expect_err("refused").to_string();
            assert!(
                told.contains(what) && told.contains("not a regular file"),
                "{told}"
            );
            assert!(told.contains(&path.display().to_string()), "{told}");
        }
    }

    #[test]
    fn a_file_over_the_limit_is_refused_and_one_at_the_limit_is_read() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("f");
        fs::write(&path, b"12345").expect("write");
        assert_eq!(read_with_stamp(&path, 5).expect("fits").0, b"12345");
        assert!(matches!(
            read_with_stamp(&path, 4),
            Err(DiskError::TooLarge { max: 4, .. })
        ));
        // This one says that it is empty, and is not.
        assert!(matches!(
            read_with_stamp(Path::new("/proc/self/status"), 4),
            Err(DiskError::TooLarge { .. })
        ));
    }

    #[test]
    fn equal_bytes_are_the_same_content_whatever_the_file() {
        let dir = tempfile::tempdir().expect("temp dir");
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        fs::write(&a, b"same").expect("write");
        fs::write(&b, b"same").expect("write");
        let (a, b_read) = (
            stamp(&a).expect("stamp"),
            read_with_stamp(&b, 100).expect("read").1,
        );
        assert!(a.same_content(&b_read));
        assert_ne!(a, b_read, "two files are told apart by their inode");
        assert_eq!(
            stamp(&b).expect("stamp"),
            b_read,
            "both ways of stamping agree"
        );
    }

    #[test]
    fn a_missing_file_is_told_in_plain_words_with_its_path() {
        let told = stamp(Path::new("/nowhere/at/all")).expect_err("missing");
        assert!(told.is_not_found());
        assert_eq!(
            told.to_string(),
            "read file: there is no such file or folder: /nowhere/at/all"
        );
    }
}
