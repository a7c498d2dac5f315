//! How control ends against the owner's will, and what becomes of the children: the deadline, the loss, sleep, a folder
//! that is not there.

use super::control::{Ending, Errand, Lease, Tenure};
use super::defect::planted;
use super::message::{ChildOrder, Effect, Fact, Keepsake, Loss, Work};
use super::name::{Epoch, Moment, Now};
use super::note::Generation;
use super::steps::{Journey, Role};

impl Lease {
    /// What no operation may hold up: the end of the right to run, and the kill of what does not end.
    pub(super) fn keep_deadlines(&mut self, now: Now, out: &mut Vec<Effect>) {
        if let Some(tenure) = &self.tenure
            && now.boot >= tenure.deadline
        {
            self.expire(now, out);
        }
        // A claim that took too long cannot count any more; a settling one has its own time.
        if let Some(Journey::Claim(_)) = self.steps.journey
            && self.attempt.settled_at.is_none()
            && now.boot >= self.attempt.k0.plus(self.limits.valid)
        {
            self.abandon();
            self.hold_former();
            self.claimed_at = now.boot;
            self.claim_at = now.boot.plus(self.limits.retry);
            self.look_at = now.boot;
        }
        if let Some(ending) = &mut self.ending
            && self.work.n_children > 0
            && now.boot >= ending.kill_at
        {
            ending.kill_at = now.boot.plus(self.limits.retry);
            out.push(Effect::Children(ChildOrder::Kill));
        }
    }

    /// No checkpoint was confirmed in time. From here on nothing is published under this epoch.
    pub(super) fn expire(&mut self, now: Now, out: &mut Vec<Effect>) {
        if self.is_frozen {
            // Frozen children do no harm: whether they go on is decided by the next claim.
            self.abandon();
            self.tenure = None;
            return;
        }
        if self.policy.finishes_when_away && self.work.n_children > 0 {
            self.abandon();
            self.tenure = None;
            self.is_away = Some(now.boot);
            out.push(Effect::Disarm);
            return;
        }
        if planted!(RenewAfterExpiry) {
            self.stop(now, now.boot, out);
            if let Some(tenure) = &mut self.tenure {
                tenure.deadline = now.boot.plus(self.limits.retry);
            }
            return;
        }
        self.lose(now, Loss::Expired, out);
    }

    /// Goes on with the tenure of an earlier process of this machine. What that one had under way may still come true,
    /// as after a try of our own that nobody answered: the pen is emptied before the first page.
    pub(super) fn resume(&mut self, now: Now, kept: Keepsake, out: &mut Vec<Effect>) {
        let is_new = self.tenure.is_none() && self.held.is_none() && self.steps.journey.is_none();
        if !is_new || now.boot >= kept.deadline {
            return;
        }
        self.steps.resume(kept.epoch);
        self.held = Some((kept.epoch, kept.token));
        self.tenure = Some(Tenure {
            epoch: kept.epoch,
            deadline: kept.deadline,
            confirmed_at: now.boot,
            checkpoint_at: now.boot,
            generation: Generation::new(kept.epoch, kept.token),
            has_changes: true,
            has_leftovers: true,
            snapshot_at: now.boot,
            n_failed: 0,
            fault: String::new(),
            seed_beat: None,
            is_mirrored: true,
            is_certain: false,
            may_prune: false,
        });
        out.push(Effect::Arm {
            until: kept.deadline,
        });
        out.push(Effect::Record(Fact::WentOn { epoch: kept.epoch }));
    }

    /// Ends the journey and the right to publish. What is under way comes back to nobody.
    pub(super) fn abandon(&mut self) {
        self.steps.expire();
        if let Some((_, errand @ Errand::Journey)) = &mut self.flight {
            *errand = Errand::Nobody;
        }
        self.leaving = None;
    }

    /// Control is lost: the children end, as gently as there is time for.
    pub(super) fn lose(&mut self, now: Now, how: Loss, out: &mut Vec<Effect>) {
        let deadline = self.tenure.as_ref().map(|tenure| tenure.deadline);
        let epoch = match (self.tenure.take(), self.steps.role) {
            (Some(tenure), _) => tenure.epoch,
            (None, Role::Former(epoch) | Role::Owner(epoch)) => epoch,
            (None, Role::Watcher) => self.held.map_or(Epoch(0), |(epoch, _)| epoch),
        };
        let other = match &how {
            Loss::Ousted => self
                .eyes
                .view
                .as_ref()
                .and_then(|view| Some(view.claim()?.host.clone())),
            Loss::SeedMachine { host } => Some(host.clone()),
            _ => None,
        };
        if let Some(since) = self.is_away.take() {
            out.push(Effect::Record(Fact::Overlapped {
                with: other.unwrap_or_else(|| super::look::UNKNOWN_HOST.to_owned()),
                at_most: now.boot.since(since),
            }));
        }
        // Another machine may run already: there is no grace to give.
        let at_once = self.is_frozen || matches!(how, Loss::Ousted | Loss::Removed);
        self.abandon();
        out.push(Effect::Record(Fact::Lost { epoch, how }));
        if at_once {
            self.is_frozen = false;
            self.ending = Some(Ending {
                kill_at: now.boot.plus(self.limits.retry),
            });
            out.push(Effect::Children(ChildOrder::Kill));
        } else {
            // The grace is part of the time that others wait; it is not given anew to one who wakes late.
            let from = match (deadline, planted!(NoFreeze)) {
                (Some(deadline), false) => deadline.min(now.boot),
                _ => now.boot,
            };
            self.stop(now, from, out);
        }
        self.after_children(now, out);
    }

    /// Ends the children, with a grace that began then.
    pub(super) fn stop(&mut self, now: Now, from: Moment, out: &mut Vec<Effect>) {
        if self.ending.is_some() {
            return;
        }
        let kill_at = from.plus(self.limits.grace);
        if now.boot < kill_at {
            self.ending = Some(Ending { kill_at });
            out.push(Effect::Children(ChildOrder::Stop));
        } else {
            let kill_at = now.boot.plus(self.limits.retry);
            self.ending = Some(Ending { kill_at });
            out.push(Effect::Children(ChildOrder::Kill));
        }
    }

    pub(super) fn works(&mut self, now: Now, work: Work, out: &mut Vec<Effect>) {
        if work.n_runs != self.work.n_runs {
            self.acted_at = now.boot;
        }
        self.work = work;
        self.after_children(now, out);
    }

    /// What waits for the last child: the end of an ending, and the release of an epoch that is over.
    pub(super) fn after_children(&mut self, now: Now, out: &mut Vec<Effect>) {
        if self.work.n_children > 0 {
            return;
        }
        self.is_frozen &= self.is_suspended;
        if self.tenure.is_none() && self.ending.take().is_some() {
            out.push(Effect::Disarm);
            self.quit_at = now.boot;
        }
        if self.tenure.is_none() && self.is_away.take().is_some() {
            self.quit_at = now.boot;
        }
    }

    pub(super) fn suspend(&mut self, out: &mut Vec<Effect>) {
        if planted!(NoFreeze) {
            return;
        }
        self.is_suspended = true;
        out.push(Effect::Children(ChildOrder::Freeze));
        if self.tenure.is_some() && self.ending.is_none() {
            self.is_frozen = true;
            out.push(Effect::Disarm);
        } else if self.work.n_children > 0 {
            // They were to end anyway; what is left of their grace would be given after the sleep.
            out.push(Effect::Children(ChildOrder::Kill));
        }
    }

    pub(super) fn wake(&mut self, now: Now, out: &mut Vec<Effect>) {
        self.is_suspended = false;
        self.look_at = now.boot;
        if let Some(tenure) = &mut self.tenure {
            tenure.checkpoint_at = now.boot;
        }
        if planted!(ThawEarly) && self.is_frozen {
            self.thaw(now.boot.plus(self.limits.valid), out);
        }
        self.after_children(now, out);
        if let Some(tenure) = self.tenure.as_ref().filter(|_| !self.is_frozen) {
            out.push(Effect::Arm {
                until: tenure.deadline,
            });
        }
    }

    pub(super) fn thaw(&mut self, until: Moment, out: &mut Vec<Effect>) {
        self.is_frozen = false;
        out.push(Effect::Arm { until });
        out.push(Effect::Children(ChildOrder::Thaw));
    }

    pub(super) fn vanish(&mut self, now: Now, out: &mut Vec<Effect>) {
        if self.is_vanished {
            return;
        }
        self.is_vanished = true;
        self.desk.drop_errands();
        if self.tenure.is_some() && !self.policy.finishes_when_away {
            self.lose(now, Loss::Vanished, out);
        }
    }
}
