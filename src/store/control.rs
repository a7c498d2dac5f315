//! Which Handmill of this machine keeps control of a workspace for all of them, and what they leave each other.
//!
//! One process is the keeper: it holds the system's lock, which ends with it however it dies. The others are guests:
//! they read what the keeper shows, and leave wishes. All of it lies in the machine's own folder, so a shared folder
//! that hangs plays no part. Unaware of what the texts mean.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::disk::{self, DiskError, Expect, LockFile};
use crate::model::{Timestamp, WorkspaceId};

use super::machine::folder_name;
use super::note::{self, Held, LockError, Note, to_text};
use super::{Home, StoreError};

/// Longer texts are not read: ours have a few kilobytes.
const TEXT_BYTES_MAX: u64 = 1 << 20;
/// Wishes that are taken at once; more are of nobody who waits for them.
const WISHES_MAX: usize = 256;

/// The right to keep control of a workspace for this machine; given back when dropped.
#[derive(Debug)]
pub struct ControlLock {
    _file: LockFile,
}

/// What Handmills of one machine leave each other about control of a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlText {
    /// What the keeper shows to guests.
    Board,
    /// What the person set.
    Policy,
    /// What is needed to go on with the tenure of a keeper that died.
    Tenure,
    /// What was seen last in the shared folder, and since when.
    Sighting,
}

impl ControlText {
    /// Its file in [`Home::control_dir`].
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Board => "board.json",
            Self::Policy => "policy.json",
            Self::Tenure => "tenure.json",
            Self::Sighting => "sighting.json",
        }
    }
}

/// Takes the right to keep control. `face` is shown to whoever is refused.
pub fn acquire_control(
    home: &Home,
    workspace: &WorkspaceId,
    face: &str,
    now: Timestamp,
) -> Result<ControlLock, LockError> {
    home.make_locks_dir()?;
    let path = lock_file(home, workspace);
    let mut file = note::acquire(&path, now)?;
    let note = to_text(&Note::of_us(face, now));
    file.write_note(&note).map_err(StoreError::from)?;
    Ok(ControlLock { _file: file })
}

/// Which process keeps control now; `None` when none does. Waits for one that has only begun to, and names it as process 0
/// when it does not say who it is within seconds.
pub fn control_holder(home: &Home, workspace: &WorkspaceId) -> Result<Option<Held>, StoreError> {
    note::settled_holder(&lock_file(home, workspace), note::wait_a_moment)
}

/// Waits until no process keeps control. May wait for as long as a window is open.
pub fn wait_control_released(home: &Home, workspace: &WorkspaceId) -> Result<(), StoreError> {
    Ok(LockFile::wait_free(&lock_file(home, workspace))?)
}

/// Makes the folder of texts and wishes, so that it can be watched.
pub fn make_control_dir(home: &Home, workspace: &WorkspaceId) -> Result<PathBuf, StoreError> {
    let dir = home.control_dir(workspace);
    disk::make_private_folder(&dir.join(WISHES))?;
    Ok(dir)
}

/// Where guests leave wishes; for the watch.
pub fn wishes_dir(home: &Home, workspace: &WorkspaceId) -> PathBuf {
    home.control_dir(workspace).join(WISHES)
}

/// What was left; `None` when nothing was, or when it is too long to be ours.
pub fn read_control(home: &Home, workspace: &WorkspaceId, text: ControlText) -> Option<Vec<u8>> {
    let path = home.control_dir(workspace).join(text.file_name());
    let (bytes, _) = disk::read_with_stamp(&path, TEXT_BYTES_MAX).ok()?;
    Some(bytes)
}

/// Leaves a text, whole or not at all.
pub fn write_control(
    home: &Home,
    workspace: &WorkspaceId,
    text: ControlText,
    bytes: &[u8],
) -> Result<(), StoreError> {
    let dir = make_control_dir(home, workspace)?;
    disk::replace(&dir.join(text.file_name()), bytes, Expect::Anything)?;
    Ok(())
}

/// Takes a text away; it is gone for good when this returns.
pub fn forget_control(
    home: &Home,
    workspace: &WorkspaceId,
    text: ControlText,
) -> Result<(), StoreError> {
    let path = home.control_dir(workspace).join(text.file_name());
    Ok(disk::remove(&path)?)
}

/// Leaves a wish for the keeper.
pub fn leave_wish(home: &Home, workspace: &WorkspaceId, bytes: &[u8]) -> Result<(), StoreError> {
    static N_WISHES: AtomicU64 = AtomicU64::new(0);
    make_control_dir(home, workspace)?;
    let n = N_WISHES.fetch_add(1, Ordering::Relaxed);
    let name = format!("{}-{n:08}.json", std::process::id());
    let path = wishes_dir(home, workspace).join(name);
    disk::replace(&path, bytes, Expect::Anything)?;
    Ok(())
}

/// Takes the wishes that were left, those of one process in their order. For the keeper.
pub fn take_wishes(home: &Home, workspace: &WorkspaceId) -> Result<Vec<Vec<u8>>, StoreError> {
    let dir = wishes_dir(home, workspace);
    let failed = |cause| DiskError::io("read folder", &dir, cause);
    let entries = match fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(failed(cause).into()),
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .take(WISHES_MAX)
        .collect();
    paths.sort_unstable();
    let mut wishes = Vec::new();
    for path in paths {
        wishes.extend(disk::take(&path)?);
    }
    Ok(wishes)
}

/// Tells the keeper that this process follows control of a workspace, so that it is kept for it.
pub fn join_guests(home: &Home, workspace: &WorkspaceId) -> Result<(), StoreError> {
    make_control_dir(home, workspace)?;
    let note = to_text(&Note::of_us("guest", Timestamp(0)));
    let path = guest_file(home, workspace);
    disk::replace(&path, note.as_bytes(), Expect::Anything)?;
    Ok(())
}

/// This process follows control of a workspace no longer.
pub fn leave_guests(home: &Home, workspace: &WorkspaceId) -> Result<(), StoreError> {
    Ok(disk::remove(&guest_file(home, workspace))?)
}

/// Whether another living process follows control of a workspace.
pub fn has_guests(home: &Home, workspace: &WorkspaceId) -> bool {
    let Ok(entries) = fs::read_dir(home.control_dir(workspace)) else {
        return false;
    };
    let own = guest_file(home, workspace);
    entries.filter_map(Result::ok).any(|entry| {
        let name = entry.file_name();
        let is_guest = name.to_string_lossy().starts_with(GUEST);
        is_guest
            && entry.path() != own
            && fs::read_to_string(entry.path()).is_ok_and(|text| Note::living(&text).is_some())
    })
}

const WISHES: &str = "wishes";
const GUEST: &str = "guest-";

fn guest_file(home: &Home, workspace: &WorkspaceId) -> PathBuf {
    let name = format!("{GUEST}{}", std::process::id());
    home.control_dir(workspace).join(name)
}

fn lock_file(home: &Home, workspace: &WorkspaceId) -> PathBuf {
    let name = format!("{}-control.lock", folder_name(workspace));
    home.locks_dir().join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Home, WorkspaceId) {
        let dir = tempfile::tempdir().expect("temp dir");
        let home = Home::at(dir.path().join("home"));
        (dir, home, "ws-01234567".into())
    }

    #[test]
    fn one_process_keeps_control_and_the_next_comes_after_it() {
        let (_dir, home, ws) = home();
        let holder = || control_holder(&home, &ws).expect("known");
        assert_eq!(holder(), None);
        let lock = acquire_control(&home, &ws, "window", Timestamp(7)).expect("free");
        let told = acquire_control(&home, &ws, "command line", Timestamp(9)).expect_err("held");
        let LockError::Held(held) = told else {
            panic!("{told}");
        };
        assert_eq!((held.pid, &*held.face), (std::process::id(), "window"));
        assert_eq!(holder(), Some(held));
        drop(lock);
        wait_control_released(&home, &ws).expect("free");
        acquire_control(&home, &ws, "window", Timestamp(9)).expect("free again");
    }

    #[test]
    fn a_keeper_that_has_not_said_yet_who_it_is_is_waited_for() {
        let (_dir, home, ws) = home();
        home.make_locks_dir().expect("made");
        let path = lock_file(&home, &ws);
        let take = || match LockFile::try_acquire(&path).expect("asked") {
            disk::Locked::Ours(file) => file,
            disk::Locked::Theirs => panic!("held"),
        };
        // One that was killed left its note.
        let dead = r#"{"pid":4194305,"birth":1,"face":"window","since":1,"run":null}"#;
        let mut file = take();
        file.write_note(dead).expect("written");
        let mut n_waits = 0;
        let held = note::settled_holder(&path, || {
            n_waits += 1;
            if n_waits == 3 {
                let note = to_text(&Note::of_us("command line", Timestamp(7)));
                file.write_note(&note).expect("written");
            }
        });
        let held = held.expect("known").expect("held");
        assert_eq!(
            (held.pid, &*held.face),
            (std::process::id(), "command line")
        );
        file.write_note("").expect("written");
        let nameless = note::settled_holder(&path, || ()).expect("known");
        assert_eq!(nameless.map(|held| held.pid), Some(0));
        let mut file = Some(file);
        let freed = note::settled_holder(&path, || drop(file.take()));
        assert_eq!(freed.expect("known"), None);
    }

    #[test]
    fn texts_and_wishes_are_left_and_taken() {
        let (_dir, home, ws) = home();
        assert_eq!(read_control(&home, &ws, ControlText::Board), None);
        assert_eq!(
            take_wishes(&home, &ws).expect("none"),
            Vec::<Vec<u8>>::new()
        );
        write_control(&home, &ws, ControlText::Board, b"a").expect("left");
        write_control(&home, &ws, ControlText::Board, b"b").expect("left");
        let board = read_control(&home, &ws, ControlText::Board);
        assert_eq!(board.as_deref(), Some(&b"b"[..]));
        forget_control(&home, &ws, ControlText::Board).expect("gone");
        assert_eq!(read_control(&home, &ws, ControlText::Board), None);
        for wish in [b"1", b"2", b"3"] {
            leave_wish(&home, &ws, wish).expect("left");
        }
        let taken = take_wishes(&home, &ws).expect("taken");
        assert_eq!(taken, [b"1", b"2", b"3"]);
        assert!(take_wishes(&home, &ws).expect("none").is_empty());
        assert!(!has_guests(&home, &ws), "no guest but ourselves");
        join_guests(&home, &ws).expect("joined");
        assert!(!has_guests(&home, &ws), "we are no guest of ours");
        leave_guests(&home, &ws).expect("left");
    }
}
