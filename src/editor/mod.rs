//! Open documents: the flow as it is edited, its undo history, and what the disk holds of it.
//!
//! Unaware of runs, boards and windows. The window calls it; `store` does its file work, on the
//! thread of the [`Saver`], never on the window's.

mod changes;
pub mod clipboard;
mod difference;
mod document;
pub mod layout;
mod saver;

pub use crate::disk::Stamp;
pub use changes::{Choice, Conflict, Reaction, react, settle};
pub use difference::difference;
pub use document::{DiskState, Document};
pub use saver::{Done, Found, Job, Onto, Outcome, Saver, Task, Trouble};
