//! Taking a workspace over from Data Engine 0.5: its history into this machine's ledger, and its state aside.

use crate::lease::Fault;
use crate::model::Timestamp;

use super::shared::SharedFolder;
use super::snapshot::{Adoption, LedgerSide};

/// What the program is called in the history.
const ORIGIN: &str = "Data Engine 0.5";

/// What was imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Runs in the history of Data Engine.
    pub runs: usize,
    /// Steps of them.
    pub steps: usize,
}

impl SharedFolder {
    /// Takes the history over that Data Engine 0.5 kept and nobody holds, and puts its state aside in `stale/`, so that
    /// Handmill may have control here. Why not, as a sentence. Killed at any point, it can be done again.
    pub fn import(&self, ledger: &mut dyn LedgerSide, now: Timestamp) -> Result<Imported, String> {
        let not_there = "There is no state of Data Engine 0.5 in this workspace that nobody holds.";
        let rows = match self.read_free_bundle() {
            Ok(Some(rows)) => rows,
            Ok(None) | Err(Fault::Gone) => return Err(not_there.to_owned()),
            Err(Fault::NotUnderstood(why)) => return Err(why),
            Err(why) => {
                return Err(format!(
                    "The state of Data Engine 0.5 cannot be read: {why}."
                ));
            }
        };
        let imported = Imported {
            runs: rows.runs.len(),
            steps: rows.steps.len(),
        };
        ledger
            .adopt(rows, Some(ORIGIN), Adoption::Importing)
            .map_err(|why| format!("Its history was not taken over: failed to {why}."))?;
        // Only when the history is on this machine's disk. Done again, it finds the same rows and nothing to move.
        let aside = format!("{}__data-engine-0.5__{}", self.name(), now.0);
        match self.take_over_bundle(&aside) {
            Ok(_) => Ok(imported),
            Err(Fault::NotUnderstood(why)) => Err(why),
            Err(Fault::Gone) => Err("Data Engine 0.5 claimed the workspace meanwhile.".to_owned()),
            Err(why) => Err(format!(
                "The state of Data Engine 0.5 was not put aside: {why}."
            )),
        }
    }
}
