//! Where no new file can take the place of a workfile, it is written into, and that is said. Links keep what they are.
//!
//! Root may write anywhere, so the test gives that up: it starts itself again without the right to pass over modes.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use handmill::model::{Flow, Level, Node, Point};
use handmill::store::{self, Home, SaveError, Saved, Writer};

/// Set in the process that modes bind: the folder it works in.
const FOLDER_OF_CHILD: &str = "HANDMILL_TEST_IN_PLACE";

const TEST: &str =
    "in_place::a_file_whose_folder_takes_no_new_one_is_written_into_and_that_is_said";

fn flow(command: &str) -> Flow {
    let mut flow = Flow::default();
    let node = Node::new("a", command, Point::default());
    flow.graph.add_node(node).expect("a fresh id");
    flow
}

fn command(path: &Path) -> String {
    let loaded = store::load(path).expect("a workfile");
    let node = loaded.flow.graph.nodes().next().cloned();
    node.expect("one node").command
}

/// A folder with a workfile that says `old`.
struct Place {
    folder: PathBuf,
    file: PathBuf,
    home: Home,
}

impl Place {
    fn new(root: &Path, name: &str) -> Self {
        let folder = root.join(name);
        fs::create_dir(&folder).expect("a folder");
        let file = folder.join("flow.graphml");
        store::save(&file, &flow("old"), None).expect("saved");
        let home = Home::at(root.join(format!("{name} home")));
        Self { folder, file, home }
    }

    fn close(&self) {
        fs::set_permissions(&self.folder, Permissions::from_mode(0o555)).expect("closed");
        let refused = fs::write(self.folder.join("new"), "").expect_err("it takes no new file");
        assert_eq!(refused.kind(), std::io::ErrorKind::PermissionDenied);
    }

    fn save(&self, path: &Path) -> Result<Saved, SaveError> {
        let stamp = store::load(path).expect("a workfile").stamp;
        let writer = Writer {
            keep: Some(&self.home),
        };
        writer.save(path, &flow("new"), Some(&stamp))
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).expect("listed");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = names
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

#[test]
fn a_file_whose_folder_takes_no_new_one_is_written_into_and_that_is_said() {
    if let Some(folder) = std::env::var_os(FOLDER_OF_CHILD) {
        return without_rights(Path::new(&folder));
    }
    let dir = tempfile::tempdir().expect("a folder");
    let ways: [&[&str]; 3] = [
        // Nobody in particular.
        &[],
        &[
            "setpriv",
            "--bounding-set=-dac_override,-dac_read_search",
            "--inh-caps=-all",
        ],
        &["unshare", "--user"],
    ];
    let closed = dir.path().join("closed");
    fs::create_dir(&closed).expect("a folder");
    fs::set_permissions(&closed, Permissions::from_mode(0o555)).expect("closed");
    let command = |way: &[&str], program: &Path| {
        let mut words = way.iter().copied().map(Path::new).chain([program]);
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words);
        command
    };
    let binds = |way: &&&[&str]| {
        let mut probe = command(way, Path::new("mkdir"));
        let probe = probe
            .arg(closed.join("probe"))
            .stderr(std::process::Stdio::null());
        let made = probe.status().is_ok_and(|status| status.success());
        fs::remove_dir(closed.join("probe")).ok();
        // Refused by the mode, and not because the way itself cannot be gone.
        !made
            && command(way, Path::new("true"))
                .status()
                .is_ok_and(|status| status.success())
    };
    let way = ways.iter().find(binds);
    let way = way.expect(
        "modes bind root neither through setpriv nor in a user namespace: allow one of both",
    );
    let out = command(way, &std::env::current_exe().expect("the test binary"))
        .args(["--exact", "--nocapture", "--test-threads=1", TEST])
        .env(FOLDER_OF_CHILD, dir.path())
        .output()
        .expect("the test binary starts");
    let said = String::from_utf8_lossy(&out.stdout);
    let complaint = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{said}\n{complaint}");
}

fn without_rights(root: &Path) {
    a_folder_that_takes_no_file(root);
    links_into_such_a_folder(root);
    no_place_for_the_version_before(root);
    links_in_an_open_folder(root);
}

fn a_folder_that_takes_no_file(root: &Path) {
    let place = Place::new(root, "closed folder");
    let inode = fs::metadata(&place.file).expect("there").ino();
    place.close();
    let saved = place.save(&place.file).expect("saved");
    assert_eq!(command(&place.file), "new");
    assert_eq!(
        fs::metadata(&place.file).expect("there").ino(),
        inode,
        "the same file"
    );
    assert_eq!(place.names(), ["flow.graphml"]);
    let remark = saved.remark.expect("it is said");
    assert_eq!(remark.level, Level::Warning);
    assert!(
        remark.what.contains("writing into the file itself"),
        "{remark:?}"
    );
    assert!(remark.what.contains("permission denied"), "{remark:?}");
    assert!(remark.what.contains("flow.graphml"), "{remark:?}");
    let kept = store::backups(&place.home, &place.file).expect("listed");
    assert_eq!(kept.len(), 1, "the version before is in a safe place");
    let before = store::load_backup(&place.file, &kept[0]).expect("read");
    assert_eq!(before.flow, flow("old"));
    // What another program wrote meanwhile is as safe as ever.
    let stale = store::load(&place.file).expect("read").stamp;
    let theirs = fs::read_to_string(&place.file)
        .expect("read")
        .replace("new", "theirs");
    fs::write(&place.file, theirs).expect("written");
    let writer = Writer {
        keep: Some(&place.home),
    };
    let refused = writer.save(&place.file, &flow("mine"), Some(&stale));
    assert!(
        matches!(refused, Err(SaveError::ChangedOutside { .. })),
        "{refused:?}"
    );
    assert_eq!(command(&place.file), "theirs");
}

fn links_into_such_a_folder(root: &Path) {
    let place = Place::new(root, "closed with links");
    let (soft, hard) = (root.join("soft.graphml"), root.join("hard.graphml"));
    symlink(&place.file, &soft).expect("linked");
    fs::hard_link(&place.file, &hard).expect("linked");
    place.close();
    assert!(place.save(&soft).expect("saved").remark.is_some());
    assert!(
        fs::symlink_metadata(&soft).expect("there").is_symlink(),
        "still a link"
    );
    for path in [&place.file, &soft, &hard] {
        assert_eq!(command(path), "new", "{}", path.display());
    }
    assert_eq!(place.names(), ["flow.graphml"]);
}

/// Such a save can end half way, so it is not begun without the old bytes in a safe place.
fn no_place_for_the_version_before(root: &Path) {
    let place = Place::new(root, "closed without home");
    let home = root.join("closed without home home");
    fs::write(&home, "a file where a folder should be").expect("written");
    place.close();
    let refused = place.save(&place.file).expect_err("refused");
    let text = refused.to_string();
    assert!(text.contains("flow.graphml"), "{text}");
    assert!(text.contains("permission denied"), "{text}");
    assert_eq!(command(&place.file), "old");
}

/// Where a new file can take the place, it does: a symbolic link stays one, another name of the old file keeps that.
fn links_in_an_open_folder(root: &Path) {
    let place = Place::new(root, "open folder");
    let (soft, hard) = (
        place.folder.join("soft.graphml"),
        place.folder.join("hard.graphml"),
    );
    symlink("flow.graphml", &soft).expect("linked");
    fs::hard_link(&place.file, &hard).expect("linked");
    assert_eq!(place.save(&soft).expect("saved").remark, None);
    assert!(
        fs::symlink_metadata(&soft).expect("there").is_symlink(),
        "still a link"
    );
    assert_eq!(
        (command(&place.file), command(&soft)),
        ("new".into(), "new".into())
    );
    assert_eq!(command(&hard), "old");
    assert_eq!(
        place.names(),
        ["flow.graphml", "hard.graphml", "soft.graphml"]
    );
}
