//! Random inputs for the tests of every floor: whatever fails in a round, its seed is told.

use std::ops::Range;

/// `n` seeds in a row from a random one. `HANDMILL_SEED` names one to repeat, `HANDMILL_ROUNDS` another number.
pub fn drawn(n: u64) -> Range<u64> {
    // Far enough from the end for any number of rounds.
    chosen(fastrand::u64(..u64::MAX / 2), n)
}

/// `n` seeds from 0 on, the same in every run of the tests; steered as [`drawn`] is.
pub fn fixed(n: u64) -> Range<u64> {
    chosen(0, n)
}

/// The environment says which seeds: there may be too few for what many must show.
pub fn are_told() -> bool {
    std::env::var_os("HANDMILL_SEED").is_some()
}

fn chosen(first: u64, n: u64) -> Range<u64> {
    let told = |name| Some(std::env::var(name).ok()?.parse().expect("a number"));
    match (told("HANDMILL_SEED"), told("HANDMILL_ROUNDS")) {
        (Some(seed), n) => seed..seed + n.unwrap_or(1),
        (None, told) => first..first + told.unwrap_or(n),
    }
}

/// One round for each seed.
pub fn each(seeds: Range<u64>, mut round: impl FnMut(&mut fastrand::Rng)) {
    for seed in seeds {
        let _told = Told(seed);
        round(&mut fastrand::Rng::with_seed(seed));
    }
}

/// Says its seed when the round ends in a panic, of the test or of what it tests.
struct Told(u64);

impl Drop for Told {
    #[expect(clippy::print_stderr, reason = "the seed must be seen")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failing seed: HANDMILL_SEED={}", self.0);
        }
    }
}
