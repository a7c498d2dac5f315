//! The rules of a run as text in, text out; then thousands of random runs against a naive
//! statement of the same rules.

mod adopt;
mod large;
mod naive;
mod preview;
mod random;
mod rules;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{
    Choice, Edge, EdgeKind, EdgeSpec, Event, Exit, Fact, Flow, FlowRef, Node, NodeId, NodeIdx,
    NodeRunId, NodeState, NodeStatus, Outcome, Past, PastRun, Point, RunId, Timestamp, What,
    WorkspaceId, command_hash,
};

use super::{Adopt, Alive, Effect, Ending, Input, Recorded, Scheduler, Start};

/// A flow drawn as `a -> b` (blocking), `a ~> b` (non-blocking) or `a` alone, `;` between.
fn flow(drawn: &str) -> Flow {
    let mut flow = Flow::default();
    let graph = &mut flow.graph;
    let add = |graph: &mut crate::model::Graph, id: &str| {
        if !graph.contains(&id.into()) {
            graph
                .add_node(Node::new(id, format!("run {id}"), Point::default()))
                .expect("fresh");
        }
        NodeId::from(id)
    };
    for part in drawn
        .split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let (arrow, kind) = match part {
            p if p.contains("~>") => ("~>", EdgeKind::NonBlocking),
            _ => ("->", EdgeKind::Blocking),
        };
        let ends: Vec<&str> = part.split(arrow).map(str::trim).collect();
        for pair in ends.windows(2) {
            let (source, target) = (add(graph, pair[0]), add(graph, pair[1]));
            let id = graph.free_edge_id(&source, &target);
            graph
                .add_edge(EdgeSpec {
                    edge: Edge { id, kind },
                    source,
                    target,
                })
                .expect("ends are there");
        }
        if ends.len() == 1 {
            add(graph, ends[0]);
        }
    }
    flow
}

fn flow_ref() -> FlowRef {
    FlowRef {
        workspace: WorkspaceId::new("w"),
        root: Path::new("/w").into(),
        file: "f.graphml".into(),
    }
}

/// The scheduler with a false world round it: what it launched waits here to be ended by the test.
struct Rig {
    scheduler: Scheduler,
    now: Timestamp,
    flow: Arc<Flow>,
    live: Vec<(NodeRunId, Arc<Node>)>,
    told: Vec<Event>,
    /// Of the adopted run, for the board alone.
    recalled: Vec<Event>,
    awaited: Vec<NodeRunId>,
    /// Starts and ends as a ledger has them.
    ledger: Vec<Recorded>,
    facts_seen: std::collections::HashSet<(NodeRunId, u8)>,
    /// Ends of processes as an exit record has them, with when those began.
    exits: Vec<(crate::model::Finish, Timestamp)>,
    terminated: Vec<(NodeRunId, bool)>,
    past: Past,
    chain: Vec<Fact>,
    n_runs: u32,
}

impl Rig {
    fn new(flow: Flow, n_slots: u32) -> Self {
        Self {
            scheduler: Scheduler::new(n_slots, super::GRACE),
            now: Timestamp(1_000_000),
            flow: Arc::new(flow),
            live: Vec::new(),
            told: Vec::new(),
            recalled: Vec::new(),
            awaited: Vec::new(),
            ledger: Vec::new(),
            facts_seen: std::collections::HashSet::new(),
            exits: Vec::new(),
            terminated: Vec::new(),
            past: Past::default(),
            chain: Vec::new(),
            n_runs: 0,
        }
    }

    fn give(&mut self, input: Input) -> Vec<Event> {
        let mut effects = Vec::new();
        self.scheduler.handle(self.now, input, &mut effects);
        let mut told = Vec::new();
        for effect in effects {
            match effect {
                Effect::Record(event) => {
                    self.fold(&event);
                    told.push(event);
                }
                Effect::Launch { id, node } => {
                    assert!(
                        !self
                            .live
                            .iter()
                            .any(|(other, _)| other.node == id.node && other.run == id.run),
                        "{id:?} overlaps itself"
                    );
                    self.live.push((id, node));
                }
                Effect::Recall(event) => self.recalled.push(event),
                Effect::Await { id } => self.awaited.push(id),
                Effect::Terminate { id, force, .. } => self.terminated.push((id, force)),
            }
        }
        assert!(
            self.live.len() <= self.scheduler.slots().1 as usize,
            "more nodes than slots"
        );
        assert_eq!(
            self.live.len(),
            self.scheduler.slots().0 as usize,
            "slots counted wrongly"
        );
        self.told.extend(told.iter().cloned());
        told
    }

    fn start(&mut self, choice: Choice) -> Vec<Event> {
        self.n_runs += 1;
        let run = RunId::new(format!("r{}", self.n_runs));
        let (flow, past) = (self.flow.clone(), self.past.clone());
        let start = Start {
            run,
            flow: flow_ref(),
            frozen: flow,
            choice,
            past,
            jobs_max: None,
        };
        self.give(Input::Start(Box::new(start)))
    }

    /// Ends the newest live attempt of a node.
    fn end(&mut self, node: &str, exit: Exit) -> Vec<Event> {
        let at = self
            .live
            .iter()
            .position(|(_, n)| n.id.as_str() == node)
            .unwrap_or_else(|| panic!("{node} does not run"));
        let (id, _) = self.live.remove(at);
        let asked = self.terminated.iter().any(|(other, _)| *other == id);
        let status = match exit.is_success() {
            // Whoever waited for it knows what it was asked to end for.
            _ if asked => NodeStatus::Stopped,
            true => NodeStatus::Ran,
            false => NodeStatus::Failed,
        };
        let finish = crate::model::Finish {
            id: id.clone(),
            exit: exit.clone(),
            status,
            retry_at: None,
            at: self.now,
        };
        self.exits.push((finish, self.now));
        self.give(Input::Exited { id, exit })
    }

    fn wait(&mut self, time: Duration) -> Vec<Event> {
        self.now = self.now.plus(time);
        let mut told = Vec::new();
        while self
            .scheduler
            .next_deadline()
            .is_some_and(|at| at <= self.now)
        {
            told.extend(self.give(Input::DeadlineReached));
        }
        told
    }

    fn stop(&mut self, nodes: Option<&[&str]>, at_once: bool) -> Vec<Event> {
        let run = RunId::new(format!("r{}", self.n_runs));
        let nodes = nodes.map(|ids| ids.iter().map(|&id| id.into()).collect());
        self.give(Input::Stop {
            run,
            nodes,
            at_once,
        })
    }

    fn running(&self) -> Vec<&str> {
        self.live.iter().map(|(_, node)| node.id.as_str()).collect()
    }

    fn id(&self, node: NodeIdx) -> NodeId {
        self.flow
            .graph
            .nodes()
            .nth(node.0 as usize)
            .expect("known")
            .id
            .clone()
    }

    /// What the ledger would keep: the facts that the next start is told.
    fn fold(&mut self, event: &Event) {
        let fact = match event {
            Event::NodeStarted { id, at } => Some(Recorded::Began {
                id: id.clone(),
                at: *at,
            }),
            Event::NodeFinished(finish) => Some(Recorded::Ended(finish.clone())),
            _ => None,
        };
        if let Some(fact) = fact {
            // An adopted run tells again what its record had lost.
            let first = self.facts_seen.insert(adopt::key(&fact));
            self.ledger.push(fact);
            if !first {
                return;
            }
        }
        if let Event::RunStarted(start) = event
            && self
                .past
                .last
                .as_ref()
                .is_some_and(|last| last.run.as_ref() == Some(&start.run))
        {
            return;
        }
        match event {
            Event::RunStarted(start) => {
                if start.resumes.is_some() {
                    self.chain.push(Fact {
                        node: None,
                        what: What::Resumed,
                    });
                } else {
                    self.chain.clear();
                }
                let whole = start.subset.len() == self.flow.graph.n_nodes();
                let before = self.past.last.take().filter(|_| start.resumes.is_some());
                let scope = match before {
                    Some(before) => before.scope,
                    None => {
                        (!whole).then(|| start.subset.iter().map(|&node| self.id(node)).collect())
                    }
                };
                self.past.last = Some(PastRun {
                    run: Some(start.run.clone()),
                    scope,
                    base: None,
                    facts: self.chain.clone(),
                });
            }
            Event::NodeStarted { id, .. } => {
                let node = self.id(id.node);
                let state = NodeState {
                    status: NodeStatus::Running,
                    pass: id.pass,
                    attempt: id.attempt,
                    ..NodeState::default()
                };
                self.past.nodes.insert(node.clone(), state);
                let hash = command_hash(&self.flow.graph.node(&node).expect("known").command);
                self.past.commands.insert(node.clone(), hash);
                if id.attempt == 1 {
                    self.fact(node, What::Started);
                }
            }
            Event::NodeFinished(finish) if finish.retry_at.is_none() => {
                let node = self.id(finish.id.node);
                self.past.nodes.entry(node.clone()).or_default().status = finish.status;
                self.fact(node, What::Ended(finish.status));
            }
            _ => {}
        }
    }

    fn fact(&mut self, node: NodeId, what: What) {
        self.chain.push(Fact {
            node: Some(node),
            what,
        });
        if let Some(last) = &mut self.past.last {
            last.facts.clone_from(&self.chain);
        }
    }

    /// Handmill dies and starts again: nothing lives, running nodes are interrupted.
    fn crash(&mut self) {
        self.scheduler = Scheduler::new(self.scheduler.slots().1, super::GRACE);
        self.live.clear();
        let running: Vec<NodeId> = self
            .past
            .nodes
            .iter()
            .filter(|(_, state)| state.status == NodeStatus::Running)
            .map(|(id, _)| id.clone())
            .collect();
        for id in running {
            self.past.nodes.entry(id.clone()).or_default().status = NodeStatus::Interrupted;
            self.fact(id, What::Ended(NodeStatus::Interrupted));
        }
    }
}

/// Events as a person would tell them, one short line each.
fn tell(rig: &Rig, events: &[Event]) -> String {
    let name = |node: NodeIdx| rig.id(node).to_string();
    let mut lines = Vec::new();
    for event in events {
        match event {
            Event::RunStarted(start) => {
                let kept: Vec<_> = start.kept.iter().map(|&n| name(n)).collect();
                let kept = if kept.is_empty() {
                    String::new()
                } else {
                    format!(", kept {}", kept.join(" "))
                };
                lines.push(format!(
                    "{} of {}{kept}",
                    start.choice.word(),
                    start.subset.len()
                ));
            }
            Event::RunRefused { notice, .. } => lines.push(notice.what.to_string()),
            Event::NodeStarted { id, .. } if id.pass > 1 || id.attempt > 1 => {
                lines.push(format!(
                    "{} starts, pass {} attempt {}",
                    name(id.node),
                    id.pass,
                    id.attempt
                ));
            }
            Event::NodeStarted { id, .. } => lines.push(format!("{} starts", name(id.node))),
            Event::NodeFinished(finish) => {
                let again = if finish.retry_at.is_some() {
                    ", again later"
                } else {
                    ""
                };
                lines.push(format!(
                    "{} {} ({}){again}",
                    name(finish.id.node),
                    finish.status.word(),
                    finish.exit
                ));
            }
            Event::RunStopping { .. } => lines.push("stopping".to_owned()),
            Event::RunFinished {
                outcome, counts, ..
            } => {
                let n = [
                    ("ran", counts.ran),
                    ("failed", counts.failed),
                    ("stopped", counts.stopped),
                    ("skipped", counts.skipped),
                    ("kept", counts.kept),
                ];
                let n: Vec<_> = n
                    .iter()
                    .filter(|(_, n)| *n > 0)
                    .map(|(word, n)| format!("{n} {word}"))
                    .collect();
                lines.push(format!("run {}: {}", outcome.word(), n.join(", ")));
            }
            _ => {}
        }
    }
    lines.join("\n")
}

fn outcome(events: &[Event]) -> Option<Outcome> {
    events.iter().find_map(|event| match event {
        Event::RunFinished { outcome, .. } => Some(*outcome),
        _ => None,
    })
}

fn ids(nodes: &[&str]) -> Vec<NodeId> {
    nodes.iter().map(|&id| id.into()).collect()
}

fn of(map: &HashMap<NodeId, NodeState>, id: &str) -> NodeStatus {
    map.get(id).map(|state| state.status).unwrap_or_default()
}
