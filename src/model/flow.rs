//! A flow: what one workfile says, without any result of running it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Graph, Rect, WorkspaceId, Wrapper};

/// Retries of one node that a workfile may ask for.
pub const RETRIES_MAX: u32 = 10_000;
/// Nodes of one flow at once that a workfile may ask for.
pub const JOBS_MAX: u32 = 10_000;
/// Passes of one node in one run that a workfile may ask for.
pub const PASSES_MAX: u32 = 1_000_000;
/// Seconds of a timeout or a retry delay: a year.
pub const SECONDS_MAX: u64 = 366 * 24 * 3600;

/// Environment settings in the order written, as `NAME=value` pairs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Env(pub Vec<(String, String)>);

impl Env {
    /// One setting per line (`NAME=value`); blank lines and `#` lines are skipped.
    /// Gives the lines that are not settings as errors.
    pub fn parse(text: &str) -> (Self, Vec<String>) {
        let mut pairs = Vec::new();
        let mut bad = Vec::new();
        for line in text.lines() {
            let line = line.trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match line.split_once('=') {
                Some((name, value)) if is_env_name(name.trim_end()) => {
                    pairs.push((name.trim_end().to_owned(), value.to_owned()));
                }
                _ => bad.push(line.to_owned()),
            }
        }
        (Self(pairs), bad)
    }

    /// The same settings as text that [`Env::parse`] reads.
    pub fn to_text(&self) -> String {
        self.0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

fn is_env_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A frame's name within its flow.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FrameId(pub String);

/// A titled rectangle behind the nodes: a group of nodes, or a note when it carries text.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Unique within the flow.
    pub id: FrameId,
    /// Where it lies; nodes inside move with it.
    pub rect: Rect,
    /// Shown in its top edge.
    pub title: String,
    /// A note's text, several lines; empty for a plain group.
    pub text: String,
}

/// What starts a flow. So far only the place in the sidebar and the icon go by it: schedules and
/// polls themselves are not carried out yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trigger {
    /// A person does.
    #[default]
    Manual,
    /// Changes of what it watches do.
    Poll,
    /// The clock does.
    Schedule,
}

impl Trigger {
    /// All of them, in the order in which their flows are listed.
    pub const ALL: [Self; 3] = [Self::Manual, Self::Poll, Self::Schedule];

    /// Its word in a workfile.
    pub fn word(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Poll => "poll",
            Self::Schedule => "schedule",
        }
    }

    /// The trigger that a word of a workfile means.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.trim();
        Self::ALL
            .into_iter()
            .find(|trigger| word.eq_ignore_ascii_case(trigger.word()))
    }
}

/// What one workfile says: the graph and how to run it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flow {
    /// Author's title; empty means the file name serves.
    pub title: String,
    /// Heading that gathers flows in the sidebar; empty means none.
    pub group: String,
    /// What starts it.
    pub trigger: Trigger,
    /// Set round each command; `None` hands the command to the shell as it is.
    pub wrapper: Option<Wrapper>,
    /// The shell that runs commands; empty means `bash` where it exists, else `sh`.
    pub shell: String,
    /// Working folder, relative to the workspace root; empty means that root.
    pub cwd: String,
    /// Environment of every node.
    pub env: Env,
    /// Passes of one node after which a non-blocking loop is ended as failed.
    pub max_passes: Option<u32>,
    /// Nodes of this flow that may run at once; `None` leaves it to the slots of the process.
    pub jobs_max: Option<u32>,
    /// Nodes and edges.
    pub graph: Graph,
    /// Frames and notes, back to front.
    pub frames: Vec<Frame>,
}

/// Which flow: its workspace on this machine and its file. The name a run, a board and a face share.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowRef {
    /// The workspace that holds it; a file opened alone has its folder as workspace.
    pub workspace: WorkspaceId,
    /// Root of that workspace, absolute.
    pub root: Arc<Path>,
    /// The workfile relative to `root`, with `/` between parts.
    pub file: Arc<str>,
}

impl FlowRef {
    /// Absolute path of the workfile.
    pub fn path(&self) -> PathBuf {
        self.root.join(&*self.file)
    }

    /// File name without folder and ending, for when the flow has no title.
    pub fn stem(&self) -> &str {
        let name = self.file.rsplit('/').next().unwrap_or(&self.file);
        name.rsplit_once('.')
            .map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem })
    }
}

impl fmt::Debug for FlowRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.workspace, self.file)
    }
}
