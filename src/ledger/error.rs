//! What can go wrong with a ledger.

use std::path::{Path, PathBuf};

/// Why a ledger could not be opened, read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// A later release has written it; reading it as ours would damage it.
    #[error(
        "open ledger: a newer Handmill wrote it (format {found}, this one knows up to {known}); \
         update Handmill, or move the file away to start afresh: {}", path.display()
    )]
    Newer {
        /// Format of the file.
        found: i64,
        /// Newest format known here.
        known: i64,
        /// The file.
        path: PathBuf,
    },
    /// An SQLite file of another program lies where the ledger should be.
    #[error(
        "open ledger: another program's database lies in its place; move it away: {}",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be opened or created.
    #[error("open ledger: {why}: {}", path.display())]
    Open {
        /// What the system said.
        why: String,
        /// The file or its folder.
        path: PathBuf,
    },
    /// A query failed.
    #[error("read ledger: {why}: {}", path.display())]
    Read {
        /// What SQLite said.
        why: String,
        /// The file.
        path: PathBuf,
    },
    /// What was recorded is not on disk yet; it is kept in memory and tried again.
    #[error("write ledger: {why}: {}", path.display())]
    Write {
        /// What SQLite said.
        why: String,
        /// The file.
        path: PathBuf,
    },
}

impl LedgerError {
    pub(super) fn open(why: impl ToString, path: &Path) -> Self {
        // SQLite ends some of its sentences with the path, which stands at our end already.
        let why = why.to_string();
        let named = format!(": {}", path.display());
        Self::Open {
            why: why.strip_suffix(&named).unwrap_or(&why).to_owned(),
            path: path.to_owned(),
        }
    }

    pub(super) fn read(why: impl ToString, path: &Path) -> Self {
        Self::Read {
            why: why.to_string(),
            path: path.to_owned(),
        }
    }

    pub(super) fn write(why: impl ToString, path: &Path) -> Self {
        Self::Write {
            why: why.to_string(),
            path: path.to_owned(),
        }
    }
}
