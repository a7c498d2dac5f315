//! Handmill as git's merge driver, and files in which git left a conflict: real git, real branches.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use handmill::model::merge::{Picks, Side};
use handmill::model::{Flow, Node, Point};
use handmill::store::{self, Home, StoreError, Three, Writer};

struct Repo(tempfile::TempDir);

impl Repo {
    fn new() -> Self {
        let repo = Self(tempfile::tempdir().expect("a folder"));
        repo.git(&["init", "-q", "-b", "main"]);
        repo.git(&["config", "user.email", "ada@example.org"]);
        repo.git(&["config", "user.name", "Ada"]);
        repo
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("flow.graphml")
    }

    fn try_git(&self, args: &[&str]) -> Output {
        let home = self.0.path().join("nobody");
        Command::new("git")
            .args(args)
            .current_dir(self.0.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", &home)
            .env("HANDMILL_HOME", &home)
            .output()
            .expect("git is installed")
    }

    fn git(&self, args: &[&str]) -> String {
        let out = self.try_git(args);
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "git {args:?}: {said}");
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    fn install(&self) -> String {
        let out = Command::new(env!("CARGO_BIN_EXE_handmill"))
            .args(["merge", "--install"])
            .current_dir(self.0.path())
            .env("HANDMILL_HOME", self.0.path().join("nobody"))
            .output()
            .expect("starts");
        assert!(out.status.success(), "{out:?}");
        fs::write(
            self.0.path().join(".gitattributes"),
            "*.graphml merge=handmill\n",
        )
        .expect("written");
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    fn commit(&self, flow: &Flow, message: &str) {
        store::save_over(&self.file(), flow).expect("saved");
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    fn load(&self) -> Flow {
        let loaded = store::load(&self.file()).expect("well-formed");
        assert!(!loaded.damaged);
        loaded.flow
    }

    /// Two branches that grew from `base`; gives what `git merge` said.
    fn merge(&self, base: &Flow, ours: &Flow, theirs: &Flow) -> Output {
        self.commit(base, "base");
        self.git(&["checkout", "-q", "-b", "side"]);
        self.commit(theirs, "theirs");
        self.git(&["checkout", "-q", "main"]);
        self.commit(ours, "ours");
        self.try_git(&["merge", "side", "-m", "both"])
    }
}

fn flow(nodes: &[(&str, &str)]) -> Flow {
    let mut flow = Flow::default();
    for (n, (id, command)) in nodes.iter().enumerate() {
        let at = Point {
            x: 0.0,
            y: n as f64 * 100.0,
        };
        let node = Node::new(*id, *command, at);
        flow.graph.add_node(node).expect("a fresh id");
    }
    flow
}

fn command(flow: &Flow, id: &str) -> Option<String> {
    flow.graph.node(&id.into()).map(|node| node.command.clone())
}

#[test]
fn git_merges_two_branches_through_handmill() {
    let repo = Repo::new();
    let told = repo.install();
    assert!(told.contains("merge.handmill.driver"), "{told}");
    // Both touch lines that lie together, which git alone cannot merge.
    let out = repo.merge(
        &flow(&[("a", "echo a"), ("b", "echo b")]),
        &flow(&[("a", "echo A"), ("b", "echo b"), ("mine", "echo mine")]),
        &flow(&[("a", "echo a"), ("b", "echo B"), ("theirs", "echo theirs")]),
    );
    assert!(out.status.success(), "{out:?}");
    let merged = repo.load();
    assert_eq!(command(&merged, "a").as_deref(), Some("echo A"));
    assert_eq!(command(&merged, "b").as_deref(), Some("echo B"));
    assert_eq!(merged.graph.n_nodes(), 4);
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_conflict_leaves_a_whole_file_and_a_list_and_is_settled_from_gits_own_stages() {
    let repo = Repo::new();
    repo.install();
    let out = repo.merge(
        &flow(&[("a", "echo a"), ("b", "echo b")]),
        &flow(&[("a", "echo ours"), ("b", "echo b")]),
        &flow(&[("a", "echo theirs"), ("b", "echo B")]),
    );
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    let said = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
    assert!(
        said.contains("conflict: Node ‘echo ours’: command"),
        "{said}"
    );
    assert!(said.contains("ours is in the file"), "{said}");
    let left = repo.load();
    assert_eq!(command(&left, "a").as_deref(), Some("echo ours"));
    assert_eq!(command(&left, "b").as_deref(), Some("echo B"));
    assert!(!repo.git(&["ls-files", "-u"]).is_empty(), "git knows of it");
    settle(&repo, Side::Theirs, "echo theirs");
}

/// As the window does: takes the file apart, picks one side for all, writes it.
fn settle(repo: &Repo, side: Side, expected: &str) {
    let home = Home::at(repo.0.path().join("home"));
    let path = repo.file().canonicalize().expect("there");
    let sides = store::sides(&path).expect("taken apart");
    let base = sides.base.as_deref();
    let three = Three::read(&path, base, &sides.ours, &sides.theirs).expect("read");
    let conflicts = three
        .merged(&path, &Picks::new())
        .expect("merged")
        .conflicts;
    assert!(!conflicts.is_empty());
    let picks = conflicts.into_iter().map(|c| (c.key, side)).collect();
    let writer = Writer { keep: Some(&home) };
    writer.settle(&path, &sides, &picks).expect("written");
    assert_eq!(command(&repo.load(), "a").as_deref(), Some(expected));
    let kept = store::backups(&home, &path).expect("listed");
    assert_eq!(kept.len(), 1, "the file as git left it is kept");
}

#[test]
fn without_the_driver_the_markers_are_told_by_line_and_both_sides_can_be_merged() {
    let repo = Repo::new();
    let out = repo.merge(
        &flow(&[("a", "echo a"), ("b", "echo b")]),
        &flow(&[("a", "echo ours"), ("b", "echo b")]),
        &flow(&[("a", "echo theirs"), ("b", "echo b")]),
    );
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    let text = fs::read_to_string(repo.file()).expect("text");
    let line = 1 + text
        .lines()
        .position(|l| l.starts_with("<<<<<<<"))
        .expect("markers");
    match store::load(&repo.file()) {
        Err(StoreError::Conflict { line: told, .. }) => assert_eq!(told, line),
        other => panic!("{other:?}"),
    }
    settle(&repo, Side::Theirs, "echo theirs");
    // Outside of any repository the markers are all there is.
    let alone = Repo(tempfile::tempdir().expect("a folder"));
    fs::write(alone.file(), text).expect("written");
    settle(&alone, Side::Ours, "echo ours");
}

#[test]
fn what_only_other_programs_know_comes_along_from_either_side() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = |name: &str| dir.path().join(name);
    let base = flow(&[("a", "echo a"), ("b", "echo b")]);
    store::save(&file("base"), &base, None).expect("saved");
    let text = fs::read_to_string(file("base")).expect("text");
    let remark = |path: &Path, words: &str| {
        let text = fs::read_to_string(path).expect("text");
        let with = text.replacen("<graph ", &format!("<!-- {words} -->\n  <graph "), 1);
        fs::write(path, with).expect("written");
    };
    for (ours_has, theirs_has) in [(true, false), (false, true)] {
        for (name, node, has) in [("ours", "a", ours_has), ("theirs", "b", theirs_has)] {
            fs::write(file(name), &text).expect("written");
            let mut flow = base.clone();
            flow.graph.node_mut(&node.into()).expect("there").command = name.into();
            store::save_over(&file(name), &flow).expect("saved");
            if has {
                remark(&file(name), "kept by hand");
            }
        }
        let merged = store::merge_files(&file("base"), &file("ours"), &file("theirs"));
        let merged = merged.expect("merged");
        assert!(
            merged.conflicts.is_empty() && merged.left_out.is_empty(),
            "{merged:?}"
        );
        let text = fs::read_to_string(file("ours")).expect("text");
        assert!(text.contains("kept by hand"), "{ours_has}: {text}");
        let flow = store::load(&file("ours")).expect("whole").flow;
        assert_eq!(command(&flow, "a").as_deref(), Some("ours"));
        assert_eq!(command(&flow, "b").as_deref(), Some("theirs"));
    }
}

#[test]
fn three_files_of_which_one_cannot_be_read_are_left_as_they_are() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = |name: &str| dir.path().join(name);
    store::save(&file("a"), &flow(&[("a", "echo a")]), None).expect("saved");
    fs::write(file("bad"), "<graphml><graph><node id=").expect("written");
    let before = fs::read(file("a")).expect("read");
    let out = Command::new(env!("CARGO_BIN_EXE_handmill"))
        .arg("merge")
        .args([file("a"), file("a"), file("bad")])
        .env("HANDMILL_HOME", dir.path().join("home"))
        .output()
        .expect("starts");
    assert_eq!(out.status.code(), Some(2), "{out:?}");
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(said.contains("their side"), "{said}");
    assert_eq!(fs::read(file("a")).expect("read"), before);
}
