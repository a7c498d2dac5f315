//! Runners that are stopped, interrupted, killed or left alone.

use super::*;

#[test]
fn a_second_runner_is_refused_and_another_process_stops_the_first() {
    let desk = Desk::new();
    desk.flow("f.wf", &[("a", "", LASTING)], &[]);
    let run = desk.start(&["run", "f.wf"]);
    let pid = desk.wait_for("pid");
    let runner = format!("process {}", run.pid().as_raw_nonzero());
    for verb in ["run", "resume"] {
        let said = desk.run(&[verb, "f.wf"]);
        assert!(said.refused().contains(&runner), "{said:?}");
    }
    assert!(desk.run(&["status", "f.wf"]).out.contains(&runner));
    let said = desk.run(&["stop", "f.wf"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(run.end().code, Some(130));
    assert!(!is_alive(&pid));
    assert!(
        desk.run(&["stop", "f.wf"])
            .refused()
            .contains("not running")
    );
}

#[test]
fn the_first_ctrl_c_asks_and_so_do_a_polite_kill_and_a_closed_terminal() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let desk = Desk::new();
        let command =
            "trap 'echo bye > bye; exit 1' TERM; echo $$ > pid; while :; do sleep 0.02; done";
        desk.flow(
            "f.wf",
            &[("a", "", command), ("b", "", "true")],
            &[("a", "b")],
        );
        let run = desk.start(&["run", "f.wf"]);
        let pid = desk.wait_for("pid");
        run.signal(signal);
        let said = run.end();
        assert_eq!(said.code, Some(130), "{signal:?}: {said:?}");
        assert_eq!(desk.wait_for("bye"), "bye", "it had its grace");
        assert!(!is_alive(&pid));
        assert!(said.out.contains("1 stopped · 1 skipped"), "{said:?}");
    }
}

#[test]
fn the_second_ctrl_c_kills_everyone_at_once() {
    let desk = Desk::new();
    fs::create_dir(desk.home()).expect("mkdir");
    fs::write(
        desk.home().join("settings.json"),
        r#"{"grace_seconds": 3600}"#,
    )
    .expect("write");
    let command = "trap 'echo asked > asked' TERM; trap '' INT HUP
        setsid sh -c 'trap \"\" TERM; echo $$ > away; while :; do sleep 600; done' &
        echo $$ > pid; while :; do sleep 0.02; done";
    desk.flow("f.wf", &[("a", "", command)], &[]);
    let run = desk.start(&["run", "f.wf"]);
    let pids = [desk.wait_for("pid"), desk.wait_for("away")];
    run.signal(Signal::INT);
    desk.wait_for("asked");
    run.signal(Signal::INT);
    assert_eq!(run.end().code, Some(130));
    for pid in pids {
        assert!(!is_alive(&pid), "{pid} lives on");
    }
}

#[test]
fn what_a_killed_runner_left_is_found_whoever_looks_first() {
    let desk = Desk::new();
    desk.flow("f.wf", &[("a", "", LASTING)], &[]);
    let run = desk.start(&["run", "f.wf"]);
    let pid = desk.wait_for("pid");
    // Its facts reach the disk a moment after its process.
    let start = Instant::now();
    while !desk.run(&["status", "f.wf"]).out.contains("running  ") {
        assert!(start.elapsed() < PATIENCE, "never recorded");
    }
    run.signal(Signal::KILL);
    run.end();
    for _ in 0..2 {
        let said = desk.run(&["status", "f.wf"]);
        assert!(said.out.contains("interrupted"), "{said:?}");
    }
    assert!(is_alive(&pid));
    for args in [&["resume", "f.wf"][..], &["run", "f.wf", "--full"]] {
        let said = desk.run(args);
        assert!(
            said.refused().contains(&format!("(process {pid})")),
            "{said:?}"
        );
    }
    let said = desk.run(&["stop", "f.wf"]);
    assert!(said.out.contains("ended 1 of its processes"), "{said:?}");
    assert!(!is_alive(&pid));
    desk.flow("f.wf", &[("a", "", "true")], &[]);
    let said = desk.run(&["resume", "f.wf"]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_run() {
    let desk = Desk::new();
    let nodes = [
        ("a", "", "true"),
        ("b", "", "until test -e go; do sleep 0.02; done"),
        ("c", "", "echo end > end"),
    ];
    desk.flow("f.wf", &nodes, &[("a", "b"), ("b", "c")]);
    let mut run = desk.start(&["run", "f.wf"]);
    let out = run
        .0
        .as_mut()
        .and_then(|child| child.stdout.take())
        .expect("piped");
    let mut reader = BufReader::new(out);
    reader.read_line(&mut String::new()).expect("a line");
    drop(reader);
    fs::write(desk.path("go"), "").expect("write");
    assert_eq!(run.end().code, Some(0));
    assert_eq!(desk.wait_for("end"), "end");
}

#[test]
fn a_closed_terminal_takes_its_whole_session_along() {
    let desk = Desk::new();
    desk.flow("f.wf", &[("a", "", LASTING)], &[]);
    let mut command = desk.command(&["run", "f.wf"]);
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    let run = Live(Some(command.spawn().expect("start")));
    let pid = desk.wait_for("pid");
    kill_process_group(run.pid(), Signal::HUP).expect("signal");
    assert_eq!(run.end().code, Some(130));
    assert!(!is_alive(&pid));
}
