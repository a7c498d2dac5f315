//! The ledger of a workspace, as the shared folder sees it.

use std::path::Path;

use crate::model::WorkspaceId;
use crate::share::{Adoption, LedgerSide, Rows, Wanted};
use crate::store::Home;

/// Publishes no rows and takes none over.
struct NoRows;

impl LedgerSide for NoRows {
    fn rows(&mut self, _: Wanted) -> Result<Rows, String> {
        Ok(Rows::default())
    }

    fn adopt(&mut self, _: Rows, _: Option<&str>, _: Adoption) -> Result<(), String> {
        Ok(())
    }
}

/// The ledger's side of a workspace.
pub fn ledger_side(_: &Home, _: &WorkspaceId, _: &Path) -> Box<dyn LedgerSide + Send> {
    Box::new(NoRows)
}
