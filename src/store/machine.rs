//! Where things live on this machine.
//!
//! Only names places: a folder is made by whoever first writes into it, so that a look at Handmill
//! without a collection leaves nothing behind.

use std::path::{Path, PathBuf, absolute};

use crate::model::WorkspaceId;

use super::StoreError;

/// Puts everything machine-local under one folder; every test uses it.
const HOME_VARIABLE: &str = "HANDMILL_HOME";

/// All machine-local places of Handmill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    config: PathBuf,
    data: PathBuf,
}

impl Home {
    /// The folder that `HANDMILL_HOME` names, else the system's places for a user's applications.
    pub fn from_env() -> Result<Self, StoreError> {
        if let Some(home) = std::env::var_os(HOME_VARIABLE).filter(|home| !home.is_empty()) {
            return Ok(Self::at(home));
        }
        // Local, not roaming: SQLite and locks need a disk of this machine.
        directories::ProjectDirs::from("", "", "handmill")
            .map(|dirs| Self {
                config: dirs.config_local_dir().to_owned(),
                data: dirs.data_local_dir().to_owned(),
            })
            .ok_or(StoreError::NoHome)
    }

    /// Everything under `folder`.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        // Children run in other working folders; a relative place would move with them.
        let folder = absolute(&folder).unwrap_or(folder);
        Self {
            config: folder.clone(),
            data: folder,
        }
    }

    /// Where ledgers, logs and locks lie.
    pub fn data_dir(&self) -> &Path {
        &self.data
    }

    /// Whether this user may write where ledgers, logs and locks lie, and to the settings.
    pub fn check_writable(&self) -> Result<(), StoreError> {
        for folder in [&self.data, &self.config] {
            if folder.exists() {
                crate::disk::check_writable(folder)?;
            }
        }
        Ok(())
    }

    /// The settings.
    pub fn settings_file(&self) -> PathBuf {
        self.config.join("settings.json")
    }

    /// The number that makes this machine another than all others in shared folders.
    pub fn machine_file(&self) -> PathBuf {
        self.data.join("machine.json")
    }

    /// What this machine knows of a workspace: its ledger and logs.
    pub fn workspace_dir(&self, workspace: &WorkspaceId) -> PathBuf {
        self.data.join("workspaces").join(folder_name(workspace))
    }

    /// Where the sitter of this home is reached.
    pub fn sitter_dir(&self) -> PathBuf {
        self.data.join("sitter")
    }

    /// What makes another process of ours use this home, when the environment alone does not.
    pub fn setting(&self) -> Option<(&'static str, &Path)> {
        // One folder for everything is what the variable means, and what it was made of.
        (self.config == self.data).then_some((HOME_VARIABLE, self.data.as_path()))
    }

    /// Locks of running flows and requests to stop them.
    pub fn locks_dir(&self) -> PathBuf {
        self.data.join("locks")
    }

    /// What the Handmills of this machine leave each other about control of a workspace.
    pub fn control_dir(&self, workspace: &WorkspaceId) -> PathBuf {
        self.workspace_dir(workspace).join("control")
    }

    /// What was typed and not saved.
    pub fn journals_dir(&self) -> PathBuf {
        self.data.join("journals")
    }

    /// Earlier versions of workfiles.
    pub fn backups_dir(&self) -> PathBuf {
        self.data.join("backups")
    }

    /// The workfiles that may run without a question.
    pub fn trust_file(&self) -> PathBuf {
        self.data.join("trust.json")
    }

    /// The names of resources.
    pub fn resources_file(&self) -> PathBuf {
        self.data.join("resources.json")
    }

    /// What tells the keyring's values of this home from those of another: a test with a home of its own must not
    /// meet what the person at this machine keeps.
    pub fn keyring_scope(&self) -> String {
        match self.setting() {
            None => "user".to_owned(),
            Some((_, folder)) => path_key(folder),
        }
    }

    /// Makes [`Home::workspace_dir`], readable by the user alone.
    pub fn make_workspace_dir(&self, workspace: &WorkspaceId) -> Result<PathBuf, StoreError> {
        make(self.workspace_dir(workspace))
    }

    /// Makes [`Home::locks_dir`], readable by the user alone.
    pub fn make_locks_dir(&self) -> Result<PathBuf, StoreError> {
        make(self.locks_dir())
    }
}

fn make(dir: PathBuf) -> Result<PathBuf, StoreError> {
    crate::disk::make_private_folder(&dir)?;
    Ok(dir)
}

/// A workspace id as one part of a path. Ids made by [`super::workspace_id`] are safe as they are.
pub(super) fn folder_name(workspace: &WorkspaceId) -> String {
    let id = workspace.as_str();
    let safe = !id.is_empty()
        && id.len() <= 100
        && !id.starts_with('.')
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if safe && Path::new(id).file_name().is_some() {
        id.to_owned()
    } else {
        format!("x-{}", &blake3::hash(id.as_bytes()).to_hex()[..16])
    }
}

/// A path as one part of another: sixteen hex digits.
pub(super) fn path_key(path: &Path) -> String {
    blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex()[..16].to_owned()
}

/// Makes a folder of ours, with those above it, readable by nobody else.
pub fn make_folder(path: &Path) -> Result<(), StoreError> {
    Ok(crate::disk::make_private_folder(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn naming_places_makes_none() {
        let dir = tempfile::tempdir().expect("temp dir");
        let home = Home::at(dir.path().join("home"));
        let id = WorkspaceId::new("w-00000000");
        assert!(home.settings_file().starts_with(dir.path()));
        assert!(home.workspace_dir(&id).ends_with("workspaces/w-00000000"));
        assert!(home.locks_dir().starts_with(dir.path()));
        assert_eq!(std::fs::read_dir(dir.path()).expect("list").count(), 0);
        assert!(home.make_workspace_dir(&id).expect("make").is_dir());
    }

    #[test]
    fn a_workspace_id_never_leads_out_of_its_folder() {
        let home = Home::at("/home");
        for id in ["..", ".", "", "a/b", "/etc", "a\\b", ".hidden", "ü"] {
            let dir = home.workspace_dir(&WorkspaceId::new(id));
            assert_eq!(dir.parent(), Some(Path::new("/home/workspaces")), "{id:?}");
        }
    }
}
