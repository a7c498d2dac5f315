//! Points in time, passed in and never read here, and durations as people read them.

use std::time::Duration;

/// Microseconds since the Unix epoch. Only `runtime/clock.rs` makes one from the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Time from `earlier` to `self`; zero when the clock went backwards in between.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This time moved later by `by`, saturating.
    pub fn plus(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)),
        )
    }
}

/// A duration in the product's words: `<1ms`, `250ms`, `1.2s`, `1.5m`, `1.1h`.
pub fn human_duration(duration: Duration) -> String {
    let ms = duration.as_micros();
    match ms {
        0..1_000 => "<1ms".to_owned(),
        // 999.5 ms and up would print as 1000ms.
        1_000..999_500 => format!("{}ms", (ms + 500) / 1_000),
        _ => {
            let s = duration.as_secs_f64();
            if s < 59.95 {
                format!("{s:.1}s")
            } else if s < 3_597.0 {
                format!("{:.1}m", s / 60.0)
            } else {
                format!("{:.1}h", s / 3_600.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_the_product_says() {
        let cases = [
            (0, "<1ms"),
            (999, "<1ms"),
            (1_000, "1ms"),
            (250_000, "250ms"),
            (999_499, "999ms"),
            (999_500, "1.0s"),
            (1_200_000, "1.2s"),
            (59_940_000, "59.9s"),
            (59_960_000, "1.0m"),
            (90_000_000, "1.5m"),
            (3_960_000_000, "1.1h"),
        ];
        for (us, text) in cases {
            assert_eq!(human_duration(Duration::from_micros(us)), text, "{us} us");
        }
    }

    #[test]
    fn a_clock_that_went_back_gives_zero() {
        assert_eq!(Timestamp(5).since(Timestamp(9)), Duration::ZERO);
    }
}
