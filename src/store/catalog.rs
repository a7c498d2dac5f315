//! What a collection root holds: its workspaces and their flows, good and broken.
//!
//! Each flow is read once, for its title, group, trigger and size, and again only when a look at it
//! tells that it changed. One that cannot be read is one entry with a problem; it never hides the
//! others.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Look, plain_cause, read_with_stamp};
use crate::model::{
    ByName, Catalog, FlowEntry, FlowRef, ModuleEntry, Rejected, Timestamp, WorkspaceEntry,
    WorkspaceId, heading_rank, natural_order, workspace_name_flaw,
};

use super::locate::{MODULES, is_module_name, is_workfile_name, workspace_id};
use super::workfile::{self, WORKFILE_BYTES_MAX};

/// Folders within folders that are looked through.
const DEPTH_MAX: usize = 16;
/// Flows listed in one workspace, and modules; beyond that somebody pointed at the wrong folder.
const FLOWS_MAX: usize = 10_000;
/// Holds Python helpers, never flows.
const HELPERS: &str = "flow_helpers";
/// The coarsest clock of a file system (FAT) counts in steps of 2 s: what was written less than this
/// before it was read may be written once more and look the same.
const GRAIN_US: i64 = 2_000_000;

/// Looks through a collection root once. A root with `flow_modules/` of its own is one workspace;
/// otherwise each folder in it that has one. Never fails: what cannot be read is told in place.
pub fn scan(root: &Path) -> Catalog {
    Scanner::default().scan(root, Timestamp(0)).catalog
}

/// A root as it was looked through.
#[derive(Debug)]
pub struct Scan {
    /// What was found.
    pub catalog: Catalog,
    /// Folders directly under the root: each may become a workspace.
    pub folders: Vec<PathBuf>,
}

/// How much was done, since the scanner was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Files whose bytes were read.
    pub n_read: u64,
    /// Flows that were read out of those bytes.
    pub n_parsed: u64,
}

/// Looks through a root again and again, and reads only what changed.
#[derive(Debug, Default)]
pub struct Scanner {
    known: BTreeMap<PathBuf, Known>,
    last: Vec<Arc<WorkspaceEntry>>,
    round: u64,
    effort: Effort,
}

/// A flow as it was read.
#[derive(Debug)]
struct Known {
    look: Look,
    /// BLAKE3 of its bytes; a new time with the same bytes is no new flow (conformance, item 45).
    hash: [u8; 32],
    /// Read so long after its last change that a look tells the next one.
    settled: bool,
    entry: FlowEntry,
    /// The round it was last seen in.
    round: u64,
}

impl Scanner {
    /// Looks through `root`, as [`scan`] does; `now` tells which files changed too lately for a look
    /// to be believed.
    pub fn scan(&mut self, root: &Path, now: Timestamp) -> Scan {
        self.round += 1;
        let mut scan = Scan {
            catalog: Catalog {
                root: Some(root.to_owned()),
                ..Catalog::default()
            },
            folders: Vec::new(),
        };
        let catalog = &mut scan.catalog;
        match workspaces(root, &mut scan.folders, &mut catalog.rejected) {
            Ok(roots) => {
                // Two links to one folder would be one workspace twice.
                let mut seen = HashSet::new();
                for root in roots.iter().filter(|root| seen.insert(*root)) {
                    let entry = self.workspace(root, now);
                    catalog.workspaces.push(entry);
                }
            }
            Err(cause) => {
                catalog.trouble = format!(
                    "The collection cannot be read: {}: {}",
                    plain_cause(&cause),
                    root.display()
                );
                // A root that is away may come back as it was.
                return scan;
            }
        }
        catalog
            .workspaces
            .sort_by(|a, b| natural_order(&a.name, &b.name));
        catalog
            .rejected
            .sort_by(|a, b| natural_order(&a.name, &b.name));
        self.known.retain(|_, known| known.round == self.round);
        self.last.clone_from(&catalog.workspaces);
        scan
    }

    /// How much was read so far.
    pub fn effort(&self) -> Effort {
        self.effort
    }

    /// True when a change of `path` may change the catalog: it has a name of a flow or module, is a
    /// folder, or was one that held some.
    pub fn cares_for(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if is_hidden(&name) {
            return false;
        }
        let held = || {
            let mut below = self.known.range(path.to_owned()..);
            let modules = || {
                let all = self
                    .last
                    .iter()
                    .flat_map(|w| w.modules.iter().map(move |m| (w, m)));
                all.into_iter()
                    .any(|(w, m)| w.root.join(&*m.file).starts_with(path))
            };
            below.next().is_some_and(|(at, _)| at.starts_with(path)) || modules()
        };
        is_workfile_name(&name) || is_module_name(&name) || path.is_dir() || held()
    }

    fn workspace(&mut self, root: &Path, now: Timestamp) -> Arc<WorkspaceEntry> {
        let mut walk = Walk {
            scanner: self,
            now,
            id: workspace_id(root),
            root: Arc::from(root),
            seen: HashSet::new(),
            flows: Vec::new(),
            modules: Vec::new(),
        };
        walk.folder(&root.join(MODULES), MODULES, 0);
        let (mut flows, mut modules) = (walk.flows, walk.modules);
        let (id, root) = (walk.id, walk.root);
        flows.sort_by_cached_key(|flow| {
            let (rank, group) = heading_rank(flow.heading());
            let file = ByName(flow.flow.file.to_string());
            (rank, ByName(group), ByName(flow.title.clone()), file)
        });
        modules.sort_by(|a: &ModuleEntry, b| natural_order(&a.file, &b.file));
        let entry = WorkspaceEntry {
            id,
            name: name_of(&root),
            root,
            flows,
            modules,
        };
        // The same value stays the same allocation: whoever drew it need not look at it again.
        let before = self.last.iter().find(|before| ***before == entry);
        before.cloned().unwrap_or_else(|| Arc::new(entry))
    }

    /// The entry of a flow, read anew when it changed. `fresh` is an entry with what the place alone
    /// tells.
    fn flow(
        &mut self,
        path: &Path,
        meta: &fs::Metadata,
        now: Timestamp,
        fresh: FlowEntry,
    ) -> FlowEntry {
        let look = Look::of(meta);
        let round = self.round;
        if let Some(known) = self.known.get_mut(path)
            && known.look == look
            && known.settled
            && known.entry.flow == fresh.flow
        {
            known.round = round;
            return known.entry.clone();
        }
        self.effort.n_read += 1;
        let (bytes, stamp) = match read_with_stamp(path, WORKFILE_BYTES_MAX) {
            Ok(read) => read,
            Err(why) => {
                // What the disk refuses now it may give later, whatever the look.
                return FlowEntry {
                    problem: Some(format!("failed to {why}")),
                    ..fresh
                };
            }
        };
        let settled = look.modified.0.max(look.changed.0).saturating_add(GRAIN_US) < now.0;
        let hash = stamp.hash;
        let same = self.known.get(path).filter(|known| known.hash == hash);
        let entry = match same {
            Some(known) if known.entry.flow == fresh.flow => known.entry.clone(),
            _ => {
                self.effort.n_parsed += 1;
                read_entry(path, &bytes, stamp, fresh)
            }
        };
        let known = Known {
            look,
            hash,
            settled,
            entry: entry.clone(),
            round,
        };
        self.known.insert(path.to_owned(), known);
        entry
    }
}

fn read_entry(
    path: &Path,
    bytes: &[u8],
    stamp: crate::disk::Stamp,
    mut entry: FlowEntry,
) -> FlowEntry {
    match workfile::parse(path, bytes, stamp) {
        Ok(loaded) => {
            if !loaded.flow.title.trim().is_empty() {
                entry.title = loaded.flow.title;
            }
            if !loaded.flow.group.trim().is_empty() {
                entry.group = loaded.flow.group;
            }
            entry.trigger = loaded.flow.trigger;
            entry.n_nodes = loaded.flow.graph.n_nodes();
            if loaded.damaged {
                // What ended the reading was told last.
                let last = loaded.warnings.into_iter().next_back();
                entry.problem = Some(
                    last.unwrap_or_else(|| "it is damaged and was read only in part".to_owned()),
                );
            }
        }
        Err(why) => entry.problem = Some(format!("failed to {why}")),
    }
    entry
}

fn name_of(root: &Path) -> String {
    root.file_name().map_or_else(
        || root.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// The roots of all workspaces under `root`.
fn workspaces(
    root: &Path,
    folders: &mut Vec<PathBuf>,
    rejected: &mut Vec<Rejected>,
) -> io::Result<Vec<PathBuf>> {
    let root = root.canonicalize()?;
    let entries = fs::read_dir(&root)?;
    let mut found = Vec::new();
    if root.join(MODULES).is_dir() {
        take(root, &mut found, rejected);
        return Ok(found);
    }
    for entry in entries {
        let entry = entry?;
        if is_hidden(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let path = entry.path();
        match fs::metadata(path.join(MODULES)) {
            Ok(meta) if meta.is_dir() => {
                let real = path.canonicalize().unwrap_or_else(|_| path.clone());
                take(real, &mut found, rejected);
            }
            Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => {
                rejected.push(Rejected {
                    name: name_of(&path),
                    why: "The folder cannot be read: permission denied".to_owned(),
                });
            }
            _ => {}
        }
        // Follows links, unlike the entry's own type.
        if path.is_dir() {
            folders.push(path);
        }
    }
    Ok(found)
}

/// Takes a folder for a workspace, or says why its name cannot be one.
fn take(root: PathBuf, found: &mut Vec<PathBuf>, rejected: &mut Vec<Rejected>) {
    let flaw = match root.file_name().map(|name| name.to_str()) {
        // The root of a disk has no name, and no other workstation will know it by one.
        None => None,
        Some(None) => Some("the name is not UTF-8"),
        Some(Some(name)) => workspace_name_flaw(name),
    };
    match flaw {
        None => found.push(root),
        Some(flaw) => rejected.push(Rejected {
            name: name_of(&root),
            why: format!("Rename it: {flaw}"),
        }),
    }
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

struct Walk<'s> {
    scanner: &'s mut Scanner,
    now: Timestamp,
    id: WorkspaceId,
    root: Arc<Path>,
    /// Folders already looked through, by their real path: a link may lead back up.
    seen: HashSet<PathBuf>,
    flows: Vec<FlowEntry>,
    modules: Vec<ModuleEntry>,
}

impl Walk<'_> {
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
            let is_flow = is_workfile_name(&name);
            // A look at each file that is none of ours would be all the time that a scan takes.
            let kind = entry.file_type();
            if !is_flow && kind.as_ref().is_ok_and(|kind| kind.is_file()) {
                if is_module_name(&name) && self.modules.len() < FLOWS_MAX {
                    let file = format!("{file}/{name}").into();
                    self.modules.push(ModuleEntry { file });
                }
                continue;
            }
            let path = entry.path();
            let file = format!("{file}/{name}");
            // Follows links, unlike the entry's own type.
            let meta = fs::metadata(&path);
            match &meta {
                Ok(meta) if meta.is_dir() => {
                    if name != HELPERS && name != "__pycache__" {
                        self.folder(&path, &file, depth + 1);
                    }
                }
                Ok(_) if is_module_name(&name) && self.modules.len() < FLOWS_MAX => {
                    self.modules.push(ModuleEntry { file: file.into() });
                }
                _ if !is_flow || self.flows.len() >= FLOWS_MAX => {}
                _ if os_name.to_str().is_none() => {
                    self.problem(&file, "its name is not UTF-8; rename it".to_owned());
                }
                Ok(meta) => {
                    let fresh = self.entry(&file);
                    let entry = self.scanner.flow(&path, meta, self.now, fresh);
                    self.flows.push(entry);
                }
                Err(cause) => {
                    let why = format!(
                        "failed to read file: {}: {}",
                        plain_cause(cause),
                        path.display()
                    );
                    self.problem(&file, why);
                }
            }
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
            trigger: Default::default(),
            n_nodes: 0,
            problem: None,
            flow,
        }
    }
}

/// Device and inode of a folder, symbolic links followed: another folder of the same name has others.
pub fn folder_place(folder: &Path) -> Option<(u64, u64)> {
    Some(Look::of(&fs::metadata(folder).ok()?).place)
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
    entries.sort_by(|a, b| natural_order(&a.0, &b.0));
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
