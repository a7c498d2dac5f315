//! When, as a person says it: `7d`, `today`, `2026-11-21`, `2026-11-21T10:30`. Pure: now and the zone are arguments.
//!
//! The command line and the window read what is asked of past runs by it.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, ToSpan};

use super::Timestamp;

/// A span back from now (`90s`, `90m`, `12h`, `7d`, `2w`), or the beginning of `today`, of `yesterday` or of a date, or a
/// date with a time; `None` for anything else.
pub fn parse_when(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if let Some((at, unit)) = text.char_indices().next_back()
        && let Ok(n) = text[..at].parse::<u32>()
    {
        let seconds: i64 = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 7 * 86_400,
            _ => return None,
        };
        return Some(Timestamp(now.0 - i64::from(n) * seconds * 1_000_000));
    }
    match day_of(text, now, zone) {
        Some(day) => begin_of(day, zone),
        None => {
            let at = text.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok()?;
            Some(Timestamp(at.timestamp().as_microsecond()))
        }
    }
}

/// The end of the day that `text` means, where it means a whole one that begins at `begin`.
pub fn day_after(text: &str, begin: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    // `today` was said of some now; its day is the one that was found.
    let day = day_of(text.trim(), begin, zone)?;
    let day = match text.trim() {
        "yesterday" => day.checked_add(1.day()).ok()?,
        _ => day,
    };
    begin_of(day.checked_add(1.day()).ok()?, zone)
}

fn day_of(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Date> {
    let today = || {
        let now = Instant::from_microsecond(now.0).ok()?;
        Some(now.to_zoned(zone.clone()).date())
    };
    match text {
        "today" => today(),
        "yesterday" => today()?.checked_sub(1.day()).ok(),
        text if text.contains(['T', ':', ' ']) => None,
        text => text.parse().ok(),
    }
}

fn begin_of(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    let at = day.to_zoned(zone.clone()).ok()?;
    Some(Timestamp(at.timestamp().as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21 10:41:07.120 UTC.
    const NOW: Timestamp = Timestamp(1_795_257_667_120_000);

    #[test]
    fn times_are_spans_back_days_or_dates() {
        let at = |text| parse_when(text, NOW, &TimeZone::UTC).map(|at| (NOW.0 - at.0) / 1_000_000);
        assert_eq!(at("90m"), Some(5_400));
        assert_eq!(at("7d"), Some(604_800));
        assert_eq!(at("today"), Some(38_467));
        assert_eq!(at("yesterday"), Some(38_467 + 86_400));
        assert_eq!(at("2026-11-21"), Some(38_467));
        assert_eq!(at("2026-11-21T10:41"), Some(7));
        for bad in ["", "d", "7y", "-3d", "21.11.2026", "²d", "tomorrow"] {
            assert_eq!(at(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_day_ends_where_the_next_begins_also_when_clocks_change() {
        let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
        for (text, hours) in [("2026-10-25", 25), ("2026-11-21", 24), ("2026-03-29", 23)] {
            let begin = parse_when(text, NOW, &zone).expect("a day");
            let end = day_after(text, begin, &zone).expect("its end");
            let took = (end.0 - begin.0) / 3_600_000_000;
            assert!(took == hours || zone == TimeZone::UTC, "{text}: {took}");
        }
        for text in ["today", "yesterday"] {
            let begin = parse_when(text, NOW, &TimeZone::UTC).expect("a day");
            let end = day_after(text, begin, &TimeZone::UTC).expect("its end");
            assert_eq!(end.0 - begin.0, 86_400_000_000, "{text}");
        }
        assert_eq!(day_after("7d", NOW, &TimeZone::UTC), None);
        assert_eq!(day_after("2026-11-21T10:41", NOW, &TimeZone::UTC), None);
    }
}
