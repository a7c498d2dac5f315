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

    /// The file server does an act. What it answers when asked now, for acts that change something.
    pub(super) fn serve(&mut self, machine: usize, stray: Stray, is_stray: bool) -> Said {
        let Stray { act, mark, version } = stray;
        let gone = Said::Failed(Why::Gone);
        match act {
            Act::Make(epoch) if is_planted(Defect::EmptyMarker) => match self.at(epoch) {
                Some(slot) => {
                    slot.is_empty = false;
                    slot.pen = Pen::Alive { has_entry: false };
                    Said::Done
                }
                None => gone,
            },
            Act::Make(_) => {
                self.machines[machine].has_new = true;
                Said::Done
            }
            Act::Rename(epoch) => {
                let is_there =
                    is_stray || self.machines[machine].has_new || is_planted(Defect::EmptyMarker);
                if !is_there || !self.has_home(epoch) {
                    return gone;
                }
                if self.is_pruned(epoch) {
                    self.breaks("I1: an epoch was claimed twice");
                }
                let slot = self.epochs[number(epoch) - 1];
                if slot.is_some_and(|slot| !slot.is_empty) {
                    return Said::Failed(Why::NotDone);
                }
                if slot.is_some() {
                    self.breaks("I1: an epoch was claimed twice");
                }
                if !is_stray {
                    self.machines[machine].has_new = false;
                }
                if self.machines[machine]
                    .stray
                    .is_some_and(|s| s.mark == mark && matches!(s.act, Act::Rename(_)))
                {
                    // Its source has just gone.
                    self.machines[machine].stray = None;
                }
                self.epochs[number(epoch) - 1] = Some(Numbered {
                    owner: u8::try_from(machine).expect("few"),
                    mark,
                    pen: Pen::Alive { has_entry: false },
                    is_empty: is_planted(Defect::EmptyMarker),
                });
                Said::Done
            }
            Act::Drop => {
                self.machines[machine].has_new = false;
                if self.machines[machine]
                    .stray
                    .is_some_and(|s| s.mark == mark && matches!(s.act, Act::Rename(_)))
                {
                    self.machines[machine].stray = None;
                }
                Said::Done
            }
            Act::Empty(epoch) => {
                if let Some(Numbered {
                    pen: Pen::Alive { has_entry },
                    ..
                }) = self.at(epoch)
                {
                    *has_entry = false;
                }
                Said::Done
            }
            Act::Remove(epoch) => match self.at(epoch) {
                Some(Numbered {
                    pen: Pen::Alive { has_entry: true },
                    ..
                }) => Said::Failed(Why::NotEmpty),
                Some(
                    slot @ Numbered {
                        pen: Pen::Alive { .. },
                        ..
                    },
                ) => {
                    slot.pen = Pen::Dead;
                    Said::Done
                }
                _ => gone,
            },
            Act::Write(epoch, _) => match self.at(epoch) {
                Some(Numbered {
                    pen: Pen::Alive { has_entry },
                    ..
                }) => {
                    *has_entry = true;
                    Said::Done
                }
                Some(_) if Self::is_unfenced() => Said::Done,
                _ => gone,
            },
            Act::Move(epoch, sheet) => {
                let is_unfenced = Self::is_unfenced();
                match self.at(epoch) {
                    Some(Numbered {
                        pen: Pen::Alive { has_entry },
                        ..
                    }) if *has_entry => *has_entry = false,
                    Some(_) if is_unfenced => {}
                    _ => return gone,
                }
                self.publish(epoch, sheet, version);
                Said::Done
            }
            Act::Release(mut epoch) => {
                if is_planted(Defect::ReleaseByName)
                    && let Some(newest) = self::epoch(self.newest())
                {
                    epoch = newest;
                }
                let Some(slot) = self.at(epoch) else {
                    return gone;
                };
                if !matches!(slot.pen, Pen::Alive { .. }) {
                    return gone;
                }
                slot.pen = Pen::Dead;
                // Who released it cannot be asked later: a crashed machine forgets its tokens. An epoch never changes
                // hands, so it is asked when the act sets out.
                if is_planted(Defect::ReleaseByName) && usize::from(slot.owner) != machine {
                    self.breaks(STOLEN);
                }
                if is_planted(Defect::EpochReuse) {
                    self.epochs[number(epoch) - 1] = None;
                }
                Said::Done
            }
            Act::RemoveEpoch(epoch) => self.prune(epoch),
            Act::Touch
            | Act::List
            | Act::ReadEpoch(_)
            | Act::ReadRow
            | Act::ReadMarkers
            | Act::Ended(_)
            | Act::Quarantine
            | Act::Mirrors { .. }
            | Act::Hydrate
            | Act::Hint(_) => Said::Done,
        }
    }

    /// What a fence is worth: under a planted defect a removed pen lets pages out all the same.
    pub(super) fn is_unfenced() -> bool {
        is_planted(Defect::NoPen) || is_planted(Defect::FenceByMove)
    }

    pub(super) fn publish(&mut self, epoch: Epoch, sheet: Sheet, version: u8) {
        let e = u8::try_from(epoch.0).expect("few");
        let version = (e, version);
        match sheet {
            Sheet::Table(table) => {
                let at = Table::ALL
                    .iter()
                    .position(|t| *t == table)
                    .expect("one of them");
                self.tables[at] = version;
            }
            Sheet::Row => {
                if e < self.row.0 {
                    self.breaks("I2: a published epoch was followed by a lower one");
                }
                self.row = version;
                // The row is the commit point: a row that names a snapshot which is not whole would, if its
                // writer died now, leave readers without any.
                if version.1 > 0 && self.tables.iter().any(|table| *table < version) {
                    self.breaks("I5: the row names a snapshot that is not there");
                }
            }
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
            if *machine != fresh_crash {
                for leaves_stray in [false, true] {
                    let mut next = *self;
                    if !next.pay() {
                        continue;
                    }
                    if leaves_stray {
                        match machine.flying {
                            Some(act)
                                if may_stray(act)
                                    && n_strays < bounds.n_strays
                                    && machine.stray.is_none() =>
                            {
                                next.machines[m].stray = Some(self.as_stray(m, act));
                            }
                            _ => continue,
                        }
                    }
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
                for leaves_stray in [false, true] {
                    let mut next = *self;
                    if !next.pay() {
                        continue;
                    }
                    if leaves_stray {
                        match machine.flying {
                            Some(act)
                                if may_stray(act)
                                    && n_strays < bounds.n_strays
                                    && machine.stray.is_none() =>
                            {
                                next.machines[m].stray = Some(self.as_stray(m, act));
                            }
                            _ => continue,
                        }
                    }
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
                self.fly_on(m, act, n_strays < bounds.n_strays, &mut add);
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
            // At rest: set out on anything.
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
    }

    /// Everything that can become of an act under way.
    pub(super) fn fly_on(
        &self,
        m: usize,
        act: Act,
        may_leave_stray: bool,
        add: &mut impl FnMut(Self),
    ) {
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
