//! What people and bad luck do.

use super::*;

impl Sim {
    pub(super) fn use_it(&mut self, machine: usize) {
        let now = self.now(machine);
        let Some(lease) = &self.machines[machine].lease else {
            return;
        };
        let wish = if lease.tenure.is_some() {
            let first = lease
                .desk
                .requests(now, &lease.policy, lease.idle_from())
                .first()
                .map(|request| request.machine.clone());
            match (first, self.random.below(6)) {
                (Some(to), 0) => Wish::Deny { to },
                (Some(to), 1) => Wish::HandOver {
                    to,
                    when: When::Now,
                },
                (Some(to), 2) => Wish::HandOver {
                    to,
                    when: When::AfterNodes,
                },
                (_, 3) => Wish::Release {
                    when: When::AfterNodes,
                },
                (_, 4) => Wish::Release { when: When::Now },
                _ => return,
            }
        } else {
            match self.random.below(6) {
                0 | 1 => Wish::Request {
                    client: "ui".to_owned(),
                },
                2 => Wish::Cancel,
                3 => Wish::TakeOver,
                _ => Wish::Control,
            }
        };
        self.tell(machine, Input::Wish(wish));
    }

    pub(super) fn disturb(&mut self) {
        let next = self.t + self.random.between(s(30), s(900));
        self.push(next, Event::Disturb);
        let machine = usize::try_from(self.random.below(N as u64)).unwrap_or(0);
        let scene = self.scene;
        let kind = self.random.below(6);
        match kind {
            0 if scene.pauses => self.suspend(machine),
            1 if scene.pauses => {
                let until = self.t + self.pause();
                self.note(machine, |sim| {
                    format!("stalls for {} s", (until - sim.t) / SECOND)
                });
                let m = &mut self.machines[machine];
                m.stalled_until = m.stalled_until.max(until);
            }
            2 | 3 if scene.crashes => self.crash(machine, kind == 2 || !scene.pauses),
            4 if scene.hangs => self.hung_until = self.t + self.random.between(s(10), s(200)),
            _ => {}
        }
    }

    pub(super) fn pause(&mut self) -> u64 {
        match self.random.below(3) {
            0 => self.random.between(s(1), s(30)),
            1 => self.random.between(s(30), s(180)),
            _ => self.random.between(s(180), s(1800)),
        }
    }

    pub(super) fn suspend(&mut self, machine: usize) {
        let m = &self.machines[machine];
        // The notice is waited for; a program that stalls cannot hear it, and the system does not sleep without it.
        if m.lease.is_none() || m.stalled_until > self.t || m.suspended_until > self.t {
            return;
        }
        self.tell(machine, Input::Suspending);
        let until = self.t + self.pause();
        self.note(machine, |sim| {
            format!("sleeps for {} s", (until - sim.t) / SECOND)
        });
        self.machines[machine].suspended_until = until;
        let latency = self.random.between(0, 1_500_000);
        self.machines[machine].stalled_until = until + latency;
        let at = until + latency;
        self.push(until, Event::Awake { machine });
        self.push(at, Event::Woke { machine });
    }

    pub(super) fn crash(&mut self, machine: usize, is_whole: bool) {
        if self.machines[machine].lease.is_none() || self.machines[machine].suspended_until > self.t
        {
            return;
        }
        if !self.scene.users
            && (self.crashed_at.is_some() || self.machines.iter().any(|m| m.lease.is_none()))
        {
            return;
        }
        let now = self.now(machine);
        let was_owner = self.machines[machine]
            .lease
            .as_ref()
            .is_some_and(|lease| lease.may_run(now));
        let others = self.machines.iter().filter(|m| m.lease.is_some()).count() > 1;
        if is_whole && was_owner && others && !self.scene.pauses && !self.scene.users {
            self.crashed_at = Some(self.t);
        }
        self.note(machine, |_| format!("crashes, whole: {is_whole}"));
        let m = &mut self.machines[machine];
        m.lease = None;
        m.incarnation += 1;
        m.tick += 1;
        m.stalled_until = 0;
        if is_whole {
            m.n_kids = 0;
            m.kids += 1;
            m.is_frozen = false;
            m.armed = None;
            m.sitter += 1;
            m.sight = None;
            m.keepsake = None;
            m.n_boots += 1;
        } else if m.is_frozen {
            // The sitter does not leave frozen children to nobody.
            m.n_kids = 0;
            m.kids += 1;
            m.is_frozen = false;
        }
        // Whoever comes soon after a program that died goes on with its tenure.
        let is_soon = !is_whole && self.random.one_in(2);
        let at = self.t
            + if is_soon {
                self.random.between(50_000, s(50))
            } else if self.scene.users {
                self.random.between(s(5), s(600))
            } else {
                self.random.between(s(200), s(600))
            };
        self.push(at, Event::Restart { machine });
    }
}
