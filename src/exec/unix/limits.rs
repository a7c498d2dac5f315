//! How much the system gives, and what its refusals mean.

use std::io;

use rustix::io::Errno;
use rustix::process::{self, Resource};

/// A single argument must be shorter than this (Linux: `MAX_ARG_STRLEN`, 32 pages).
pub const ARG_BYTES_MAX: usize = 128 * 1024;

/// Files that this process may have open: now, and the most it may raise that to; `None` means no
/// limit.
pub fn open_files() -> (Option<u64>, Option<u64>) {
    let limit = process::getrlimit(Resource::Nofile);
    (limit.current, limit.maximum)
}

/// Raises the soft limit of open files to the hard one: a running node takes up to four. Best
/// effort; spawning tells if files still run out.
pub fn raise_open_files() {
    let limit = process::getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    let wanted = process::Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if process::setrlimit(Resource::Nofile, wanted).is_err() {
        // macOS refuses "unlimited"; the lower limit stays and spawning copes with it.
    }
}

/// The disk does not take what it should: full, failing, or gone read-only.
pub fn is_disk_trouble(err: &io::Error) -> bool {
    let Some(code) = err.raw_os_error() else {
        return false;
    };
    [Errno::NOSPC, Errno::DQUOT, Errno::ROFS, Errno::IO]
        .iter()
        .any(|errno| errno.raw_os_error() == code)
}

/// Too little of something that comes back: try again later instead of failing the node.
pub fn is_shortage(err: &io::Error) -> bool {
    let Some(code) = err.raw_os_error() else {
        return false;
    };
    [Errno::AGAIN, Errno::MFILE, Errno::NFILE, Errno::NOMEM]
        .iter()
        .any(|errno| errno.raw_os_error() == code)
}

pub fn is_too_big(err: &io::Error) -> bool {
    err.raw_os_error() == Some(Errno::TOOBIG.raw_os_error())
}
