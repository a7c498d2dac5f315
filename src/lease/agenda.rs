//! What is to be done next, and when. One thing at a time; what is not possible now has no time.

use super::control::{Errand, Lease, Paper};
use super::limits::{EPOCHS_KEPT, PRUNED_AT_ONCE};
use super::message::{Effect, When};
use super::name::{Epoch, Moment, Now, Ticket};
use super::note::Generation;
use super::op::Op;
use super::steps::{Journey, Role};

impl Lease {
    pub(super) fn is_at_rest(&self) -> bool {
        self.flight.is_none() && !self.is_suspended
    }

    pub(super) fn set_out(&mut self, now: Now, out: &mut Vec<Effect>) {
        let is_due = |at: Option<Moment>| at.is_some_and(|at| now.boot >= at);
        if !self.is_at_rest() {
            return;
        }
        if is_due(self.checkpoint_due()) {
            let tables = self
                .tenure
                .as_ref()
                .is_some_and(|t| t.has_changes && now.boot >= t.snapshot_at);
            self.new_paper(now, tables);
            if let Some(tenure) = self.tenure.as_mut().filter(|_| tables) {
                tenure.has_changes = false;
                tenure.snapshot_at = now.boot.plus(self.limits.snapshot);
            }
            let clears = self.tenure.as_ref().is_some_and(|t| t.has_leftovers);
            let act = self.steps.checkpoint(tables, clears);
            self.go(now, act, out);
        } else if is_due(self.release_due()) {
            self.new_paper(now, true);
            if let Some(leaving) = &mut self.leaving {
                leaving.is_begun = true;
            }
            let has_hint = self
                .leaving
                .as_ref()
                .is_some_and(|leaving| leaving.to.is_some());
            let clears = self.tenure.as_ref().is_some_and(|t| t.has_leftovers);
            let act = self.steps.release(has_hint, true, clears);
            self.go(now, act, out);
        } else if is_due(self.quit_due()) {
            let act = self.steps.release(false, false, false);
            self.go(now, act, out);
        } else if is_due(self.settled_due()) {
            // Only what follows counts for the validity: others were patient meanwhile.
            self.attempt.k0 = now.boot;
            self.attempt.settled_at = None;
            let act = self.steps.settled();
            self.go(now, act, out);
        } else if is_due(self.claim_due()) {
            self.set_out_to_claim(now, out);
        } else if let Some((first, last)) = self.to_prune() {
            if let Some(tenure) = &mut self.tenure {
                tenure.may_prune = false;
            }
            let act = self.steps.prune(first, last);
            self.go(now, act, out);
        }
        if !self.is_at_rest() {
            return;
        }
        if is_due(self.mirrors_due()) {
            if let Some(tenure) = &mut self.tenure {
                tenure.is_mirrored = true;
            }
            let owner = self.mirror_note(now);
            self.carry(Errand::Mirrors, Op::SetMirrors { owner }, out);
        } else if is_due(self.look_due()) {
            let op = self.eyes.begin();
            self.carry(Errand::Look, op, out);
        } else if is_due(self.desk_due()) {
            let may_ask = self.may_ask();
            if let Some(op) = self.desk.begin(now, &self.me, may_ask) {
                self.carry(Errand::Desk, op, out);
            }
        }
    }

    pub(super) fn go(&mut self, now: Now, act: Option<super::act::Act>, out: &mut Vec<Effect>) {
        if let Some(act) = act {
            let op = self.dress(now, act);
            self.carry(Errand::Journey, op, out);
        }
    }

    pub(super) fn carry(&mut self, errand: Errand, op: Op, out: &mut Vec<Effect>) {
        self.n_tickets += 1;
        let ticket = Ticket(self.n_tickets);
        self.flight = Some((ticket, errand));
        out.push(Effect::Carry { ticket, op });
    }

    pub(super) fn new_paper(&mut self, now: Now, has_tables: bool) {
        let token = self.tokens.next();
        let (Some(tenure), Role::Owner(epoch)) = (&self.tenure, self.steps.role) else {
            return;
        };
        self.paper = Paper {
            token,
            generation: if has_tables {
                Generation::new(epoch, token)
            } else {
                tenure.generation.clone()
            },
            k0: now.boot,
            has_tables,
            row: None,
        };
    }

    pub(super) fn is_idle_owner(&self) -> bool {
        self.tenure.is_some()
            && self.steps.journey.is_none()
            && matches!(self.steps.role, Role::Owner(_))
            && !self.is_vanished
    }

    pub(super) fn checkpoint_due(&self) -> Option<Moment> {
        let is_leaving = self
            .leaving
            .as_ref()
            .is_some_and(|leaving| leaving.is_begun);
        let tenure = self
            .tenure
            .as_ref()
            .filter(|_| self.is_idle_owner() && !is_leaving)?;
        let snapshot = tenure.has_changes.then_some(tenure.snapshot_at);
        Some(snapshot.map_or(tenure.checkpoint_at, |at| {
            // A failed try waits its time even when there is something new.
            if tenure.n_failed > 0 {
                tenure.checkpoint_at
            } else {
                at.min(tenure.checkpoint_at)
            }
        }))
    }

    pub(super) fn release_due(&self) -> Option<Moment> {
        let leaving = self
            .leaving
            .as_ref()
            .filter(|_| self.is_idle_owner() && !self.is_frozen)?;
        let is_clear = match leaving.when {
            When::Now | When::AfterNodes => self.work.n_children == 0,
            When::AfterRuns => self.work.n_children == 0 && self.work.n_runs == 0,
        };
        is_clear.then_some(leaving.try_at)
    }

    /// The old epochs that may go now, from the lowest that was seen.
    fn to_prune(&self) -> Option<(Epoch, Epoch)> {
        let may = self.is_idle_owner() && !self.is_frozen && self.leaving.is_none();
        let tenure = self.tenure.as_ref().filter(|t| may && t.may_prune)?;
        let first = self.eyes.view.as_ref()?.listing.oldest?;
        let last = tenure.epoch.0.checked_sub(EPOCHS_KEPT)?;
        let last = Epoch(last.min(first.0 + PRUNED_AT_ONCE - 1));
        (first <= last).then_some((first, last))
    }

    /// An epoch that is over is released when nothing runs under it any more.
    pub(super) fn quit_due(&self) -> Option<Moment> {
        let is_over = matches!(self.steps.role, Role::Former(_))
            && self.steps.journey.is_none()
            && self.work.n_children == 0
            && !self.is_frozen
            && self.is_away.is_none()
            && !self.is_vanished;
        is_over.then_some(self.quit_at)
    }

    pub(super) fn settled_due(&self) -> Option<Moment> {
        self.attempt
            .settled_at
            .filter(|_| matches!(self.steps.journey, Some(Journey::Claim(_))))
    }

    pub(super) fn mirrors_due(&self) -> Option<Moment> {
        self.tenure
            .as_ref()
            .filter(|tenure| !tenure.is_mirrored && self.is_idle_owner())
            .map(|tenure| tenure.confirmed_at)
    }

    pub(super) fn look_due(&self) -> Option<Moment> {
        // A claim looks for itself, and an owner at work has no time.
        let is_free = match self.steps.journey {
            None => true,
            Some(Journey::Claim(_)) => self.attempt.settled_at.is_some(),
            Some(_) => false,
        };
        (is_free && !self.eyes.is_looking()).then_some(self.look_at)
    }

    pub(super) fn may_ask(&self) -> bool {
        self.tenure.is_none() && !self.is_vanished
    }

    pub(super) fn desk_due(&self) -> Option<Moment> {
        if self.is_vanished || self.steps.journey.is_some() {
            return None;
        }
        self.desk.due(self.may_ask())
    }
}
