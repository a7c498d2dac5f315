//! Requests: what others ask of this machine, what it asks of others, and the small files that say so.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::limits::Limits;
use super::message::{Answer, Fact, Policy};
use super::name::{MachineId, Me, Moment, Now, Token};
use super::note::{Denial, RequestNote};
use super::op::{Asked, Op};
use super::status::{MyRequest, Request};

/// How often a small file is tried before it is left alone: the next look repeats what matters.
const TRIES_MAX: u8 = 3;

/// A request of another machine.
#[derive(Clone, Debug)]
struct Heard {
    note: RequestNote,
    is_seed: bool,
    first_at: Moment,
    changed_at: Moment,
}

/// What this machine asks for.
#[derive(Clone, Debug)]
struct Mine {
    token: Token,
    client: String,
    since: Now,
    seq: u64,
    refresh_at: Moment,
    is_written: bool,
}

/// A small file to be written or removed.
#[derive(Clone, Debug)]
struct Errand {
    op: Op,
    at: Moment,
    n_tries: u8,
}

/// All about requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Desk {
    pub(super) limits: Limits,
    heard: BTreeMap<MachineId, Heard>,
    mine: Option<Mine>,
    denied: Vec<Token>,
    errands: VecDeque<Errand>,
    under_way: Option<Errand>,
}

impl Desk {
    /// This machine asks, unless it does already.
    pub(super) fn ask(&mut self, now: Now, token: Token, client: String) {
        if self.mine.is_none() {
            self.mine = Some(Mine {
                token,
                client,
                since: now,
                seq: 0,
                refresh_at: now.boot,
                is_written: false,
            });
        }
    }

    pub(super) fn is_asking(&self) -> bool {
        self.mine.is_some()
    }

    /// What was asked is taken back, or fulfilled.
    pub(super) fn withdraw(&mut self, now: Now, me: &Me) {
        if self.mine.take().is_some() {
            self.remove(now, me.machine.clone());
        }
    }

    /// A request is answered with no.
    pub(super) fn deny(&mut self, now: Now, me: &Me, to: &MachineId) {
        let Some(heard) = self.heard.remove(to) else {
            return;
        };
        self.denied.push(heard.note.token);
        if heard.is_seed {
            // An older program reads no answer; its row goes, and that is all it can see.
            self.send(
                now,
                Op::RemoveRequestRow {
                    machine: to.clone(),
                },
            );
        } else {
            let denial = Denial {
                to: to.clone(),
                token: heard.note.token,
                by: me.host.clone(),
                at: now.wall,
            };
            self.send(now, Op::WriteDenial { denial });
        }
    }

    /// A request is fulfilled, or its sender is gone.
    pub(super) fn remove(&mut self, now: Now, machine: MachineId) {
        self.heard.remove(&machine);
        self.send(
            now,
            Op::RemoveRequest {
                machine: machine.clone(),
            },
        );
        self.send(now, Op::RemoveRequestRow { machine });
    }

    pub(super) fn send(&mut self, now: Now, op: Op) {
        if !self.errands.iter().any(|errand| errand.op == op) {
            self.errands.push_back(Errand {
                op,
                at: now.boot,
                n_tries: 0,
            });
        }
    }

    /// Host of a machine that asks.
    pub(super) fn host(&self, machine: &MachineId) -> Option<String> {
        self.heard.get(machine).map(|heard| heard.note.host.clone())
    }

    /// A look showed these requests.
    pub(super) fn seen(&mut self, now: Now, me: &Me, asked: &Asked, out: &mut Vec<Fact>) {
        if let Some(mine) = &mut self.mine {
            let is_ours =
                |note: &RequestNote| note.machine == me.machine && note.token == mine.token;
            mine.is_written = asked.requests.iter().any(is_ours);
            if let Some(denial) = asked
                .denial
                .as_ref()
                .filter(|denial| denial.token == mine.token)
            {
                out.push(Fact::Denied {
                    by: denial.by.clone(),
                });
                self.mine = None;
                self.remove(now, me.machine.clone());
            }
        } else if asked.requests.iter().any(|note| note.machine == me.machine) {
            // Of an earlier process of this machine, which cannot take it back any more.
            self.remove(now, me.machine.clone());
        }
        let others = asked.requests.iter().map(|note| (note, false));
        let all: Vec<_> = others
            .chain(asked.seed.as_ref().map(|note| (note, true)))
            .filter(|(note, _)| note.machine != me.machine)
            .filter(|(note, is_seed)| *is_seed || !self.denied.contains(&note.token))
            .collect();
        self.heard
            .retain(|machine, _| all.iter().any(|(note, _)| note.machine == *machine));
        for (note, is_seed) in all {
            match self.heard.get_mut(&note.machine) {
                Some(heard) if heard.note.token == note.token => {
                    if heard.note != *note {
                        heard.changed_at = now.boot;
                        heard.note = note.clone();
                    }
                }
                _ => {
                    out.push(Fact::AskedBy {
                        machine: note.machine.clone(),
                        host: note.host.clone(),
                    });
                    let heard = Heard {
                        note: note.clone(),
                        is_seed,
                        first_at: now.boot,
                        changed_at: now.boot,
                    };
                    self.heard.insert(note.machine.clone(), heard);
                }
            }
        }
    }

    /// Removes requests whose senders are gone. Only an owner does this, for the folder is then its to keep.
    pub(super) fn expire(&mut self, now: Now) {
        let gone: Vec<MachineId> = self
            .heard
            .iter()
            .filter(|(_, heard)| now.boot >= heard.changed_at.plus(self.max_age(heard)))
            .map(|(machine, _)| machine.clone())
            .collect();
        for machine in gone {
            self.remove(now, machine);
        }
    }

    /// The oldest request that the policy is to answer now. `idle_from`: from when on it is not kept waiting.
    pub(super) fn overdue(&self, now: Now, idle_from: Option<Moment>) -> Option<MachineId> {
        self.heard
            .iter()
            .filter(|(_, heard)| now.boot >= self.answered_at(heard, idle_from))
            .min_by_key(|(_, heard)| heard.first_at)
            .map(|(machine, _)| machine.clone())
    }

    /// When [`Desk::expire`] will find something, or [`Desk::overdue`], if anybody answers.
    pub(super) fn answer_at(&self, answers: bool, idle_from: Option<Moment>) -> Option<Moment> {
        let ends = self
            .heard
            .values()
            .map(|heard| heard.changed_at.plus(self.max_age(heard)));
        let overdue = self
            .heard
            .values()
            .filter(|_| answers)
            .map(|heard| self.answered_at(heard, idle_from));
        ends.chain(overdue).min()
    }

    /// When a small file is to be written next. An owner asks nobody.
    pub(super) fn due(&self, may_ask: bool) -> Option<Moment> {
        let refresh = self
            .mine
            .as_ref()
            .filter(|_| may_ask)
            .map(|mine| mine.refresh_at);
        let errand = self.errands.iter().map(|errand| errand.at).min();
        [refresh, errand].into_iter().flatten().min()
    }

    /// The small file that is due, if [`Desk::due`] has come.
    pub(super) fn begin(&mut self, now: Now, me: &Me, may_ask: bool) -> Option<Op> {
        if let Some(mine) = self
            .mine
            .as_mut()
            .filter(|mine| may_ask && now.boot >= mine.refresh_at)
        {
            mine.refresh_at = now.boot.plus(self.limits.refresh);
            let note = RequestNote {
                machine: me.machine.clone(),
                host: me.host.clone(),
                pid: me.pid,
                client: mine.client.clone(),
                token: mine.token,
                seq: mine.seq,
                at: mine.since.wall,
            };
            if mine.seq == 0 {
                self.send(now, Op::WriteRequestRow { note: note.clone() });
            }
            if let Some(mine) = &mut self.mine {
                mine.seq += 1;
            }
            return Some(Op::WriteRequest { note });
        }
        let at = self
            .errands
            .iter()
            .position(|errand| now.boot >= errand.at)?;
        let errand = self.errands.remove(at)?;
        let op = errand.op.clone();
        self.under_way = Some(errand);
        Some(op)
    }

    /// The small file came to this.
    pub(super) fn done(&mut self, now: Now, is_done: bool) {
        if let Some(mut errand) = self.under_way.take()
            && !is_done
        {
            errand.n_tries += 1;
            errand.at = now.boot.plus(self.limits.retry);
            if errand.n_tries < TRIES_MAX {
                self.errands.push_back(errand);
            }
        }
    }

    /// Nothing can be written any more.
    pub(super) fn drop_errands(&mut self) {
        self.errands.clear();
        self.under_way = None;
    }

    pub(super) fn my_request(&self, now: Now) -> Option<MyRequest> {
        self.mine.as_ref().map(|mine| MyRequest {
            is_written: mine.is_written,
            age: now.boot.since(mine.since.boot),
        })
    }

    pub(super) fn requests(
        &self,
        now: Now,
        policy: &Policy,
        idle_from: Option<Moment>,
    ) -> Vec<Request> {
        let mut requests: Vec<Request> = self
            .heard
            .values()
            .filter(|heard| now.boot < heard.changed_at.plus(self.max_age(heard)))
            .map(|heard| {
                let age = now.boot.since(heard.first_at);
                Request {
                    machine: heard.note.machine.clone(),
                    host: heard.note.host.clone(),
                    age,
                    answered_in: (policy.answer != Answer::Wait)
                        .then(|| self.answered_at(heard, idle_from).since(now.boot)),
                }
            })
            .collect();
        requests.sort_by_key(|request| std::cmp::Reverse(request.age));
        requests
    }

    /// When the policy answers.
    fn answered_at(&self, heard: &Heard, idle_from: Option<Moment>) -> Moment {
        let at = heard.first_at.plus(self.limits.answer);
        idle_from.map_or(at, |from| at.min(from.max(heard.first_at)))
    }

    fn max_age(&self, heard: &Heard) -> Duration {
        if heard.is_seed {
            self.limits.seed_request_max
        } else {
            self.limits.request_max
        }
    }
}
