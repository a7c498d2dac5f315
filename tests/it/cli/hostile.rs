//! Files and homes that nobody should have.

use super::*;

#[test]
fn a_name_that_is_not_utf8_is_no_panic() {
    let desk = Desk::new();
    let name = OsStr::from_bytes(b"f\xfe.wf");
    fs::write(desk.path(name), workfile(&[("a", "", "true")], &[])).expect("write");
    let said = |verb: &str| {
        let output = desk.command(&[verb, "--json"]).arg(name).output();
        Said::from(output.expect("start handmill"))
    };
    assert_eq!(said("check").objects()[0]["nodes"], 1);
    assert!(said("run").refused().contains("not UTF-8; rename it"));
    assert!(said("status").refused().contains("not UTF-8; rename it"));
}

#[test]
fn hostile_files_are_refused_in_one_sentence() {
    let desk = Desk::new();
    let deep = format!("<graphml>{}", "<a>".repeat(100_000));
    let files: [(&str, &[u8]); 7] = [
        ("entities", b"<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>\n<graphml><graph/></graphml>"),
        ("deep", deep.as_bytes()),
        ("zeros", &[0; 5_000]),
        ("latin", b"<graphml><graph><node id=\"\xff\"/></graph></graphml>"),
        ("twice", b"<graphml><graph><node id=\"a\"/><node id=\"a\"/></graph></graphml>"),
        ("gzip", b"\x1f\x8b\x08\x00rest"),
        ("page", b"<html><body>404</body></html>"),
    ];
    for (name, bytes) in files {
        fs::write(desk.path(name), bytes).expect("write");
    }
    std::os::unix::fs::symlink("/dev/zero", desk.path("device")).expect("link");
    std::os::unix::fs::symlink("circle", desk.path("circle")).expect("link");
    fs::create_dir(desk.path("folder")).expect("mkdir");
    let fifo = Command::new("mkfifo").arg(desk.path("pipe")).status();
    assert!(fifo.expect("mkfifo").success());
    let others = ["device", "circle", "folder", "pipe"];
    for name in files.iter().map(|(name, _)| *name).chain(others) {
        for verb in ["check", "run"] {
            let said = desk.run(&[verb, name]);
            let told = said.refused();
            assert!(
                told.starts_with("handmill: failed to ") && told.contains(name),
                "{told}"
            );
        }
    }
    assert!(!desk.home().exists(), "nothing was begun");
}

#[test]
fn a_chain_of_fifty_thousand_nodes_is_no_stack_overflow() {
    let desk = Desk::new();
    let ids: Vec<String> = (0..50_000).map(|n| n.to_string()).collect();
    let nodes: Vec<_> = ids.iter().map(|id| (id.as_str(), "", "")).collect();
    let edges: Vec<_> = ids
        .windows(2)
        .map(|two| (two[0].as_str(), two[1].as_str()))
        .collect();
    desk.flow("chain.wf", &nodes, &edges);
    let said = desk.run(&["run", "chain.wf", "-q"]);
    assert_eq!(said.code, Some(0));
    assert!(said.out.contains("50000 ran"), "{said:?}");
    let round: Vec<_> = edges.into_iter().chain([("49999", "0")]).collect();
    desk.flow("round.wf", &nodes, &round);
    assert!(desk.run(&["run", "round.wf"]).refused().contains("cycle"));
}

#[test]
fn a_command_longer_than_one_argument_runs() {
    let desk = Desk::new();
    let command = format!("echo {} | wc -c", "x".repeat(3 << 20));
    desk.flow("f.wf", &[("a", "", &command)], &[]);
    let said = desk.run(&["run", "f.wf"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(
        desk.run(&["logs", "f.wf"]).out.lines().last(),
        Some("3145729")
    );
}

#[test]
fn a_flow_file_that_goes_away_does_not_end_its_run() {
    let desk = Desk::new();
    let nodes = [
        (
            "a",
            "",
            "echo $$ > pid; until test -e go; do sleep 0.02; done",
        ),
        ("b", "", "true"),
    ];
    desk.flow("f.wf", &nodes, &[("a", "b")]);
    let run = desk.start(&["run", "f.wf"]);
    desk.wait_for("pid");
    fs::write(desk.path("f.wf"), "no workfile").expect("write");
    fs::remove_file(desk.path("f.wf")).expect("remove");
    fs::write(desk.path("go"), "").expect("write");
    let said = run.end();
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("2 ran"), "{said:?}");
}

#[test]
fn a_home_that_cannot_be_used_is_refused_in_one_sentence() {
    let desk = Desk::new();
    desk.flow("f.wf", &[("a", "", "echo x > touched")], &[]);
    fs::write(desk.home(), "a file").expect("write");
    for verb in ["run", "resume", "status", "logs"] {
        let said = desk.run(&[verb, "f.wf"]);
        assert!(
            said.refused().contains("a part of the path is a file"),
            "{said:?}"
        );
    }
    assert!(!desk.path("touched").exists());
}

#[test]
fn a_folder_in_the_place_of_the_ledger_is_named_once() {
    let desk = Desk::new();
    desk.flow("f.wf", &[("a", "", "true")], &[]);
    desk.run(&["run", "f.wf"]);
    let workspaces = fs::read_dir(desk.home().join("workspaces")).expect("list");
    let workspace = workspaces.last().expect("one").expect("entry").path();
    for file in fs::read_dir(&workspace).expect("list") {
        fs::remove_file(file.expect("entry").path()).ok();
    }
    fs::create_dir(workspace.join("ledger.sqlite")).expect("mkdir");
    for verb in ["run", "status"] {
        let said = desk.run(&[verb, "f.wf"]);
        let told = said.refused();
        assert_eq!(told.matches("ledger.sqlite").count(), 1, "{told}");
    }
}

#[test]
fn settings_that_cannot_be_read_are_told_and_kept_aside() {
    let desk = Desk::new();
    desk.flow("f.wf", &[("a", "", "true")], &[]);
    fs::create_dir(desk.home()).expect("mkdir");
    fs::write(desk.home().join("settings.json"), "{garbage").expect("write");
    let said = desk.run(&["run", "f.wf"]);
    assert_eq!(said.code, Some(0));
    assert!(
        said.err.contains("warning: ") && said.err.contains("is kept as"),
        "{said:?}"
    );
}

#[test]
fn a_limit_on_file_sizes_does_not_end_the_runner() {
    let desk = Desk::new();
    let nodes = [("a", "", "head -c 9000000 /dev/zero"), ("b", "", "true")];
    desk.flow("f.wf", &nodes, &[]);
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "ulimit -f 8; exec \"$0\" run f.wf",
            env!("CARGO_BIN_EXE_handmill"),
        ])
        .env("HANDMILL_HOME", desk.home())
        .current_dir(desk.path(""));
    let said = Said::from(command.output().expect("start"));
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.out.contains("SIGXFSZ"),
        "the node has the usual signal: {said:?}"
    );
    assert!(said.out.contains("1 ran · 1 failed"), "{said:?}");
    assert!(
        said.err.contains("The run history cannot be written"),
        "{said:?}"
    );
}
