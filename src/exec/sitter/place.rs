//! Where the sitter of a home is reached: a socket in a folder that only its user can enter.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
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

    fn lock_file(&self) -> PathBuf {
        self.0.join(format!("sitter-{VERSION}.lock"))
    }

    /// The right to be the sitter here; `None` when another has it. Ends with its holder.
    pub fn take(&self) -> io::Result<Option<Seat>> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let lock = options.open(self.lock_file())?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(err)) => return Err(err),
        }
        let place = self.clone();
        let seat = Seat { place, lock };
        Ok(seat.is_here().then_some(seat))
    }

    /// A connection to the sitter, when there is one that lives.
    pub fn connect(&self) -> io::Result<UnixStream> {
        short(&self.socket(), |path| UnixStream::connect(path))
    }
}

/// The right to be the sitter of a place, for as long as it is held.
///
/// A home can be removed, or another put in its stead, while its sitter lives. That one holds a lock that nobody else can
/// see then, and the socket at its path is its successor's: without that, the nodes of the place would get no deadline.
pub struct Seat {
    place: Place,
    lock: File,
}

impl Seat {
    /// Whether the file that is locked is the one that others would lock.
    fn is_here(&self) -> bool {
        let (held, found) = (self.lock.metadata(), fs::metadata(self.place.lock_file()));
        let (Ok(held), Ok(found)) = (held, found) else {
            return false;
        };
        (held.dev(), held.ino()) == (found.dev(), found.ino())
    }

    /// Listens. What a dead sitter left is removed.
    pub fn listen(&self) -> io::Result<UnixListener> {
        self.remove_socket();
        short(&self.place.socket(), |path| UnixListener::bind(path))
    }

    /// From here on nobody finds the socket, and another may take the seat.
    pub fn leave(self) {
        self.remove_socket();
    }

    fn remove_socket(&self) {
        if self.is_here() {
            // Gone already is as well.
            fs::remove_file(self.place.socket()).ok();
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn seat(place: &Place) -> Seat {
        place.make().expect("made");
        place.take().expect("asked").expect("free")
    }

    #[test]
    fn a_place_has_one_sitter_and_is_free_when_that_has_left() {
        let dir = tempfile::tempdir().expect("a folder");
        let place = Place::new(dir.path().join("sitter"));
        let first = seat(&place);
        let listener = first.listen().expect("listens");
        assert!(place.take().expect("asked").is_none());
        assert!(place.connect().is_ok());
        first.leave();
        assert!(!place.has_socket());
        let second = seat(&place);
        drop(listener);
        let _listener = second.listen().expect("listens");
        assert!(place.connect().is_ok());
    }

    #[test]
    fn a_sitter_whose_home_was_removed_leaves_the_socket_of_its_successor() {
        let dir = tempfile::tempdir().expect("a folder");
        let place = Place::new(dir.path().join("sitter"));
        let first = seat(&place);
        let _unseen = first.listen().expect("listens");
        fs::remove_dir_all(dir.path().join("sitter")).expect("removed");
        let second = seat(&place);
        let _listener = second.listen().expect("listens");
        first.leave();
        assert!(place.connect().is_ok(), "its successor is still reached");
        second.leave();
        assert!(!place.has_socket());
    }

    #[test]
    fn what_is_locked_after_it_was_removed_is_no_seat() {
        let dir = tempfile::tempdir().expect("a folder");
        let place = Place::new(dir.path().join("sitter"));
        let first = seat(&place);
        fs::remove_file(place.lock_file()).expect("removed");
        assert!(!first.is_here());
        // Its successor's file has another number: the first one's is still open.
        let second = seat(&place);
        assert!(second.is_here() && !first.is_here());
    }
}
