//! Numbers and times as the file writes them.

use std::time::Duration;

use super::limits::{POSITION_MAX, SECONDS_MAX};

/// A coordinate, when it is one that a canvas can show.
pub(super) fn position(text: &str) -> Option<f64> {
    let value: f64 = text.trim().parse().ok()?;
    (value.abs() <= POSITION_MAX).then_some(value)
}

/// A coordinate with at most two decimals.
pub(super) fn position_text(value: f64) -> String {
    let rounded = rounded(value);
    if rounded == 0.0 {
        // Never `-0`.
        return "0".to_owned();
    }
    format!("{rounded}")
}

/// The nearest coordinate that is written. What no canvas can show is at zero.
pub(super) fn rounded(value: f64) -> f64 {
    if value.is_finite() {
        (value.clamp(-POSITION_MAX, POSITION_MAX) * 100.0).round() / 100.0
    } else {
        0.0
    }
}

/// Seconds with decimals, within a year.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let duration =
        if digits(whole) && digits(decimals) && !(whole.is_empty() && decimals.is_empty()) {
            // By digits, not through a float: what was written reads back exactly.
            let nanos: String = decimals
                .chars()
                .chain("000000000".chars())
                .take(9)
                .collect();
            let whole = if whole.is_empty() { "0" } else { whole };
            Duration::new(whole.parse().ok()?, nanos.parse().ok()?)
        } else {
            Duration::try_from_secs_f64(text.parse().ok()?).ok()?
        };
    (duration <= Duration::from_secs(SECONDS_MAX)).then_some(duration)
}

/// Seconds with the decimals needed.
pub(super) fn seconds_text(duration: Duration) -> String {
    let text = format!("{}.{:09}", duration.as_secs(), duration.subsec_nanos());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A count of at most `max`; NetworkX may write it as `3.0`.
pub(super) fn count(text: &str, max: u32) -> Option<u32> {
    let text = text.trim();
    let text = text.strip_suffix(".0").unwrap_or(text);
    text.parse().ok().filter(|n| *n <= max)
}

/// A truth value, as Python and XML write them.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "True" | "1" => Some(true),
        "false" | "False" | "0" | "" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_have_at_most_two_decimals() {
        for (value, text) in [
            (0.0, "0"),
            (-0.001, "0"),
            (100.0, "100"),
            (-12.345_678, "-12.35"),
            (0.1, "0.1"),
            (f64::NAN, "0"),
        ] {
            assert_eq!(position_text(value), text);
        }
        for bad in ["nan", "inf", "1e999", "-1e10", "", "left"] {
            assert_eq!(position(bad), None, "{bad}");
        }
        assert_eq!(position(" 1.5e2\n"), Some(150.0));
    }

    #[test]
    fn seconds_read_back_exactly() {
        for ms in [1, 250, 1_000, 1_500, 90_000, 86_400_001] {
            let duration = Duration::from_millis(ms);
            assert_eq!(seconds(&seconds_text(duration)), Some(duration));
        }
        assert_eq!(seconds("1e2"), Some(Duration::from_secs(100)));
        for bad in ["-1", "nan", "", ".", "99999999999999999999", "1e999"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
