//! Files that a node is started with, and the room for what it prints.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Whether a file is a program that anybody may run.
pub fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Opens a log for a child: appending, so that two writers never overwrite each other, and only for
/// this user, since commands print secrets. Makes the folder when it is missing.
pub fn open_log(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    match options.open(path) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => {
            if let Some(dir) = path.parent() {
                fs::create_dir_all(dir)?;
            }
            options.open(path)
        }
        result => result,
    }
}

/// Bytes that this user may still write where a file lies; `None` when that is not limited or cannot
/// be told.
pub fn room(file: &File) -> Option<u64> {
    room_of(&rustix::fs::fstatvfs(file).ok()?)
}

/// The same for a path.
pub fn room_at(path: &Path) -> Option<u64> {
    room_of(&rustix::fs::statvfs(path).ok()?)
}

fn room_of(told: &rustix::fs::StatVfs) -> Option<u64> {
    // A file system in memory without a limit has no blocks at all.
    (told.f_blocks > 0).then(|| told.f_bavail.saturating_mul(told.f_frsize))
}

/// Writes a file whole, for this user alone. Makes the folder when it is missing.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)
}

/// `/dev/null` for children to read from, opened once.
pub fn no_input() -> io::Result<&'static File> {
    static NULL: std::sync::OnceLock<File> = std::sync::OnceLock::new();
    match NULL.get() {
        Some(null) => Ok(null),
        None => {
            let null = File::open("/dev/null")?;
            Ok(NULL.get_or_init(|| null))
        }
    }
}
