//! Where the sitter of a home is reached: a socket in a folder that only its user can enter.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use super::message::VERSION;

/// Longest path that the address of a socket takes: 108 bytes on Linux and 104 on macOS, with a NUL.
const PATH_BYTES_MAX: usize = 103;

/// The folder of one home's sitter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(PathBuf);

impl Place {
    /// In this folder, which need not be there yet.
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    fn socket(&self) -> PathBuf {
        self.0.join(format!("sitter-{VERSION}.sock"))
    }

    /// Whether somebody may be listening. A socket of a dead sitter says so too.
    pub fn has_socket(&self) -> bool {
        self.socket().exists()
    }

    /// Makes the folder, for its user alone.
    pub fn make(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&self.0)?;
        // One that was there may be open to others.
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&self.0, fs::Permissions::from_mode(0o700))
    }

    /// The right to be the sitter here; `None` when another has it. Ends with its holder.
    pub fn lock(&self) -> io::Result<Option<File>> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(self.0.join(format!("sitter-{VERSION}.lock")))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(err)) => Err(err),
        }
    }

    /// Listens. For the holder of the lock: what a dead sitter left is removed.
    pub fn listen(&self) -> io::Result<UnixListener> {
        self.stop_listening();
        short(&self.socket(), |path| UnixListener::bind(path))
    }

    /// From here on nobody finds the socket.
    pub fn stop_listening(&self) {
        // Gone already is as well.
        fs::remove_file(self.socket()).ok();
    }

    /// A connection to the sitter, when there is one that lives.
    pub fn connect(&self) -> io::Result<UnixStream> {
        short(&self.socket(), |path| UnixStream::connect(path))
    }
}

/// Hands over a path that is short enough for the address of a socket and means the same place.
fn short<T>(path: &Path, work: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    if path.as_os_str().len() <= PATH_BYTES_MAX {
        return work(path);
    }
    through_folder(path, work)
}

#[cfg(target_os = "linux")]
fn through_folder<T>(path: &Path, work: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    use std::os::fd::AsRawFd as _;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let folder = File::open(folder)?;
    let by_number = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
    work(&by_number.join(name))
}

#[cfg(not(target_os = "linux"))]
fn through_folder<T>(path: &Path, _work: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("path too long for a socket: {}", path.display()),
    ))
}

/// Whether the other end belongs to our own user. The folder keeps others out already.
#[cfg(target_os = "linux")]
pub fn is_ours(stream: &UnixStream) -> bool {
    rustix::net::sockopt::socket_peercred(stream)
        .is_ok_and(|peer| peer.uid == rustix::process::geteuid())
}

/// Whether the other end belongs to our own user. The folder keeps others out already.
#[cfg(not(target_os = "linux"))]
pub fn is_ours(_stream: &UnixStream) -> bool {
    true
}
