//! The writer's thread: takes what has come, writes it as one transaction, and keeps what a failing
//! disk refuses until it takes it.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::LedgerError;
use super::fold::Fold;
use super::inbox::{Inbox, Message, Wait, Woken};
use super::schema::{self, Failure};
use crate::model::{Event, Level, Notice, Timestamp};

/// Results of nodes are forced to the disk at least this often: what a power loss may cost.
const SYNC_EVERY: Duration = Duration::from_millis(250);

/// Waits between two tries of a write that failed.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LONGEST: Duration = Duration::from_secs(5);

/// Tries that are left when the last handle is gone.
const LAST_TRIES: u32 = 3;

/// Another process holding the file is news only when it goes on.
const BUSY_TRIES_UNTOLD: u32 = 2;

pub(super) type OnNotice = Box<dyn Fn(Notice) + Send>;

pub(super) struct Writer {
    inbox: Arc<Inbox>,
    conn: Option<Connection>,
    now: Timestamp,
    fold: Fold,
    on_notice: OnNotice,
    /// Synchronous setting of the connection: true is FULL.
    full: bool,
    /// Node results are committed that a power loss could take back.
    unsynced: bool,
    /// Time of the newest event, and of the newest that was forced to the disk.
    newest_at: Timestamp,
    synced_at: Timestamp,
    /// Failed tries in a row.
    tries: u32,
    told: bool,
    told_unstorable: bool,
}

impl Writer {
    pub(super) fn new(
        inbox: Arc<Inbox>,
        conn: Option<Connection>,
        now: Timestamp,
        on_notice: OnNotice,
    ) -> Self {
        Self {
            inbox,
            conn,
            now,
            fold: Fold::default(),
            on_notice,
            full: false,
            unsynced: false,
            newest_at: now,
            synced_at: now,
            tries: 0,
            told: false,
            told_unstorable: false,
        }
    }

    /// Works until the last handle is gone and everything is written.
    pub(super) fn work(mut self) {
        let mut pending = Vec::new();
        loop {
            let wait = match (pending.is_empty(), self.unsynced) {
                (false, _) => Wait::AtMost(Duration::ZERO),
                (true, true) => Wait::AtMost(SYNC_EVERY),
                (true, false) => Wait::Work,
            };
            let woken = self.inbox.take(&mut pending, wait);
            let quiet = pending.is_empty();
            match self.write(&pending, quiet || woken == Woken::Closed) {
                Ok(()) => {
                    self.recovered();
                    answer(&mut pending, &Ok(()));
                    pending.clear();
                }
                Err(failure) => {
                    self.trouble(&failure);
                    let err = LedgerError::write(&failure, &self.inbox.path);
                    answer(&mut pending, &Err(err));
                    if woken == Woken::Closed && self.tries >= LAST_TRIES {
                        return;
                    }
                    let wait = RETRY_FIRST.saturating_mul(1 << self.tries.min(6));
                    match woken {
                        Woken::Closed => std::thread::sleep(RETRY_FIRST),
                        _ => self.inbox.back_off(wait.min(RETRY_LONGEST)),
                    }
                }
            }
            if woken == Woken::Closed && pending.is_empty() {
                return;
            }
        }
    }

    /// Writes a batch as one transaction. With `sync`, everything committed so far survives a
    /// power loss afterwards.
    fn write(&mut self, batch: &[Message], sync: bool) -> Result<(), Failure> {
        let sync = sync && self.unsynced || self.must_be_durable(batch);
        let empty = batch
            .iter()
            .all(|message| matches!(message, Message::Flush { .. }));
        if empty && !sync {
            return Ok(());
        }
        let conn = match self.conn.take() {
            Some(conn) => conn,
            None => {
                self.full = false;
                schema::open_writer(&self.inbox.path, self.now)?
            }
        };
        let written = self.transact(&conn, batch, sync, empty);
        let io_failed = matches!(
            &written,
            Err(err) if err.sqlite_error_code() == Some(ErrorCode::SystemIoFailure)
        );
        // After an I/O error the connection may hold pages that never reached the disk.
        if !io_failed {
            self.conn = Some(conn);
        }
        match written {
            Ok(()) => {
                self.fold.committed();
                self.newest_at = newest_at(batch, self.newest_at);
                if sync {
                    self.unsynced = false;
                    self.synced_at = self.newest_at;
                } else {
                    self.unsynced = true;
                }
                Ok(())
            }
            Err(err) => {
                self.fold.rolled_back();
                Err(err.into())
            }
        }
    }

    fn transact(
        &mut self,
        conn: &Connection,
        batch: &[Message],
        sync: bool,
        empty: bool,
    ) -> rusqlite::Result<()> {
        #[cfg(test)]
        limit_pages(conn, &self.inbox)?;
        if sync != self.full {
            let level = if sync { "FULL" } else { "NORMAL" };
            conn.pragma_update(None, "synchronous", level)?;
            self.full = sync;
        }
        conn.execute_batch("BEGIN IMMEDIATE")?;
        let done = self.apply(conn, batch, empty);
        let done = done.and_then(|()| conn.execute_batch("COMMIT"));
        // SQLite has rolled back by itself after some errors, and not after others.
        if done.is_err() && !conn.is_autocommit() {
            conn.execute_batch("ROLLBACK")?;
        }
        done
    }

    fn apply(&mut self, conn: &Connection, batch: &[Message], empty: bool) -> rusqlite::Result<()> {
        if empty {
            // A commit without a change does not reach the disk; this one does, and what was
            // committed before it in the same file with it.
            conn.execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES ('synced', ?1)",
                [self.newest_at.0],
            )?;
        }
        for message in batch {
            match self.fold.apply(conn, message) {
                Err(err) if !is_passing(&err) => self.unstorable(&err),
                done => done?,
            }
        }
        Ok(())
    }

    fn must_be_durable(&self, batch: &[Message]) -> bool {
        let late = newest_at(batch, self.newest_at).since(self.synced_at) >= SYNC_EVERY;
        batch.iter().any(|message| match message {
            Message::Event(event) => match &**event {
                Event::RunStarted(_) | Event::RunFinished { .. } => true,
                Event::NodeFinished(_) => late,
                _ => false,
            },
            Message::Interrupt(_) => true,
            Message::Flush { durable, .. } => *durable && (self.unsynced || batch.len() > 1),
            _ => false,
        })
    }

    fn trouble(&mut self, failure: &Failure) {
        self.tries = self.tries.saturating_add(1);
        let busy = matches!(
            failure,
            Failure::Sql(err) if matches!(
                err.sqlite_error_code(),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
            )
        );
        if self.told || busy && self.tries <= BUSY_TRIES_UNTOLD {
            return;
        }
        self.told = true;
        let hint = match failure {
            Failure::Sql(err) if err.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
                "Make room on the disk; runs go on, and their results are kept in memory until then."
            }
            _ => "Runs go on, and their results are kept in memory until it can be written.",
        };
        let path = self.inbox.path.display();
        (self.on_notice)(Notice::error(
            format!("The run history cannot be written ({failure}): {path}"),
            hint,
        ));
    }

    fn recovered(&mut self) {
        self.tries = 0;
        if std::mem::take(&mut self.told) {
            (self.on_notice)(Notice::info(
                "The run history is written again; nothing was lost.",
            ));
        }
    }

    /// One fact that SQLite refuses for good must not hold up all that follow.
    fn unstorable(&mut self, err: &rusqlite::Error) {
        if !std::mem::replace(&mut self.told_unstorable, true) {
            (self.on_notice)(Notice::new(
                Level::Warning,
                format!(
                    "Something that happened could not be written into the run history: {err}."
                ),
                "Statuses of that run may be incomplete; please report this sentence.",
            ));
        }
    }
}

/// Errors of the file or the machine, which may pass; the others are those of one statement.
fn is_passing(err: &rusqlite::Error) -> bool {
    !matches!(
        err.sqlite_error_code(),
        None | Some(
            ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch
                | ErrorCode::TooBig
                | ErrorCode::ParameterOutOfRange
                | ErrorCode::Unknown
        )
    )
}

fn newest_at(batch: &[Message], before: Timestamp) -> Timestamp {
    let at = |message: &Message| match message {
        Message::Event(event) => match &**event {
            Event::RunStarted(start) => Some(start.at),
            Event::NodeStarted { at, .. } | Event::RunFinished { at, .. } => Some(*at),
            Event::NodeFinished(finish) => Some(finish.at),
            _ => None,
        },
        _ => None,
    };
    batch.iter().rev().find_map(at).unwrap_or(before)
}

/// Answers those who wait for the commit, and takes them out of what is to be written.
fn answer(pending: &mut Vec<Message>, result: &Result<(), LedgerError>) {
    pending.retain(|message| match message {
        Message::Flush { reply, .. } => {
            // Who asked may have gone; then nobody waits.
            drop(reply.send(result.clone()));
            false
        }
        _ => true,
    });
}

#[cfg(test)]
fn limit_pages(conn: &Connection, inbox: &Inbox) -> rusqlite::Result<()> {
    let max = inbox.pages_max.load(std::sync::atomic::Ordering::SeqCst);
    let max = if max == 0 { 1 << 30 } else { max };
    conn.pragma_update_and_check(None, "max_page_count", max, |_| Ok(()))
}
