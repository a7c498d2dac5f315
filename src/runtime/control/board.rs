//! What a face sees of control of one workspace.

use crate::lease::{Moment, Policy, Status};

use super::super::board::Runner;

/// Control of one workspace, as it is to be shown. Published anew only when something other than an age has changed:
/// who shows one counts by itself, from [`ControlBoard::status_at`].
#[derive(Clone, Debug, PartialEq)]
pub struct ControlBoard {
    /// How control stood at [`ControlBoard::at`].
    pub status: Status,
    /// When the status was true, on the clock of [`crate::runtime::boot`].
    pub at: Moment,
    /// What the person set for the workspace on this machine.
    pub policy: Policy,
    /// Another Handmill of this machine that keeps control for all of them; `None` when this process does, or nobody.
    pub held_by: Option<Runner>,
}

impl ControlBoard {
    /// How control stands now, if nothing has happened since it was published: ages grown, seconds run down.
    pub fn status_at(&self, now: Moment) -> Status {
        self.status.after(now.since(self.at))
    }

    /// True while a number in it changes each second: only then a face has to look again by itself.
    pub fn counts(&self) -> bool {
        self.status.counts()
    }
}
