//! Two or three ledgers that take each other's rows over, without a shared folder between them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::SharedLedger;
use super::words::{self, step_name};
use crate::ledger::{Ledger, LinesElsewhere};
use crate::model::{
    Choice, Counts, Event, Exit, Finish, Flow, FlowRef, Node, NodeId, NodeIdx, NodeRunId,
    NodeStatus, Outcome, Past, Point, Retention, RunId, RunStart, RunSummary, Stream, Timestamp,
    What, WorkspaceId,
};
use crate::runtime::{LogTarget, Workspace, query};
use crate::share::{Adoption, FileStateRow, LedgerSide, LogRow, Rows, RunRow, StepRow, Wanted};
use crate::store::Home;

mod elsewhere;
mod in_words;

/// 2026-11-21 00:00 UTC.
const NOW: Timestamp = Timestamp(1_795_219_200_000_000);

fn now() -> Timestamp {
    NOW
}

/// A machine with its ledger.
struct Machine {
    _home: tempfile::TempDir,
    workspace: Arc<Workspace>,
    side: SharedLedger,
}

fn flow_ref() -> FlowRef {
    FlowRef {
        workspace: WorkspaceId::new("ws-1"),
        root: Path::new("/share/ws").into(),
        file: "flow_modules/daily.graphml".into(),
    }
}

impl Machine {
    fn new(host: &str) -> Self {
        Self::keeping(host, Retention::default())
    }

    fn keeping(host: &str, rule: Retention) -> Self {
        let dir = tempfile::tempdir().expect("temp dir");
        let home = Home::at(dir.path());
        let open = Workspace::open(&home, &flow_ref(), NOW, |notice| panic!("{notice:?}"));
        let workspace = Arc::new(open.expect("opens"));
        Self {
            _home: dir,
            side: SharedLedger::new(workspace.clone(), host, rule, || {}).at(now),
            workspace,
        }
    }

    fn ledger(&self) -> &Ledger {
        &self.workspace.ledger
    }

    fn all(&mut self) -> Rows {
        self.side
            .rows(Wanted::Newest { n_runs: 500 })
            .expect("rows")
    }

    fn changed(&mut self) -> Rows {
        self.side.rows(Wanted::Changed).expect("rows")
    }

    fn watch(&mut self, rows: Rows, host: &str) {
        let watched = self.side.adopt(rows, Some(host), Adoption::Watching);
        watched.expect("adopted");
    }

    fn claim(&mut self, rows: Rows) {
        let claimed = self.side.adopt(rows, None, Adoption::Claiming);
        claimed.expect("adopted");
    }

    fn past(&self) -> Past {
        self.ledger().past(&flow_ref()).expect("past")
    }

    fn history(&self) -> Vec<RunSummary> {
        self.ledger()
            .history(&flow_ref(), 100, None)
            .expect("history")
    }

    /// Facts on one line: `a+` began, `a ran` ended.
    fn facts(&self) -> String {
        let Some(last) = self.past().last else {
            return String::new();
        };
        let facts = last.facts.iter().map(|fact| {
            let node = fact.node.as_ref().map_or("", NodeId::as_str);
            match fact.what {
                What::Started => format!("{node}+"),
                What::Ended(status) => format!("{node} {}", status.word()),
                What::Resumed => "|".to_owned(),
            }
        });
        facts.collect::<Vec<_>>().join(", ")
    }

    /// How each node stands, on one line.
    fn stands(&self) -> String {
        let mut nodes: Vec<String> = self
            .past()
            .nodes
            .iter()
            .map(|(node, state)| format!("{node} {}", state.status.word()))
            .collect();
        nodes.sort();
        nodes.join(", ")
    }

    fn lines(&self, run: &str, node: Option<&str>) -> Option<LinesElsewhere> {
        let node = node.map(NodeId::from);
        let lines = self
            .ledger()
            .lines_elsewhere(&RunId::from(run), node.as_ref());
        lines.expect("lines")
    }

    fn healthy(&self) {
        let health = self.ledger().health().expect("health");
        assert_eq!(health.troubles, Vec::<String>::new());
    }
}

/// Records a run as the dispatcher does. Times are microseconds after [`NOW`].
struct Run<'a> {
    machine: &'a Machine,
    id: RunId,
    clock: i64,
}

fn frozen() -> Arc<Flow> {
    let mut flow = Flow {
        group: "Claims".to_owned(),
        ..Flow::default()
    };
    for name in ["a", "b", "c", "d"] {
        let mut node = Node::new(name, format!("echo {name}"), Point::default());
        node.title = format!("Node {name}");
        flow.graph.add_node(node).expect("names differ");
    }
    Arc::new(flow)
}

fn start<'a>(machine: &'a Machine, id: &str, at: i64) -> Run<'a> {
    start_of(machine, id, at, Choice::Full, None, &[])
}

fn start_of<'a>(
    machine: &'a Machine,
    id: &str,
    at: i64,
    choice: Choice,
    resumes: Option<&str>,
    kept: &[u32],
) -> Run<'a> {
    let indices = |list: &[u32]| list.iter().map(|&i| NodeIdx(i)).collect::<Arc<[_]>>();
    let id = RunId::from(id);
    machine
        .ledger()
        .record(Event::RunStarted(Box::new(RunStart {
            run: id.clone(),
            flow: flow_ref(),
            frozen: frozen(),
            choice,
            resumes: resumes.map(RunId::from),
            subset: indices(&[0, 1, 2, 3]),
            kept: indices(kept),
            marks: [].into(),
            triggers: [].into(),
            at: Timestamp(NOW.0 + at),
        })));
    Run {
        machine,
        id,
        clock: at,
    }
}

impl Run<'_> {
    fn id(&self, node: u32, pass: u32, attempt: u32) -> NodeRunId {
        NodeRunId {
            run: self.id.clone(),
            node: NodeIdx(node),
            pass,
            attempt,
        }
    }

    fn tick(&mut self) -> Timestamp {
        self.clock += 10;
        Timestamp(NOW.0 + self.clock)
    }

    fn begin(&mut self, node: u32, pass: u32, attempt: u32) {
        let (id, at) = (self.id(node, pass, attempt), self.tick());
        self.machine.ledger().record(Event::NodeStarted { id, at });
    }

    fn end(&mut self, node: u32, pass: u32, attempt: u32, exit: Exit, again: bool) {
        let at = self.tick();
        let status = match exit {
            Exit::Code(0) => NodeStatus::Ran,
            Exit::Signal(_) => NodeStatus::Stopped,
            _ => NodeStatus::Failed,
        };
        self.machine.ledger().record(Event::NodeFinished(Finish {
            id: self.id(node, pass, attempt),
            exit,
            status,
            retry_at: again.then_some(at),
            at,
        }));
    }

    fn node(&mut self, node: u32, exit: Exit) {
        self.begin(node, 1, 1);
        self.end(node, 1, 1, exit, false);
    }

    fn finish(mut self, outcome: Outcome) {
        let at = self.tick();
        self.machine.ledger().record(Event::RunFinished {
            run: self.id.clone(),
            outcome,
            counts: Counts::default(),
            skipped: [].into(),
            at,
        });
    }

    /// Writes the log of an attempt, as its command would.
    fn print(&self, node: u32, out: &str, err: &str) {
        let (out_file, err_file) = self.machine.workspace.log_files(&self.id(node, 1, 1));
        let folder = out_file.parent().expect("a folder");
        std::fs::create_dir_all(folder).expect("made");
        std::fs::write(&out_file, out).expect("written");
        std::fs::write(&err_file, err).expect("written");
    }
}

/// A small generator whose seed is printed when a test fails.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

#[test]
fn who_follows_each_snapshot_knows_what_one_look_at_the_end_tells() {
    let n_seeds = std::env::var("HANDMILL_SEEDS")
        .ok()
        .and_then(|n| n.parse().ok());
    for seed in 1..=n_seeds.unwrap_or(10_u64) {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (mut a, mut b, mut c) = (
            Machine::new("wsA"),
            Machine::new("wsB"),
            Machine::new("wsC"),
        );
        let mut clock = 0;
        let mut is_first = true;
        let mut before: Option<String> = None;
        let mut rows_before: Option<Rows> = None;
        let mut look = |a: &mut Machine, dice: &mut Dice, is_first: &mut bool| {
            if dice.roll(3) != 0 {
                return;
            }
            let rows = match std::mem::take(is_first) {
                true => a.all(),
                false => a.changed(),
            };
            // Older copies, and the same ones, change nothing.
            if let Some(older) = rows_before.replace(rows.clone()) {
                b.watch(rows.clone(), "wsA");
                b.watch(older, "wsA");
            }
            b.watch(rows, "wsA");
        };
        for n in 0..4 {
            let id = format!("r{n}");
            let failed_before = before.clone().filter(|_| dice.roll(2) == 0);
            let choice = match failed_before {
                Some(_) => Choice::Resume,
                None => Choice::Full,
            };
            let mut run = start_of(&a, &id, clock, choice, failed_before.as_deref(), &[]);
            let mut passes: HashMap<u32, u32> = HashMap::new();
            let mut clock_of = clock;
            for _ in 0..dice.roll(8) {
                let node = u32::try_from(dice.roll(4)).expect("small");
                let pass = passes.entry(node).or_default();
                *pass += 1;
                let pass = *pass;
                run.begin(node, pass, 1);
                clock_of = run.clock;
                look(&mut a, &mut dice, &mut is_first);
                run = Run {
                    machine: &a,
                    id: RunId::from(id.as_str()),
                    clock: clock_of,
                };
                let again = dice.roll(4) == 0;
                run.end(node, pass, 1, Exit::Code(i32::from(again)), again);
                if again {
                    run.begin(node, pass, 2);
                    run.end(node, pass, 2, Exit::Code(0), false);
                }
                clock_of = run.clock;
            }
            clock = clock_of + 100;
            if n < 3 || dice.roll(2) == 0 {
                run.finish(Outcome::Succeeded);
            }
            before = Some(id);
            look(&mut a, &mut dice, &mut is_first);
        }
        let rest = match is_first {
            true => a.all(),
            false => a.changed(),
        };
        b.watch(rest, "wsA");
        let whole = a.all();
        c.watch(whole, "wsA");
        for machine in [&b, &c] {
            assert_eq!(machine.facts(), a.facts(), "seed {seed}");
            assert_eq!(machine.stands(), a.stands(), "seed {seed}");
            let (theirs, ours) = (a.history(), machine.history());
            let told = |runs: &[RunSummary]| -> Vec<_> {
                runs.iter()
                    .map(|r| {
                        (
                            r.id.clone(),
                            r.started,
                            r.ended,
                            r.outcome,
                            r.resumes.clone(),
                        )
                    })
                    .collect()
            };
            assert_eq!(told(&ours), told(&theirs), "seed {seed}");
            machine.healthy();
        }
    }
}
