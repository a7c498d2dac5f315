//! The operations through which an owner publishes, and the mirrors for older programs.

use std::io;
use std::time::Duration;

use crate::lease::{ClaimNote, Epoch, Fault, Page, Reply, Token};

use super::claim::unknown;
use super::fault::{fault, rename_fault, unstale};
use super::folder::{Folder, split};
use super::note::{NOTE_BYTES_MAX, Note};
use super::row::{self, of_lease};
use super::shared::SharedFolder;
use super::snapshot::{LedgerSide, table_of};
use super::table::{Cells, Table, encode};

/// A page that somebody reads on a share of another kind cannot be replaced meanwhile.
const SHARING_TRIES: u32 = 10;
const SHARING_WAIT: Duration = Duration::from_millis(50);

/// The note in a free workspace's marker, which must not be an empty folder.
const FREE_NOTE: &str = "note.json";
const OWNER_NOTE: &str = "owner.json";

type Done = Result<Reply, Fault>;

impl SharedFolder {
    pub(super) fn write_page(
        &mut self,
        epoch: Epoch,
        token: Token,
        page: &Page,
        ledger: &mut dyn LedgerSide,
    ) -> Done {
        let path = self.tree().temp(epoch, page, token);
        let (pen, name) = split(&path);
        // Before the work: an ousted owner need not do it.
        let pen = self.pen(pen)?;
        let bytes = match page {
            Page::Table { table, generation } => {
                let generation = generation.to_string();
                let publisher = &mut self.publisher;
                publisher.file(table_of(*table), &generation, ledger)
            }
            Page::Row(row) => {
                let row = of_lease(row, self.name());
                encode(Table::Lease, &Cells::of_rows([&row])).map_err(|why| why.to_string())
            }
        };
        let bytes = bytes.map_err(|why| Fault::Refused(format!("make a page: {why}")))?;
        // Never into the file of a try that failed: what a failed sync left there is not known.
        pen.unlink(name)
            .and_then(|()| pen.write_new(name, &bytes))
            .map_err(|why| fault(&why))?;
        Ok(Reply::Done)
    }

    pub(super) fn move_page(&self, epoch: Epoch, token: Token, page: &Page) -> Done {
        let (from, to) = (self.tree().temp(epoch, page, token), self.tree().page(page));
        let (to_folder, to_name) = split(&to);
        // First, so that a folder missing there is not taken for a missing pen.
        let to_folder = self.make(to_folder)?;
        let (pen, from_name) = split(&from);
        let pen = self.pen(pen)?;
        let mut tries = 0;
        loop {
            match pen.rename(from_name, &to_folder, to_name) {
                Ok(()) => break,
                Err(why) if why.kind() == io::ErrorKind::ResourceBusy && tries < SHARING_TRIES => {
                    tries += 1;
                    std::thread::sleep(SHARING_WAIT);
                }
                Err(why) => return Err(rename_fault(&why)),
            }
        }
        to_folder.sync().map_err(|why| unknown(&why))?;
        Ok(Reply::Done)
    }

    pub(super) fn set_mirrors(&self, owner: Option<&ClaimNote>) -> Done {
        let tree = self.tree();
        match owner {
            // The new marker first: while there is none, an older program would claim.
            Some(claim) => {
                let leased = self.make(&tree.leased())?;
                put(&leased, OWNER_NOTE, &claim.to_bytes())?;
                self.remove_marker(&tree.available(), FREE_NOTE)?;
            }
            None => {
                self.remove_marker(&tree.leased(), OWNER_NOTE)?;
                let available = self.make(&tree.available())?;
                put(&available, FREE_NOTE, b"{\"format\": 1, \"free\": true}\n")?;
            }
        }
        Ok(Reply::Done)
    }

    /// Removes a marker that holds no more than our note: anything else is another program's.
    fn remove_marker(&self, path: &str, note: &str) -> Result<(), Fault> {
        let (folder, name) = split(path);
        let Some(folder) = self.look_into(folder)? else {
            return Ok(());
        };
        let marker = match unstale(|| folder.at(name)) {
            Ok(marker) => marker,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(why) => return Err(fault(&why)),
        };
        let entries = marker.list().map_err(|why| fault(&why))?;
        let ours = |name: &str| name == note || name == temp_of(note);
        if let Some(other) = entries.iter().find(|entry| !ours(&entry.name)) {
            return Err(Fault::NotUnderstood(format!(
                "{path} holds {}, which is not Handmill's",
                super::note::shown(&other.name)
            )));
        }
        let remove = || {
            marker.unlink(note)?;
            marker.unlink(&temp_of(note))?;
            folder.rmdir(name)?;
            folder.sync()
        };
        match remove() {
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.map_err(|why| fault(&why)),
        }
    }

    pub(super) fn request_bytes(row: &row::RequestRow) -> Result<Vec<u8>, Fault> {
        encode(Table::Request, &Cells::of_rows([row]))
            .map_err(|why| Fault::Refused(format!("make a request: {why}")))
    }
}

fn temp_of(note: &str) -> String {
    format!(".{note}.tmp")
}

/// Puts a note that is not there yet in these words. A checkpoint repeats it, and writes nothing.
fn put(folder: &Folder, name: &str, bytes: &[u8]) -> Result<(), Fault> {
    if folder
        .read(name, NOTE_BYTES_MAX)
        .is_ok_and(|found| found == bytes)
    {
        return Ok(());
    }
    folder
        .replace(name, &temp_of(name), bytes)
        .map_err(|why| fault(&why))
}
