//! Times and counts of control, as people read them.

use std::time::Duration;

use crate::runtime::control::When;

use super::seat::Work;

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

/// Whole seconds, rounded up: nothing is said to happen before it does.
pub fn seconds(left: Duration) -> u64 {
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
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
        assert_eq!(seconds(Duration::from_millis(47_001)), 48);
        assert_eq!(seconds(Duration::from_secs(48)), 48);
    }
}
