//! The owner's side: the ledger's rows as the files of one generation.

use std::collections::HashMap;

use super::super::row::{FileStateRow, LogRow, RunRow, StepRow};
use super::super::table::Table;
use super::shelf::Shelf;
use super::{LedgerSide, Rows, Wanted};

/// Runs that a snapshot holds at least, when there are as many: older ones are left out by and by.
pub(crate) const RUNS_KEPT: usize = 500;

/// Rows that are encoded anew for each snapshot, at most, before they become a segment.
const RUNS_OPEN: usize = 128;
const STEPS_OPEN: usize = 1_024;
const LOGS_OPEN: usize = 512;
const FILES_OPEN: usize = 1_024;

/// What this machine publishes while it has control.
#[derive(Debug)]
pub(crate) struct Publisher {
    runs: Shelf<RunRow>,
    steps: Shelf<StepRow>,
    logs: Shelf<LogRow>,
    files: Shelf<FileStateRow>,
    /// False until the ledger has given all its rows.
    is_filled: bool,
    runs_kept: usize,
    /// The files of one generation, so that all show one moment however often one is written.
    generation: String,
    made: HashMap<Table, Vec<u8>>,
}

impl Default for Publisher {
    fn default() -> Self {
        Self::keeping(RUNS_KEPT)
    }
}

impl Publisher {
    /// With another number of runs.
    pub(crate) fn keeping(runs_kept: usize) -> Self {
        Self {
            runs: Shelf::default(),
            steps: Shelf::default(),
            logs: Shelf::default(),
            files: Shelf::default(),
            is_filled: false,
            runs_kept,
            generation: String::new(),
            made: HashMap::new(),
        }
    }

    /// Forgets everything: another machine had control, and the ledger is asked for all its rows.
    pub(crate) fn restart(&mut self) {
        *self = Self::keeping(self.runs_kept);
    }

    /// The file of one table. The first of a generation asks the ledger what has changed.
    pub(crate) fn file(
        &mut self,
        table: Table,
        generation: &str,
        ledger: &mut dyn LedgerSide,
    ) -> Result<Vec<u8>, String> {
        if self.generation != generation {
            self.catch_up(ledger)?;
            self.made.clear();
            generation.clone_into(&mut self.generation);
        }
        if self.made.is_empty() {
            self.made.insert(Table::Runs, self.runs.file(generation)?);
            self.made
                .insert(Table::StepRuns, self.steps.file(generation)?);
            self.made.insert(Table::Logs, self.logs.file(generation)?);
            self.made
                .insert(Table::FileState, self.files.file(generation)?);
        }
        self.made
            .get(&table)
            .cloned()
            .ok_or_else(|| "it is no table of a snapshot".to_owned())
    }

    fn catch_up(&mut self, ledger: &mut dyn LedgerSide) -> Result<(), String> {
        let wanted = match self.is_filled {
            true => Wanted::Changed,
            // Begun anew, also when a row could not be encoded: the ledger numbers its rows anew too.
            false => {
                self.restart();
                Wanted::Newest {
                    n_runs: self.runs_kept,
                }
            }
        };
        let rows = ledger.rows(wanted)?;
        // From here on a failure would lose what the ledger gave: then all is asked for again.
        self.is_filled = false;
        self.put(rows)?;
        self.is_filled = true;
        Ok(())
    }

    fn put(&mut self, rows: Rows) -> Result<(), String> {
        for row in rows.runs {
            self.runs.put(row)?;
        }
        for row in rows.steps {
            self.steps.put(row)?;
        }
        for row in rows.logs {
            self.logs.put(row)?;
        }
        for row in rows.files {
            self.files.put(row)?;
        }
        self.runs.seal(RUNS_OPEN)?;
        self.steps.seal(STEPS_OPEN)?;
        self.logs.seal(LOGS_OPEN)?;
        self.files.seal(FILES_OPEN)?;
        let gone = self.runs.drop_oldest(self.runs_kept);
        if !gone.is_empty() {
            self.steps.forget(&gone);
            self.logs.forget(&gone);
        }
        Ok(())
    }
}
