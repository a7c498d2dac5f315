//! Starting one process: a group of its own, three open files, and nothing else of ours.
//!
//! Linux: a clone that borrows our memory until it is another program, as posix_spawn makes one; see
//! there what it saves. Elsewhere: the standard library.

use std::ffi::{CStr, OsString};
use std::fs::File;
use std::path::Path;

/// What a process starts with.
pub(super) struct Start<'a> {
    /// Absolute path of the program.
    pub program: &'a Path,
    /// Its arguments, without its name.
    pub args: &'a [OsString],
    /// Working folder.
    pub cwd: &'a Path,
    /// Settings as `NAME=value`, no name twice.
    pub env: &'a [&'a CStr],
    /// Standard input, output and error.
    pub files: [&'a File; 3],
    /// The system kills it when the thread that starts it ends, which must therefore wait for it (Linux; elsewhere there
    /// is nothing of the kind).
    pub is_bound: bool,
}

#[cfg(target_os = "linux")]
#[path = "spawn/linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "spawn/elsewhere.rs"]
mod system;

/// Starts a process as the leader of its own group, with no signal blocked and the pipe signal as
/// programs expect it. Gives its number; the caller reaps it. What cannot be done is an error here,
/// also when the new process found it out. [`std::io::ErrorKind::InvalidInput`] means a NUL in a text.
pub(super) use system::start;
