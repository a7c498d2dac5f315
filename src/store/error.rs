//! What can go wrong with stored files, and what the operator can do about it.

use std::path::PathBuf;

use crate::disk::{DiskError, Stamp};

/// Why something was not read, found or kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file itself.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The file is there and is not a workfile.
    #[error("read workfile: {why}: {}", path.display())]
    NotAWorkfile {
        /// What is wrong with it, with its line where one is known.
        why: String,
        /// Which file.
        path: PathBuf,
    },
    /// Git could not merge it and left both sides in it.
    #[error("read workfile: git conflict markers on line {line}: {}", path.display())]
    Conflict {
        /// Where the first of them stands.
        line: usize,
        /// Which file.
        path: PathBuf,
    },
    /// What git was asked, it did not answer.
    #[error("ask git: {why}: {}", path.display())]
    Git {
        /// What git said.
        why: String,
        /// About which file.
        path: PathBuf,
    },
    /// A path that names no file.
    #[error("use path: {why}: {}", path.display())]
    BadPath {
        /// What is wrong with it.
        why: &'static str,
        /// Which path.
        path: PathBuf,
    },
    /// Neither `HANDMILL_HOME` nor a home folder is set.
    #[error("find a place for settings and ledgers: no home folder is set")]
    NoHome,
    /// As many resources are listed as may be.
    #[error("list another resource: there are {max} already")]
    TooManyResources {
        /// The most that may be listed.
        max: usize,
    },
}

impl StoreError {
    /// What to do about it, as one sentence; empty when the error says it all.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Disk(why) => disk_hint(why),
            Self::NotAWorkfile { .. } => {
                "Open it in a text editor to mend it, or take an earlier version."
            }
            Self::Conflict { .. } => {
                "Merge both sides here, or take out the markers in a text editor."
            }
            Self::BadPath { .. } | Self::Git { .. } => "",
            Self::NoHome => "Set HANDMILL_HOME to a folder.",
            Self::TooManyResources { .. } => "Remove those that nothing needs any more.",
        }
    }
}

/// Why a workfile was not saved. The file on disk is then as it was.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Another program changed the file since it was read.
    #[error("save workfile: another program changed it: {}", path.display())]
    ChangedOutside {
        /// What the file is now, when that is known.
        now: Option<Stamp>,
        /// Which file.
        path: PathBuf,
    },
    /// The file was there when it was read and is gone.
    #[error("save workfile: it was removed or renamed meanwhile: {}", path.display())]
    Gone {
        /// Which file.
        path: PathBuf,
    },
    /// A new file was to be made, and there is one.
    #[error("save workfile: there is a file of that name already: {}", path.display())]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// The file could only be read in part, so that writing it would lose the rest.
    #[error("save workfile: it is damaged and was read only in part: {}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// The flow cannot be put into a workfile.
    #[error("save workfile: {why}: {}", path.display())]
    Unwritable {
        /// What stands in the way.
        why: String,
        /// Which file.
        path: PathBuf,
    },
    /// What was written reads back as another flow: an error of Handmill.
    #[error("save workfile: what would be written does not read back as the same flow: {}", path.display())]
    Unfaithful {
        /// Which file.
        path: PathBuf,
    },
    /// The disk.
    #[error(transparent)]
    Disk(DiskError),
}

impl SaveError {
    /// What to do about it, as one sentence; empty when the error says it all.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::ChangedOutside { .. } => "Reload, keep mine, or save a copy.",
            Self::Gone { .. } => "Save again to put it back, or save a copy elsewhere.",
            Self::Exists { .. } => "Choose another name, or open that file.",
            Self::Damaged { .. } => "Save a copy under another name.",
            Self::Unwritable { .. } => "",
            Self::Unfaithful { .. } => {
                "Nothing was overwritten. Save a copy, and please report this as a bug."
            }
            Self::Disk(why) => disk_hint(why),
        }
    }
}

fn disk_hint(why: &DiskError) -> &'static str {
    use std::io::ErrorKind as Kind;
    match why {
        DiskError::Io { cause, .. } => match cause.kind() {
            Kind::StorageFull | Kind::QuotaExceeded => "Make room, or save a copy on another disk.",
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem => {
                "Change its permissions, or save a copy elsewhere."
            }
            _ => "",
        },
        DiskError::NoReplace { .. } => "Change the folder's permissions, or save a copy elsewhere.",
        DiskError::ChangedUnderneath { .. } => "Reload, keep mine, or save a copy.",
        _ => "",
    }
}
