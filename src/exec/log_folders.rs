//! Folders of logs, one per run: what they take, and how one goes.
//!
//! A folder that goes is renamed first, so that whoever looks finds all of it or nothing; a kill
//! leaves a renamed folder, which the next sweep removes. Reads and deletes files, for long: callers
//! are threads of their own.

use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

/// What a folder is called while it is being removed.
const REMOVED: &str = ".removed-";

/// Bytes that the files of a run's folder hold; 0 when there is none.
pub fn log_bytes(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let lengths = files.filter_map(|file| Some(file.metadata().ok()?.len()));
    lengths.fold(0, u64::saturating_add)
}

/// Removes the logs of a run; true when there were any.
pub fn remove_logs(logs: &Path, run: &str) -> io::Result<bool> {
    let aside = logs.join(format!("{REMOVED}{run}"));
    match fs::rename(logs.join(run), &aside) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(false),
        renamed => renamed?,
    }
    fs::remove_dir_all(&aside)?;
    Ok(true)
}

/// Removes what a killed removal left.
pub fn sweep_removed(logs: &Path) -> io::Result<()> {
    for entry in entries(logs)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(REMOVED) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// The folders of runs with the time that a file was last made in each.
pub fn log_folders(logs: &Path) -> io::Result<Vec<(String, SystemTime)>> {
    let mut folders = Vec::new();
    for entry in entries(logs)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let seen = entry.metadata()?;
        if seen.is_dir() && !name.starts_with('.') {
            folders.push((name, seen.modified()?));
        }
    }
    Ok(folders)
}

fn entries(logs: &Path) -> io::Result<Box<dyn Iterator<Item = io::Result<fs::DirEntry>>>> {
    match fs::read_dir(logs) {
        Ok(entries) => Ok(Box::new(entries)),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(Box::new(std::iter::empty())),
        Err(err) => Err(err),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_measured_removed_and_what_a_kill_left_is_swept() {
        let dir = tempfile::tempdir().expect("temp dir");
        let logs = dir.path().join("logs");
        assert!(log_folders(&logs).expect("none").is_empty());
        assert!(!remove_logs(&logs, "r1").expect("nothing there"));
        for run in ["r1", "r2", ".removed-r0"] {
            fs::create_dir_all(logs.join(run)).expect("mkdir");
            fs::write(logs.join(run).join("00000.1.1.out"), "12345").expect("write");
            fs::write(logs.join(run).join("nodes"), "ab").expect("write");
        }
        assert_eq!(log_bytes(&logs.join("r1")), 7);
        assert_eq!(log_bytes(&logs.join("none")), 0);
        assert!(remove_logs(&logs, "r1").expect("removed"));
        let names = |logs| {
            let folders = log_folders(logs).expect("listed");
            folders
                .into_iter()
                .map(|(name, _)| name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&logs), ["r2"]);
        sweep_removed(&logs).expect("swept");
        assert_eq!(fs::read_dir(&logs).expect("list").count(), 1);
    }
}
