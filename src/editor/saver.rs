//! The thread that touches the disk for open documents, so that the window never does.
//!
//! Jobs are done one after the other, in the order sent. Each gives exactly one result, also when
//! it breaks; the wake callback is called after it. Unaware of documents: whoever sent the job knows
//! by the ticket whose it was.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use crate::disk::{self, Stamp};
use crate::model::merge::Picks;
use crate::model::{Flow, FlowRef, Notice};
use crate::store::{
    self, Backup, Home, Loaded, MergeError, SaveError, Saved, Sides, StoreError, Three, Trust,
    Writer,
};

use super::changes::Merging;
use super::journal::{Unsaved, replay};
use super::{DiskState, Version};

/// Own earlier versions remembered per file: as many saves as may be on their way at once.
const SUPERSEDED_MAX: usize = 32;

/// Saves between two looks at how much all earlier versions take.
const SAVES_BETWEEN_PRUNES: usize = 64;

/// Something to do with a file.
#[derive(Clone, Debug)]
pub struct Job {
    /// Comes back with the result.
    pub ticket: u64,
    /// What to do.
    pub task: Task,
}

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
    },
    /// Look for flows without a file that a crash left unsaved.
    FindUnsaved,
    /// A left journal is not wanted.
    DropJournal(PathBuf),
    /// Say which earlier versions of a workfile there are.
    ListBackups(PathBuf),
    /// Read an earlier version.
    ReadBackup(PathBuf, Backup),
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

/// What came of a job.
#[derive(Debug)]
pub struct Done {
    /// Of the job.
    pub ticket: u64,
    /// What came of it.
    pub outcome: Outcome,
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
    Backup(Backup, Result<Version, Trouble>),
    /// Of [`Task::TakeApart`].
    TakenApart(Result<(Arc<Sides>, Merging), Trouble>),
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
    /// Another program wrote it; this is what it holds.
    Changed(Box<Version>),
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

/// The saver thread. Dropping it waits until every job sent is done: no edit is lost at a quit.
#[derive(Debug)]
pub struct Saver {
    // Unbounded: each job answers something a person did, and holds only shared pointers.
    jobs: Option<Sender<Job>>,
    done: Receiver<Done>,
    thread: Option<JoinHandle<()>>,
}

impl Saver {
    /// Starts the thread. `wake` is called on it after each result and should only pass on.
    /// Workfiles below `trusted_root` (the example that came with the program) run without a question.
    pub fn start(
        home: Home,
        trusted_root: Option<PathBuf>,
        wake: impl Fn() + Send + 'static,
    ) -> io::Result<Self> {
        let (jobs, inbox) = channel::<Job>();
        let (outbox, done) = channel();
        let work = move || {
            let trusted_root = trusted_root.and_then(|root| root.canonicalize().ok());
            let mut desk = Desk {
                home,
                trusted_root,
                own: OwnSaves::default(),
                n_saves: 0,
            };
            for Job { ticket, task } in inbox {
                let outcome = desk.perform(task);
                if outbox.send(Done { ticket, outcome }).is_ok() {
                    wake();
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("saver".to_owned())
            .spawn(work)?;
        Ok(Self {
            jobs: Some(jobs),
            done,
            thread: Some(thread),
        })
    }

    /// Hands a job over.
    pub fn send(&self, ticket: u64, task: Task) {
        if let Some(jobs) = &self.jobs {
            // Fails only when the thread is gone, which no job can bring about.
            jobs.send(Job { ticket, task }).ok();
        }
    }

    /// What has come since the last call.
    pub fn drain(&self) -> impl Iterator<Item = Done> + '_ {
        self.done.try_iter()
    }
}

impl Drop for Saver {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// What the thread works with.
struct Desk {
    home: Home,
    trusted_root: Option<PathBuf>,
    own: OwnSaves,
    n_saves: usize,
}

impl Desk {
    fn perform(&mut self, task: Task) -> Outcome {
        match task {
            Task::Load(path) => Outcome::Loaded(self.load(&path)),
            Task::Save {
                flow_ref,
                flow,
                place,
                onto,
                trusted,
            } => {
                let result = guarded(|| {
                    let path = flow_ref.path();
                    let saved = self.save(&path, &flow, onto)?;
                    self.after_save(&path, &flow, trusted, saved)
                });
                let result = result.map(|saved| (flow_ref, saved));
                Outcome::Saved {
                    place,
                    flow,
                    result,
                }
            }
            Task::SaveAs {
                path,
                flow,
                place,
                origin,
                overwrite,
                trusted,
            } => {
                let result = guarded(|| {
                    let flow_ref = store::locate(&path)?;
                    let path = flow_ref.path();
                    let writer = Writer {
                        keep: Some(&self.home),
                    };
                    let saved = writer.save_copy(&path, &flow, origin.as_deref(), overwrite)?;
                    self.own.wrote(&path, Onto::Whatever, &saved.stamp);
                    let saved = self.after_save(&path, &flow, trusted, saved)?;
                    Ok((flow_ref, saved))
                });
                Outcome::Saved {
                    place,
                    flow,
                    result,
                }
            }
            Task::Check { flow_ref, disk } => Outcome::Checked(
                guarded(|| Ok(self.check(&flow_ref.path(), &disk)))
                    .unwrap_or_else(Found::Unreadable),
            ),
            Task::FindUnsaved => {
                let found = guarded(|| {
                    let left = store::left_journals(&self.home, None)?;
                    Ok(left
                        .into_iter()
                        .filter_map(|left| replay(left, None))
                        .collect())
                });
                Outcome::Unsaved(found)
            }
            Task::DropJournal(file) => {
                Outcome::Noted(guarded(|| Ok(store::remove_journal(&file)?)))
            }
            Task::ListBackups(path) => {
                Outcome::Backups(guarded(|| Ok(store::backups(&self.home, &path)?)))
            }
            Task::ReadBackup(path, backup) => {
                let version = guarded(|| Ok(store::load_backup(&path, &backup)?.into()));
                Outcome::Backup(backup, version)
            }
            Task::RestoreBackup(path, backup) => Outcome::Written(guarded(|| {
                let writer = Writer {
                    keep: Some(&self.home),
                };
                Ok(writer.restore(&path, &backup)?)
            })),
            Task::TakeApart(path) => Outcome::TakenApart(guarded(|| {
                let sides = store::sides(&path)?;
                let base = sides.base.as_deref();
                let three = Three::read(&path, base, &sides.ours, &sides.theirs)?;
                let merging = Merging {
                    base: Arc::new(three.base_flow.clone()),
                    ours: Arc::new(three.ours().clone()),
                    theirs: Arc::new(three.theirs().clone()),
                    picks: Picks::new(),
                };
                Ok((Arc::new(sides), merging))
            })),
            Task::Settle(path, sides, picks) => Outcome::Written(guarded(|| {
                let writer = Writer {
                    keep: Some(&self.home),
                };
                Ok(writer.settle(&path, &sides, &picks)?)
            })),
            Task::Trust { path, flow, root } => Outcome::Noted(guarded(|| {
                match root {
                    Some(root) => store::trust_root(&self.home, &root)?,
                    None => store::trust_file(&self.home, &path, &flow)?,
                }
                Ok(())
            })),
        }
    }

    fn load(&mut self, path: &Path) -> Result<Box<Opened>, Box<Unopened>> {
        // Of a path that leads nowhere nothing can be left either.
        let located = guarded(|| Ok(store::locate(path)?));
        let loaded = located.and_then(|flow_ref| {
            let path = flow_ref.path();
            match guarded(|| Ok(store::load(&path)?)) {
                Ok(loaded) => Ok((flow_ref, loaded)),
                Err(why) => Err(why),
            }
        });
        let real = || store::locate(path).map(|flow_ref| flow_ref.path());
        match loaded {
            Ok((flow_ref, loaded)) => {
                let path = flow_ref.path();
                self.own.read(&path, &loaded.stamp);
                // What saves left that were killed. No reason not to open the file when it fails.
                if let Some(dir) = path.canonicalize().ok().as_deref().and_then(Path::parent) {
                    disk::sweep_temps(dir).ok();
                }
                let version = self.version(&path, loaded);
                let (unsaved, remark) = match self.unsaved(&path, Some(&version)) {
                    Ok(unsaved) => (unsaved, None),
                    Err(why) => {
                        let hint =
                            "Edits from before a crash may be there; open the workfile again.";
                        (
                            None,
                            Some(Notice::warning(format!("Failed to {why}"), hint)),
                        )
                    }
                };
                Ok(Box::new(Opened {
                    flow_ref,
                    version,
                    unsaved,
                    remark,
                }))
            }
            Err(why) => Err(Box::new(Unopened {
                in_conflict: matches!(&why, Trouble::Store(StoreError::Conflict { .. })),
                backup: real()
                    .and_then(|path| store::backups(&self.home, &path))
                    .ok()
                    .and_then(|all| all.into_iter().next()),
                unsaved: real()
                    .and_then(|path| self.unsaved(&path, None))
                    .unwrap_or_default(),
                why,
            })),
        }
    }

    /// What a crash left unsaved of a workfile. Journals with nothing in them are cleared away.
    fn unsaved(
        &self,
        path: &Path,
        version: Option<&Version>,
    ) -> Result<Option<Unsaved>, StoreError> {
        let left = store::left_journals(&self.home, Some(path))?;
        let now = version.map(|version| (&version.flow, version.stamp.hash));
        for left in left {
            let file = left.file.clone();
            match guarded(|| Ok(replay(left, now))) {
                Ok(Some(unsaved)) => return Ok(Some(unsaved)),
                Ok(None) if version.is_some() => drop(store::remove_journal(&file)),
                _ => {}
            }
        }
        Ok(None)
    }

    fn version(&self, path: &Path, loaded: Loaded) -> Version {
        let is_trusted = Trust::load(&self.home).holds(path, &loaded.flow)
            || self
                .trusted_root
                .as_ref()
                .is_some_and(|root| path.starts_with(root));
        Version {
            is_trusted,
            ..loaded.into()
        }
    }

    /// What comes after every save: trust, and now and then a look at how much earlier versions take.
    fn after_save(
        &mut self,
        path: &Path,
        flow: &Flow,
        trusted: bool,
        mut saved: Saved,
    ) -> Result<Saved, Trouble> {
        let mut troubles = Vec::new();
        if trusted {
            troubles.extend(store::trust_file(&self.home, path, flow).err());
        }
        if self.n_saves.is_multiple_of(SAVES_BETWEEN_PRUNES) {
            troubles.extend(store::prune_backups(&self.home).err());
        }
        self.n_saves += 1;
        // The file is saved; that something about it was not noted is worth one sentence.
        if let (None, Some(why)) = (&saved.remark, troubles.first()) {
            saved.remark = Some(Notice::warning(format!("Failed to {why}"), why.hint()));
        }
        Ok(saved)
    }

    fn save(&mut self, path: &Path, flow: &Flow, onto: Onto) -> Result<Saved, SaveError> {
        let (own, writer) = (
            &mut self.own,
            Writer {
                keep: Some(&self.home),
            },
        );
        let first = match &onto {
            Onto::Version(stamp) => writer.save(path, flow, Some(stamp)),
            Onto::Nothing => writer.save(path, flow, None),
            Onto::Whatever => writer.save_over(path, flow),
        };
        let saved = match first {
            // Two quick saves: the second was sent before the first was known to have succeeded.
            Err(SaveError::ChangedOutside { .. } | SaveError::Exists { .. })
                if own.superseded(path, &onto) =>
            {
                writer.save(path, flow, own.last(path))
            }
            result => result,
        }?;
        own.wrote(path, onto, &saved.stamp);
        Ok(saved)
    }

    fn check(&mut self, path: &Path, disk: &DiskState) -> Found {
        let known = match disk {
            DiskState::InStep(stamp) | DiskState::Changed { ours: stamp } => Some(stamp),
            DiskState::New | DiskState::Deleted => None,
        };
        // A document that believes its file gone has to hear that it is back, whoever put it there.
        let own_last = self.own.last(path).filter(|_| *disk != DiskState::Deleted);
        match disk::stamp(path) {
            Ok(now)
                if [known, own_last]
                    .into_iter()
                    .flatten()
                    .any(|stamp| stamp.same_content(&now)) =>
            {
                Found::Same
            }
            Ok(_) => match store::load(path) {
                // Often the half of a file that is just being written: not to be followed.
                Ok(loaded) if loaded.damaged => Found::Unreadable(damaged(path, loaded).into()),
                Ok(loaded) => {
                    self.own.read(path, &loaded.stamp);
                    Found::Changed(Box::new(self.version(path, loaded)))
                }
                Err(StoreError::Disk(why)) if why.is_not_found() => Found::Gone,
                Err(why) => Found::Unreadable(why.into()),
            },
            Err(why) if why.is_not_found() => match disk {
                DiskState::New => Found::Same,
                _ => Found::Gone,
            },
            Err(why) => Found::Unreadable(StoreError::from(why).into()),
        }
    }
}

/// Does a job so that an error in Handmill costs that job only.
fn guarded<T>(job: impl FnOnce() -> Result<T, Trouble>) -> Result<T, Trouble> {
    catch_unwind(AssertUnwindSafe(job)).unwrap_or_else(|panic| {
        let said = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Trouble::Broke(said.unwrap_or("no message").to_owned()))
    })
}

fn damaged(path: &Path, loaded: Loaded) -> StoreError {
    let told = loaded.warnings.into_iter().next();
    StoreError::NotAWorkfile {
        why: told.unwrap_or_else(|| "it is damaged".to_owned()),
        path: path.to_owned(),
    }
}

/// What this saver wrote last, and over what: a job may have been sent by someone who had not yet
/// heard of it. Forgotten as soon as another program's version of the file has been handed out.
#[derive(Default)]
struct OwnSaves(HashMap<PathBuf, OwnSave>);

struct OwnSave {
    last: Stamp,
    superseded: VecDeque<Onto>,
}

impl OwnSaves {
    fn wrote(&mut self, path: &Path, onto: Onto, stamp: &Stamp) {
        let save = self.0.entry(path.to_owned()).or_insert_with(|| OwnSave {
            last: stamp.clone(),
            superseded: VecDeque::new(),
        });
        let before = std::mem::replace(&mut save.last, stamp.clone());
        save.superseded.push_back(onto);
        save.superseded.push_back(Onto::Version(before));
        while save.superseded.len() > SUPERSEDED_MAX {
            save.superseded.pop_front();
        }
    }

    fn read(&mut self, path: &Path, stamp: &Stamp) {
        if self
            .last(path)
            .is_some_and(|last| !last.same_content(stamp))
        {
            self.0.remove(path);
        }
    }

    fn last(&self, path: &Path) -> Option<&Stamp> {
        self.0.get(path).map(|save| &save.last)
    }

    fn superseded(&self, path: &Path, onto: &Onto) -> bool {
        let same = |old: &Onto| match (old, onto) {
            (Onto::Version(old), Onto::Version(new)) => old.same_content(new),
            (old, new) => old == new,
        };
        self.0
            .get(path)
            .is_some_and(|save| save.superseded.iter().any(same))
    }
}

#[cfg(test)]
mod tests;
