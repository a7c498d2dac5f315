//! A folder by its handle: everything below it is reached name by name, never through a symbolic
//! link, so that a link planted in the shared folder leads nowhere.
//!
//! Unaware of what the files mean. Errors are the system's own; `fault` says what they mean to the
//! protocol.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::model::Timestamp;

/// Names read from one folder; a folder with more was filled by something else than its use.
pub(super) const NAMES_MAX: usize = 100_000;

/// An open folder.
#[derive(Debug)]
pub(super) struct Folder(OwnedFd);

/// Tells a folder from every other on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FolderId {
    device: u64,
    inode: u64,
}

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// The name; what is not UTF-8 is shown with signs in its place, and then names no file.
    pub(super) name: String,
    /// It is a folder; a link to one is not.
    pub(super) is_folder: bool,
    /// It is a symbolic link.
    pub(super) is_link: bool,
}

const OPEN_FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

impl Folder {
    /// Opens a folder by its path; links on the way are the person's own and are followed.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::openat(CWD, path, flags, Mode::empty())?))
    }

    /// Which folder it is.
    pub(super) fn id(&self) -> io::Result<FolderId> {
        let stat = rustix::fs::fstat(&self.0)?;
        Ok(FolderId {
            // Signed on some systems, and only compared.
            #[allow(clippy::unnecessary_cast, reason = "its type differs by system")]
            device: stat.st_dev as u64,
            inode: stat.st_ino,
        })
    }

    /// The folder at `path`, parts separated by `/`; an empty path is this one again.
    pub(super) fn at(&self, path: &str) -> io::Result<Self> {
        let mut folder = Self(self.0.try_clone()?);
        for part in parts(path) {
            let part = part?;
            folder = Self(rustix::fs::openat(
                &folder.0,
                part,
                OPEN_FOLDER,
                Mode::empty(),
            )?);
        }
        Ok(folder)
    }

    /// The folder at `path`, made with those above it where they are missing.
    pub(super) fn make(&self, path: &str) -> io::Result<Self> {
        let mut folder = Self(self.0.try_clone()?);
        for part in parts(path) {
            let part = part?;
            let open = |at: &Self| rustix::fs::openat(&at.0, part, OPEN_FOLDER, Mode::empty());
            let next = match open(&folder) {
                Err(Errno::NOENT) => {
                    folder.mkdir(part)?;
                    open(&folder)?
                }
                other => other?,
            };
            folder = Self(next);
        }
        Ok(folder)
    }

    /// Makes a folder in this one; one that is there is as good.
    fn mkdir(&self, name: &str) -> io::Result<()> {
        // As open as the person's umask allows: others are meant to write here.
        match rustix::fs::mkdirat(&self.0, name, Mode::from_raw_mode(0o777)) {
            Err(Errno::EXIST) => Ok(()),
            other => {
                other?;
                self.sync()
            }
        }
    }

    /// Makes a folder in this one that must not be there yet.
    pub(super) fn mkdir_new(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(
            &self.0,
            one_part(name)?,
            Mode::from_raw_mode(0o777),
        )?)
    }

    /// Reads a regular file of at most `bytes_max` bytes in this folder, opened anew.
    pub(super) fn read(&self, name: &str, bytes_max: u64) -> io::Result<Vec<u8>> {
        // Not waiting, because opening a pipe that somebody put there would.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.0, one_part(name)?, flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&file)?;
        if !FileType::from_raw_mode(stat.st_mode).is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "not a regular file",
            ));
        }
        let too_large = || {
            let what = format!("larger than {} KiB", bytes_max >> 10);
            io::Error::new(io::ErrorKind::InvalidData, what)
        };
        let len = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
        if len > bytes_max {
            return Err(too_large());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
        // It may grow while it is read.
        let mut limited = File::from(file).take(bytes_max + 1);
        limited.read_to_end(&mut bytes)?;
        if bytes.len() as u64 > bytes_max {
            return Err(too_large());
        }
        Ok(bytes)
    }

    /// Writes a file that is not there yet, and syncs it. The name is durable after [`Self::sync`].
    pub(super) fn write_new(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o666);
        let mut file = File::from(rustix::fs::openat(&self.0, one_part(name)?, flags, mode)?);
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Replaces a file whole: a new one beside it, synced, renamed over it, the folder synced.
    pub(super) fn replace(&self, name: &str, temp: &str, bytes: &[u8]) -> io::Result<()> {
        self.unlink(temp)?;
        let done = self
            .write_new(temp, bytes)
            .and_then(|()| self.rename(temp, self, name));
        if done.is_err() {
            self.unlink(temp).ok();
        }
        done?;
        self.sync()
    }

    /// Renames an entry of this folder into another.
    pub(super) fn rename(&self, from: &str, to_folder: &Self, to: &str) -> io::Result<()> {
        let (from, to) = (one_part(from)?, one_part(to)?);
        Ok(rustix::fs::renameat(&self.0, from, &to_folder.0, to)?)
    }

    /// Removes a file; one that is not there is as good.
    pub(super) fn unlink(&self, name: &str) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.0, one_part(name)?, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Removes an empty folder.
    pub(super) fn rmdir(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(
            &self.0,
            one_part(name)?,
            AtFlags::REMOVEDIR,
        )?)
    }

    /// Removes what is in this folder: files, and folders with what is in them, down to `depth`.
    pub(super) fn empty(&self, depth: u32) -> io::Result<()> {
        for entry in self.list()? {
            if entry.is_folder && depth > 0 {
                self.at(&entry.name)?.empty(depth - 1)?;
                match self.rmdir(&entry.name) {
                    Err(why) if why.kind() == io::ErrorKind::NotFound => {}
                    other => other?,
                }
            } else {
                self.unlink(&entry.name)?;
            }
        }
        Ok(())
    }

    /// Removes `name`, a folder with what is in it or a file. One that is not there is as good.
    pub(super) fn remove_all(&self, name: &str) -> io::Result<()> {
        let gone = |done: io::Result<()>| match done {
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        };
        match self.at(name) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
            // A file, or a link.
            Err(why) if why.kind() == io::ErrorKind::NotADirectory => self.unlink(name),
            Err(why) => Err(why),
            Ok(folder) => {
                gone(folder.empty(8))?;
                gone(self.rmdir(name))
            }
        }
    }

    /// True when there is an entry of that name, whatever it is.
    pub(super) fn has(&self, name: &str) -> io::Result<bool> {
        match rustix::fs::statat(&self.0, one_part(name)?, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(why) => Err(why.into()),
        }
    }

    /// What is in the folder, in no order, at most [`NAMES_MAX`].
    pub(super) fn list(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let kind = match entry.file_type() {
                // Some file systems tell the kind only when asked for it.
                FileType::Unknown => {
                    match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
                        Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                        Err(Errno::NOENT) => continue,
                        Err(why) => return Err(why.into()),
                    }
                }
                kind => kind,
            };
            entries.push(Entry {
                name: name.to_string_lossy().into_owned(),
                is_folder: kind.is_dir(),
                is_link: kind.is_symlink(),
            });
            if entries.len() >= NAMES_MAX {
                break;
            }
        }
        Ok(entries)
    }

    /// Makes names in this folder durable. Where folders cannot be synced, nothing more can be done.
    pub(super) fn sync(&self) -> io::Result<()> {
        match rustix::fs::fsync(&self.0) {
            Err(Errno::INVAL | Errno::NOTSUP | Errno::ACCESS | Errno::BADF) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Opens a file and leaves it open, as somebody who reads it would.
    pub(super) fn open_held(&self, name: &str) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let name = one_part(name)?;
        Ok(rustix::fs::openat(&self.0, name, flags, Mode::empty())?)
    }

    /// When a file was last touched, by the server's clock.
    ///
    /// Not the time of its last modification, which is anything for a moment: an NFS server that makes a file exclusively
    /// keeps a number of the client's there, to know the call when it is sent again, until the client has set the time.
    pub(super) fn changed(&self, name: &str) -> io::Result<Timestamp> {
        let stat = rustix::fs::statat(&self.0, one_part(name)?, AtFlags::SYMLINK_NOFOLLOW)?;
        #[allow(clippy::unnecessary_cast, reason = "its type differs by system")]
        let (seconds, nanos) = (stat.st_ctime as i64, stat.st_ctime_nsec as i64);
        Ok(Timestamp(
            seconds
                .saturating_mul(1_000_000)
                .saturating_add(nanos / 1_000),
        ))
    }
}

/// The parts of a path inside the folder.
fn parts(path: &str) -> impl Iterator<Item = io::Result<&str>> {
    let parts = path.split('/').filter(move |_| !path.is_empty());
    parts.map(one_part)
}

/// A name that leads neither up nor elsewhere.
fn one_part(name: &str) -> io::Result<&str> {
    let is_one = !matches!(name, "" | "." | "..") && !name.contains(['/', '\\', '\0']);
    match is_one {
        true => Ok(name),
        false => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// `a/b/c` as `a/b` and `c`.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn no_path_leads_out_of_the_folder() {
        let dir = tempfile::tempdir().expect("temp dir");
        fs::create_dir(dir.path().join("in")).expect("mkdir");
        fs::write(dir.path().join("secret"), b"x").expect("write");
        std::os::unix::fs::symlink("..", dir.path().join("in/up")).expect("link");
        std::os::unix::fs::symlink("../secret", dir.path().join("in/file")).expect("link");
        let folder = Folder::open(&dir.path().join("in")).expect("open");
        for path in ["..", "up", "up/in", "a/../..", "/etc", "."] {
            folder.at(path).expect_err(path);
            folder.make(path).expect_err(path);
        }
        folder.read("file", 10).expect_err("a link");
        folder.read("../secret", 10).expect_err("up");
        // A link is replaced, not followed.
        folder.replace("file", "temp", b"new").expect("replace");
        assert_eq!(fs::read(dir.path().join("secret")).expect("read"), b"x");
        assert_eq!(folder.read("file", 10).expect("read"), b"new");
    }

    #[test]
    fn a_pipe_is_refused_without_waiting_and_a_large_file_unread() {
        let dir = tempfile::tempdir().expect("temp dir");
        rustix::fs::mkfifoat(CWD, dir.path().join("pipe"), 0o600.into()).expect("mkfifo");
        fs::write(dir.path().join("large"), vec![0; 100]).expect("write");
        let folder = Folder::open(dir.path()).expect("open");
        let told = folder.read("pipe", 10).expect_err("refused").to_string();
        assert_eq!(told, "not a regular file");
        let told = folder.read("large", 99).expect_err("refused").to_string();
        assert_eq!(told, "larger than 0 KiB");
        assert_eq!(folder.read("large", 100).expect("fits").len(), 100);
    }

    #[test]
    fn an_old_handle_of_a_removed_folder_cannot_publish() {
        // The fence itself: control.md B6, "moving is no fence, removing is".
        let dir = tempfile::tempdir().expect("temp dir");
        let folder = Folder::open(dir.path()).expect("open");
        let pen = folder.make("pen").expect("make");
        pen.write_new("early", b"1").expect("still ours");
        pen.empty(0).expect("empty");
        folder.rmdir("pen").expect("rmdir");
        for refused in [
            pen.write_new("late", b"2"),
            pen.rename("early", &folder, "published"),
        ] {
            let kind = refused.expect_err("refused").kind();
            assert_eq!(kind, io::ErrorKind::NotFound);
        }
        // Made anew under the same name, it is another folder.
        folder.mkdir_new("pen").expect("mkdir");
        pen.write_new("late", b"3").expect_err("still removed");
        assert!(!folder.has("published").expect("look"));
    }
}
