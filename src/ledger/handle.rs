//! The handle that the runtime holds: what it may record and ask.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use rusqlite::{Connection, Transaction};

use super::import::Import;
use super::inbox::{Inbox, Message};
use super::recover::{AttemptRow, SeenEnd};
use super::write::{OnNotice, Writer};
use super::{LedgerError, NodeRunRow, Orphan, Recovered, history, past, recover, schema};
use crate::model::{
    Event, FileResults, FlowRef, NodeId, NodeRunId, NodeState, Notice, Past, RunId, RunSummary,
    Stream, Timestamp,
};

/// Connections kept open for the next question.
const READERS_KEPT: usize = 2;

/// The ledger of one workspace. Cheap to clone; when the last clone goes, what was recorded is
/// written before the drop returns.
#[derive(Clone, Debug)]
pub struct Ledger {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    inbox: Arc<Inbox>,
    writer: Option<JoinHandle<()>>,
    readers: Mutex<Vec<Connection>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.inbox.close();
        // A panic of the writer was printed by its thread; there is nothing more to do about it.
        drop(self.writer.take().map(JoinHandle::join));
    }
}

/// How the file is, for `handmill doctor`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The file.
    pub path: PathBuf,
    /// Length of the file in bytes; 0 when nothing was recorded yet.
    pub bytes: u64,
    /// Length of the part that is not merged yet, in bytes.
    pub wal_bytes: u64,
    /// Version of its tables; 0 when there is no file.
    pub format: i64,
    /// Runs stored.
    pub runs: u64,
    /// Runs without an end, those of living processes too; only [`super::inspect()`] looks for them.
    pub open_runs: Vec<Recovered>,
    /// What is wrong, a sentence each; empty when all is well.
    pub troubles: Vec<String>,
}

impl Ledger {
    /// Opens the ledger at `path` (`<workspace folder>/ledger.sqlite`) and starts its writer.
    ///
    /// No file is made before something is recorded. A damaged file is moved aside and a new one
    /// begun; that, a disk that refuses, and its recovery are told through `on_notice`, which is
    /// called from this thread or the writer's and must not wait.
    pub fn open(
        path: &Path,
        now: Timestamp,
        on_notice: impl Fn(Notice) + Send + 'static,
    ) -> Result<Self, LedgerError> {
        let on_notice: OnNotice = Box::new(on_notice);
        let (conn, notice) = schema::open_existing(path, now)?;
        if let Some(notice) = notice {
            on_notice(notice);
        }
        let inbox = Arc::new(Inbox::new(path.to_owned()));
        let writer = Writer::new(inbox.clone(), conn, now, on_notice);
        let workspace = path.parent().and_then(Path::file_name).unwrap_or_default();
        let thread = std::thread::Builder::new()
            .name(format!("ledger {}", workspace.display()))
            .spawn(move || writer.work())
            .map_err(|err| LedgerError::open(err, path))?;
        Ok(Self {
            inner: Arc::new(Inner {
                inbox,
                writer: Some(thread),
                readers: Mutex::default(),
            }),
        })
    }

    /// Records what happened. Never blocks; events that are not stored cost nothing.
    pub fn record(&self, event: impl Into<Arc<Event>>) {
        let event = event.into();
        let stored = match &*event {
            Event::RunStarted(_)
            | Event::NodeStarted { .. }
            | Event::NodeSpawned { .. }
            | Event::NodeFinished(_)
            | Event::RunFinished { .. }
            | Event::StatusCleared { .. } => true,
            Event::RunRefused { .. }
            | Event::NodeTriggered { .. }
            | Event::EdgesMarked { .. }
            | Event::RunStopping { .. }
            | Event::Told(_) => false,
        };
        if stored {
            self.inner.inbox.put(Message::Event(event));
        }
    }

    /// Records that an attempt runs another command than the frozen flow says: its node was mended
    /// while the run was live. Comes after the attempt's `NodeStarted`.
    pub fn record_command(&self, id: &NodeRunId, command: &str) {
        self.inner.inbox.put(Message::Command {
            id: id.clone(),
            text: command.into(),
        });
    }

    /// Records that byte `offset` of an attempt's log was written at `at`. One per 64 KiB is plenty;
    /// under pressure these are the first to be dropped, as the log itself has what they say.
    pub fn record_log_index(&self, id: &NodeRunId, stream: Stream, offset: u64, at: Timestamp) {
        self.inner.inbox.put(Message::LogIndex {
            id: id.clone(),
            stream,
            offset,
            at,
        });
    }

    /// Stores results found in a workfile as the flow's last run, under the id `run`. Does nothing
    /// when results of this `hash` were stored before, or when they tell nothing new.
    pub fn record_import(
        &self,
        flow: &FlowRef,
        run: RunId,
        results: &FileResults,
        hash: u64,
        at: Timestamp,
    ) {
        self.inner.inbox.put(Message::Import(Box::new(Import {
            flow: flow.clone(),
            run,
            results: results.clone(),
            hash,
            at,
            kept: false,
        })));
    }

    /// Results of this `hash` stand in the workfile because `run`, a run of ours, left them there:
    /// they are never taken over from it.
    pub fn record_kept(&self, flow: &FlowRef, run: RunId, hash: u64, at: Timestamp) {
        self.inner.inbox.put(Message::Import(Box::new(Import {
            flow: flow.clone(),
            run,
            results: FileResults::default(),
            hash,
            at,
            kept: true,
        })));
    }

    /// Waits until everything recorded so far is on disk and survives a power loss. Call it before
    /// the lock on a run is let go, and at the end of the process.
    pub fn flush(&self) -> Result<(), LedgerError> {
        self.commit(true)
    }

    /// Everything the scheduler needs to know of a flow from before, with all that was recorded
    /// until now.
    pub fn past(&self, flow: &FlowRef) -> Result<Past, LedgerError> {
        self.commit(false)?;
        self.read(|tx| past::past(tx, &flow.file))
    }

    /// How each node stood at the end of an older run (or stands, in a live one). Nodes kept from
    /// the run it resumed have the state they had there.
    pub fn states_of_run(
        &self,
        flow: &FlowRef,
        run: &RunId,
    ) -> Result<HashMap<NodeId, NodeState>, LedgerError> {
        self.catch_up();
        self.read(|tx| past::states_of_run(tx, &flow.file, run))
    }

    /// Runs of a flow, newest first: at most `limit`, and those before `before`.
    pub fn history(
        &self,
        flow: &FlowRef,
        limit: usize,
        before: Option<&RunId>,
    ) -> Result<Vec<RunSummary>, LedgerError> {
        self.catch_up();
        self.read(|tx| history::history(tx, &flow.file, limit, before))
    }

    /// The newest run of every flow that has one, by its file: one question however many flows there are.
    pub fn newest_runs(&self) -> Result<Vec<(Arc<str>, RunSummary)>, LedgerError> {
        self.catch_up();
        self.read(|tx| history::newest_runs(tx))
    }

    /// Attempts of a run, or of one of its nodes, in the order they began.
    pub fn node_runs(
        &self,
        run: &RunId,
        node: Option<&NodeId>,
    ) -> Result<Vec<NodeRunRow>, LedgerError> {
        self.catch_up();
        self.read(|tx| history::node_runs(tx, run, node))
    }

    /// The newest attempt of a node, whichever run it was in.
    pub fn newest_node_run(
        &self,
        flow: &FlowRef,
        node: &NodeId,
    ) -> Result<Option<NodeRunRow>, LedgerError> {
        self.catch_up();
        self.read(|tx| history::newest_node_run(tx, &flow.file, node))
    }

    /// Where times stand in an attempt's log: stream, byte, time; ascending.
    pub fn log_index(&self, id: &NodeRunId) -> Result<Vec<(Stream, u64, Timestamp)>, LedgerError> {
        self.catch_up();
        self.read(|tx| history::log_index(tx, id))
    }

    /// Standard output and error that the newest import has for a node.
    pub fn imported_log(
        &self,
        flow: &FlowRef,
        node: &NodeId,
    ) -> Result<Option<(String, String)>, LedgerError> {
        self.catch_up();
        self.read(|tx| history::imported_log(tx, &flow.file, node))
    }

    /// Runs without an end, those of living processes too.
    pub fn open_runs(&self) -> Result<Vec<Recovered>, LedgerError> {
        self.catch_up();
        let runs = self.read(|tx| recover::open_runs(tx))?;
        Ok(runs.into_iter().map(|(_, run)| run).collect())
    }

    /// Tells what attempts of a run without an end had begun when its process died, as far as their
    /// logs show. Those that were never recorded are shown as interrupted. Comes before
    /// [`Ledger::recover`].
    pub fn record_begun(&self, run: RunId, attempts: Vec<(NodeRunId, NodeId)>) {
        self.inner.inbox.put(Message::Begun { run, attempts });
    }

    /// Tells how attempts of a run without an end had ended when its process died, in the order they
    /// did. What is recorded of them already stays. Comes before [`Ledger::record_begun`].
    pub fn record_ended(&self, run: RunId, attempts: Vec<SeenEnd>) {
        self.inner.inbox.put(Message::Ended { run, attempts });
    }

    /// Waits until everything recorded so far survives the death of this process.
    pub fn commit_now(&self) -> Result<(), LedgerError> {
        self.commit(false)
    }

    /// Ends the runs that dead processes left open, as interrupted, and gives them back.
    /// `is_alive` is asked for each whether a living process (this one included) carries it or its
    /// nodes are held for one that will; such a run is left alone.
    pub fn recover(
        &self,
        is_alive: impl Fn(&Recovered) -> bool,
    ) -> Result<Vec<Recovered>, LedgerError> {
        self.catch_up();
        let mut dead = self.read(|tx| recover::open_runs(tx))?;
        dead.retain(|(_, run)| !is_alive(run));
        if dead.is_empty() {
            return Ok(Vec::new());
        }
        let keys = dead.iter().map(|(key, _)| *key).collect();
        self.inner.inbox.put(Message::Interrupt(keys));
        self.flush()?;
        Ok(dead.into_iter().map(|(_, run)| run).collect())
    }

    /// Every attempt of a run with the numbers of its facts, for carrying it on.
    pub fn attempts(&self, run: &RunId) -> Result<Vec<AttemptRow>, LedgerError> {
        self.commit(false)?;
        self.read(|tx| recover::attempts(tx, run))
    }

    /// Processes that interrupted runs of a flow may have left behind.
    pub fn orphans(&self, flow: &FlowRef) -> Result<Vec<Orphan>, LedgerError> {
        self.catch_up();
        self.read(|tx| recover::orphans(tx, &flow.file))
    }

    /// How the file is. Reads all of it: seconds for a large one.
    pub fn health(&self) -> Result<Health, LedgerError> {
        self.catch_up();
        let path = &self.inner.inbox.path;
        let len = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
        let mut health = self.read(|tx| history::health(tx))?;
        health.bytes = len(path);
        health.wal_bytes = len(&schema::with_ending(path, "-wal"));
        health.path.clone_from(path);
        Ok(health)
    }

    pub(super) fn write_error(&self, why: &str) -> LedgerError {
        LedgerError::write(why, &self.inner.inbox.path)
    }

    pub(super) fn put(&self, message: Message) {
        self.inner.inbox.put(message);
    }

    /// Everything recorded so far is on disk, as far as the disk takes it: lists show what there
    /// is, and the trouble was told.
    pub(super) fn catch_up(&self) {
        drop(self.commit(false));
    }

    pub(super) fn commit(&self, durable: bool) -> Result<(), LedgerError> {
        let (reply, answer) = mpsc::channel();
        self.inner.inbox.put(Message::Flush { durable, reply });
        answer.recv().unwrap_or_else(|_| {
            Err(LedgerError::write(
                "its writer has ended",
                &self.inner.inbox.path,
            ))
        })
    }

    /// Asks one question within one view of the file. No file yet: nothing is known.
    pub(super) fn read<T: Default>(
        &self,
        ask: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        let path = &self.inner.inbox.path;
        let readers = || {
            let readers = &self.inner.readers;
            readers.lock().unwrap_or_else(PoisonError::into_inner)
        };
        let kept = readers().pop();
        // That a file is not there is an answer; that nobody can tell is none.
        let there = kept.is_some()
            || path
                .try_exists()
                .map_err(|err| LedgerError::read(err, path))?;
        let answered = (|| {
            let mut conn = match kept {
                Some(conn) => conn,
                None if !there => return Ok((T::default(), None)),
                None => {
                    let conn = schema::open_reader(path)?;
                    // Another process is just making it.
                    if schema::is_empty(&conn)? {
                        return Ok((T::default(), None));
                    }
                    conn
                }
            };
            let tx = conn.transaction()?;
            let answer = ask(&tx)?;
            tx.commit()?;
            Ok((answer, Some(conn)))
        })();
        let (answer, conn) =
            answered.map_err(|err: rusqlite::Error| LedgerError::read(err, path))?;
        let mut kept = readers();
        if let Some(conn) = conn.filter(|_| kept.len() < READERS_KEPT) {
            kept.push(conn);
        }
        Ok(answer)
    }

    #[cfg(test)]
    pub(super) fn limit_pages(&self, max: u32) {
        let limit = &self.inner.inbox.pages_max;
        limit.store(max, std::sync::atomic::Ordering::SeqCst);
    }
}
