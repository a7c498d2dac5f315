//! Every interleaving of the steps that production takes, time left out: any timer may fire at any instant.
//!
//! The machines are [`Steps`] themselves. The world round them is a file server that does one act at a time, and views
//! of it that may be arbitrarily old: a listing may show any earlier highest number, a read may miss an epoch or show a
//! pen that is gone, the lease row may be any earlier one. What was done may be answered, or answered by nothing; what
//! was not answered may have been done, not done, or be done later, even after its sender has crashed. A machine may
//! crash at any instant and begin anew, knowing nothing. Only the number of epochs is bounded.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use crate::lease::Epoch;
use crate::lease::act::{Act, Said, Sheet, Why};
use crate::lease::claim::{Claimed, Ground};
use crate::lease::defect::{Defect, is_planted, plant};
use crate::lease::op::Table;
use crate::lease::publish::Published;
use crate::lease::release::Released;
use crate::lease::steps::{End, Journey, Next, Role, Steps};

const MACHINES: usize = 3;
const EPOCHS: usize = 4;

/// How much is explored.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    n_machines: usize,
    n_epochs: usize,
    /// Acts that may be under way on their own at once, after their reply was lost or their sender crashed.
    n_strays: usize,
    /// Tables are published too, so many snapshots in each epoch, and the rule of the reader is watched.
    n_snapshots: u8,
    /// The lease row may be any earlier one when a claim is decided.
    has_old_rows: bool,
    /// Claims wait for copies to be merged.
    settles: bool,
    /// Owners remove old epochs, down to their own.
    prunes: bool,
    /// So many things may go wrong on one way: crashes, timers that fire at their worst, replies lost, acts refused, old
    /// views, strays. [`UNBOUNDED`] for any number.
    n_faults: u8,
}

const UNBOUNDED: u8 = u8::MAX;

/// Which of its claims' tokens a machine put on something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Mark {
    /// The token of the epoch it has or had.
    Role,
    /// The token of the claim it is making.
    Claim,
    /// One that it does not know any more.
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Pen {
    Alive {
        has_entry: bool,
    },
    /// Released or removed: no act tells them apart.
    Dead,
}

/// A numbered folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Numbered {
    owner: u8,
    mark: Mark,
    pen: Pen,
    /// Nothing is in it yet: only under a planted defect.
    is_empty: bool,
}

/// An act that may still be done though nobody waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Stray {
    act: Act,
    mark: Mark,
    /// Of the page, if it is one.
    version: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Machine {
    steps: Steps,
    flying: Option<Act>,
    waits: bool,
    /// `.new-<token>` of the claim it is making is there.
    has_new: bool,
    /// The snapshot to which the pages that it publishes belong.
    version: u8,
    /// The last one that it knows to be published.
    kept: u8,
    /// Its last try was not confirmed.
    has_leftovers: bool,
    stray: Option<Stray>,
}

const STOLEN: &str = "I3: an epoch was released by another than its owner";

/// The pages get a version of their own as soon as the first is written.
const NOBODY: u8 = u8::MAX;
const NEW_VERSION: u8 = u8::MAX;

/// A page's version: in which epoch, and the how manieth snapshot of it.
type Version = (u8, u8);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct World {
    machines: [Machine; MACHINES],
    epochs: [Option<Numbered>; EPOCHS],
    /// The highest epoch of a published row.
    row: Version,
    tables: [Version; 4],
    /// Snapshots published or begun in each epoch.
    n_begun: [u8; EPOCHS],
    /// Numbers whose folders were removed, number 0 among them: always the lowest. What was in them stands above still,
    /// since an old view may show it.
    n_pruned: u8,
    broken: Option<&'static str>,
    /// Things that may still go wrong.
    n_faults: u8,
}

fn number(epoch: Epoch) -> usize {
    usize::try_from(epoch.0).expect("few")
}

fn epoch(number: usize) -> Option<Epoch> {
    (number > 0).then_some(Epoch(number as u64))
}

impl World {
    fn new(n_faults: u8) -> Self {
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

    fn newest(&self) -> usize {
        self.epochs
            .iter()
            .rposition(Option::is_some)
            .map_or(0, |at| at + 1)
    }

    fn at(&mut self, epoch: Epoch) -> Option<&mut Numbered> {
        self.epochs[number(epoch) - 1].as_mut()
    }

    fn is_pruned(&self, epoch: Epoch) -> bool {
        number(epoch) < usize::from(self.n_pruned)
    }

    /// A claim of this epoch has a place to start from.
    fn has_home(&self, epoch: Epoch) -> bool {
        !self.is_pruned(Epoch(epoch.0 - 1)) || is_planted(Defect::DraftBeside)
    }

    /// The lowest epoch goes, and with it the drafts of claims of the next.
    fn prune(&mut self, epoch: Epoch) -> Said {
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
    fn pay(&mut self) -> bool {
        if self.n_faults == 0 {
            return false;
        }
        if self.n_faults != UNBOUNDED {
            self.n_faults -= 1;
        }
        true
    }

    fn breaks(&mut self, what: &'static str) {
        self.broken = self.broken.or(Some(what));
    }

    /// A machine forgets a token, or gives it another meaning.
    fn remark(&mut self, machine: usize, from: Mark, to: Mark) {
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
    fn serve(&mut self, machine: usize, stray: Stray, is_stray: bool) -> Said {
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
    fn is_unfenced() -> bool {
        is_planted(Defect::NoPen) || is_planted(Defect::FenceByMove)
    }

    fn publish(&mut self, epoch: Epoch, sheet: Sheet, version: u8) {
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
    fn watch(&mut self, n_machines: usize) {
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
    fn hear(&mut self, m: usize, said: Said) {
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

    fn fly(&mut self, m: usize, act: Act) {
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
    fn go_on(self, m: usize, found: &mut impl FnMut(Self)) {
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
    fn in_order(mut self, n_machines: usize) -> (Self, u128) {
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
    fn as_stray(&self, m: usize, act: Act) -> Stray {
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
    fn successors(&self, bounds: &Bounds, found: &mut Vec<(Self, u128)>) {
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

/// Acts that would do harm if they could come late.
fn may_stray(act: Act) -> bool {
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

/// Two independent hashes of the whole state. Among ten million states the odds that any two share both are below
/// one in 10^24.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Print(u64, u64);

impl Hasher for Print {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }
    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0 ^ value)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
        self.1 = (self.1.rotate_left(23) ^ value).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

impl Print {
    fn new() -> Self {
        Self(0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344)
    }

    fn whole(self) -> u128 {
        let mix = |x: u64| {
            let x = (x ^ (x >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
            x ^ (x >> 32)
        };
        u128::from(mix(self.0)) << 64 | u128::from(mix(self.1))
    }
}

/// A print is a hash already.
#[derive(Default)]
struct Taken(u64);

impl Hasher for Taken {
    fn write(&mut self, _: &[u8]) {
        unreachable!("prints are numbers")
    }
    fn write_u128(&mut self, value: u128) {
        self.0 = value as u64;
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

/// What an exploration came to.
#[derive(Debug)]
pub(super) struct Explored {
    pub(super) n_states: usize,
    n_steps: usize,
    depth: usize,
    n_refused: usize,
    /// What broke, after how many states and how deep.
    pub(super) broken: Option<(&'static str, String)>,
}

/// Explores breadth first, until everything was seen, something broke, or there are too many states.
pub(super) fn explore(bounds: &Bounds, states_max: usize) -> Explored {
    let mut seen: HashSet<u128, BuildHasherDefault<Taken>> = HashSet::default();
    let mut parents: Vec<u32> = vec![0];
    let mut level = vec![(World::new(bounds.n_faults), 0_u32)];
    let mut explored = Explored {
        n_states: 1,
        n_steps: 0,
        depth: 0,
        n_refused: 0,
        broken: None,
    };
    seen.insert(level[0].0.in_order(bounds.n_machines).1);
    let mut found = Vec::new();
    while !level.is_empty() {
        let mut next_level = Vec::new();
        for (world, index) in level {
            found.clear();
            world.successors(bounds, &mut found);
            for (next, print) in &found {
                explored.n_steps += 1;
                if !seen.insert(*print) {
                    continue;
                }
                parents.push(index);
                let next_index = u32::try_from(parents.len() - 1).expect("fewer");
                explored.n_states += 1;
                if let Some(what) = next.broken {
                    explored.broken = Some((what, trace(bounds, &parents, next_index)));
                    return explored;
                }
                explored.n_refused += usize::from(next.machines.iter().zip(&world.machines).any(
                    |(after, before)| {
                        matches!(before.flying, Some(Act::Write(..) | Act::Move(..)))
                            && matches!(before.steps.role, Role::Owner(_))
                            && after.steps.role == Role::Watcher
                            && after.flying.is_none()
                    },
                ));
                next_level.push((*next, next_index));
            }
            if explored.n_states > states_max {
                return explored;
            }
        }
        explored.depth += 1;
        level = next_level;
    }
    explored
}

/// The way to a state, as one line for each step: what each machine is about to do.
fn trace(bounds: &Bounds, parents: &[u32], last: u32) -> String {
    let mut path = vec![last];
    while *path.last().expect("not empty") != 0 {
        path.push(parents[*path.last().expect("not empty") as usize]);
    }
    // States were numbered in the order in which they were found, so the way is found again in the same order.
    let mut seen: HashSet<u128, BuildHasherDefault<Taken>> = HashSet::default();
    let mut world = World::new(bounds.n_faults);
    seen.insert(world.in_order(bounds.n_machines).1);
    let mut lines = vec![line(&world, bounds)];
    let mut count = 0_u32;
    let mut queue = std::collections::VecDeque::from([(world, 0_u32)]);
    let wanted: HashSet<u32> = path.iter().copied().collect();
    let mut found = Vec::new();
    'all: while let Some((from, index)) = queue.pop_front() {
        found.clear();
        from.successors(bounds, &mut found);
        for (next, print) in &found {
            if seen.insert(*print) {
                count += 1;
                if wanted.contains(&count) && wanted.contains(&index) {
                    world = *next;
                    lines.push(line(&world, bounds));
                }
                if count == last {
                    break 'all;
                }
                queue.push_back((*next, count));
            }
        }
    }
    lines.join("\n")
}

fn line(world: &World, bounds: &Bounds) -> String {
    let machines: Vec<String> = world.machines[..bounds.n_machines]
        .iter()
        .map(|m| match m.flying {
            Some(act) => format!("{:?} {act:?}", m.steps.role),
            None => format!("{:?}", m.steps.role),
        })
        .collect();
    let epochs: Vec<String> = world.epochs[..bounds.n_epochs]
        .iter()
        .flatten()
        .map(|e| format!("{}:{:?}:{:?}", e.owner, e.mark, e.pen))
        .collect();
    format!(
        "{} | {} | row {:?}",
        machines.join(" ; "),
        epochs.join(" "),
        world.row
    )
}

/// Explores to the end and prints what it came to.
#[track_caller]
fn check(name: &str, bounds: Bounds) -> Explored {
    plant(None);
    let start = std::time::Instant::now();
    let explored = explore(&bounds, 40_000_000);
    println!(
        "{name}: {} states, {} steps, {} deep, {} times a page was refused ({:?})",
        explored.n_states,
        explored.n_steps,
        explored.depth,
        explored.n_refused,
        start.elapsed()
    );
    if let Some((what, trace)) = &explored.broken {
        panic!("{what}:\n{trace}");
    }
    explored
}

pub(super) const THREE: Bounds = Bounds {
    n_machines: 3,
    n_epochs: 3,
    n_strays: 1,
    n_snapshots: 0,
    has_old_rows: true,
    settles: false,
    prunes: false,
    n_faults: 1,
};

pub(super) const SNAPSHOTS: Bounds = Bounds {
    n_machines: 2,
    n_epochs: 2,
    n_snapshots: 2,
    has_old_rows: false,
    n_faults: 2,
    ..THREE
};

pub(super) const PRUNED: Bounds = Bounds {
    n_machines: 2,
    n_strays: 1,
    prunes: true,
    n_faults: 2,
    ..THREE
};

/// Compiled without optimisation there is time for a taste only.
fn taste(bounds: Bounds) -> Bounds {
    if super::IS_FULL {
        return bounds;
    }
    Bounds {
        n_epochs: bounds.n_epochs.min(2),
        n_faults: 0,
        ..bounds
    }
}

/// Faults on one way, where they are bounded: `HANDMILL_FAULTS` more than by default.
fn faults(n: u8) -> u8 {
    let more = std::env::var("HANDMILL_FAULTS").ok();
    n + more.and_then(|text| text.parse::<u8>().ok()).unwrap_or(0)
}

#[test]
fn three_machines_in_three_epochs_break_no_rule() {
    let n_faults = faults(THREE.n_faults);
    let explored = check(
        "three machines, three epochs",
        taste(Bounds { n_faults, ..THREE }),
    );
    assert!(
        explored.n_states >= 1_300_000 || !super::IS_FULL,
        "{}",
        explored.n_states
    );
}

#[test]
fn three_machines_with_two_faults_break_no_rule() {
    let bounds = Bounds {
        n_epochs: 2,
        n_faults: faults(2),
        ..THREE
    };
    check("three machines, two epochs", taste(bounds));
}

#[test]
fn three_machines_that_contend_for_one_epoch_break_no_rule_whatever_goes_wrong() {
    let bounds = Bounds {
        n_epochs: 1,
        n_faults: UNBOUNDED,
        ..THREE
    };
    check("three machines, one epoch, any faults", taste(bounds));
}

#[test]
fn two_machines_break_no_rule_whatever_goes_wrong() {
    let bounds = Bounds {
        n_machines: 2,
        n_strays: 0,
        has_old_rows: false,
        n_faults: UNBOUNDED,
        ..THREE
    };
    let explored = check("two machines, three epochs, any faults", taste(bounds));
    assert!(
        explored.n_states >= 1_300_000 || !super::IS_FULL,
        "{}",
        explored.n_states
    );
}

/// The whole of three machines in two epochs takes minutes: with `HANDMILL_DEEP` set, each night.
#[test]
fn three_machines_break_no_rule_whatever_goes_wrong() {
    let is_deep = std::env::var_os("HANDMILL_DEEP").is_some();
    let bounds = Bounds {
        n_epochs: 2,
        n_strays: 0,
        has_old_rows: false,
        n_faults: if is_deep { UNBOUNDED } else { faults(1) },
        ..THREE
    };
    check("three machines, two epochs, any faults", taste(bounds));
}

#[test]
fn no_row_names_a_snapshot_that_is_not_there() {
    let n_faults = faults(SNAPSHOTS.n_faults);
    check(
        "two machines, snapshots",
        taste(Bounds {
            n_faults,
            ..SNAPSHOTS
        }),
    );
}

#[test]
fn claims_that_settle_break_no_rule() {
    let bounds = Bounds {
        n_machines: 2,
        settles: true,
        n_faults: faults(2),
        ..THREE
    };
    check("two machines, settling claims", taste(bounds));
}

#[test]
fn old_epochs_that_are_removed_break_no_rule() {
    let n_faults = faults(PRUNED.n_faults);
    let explored = check(
        "two machines, old epochs removed",
        taste(Bounds { n_faults, ..PRUNED }),
    );
    assert!(
        explored.n_states >= 1_000_000 || !super::IS_FULL,
        "{}",
        explored.n_states
    );
}
