use std::fs;
use std::io::Write;

use super::*;

struct Logs(tempfile::TempDir);

impl Logs {
    fn new(out: &[u8], err: &[u8]) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join("out"), out).expect("written");
        fs::write(dir.path().join("err"), err).expect("written");
        Self(dir)
    }

    fn tail(&self, index: &[IndexEntry], max_bytes: u64, max_lines: usize) -> LogTail {
        let path = |name| self.0.path().join(name);
        read_tail(
            &path("out"),
            &path("err"),
            index,
            "n".into(),
            max_bytes,
            max_lines,
        )
    }
}

fn texts(tail: &LogTail) -> Vec<&str> {
    tail.lines.iter().map(|line| line.text.as_ref()).collect()
}

#[test]
fn without_an_index_output_comes_before_errors() {
    let tail = Logs::new(b"a\nb\n", b"x\ny").tail(&[], 1_000, 10);
    assert_eq!(texts(&tail), ["a", "b", "x", "y"]);
    assert_eq!((tail.total_bytes, tail.skipped_bytes), (7, 0));
    assert_eq!(tail.lines[2].stream, Stream::Err);
}

#[test]
fn an_index_gives_the_order_and_times_of_arrival() {
    let index = [
        (Stream::Out, 2, Timestamp(1)),
        (Stream::Err, 3, Timestamp(2)),
        (Stream::Out, 4, Timestamp(3)),
        (Stream::Err, 4, Timestamp(4)),
    ];
    // `y` was half there at 2 and whole at 4; `c` is newer than the index.
    let tail = Logs::new(b"a\nb\nc\n", b"x\ny\n").tail(&index, 1_000, 10);
    assert_eq!(texts(&tail), ["a", "x", "b", "y", "c"]);
    let times: Vec<_> = tail
        .lines
        .iter()
        .map(|line| line.at.map(|at| at.0))
        .collect();
    assert_eq!(times, [Some(1), Some(2), Some(3), Some(4), None]);
    let newest = Logs::new(b"a\nb\nc\n", b"x\ny\n").tail(&index, 1_000, 2);
    assert_eq!(texts(&newest), ["y", "c"]);
    assert_eq!(newest.skipped_bytes, 6);
}

#[test]
fn only_whole_lines_are_shown_of_a_log_that_is_cut() {
    let logs = Logs::new(b"first\nsecond\nthird\n", b"");
    assert_eq!(texts(&logs.tail(&[], 8, 10)), ["third"]);
    let exact = logs.tail(&[], 6, 10);
    assert_eq!(texts(&exact), ["third"]);
    assert_eq!(exact.skipped_bytes, 13);
    assert_eq!(texts(&logs.tail(&[], 13, 10)), ["second", "third"]);
    assert_eq!(texts(&logs.tail(&[], 1_000, 2)), ["second", "third"]);
    assert_eq!(logs.tail(&[], 1_000, 2).skipped_bytes, 6);
    // All there is of a line without end.
    let logs = Logs::new(&[b'x'; 5_000], b"");
    assert_eq!(texts(&logs.tail(&[], 10, 10)), ["xxxxxxxxxx"]);
}

#[test]
fn both_logs_get_room() {
    for (out, err, room, kept) in [
        (10, 0, 4, (4, 0)),
        (0, 10, 4, (0, 4)),
        (10, 10, 4, (2, 2)),
        (1, 10, 4, (1, 3)),
        (10, 1, 4, (3, 1)),
        (1, 1, 4, (1, 1)),
    ] {
        assert_eq!(shares(out, err, room), kept, "{out} {err} {room}");
    }
}

#[test]
fn a_log_that_is_missing_has_no_lines_and_one_that_is_unreadable_says_so() {
    let logs = Logs::new(b"", b"x\n");
    fs::remove_file(logs.0.path().join("out")).expect("removed");
    let tail = logs.tail(&[], 100, 10);
    assert_eq!(texts(&tail), ["x"]);
    assert_eq!(tail.trouble, "");
    fs::create_dir(logs.0.path().join("out")).expect("made");
    assert!(
        logs.tail(&[], 100, 10)
            .trouble
            .starts_with("log not readable")
    );
}

#[test]
fn a_binary_log_is_one_line() {
    let tail = Logs::new(&[0; 9_999], b"x\n").tail(&[], 100, 10);
    assert_eq!(texts(&tail), ["binary output, 9999 bytes", "x"]);
}

#[test]
fn the_end_of_a_gigabyte_is_read_without_reading_it() {
    let logs = Logs::new(b"text\n", b"");
    let mut file = fs::OpenOptions::new()
        .append(true)
        .open(logs.0.path().join("out"))
        .expect("opened");
    // Sparse: a hole of 1 GiB costs no disk, and reading it through would take a second.
    file.write_all(&[b'x'; PROBE_BYTES]).expect("written");
    file.set_len(1 << 30).expect("grown");
    file.write_all(b"\nlast\n").expect("written");
    let tail = logs.tail(&[], 64 * 1024, 1);
    assert_eq!(texts(&tail), ["last"]);
    assert_eq!(tail.skipped_bytes, (1 << 30) + 1);
}

#[test]
fn a_follower_gives_each_line_once() {
    let logs = Logs::new(b"", b"");
    let path = logs.0.path().join("out");
    let mut follower = Follower::new(&path);
    let mut lines = Vec::new();
    let mut file = fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .expect("opened");
    for part in ["one\ntw", "o\nthr"] {
        file.write_all(part.as_bytes()).expect("written");
        assert!(!follower.read(1_000, &mut lines).expect("read"));
    }
    assert_eq!(
        lines.iter().map(AsRef::as_ref).collect::<Vec<&str>>(),
        ["one", "two"]
    );
    assert_eq!(follower.partial().as_deref(), Some("thr"));
    file.write_all(b"ee\nfour\n").expect("written");
    assert!(
        follower.read(3, &mut lines).expect("read"),
        "more is waiting"
    );
    assert!(!follower.read(1_000, &mut lines).expect("read"));
    assert_eq!(lines.last().map(AsRef::as_ref), Some("four"));
    assert_eq!(follower.offset(), 19);
}
