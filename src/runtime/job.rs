//! From a node of a frozen flow to the process that runs it: shell line, folder, environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::exec::{Environment, Job, shell_for};
use crate::lease::Epoch;
use crate::model::{Flow, FlowRef, Node, NodeRunId, Secrets};

use super::resources::Gathered;
use super::workspace::Workspace;

/// What is the same for every node of a run, worked out once.
pub struct Jobs {
    frozen: Arc<Flow>,
    shell: PathBuf,
    cwd: PathBuf,
    env: Environment,
    workspace: Arc<Workspace>,
    secrets: Secrets,
}

impl Jobs {
    /// Prepares the jobs of one run; under an epoch, where the workspace is controlled.
    pub fn new(
        flow: &FlowRef,
        frozen: &Arc<Flow>,
        (run, epoch): (&crate::model::RunId, Option<Epoch>),
        workspace: &Arc<Workspace>,
        default_shell: &str,
        gathered: Gathered,
    ) -> Self {
        let shell = if frozen.shell.is_empty() {
            default_shell
        } else {
            &frozen.shell
        };
        let mut env: Vec<(OsString, OsString)> = Vec::new();
        for (name, value) in &frozen.env.0 {
            env.push((name.into(), value.into()));
        }
        let mut ours = |name: &str, value: &dyn AsRef<std::ffi::OsStr>| {
            env.push((name.into(), value.as_ref().into()))
        };
        ours("HANDMILL_RUN_ID", &run.as_str());
        ours("HANDMILL_WORKSPACE", &&*flow.root);
        ours("HANDMILL_FLOW", &flow.path());
        ours("HANDMILL_CONFIG", &flow.root.join("config"));
        ours("HANDMILL_DATABASES", &flow.root.join("databases"));
        if let Some(epoch) = epoch {
            // So that a node may fence what it writes itself.
            ours("HANDMILL_EPOCH", &epoch.0.to_string());
        }
        Self {
            shell: shell_for(shell),
            cwd: within(&flow.root, &frozen.cwd),
            frozen: frozen.clone(),
            env: Environment::of_process()
                .without(gathered.hidden.iter().map(|name| name.as_str()))
                .with(env),
            workspace: workspace.clone(),
            secrets: gathered.secrets,
        }
    }

    /// The process for one attempt of a node; the error, a fragment, names a resource that is not at hand: the node was
    /// given it after the run began, or the run goes on in a process that could not find it.
    pub fn job(&self, id: &NodeRunId, node: &Node) -> Result<Job, String> {
        let mut secrets = Secrets::default();
        for name in &node.resources {
            let Some(secret) = self.secrets.get(name) else {
                return Err(format!(
                    "resource {name} is not at hand; stop the run and resume it"
                ));
            };
            secrets.insert(name.clone(), secret.clone());
        }
        let line = match &self.frozen.wrapper {
            Some(wrapper) => wrapper.line(&node.command),
            None => node.command.clone(),
        };
        let own = node.env.0.iter();
        let mut env: Vec<(OsString, OsString)> = own
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        env.push(("HANDMILL_NODE_ID".into(), node.id.as_str().into()));
        env.push(("HANDMILL_NODE_NAME".into(), short(node.name()).into()));
        env.push(("HANDMILL_PASS".into(), id.pass.to_string().into()));
        env.push(("HANDMILL_ATTEMPT".into(), id.attempt.to_string().into()));
        let (stdout, stderr) = self.workspace.log_files(id);
        Ok(Job {
            id: id.clone(),
            program: self.shell.clone(),
            args: vec!["-c".into(), line.into()],
            cwd: within(&self.cwd, &node.cwd),
            base: self.env.clone(),
            env,
            secrets,
            stdout,
            stderr,
            is_bound: false,
        })
    }

    /// What every node of the run is started with.
    pub fn base(&self) -> &Environment {
        &self.env
    }

    /// The nodes of the frozen flow, by place.
    pub fn ids(&self) -> Vec<crate::model::NodeId> {
        self.frozen
            .graph
            .nodes()
            .map(|node| node.id.clone())
            .collect()
    }

    /// What a person calls a node of the run.
    pub fn name_of(&self, id: &crate::model::NodeId) -> Option<String> {
        let node = self.frozen.graph.node(id)?;
        Some(short(node.name()).to_owned())
    }

    /// True when the node still has the command it had when the run began; a node that was
    /// mended and retried in the live run has another.
    pub fn is_frozen(&self, node: &Node) -> bool {
        self.frozen
            .graph
            .node(&node.id)
            .is_some_and(|frozen| frozen.command == node.command)
    }
}

/// A name for the environment, cut where the system might refuse it: a node without a title is
/// named by its command, which may be of any length.
fn short(name: &str) -> &str {
    const BYTES_MAX: usize = 1_024;
    &name[..name.floor_char_boundary(BYTES_MAX)]
}

/// `folder` seen from `base`; an absolute folder stands for itself, an empty one for `base`.
fn within(base: &Path, folder: &str) -> PathBuf {
    if folder.is_empty() {
        base.to_owned()
    } else {
        base.join(folder)
    }
}
