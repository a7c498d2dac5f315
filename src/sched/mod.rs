//! The pure core: what runs next, and why. Told everything, asks nothing.
//!
//! Unaware of processes, files, threads and clocks. The runtime's dispatcher hands it inputs with
//! the time and carries out the effects it gives back. The rules are those of `docs/RUNS.md`.

mod adopt;
mod cycle;
mod edges;
mod live_node;
mod message;
mod plan;
mod preview;
mod ready;
mod refusal;
mod resume;
mod run_state;
mod scheduler;
mod tokens;
mod topology;

#[cfg(test)]
mod tests;

pub use adopt::{Adopt, Alive, Recorded};
pub use edges::EdgesAfter;
pub use live_node::Ending;
pub use message::{Effect, Input, Start};
pub use preview::would_run;
pub use refusal::Refusal;
pub use scheduler::{GRACE, Scheduler};
