//! Temporary files beside the file they will become, and their removal when their writer died.
//!
//! The name is `.<name>.handmill-<pid>-<host tag><random>.tmp`. The tag says on which machine the
//! process id means something, so that on a shared folder nobody sweeps a neighbour's live file.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::process::{Life, life_of};

const MARK: &str = ".handmill-";
const ENDING: &str = ".tmp";
const TAG_LEN: usize = 6;
/// Most bytes of the old name kept in the temporary one: names end at 255 on common systems.
const NAME_BYTES_MAX: usize = 180;

/// A fresh name for a temporary file in the folder of `target`.
pub(super) fn temp_path(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or(OsStr::new("file"));
    let mut temp = OsString::from(".");
    if name.len() <= NAME_BYTES_MAX {
        temp.push(name);
    } else {
        let short: String = name
            .to_string_lossy()
            .chars()
            .take(NAME_BYTES_MAX / 4)
            .collect();
        temp.push(short);
    }
    let random = std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish();
    temp.push(format!(
        "{MARK}{}-{}{:08x}{ENDING}",
        std::process::id(),
        host_tag(),
        random & 0xffff_ffff
    ));
    target.with_file_name(temp)
}

/// Removes the temporary files in `dir` whose writer, on this machine, is dead. Gives how many.
/// Those of other machines and of living processes stay.
pub fn sweep_temps(dir: &Path) -> io::Result<usize> {
    let mut n_removed = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let orphan = name.to_str().and_then(writer).is_some_and(|(pid, tag)| {
            tag == host_tag() && pid != std::process::id() && life_of(pid, None) == Life::Dead
        });
        if orphan && entry.file_type()?.is_file() && fs::remove_file(entry.path()).is_ok() {
            n_removed += 1;
        }
    }
    Ok(n_removed)
}

/// The writer's process id and machine tag, when `name` is the name of a temporary file of ours.
fn writer(name: &str) -> Option<(u32, &str)> {
    let (_, rest) = name.strip_prefix('.')?.rsplit_once(MARK)?;
    let (pid, rest) = rest.strip_suffix(ENDING)?.split_once('-')?;
    Some((pid.parse().ok()?, rest.get(..TAG_LEN)?))
}

/// A few letters that are the same for all processes that see each other's ids.
fn host_tag() -> &'static str {
    static TAG: OnceLock<String> = OnceLock::new();
    TAG.get_or_init(|| {
        let mut hasher = blake3::Hasher::new();
        for place in ["/etc/machine-id", "/proc/sys/kernel/hostname"] {
            hasher.update(&fs::read(place).unwrap_or_default());
        }
        // Containers share the machine, not the ids.
        let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        hasher.update(namespace.as_os_str().as_encoded_bytes());
        hasher.finalize().to_hex()[..TAG_LEN].to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_temps_of_the_dead_on_this_machine_are_swept() {
        let dir = tempfile::tempdir().expect("temp dir");
        let mut child = std::process::Command::new("/bin/true")
            .spawn()
            .expect("spawn");
        let dead = child.id();
        child.wait().expect("wait");
        let me = std::process::id();
        let tag = host_tag();
        let cases = [
            (format!(".a.wf.handmill-{dead}-{tag}0badf00d.tmp"), true),
            (format!(".a.wf.handmill-{me}-{tag}0badf00d.tmp"), false),
            (format!(".a.wf.handmill-{dead}-zzzzzz0badf00d.tmp"), false),
            (".a.wf.handmill-x-y.tmp".to_owned(), false),
            (format!("a.wf.handmill-{dead}-{tag}0badf00d.tmp"), false),
            ("a.wf".to_owned(), false),
        ];
        for (name, _) in &cases {
            fs::write(dir.path().join(name), b"").expect("write");
        }
        assert_eq!(sweep_temps(dir.path()).expect("sweep"), 1);
        for (name, swept) in cases {
            assert_eq!(!dir.path().join(&name).exists(), swept, "{name}");
        }
    }

    #[test]
    fn a_temp_stands_beside_its_target_and_its_name_fits() {
        for name in ["flow.graphml".to_owned(), "ü".repeat(127), "x".repeat(255)] {
            let target = Path::new("/some/dir").join(&name);
            let temp = temp_path(&target);
            assert_eq!(temp.parent(), target.parent());
            let temp_name = temp.file_name().and_then(OsStr::to_str).expect("text");
            assert!(temp_name.len() <= 255, "{temp_name}");
            assert_eq!(writer(temp_name), Some((std::process::id(), host_tag())));
        }
    }
}
