//! The folder of fixtures that is shared beside the project.

use std::path::PathBuf;

/// The folder named by `HANDMILL_SHARED`. Without it a test that needs fixtures cannot run: it says
/// so and returns. With it, a missing file is a failure.
#[expect(
    clippy::print_stderr,
    reason = "the person who runs the tests must see it"
)]
pub fn shared_dir() -> Option<PathBuf> {
    let dir = std::env::var_os("HANDMILL_SHARED").filter(|dir| !dir.is_empty());
    if dir.is_none() {
        eprintln!("HANDMILL_SHARED is unset");
    }
    dir.map(PathBuf::from)
}
