//! The only clock. Everything else is told the time.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

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
