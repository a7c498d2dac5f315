//! The operations that only look.

use std::io;
use std::time::Duration;

use crate::lease::{
    Asked, Beat, ClaimNote, Denial, Epoch, EpochSeen, Fault, Generation, Hint, LeaseRow, Listing,
    MachineId, Markers, PenSeen, Reply, RequestNote, RowSeen, RowStatus, Token, limits,
};
use crate::model::Timestamp;

use super::fault::{fault, unstale};
use super::folder::{Folder, split};
use super::name::is_conflict_copy;
use super::note::{NOTE_BYTES_MAX, Note, machine, shown};
use super::row;
use super::shared::SharedFolder;
use super::table::{ReadError, Row, Table};

/// Names of conflicts that are told; more would not be read.
const CONFLICTS_MAX: usize = 8;
/// A touch takes moments; one that slept over its file finds it gone, which is what it wanted.
const DRAFT_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Digits of an epoch's folder.
const DIGITS: usize = limits::EPOCH_DIGITS;

/// What was read last: a file whose bytes are the same is not parsed again.
#[derive(Debug, Default)]
pub(super) struct Seen {
    row: Option<RowSeen>,
    request: Option<(Beat, Option<row::RequestRow>)>,
}

type Done = Result<Reply, Fault>;

impl SharedFolder {
    pub(super) fn touch(&mut self, token: Token) -> Done {
        let epochs = self.make_epochs(token)?;
        let name = self.tree().touch(token);
        let (_, name) = split(&name);
        let touched = epochs
            .write_new(name, b"")
            .and_then(|()| epochs.changed(name));
        epochs.unlink(name).map_err(|why| fault(&why))?;
        // Only tidiness: what cannot be swept is swept another time.
        sweep(&epochs, touched.map_err(|why| fault(&why))?).ok();
        Ok(Reply::Done)
    }

    pub(super) fn list_epochs(&self) -> Done {
        let Some(folder) = self.look_into(&self.tree().epochs())? else {
            return Ok(Reply::Epochs(Listing::default()));
        };
        let entries = unstale(|| folder.list()).map_err(|why| fault(&why))?;
        let mut epochs = Vec::with_capacity(entries.len());
        let zero = Epoch(0).to_string();
        let mut oldest = None;
        let mut conflicts = Vec::new();
        for entry in entries {
            match Epoch::parse(&entry.name) {
                Some(_) if !entry.is_folder => {
                    return Err(Fault::NotUnderstood(format!(
                        "{} in the log of epochs is no folder",
                        entry.name
                    )));
                }
                Some(epoch) => epochs.push(epoch),
                None if entry.name == zero => oldest = Some(Epoch(0)),
                None if starts_as_epoch(&entry.name) => conflicts.push(shown(&entry.name)),
                None => {}
            }
        }
        conflicts.extend(self.copies_of_row()?);
        conflicts.sort_unstable();
        conflicts.truncate(CONFLICTS_MAX);
        epochs.sort_unstable();
        let oldest = oldest.or(epochs.first().copied());
        Ok(Reply::Epochs(Listing {
            newest: epochs.pop(),
            before: epochs.pop(),
            oldest,
            conflicts,
        }))
    }

    /// Copies of the lease row that a sync program made because two machines wrote it.
    fn copies_of_row(&self) -> Result<Vec<String>, Fault> {
        let row = self.tree().row();
        let (folder, wanted) = split(&row);
        let Some(folder) = self.look_into(folder)? else {
            return Ok(Vec::new());
        };
        let entries = folder.list().map_err(|why| fault(&why))?;
        let names = entries.into_iter().map(|entry| entry.name);
        let copies = names.filter(|name| is_conflict_copy(name, wanted));
        Ok(copies.map(|name| shown(&name)).collect())
    }

    pub(super) fn read_epoch(&mut self, epoch: Epoch) -> Done {
        let Some(folder) = self.look_into(&self.tree().epoch(epoch))? else {
            return Err(Fault::Gone);
        };
        let entries = unstale(|| folder.list()).map_err(|why| fault(&why))?;
        if let Some(link) = entries.iter().find(|entry| entry.is_link) {
            return Err(Fault::NotUnderstood(format!(
                "{} in an epoch is a symbolic link",
                shown(&link.name)
            )));
        }
        let has = |name: &str| entries.iter().any(|entry| entry.name == name);
        let is_claim = |name: &str| name.starts_with("claim") && name.ends_with(".json");
        let n_claims = entries.iter().filter(|entry| is_claim(&entry.name));
        let claim: Option<ClaimNote> = read_note(&folder, "claim.json")?;
        // The listing may be older than a release or a fence that came since: a pen that the folder
        // still shows counts, one that it does not is gone for good.
        let pen = if has("pen") {
            PenSeen::Alive
        } else {
            match folder.at("released") {
                Ok(released) => PenSeen::Released {
                    next: read_note::<Hint>(&released, "next.json")?,
                },
                Err(why) if why.kind() == io::ErrorKind::NotFound => PenSeen::Removed,
                Err(why) => return Err(fault(&why)),
            }
        };
        Ok(Reply::Epoch(EpochSeen {
            is_doubled: n_claims.count() > 1,
            // A claim that was copied from another epoch is nobody's.
            claim: claim.filter(|claim| claim.epoch == epoch).map(|claim| {
                let host = self.namesakes.told(&claim.machine, claim.host);
                ClaimNote { host, ..claim }
            }),
            pen,
        }))
    }

    pub(super) fn read_row(&mut self) -> Done {
        Ok(Reply::Row(self.row_seen()?))
    }

    /// The lease row, parsed again only when its bytes have changed.
    pub(super) fn row_seen(&mut self) -> Result<RowSeen, Fault> {
        let path = self.tree().row();
        let bytes = match self.read_table_file(&path, Table::Lease) {
            Ok(None) => return Ok(RowSeen::Absent),
            Ok(Some(bytes)) => bytes,
            Err(Fault::NotUnderstood(why)) => {
                let beat = beat(why.as_bytes());
                return Ok(RowSeen::Damaged { beat, why });
            }
            Err(other) => return Err(other),
        };
        let beat = beat(&bytes);
        if let Some(seen) = &self.seen.row
            && seen.beat() == Some(beat)
        {
            return Ok(seen.clone());
        }
        let seen = match self.only_row::<row::LeaseRow>(bytes)? {
            Ok(row) => {
                let mut row = lease_row(row);
                row.host = self.namesakes.told(&row.machine, row.host);
                RowSeen::Is { beat, row }
            }
            Err(why) => RowSeen::Damaged { beat, why },
        };
        self.seen.row = Some(seen.clone());
        Ok(seen)
    }

    pub(super) fn read_markers(&self) -> Done {
        let tree = self.tree();
        let leased = self.look_into(&tree.leased())?;
        let token = match &leased {
            Some(leased) => read_note::<ClaimNote>(leased, "owner.json")?.map(|claim| claim.token),
            None => None,
        };
        let (foreign, is_importable) = match self.foreign()? {
            Some((why, is_importable)) => (Some(why), is_importable),
            None => (None, false),
        };
        Ok(Reply::Markers(Markers {
            is_available: self.look_into(&tree.available())?.is_some(),
            is_leased: leased.is_some(),
            token,
            foreign,
            is_importable,
        }))
    }

    pub(super) fn read_requests(&mut self) -> Done {
        let mut asked = Asked::default();
        if let Some(folder) = self.look_into(&self.tree().requests())? {
            let entries = unstale(|| folder.list()).map_err(|why| fault(&why))?;
            let mut names: Vec<String> = entries.into_iter().map(|entry| entry.name).collect();
            names.sort_unstable();
            let names = names.iter().filter(|name| !name.ends_with(".denied.json"));
            let mut machines: Vec<&str> = names
                .filter_map(|name| name.strip_suffix(".json"))
                .collect();
            asked.is_cut = machines.len() > limits::REQUESTS_MAX;
            machines.truncate(limits::REQUESTS_MAX);
            for id in machines {
                let note: Option<RequestNote> = read_note(&folder, &format!("{id}.json"))?;
                // A file under another machine's name is nobody's request.
                let note = note.filter(|note| note.machine.0 == id);
                asked.requests.extend(note.map(|note| {
                    let host = self.namesakes.told(&note.machine, note.host);
                    RequestNote { host, ..note }
                }));
            }
            let mine = self.tree().denial(self.machine());
            let denial = read_note::<Denial>(&folder, split(&mine).1)?;
            asked.denial = denial.map(|denial| Denial {
                by: self.namesakes.signed(denial.by),
                ..denial
            });
        }
        let row = self.request_row()?.map(|row| RequestNote {
            machine: MachineId(shown(&row.requester_machine_id)),
            host: shown(&row.requester_host_name),
            pid: u32::try_from(row.requester_pid).unwrap_or(0),
            client: shown(&row.requester_client_kind),
            token: Token(0),
            seq: 0,
            at: row.requested_at.unwrap_or_default(),
        });
        asked.seed = row.filter(|row| {
            let mut requests = asked.requests.iter();
            !requests.any(|request| request.machine == row.machine)
        });
        Ok(Reply::Requests(asked))
    }

    /// The request row of older programs. One that cannot be read asks for nothing.
    pub(super) fn request_row(&mut self) -> Result<Option<row::RequestRow>, Fault> {
        let path = self.tree().request_row();
        let bytes = match self.read_table_file(&path, Table::Request) {
            Ok(Some(bytes)) => bytes,
            Ok(None) | Err(Fault::NotUnderstood(_)) => return Ok(None),
            Err(other) => return Err(other),
        };
        let beat = beat(&bytes);
        if let Some((seen, row)) = &self.seen.request
            && *seen == beat
        {
            return Ok(row.clone());
        }
        let row = self.only_row::<row::RequestRow>(bytes)?.ok();
        self.seen.request = Some((beat, row.clone()));
        Ok(row)
    }

    /// The bytes of a table's file; `None` when it is not there.
    pub(super) fn read_table_file(
        &self,
        path: &str,
        table: Table,
    ) -> Result<Option<Vec<u8>>, Fault> {
        let (folder, name) = split(path);
        let Some(folder) = self.look_into(folder)? else {
            return Ok(None);
        };
        match unstale(|| folder.read(name, table.bytes_max())) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(fault(&why)),
        }
    }

    /// The one row of a file, or what is wrong with it.
    fn only_row<R: Row>(&self, bytes: Vec<u8>) -> Result<Result<R, String>, Fault> {
        let decoded = match self
            .reader
            .read(R::TABLE, bytes.into(), &Default::default())
        {
            Ok(decoded) => decoded,
            // Says nothing about the file.
            Err(ReadError::NoReader(why)) => {
                return Err(Fault::Unknown(format!("start the reader: {why}")));
            }
            Err(why) => return Ok(Err(why.to_string())),
        };
        let cells = decoded
            .groups
            .iter()
            .filter_map(|group| group.cells.as_ref());
        let rows: Result<Vec<Vec<R>>, _> = cells.map(|cells| cells.rows()).collect();
        let mut rows = match rows {
            Ok(rows) => rows.into_iter().flatten(),
            Err(why) => return Ok(Err(why.to_string())),
        };
        Ok(match (rows.next(), rows.next()) {
            (Some(row), None) => Ok(row),
            (None, _) => Err("it has no row".to_owned()),
            (Some(_), Some(_)) => Err("it has more than one row".to_owned()),
        })
    }
}

/// Removes what machines left that died over a look. Both times are the server's. Drafts of claims lie in the epochs, and
/// go with them.
pub(super) fn sweep(epochs: &Folder, now: Timestamp) -> io::Result<()> {
    for entry in epochs.list()? {
        let is_touch = entry.name.starts_with(".touch-");
        if is_touch && now.since(epochs.changed(&entry.name)?) > DRAFT_MAX {
            epochs.remove_all(&entry.name)?;
        }
    }
    Ok(())
}

/// Twelve digits and more: one number twice.
fn starts_as_epoch(name: &str) -> bool {
    let number = name.get(..DIGITS);
    name.len() > DIGITS && number.is_some_and(|number| Epoch::parse(number).is_some())
}

/// A note, when there is one that makes sense.
pub(super) fn read_note<N: Note>(folder: &Folder, name: &str) -> Result<Option<N>, Fault> {
    match unstale(|| folder.read(name, NOTE_BYTES_MAX)) {
        Ok(bytes) => Ok(N::from_bytes(&bytes)),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(why) => match fault(&why) {
            // A pipe, a link, a file too large: no note, and nobody's claim or request.
            Fault::NotUnderstood(_) => Ok(None),
            other => Err(other),
        },
    }
}

/// What stands for the bytes of a file.
fn beat(bytes: &[u8]) -> Beat {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(bytes).as_bytes()[..8]);
    Beat(u64::from_le_bytes(first))
}

fn lease_row(row: row::LeaseRow) -> LeaseRow {
    LeaseRow {
        // An older program has its host's name here; it is compared and shown, never part of a path.
        machine: machine(row.machine_id.clone())
            .unwrap_or_else(|| MachineId(shown(&row.machine_id))),
        host: shown(&row.host_name),
        daemon: shown(&row.daemon_id),
        pid: row.pid,
        status: RowStatus::parse(&shown(&row.status)),
        started_at: row.started_at.unwrap_or_default(),
        checkpoint_at: row.last_checkpoint_at.unwrap_or_default(),
        generation: Generation::parse(&row.generation),
        app_version: shown(&row.app_version),
    }
}
