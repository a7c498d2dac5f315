//! Whether this machine may claim, from when on, and what a claim is founded on.

use super::claim::Ground;
use super::control::{Attempt, Doubt, Lease, Paper};
use super::defect::planted;
use super::look::Holder;
use super::message::{Effect, Folder};
use super::name::{Epoch, Moment, Now};
use super::note::Generation;
use super::tell::TAKEOVER_LEFT;

impl Lease {
    /// What keeps this machine from claiming until the person has spoken.
    pub(super) fn doubt(&self) -> Option<Doubt> {
        let view = self.eyes.view.as_ref()?;
        let mut names: Vec<String> = view.listing.conflicts.clone();
        if view.epoch.as_ref().is_some_and(|epoch| epoch.is_doubled)
            && let Some(newest) = view.listing.newest
        {
            names.push(format!("{newest}/claim.json"));
        }
        names.retain(|name| !self.confirmed.contains(name));
        if !names.is_empty() {
            return Some(Doubt::Conflict(names));
        }
        view.gap()
            .filter(|(from, to)| !self.confirmed.contains(&gap_name(*from, *to)))
            .map(|(from, to)| Doubt::Gap(from, to))
    }

    /// Why no claim of any kind is possible now, as a sentence.
    pub(super) fn cannot_claim(&self) -> Option<String> {
        if self.is_vanished {
            return Some("The workspace folder is not there.".to_owned());
        }
        match &self.folder {
            None => return Some("The workspace folder is being tested.".to_owned()),
            Some(Folder::Unfit(why)) => return Some(why.clone()),
            Some(Folder::Vanished) => return Some("The workspace folder is not there.".to_owned()),
            Some(Folder::Exclusive { .. } | Folder::Advisory { .. }) => {}
        }
        if !self.has_sitter {
            return Some("Local engine is not responding.".to_owned());
        }
        match self.doubt() {
            Some(Doubt::Conflict(_)) => {
                return Some(
                    "Two workstations claimed control at once. Confirm to go on here.".to_owned(),
                );
            }
            Some(Doubt::Gap(from, to)) => {
                return Some(format!(
                    "The epoch log is damaged: it jumps from {from} to {to}. Confirm to go on."
                ));
            }
            None => {}
        }
        if self
            .eyes
            .newest()
            .is_some_and(|newest| newest.next().is_none())
        {
            return Some(
                "The epoch numbers are used up. Remove the folder with the highest one.".to_owned(),
            );
        }
        None
    }

    /// Whether a takeover is possible, or why not.
    pub(super) fn may_take_over(&self, now: Now) -> Result<(), String> {
        if let Some(why) = self.cannot_claim() {
            return Err(why);
        }
        match self.eyes.holder(&self.me) {
            Holder::Held { host, .. } => {
                let at = self.eyes.takeover_at(now, self.folder.as_ref());
                if now.boot >= at {
                    Ok(())
                } else {
                    let left = super::tell::seconds_up(at.since(now.boot));
                    Err(format!("{host} has control; {TAKEOVER_LEFT}{left}s."))
                }
            }
            Holder::Free { .. } => Ok(()),
            Holder::Unknown => Err("The workspace folder was not read yet.".to_owned()),
            Holder::Refused(why) => Err(why),
        }
    }

    /// From when on a claim is wanted and allowed, if nothing else changes.
    pub(super) fn claim_due(&self) -> Option<Moment> {
        let may = self.tenure.is_none()
            && self.steps.journey.is_none()
            && self.cannot_claim().is_none()
            && (self.work.n_children == 0 || self.is_frozen || self.is_away.is_some())
            && self.ending.is_none();
        let view = self.eyes.view.as_ref().filter(|_| may)?;
        // After a claim that came to nothing, first a new look.
        let ready_at = self.claim_at.max(view.at);
        if view.at < self.claimed_at {
            return None;
        }
        let claims = self.policy.claims_when_free && !self.stays_away || self.wants_control;
        match self.eyes.holder(&self.me) {
            Holder::Free { next } => {
                let waits_until = match next {
                    Some((hint, _)) if hint.machine == self.me.machine => {
                        let is_wanted = self.desk.is_asking() || claims;
                        return is_wanted.then_some(ready_at);
                    }
                    Some((_, until)) => until,
                    None => Moment(0),
                };
                let is_wanted = claims || self.desk.is_asking() || self.wants_takeover;
                is_wanted.then_some(ready_at.max(waits_until))
            }
            Holder::Held {
                claim,
                damage,
                is_seed,
                ..
            } => {
                // What this very process claimed and does not own is nobody's. The same goes for an earlier process of
                // this boot, once it is known to be gone with all its children.
                let is_ours = claim.filter(|_| !is_seed).is_some_and(|claim| {
                    claim.machine == self.me.machine
                        && claim.boot == self.me.boot
                        && (claim.pid == self.me.pid || self.is_alone)
                });
                if is_ours && (self.is_frozen || self.is_away.is_some() || claims) {
                    return Some(ready_at);
                }
                let is_wanted = self.wants_takeover || self.policy.takes_over && damage.is_none();
                let now = Now {
                    boot: view.at,
                    ..Now::default()
                };
                let silent_at = if planted!(WallClock) {
                    self.claim_at
                } else {
                    self.eyes.takeover_at(now, self.folder.as_ref())
                };
                is_wanted.then_some(ready_at.max(silent_at))
            }
            Holder::Unknown | Holder::Refused(_) => None,
        }
    }

    pub(super) fn set_out_to_claim(&mut self, now: Now, out: &mut Vec<Effect>) {
        if planted!(WallClock)
            && self.eyes.silence(now) < self.eyes.take(self.folder.as_ref())
            && matches!(self.eyes.holder(&self.me), Holder::Held { .. })
        {
            self.claim_at = now.boot.plus(self.limits.poll);
            return;
        }
        let Some(view) = &self.eyes.view else { return };
        let holder = self.eyes.holder(&self.me);
        let over = match &holder {
            Holder::Held { host, .. } => Some((host.clone(), self.eyes.silence(now))),
            _ => None,
        };
        let ground = Ground {
            below: view.listing.newest,
            before: view.listing.before,
            // The row of our own shape says how far the older pens are dead.
            floor: view
                .row
                .row()
                .and_then(|row| row.generation.epoch)
                .filter(|epoch| Some(*epoch) <= view.listing.newest),
            cuts_off: over.is_some(),
            settles: matches!(self.folder, Some(Folder::Advisory { .. })),
            has_tables: true,
        };
        let epoch = ground.below.and_then(Epoch::next).unwrap_or(Epoch(1));
        let attempt = Attempt {
            epoch,
            token: self.tokens.next(),
            k0: now.boot,
            beat: view.row.beat(),
            markers: view.markers.clone(),
            over,
            seed_beat: view.seed_row().map(|(_, beat)| beat),
            settled_at: None,
        };
        if let Some(act) = self.steps.claim(ground) {
            self.attempt = attempt;
            let token = self.tokens.next();
            self.paper = Paper {
                token,
                generation: Generation::new(epoch, token),
                k0: now.boot,
                has_tables: true,
                row: None,
            };
            self.go(now, Some(act), out);
        }
    }
}

pub(super) fn gap_name(from: u64, to: u64) -> String {
    format!("{from}..{to}")
}
