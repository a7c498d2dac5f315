//! Times and counts of control, as people read them.

use std::time::Duration;

use crate::runtime::control::{When, coarse_seconds};

use super::seat::Work;

/// `a moment ago`, `20 s ago`, `4 min ago`: in steps that a glance needs, so that it is not drawn anew each second.
pub fn about(age: Duration) -> String {
    match age.as_secs() {
        0..10 => "a moment ago".to_owned(),
        s @ 10..120 => ago(Duration::from_secs(s - s % 10)),
        _ => ago(age),
    }
}

/// In which time [`about`] says something else.
pub fn about_changes_in(age: Duration) -> Duration {
    let step = match age.as_secs() {
        0..120 => 10,
        120..7_200 => 60,
        _ => 3_600,
    };
    Duration::from_secs(step - age.as_secs() % step)
        .saturating_sub(Duration::from_nanos(age.subsec_nanos().into()))
}

/// `now`, `12 s ago`, `4 min ago`, `3 h ago`.
pub fn ago(age: Duration) -> String {
    match age.as_secs() {
        0 => "now".to_owned(),
        _ => format!("{} ago", long(age)),
    }
}

/// `12 s`, `4 min`, `3 h`.
pub fn long(time: Duration) -> String {
    match time.as_secs() {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7_200 => format!("{} min", s / 60),
        s => format!("{} h", s / 3_600),
    }
}

/// Whole seconds, rounded up, and to tens while there is time: nothing is said to happen before it does.
pub fn seconds(left: Duration) -> u64 {
    coarse_seconds(left.as_secs() + u64::from(left.subsec_nanos() > 0))
}

/// In which time [`seconds`] says something else.
pub fn seconds_change_in(left: Duration) -> Duration {
    const SECOND: Duration = Duration::from_secs(1);
    let shown = Duration::from_secs(seconds(left));
    let step = if shown > Duration::from_secs(30) {
        10
    } else {
        1
    };
    // From the top of its step down to the next one.
    (left + SECOND * step).saturating_sub(shown)
}

/// `1 node`, `3 nodes`.
pub fn count(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

/// When control passes on, as the end of a sentence; empty when that is at once.
pub fn when(when: When, work: Work) -> &'static str {
    match when {
        When::AfterRuns if work.n_runs > 1 => " after these runs",
        When::AfterRuns if work.n_runs == 1 => " after this run",
        When::AfterNodes if work.n_nodes > 1 => " after these nodes",
        When::AfterNodes if work.n_nodes == 1 => " after this node",
        When::Now | When::AfterNodes | When::AfterRuns => "",
    }
}

/// `grind, bake and 4 more`.
pub fn named(names: &[String]) -> String {
    const NAMES_MAX: usize = 5;
    let mut text = names[..names.len().min(NAMES_MAX)].join(", ");
    if names.len() > NAMES_MAX {
        text.push_str(&format!(" and {} more", names.len() - NAMES_MAX));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_one_unit_and_seconds_are_rounded_up() {
        let told = [0, 1, 12, 119, 120, 3_599, 7_200, 90_000]
            .map(|s| ago(Duration::from_secs(s)))
            .join(" | ");
        assert_eq!(
            told,
            "now | 1 s ago | 12 s ago | 119 s ago | 2 min ago | 59 min ago | 2 h ago | 25 h ago"
        );
        let told = [0, 9, 10, 19, 119, 120]
            .map(|s| about(Duration::from_secs(s)))
            .join(" | ");
        assert_eq!(
            told,
            "a moment ago | a moment ago | 10 s ago | 10 s ago | 110 s ago | 2 min ago"
        );
        assert_eq!(seconds(Duration::from_millis(17_001)), 18);
        assert_eq!(seconds(Duration::from_secs(18)), 18);
        assert_eq!(seconds(Duration::from_millis(30_001)), 40);
    }

    #[test]
    fn what_is_shown_changes_at_the_moment_that_is_told() {
        let mut random = 7_u64;
        for _ in 0..10_000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let time = Duration::from_millis((random >> 33) % 9_000_000);
            let moment = Duration::from_millis(1);
            let (wait, shown) = (about_changes_in(time), about(time));
            assert_eq!(about(time + wait - moment), shown, "{time:?}");
            assert_ne!(about(time + wait), shown, "{time:?}");
            let left = Duration::from_millis((random >> 33) % 90_000) + moment;
            let (wait, shown) = (seconds_change_in(left), seconds(left));
            assert_eq!(seconds(left - (wait - moment)), shown, "{left:?}");
            assert_ne!(seconds(left.saturating_sub(wait)), shown, "{left:?}");
        }
    }
}
