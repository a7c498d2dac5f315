//! Children and the sitter that holds them; no two machines may run any at once.

use super::*;

impl Sim {
    pub(super) fn start_kids(&mut self, machine: usize, inputs: &mut VecDeque<Input>) {
        let now = self.now(machine);
        let m = &self.machines[machine];
        let may = m
            .lease
            .as_ref()
            .is_some_and(|lease| lease.may_start_nodes(now));
        if !may || m.n_kids > 0 || !self.random.one_in(2) {
            return;
        }
        let ends = self.t
            + if self.random.one_in(4) {
                self.random.between(s(600), s(7200))
            } else {
                self.random.between(s(1), s(300))
            };
        self.note(machine, |_| "starts children".to_owned());
        let m = &mut self.machines[machine];
        m.n_kids = 1;
        m.kids += 1;
        let generation = m.kids;
        self.push(
            ends,
            Event::KidsEnd {
                machine,
                generation,
                by_force: false,
            },
        );
        inputs.push_back(Input::Work(Work {
            n_children: 1,
            n_runs: 1,
        }));
        self.watch();
    }

    pub(super) fn kids_gone(&mut self, machine: usize) {
        self.note(machine, |_| "children are gone".to_owned());
        let m = &mut self.machines[machine];
        m.n_kids = 0;
        m.is_frozen = false;
        m.kids += 1;
        self.push(self.t, Event::News { machine });
    }

    pub(super) fn order(&mut self, machine: usize, order: ChildOrder) {
        let generation = self.machines[machine].kids;
        match order {
            ChildOrder::Freeze => {
                self.machines[machine].is_frozen = self.machines[machine].n_kids > 0
            }
            ChildOrder::Thaw => {
                self.machines[machine].is_frozen = false;
                self.watch();
            }
            ChildOrder::Stop => self.end_politely(machine, generation),
            ChildOrder::Kill => {
                let at = self.t + self.random.between(1_000, 50_000);
                self.push(
                    at,
                    Event::KidsEnd {
                        machine,
                        generation,
                        by_force: true,
                    },
                );
            }
        }
    }

    pub(super) fn end_politely(&mut self, machine: usize, generation: u32) {
        // Some ignore it until they are killed.
        if !self.random.one_in(3) {
            let at = self.t + self.random.between(10_000, s(12));
            self.push(
                at,
                Event::KidsEnd {
                    machine,
                    generation,
                    by_force: false,
                },
            );
        }
    }

    pub(super) fn set_sitter(&mut self, machine: usize) {
        let m = &mut self.machines[machine];
        m.sitter += 1;
        let Some(until) = m.armed else { return };
        let (generation, at) = (m.sitter, m.true_time(until).max(self.t));
        if !is_planted(Defect::NoSitter) {
            self.push(
                at,
                Event::Sitter {
                    machine,
                    generation,
                },
            );
        }
    }

    pub(super) fn sit(&mut self, machine: usize, generation: u32) {
        let now = self.now(machine);
        let m = &self.machines[machine];
        let (Some(until), true) = (m.armed, m.sitter == generation) else {
            return;
        };
        let kids = m.kids;
        let kill_at = until.plus(Limits::REAL.grace);
        if now.boot >= kill_at && !is_planted(Defect::NoFreeze) {
            self.order(machine, ChildOrder::Kill);
        } else if now.boot >= until {
            self.end_politely(machine, kids);
            let at = self.machines[machine].true_time(kill_at).max(self.t + 1);
            let at = if is_planted(Defect::NoFreeze) {
                at.max(self.t + s(10))
            } else {
                at
            };
            self.push(
                at,
                Event::Sitter {
                    machine,
                    generation,
                },
            );
            if is_planted(Defect::NoFreeze) {
                self.push(
                    at,
                    Event::KidsEnd {
                        machine,
                        generation: kids,
                        by_force: true,
                    },
                );
                self.machines[machine].armed = None;
            }
        } else {
            self.set_sitter(machine);
        }
    }

    /// Two machines must never run children at once.
    pub(super) fn watch(&mut self) {
        let running: Vec<usize> = (0..N)
            .filter(|at| {
                let m = &self.machines[*at];
                m.n_kids > 0 && !m.is_frozen && m.suspended_until <= self.t
            })
            .collect();
        if running.len() > 1 {
            self.breaks(format!("split brain: machines {running:?} run children"));
        }
    }
}
