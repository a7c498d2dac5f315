//! What a client and the sitter say to each other: frames of a length and a postcard text.
//!
//! The version stands in the name of the socket, so two that cannot understand each other never
//! meet: whoever changes the meaning of what is here raises [`VERSION`]. A variant added at an end
//! changes no other.

use std::ffi::OsString;
use std::io::{self, Read};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::{End, Environment, Job, Live, Report, Why};
use crate::model::{
    Exit, FlowRef, Level, NodeIdx, NodeRunId, Notice, ResourceName, RunId, Secret, Secrets,
    WorkspaceId,
};

/// Of the protocol.
pub const VERSION: u32 = 3;

/// No frame is longer: commands are 16 MiB at most, environments less.
const FRAME_BYTES_MAX: usize = 64 << 20;

/// Environment settings.
pub type Env = Vec<(OsString, OsString)>;

/// What a client says.
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// Comes first.
    Hello { pid: u32, program: OsString },
    /// This client carries the run from now on; its nodes have these settings in common, each
    /// `NAME=value`.
    Begin {
        run: String,
        flow: Flow,
        env: Vec<OsString>,
    },
    /// Start an attempt of a run that began.
    Launch(Box<WireJob>),
    /// End an attempt.
    Terminate { id: Id, end: WireEnd },
    /// The run is over: nothing of it has to be carried any more.
    Over { run: String },
    /// Another client comes for the run.
    Leave { run: String },
    /// This client carries the run from now on, which another began. Answered by `Attached`.
    Attach { ticket: u64, run: String },
    /// Which runs are held. Answered by `Runs`.
    Runs { ticket: u64 },
    /// Until when (time since the machine started) nodes may run in a workspace; `None` is for ever.
    Deadline {
        workspace: String,
        until: Option<Duration>,
        /// Between asking and killing, at that time.
        grace: Duration,
    },
    /// The kill switch. Answered by `Killing`.
    Kill { ticket: u64, scope: WireScope },
    /// What is to become of everything that runs in a workspace, whoever carries it.
    Tame { workspace: String, how: Tame },
    /// From now on this client is told what others run in a workspace. Answered by `Others`.
    Watch { workspace: String },
}

/// What is to become of the processes of a workspace, whoever carries their runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tame {
    /// They are killed, and count as ended with the right to run.
    Kill,
    /// They stand still.
    Freeze,
    /// They go on.
    Thaw,
}

/// What the sitter says.
#[derive(Debug, Serialize, Deserialize)]
pub enum Tell {
    /// Answers `Hello`.
    Welcome { pid: u32 },
    /// What became of an attempt that this client carries.
    Report(WireReport),
    /// Those of its attempts that live; `None` when the run is not held.
    Attached {
        ticket: u64,
        live: Option<Vec<WireLive>>,
    },
    /// All runs that are held.
    Runs { ticket: u64, runs: Vec<WireRun> },
    /// Nodes of a workspace are being ended, because the time to run there was over.
    ControlLost { workspace: String },
    /// How many attempts are being ended.
    Killing { ticket: u64, n: u64 },
    /// What runs in a watched workspace that the watching client does not carry: runs, and attempts of them that live.
    Others {
        workspace: String,
        runs: u32,
        children: u32,
    },
}

/// A [`FlowRef`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Flow {
    workspace: String,
    root: OsString,
    file: String,
}

/// A [`NodeRunId`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Id {
    run: String,
    node: u32,
    pass: u32,
    attempt: u32,
}

/// A [`Job`] without what its run has said already.
#[derive(Debug, Serialize, Deserialize)]
pub struct WireJob {
    id: Id,
    program: OsString,
    args: Vec<OsString>,
    cwd: OsString,
    env: Env,
    stdout: OsString,
    stderr: OsString,
    secrets: WireSecrets,
}

/// [`Secrets`]. They pass the socket, which only this user reaches, and are shown by nobody.
#[derive(Serialize, Deserialize)]
struct WireSecrets(Vec<(String, Zeroizing<String>)>);

impl std::fmt::Debug for WireSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// An [`End`].
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct WireEnd {
    why: WireWhy,
    force: bool,
    grace: Option<Duration>,
}

/// A [`Why`].
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum WireWhy {
    Timeout,
    Stop,
    Kill,
    Control,
}

/// A [`Live`].
#[derive(Debug, Serialize, Deserialize)]
pub struct WireLive {
    id: Id,
    process: Option<(u32, u64)>,
    asked: Option<WireWhy>,
}

/// A [`HeldRun`].
#[derive(Debug, Serialize, Deserialize)]
pub struct WireRun {
    run: String,
    flow: Flow,
    carried: bool,
    children: u32,
}

/// A [`Scope`].
#[derive(Debug, Serialize, Deserialize)]
pub enum WireScope {
    Attempts(Vec<Id>),
    Run(String),
    Workspace(String),
    Everything,
}

/// A [`Report`] of an attempt.
#[derive(Debug, Serialize, Deserialize)]
pub enum WireReport {
    Spawned {
        id: Id,
        pid: u32,
        birth: u64,
    },
    Delayed {
        id: Id,
        why: String,
    },
    Killed {
        id: Id,
        pids: Vec<u32>,
        left: Vec<u32>,
    },
    Exited {
        id: Id,
        exit: WireExit,
    },
    /// Something the operator should read; `level` is 0 for news, 1 for a warning, 2 for an error.
    Told {
        level: u8,
        what: String,
        hint: String,
    },
}

/// An [`Exit`] of a process.
#[derive(Debug, Serialize, Deserialize)]
pub enum WireExit {
    Code(i32),
    Signal(i32),
    NotStarted(String),
    Unknown,
}

/// A run that the sitter holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRun {
    /// Which run.
    pub run: RunId,
    /// Of which flow.
    pub flow: FlowRef,
    /// Some process decides what follows in it.
    pub carried: bool,
    /// Attempts of it that live.
    pub children: u32,
}

/// What the kill switch is to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// These attempts.
    Attempts(Vec<NodeRunId>),
    /// Every attempt of this run.
    Run(RunId),
    /// Every attempt in this workspace.
    Workspace(WorkspaceId),
    /// All there is.
    Everything,
}

impl From<&FlowRef> for Flow {
    fn from(flow: &FlowRef) -> Self {
        Self {
            workspace: flow.workspace.as_str().to_owned(),
            root: flow.root.as_os_str().to_owned(),
            file: flow.file.to_string(),
        }
    }
}

impl From<Flow> for FlowRef {
    fn from(flow: Flow) -> Self {
        Self {
            workspace: WorkspaceId::new(flow.workspace),
            root: std::path::PathBuf::from(flow.root).into(),
            file: flow.file.into(),
        }
    }
}

impl From<&NodeRunId> for Id {
    fn from(id: &NodeRunId) -> Self {
        Self {
            run: id.run.as_str().to_owned(),
            node: id.node.0,
            pass: id.pass,
            attempt: id.attempt,
        }
    }
}

impl From<Id> for NodeRunId {
    fn from(id: Id) -> Self {
        Self {
            run: RunId::new(id.run),
            node: NodeIdx(id.node),
            pass: id.pass,
            attempt: id.attempt,
        }
    }
}

impl From<&Job> for WireJob {
    fn from(job: &Job) -> Self {
        Self {
            id: (&job.id).into(),
            program: job.program.clone().into(),
            args: job.args.clone(),
            cwd: job.cwd.clone().into(),
            env: job.env.clone(),
            stdout: job.stdout.clone().into(),
            stderr: job.stderr.clone().into(),
            secrets: (&job.secrets).into(),
        }
    }
}

impl From<&Secrets> for WireSecrets {
    fn from(secrets: &Secrets) -> Self {
        let pair = |(name, secret): (&ResourceName, &Secret)| {
            let value = Zeroizing::new(secret.reveal().to_owned());
            (name.to_string(), value)
        };
        Self(secrets.iter().map(pair).collect())
    }
}

impl From<WireSecrets> for Secrets {
    fn from(secrets: WireSecrets) -> Self {
        let mut all = Self::default();
        for (name, value) in secrets.0 {
            // Whoever sent it had made both of the same types.
            if let (Ok(name), Ok(secret)) = (ResourceName::new(&name), Secret::new(value)) {
                all.insert(name, secret);
            }
        }
        all
    }
}

impl From<WireJob> for Job {
    fn from(job: WireJob) -> Self {
        Self {
            id: job.id.into(),
            program: job.program.into(),
            args: job.args,
            cwd: job.cwd.into(),
            base: Environment::new([]),
            env: job.env,
            stdout: job.stdout.into(),
            stderr: job.stderr.into(),
            secrets: job.secrets.into(),
            // The sitter knows.
            is_bound: false,
        }
    }
}

impl From<Why> for WireWhy {
    fn from(why: Why) -> Self {
        match why {
            Why::Timeout => Self::Timeout,
            Why::Stop => Self::Stop,
            Why::Kill => Self::Kill,
            Why::Control => Self::Control,
        }
    }
}

impl From<WireWhy> for Why {
    fn from(why: WireWhy) -> Self {
        match why {
            WireWhy::Timeout => Self::Timeout,
            WireWhy::Stop => Self::Stop,
            WireWhy::Kill => Self::Kill,
            WireWhy::Control => Self::Control,
        }
    }
}

impl From<End> for WireEnd {
    fn from(end: End) -> Self {
        Self {
            why: end.why.into(),
            force: end.force,
            grace: end.grace,
        }
    }
}

impl From<WireEnd> for End {
    fn from(end: WireEnd) -> Self {
        Self {
            why: end.why.into(),
            force: end.force,
            grace: end.grace,
        }
    }
}

impl From<&Live> for WireLive {
    fn from(live: &Live) -> Self {
        Self {
            id: (&live.id).into(),
            process: live.process,
            asked: live.asked.map(Into::into),
        }
    }
}

impl From<WireLive> for Live {
    fn from(live: WireLive) -> Self {
        Self {
            id: live.id.into(),
            process: live.process,
            asked: live.asked.map(Into::into),
        }
    }
}

impl From<HeldRun> for WireRun {
    fn from(held: HeldRun) -> Self {
        Self {
            run: held.run.as_str().to_owned(),
            flow: (&held.flow).into(),
            carried: held.carried,
            children: held.children,
        }
    }
}

impl From<WireRun> for HeldRun {
    fn from(run: WireRun) -> Self {
        Self {
            run: RunId::new(run.run),
            flow: run.flow.into(),
            carried: run.carried,
            children: run.children,
        }
    }
}

impl From<&Scope> for WireScope {
    fn from(scope: &Scope) -> Self {
        match scope {
            Scope::Attempts(ids) => Self::Attempts(ids.iter().map(Into::into).collect()),
            Scope::Run(run) => Self::Run(run.as_str().to_owned()),
            Scope::Workspace(id) => Self::Workspace(id.as_str().to_owned()),
            Scope::Everything => Self::Everything,
        }
    }
}

impl From<WireScope> for Scope {
    fn from(scope: WireScope) -> Self {
        match scope {
            WireScope::Attempts(ids) => Self::Attempts(ids.into_iter().map(Into::into).collect()),
            WireScope::Run(run) => Self::Run(RunId::new(run)),
            WireScope::Workspace(id) => Self::Workspace(WorkspaceId::new(id)),
            WireScope::Everything => Self::Everything,
        }
    }
}

impl WireReport {
    /// `None` for what concerns no attempt of the sitter.
    pub fn of(report: &Report) -> Option<Self> {
        Some(match report {
            Report::Spawned { id, pid, birth } => Self::Spawned {
                id: id.into(),
                pid: *pid,
                birth: *birth,
            },
            Report::Delayed { id, why } => Self::Delayed {
                id: id.into(),
                why: why.to_string(),
            },
            Report::Killed { id, pids, left } => Self::Killed {
                id: id.into(),
                pids: pids.clone(),
                left: left.clone(),
            },
            Report::Exited { id, exit } => Self::Exited {
                id: id.into(),
                exit: exit.into(),
            },
            Report::Told(notice) => Self::Told {
                level: notice.level as u8,
                what: notice.what.to_string(),
                hint: notice.hint.to_string(),
            },
            Report::Output { .. } | Report::ControlLost(_) | Report::Others { .. } => return None,
        })
    }
}

impl From<WireReport> for Report {
    fn from(report: WireReport) -> Self {
        match report {
            WireReport::Spawned { id, pid, birth } => Self::Spawned {
                id: id.into(),
                pid,
                birth,
            },
            WireReport::Delayed { id, why } => Self::Delayed {
                id: id.into(),
                why: why.into(),
            },
            WireReport::Killed { id, pids, left } => Self::Killed {
                id: id.into(),
                pids,
                left,
            },
            WireReport::Exited { id, exit } => Self::Exited {
                id: id.into(),
                exit: exit.into(),
            },
            WireReport::Told { level, what, hint } => {
                let level = match level {
                    0 => Level::Info,
                    1 => Level::Warning,
                    _ => Level::Error,
                };
                Self::Told(Notice::new(level, what, hint))
            }
        }
    }
}

impl From<&Exit> for WireExit {
    fn from(exit: &Exit) -> Self {
        match exit {
            Exit::Code(code) => Self::Code(*code),
            Exit::Signal(signal) => Self::Signal(*signal),
            Exit::NotStarted(why) => Self::NotStarted(why.to_string()),
            Exit::TimedOut | Exit::MaxPasses | Exit::Unknown => Self::Unknown,
        }
    }
}

impl From<WireExit> for Exit {
    fn from(exit: WireExit) -> Self {
        match exit {
            WireExit::Code(code) => Self::Code(code),
            WireExit::Signal(signal) => Self::Signal(signal),
            WireExit::NotStarted(why) => Self::NotStarted(why.into()),
            WireExit::Unknown => Self::Unknown,
        }
    }
}

/// A message with its length before it.
pub fn frame(message: &impl Serialize) -> Vec<u8> {
    let room = vec![0; 4];
    // Nothing in these types can fail to be written.
    let mut bytes = postcard::to_extend(message, room).unwrap_or_default();
    let len = u32::try_from(bytes.len().saturating_sub(4)).unwrap_or(u32::MAX);
    if let Some(place) = bytes.first_chunk_mut() {
        *place = len.to_le_bytes();
    }
    bytes
}

/// The next message; an error at the end of the stream, and for what is no message.
pub fn read<T: serde::de::DeserializeOwned>(from: &mut impl Read) -> io::Result<T> {
    let mut len = [0; 4];
    from.read_exact(&mut len)?;
    let len = usize::try_from(u32::from_le_bytes(len)).unwrap_or(usize::MAX);
    if len > FRAME_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; len];
    from.read_exact(&mut bytes)?;
    postcard::from_bytes(&bytes).map_err(|err| io::Error::new(io::ErrorKind::InvalidData, err))
}
