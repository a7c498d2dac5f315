//! What is shown before a run is what the run then does.

use super::*;
use crate::sched::would_run;

/// Plays the first run with these nodes failing, then shows and plays `choice`.
fn check(drawn: &str, fails: &[&str], choice: Choice) {
    let mut rig = Rig::new(flow(drawn), 4);
    let play = |rig: &mut Rig, choice: Choice, fails: &[&str]| {
        let from = rig.told.len();
        rig.start(choice);
        while let Some((_, node)) = rig.live.first() {
            let node = node.id.to_string();
            let code = i32::from(fails.contains(&node.as_str()));
            rig.end(&node, Exit::Code(code));
        }
        let started = rig.told[from..].iter().filter_map(|event| match event {
            Event::NodeStarted { id, .. } => Some(rig.id(id.node)),
            _ => None,
        });
        let mut started: Vec<NodeId> = started.collect();
        started.sort_unstable();
        started.dedup();
        started
    };
    play(&mut rig, Choice::Full, fails);
    let shown = would_run(&rig.flow.graph, choice.clone(), &rig.past);
    let mut shown = shown.unwrap_or_default();
    shown.sort_unstable();
    let started = play(&mut rig, choice.clone(), &[]);
    assert_eq!(shown, started, "{drawn} after {fails:?}, {choice:?}");
}

#[test]
fn the_nodes_shown_are_those_that_start() {
    for drawn in [
        "a -> b -> d; a -> c -> d",
        "a -> b; a -> c ~> d; b -> e; d -> f",
        "a; b; c -> d",
    ] {
        for fails in [&[][..], &["b"], &["c"], &["a"], &["b", "c"]] {
            check(drawn, fails, Choice::Full);
            check(drawn, fails, Choice::Auto);
            check(drawn, fails, Choice::Resume);
            check(drawn, fails, Choice::Selection(ids(&["b", "d"])));
            check(drawn, fails, Choice::From(ids(&["c"])));
            check(drawn, fails, Choice::UpTo(ids(&["d"])));
        }
    }
}

#[test]
fn muted_and_empty_nodes_are_not_shown_and_a_refusal_is_told() {
    let mut flow = flow("a -> b -> c; x -> y -> x");
    flow.graph.node_mut(&"b".into()).expect("there").disabled = true;
    let chain = Choice::From(ids(&["a"]));
    let shown = would_run(&flow.graph, chain, &Past::default());
    assert_eq!(shown.expect("it would run"), ids(&["a", "c"]));
    let shown = would_run(&flow.graph, Choice::Full, &Past::default());
    assert!(shown.is_err(), "x and y wait for each other");
}
