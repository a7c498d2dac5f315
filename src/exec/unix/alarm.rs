//! Time that goes on while the machine sleeps, and waiting for it.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Time since the machine started, with the time it slept: for waits that other processes know of.
pub fn uptime() -> Duration {
    #[cfg(target_os = "linux")]
    const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Boottime;
    // On macOS this one counts sleep.
    #[cfg(not(target_os = "linux"))]
    const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Monotonic;
    let now = rustix::time::clock_gettime(CLOCK);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or_default())
}

/// The system's count of time that start times are given in: hundredths of a second since the
/// machine started. `None` where start times are counted otherwise.
#[cfg(target_os = "linux")]
pub fn birth_count_now() -> Option<u64> {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).ok()?;
    Some(seconds * 100 + u64::try_from(now.tv_nsec).ok()? / 10_000_000)
}

#[cfg(not(target_os = "linux"))]
pub fn birth_count_now() -> Option<u64> {
    None
}

/// Takes all waiting bytes; they only wake. False once the other end is closed.
pub fn drain(mut wake: &UnixStream) -> bool {
    let mut bytes = [0; 256];
    loop {
        match wake.read(&mut bytes) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(err) => return err.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

/// Waits for a time that is counted as [`uptime`] does, asleep or not.
pub struct Alarm {
    #[cfg(target_os = "linux")]
    timer: Option<std::os::fd::OwnedFd>,
}

impl Alarm {
    /// One that rings for nobody yet.
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
