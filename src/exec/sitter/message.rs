//! What a client and the sitter say to each other: frames of a length and a postcard text.
//!
//! The version stands in the name of the socket, so two that cannot understand each other never
//! meet: whoever changes the meaning of what is here, or of what it holds, raises [`VERSION`]. A
//! variant added at an end changes no other.

use std::ffi::OsString;
use std::io::{self, Read};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::wire;
use super::super::{End, Job, Live, Report};
use crate::model::{FlowRef, NodeRunId, RunId, WorkspaceId};

/// Of the protocol.
pub const VERSION: u32 = 4;

/// No frame is longer: commands are 16 MiB at most, environments less.
const FRAME_BYTES_MAX: usize = 64 << 20;

/// What a client says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Ask {
    /// Comes first.
    Hello { pid: u32, program: OsString },
    /// This client carries the run from now on; its nodes have these settings in common, each
    /// `NAME=value`.
    Begin {
        #[serde(with = "wire::text")]
        run: RunId,
        #[serde(with = "wire::Flow")]
        flow: FlowRef,
        env: Vec<OsString>,
    },
    /// Start an attempt of a run that began.
    Launch(Box<Job>),
    /// End an attempt.
    Terminate {
        #[serde(with = "wire::Attempt")]
        id: NodeRunId,
        end: End,
    },
    /// The run is over: nothing of it has to be carried any more.
    Over {
        #[serde(with = "wire::text")]
        run: RunId,
    },
    /// Another client comes for the run.
    Leave {
        #[serde(with = "wire::text")]
        run: RunId,
    },
    /// This client carries the run from now on, which another began. Answered by `Attached`.
    Attach {
        ticket: u64,
        #[serde(with = "wire::text")]
        run: RunId,
    },
    /// Which runs are held. Answered by `Runs`.
    Runs { ticket: u64 },
    /// Until when (time since the machine started) nodes may run in a workspace; `None` is for ever.
    Deadline {
        #[serde(with = "wire::text")]
        workspace: WorkspaceId,
        until: Option<Duration>,
        /// Between asking and killing, at that time.
        grace: Duration,
    },
    /// The kill switch. Answered by `Killing`.
    Kill { ticket: u64, scope: Scope },
    /// What is to become of everything that runs in a workspace, whoever carries it.
    Tame {
        #[serde(with = "wire::text")]
        workspace: WorkspaceId,
        how: Tame,
    },
    /// From now on this client is told what others run in a workspace: [`Report::Others`].
    Watch {
        #[serde(with = "wire::text")]
        workspace: WorkspaceId,
    },
}

/// What the sitter says.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub enum Tell {
    /// Answers `Hello`.
    Welcome { pid: u32 },
    /// What became of an attempt that this client carries, or of a workspace that concerns it.
    Report(Report),
    /// Those of its attempts that live; `None` when the run is not held.
    Attached {
        ticket: u64,
        live: Option<Vec<Live>>,
    },
    /// All runs that are held.
    Runs { ticket: u64, runs: Vec<HeldRun> },
    /// How many attempts are being ended.
    Killing { ticket: u64, n: u64 },
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

/// A run that the sitter holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldRun {
    /// Which run.
    #[serde(with = "wire::text")]
    pub run: RunId,
    /// Of which flow.
    #[serde(with = "wire::Flow")]
    pub flow: FlowRef,
    /// Some process decides what follows in it.
    pub carried: bool,
    /// Attempts of it that live.
    pub children: u32,
}

/// What the kill switch is to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// These attempts.
    Attempts(#[serde(with = "wire::attempts")] Vec<NodeRunId>),
    /// Every attempt of this run.
    Run(#[serde(with = "wire::text")] RunId),
    /// Every attempt in this workspace.
    Workspace(#[serde(with = "wire::text")] WorkspaceId),
    /// All there is.
    Everything,
}

impl Scope {
    /// Whether it holds an attempt, of which the workspace may be unknown.
    pub fn holds(&self, id: &NodeRunId, of: Option<&WorkspaceId>) -> bool {
        match self {
            Self::Attempts(ids) => ids.contains(id),
            Self::Run(run) => id.run == *run,
            Self::Workspace(workspace) => of == Some(workspace),
            Self::Everything => true,
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

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;
    use crate::exec::{Environment, Why};
    use crate::model::{Exit, NodeIdx, Notice, ResourceName, Secret, Secrets};

    fn attempt() -> NodeRunId {
        NodeRunId {
            run: "r".into(),
            node: NodeIdx(7),
            pass: 2,
            attempt: 3,
        }
    }

    fn secrets() -> Secrets {
        let mut secrets = Secrets::default();
        let name = ResourceName::new("TOKEN").expect("a name");
        let value = Secret::new("hunter2".to_owned().into()).expect("a value");
        secrets.insert(name, value);
        secrets
    }

    #[track_caller]
    fn arrives<T>(message: &T)
    where
        T: Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        let sent = frame(message);
        assert_eq!(&read::<T>(&mut &*sent).expect("a message"), message);
    }

    #[test]
    fn what_is_asked_arrives_as_it_was_with_bytes_that_are_no_text() {
        let odd = || OsString::from_vec(b"/tmp/\xff".to_vec());
        arrives(&Ask::Begin {
            run: "r".into(),
            flow: FlowRef {
                workspace: "w".into(),
                root: std::path::PathBuf::from(odd()).into(),
                file: "a.graphml".into(),
            },
            env: vec![odd()],
        });
        arrives(&Ask::Launch(Box::new(Job {
            id: attempt(),
            program: odd().into(),
            args: vec![odd()],
            cwd: odd().into(),
            base: Environment::default(),
            env: vec![("A".into(), odd())],
            secrets: secrets(),
            stdout: odd().into(),
            stderr: odd().into(),
            is_bound: false,
        })));
        let end = End::within(Why::Control, Duration::from_millis(1));
        arrives(&Ask::Terminate { id: attempt(), end });
        let scope = Scope::Attempts(vec![attempt(), attempt()]);
        arrives(&Ask::Kill { ticket: 1, scope });
    }

    #[test]
    fn what_is_told_arrives_as_it_was() {
        let id = attempt();
        arrives(&Tell::Attached {
            ticket: 1,
            live: Some(vec![Live {
                id: id.clone(),
                process: Some((4, 5)),
                asked: Some(Why::Stop),
            }]),
        });
        for exit in [
            Exit::Code(-1),
            Exit::Signal(9),
            Exit::NotStarted("no".into()),
            Exit::Unknown,
        ] {
            let id = id.clone();
            arrives(&Tell::Report(Report::Exited { id, exit }));
        }
        arrives(&Tell::Report(Report::ControlLost("w".into())));
        arrives(&Tell::Report(Report::Told(Notice::warning("a", "b"))));
    }

    #[test]
    fn a_frame_that_is_too_long_or_cut_is_an_error() {
        let long = u32::MAX.to_le_bytes();
        assert!(read::<Ask>(&mut &long[..]).is_err());
        let sent = frame(&Ask::Runs { ticket: 1 });
        assert!(read::<Ask>(&mut &sent[..sent.len() - 1]).is_err());
    }
}
