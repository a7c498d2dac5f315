//! Taking over what another machine published.

use std::collections::HashMap;

use bytes::Bytes;

use crate::lease::{Fault, Hydrated, Reply, RowSeen};

use super::shared::SharedFolder;
use super::snapshot::{Adoption, LedgerSide, Picture, Rows};
use super::table::{ReadError, Table};

impl SharedFolder {
    /// For the claim: this machine's ledger goes on from there.
    pub(super) fn hydrate(&mut self, ledger: &mut dyn LedgerSide) -> Result<Reply, Fault> {
        // A snapshot that was watched is in the ledger, but not yet as what was interrupted.
        let done = self.take_over(ledger, Adoption::Claiming)?;
        self.publisher.restart();
        self.observer.forget();
        Ok(Reply::Hydrated(done))
    }

    /// For watching: takes over what is new since the last call. Costs one small file when only the
    /// heartbeat has come.
    pub fn watch(&mut self, ledger: &mut dyn LedgerSide) -> Result<Hydrated, Fault> {
        self.take_over(ledger, Adoption::Watching)
    }

    fn take_over(&mut self, ledger: &mut dyn LedgerSide, why: Adoption) -> Result<Hydrated, Fault> {
        let (generation, host) = match self.row_seen()? {
            RowSeen::Is { row, .. } => (Some(row.generation), Some(row.host)),
            RowSeen::Absent => (None, None),
            RowSeen::Damaged { why, .. } => return Ok(Hydrated::Kept(format!("the lease: {why}"))),
        };
        let wanted = generation.map(|generation| generation.to_string());
        if let Some(wanted) = &wanted
            && why == Adoption::Watching
            && self.observer.shows(wanted)
        {
            return Ok(Hydrated::Nothing);
        }
        let files = match self.snapshot_files() {
            Err(Fault::NotUnderstood(why)) => return Ok(Hydrated::Kept(why)),
            other => other?,
        };
        let read = self.observer.read(&self.reader, files, wanted.as_deref());
        let mut whole = match read {
            Ok(Picture::Whole(whole)) => whole,
            Ok(Picture::Nothing) => {
                self.observer.saw(wanted);
                // The ledger still has to mark what it thinks runs elsewhere.
                let told = match why {
                    Adoption::Claiming => ledger.adopt(Rows::default(), None, why),
                    Adoption::Watching | Adoption::Importing => Ok(()),
                };
                return Ok(match told {
                    Ok(()) => Hydrated::Nothing,
                    Err(why) => Hydrated::Kept(why),
                });
            }
            Ok(Picture::Mixed(why)) => return Ok(Hydrated::Kept(why)),
            Err(ReadError::NoReader(why)) => {
                return Err(Fault::Unknown(format!("start the reader: {why}")));
            }
            Err(why) => return Ok(Hydrated::Kept(why.to_string())),
        };
        match ledger.adopt(std::mem::take(&mut whole.rows), host.as_deref(), why) {
            Ok(()) => {
                self.observer.keep(whole);
                Ok(Hydrated::Adopted)
            }
            Err(why) => Ok(Hydrated::Kept(why)),
        }
    }

    fn snapshot_files(&self) -> Result<HashMap<Table, Option<Bytes>>, Fault> {
        let mut files = HashMap::new();
        for table in Table::STATE {
            let path = format!("{}/{}.parquet", table.folder(), self.name());
            let bytes = self
                .read_table_file(&path, table)
                .map_err(|why| match why {
                    Fault::NotUnderstood(why) => {
                        Fault::NotUnderstood(format!("the {}: {why}", table.noun()))
                    }
                    other => other,
                })?;
            files.insert(table, bytes.map(Bytes::from));
        }
        Ok(files)
    }
}
