//! The state folder of one workspace, `.workspace_state`, and the carrying of the protocol's
//! operations in it.
//!
//! Unaware of when and why: each call is one [`Op`], and what came of it. The folder is opened anew
//! for every operation, so that nothing stale is held of a server that went and came back.

use std::io;
use std::path::{Path, PathBuf};

use crate::lease::{Fault, MachineId, Op, Reply, Tree};

use super::fault::{fault, unstale};
use super::folder::{Folder, FolderId};
use super::look::Seen;
use super::machine::host_name;
use super::name;
use super::namesakes::Namesakes;
use super::snapshot::{LedgerSide, Observer, Publisher};
use super::table::TableReader;

/// The name of the state folder in a workspace.
pub(super) const STATE: &str = ".workspace_state";
/// Tells git that nothing in its folder, itself included, belongs into a repository.
const GIT_IGNORE: &str = ".gitignore";
/// The folder that holds the log of epochs, and settles what the workspace is called here.
pub(super) const EPOCHS: &str = "epochs";

/// What a workspace is called in its shared folder, unless it is known there by another name already.
pub fn shared_name(workspace: &Path) -> String {
    name::stored(&workspace.file_name().unwrap_or_default().to_string_lossy())
}

/// Whether anybody ever made a state folder in the workspace: where there is none, nobody shares it yet. May wait for a
/// file server.
pub fn has_state(workspace: &Path) -> bool {
    workspace.join(STATE).is_dir()
}

/// The shared state of one workspace. Every call may wait as long as a file server does.
#[derive(Debug)]
pub struct SharedFolder {
    workspace: PathBuf,
    id: FolderId,
    /// What the workspace is called in the shared folder.
    name: String,
    machine: MachineId,
    pub(super) reader: TableReader,
    pub(super) publisher: Publisher,
    pub(super) observer: Observer,
    pub(super) seen: Seen,
    pub(super) namesakes: Namesakes,
}

impl SharedFolder {
    /// Opens the workspace at `workspace` for a look; nothing is made before a claim or a request.
    pub fn open(workspace: &Path, machine: MachineId, reader: TableReader) -> Result<Self, Fault> {
        let folder = match Folder::open(workspace) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Err(Fault::Vanished),
            other => other.map_err(|why| fault(&why))?,
        };
        let id = folder.id().map_err(|why| fault(&why))?;
        let mut shared = Self {
            workspace: workspace.to_owned(),
            id,
            name: shared_name(workspace),
            namesakes: Namesakes::new(machine.clone(), host_name()),
            machine,
            reader,
            publisher: Publisher::default(),
            observer: Observer::default(),
            seen: Seen::default(),
        };
        shared.settle_name()?;
        Ok(shared)
    }

    /// With another number of runs in its snapshots than the newest 500.
    #[must_use]
    pub fn sharing_runs(mut self, runs_kept: usize) -> Self {
        self.publisher = Publisher::keeping(runs_kept);
        self
    }

    /// What the workspace is called in the shared folder: `<ws>` of the protocol.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// This machine.
    pub fn machine(&self) -> &MachineId {
        &self.machine
    }

    /// Carries out one operation.
    pub fn carry(&mut self, op: &Op, ledger: &mut dyn LedgerSide) -> Reply {
        let done = match op {
            Op::Touch { token } => self.touch(*token),
            Op::ListEpochs => self.list_epochs(),
            Op::ReadEpoch { epoch } => self.read_epoch(*epoch),
            Op::ReadRow => self.read_row(),
            Op::ReadMarkers => self.read_markers(),
            Op::ReadRequests => self.read_requests(),
            Op::MakeNew { note } => self.make_new(note),
            Op::RenameNew { token, epoch } => self.rename_new(*token, *epoch),
            Op::DropNew { token, epoch } => self.drop_new(*token, *epoch),
            Op::EmptyPen { epoch } => self.empty_pen(*epoch),
            Op::RemovePen { epoch } => self.remove_pen(*epoch),
            Op::WriteEnded { epoch, note } => self.write_ended(*epoch, note),
            Op::Quarantine { name } => self.quarantine(name),
            Op::Hydrate => self.hydrate(ledger),
            Op::WritePage { epoch, token, page } => self.write_page(*epoch, *token, page, ledger),
            Op::MovePage { epoch, token, page } => self.move_page(*epoch, *token, page),
            Op::SetMirrors { owner } => self.set_mirrors(owner.as_ref()),
            Op::WriteHint { epoch, hint } => self.write_hint(*epoch, hint),
            Op::ReleasePen { epoch } => self.release_pen(*epoch),
            Op::RemoveEpoch { epoch } => self.remove_epoch(*epoch),
            Op::WriteRequest { note } => self.write_request(note),
            Op::WriteRequestRow { note } => self.write_request_row(note),
            Op::RemoveRequest { machine } => self.remove_request(machine),
            Op::RemoveRequestRow { machine } => self.remove_request_row(machine),
            Op::WriteDenial { denial } => self.write_denial(denial),
        };
        match done {
            Ok(reply) => reply,
            // What is missing may be a file, or the share itself.
            Err(Fault::Gone) => Reply::Failed(self.workspace_folder().err().unwrap_or(Fault::Gone)),
            Err(fault) => Reply::Failed(fault),
        }
    }

    pub(super) fn tree(&self) -> Tree<'_> {
        Tree {
            workspace: &self.name,
        }
    }

    /// The workspace's folder, if it is still the one that was opened.
    ///
    /// An empty mount point is a folder too, and writing there would be writing on this machine's
    /// own disk. So another folder in its place counts only when it holds the same workspace.
    pub(super) fn workspace_folder(&self) -> Result<Folder, Fault> {
        let folder = match unstale(|| Folder::open(&self.workspace)) {
            Ok(folder) => folder,
            Err(why) => {
                return Err(match fault(&why) {
                    Fault::Gone | Fault::NotUnderstood(_) => Fault::Vanished,
                    other => other,
                });
            }
        };
        let is_same = folder.id().is_ok_and(|id| id == self.id);
        if is_same
            || folder
                .at(&format!("{STATE}/{}", self.tree().epochs()))
                .is_ok()
        {
            Ok(folder)
        } else {
            Err(Fault::Vanished)
        }
    }

    /// The state folder; [`Fault::Gone`] when there is none.
    pub(super) fn state(&self) -> Result<Folder, Fault> {
        let workspace = self.workspace_folder()?;
        unstale(|| workspace.at(STATE)).map_err(|why| fault(&why))
    }

    /// The state folder, made when it is missing. Git passes over one that we made.
    pub(super) fn make_state(&self) -> Result<Folder, Fault> {
        match self.state() {
            Err(Fault::Gone) => {}
            other => return other,
        }
        let workspace = self.workspace_folder()?;
        let state = unstale(|| workspace.make(STATE)).map_err(|why| fault(&why))?;
        // A convenience: another machine may be faster with it, and a disk that refuses it is told of by what follows.
        let written = state.write_new(GIT_IGNORE, b"*\n");
        written.and_then(|()| state.sync()).ok();
        Ok(state)
    }

    /// A folder inside the state folder; `None` when it is not there.
    pub(super) fn look_into(&self, path: &str) -> Result<Option<Folder>, Fault> {
        let state = match self.state() {
            Err(Fault::Gone) => return Ok(None),
            other => other?,
        };
        match unstale(|| state.at(path)) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(fault(&why)),
            Ok(folder) => Ok(Some(folder)),
        }
    }

    /// A folder inside the state folder, made with those above it when it is missing.
    pub(super) fn make(&self, path: &str) -> Result<Folder, Fault> {
        let state = self.make_state()?;
        unstale(|| state.make(path)).map_err(|why| fault(&why))
    }

    /// Takes over the name under which the workspace is known in the shared folder already.
    pub(super) fn settle_name(&mut self) -> Result<(), Fault> {
        let mut names = self.folders_in(EPOCHS)?;
        if names.is_empty() {
            for marker in ["leased", "available"] {
                names.extend(self.folders_in(marker)?);
            }
        }
        names.retain(|found| name::is_plain(found) && !found.contains("__"));
        names.sort_unstable();
        names.dedup();
        if names.contains(&self.name) {
            return Ok(());
        }
        match names.as_slice() {
            [] => Ok(()),
            [only] => {
                self.name.clone_from(only);
                Ok(())
            }
            several => Err(Fault::NotUnderstood(format!(
                "the folder is kept under several names ({}); leave only the one that is used",
                several.join(", ")
            ))),
        }
    }

    fn folders_in(&self, path: &str) -> Result<Vec<String>, Fault> {
        let Some(folder) = self.look_into(path)? else {
            return Ok(Vec::new());
        };
        let entries = folder.list().map_err(|why| fault(&why))?;
        let folders = entries.into_iter().filter(|entry| entry.is_folder);
        Ok(folders.map(|entry| entry.name).collect())
    }
}
