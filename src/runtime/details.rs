//! What a run did, node by node, for whoever puts two of them beside each other. Blocking.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{
    FlowRef, NodeId, NodeInRun, RunComparison, RunId, RunInDetail, compare as put_beside,
};

use super::workspace::Workspace;

/// A run with each of its nodes; `None` when it is not listed. Why not, as a fragment.
pub fn run_in_detail(
    workspace: &Workspace,
    flow: &FlowRef,
    run: &RunId,
) -> Result<Option<RunInDetail>, String> {
    let told = |why: crate::ledger::LedgerError| why.to_string();
    let ledger = &workspace.ledger;
    let Some(listed) = ledger.run(flow, run).map_err(told)? else {
        return Ok(None);
    };
    let mut nodes: BTreeMap<NodeId, NodeInRun> = BTreeMap::new();
    // In the order they began: the newest attempt comes last.
    for row in ledger.node_runs(run, None).map_err(told)? {
        let spent = row.started.zip(row.ended).map(|(from, to)| to.since(from));
        let node = nodes.entry(row.node.clone()).or_insert_with(|| NodeInRun {
            node: row.node.clone(),
            status: row.status,
            kept: false,
            time: Some(Duration::ZERO),
            passes: 0,
            attempts: 0,
            exit: None,
            command: row.command.clone(),
        });
        node.status = row.status;
        node.time = node.time.zip(spent).map(|(sum, one)| sum + one);
        node.passes = node.passes.max(row.id.pass);
        node.attempts += 1;
        node.exit = row.exit;
        node.command = row.command;
    }
    // Nodes without an attempt: skipped, kept, or taken over from a file.
    let states = ledger.states_of_run(flow, run).map_err(told)?;
    let mut rest: Vec<_> = states.into_iter().collect();
    rest.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    for (node, state) in rest {
        nodes.entry(node.clone()).or_insert_with(|| NodeInRun {
            node,
            status: state.status,
            kept: state.run.is_some_and(|of| of != *run),
            time: None,
            passes: 0,
            attempts: 0,
            exit: state.exit,
            command: "".into(),
        });
    }
    Ok(Some(RunInDetail {
        summary: listed.summary,
        nodes: nodes.into_values().collect(),
    }))
}

/// Two runs of a flow beside each other; why not, as a sentence.
pub fn compare(
    workspace: &Workspace,
    flow: &FlowRef,
    a: &RunId,
    b: &RunId,
) -> Result<RunComparison, String> {
    let read = |run: &RunId| {
        run_in_detail(workspace, flow, run)
            .map_err(|why| format!("failed to {why}"))?
            .ok_or_else(|| format!("run {run} is not in the history of this flow"))
    };
    Ok(put_beside(read(a)?, read(b)?))
}
