//! One attempt to run: what is handed to the launcher, what it reports, and where its logs lie.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Environment, Why, wire};
use crate::model::{Exit, NodeIdx, NodeRunId, Notice, RunId, Secrets, Stream, WorkspaceId};

/// The process of one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Which attempt.
    #[serde(with = "wire::Attempt")]
    pub id: NodeRunId,
    /// Absolute, as [`super::shell_for`] gives it. A bare name would cost a fork.
    #[serde(with = "wire::path")]
    pub program: PathBuf,
    /// Usually `-c` and the line.
    pub args: Vec<OsString>,
    /// Working folder.
    #[serde(with = "wire::path")]
    pub cwd: PathBuf,
    /// The environment that `env` is set on top of. The sitter is told that of a run once, when it begins.
    #[serde(skip)]
    pub base: Environment,
    /// What only this attempt has set.
    pub env: Vec<(OsString, OsString)>,
    /// Set on top of that, and hidden in what it prints.
    #[serde(with = "wire::secrets")]
    pub secrets: Secrets,
    /// File that gets standard output; made when missing, else appended to.
    #[serde(with = "wire::path")]
    pub stdout: PathBuf,
    /// File that gets standard error.
    #[serde(with = "wire::path")]
    pub stderr: PathBuf,
    /// It must not outlive the process that starts it, as far as the system can see to that: only that process knows
    /// until when it may run, so the sitter is not told.
    #[serde(skip)]
    pub is_bound: bool,
}

impl Job {
    /// A job that hands `line` to a shell as one argument, logs in the run's folder.
    pub fn shell(
        id: NodeRunId,
        shell: PathBuf,
        line: &str,
        cwd: PathBuf,
        env: Vec<(OsString, OsString)>,
        run_dir: &Path,
    ) -> Self {
        let (stdout, stderr) = log_files(run_dir, &id);
        Self {
            id,
            program: shell,
            args: vec!["-c".into(), line.into()],
            cwd,
            base: Environment::of_process(),
            env,
            secrets: Secrets::default(),
            stdout,
            stderr,
            is_bound: false,
        }
    }

    /// The folder of the run, which holds the logs and the exit record.
    pub fn run_dir(&self) -> &Path {
        self.stdout.parent().unwrap_or(Path::new("/"))
    }
}

/// How an attempt is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// What for.
    pub why: Why,
    /// SIGKILL to all that descends from it, instead of SIGTERM to its group.
    pub force: bool,
    /// Force it after this time when it has not ended; `None` leaves that to the caller.
    pub grace: Option<Duration>,
}

impl End {
    /// The polite way.
    pub fn ask(why: Why) -> Self {
        Self {
            why,
            force: false,
            grace: None,
        }
    }

    /// The way that nothing survives.
    pub fn force(why: Why) -> Self {
        Self {
            why,
            force: true,
            grace: None,
        }
    }

    /// The polite way first, and the other after this time.
    pub fn within(why: Why, grace: Duration) -> Self {
        Self {
            why,
            force: false,
            grace: Some(grace),
        }
    }
}

/// What became of an attempt. Reports of one attempt come in order; [`Report::Exited`] is the last,
/// and comes exactly once for each launch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Report {
    /// Its process is alive.
    Spawned {
        /// Which attempt.
        #[serde(with = "wire::Attempt")]
        id: NodeRunId,
        /// Process id, which is also its process group.
        pid: u32,
        /// Start time as the system counts it; 0 when the system does not tell.
        birth: u64,
    },
    /// The system is short of something (processes, files, memory); it is tried again by and by.
    Delayed {
        /// Which attempt.
        #[serde(with = "wire::Attempt")]
        id: NodeRunId,
        /// Why, as a fragment.
        #[serde(with = "wire::text")]
        why: Arc<str>,
    },
    /// It ended, or could not be started.
    Exited {
        /// Which attempt.
        #[serde(with = "wire::Attempt")]
        id: NodeRunId,
        /// How.
        #[serde(with = "wire::End")]
        exit: Exit,
    },
    /// The kill switch has done its work on an attempt; [`Report::Exited`] follows.
    Killed {
        /// Which attempt.
        #[serde(with = "wire::Attempt")]
        id: NodeRunId,
        /// Processes that it had.
        pids: Vec<u32>,
        /// Those of them that cannot be ended: they hang in the kernel.
        left: Vec<u32>,
    },
    /// The time to run nodes in this workspace was over: they are being ended.
    ControlLost(#[serde(with = "wire::text")] WorkspaceId),
    /// What other processes run in a watched workspace has changed.
    Others {
        /// Which workspace.
        #[serde(with = "wire::text")]
        workspace: WorkspaceId,
        /// Runs that this process does not carry.
        runs: u32,
        /// Attempts of them that live.
        children: u32,
    },
    /// Something the operator should read.
    Told(#[serde(with = "wire::Words")] Notice),
    /// A log file has grown. At most one per file and 16 ms, whatever the process prints.
    Output {
        /// Which attempt.
        #[serde(with = "wire::Attempt")]
        id: NodeRunId,
        /// Which log.
        #[serde(with = "wire::Log")]
        stream: Stream,
        /// Its length now.
        bytes_total: u64,
    },
}

impl Report {
    /// The attempt that it is of; `None` for what concerns more than one.
    pub fn attempt(&self) -> Option<&NodeRunId> {
        match self {
            Self::Spawned { id, .. }
            | Self::Delayed { id, .. }
            | Self::Exited { id, .. }
            | Self::Killed { id, .. }
            | Self::Output { id, .. } => Some(id),
            Self::ControlLost(_) | Self::Others { .. } | Self::Told(_) => None,
        }
    }
}

/// Where the two logs of an attempt lie in the run's folder: `00012.1.1.out` and `.err` for node
/// 12, pass 1, attempt 1.
pub fn log_files(run_dir: &Path, id: &NodeRunId) -> (PathBuf, PathBuf) {
    let stem = format!("{:05}.{}.{}", id.node.0, id.pass, id.attempt);
    (
        run_dir.join(format!("{stem}.out")),
        run_dir.join(format!("{stem}.err")),
    )
}

/// The attempt and stream of a log file's name; `None` for other files.
pub fn parse_log_file(run: &RunId, name: &str) -> Option<(NodeRunId, Stream)> {
    let mut parts = name.split('.');
    let number = |part: Option<&str>| part?.parse::<u32>().ok();
    let node = NodeIdx(number(parts.next())?);
    let pass = number(parts.next())?;
    let attempt = number(parts.next())?;
    let stream = match parts.next()? {
        "out" => Stream::Out,
        "err" => Stream::Err,
        _ => return None,
    };
    let id = NodeRunId {
        run: run.clone(),
        node,
        pass,
        attempt,
    };
    parts.next().is_none().then_some((id, stream))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_log_tells_its_attempt() {
        let run = RunId::from("r");
        let id = NodeRunId {
            run: run.clone(),
            node: NodeIdx(123_456),
            pass: 2,
            attempt: 3,
        };
        let (out, err) = log_files(Path::new("/logs"), &id);
        assert_eq!(out, Path::new("/logs/123456.2.3.out"));
        let name = |path: &Path| {
            path.file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        };
        assert_eq!(
            parse_log_file(&run, &name(&out)),
            Some((id.clone(), Stream::Out))
        );
        assert_eq!(parse_log_file(&run, &name(&err)), Some((id, Stream::Err)));
        for other in ["", "1.2.out", "1.2.3.sh", "1.2.3.out.gz", "a.1.1.out"] {
            assert_eq!(parse_log_file(&run, other), None, "{other}");
        }
    }
}
