//! Who this machine and this process are to the others.
//!
//! A host's name is not enough: two may be called `localhost`. So a machine gets a random number at
//! its first start, which is bound to the system's own id: a home copied to another machine makes
//! another machine of it. A virtual machine cloned with its disk keeps both; the boot tells the two
//! apart, and the protocol then sees one id in two boots.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::disk::{self, DiskError, Expect, LockFile, Locked};
use crate::lease::{MachineId, Me};
use crate::model::Timestamp;

use super::note::shown;

/// Version of the file.
const FORMAT: u32 = 1;
const FILE_BYTES_MAX: u64 = 64 << 10;

/// This machine, in this boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Its id in shared folders.
    pub id: MachineId,
    /// Its host's name, for people.
    pub host: String,
    /// This boot; empty where the system does not tell.
    pub boot: String,
}

/// Why this machine has no id.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// The file that keeps it.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A file that a later release wrote, or that another program left.
    #[error("read machine id: it is not understood; remove it, and this machine is a new one to others: {}", .0.display())]
    NotUnderstood(PathBuf),
    /// The system gives no random numbers.
    #[error("make machine id: {0}")]
    Random(io::Error),
}

#[derive(Serialize, Deserialize)]
struct MachineFile {
    format: u32,
    /// Thirty-two hexadecimal digits.
    random: String,
    /// Stands for the system's own id when this file was made.
    system: String,
}

impl Machine {
    /// Reads the machine's number from `path`, a file in this machine's own data folder; makes it
    /// at the first start, and again when the file has come from another machine.
    pub fn at(path: &Path) -> Result<Self, MachineError> {
        Self::of(path, &system_id())
    }

    fn of(path: &Path, system: &str) -> Result<Self, MachineError> {
        let salt = blake3::hash(system.as_bytes()).to_hex()[..16].to_owned();
        let file = match read(path)?.filter(|file| file.system == salt) {
            Some(file) => file,
            None => make(path, salt)?,
        };
        let id = blake3::hash(format!("{} {system}", file.random).as_bytes());
        Ok(Self {
            id: MachineId(id.to_hex()[..32].to_owned()),
            host: host_name(),
            boot: boot_id(),
        })
    }

    /// This process as one that may have control; each has an id of its own.
    pub fn me(&self, started_at: Timestamp) -> Result<Me, MachineError> {
        Ok(Me {
            machine: self.id.clone(),
            host: self.host.clone(),
            boot: self.boot.clone(),
            pid: std::process::id(),
            daemon: random_id().map_err(MachineError::Random)?,
            app_version: format!("handmill {}", env!("CARGO_PKG_VERSION")),
            started_at,
        })
    }
}

/// The file at `path`, when there is one.
fn read(path: &Path) -> Result<Option<MachineFile>, MachineError> {
    let bytes = match disk::read_with_stamp(path, FILE_BYTES_MAX) {
        Ok((bytes, _)) => bytes,
        Err(why) if why.is_not_found() => return Ok(None),
        Err(why) => return Err(why.into()),
    };
    match serde_json::from_slice::<MachineFile>(&bytes) {
        Ok(file) if file.format == FORMAT => Ok(Some(file)),
        _ => Err(MachineError::NotUnderstood(path.to_owned())),
    }
}

/// Makes the file, unless somebody did meanwhile: whoever starts at the same moment, in this process or another, must
/// come to the same number.
fn make(path: &Path, salt: String) -> Result<MachineFile, MachineError> {
    if let Some(folder) = path.parent() {
        disk::make_private_folder(folder)?;
    }
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    let lock = PathBuf::from(lock);
    let _alone = loop {
        match LockFile::try_acquire(&lock)? {
            Locked::Ours(file) => break file,
            Locked::Theirs => LockFile::wait_free(&lock)?,
        }
    };
    if let Some(file) = read(path)?.filter(|file| file.system == salt) {
        return Ok(file);
    }
    let file = MachineFile {
        format: FORMAT,
        random: random_id().map_err(MachineError::Random)?,
        system: salt,
    };
    let bytes = serde_json::to_vec_pretty(&file).unwrap_or_default();
    disk::replace(path, &bytes, Expect::Anything)?;
    Ok(file)
}

/// 128 random bits as thirty-two hexadecimal digits.
fn random_id() -> io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// What the system calls itself; empty where it says nothing.
fn system_id() -> String {
    let said = |place: &str| std::fs::read_to_string(place).unwrap_or_default();
    let id = said("/etc/machine-id");
    match id.trim() {
        "" => said("/var/lib/dbus/machine-id").trim().to_owned(),
        id => id.to_owned(),
    }
}

fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

/// What the system's host is called, for people.
pub(super) fn host_name() -> String {
    let name = rustix::system::uname();
    let name = shown(&name.nodename().to_string_lossy());
    match name.as_str() {
        "" => "unnamed".to_owned(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_keeps_its_id_and_a_copied_home_is_another_machine() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("deep/machine.json");
        let first = Machine::of(&path, "system a").expect("made");
        assert_eq!(Machine::of(&path, "system a").expect("read"), first);
        assert_eq!(first.id.0.len(), 32);
        let copied = Machine::of(&path, "system b").expect("made anew");
        assert_ne!(copied.id, first.id);
        assert_eq!(Machine::of(&path, "system b").expect("read"), copied);
    }

    #[test]
    fn all_who_start_at_once_for_the_first_time_are_one_machine() {
        for _ in 0..20 {
            let dir = tempfile::tempdir().expect("temp dir");
            let path = dir.path().join("home/machine.json");
            let start = std::sync::Barrier::new(8);
            let ids: Vec<MachineId> = std::thread::scope(|scope| {
                let one = || {
                    start.wait();
                    Machine::of(&path, "system").expect("made").id
                };
                let all: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
                all.into_iter()
                    .map(|one| one.join().expect("no panic"))
                    .collect()
            });
            assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        }
    }

    #[test]
    fn two_homes_of_one_machine_are_two_machines_to_others() {
        let dir = tempfile::tempdir().expect("temp dir");
        let a = Machine::of(&dir.path().join("a.json"), "same").expect("made");
        let b = Machine::of(&dir.path().join("b.json"), "same").expect("made");
        assert_ne!(a.id, b.id);
    }

    #[test]
    fn a_damaged_file_is_told_and_kept() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("machine.json");
        std::fs::write(&path, "{").expect("write");
        let told = Machine::at(&path).expect_err("refused").to_string();
        assert!(told.contains("not understood"), "{told}");
        assert_eq!(std::fs::read(&path).expect("read"), b"{");
    }

    #[test]
    fn each_process_start_is_another_daemon() {
        let dir = tempfile::tempdir().expect("temp dir");
        let machine = Machine::at(&dir.path().join("m.json")).expect("made");
        let (a, b) = (machine.me(Timestamp(0)), machine.me(Timestamp(0)));
        assert_ne!(a.expect("me").daemon, b.expect("me").daemon);
    }
}
