//! What a collection root holds: its workspaces and their flows, good and broken.
//!
//! Reads every flow whole, for its title, group and size. One that cannot be read is one entry with
//! a problem; it never hides the others.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::plain_cause;
use crate::model::{Catalog, FlowEntry, FlowRef, WorkspaceEntry, WorkspaceId};

use super::locate::{MODULES, is_workfile_name, workspace_id};

/// Folders within folders that are looked through.
const DEPTH_MAX: usize = 16;
/// Flows listed in one workspace; beyond that somebody pointed at the wrong folder.
const FLOWS_MAX: usize = 10_000;
/// Holds Python helpers, never flows.
const HELPERS: &str = "flow_helpers";

/// Looks through a collection root. A root with `flow_modules/` of its own is one workspace;
/// otherwise each folder in it that has one. Never fails: what cannot be read is told in place.
pub fn scan(root: &Path) -> Catalog {
    let mut catalog = Catalog {
        root: Some(root.to_owned()),
        ..Catalog::default()
    };
    match workspaces(root) {
        Ok(roots) => catalog.workspaces = roots.iter().map(|root| workspace(root)).collect(),
        Err(cause) => {
            catalog.trouble = format!(
                "The collection cannot be read: {}: {}",
                plain_cause(&cause),
                root.display()
            );
        }
    }
    catalog
        .workspaces
        .sort_by(|a, b| (order(&a.name), &a.name).cmp(&(order(&b.name), &b.name)));
    // Two links to one folder would be one workspace twice.
    let mut seen = HashSet::new();
    catalog
        .workspaces
        .retain(|workspace| seen.insert(workspace.id.clone()));
    catalog
}

fn workspaces(root: &Path) -> io::Result<Vec<PathBuf>> {
    let root = root.canonicalize()?;
    let entries = fs::read_dir(&root)?;
    if root.join(MODULES).is_dir() {
        return Ok(vec![root]);
    }
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        if !is_hidden(&entry.file_name().to_string_lossy()) && path.join(MODULES).is_dir() {
            found.push(path.canonicalize().unwrap_or(path));
        }
    }
    Ok(found)
}

fn workspace(root: &Path) -> WorkspaceEntry {
    let mut walk = Walk {
        id: workspace_id(root),
        root: Arc::from(root),
        seen: HashSet::new(),
        flows: Vec::new(),
    };
    walk.folder(&root.join(MODULES), MODULES, 0);
    let mut flows = walk.flows;
    flows.sort_by_cached_key(|flow| {
        (
            order(&flow.group),
            order(&flow.title),
            flow.flow.file.clone(),
        )
    });
    WorkspaceEntry {
        id: walk.id,
        name: root.file_name().map_or_else(
            || root.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        ),
        root: walk.root,
        flows,
    }
}

/// People look for `Zebra` after `apple`.
fn order(text: &str) -> String {
    text.to_lowercase()
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

struct Walk {
    id: WorkspaceId,
    root: Arc<Path>,
    /// Folders already looked through, by their real path: a link may lead back up.
    seen: HashSet<PathBuf>,
    flows: Vec<FlowEntry>,
}

impl Walk {
    /// Lists the flows of `dir`, which is `file` relative to the root.
    fn folder(&mut self, dir: &Path, file: &str, depth: usize) {
        let real = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
        if depth > DEPTH_MAX || !self.seen.insert(real) {
            return;
        }
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(cause) => {
                let why = format!("the folder cannot be read: {}", plain_cause(&cause));
                return self.problem(file, why);
            }
        };
        for entry in entries.flatten() {
            let os_name = entry.file_name();
            let name = os_name.to_string_lossy();
            if is_hidden(&name) {
                continue;
            }
            let path = entry.path();
            let file = format!("{file}/{name}");
            // Follows links, unlike the entry's own type.
            match fs::metadata(&path) {
                Ok(meta) if meta.is_dir() => {
                    if name != HELPERS {
                        self.folder(&path, &file, depth + 1);
                    }
                }
                _ if !is_workfile_name(&name) || self.flows.len() >= FLOWS_MAX => {}
                _ if os_name.to_str().is_none() => {
                    self.problem(&file, "its name is not UTF-8; rename it".to_owned());
                }
                _ => self.flow(&path, &file),
            }
        }
    }

    fn flow(&mut self, path: &Path, file: &str) {
        match super::load(path) {
            Ok(loaded) => {
                let mut entry = self.entry(file);
                if !loaded.flow.title.trim().is_empty() {
                    entry.title = loaded.flow.title;
                }
                if !loaded.flow.group.trim().is_empty() {
                    entry.group = loaded.flow.group;
                }
                entry.n_nodes = loaded.flow.graph.n_nodes();
                if loaded.damaged {
                    entry.problem =
                        Some(loaded.warnings.into_iter().next().unwrap_or_else(|| {
                            "it is damaged and was read only in part".to_owned()
                        }));
                }
                self.flows.push(entry);
            }
            Err(why) => self.problem(file, format!("failed to {why}")),
        }
    }

    fn problem(&mut self, file: &str, why: String) {
        let mut entry = self.entry(file);
        entry.problem = Some(why);
        self.flows.push(entry);
    }

    /// An entry with what its place alone tells.
    fn entry(&self, file: &str) -> FlowEntry {
        let flow = FlowRef {
            workspace: self.id.clone(),
            root: self.root.clone(),
            file: file.into(),
        };
        let group = file
            .strip_prefix(MODULES)
            .and_then(|rest| rest.strip_prefix('/'))
            .and_then(|rest| rest.rsplit_once('/'))
            .map_or("", |(folder, _)| folder);
        FlowEntry {
            title: flow.stem().to_owned(),
            group: group.to_owned(),
            n_nodes: 0,
            problem: None,
            flow,
        }
    }
}

/// What a folder holds, by name: each name, and whether it is a folder. Nothing for a folder that
/// cannot be read.
pub fn list_folder(folder: &Path) -> Vec<(String, bool)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut entries: Vec<(String, bool)> = entries
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, entry.path().is_dir())
        })
        .collect();
    entries.sort();
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphml;
    use crate::model::{Flow, Node, Point};
    use std::os::unix::fs::symlink;

    fn put(root: &Path, file: &str, title: &str, group: &str) {
        let mut flow = Flow {
            title: title.into(),
            group: group.into(),
            ..Flow::default()
        };
        flow.graph
            .add_node(Node::new("a", "true", Point::default()))
            .expect("fresh id");
        let path = root.join(file);
        fs::create_dir_all(path.parent().expect("parent")).expect("mkdir");
        fs::write(path, graphml::write(&flow, None).expect("write")).expect("write");
    }

    fn listing(catalog: &Catalog) -> Vec<String> {
        let mut lines = Vec::new();
        for workspace in &catalog.workspaces {
            lines.push(workspace.name.clone());
            for flow in &workspace.flows {
                lines.push(format!(
                    "  {} | {} | {} | {}{}",
                    flow.group,
                    flow.title,
                    flow.flow.file,
                    flow.n_nodes,
                    if flow.problem.is_some() { " !" } else { "" }
                ));
            }
        }
        lines
    }

    #[test]
    fn a_root_is_listed_by_workspace_group_and_title() {
        let dir = tempfile::tempdir().expect("temp dir");
        let root = dir.path();
        put(root, "beta/flow_modules/z.graphml", "apple", "");
        put(root, "beta/flow_modules/a.wf", "Zebra", "");
        put(root, "Alpha/flow_modules/etl/daily/x.wf", "", "");
        put(root, "Alpha/flow_modules/etl/y.wf", "Y", "Reports");
        put(root, "Alpha/flow_modules/Workfile", "", "");
        put(root, "Alpha/flow_modules/flow_helpers/no.wf", "", "");
        put(root, "Alpha/flow_modules/.hidden/no.wf", "", "");
        put(root, "Alpha/elsewhere/no.wf", "", "");
        put(root, ".hidden/flow_modules/no.wf", "", "");
        put(root, "plain/no.wf", "", "");
        fs::write(root.join("Alpha/flow_modules/module.py"), "").expect("write");
        fs::write(root.join("beta/flow_modules/broken.wf"), "not xml").expect("write");
        fs::create_dir(root.join("beta/flow_modules/pretends.wf")).expect("mkdir");
        symlink("gone", root.join("beta/flow_modules/dangling.wf")).expect("link");
        let catalog = scan(root);
        assert_eq!(catalog.trouble, "");
        assert_eq!(
            listing(&catalog),
            [
                "Alpha",
                "   | Workfile | flow_modules/Workfile | 1",
                "  etl/daily | x | flow_modules/etl/daily/x.wf | 1",
                "  Reports | Y | flow_modules/etl/y.wf | 1",
                "beta",
                "   | apple | flow_modules/z.graphml | 1",
                "   | broken | flow_modules/broken.wf | 0 !",
                "   | dangling | flow_modules/dangling.wf | 0 !",
                "   | Zebra | flow_modules/a.wf | 1",
            ]
        );
    }

    #[test]
    fn a_catalog_entry_and_a_located_path_are_the_same_flow() {
        let dir = tempfile::tempdir().expect("temp dir");
        put(dir.path(), "flow_modules/a.wf", "", "");
        let catalog = scan(dir.path());
        assert_eq!(
            catalog.workspaces.len(),
            1,
            "the root itself is the workspace"
        );
        let located = crate::store::locate(&dir.path().join("flow_modules/a.wf")).expect("locate");
        assert_eq!(catalog.workspaces[0].flows[0].flow, located);
    }

    #[test]
    fn links_that_lead_in_a_circle_end() {
        let dir = tempfile::tempdir().expect("temp dir");
        put(dir.path(), "ws/flow_modules/sub/a.wf", "", "");
        symlink("..", dir.path().join("ws/flow_modules/sub/up")).expect("link");
        symlink(".", dir.path().join("ws/flow_modules/self")).expect("link");
        symlink("ws", dir.path().join("again")).expect("link");
        let catalog = scan(dir.path());
        assert_eq!(catalog.workspaces.len(), 1);
        assert_eq!(
            catalog.workspaces[0].flows.len(),
            1,
            "{:?}",
            listing(&catalog)
        );
    }

    #[test]
    fn a_root_that_cannot_be_read_says_so_and_an_empty_one_is_no_trouble() {
        let dir = tempfile::tempdir().expect("temp dir");
        assert_eq!(scan(dir.path()).trouble, "");
        let missing = dir.path().join("no");
        let catalog = scan(&missing);
        assert!(
            catalog.trouble.contains("no such file or folder"),
            "{}",
            catalog.trouble
        );
        fs::write(&missing, "").expect("write");
        assert!(
            scan(&missing).trouble.contains("not a folder"),
            "{}",
            scan(&missing).trouble
        );
    }
}
