//! Where the system has no such handles, only groups of children are signalled.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use super::super::table::Seen;

/// Never made: without a table of processes none is found.
pub enum Handle {}

impl Handle {
    pub fn open(_seen: &Seen) -> Option<Self> {
        None
    }

    pub fn signal(&self, _signal: Signal) {
        match *self {}
    }
}

/// Waits until `wake` can be read; false when the time is up first.
pub fn wait_any(_handles: &[Handle], wake: Option<&UnixStream>, at_most: Option<Duration>) -> bool {
    let timeout = at_most.and_then(|time| Timespec::try_from(time).ok());
    let mut fds: Vec<_> = wake
        .map(|wake| PollFd::new(wake, PollFlags::IN))
        .into_iter()
        .collect();
    !matches!(poll(&mut fds, timeout.as_ref()), Ok(0))
}
