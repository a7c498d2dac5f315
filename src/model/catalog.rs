//! The workspaces and flows found under a collection root, and how they are named and ordered.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{FlowRef, Trigger, WorkspaceId};

/// Everything found under a collection root.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    /// The root; `None` when no collection is configured.
    pub root: Option<PathBuf>,
    /// By name.
    pub workspaces: Vec<Arc<WorkspaceEntry>>,
    /// Folders with `flow_modules/` that cannot be workspaces, by name: told, never hidden.
    pub rejected: Vec<Rejected>,
    /// Why the root could not be read; empty when it could.
    pub trouble: String,
}

/// A folder that would be a workspace but for its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Folder name, as far as it can be shown.
    pub name: String,
    /// What is wrong with it and what to do, as one sentence.
    pub why: String,
}

/// One workspace: a folder with `flow_modules/`.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkspaceEntry {
    /// Its id on this machine.
    pub id: WorkspaceId,
    /// Folder name.
    pub name: String,
    /// Absolute path.
    pub root: Arc<Path>,
    /// By heading, then title: headings in the order of [`heading_rank`].
    pub flows: Vec<FlowEntry>,
    /// By file.
    pub modules: Vec<ModuleEntry>,
}

/// One flow of a workspace, valid or not.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowEntry {
    /// Which flow.
    pub flow: FlowRef,
    /// Author's title, else the file's stem.
    pub title: String,
    /// The graph's group, else its sub-folder; empty means none.
    pub group: String,
    /// What starts it.
    pub trigger: Trigger,
    /// Nodes in it.
    pub n_nodes: usize,
    /// Why it cannot be read; such a flow is listed, never hidden.
    pub problem: Option<String>,
}

/// A Python file or notebook in `flow_modules/`: listed and counted, not run by this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleEntry {
    /// File relative to the workspace, with `/` between parts.
    pub file: Arc<str>,
}

impl ModuleEntry {
    /// File name, with its ending.
    pub fn name(&self) -> &str {
        self.file.rsplit('/').next().unwrap_or(&self.file)
    }
}

impl FlowEntry {
    /// The heading it is listed under: its group, else what starts it.
    pub fn heading(&self) -> &str {
        match (self.group.trim(), self.trigger) {
            ("", Trigger::Manual) => "By hand",
            ("", Trigger::Poll) => "Poll",
            ("", Trigger::Schedule) => "Schedule",
            (group, _) => group,
        }
    }
}

impl WorkspaceEntry {
    /// The flows by heading, in the order they are listed.
    pub fn groups(&self) -> impl Iterator<Item = (&str, &[FlowEntry])> {
        let same = |a: &FlowEntry, b: &FlowEntry| {
            let (a, b) = (a.heading(), b.heading());
            a == b || heading_rank(a) == heading_rank(b)
        };
        let groups = self.flows.chunk_by(same);
        groups.filter_map(|flows| Some((flows.first()?.heading(), flows)))
    }
}

/// Where a heading stands among others: flows started by hand, polls, schedules, then all others
/// by name, whatever their case (conformance, item 62). Equal ranks are one heading.
pub fn heading_rank(heading: &str) -> (u8, String) {
    let name = heading.trim().to_lowercase();
    match name.as_str() {
        "manual" | "by hand" => (0, String::new()),
        "poll" => (1, String::new()),
        "schedule" | "scheduled" => (2, String::new()),
        _ => (3, name),
    }
}

/// Longest name of a workspace in bytes.
const NAME_BYTES_MAX: usize = 64;

/// What keeps a folder's name from naming a workspace, as a fragment; `None` when nothing does. The name goes into
/// files that workstations with other systems read (`leases/<name>.parquet`), so it must be a plain
/// file name on all of them (conformance, item 35).
pub fn workspace_name_flaw(name: &str) -> Option<&'static str> {
    let stem = name.split('.').next().unwrap_or(name).trim_end();
    if name.is_empty() {
        Some("the name is empty")
    } else if name == "." || name == ".." {
        Some("the name stands for another folder")
    } else if name.contains(['/', '\\']) {
        Some("the name holds a slash or backslash")
    } else if name.chars().any(char::is_control) {
        Some("the name holds a control character")
    } else if name.len() > NAME_BYTES_MAX {
        Some("the name is longer than 64 bytes")
    } else if name.ends_with(['.', ' ']) || name.starts_with(' ') {
        Some("the name begins with a space, or ends with a space or dot")
    } else if is_device(stem) {
        Some("Windows keeps the name for a device")
    } else {
        None
    }
}

/// Names that Windows gives to devices, whatever their case and ending.
fn is_device(stem: &str) -> bool {
    let upper = stem.to_ascii_uppercase();
    let numbered = |prefix: &str| {
        let digit = upper.strip_prefix(prefix);
        digit.is_some_and(|d| d.len() == 1 && d.starts_with(|c: char| c.is_ascii_digit()))
    };
    matches!(upper.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(title: &str, group: &str, trigger: Trigger) -> FlowEntry {
        FlowEntry {
            flow: FlowRef {
                workspace: "w".into(),
                root: Arc::from(Path::new("/w")),
                file: title.into(),
            },
            title: title.to_owned(),
            group: group.to_owned(),
            trigger,
            n_nodes: 0,
            problem: None,
        }
    }

    #[test]
    fn a_flow_without_a_group_stands_under_what_starts_it() {
        assert_eq!(entry("a", " ", Trigger::Poll).heading(), "Poll");
        assert_eq!(entry("a", "", Trigger::Manual).heading(), "By hand");
        assert_eq!(entry("a", "Reports", Trigger::Poll).heading(), "Reports");
    }

    #[test]
    fn groups_that_rank_the_same_are_one() {
        let workspace = WorkspaceEntry {
            id: "w".into(),
            name: "w".into(),
            root: Arc::from(Path::new("/w")),
            flows: vec![
                entry("a", "manual", Trigger::Manual),
                entry("b", "", Trigger::Manual),
                entry("c", "reports", Trigger::Manual),
                entry("d", "Reports", Trigger::Manual),
            ],
            modules: Vec::new(),
        };
        let groups: Vec<_> = workspace
            .groups()
            .map(|(name, f)| (name, f.len()))
            .collect();
        assert_eq!(groups, [("manual", 2), ("reports", 2)]);
    }
}
