//! What can go wrong with a file, each as one plain sentence with the path last.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Why a file was not read or not replaced. After a refused [`super::replace()`] the old file stands.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The system refused.
    #[error("{doing}: {}: {}", plain_cause(cause), path.display())]
    Io {
        /// What was tried, as a fragment that follows "failed to".
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// A folder, pipe, socket or device stands where a file should.
    #[error("use {}: it is {what}, not a regular file", path.display())]
    NotRegular {
        /// What it is, with its article.
        what: &'static str,
        /// Where.
        path: PathBuf,
    },
    /// More bytes than the caller will take.
    #[error("read file: it holds more than {} MiB: {}", max >> 20, path.display())]
    TooLarge {
        /// The most that is taken, in bytes.
        max: u64,
        /// Which file.
        path: PathBuf,
    },
    /// Another program changed or removed the file since the version that was to be replaced.
    #[error("replace file: another program changed it meanwhile: {}", path.display())]
    ChangedUnderneath {
        /// Which file.
        path: PathBuf,
    },
    /// No new file can be put in the old one's place, though the old one itself may be writable.
    #[error("replace file: its folder takes no new file ({}): {}", plain_cause(cause), path.display())]
    NoReplace {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// A file of that name is there already, and none was expected.
    #[error("create file: one of that name is already there: {}", path.display())]
    Exists {
        /// Which file.
        path: PathBuf,
    },
}

impl DiskError {
    pub(crate) fn io(doing: &'static str, path: &Path, cause: io::Error) -> Self {
        Self::Io {
            doing,
            path: path.to_owned(),
            cause,
        }
    }

    /// True when there is no such file, or no such folder on the way to it.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { cause, .. } if cause.kind() == ErrorKind::NotFound)
    }
}

/// The cause in the operator's words, without error numbers where a plain sentence exists.
pub fn plain_cause(cause: &io::Error) -> String {
    let plain = match cause.kind() {
        ErrorKind::NotFound => "there is no such file or folder",
        ErrorKind::PermissionDenied => "permission denied",
        ErrorKind::StorageFull => "no space is left on the disk",
        ErrorKind::QuotaExceeded => "the disk quota is used up",
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        ErrorKind::AlreadyExists => "something else is in its place",
        ErrorKind::NotADirectory => "a part of the path is a file, not a folder",
        ErrorKind::IsADirectory => "it is a folder",
        ErrorKind::InvalidFilename => "the name is too long or not allowed here",
        ErrorKind::FileTooLarge => "the file would be larger than the system allows",
        ErrorKind::ResourceBusy => "it is in use by another program",
        ErrorKind::StaleNetworkFileHandle => "the network folder was replaced or unmounted",
        ErrorKind::TimedOut | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            "the network folder does not answer"
        }
        _ => return other_cause(cause),
    };
    plain.to_owned()
}

#[cfg(unix)]
fn other_cause(cause: &io::Error) -> String {
    use rustix::io::Errno;
    match cause.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::IO) => "the disk reported an input/output error and may be failing".to_owned(),
        Some(Errno::LOOP) => "its symbolic links lead round in a circle".to_owned(),
        Some(Errno::MFILE | Errno::NFILE) => "too many files are open".to_owned(),
        _ => cause.to_string(),
    }
}

#[cfg(not(unix))]
fn other_cause(cause: &io::Error) -> String {
    cause.to_string()
}
