//! Our ledger in the words of the shared tables, and their rows in the words of our ledger.
//!
//! The tables are those of the seed, whose programs show them: a flow's run, its steps, its log lines. What
//! Handmill needs beyond their columns (which node, which pass, what was asked for) stands in texts that read
//! well there too: see [`words`]. Unaware of files of the shared folder and of who has control.

mod give;
mod side;
mod take;
mod words;

#[cfg(test)]
mod tests;

pub use side::SharedLedger;
pub use take::{node_of, stream_of};
pub use words::step_name;
