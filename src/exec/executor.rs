//! Whoever holds the children of a runtime: this process, or the sitter.
//!
//! The command line is small and ends with its run, so it holds its own; the window grows, and its
//! runs outlive it, so the sitter does. The dispatcher sees no difference.

use std::path::Path;
use std::time::Duration;

use super::sitter::{Scope, Sitter, Tame};
use super::{End, Environment, Job, Launcher, Live, Why};
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

    /// False when a sitter was wanted and none can be had: what runs ends with this process, and nobody keeps a
    /// deadline when it hangs.
    pub fn is_sound(&self) -> bool {
        match self {
            Self::Own(_) => true,
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
    /// `grace` is the time they have to end then.
    pub fn set_deadline(
        &self,
        workspace: &WorkspaceId,
        until: Option<Duration>,
        grace: Duration,
    ) -> bool {
        match self {
            Self::Own(_) => false,
            Self::Sitter(sitter) => {
                sitter.set_deadline(workspace, until, grace);
                true
            }
        }
    }

    /// Nothing is started in a workspace any more, and what should run there is ended, until a deadline allows it.
    pub fn close(&self, workspace: &WorkspaceId) {
        if let Self::Sitter(sitter) = self {
            sitter.close(workspace);
        }
    }

    /// Another process sees to the workspace from now on.
    pub fn forget(&self, workspace: &WorkspaceId) {
        if let Self::Sitter(sitter) = self {
            sitter.forget(workspace);
        }
    }

    /// What is to become of everything that runs in a workspace, whoever carries it. `ours` are the attempts of this
    /// process there.
    pub fn tame(&self, workspace: &WorkspaceId, ours: &[NodeRunId], how: Tame) {
        match self {
            Self::Own(launcher) => {
                for id in ours {
                    match how {
                        Tame::Kill => launcher.terminate(id, End::force(Why::Control)),
                        Tame::Freeze => launcher.freeze(id, true),
                        Tame::Thaw => launcher.freeze(id, false),
                    }
                }
            }
            Self::Sitter(sitter) => sitter.tame(workspace, how),
        }
    }

    /// From now on [`super::Report::Others`] tells what other processes run in a workspace.
    pub fn watch(&self, workspace: &WorkspaceId) {
        if let Self::Sitter(sitter) = self {
            sitter.watch(workspace);
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
