//! Which workfiles may run without a question on this machine.
//!
//! `trust.json`, version 1. A workfile is trusted by its path together with what it would run: its commands,
//! wrapper, shell, folders and environment. Another program that moves nodes about changes nothing; one that
//! changes a command brings the question back. A folder can be trusted as a whole.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::disk::{self, DiskError, LockFile, Locked};
use crate::model::{Env, Flow, resources_text};

use super::machine::path_key;
use super::{Home, StoreError};

const VERSION: u32 = 1;
/// Workfiles remembered; the ones trusted longest ago are forgotten first.
const FILES_MAX: usize = 20_000;
const BYTES_MAX: u64 = 16 << 20;

/// The list as the file has it. What cannot be read is trusted by nobody.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trust {
    version: u32,
    roots: Vec<String>,
    files: Vec<TrustedFile>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct TrustedFile {
    /// Sixteen hex digits of the path's BLAKE3: a path need not be UTF-8.
    key: String,
    /// The path, for people.
    path: String,
    /// What it would run, as [`what_runs`].
    runs: String,
}

impl Trust {
    /// The list of this machine. One that cannot be read trusts nobody.
    pub fn load(home: &Home) -> Self {
        Self::read(home).unwrap_or_default().unwrap_or_default()
    }

    /// The list; `None` when there is a file that is none.
    fn read(home: &Home) -> Result<Option<Self>, StoreError> {
        let bytes = match disk::read_with_stamp(&home.trust_file(), BYTES_MAX) {
            Ok((bytes, _)) => bytes,
            Err(why) if why.is_not_found() => return Ok(Some(Self::default())),
            Err(why) => return Err(why.into()),
        };
        let list: Option<Self> = serde_json::from_slice(&bytes).ok();
        Ok(list.filter(|list| list.version <= VERSION))
    }

    /// True when the workfile at `path`, which says `flow`, may run without a question.
    pub fn holds(&self, path: &Path, flow: &Flow) -> bool {
        let (key, runs) = (path_key(path), what_runs(flow));
        self.roots.iter().any(|root| path.starts_with(root))
            || self
                .files
                .iter()
                .any(|file| file.key == key && file.runs == runs)
            || flow
                .graph
                .nodes()
                .all(|node| node.command.trim().is_empty())
    }
}

/// Trusts the workfile at `path` as long as it would run what `flow` does.
pub fn trust_file(home: &Home, path: &Path, flow: &Flow) -> Result<(), StoreError> {
    let file = TrustedFile {
        key: path_key(path),
        path: path.display().to_string(),
        runs: what_runs(flow),
    };
    // Mostly it is known already; then nothing is written and nobody waits.
    if Trust::load(home).files.contains(&file) {
        return Ok(());
    }
    change(home, |list| {
        list.files.retain(|other| other.key != file.key);
        list.files.push(file);
        let n_over = list.files.len().saturating_sub(FILES_MAX);
        list.files.drain(..n_over);
    })
}

/// Trusts every workfile below a folder, whatever it will run.
pub fn trust_root(home: &Home, root: &Path) -> Result<(), StoreError> {
    let root: PathBuf = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let Some(root) = root.to_str().map(str::to_owned) else {
        return Err(StoreError::BadPath {
            why: "its name is not UTF-8; rename it",
            path: root,
        });
    };
    change(home, |list| {
        if !list.roots.contains(&root) {
            list.roots.push(root);
        }
    })
}

/// Reads, changes and writes the list while no other process does.
fn change(home: &Home, edit: impl FnOnce(&mut Trust)) -> Result<(), StoreError> {
    let path = home.trust_file();
    if let Some(dir) = path.parent() {
        disk::make_private_folder(dir)?;
    }
    let lock_path = path.with_extension("lock");
    let _lock = loop {
        match LockFile::try_acquire(&lock_path)? {
            Locked::Ours(lock) => break lock,
            Locked::Theirs => LockFile::wait_free(&lock_path)?,
        }
    };
    // A list that cannot be read just now is not written over.
    let mut list = match Trust::read(home)? {
        Some(list) => list,
        None => {
            disk::set_aside(&path, "bad")?;
            Trust::default()
        }
    };
    list.version = VERSION;
    edit(&mut list);
    let text = serde_json::to_vec_pretty(&list)
        .map_err(|why| DiskError::io("write file", &path, why.into()))?;
    disk::replace_private(&path, &text)?;
    Ok(())
}

/// A fingerprint of everything in a flow that is carried out.
fn what_runs(flow: &Flow) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut put = |text: &str| {
        // With its length, so that no two lists read the same.
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    let wrapper = flow.wrapper.as_ref().map(|wrapper| wrapper.template());
    put(wrapper.unwrap_or_default());
    for text in [&flow.shell, &flow.cwd] {
        put(text);
    }
    let env = |env: &Env| env.to_text();
    put(&env(&flow.env));
    let mut nodes: Vec<[String; 3]> = flow
        .graph
        .nodes()
        .map(|node| [node.command.clone(), node.cwd.clone(), env(&node.env)])
        .collect();
    nodes.sort_unstable();
    for text in nodes.iter().flatten() {
        put(text);
    }
    // Which secrets a command is given matters as much as what it does. Files that name none keep the fingerprint they
    // had before there were any.
    let mut named: Vec<[String; 2]> = flow
        .graph
        .nodes()
        .filter(|node| !node.resources.is_empty())
        .map(|node| [node.command.clone(), resources_text(&node.resources)])
        .collect();
    named.sort_unstable();
    if !named.is_empty() {
        // No workfile can hold this one.
        put("\0resources");
    }
    for text in named.iter().flatten() {
        put(text);
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Node, Point};

    fn flow(command: &str) -> Flow {
        let mut flow = Flow::default();
        let node = Node::new("a", command, Point::default());
        flow.graph.add_node(node).expect("fresh id");
        flow
    }

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().expect("temp dir");
        let home = Home::at(dir.path().join("home"));
        (dir, home)
    }

    #[test]
    fn a_workfile_is_trusted_by_its_path_and_by_what_it_runs() {
        let (_dir, home) = home();
        let path = Path::new("/w/a.graphml");
        let mine = flow("echo a");
        assert!(!Trust::load(&home).holds(path, &mine));
        trust_file(&home, path, &mine).expect("trusted");
        let list = Trust::load(&home);
        assert!(list.holds(path, &mine));
        assert!(!list.holds(Path::new("/w/b.graphml"), &mine));
        assert!(!list.holds(path, &flow("echo b")));
        let mut moved = mine.clone();
        moved.graph.node_mut(&"a".into()).expect("there").pos.x = 9.0;
        moved.title = "New title".into();
        assert!(list.holds(path, &moved), "what runs is the same");
        for change in [
            |flow: &mut Flow| flow.shell = "zsh".into(),
            |flow: &mut Flow| flow.cwd = "x".into(),
            |flow: &mut Flow| flow.env = Env::parse("LD_PRELOAD=x").0,
            |flow: &mut Flow| {
                let node = flow.graph.node_mut(&"a".into()).expect("there");
                node.resources = crate::model::parse_resources("DB_URL").0;
            },
            |flow: &mut Flow| flow.wrapper = Some(crate::model::Wrapper::new("x {}")),
        ] {
            let mut changed = mine.clone();
            change(&mut changed);
            assert!(!list.holds(path, &changed), "{changed:?}");
        }
        trust_file(&home, path, &flow("echo b")).expect("trusted");
        let list = Trust::load(&home);
        assert!(!list.holds(path, &mine), "the newest only");
    }

    #[test]
    fn a_folder_is_trusted_with_all_below_it_and_nothing_beside() {
        let (dir, home) = home();
        let root = dir.path().join("c");
        std::fs::create_dir(&root).expect("mkdir");
        trust_root(&home, &root).expect("trusted");
        let root = root.canonicalize().expect("real");
        let list = Trust::load(&home);
        assert!(list.holds(&root.join("w/a.wf"), &flow("rm")));
        assert!(!list.holds(&dir.path().join("cc/a.wf"), &flow("rm")));
    }

    #[test]
    fn a_list_that_cannot_be_read_trusts_nobody_and_one_with_nothing_to_run_needs_none() {
        let (_dir, home) = home();
        std::fs::create_dir_all(home.trust_file().parent().expect("parent")).expect("mkdir");
        for bad in ["", "[", r#"{"version": 9, "roots": ["/"]}"#] {
            std::fs::write(home.trust_file(), bad).expect("write");
            assert!(
                !Trust::load(&home).holds(Path::new("/a"), &flow("x")),
                "{bad}"
            );
        }
        assert!(Trust::load(&home).holds(Path::new("/a"), &flow(" ")));
    }
}
