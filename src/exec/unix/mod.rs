//! What the operating system is asked: signals, start times, the table of processes, limits.
//!
//! A process is only ever signalled after its start time was compared, through a handle that cannot
//! come to mean another process (Linux), or as the group of a child that was not reaped yet.

mod alarm;
mod child;
mod files;
mod handle;
mod limits;
mod session;
mod table;

pub use alarm::{Alarm, birth_count_now, drain, uptime};
pub use child::{ask_group, freeze_group, kill_group, reap, reap_stray, thaw_group, wait_unreaped};
pub use files::{is_executable, no_input, open_log, room, room_at, write_private};
pub use handle::{ask, await_end, freeze, handles, kill, wait_all, wait_any};
pub use limits::{
    ARG_BYTES_MAX, is_disk_trouble, is_shortage, is_too_big, open_files, raise_open_files,
};
pub use session::{adopt_orphans, close_output, leave_session};
pub use table::{Seen, Table, all_with, birth_of, has_mark, has_setting, lives};
