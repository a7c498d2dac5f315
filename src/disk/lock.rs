//! Lock files: one holder per file among all processes, with a note of who it is.
//!
//! The lock is the system's (`flock`), so it ends with its holder however that dies. The note is
//! only for people and for [`LockFile::note`]: it is cleared at release, and after a kill
//! it names a process that is dead. Lock files are never removed: removing one that another process
//! has just opened would let two hold "the" lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::DiskError;

/// Notes are padded to this many bytes and written at once, so that no reader meets half of one.
const NOTE_BYTES: usize = 512;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct LockFile {
    file: File,
    path: PathBuf,
}

/// What came of asking for a lock.
#[derive(Debug)]
pub enum Locked {
    /// It is ours.
    Ours(LockFile),
    /// Another holder has it.
    Theirs,
}

impl LockFile {
    /// Asks for the lock without waiting. The folder must be there.
    pub fn try_acquire(path: &Path) -> Result<Locked, DiskError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let failed = |cause| DiskError::io("lock file", path, cause);
        let file = options.open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Locked::Ours(Self {
                file,
                path: path.to_owned(),
            })),
            Err(TryLockError::WouldBlock) => Ok(Locked::Theirs),
            Err(TryLockError::Error(cause)) => Err(failed(cause)),
        }
    }

    /// Waits until nobody holds the lock; returns at once when there is no such file.
    pub fn wait_free(path: &Path) -> Result<(), DiskError> {
        let failed = |cause| DiskError::io("wait for lock", path, cause);
        let file = match File::open(path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(cause) => return Err(failed(cause)),
        };
        // Shared, so that several may wait; closing the file gives it back.
        file.lock_shared().map_err(failed)
    }

    /// Whether nobody holds the lock; true when there is no such file. For a moment this stands in the way of one that
    /// wants the lock, which has to try again.
    pub fn is_free(path: &Path) -> Result<bool, DiskError> {
        let failed = |cause| DiskError::io("look at lock", path, cause);
        let file = match File::open(path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(cause) => return Err(failed(cause)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(cause)) => Err(failed(cause)),
        }
    }

    /// Leaves a note of who holds the lock, in place of an earlier one. At most 511 bytes.
    pub fn write_note(&mut self, note: &str) -> Result<(), DiskError> {
        let failed = |cause| DiskError::io("write lock file", &self.path, cause);
        if note.len() >= NOTE_BYTES {
            return Err(failed(io::ErrorKind::FileTooLarge.into()));
        }
        let mut padded = vec![b' '; NOTE_BYTES];
        padded[..note.len()].copy_from_slice(note.as_bytes());
        padded[NOTE_BYTES - 1] = b'\n';
        self.file.rewind().map_err(failed)?;
        self.file.write_all(&padded).map_err(failed)
    }

    /// The note in a lock file, without asking for the lock; `None` when there is none.
    pub fn note(path: &Path) -> Option<String> {
        let mut note = String::new();
        let file = File::open(path).ok()?;
        file.take(NOTE_BYTES as u64)
            .read_to_string(&mut note)
            .ok()?;
        let note = note.trim();
        (!note.is_empty()).then(|| note.to_owned())
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // A note that stays names this process although it let go; the lock itself is still right.
        self.file.set_len(0).ok();
        self.file.unlock().ok();
    }
}
