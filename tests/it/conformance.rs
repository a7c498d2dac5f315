//! The cases of the seed system's scheduler, through the runtime with real processes.
//!
//! Each case becomes a workfile in a folder of its own. Where a case and the rules of a run differ,
//! the rules decide; there is one such place: the sentence that refuses a blocking cycle.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use handmill::model::{Choice, Event, Level, NodeStatus, Outcome, Timestamp};
use handmill::runtime::{Config, Manner, Order, Runtime, RuntimeHandle, query};
use handmill::store::{self, Home};
use serde_json::Value;

use crate::shared;

/// Cases under way at once. Most of their time is spent asleep.
const AT_ONCE: usize = 6;

#[test]
fn all_cases_of_the_seed_scheduler_pass_with_real_processes() {
    let Some(shared) = shared::shared_dir() else {
        return;
    };
    let text =
        std::fs::read_to_string(shared.join("conformance/scheduler.json")).expect("the cases");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    assert_eq!(cases.len(), 65);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let failures = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) =
                    cases.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                {
                    let name = case["name"].as_str().expect("a name").to_owned();
                    if let Err(why) = std::panic::catch_unwind(|| Case::new(case).check()) {
                        let why = why.downcast_ref::<String>().cloned().unwrap_or_default();
                        failures
                            .lock()
                            .expect("no poison")
                            .push(format!("{name}: {why}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no poison");
    assert!(
        failures.is_empty(),
        "{} cases fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

struct Case<'a> {
    case: &'a Value,
    dir: tempfile::TempDir,
    /// (node, pass) -> start, end.
    passes: BTreeMap<(String, u32), (Timestamp, Option<Timestamp>)>,
    n_passes: HashMap<String, u32>,
    marked: BTreeSet<String>,
    outcome: Option<Outcome>,
    refused: Option<(Level, String)>,
}

impl<'a> Case<'a> {
    fn new(case: &'a Value) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let mut case = Self {
            case,
            dir,
            passes: BTreeMap::new(),
            n_passes: HashMap::new(),
            marked: BTreeSet::new(),
            outcome: None,
            refused: None,
        };
        std::fs::write(case.dir.path().join("flow.graphml"), case.graphml()).expect("written");
        case.play();
        case
    }

    fn graphml(&self) -> String {
        let escape =
            |text: &str| quick_escape(&text.replace("{T}", &self.dir.path().to_string_lossy()));
        let mut text = String::from(
            "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n\
             <key id=\"l\" for=\"node\" attr.name=\"label\" attr.type=\"string\"/>\n\
             <key id=\"s\" for=\"node\" attr.name=\"status\" attr.type=\"string\"/>\n\
             <key id=\"t\" for=\"edge\" attr.name=\"edge_type\" attr.type=\"string\"/>\n\
             <key id=\"e\" for=\"edge\" attr.name=\"status\" attr.type=\"string\"/>\n\
             <key id=\"i\" for=\"edge\" attr.name=\"id\" attr.type=\"string\"/>\n\
             <key id=\"w\" for=\"graph\" attr.name=\"wrapper\" attr.type=\"string\"/>\n\
             <graph edgedefault=\"directed\">\n",
        );
        if let Some(wrapper) = self.case["wrapper"].as_str() {
            writeln!(text, "<data key=\"w\">{}</data>", escape(wrapper)).expect("text");
        }
        for node in self.nodes() {
            write!(
                text,
                "<node id=\"{}\"><data key=\"l\">{}</data>",
                word(&node["id"]),
                escape(word(&node["command"]))
            )
            .expect("text");
            if let Some(status) = node["status"].as_str() {
                write!(text, "<data key=\"s\">{status}</data>").expect("text");
            }
            text.push_str("</node>\n");
        }
        for (n, edge) in list(&self.case["edges"]).iter().enumerate() {
            write!(
                text,
                "<edge source=\"{}\" target=\"{}\">",
                word(&edge["source"]),
                word(&edge["target"])
            )
            .expect("text");
            if let Some(kind) = edge["type"].as_str() {
                write!(text, "<data key=\"t\">{kind}</data>").expect("text");
            }
            if let Some(status) = edge["status"].as_str() {
                write!(text, "<data key=\"e\">{status}</data>").expect("text");
            }
            if edge["no_id"].as_bool() != Some(true) {
                write!(text, "<data key=\"i\">e{n}</data>").expect("text");
            }
            text.push_str("</edge>\n");
        }
        text.push_str("</graph></graphml>\n");
        text
    }

    fn nodes(&self) -> &'a [Value] {
        list(&self.case["nodes"])
    }

    fn home(&self) -> Home {
        Home::at(self.dir.path().join("home"))
    }

    fn play(&mut self) {
        for _ in 0..self.case["repeat"].as_u64().unwrap_or(1) {
            let (sender, events) = channel();
            let runtime = Runtime::start(Config {
                home: self.home(),
                face: "test",
                manner: Manner {
                    slots: Some(16),
                    ..Manner::default()
                },
                processes: handmill::runtime::Processes::Own,
                control: crate::support::control(),
                wake: None,
                events: Some(Box::new(move |event| {
                    sender.send(event.clone()).ok();
                })),
            })
            .expect("starts");
            self.run(&runtime.handle(), &events);
            runtime.handle().send(Order::ShutDown);
            runtime.join();
        }
    }

    fn run(&mut self, runtime: &RuntimeHandle, events: &Receiver<Arc<Event>>) {
        let path = self.dir.path().join("flow.graphml");
        let flow = store::locate(&path).expect("located");
        let loaded = store::load(&path).expect("read");
        let frozen = Arc::new(loaded.flow);
        let names: Vec<String> = frozen
            .graph
            .nodes()
            .map(|node| node.id.to_string())
            .collect();
        let ends: HashMap<String, String> = frozen
            .graph
            .edges()
            .map(|(source, target, edge)| {
                (edge.id.to_string(), format!("{}->{}", source.id, target.id))
            })
            .collect();
        runtime.send(Order::OpenFlow {
            flow: flow.clone(),
            frozen: frozen.clone(),
            results: Arc::new(loaded.results),
        });
        let choice = match &self.case["selection"] {
            Value::Null => Choice::Auto,
            nodes => Choice::Selection(list(nodes).iter().map(|id| word(id).into()).collect()),
        };
        runtime.send(Order::StartRun {
            flow: flow.clone(),
            frozen,
            choice,
            jobs_max: None,
        });
        let limit = Duration::from_secs(self.case["timeout"].as_u64().unwrap_or(10) + 20);
        let before = self.n_passes.clone();
        let pass_of = |node: &str, pass: u32| before.get(node).copied().unwrap_or(0) + pass;
        self.marked.clear();
        (self.outcome, self.refused) = (None, None);
        let mut stop_sent = false;
        while self.outcome.is_none() && self.refused.is_none() {
            let event = events.recv_timeout(limit).expect("the run goes on");
            match &*event {
                Event::NodeStarted { id, at } => {
                    let node = names[id.node.0 as usize].clone();
                    if let Some(after) = self.case["stop_after"].as_f64().filter(|_| !stop_sent) {
                        stop_sent = true;
                        let (runtime, flow) = (runtime.clone(), flow.clone());
                        std::thread::spawn(move || {
                            std::thread::sleep(Duration::from_secs_f64(after));
                            runtime.send(Order::Stop {
                                flow,
                                nodes: None,
                                at_once: false,
                            });
                        });
                    }
                    let pass = pass_of(&node, id.pass);
                    self.n_passes.insert(node.clone(), pass);
                    self.passes.insert((node, pass), (*at, None));
                }
                Event::NodeFinished(finish) => {
                    let node = names[finish.id.node.0 as usize].clone();
                    let pass = pass_of(&node, finish.id.pass);
                    self.passes.get_mut(&(node, pass)).expect("started").1 = Some(finish.at);
                }
                Event::EdgesMarked {
                    marked, cleared, ..
                } => {
                    self.marked
                        .extend(marked.iter().map(|edge| ends[edge.as_str()].clone()));
                    for edge in cleared {
                        self.marked.remove(&ends[edge.as_str()]);
                    }
                }
                Event::RunFinished { outcome, .. } => self.outcome = Some(*outcome),
                Event::RunRefused { notice, .. } => {
                    self.refused = Some((notice.level, notice.what.to_string()))
                }
                _ => {}
            }
        }
    }

    fn check(&self) {
        let expect = &self.case["expect"];
        match word(&expect["result"]) {
            "complete" => {
                let over = matches!(self.outcome, Some(Outcome::Succeeded | Outcome::Failed));
                assert!(over, "not complete: {:?} {:?}", self.outcome, self.refused);
            }
            "stopped" => assert_eq!(self.outcome, Some(Outcome::Stopped)),
            "nothing_to_run" => {
                let (level, why) = self.refused.as_ref().expect("refused");
                assert_eq!(*level, Level::Info);
                assert!(why.contains("nothing to run"), "{why}");
            }
            "error" => {
                // The rules of a run word this refusal better than the seed did, and name the way round.
                let (_, why) = self.refused.as_ref().expect("refused");
                assert_eq!(
                    word(&expect["error_contains"]),
                    "Run blocked: blocking edges contain a cycle"
                );
                assert!(
                    why.contains("run refused: blocking edges form a cycle: "),
                    "{why}"
                );
            }
            other => panic!("unknown result {other}"),
        }
        let is_raw = |id: &str| {
            self.nodes()
                .iter()
                .any(|node| word(&node["id"]) == id && node["raw"] == true)
        };
        let count = |id: &str| u64::from(self.n_passes.get(id).copied().unwrap_or(0));
        for (id, wanted) in map(&expect["run_counts"]) {
            let (low, high) = match wanted {
                Value::Array(range) => (range[0].as_u64(), range[1].as_u64()),
                n => (n.as_u64(), n.as_u64()),
            };
            let n = count(id);
            assert!(
                is_raw(id) || (low <= Some(n) && Some(n) <= high),
                "{id} ran {n} times, wanted {wanted}"
            );
        }
        for id in list(&expect["not_run"]) {
            assert_eq!(count(word(id)), 0, "{id} ran");
        }
        for pair in list(&expect["order"]) {
            let (first, second) = (
                self.at(word(&pair[0]), "end"),
                self.at(word(&pair[1]), "start"),
            );
            assert!(first <= second, "{pair} in the wrong order");
        }
        for pair in list(&expect["overlap"]) {
            let span = |id: &Value| {
                (
                    self.at(word(id), "start"),
                    self.at(&format!("{}#1.end", word(id)), "end"),
                )
            };
            let ((a_start, a_end), (b_start, b_end)) = (span(&pair[0]), span(&pair[1]));
            assert!(a_start < b_end && b_start < a_end, "{pair} did not overlap");
        }
        for id in list(&expect["no_self_overlap"]) {
            let spans: Vec<_> = self
                .passes
                .iter()
                .filter(|((node, _), _)| node == word(id))
                .map(|(_, span)| span)
                .collect();
            for pair in spans.windows(2) {
                assert!(
                    pair[0].1.expect("ended") <= pair[1].0,
                    "{id} overlaps itself"
                );
            }
        }
        self.check_end(expect);
    }

    fn check_end(&self, expect: &Value) {
        let flow = store::locate(&self.dir.path().join("flow.graphml")).expect("located");
        let (workspace, _) = query::open(&self.home(), &flow).expect("opens");
        let record = query::record(&self.home(), &workspace, &flow, 1).expect("recorded");
        for (id, wanted) in map(&expect["final"]) {
            let state = record
                .past
                .nodes
                .get(id.as_str())
                .cloned()
                .unwrap_or_default();
            let seed_word = match state.status {
                NodeStatus::Ran => "ran",
                NodeStatus::Failed | NodeStatus::Stopped | NodeStatus::Interrupted => "fail",
                _ => "",
            };
            assert_eq!(seed_word, word(wanted), "{id}");
        }
        for (ends, wanted) in map(&expect["edge_final"]) {
            assert_eq!(
                self.marked.contains(ends),
                wanted == "to_run",
                "mark of {ends}"
            );
        }
        let log = |id: &str, which: fn(&query::LogFiles) -> &Path| {
            let files =
                query::log_files(&workspace, &flow, None, Some(&id.into())).expect("recorded");
            std::fs::read(which(files.last().expect("a log"))).expect("a log file")
        };
        for (id, wanted) in map(&expect["stdout"]) {
            assert_eq!(
                String::from_utf8_lossy(&log(id, |files| &files.stdout)),
                word(wanted),
                "stdout of {id}"
            );
        }
        for (id, wanted) in map(&expect["stderr"]) {
            assert_eq!(
                String::from_utf8_lossy(&log(id, |files| &files.stderr)),
                word(wanted),
                "stderr of {id}"
            );
        }
        for (id, wanted) in map(&expect["stdout_len"]) {
            assert_eq!(
                log(id, |files| &files.stdout).len() as u64,
                wanted.as_u64().expect("a length"),
                "{id}"
            );
        }
    }

    /// `a`, `a#2.start`, `a#1.end`: the time meant; a bare id means its first pass.
    fn at(&self, what: &str, side: &str) -> Timestamp {
        let (what, side) = what.rsplit_once('.').unwrap_or((what, side));
        let (id, pass) = what.rsplit_once('#').unwrap_or((what, "1"));
        let key = (id.to_owned(), pass.parse().expect("a pass"));
        let (start, end) = self
            .passes
            .get(&key)
            .unwrap_or_else(|| panic!("{id} pass {pass} never started"));
        if side == "start" {
            *start
        } else {
            end.expect("ended")
        }
    }
}

fn word(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not text: {value}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn map(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn quick_escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
