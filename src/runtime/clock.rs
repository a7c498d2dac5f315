//! The only clock. Everything else is told the time.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::lease::Moment;
use crate::model::{RunId, Timestamp};

/// The time now, by the system's clock.
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// The time now for waits and for what is due: never goes back, means nothing elsewhere.
pub fn instant() -> Instant {
    Instant::now()
}

/// The time now on the clock that the protocol of control decides by: it counts suspend and never
/// jumps. Means nothing on another machine, nor after the next boot.
pub fn boot() -> Moment {
    // The one that goes on while the machine sleeps: on Apple's systems that is the monotonic one.
    #[cfg(target_os = "linux")]
    let clock = rustix::time::ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = rustix::time::ClockId::Monotonic;
    let time = rustix::time::clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let micros = u64::try_from(time.tv_nsec / 1_000).unwrap_or(0);
    Moment(seconds.saturating_mul(1_000_000).saturating_add(micros))
}

/// An id for a run that starts now: its UTC time to the millisecond and four digits that tell
/// apart what two processes of this machine start in the same one.
pub fn new_run_id(now: Timestamp, n_th: u32) -> RunId {
    let time = jiff::Timestamp::from_microsecond(now.0).unwrap_or_default();
    let mark = (std::process::id() ^ n_th.wrapping_mul(0x9E37)) & 0xFFFF;
    RunId::new(format!("{}-{mark:04x}", time.strftime("%Y%m%d-%H%M%S%.3f")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_clock_of_control_is_the_one_that_counts_suspend() {
        let said = || {
            let uptime = std::fs::read_to_string("/proc/uptime").expect("readable");
            let seconds = uptime.split(' ').next().expect("a field").to_owned();
            (seconds.parse::<f64>().expect("a number") * 1e6) as u64
        };
        // The system tells uptime, which counts suspend, in hundredths.
        let (before, now, after) = (said(), boot().0, said() + 10_000);
        assert!((before..=after).contains(&now), "{before} {now} {after}");
    }

    #[test]
    fn run_ids_sort_by_start_and_differ_within_a_millisecond() {
        let at = Timestamp(1_795_237_934_567_890);
        let a = new_run_id(at, 1);
        let b = new_run_id(at, 2);
        let later = new_run_id(Timestamp(at.0 + 1_000), 1);
        assert!(a.as_str().starts_with("20261121-"), "{a}");
        assert_ne!(a, b);
        assert!(a < later && b < later);
    }
}
