//! A status while nothing but time passes: seconds that count down, ages that grow.
//!
//! A status is told once and shown for many seconds. Whoever shows it counts by itself, so that nobody has to be woken
//! for a number.

use std::time::Duration;

use super::status::{Can, Stand, Status};
use super::tell::{DEGRADED_LEFT, TAKEOVER_IN, TAKEOVER_LEFT, seconds_up};

/// What stands before a number of seconds that runs down.
const COUNTDOWNS: [&str; 3] = [TAKEOVER_IN, TAKEOVER_LEFT, DEGRADED_LEFT];

/// By so much the age of the last look may be told wrongly.
const LOOK_STEP: Duration = Duration::from_secs(30);

/// Two ages that differ by less were counted from the same moment.
const ONE_SIGHT: Duration = Duration::from_millis(400);

impl Status {
    /// Control of a workspace that is not possible here, for this reason: a sentence.
    pub fn refused(why: String) -> Self {
        let no = || Err(why.clone());
        Self {
            stand: Stand::Refused,
            text: "Control is not possible here".to_owned(),
            may_start_runs: false,
            may_start_nodes: false,
            owner: None,
            requests: Vec::new(),
            asked: None,
            can: Can {
                claim: no(),
                take_over: no(),
                request: no(),
                cancel: no(),
                keep: no(),
                release: no(),
            },
            banners: Vec::new(),
            folder: None,
            seen: None,
            blocked: Some(why),
        }
    }

    /// The same status when so much more time has passed and nothing has happened.
    pub fn after(&self, passed: Duration) -> Self {
        let mut aged = self.clone();
        let less = |left: &mut Option<Duration>| {
            *left = left.map(|left| left.saturating_sub(passed));
        };
        if let Some(owner) = &mut aged.owner {
            owner.silent += passed;
            less(&mut owner.takeover_in);
            owner.takeover_in = owner.takeover_in.filter(|left| *left > Duration::ZERO);
        }
        for request in &mut aged.requests {
            request.age += passed;
            less(&mut request.answered_in);
        }
        if let Some(asked) = &mut aged.asked {
            asked.age += passed;
        }
        if let Some(seen) = &mut aged.seen {
            *seen += passed;
        }
        aged.each_text(|text| {
            *text = with_seconds(text, |left| left.saturating_sub(passed.as_secs()));
        });
        // The first moment at which a takeover may be asked for is told by its owner's silence alone.
        let was_possible = self.owner.as_ref().map(|owner| owner.takeover_in);
        if matches!(was_possible, Some(Some(_)))
            && aged.owner.as_ref().is_some_and(|o| o.takeover_in.is_none())
            && aged.asked.is_none()
            && aged.stand == Stand::Watching
        {
            aged.text = "Takeover available".to_owned();
        }
        aged
    }

    /// The same status as one reads it who has time: seconds that run down are told in steps of ten as long as there are
    /// more than thirty, so that nobody draws a frame each second for them. Always rounded up: nothing is said to be
    /// possible before it is.
    pub fn in_coarse_seconds(mut self) -> Self {
        self.each_text(|text| *text = with_seconds(text, coarse_seconds));
        self
    }

    /// True when the two differ by nothing but the time that has passed.
    pub fn differs_by_time_alone(&self, other: &Self) -> bool {
        // A silence that began anew is news: whoever counts the old one would tell that its owner is gone.
        let begins = |status: &Self| -> Vec<Duration> {
            let owner = status.owner.iter().map(|owner| owner.silent);
            let requests = status.requests.iter().map(|request| request.age);
            owner.chain(requests).collect()
        };
        let is_same = |(a, b): (Duration, Duration)| a.abs_diff(b) < ONE_SIGHT;
        // So is a look at the folder, once in a while: whoever counts the age of the old one would tell that the folder
        // does not answer.
        let looks = self.seen.zip(other.seen);
        let is_seen_anew = looks.is_some_and(|(a, b)| a.abs_diff(b) >= LOOK_STEP);
        !(is_seen_anew && self.owner.is_some())
            && self.timeless() == other.timeless()
            && begins(self).into_iter().zip(begins(other)).all(is_same)
    }

    /// True while a number in it runs down or up in seconds, for a face that shows one.
    pub fn counts(&self) -> bool {
        let counts = |text: &String| COUNTDOWNS.iter().any(|before| text.contains(before));
        self.owner.as_ref().is_some_and(|o| o.takeover_in.is_some())
            || !self.requests.is_empty()
            || counts(&self.text)
            || self.banners.iter().any(|banner| counts(&banner.text))
    }

    fn timeless(&self) -> Self {
        let mut still = self.clone();
        if let Some(owner) = &mut still.owner {
            owner.silent = Duration::ZERO;
            owner.takeover_in = owner.takeover_in.map(|_| Duration::ZERO);
        }
        for request in &mut still.requests {
            request.age = Duration::ZERO;
            request.answered_in = request.answered_in.map(|_| Duration::ZERO);
        }
        if let Some(asked) = &mut still.asked {
            asked.age = Duration::ZERO;
        }
        still.seen = still.seen.map(|_| Duration::ZERO);
        still.each_text(|text| *text = with_seconds(text, |_| 0));
        still
    }

    fn each_text(&mut self, mut change: impl FnMut(&mut String)) {
        change(&mut self.text);
        self.blocked.iter_mut().for_each(&mut change);
        self.banners
            .iter_mut()
            .for_each(|banner| change(&mut banner.text));
        let can = &mut self.can;
        for able in [
            &mut can.claim,
            &mut can.take_over,
            &mut can.request,
            &mut can.cancel,
            &mut can.release,
            &mut can.keep,
        ] {
            able.as_mut().err().into_iter().for_each(&mut change);
        }
    }
}

/// Seconds that are left, as they are told to one who has time.
pub fn coarse_seconds(left: u64) -> u64 {
    match left {
        0..=30 => left,
        left => left.next_multiple_of(10),
    }
}

/// The text with other numbers where seconds run down.
fn with_seconds(text: &str, change: impl Fn(u64) -> u64) -> String {
    let mut text = text.to_owned();
    for before in COUNTDOWNS {
        let Some(at) = text.find(before).map(|at| at + before.len()) else {
            continue;
        };
        let n_digits = text[at..].bytes().take_while(u8::is_ascii_digit).count();
        if let Ok(left) = text[at..at + n_digits].parse() {
            let left = seconds_up(Duration::from_secs(change(left)));
            text.replace_range(at..at + n_digits, &left.to_string());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_there_is_time_seconds_are_told_in_tens_and_rounded_up() {
        let told = [0, 1, 29, 30, 31, 40, 41, 90].map(coarse_seconds);
        assert_eq!(told, [0, 1, 29, 30, 40, 40, 50, 90]);
    }

    #[test]
    fn only_seconds_that_run_down_are_counted() {
        let less = |text: &str| with_seconds(text, |left| left.saturating_sub(7));
        assert_eq!(
            less("host 9s has control · takeover available in 80s"),
            "host 9s has control · takeover available in 73s"
        );
        assert_eq!(
            less("wsA has control; a takeover is possible in 3s."),
            "wsA has control; a takeover is possible in 0s."
        );
        assert_eq!(
            less("Degraded: 20 checkpoints failed (x). Nodes stop in 24s unless one succeeds."),
            "Degraded: 20 checkpoints failed (x). Nodes stop in 17s unless one succeeds."
        );
        assert_eq!(less("Nobody has control"), "Nobody has control");
    }
}
