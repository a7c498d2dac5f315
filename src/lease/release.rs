//! A release: the last checkpoint, the mirrors, and one rename that ends the right to publish and the epoch at once.
//!
//! It can only touch our own epoch, because the number is in its name.

use super::act::{Act, Said, Why};
use super::name::Epoch;
use super::publish::{Publish, Published};

/// A release under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Release {
    epoch: Epoch,
    has_hint: bool,
    at: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    Last(Publish),
    WhoseIsIt,
    Mirrors,
    Hint,
    Pen,
}

/// What a release came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Released {
    /// Our epoch has ended.
    Yes,
    /// Try again.
    NotConfirmed,
    /// It was not ours, or not any more.
    Ousted,
}

impl Release {
    /// Of an owner: everything it knows is published first.
    pub(super) fn begin(
        epoch: Epoch,
        has_hint: bool,
        has_tables: bool,
        clears: bool,
    ) -> (Self, Act) {
        let (publish, act) = Publish::checkpoint(epoch, has_tables, clears);
        let start = Self {
            epoch,
            has_hint,
            at: Step::Last(publish),
        };
        (start, act)
    }

    /// Of one whose time is over, or who never learnt whether the number became its own: nothing is published, the
    /// mirrors may be another machine's already, and so may the number. A number never changes hands, so looking first
    /// is enough.
    pub(super) fn quit(epoch: Epoch) -> (Self, Act) {
        let start = Self {
            epoch,
            has_hint: false,
            at: Step::WhoseIsIt,
        };
        (start, Act::ReadEpoch(epoch))
    }

    pub(super) fn next(self, said: Said) -> Result<(Self, Act), Released> {
        match (self.at, said) {
            (Step::Last(publish), said) => match publish.next(said) {
                Ok((publish, act)) => Ok(self.go(Step::Last(publish), act)),
                Err(Published::Yes) => {
                    Ok(self.go(Step::Mirrors, Act::Mirrors { is_leased: false }))
                }
                Err(Published::NotConfirmed) => Err(Released::NotConfirmed),
                Err(Published::Ousted) => Err(Released::Ousted),
            },
            (Step::WhoseIsIt, Said::Epoch { is_mine: true, .. }) => {
                Ok(self.go(Step::Pen, Act::Release(self.epoch)))
            }
            (Step::WhoseIsIt, Said::Epoch { is_mine: false, .. }) => Err(Released::Ousted),
            (Step::WhoseIsIt, _) => Err(Released::NotConfirmed),
            (Step::Mirrors, _) if self.has_hint => Ok(self.go(Step::Hint, Act::Hint(self.epoch))),
            (Step::Hint, Said::Failed(Why::Gone)) => Err(Released::Ousted),
            // Without the hint the next owner is whoever comes first.
            (Step::Mirrors | Step::Hint, _) => Ok(self.go(Step::Pen, Act::Release(self.epoch))),
            // No pen: an earlier try came through, or another machine removed it. Our epoch is over either way.
            (Step::Pen, Said::Done | Said::Failed(Why::Gone)) => Err(Released::Yes),
            (Step::Pen, _) => Err(Released::NotConfirmed),
        }
    }

    fn go(self, at: Step, act: Act) -> (Self, Act) {
        (Self { at, ..self }, act)
    }
}
