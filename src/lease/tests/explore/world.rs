//! The world that is explored: numbered folders, machines, and what each step of theirs does.

use super::*;

/// Which of its claims' tokens a machine put on something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Mark {
    /// The token of the epoch it has or had.
    Role,
    /// The token of the claim it is making.
    Claim,
    /// One that it does not know any more.
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Pen {
    Alive {
        has_entry: bool,
    },
    /// Released or removed: no act tells them apart.
    Dead,
}

/// A numbered folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Numbered {
    pub(super) owner: u8,
    pub(super) mark: Mark,
    pub(super) pen: Pen,
    /// Nothing is in it yet: only under a planted defect.
    pub(super) is_empty: bool,
}

/// An act that may still be done though nobody waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stray {
    pub(super) act: Act,
    pub(super) mark: Mark,
    /// Of the page, if it is one.
    pub(super) version: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Machine {
    pub(super) steps: Steps,
    pub(super) flying: Option<Act>,
    pub(super) waits: bool,
    /// `.new-<token>` of the claim it is making is there.
    pub(super) has_new: bool,
    /// The snapshot to which the pages that it publishes belong.
    pub(super) version: u8,
    /// The last one that it knows to be published.
    pub(super) kept: u8,
    /// Its last try was not confirmed.
    pub(super) has_leftovers: bool,
    pub(super) stray: Option<Stray>,
}

pub(super) const STOLEN: &str = "I3: an epoch was released by another than its owner";

/// The pages get a version of their own as soon as the first is written.
pub(super) const NOBODY: u8 = u8::MAX;
pub(super) const NEW_VERSION: u8 = u8::MAX;

/// A page's version: in which epoch, and the how manieth snapshot of it.
pub(super) type Version = (u8, u8);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) machines: [Machine; MACHINES],
    pub(super) epochs: [Option<Numbered>; EPOCHS],
    /// The highest epoch of a published row.
    pub(super) row: Version,
    pub(super) tables: [Version; 4],
    /// Snapshots published or begun in each epoch.
    pub(super) n_begun: [u8; EPOCHS],
    /// Numbers whose folders were removed, number 0 among them: always the lowest. What was in them stands above still,
    /// since an old view may show it.
    pub(super) n_pruned: u8,
    pub(super) broken: Option<&'static str>,
    /// Things that may still go wrong.
    pub(super) n_faults: u8,
}

pub(super) fn number(epoch: Epoch) -> usize {
    usize::try_from(epoch.0).expect("few")
}

pub(super) fn epoch(number: usize) -> Option<Epoch> {
    (number > 0).then_some(Epoch(number as u64))
}

impl World {
    pub(super) fn new(n_faults: u8) -> Self {
        Self {
            n_faults,
            machines: [Machine {
                steps: Steps::new(),
                flying: None,
                waits: false,
                has_new: false,
                version: 0,
                kept: 0,
                has_leftovers: false,
                stray: None,
            }; MACHINES],
            epochs: [None; EPOCHS],
            row: (0, 0),
            tables: [(0, 0); 4],
            n_begun: [0; EPOCHS],
            n_pruned: 0,
            broken: None,
        }
    }

    pub(super) fn newest(&self) -> usize {
        self.epochs
            .iter()
            .rposition(Option::is_some)
            .map_or(0, |at| at + 1)
    }

    pub(super) fn at(&mut self, epoch: Epoch) -> Option<&mut Numbered> {
        self.epochs[number(epoch) - 1].as_mut()
    }

    pub(super) fn is_pruned(&self, epoch: Epoch) -> bool {
        number(epoch) < usize::from(self.n_pruned)
    }

    /// A claim of this epoch has a place to start from.
    pub(super) fn has_home(&self, epoch: Epoch) -> bool {
        !self.is_pruned(Epoch(epoch.0 - 1)) || is_planted(Defect::DraftBeside)
    }

    /// The lowest epoch goes, and with it the drafts of claims of the next.
    pub(super) fn prune(&mut self, epoch: Epoch) -> Said {
        if self.is_pruned(epoch) {
            return Said::Failed(Why::Gone);
        }
        if number(epoch) > usize::from(self.n_pruned) {
            return Said::Failed(Why::NotDone);
        }
        self.n_pruned += 1;
        let slot = number(epoch).checked_sub(1).and_then(|at| self.epochs[at]);
        if slot.is_some_and(|slot| matches!(slot.pen, Pen::Alive { .. })) {
            self.breaks("I2: the pen of a removed epoch was alive");
        }
        if is_planted(Defect::DraftBeside) {
            return Said::Done;
        }
        let next = Epoch(epoch.0 + 1);
        for machine in &mut self.machines {
            let claims = match machine.steps.journey {
                Some(Journey::Claim(claim)) => claim.epoch() == next,
                _ => machine.flying == Some(Act::Rename(next)),
            };
            machine.has_new &= !claims;
            machine
                .stray
                .take_if(|stray| stray.act == Act::Rename(next));
        }
        Said::Done
    }

    /// Something goes wrong: false when enough has.
    pub(super) fn pay(&mut self) -> bool {
        if self.n_faults == 0 {
            return false;
        }
        if self.n_faults != UNBOUNDED {
            self.n_faults -= 1;
        }
        true
    }

    pub(super) fn breaks(&mut self, what: &'static str) {
        self.broken = self.broken.or(Some(what));
    }

    /// A machine forgets a token, or gives it another meaning.
    pub(super) fn remark(&mut self, machine: usize, from: Mark, to: Mark) {
        for slot in self.epochs.iter_mut().flatten() {
            if usize::from(slot.owner) == machine && slot.mark == from {
                slot.mark = to;
            }
        }
        if let Some(stray) = &mut self.machines[machine].stray
            && stray.mark == from
        {
            stray.mark = to;
        }
    }

    /// What must hold in every state.
    pub(super) fn watch(&mut self, n_machines: usize) {
        let mut n_with_pen = 0;
        for m in 0..n_machines {
            let Role::Owner(epoch) = self.machines[m].steps.role else {
                continue;
            };
            match self.epochs[number(epoch) - 1] {
                Some(slot) if usize::from(slot.owner) == m && slot.mark == Mark::Role => {
                    n_with_pen += usize::from(matches!(slot.pen, Pen::Alive { .. }));
                }
                _ => self.breaks("I1: a machine believes to own an epoch that it did not claim"),
            }
        }
        if n_with_pen > 1 {
            self.breaks("I2: two owners with a pen");
        }
    }

    /// A machine gets a reply and may set out on its next act.
    pub(super) fn hear(&mut self, m: usize, said: Said) {
        self.machines[m].flying = None;
        let Some(next) = self.machines[m].steps.reply(said) else {
            self.machines[m].version = 0;
            return;
        };
        if let Next::End(end) = next {
            let is_published = matches!(
                end,
                End::Claimed(Claimed::Yes) | End::Published(Published::Yes)
            );
            let machine = &mut self.machines[m];
            machine.has_leftovers = matches!(
                end,
                End::Published(Published::NotConfirmed) | End::Released(Released::NotConfirmed)
            ) && matches!(machine.steps.role, Role::Owner(_));
            if is_published {
                machine.kept = machine.version;
            } else if !matches!(machine.steps.role, Role::Owner(_)) {
                machine.kept = 0;
            }
            machine.version = 0;
        }
        match next {
            Next::Act(act) => self.fly(m, act),
            Next::Wait => self.machines[m].waits = true,
            Next::End(End::Claimed(end)) => match end {
                Claimed::Yes => {
                    self.remark(m, Mark::Role, Mark::Lost);
                    self.remark(m, Mark::Claim, Mark::Role);
                    let Role::Owner(epoch) = self.machines[m].steps.role else {
                        unreachable!("it has claimed")
                    };
                    let below = &self.epochs[..number(epoch) - 1];
                    if below
                        .iter()
                        .flatten()
                        .any(|slot| matches!(slot.pen, Pen::Alive { .. }))
                    {
                        self.breaks("I2: active while an older pen is alive");
                    }
                    if self.row.0 < u8::try_from(epoch.0).expect("few") {
                        self.breaks("I2: active without a row");
                    }
                }
                Claimed::Stranded => {
                    self.remark(m, Mark::Role, Mark::Lost);
                    self.remark(m, Mark::Claim, Mark::Role);
                }
                Claimed::TooLate | Claimed::Withdrawn | Claimed::Ousted => {
                    self.remark(m, Mark::Role, Mark::Lost);
                    self.remark(m, Mark::Claim, Mark::Lost);
                }
                Claimed::Changed | Claimed::NotDone => self.remark(m, Mark::Claim, Mark::Lost),
            },
            Next::End(_) => {}
        }
    }

    pub(super) fn fly(&mut self, m: usize, act: Act) {
        // A snapshot begins with its first page, and all its pages are of one version.
        if let Act::Write(epoch, _) = act
            && self.machines[m].version == NEW_VERSION
        {
            self.n_begun[number(epoch) - 1] += 1;
            self.machines[m].version = self.n_begun[number(epoch) - 1];
        }
        if let Act::Release(epoch) = act {
            let slot = self.epochs[number(epoch) - 1];
            if !slot.is_some_and(|slot| usize::from(slot.owner) == m && slot.mark != Mark::Lost) {
                self.breaks(STOLEN);
            }
        }
        self.machines[m].flying = Some(act);
    }

    /// Goes through acts that neither change nor read anything that another machine can see: whether another machine
    /// moves before or after them makes no difference, so they are done at once, with each reply that they can get.
    pub(super) fn go_on(self, m: usize, found: &mut impl FnMut(Self)) {
        let newest = self.newest();
        // Each with whether it is a fault.
        let mut says: Vec<(Said, bool)> = Vec::new();
        match self.machines[m].flying {
            Some(Act::ReadRow | Act::ReadMarkers) => {
                says.extend([(Said::Same(true), false), (Said::Same(false), false)]);
            }
            Some(Act::Touch | Act::Hydrate) => {
                says.extend([(Said::Done, false), (Said::Failed(Why::Unknown), true)]);
            }
            Some(Act::Make(epoch)) if !is_planted(Defect::EmptyMarker) => {
                if self.has_home(epoch) {
                    says.push((Said::Done, false));
                } else {
                    says.push((Said::Failed(Why::Gone), false));
                }
                says.push((Said::Failed(Why::Unknown), true));
            }
            // What only people read decides nothing: its failure goes the same way as its success.
            Some(Act::Ended(_) | Act::Quarantine | Act::Mirrors { .. } | Act::Hint(_)) => {
                says.push((Said::Done, false));
            }
            // A listing only goes on or turns back, and can always do either; to do it later is to set out later.
            Some(Act::List) => {
                says.extend((0..=newest).map(|seen| (Said::Newest(epoch(seen)), seen != newest)));
                says.push((Said::Failed(Why::Unknown), true));
            }
            _ => return found(self),
        }
        for (said, is_fault) in says {
            let mut next = self;
            if is_fault && !next.pay() {
                continue;
            }
            if let Some(Act::Make(_)) = self.machines[m].flying {
                next.machines[m].has_new = said == Said::Done;
            }
            next.hear(m, said);
            next.go_on(m, found);
        }
    }

    /// The same state with the machines in an order that depends on nothing but what they do. Machines differ in
    /// nothing else, so whatever can follow a state can follow the other, with the names exchanged.
    pub(super) fn in_order(mut self, n_machines: usize) -> (Self, u128) {
        for slot in self.epochs.iter_mut().flatten() {
            // Nobody knows its token any more, so whose it was makes no difference.
            if slot.mark == Mark::Lost {
                slot.owner = NOBODY;
            }
        }
        for machine in &mut self.machines {
            if machine.steps.journey.is_none() {
                machine.has_new &= machine.flying.is_some();
                // A read to which nobody listens may as well be over.
                if matches!(machine.flying, Some(Act::List | Act::ReadEpoch(_))) {
                    machine.flying = None;
                }
            }
        }
        let mut order: [(Print, usize); MACHINES] = std::array::from_fn(|m| (Print::new(), m));
        let order = &mut order[..n_machines];
        for (print, m) in order.iter_mut() {
            self.machines[*m].hash(print);
            for slot in self.epochs.iter().flatten() {
                let own = (usize::from(slot.owner) == *m).then_some(slot.mark);
                own.hash(print);
            }
        }
        order.sort_unstable();
        let mut next = self;
        let mut print = Print::new();
        for (place, (own, m)) in order.iter().enumerate() {
            next.machines[place] = self.machines[*m];
            for (slot, before) in next.epochs.iter_mut().zip(&self.epochs) {
                if let (Some(slot), Some(before)) = (slot, before)
                    && usize::from(before.owner) == *m
                {
                    slot.owner = u8::try_from(place).expect("few");
                }
            }
            own.hash(&mut print);
        }
        let server = (
            next.epochs,
            next.row,
            next.tables,
            next.n_begun,
            next.n_pruned,
            next.n_faults,
        );
        server.hash(&mut print);
        next.broken.is_some().hash(&mut print);
        (next, print.whole())
    }

    /// An act of a machine as the file server gets it.
    pub(super) fn as_stray(&self, m: usize, act: Act) -> Stray {
        let is_of_claim = match self.machines[m].steps.journey {
            Some(Journey::Claim(claim)) => match act {
                Act::Rename(e) | Act::Release(e) | Act::ReadEpoch(e) | Act::Make(e) => {
                    e == claim.epoch()
                }
                Act::Drop => true,
                _ => false,
            },
            _ => false,
        };
        Stray {
            act,
            mark: if is_of_claim { Mark::Claim } else { Mark::Role },
            version: match act {
                Act::Write(..) | Act::Move(..) => self.machines[m].version,
                _ => 0,
            },
        }
    }
}

/// Acts that would do harm if they could come late.
pub(super) fn may_stray(act: Act) -> bool {
    matches!(
        act,
        Act::Rename(_)
            | Act::Remove(_)
            | Act::Write(..)
            | Act::Move(..)
            | Act::Release(_)
            | Act::RemoveEpoch(_)
    )
}
