//! Several leases on one folder, whose operations come in any order.

use std::collections::BTreeMap;

use super::rig::{me, seconds};
use crate::lease::defect::plant;
use crate::lease::*;
use crate::model::Timestamp;

/// The same orders in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        // The low bits of such a row repeat soon.
        usize::try_from(self.0 >> 33).unwrap_or_default() % n
    }
}

/// A folder without faults: what is asked for is done at once.
struct Shared {
    newest: Option<Epoch>,
    claims: BTreeMap<Epoch, (ClaimNote, PenSeen)>,
    drafts: BTreeMap<u128, ClaimNote>,
    row: RowSeen,
    is_leased: bool,
    n_beats: u64,
}

impl Shared {
    /// Epoch 1 was released, or is held by a machine that says nothing any more.
    fn new(is_held: bool) -> Self {
        let claim = ClaimNote::new(&me("gone"), Epoch(1), Token(1), Timestamp(0), 1);
        let pen = match is_held {
            true => PenSeen::Alive,
            false => PenSeen::Released { next: None },
        };
        Self {
            newest: Some(Epoch(1)),
            claims: BTreeMap::from([(Epoch(1), (claim, pen))]),
            drafts: BTreeMap::new(),
            row: RowSeen::Absent,
            is_leased: is_held,
            n_beats: 0,
        }
    }

    fn serve(&mut self, op: &Op) -> Reply {
        let is_alive = |shared: &Self, epoch: &Epoch| {
            let found = shared.claims.get(epoch);
            found.is_some_and(|(_, pen)| *pen == PenSeen::Alive)
        };
        match op {
            Op::ListEpochs => Reply::Epochs(Listing {
                newest: self.newest,
                before: self.newest.and_then(|n| n.0.checked_sub(1)).map(Epoch),
                oldest: Some(Epoch(1)),
                ..Listing::default()
            }),
            Op::ReadEpoch { epoch } => match self.claims.get(epoch) {
                Some((claim, pen)) => Reply::Epoch(EpochSeen {
                    claim: Some(claim.clone()),
                    pen: pen.clone(),
                    is_doubled: false,
                }),
                None => Reply::Failed(Fault::Gone),
            },
            Op::ReadRow => Reply::Row(self.row.clone()),
            Op::ReadMarkers => Reply::Markers(Markers {
                is_leased: self.is_leased,
                is_available: !self.is_leased,
                ..Markers::default()
            }),
            Op::ReadRequests => Reply::Requests(Asked::default()),
            Op::Hydrate => Reply::Hydrated(Hydrated::Nothing),
            Op::MakeNew { note } => {
                self.drafts.insert(note.token.0, note.clone());
                Reply::Done
            }
            Op::RenameNew { token, epoch } => {
                if self.claims.contains_key(epoch) {
                    return Reply::Failed(Fault::Exists);
                }
                let Some(note) = self.drafts.remove(&token.0) else {
                    return Reply::Failed(Fault::Gone);
                };
                self.claims.insert(*epoch, (note, PenSeen::Alive));
                self.newest = self.newest.max(Some(*epoch));
                Reply::Done
            }
            Op::RemovePen { epoch } => {
                if let Some((_, pen)) = self.claims.get_mut(epoch)
                    && *pen == PenSeen::Alive
                {
                    *pen = PenSeen::Removed;
                }
                Reply::Done
            }
            Op::WritePage { epoch, .. } | Op::MovePage { epoch, .. } if !is_alive(self, epoch) => {
                Reply::Failed(Fault::Gone)
            }
            Op::MovePage {
                page: Page::Row(row),
                ..
            } => {
                self.n_beats += 1;
                self.row = RowSeen::Is {
                    beat: Beat(self.n_beats),
                    row: row.clone(),
                };
                Reply::Done
            }
            Op::SetMirrors { owner } => {
                self.is_leased = owner.is_some();
                Reply::Done
            }
            _ => Reply::Done,
        }
    }
}

/// Leases of as many machines, and what each has under way.
struct Round {
    shared: Shared,
    now: Now,
    leases: Vec<Lease>,
    under_way: Vec<(usize, Ticket, Op)>,
    /// Who did what, in the order of the folder.
    done: Vec<(usize, Op)>,
    gained: Vec<usize>,
}

impl Round {
    fn new(n: usize, is_held: bool) -> Self {
        plant(None);
        let policy = Policy {
            claims_when_free: false,
            ..Policy::default()
        };
        let lease = |at: usize| {
            let seed = u128::try_from(at + 1).expect("small") << 80;
            Lease::new(me(&format!("ws{at}")), "claims", seed, policy.clone())
        };
        let mut round = Self {
            shared: Shared::new(is_held),
            now: Now {
                boot: Moment(1_000_000_000),
                wall: Timestamp(0),
            },
            leases: (0..n).map(lease).collect(),
            under_way: Vec::new(),
            done: Vec::new(),
            gained: Vec::new(),
        };
        for at in 0..n {
            round.tell(at, Input::Folder(Folder::Exclusive { is_slow: false }));
        }
        round
    }

    fn tell(&mut self, at: usize, input: Input) {
        let mut out = Vec::new();
        self.leases[at].handle(self.now, input, &mut out);
        for effect in out {
            match effect {
                Effect::Carry { ticket, op } => self.under_way.push((at, ticket, op)),
                Effect::Record(Fact::Gained { .. }) => self.gained.push(at),
                _ => {}
            }
        }
    }

    /// Does what is under way, in any order, until there is nothing.
    fn settle(&mut self, random: &mut Dice) {
        while !self.under_way.is_empty() {
            let next = random.below(self.under_way.len());
            let (at, ticket, op) = self.under_way.swap_remove(next);
            let reply = self.shared.serve(&op);
            self.done.push((at, op));
            self.tell(at, Input::Replied { ticket, reply });
        }
    }

    fn owners(&self) -> usize {
        let owners = self.leases.iter().filter(|lease| lease.has_tenure());
        owners.count()
    }
}

#[test]
fn item_16_of_eight_machines_that_claim_at_once_exactly_one_wins_each_of_600_rounds() {
    let mut random = Dice(16);
    let mut winners = [0; 8];
    for n in 0..600 {
        let mut round = Round::new(8, false);
        round.settle(&mut random);
        for at in 0..8 {
            round.tell(at, Input::Wish(Wish::Control));
        }
        round.settle(&mut random);
        assert_eq!(round.owners(), 1, "round {n}");
        let [winner] = round.gained[..] else {
            panic!("round {n}: {:?}", round.gained);
        };
        winners[winner] += 1;
        // Those that lost know it: none waits for an epoch of its own to fall silent.
        let newest = round.shared.newest.expect("claimed");
        let (claim, _) = &round.shared.claims[&newest];
        assert_eq!(claim.host, format!("ws{winner}"));
    }
    assert!(
        winners.iter().all(|n| *n > 0),
        "anybody may win: {winners:?}"
    );
}

#[test]
fn item_20_of_two_that_recover_one_stale_lease_one_succeeds_and_no_fresh_one_is_put_aside() {
    let mut random = Dice(20);
    for n in 0..300 {
        let mut round = Round::new(2, true);
        round.settle(&mut random);
        round.now.boot = round.now.boot.plus(seconds(91));
        for at in 0..2 {
            round.tell(at, Input::Wish(Wish::TakeOver));
        }
        round.settle(&mut random);
        assert_eq!((round.owners(), round.gained.len()), (1, 1), "round {n}");
        let is_row = |op: &Op| {
            matches!(
                op,
                Op::MovePage {
                    page: Page::Row(_),
                    ..
                }
            )
        };
        let fresh = round.done.iter().position(|(_, op)| is_row(op));
        let aside: Vec<usize> = (0..round.done.len())
            .filter(|at| matches!(round.done[*at].1, Op::Quarantine { .. }))
            .collect();
        let ([aside], Some(fresh)) = (&aside[..], fresh) else {
            panic!("round {n}: put aside at {aside:?}, the first row at {fresh:?}");
        };
        assert!(
            *aside < fresh,
            "round {n}: the winner's own row was put aside"
        );
    }
}
