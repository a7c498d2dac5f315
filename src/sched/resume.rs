//! What an earlier run left: its statuses and marks, gone through again on the graph as it is now,
//! and the plan that carries them on.

use std::collections::{HashMap, HashSet};

use crate::model::{Base, Choice, Fact, NodeId, NodeIdx, NodeStatus, Past, PastRun, RunId, What};

use super::cycle::refuse_cycle;
use super::plan::Plan;
use super::refusal::Refusal;
use super::tokens::Tokens;
use super::topology::{EdgeIdx, Topology};

/// The plan of a resume; `None` when there is nothing to resume.
pub fn resume(topology: &Topology, past: &Past) -> Result<Option<Plan>, Refusal> {
    let displayed = |node: NodeIdx| {
        past.nodes
            .get(&topology.node(node).id)
            .map(|state| state.status)
            .unwrap_or_default()
    };
    let mut of_last = None;
    if let Some(last) = &past.last {
        let carried = replay(topology, last);
        refuse_cycle(topology, &carried.tokens)?;
        of_last = carried.plan(topology, last.run.clone(), displayed);
    }
    if of_last.is_some() {
        return Ok(of_last);
    }
    // What still shows as failed from an earlier run, or from before a selection ran: the whole
    // flow is the scope, and the edges that succeeded nodes satisfied stay satisfied.
    let statuses: HashMap<NodeId, NodeStatus> = past
        .nodes
        .iter()
        .map(|(id, state)| (id.clone(), state.status))
        .collect();
    let mut carried = Carried::new(topology, None);
    carried.load(
        topology,
        &Base {
            statuses,
            marks: Vec::new(),
        },
    );
    refuse_cycle(topology, &carried.tokens)?;
    if !carried.statuses.iter().any(|status| status.wants_resume()) {
        return Ok(None);
    }
    carried.derive_marks(topology);
    Ok(carried.plan(topology, None, displayed))
}

/// A run's state at its end, as far as the next one needs it.
pub struct Carried {
    /// Its marks.
    pub tokens: Tokens,
    statuses: Vec<NodeStatus>,
    /// Triggers not yet used by a pass.
    pending: Vec<u32>,
}

impl Carried {
    fn new(topology: &Topology, scope: Option<&[NodeId]>) -> Self {
        let inside = match scope {
            None => vec![true; topology.n_nodes()],
            Some(ids) => {
                let mut inside = vec![false; topology.n_nodes()];
                // Nodes deleted since the run are gone from its scope.
                for node in ids.iter().filter_map(|id| topology.idx(id)) {
                    inside[node.0 as usize] = true;
                }
                inside
            }
        };
        Self {
            tokens: Tokens::new(topology, inside),
            statuses: vec![NodeStatus::Idle; topology.n_nodes()],
            pending: vec![0; topology.n_nodes()],
        }
    }

    fn load(&mut self, topology: &Topology, base: &Base) {
        for node in topology.all() {
            if let Some(&status) = base.statuses.get(&topology.node(node).id) {
                self.statuses[node.0 as usize] = status;
            }
        }
        let marks: HashSet<_> = base.marks.iter().collect();
        for (at, link) in (0u32..).zip(&topology.edges) {
            if marks.contains(&link.id) {
                self.tokens.mark(topology, EdgeIdx(at));
            }
        }
    }

    /// Marks that must have been there, when only statuses are known: a source that succeeded
    /// satisfies its blocking edge until the target has succeeded too.
    fn derive_marks(&mut self, topology: &Topology) {
        for (at, link) in (0u32..).zip(&topology.edges) {
            let ran = |node: NodeIdx| self.statuses[node.0 as usize] == NodeStatus::Ran;
            if ran(link.source) && !ran(link.target) {
                self.tokens.mark(topology, EdgeIdx(at));
            }
        }
    }

    fn start(&mut self, topology: &Topology) {
        let mut first = self.tokens.roots(topology);
        if first.is_empty() {
            first = self.tokens.subset(topology).collect();
        }
        for node in first {
            self.pending[node.0 as usize] += 1;
        }
    }

    fn step(&mut self, topology: &Topology, fact: &Fact) {
        if fact.what == What::Resumed {
            for node in self.tokens.subset(topology) {
                let at = node.0 as usize;
                if self.statuses[at].wants_resume() || self.statuses[at] == NodeStatus::Running {
                    self.pending[at] += 1;
                    self.statuses[at] = NodeStatus::Waiting;
                }
            }
            return;
        }
        let Some(node) = fact.node.as_ref().and_then(|id| topology.idx(id)) else {
            return;
        };
        let at = node.0 as usize;
        match fact.what {
            What::Started => {
                self.pending[at] = self.pending[at].saturating_sub(1);
                self.statuses[at] = NodeStatus::Running;
            }
            What::Ended(status) => {
                self.statuses[at] = status;
                if status == NodeStatus::Ran {
                    for target in self.tokens.spread(topology, node).triggered {
                        self.pending[target.0 as usize] += 1;
                    }
                }
            }
            What::Resumed => {}
        }
    }

    fn plan(
        self,
        topology: &Topology,
        resumes: Option<RunId>,
        displayed: impl Fn(NodeIdx) -> NodeStatus,
    ) -> Option<Plan> {
        let Self {
            tokens,
            statuses,
            mut pending,
        } = self;
        let mut kept = Vec::new();
        for node in tokens.subset(topology) {
            let at = node.0 as usize;
            let unfinished = statuses[at].wants_resume() || statuses[at] == NodeStatus::Running;
            // A status that a person cleared since is no reason to run the node again.
            if unfinished && displayed(node) != NodeStatus::Idle {
                pending[at] += 1;
            } else if statuses[at] == NodeStatus::Ran {
                kept.push(node);
            }
        }
        let triggers: Vec<(NodeIdx, u32)> = topology
            .all()
            .filter(|&node| pending[node.0 as usize] > 0)
            .map(|node| (node, pending[node.0 as usize]))
            .collect();
        kept.retain(|node| pending[node.0 as usize] == 0);
        (!triggers.is_empty()).then_some(Plan {
            choice: Choice::Resume,
            resumes,
            tokens,
            triggers,
            kept,
        })
    }
}

/// Goes through an earlier run again, on the graph as it is now.
pub fn replay(topology: &Topology, last: &PastRun) -> Carried {
    let mut carried = Carried::new(topology, last.scope.as_deref());
    match &last.base {
        Some(base) => carried.load(topology, base),
        None => carried.start(topology),
    }
    for fact in &last.facts {
        carried.step(topology, fact);
    }
    carried
}
