//! The workspaces and flows found under a collection root.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{FlowRef, WorkspaceId};

/// Everything found under a collection root.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    /// The root; `None` when no collection is configured.
    pub root: Option<PathBuf>,
    /// By name.
    pub workspaces: Vec<WorkspaceEntry>,
    /// Why the root could not be read; empty when it could.
    pub trouble: String,
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
    /// By group, then title.
    pub flows: Vec<FlowEntry>,
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
    /// Nodes in it.
    pub n_nodes: usize,
    /// Why it cannot be read; such a flow is listed, never hidden.
    pub problem: Option<String>,
}
