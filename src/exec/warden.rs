//! The warden: a process beside the sitter that ends what the sitter leaves when it is killed.
//!
//! Where a workspace is shared, no node may outlive whoever keeps its deadline. The system kills a bound child itself
//! when that process dies (`spawn`), but not what the child has started. So the sitter notes each bound child in a
//! table that it shares with the warden, which sleeps until its line to the sitter ends, and kills what stands in it.
//! The table is a file in memory, so that a node costs two small writes and wakes nobody.
//!
//! Both sides are here. The warden knows neither runs nor workspaces. Where there is no such file nothing is noted.

use std::io;
use std::sync::OnceLock;

/// How the warden is called: a program and its arguments.
pub(super) type Called = OnceLock<(std::path::PathBuf, &'static [&'static str])>;

/// A child that must not outlive whoever started it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    /// Leader of its group.
    pub pid: u32,
    /// When it began, as the system counts it.
    pub birth: u64,
    /// The setting that marks everything it starts.
    pub mark: String,
}

#[cfg(target_os = "linux")]
#[path = "warden/linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "warden/elsewhere.rs"]
mod system;

pub(super) use system::Warden;

/// Is the warden: sleeps until whoever called it is gone, then kills what that left. Its standard input is the line,
/// its standard output the table.
pub fn stand_by() -> io::Result<()> {
    system::stand_by()
}
