//! Recognising what other programs made of a state folder.
//!
//! What is not understood is never claimed over: it is told in one sentence with what to do.

use std::collections::HashMap;
use std::io;

use serde::Deserialize;

use crate::lease::Fault;

use super::fault::{fault, unstale};
use super::folder::{Folder, split};
use super::name::is_plain;
use super::note::{NOTE_BYTES_MAX, shown};
use super::shared::SharedFolder;
use super::snapshot::{Observer, Picture, Rows};
use super::table::{ReadError, Table};

/// What a bundle of Data Engine 0.5 says of its snapshot.
const MANIFEST: &str = "snapshot_manifest.json";
/// The lock that Data Engine 0.5 makes beside its bundles.
const TOPOLOGY_LOCK: &str = ".lease-topology.lock";

#[derive(Deserialize)]
struct Manifest {
    format_version: u32,
    generation_id: String,
    artifacts: HashMap<String, String>,
}

impl SharedFolder {
    /// Why this state folder is not ours to touch, and whether it can be imported; `None` when it is ours.
    pub(super) fn foreign(&self) -> Result<Option<(String, bool)>, Fault> {
        let Some(state) = self.look_into("")? else {
            return Ok(None);
        };
        let entries = unstale(|| state.list()).map_err(|why| fault(&why))?;
        let theirs = [
            "available",
            "leased",
            "leases",
            "epochs",
            "requests",
            "state",
        ];
        for entry in &entries {
            if theirs.contains(&entry.name.as_str()) && !entry.is_folder {
                let told = format!(
                    "{} in .workspace_state is a link or a file, not a folder. Remove it, then try again.",
                    entry.name
                );
                return Ok(Some((told, false)));
            }
        }
        if let Some(sentence) = self.foreign_marker()? {
            return Ok(Some((sentence, false)));
        }
        let has_lock = entries.iter().any(|entry| entry.name == TOPOLOGY_LOCK);
        let has_log = entries.iter().any(|entry| entry.name == "epochs");
        if self.free_bundle()?.is_some() || has_lock && !has_log {
            let told = "Data Engine 0.5 keeps this workspace, and nobody runs it now. Close Data Engine on every \
                        machine, then take the workspace over into Handmill.";
            return Ok(Some((told.to_owned(), true)));
        }
        Ok(None)
    }

    /// A marker that says that another program has control, or uses another name.
    fn foreign_marker(&self) -> Result<Option<String>, Fault> {
        let Some(leased) = self.look_into("leased")? else {
            return Ok(None);
        };
        let entries = unstale(|| leased.list()).map_err(|why| fault(&why))?;
        for entry in entries {
            if !entry.is_folder || entry.name == self.name() {
                continue;
            }
            let name = shown(&entry.name);
            if entry.name.starts_with(&format!("{}__", self.name())) {
                let bundle = leased.at(&entry.name).map_err(|why| fault(&why))?;
                let by = match bundle.has("lease.parquet") {
                    Ok(true) => "has control of",
                    _ => "is taking control of",
                };
                return Ok(Some(format!(
                    "Data Engine 0.5 {by} this workspace (leased/{name}), and Handmill cannot share it with that \
                     version. Release it there, then take the workspace over here."
                )));
            }
            return Ok(Some(format!(
                "Another program has control of this folder under the name {name}. Release it there, or remove \
                 .workspace_state/leased/{name} when nothing runs it any more."
            )));
        }
        Ok(None)
    }

    /// The bundle of Data Engine 0.5 that nobody holds.
    fn free_bundle(&self) -> Result<Option<Folder>, Fault> {
        let bundle = self.look_into(&format!("available/{}", self.name()))?;
        let Some(bundle) = bundle else {
            return Ok(None);
        };
        let has_manifest = bundle.has(MANIFEST).map_err(|why| fault(&why))?;
        Ok(has_manifest.then_some(bundle))
    }

    /// The history in a bundle of Data Engine 0.5 that nobody holds, as its manifest names it; no rows where that
    /// version never ran anything, and `None` where it never was.
    pub fn read_free_bundle(&self) -> Result<Option<Rows>, Fault> {
        if let Some(sentence) = self.foreign_marker()? {
            return Err(Fault::NotUnderstood(sentence));
        }
        if let Some(bundle) = self.free_bundle()? {
            return self.rows_of_bundle(&bundle).map(Some);
        }
        let has_lock = self
            .state()?
            .has(TOPOLOGY_LOCK)
            .map_err(|why| fault(&why))?;
        Ok(has_lock.then(Rows::default))
    }

    fn rows_of_bundle(&self, bundle: &Folder) -> Result<Rows, Fault> {
        let not_understood = |what: String| Fault::NotUnderstood(format!("the history: {what}"));
        let bytes = match bundle.read(MANIFEST, NOTE_BYTES_MAX) {
            // Claimed, and nothing ran yet.
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Rows::default()),
            other => other.map_err(|why| fault(&why))?,
        };
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|_| not_understood(format!("{MANIFEST} makes no sense")))?;
        if manifest.format_version != 1 || !is_plain(&manifest.generation_id) {
            return Err(not_understood(format!("{MANIFEST} is of a later version")));
        }
        let folder = bundle
            .at(&format!("snapshots/{}", manifest.generation_id))
            .map_err(|why| fault(&why))?;
        let mut files = HashMap::new();
        for table in Table::STATE {
            let (_, noun) = split(table.folder());
            let file = match manifest.artifacts.get(noun) {
                Some(name) if is_plain(name) => {
                    let bytes = folder.read(name, table.bytes_max());
                    Some(bytes.map_err(|why| fault(&why))?.into())
                }
                _ => None,
            };
            files.insert(table, file);
        }
        let generation = Some(manifest.generation_id.as_str());
        match Observer::default().read(&self.reader, files, generation) {
            Ok(Picture::Whole(whole)) => Ok(whole.rows),
            Ok(Picture::Nothing) => Ok(Rows::default()),
            Ok(Picture::Mixed(why)) => Err(not_understood(why)),
            Err(ReadError::NoReader(why)) => {
                Err(Fault::Unknown(format!("start the reader: {why}")))
            }
            Err(why) => Err(not_understood(why.to_string())),
        }
    }

    /// Takes a workspace over that Data Engine 0.5 kept and nobody holds: gives its history, and
    /// puts its bundle and lock aside under `stale/<aside>`, where that version does not look.
    ///
    /// [`Fault::Gone`] when there is no such bundle, or its program was faster.
    pub fn take_over_bundle(&self, aside: &str) -> Result<Rows, Fault> {
        if let Some(sentence) = self.foreign_marker()? {
            return Err(Fault::NotUnderstood(sentence));
        }
        let state = self.state()?;
        let rows = match self.free_bundle()? {
            Some(bundle) => self.rows_of_bundle(&bundle)?,
            // Nothing ever ran there; without the lock it is no workspace of that version at all.
            None if state.has(TOPOLOGY_LOCK).map_err(|why| fault(&why))? => Rows::default(),
            None => return Err(Fault::Gone),
        };
        let stale = self.make(&format!("stale/{aside}"))?;
        let move_aside = |folder: &Folder, name: &str, to: &str| {
            let moved = folder.rename(name, &stale, to).and_then(|()| folder.sync());
            match moved {
                Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
                other => other.map_err(|why| fault(&why)),
            }
        };
        // That program claims by renaming the same folder: one of the two finds it gone.
        if let Some(available) = self.look_into("available")? {
            available
                .rename(self.name(), &stale, "bundle")
                .map_err(|why| fault(&why))?;
            available.sync().map_err(|why| fault(&why))?;
        }
        move_aside(&state, TOPOLOGY_LOCK, "lease-topology.lock")?;
        stale.sync().map_err(|why| fault(&why))?;
        Ok(rows)
    }
}
