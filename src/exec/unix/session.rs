//! How the sitter stands apart from whoever started it.

use std::fs::OpenOptions;

use rustix::process;

/// Gives up terminal and session of whoever started us, so that their end is not ours.
pub fn leave_session() {
    // The leader of a group cannot; then it was given one of its own already.
    process::setsid().ok();
    // A folder that is somebody's share should not be held by us.
    std::env::set_current_dir("/").ok();
}

/// Standard output becomes `/dev/null`, so that whoever reads it meets its end.
pub fn close_output() {
    if let Ok(null) = OpenOptions::new().write(true).open("/dev/null") {
        rustix::stdio::dup2_stdout(null).ok();
    }
}

/// Whoever loses its parents among our descendants becomes our child, and not that of init.
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    process::set_child_subreaper(Some(process::getpid())).ok();
}
