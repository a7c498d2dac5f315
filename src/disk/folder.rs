//! Folders of our own, and files taken away or put aside.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::DiskError;

/// Makes a folder, and those above it, readable by the user alone: logs and ledgers may hold
/// anything a command prints. One that is there already is left as it is.
pub fn make_private_folder(path: &Path) -> Result<(), DiskError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder
        .create(path)
        .map_err(|cause| DiskError::io("create folder", path, cause))
}

/// Fails when this user may not make files in a folder.
#[cfg(unix)]
pub fn check_writable(folder: &Path) -> Result<(), DiskError> {
    let wanted = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    rustix::fs::access(folder, wanted)
        .map_err(|errno| DiskError::io("write into folder", folder, errno.into()))
}

/// Elsewhere rights are not one question; the first write tells.
#[cfg(not(unix))]
pub fn check_writable(_: &Path) -> Result<(), DiskError> {
    Ok(())
}

/// Removes a file; one that is gone already is what was asked.
pub fn remove(path: &Path) -> Result<(), DiskError> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => {
            Err(DiskError::io("remove file", path, cause))
        }
        _ => Ok(()),
    }
}

/// Renames `settings.json` to the first free `settings.<mark>-<n>.json`, and gives that name.
pub fn set_aside(path: &Path, mark: &str) -> Result<PathBuf, DiskError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path
        .extension()
        .map(|e| format!(".{}", e.to_string_lossy()))
        .unwrap_or_default();
    for n in 1u32..=9_999 {
        let aside = path.with_file_name(format!("{stem}.{mark}-{n}{ending}"));
        // A link first, because unlike a rename it never replaces what another process put there.
        match fs::hard_link(path, &aside) {
            Ok(()) => return remove(path).map(|()| aside),
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {}
            Err(_) if !aside.exists() => {
                return fs::rename(path, &aside)
                    .map(|()| aside)
                    .map_err(|cause| DiskError::io("set file aside", path, cause));
            }
            Err(_) => {}
        }
    }
    Err(DiskError::Exists {
        path: path.to_owned(),
    })
}

/// Reads a small file and removes it, as one step: of two takers one gets it, and what is written
/// meanwhile is left for the next. `None` when there is none.
pub fn take(path: &Path) -> Result<Option<Vec<u8>>, DiskError> {
    let taken = super::temp::temp_path(path);
    match fs::rename(path, &taken) {
        Ok(()) => {}
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(DiskError::io("take file", path, cause)),
    }
    let bytes = fs::read(&taken).map_err(|cause| DiskError::io("read file", path, cause));
    remove(&taken)?;
    bytes.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bad_file_gets_a_place_of_its_own() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("settings.json");
        for n in 1..=3 {
            fs::write(&path, format!("bad {n}")).expect("write");
            let aside = set_aside(&path, "bad").expect("aside");
            assert_eq!(aside, dir.path().join(format!("settings.bad-{n}.json")));
            assert_eq!(fs::read_to_string(aside).expect("read"), format!("bad {n}"));
            assert!(!path.exists());
        }
    }

    #[test]
    fn what_is_taken_is_gone() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("a.stop");
        assert_eq!(take(&path).expect("none"), None);
        fs::write(&path, b"x").expect("write");
        assert_eq!(take(&path).expect("one"), Some(b"x".to_vec()));
        assert_eq!(fs::read_dir(dir.path()).expect("list").count(), 0);
    }
}
