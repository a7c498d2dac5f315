//! The catalog while files, folders and roots come and go.

use super::*;

/// A runtime and the boards it publishes.
pub struct Desk {
    pub runtime: Runtime,
    woken: Receiver<()>,
}

impl Desk {
    pub fn start_in(home: &Path) -> Self {
        let (wake, woken) = channel();
        let runtime = Runtime::start(Config {
            home: Home::at(home),
            face: "window",
            manner: runtime::Manner::default(),
            processes: handmill::runtime::Processes::Own,
            control: crate::support::control(),
            wake: Some(Box::new(move || {
                // Nobody waits any more when the test has ended.
                wake.send(()).ok();
            })),
            events: None,
        });
        Self {
            runtime: runtime.expect("start the runtime"),
            woken,
        }
    }

    #[track_caller]
    pub fn wait(&self, what: &str, is_so: impl Fn(&Board) -> bool) -> Arc<Board> {
        let until = Instant::now() + PATIENCE;
        loop {
            let board = self.runtime.handle().board();
            if is_so(&board) {
                return board;
            }
            let left = until.saturating_duration_since(Instant::now());
            if self.woken.recv_timeout(left).is_err() {
                panic!("{what} never came; the catalog is {:#?}", board.catalog);
            }
        }
    }

    pub fn end(self) {
        self.runtime.handle().send(Order::ShutDown);
        self.runtime.join();
    }
}

fn first(board: &Board) -> Option<&WorkspaceEntry> {
    board
        .catalog
        .workspaces
        .first()
        .map(|workspace| &**workspace)
}

fn titles(board: &Board) -> Vec<&str> {
    let flows = first(board).map(|workspace| workspace.flows.iter());
    flows
        .into_iter()
        .flatten()
        .map(|flow| flow.title.as_str())
        .collect()
}

#[test]
fn the_catalog_follows_files_folders_and_workspaces_that_come_and_go() {
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().join("c");
    let modules = root.join("w/flow_modules");
    put(&modules.join("a.graphml"), &workfile("A", "", ""));
    let desk = Desk::start_in(&dir.path().join("home"));
    desk.runtime
        .handle()
        .send(Order::SetCollection(Some(root.clone())));
    desk.wait("the first look", |board| titles(board) == ["A"]);

    put(&modules.join("b.graphml"), &workfile("B", "", ""));
    desk.wait("a new file", |board| titles(board) == ["A", "B"]);
    put(&modules.join("sub/deep/c.graphml"), &workfile("C", "", ""));
    desk.wait("a file in new folders", |board| {
        titles(board) == ["A", "B", "C"]
    });
    put(&modules.join("b.graphml"), "broken");
    desk.wait("a file that broke", |board| {
        first(board).is_some_and(|w| w.flows.iter().any(|flow| flow.problem.is_some()))
    });
    fs::rename(modules.join("sub"), dir.path().join("away.d")).expect("move a folder away");
    desk.wait("a folder that went", |board| titles(board) == ["A", "b"]);
    fs::remove_file(modules.join("b.graphml")).expect("remove");
    desk.wait("a file that went", |board| titles(board) == ["A"]);
    put(&modules.join("m.py"), "");
    desk.wait("a module", |board| {
        first(board).is_some_and(|w| w.modules.len() == 1)
    });

    fs::create_dir(root.join("later")).expect("make a folder");
    put(&root.join("later/notes.txt"), "");
    fs::create_dir(root.join("later/flow_modules")).expect("make a folder");
    desk.wait("a new workspace", |board| {
        names(&board.catalog) == ["later", "w"]
    });
    put(
        &root.join("later/flow_modules/z.wf"),
        &workfile("Z", "", ""),
    );
    desk.wait("a flow in the new workspace", |board| {
        titles(board) == ["Z"]
    });
    fs::remove_dir_all(root.join("later")).expect("remove");
    desk.wait("a workspace that went", |board| {
        names(&board.catalog) == ["w"]
    });
    desk.end();
}

#[test]
fn a_root_that_goes_is_told_and_one_that_returns_is_found_by_itself() {
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().join("share/c");
    put(
        &root.join("w/flow_modules/a.graphml"),
        &workfile("A", "", ""),
    );
    let desk = Desk::start_in(&dir.path().join("home"));
    desk.runtime
        .handle()
        .send(Order::SetCollection(Some(root.clone())));
    desk.wait("the first look", |board| titles(board) == ["A"]);

    for round in 0..3 {
        let (from, to) = (dir.path().join("share"), dir.path().join("elsewhere"));
        match round {
            // The root itself is renamed, then removed and made anew, then goes with what it lies in.
            0 => fs::rename(&root, &to).expect("rename"),
            1 => {
                fs::create_dir(&to).expect("make a folder");
                fs::rename(root.join("w"), to.join("w")).expect("rename");
                fs::remove_dir(&root).expect("remove");
            }
            _ => {
                fs::rename(&from, &to).expect("rename");
                desk.runtime.handle().send(Order::LookAgain);
            }
        }
        let board = desk.wait("the trouble", |board| !board.catalog.trouble.is_empty());
        assert_eq!(
            board.catalog.root.as_deref(),
            Some(&*root),
            "it is remembered"
        );
        assert_eq!(titles(&board), ["A"], "what was known is still shown");
        let title = format!("A{round}");
        match round {
            2 => {
                put(
                    &to.join("c/w/flow_modules/a.graphml"),
                    &workfile(&title, "", ""),
                );
                fs::rename(&to, &from).expect("rename");
            }
            _ => {
                put(
                    &to.join("w/flow_modules/a.graphml"),
                    &workfile(&title, "", ""),
                );
                fs::rename(&to, &root).expect("rename");
            }
        }
        desk.wait("the root is back", |board| {
            board.catalog.trouble.is_empty() && titles(board) == [title.as_str()]
        });
        // And it is followed as before.
        put(
            &root.join("w/flow_modules/a.graphml"),
            &workfile("A", "", ""),
        );
        desk.wait("a change after the return", |board| titles(board) == ["A"]);
    }
    desk.end();
}

#[test]
fn another_root_takes_the_place_of_the_one_before() {
    let dir = tempfile::tempdir().expect("a folder");
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    put(
        &one.join("w/flow_modules/a.graphml"),
        &workfile("One", "", ""),
    );
    put(
        &two.join("w/flow_modules/a.graphml"),
        &workfile("Two", "", ""),
    );
    let desk = Desk::start_in(&dir.path().join("home"));
    let handle = desk.runtime.handle();
    for _ in 0..20 {
        handle.send(Order::SetCollection(Some(one.clone())));
        handle.send(Order::SetCollection(Some(two.clone())));
    }
    desk.wait("the second root", |board| titles(board) == ["Two"]);
    handle.send(Order::SetCollection(None));
    desk.wait("no root", |board| board.catalog.root.is_none());
    desk.end();
}
