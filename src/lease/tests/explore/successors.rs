//! What can happen next in a world: acts, replies, deaths, time.

use super::*;

impl World {
    /// All states that can follow.
    pub(super) fn successors(&self, bounds: &Bounds, found: &mut Vec<(Self, u128)>) {
        let n_strays = self.machines.iter().filter(|m| m.stray.is_some()).count();
        for m in 0..bounds.n_machines {
            let mut add = |next: Self| {
                next.go_on(m, &mut |mut next: Self| {
                    next.watch(bounds.n_machines);
                    found.push(next.in_order(bounds.n_machines));
                });
            };
            let machine = &self.machines[m];

            if let Some(stray) = machine.stray {
                let mut next = *self;
                next.machines[m].stray = None;
                next.serve(m, stray, true);
                add(next);
                // Or it never comes.
                let mut next = *self;
                next.machines[m].stray = None;
                add(next);
            }

            let fresh_crash = Machine {
                stray: machine.stray,
                ..Self::new(0).machines[0]
            };
            let may_leave_stray = n_strays < bounds.n_strays;
            if *machine != fresh_crash {
                for mut next in self.deaths(m, may_leave_stray) {
                    next.machines[m] = Machine {
                        stray: next.machines[m].stray,
                        ..fresh_crash
                    };
                    for mark in [Mark::Role, Mark::Claim] {
                        next.remark(m, mark, Mark::Lost);
                    }
                    add(next);
                }
            }

            // The program of an owner dies, and the next one goes on with its tenure; what the first had under way may
            // still come true. Not once a release has set out. With tables the next program begins with a whole
            // snapshot, which the steps alone do not know.
            if let Role::Owner(epoch) = machine.steps.role
                && !matches!(machine.steps.journey, Some(Journey::Release(_)))
                && bounds.n_snapshots == 0
            {
                for mut next in self.deaths(m, may_leave_stray) {
                    next.machines[m] = Machine {
                        stray: next.machines[m].stray,
                        has_leftovers: true,
                        ..fresh_crash
                    };
                    next.machines[m].steps.resume(epoch);
                    next.remark(m, Mark::Claim, Mark::Lost);
                    if next.machines[m] != *machine {
                        add(next);
                    }
                }
            }

            // The time of an owner or a claimant is over at any instant, whatever is under way.
            {
                let mut next = *self;
                next.machines[m].steps.expire();
                let may = next.pay();
                if may && next.machines[m].steps != machine.steps {
                    if next.machines[m].steps.role != machine.steps.role
                        && machine
                            .steps
                            .journey
                            .is_some_and(|j| matches!(j, Journey::Claim(_)))
                    {
                        next.remark(m, Mark::Role, Mark::Lost);
                        next.remark(m, Mark::Claim, Mark::Role);
                    }
                    next.machines[m].waits = false;
                    next.machines[m].kept = 0;
                    next.machines[m].has_leftovers = false;
                    add(next);
                }
            }

            if let Some(act) = machine.flying {
                self.fly_on(m, act, may_leave_stray, &mut add);
                continue;
            }
            if machine.waits {
                let mut next = *self;
                next.machines[m].waits = false;
                let act = next.machines[m].steps.settled().expect("it waits");
                next.fly(m, act);
                add(next);
                continue;
            }
            self.set_out(m, bounds, &mut add);
        }
    }

    /// A machine at rest sets out on anything.
    fn set_out(&self, m: usize, bounds: &Bounds, add: &mut impl FnMut(Self)) {
        let machine = &self.machines[m];
        for below in 0..=self.newest().min(bounds.n_epochs - 1) {
            let newest_row = usize::from(self.row.0).min(below);
            let oldest_row = if bounds.has_old_rows { 0 } else { newest_row };
            for floor in oldest_row..=newest_row {
                let ground = Ground {
                    below: epoch(below),
                    before: below.checked_sub(1).and_then(epoch),
                    floor: epoch(floor),
                    cuts_off: true,
                    settles: bounds.settles,
                    has_tables: bounds.n_snapshots > 0,
                };
                let mut next = *self;
                if let Some(act) = next.machines[m].steps.claim(ground) {
                    next.remark(m, Mark::Claim, Mark::Lost);
                    next.machines[m].has_new = false;
                    next.machines[m].version = if ground.has_tables { NEW_VERSION } else { 0 };
                    next.fly(m, act);
                    add(next);
                }
            }
        }
        let has_room = match machine.steps.role {
            Role::Owner(epoch) => self.n_begun[number(epoch) - 1] < bounds.n_snapshots,
            _ => false,
        };
        for has_tables in [false, true] {
            if has_tables && !has_room {
                continue;
            }
            let mut next = *self;
            if let Some(act) = next.machines[m]
                .steps
                .checkpoint(has_tables, machine.has_leftovers)
            {
                next.machines[m].version = if has_tables {
                    NEW_VERSION
                } else {
                    machine.kept
                };
                next.fly(m, act);
                add(next);
            }
        }
        if let (Role::Owner(own), true) = (machine.steps.role, bounds.prunes) {
            // From the lowest, or from what an old view showed as the lowest.
            for first in 0..=u64::from(self.n_pruned) {
                let mut next = *self;
                let last = Epoch(own.0 - 1);
                if let Some(act) = next.machines[m].steps.prune(Epoch(first), last) {
                    next.fly(m, act);
                    add(next);
                }
            }
        }
        let mut next = *self;
        if let Some(act) = next.machines[m]
            .steps
            .release(false, false, machine.has_leftovers)
        {
            next.machines[m].version = machine.kept;
            next.fly(m, act);
            add(next);
        }
    }

    /// The program of a machine dies: what it had under way is not done, or comes true later. None when no fault is left.
    fn deaths(&self, m: usize, may_leave_stray: bool) -> Vec<Self> {
        let mut dead = *self;
        if !dead.pay() {
            return Vec::new();
        }
        let mut found = vec![dead];
        if let Some(act) = self.machines[m].flying
            && may_leave_stray
            && may_stray(act)
            && self.machines[m].stray.is_none()
        {
            dead.machines[m].stray = Some(self.as_stray(m, act));
            found.push(dead);
        }
        found
    }

    /// Everything that can become of an act under way.
    fn fly_on(&self, m: usize, act: Act, may_leave_stray: bool, add: &mut impl FnMut(Self)) {
        let stray = self.as_stray(m, act);
        let mark = stray.mark;
        let mut hear = |world: Self, said: Said, is_fault: bool| {
            let mut next = world;
            if !is_fault || next.pay() {
                next.hear(m, said);
                add(next);
            }
        };
        let unknown = Said::Failed(Why::Unknown);
        if let Act::ReadEpoch(e) = act {
            match self.epochs[number(e) - 1] {
                // Or a view from before it was there.
                None => hear(*self, Said::Failed(Why::Gone), false),
                Some(slot) => {
                    let is_mine = usize::from(slot.owner) == m && slot.mark == mark;
                    let has_pen = matches!(slot.pen, Pen::Alive { .. });
                    hear(*self, Said::Epoch { is_mine, has_pen }, false);
                    if !has_pen {
                        let has_pen = true;
                        hear(*self, Said::Epoch { is_mine, has_pen }, true);
                    }
                    hear(*self, Said::Failed(Why::Gone), true);
                }
            }
            hear(*self, unknown, true);
            return;
        }
        let mut done = *self;
        let said = done.serve(m, stray, false);
        hear(done, said, false);
        if done != *self {
            hear(done, unknown, true);
        }
        hear(*self, Said::Failed(Why::NotDone), true);
        if may_leave_stray && may_stray(act) && self.machines[m].stray.is_none() {
            let mut strayed = *self;
            strayed.machines[m].stray = Some(stray);
            hear(strayed, unknown, true);
        }
        hear(*self, unknown, true);
    }
}
