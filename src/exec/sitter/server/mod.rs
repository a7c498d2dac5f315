//! The sitter's own side: clients come and go, children stay.
//!
//! `book` is told what clients ask, what becomes of attempts and what time it is, and decides; `serve` hears the clients
//! and does what the book wants; `tend` wakes it when something is due and sees to processes that belong to no attempt.

mod book;
mod serve;
mod tend;

pub use serve::serve;
