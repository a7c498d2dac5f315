//! Replacing a file whole.
//!
//! A new file is written beside the old one, made durable, and renamed over it. What a reader or a
//! crash meets is therefore the old file or the new one. No file system call compares and renames as
//! one step; where the two files can be exchanged, what was replaced is looked at afterwards and put
//! back when another program wrote it in between. Elsewhere a gap of microseconds is left.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::temp::temp_path;
use super::{DiskError, Stamp, stamp};

/// Symbolic links followed on the way to a target, as many as Linux follows.
const LINKS_MAX: usize = 40;

/// What must stand at the target for the replacement to go ahead.
#[derive(Clone, Copy, Debug)]
pub enum Expect<'a> {
    /// The content of this stamp.
    Content(&'a Stamp),
    /// Nothing.
    Absent,
    /// Whatever is there; for files that are ours alone.
    Anything,
}

/// Puts `bytes` at `path`, durably and whole, when `expect` holds just before. A symbolic link is
/// followed and stays; mode, owner and extended attributes of the old file are kept as far as the
/// system allows; hard links to the old file keep the old content. Gives the stamp of the new file.
///
/// On an error the old file stands as it was, unless the error comes from syncing the folder: then
/// the new content is in place but might not outlive a power cut.
pub fn replace(path: &Path, bytes: &[u8], expect: Expect<'_>) -> Result<Stamp, DiskError> {
    let target = follow_links(path)?;
    let old = match fs::symlink_metadata(&target) {
        Ok(meta) => {
            super::stamp::refuse_irregular(path, &meta)?;
            refuse_write_protected(&target)?;
            Some(meta)
        }
        Err(cause) if cause.kind() == ErrorKind::NotFound => None,
        Err(cause) => return Err(DiskError::io("write file", path, cause)),
    };
    let temp = Temp::create(&target, old.is_none())?;
    let stamp = temp.fill(bytes, old.as_ref().map(|meta| (meta, target.as_path())))?;
    match (expect, &old) {
        (Expect::Absent, Some(_)) => return Err(exists(path)),
        (Expect::Absent, None) => temp.rename_new(path)?,
        (Expect::Content(expected), _) => {
            let seen = check_unchanged(path, &target, expected, &stamp)?;
            temp.exchange(path, &seen)?;
        }
        (Expect::Anything, _) => temp.rename_over()?,
    }
    sync_folder(&target)?;
    Ok(stamp)
}

/// As [`replace`] with [`Expect::Anything`], for a file of ours that nobody else may read.
pub fn replace_private(path: &Path, bytes: &[u8]) -> Result<Stamp, DiskError> {
    let temp = Temp::create(path, false)?;
    let stamp = temp.fill(bytes, None)?;
    temp.rename_over()?;
    sync_folder(path)?;
    Ok(stamp)
}

/// Writes `bytes` into the file at `path` itself, whose content `old` is. For where [`replace`] gave
/// [`DiskError::NoReplace`]: a folder that takes no new file, a file system that cannot rename. Not
/// atomic, so the caller has `old` in a safe place; on an error it is written back as far as possible.
pub fn overwrite(path: &Path, bytes: &[u8], old: &[u8]) -> Result<Stamp, DiskError> {
    let failed = |cause| DiskError::io("write into file", path, cause);
    let expected = blake3::hash(old);
    if stamp(path)?.hash != *expected.as_bytes() {
        return Err(DiskError::ChangedUnderneath {
            path: path.to_owned(),
        });
    }
    let open = || OpenOptions::new().write(true).open(path);
    let put = |mut file: File, bytes: &[u8]| {
        file.write_all(bytes)?;
        file.set_len(bytes.len() as u64)?;
        file.sync_all()?;
        file.metadata()
    };
    let file = open().map_err(failed)?;
    match put(file, bytes) {
        Ok(meta) => Ok(Stamp::of(&meta, bytes)),
        Err(cause) => {
            // On another handle: after a failed sync the old one would lie. The first error is the
            // news; what the caller keeps is the way back when this fails too.
            open().and_then(|file| put(file, old)).ok();
            Err(failed(cause))
        }
    }
}

/// Where a chain of symbolic links ends; the end itself need not exist.
pub(super) fn follow_links(path: &Path) -> Result<PathBuf, DiskError> {
    let mut at = path.to_owned();
    for _ in 0..LINKS_MAX {
        match fs::read_link(&at) {
            Ok(link) => at = at.parent().unwrap_or(Path::new("")).join(link),
            // Not a link, or not there: whoever uses the path will say what is wrong with it.
            Err(_) => return Ok(at),
        }
    }
    Err(DiskError::io(
        "follow symbolic links",
        path,
        too_many_links(),
    ))
}

#[cfg(unix)]
fn too_many_links() -> io::Error {
    rustix::io::Errno::LOOP.into()
}

#[cfg(not(unix))]
fn too_many_links() -> io::Error {
    ErrorKind::InvalidInput.into()
}

/// A rename needs no right on the file itself, so a file marked read-only is asked about first.
#[cfg(unix)]
fn refuse_write_protected(target: &Path) -> Result<(), DiskError> {
    rustix::fs::access(target, rustix::fs::Access::WRITE_OK)
        .map_err(|errno| DiskError::io("write file", target, errno.into()))
}

#[cfg(not(unix))]
fn refuse_write_protected(_: &Path) -> Result<(), DiskError> {
    Ok(())
}

fn no_replace(target: &Path, cause: io::Error) -> DiskError {
    DiskError::NoReplace {
        path: target.to_owned(),
        cause,
    }
}

fn exists(path: &Path) -> DiskError {
    DiskError::Exists {
        path: path.to_owned(),
    }
}

fn check_unchanged(
    path: &Path,
    target: &Path,
    expected: &Stamp,
    ours: &Stamp,
) -> Result<Stamp, DiskError> {
    match stamp(target) {
        // What we are about to write is there already when an earlier attempt failed only at the
        // folder's sync.
        Ok(now) if now.same_content(expected) || now.same_content(ours) => Ok(now),
        Ok(_) => Err(DiskError::ChangedUnderneath {
            path: path.to_owned(),
        }),
        Err(why) if why.is_not_found() => Err(DiskError::ChangedUnderneath {
            path: path.to_owned(),
        }),
        Err(why) => Err(why),
    }
}

/// The file that is to become the target; removed when dropped before that.
struct Temp {
    path: PathBuf,
    target: PathBuf,
    file: Option<File>,
}

impl Temp {
    fn create(target: &Path, new: bool) -> Result<Self, DiskError> {
        let path = temp_path(target);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            // A new file gets what the user's umask allows. One that replaces another is closed to
            // others until it has that one's mode, which may be narrower.
            options
                .mode(if new { 0o666 } else { 0o600 })
                .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
        }
        let file = options.open(&path).map_err(|cause| {
            // The folder says no; the file itself may still say yes.
            if !new && cause.kind() == ErrorKind::PermissionDenied {
                return no_replace(target, cause);
            }
            DiskError::io("write file", target, cause)
        })?;
        Ok(Self {
            path,
            target: target.to_owned(),
            file: Some(file),
        })
    }

    /// Writes everything and makes it durable. Never syncs twice: after a failed sync the system may
    /// have dropped the unwritten pages, and a second one would succeed over a file with holes.
    fn fill(&self, bytes: &[u8], old: Option<(&Metadata, &Path)>) -> Result<Stamp, DiskError> {
        let failed = |cause| DiskError::io("write file", &self.target, cause);
        let Some(mut file) = self.file.as_ref() else {
            return Err(failed(ErrorKind::NotFound.into()));
        };
        if let Some((meta, path)) = old {
            keep_looks(file, meta, path).map_err(failed)?;
        }
        file.write_all(bytes).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        let meta = file.metadata().map_err(failed)?;
        Ok(Stamp::of(&meta, bytes))
    }

    fn rename_over(mut self) -> Result<(), DiskError> {
        fs::rename(&self.path, &self.target).map_err(|cause| match cause.kind() {
            ErrorKind::CrossesDevices
            | ErrorKind::Unsupported
            | ErrorKind::PermissionDenied
            | ErrorKind::ResourceBusy => no_replace(&self.target, cause),
            _ => DiskError::io("replace file", &self.target, cause),
        })?;
        self.file = None;
        Ok(())
    }

    /// Becomes the target, which looked as `seen` just now. When it turns out that another program
    /// replaced it since, that program's file is put back.
    fn exchange(self, path: &Path, seen: &Stamp) -> Result<(), DiskError> {
        if exchange(&self.path, &self.target).is_err() {
            // Most file systems can; the others have the gap that is told of above.
            return self.rename_over();
        }
        let replaced = fs::symlink_metadata(&self.path);
        if replaced.is_ok_and(|meta| seen.is_of(&meta)) {
            return Ok(());
        }
        let failed = |cause| DiskError::io("put back file", &self.target, cause);
        if stamp(&self.path).is_ok_and(|replaced| replaced.same_content(seen)) {
            return Ok(());
        }
        exchange(&self.path, &self.target).map_err(|cause| {
            // Their version must not be swept away with the temporary file.
            super::set_aside(&self.path, "theirs").ok();
            failed(cause)
        })?;
        Err(DiskError::ChangedUnderneath {
            path: path.to_owned(),
        })
    }

    /// Renames to a name that must be free.
    fn rename_new(mut self, path: &Path) -> Result<(), DiskError> {
        match rename_without_replacing(&self.path, &self.target) {
            Ok(()) => {
                self.file = None;
                Ok(())
            }
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => Err(exists(path)),
            Err(cause) => Err(DiskError::io("create file", &self.target, cause)),
        }
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // Nothing to tell: the error that led here is the news, and a sweep follows.
            fs::remove_file(&self.path).ok();
        }
    }
}

/// Gives the new file the old one's owner, mode and extended attributes.
#[cfg(unix)]
fn keep_looks(file: &File, old: &Metadata, old_path: &Path) -> io::Result<()> {
    use rustix::fs::{Gid, Mode, Uid, fchmod, fchown};
    use std::os::unix::fs::MetadataExt as _;

    let new = file.metadata()?;
    // Before the mode: a change of owner clears bits of it. Only root may give files away; for others
    // the file becomes that of whoever saves, as with any editor that renames.
    if new.uid() != old.uid() {
        fchown(file, Some(Uid::from_raw(old.uid())), None).ok();
    }
    // A group may be given by its members.
    let group_kept =
        new.gid() == old.gid() || fchown(file, None, Some(Gid::from_raw(old.gid()))).is_ok();
    let mut mode = old.mode() & 0o7777;
    if !group_kept {
        // What the old group might do must not be granted to another one.
        mode = (mode & !0o070) | ((mode & 0o007) << 3 & mode);
    }
    fchmod(file, Mode::from_raw_mode(mode))?;
    copy_attributes(file, old_path);
    Ok(())
}

#[cfg(not(unix))]
fn keep_looks(file: &File, old: &Metadata, _: &Path) -> io::Result<()> {
    file.set_permissions(old.permissions())
}

/// Copies extended attributes (tags, access lists) as far as both sides allow; a file system
/// without them is no reason not to save.
#[cfg(target_os = "linux")]
fn copy_attributes(file: &File, old_path: &Path) {
    use rustix::fs::{XattrFlags, fsetxattr, getxattr, listxattr};
    let mut names = vec![0u8; 16 << 10];
    let Ok(len) = listxattr(old_path, &mut names[..]) else {
        return;
    };
    for name in names[..len].split(|b| *b == 0).filter(|n| !n.is_empty()) {
        let mut value = vec![0u8; 64 << 10];
        if let Ok(len) = getxattr(old_path, name, &mut value[..]) {
            fsetxattr(file, name, &value[..len], XattrFlags::empty()).ok();
        }
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn copy_attributes(_: &File, _: &Path) {}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn rename_without_replacing(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system can; a look and a plain rename leave a gap of microseconds.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => look_and_rename(from, to),
        result => result.map_err(Into::into),
    }
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn rename_without_replacing(from: &Path, to: &Path) -> io::Result<()> {
    look_and_rename(from, to)
}

/// Puts two files in each other's place as one step.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn exchange(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

fn look_and_rename(from: &Path, to: &Path) -> io::Result<()> {
    if fs::symlink_metadata(to).is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    fs::rename(from, to)
}

/// Makes the rename itself durable.
#[cfg(unix)]
fn sync_folder(target: &Path) -> Result<(), DiskError> {
    let dir = match target.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    match File::open(dir).and_then(|dir| dir.sync_all()) {
        Ok(()) => Ok(()),
        // Some file systems have no sync for folders, and some folders may be written, not read.
        Err(cause)
            if matches!(
                cause.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::PermissionDenied
            ) =>
        {
            Ok(())
        }
        Err(cause) => Err(DiskError::io("sync folder", dir, cause)),
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> Result<(), DiskError> {
    Ok(())
}

#[cfg(test)]
mod tests;
