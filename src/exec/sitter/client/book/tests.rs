use super::*;
use crate::model::{Exit, NodeIdx, Timestamp};

fn id(run: &str, node: u32) -> NodeRunId {
    NodeRunId {
        run: run.into(),
        node: NodeIdx(node),
        pass: 1,
        attempt: 1,
    }
}

fn flow() -> FlowRef {
    FlowRef {
        workspace: "w".into(),
        root: Path::new("/w").into(),
        file: "a.graphml".into(),
    }
}

fn job(run: &str, node: u32) -> Job {
    let dir = Path::new("/logs").join(run);
    Job::shell(
        id(run, node),
        "/bin/sh".into(),
        "true",
        "/".into(),
        vec![],
        &dir,
    )
}

fn exited(run: &str, node: u32) -> Report {
    Report::Exited {
        id: id(run, node),
        exit: Exit::Code(0),
    }
}

/// A book, and what it wanted since that was last looked at, in a word each.
#[derive(Default)]
struct Rig(Book, Vec<Effect>);

impl Rig {
    fn tell<T>(&mut self, tell: impl FnOnce(&mut Book, &mut Vec<Effect>) -> T) -> T {
        tell(&mut self.0, &mut self.1)
    }

    fn begin(&mut self, run: &str) {
        let env = Environment::default();
        self.tell(|book, out| book.begin(&run.into(), &flow(), &env, out));
    }

    fn launch(&mut self, run: &str, node: u32) {
        self.tell(|book, out| book.launch(job(run, node), out));
    }

    fn connected(&mut self) {
        assert!(self.tell(|book, out| book.connected(out)));
    }

    #[track_caller]
    fn wants(&mut self, expected: &str) {
        let wanted: Vec<String> = self.1.drain(..).map(|effect| word(&effect)).collect();
        assert_eq!(wanted.join(", "), expected);
    }
}

fn word(effect: &Effect) -> String {
    let of = |id: &NodeRunId| format!("{}{}", id.run, id.node.0);
    match effect {
        Effect::Connect { start } => format!("connect{}", if *start { "!" } else { "" }),
        Effect::Say(Ask::Begin { run, .. }) => format!("begin {run}"),
        Effect::Say(Ask::Launch(job)) => format!("launch {}", of(&job.id)),
        Effect::Say(Ask::Terminate { id, .. }) => format!("terminate {}", of(id)),
        Effect::Say(Ask::Attach { run, .. }) => format!("attach {run}"),
        Effect::Say(Ask::Deadline { until, .. }) => match until {
            Some(until) => format!("until {}", until.as_secs()),
            None => "for ever".to_owned(),
        },
        Effect::Say(Ask::Watch { workspace }) => format!("watch {workspace}"),
        Effect::Report(Report::Exited { id, .. }) => format!("{} ended", of(id)),
        Effect::Report(Report::Told(_)) => "notice".to_owned(),
        Effect::Report(Report::ControlLost(workspace)) => format!("control of {workspace} lost"),
        Effect::Report(Report::Others { runs, .. }) => format!("others {runs}"),
        Effect::LaunchOwn(job) => format!("own {}", of(&job.id)),
        Effect::TerminateOwn(id, _) => format!("end own {}", of(id)),
        Effect::AwaitOrphan(id, _) => format!("await {}", of(id)),
        Effect::EndOrphan(id, ..) => format!("end orphan {}", of(id)),
        other => format!("{other:?}"),
    }
}

fn deadline_at(rig: &mut Rig, seconds: u64) {
    let until = Some(Duration::from_secs(seconds));
    rig.tell(|book, out| book.set_deadline(&"w".into(), until, Duration::ZERO, out));
}

#[test]
fn what_is_said_before_there_is_a_connection_is_said_in_order_and_once() {
    let mut rig = Rig::default();
    rig.begin("r");
    rig.wants("connect!");
    rig.launch("r", 1);
    deadline_at(&mut rig, 9);
    let end = End::ask(Why::Stop);
    rig.tell(|book, out| book.terminate(&id("r", 1), end, out));
    rig.wants("");
    rig.connected();
    rig.wants("until 9, begin r, launch r1, terminate r1");
    rig.launch("r", 2);
    rig.wants("launch r2");
}

#[test]
fn without_a_sitter_nothing_is_said_but_what_is_worth_one() {
    let mut rig = Rig::default();
    rig.tell(|book, out| book.over(&"r".into(), out));
    rig.tell(|book, out| book.tame(&"w".into(), Tame::Kill, out));
    rig.tell(|book, out| book.watch(&"w".into(), false, out));
    assert_eq!(
        rig.tell(|book, out| book.ask(|ticket| Ask::Runs { ticket }, false, out)),
        None
    );
    rig.wants("");
    deadline_at(&mut rig, 9);
    rig.wants("connect!");
    rig.connected();
    rig.wants("until 9, watch w");
}

#[test]
fn a_run_that_begins_while_a_question_looks_in_vain_for_a_sitter_starts_one() {
    let mut rig = Rig::default();
    let run = || "o".into();
    rig.tell(|book, out| book.ask(|ticket| Ask::Attach { ticket, run: run() }, true, out));
    rig.wants("connect");
    rig.tell(|book, out| book.not_connected(false, "", out));
    rig.wants("");
    rig.tell(|book, out| book.ask(|ticket| Ask::Attach { ticket, run: run() }, true, out));
    rig.begin("r");
    rig.wants("connect");
    rig.tell(|book, out| book.not_connected(false, "", out));
    rig.wants("connect!");
}

#[test]
fn a_workspace_that_is_closed_before_there_is_a_connection_stays_closed() {
    let mut rig = Rig::default();
    deadline_at(&mut rig, 9);
    rig.tell(|book, out| book.close(&"w".into(), out));
    rig.connected();
    rig.wants("connect!, until 0");
    let mut rig = Rig::default();
    deadline_at(&mut rig, 9);
    rig.tell(|book, out| book.close(&"w".into(), out));
    deadline_at(&mut rig, 12);
    rig.connected();
    rig.wants("connect!, until 12");
}

#[test]
fn when_no_sitter_can_be_had_what_waits_and_what_comes_are_children_of_this_process() {
    let mut rig = Rig::default();
    rig.begin("r");
    rig.launch("r", 2);
    rig.launch("r", 1);
    rig.wants("connect!");
    rig.tell(|book, out| book.not_connected(true, "no room", out));
    rig.wants("notice, own r1, own r2");
    rig.launch("r", 3);
    rig.tell(|book, out| book.kill(&Scope::Everything, out));
    rig.wants("own r3, end own r1, end own r2, end own r3");
    assert!(rig.0.is_without());
}

#[test]
fn when_no_sitter_can_be_had_nothing_that_needs_control_starts() {
    let mut rig = Rig::default();
    let env = Environment::new([(EPOCH, "7")].map(|(name, value)| (name.into(), value.into())));
    rig.tell(|book, out| book.begin(&"r".into(), &flow(), &env, out));
    rig.launch("r", 1);
    rig.tell(|book, out| book.not_connected(true, "no room", out));
    rig.wants("connect!, notice, control of w lost, r1 ended");
    rig.launch("r", 2);
    rig.wants("control of w lost, r2 ended");
    // Others do.
    rig.begin("s");
    rig.launch("s", 1);
    rig.wants("own s1");
}

#[test]
fn of_a_dead_sitters_nodes_ends_are_told_the_unbegun_launched_again_and_the_rest_waited_for() {
    let mut rig = Rig::default();
    rig.begin("r");
    for node in 1..=4 {
        rig.launch("r", node);
    }
    rig.tell(|book, out| book.watch(&"w".into(), true, out));
    rig.connected();
    let (pid, birth) = (7, 8);
    let spawned = Report::Spawned {
        id: id("r", 3),
        pid,
        birth,
    };
    rig.tell(|book, out| book.reported(spawned, out));
    rig.1.clear();
    let held = rig.0.disconnected();
    assert_eq!(held.len(), 4);
    // Said while the folders are read.
    rig.tell(|book, out| book.terminate(&id("r", 2), End::ask(Why::Stop), out));
    rig.launch("r", 5);
    rig.wants("");
    let late = Fate::Ended(Timestamp(2), Exit::Code(0));
    let early = Fate::Ended(Timestamp(1), Exit::Code(0));
    let fates = [late, Fate::NotBegun, Fate::Begun, early];
    let fates = held.into_iter().map(|(id, _)| id).zip(fates).collect();
    rig.tell(|book, out| book.settle(fates, out));
    rig.wants("connect!, notice, r4 ended, r1 ended, others 0, await r3");
    rig.connected();
    rig.wants("watch w, begin r, launch r2, terminate r2, launch r5");
    rig.tell(|book, out| book.terminate(&id("r", 3), End::ask(Why::Stop), out));
    rig.wants("end orphan r3");
    // It is waited for already.
    let held = rig.0.disconnected();
    assert_eq!(
        held.into_iter().map(|(id, _)| id).collect::<Vec<_>>(),
        [id("r", 2), id("r", 5)]
    );
}

#[test]
fn a_dead_sitter_that_held_nothing_of_ours_is_not_replaced() {
    let mut rig = Rig::default();
    rig.tell(|book, out| book.watch(&"w".into(), true, out));
    rig.connected();
    rig.wants("connect, watch w");
    assert_eq!(rig.0.disconnected(), []);
    rig.tell(|book, out| book.settle(vec![], out));
    rig.wants("others 0");
    rig.begin("r");
    rig.wants("connect!");
}

#[test]
fn what_is_reported_of_a_run_that_is_taken_over_waits_until_the_runtime_knows_it() {
    let mut rig = Rig::default();
    rig.begin("mine");
    rig.connected();
    rig.1.clear();
    let run: RunId = "r".into();
    rig.0.hold_back(&run);
    rig.tell(|book, out| book.reported(exited("r", 1), out));
    let (workspace, runs, children) = ("w".into(), 1, 0);
    rig.tell(|book, out| {
        book.reported(
            Report::Others {
                workspace,
                runs,
                children,
            },
            out,
        )
    });
    rig.tell(|book, out| book.reported(exited("mine", 1), out));
    rig.wants("mine1 ended");
    let live = [1, 2].map(|node| Live {
        id: id("r", node),
        process: None,
        asked: None,
    });
    let given = rig
        .0
        .attached(&run, &flow(), Path::new("/logs/r"), Some(live.to_vec()));
    assert_eq!(given.expect("held").len(), 2);
    rig.tell(|book, out| book.taken_over(&run, &Environment::default(), out));
    rig.wants("r1 ended, others 1");
    let held: Vec<_> = rig.0.disconnected().into_iter().map(|(id, _)| id).collect();
    assert_eq!(held, [id("r", 2)], "what had ended is not waited for");
}

#[test]
fn after_the_goodbye_nothing_is_said_and_no_connection_is_made() {
    let mut rig = Rig::default();
    rig.begin("r");
    rig.0.goodbye();
    rig.launch("r", 1);
    assert!(!rig.tell(|book, out| book.connected(out)));
    rig.tell(|book, out| book.not_connected(true, "", out));
    assert_eq!(rig.0.disconnected(), []);
    rig.tell(|book, out| book.settle(vec![], out));
    rig.wants("connect!");
}
