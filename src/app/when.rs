//! Times as people read them: `Today 10:41`, `3m ago`, `10:41:07.120`.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, Zoned};

use crate::model::Timestamp;

fn zoned(at: Timestamp, zone: &TimeZone) -> Zoned {
    let at = Instant::from_microsecond(at.0).unwrap_or_default();
    at.to_zoned(zone.clone())
}

/// `Today 10:41`, `Yesterday 18:03`, `Mon 14:20`, `3 Nov 09:15`, `3 Nov 2024`.
pub fn day_and_time(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, now) = (zoned(at, zone), zoned(now, zone));
    let days = i64::from(
        now.date()
            .since(at.date())
            .map_or(0, |span| span.get_days()),
    );
    match days {
        0 => at.strftime("Today %H:%M").to_string(),
        1 => at.strftime("Yesterday %H:%M").to_string(),
        2..=6 => at.strftime("%a %H:%M").to_string(),
        _ if at.year() == now.year() => at.strftime("%-d %b %H:%M").to_string(),
        _ => at.strftime("%-d %b %Y").to_string(),
    }
}

/// The same inside a sentence: `today 10:41`, `3 Nov 09:15`.
pub fn day_and_time_inside(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let words = day_and_time(at, now, zone);
    match words.starts_with("Today") || words.starts_with("Yesterday") {
        true => words.to_lowercase(),
        false => words,
    }
}

/// The same where there is little room: a time alone is today's.
pub fn short_day_and_time(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let words = day_and_time(at, now, zone);
    match words.strip_prefix("Today ") {
        Some(time) => time.to_owned(),
        None => words,
    }
}

/// `10:41:07.120`.
pub fn clock_ms(at: Timestamp, zone: &TimeZone) -> String {
    zoned(at, zone).strftime("%H:%M:%S%.3f").to_string()
}

/// `now` within the first minute, then `3m ago`, `2h ago`, `5d ago`. No seconds: they would have the
/// window drawn anew all the time for a number nobody waits for.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let s = now.since(at).as_secs();
    match s {
        0..60 => "now".to_owned(),
        60..3_600 => format!("{}m ago", s / 60),
        3_600..86_400 => format!("{}h ago", s / 3_600),
        _ => format!("{}d ago", s / 86_400),
    }
}

/// Words of ages are drawn anew this often at most, in seconds: a long list changes at three moments of a minute
/// and not with each of its lines.
const TURN: u64 = 20;

/// How long until [`ago`] is to be drawn again, because its word is another by then.
pub fn ago_changes_in(at: Timestamp, now: Timestamp) -> Duration {
    let age = now.since(at);
    let unit = match age.as_secs() {
        0..3_600 => 60,
        3_600..86_400 => 3_600,
        _ => 86_400,
    };
    let next = (age.as_secs() / unit + 1) * unit;
    let change = Duration::from_secs(next).saturating_sub(age);
    let now = Duration::from_micros(now.0.unsigned_abs());
    let turn = (now + change).as_secs() / TURN * TURN + TURN;
    // A little later, so that the new word is surely due.
    Duration::from_secs(turn).saturating_sub(now) + Duration::from_millis(20)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21 10:41:07.120 UTC.
    const NOW: Timestamp = Timestamp(1_795_257_667_120_000);

    fn back(seconds: i64) -> Timestamp {
        Timestamp(NOW.0 - seconds * 1_000_000)
    }

    #[test]
    fn times_read_as_people_say_them() {
        let day = |at| day_and_time(at, NOW, &TimeZone::UTC);
        assert_eq!(day(NOW), "Today 10:41");
        assert_eq!(short_day_and_time(NOW, NOW, &TimeZone::UTC), "10:41");
        assert_eq!(day(back(86_400)), "Yesterday 10:41");
        assert_eq!(day(back(3 * 86_400)), "Wed 10:41");
        assert_eq!(day(back(20 * 86_400)), "1 Nov 10:41");
        assert_eq!(day(back(400 * 86_400)), "17 Oct 2025");
        assert_eq!(clock_ms(NOW, &TimeZone::UTC), "10:41:07.120");
    }

    #[test]
    fn ages_are_short() {
        assert_eq!(ago(back(1), NOW), "now");
        assert_eq!(ago(back(42), NOW), "now");
        assert_eq!(ago(back(200), NOW), "3m ago");
        assert_eq!(ago(back(7_300), NOW), "2h ago");
        assert_eq!(ago(back(400_000), NOW), "4d ago");
    }

    #[test]
    fn an_age_is_drawn_anew_when_its_word_has_changed_and_with_those_of_other_lines() {
        let mut moments = std::collections::BTreeSet::new();
        for seconds in 0..3_600 {
            let at = back(seconds);
            let wait = ago_changes_in(at, NOW);
            let later = |d: Duration| Timestamp(NOW.0 + d.as_micros() as i64);
            let before = wait.saturating_sub(Duration::from_secs(TURN) + Duration::from_millis(40));
            assert_eq!(ago(at, later(before)), ago(at, NOW), "{seconds}");
            assert_ne!(ago(at, later(wait)), ago(at, NOW), "{seconds}");
            moments.insert(wait);
        }
        assert!(moments.len() <= 4, "{moments:?}");
        for seconds in [3_600, 7_300, 86_399, 400_000] {
            let at = back(seconds);
            let wait = ago_changes_in(at, NOW).as_micros() as i64;
            assert_ne!(ago(at, Timestamp(NOW.0 + wait)), ago(at, NOW), "{seconds}");
        }
    }
}
