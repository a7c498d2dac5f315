//! The limits of the protocol and why they fit together. All durations are on the clock that counts suspend.

use std::time::Duration;

/// How long things last: a value, so that tests can make hours of control fit into a minute.
///
/// **All machines that share a folder must use the same limits**: a machine that waits a ninetieth part as long as the
/// owner believes would run beside it. So the scale stands in every claim, and a machine with another one neither
/// claims nor takes over while that epoch lasts: see [`super::Stand::Refused`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// By what the real limits are divided: 1 for everybody but tests.
    pub scale: u32,
    /// Between two checkpoints of an owner.
    pub checkpoint: Duration,
    /// Between two snapshots: rows that come meanwhile wait for the next one.
    pub snapshot: Duration,
    /// Between a checkpoint that was not confirmed and the next try.
    pub retry: Duration,
    /// Between two looks at the folder.
    pub poll: Duration,
    /// How long a confirmed checkpoint lets children run, counted from before its first file operation.
    pub valid: Duration,
    /// Between the polite end of the children and their kill, when control is lost. The sitter must keep it too.
    pub grace: Duration,
    /// Silence, observed by this machine on its own clock, after which an epoch may be taken over.
    pub take: Duration,
    /// Between two refreshes of a request by its writer.
    pub refresh: Duration,
    /// A request that its owner did not see change for so long has no sender any more.
    pub request_max: Duration,
    /// The same for a request in the older shape, which is written once and never refreshed.
    pub seed_request_max: Duration,
    /// How long after a hand-over only the named requester claims.
    pub hint: Duration,
    /// After so long an unanswered request is answered by the workspace's policy.
    pub answer: Duration,
    /// So long after control was gained, the last wish here, or the begin or end of a run here, somebody is *acting*: an
    /// owner with nothing to run is not idle yet.
    pub acting: Duration,
}

impl Limits {
    /// The limits of the protocol.
    pub const REAL: Self = Self {
        scale: 1,
        checkpoint: Duration::from_secs(30),
        snapshot: Duration::from_secs(5),
        retry: Duration::from_secs(5),
        poll: Duration::from_secs(2),
        valid: Duration::from_secs(60),
        grace: Duration::from_secs(10),
        take: Duration::from_secs(90),
        refresh: Duration::from_secs(10),
        request_max: Duration::from_secs(30),
        seed_request_max: Duration::from_secs(120),
        hint: Duration::from_secs(10),
        answer: Duration::from_secs(60),
        acting: Duration::from_secs(10),
    };

    /// All of them that many times shorter, for tests: they keep their proportions, and so the protocol its promise, as
    /// long as the machine is quick enough. `None` for 0 and for more than [`SCALE_MAX`].
    pub const fn divided_by(scale: u32) -> Option<Self> {
        if scale == 0 || scale > SCALE_MAX {
            return None;
        }
        const fn part(whole: Duration, scale: u32) -> Duration {
            // Whole microseconds, which is what a moment counts.
            Duration::from_micros(whole.as_micros() as u64 / scale as u64)
        }
        let real = Self::REAL;
        Some(Self {
            scale,
            checkpoint: part(real.checkpoint, scale),
            snapshot: part(real.snapshot, scale),
            retry: part(real.retry, scale),
            poll: part(real.poll, scale),
            valid: part(real.valid, scale),
            grace: part(real.grace, scale),
            take: part(real.take, scale),
            refresh: part(real.refresh, scale),
            request_max: part(real.request_max, scale),
            seed_request_max: part(real.seed_request_max, scale),
            hint: part(real.hint, scale),
            answer: part(real.answer, scale),
            acting: part(real.acting, scale),
        })
    }

    /// Children of an epoch are dead `valid + grace` after the last confirmed checkpoint began. Another machine's
    /// silence begins no earlier than that checkpoint could be seen, so the first takeover comes `take` later on a clock
    /// that may be slow. The second must exceed the first, with both drifts against us.
    const fn is_sound(&self) -> bool {
        let take = self.take.as_micros();
        let drift = take * DRIFT_PERCENT as u128 / 100;
        self.valid.as_micros() + self.grace.as_micros() + drift < take - drift
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::REAL
    }
}

/// The most by which limits can be divided: a takeover after a second and a half.
pub const SCALE_MAX: u32 = 60;

/// How long a claim waits before it counts in a folder that is merged behind our back.
pub const SETTLE: Duration = Duration::from_secs(120);

/// Failed writes in a row that make an owner degraded.
pub const DEGRADED_AFTER: u32 = 2;

/// How far two clocks may drift apart, in percent.
pub const DRIFT_PERCENT: u32 = 1;

/// Epochs are written with so many digits, so that names sort as numbers do.
pub const EPOCH_DIGITS: usize = 12;

/// The highest epoch that its digits can hold.
pub const EPOCH_MAX: u64 = 999_999_999_999;

/// The newest epochs, which are kept: enough for a person to see what happened. The protocol itself needs the newest only.
pub const EPOCHS_KEPT: u64 = 16;

/// Epochs that are removed after one checkpoint.
pub const PRUNED_AT_ONCE: u64 = 4;

/// Requests that are read from one folder; more are not looked at.
pub const REQUESTS_MAX: usize = 1_000;

const _: () = {
    let mut scale = 1;
    while scale <= SCALE_MAX {
        match Limits::divided_by(scale) {
            Some(limits) => assert!(limits.is_sound()),
            None => panic!("every scale up to the highest has limits"),
        }
        scale += 1;
    }
};
