//! The operations by which machines ask each other for control.

use std::io;

use crate::lease::{Denial, Fault, MachineId, Reply, RequestNote};

use super::fault::fault;
use super::folder::split;
use super::name::is_plain;
use super::note::Note;
use super::row::RequestRow;
use super::shared::SharedFolder;

type Done = Result<Reply, Fault>;

impl SharedFolder {
    pub(super) fn write_request(&self, note: &RequestNote) -> Done {
        let path = self.tree().request(plain(&note.machine)?);
        let temp = format!(".{}.tmp", note.machine);
        self.write(&path, &temp, &note.to_bytes())
    }

    pub(super) fn write_request_row(&self, note: &RequestNote) -> Done {
        let row = RequestRow {
            workspace_id: self.name().to_owned(),
            requester_machine_id: note.machine.0.clone(),
            requester_host_name: note.host.clone(),
            requester_pid: i64::from(note.pid),
            requester_client_kind: note.client.clone(),
            requested_at: Some(note.at),
        };
        let temp = format!(".{}.tmp", plain(&note.machine)?);
        let bytes = Self::request_bytes(&row)?;
        self.write(&self.tree().request_row(), &temp, &bytes)
    }

    pub(super) fn remove_request(&self, machine: &MachineId) -> Done {
        let machine = plain(machine)?;
        for path in [self.tree().request(machine), self.tree().denial(machine)] {
            self.remove(&path)?;
        }
        Ok(Reply::Done)
    }

    pub(super) fn remove_request_row(&mut self, machine: &MachineId) -> Done {
        // An older program calls a machine by its host's name.
        let names = |row: &RequestRow| {
            row.requester_machine_id == machine.0 || row.requester_host_name == machine.0
        };
        if self.request_row()?.is_some_and(|row| names(&row)) {
            self.remove(&self.tree().request_row())?;
        }
        Ok(Reply::Done)
    }

    pub(super) fn write_denial(&self, denial: &Denial) -> Done {
        let path = self.tree().denial(plain(&denial.to)?);
        let temp = format!(".{}.denied.tmp", denial.to);
        self.write(&path, &temp, &denial.to_bytes())
    }

    fn write(&self, path: &str, temp: &str, bytes: &[u8]) -> Done {
        let (folder, name) = split(path);
        let folder = self.make(folder)?;
        folder
            .replace(name, temp, bytes)
            .map_err(|why| fault(&why))?;
        Ok(Reply::Done)
    }

    fn remove(&self, path: &str) -> Result<(), Fault> {
        let (folder, name) = split(path);
        let Some(folder) = self.look_into(folder)? else {
            return Ok(());
        };
        let removed = folder.unlink(name).and_then(|()| folder.sync());
        match removed {
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.map_err(|why| fault(&why)),
        }
    }
}

/// The id, when it may be part of a path.
fn plain(machine: &MachineId) -> Result<&MachineId, Fault> {
    match is_plain(&machine.0) {
        true => Ok(machine),
        false => Err(Fault::Refused(
            "the machine's id is no plain name".to_owned(),
        )),
    }
}
