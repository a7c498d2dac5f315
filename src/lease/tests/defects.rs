//! The searches bite: each planted defect is found, and where is printed.

use super::explore::{self, Bounds};
use super::sim::{self, ALL, Scene};
use crate::lease::defect::{Defect, plant};

/// States within which an exploration must find a defect.
const STATES_MAX: usize = 2_000_000;

/// Seeds of 24 simulated hours within which the simulation must.
const SEEDS_MAX: u64 = 200;

#[track_caller]
fn explored(defect: Defect, rule: &str, bounds: Bounds) {
    plant(Some(defect));
    let found = explore::explore(&bounds, STATES_MAX);
    plant(None);
    let Some((what, trace)) = &found.broken else {
        panic!("{defect:?} was not found in {} states", found.n_states);
    };
    println!(
        "{defect:?}: {what}; after {} states, {} steps deep",
        found.n_states,
        trace.lines().count() - 1
    );
    assert!(
        what.starts_with(rule),
        "{defect:?} broke something else: {what}\n{trace}"
    );
}

#[track_caller]
fn simulated(defect: Defect, scene: Scene) {
    for seed in 0..SEEDS_MAX {
        plant(Some(defect));
        let ran = sim::run(seed, scene);
        plant(None);
        if let Some(what) = ran.broken {
            println!("{defect:?}: {what}; {}, seed {seed}", scene.name);
            return;
        }
    }
    panic!("{defect:?} was not found in {SEEDS_MAX} seeds");
}

/// Old clients see what was there up to two minutes ago, and nothing else is wrong.
const OLD_VIEWS: Scene = Scene {
    name: "old views",
    hangs: false,
    losses: false,
    ..ALL
};

#[test]
fn a_removed_pen_that_still_writes_is_found() {
    explored(Defect::NoPen, "I2", explore::THREE);
    explored(Defect::FenceByMove, "I2", explore::THREE);
    simulated(Defect::NoPen, ALL);
}

#[test]
fn a_claim_that_does_not_look_for_its_token_is_found() {
    explored(Defect::NoTokenCheck, "I", explore::THREE);
}

#[test]
fn a_release_by_a_name_that_all_share_is_found() {
    explored(Defect::ReleaseByName, "I3", explore::THREE);
}

#[test]
fn a_fence_after_the_first_row_is_found() {
    explored(Defect::FenceLate, "I2", explore::THREE);
}

#[test]
fn a_row_before_its_tables_is_found() {
    explored(Defect::RowFirst, "I5", explore::SNAPSHOTS);
}

#[test]
fn an_empty_folder_as_claim_is_found() {
    explored(Defect::EmptyMarker, "I1", explore::THREE);
}

#[test]
fn a_number_given_twice_is_found() {
    explored(Defect::EpochReuse, "I", explore::THREE);
}

#[test]
fn a_claim_beside_the_epochs_is_found_where_old_ones_are_removed() {
    explored(Defect::DraftBeside, "I", explore::PRUNED);
}

#[test]
fn silence_by_the_wall_clock_is_found() {
    simulated(Defect::WallClock, ALL);
}

#[test]
fn a_claim_without_a_fresh_look_is_found() {
    simulated(Defect::NoFreshLook, OLD_VIEWS);
}

#[test]
fn a_renewal_after_the_deadline_is_found() {
    simulated(Defect::RenewAfterExpiry, ALL);
}

#[test]
fn children_that_are_thawed_early_are_found() {
    simulated(Defect::ThawEarly, ALL);
}

#[test]
fn children_that_nobody_freezes_are_found() {
    simulated(Defect::NoFreeze, ALL);
}

#[test]
fn a_missing_sitter_is_found() {
    simulated(Defect::NoSitter, ALL);
}
