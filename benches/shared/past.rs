//! Runs that never were, told to a ledger as real ones are: what a long history is measured with.

use std::sync::Arc;

use handmill::ledger::Ledger;
use handmill::model::{
    Choice, Counts, Event, Exit, Finish, Flow, FlowRef, Node, NodeIdx, NodeRunId, NodeStatus,
    Outcome, Point, RunId, RunStart, Timestamp,
};

/// A flow of this many nodes, in rows of twenty.
pub fn flow(nodes: u32) -> Arc<Flow> {
    let mut flow = Flow::default();
    for n in 0..nodes {
        let place = Point {
            x: f64::from(n % 20) * 240.0,
            y: f64::from(n / 20) * 90.0,
        };
        let node = Node::new(
            format!("node-{n}").as_str(),
            format!("make part-{n}.o && echo done"),
            place,
        );
        flow.graph.add_node(node).expect("names differ");
    }
    Arc::new(flow)
}

/// Records a whole run that began at a moment; gives the number of events.
pub fn record(
    ledger: &Ledger,
    flow: &FlowRef,
    frozen: &Arc<Flow>,
    run: &str,
    begun: Timestamp,
) -> u32 {
    let nodes = u32::try_from(frozen.graph.n_nodes()).expect("few");
    let run = RunId::from(run);
    let after = |n: u32| Timestamp(begun.0 + i64::from(n) * 100);
    ledger.record(Event::RunStarted(Box::new(RunStart {
        run: run.clone(),
        flow: flow.clone(),
        frozen: frozen.clone(),
        choice: Choice::Full,
        resumes: None,
        subset: (0..nodes).map(NodeIdx).collect(),
        kept: Arc::new([]),
        marks: [].into(),
        triggers: [].into(),
        at: begun,
    })));
    for n in 0..nodes {
        let at = after(n);
        let id = NodeRunId {
            run: run.clone(),
            node: NodeIdx(n),
            pass: 1,
            attempt: 1,
        };
        ledger.record(Event::NodeStarted { id: id.clone(), at });
        ledger.record(Event::NodeSpawned {
            id: id.clone(),
            pid: n + 1_000,
            birth: 123_456_789,
        });
        ledger.record(Event::NodeFinished(Finish {
            id,
            exit: Exit::Code(0),
            status: NodeStatus::Ran,
            retry_at: None,
            at,
        }));
    }
    ledger.record(Event::RunFinished {
        run,
        outcome: Outcome::Succeeded,
        counts: Counts {
            subset: nodes,
            ran: nodes,
            ..Counts::default()
        },
        skipped: Arc::new([]),
        at: after(nodes),
    });
    3 * nodes + 2
}
