//! What goes on on other machines, by what they published last.

use rusqlite::Connection;

use super::{Ledger, LedgerError};

/// Steps that are told; nobody reads more of a list.
const STEPS_MAX: i64 = 200;

impl Ledger {
    /// What the steps are called that run on other machines, in the words of those machines: sorted, at most 200.
    pub fn steps_running_elsewhere(&self) -> Result<Vec<String>, LedgerError> {
        self.catch_up();
        self.read(|tx| running(tx))
    }
}

fn running(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    conn.prepare_cached(
        "SELECT DISTINCT e.label FROM runs r
         JOIN node_runs a ON a.run = r.id AND a.ended IS NULL
         JOIN steps_elsewhere e ON e.run = a.run AND e.node = a.node AND e.pass = a.pass AND e.attempt = a.attempt
         WHERE r.host IS NOT NULL AND r.ended IS NULL AND r.outcome IS NULL AND r.gone = 0
         ORDER BY e.label LIMIT ?1",
    )?
    .query_map([STEPS_MAX], |row| row.get(0))?
    .collect()
}
