//! The file: made late, refused, damaged, full.

use super::*;

#[test]
fn a_file_that_another_process_is_just_making_says_nothing_yet() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path().parent().expect("a folder")).expect("made");
    let conn = rusqlite::Connection::open(bench.path()).expect("made");
    conn.pragma_update(None, "journal_mode", "WAL")
        .expect("set");
    assert_eq!(bench.ledger.open_runs().expect("read"), []);
    let past = bench.ledger.past(&bench.flow).expect("read");
    assert!(past.nodes.is_empty());
}

#[test]
fn nothing_is_made_before_something_is_recorded() {
    let bench = Bench::new();
    let past = bench.ledger.past(&bench.flow).expect("a past");
    assert_eq!(past, crate::model::Past::default());
    bench.ledger.record(Event::Told(Notice::info("x")));
    bench.ledger.flush().expect("nothing to do");
    assert_eq!(bench.ledger.health().expect("health").format, 0);
    assert!(!bench.path().exists());
    assert_eq!(bench.folder.path().read_dir().expect("a folder").count(), 0);
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let mut bench = Bench::new();
    bench.start("r1", &["a"], Choice::Full);
    let path = bench.path();
    drop(bench.ledger);
    let conn = rusqlite::Connection::open(&path).expect("the file opens");
    conn.pragma_update(None, "user_version", 99).expect("set");
    drop(conn);
    let err = Ledger::open(&path, Timestamp(0), |_| ()).expect_err("refused");
    assert!(matches!(err, LedgerError::Newer { found: 99, .. }), "{err}");
    assert!(err.to_string().contains("update Handmill"), "{err}");
    let conn = rusqlite::Connection::open(&path).expect("the file opens");
    let format: i64 = conn
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .expect("a version");
    assert_eq!(format, 99);
}

#[test]
fn a_database_of_another_program_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.sqlite");
    let conn = rusqlite::Connection::open(&path).expect("a database");
    conn.execute_batch("CREATE TABLE theirs (x)")
        .expect("a table");
    drop(conn);
    let err = Ledger::open(&path, Timestamp(0), |_| ()).expect_err("refused");
    assert!(matches!(err, LedgerError::Foreign { .. }), "{err}");
}

#[test]
fn a_damaged_file_is_moved_aside_and_told() {
    let mut bench = Bench::new();
    bench.start("r1", &["a"], Choice::Full);
    let path = bench.path();
    let flow = bench.flow.clone();
    drop(bench.ledger);
    let whole = std::fs::read(&path).expect("the file");
    let mut torn = whole.clone();
    // Keep the header, so that only a look inside finds it.
    torn[1_000..].fill(0x5a);
    for (n, damaged) in [
        (1, torn),
        (2, b"not a database at all, but long enough".repeat(200)),
    ] {
        std::fs::write(&path, &damaged).expect("written");
        let (tell, notices) = channel();
        let ledger = Ledger::open(&path, Timestamp(0), move |notice| drop(tell.send(notice)))
            .expect("a new one is begun");
        let notice = notices.try_recv().expect("told");
        let aside = path.with_file_name(format!("ledger.corrupt-{n}.sqlite"));
        assert!(
            notice.hint.contains(&*aside.to_string_lossy()),
            "{notice:?}"
        );
        assert_eq!(std::fs::read(&aside).expect("kept"), damaged);
        assert_eq!(ledger.history(&flow, 9, None).expect("history"), []);
        ledger.record(Event::StatusCleared {
            flow: flow.clone(),
            nodes: None,
            at: Timestamp(1),
        });
        ledger.flush().expect("the new one can be written");
    }
}

#[test]
fn a_full_disk_is_told_once_and_nothing_is_lost_when_there_is_room_again() {
    let mut bench = Bench::new();
    let names: Vec<String> = (0..300).map(|n| format!("node {n:0>200}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let run = bench.start("r1", &names, Choice::Full);
    bench.node(&run, 0, 0);
    bench.ledger.flush().expect("there is room");
    bench.ledger.limit_pages(1);
    for node in 1..300 {
        bench.node(&run, node, 0);
    }
    let err = bench.ledger.flush().expect_err("the disk is full");
    assert!(matches!(err, LedgerError::Write { .. }), "{err}");
    bench
        .ledger
        .past(&bench.flow)
        .expect_err("a past without the newest facts would lie");
    let history = bench
        .ledger
        .history(&bench.flow, 9, None)
        .expect("what there is");
    assert_eq!(history[0].counts.ran, 1);
    bench.finish(&run, Outcome::Succeeded, &[]);
    bench.ledger.limit_pages(0);
    bench.ledger.flush().expect("there is room again");
    let past = bench.ledger.past(&bench.flow).expect("a past");
    assert_eq!(past.nodes.len(), 300);
    assert_eq!(past.last.expect("a last run").facts.len(), 600);
    let told: Vec<Notice> = bench.notices.try_iter().collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].hint.contains("Make room"), "{told:?}");
    assert!(bench.ledger.health().expect("health").troubles.is_empty());
}
