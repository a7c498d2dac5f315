//! What must not grow with the square of a flow: each of these takes minutes when a step looks through
//! all that is chosen, or all that is ready. Without the rig, whose own records would.

use super::*;
use crate::model::Counts;

const N_NODES: u32 = 60_000;

fn names() -> Vec<NodeId> {
    (0..N_NODES).map(|n| NodeId::new(format!("n{n}"))).collect()
}

fn start(scheduler: &mut Scheduler, choice: Choice) -> Vec<Effect> {
    let mut flow = Flow::default();
    for id in names() {
        let node = Node::new(id, "true", Point::default());
        flow.graph.add_node(node).expect("fresh");
    }
    let start = Start {
        run: "r".into(),
        flow: flow_ref(),
        frozen: Arc::new(flow),
        choice,
        past: Past::default(),
        jobs_max: None,
    };
    let mut out = Vec::new();
    scheduler.handle(Timestamp(0), Input::Start(Box::new(start)), &mut out);
    out
}

#[test]
fn a_choice_of_every_node_is_settled_and_stopped_node_by_node() {
    let mut scheduler = Scheduler::new(1, super::super::GRACE);
    let out = start(&mut scheduler, Choice::UpTo(names()));
    let Some(Effect::Launch { id, .. }) = out.last() else {
        panic!("the first node starts");
    };
    // All others wait for its slot; the last of them is stopped first.
    let mut out = Vec::new();
    let stop = Input::Stop {
        run: "r".into(),
        nodes: Some(names().into_iter().rev().collect()),
        at_once: true,
    };
    scheduler.handle(Timestamp(1), stop, &mut out);
    let exit = Exit::Signal(9);
    let exited = Input::Exited {
        id: id.clone(),
        exit,
    };
    scheduler.handle(Timestamp(2), exited, &mut out);
    let Some(Effect::Record(Event::RunFinished { counts, .. })) = out.last() else {
        panic!("the run is over");
    };
    let all_stopped = Counts {
        subset: N_NODES,
        stopped: N_NODES,
        ..Counts::default()
    };
    assert_eq!(*counts, all_stopped);
}

#[test]
fn an_adopted_run_is_gone_through_whatever_the_order_of_its_record() {
    let mut scheduler = Scheduler::new(1, super::super::GRACE);
    let out = start(&mut scheduler, Choice::Full);
    let begun = out.iter().find_map(|effect| match effect {
        Effect::Record(Event::RunStarted(start)) => Some((**start).clone()),
        _ => None,
    });
    let began = |n: u32| Recorded::Began {
        id: NodeRunId {
            run: "r".into(),
            node: NodeIdx(n),
            pass: 1,
            attempt: 1,
        },
        at: Timestamp(1),
    };
    let adopt = Adopt {
        start: begun.expect("a run began"),
        jobs_max: None,
        recorded: (0..N_NODES).rev().map(began).collect(),
        ended: Vec::new(),
        live: Vec::new(),
        begun: Default::default(),
        stopping: false,
    };
    let mut scheduler = Scheduler::new(1, super::super::GRACE);
    let mut out = Vec::new();
    scheduler.handle(Timestamp(2), Input::Adopt(Box::new(adopt)), &mut out);
    let launched = out.iter().filter(|e| matches!(e, Effect::Launch { .. }));
    assert_eq!(launched.count(), N_NODES as usize);
}
