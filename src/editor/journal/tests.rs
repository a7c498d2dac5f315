use super::*;
use crate::model::{FlowField, Node, Point};
use crate::store::{self, Header};

fn title(text: &str) -> Edit {
    Edit::SetFlow(FlowField::Title(text.into()))
}

fn begin(ticket: u64, path: Option<&str>, edits: Vec<Edit>) -> Note {
    Note::Begin {
        ticket,
        base: Base {
            path: path.map(PathBuf::from),
            title: "T".into(),
            flow: Arc::default(),
            hash: path.map(|_| [3; 32]),
            replaces: None,
        },
        n_steps: edits.len(),
        since: Since::Edits(edits),
        typed: None,
        at: Timestamp(1_000_000),
    }
}

fn files(home: &std::path::Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(home.join("journals")) else {
        return Vec::new();
    };
    entries.map(|e| e.expect("entry").path()).collect()
}

/// What the journals of this process hold, read as if it were dead.
fn left(file: &std::path::Path, path: Option<&str>) -> Left {
    begun(file, path).expect("header")
}

/// The same of one that its thread may be at work on; `None` before it has a header.
fn begun(file: &std::path::Path, path: Option<&str>) -> Option<Left> {
    let bytes = std::fs::read(file).expect("read");
    let mut records = Vec::new();
    let mut rest = &bytes[..];
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let len = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let Some((record, after)) = after.split_at_checked(len) else {
            break;
        };
        records.push(record.to_vec());
        rest = after;
    }
    if records.is_empty() {
        return None;
    }
    let header: Header = serde_json::from_slice(&records.remove(0)).expect("header");
    assert_eq!(header.path.as_deref(), path.map(std::path::Path::new));
    Some(Left {
        file: file.to_owned(),
        header,
        records,
        torn: false,
    })
}

#[test]
fn what_was_sent_is_on_the_disk_when_the_thread_has_taken_it_and_gone_when_it_is_saved() {
    let dir = tempfile::tempdir().expect("temp dir");
    let home = Home::at(dir.path());
    let journal = Journal::start(home.clone(), || {}).expect("thread");
    journal.send(begin(1, Some("/w/a.wf"), vec![title("a")]));
    let at = Timestamp(2_000_000);
    let edits = vec![title("b"), title("c")];
    journal.send(Note::Edits {
        ticket: 1,
        edits,
        typed: None,
        at,
    });
    journal.send(begin(2, None, vec![title("x")]));
    journal.send(Note::End { ticket: 2 });
    drop(journal);
    let files = files(dir.path());
    assert_eq!(files.len(), 1, "{files:?}");
    let unsaved = replay(left(&files[0], Some("/w/a.wf")), None).expect("worth asking");
    assert_eq!(unsaved.flow.title, "c");
    assert_eq!((unsaved.n_steps, unsaved.at, unsaved.torn), (3, at, false));
    assert_eq!(*unsaved.base, Flow::default());
    // Ours, and we live.
    let path = std::path::Path::new("/w/a.wf");
    assert!(
        store::left_journals(&home, Some(path))
            .expect("list")
            .is_empty()
    );
}

#[test]
fn a_journal_begun_anew_replaces_the_old_one() {
    let dir = tempfile::tempdir().expect("temp dir");
    let journal = Journal::start(Home::at(dir.path()), || {}).expect("thread");
    for n in 0..3 {
        journal.send(begin(1, None, vec![title(&n.to_string())]));
    }
    drop(journal);
    let files = files(dir.path());
    assert_eq!(files.len(), 1);
    let unsaved = replay(left(&files[0], None), None).expect("worth asking");
    assert_eq!(unsaved.flow.title, "2");
}

#[test]
fn edits_are_replayed_on_the_file_when_it_is_the_same_and_on_their_own_base_when_it_is_not() {
    let dir = tempfile::tempdir().expect("temp dir");
    let journal = Journal::start(Home::at(dir.path()), || {}).expect("thread");
    journal.send(begin(1, Some("/w/a.wf"), vec![title("a")]));
    drop(journal);
    let file = files(dir.path()).remove(0);
    let mut held = Flow::default();
    let node = Node::new("n", "echo", Point::default());
    held.graph.add_node(node).expect("fresh id");
    let held = Arc::new(held);
    let same = replay(left(&file, Some("/w/a.wf")), Some((&held, [3; 32]))).expect("some");
    assert_eq!(same.base, held);
    assert_eq!(same.flow.graph.n_nodes(), 1);
    let other = replay(left(&file, Some("/w/a.wf")), Some((&held, [4; 32]))).expect("some");
    assert_eq!(*other.base, Flow::default());
    // Saved after all, by whatever way.
    let saved = Arc::new(Flow {
        title: "a".into(),
        ..Flow::default()
    });
    assert_eq!(
        replay(left(&file, Some("/w/a.wf")), Some((&saved, [5; 32]))),
        None
    );
}

#[test]
fn a_journal_that_cannot_be_written_is_told_once_per_try_and_a_later_one_is() {
    let dir = tempfile::tempdir().expect("temp dir");
    let blocked = dir.path().join("journals");
    std::fs::write(&blocked, "a file where a folder should be").expect("write");
    let (woken, wait) = channel();
    let journal = Journal::start(Home::at(dir.path()), move || {
        woken.send(()).ok();
    })
    .expect("thread");
    journal.send(begin(1, None, vec![title("a")]));
    wait.recv().expect("woken");
    match journal.drain().next() {
        Some(News::Lost(1, notice)) => {
            assert!(notice.what.contains("journals"), "{notice:?}");
        }
        other => panic!("{other:?}"),
    }
    // Nothing to add to; not told again.
    let edits = vec![title("b")];
    let at = Timestamp(0);
    journal.send(Note::Edits {
        ticket: 1,
        edits,
        typed: None,
        at,
    });
    std::fs::remove_file(&blocked).expect("remove");
    journal.send(begin(1, None, vec![title("c")]));
    drop(journal);
    assert!(wait.try_recv().is_err());
    assert_eq!(files(dir.path()).len(), 1);
}

#[test]
fn of_what_is_being_typed_the_last_comes_back_unless_it_was_dropped() {
    let dir = tempfile::tempdir().expect("temp dir");
    let journal = Journal::start(Home::at(dir.path()), || {}).expect("thread");
    let typing = |text: Option<&str>, edits: Vec<Edit>| Note::Edits {
        ticket: 1,
        edits,
        typed: text.map(title),
        at: Timestamp(2_000_000),
    };
    let back = |wanted: &str, n_steps: usize| {
        let file = files(dir.path()).remove(0);
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        loop {
            // Between the making of the file and its first edit there is nothing to ask about.
            let unsaved = begun(&file, None).and_then(|left| replay(left, None));
            let found = unsaved.as_ref().map(|u| (&*u.flow.title, u.n_steps));
            if found == Some((wanted, n_steps)) {
                return;
            }
            assert!(std::time::Instant::now() < deadline, "{unsaved:?}");
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    journal.send(begin(1, None, vec![title("a")]));
    while files(dir.path()).is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
    journal.send(typing(Some("ab"), Vec::new()));
    journal.send(typing(Some("abc"), Vec::new()));
    back("abc", 2);
    journal.send(typing(None, Vec::new()));
    back("a", 1);
    journal.send(typing(Some("abc"), Vec::new()));
    journal.send(typing(None, vec![title("abc")]));
    back("abc", 2);
}
