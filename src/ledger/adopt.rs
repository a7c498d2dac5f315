//! Rows of other machines, taken over as runs that ran elsewhere.
//!
//! A run of this machine is never touched, whatever another says of it. A run, an attempt or a line
//! that is known stays as it is, but for an end that was still to come: so the same rows may be given
//! again, and older copies change nothing. All rows of one call are one transaction.
//!
//! Unaware of the shared tables; `runtime` has the words of them turned into ours.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use rusqlite::Connection;

use super::inbox::Message;
use super::recover::interrupt;
use super::{Ledger, LedgerError};
use crate::model::RunId;

mod attempt;
mod line;
mod run;
mod taken;

use attempt::store_attempt;
use line::{drop_loose_lines, store_file, store_line};
use run::{Known, known_run, recount, store_run};
pub use taken::{FileState, Taken, TakenAttempt, TakenLine, TakenRun};

/// Rows on their way to the writer.
#[derive(Debug)]
pub(super) struct Adoption {
    taken: Taken,
    /// Why they could not be stored, told to whoever waits for the commit.
    failed: Arc<OnceLock<String>>,
}

impl Ledger {
    /// Takes rows of another machine over: all of them, or none. Waits until they are on disk.
    pub fn adopt(&self, taken: Taken) -> Result<(), LedgerError> {
        let failed = Arc::new(OnceLock::new());
        self.put(Message::Adopt(Box::new(Adoption {
            taken,
            failed: failed.clone(),
        })));
        self.commit(true)?;
        match failed.get() {
            None => Ok(()),
            Some(why) => Err(self.write_error(why)),
        }
    }
}

impl Adoption {
    /// Stores the rows inside the transaction that is open on `conn`.
    pub(super) fn apply(&self, conn: &Connection) -> rusqlite::Result<()> {
        conn.execute_batch("SAVEPOINT adopt")?;
        let stored = self.store(conn);
        match &stored {
            Ok(()) => conn.execute_batch("RELEASE adopt")?,
            Err(why) => {
                // Told by whoever waits, also when the whole batch is tried again.
                self.failed.set(why.to_string()).ok();
                if !conn.is_autocommit() {
                    conn.execute_batch("ROLLBACK TO adopt; RELEASE adopt")?;
                }
            }
        }
        stored
    }

    fn store(&self, conn: &Connection) -> rusqlite::Result<()> {
        let mut known: HashMap<&RunId, Known> = HashMap::new();
        for run in &self.taken.runs {
            if let Some(stored) = store_run(conn, run, self.taken.seen)? {
                known.insert(&run.run, stored);
            }
        }
        for attempt in &self.taken.attempts {
            let Some(run) = known_run(conn, &mut known, &attempt.run)? else {
                continue;
            };
            store_attempt(conn, run, attempt)?;
        }
        for line in &self.taken.lines {
            let key = match &line.run {
                None => 0,
                Some(run) => match known_run(conn, &mut known, run)? {
                    Some(run) => run.key,
                    None => continue,
                },
            };
            store_line(conn, key, line)?;
        }
        if self.taken.lines.iter().any(|line| line.run.is_none()) {
            drop_loose_lines(conn)?;
        }
        for file in &self.taken.files {
            store_file(conn, file)?;
        }
        let mut touched: Vec<i64> = known
            .values()
            .filter(|r| r.is_touched)
            .map(|r| r.key)
            .collect();
        touched.sort_unstable();
        for run in touched {
            recount(conn, run)?;
        }
        if self.taken.interrupts {
            let open: Vec<i64> = conn
                .prepare_cached("SELECT id FROM runs WHERE ended IS NULL AND host IS NOT NULL")?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            for run in open {
                interrupt(conn, run)?;
            }
        }
        Ok(())
    }
}
