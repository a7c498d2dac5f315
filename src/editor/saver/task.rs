//! What the saver is asked to do, and what came of it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::disk::Stamp;
use crate::model::merge::Picks;
use crate::model::{Change, Flow, FlowRef, Notice};
use crate::store::{Backup, MergeError, SaveError, Saved, Sides, StoreError};

use crate::editor::changes::{Merging, WorkedOut};
use crate::editor::journal::Unsaved;
use crate::editor::{Arrival, DiskState, Standing, Version};

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Task {
    /// Read a workfile.
    Load(PathBuf),
    /// Write a flow over its workfile.
    Save {
        /// Which flow.
        flow_ref: FlowRef,
        /// As it stands.
        flow: Arc<Flow>,
        /// Where the document's history stands; comes back.
        place: usize,
        /// What must be there for it.
        onto: Onto,
        /// It may run without a question, and so may what is saved.
        trusted: bool,
    },
    /// Write a flow elsewhere.
    SaveAs {
        /// Where to.
        path: PathBuf,
        /// As it stands.
        flow: Arc<Flow>,
        /// Where the document's history stands; comes back.
        place: usize,
        /// The file it came from, whose unknown parts go along.
        origin: Option<PathBuf>,
        /// The operator agreed to replace a file at `path`.
        overwrite: bool,
        /// It may run without a question, and so may what is saved.
        trusted: bool,
    },
    /// See whether another program changed a workfile.
    Check {
        /// Which flow.
        flow_ref: FlowRef,
        /// As the document knows it.
        disk: DiskState,
        /// How the document stands: what another program's version is worked out against.
        standing: Standing,
    },
    /// Look for flows without a file that a crash left unsaved.
    FindUnsaved,
    /// A left journal is not wanted.
    DropJournal(PathBuf),
    /// Say which earlier versions of a workfile there are.
    ListBackups(PathBuf),
    /// Read an earlier version, and say what makes it other than this flow.
    ReadBackup(PathBuf, Backup, Arc<Flow>),
    /// Work out what three flows come to.
    WorkOut(Box<Merging>),
    /// Say what makes the second flow other than the first.
    Compare(Arc<Flow>, Arc<Flow>),
    /// Put an earlier version back.
    RestoreBackup(PathBuf, Backup),
    /// Take apart a file in which git left a conflict.
    TakeApart(PathBuf),
    /// Write what was picked of both sides over that file.
    Settle(PathBuf, Arc<Sides>, Picks),
    /// From now on this workfile, as long as it runs what this flow does, or all below a folder, runs without a
    /// question.
    Trust {
        /// The workfile.
        path: PathBuf,
        /// As it was reviewed.
        flow: Arc<Flow>,
        /// The folder, when all below it is trusted.
        root: Option<PathBuf>,
    },
}

/// What must be at the place of a save.
#[derive(Clone, Debug, PartialEq)]
pub enum Onto {
    /// This version.
    Version(Stamp),
    /// No file.
    Nothing,
    /// Whatever is there: the operator has seen that it changed, and keeps their own.
    Whatever,
}

impl From<&DiskState> for Onto {
    /// The careful choice: a file that changed outside is refused until the operator decides.
    fn from(disk: &DiskState) -> Self {
        match disk {
            DiskState::InStep(stamp) | DiskState::Changed { ours: stamp } => {
                Self::Version(stamp.clone())
            }
            DiskState::New | DiskState::Deleted => Self::Nothing,
        }
    }
}

/// What came of a job, by kind of task.
#[derive(Debug)]
pub enum Outcome {
    /// Of [`Task::Load`].
    Loaded(Result<Box<Opened>, Box<Unopened>>),
    /// Of [`Task::Save`] and [`Task::SaveAs`].
    Saved {
        /// Of the task.
        place: usize,
        /// Of the task.
        flow: Arc<Flow>,
        /// Where it is now and what the file looks like.
        result: Result<(FlowRef, Saved), Trouble>,
    },
    /// Of [`Task::Check`].
    Checked(Found),
    /// Of [`Task::FindUnsaved`]: flows without a file, newest first.
    Unsaved(Result<Vec<Unsaved>, Trouble>),
    /// Of [`Task::ListBackups`].
    Backups(Result<Vec<Backup>, Trouble>),
    /// Of [`Task::ReadBackup`].
    Backup(Backup, Result<(Version, Vec<Change>), Trouble>),
    /// Of [`Task::WorkOut`].
    WorkedOut(Result<Box<WorkedOut>, Trouble>),
    /// Of [`Task::Compare`].
    Compared(Result<Vec<Change>, Trouble>),
    /// Of [`Task::TakeApart`].
    TakenApart(Result<(Arc<Sides>, Box<WorkedOut>), Trouble>),
    /// Of [`Task::RestoreBackup`] and [`Task::Settle`]: the file is another now, and to be loaded.
    Written(Result<Saved, Trouble>),
    /// Of [`Task::Trust`] and [`Task::DropJournal`].
    Noted(Result<(), Trouble>),
}

/// A workfile that was opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// Which flow.
    pub flow_ref: FlowRef,
    /// The collection that shows its workspace; `None` for a file on its own.
    pub collection: Option<PathBuf>,
    /// What it holds.
    pub version: Version,
    /// What a crash left unsaved of it.
    pub unsaved: Option<Unsaved>,
    /// Whether there is such a thing could not be found out: why.
    pub remark: Option<Notice>,
}

/// A workfile that could not be opened, and what may help.
#[derive(Debug)]
pub struct Unopened {
    /// Why not.
    pub why: Trouble,
    /// Git left a conflict in it.
    pub in_conflict: bool,
    /// The newest of its earlier versions.
    pub backup: Option<Backup>,
    /// What a crash left unsaved of it.
    pub unsaved: Option<Unsaved>,
}

/// How a file stands against what a document knew of it.
#[derive(Debug)]
pub enum Found {
    /// It holds what the document knows, or what this saver wrote last.
    Same,
    /// Another program wrote it; this is what it holds, worked out against the document.
    Changed(Box<Arrival>),
    /// It is not there.
    Gone,
    /// It is there and cannot be read, or not as a workfile.
    Unreadable(Trouble),
}

/// Why a job was not done.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It could not be saved.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// Handmill has an error; what it said.
    #[error("do this: an error in Handmill: {0}")]
    Broke(String),
}

impl From<MergeError> for Trouble {
    fn from(why: MergeError) -> Self {
        match why {
            MergeError::Read(why) => Self::Store(why),
            MergeError::Write(why) => Self::Save(why),
        }
    }
}

impl Trouble {
    /// As one sentence for the operator, with what to do.
    pub fn notice(&self) -> Notice {
        let hint = match self {
            Self::Store(why) => why.hint(),
            Self::Save(why) => why.hint(),
            Self::Broke(_) => "Nothing was overwritten. Please report this.",
        };
        Notice::error(format!("Failed to {self}"), hint)
    }
}
