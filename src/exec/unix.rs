//! What the operating system is asked: signals, start times, the table of processes, limits.
//!
//! A process is only ever signalled after its start time was compared, through a handle that cannot
//! come to mean another process (Linux), or as the group of a child that was not reaped yet.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::process::{
    self, Pid, Resource, Signal, WaitId, WaitIdOptions, WaitOptions, WaitStatus,
};

use crate::model::Exit;

/// A single argument must be shorter than this (Linux: `MAX_ARG_STRLEN`, 32 pages).
pub(super) const ARG_BYTES_MAX: usize = 128 * 1024;

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

pub(super) fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Opens a log for a child: appending, so that two writers never overwrite each other, and only for
/// this user, since commands print secrets. Makes the folder when it is missing.
pub(super) fn open_log(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    match options.open(path) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => {
            if let Some(dir) = path.parent() {
                fs::create_dir_all(dir)?;
            }
            options.open(path)
        }
        result => result,
    }
}

/// Bytes that this user may still write where a file lies; `None` when that is not limited or cannot
/// be told.
pub(super) fn room(file: &File) -> Option<u64> {
    room_of(&rustix::fs::fstatvfs(file).ok()?)
}

/// The same for a path.
pub(super) fn room_at(path: &Path) -> Option<u64> {
    room_of(&rustix::fs::statvfs(path).ok()?)
}

fn room_of(told: &rustix::fs::StatVfs) -> Option<u64> {
    // A file system in memory without a limit has no blocks at all.
    (told.f_blocks > 0).then(|| told.f_bavail.saturating_mul(told.f_frsize))
}

/// The disk does not take what it should: full, failing, or gone read-only.
pub(super) fn is_disk_trouble(err: &io::Error) -> bool {
    use rustix::io::Errno;
    let Some(code) = err.raw_os_error() else {
        return false;
    };
    [Errno::NOSPC, Errno::DQUOT, Errno::ROFS, Errno::IO]
        .iter()
        .any(|errno| errno.raw_os_error() == code)
}

pub(super) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)
}

/// Too little of something that comes back: try again later instead of failing the node.
pub(super) fn is_shortage(err: &io::Error) -> bool {
    use rustix::io::Errno;
    let Some(code) = err.raw_os_error() else {
        return false;
    };
    [Errno::AGAIN, Errno::MFILE, Errno::NFILE, Errno::NOMEM]
        .iter()
        .any(|errno| errno.raw_os_error() == code)
}

pub(super) fn is_too_big(err: &io::Error) -> bool {
    err.raw_os_error() == Some(rustix::io::Errno::TOOBIG.raw_os_error())
}

fn pid_of(pid: u32) -> Option<Pid> {
    // 0 and negative numbers mean groups; 1 is never ours.
    i32::try_from(pid)
        .ok()
        .filter(|pid| *pid > 1)
        .and_then(Pid::from_raw)
}

/// Waits until a child has ended and leaves it as it is: its number stays taken until it is reaped,
/// so its group can still be signalled safely.
pub(super) fn wait_unreaped(pid: u32) {
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
pub(super) fn reap(pid: u32) -> Exit {
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
pub(super) fn ask_group(pgid: u32) {
    signal_group(pgid, Signal::TERM);
    signal_group(pgid, Signal::CONT);
}

/// SIGSTOP to a group, so that it cannot fork away. The caller holds the leader unreaped.
pub(super) fn freeze_group(pgid: u32) {
    signal_group(pgid, Signal::STOP);
}

/// SIGCONT to a group. The caller holds the leader unreaped.
pub(super) fn thaw_group(pgid: u32) {
    signal_group(pgid, Signal::CONT);
}

/// SIGKILL to a group. The caller holds the leader unreaped.
pub(super) fn kill_group(pgid: u32) {
    signal_group(pgid, Signal::KILL);
}

fn signal_group(pgid: u32, signal: Signal) {
    if let Some(pgid) = pid_of(pgid)
        && process::kill_process_group(pgid, signal).is_err()
    {
        // No member is left, or none that this user may signal: nothing more can be done.
    }
}

/// No process has this in its environment.
const NO_MARK: &str = "";

/// One process of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub pid: u32,
    pub parent: u32,
    pub group: u32,
    pub birth: u64,
    /// Ended and not reaped.
    pub dead: bool,
}

impl Seen {
    /// By number and start: parent and group may have changed since.
    pub fn is(&self, other: &Self) -> bool {
        self.pid == other.pid && self.birth == other.birth
    }
}

/// The processes of the machine at one moment. Empty where the system has no `/proc`.
#[derive(Debug, Default)]
pub(super) struct Table(Vec<Seen>);

impl Table {
    pub fn read() -> Self {
        let own = std::process::id();
        let Ok(entries) = fs::read_dir("/proc") else {
            return Self::default();
        };
        let seen = entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid| *pid > 1 && *pid != own)
            .filter_map(seen)
            .collect();
        Self(seen)
    }

    /// The children of a process, dead ones that were not reaped included.
    pub fn children(&self, parent: u32) -> Vec<Seen> {
        let of = self.0.iter().filter(|seen| seen.parent == parent);
        of.copied().collect()
    }

    /// Everything that lives in groups whose leaders, given by number and start, may be gone.
    pub fn groups(&self, leaders: impl Iterator<Item = (u32, u64)>) -> Vec<Seen> {
        let births: std::collections::HashMap<u32, u64> = leaders.collect();
        let is_theirs = |seen: &&Seen| {
            let birth = births.get(&seen.group);
            !seen.dead && birth.is_some_and(|birth| seen.birth >= *birth)
        };
        self.0.iter().filter(is_theirs).copied().collect()
    }

    /// These processes with everything that descends from them, as far as it lives.
    pub fn with_descendants(&self, roots: &[Seen]) -> Vec<Seen> {
        self.members(0, 0, NO_MARK, roots)
    }

    /// Everything that lives and belongs to an attempt: its group, the descendants of its leader
    /// whatever group they went to, and whoever carries its mark in the environment (those whose
    /// parents are gone), with their descendants. The leader itself is among them while it lives.
    /// `family` was found to belong to it before, and still does with its descendants.
    pub fn members(
        &self,
        leader: u32,
        leader_birth: u64,
        mark: &str,
        family: &[Seen],
    ) -> Vec<Seen> {
        let mut ours = HashSet::new();
        // A later process with the leader's number has nothing to do with us, nor has its group.
        let leader_known = self
            .0
            .iter()
            .any(|seen| seen.pid == leader && seen.birth == leader_birth);
        for seen in &self.0 {
            if (leader_known && (seen.pid == leader || seen.group == leader))
                || family.iter().any(|one| one.is(seen))
                || (seen.birth >= leader_birth && !seen.dead && has_mark(seen.pid, mark))
            {
                ours.insert(seen.pid);
            }
        }
        loop {
            let before = ours.len();
            for seen in &self.0 {
                if ours.contains(&seen.parent) {
                    ours.insert(seen.pid);
                }
            }
            if ours.len() == before {
                break;
            }
        }
        self.0
            .iter()
            .filter(|seen| ours.contains(&seen.pid) && !seen.dead)
            .copied()
            .collect()
    }
}

#[cfg(target_os = "linux")]
fn seen(pid: u32) -> Option<Seen> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may itself hold blanks and parentheses.
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let text = std::str::from_utf8(&stat[end + 1..]).ok()?;
    let mut fields = text.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    // Field 22 of the line, of which the name was the second.
    let birth = fields.nth(16)?.parse().ok()?;
    Some(Seen {
        pid,
        parent,
        group,
        birth,
        dead: matches!(state, "Z" | "X" | "x"),
    })
}

#[cfg(not(target_os = "linux"))]
fn seen(_pid: u32) -> Option<Seen> {
    None
}

/// Time since the machine started, with the time it slept: for waits that other processes know of.
pub(super) fn uptime() -> Duration {
    #[cfg(target_os = "linux")]
    const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Boottime;
    // On macOS this one counts sleep.
    #[cfg(not(target_os = "linux"))]
    const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Monotonic;
    let now = rustix::time::clock_gettime(CLOCK);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or_default())
}

/// When a process began, in the system's own count (Linux: clock ticks since boot).
/// The system's count of time that start times are given in: hundredths of a second since the
/// machine started. `None` where start times are counted otherwise.
#[cfg(target_os = "linux")]
pub(super) fn birth_count_now() -> Option<u64> {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).ok()?;
    Some(seconds * 100 + u64::try_from(now.tv_nsec).ok()? / 10_000_000)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn birth_count_now() -> Option<u64> {
    None
}

/// `/dev/null` for children to read from, opened once.
pub(super) fn no_input() -> io::Result<&'static File> {
    static NULL: std::sync::OnceLock<File> = std::sync::OnceLock::new();
    match NULL.get() {
        Some(null) => Ok(null),
        None => {
            let null = File::open("/dev/null")?;
            Ok(NULL.get_or_init(|| null))
        }
    }
}

pub(super) fn birth_of(pid: u32) -> Option<u64> {
    seen(pid).map(|seen| seen.birth)
}

/// The same process as the one with this start time, and it has not ended.
pub(super) fn lives(pid: u32, birth: u64) -> bool {
    birth != 0 && seen(pid).is_some_and(|seen| seen.birth == birth && !seen.dead)
}

/// Every living process that has `name` in its environment, with what it is set to. Other users'
/// processes cannot be looked into.
pub(super) fn all_with(name: &str) -> Vec<(Seen, String)> {
    let value = |pid: u32| {
        let env = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let mut vars = env.split(|byte| *byte == 0);
        let value = vars.find_map(|var| var.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
        String::from_utf8(value.to_vec()).ok()
    };
    let living = Table::read().0.into_iter().filter(|seen| !seen.dead);
    living
        .filter_map(|seen| Some((seen, value(seen.pid)?)))
        .collect()
}

/// Waits until the process with this number has ended, or a moment where that cannot be waited for.
pub(super) fn await_end(pid: u32) {
    const LOOK_AGAIN: Duration = Duration::from_secs(1);
    let handles: Vec<Handle> = seen(pid).iter().filter_map(Handle::open).collect();
    if handles.is_empty() {
        std::thread::sleep(LOOK_AGAIN);
    } else {
        wait_any(&handles, None, None);
    }
}

/// Whether the process has `name` in its environment, whatever it is set to.
pub(super) fn has_setting(pid: u32, name: &str) -> bool {
    fs::read(format!("/proc/{pid}/environ")).is_ok_and(|env| {
        env.split(|byte| *byte == 0).any(|var| {
            var.strip_prefix(name.as_bytes())
                .is_some_and(|rest| rest.starts_with(b"="))
        })
    })
}

pub(super) fn has_mark(pid: u32, mark: &str) -> bool {
    if mark == NO_MARK {
        return false;
    }
    // Unreadable means another user's process, or one that is just ending.
    fs::read(format!("/proc/{pid}/environ")).is_ok_and(|env| {
        env.split(|byte| *byte == 0)
            .any(|var| var == mark.as_bytes())
    })
}

#[cfg(target_os = "linux")]
mod handle {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};

    use super::{Seen, Signal, birth_of, pid_of};

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
    pub fn wait_any(
        handles: &[Handle],
        wake: Option<&UnixStream>,
        at_most: Option<Duration>,
    ) -> bool {
        let mut fds: Vec<_> = handles
            .iter()
            .map(|handle| PollFd::new(&handle.0, PollFlags::IN))
            .collect();
        fds.extend(wake.map(|wake| PollFd::new(wake, PollFlags::IN)));
        let timeout = at_most.and_then(|time| Timespec::try_from(time).ok());
        // Interrupted counts as an event: the caller looks again anyway.
        !matches!(poll(&mut fds, timeout.as_ref()), Ok(0))
    }
}

#[cfg(not(target_os = "linux"))]
mod handle {
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::{Seen, Signal};

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
    pub fn wait_any(
        _handles: &[Handle],
        wake: Option<&UnixStream>,
        at_most: Option<Duration>,
    ) -> bool {
        let timeout = at_most.and_then(|time| Timespec::try_from(time).ok());
        let mut fds: Vec<_> = wake
            .map(|wake| PollFd::new(wake, PollFlags::IN))
            .into_iter()
            .collect();
        !matches!(poll(&mut fds, timeout.as_ref()), Ok(0))
    }
}

use handle::Handle;
pub(super) use handle::wait_any;

/// Handles of these processes, as far as they still live.
pub(super) fn handles(members: &[Seen]) -> Vec<Handle> {
    members.iter().filter_map(Handle::open).collect()
}

/// Asks each process to end.
pub(super) fn ask(members: &[Seen]) {
    for handle in handles(members) {
        handle.signal(Signal::TERM);
        handle.signal(Signal::CONT);
    }
}

/// Stops each process, so that it cannot fork.
pub(super) fn freeze(members: &[Seen]) {
    for handle in handles(members) {
        handle.signal(Signal::STOP);
    }
}

/// Ends each process.
pub(super) fn kill(members: &[Seen]) {
    for handle in handles(members) {
        handle.signal(Signal::KILL);
    }
}

/// Takes all waiting bytes; they only wake. False once the other end is closed.
pub(super) fn drain(mut wake: &UnixStream) -> bool {
    let mut bytes = [0; 256];
    loop {
        match wake.read(&mut bytes) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(err) => return err.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

/// Waits until all of them have ended, or none does for this long.
pub(super) fn wait_all(members: &[Seen], at_most: Duration) {
    for handle in handles(members) {
        if !wait_any(std::slice::from_ref(&handle), None, Some(at_most)) {
            return;
        }
    }
}

/// Gives up terminal and session of whoever started us, so that their end is not ours.
pub(super) fn leave_session() {
    // The leader of a group cannot; then it was given one of its own already.
    process::setsid().ok();
    // A folder that is somebody's share should not be held by us.
    std::env::set_current_dir("/").ok();
}

/// Standard output becomes `/dev/null`, so that whoever reads it meets its end.
pub(super) fn close_output() {
    if let Ok(null) = OpenOptions::new().write(true).open("/dev/null") {
        rustix::stdio::dup2_stdout(null).ok();
    }
}

/// Whoever loses its parents among our descendants becomes our child, and not that of init.
pub(super) fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    process::set_child_subreaper(Some(process::getpid())).ok();
}

/// Lets go of a child that has ended and that nobody else waits for.
pub(super) fn reap_stray(pid: u32) {
    if let Some(pid) = pid_of(pid) {
        process::waitpid(Some(pid), process::WaitOptions::NOHANG).ok();
    }
}

/// Waits for a time that is counted as [`uptime`] does, asleep or not.
pub(super) struct Alarm {
    #[cfg(target_os = "linux")]
    timer: Option<std::os::fd::OwnedFd>,
}

impl Alarm {
    pub fn new() -> Self {
        #[cfg(target_os = "linux")]
        {
            use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};
            let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
            let timer = timerfd_create(TimerfdClockId::Boottime, flags).ok();
            Self { timer }
        }
        #[cfg(not(target_os = "linux"))]
        Self {}
    }

    /// Returns when `wake` can be read or the time has come; it may be sooner.
    pub fn wait(&self, wake: &UnixStream, until: Option<Duration>) {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        /// Where the system cannot wait over a sleep of the machine it is looked after this often.
        const SLICE: Duration = Duration::from_secs(1);
        let mut fds = vec![PollFd::new(wake, PollFlags::IN)];
        let rest = until.map(|until| until.saturating_sub(uptime()));
        let mut timeout = rest;
        #[cfg(target_os = "linux")]
        if let Some(timer) = &self.timer {
            use rustix::time::{Itimerspec, TimerfdTimerFlags, timerfd_settime};
            let zero = Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            // A time of zero would switch it off.
            let at = until.map(|until| until.max(Duration::from_nanos(1)));
            let value = at
                .and_then(|at| Timespec::try_from(at).ok())
                .unwrap_or(zero);
            let spec = Itimerspec {
                it_interval: zero,
                it_value: value,
            };
            if timerfd_settime(timer, TimerfdTimerFlags::ABSTIME, &spec).is_ok() {
                fds.push(PollFd::new(timer, PollFlags::IN));
                timeout = None;
            }
        }
        if fds.len() == 1 {
            timeout = timeout.map(|rest| rest.min(SLICE));
        }
        let timeout = timeout.and_then(|rest| Timespec::try_from(rest).ok());
        // Interrupted counts as an event: the caller looks again anyway.
        poll(&mut fds, timeout.as_ref()).ok();
    }
}
