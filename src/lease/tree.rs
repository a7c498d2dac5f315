//! Where each file lies, relative to `.workspace_state/`, with `/` between the parts.

use super::name::{Epoch, MachineId, Token};
use super::op::{Page, Table};

/// The places of one workspace.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a> {
    /// The workspace id: the name of its folder.
    pub workspace: &'a str,
}

impl Tree<'_> {
    /// `epochs/<ws>`
    pub fn epochs(&self) -> String {
        format!("epochs/{}", self.workspace)
    }

    /// `epochs/<ws>/<epoch>`
    pub fn epoch(&self, epoch: Epoch) -> String {
        format!("epochs/{}/{epoch}", self.workspace)
    }

    /// `epochs/<ws>/.touch-<token>`
    pub fn touch(&self, token: Token) -> String {
        format!("epochs/{}/.touch-{token}", self.workspace)
    }

    /// `epochs/<ws>/<epoch - 1>/.new-<token>`: a claim starts out inside the epoch before, so that no number can be
    /// claimed that others have removed.
    pub fn new_epoch(&self, epoch: Epoch, token: Token) -> String {
        let below = Epoch(epoch.0.saturating_sub(1));
        format!("{}/.new-{token}", self.epoch(below))
    }

    /// `epochs/<ws>/<epoch>/claim.json`
    pub fn claim(&self, epoch: Epoch) -> String {
        format!("{}/claim.json", self.epoch(epoch))
    }

    /// `epochs/<ws>/<epoch>/pen`
    pub fn pen(&self, epoch: Epoch) -> String {
        format!("{}/pen", self.epoch(epoch))
    }

    /// `epochs/<ws>/<epoch>/released`
    pub fn released(&self, epoch: Epoch) -> String {
        format!("{}/released", self.epoch(epoch))
    }

    /// `epochs/<ws>/<epoch>/ended.json`
    pub fn ended(&self, epoch: Epoch) -> String {
        format!("{}/ended.json", self.epoch(epoch))
    }

    /// `epochs/<ws>/<epoch>/pen/next.json`, which the release carries to `released/next.json`.
    pub fn hint(&self, epoch: Epoch) -> String {
        format!("{}/next.json", self.pen(epoch))
    }

    /// `epochs/<ws>/<epoch>/pen/<stem>-<token>`
    pub fn temp(&self, epoch: Epoch, page: &Page, token: Token) -> String {
        format!("{}/{}-{token}", self.pen(epoch), page.stem())
    }

    /// Where a page is published.
    pub fn page(&self, page: &Page) -> String {
        match page {
            Page::Table { table, .. } => self.table(*table),
            Page::Row(_) => self.row(),
        }
    }

    /// `leases/<ws>.parquet`
    pub fn row(&self) -> String {
        format!("leases/{}.parquet", self.workspace)
    }

    /// `state/<table>/<ws>.parquet`
    pub fn table(&self, table: Table) -> String {
        format!("state/{}/{}.parquet", table.folder(), self.workspace)
    }

    /// `available/<ws>`
    pub fn available(&self) -> String {
        format!("available/{}", self.workspace)
    }

    /// `leased/<ws>`
    pub fn leased(&self) -> String {
        format!("leased/{}", self.workspace)
    }

    /// `stale/<name>/metadata/lease.parquet`
    pub fn quarantined(&self, name: &str) -> String {
        format!("stale/{name}/metadata/lease.parquet")
    }

    /// `requests/<ws>`
    pub fn requests(&self) -> String {
        format!("requests/{}", self.workspace)
    }

    /// `requests/<ws>/<machine>.json`
    pub fn request(&self, machine: &MachineId) -> String {
        format!("requests/{}/{machine}.json", self.workspace)
    }

    /// `requests/<ws>/<machine>.denied.json`
    pub fn denial(&self, machine: &MachineId) -> String {
        format!("requests/{}/{machine}.denied.json", self.workspace)
    }

    /// `control_requests/<ws>.parquet`
    pub fn request_row(&self) -> String {
        format!("control_requests/{}.parquet", self.workspace)
    }
}
