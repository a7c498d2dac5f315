//! Which past runs go, and which only lose their logs. Pure: told what there is, what is wanted and
//! what time it is; the ledger and the log folders are others' business.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::{Outcome, RunId, Timestamp};

/// How long runs and their logs are kept, for each workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days that a run is kept after its end; one that failed or was interrupted is kept twice as
    /// long. 0 keeps runs for ever.
    pub days: u32,
    /// Bytes that the logs of a workspace may take; beyond, the oldest go and their runs stay
    /// listed. 0 sets no bound.
    pub log_bytes_max: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            days: 7,
            log_bytes_max: 20 << 30,
        }
    }
}

impl Retention {
    /// The time that a run which ended well is kept; `None` is for ever.
    pub fn time(&self) -> Option<Duration> {
        const DAY: u64 = 24 * 60 * 60;
        (self.days > 0).then(|| Duration::from_secs(u64::from(self.days) * DAY))
    }
}

/// What the rule asks of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRun {
    /// Its key in the ledger: larger means later.
    pub key: i64,
    /// Its name.
    pub run: RunId,
    /// Its flow's key in the ledger.
    pub flow: i64,
    /// The key of the run that it resumes.
    pub resumes: Option<i64>,
    /// When it ended; `None` while it lives.
    pub ended: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// A person wants it kept.
    pub pinned: bool,
    /// The flow's statuses go on from it, as those of its last run or of its newest import.
    pub needed: bool,
    /// Bytes of its logs; `None` when they were not measured yet.
    pub log_bytes: Option<u64>,
}

impl KeptRun {
    fn ended_badly(&self) -> bool {
        matches!(
            self.outcome,
            Some(Outcome::Failed | Outcome::Interrupted) | None
        )
    }
}

/// What is to go, by the runs' keys, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Going {
    /// Runs with everything that is known of them.
    pub runs: Vec<i64>,
    /// Runs that stay listed and lose their logs.
    pub logs: Vec<i64>,
}

/// What is to go now. `runs` are all of one workspace, in any order.
///
/// Never: a run without an end, a pinned one, what a flow's next resume needs (its last run with all
/// those that one goes on from), and interrupted runs since a flow's last proper end, whose processes
/// may still live.
pub fn going(runs: &[KeptRun], rule: &Retention, now: Timestamp) -> Going {
    let kept = kept_for_good(runs);
    let mut going = Going::default();
    let mut bytes: u64 = 0;
    // What is left, with the age that decides among logs: a bad end counts half.
    let mut left: Vec<(Duration, &KeptRun)> = Vec::new();
    for run in runs {
        let Some(ended) = run.ended.filter(|_| !kept.contains(&run.key)) else {
            bytes = bytes.saturating_add(run.log_bytes.unwrap_or(0));
            continue;
        };
        let age = now.since(ended) / if run.ended_badly() { 2 } else { 1 };
        if rule.time().is_some_and(|time| age > time) {
            going.runs.push(run.key);
        } else {
            bytes = bytes.saturating_add(run.log_bytes.unwrap_or(0));
            left.push((age, run));
        }
    }
    if rule.log_bytes_max > 0 && bytes > rule.log_bytes_max {
        left.sort_by_key(|(age, run)| (std::cmp::Reverse(*age), run.key));
        for (_, run) in left {
            if bytes <= rule.log_bytes_max {
                break;
            }
            let of_run = run.log_bytes.unwrap_or(0);
            if of_run > 0 {
                bytes = bytes.saturating_sub(of_run);
                going.logs.push(run.key);
            }
        }
    }
    going.runs.sort_unstable();
    going.logs.sort_unstable();
    going
}

fn kept_for_good(runs: &[KeptRun]) -> HashSet<i64> {
    let by_key: HashMap<i64, &KeptRun> = runs.iter().map(|run| (run.key, run)).collect();
    let mut newest_first: Vec<&KeptRun> = runs.iter().collect();
    newest_first.sort_by_key(|run| std::cmp::Reverse(run.key));
    // Flows whose newest runs, seen so far, were all interrupted.
    let mut unsettled: HashMap<i64, bool> = HashMap::new();
    let mut kept = HashSet::new();
    let mut links = HashSet::new();
    for run in newest_first {
        let first = !unsettled.contains_key(&run.flow);
        let unsettled = unsettled.entry(run.flow).or_insert(true);
        let last = run.needed || run.ended.is_none() || first;
        let interrupted = run.outcome == Some(Outcome::Interrupted);
        if run.pinned || interrupted && *unsettled {
            kept.insert(run.key);
        }
        *unsettled &= interrupted || run.ended.is_none();
        if last {
            let mut next = Some(run);
            while let Some(link) = next.filter(|link| links.insert(link.key)) {
                // A run goes on from an earlier one: anything else is damage, and would never end.
                next = link
                    .resumes
                    .filter(|resumes| *resumes < link.key)
                    .and_then(|resumes| by_key.get(&resumes).copied());
            }
        }
    }
    kept.extend(links);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60 * 1_000_000;
    const NOW: Timestamp = Timestamp(100 * DAY);

    /// Runs as text, oldest first: flow, age in days, outcome; then `pin`, `<n` (resumes the n-th),
    /// `needed`, `<n>b` of logs.
    fn runs(text: &str) -> Vec<KeptRun> {
        let run = |(at, line): (usize, &str)| {
            let mut words = line.split_whitespace();
            let mut word = || words.next().expect("a word");
            let flow = i64::from(word().as_bytes()[0]);
            let age: i64 = word().parse().expect("days");
            let outcome = Outcome::from_word(word());
            let mut run = KeptRun {
                key: i64::try_from(at).expect("few"),
                run: RunId::new(format!("r{at}")),
                flow,
                resumes: None,
                ended: outcome.map(|_| Timestamp(NOW.0 - age * DAY)),
                outcome,
                pinned: false,
                needed: false,
                log_bytes: None,
            };
            for word in words {
                match word {
                    "pin" => run.pinned = true,
                    "needed" => run.needed = true,
                    _ if word.starts_with('<') => run.resumes = word[1..].parse().ok(),
                    _ => run.log_bytes = word.trim_end_matches('b').parse().ok(),
                }
            }
            run
        };
        text.trim().lines().enumerate().map(run).collect()
    }

    fn check(text: &str, days: u32, bytes: u64, gone: &[i64], logs: &[i64]) {
        let rule = Retention {
            days,
            log_bytes_max: bytes,
        };
        let going = going(&runs(text), &rule, NOW);
        assert_eq!(going.runs, gone, "runs of {text}");
        assert_eq!(going.logs, logs, "logs of {text}");
    }

    #[test]
    fn old_runs_go_and_bad_ends_are_kept_twice_as_long() {
        let text = "a 15 failed
                    a 13 failed
                    a 8 succeeded
                    a 8 stopped
                    a 6 succeeded
                    a 0 succeeded";
        check(text, 7, 0, &[0, 2, 3], &[]);
        check(text, 0, 0, &[], &[]);
        check(text, 1, 0, &[0, 1, 2, 3, 4], &[]);
    }

    #[test]
    fn the_last_run_of_each_flow_and_what_it_goes_on_from_stay() {
        let text = "a 40 failed
                    a 39 failed <0
                    b 38 succeeded
                    a 37 succeeded
                    a 36 succeeded <1
                    c 35 succeeded needed
                    c 34 succeeded
                    c 33 succeeded";
        // Of c the statuses were cleared since: the newest run stays, and what is needed.
        check(text, 7, 0, &[3, 6], &[]);
    }

    #[test]
    fn live_and_pinned_runs_stay() {
        let text = "a 90 running <3
                    a 90 succeeded pin
                    a 90 succeeded
                    a 1 succeeded";
        check(text, 7, 1, &[2], &[]);
    }

    #[test]
    fn interrupted_runs_since_the_last_proper_end_stay() {
        let text = "a 50 interrupted
                    a 49 succeeded
                    a 48 interrupted
                    a 47 interrupted
                    b 1 succeeded";
        check(text, 7, 0, &[0, 1], &[]);
    }

    #[test]
    fn beyond_the_bound_the_oldest_logs_go_and_their_runs_stay() {
        let text = "a 5 failed 40b
                    a 4 succeeded 40b
                    a 3 succeeded pin 40b
                    a 3 succeeded
                    a 2 succeeded 40b
                    a 1 succeeded 40b";
        check(text, 7, 200, &[], &[]);
        check(text, 7, 199, &[], &[1]);
        // A failed run of five days is as young as a good one of two and a half.
        check(text, 7, 120, &[], &[0, 1]);
        // The pinned one and the last keep theirs, whatever the bound.
        check(text, 7, 1, &[], &[0, 1, 4]);
        check(text, 0, 0, &[], &[]);
    }

    #[test]
    fn what_goes_by_age_counts_no_bytes() {
        let text = "a 9 succeeded 100b
                    a 2 succeeded 100b
                    a 1 succeeded 100b";
        check(text, 7, 200, &[0], &[]);
    }

    #[test]
    fn a_pinned_run_in_between_cuts_no_chain() {
        let text = "a 30 failed
                    a 29 failed <0 pin
                    a 28 failed <1";
        check(text, 7, 0, &[], &[]);
    }

    #[test]
    fn a_circle_of_resumes_ends() {
        check("a 9 succeeded <1\na 9 succeeded <0", 7, 0, &[], &[]);
    }
}
