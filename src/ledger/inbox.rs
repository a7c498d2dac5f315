//! What waits for the writer's thread. Putting something in never blocks.

use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::LedgerError;
use super::adopt::Adoption;
use super::import::Import;
use super::recover::SeenEnd;
use super::retain::Retain;
use crate::model::{ControlFact, Event, NodeId, NodeRunId, RunId, Stream, Timestamp};

/// How long the writer gathers before it commits. A kill -9 in between costs nothing that the log
/// folder of the run does not tell: its logs say what had begun, its exit record how that ended. Short
/// for another process that looks; long enough that a commit is shared by many nodes, since its
/// pages and locks cost ten times what the rows of a node do.
const GATHER: Duration = Duration::from_millis(20);

/// A batch of this size is not gathered any longer.
const BATCH_MAX: usize = 4_096;

/// Index rows beyond this many waiting messages are dropped: a log file can be indexed again.
const INDEX_WAITING_MAX: usize = 100_000;

/// One thing to store.
#[derive(Debug)]
pub(super) enum Message {
    Event(Arc<Event>),
    Command {
        id: NodeRunId,
        text: Arc<str>,
    },
    LogIndex {
        id: NodeRunId,
        stream: Stream,
        offset: u64,
        at: Timestamp,
    },
    Import(Box<Import>),
    /// Attempts of a run that a dead process left open, which may be unknown.
    Begun {
        run: RunId,
        attempts: Vec<(NodeRunId, NodeId)>,
    },
    /// How attempts of such a run ended, in that order, as somebody saw it who could not record it.
    Ended {
        run: RunId,
        attempts: Vec<SeenEnd>,
    },
    /// Runs, by key, that a dead process left open.
    Interrupt(Vec<i64>),
    /// What retention, or a person's pin, changes about past runs.
    Retain(Retain),
    /// Rows that another machine published.
    Adopt(Box<Adoption>),
    /// What happened to control of the workspace.
    Control(ControlFact),
    /// Answered once everything before it is committed.
    Flush {
        durable: bool,
        reply: Sender<Result<(), LedgerError>>,
    },
}

/// What the writer waits for when nothing has come yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// Something to store.
    Work,
    /// Something to store, or this long.
    AtMost(Duration),
}

/// Why the writer was woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Woken {
    /// There is something to store.
    Work,
    /// Nothing came in the time it would wait.
    Quiet,
    /// The last handle is gone; what is there is the rest.
    Closed,
}

#[derive(Debug, Default)]
struct Waiting {
    messages: Vec<Message>,
    /// Somebody waits for the commit: no gathering.
    urgent: bool,
    closed: bool,
}

/// The writer's queue. Unbounded, because a state event is never lost while the process lives, and
/// the scheduler that makes them waits for processes in between.
#[derive(Debug)]
pub(super) struct Inbox {
    pub(super) path: PathBuf,
    waiting: Mutex<Waiting>,
    came: Condvar,
    /// Pages the file may have; 0 means no limit. Stands in for a full disk.
    #[cfg(test)]
    pub(super) pages_max: std::sync::atomic::AtomicU32,
}

impl Inbox {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            waiting: Mutex::default(),
            came: Condvar::new(),
            #[cfg(test)]
            pages_max: 0.into(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&self, message: Message) {
        let mut waiting = self.lock();
        if matches!(message, Message::LogIndex { .. })
            && waiting.messages.len() >= INDEX_WAITING_MAX
        {
            return;
        }
        // A run is on record before it gets far: killed right after its start, it is found interrupted.
        // That statuses were cleared stands nowhere else.
        let urgent = match &message {
            Message::Flush { .. } => true,
            Message::Event(event) => {
                matches!(**event, Event::RunStarted(_) | Event::StatusCleared { .. })
            }
            _ => false,
        };
        // A writer that gathers is left to sleep: one wake for a batch, not one for each event.
        let wake = waiting.messages.is_empty()
            || (urgent && !waiting.urgent)
            || waiting.messages.len() == BATCH_MAX;
        waiting.urgent |= urgent;
        waiting.messages.push(message);
        drop(waiting);
        if wake {
            self.came.notify_one();
        }
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.came.notify_one();
    }

    /// Moves what has come to the end of `into`, after waiting for it and gathering.
    pub(super) fn take(&self, into: &mut Vec<Message>, wait: Wait) -> Woken {
        let nothing = |w: &mut Waiting| w.messages.is_empty() && !w.closed;
        let waiting = self.lock();
        let waiting = match wait {
            Wait::Work => self.came.wait_while(waiting, nothing),
            Wait::AtMost(time) => match self.came.wait_timeout_while(waiting, time, nothing) {
                Ok((waiting, _)) => Ok(waiting),
                Err(poisoned) => Ok(poisoned.into_inner().0),
            },
        }
        .unwrap_or_else(PoisonError::into_inner);
        let (mut waiting, _) = self
            .came
            .wait_timeout_while(waiting, GATHER, |w| {
                !(w.urgent || w.closed || w.messages.is_empty() || w.messages.len() > BATCH_MAX)
            })
            .unwrap_or_else(PoisonError::into_inner);
        let came = !waiting.messages.is_empty();
        into.append(&mut waiting.messages);
        waiting.urgent = false;
        if waiting.closed {
            Woken::Closed
        } else if came {
            Woken::Work
        } else {
            Woken::Quiet
        }
    }

    /// Sleeps between two tries of a write that failed; ends early when somebody wants an answer.
    pub(super) fn back_off(&self, time: Duration) {
        let waiting = self.lock();
        drop(
            self.came
                .wait_timeout_while(waiting, time, |w| !w.urgent && !w.closed),
        );
    }
}
