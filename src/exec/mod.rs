//! Child processes: which shell, starting, ending whole families of processes, and their logs.
//!
//! A child writes straight into its log files; nothing of what it prints passes through here, unless the disk is short
//! of room (`pump`). Unaware of graphs, runs and the ledger: it is handed jobs and gives reports. Unix only so far:
//! process groups and signals have no counterpart on Windows that would keep the promise that a stopped node leaves
//! nothing behind; there it needs job objects.
//!
//! Reading order: `job` (what is started and told), `launcher` and `attempt` (a process and its threads), `sweep`
//! (whole families), `exits` (what a crash leaves), `executor` and `sitter` (who holds the children).

#[cfg(not(unix))]
compile_error!(
    "Handmill runs on Linux and macOS; Windows needs job objects, which are not written yet"
);

mod attempt;
mod begun;
mod environment;
mod executor;
mod exits;
mod growth;
mod job;
mod launcher;
mod lines;
mod log_folders;
mod losses;
mod mask;
mod pump;
#[cfg(test)]
mod quoting_tests;
mod shell;
pub mod sitter;
mod spawn;
mod sweep;
mod tail;
#[cfg(test)]
mod tests;
mod unix;
mod warden;
mod wire;

pub use begun::{attempts_begun, nodes_of, write_nodes};
pub use environment::Environment;
pub use executor::Executor;
pub use exits::{Ended, ExitRecord, Why, note_stopping, read_exits};
pub use growth::Growth;
pub use job::{End, Job, Report, log_files, parse_log_file};
pub use launcher::{Launcher, Live};
pub use lines::{LINE_BYTES_MAX, Lines, inert};
pub use log_folders::{log_bytes, log_folders, remove_logs, sweep_removed};
pub use shell::shell_for;
pub use sweep::{Survivor, await_orphan, kill_orphan, left_of, orphan_alive, survivors};
pub use tail::{Follower, IndexEntry, is_log, last_write, read_from, read_tail};
pub use unix::{open_files, raise_open_files};
pub use warden::stand_by;
