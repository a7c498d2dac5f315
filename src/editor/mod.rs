//! Open documents: the flow as it is edited, its undo history, and what the disk holds of it.
//!
//! Unaware of runs, boards and windows. The window calls it; `store` does its file work, on the
//! thread of the [`Saver`], never on the window's.

mod arrival;
mod changes;
pub mod clipboard;
mod difference;
mod document;
mod journal;
pub mod layout;
mod saver;
mod step;
mod version;

pub use crate::disk::Stamp;
pub use crate::store::{Backup, Sides};
pub use arrival::{Arrival, Standing};
pub use changes::{Merging, Reaction, Seen, WorkedOut, follow, react, take_in};
pub use difference::difference;
pub use document::{DiskState, Document};
pub use journal::{Base, Journal, News, Note, SYNC_AFTER, Since, Unsaved};
pub use saver::{Done, Found, Job, Onto, Opened, Outcome, Saver, Task, Trouble, Unopened};
pub use version::Version;
