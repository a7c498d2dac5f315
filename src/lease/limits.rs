//! The constants of the protocol and why they fit together. All durations are on the clock that counts suspend.

use std::time::Duration;

/// Between two checkpoints of an owner.
pub const CHECKPOINT: Duration = Duration::from_secs(30);

/// Between a checkpoint that was not confirmed and the next try.
pub const RETRY: Duration = Duration::from_secs(5);

/// Between two looks at the folder.
pub const POLL: Duration = Duration::from_secs(2);

/// How long a confirmed checkpoint lets children run, counted from before its first file operation.
pub const VALID: Duration = Duration::from_secs(60);

/// Between the polite end of the children and their kill, when control is lost.
pub const GRACE: Duration = Duration::from_secs(10);

/// Silence, observed by this machine on its own clock, after which an epoch may be taken over.
pub const TAKE: Duration = Duration::from_secs(90);

/// Between two refreshes of a request by its writer.
pub const REFRESH: Duration = Duration::from_secs(10);

/// A request that its owner did not see change for so long has no sender any more.
pub const REQUEST_MAX: Duration = Duration::from_secs(30);

/// The same for a request in the older shape, which is written once and never refreshed.
pub const SEED_REQUEST_MAX: Duration = Duration::from_secs(120);

/// How long after a hand-over only the named requester claims.
pub const HINT: Duration = Duration::from_secs(10);

/// After so long an unanswered request is answered by the workspace's policy.
pub const ANSWER: Duration = Duration::from_secs(60);

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

/// Requests that are read from one folder; more are not looked at.
pub const REQUESTS_MAX: usize = 1_000;

// Children of an epoch are dead VALID + GRACE after the last confirmed checkpoint began. Another machine's silence
// begins no earlier than that checkpoint could be seen, so the first takeover comes TAKE later on a clock that may
// be slow. The second must exceed the first, with both drifts against us.
const _: () = {
    let drift = TAKE.as_millis() * DRIFT_PERCENT as u128 / 100;
    assert!(VALID.as_millis() + GRACE.as_millis() + drift < TAKE.as_millis() - drift);
};
