//! Whoever holds the children of a runtime: this process, or the sitter.
//!
//! The command line is small and ends with its run, so it holds its own; the window grows, and its
//! runs outlive it, so the sitter does. The dispatcher sees no difference.

use std::path::Path;
use std::time::Duration;

use super::sitter::{Scope, Sitter};
use super::{End, Environment, Job, Launcher, Live};
use crate::model::{FlowRef, NodeRunId, RunId, WorkspaceId};

/// Starts, ends and hears of processes. Nothing here waits unless it says so.
pub enum Executor {
    /// Children of this process.
    Own(Launcher),
    /// Children of the sitter.
    Sitter(Sitter),
}

impl Executor {
    /// True when what runs outlives this process.
    pub fn outlives_us(&self) -> bool {
        match self {
            Self::Own(_) => false,
            Self::Sitter(sitter) => !sitter.is_without(),
        }
    }

    /// A run begins, whose nodes have this environment in common.
    pub fn begin(&self, run: &RunId, flow: &FlowRef, env: &Environment) {
        if let Self::Sitter(sitter) = self {
            sitter.begin(run, flow, env);
        }
    }

    /// Starts a job of a run that began. [`super::Report::Exited`] follows, whatever happens.
    pub fn launch(&self, job: Job) {
        match self {
            Self::Own(launcher) => launcher.launch(job),
            Self::Sitter(sitter) => sitter.launch(job),
        }
    }

    /// Ends an attempt, as [`Launcher::terminate`] says.
    pub fn terminate(&self, id: &NodeRunId, end: End) {
        match self {
            Self::Own(launcher) => launcher.terminate(id, end),
            Self::Sitter(sitter) => sitter.terminate(id, end),
        }
    }

    /// The run is over.
    pub fn over(&self, run: &RunId, run_dir: &Path) {
        match self {
            Self::Own(launcher) => launcher.close_run(run_dir),
            Self::Sitter(sitter) => sitter.over(run),
        }
    }

    /// Another process is about to carry the run on.
    pub fn leave(&self, run: &RunId) {
        if let Self::Sitter(sitter) = self {
            sitter.leave(run);
        }
    }

    /// Takes over a run that the sitter holds, as [`Sitter::attach`] says. Waits.
    pub fn attach(&self, run: &RunId, flow: &FlowRef, run_dir: &Path) -> Option<Vec<Live>> {
        match self {
            Self::Own(_) => None,
            Self::Sitter(sitter) => sitter.attach(run, flow, run_dir),
        }
    }

    /// The runtime knows the run that it took over; `env` is for when the sitter that knows a
    /// better one dies.
    pub fn taken_over(&self, run: &RunId, env: &Environment) {
        if let Self::Sitter(sitter) = self {
            sitter.taken_over(run, env);
        }
    }

    /// An attempt of a run that was taken over began, and nobody who waited for it lives.
    pub fn await_lost(&self, id: &NodeRunId, run_dir: &Path) {
        if let Self::Sitter(sitter) = self {
            sitter.await_lost(id, run_dir);
        }
    }

    /// Until when, in [`super::sitter::uptime`], nodes may run in a workspace; `None` is for ever.
    /// At that time whoever holds them ends them by itself, however this process stalls. Only the
    /// sitter can promise that; false when nobody does.
    pub fn set_deadline(&self, workspace: &WorkspaceId, until: Option<Duration>) -> bool {
        match self {
            Self::Own(_) => false,
            Self::Sitter(sitter) => {
                sitter.set_deadline(workspace, until);
                true
            }
        }
    }

    /// The kill switch. [`super::Report::Killed`] follows for each attempt that lives.
    pub fn kill(&self, scope: &Scope) {
        match self {
            Self::Own(launcher) => launcher.kill(scope),
            Self::Sitter(sitter) => sitter.kill(scope),
        }
    }

    /// Runs that are not over go on without us, where they can. Waits a moment.
    pub fn goodbye(&self) {
        if let Self::Sitter(sitter) = self {
            sitter.goodbye();
        }
    }
}
