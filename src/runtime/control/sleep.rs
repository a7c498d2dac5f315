//! Notices that the machine has slept: time that one clock counted and the other did not.
//!
//! A machine may be put to sleep without telling anybody (a lid, a virtual machine that is paused). Its sitter ends in
//! time what must end; the lease looks at the folder at once instead of when its next look is due.

use std::time::{Duration, Instant};

use crate::lease::Moment;

/// Shorter differences are those between two readings.
const SLEPT_MIN: Duration = Duration::from_secs(1);

/// How far the two clocks were apart when it was looked last.
#[derive(Clone, Copy, Debug)]
pub struct SleepWatch {
    boot: Moment,
    awake: Instant,
}

impl SleepWatch {
    /// From now on. `boot` counts sleep, `awake` does not.
    pub fn new(boot: Moment, awake: Instant) -> Self {
        Self { boot, awake }
    }

    /// How long the machine has slept since the last call, when it has.
    pub fn slept(&mut self, boot: Moment, awake: Instant) -> Option<Duration> {
        let passed = boot.since(self.boot);
        let lived = awake.saturating_duration_since(self.awake);
        *self = Self { boot, awake };
        Some(passed.saturating_sub(lived)).filter(|slept| *slept >= SLEPT_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::clock;

    #[test]
    fn sleep_is_what_one_clock_counts_and_the_other_does_not() {
        let start = clock::instant();
        let mut watch = SleepWatch::new(Moment(0), start);
        let second = Duration::from_secs(1);
        assert_eq!(watch.slept(Moment(9_000_000), start + second * 9), None);
        let woken = watch.slept(Moment(609_000_000), start + second * 10);
        assert_eq!(woken, Some(second * 599));
        assert_eq!(watch.slept(Moment(610_000_000), start + second * 11), None);
    }
}
