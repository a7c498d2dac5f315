//! What a node printed, as it is shown: lines with their stream and the time they were seen.

use std::sync::Arc;

use super::{NodeId, Timestamp};

/// Which of the two outputs of a process a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// One line as it is shown: inert text (control bytes made visible), cut at a bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When it was seen; absent for logs imported from a workfile.
    pub at: Option<Timestamp>,
    /// Which output it came from.
    pub stream: Stream,
    /// The node that printed it.
    pub node: NodeId,
    /// The text, without its line end.
    pub text: Arc<str>,
}

/// Who published something, and when it was seen here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// That machine's host.
    pub host: Arc<str>,
    /// By this machine's clock.
    pub seen: Timestamp,
}

/// The newest lines of one log, bounded, with what was left out before them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogTail {
    /// Oldest first.
    pub lines: Vec<LogLine>,
    /// Bytes of the log before the first line here; the log file holds them.
    pub skipped_bytes: u64,
    /// Bytes of the log in all.
    pub total_bytes: u64,
    /// The log was there and was removed, as retention says.
    pub removed: bool,
    /// Another machine ran it: these are the lines that it published.
    pub published: Option<Published>,
    /// Why the log could not be read; empty when it could.
    pub trouble: String,
}
