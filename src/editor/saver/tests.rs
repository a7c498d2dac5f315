use std::fs;
use std::sync::Arc;

use super::desk::guarded;
use super::*;
use crate::disk::{self, Stamp};
use crate::editor::{DiskState, Document};
use crate::model::{Flow, FlowRef, Node, Point};
use crate::store::{self, SaveError};

struct Bench {
    saver: Saver,
    woken: Receiver<()>,
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let (sender, woken) = channel();
        let dir = tempfile::tempdir().expect("temp dir");
        let home = Home::at(dir.path().join("home"));
        Self {
            saver: Saver::start(home, None, move || {
                sender.send(()).ok();
            })
            .expect("thread"),
            woken,
            dir,
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("a.graphml")
    }

    fn flow_ref(&self) -> FlowRef {
        store::locate(&self.path()).expect("locate")
    }

    fn next(&self) -> Done {
        self.woken.recv().expect("the saver lives");
        self.saver.drain().next().expect("a result per wake")
    }

    fn run(&self, task: Task) -> Outcome {
        self.saver.send(1, task);
        self.next().outcome
    }

    fn save(&self, command: &str, onto: Onto) -> Task {
        Task::Save {
            flow_ref: self.flow_ref(),
            flow: flow(command),
            place: 7,
            onto,
            trusted: true,
        }
    }

    fn saved(&self, command: &str, onto: Onto) -> Stamp {
        match self.run(self.save(command, onto)) {
            Outcome::Saved {
                place: 7,
                result: Ok((_, saved)),
                ..
            } => saved.stamp,
            other => panic!("{other:?}"),
        }
    }

    fn check(&self, disk: DiskState) -> Found {
        let flow_ref = self.flow_ref();
        let doc = Document::new(flow_ref.clone(), Arc::default(), disk.clone());
        let standing = doc.standing();
        match self.run(Task::Check {
            flow_ref,
            disk,
            standing,
        }) {
            Outcome::Checked(found) => found,
            other => panic!("{other:?}"),
        }
    }

    /// As another program would.
    fn write_outside(&self, command: &str) -> Stamp {
        store::save_copy(&self.path(), &flow(command), None, true)
            .expect("write")
            .stamp
    }

    fn on_disk(&self) -> String {
        let flow = store::load(&self.path()).expect("load").flow;
        let command = flow.graph.nodes().next().map(|node| node.command.clone());
        command.expect("one node")
    }
}

fn flow(command: &str) -> Arc<Flow> {
    let mut flow = Flow::default();
    let node = Node::new("a", command, Point::default());
    flow.graph.add_node(node).expect("fresh id");
    Arc::new(flow)
}

#[test]
fn a_saved_flow_is_loaded_again() {
    let bench = Bench::new();
    let stamp = bench.saved("one", Onto::Nothing);
    match bench.run(Task::Load(bench.path())) {
        Outcome::Loaded(Ok(opened)) => {
            assert_eq!(opened.flow_ref, bench.flow_ref());
            assert_eq!(opened.version.flow, flow("one"));
            assert_eq!(opened.version.stamp, stamp);
            assert!(opened.version.is_trusted, "saved here");
            assert_eq!(opened.unsaved, None);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn saves_sent_at_once_all_succeed() {
    let bench = Bench::new();
    let mut onto = Onto::Nothing;
    for _ in 0..2 {
        // None of the three has heard of the one before.
        for command in ["two", "three", "four"] {
            bench.saver.send(2, bench.save(command, onto.clone()));
        }
        for _ in 0..3 {
            match bench.next().outcome {
                Outcome::Saved { result: Ok(_), .. } => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(bench.on_disk(), "four");
        onto = Onto::Version(disk::stamp(&bench.path()).expect("stamp"));
    }
}

#[test]
fn a_change_by_another_program_is_never_taken_for_an_own_save() {
    let bench = Bench::new();
    let one = bench.saved("one", Onto::Nothing);
    let two = bench.saved("two", Onto::Version(one.clone()));
    bench.write_outside("theirs");
    for stamp in [one, two] {
        match bench.run(bench.save("mine", Onto::Version(stamp))) {
            Outcome::Saved {
                result: Err(Trouble::Save(SaveError::ChangedOutside { .. })),
                ..
            } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(bench.on_disk(), "theirs");
    bench.saved("mine", Onto::Whatever);
    assert_eq!(bench.on_disk(), "mine");
}

#[test]
fn a_check_tells_own_saves_from_outside_changes() {
    let bench = Bench::new();
    assert!(matches!(bench.check(DiskState::New), Found::Same));
    let one = bench.saved("one", Onto::Nothing);
    let two = bench.saved("two", Onto::Version(one.clone()));
    // Sent before the second save was heard of.
    assert!(matches!(bench.check(DiskState::InStep(one)), Found::Same));
    let three = bench.write_outside("three");
    match bench.check(DiskState::InStep(two.clone())) {
        Found::Changed(loaded) => assert_eq!(loaded.theirs().flow, flow("three")),
        other => panic!("{other:?}"),
    }
    // Back to what we wrote once: the document has reloaded, so this is news to it.
    bench.write_outside("two");
    match bench.check(DiskState::InStep(three.clone())) {
        Found::Changed(loaded) => assert_eq!(loaded.theirs().flow, flow("two")),
        other => panic!("{other:?}"),
    }
    let back = DiskState::Changed { ours: two };
    assert!(matches!(bench.check(back), Found::Same));
    fs::remove_file(bench.path()).expect("remove");
    assert!(matches!(bench.check(DiskState::InStep(three)), Found::Gone));
    fs::write(bench.path(), "no workfile").expect("write");
    assert!(matches!(
        bench.check(DiskState::Deleted),
        Found::Unreadable(_)
    ));
}

#[test]
fn a_file_put_back_as_it_was_is_news_to_a_document_that_missed_it() {
    let bench = Bench::new();
    bench.saved("one", Onto::Nothing);
    assert!(matches!(bench.check(DiskState::Deleted), Found::Changed(_)));
}

#[test]
fn a_job_that_cannot_be_done_is_told_and_the_next_is_done() {
    let bench = Bench::new();
    match bench.run(Task::Load(bench.path())) {
        Outcome::Loaded(Err(why)) => {
            let notice = why.why.notice();
            assert!(notice.what.starts_with("Failed to read file"), "{notice:?}");
            assert!(notice.what.ends_with("a.graphml"), "{notice:?}");
        }
        other => panic!("{other:?}"),
    }
    bench.saved("one", Onto::Nothing);
}

#[test]
fn an_error_in_handmill_costs_one_job_only() {
    let told = guarded::<()>(|| panic!("out of cheese")).expect_err("broke");
    assert!(told.to_string().contains("out of cheese"), "{told}");
    let told = guarded::<()>(|| panic!("{}", 7)).expect_err("broke");
    assert!(told.to_string().contains('7'), "{told}");
}

#[test]
fn dropping_the_saver_finishes_what_was_sent() {
    let bench = Bench::new();
    let path = bench.path();
    for n in 0..20 {
        bench
            .saver
            .send(n, bench.save(&format!("v{n}"), Onto::Nothing));
    }
    let Bench { saver, dir, .. } = bench;
    drop(saver);
    let loaded = store::load(&path).expect("load");
    assert_eq!(loaded.flow, *flow("v19"));
    drop(dir);
}

#[test]
fn save_as_tells_where_the_flow_is_now() {
    let bench = Bench::new();
    fs::create_dir_all(bench.dir.path().join("ws/flow_modules")).expect("mkdir");
    let path = bench.dir.path().join("ws/flow_modules/b.wf");
    let task = Task::SaveAs {
        path,
        flow: flow("x"),
        place: 3,
        origin: Some(bench.path()),
        overwrite: false,
        trusted: true,
    };
    match bench.run(task) {
        Outcome::Saved {
            place: 3,
            result: Ok((flow_ref, _)),
            ..
        } => assert_eq!(&*flow_ref.file, "flow_modules/b.wf"),
        other => panic!("{other:?}"),
    }
}
