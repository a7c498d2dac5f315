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

/// A duration in the product's words: `<1ms`, `250ms`, `1.2s`, `1.5m`, `1.1h`. Cut, not rounded:
/// what has not passed is not shown.
pub fn human_duration(duration: Duration) -> String {
    let ms = duration.as_millis();
    let tenths = |unit_ms: u128| format!("{}.{}", ms / unit_ms, ms % unit_ms * 10 / unit_ms);
    match ms {
        0 => "<1ms".to_owned(),
        1..1_000 => format!("{ms}ms"),
        1_000..60_000 => format!("{}s", tenths(1_000)),
        60_000..3_600_000 => format!("{}m", tenths(60_000)),
        _ => format!("{}h", tenths(3_600_000)),
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
            (999_999, "999ms"),
            (1_000_000, "1.0s"),
            (1_290_000, "1.2s"),
            (59_990_000, "59.9s"),
            (60_000_000, "1.0m"),
            (90_000_000, "1.5m"),
            (3_599_999_999, "59.9m"),
            (4_000_000_000, "1.1h"),
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
