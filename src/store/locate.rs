//! Which workspace a file belongs to, and what that workspace is called on this machine.

use std::fs;
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;

use crate::disk::DiskError;
use crate::model::{FlowRef, WorkspaceId};

use super::StoreError;

/// The folder that makes its parent a workspace.
pub(super) const MODULES: &str = "flow_modules";

/// True for names under which flows are looked for: `*.graphml`, `*.wf`, `Workfile`.
pub fn is_workfile_name(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    name == "Workfile"
        || ending.is_some_and(|e| e.eq_ignore_ascii_case("graphml") || e.eq_ignore_ascii_case("wf"))
}

/// True for names of modules: `*.py` and `*.ipynb`. Those of Python itself, as `__init__.py`, are none.
pub(super) fn is_module_name(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    !name.starts_with('_')
        && ending.is_some_and(|e| e.eq_ignore_ascii_case("py") || e.eq_ignore_ascii_case("ipynb"))
}

/// Which flow a path is: of the nearest workspace whose `flow_modules/` holds it, else on its own
/// with its folder as workspace. The file itself need not exist; its folder must.
pub fn locate(path: &Path) -> Result<FlowRef, StoreError> {
    let bad = |why| StoreError::BadPath {
        why,
        path: path.to_owned(),
    };
    if fs::metadata(path).is_ok_and(|meta| meta.is_dir()) {
        return Err(bad("it is a folder, not a workfile"));
    }
    let path = absolute(path).map_err(|cause| DiskError::io("use path", path, cause))?;
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(bad("it names no file"));
    };
    let Some(name) = name.to_str() else {
        return Err(bad("its name is not UTF-8; rename it"));
    };
    // The folder is resolved, so that two ways to it are one flow. A link as the file itself keeps
    // its name: the flow belongs where the operator put it.
    let dir = dir
        .canonicalize()
        .map_err(|cause| DiskError::io("use path", dir, cause))?;
    let root = dir
        .ancestors()
        .find(|at| at.file_name().is_some_and(|name| name == MODULES))
        .and_then(Path::parent)
        .unwrap_or(&dir);
    let Some(file) = dir
        .strip_prefix(root)
        .ok()
        .and_then(|sub| slashed(sub, name))
    else {
        return Err(bad("a folder on the way to it is not UTF-8; rename it"));
    };
    Ok(FlowRef {
        workspace: workspace_id(root),
        root: Arc::from(root),
        file: file.into(),
    })
}

/// Whether a flow is a file on its own, so that nobody has control of it. Asks the disk only for files beside
/// `flow_modules/`; where nobody can tell, it is none.
pub fn stands_alone(flow: &FlowRef) -> bool {
    !lies_in_modules(flow) && is_controlled(&flow.root).is_ok_and(|is_shared| !is_shared)
}

/// Whether a flow lies in the `flow_modules/` of its workspace.
pub fn lies_in_modules(flow: &FlowRef) -> bool {
    let first = flow.file.split_once('/').map(|(first, _)| first);
    first == Some(MODULES)
}

/// Whether the folder is a workspace that several machines may share, and so one that has an owner: it holds
/// `flow_modules/`. A file on its own is nobody's. The error says that nobody knows. May wait for a file server.
pub fn is_controlled(root: &Path) -> std::io::Result<bool> {
    match fs::metadata(root.join(MODULES)) {
        Ok(found) => Ok(found.is_dir()),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(why) => Err(why),
    }
}

/// `sub/name` with `/` between the parts; `None` when a part is not UTF-8.
fn slashed(sub: &Path, name: &str) -> Option<String> {
    let mut text = String::new();
    for part in sub {
        text.push_str(part.to_str()?);
        text.push('/');
    }
    text.push_str(name);
    Some(text)
}

/// The id of the workspace at `root` on this machine: its folder's name, as far as that is safe in
/// a path, and eight hex digits that stand for the whole path. The same for all ways to it.
pub fn workspace_id(root: &Path) -> WorkspaceId {
    let root: PathBuf = root
        .canonicalize()
        .or_else(|_| absolute(root))
        .unwrap_or_else(|_| root.to_owned());
    workspace_id_of(&root)
}

/// The same of a path that is absolute and free of links already. Asks no disk: the folder may be one that hangs.
pub fn workspace_id_of(root: &Path) -> WorkspaceId {
    let name: String = root
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .chars()
        .take(40)
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect();
    let name = if name.is_empty() { "root" } else { &name };
    let hash = blake3::hash(root.as_os_str().as_encoded_bytes()).to_hex();
    WorkspaceId::new(format!("{name}-{}", &hash[..8]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_file_belongs_to_the_nearest_workspace_that_holds_it() {
        let dir = tempfile::tempdir().expect("temp dir");
        let base = dir.path().canonicalize().expect("real path");
        for sub in [
            "ws/flow_modules/etl/daily",
            "ws/flow_modules/inner/flow_modules",
            "ws/config",
            "alone",
        ] {
            fs::create_dir_all(base.join(sub)).expect("mkdir");
        }
        let cases = [
            ("ws/flow_modules/a.graphml", "ws", "flow_modules/a.graphml"),
            (
                "ws/flow_modules/etl/daily/b.wf",
                "ws",
                "flow_modules/etl/daily/b.wf",
            ),
            (
                "ws/flow_modules/inner/flow_modules/c.wf",
                "ws/flow_modules/inner",
                "flow_modules/c.wf",
            ),
            ("ws/config/d.graphml", "ws/config", "d.graphml"),
            ("ws/Workfile", "ws", "Workfile"),
            ("alone/e.graphml", "alone", "e.graphml"),
            ("alone/../ws/flow_modules/f.wf", "ws", "flow_modules/f.wf"),
        ];
        for (path, root, file) in cases {
            let flow = locate(&base.join(path)).expect(path);
            assert_eq!(&*flow.root, base.join(root), "{path}");
            assert_eq!(&*flow.file, file, "{path}");
            assert_eq!(flow.workspace, workspace_id(&base.join(root)), "{path}");
        }
    }

    #[test]
    fn two_ways_to_a_file_are_one_flow() {
        let dir = tempfile::tempdir().expect("temp dir");
        fs::create_dir_all(dir.path().join("ws/flow_modules")).expect("mkdir");
        symlink("ws", dir.path().join("way")).expect("link");
        let one = locate(&dir.path().join("ws/flow_modules/a.wf")).expect("one");
        let two = locate(&dir.path().join("way/flow_modules/a.wf")).expect("two");
        assert_eq!(one, two);
        assert_eq!(workspace_id(&dir.path().join("way")), one.workspace);
    }

    #[test]
    fn a_folder_and_a_missing_folder_are_told() {
        let dir = tempfile::tempdir().expect("temp dir");
        let told = locate(dir.path()).expect_err("folder").to_string();
        assert!(told.contains("it is a folder"), "{told}");
        let told = locate(&dir.path().join("no/x.wf"))
            .expect_err("missing")
            .to_string();
        assert!(told.contains("no such file or folder"), "{told}");
    }

    #[test]
    fn an_id_is_a_safe_name_that_tells_two_places_of_one_name_apart() {
        let id = workspace_id(Path::new("/no/My data (1)/ü"));
        assert!(id.as_str().starts_with("_-"), "{id}");
        assert_ne!(
            workspace_id(Path::new("/a/work")),
            workspace_id(Path::new("/b/work"))
        );
        assert!(workspace_id(Path::new("/")).as_str().starts_with("root-"));
    }

    #[test]
    fn workfiles_are_known_by_name() {
        for name in ["a.graphml", "a.WF", "Workfile", "x.y.wf"] {
            assert!(is_workfile_name(name), "{name}");
        }
        for name in ["graphml", "a.py", "Workfile.txt", "a.graphml~", "workfile"] {
            assert!(!is_workfile_name(name), "{name}");
        }
    }
}
