//! What the operator wants, and what the policy answers when nobody does.

use super::claims::gap_name;
use super::control::{Doubt, Lease, Leaving};
use super::message::{Answer, Effect, Fact, Loss, When, Wish, Work};
use super::name::{Moment, Now};
use super::note::Hint;

impl Lease {
    pub(super) fn wish(&mut self, now: Now, wish: Wish, out: &mut Vec<Effect>) {
        if wish != Wish::Look {
            self.acted_at = now.boot;
        }
        match wish {
            Wish::Control => {
                self.stays_away = false;
                self.wants_control = true;
                self.look_at = now.boot;
            }
            Wish::TakeOver => {
                self.stays_away = false;
                self.wants_takeover = true;
                if let Err(why) = self.may_take_over(now) {
                    self.wants_takeover = false;
                    out.push(Effect::Record(Fact::NotGained { why }));
                }
            }
            Wish::Request { client } => {
                if self.tenure.is_none() {
                    self.stays_away = false;
                    let token = self.tokens.next();
                    self.desk.ask(now, token, client);
                }
            }
            Wish::Cancel => {
                let me = self.me.clone();
                self.desk.withdraw(now, &me);
                self.wants_control = false;
                self.wants_takeover = false;
            }
            Wish::HandOver { to, when } => {
                let host = self.desk.host(&to).unwrap_or_else(|| to.0.clone());
                self.leave(now, Some(Hint { machine: to, host }), when, out);
            }
            Wish::Keep => {
                if self.ending.is_none() && !self.leaving.as_ref().is_some_and(|l| l.is_begun) {
                    self.leaving = None;
                }
            }
            Wish::Deny { to } => {
                let me = self.me.clone();
                if let Some(to) = self.desk.host(&to) {
                    out.push(Effect::Record(Fact::Refused { to }));
                }
                self.desk.deny(now, &me, &to);
                if self.leaving.as_ref().is_some_and(|leaving| {
                    leaving.to.as_ref().is_some_and(|hint| hint.machine == to)
                }) {
                    self.wish(now, Wish::Keep, out);
                }
            }
            Wish::Release { when } => {
                self.wants_control = false;
                self.stays_away = true;
                if self.is_frozen && self.tenure.is_none() {
                    self.lose(now, Loss::Expired, out);
                }
                self.leave(now, None, when, out);
            }
            Wish::Confirm => {
                match self.doubt() {
                    Some(Doubt::Conflict(names)) => self.confirmed.extend(names),
                    Some(Doubt::Gap(from, to)) => {
                        self.confirmed.insert(gap_name(from, to));
                    }
                    None => {}
                }
                self.wants_control = true;
            }
            Wish::Look | Wish::Import => self.look_at = now.boot,
        }
    }

    pub(super) fn leave(&mut self, now: Now, to: Option<Hint>, when: When, out: &mut Vec<Effect>) {
        if self.tenure.is_none() || self.leaving.as_ref().is_some_and(|l| l.is_begun) {
            return;
        }
        let to = to.or_else(|| self.leaving.as_ref().and_then(|leaving| leaving.to.clone()));
        self.leaving = Some(Leaving {
            to,
            when,
            try_at: now.boot,
            is_begun: false,
        });
        if when == When::Now && self.work.n_children > 0 {
            self.stop(now, now.boot, out);
        }
    }

    pub(super) fn answer_by_policy(&mut self, now: Now, out: &mut Vec<Effect>) {
        if self.tenure.is_none() {
            return;
        }
        self.desk.expire(now);
        if self.leaving.is_some() {
            return;
        }
        if let Some(to) = self.desk.overdue(now, self.idle_from()) {
            match self.policy.answer {
                Answer::HandOver(when) => self.wish(now, Wish::HandOver { to, when }, out),
                Answer::Deny => self.wish(now, Wish::Deny { to }, out),
                Answer::Wait => {}
            }
        }
    }

    /// From when on this owner is idle, if nothing changes: nothing runs here, nobody acts ([`super::limits::Limits::acting`]),
    /// and the policy gives control to who asks. Then it does so at once: there is nothing to wait for.
    pub(super) fn idle_from(&self) -> Option<Moment> {
        let gives = matches!(self.policy.answer, Answer::HandOver(_));
        let is_idle = self.work == Work::default() && gives;
        // Whoever has just got control was given it for something.
        let since = self.acted_at.max(self.claimed_at);
        is_idle.then(|| since.plus(self.limits.acting))
    }
}
