//! Snapshots: what an owner's ledger shows to the other machines, and how they take it over.
//!
//! Unaware of SQLite: the ledger's side is a trait of four lists of rows. A heartbeat touches
//! nothing here; a snapshot encodes the rows that are new and copies the others; a reader decodes
//! the row groups that it has not seen.

mod observe;
mod publish;
mod shelf;

#[cfg(test)]
mod tests;

pub(super) use observe::{Observer, Picture};
pub(super) use publish::Publisher;

use super::row::{FileStateRow, LogRow, RunRow, StepRow};
use super::table::Table;
use crate::lease;

/// Rows of the four tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Runs.
    pub runs: Vec<RunRow>,
    /// Steps of runs.
    pub steps: Vec<StepRow>,
    /// Lines of logs.
    pub logs: Vec<LogRow>,
    /// States of watched files.
    pub files: Vec<FileStateRow>,
}

/// Which rows an owner publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// So many of the newest runs with what belongs to them, and all states of files, oldest first:
    /// this machine has just gained control.
    Newest {
        /// How many runs.
        n_runs: usize,
    },
    /// What is new or other than at the last call.
    Changed,
}

/// Why rows of another machine are taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adoption {
    /// To be shown while that machine has control.
    Watching,
    /// This machine has gained control: what still runs there by these rows was interrupted.
    Claiming,
    /// A person asked for the history that another program left: nothing of it runs any more, and its age does not matter.
    Importing,
}

/// The ledger, as far as the shared folder needs it. Called on the thread of the workspace.
pub trait LedgerSide {
    /// Rows for the next snapshot, all as of one moment. The error is a fragment.
    fn rows(&mut self, wanted: Wanted) -> Result<Rows, String>;

    /// Takes over rows of another machine, in the order of their files; what is known of them already is not
    /// made older. `host` is that machine by its lease row; `None` when control is free. The error is a fragment,
    /// and means that the rows will be given again.
    fn adopt(&mut self, rows: Rows, host: Option<&str>, why: Adoption) -> Result<(), String>;
}

/// The protocol's table as one with columns.
pub(super) fn table_of(table: lease::Table) -> Table {
    match table {
        lease::Table::Runs => Table::Runs,
        lease::Table::StepRuns => Table::StepRuns,
        lease::Table::Logs => Table::Logs,
        lease::Table::FileState => Table::FileState,
    }
}
