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
use crate::model::{Flow, FlowRef, Notice};
use crate::store::{self, Loaded, SaveError, Saved, StoreError};

use super::DiskState;

/// Own earlier versions remembered per file: as many saves as may be on their way at once.
const SUPERSEDED_MAX: usize = 32;

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
    },
    /// See whether another program changed a workfile.
    Check {
        /// Which flow.
        flow_ref: FlowRef,
        /// As the document knows it.
        disk: DiskState,
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
    Loaded(Result<(FlowRef, Box<Loaded>), Trouble>),
    /// Of [`Task::Save`] and [`Task::SaveAs`].
    Saved {
        /// Of the task.
        place: usize,
        /// Where it is now and what the file looks like.
        result: Result<(FlowRef, Stamp), Trouble>,
    },
    /// Of [`Task::Check`].
    Checked(Found),
}

/// How a file stands against what a document knew of it.
#[derive(Debug)]
pub enum Found {
    /// It holds what the document knows, or what this saver wrote last.
    Same,
    /// Another program wrote it; this is what it holds.
    Changed(Box<Loaded>),
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
    pub fn start(wake: impl Fn() + Send + 'static) -> io::Result<Self> {
        let (jobs, inbox) = channel::<Job>();
        let (outbox, done) = channel();
        let work = move || {
            let mut own = OwnSaves::default();
            for Job { ticket, task } in inbox {
                let outcome = perform(task, &mut own);
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

fn perform(task: Task, own: &mut OwnSaves) -> Outcome {
    match task {
        Task::Load(path) => Outcome::Loaded(guarded(|| {
            let flow_ref = store::locate(&path)?;
            let path = flow_ref.path();
            let loaded = store::load(&path)?;
            own.read(&path, &loaded.stamp);
            // What saves left that were killed. No reason not to open the file when it fails.
            if let Some(dir) = path.canonicalize().ok().as_deref().and_then(Path::parent) {
                disk::sweep_temps(dir).ok();
            }
            Ok((flow_ref, Box::new(loaded)))
        })),
        Task::Save {
            flow_ref,
            flow,
            place,
            onto,
        } => Outcome::Saved {
            place,
            result: guarded(|| {
                let saved = save(&flow_ref.path(), &flow, onto, own)?;
                Ok((flow_ref, saved.stamp))
            }),
        },
        Task::SaveAs {
            path,
            flow,
            place,
            origin,
            overwrite,
        } => Outcome::Saved {
            place,
            result: guarded(|| {
                let flow_ref = store::locate(&path)?;
                let path = flow_ref.path();
                let saved = store::save_copy(&path, &flow, origin.as_deref(), overwrite)?;
                own.wrote(&path, Onto::Whatever, &saved.stamp);
                Ok((flow_ref, saved.stamp))
            }),
        },
        Task::Check { flow_ref, disk } => Outcome::Checked(
            guarded(|| Ok(check(&flow_ref.path(), &disk, own))).unwrap_or_else(Found::Unreadable),
        ),
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

fn save(path: &Path, flow: &Flow, onto: Onto, own: &mut OwnSaves) -> Result<Saved, SaveError> {
    let first = match &onto {
        Onto::Version(stamp) => store::save(path, flow, Some(stamp)),
        Onto::Nothing => store::save(path, flow, None),
        Onto::Whatever => store::save_over(path, flow),
    };
    let saved = match first {
        // Two quick saves: the second was sent before the first was known to have succeeded.
        Err(SaveError::ChangedOutside { .. } | SaveError::Exists { .. })
            if own.superseded(path, &onto) =>
        {
            store::save(path, flow, own.last(path))
        }
        result => result,
    }?;
    own.wrote(path, onto, &saved.stamp);
    Ok(saved)
}

fn check(path: &Path, disk: &DiskState, own: &mut OwnSaves) -> Found {
    let known = match disk {
        DiskState::InStep(stamp) | DiskState::Changed { ours: stamp } => Some(stamp),
        DiskState::New | DiskState::Deleted => None,
    };
    // A document that believes its file gone has to hear that it is back, whoever put it there.
    let own_last = own.last(path).filter(|_| *disk != DiskState::Deleted);
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
                own.read(path, &loaded.stamp);
                Found::Changed(Box::new(loaded))
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
