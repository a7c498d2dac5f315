//! What an error of the system means to the protocol.

use std::io::{self, ErrorKind};

use rustix::io::Errno;

use crate::disk::plain_cause;
use crate::lease::Fault;

/// Of an operation that makes, writes, renames or removes.
pub(super) fn fault(why: &io::Error) -> Fault {
    let told = || plain_cause(why);
    match why.kind() {
        ErrorKind::AlreadyExists => Fault::Exists,
        ErrorKind::DirectoryNotEmpty => Fault::NotEmpty,
        ErrorKind::NotFound | ErrorKind::StaleNetworkFileHandle => Fault::Gone,
        ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::StorageFull
        | ErrorKind::QuotaExceeded
        | ErrorKind::FileTooLarge
        | ErrorKind::InvalidFilename
        | ErrorKind::InvalidInput
        | ErrorKind::CrossesDevices
        | ErrorKind::TooManyLinks => Fault::Refused(told()),
        ErrorKind::NotADirectory => not_followed(),
        ErrorKind::IsADirectory | ErrorKind::InvalidData => Fault::NotUnderstood(why.to_string()),
        _ if why.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => not_followed(),
        _ => Fault::Unknown(told()),
    }
}

fn not_followed() -> Fault {
    Fault::NotUnderstood("a symbolic link or a file stands where a folder should".to_owned())
}

/// Of a rename that must not replace: a full folder in its place says either of two things.
pub(super) fn rename_fault(why: &io::Error) -> Fault {
    match why.kind() {
        ErrorKind::DirectoryNotEmpty => Fault::Exists,
        // The server may have done it before the handle went stale.
        ErrorKind::StaleNetworkFileHandle => Fault::Unknown(plain_cause(why)),
        _ => fault(why),
    }
}

/// How often an operation is tried again whose handle was stale: another client removed a name that
/// this one still knew.
const STALE_RETRIES: u32 = 3;

/// Does something anew while its handles are stale.
pub(super) fn unstale<T>(mut act: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    for _ in 0..STALE_RETRIES {
        match act() {
            Err(why) if why.kind() == ErrorKind::StaleNetworkFileHandle => {}
            other => return other,
        }
    }
    act()
}
