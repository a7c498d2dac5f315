//! From a choice and the past to a plan: which nodes a run is bound to, which it starts, which
//! it keeps (scheduler.md, Choosing what runs).

use crate::model::{Choice, NodeId, NodeIdx, NodeStatus, Past, RunId, command_hash};

use super::cycle::{any_cycle, refuse_cycle};
use super::refusal::Refusal;
use super::resume::resume;
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

/// Settles what `choice` means for this flow and its past.
pub fn plan(topology: &Topology, choice: Choice, past: &Past) -> Result<Plan, Refusal> {
    if topology.n_nodes() == 0 {
        return Err(Refusal::NothingToRun);
    }
    match choice {
        Choice::Full => full(topology),
        Choice::Selection(ids) => {
            let chosen = flags(topology, &places(topology, &ids)?);
            selection(topology, chosen, Choice::Selection(ids))
        }
        Choice::From(ids) => {
            let chosen = reach(topology, places(topology, &ids)?, Way::Down);
            selection(topology, chosen, Choice::From(ids))
        }
        Choice::UpTo(ids) => {
            let chosen = not_fresh(topology, places(topology, &ids)?, past);
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

/// A run of the nodes whose flag is set.
fn selection(topology: &Topology, chosen: Vec<bool>, choice: Choice) -> Result<Plan, Refusal> {
    if !chosen.contains(&true) {
        return Err(Refusal::NothingSelected);
    }
    let tokens = Tokens::new(topology, chosen);
    refuse_cycle(topology, &tokens)?;
    let mut first = tokens.roots(topology);
    if first.is_empty() {
        // All sit in non-blocking cycles; a person who selects them wants them all started.
        first = tokens.subset(topology).collect();
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

#[derive(Clone, Copy)]
enum Way {
    Down,
    Up,
}

/// Whatever edges lead to from `from`, one way, with `from` itself: a flag per node.
fn reach(topology: &Topology, from: Vec<NodeIdx>, way: Way) -> Vec<bool> {
    let mut seen = vec![false; topology.n_nodes()];
    let mut todo = from;
    while let Some(node) = todo.pop() {
        if std::mem::replace(&mut seen[node.0 as usize], true) {
            continue;
        }
        match way {
            Way::Down => {
                let edges = topology.outgoing(node).iter();
                todo.extend(edges.map(|&edge| topology.edge(edge).target));
            }
            Way::Up => {
                let edges = topology.incoming(node).iter();
                todo.extend(edges.map(|&edge| topology.edge(edge).source));
            }
        }
    }
    seen
}

/// What leads up to `targets`: they themselves, nodes that have not succeeded with the command they
/// have now, and whatever of it lies below such a node.
fn not_fresh(topology: &Topology, targets: Vec<NodeIdx>, past: &Past) -> Vec<bool> {
    let is_fresh = |node: NodeIdx| {
        let node = topology.node(node);
        let state = past.nodes.get(&node.id);
        state.is_some_and(|state| state.status == NodeStatus::Ran)
            && past
                .commands
                .get(&node.id)
                .is_none_or(|&hash| hash == command_hash(&node.command))
    };
    let is_target = flags(topology, &targets);
    let upstream = reach(topology, targets, Way::Up);
    let is_stale = |&node: &NodeIdx| {
        upstream[node.0 as usize] && (is_target[node.0 as usize] || !is_fresh(node))
    };
    let stale = topology.all().filter(is_stale).collect();
    let below = reach(topology, stale, Way::Down);
    let both = below.into_iter().zip(upstream);
    both.map(|(below, within)| below && within).collect()
}

fn places(topology: &Topology, ids: &[NodeId]) -> Result<Vec<NodeIdx>, Refusal> {
    let mut places = Vec::with_capacity(ids.len());
    let mut unknown = Vec::new();
    for id in ids {
        match topology.idx(id) {
            Some(node) => places.push(node),
            None => unknown.push(id.clone()),
        }
    }
    if unknown.is_empty() {
        Ok(places)
    } else {
        Err(Refusal::UnknownNodes(unknown))
    }
}

fn flags(topology: &Topology, chosen: &[NodeIdx]) -> Vec<bool> {
    let mut flags = vec![false; topology.n_nodes()];
    for node in chosen {
        flags[node.0 as usize] = true;
    }
    flags
}
