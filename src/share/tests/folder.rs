//! The folder itself: renamed, vanished, copied, swept.

use super::*;

#[test]
fn a_look_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("temp dir");
    let mut shared = open(dir.path(), "a");
    assert_eq!(listing(&mut shared), Listing::default());
    assert_eq!(row_seen(&mut shared), RowSeen::Absent);
    for op in [Op::ReadMarkers, Op::ReadRequests, Op::Hydrate] {
        let reply = do_op(&mut shared, op);
        assert!(!matches!(reply, Reply::Failed(_)), "{reply:?}");
    }
    let gone = do_op(&mut shared, Op::ReadEpoch { epoch: Epoch(1) });
    assert_eq!(gone, Reply::Failed(Fault::Gone));
    assert_eq!(fs::read_dir(dir.path()).expect("list").count(), 0);
}

#[test]
fn a_workspace_seen_under_another_folder_name_keeps_its_name_in_the_shared_folder() {
    let dir = tempfile::tempdir().expect("temp dir");
    let (here, there) = (dir.path().join("here"), dir.path().join("there"));
    fs::create_dir(&here).expect("mkdir");
    let mut a = open(&here, "a");
    let mut late = open(&here, "c");
    claim(&mut a, 1, 11);
    fs::rename(&here, &there).expect("rename");
    let mut b = open(&there, "b");
    assert_eq!(b.name(), "here");
    assert_eq!(listing(&mut b).newest, Some(Epoch(1)));
    // One that looked before there was a log, and finds one of another name when it writes.
    fs::rename(
        there.join(".workspace_state/epochs/here"),
        there.join(".workspace_state/epochs/elsewhere"),
    )
    .expect("rename");
    fs::rename(&there, &here).expect("rename");
    done(&mut late, Op::Touch { token: Token(1) });
    assert_eq!(late.name(), "elsewhere");
    assert_eq!(listing(&mut late).newest, Some(Epoch(1)));
}

#[test]
fn a_workspace_folder_that_is_gone_or_an_empty_mount_point_is_vanished_and_nothing_is_made() {
    // Conformance item 32.
    let dir = tempfile::tempdir().expect("temp dir");
    let workspace = dir.path().join("w");
    fs::create_dir(&workspace).expect("mkdir");
    let mut a = open(&workspace, "a");
    claim(&mut a, 1, 11);
    fs::rename(&workspace, dir.path().join("away")).expect("rename");
    let vanished = Reply::Failed(Fault::Vanished);
    assert_eq!(do_op(&mut a, Op::ListEpochs), vanished);
    assert_eq!(publish_row(&mut a, 1, row(1, 1)), vanished);
    fs::create_dir(&workspace).expect("the mount point");
    assert_eq!(do_op(&mut a, Op::ListEpochs), vanished);
    assert_eq!(do_op(&mut a, Op::Touch { token: Token(3) }), vanished);
    assert_eq!(fs::read_dir(&workspace).expect("list").count(), 0);
    fs::remove_dir(&workspace).expect("rmdir");
    fs::rename(dir.path().join("away"), &workspace).expect("rename");
    assert_eq!(listing(&mut a).newest, Some(Epoch(1)));
}

#[test]
fn copies_of_a_sync_program_are_told_and_links_are_not_followed() {
    let dir = tempfile::tempdir().expect("temp dir");
    let mut a = open(dir.path(), "a");
    claim(&mut a, 41, 1);
    claim(&mut a, 42, 2);
    let epochs = dir.path().join(".workspace_state/epochs").join(a.name());
    fs::create_dir(epochs.join("000000000042 (1)")).expect("mkdir");
    fs::create_dir(epochs.join(".new-leftover")).expect("mkdir");
    fs::write(epochs.join("notes.txt"), "").expect("write");
    let seen = listing(&mut a);
    assert_eq!(
        (seen.newest, seen.before),
        (Some(Epoch(42)), Some(Epoch(41)))
    );
    assert_eq!(seen.conflicts, ["000000000042 (1)"]);
    fs::write(epochs.join("000000000042/claim (conflicted copy).json"), "").expect("write");
    let Reply::Epoch(seen) = do_op(&mut a, Op::ReadEpoch { epoch: Epoch(42) }) else {
        panic!("no epoch");
    };
    assert!(seen.is_doubled);
    fs::remove_dir(epochs.join("000000000042/pen")).expect("rmdir");
    std::os::unix::fs::symlink("/", epochs.join("000000000042/pen")).expect("link");
    for op in [
        Op::ReadEpoch { epoch: Epoch(42) },
        Op::EmptyPen { epoch: Epoch(42) },
        Op::RemovePen { epoch: Epoch(42) },
    ] {
        let reply = do_op(&mut a, op);
        assert!(
            matches!(reply, Reply::Failed(Fault::NotUnderstood(_))),
            "{reply:?}"
        );
    }
}

#[test]
fn what_machines_left_that_died_over_a_look_is_swept_a_day_after_it_was_made() {
    use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
    let dir = tempfile::tempdir().expect("temp dir");
    let mut a = open(dir.path(), "a");
    claim(&mut a, 1, 11);
    let epochs = dir.path().join(".workspace_state/epochs").join(a.name());
    // What an NFS server shows of a file that was made a moment ago.
    let old = Timespec {
        tv_sec: 1_000_000_000,
        tv_nsec: 0,
    };
    let old = Timestamps {
        last_access: old,
        last_modification: old,
    };
    fs::write(epochs.join(".touch-1"), "").expect("write");
    for name in [".touch-1", "000000000001"] {
        utimensat(CWD, epochs.join(name), &old, AtFlags::empty()).expect("utimens");
    }
    let names = || {
        let names = fs::read_dir(&epochs).expect("list");
        let mut names: Vec<_> = names.map(|e| e.expect("entry").file_name()).collect();
        names.sort();
        names
    };
    done(&mut a, Op::Touch { token: Token(5) });
    assert_eq!(names(), [".touch-1", "000000000000", "000000000001"]);
    let folder = Folder::open(&epochs).expect("open");
    let made = folder.changed(".touch-1").expect("stat");
    let day = Duration::from_secs(24 * 3_600);
    sweep(&folder, made.plus(day)).expect("swept");
    assert_eq!(names().len(), 3);
    sweep(&folder, made.plus(day + Duration::from_secs(1))).expect("swept");
    assert_eq!(names(), ["000000000000", "000000000001"]);
}

#[test]
fn item_34_a_root_that_another_program_calls_default_is_default_in_the_shared_folder() {
    let dir = tempfile::tempdir().expect("temp dir");
    let root = dir.path().join("mill");
    fs::create_dir_all(root.join("flow_modules")).expect("mkdir");
    fs::create_dir_all(root.join(".workspace_state/available/default")).expect("mkdir");
    assert_eq!(open(&root, "a").name(), "default");
    fs::remove_dir(root.join(".workspace_state/available/default")).expect("rmdir");
    assert_eq!(open(&root, "a").name(), "mill");
}

#[test]
fn git_passes_over_a_state_folder_that_we_made_and_others_stay_as_they_are() {
    let dir = tempfile::tempdir().expect("temp dir");
    let root = dir.path().join("mill");
    fs::create_dir_all(root.join("flow_modules")).expect("mkdir");
    let mut shared = open(&root, "a");
    claim(&mut shared, 1, 7);
    let ignore = root.join(".workspace_state/.gitignore");
    assert_eq!(fs::read_to_string(&ignore).expect("made"), "*\n");
    let git = |args: &[&str]| {
        let output = std::process::Command::new("git")
            .args(args)
            .current_dir(&root)
            .output();
        String::from_utf8(output.expect("git").stdout).expect("text")
    };
    git(&["init", "--quiet"]);
    fs::write(root.join("flow_modules/a.graphml"), "<graphml/>").expect("write");
    assert_eq!(git(&["status", "--porcelain"]), "?? flow_modules/\n");
    // A person who wants it tracked takes the file away, and that is left alone.
    fs::remove_file(&ignore).expect("remove");
    claim(&mut shared, 2, 8);
    assert!(!ignore.exists());
}
