use super::*;
use std::fs;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

/// Longer than any machine should take; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

fn watcher() -> (Watcher, Receiver<Change>) {
    let (sender, receiver) = channel();
    let watcher = Watcher::start(move |change| {
        sender.send(change).ok();
    })
    .expect("watcher");
    (watcher, receiver)
}

fn expect(changes: &Receiver<Change>, wanted: &Change) {
    loop {
        match changes.recv_timeout(PATIENCE) {
            Ok(change) if change == *wanted => return,
            Ok(_) => {}
            Err(why) => panic!("{wanted:?} was not told: {why}"),
        }
    }
}

/// Everything told before `wanted`.
fn until(changes: &Receiver<Change>, wanted: &Change) -> Vec<Change> {
    let mut seen = Vec::new();
    loop {
        match changes.recv_timeout(PATIENCE) {
            Ok(change) if change == *wanted => return seen,
            Ok(change) => seen.push(change),
            Err(why) => panic!("{wanted:?} was not told after {seen:?}: {why}"),
        }
    }
}

#[test]
fn a_file_is_followed_through_change_replacement_removal_and_return() {
    let dir = tempfile::tempdir().expect("temp dir");
    let path = dir.path().join("a.wf");
    fs::write(&path, "1").expect("write");
    let (mut watcher, changes) = watcher();
    watcher.watch_file(&path).expect("watch");
    let told = Change::File(path.clone());
    fs::write(&path, "2").expect("write");
    expect(&changes, &told);
    for _ in 0..2 {
        let temp = dir.path().join("temp");
        fs::write(&temp, "3").expect("write");
        fs::rename(&temp, &path).expect("rename");
        expect(&changes, &told);
    }
    fs::remove_file(&path).expect("remove");
    expect(&changes, &told);
    fs::write(&path, "4").expect("write");
    expect(&changes, &told);
}

#[test]
fn neighbours_and_reading_are_not_told() {
    let dir = tempfile::tempdir().expect("temp dir");
    let (path, other) = (dir.path().join("a.wf"), dir.path().join("b.wf"));
    fs::write(&path, "1").expect("write");
    let (mut watcher, changes) = watcher();
    watcher.watch_file(&path).expect("watch");
    fs::read(&path).expect("read");
    fs::write(&other, "x").expect("write");
    watcher.watch_file(&other).expect("watch");
    fs::write(&other, "y").expect("write");
    assert_eq!(until(&changes, &Change::File(other)), []);
}

#[test]
fn a_linked_file_is_told_when_its_target_changes() {
    let dir = tempfile::tempdir().expect("temp dir");
    let target = dir.path().join("far/real.wf");
    fs::create_dir(dir.path().join("far")).expect("mkdir");
    fs::write(&target, "1").expect("write");
    let link = dir.path().join("link.wf");
    std::os::unix::fs::symlink("far/real.wf", &link).expect("link");
    let (mut watcher, changes) = watcher();
    watcher.watch_file(&link).expect("watch");
    fs::write(&target, "2").expect("write");
    expect(&changes, &Change::File(link));
}

#[test]
fn a_tree_tells_of_new_folders_and_survives_a_file_watch_inside_it() {
    let dir = tempfile::tempdir().expect("temp dir");
    let sub = dir.path().join("ws");
    fs::create_dir(&sub).expect("mkdir");
    let (mut watcher, changes) = watcher();
    watcher.watch_dir(dir.path(), true).expect("watch");
    let within = |path: &Path| Change::Within {
        folder: dir.path().to_owned(),
        path: path.to_owned(),
    };
    let file = sub.join("a.wf");
    watcher.watch_file(&file).expect("watch");
    watcher.unwatch(&file);
    fs::write(&file, "1").expect("write");
    let seen = until(&changes, &within(&file));
    assert!(!seen.contains(&Change::File(file)), "{seen:?}");
    fs::create_dir(sub.join("new")).expect("mkdir");
    expect(&changes, &within(&sub.join("new")));
    fs::write(sub.join("new/b.wf"), "1").expect("write");
    expect(&changes, &within(&sub.join("new/b.wf")));
}

#[test]
fn a_file_whose_folder_goes_is_told_and_can_be_watched_again() {
    let dir = tempfile::tempdir().expect("temp dir");
    let sub = dir.path().join("sub");
    let path = sub.join("a.wf");
    let told = Change::File(path.clone());
    fs::create_dir(&sub).expect("mkdir");
    fs::write(&path, "1").expect("write");
    let (mut watcher, changes) = watcher();
    watcher.watch_file(&path).expect("watch");
    fs::rename(&sub, dir.path().join("elsewhere")).expect("rename");
    expect(&changes, &told);
    fs::create_dir(&sub).expect("mkdir");
    watcher.watch_file(&path).expect("watch again");
    fs::write(&path, "2").expect("write");
    expect(&changes, &told);
    fs::remove_dir_all(&sub).expect("remove");
    expect(&changes, &told);
}

#[test]
fn a_burst_of_writes_is_told_a_few_times() {
    let dir = tempfile::tempdir().expect("temp dir");
    let (path, last) = (dir.path().join("a"), dir.path().join("z"));
    let (mut watcher, changes) = watcher();
    watcher.watch_dir(dir.path(), false).expect("watch");
    for n in 0..1_000 {
        fs::write(&path, n.to_string()).expect("write");
    }
    fs::write(&last, "").expect("write");
    let end = Change::Within {
        folder: dir.path().to_owned(),
        path: last,
    };
    let n_told = until(&changes, &end).len();
    assert!(
        (1..500).contains(&n_told),
        "{n_told} notices for 3 000 events"
    );
}

#[test]
fn a_folder_that_is_not_there_is_told_by_name() {
    let (mut watcher, _changes) = watcher();
    let told = watcher
        .watch_dir(Path::new("/no/such"), true)
        .expect_err("missing")
        .to_string();
    assert!(told.contains("/no/such"), "{told}");
}

#[test]
fn dropping_the_watcher_ends_its_thread() {
    let (watcher, changes) = watcher();
    drop(watcher);
    assert_eq!(
        changes.recv_timeout(PATIENCE),
        Err(RecvTimeoutError::Disconnected)
    );
}
