//! Children of this process and their groups.

use rustix::process::{self, Pid, Signal, WaitId, WaitIdOptions, WaitOptions, WaitStatus};

use crate::model::Exit;

/// A number that means one process and not a group.
pub fn pid_of(pid: u32) -> Option<Pid> {
    // 0 and negative numbers mean groups; 1 is never ours.
    i32::try_from(pid)
        .ok()
        .filter(|pid| *pid > 1)
        .and_then(Pid::from_raw)
}

/// Waits until a child has ended and leaves it as it is: its number stays taken until it is reaped,
/// so its group can still be signalled safely.
pub fn wait_unreaped(pid: u32) {
    let Some(pid) = pid_of(pid) else { return };
    loop {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        match process::waitid(WaitId::Pid(pid), options) {
            Err(rustix::io::Errno::INTR) => {}
            _ => return,
        }
    }
}

/// Waits for the end of a child and lets its number go.
pub fn reap(pid: u32) -> Exit {
    let Some(pid) = pid_of(pid) else {
        return Exit::Unknown;
    };
    loop {
        match process::waitpid(Some(pid), WaitOptions::empty()) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(Some((_, status))) => return exit_of(status),
            _ => return Exit::Unknown,
        }
    }
}

fn exit_of(status: WaitStatus) -> Exit {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Unknown,
    }
}

/// SIGTERM to a group, then SIGCONT so that stopped members hear it. The caller holds the leader
/// unreaped.
pub fn ask_group(pgid: u32) {
    signal_group(pgid, Signal::TERM);
    signal_group(pgid, Signal::CONT);
}

/// SIGSTOP to a group, so that it cannot fork away. The caller holds the leader unreaped.
pub fn freeze_group(pgid: u32) {
    signal_group(pgid, Signal::STOP);
}

/// SIGCONT to a group. The caller holds the leader unreaped.
pub fn thaw_group(pgid: u32) {
    signal_group(pgid, Signal::CONT);
}

/// SIGKILL to a group. The caller holds the leader unreaped.
pub fn kill_group(pgid: u32) {
    signal_group(pgid, Signal::KILL);
}

fn signal_group(pgid: u32, signal: Signal) {
    if let Some(pgid) = pid_of(pgid)
        && process::kill_process_group(pgid, signal).is_err()
    {
        // No member is left, or none that this user may signal: nothing more can be done.
    }
}

/// Lets go of a child that has ended and that nobody else waits for.
pub fn reap_stray(pid: u32) {
    if let Some(pid) = pid_of(pid) {
        process::waitpid(Some(pid), WaitOptions::NOHANG).ok();
    }
}
