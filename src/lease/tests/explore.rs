//! Every interleaving of the steps that production takes, time left out: any timer may fire at any instant.
//!
//! The machines are [`Steps`] themselves. The world round them is a file server that does one act at a time, and views
//! of it that may be arbitrarily old: a listing may show any earlier highest number, a read may miss an epoch or show a
//! pen that is gone, the lease row may be any earlier one. What was done may be answered, or answered by nothing; what
//! was not answered may have been done, not done, or be done later, even after its sender has crashed. A machine may
//! crash at any instant and begin anew, knowing nothing. Only the number of epochs is bounded.

mod folder;
mod print;
mod successors;
mod world;

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

use print::*;
use world::*;

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
