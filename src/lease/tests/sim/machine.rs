//! One workstation with its clocks, its program, its sitter and its children.

use super::*;

#[derive(Debug)]
pub(super) struct Machine {
    pub(super) me: Me,
    pub(super) lease: Option<Lease>,
    pub(super) incarnation: u32,
    pub(super) ppm: i64,
    pub(super) offset: u64,
    pub(super) wall: i64,
    pub(super) cache: u64,
    pub(super) snap: Option<Snap>,
    pub(super) stalled_until: u64,
    pub(super) suspended_until: u64,
    pub(super) n_kids: u32,
    pub(super) is_frozen: bool,
    pub(super) kids: u32,
    pub(super) armed: Option<Moment>,
    pub(super) sitter: u32,
    pub(super) tick: u32,
    /// The server's version at the last look.
    pub(super) looked: u64,
    pub(super) is_lazy: bool,
    pub(super) sight: Option<Sighting>,
    /// What the next program of this boot needs to go on.
    pub(super) keepsake: Option<Keepsake>,
    pub(super) n_boots: u32,
}

impl Machine {
    pub(super) fn now(&self, t: u64) -> Now {
        let drift = i128::from(t) * i128::from(self.ppm) / 1_000_000;
        let boot = i128::from(t) + drift + i128::from(self.offset);
        Now {
            boot: Moment(u64::try_from(boot).unwrap_or(0)),
            wall: Timestamp(t as i64 + self.wall),
        }
    }

    /// When this machine's clock will show a moment, or a little later.
    pub(super) fn true_time(&self, moment: Moment) -> u64 {
        let passed = moment.0.saturating_sub(self.offset);
        let t = u128::from(passed) * 1_000_000 / u128::from((1_000_000 + self.ppm) as u64);
        t as u64 + 2
    }
}
