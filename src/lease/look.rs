//! A look at the folder: what is there, since when it has not changed, and who has control by it.
//!
//! Silence is time on our own clock since we first saw what we still see. It begins when a look ends, never at a time
//! that stands in a file.

use std::time::Duration;

use super::defect::planted;
use super::limits::Limits;
use super::message::{Folder, Sighting};
use super::name::{Beat, Epoch, Me, Moment, Now};
use super::note::{ClaimNote, Hint};
use super::op::{Asked, EpochSeen, Listing, Markers, Op, PenSeen, Reply, RowSeen};

/// What one look showed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct View {
    pub(super) listing: Listing,
    /// The newest epoch, if there is one and it could be read.
    pub(super) epoch: Option<EpochSeen>,
    pub(super) row: RowSeen,
    pub(super) markers: Markers,
    /// When the look ended.
    pub(super) at: Moment,
}

impl View {
    pub(super) fn is_released(&self) -> bool {
        matches!(
            self.epoch,
            Some(EpochSeen {
                pen: PenSeen::Released { .. },
                ..
            })
        )
    }

    pub(super) fn claim(&self) -> Option<&ClaimNote> {
        self.epoch.as_ref()?.claim.as_ref()
    }

    /// The row was written by a program that knows no epochs.
    pub(super) fn seed_row(&self) -> Option<(&super::note::LeaseRow, Beat)> {
        match &self.row {
            RowSeen::Is { row, beat } if row.generation.epoch.is_none() => Some((row, *beat)),
            _ => None,
        }
    }

    /// The row is of an epoch, and no epoch is there: somebody removed the log.
    pub(super) fn is_log_gone(&self) -> bool {
        let row = self.row.row();
        self.listing.newest.is_none() && row.is_some_and(|row| row.generation.epoch.is_some())
    }

    /// Numbers are missing below the newest: somebody made or removed epochs by hand.
    pub(super) fn gap(&self) -> Option<(u64, u64)> {
        let newest = self.listing.newest?.0;
        let before = self.listing.before.map_or(0, |before| before.0);
        (newest > before + 1).then_some((before, newest))
    }
}

/// Who has control, by what was seen.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Holder {
    /// Nothing was seen yet.
    Unknown,
    /// Not ours to touch. A sentence.
    Refused(String),
    /// Nobody. Until the moment, only the machine that was named may claim.
    Free { next: Option<(Hint, Moment)> },
    /// A machine, alive or silent.
    Held {
        claim: Option<ClaimNote>,
        host: String,
        is_seed: bool,
        /// The row cannot be read: nobody knows who it is. A fragment.
        damage: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    List,
    Epoch,
    Row,
    Markers,
    Requests,
}

/// A look under way.
#[derive(Clone, Debug, PartialEq)]
struct Look {
    at: Step,
    listing: Listing,
    epoch: Option<EpochSeen>,
    row: RowSeen,
    markers: Markers,
}

/// Looks, and remembers what was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Eyes {
    pub(super) limits: Limits,
    look: Option<Look>,
    pub(super) view: Option<View>,
    pub(super) sight: Option<Sighting>,
    remembered: Option<Sighting>,
    /// The first look that showed the release.
    released_at: Moment,
    /// Changes seen since the start: a holder that changes lives.
    pub(super) n_changes: u32,
}

/// What a reply brought.
pub(super) enum Glance {
    /// Go on looking.
    Op(Op),
    /// The look is complete; it showed something new, or not.
    Seen { asked: Asked, is_new: bool },
    /// It could not be completed.
    Failed,
}

impl Eyes {
    /// What the ledger kept from an earlier process under the same boot.
    pub(super) fn remember(&mut self, sight: Sighting) {
        if self.sight.is_none() {
            self.remembered = Some(sight);
        }
    }

    pub(super) fn is_looking(&self) -> bool {
        self.look.is_some()
    }

    pub(super) fn begin(&mut self) -> Op {
        self.look = Some(Look {
            at: Step::List,
            listing: Listing::default(),
            epoch: None,
            row: RowSeen::Absent,
            markers: Markers::default(),
        });
        Op::ListEpochs
    }

    pub(super) fn next(&mut self, now: Now, reply: Reply) -> Glance {
        let Some(mut look) = self.look.take() else {
            return Glance::Failed;
        };
        let (at, op) = match (look.at, reply) {
            (Step::List, Reply::Epochs(listing)) => {
                look.listing = listing;
                match look.listing.newest {
                    Some(epoch) => (Step::Epoch, Op::ReadEpoch { epoch }),
                    None => (Step::Row, Op::ReadRow),
                }
            }
            (Step::Epoch, Reply::Epoch(epoch)) => {
                look.epoch = Some(epoch);
                (Step::Row, Op::ReadRow)
            }
            (Step::Row, Reply::Row(row)) => {
                look.row = row;
                (Step::Markers, Op::ReadMarkers)
            }
            (Step::Markers, Reply::Markers(markers)) => {
                look.markers = markers;
                (Step::Requests, Op::ReadRequests)
            }
            (Step::Requests, Reply::Requests(asked)) => {
                let is_new = self.seen(now, look);
                return Glance::Seen { asked, is_new };
            }
            _ => return Glance::Failed,
        };
        look.at = at;
        self.look = Some(look);
        Glance::Op(op)
    }

    fn seen(&mut self, now: Now, look: Look) -> bool {
        let view = View {
            listing: look.listing,
            epoch: look.epoch,
            row: look.row,
            markers: look.markers,
            at: now.boot,
        };
        let mut sight = Sighting {
            epoch: view.listing.newest,
            is_released: view.is_released(),
            beat: view.row.beat(),
            since: now.boot,
            until: now.boot,
        };
        let is_same = |a: &Sighting, b: &Sighting| {
            (a.epoch, a.is_released, a.beat) == (b.epoch, b.is_released, b.beat)
        };
        let is_new = match (&self.sight, self.remembered.take()) {
            (Some(before), _) if is_same(before, &sight) => {
                sight.since = before.since;
                false
            }
            // What is unique and is there again was there all the time.
            (None, Some(before)) if is_same(&before, &sight) && before.since <= now.boot => {
                sight.since = before.since;
                false
            }
            (before, _) => {
                self.n_changes += u32::from(before.is_some());
                true
            }
        };
        let was_released = self
            .view
            .as_ref()
            .is_some_and(|view| view.is_released() && view.listing.newest == sight.epoch);
        if sight.is_released && !was_released {
            self.released_at = now.boot;
        }
        self.view = Some(view);
        self.sight = Some(sight);
        is_new
    }

    /// How long nothing has changed.
    pub(super) fn silence(&self, now: Now) -> Duration {
        if planted!(WallClock) {
            let row = self.view.as_ref().and_then(|view| view.row.row());
            return row.map_or(Duration::ZERO, |row| now.wall.since(row.checkpoint_at));
        }
        self.sight
            .as_ref()
            .map_or(Duration::ZERO, |sight| now.boot.since(sight.since))
    }

    /// The silence that allows a takeover. In a folder that is merged behind our back a claim is silent while it settles.
    pub(super) fn take(&self, folder: Option<&Folder>) -> Duration {
        match folder {
            Some(Folder::Advisory { settle, .. }) => self.limits.take + *settle,
            _ => self.limits.take,
        }
    }

    /// When the silence will have lasted long enough. Meaningless before anything was seen.
    pub(super) fn takeover_at(&self, now: Now, folder: Option<&Folder>) -> Moment {
        let left = self.take(folder).saturating_sub(self.silence(now));
        now.boot.plus(left)
    }

    pub(super) fn holder(&self, me: &Me) -> Holder {
        let Some(view) = &self.view else {
            return Holder::Unknown;
        };
        if let Some(why) = &view.markers.foreign {
            return Holder::Refused(why.clone());
        }
        if let Some(why) = self.other_scale(view) {
            return Holder::Refused(why);
        }
        let damage = match &view.row {
            RowSeen::Damaged { why, .. } => Some(why.clone()),
            _ => None,
        };
        let seed = view.seed_row();
        let held = |claim: Option<&ClaimNote>, host: Option<&str>, is_seed: bool| Holder::Held {
            claim: claim.cloned(),
            host: host.unwrap_or(UNKNOWN_HOST).to_owned(),
            is_seed,
            damage: damage.clone(),
        };
        match (view.listing.newest, &view.epoch) {
            (
                Some(_),
                Some(EpochSeen {
                    pen: PenSeen::Released { next },
                    ..
                }),
            ) => {
                match (seed, &damage) {
                    // An older program came after the release.
                    (Some((row, _)), _) => held(None, Some(&row.host), true),
                    (None, Some(_)) => held(None, None, false),
                    (None, None) => Holder::Free {
                        next: next.clone().map(|hint| {
                            let until = self.released_at.plus(self.limits.hint);
                            (hint, until)
                        }),
                    },
                }
            }
            (Some(_), _) => {
                let claim = view.claim();
                // After stepping down for an older program our own epoch is still the newest.
                match seed {
                    Some((row, _)) if claim.is_some_and(|claim| claim.machine == me.machine) => {
                        held(claim, Some(&row.host), true)
                    }
                    _ => held(claim, claim.map(|claim| claim.host.as_str()), false),
                }
            }
            (None, _) => match (&view.row, view.markers.is_leased) {
                (RowSeen::Absent, false) => Holder::Free { next: None },
                // A row of an epoch, and no log of epochs: its owner may run until it finds that out.
                (RowSeen::Is { row, .. }, true) => held(None, Some(&row.host), !view.is_log_gone()),
                // A row and no marker: an older program released, or died while it claimed.
                (RowSeen::Is { row, .. }, false) if !view.markers.is_available => {
                    held(None, Some(&row.host), !view.is_log_gone())
                }
                (RowSeen::Is { .. }, false) => Holder::Free { next: None },
                // A marker and no row yet: a claim of an older program on its way.
                (RowSeen::Absent, true) => held(None, None, true),
                (RowSeen::Damaged { .. }, _) => held(None, None, true),
            },
        }
    }

    /// The newest epoch is held by a machine with other limits: neither knows how long the other waits.
    fn other_scale(&self, view: &View) -> Option<String> {
        let claim = view.claim().filter(|_| !view.is_released())?;
        (claim.scale != self.limits.scale).then(|| {
            format!(
                "{} has control with HANDMILL_CONTROL_SCALE={}, and here it is {}; it must be the same on both.",
                claim.host, claim.scale, self.limits.scale
            )
        })
    }

    /// The newest epoch seen.
    pub(super) fn newest(&self) -> Option<Epoch> {
        self.view.as_ref()?.listing.newest
    }
}

/// What a machine is called that nobody can name.
pub(super) const UNKNOWN_HOST: &str = "Another machine";
