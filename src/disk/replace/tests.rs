use super::*;
use std::os::unix::fs::{PermissionsExt as _, symlink};

fn dir_with(name: &str, content: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("temp dir");
    let path = dir.path().join(name);
    fs::write(&path, content).expect("write");
    (dir, path)
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .expect("list")
        .map(|e| e.expect("entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn content_is_replaced_and_the_stamp_is_that_of_the_file() {
    let (dir, path) = dir_with("f", "old");
    let before = stamp(&path).expect("stamp");
    let given = replace(&path, b"new", Expect::Content(&before)).expect("replace");
    assert_eq!(fs::read(&path).expect("read"), b"new");
    assert_eq!(given, stamp(&path).expect("stamp"));
    assert_eq!(names(dir.path()), ["f"]);
}

#[test]
fn a_change_by_another_program_is_kept_and_told() {
    let (dir, path) = dir_with("f", "old");
    let before = stamp(&path).expect("stamp");
    // Same length, as a coarse clock would let pass.
    fs::write(&path, "new").expect("write");
    let told = replace(&path, b"mine", Expect::Content(&before)).expect_err("refused");
    assert!(
        matches!(told, DiskError::ChangedUnderneath { .. }),
        "{told}"
    );
    assert_eq!(fs::read(&path).expect("read"), b"new");
    assert_eq!(names(dir.path()), ["f"], "the temporary file is gone");
    fs::remove_file(&path).expect("remove");
    let told = replace(&path, b"mine", Expect::Content(&before)).expect_err("refused");
    assert!(
        matches!(told, DiskError::ChangedUnderneath { .. }),
        "{told}"
    );
    assert!(!path.exists());
}

#[test]
fn a_file_touched_or_replaced_by_equal_bytes_counts_as_unchanged() {
    let (_dir, path) = dir_with("f", "old");
    let before = stamp(&path).expect("stamp");
    fs::remove_file(&path).expect("remove");
    fs::write(&path, "old").expect("write");
    replace(&path, b"new", Expect::Content(&before)).expect("replace");
}

#[test]
fn a_new_file_never_replaces_one_that_came_meanwhile() {
    let (dir, path) = dir_with("f", "theirs");
    let told = replace(&path, b"mine", Expect::Absent).expect_err("refused");
    assert!(matches!(told, DiskError::Exists { .. }), "{told}");
    // Came between the look and the rename.
    let temp = Temp::create(&path, true).expect("temp");
    let told = temp.rename_new(&path).expect_err("refused");
    assert!(matches!(told, DiskError::Exists { .. }), "{told}");
    assert_eq!(fs::read(&path).expect("read"), b"theirs");
    assert_eq!(names(dir.path()), ["f"]);
    replace(&dir.path().join("g"), b"mine", Expect::Absent).expect("free name");
    assert_eq!(names(dir.path()), ["f", "g"]);
}

#[test]
fn a_symbolic_link_stays_and_its_target_is_replaced() {
    let (dir, path) = dir_with("real", "old");
    fs::create_dir(dir.path().join("links")).expect("mkdir");
    let link = dir.path().join("links/b");
    symlink("../a", &link).expect("link");
    symlink("real", dir.path().join("a")).expect("link");
    let before = stamp(&link).expect("stamp");
    replace(&link, b"new", Expect::Content(&before)).expect("replace");
    assert_eq!(fs::read(&path).expect("read"), b"new");
    assert_eq!(
        fs::read_link(&link).expect("still a link"),
        Path::new("../a")
    );
    assert_eq!(names(dir.path()), ["a", "links", "real"]);
}

#[test]
fn a_link_to_nothing_gets_its_target_and_a_circle_is_told() {
    let dir = tempfile::tempdir().expect("temp dir");
    let link = dir.path().join("link");
    symlink("later", &link).expect("link");
    replace(&link, b"x", Expect::Absent).expect("replace");
    assert_eq!(fs::read(dir.path().join("later")).expect("read"), b"x");
    let circle = dir.path().join("circle");
    symlink("circle", &circle).expect("link");
    let told = replace(&circle, b"x", Expect::Anything).expect_err("circle");
    assert!(told.to_string().contains("circle"), "{told}");
}

#[test]
fn mode_and_owner_are_kept() {
    use std::os::unix::fs::MetadataExt as _;
    let (_dir, path) = dir_with("f", "old");
    for mode in [0o600, 0o640, 0o755, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("chmod");
        // As root the file is somebody else's; as a user it stays one's own.
        std::os::unix::fs::chown(&path, Some(12345), Some(12345)).ok();
        let before = fs::metadata(&path).expect("meta");
        replace(&path, b"new", Expect::Anything).expect("replace");
        let after = fs::metadata(&path).expect("meta");
        assert_eq!(after.mode() & 0o7777, mode, "{mode:o}");
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
    }
}

#[test]
fn what_cannot_be_written_is_told_by_file_and_cause() {
    let (dir, file) = dir_with("f", "old");
    let through = file.join("x.graphml");
    let told = replace(&through, b"x", Expect::Anything).expect_err("through a file");
    assert!(
        told.to_string().contains("is a file, not a folder"),
        "{told}"
    );
    assert!(told.to_string().ends_with("f/x.graphml"), "{told}");
    let missing = dir.path().join("no/such/x");
    let told = replace(&missing, b"x", Expect::Absent).expect_err("no folder");
    assert!(
        told.to_string().contains("no such file or folder"),
        "{told}"
    );
    let told = replace(dir.path(), b"x", Expect::Anything).expect_err("a folder");
    assert!(
        told.to_string().contains("a folder, not a regular file"),
        "{told}"
    );
    let told = replace(Path::new("/dev/full"), b"x", Expect::Anything).expect_err("a device");
    assert!(told.to_string().contains("a device"), "{told}");
    assert_eq!(names(dir.path()), ["f"]);
}

#[test]
fn a_name_as_long_as_the_system_allows_can_be_replaced() {
    let (_dir, path) = dir_with(&"x".repeat(255), "old");
    replace(&path, b"new", Expect::Anything).expect("replace");
    assert_eq!(fs::read(&path).expect("read"), b"new");
    let longer = path.with_file_name("x".repeat(256));
    let told = replace(&longer, b"x", Expect::Absent).expect_err("too long");
    assert!(told.to_string().contains("name is too long"), "{told}");
}
