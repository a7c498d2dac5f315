//! The oldest epochs are removed, a few at a time, so that the log does not grow for ever.
//!
//! What must never be lost is that a number is used once, even by one who looks at the folder as it was an hour ago. So
//! a claim of n + 1 starts out inside the folder of n: its draft is made there, and renamed from there. Where the folder
//! of n is gone, the server refuses both, and nobody can claim n + 1 any more. Then, and only then, the folder of n + 1
//! may go too. Hence the lowest first, and each only when the one below it is known to be gone; the first of all is
//! number 0, which is nobody's and was made with the log. What is gone never comes back, so it makes no difference how
//! late such an operation is done, or by whom.
//!
//! Their pens are dead long since: whoever published under the newest epoch has fenced all below.

use super::act::{Act, Said, Why};
use super::name::Epoch;

/// A removal of old epochs under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Prune {
    epoch: Epoch,
    last: Epoch,
}

impl Prune {
    /// From the lowest epoch that is there to the last that is not kept.
    pub(super) fn begin(first: Epoch, last: Epoch) -> Option<(Self, Act)> {
        (first <= last).then_some((Self { epoch: first, last }, Act::RemoveEpoch(first)))
    }

    /// `None`: that was the last, or it could not be removed and so none above it may be.
    pub(super) fn next(self, said: Said) -> Option<(Self, Act)> {
        match said {
            Said::Done | Said::Failed(Why::Gone) => Self::begin(Epoch(self.epoch.0 + 1), self.last),
            _ => None,
        }
    }
}
