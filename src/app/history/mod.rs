//! The past runs of the shown flow: found, picked, put beside each other.
//!
//! What is listed comes from the board: the newest at once with the flow, the rest as it is asked for
//! ([`HistoryView::ask`]). Unaware of the ledger.

mod asked;
mod bar;
mod pane;
mod row;
mod search;
mod words;

pub use asked::HistoryView;
pub use pane::history_ui;
pub use words::{counts_words, run_status, small, time_of};
