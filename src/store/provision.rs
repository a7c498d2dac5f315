//! Sets up a workspace: makes the usual folders and editor settings that are missing, and leaves
//! everything that is there as it is.
//!
//! Unaware of flows. The command line and the window call it; it is asked for, never done by itself.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf, absolute};

use serde_json::{Map, Value, json};

use crate::disk::{self, DiskError, Expect};
use crate::model::workspace_name_flaw;

use super::StoreError;
use super::locate::MODULES;

/// Folders of a workspace, in the order they are made.
const FOLDERS: [&str; 4] = [MODULES, "flow_modules/flow_helpers", "config", "databases"];

/// Settings of an editor, in the workspace and in the collection.
const EDITOR_FILE: &str = ".vscode/settings.json";

/// What setting up a workspace came to. Paths are absolute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provisioned {
    /// The workspace.
    pub workspace: PathBuf,
    /// The collection it belongs to; `None` when its parent folder is none.
    pub collection: Option<PathBuf>,
    /// Folders and files that were made.
    pub created: Vec<PathBuf>,
    /// Folders and files that were there, and are as they were.
    pub kept: Vec<PathBuf>,
}

/// Makes what is missing of the workspace at `root`, and of the collection it lies in. The folder
/// above counts as its collection when it is the `configured` one, when it holds another workspace,
/// or when it holds nothing else; a home folder never becomes one by this.
///
/// Nothing that exists is changed. Whatever stands in the way is found before anything is made.
pub fn provision(root: &Path, configured: Option<&Path>) -> Result<Provisioned, StoreError> {
    let root = real(root)?;
    let bad = |why| StoreError::BadPath {
        why,
        path: root.clone(),
    };
    match root.file_name().map(|name| name.to_str()) {
        None => return Err(bad("a workspace needs a folder of its own")),
        Some(None) => return Err(bad("its name is not UTF-8; choose another")),
        Some(Some(name)) => {
            if let Some(flaw) = workspace_name_flaw(name) {
                return Err(bad(flaw));
            }
        }
    }
    let name = root.file_name().unwrap_or_default().to_string_lossy();
    let own_settings = workspace_settings(&name);
    let collection = collection_of(&root, configured);
    let mut plan = vec![(root.clone(), None)];
    plan.extend(FOLDERS.iter().map(|folder| (root.join(folder), None)));
    let mut settings = vec![(&root, own_settings)];
    if let Some(collection) = &collection {
        settings.push((collection, collection_settings()));
    }
    for (folder, text) in settings {
        plan.push((folder.join(".vscode"), None));
        plan.push((folder.join(EDITOR_FILE), Some(text)));
    }
    for (path, text) in &plan {
        look(path, text.is_some())?;
    }
    let mut done = Provisioned {
        workspace: root,
        collection,
        ..Provisioned::default()
    };
    for (path, text) in plan {
        let made = match &text {
            None => make_folder(&path)?,
            Some(text) => make_file(&path, text)?,
        };
        // The folder of the editor's settings is a means; the file is what a person looks for.
        let told = text.is_some() || !path.ends_with(".vscode");
        if told && made {
            done.created.push(path);
        } else if told {
            done.kept.push(path);
        }
    }
    Ok(done)
}

/// The real path of a folder that may not be there yet.
fn real(path: &Path) -> Result<PathBuf, StoreError> {
    let failed = |cause| DiskError::io("use path", path, cause);
    let path = absolute(path).map_err(failed)?;
    // Whatever is missing of the path has no links in it.
    let mut missing = Vec::new();
    let mut at = path.as_path();
    loop {
        match at.canonicalize() {
            Ok(real) => return Ok(missing.iter().rev().fold(real, |at, name| at.join(name))),
            Err(cause) if cause.kind() == ErrorKind::NotFound => {
                let (Some(name), Some(parent)) = (at.file_name(), at.parent()) else {
                    return Err(failed(cause).into());
                };
                missing.push(name);
                at = parent;
            }
            Err(cause) => return Err(failed(cause).into()),
        }
    }
}

fn collection_of(root: &Path, configured: Option<&Path>) -> Option<PathBuf> {
    let configured = configured.and_then(|path| real(path).ok());
    if configured.as_deref() == Some(root) {
        // A root with its own flow_modules is one workspace: both settings would be one file.
        return None;
    }
    let parent = root.parent()?;
    if configured.as_deref() == Some(parent) {
        return Some(parent.to_owned());
    }
    let is_home = directories::BaseDirs::new().is_some_and(|dirs| dirs.home_dir() == parent);
    if is_home || parent.parent().is_none() {
        return None;
    }
    let others: Vec<PathBuf> = match fs::read_dir(parent) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        // It is yet to be made, and will hold this alone.
        Err(cause) if cause.kind() == ErrorKind::NotFound => Vec::new(),
        Err(_) => return None,
    };
    // The editor's settings are what an earlier provisioning made there.
    let ours = |path: &PathBuf| path == root || path.ends_with(".vscode");
    let mut others = others.into_iter().filter(|path| !ours(path)).peekable();
    let counts = others.peek().is_none() || others.any(|path| path.join(MODULES).is_dir());
    counts.then(|| parent.to_owned())
}

/// The collection that shows a workspace: the folder above it where that is one, else the workspace itself.
pub fn collection_showing(root: &Path) -> PathBuf {
    collection_of(root, None).unwrap_or_else(|| root.to_owned())
}

/// Refuses what cannot be made because something else is in its place.
fn look(path: &Path, is_file: bool) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() == is_file => Err(StoreError::BadPath {
            why: if is_file {
                "a folder is where a file belongs; rename it"
            } else {
                "a file is where a folder belongs; rename it"
            },
            path: path.to_owned(),
        }),
        Ok(_) => Ok(()),
        Err(cause) if cause.kind() == ErrorKind::NotFound => match fs::symlink_metadata(path) {
            Ok(_) => Err(StoreError::BadPath {
                why: "it is a link that leads nowhere; remove it",
                path: path.to_owned(),
            }),
            Err(_) => Ok(()),
        },
        Err(cause) => Err(DiskError::io("look at", path, cause).into()),
    }
}

/// Makes a folder as the person's own programs would, with those above it; true when it was missing.
fn make_folder(path: &Path) -> Result<bool, StoreError> {
    if path.is_dir() {
        return Ok(false);
    }
    fs::create_dir_all(path).map_err(|cause| DiskError::io("create folder", path, cause))?;
    Ok(true)
}

fn make_file(path: &Path, settings: &Value) -> Result<bool, StoreError> {
    if path.exists() {
        return Ok(false);
    }
    let text = format!("{settings:#}\n");
    match disk::replace(path, text.as_bytes(), Expect::Absent) {
        Ok(_) => Ok(true),
        // Somebody made it meanwhile; theirs stays.
        Err(DiskError::Exists { .. }) => Ok(false),
        Err(why) => Err(why.into()),
    }
}

/// Settings for an editor that opens the workspace alone. No path of this machine: workstations
/// share the file. Data Engine's variables stand there too, because it leaves a file that exists as it is, as we do;
/// but for the folder that it is installed in, which is another on each machine.
fn workspace_settings(name: &str) -> Value {
    let variables = [
        ("HANDMILL_COLLECTION", "${workspaceFolder}"),
        ("HANDMILL_WORKSPACE", "${workspaceFolder}"),
        ("HANDMILL_CONFIG", "${workspaceFolder}/config"),
        ("HANDMILL_DATABASES", "${workspaceFolder}/databases"),
        ("DATA_ENGINE_WORKSPACE_ROOT", "${workspaceFolder}"),
        ("DATA_ENGINE_WORKSPACE_ID", name),
    ];
    editor_settings(".workspace_state", &variables)
}

/// Settings for an editor that opens the whole collection.
fn collection_settings() -> Value {
    let variables = [
        ("HANDMILL_COLLECTION", "${workspaceFolder}"),
        (
            "DATA_ENGINE_WORKSPACE_COLLECTION_ROOT",
            "${workspaceFolder}",
        ),
    ];
    editor_settings("**/.workspace_state", &variables)
}

fn editor_settings(hidden: &str, variables: &[(&str, &str)]) -> Value {
    let hidden = json!({ hidden: true });
    let variables: Map<String, Value> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    json!({
        "python.defaultInterpreterPath": "${workspaceFolder}/.venv",
        "files.exclude": hidden,
        "search.exclude": hidden,
        "terminal.integrated.env.linux": variables,
        "terminal.integrated.env.osx": variables,
        "terminal.integrated.env.windows": variables,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_the_way_is_told_before_anything_is_made() {
        let dir = tempfile::tempdir().expect("temp dir");
        let root = dir.path().join("ws");
        fs::create_dir(&root).expect("mkdir");
        fs::write(root.join("databases"), "mine").expect("write");
        let told = provision(&root, None).expect_err("in the way").to_string();
        assert!(told.contains("a file is where a folder belongs"), "{told}");
        assert_eq!(
            fs::read_dir(&root).expect("list").count(),
            1,
            "nothing was made"
        );
    }

    #[test]
    fn a_name_that_no_workspace_may_have_is_refused() {
        let dir = tempfile::tempdir().expect("temp dir");
        let told = provision(&dir.path().join("nul"), None).expect_err("a device");
        assert!(
            told.to_string().contains("Windows keeps the name"),
            "{told}"
        );
        assert!(!dir.path().join("nul").exists());
    }

    #[test]
    fn the_folder_above_is_a_collection_only_when_it_is_known_for_one() {
        let dir = tempfile::tempdir().expect("temp dir");
        let base = dir.path().canonicalize().expect("real path");
        let root = base.join("ws");
        assert_eq!(
            collection_of(&root, None),
            Some(base.clone()),
            "it is empty"
        );
        fs::write(base.join("letters.txt"), "").expect("write");
        assert_eq!(collection_of(&root, None), None, "it holds other things");
        assert_eq!(collection_of(&root, Some(&base)), Some(base.clone()));
        assert_eq!(
            collection_of(&root, Some(&root)),
            None,
            "the root is the workspace"
        );
        fs::create_dir_all(base.join("other/flow_modules")).expect("mkdir");
        assert_eq!(collection_of(&root, None), Some(base));
    }
}
