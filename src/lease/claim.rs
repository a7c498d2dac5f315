//! A claim: from a fresh look to the first lease row of a new epoch.
//!
//! 1. A fresh look still shows what was decided upon.
//! 2. A private folder is made, with `claim.json` and a pen.
//! 3. It is renamed to the next number. This one step decides; whatever it answers, the token in the numbered folder
//!    tells who won.
//! 4. The pens of all older epochs are removed: the fence. From then on no older owner can publish.
//! 5. A fresh look still shows our epoch as the highest and our pen in it.
//! 6. What an older owner left is swept up and copied aside, and its snapshot adopted.
//! 7. The first row is published through our pen.
//!
//! Whenever this cannot go on, our epoch is ended by releasing it, so that nobody waits for it to fall silent.

use super::act::{Act, Said, Why};
use super::defect::planted;
use super::name::Epoch;
use super::publish::{Publish, Published};

/// Tries to remove a pen into which somebody still writes.
const REMOVE_MAX: u8 = 2;

/// What a claim is founded on: what was seen when it was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ground {
    /// The highest epoch, which is free or silent.
    pub(super) below: Option<Epoch>,
    /// The next lower epoch: numbers follow each other, but a person may have made a gap.
    pub(super) before: Option<Epoch>,
    /// The epoch of the lease row. Its owner fenced all older ones before it wrote the row, so no pen can be alive
    /// below it, and a pen that is dead stays dead: an old view of the row is no danger.
    pub(super) floor: Option<Epoch>,
    /// The highest epoch was not released: somebody is cut off.
    pub(super) cuts_off: bool,
    /// The claim must wait before it counts: copies of the folder may still be merged.
    pub(super) settles: bool,
    /// The tables are published with the first row. Always, except where only the row matters.
    pub(super) has_tables: bool,
}

/// A claim under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Claim {
    ground: Ground,
    mine: Epoch,
    at: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    FreshTouch,
    FreshList,
    FreshRow,
    FreshMarkers,
    Make,
    Rename,
    WhoWon,
    Empty { epoch: Epoch, n_tries: u8 },
    Remove { epoch: Epoch, n_tries: u8 },
    Settle,
    SureTouch,
    SureList,
    SurePen,
    Ended,
    Quarantine,
    Mirrors,
    Hydrate,
    First(Publish),
    Drop(Claimed),
    Withdraw,
}

/// What a claim came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Claimed {
    /// The epoch is ours and its first row is published.
    Yes,
    /// What was decided upon is no more: look again.
    Changed,
    /// The folder did not let us, or nobody knows; nothing of ours is left.
    NotDone,
    /// Another machine has the number.
    TooLate,
    /// The number was ours, but could not be made to count, and we released it.
    Withdrawn,
    /// As before, but the release itself is not certain.
    Stranded,
    /// Another machine took over while we were still claiming.
    Ousted,
}

/// What follows.
pub(super) enum Next {
    Act(Claim, Act),
    /// Wait for the copies of the folder to be merged, then call [`Claim::settled`].
    Wait(Claim),
    End(Claimed),
}

impl Claim {
    /// Begins with the fresh look; `None` when the numbers are used up.
    pub(super) fn begin(ground: Ground) -> Option<(Self, Act)> {
        let mine = match ground.below {
            Some(below) => below.next()?,
            None => Epoch(1),
        };
        let (at, act) = if planted!(NoFreshLook) {
            (Step::Make, Act::Make(mine))
        } else {
            (Step::FreshTouch, Act::Touch)
        };
        Some((Self { ground, mine, at }, act))
    }

    /// The epoch that is claimed.
    pub(super) fn epoch(&self) -> Epoch {
        self.mine
    }

    /// The number may be ours already, so giving up takes a release.
    pub(super) fn is_numbered(&self) -> bool {
        !matches!(
            self.at,
            Step::FreshTouch
                | Step::FreshList
                | Step::FreshRow
                | Step::FreshMarkers
                | Step::Make
                | Step::Drop(_)
        )
    }

    /// The wait of [`Next::Wait`] is over.
    pub(super) fn settled(self) -> (Self, Act) {
        self.go(Step::SureTouch, Act::Touch)
    }

    pub(super) fn next(self, said: Said) -> Next {
        let act = |(claim, act)| Next::Act(claim, act);
        let said = match said {
            Said::Epoch { has_pen, .. } if planted!(NoTokenCheck) => Said::Epoch {
                is_mine: true,
                has_pen,
            },
            said => said,
        };
        match (self.at, said) {
            // 1. The fresh look.
            (Step::FreshTouch, Said::Done) => act(self.go(Step::FreshList, Act::List)),
            (Step::FreshList, Said::Newest(newest)) if newest == self.ground.below => {
                act(self.go(Step::FreshRow, Act::ReadRow))
            }
            (Step::FreshRow, Said::Same(true)) => {
                act(self.go(Step::FreshMarkers, Act::ReadMarkers))
            }
            (Step::FreshMarkers, Said::Same(true)) if planted!(EmptyMarker) => {
                act(self.go(Step::Rename, Act::Rename(self.mine)))
            }
            (Step::FreshMarkers, Said::Same(true)) => {
                act(self.go(Step::Make, Act::Make(self.mine)))
            }
            (Step::FreshList, Said::Newest(_))
            | (Step::FreshRow | Step::FreshMarkers, Said::Same(false)) => {
                Next::End(Claimed::Changed)
            }
            (
                Step::FreshTouch | Step::FreshList | Step::FreshRow | Step::FreshMarkers,
                Said::Failed(_),
            ) => Next::End(Claimed::NotDone),

            // 2. The private folder.
            (Step::Make, Said::Done) if planted!(EmptyMarker) => self.fence(),
            (Step::Make, Said::Done) => act(self.go(Step::Rename, Act::Rename(self.mine))),
            (Step::Make, _) => act(self.drop(Claimed::NotDone)),

            // 3. The claim itself.
            (Step::Rename, Said::Done) if planted!(EmptyMarker) => {
                act(self.go(Step::Make, Act::Make(self.mine)))
            }
            (Step::Rename, Said::Done) => self.fence(),
            (Step::Rename, _) => act(self.go(Step::WhoWon, Act::ReadEpoch(self.mine))),
            (Step::WhoWon, Said::Epoch { is_mine: true, .. }) => self.fence(),
            (Step::WhoWon, Said::Epoch { is_mine: false, .. }) => act(self.drop(Claimed::TooLate)),
            // It may be on its way still. Dropping its source ends that, unless it comes in between; then the epoch is
            // one that nobody uses, and we end it when we see it.
            (Step::WhoWon, _) => act(self.drop(Claimed::Stranded)),
            (Step::Drop(end), _) => Next::End(end),

            // 4. The fence.
            (Step::Empty { epoch, n_tries }, Said::Done | Said::Failed(Why::Gone)) => {
                act(self.go(Step::Remove { epoch, n_tries }, Act::Remove(epoch)))
            }
            (Step::Remove { epoch, .. }, Said::Done | Said::Failed(Why::Gone)) => {
                self.fenced(epoch)
            }
            (Step::Remove { epoch, n_tries }, Said::Failed(Why::NotEmpty))
                if n_tries < REMOVE_MAX =>
            {
                let n_tries = n_tries + 1;
                act(self.go(Step::Empty { epoch, n_tries }, Act::Empty(epoch)))
            }
            (Step::Empty { .. } | Step::Remove { .. }, _) => act(self.withdraw()),

            // 5. Still the highest, and not fenced ourselves.
            (Step::SureTouch, Said::Done) => act(self.go(Step::SureList, Act::List)),
            (Step::SureList, Said::Newest(newest)) if newest == Some(self.mine) => {
                act(self.go(Step::SurePen, Act::ReadEpoch(self.mine)))
            }
            (
                Step::SurePen,
                Said::Epoch {
                    is_mine: true,
                    has_pen: true,
                },
            ) => act(self.sweep()),
            // Only a merge of two copies of the folder can put another's claim under our number.
            (Step::SurePen, Said::Epoch { is_mine: false, .. }) => Next::End(Claimed::TooLate),
            (Step::SureTouch | Step::SureList | Step::SurePen, _) => act(self.withdraw()),

            // 6. What was left. Mirrors and copies are for people: when they fail, the claim stands.
            (Step::Ended, _) => act(self.go(Step::Quarantine, Act::Quarantine)),
            (Step::Quarantine, _) => act(self.mirrors()),
            (Step::Mirrors, _) => act(self.go(Step::Hydrate, Act::Hydrate)),
            (Step::Hydrate, Said::Done) => act(self.first()),
            // Our snapshot would replace one that we could not read.
            (Step::Hydrate, _) => act(self.withdraw()),

            // 7. The first row.
            (Step::First(publish), said) => match publish.next(said) {
                Ok((publish, next)) => act(self.go(Step::First(publish), next)),
                Err(Published::Yes) if planted!(FenceLate) => self.fence_late(),
                Err(Published::Yes) => Next::End(Claimed::Yes),
                Err(Published::Ousted) => Next::End(Claimed::Ousted),
                Err(Published::NotConfirmed) => act(self.withdraw()),
            },

            (Step::Withdraw, Said::Done | Said::Failed(Why::Gone)) => Next::End(Claimed::Withdrawn),
            (Step::Withdraw, _) => Next::End(Claimed::Stranded),

            // No reply of another kind belongs to these steps.
            (
                Step::FreshTouch
                | Step::FreshList
                | Step::FreshRow
                | Step::FreshMarkers
                | Step::Settle,
                _,
            ) => Next::End(Claimed::NotDone),
        }
    }

    fn go(self, at: Step, act: Act) -> (Self, Act) {
        (Self { at, ..self }, act)
    }

    /// From the highest older epoch down to the floor.
    fn fence(self) -> Next {
        if planted!(FenceLate) {
            let (claim, act) = self.go(Step::SureTouch, Act::Touch);
            return Next::Act(claim, act);
        }
        self.fence_late()
    }

    fn fence_late(self) -> Next {
        self.fence_next(self.ground.below)
    }

    fn fenced(self, epoch: Epoch) -> Next {
        let lower = if Some(epoch) == self.ground.below {
            self.ground.before
        } else {
            Some(Epoch(epoch.0 - 1))
        };
        self.fence_next(lower.filter(|lower| lower.0 > 0 && Some(*lower) >= self.ground.floor))
    }

    fn fence_next(self, epoch: Option<Epoch>) -> Next {
        let (claim, act) = match epoch {
            Some(epoch) => self.go(Step::Empty { epoch, n_tries: 1 }, Act::Empty(epoch)),
            None if planted!(FenceLate) => return Next::End(Claimed::Yes),
            None if self.ground.settles => {
                return Next::Wait(Self {
                    at: Step::Settle,
                    ..self
                });
            }
            None => self.go(Step::SureTouch, Act::Touch),
        };
        Next::Act(claim, act)
    }

    fn sweep(self) -> (Self, Act) {
        match self.ground.below {
            Some(below) if self.ground.cuts_off => self.go(Step::Ended, Act::Ended(below)),
            // Cut off without an epoch: an older program's lease.
            None if self.ground.cuts_off => self.go(Step::Quarantine, Act::Quarantine),
            _ => self.mirrors(),
        }
    }

    fn mirrors(self) -> (Self, Act) {
        self.go(Step::Mirrors, Act::Mirrors { is_leased: true })
    }

    fn first(self) -> (Self, Act) {
        let (publish, act) = Publish::first(self.mine, self.ground.has_tables);
        self.go(Step::First(publish), act)
    }

    fn drop(self, end: Claimed) -> (Self, Act) {
        self.go(Step::Drop(end), Act::Drop)
    }

    fn withdraw(self) -> (Self, Act) {
        self.go(Step::Withdraw, Act::Release(self.mine))
    }
}
