//! The protocol shown to hold: every interleaving of its untimed steps, days of simulated time with every fault, and
//! the facts of single situations. Both searches are shown to find planted defects.

// The figures are half of what the searches are for.
#![allow(clippy::print_stdout)]

mod defects;
mod explore;
mod facts;
mod sim;
mod simulate;

/// Compiled with optimisation, as the package in `tests/lease`.
const IS_FULL: bool = !matches!(env!("CARGO_PKG_NAME").as_bytes(), b"handmill");
