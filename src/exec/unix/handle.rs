//! Signals to processes that are not our children, and waits for their ends.

use std::time::Duration;

use rustix::process::Signal;

use super::table::{self, Seen};

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(not(target_os = "linux"))]
use elsewhere::Handle;
#[cfg(not(target_os = "linux"))]
pub use elsewhere::wait_any;
#[cfg(target_os = "linux")]
use linux::Handle;
#[cfg(target_os = "linux")]
pub use linux::wait_any;

/// Handles of these processes, as far as they still live.
pub fn handles(members: &[Seen]) -> Vec<Handle> {
    members.iter().filter_map(Handle::open).collect()
}

/// Asks each process to end.
pub fn ask(members: &[Seen]) {
    for handle in handles(members) {
        handle.signal(Signal::TERM);
        handle.signal(Signal::CONT);
    }
}

/// Stops each process, so that it cannot fork.
pub fn freeze(members: &[Seen]) {
    for handle in handles(members) {
        handle.signal(Signal::STOP);
    }
}

/// Ends each process.
pub fn kill(members: &[Seen]) {
    for handle in handles(members) {
        handle.signal(Signal::KILL);
    }
}

/// Waits until all of them have ended, or none does for this long.
pub fn wait_all(members: &[Seen], at_most: Duration) {
    for handle in handles(members) {
        if !wait_any(std::slice::from_ref(&handle), None, Some(at_most)) {
            return;
        }
    }
}

/// Waits until the process with this number has ended, or a moment where that cannot be waited for.
pub fn await_end(pid: u32) {
    const LOOK_AGAIN: Duration = Duration::from_secs(1);
    let handles: Vec<Handle> = table::seen(pid).iter().filter_map(Handle::open).collect();
    if handles.is_empty() {
        std::thread::sleep(LOOK_AGAIN);
    } else {
        wait_any(&handles, None, None);
    }
}
