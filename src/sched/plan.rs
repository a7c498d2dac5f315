//! From a choice and the past to a plan: which nodes a run is bound to, which it starts, which
//! it keeps (scheduler.md, Choosing what runs).

use std::collections::{HashMap, HashSet};

use crate::model::{
    Base, Choice, Fact, NodeId, NodeIdx, NodeStatus, Past, PastRun, RunId, What, command_hash,
};

use super::tokens::Tokens;
use super::topology::Topology;

/// What a run will do at its start.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What was asked, with [`Choice::Auto`] settled.
    pub choice: Choice,
    /// The run that is resumed.
    pub resumes: Option<RunId>,
    /// The subset with the marks that a resume restores.
    pub tokens: Tokens,
    /// Nodes to trigger and how often, in order.
    pub triggers: Vec<(NodeIdx, u32)>,
    /// Nodes that succeeded in the run that is resumed.
    pub kept: Vec<NodeIdx>,
}

/// Why a run does not start. Nothing has happened then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The choice names nodes that the flow does not have.
    #[error("run refused: the flow has no node {}", quoted(.0))]
    UnknownNodes(Vec<NodeId>),
    /// The flow, or the selection, is empty.
    #[error("nothing to run: the flow has no nodes")]
    NothingToRun,
    /// An empty selection was given.
    #[error("nothing to run: no node is selected")]
    NothingSelected,
    /// Nothing failed, was stopped or interrupted in the last run.
    #[error("nothing to resume: no node of the last run failed, was stopped or was interrupted")]
    NothingToResume,
    /// Blocking edges of the subset wait for each other.
    #[error("run refused: blocking edges form a cycle: {}", arrows(.0))]
    BlockingCycle(Vec<String>),
    /// Every node waits for another, by non-blocking edges.
    #[error("run refused: no node can start first, because every node is in a cycle: {}", arrows(.0))]
    NoRoot(Vec<String>),
}

impl Refusal {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::UnknownNodes(_) => "Check the ids, or list them with `handmill ls`.",
            Self::NothingToRun => "Add a node first.",
            Self::NothingSelected => "Select the nodes to run.",
            Self::NothingToResume => "Run the whole flow instead.",
            Self::BlockingCycle(_) => "Remove one of these edges, or make it non-blocking.",
            Self::NoRoot(_) => "Select the nodes to start with, then run the selection.",
        }
    }

    /// True for refusals that only say that there is no work.
    pub fn is_idle(&self) -> bool {
        matches!(
            self,
            Self::NothingToRun | Self::NothingSelected | Self::NothingToResume
        )
    }
}

fn quoted(ids: &[NodeId]) -> String {
    ids.iter()
        .map(|id| format!("‘{id}’"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn arrows(names: &[String]) -> String {
    names.join(" → ")
}

/// Settles what `choice` means for this flow and its past.
pub fn plan(topology: &Topology, choice: Choice, past: &Past) -> Result<Plan, Refusal> {
    if topology.n_nodes() == 0 {
        return Err(Refusal::NothingToRun);
    }
    match choice {
        Choice::Full => full(topology),
        Choice::Selection(ids) => {
            let chosen = places(topology, &ids)?;
            selection(topology, chosen, Choice::Selection(ids))
        }
        Choice::From(ids) => {
            let chosen = reach(topology, places(topology, &ids)?, Way::Down);
            selection(topology, chosen, Choice::From(ids))
        }
        Choice::UpTo(ids) => {
            let targets = places(topology, &ids)?;
            let upstream = reach(topology, targets.clone(), Way::Up);
            let chosen = not_fresh(topology, &upstream, &targets, past);
            selection(topology, chosen, Choice::UpTo(ids))
        }
        Choice::Resume => resume(topology, past)?.ok_or(Refusal::NothingToResume),
        Choice::Auto => {
            // The check of the whole flow comes first: with nothing selected, a cycle anywhere
            // refuses the run, whether or not something failed before.
            match resume(topology, past)? {
                Some(plan) => Ok(plan),
                None => full(topology),
            }
        }
    }
}

fn full(topology: &Topology) -> Result<Plan, Refusal> {
    let tokens = Tokens::new(topology, vec![true; topology.n_nodes()]);
    refuse_cycle(topology, &tokens)?;
    let roots = tokens.roots(topology);
    if roots.is_empty() {
        return Err(Refusal::NoRoot(any_cycle(topology)));
    }
    let triggers = roots.into_iter().map(|node| (node, 1)).collect();
    Ok(Plan {
        choice: Choice::Full,
        resumes: None,
        tokens,
        triggers,
        kept: Vec::new(),
    })
}

fn selection(topology: &Topology, chosen: Vec<NodeIdx>, choice: Choice) -> Result<Plan, Refusal> {
    if chosen.is_empty() {
        return Err(Refusal::NothingSelected);
    }
    let tokens = Tokens::new(topology, inside(topology, &chosen));
    refuse_cycle(topology, &tokens)?;
    let mut first = tokens.roots(topology);
    if first.is_empty() {
        // All sit in non-blocking cycles; a person who selects them wants them all started.
        first = chosen;
    }
    let triggers = first.into_iter().map(|node| (node, 1)).collect();
    Ok(Plan {
        choice,
        resumes: None,
        tokens,
        triggers,
        kept: Vec::new(),
    })
}

/// The plan of a resume; `None` when there is nothing to resume.
fn resume(topology: &Topology, past: &Past) -> Result<Option<Plan>, Refusal> {
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
                self.tokens.mark(topology, super::topology::EdgeIdx(at));
            }
        }
    }

    /// Marks that must have been there, when only statuses are known: a source that succeeded
    /// satisfies its blocking edge until the target has succeeded too.
    fn derive_marks(&mut self, topology: &Topology) {
        for (at, link) in (0u32..).zip(&topology.edges) {
            let ran = |node: NodeIdx| self.statuses[node.0 as usize] == NodeStatus::Ran;
            if ran(link.source) && !ran(link.target) {
                self.tokens.mark(topology, super::topology::EdgeIdx(at));
            }
        }
    }

    fn start(&mut self, topology: &Topology) {
        let mut first = self.tokens.roots(topology);
        if first.is_empty() {
            first = topology
                .all()
                .filter(|&node| self.tokens.is_inside(node))
                .collect();
        }
        for node in first {
            self.pending[node.0 as usize] += 1;
        }
    }

    fn step(&mut self, topology: &Topology, fact: &Fact) {
        if fact.what == What::Resumed {
            for node in topology.all().filter(|&node| self.tokens.is_inside(node)) {
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
        for node in topology.all().filter(|&node| tokens.is_inside(node)) {
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

enum Way {
    Down,
    Up,
}

fn reach(topology: &Topology, from: Vec<NodeIdx>, way: Way) -> Vec<NodeIdx> {
    let mut seen = vec![false; topology.n_nodes()];
    let mut todo = from;
    while let Some(node) = todo.pop() {
        if std::mem::replace(&mut seen[node.0 as usize], true) {
            continue;
        }
        match way {
            Way::Down => todo.extend(
                topology
                    .outgoing(node)
                    .iter()
                    .map(|&e| topology.edge(e).target),
            ),
            Way::Up => todo.extend(
                topology
                    .incoming(node)
                    .iter()
                    .map(|&e| topology.edge(e).source),
            ),
        }
    }
    topology
        .all()
        .filter(|node| seen[node.0 as usize])
        .collect()
}

/// Of `upstream`: the targets, nodes that have not succeeded with the command they have now, and
/// whatever of it lies below such a node.
fn not_fresh(
    topology: &Topology,
    upstream: &[NodeIdx],
    targets: &[NodeIdx],
    past: &Past,
) -> Vec<NodeIdx> {
    let is_fresh = |node: NodeIdx| {
        let node = topology.node(node);
        past.nodes
            .get(&node.id)
            .is_some_and(|state| state.status == NodeStatus::Ran)
            && past
                .commands
                .get(&node.id)
                .is_none_or(|&hash| hash == command_hash(&node.command))
    };
    let within: HashSet<NodeIdx> = upstream.iter().copied().collect();
    let stale: Vec<NodeIdx> = upstream
        .iter()
        .copied()
        .filter(|node| targets.contains(node) || !is_fresh(*node))
        .collect();
    reach(topology, stale, Way::Down)
        .into_iter()
        .filter(|node| within.contains(node))
        .collect()
}

fn places(topology: &Topology, ids: &[NodeId]) -> Result<Vec<NodeIdx>, Refusal> {
    let unknown: Vec<NodeId> = ids
        .iter()
        .filter(|id| topology.idx(id).is_none())
        .cloned()
        .collect();
    if !unknown.is_empty() {
        return Err(Refusal::UnknownNodes(unknown));
    }
    let chosen: HashSet<NodeIdx> = ids.iter().filter_map(|id| topology.idx(id)).collect();
    Ok(topology
        .all()
        .filter(|node| chosen.contains(node))
        .collect())
}

fn inside(topology: &Topology, chosen: &[NodeIdx]) -> Vec<bool> {
    let mut inside = vec![false; topology.n_nodes()];
    for node in chosen {
        inside[node.0 as usize] = true;
    }
    inside
}

fn refuse_cycle(topology: &Topology, tokens: &Tokens) -> Result<(), Refusal> {
    let blocking = |edge| {
        topology.edge(edge).kind == crate::model::EdgeKind::Blocking
            && tokens.is_edge_inside(topology, edge)
    };
    match cycle(topology, blocking) {
        Some(path) => Err(Refusal::BlockingCycle(path)),
        None => Ok(()),
    }
}

fn any_cycle(topology: &Topology) -> Vec<String> {
    cycle(topology, |_| true).unwrap_or_default()
}

/// A cycle along the edges that `counts` accepts, as names with the first repeated at the end.
fn cycle(
    topology: &Topology,
    counts: impl Fn(super::topology::EdgeIdx) -> bool,
) -> Option<Vec<String>> {
    // petgraph finds the components; the walk inside one names the way round. Its other algorithm
    // for this is recursive and overflows the stack on a chain of 200 000 nodes.
    let mut graph =
        petgraph::graph::DiGraph::<(), ()>::with_capacity(topology.n_nodes(), topology.edges.len());
    for _ in &topology.nodes {
        graph.add_node(());
    }
    let place = |node: NodeIdx| petgraph::graph::NodeIndex::new(node.0 as usize);
    for (at, link) in (0u32..).zip(&topology.edges) {
        if counts(super::topology::EdgeIdx(at)) {
            graph.add_edge(place(link.source), place(link.target), ());
        }
    }
    for component in petgraph::algo::kosaraju_scc(&graph) {
        let members: HashSet<_> = component.iter().copied().collect();
        let next = |at| graph.neighbors(at).find(|to| members.contains(to));
        let start = component.iter().copied().min()?;
        let mut path = vec![start];
        let mut seen = HashMap::from([(start, 0)]);
        let mut at = start;
        while let Some(to) = next(at) {
            path.push(to);
            if let Some(&from) = seen.get(&to) {
                return Some(
                    path[from..]
                        .iter()
                        .map(|at| name(topology, at.index()))
                        .collect(),
                );
            }
            seen.insert(to, path.len() - 1);
            at = to;
        }
    }
    None
}

/// What a person recognises in one word: the title, else a short id, else the command's start.
fn name(topology: &Topology, at: usize) -> String {
    const NAME_CHARS_MAX: usize = 24;
    let node = &topology.nodes[at];
    if node.title.trim().is_empty() && node.id.as_str().chars().count() <= NAME_CHARS_MAX {
        return node.id.to_string();
    }
    let name = node.name();
    if name.chars().count() <= NAME_CHARS_MAX {
        name.to_owned()
    } else {
        name.chars().take(NAME_CHARS_MAX - 1).chain(['…']).collect()
    }
}
