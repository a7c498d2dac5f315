//! The client's side: what the runtime of a window sees of the sitter.
//!
//! `book` is told everything and decides: what is said to which sitter, what becomes of nodes whose sitter died.
//! `sitter` is its public face and carries out what it wants, `link` makes the connection and hears what comes,
//! `orphan` sees to processes that nobody waits for, and `query` asks once without staying connected.

mod book;
mod link;
mod orphan;
mod query;
mod sitter;

pub use link::Program;
pub use query::{held, kill};
pub use sitter::{Sitter, uptime};
