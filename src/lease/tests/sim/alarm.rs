//! When a program is to look again; looks that would show the same are left out.

use super::*;

impl Sim {
    /// Sets the program's alarm. As long as nothing has changed in the folder since its last look, the looks in between
    /// would show the same, and are left out.
    pub(super) fn schedule(&mut self, machine: usize) {
        let m = &self.machines[machine];
        let Some(lease) = &m.lease else { return };
        let is_current = m.looked == self.server.version && m.cache == 0;
        let next = if is_current {
            let patience = m.now(self.t).boot.plus(Duration::from_secs(20));
            Some(
                lease
                    .next_but_looks()
                    .map_or(patience, |next| next.min(patience)),
            )
        } else if m.looked == self.server.version {
            // A cached view may hide something: look again when it has expired.
            let patience = m
                .now(self.t + m.cache.min(s(20)))
                .boot
                .plus(Duration::from_secs(1));
            Some(
                lease
                    .next_but_looks()
                    .map_or(patience, |next| next.min(patience)),
            )
        } else {
            lease.next_deadline()
        };
        let Some(next) = next else { return };
        let at = m.true_time(next).max(self.t + 1);
        let m = &mut self.machines[machine];
        m.is_lazy = m.looked == self.server.version;
        m.tick += 1;
        let generation = m.tick;
        self.push(
            at,
            Event::Tick {
                machine,
                generation,
            },
        );
    }

    /// Something changed in the folder: whoever left out looks takes them up again.
    pub(super) fn rouse(&mut self) {
        for machine in 0..N {
            if !self.machines[machine].is_lazy {
                continue;
            }
            self.machines[machine].is_lazy = false;
            let at = self.t + self.random.between(1, s(2));
            let m = &mut self.machines[machine];
            m.tick += 1;
            let generation = m.tick;
            self.push(
                at,
                Event::Tick {
                    machine,
                    generation,
                },
            );
        }
    }
}
