//! The sitter: a small process of the same binary that holds the children of a window's runs.
//!
//! It outlives the window, notes every end whether or not anybody listens, ends what was asked
//! to end when its time is up, and ends what runs in a workspace when the right to run there does.
//! It is unaware of graphs and of what follows an end; it only knows which runs somebody must carry.
//! Started by the window's runtime on demand, one for a home and a version of the protocol.

mod client;
mod message;
mod outbox;
mod place;
mod server;

pub use client::{Program, Sitter, held, kill, uptime};
pub use message::{HeldRun, Scope, Tame};
pub use place::Place;
pub use server::serve;
