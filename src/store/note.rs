//! Locks between processes whose holder leaves a note, so that whoever is refused knows whom to ask.
//!
//! The system's lock decides; the note (JSON) is trusted only while the process it names lives.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::disk::{self, Life, LockFile, Locked};
use crate::model::{RunId, Timestamp};

use super::StoreError;

/// Tries before a lock whose holder cannot be named counts as held. A waiter in [`LockFile::wait_free`]
/// has it for microseconds; a new holder leaves its note after it has removed two files, which on a
/// busy disk may take a second. Whoever gives up earlier knows nobody to ask for the run.
const TRIES: u32 = 5_000;
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(1);

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its process; 0 when it could not be found out.
    pub pid: u32,
    /// `window` or `command line`; empty when it could not be found out.
    pub face: String,
    /// Since when.
    pub since: Timestamp,
    /// The run, once it has a name.
    pub run: Option<RunId>,
}

impl Held {
    /// By one that left no note.
    fn nameless(since: Timestamp) -> Self {
        Self {
            pid: 0,
            face: String::new(),
            since,
            run: None,
        }
    }
}

impl fmt::Display for Held {
    /// As it follows "it is running already,".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            0 => f.write_str("in another process"),
            pid => write!(f, "in the {} (process {pid})", self.face),
        }
    }
}

/// Why a lock was not given.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process, or another part of this one, runs the flow.
    #[error("run flow: it is running already, {0}")]
    Held(Held),
    /// The lock could not be asked for.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who holds a lock, as it stands in its file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Note {
    pid: u32,
    /// With the pid, names the process: pids are used again.
    birth: Option<u64>,
    face: String,
    /// Microseconds since the epoch.
    since: i64,
    run: Option<String>,
}

impl Note {
    /// This process.
    pub(super) fn of_us(face: &str, now: Timestamp) -> Self {
        let pid = std::process::id();
        Self {
            pid,
            birth: disk::birth_of(pid),
            face: face.chars().take(64).collect(),
            since: now.0,
            run: None,
        }
    }

    /// Who left a note, when that process lives.
    pub(super) fn living(text: &str) -> Option<Held> {
        let note: Self = serde_json::from_str(text).ok()?;
        (disk::life_of(note.pid, note.birth) == Life::Alive).then(|| note.held())
    }

    /// Which run this is.
    pub(super) fn name_run(&mut self, run: &RunId) {
        self.run = Some(run.as_str().to_owned());
    }

    fn held(&self) -> Held {
        Held {
            pid: self.pid,
            face: self.face.clone(),
            since: Timestamp(self.since),
            run: self.run.as_deref().map(RunId::new),
        }
    }
}

/// Takes a lock, whose new holder leaves its note at once.
pub(super) fn acquire(path: &Path, now: Timestamp) -> Result<LockFile, LockError> {
    for _ in 0..TRIES {
        match LockFile::try_acquire(path).map_err(StoreError::from)? {
            Locked::Ours(file) => return Ok(file),
            Locked::Theirs => {
                if let Some(held) = holder(path) {
                    return Err(LockError::Held(held));
                }
                wait_a_moment();
            }
        }
    }
    Err(LockError::Held(Held::nameless(now)))
}

/// Who holds a lock; `None` when nobody does. Cheap: it never stands in the way of one that wants the lock.
pub(super) fn holder(path: &Path) -> Option<Held> {
    Note::living(&LockFile::note(path)?)
}

/// As [`holder`], but a lock that is held without a note of somebody who lives is not taken for a free one: its new holder
/// is about to leave one, or the last one is about to let go. Tries again after each `wait`; a holder that cannot be
/// named is told as process 0.
pub(super) fn settled_holder(
    path: &Path,
    mut wait: impl FnMut(),
) -> Result<Option<Held>, StoreError> {
    for _ in 0..TRIES {
        if let Some(held) = holder(path) {
            return Ok(Some(held));
        }
        if LockFile::is_free(path)? {
            return Ok(None);
        }
        wait();
    }
    Ok(Some(Held::nameless(Timestamp(0))))
}

/// Waits as long as it is worth between two tries.
pub(super) fn wait_a_moment() {
    std::thread::sleep(TRY_AGAIN_AFTER);
}

pub(super) fn to_text(value: &impl Serialize) -> String {
    // Numbers and text only: there is nothing in them that JSON cannot say.
    serde_json::to_string(value).unwrap_or_default()
}
