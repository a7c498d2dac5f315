//! What comes back from the folder, and what it means for one who has, had, or wants control.

use std::time::Duration;

use super::claim::Claimed;
use super::control::{Doubt, Errand, Lease, Tenure};
use super::defect::planted;
use super::limits::DEGRADED_AFTER;
use super::look::Glance;
use super::message::{Effect, Fact, Folder, Loss};
use super::name::{Moment, Now, Ticket};
use super::op::{Asked, Fault, Reply};
use super::publish::Published;
use super::release::Released;
use super::steps::{End, Next, Role};

impl Lease {
    pub(super) fn replied(
        &mut self,
        now: Now,
        ticket: Ticket,
        reply: Reply,
        out: &mut Vec<Effect>,
    ) {
        let Some((_, errand)) = self.flight.take_if(|(known, _)| *known == ticket) else {
            return;
        };
        match &reply {
            Reply::Failed(Fault::Vanished) => self.vanish(now, out),
            Reply::Failed(_) => {}
            _ => self.is_vanished = false,
        }
        if let Reply::Epochs(listing) = &reply {
            self.newest_listed = listing.newest;
        }
        match errand {
            Errand::Nobody => {}
            Errand::Look => self.looked(now, reply, out),
            Errand::Desk => self.desk.done(now, !matches!(reply, Reply::Failed(_))),
            Errand::Mirrors => {}
            Errand::Journey => {
                if let Reply::Failed(fault) = &reply
                    && let Some(tenure) = &mut self.tenure
                {
                    tenure.fault = fault.to_string();
                }
                let said = self.undress(&reply);
                match self.steps.reply(said) {
                    Some(Next::Act(act)) => {
                        let op = self.dress(now, act);
                        self.carry(Errand::Journey, op, out);
                    }
                    Some(Next::Wait) => {
                        let settle = match &self.folder {
                            Some(Folder::Advisory { settle, .. }) => *settle,
                            _ => Duration::ZERO,
                        };
                        self.attempt.settled_at = Some(now.boot.plus(settle));
                    }
                    Some(Next::End(End::Claimed(end))) => self.claimed(now, end, out),
                    Some(Next::End(End::Published(end))) => self.published(now, end, out),
                    Some(Next::End(End::Released(end))) => self.released(now, end, out),
                    Some(Next::End(End::Pruned)) => {}
                    None => {}
                }
            }
        }
    }

    pub(super) fn claimed(&mut self, now: Now, end: Claimed, out: &mut Vec<Effect>) {
        self.look_at = now.boot;
        self.claimed_at = now.boot;
        // Whatever it was founded on is old now: the next one needs a new look, and some time for the folder.
        self.claim_at = now.boot.plus(match end {
            Claimed::Changed | Claimed::TooLate | Claimed::Ousted => self.limits.poll,
            _ => self.limits.retry,
        });
        match end {
            Claimed::Yes => self.gained(now, out),
            Claimed::Stranded => self.hold_former(),
            Claimed::TooLate | Claimed::Ousted | Claimed::Withdrawn => {
                self.held = None;
                if self.is_frozen || self.is_away.is_some() {
                    if end != Claimed::Withdrawn {
                        self.lose(now, Loss::Ousted, out);
                    }
                } else if end != Claimed::Withdrawn {
                    self.wants_takeover = false;
                    out.push(Effect::Record(Fact::NotGained {
                        why: "Another workstation was first.".to_owned(),
                    }));
                }
            }
            Claimed::Changed | Claimed::NotDone => {}
        }
    }

    /// The number may be ours: its token is kept, so that it can be released.
    pub(super) fn hold_former(&mut self) {
        if let Role::Former(epoch) = self.steps.role
            && epoch == self.attempt.epoch
        {
            self.held = Some((epoch, self.attempt.token));
        }
    }

    pub(super) fn gained(&mut self, now: Now, out: &mut Vec<Effect>) {
        let Role::Owner(epoch) = self.steps.role else {
            return;
        };
        self.held = Some((epoch, self.attempt.token));
        let deadline = self.attempt.k0.plus(self.limits.valid);
        self.tenure = Some(Tenure {
            epoch,
            deadline,
            confirmed_at: now.boot,
            checkpoint_at: self.attempt.k0.plus(self.limits.checkpoint),
            generation: self.paper.generation.clone(),
            has_changes: false,
            has_leftovers: false,
            snapshot_at: now.boot.plus(self.limits.snapshot),
            n_failed: 0,
            fault: String::new(),
            seed_beat: self.attempt.seed_beat,
            is_mirrored: true,
            is_certain: true,
            may_prune: false,
        });
        self.wants_control = false;
        self.wants_takeover = false;
        let me = self.me.clone();
        self.desk.withdraw(now, &me);
        out.push(Effect::Record(Fact::Gained {
            epoch,
            over: self.attempt.over.clone(),
            resumes: self.policy.resumes,
        }));
        self.is_away = None;
        self.confirmed_until(deadline, out);
    }

    /// Children may run until then.
    pub(super) fn confirmed_until(&mut self, deadline: Moment, out: &mut Vec<Effect>) {
        if self.is_frozen {
            if !self.is_suspended {
                self.thaw(deadline, out);
            }
        } else {
            out.push(Effect::Arm { until: deadline });
        }
    }

    pub(super) fn published(&mut self, now: Now, end: Published, out: &mut Vec<Effect>) {
        let Some(tenure) = &mut self.tenure else {
            return;
        };
        match end {
            Published::Yes => {
                tenure.deadline = self.paper.k0.plus(self.limits.valid);
                tenure.confirmed_at = now.boot;
                tenure.checkpoint_at = self.paper.k0.plus(self.limits.checkpoint);
                tenure.is_mirrored = false;
                tenure.may_prune = true;
                if self.paper.has_tables {
                    tenure.generation = self.paper.generation.clone();
                }
                let was_degraded = tenure.n_failed >= DEGRADED_AFTER;
                tenure.n_failed = 0;
                tenure.has_leftovers = false;
                tenure.is_certain = true;
                let deadline = tenure.deadline;
                if planted!(RenewAfterExpiry) {
                    self.ending = None;
                }
                if was_degraded {
                    out.push(Effect::Record(Fact::Recovered));
                }
                self.confirmed_until(deadline, out);
            }
            Published::NotConfirmed => {
                tenure.n_failed += 1;
                tenure.has_leftovers = true;
                tenure.checkpoint_at = now.boot.plus(self.limits.retry);
                // Some tables may be of the new snapshot already, so all are written again.
                tenure.has_changes |= self.paper.has_tables;
                tenure.snapshot_at = now.boot;
                if tenure.n_failed == DEGRADED_AFTER {
                    out.push(Effect::Record(Fact::Degraded {
                        n_failed: tenure.n_failed,
                        why: tenure.fault.clone(),
                    }));
                }
            }
            Published::Ousted => self.ousted(now, out),
        }
    }

    pub(super) fn ousted(&mut self, now: Now, out: &mut Vec<Effect>) {
        let epoch = self.held.take().map(|(epoch, _)| epoch);
        self.look_at = now.boot;
        // Nobody takes control without a higher number; where ours is missing too, there is no taker to be named.
        let how = match self.newest_listed < epoch {
            true => Loss::Removed,
            false => Loss::Ousted,
        };
        self.lose(now, how, out);
    }

    pub(super) fn released(&mut self, now: Now, end: Released, out: &mut Vec<Effect>) {
        self.look_at = now.boot;
        match end {
            Released::Yes => {
                let epoch = self.held.take().map(|(epoch, _)| epoch);
                if let (Some(_), Some(epoch)) = (self.tenure.take(), epoch) {
                    let to = self.leaving.take().and_then(|leaving| leaving.to);
                    self.stays_away = true;
                    self.wants_control = false;
                    self.ending = None;
                    out.push(Effect::Disarm);
                    out.push(Effect::Record(Fact::GaveUp {
                        epoch,
                        to: to.as_ref().map(|hint| hint.host.clone()),
                    }));
                    if let Some(hint) = to {
                        self.desk.remove(now, hint.machine);
                    }
                }
            }
            Released::NotConfirmed => {
                self.quit_at = now.boot.plus(self.limits.retry);
                if let Some(tenure) = &mut self.tenure {
                    // The row may name a snapshot that we do not know to be there: a whole new one follows.
                    tenure.has_leftovers = true;
                    tenure.has_changes = true;
                    tenure.snapshot_at = now.boot;
                }
                if let Some(leaving) = &mut self.leaving {
                    leaving.try_at = now.boot.plus(self.limits.retry);
                }
            }
            Released::Ousted if self.tenure.is_some() => self.ousted(now, out),
            Released::Ousted => self.held = None,
        }
    }

    pub(super) fn looked(&mut self, now: Now, reply: Reply, out: &mut Vec<Effect>) {
        match self.eyes.next(now, reply) {
            Glance::Op(op) => self.carry(Errand::Look, op, out),
            Glance::Failed => self.look_at = now.boot.plus(self.limits.poll),
            Glance::Seen { asked, is_new } => {
                self.look_at = now.boot.plus(self.limits.poll);
                if is_new && let Some(sight) = &self.eyes.sight {
                    out.push(Effect::Remember(sight.clone()));
                }
                self.judge(now, &asked, out);
            }
        }
    }

    /// What a look means for one who has, had, or wants control.
    pub(super) fn judge(&mut self, now: Now, asked: &Asked, out: &mut Vec<Effect>) {
        let mut facts = Vec::new();
        let me = self.me.clone();
        self.desk.seen(now, &me, asked, &mut facts);
        if self.tenure.is_none() {
            facts.retain(|fact| !matches!(fact, Fact::AskedBy { .. }));
        }
        out.extend(facts.into_iter().map(Effect::Record));

        self.tell_of_others(out);
        let Some(view) = &self.eyes.view else { return };
        let newest = view.listing.newest;
        match self.steps.role {
            Role::Owner(epoch) if newest > Some(epoch) => {
                self.abandon();
                self.steps.overtaken();
                self.ousted(now, out);
            }
            Role::Owner(_) => {
                let is_ours = |beat| {
                    self.tenure
                        .as_ref()
                        .is_some_and(|t| t.seed_beat == Some(beat))
                };
                if let Some((row, beat)) = view.seed_row()
                    && !is_ours(beat)
                {
                    let host = row.host.clone();
                    self.lose(now, Loss::SeedMachine { host }, out);
                } else if let Some(Doubt::Conflict(names)) = self.doubt() {
                    self.lose(now, Loss::Conflict { names }, out);
                }
            }
            Role::Former(epoch) if newest > Some(epoch) && self.steps.journey.is_none() => {
                self.steps.overtaken();
                self.held = None;
                if self.is_frozen || self.is_away.is_some() {
                    self.lose(now, Loss::Ousted, out);
                }
            }
            Role::Former(_) | Role::Watcher => {}
        }
        // A wish to take over ends with what it was for.
        if self.wants_takeover && self.may_take_over(now).is_err() {
            self.wants_takeover = false;
        }
    }

    /// Who else has control, once of each epoch, and that it gave it back.
    fn tell_of_others(&mut self, out: &mut Vec<Effect>) {
        let Some(view) = &self.eyes.view else { return };
        let (Some(epoch), Some(claim)) = (view.listing.newest, view.claim()) else {
            return;
        };
        let now = (epoch, view.is_released());
        if claim.machine == self.me.machine || self.told_of == Some(now) {
            return;
        }
        let host = claim.host.clone();
        let was_told = self.told_of.is_some_and(|(told, _)| told == epoch);
        // What ended before anybody here looked is the past of others.
        match now {
            (_, false) => out.push(Effect::Record(Fact::Elsewhere { epoch, host })),
            (_, true) if was_told => out.push(Effect::Record(Fact::Freed { epoch, host })),
            (_, true) => {}
        }
        self.told_of = Some(now);
    }
}
