//! Notices that files change, so that nothing has to look again and again; and that the machine is about to sleep.
//!
//! Unaware of what the files mean: it says which path to look at, and whoever watches looks. One
//! notice may stand for many changes, and may come although nothing changed in the end.
//!
//! Folders mounted from a network give no events for what other machines do there; whoever follows
//! such a folder looks again by and by, and a save always compares with the disk first.

mod limits;
mod sleep;
mod watcher;

pub use limits::{Limits, limits};
pub use sleep::{Sleep, SleepNotices};

pub use watcher::{Change, WatchError, Watcher};
