//! How much the system lets one user watch.

use std::fs;

/// Limits of inotify, for all programs of one user together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Folders and files watched.
    pub folders: u64,
    /// Watchers, each with any number of folders.
    pub watchers: u64,
}

/// The limits of this machine; `None` where there are none of this kind.
pub fn limits() -> Option<Limits> {
    let read = |name: &str| {
        let text = fs::read_to_string(format!("/proc/sys/fs/inotify/{name}")).ok()?;
        text.trim().parse().ok()
    };
    Some(Limits {
        folders: read("max_user_watches")?,
        watchers: read("max_user_instances")?,
    })
}
