//! Logs, printed and followed.

use super::*;

#[test]
fn logs_go_to_the_stream_they_were_written_to() {
    let desk = Desk::new();
    desk.flow(
        "f.wf",
        &[
            ("a", "", "echo out; echo err >&2"),
            ("b", "", "printf '\\0\\377'"),
        ],
        &[],
    );
    assert!(
        desk.run(&["logs", "f.wf"])
            .refused()
            .contains("no log of this flow")
    );
    desk.run(&["run", "f.wf"]);
    let said = desk.run(&["logs", "f.wf", "a"]);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("out\n", "err\n"));
    let bytes = desk
        .command(&["logs", "f.wf", "b"])
        .output()
        .expect("start");
    assert_eq!(bytes.stdout, b"\0\xff", "into a pipe a log goes as it is");
    assert!(
        desk.run(&["logs", "f.wf", "zz"])
            .refused()
            .contains("no node ‘zz’")
    );
    let said = desk.run(&["logs", "f.wf", "--run", "../../x"]);
    assert!(said.refused().contains("no log of run ‘../../x’"));
}

#[test]
fn following_a_log_ends_with_the_run() {
    let desk = Desk::new();
    let command = "echo one; echo $$ > pid; until test -e go; do sleep 0.02; done; echo two";
    desk.flow("f.wf", &[("a", "", command)], &[]);
    let run = desk.start(&["run", "f.wf"]);
    desk.wait_for("pid");
    let mut follow = desk.start(&["logs", "-f", "f.wf", "a"]);
    let out = follow
        .0
        .as_mut()
        .and_then(|child| child.stdout.take())
        .expect("piped");
    let mut lines = BufReader::new(out)
        .lines()
        .map(|line| line.expect("a line"));
    assert_eq!(lines.next().as_deref(), Some("one"));
    fs::write(desk.path("go"), "").expect("write");
    assert_eq!(lines.collect::<Vec<_>>(), ["two"]);
    assert_eq!(follow.end().code, Some(0));
    assert_eq!(run.end().code, Some(0));
}
