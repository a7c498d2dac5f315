//! What happened in a workspace, on disk: runs, attempts of nodes, how each node stands, where
//! logs begin. One SQLite file per workspace, `ledger.sqlite`, that several processes may share.
//!
//! Unaware of the scheduler, of processes and of log files: it folds [`Event`](crate::model::Event)s
//! into rows and gives them back as [`Past`](crate::model::Past) and history. Only `runtime` calls it.
//! rusqlite is known nowhere else.
//!
//! Stored: `ledger.sqlite` (application id [`APPLICATION_ID`], format [`FORMAT`] in `user_version`;
//! tables in `schema.rs`), its `-wal` and `-shm`, and `ledger.corrupt-<n>.sqlite` for a file that was
//! damaged and moved aside, `ledger.format-<n>.sqlite` for the file as it was before a newer release
//! changed its tables. `ledger.lock` guards both between processes.

mod adopt;
mod control;
mod elsewhere;
mod error;
mod fold;
mod handle;
mod history;
mod import;
mod inbox;
mod inspect;
mod keys;
mod migrate;
mod past;
mod recover;
mod retain;
mod row;
mod schema;
mod search;
mod share;
mod write;

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod history_tests;
#[cfg(test)]
mod tests;

pub use adopt::{FileState, Taken, TakenAttempt, TakenLine, TakenRun};
pub use error::LedgerError;
pub use handle::{Health, Ledger};
pub use inspect::inspect;
pub use recover::{AttemptRow, Orphan, Recovered, SeenEnd};
pub use row::NodeRunRow;
pub use schema::{APPLICATION_ID, FORMAT};
pub use share::{
    AttemptToShare, LinesElsewhere, RunElsewhere, RunToShare, ShareCursor, StepElsewhere, ToShare,
};
