//! The sources of `handmill::lease`, compiled alone and with optimisation for the sake of its exhaustive and timed tests.

#[path = "../../src/lease/mod.rs"]
pub mod lease;
#[path = "../../src/model/time.rs"]
mod time;

/// The one noun that the lease module takes from the floor below.
pub mod model {
    pub use super::time::{Timestamp, human_duration};
}
