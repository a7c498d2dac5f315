//! What several test files need.

use std::path::{Path, PathBuf};

use handmill::runtime::control::Setup;
use handmill::share::table::TableReader;

/// Control as in production; tables of others are read by the real binary, not by this test.
pub fn control() -> Setup {
    Setup {
        reader: TableReader::of_program(env!("CARGO_BIN_EXE_handmill")),
        ..Setup::default()
    }
}

/// A folder that several machines share, empty at first.
///
/// One of this disk; or, where `HANDMILL_TEST_MOUNTS` names several folders, parted by colons, one export: as its server
/// sees it in the first, where the test itself looks, and as its clients do in the others, a machine in each
/// (`tests/nfs.sh`).
pub struct Share {
    dir: tempfile::TempDir,
    clients: Vec<PathBuf>,
}

impl Share {
    pub fn new() -> Self {
        let mounts = std::env::var_os("HANDMILL_TEST_MOUNTS").unwrap_or_default();
        let mut mounts = std::env::split_paths(&mounts);
        let dir = match mounts.next() {
            Some(server) => tempfile::tempdir_in(server),
            None => tempfile::tempdir(),
        };
        let dir = dir.expect("a folder");
        let name = dir.path().file_name().expect("a name");
        let clients = mounts.map(|mount| mount.join(name)).collect();
        Self { dir, clients }
    }

    /// As the test itself sees it.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// As a machine sees it.
    pub fn of(&self, machine: usize) -> &Path {
        match self.clients.len() {
            0 => self.path(),
            n => &self.clients[machine % n],
        }
    }
}
