//! Atomic files: replace a file whole or not at all, and know whether another program changed it.
//!
//! Unaware of what the bytes mean. Everything of ours that lies on disk and is not SQLite's or a
//! child's log is written here; `store` and `editor` call it, always off the window's thread.
//!
//! What a crash leaves behind: the old file, or the new one, never a mixture; and perhaps one
//! temporary file beside it, which [`sweep_temps`] removes once its writer is dead.

mod error;
mod file_system;
mod folder;
mod lock;
mod process;
mod replace;
mod stamp;
mod temp;

pub use error::{DiskError, plain_cause};
pub use file_system::{FileSystem, Reach, file_system, sync_service};
pub use folder::{check_writable, make_private_folder, remove, set_aside, take};
pub use lock::{LockFile, Locked};
pub use process::{Life, birth_of, life_of};
pub use replace::{Expect, overwrite, replace, replace_private};
pub use stamp::{Look, Stamp, read_with_stamp, stamp};
pub use temp::sweep_temps;
