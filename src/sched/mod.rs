//! The pure core: what runs next, and why. Told everything, asks nothing.
//!
//! Unaware of processes, files, threads and clocks. The runtime's dispatcher hands it inputs with
//! the time and carries out the effects it gives back. The rules are those of `docs/RUNS.md`.

mod adopt;
mod edges;
mod message;
mod plan;
mod preview;
mod run_state;
mod scheduler;
mod tokens;
mod topology;

#[cfg(test)]
mod tests;

pub use adopt::{Adopt, Alive, Recorded};
pub use edges::EdgesAfter;
pub use message::{Effect, Input, Start};
pub use plan::Refusal;
pub use preview::would_run;
pub use run_state::Ending;
pub use scheduler::{GRACE, Scheduler};
