//! Through a file that stands for one process.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::super::child::pid_of;
use super::super::table::{Seen, birth_of};

/// A process that cannot be mistaken for a later one with its number.
pub struct Handle(OwnedFd);

impl Handle {
    /// `None` when that process is gone.
    pub fn open(seen: &Seen) -> Option<Self> {
        let fd = pidfd_open(pid_of(seen.pid)?, PidfdFlags::empty()).ok()?;
        // Compared after opening: from here on the handle stays with this process.
        (birth_of(seen.pid)? == seen.birth).then_some(Self(fd))
    }

    pub fn signal(&self, signal: Signal) {
        if pidfd_send_signal(&self.0, signal).is_err() {
            // It has ended meanwhile, or belongs to another user.
        }
    }
}

/// Waits until one of them has ended or `wake` can be read; false when the time is up first.
pub fn wait_any(handles: &[Handle], wake: Option<&UnixStream>, at_most: Option<Duration>) -> bool {
    let mut fds: Vec<_> = handles
        .iter()
        .map(|handle| PollFd::new(&handle.0, PollFlags::IN))
        .collect();
    fds.extend(wake.map(|wake| PollFd::new(wake, PollFlags::IN)));
    let timeout = at_most.and_then(|time| Timespec::try_from(time).ok());
    // Interrupted counts as an event: the caller looks again anyway.
    !matches!(poll(&mut fds, timeout.as_ref()), Ok(0))
}
