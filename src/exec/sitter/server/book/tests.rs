use std::ffi::OsString;

use super::*;
use crate::model::NodeIdx;

fn id(run: &str, node: u32) -> NodeRunId {
    NodeRunId {
        run: run.into(),
        node: NodeIdx(node),
        pass: 1,
        attempt: 1,
    }
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A book, and what it wanted since that was last looked at, in a word each.
#[derive(Default)]
struct Rig(Book, Vec<Effect>);

impl Rig {
    fn client(&mut self) -> Client {
        let client = self.0.enter("/bin/handmill".into(), &mut self.1);
        self.1.clear();
        client.expect("let in")
    }

    fn asks(&mut self, client: Client, ask: Ask) {
        self.0.asked(client, ask, seconds(100), &mut self.1);
    }

    /// A run of workspace `w` begins, with one attempt.
    fn runs(&mut self, client: Client, run: &str) {
        self.runs_with(client, run, vec![]);
    }

    /// One that runs under control of its workspace.
    fn runs_controlled(&mut self, client: Client, run: &str) {
        self.runs_with(client, run, vec![format!("{EPOCH}=7").into()]);
    }

    fn runs_with(&mut self, client: Client, run: &str, env: Vec<OsString>) {
        let flow = FlowRef {
            workspace: "w".into(),
            root: std::path::Path::new("/w").into(),
            file: "a.graphml".into(),
        };
        let run_id = run.into();
        self.asks(
            client,
            Ask::Begin {
                run: run_id,
                flow,
                env,
            },
        );
        self.launches(client, run);
    }

    fn launches(&mut self, client: Client, run: &str) {
        let (shell, dir) = ("/bin/sh".into(), PathBuf::from("/logs").join(run));
        let job = Job::shell(id(run, 1), shell, "true", "/".into(), vec![], &dir);
        self.asks(client, Ask::Launch(Box::new(job)));
    }

    fn ends(&mut self, run: &str) {
        let (id, exit) = (id(run, 1), Exit::Code(0));
        self.0.reported(Report::Exited { id, exit }, &mut self.1);
    }

    fn deadline(&mut self, client: Client, until: u64) {
        let (workspace, until, grace) = ("w".into(), Some(seconds(until)), seconds(2));
        self.asks(
            client,
            Ask::Deadline {
                workspace,
                until,
                grace,
            },
        );
    }

    fn look(&mut self, at: u64) -> Next {
        self.0.look(seconds(at), &mut self.1)
    }

    #[track_caller]
    fn wants(&mut self, expected: &str) {
        let wanted = self.1.drain(..).filter(|effect| *effect != Effect::Wake);
        let wanted: Vec<String> = wanted.map(|effect| word(&effect)).collect();
        assert_eq!(wanted.join(", "), expected);
    }
}

fn word(effect: &Effect) -> String {
    match effect {
        Effect::Tell(client, tell) => {
            let what = match tell {
                Tell::Report(Report::Exited { id, exit }) => format!("{} {exit}", id.run),
                Tell::Report(Report::ControlLost(of)) => format!("{of} lost"),
                Tell::Report(Report::Others { runs, children, .. }) => {
                    format!("others {runs} {children}")
                }
                Tell::Attached { live, .. } => {
                    format!("attached {:?}", live.as_ref().map(Vec::len))
                }
                Tell::Killing { n, .. } => format!("killing {n}"),
                other => format!("{other:?}"),
            };
            format!("{client}: {what}")
        }
        Effect::Launch(job) => format!("launch {}", job.id.run),
        Effect::Terminate(id, end) => {
            let how = if end.force { "force" } else { "ask" };
            format!("{how} {} {:?} {:?}", id.run, end.why, end.grace)
        }
        Effect::Freeze(id, frozen) => format!("freeze {} {frozen}", id.run),
        Effect::CloseRun(dir) => format!("close {}", dir.display()),
        Effect::StartBackground(_) => "background".to_owned(),
        Effect::Wake => "wake".to_owned(),
    }
}

#[test]
fn an_attempt_is_launched_once_and_only_for_the_client_that_carries_its_run() {
    let mut rig = Rig::default();
    let (a, b) = (rig.client(), rig.client());
    rig.runs(a, "r");
    rig.wants("launch r");
    rig.launches(a, "r");
    rig.launches(b, "r");
    rig.wants("");
    let (ticket, run) = (1, "r".into());
    rig.asks(b, Ask::Attach { ticket, run });
    rig.wants("2: attached Some(1)");
    rig.launches(a, "r");
    rig.ends("r");
    rig.wants("2: r exit 0");
    rig.launches(a, "r");
    rig.wants("");
    rig.launches(b, "r");
    rig.wants("2: r exit 0");
}

#[test]
fn a_client_that_lost_its_connection_is_told_of_an_end_and_the_node_does_not_run_again() {
    let mut rig = Rig::default();
    let a = rig.client();
    rig.runs(a, "r");
    rig.0.gone(a, seconds(100), &mut rig.1);
    rig.ends("r");
    rig.wants("launch r");
    let b = rig.client();
    rig.runs(b, "r");
    rig.wants("2: r exit 0");
}

#[test]
fn at_its_deadline_a_workspace_is_lost_and_what_runs_there_ends_within_the_grace() {
    let mut rig = Rig::default();
    let a = rig.client();
    rig.runs(a, "r");
    rig.deadline(a, 110);
    rig.1.clear();
    assert_eq!(rig.look(109), Next::At(seconds(110)));
    rig.wants("");
    // Somebody woke up late: the grace counts from the deadline.
    rig.look(111);
    rig.wants("1: w lost, ask r Control Some(1s)");
    rig.ends("r");
    rig.runs(a, "s");
    rig.wants("1: r exit 0, 1: s not started: the right to run in this workspace is over");
    rig.deadline(a, 120);
    rig.runs(a, "t");
    rig.wants("launch t");
    rig.look(130);
    rig.wants("1: w lost, force t Control None");
}

#[test]
fn in_place_of_one_that_was_killed_nothing_of_a_controlled_run_starts_before_a_deadline_is_told() {
    let over = "the right to run in this workspace is over";
    let mut rig = Rig::default();
    let a = rig.client();
    rig.runs_controlled(a, "r");
    rig.wants(&format!("1: w lost, 1: r not started: {over}"));
    // Nobody controls that workspace, so nobody tells a deadline.
    rig.runs(a, "free");
    rig.wants("launch free");
    rig.deadline(a, 110);
    rig.runs_controlled(a, "s");
    rig.wants("launch s");
    // One that has passed, and that nobody has looked at yet, is as good as none.
    rig.deadline(a, 100);
    rig.runs_controlled(a, "t");
    rig.wants(&format!("1: w lost, 1: t not started: {over}"));
}

#[test]
fn a_workspace_that_is_closed_starts_nothing_for_anybody_until_a_deadline_is_told() {
    let mut rig = Rig::default();
    let (a, b) = (rig.client(), rig.client());
    rig.deadline(a, 110);
    // As the keeper says it when its release sets out.
    rig.deadline(a, 0);
    rig.runs_controlled(b, "r");
    rig.wants("2: w lost, 2: r not started: the right to run in this workspace is over");
    rig.look(100);
    rig.wants("1: w lost, 2: w lost");
    rig.runs_controlled(b, "q");
    rig.wants("2: q not started: the right to run in this workspace is over");
    rig.deadline(a, 120);
    rig.runs_controlled(b, "s");
    rig.wants("launch s");
}

#[test]
fn a_run_whose_client_dies_is_carried_on_by_a_background_process_or_given_up() {
    let mut rig = Rig::default();
    let a = rig.client();
    rig.runs(a, "r");
    rig.1.clear();
    rig.0.gone(a, seconds(100), &mut rig.1);
    for at in [100, 110, 120] {
        assert_eq!(rig.look(at), Next::At(seconds(at + 10)));
        rig.wants("background");
    }
    assert_eq!(rig.look(130), Next::Woken, "its node lives");
    rig.wants("");
    rig.ends("r");
    assert_eq!(rig.look(131), Next::At(seconds(133)));
    assert_eq!(rig.look(133), Next::End);
    assert_eq!(rig.0.enter(PathBuf::new(), &mut rig.1), None);
}

#[test]
fn a_run_that_is_left_waits_a_moment_for_who_comes_for_it() {
    let mut rig = Rig::default();
    let (a, b) = (rig.client(), rig.client());
    rig.runs(a, "r");
    rig.asks(b, Ask::Leave { run: "r".into() });
    assert_eq!(rig.look(100), Next::Woken, "it was not b's to leave");
    rig.asks(a, Ask::Leave { run: "r".into() });
    rig.1.clear();
    assert_eq!(rig.look(100), Next::At(seconds(103)));
    rig.wants("");
    rig.look(103);
    rig.wants("background");
}

#[test]
fn processes_that_stand_still_for_a_client_that_dies_are_killed() {
    let mut rig = Rig::default();
    let (a, b) = (rig.client(), rig.client());
    rig.runs(a, "r");
    let (workspace, how) = ("w".into(), Tame::Freeze);
    rig.asks(b, Ask::Tame { workspace, how });
    rig.wants("launch r, freeze r true");
    rig.0.gone(b, seconds(100), &mut rig.1);
    rig.wants("1: w lost, force r Control None");
}

#[test]
fn who_watches_a_workspace_is_told_each_change_of_what_others_run_there() {
    let mut rig = Rig::default();
    let (a, b) = (rig.client(), rig.client());
    rig.asks(
        a,
        Ask::Watch {
            workspace: "w".into(),
        },
    );
    rig.wants("1: others 0 0");
    rig.runs(a, "mine");
    rig.wants("launch mine");
    rig.runs(b, "r");
    rig.wants("1: others 1 0, launch r, 1: others 1 1");
    rig.ends("r");
    rig.wants("2: r exit 0, 1: others 1 0");
    rig.asks(b, Ask::Over { run: "r".into() });
    rig.wants("close /logs/r, 1: others 0 0");
}

#[test]
fn the_kill_switch_on_everything_is_followed_by_a_hunt_for_strays() {
    let mut rig = Rig::default();
    let a = rig.client();
    rig.runs(a, "r");
    rig.runs(a, "s");
    rig.1.clear();
    let (ticket, scope) = (1, Scope::Run("r".into()));
    rig.asks(a, Ask::Kill { ticket, scope });
    rig.wants("ask r Kill Some(500ms), 1: killing 1");
    assert_eq!(rig.0.kill_strays_at(), None, "they may be of s");
    let (ticket, scope) = (2, Scope::Everything);
    rig.asks(a, Ask::Kill { ticket, scope });
    rig.wants("ask r Kill Some(500ms), ask s Kill Some(500ms), 1: killing 2");
    assert_eq!(rig.0.kill_strays_at(), Some(seconds(100) + KILL_GRACE));
}
