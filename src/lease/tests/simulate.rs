//! The simulation over many seeds.

use std::sync::atomic::{AtomicU64, Ordering};

use super::sim::{ALL, CALM, CRASHES, Ran, Scene, run, tell};
use crate::lease::defect::plant;

/// Seeds of each scene in a run of the tests. In the optimised package there is time for what the issue asks; compiled
/// with the rest of the program, without optimisation, for a taste. `HANDMILL_SEEDS` sets another number.
fn n_seeds(full: u64) -> u64 {
    let told = std::env::var("HANDMILL_SEEDS")
        .ok()
        .and_then(|text| text.parse().ok());
    told.unwrap_or(if super::IS_FULL {
        full
    } else {
        full.div_ceil(100)
    })
}

/// Runs seeds on two threads and tells what broke, lowest seed first.
fn run_seeds(scene: Scene, n_seeds: u64) -> (Ran, Vec<(u64, String)>) {
    let next = AtomicU64::new(0);
    let work = || {
        let (mut sum, mut broken) = (Ran::default(), Vec::new());
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= n_seeds {
                return (sum, broken);
            }
            let ran = run(seed, scene);
            add(&mut sum, &ran);
            broken.extend(ran.broken.map(|what| (seed, what)));
        }
    };
    let (mut sum, mut broken) = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let (mut sum, mut broken) = work();
        let (theirs, theirs_broken) = other.join().expect("no seed panics");
        add(&mut sum, &theirs);
        broken.extend(theirs_broken);
        (sum, broken)
    });
    broken.sort();
    sum.print = 0;
    (sum, broken)
}

fn add(sum: &mut Ran, ran: &Ran) {
    sum.n_events += ran.n_events;
    sum.n_ops += ran.n_ops;
    sum.n_claims += ran.n_claims;
    sum.n_refused += ran.n_refused;
    sum.n_lost += ran.n_lost;
    sum.n_resumed += ran.n_resumed;
    sum.n_pruned += ran.n_pruned;
    sum.n_takeovers += ran.n_takeovers;
    sum.takeover_sum += ran.takeover_sum;
    sum.takeover_max = sum.takeover_max.max(ran.takeover_max);
}

#[track_caller]
fn check(scene: Scene, full: u64) -> Ran {
    plant(None);
    let n_seeds = n_seeds(full);
    let start = std::time::Instant::now();
    let (ran, broken) = run_seeds(scene, n_seeds);
    println!(
        "{}: {n_seeds} seeds of {} h: {} operations, {} claims, {} lost, {} late pages refused, {} tenures resumed, {} old epochs removed, {} takeovers, longest {} s ({:?})",
        scene.name,
        scene.hours,
        ran.n_ops,
        ran.n_claims,
        ran.n_lost,
        ran.n_refused,
        ran.n_resumed,
        ran.n_pruned,
        ran.n_takeovers,
        ran.takeover_max / 1_000_000,
        start.elapsed(),
    );
    for (seed, what) in broken.iter().take(5) {
        println!("{}, seed {seed}: {what}", scene.name);
    }
    if let Some((seed, _)) = broken.first() {
        println!("{}", tell(*seed, scene).join("\n"));
    }
    assert!(
        broken.is_empty(),
        "{} of {n_seeds} seeds broke",
        broken.len()
    );
    ran
}

#[test]
fn nothing_breaks_when_all_is_calm() {
    check(CALM, 60);
}

#[test]
fn a_crashed_owner_is_replaced_within_a_hundred_seconds() {
    let ran = check(CRASHES, 60);
    assert!(ran.n_takeovers > 0);
    assert!(ran.takeover_max <= 100_000_000, "{} us", ran.takeover_max);
}

#[test]
fn nothing_breaks_under_all_faults() {
    let ran = check(ALL, 300);
    assert!(ran.n_resumed > 0);
}

#[test]
fn a_seed_replays_bit_for_bit() {
    plant(None);
    let (first, second) = (run(7, ALL), run(7, ALL));
    assert_eq!((first.print, first.n_ops), (second.print, second.n_ops));
    assert_ne!(first.print, run(8, ALL).print);
}
