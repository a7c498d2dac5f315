use std::collections::HashSet;

use super::nodes::{joined, same_but_place};
use super::*;
use crate::model::fields::OF_NODE;
use crate::model::seeds;
use crate::model::{
    Edge, EdgeId, EdgeKind, EdgeSpec, Env, Frame, FrameId, Node, NodeId, Point, Rect, Wrapper,
};
use std::time::Duration;

/// `a, b; a -> b, b ~> a`: nodes by id with `echo <id>`, then edges named by their ends.
fn flow(text: &str) -> Flow {
    let (nodes, edges) = text.split_once(';').unwrap_or((text, ""));
    let mut flow = Flow::default();
    for id in nodes.split(',').map(str::trim).filter(|id| !id.is_empty()) {
        let (id, command) = id.split_once('=').unwrap_or((id, ""));
        let command = if command.is_empty() { id } else { command };
        let node = Node::new(id, format!("echo {command}"), Point::default());
        flow.graph.add_node(node).expect("fresh id");
    }
    for edge in edges.split(',').map(str::trim).filter(|e| !e.is_empty()) {
        let (kind, (source, target)) = match edge.split_once(" ~> ") {
            Some(ends) => (EdgeKind::NonBlocking, ends),
            None => (
                EdgeKind::Blocking,
                edge.split_once(" -> ").expect("an edge"),
            ),
        };
        let id = EdgeId::new(format!("{source}->{target}"));
        let spec = EdgeSpec {
            edge: Edge { id, kind },
            source: source.into(),
            target: target.into(),
        };
        flow.graph.add_edge(spec).expect("ends are there");
    }
    flow
}

fn told(merged: &Merged) -> Vec<String> {
    let conflicts = merged.conflicts.iter();
    conflicts
        .map(|c| {
            let words = |value: &Option<String>| value.clone().unwrap_or("gone".to_owned());
            let (ours, theirs) = (words(&c.ours), words(&c.theirs));
            format!(
                "{} {}: {ours} | {theirs} => {:?}",
                c.subject, c.field, c.pick
            )
        })
        .collect()
}

#[track_caller]
fn check(three: [&str; 3], result: &str, conflicts: &[&str]) -> Merged {
    let [base, ours, theirs] = three.map(flow);
    let merged = merge(&base, &ours, &theirs);
    assert_eq!(told(&merged), conflicts);
    assert_eq!(merged.flow, flow(result));
    merged
}

#[test]
fn what_one_side_did_is_taken_from_either() {
    check(
        [
            "a, b, c; a -> b",
            "a=A, b, c, d; a -> b, c -> d",
            "a, b=B, c; a ~> b",
        ],
        "a=A, b=B, c, d; a ~> b, c -> d",
        &[],
    );
    check(["a, b; a -> b", "a", "a, b, c; a -> b"], "a, c", &[]);
}

#[test]
fn a_field_changed_on_both_sides_is_ours_until_somebody_picks() {
    let merged = check(
        ["a", "a=mine", "a=theirs"],
        "a=mine",
        &["Node ‘echo mine’ command: echo mine | echo theirs => Ours"],
    );
    let picks = Picks::from([(merged.conflicts[0].key.clone(), Side::Theirs)]);
    let [base, ours, theirs] = ["a", "a=mine", "a=theirs"].map(flow);
    let merged = merge_with(&base, &ours, &theirs, &picks);
    assert_eq!(merged.flow, theirs);
    assert_eq!(merged.conflicts.len(), 1, "it stays on the list");
    check(["a", "a=same", "a=same"], "a=same", &[]);
}

#[test]
fn what_is_edited_here_and_removed_there_is_kept_until_somebody_picks() {
    check(
        ["a, b; a -> b", "a, b=new; a -> b", "a"],
        "a, b=new; a -> b",
        &["Node ‘echo new’ : echo new | gone => Ours"],
    );
    check(
        ["a, b; a -> b", "a", "a, b=new; a -> b"],
        "a, b=new; a -> b",
        &["Node ‘echo new’ : gone | echo new => Theirs"],
    );
    check(
        ["a, b; a -> b", "a, b; a ~> b", "a, b"],
        "a, b; a ~> b",
        &["Edge ‘echo a’ → ‘echo b’ : non-blocking | gone => Ours"],
    );
}

#[test]
fn an_edge_joined_to_a_node_that_the_other_removed_keeps_it() {
    let three = ["a, b", "a, b; a -> b", "a"];
    let merged = check(
        three,
        "a, b; a -> b",
        &["Node ‘echo b’ : echo b | gone => Ours"],
    );
    let picks = Picks::from([(merged.conflicts[0].key.clone(), Side::Theirs)]);
    let [base, ours, theirs] = three.map(flow);
    assert_eq!(merge_with(&base, &ours, &theirs, &picks).flow, theirs);
}

/// Four nodes and edges by id, source, kind and target: `x a -> b, y c ~> d`.
fn wired(edges: &str) -> Flow {
    let mut flow = flow("a, b, c, d");
    for edge in edges.split(',').map(str::trim).filter(|e| !e.is_empty()) {
        let words: Vec<&str> = edge.split(' ').collect();
        let [id, source, arrow, target] = words[..] else {
            panic!("no edge: {edge}");
        };
        let kind = match arrow {
            "->" => EdgeKind::Blocking,
            _ => EdgeKind::NonBlocking,
        };
        let spec = EdgeSpec {
            edge: Edge {
                id: id.into(),
                kind,
            },
            source: source.into(),
            target: target.into(),
        };
        flow.graph.add_edge(spec).expect("ends are there");
    }
    flow
}

fn conflicts(merged: &Merged) -> String {
    let conflicts = merged.conflicts.iter();
    let words = conflicts.map(|c| format!("{} {}", c.key.kind, c.key.id.replace('\n', "+")));
    words.collect::<Vec<_>>().join(", ")
}

/// Found by a random test: seed 118465359498044.
#[test]
fn a_cycle_is_known_by_the_ids_of_the_result_and_ours_are_those_that_change() {
    let (base, ours, theirs) = (wired(""), wired("x a -> b"), wired("x c -> d, z b -> a"));
    assert_eq!(conflicts(&merge(&base, &ours, &theirs)), "cycle x~2+z");
    assert_eq!(conflicts(&merge(&base, &theirs, &ours)), "cycle x+z");
}

/// Found by a random test: seed 124351747493758.
#[test]
fn a_cycle_that_comes_of_picked_ends_and_the_others_kind_is_told() {
    let (base, ours, theirs) = (wired("y a ~> b"), wired("y c -> b"), wired("y a ~> a"));
    assert_eq!(conflicts(&merge(&base, &ours, &theirs)), "edge y");
    let mirror = merge(&base, &theirs, &ours);
    assert_eq!(conflicts(&mirror), "edge y, cycle y");
    assert_eq!(mirror.flow.graph.blocking_cycle(), None);
}

#[test]
fn an_id_given_twice_stays_with_theirs_and_our_edges_follow_ours() {
    let three = ["a", "a, n2=mine; a -> n2", "a, n2=theirs; n2 ~> a"].map(flow);
    let merged = merge(&three[0], &three[1], &three[2]);
    assert!(merged.conflicts.is_empty());
    let renamed = Renamed {
        from: "n2".into(),
        to: "n2~2".into(),
    };
    assert_eq!(merged.renamed, [renamed]);
    let command = |id: &str| merged.flow.graph.node(&id.into()).map(|n| &*n.command);
    assert_eq!(command("n2"), Some("echo theirs"));
    assert_eq!(command("n2~2"), Some("echo mine"));
    let ends = |id: &str| {
        let (source, target, _) = merged.flow.graph.edge(&id.into()).expect("kept");
        (source.id.to_string(), target.id.to_string())
    };
    assert_eq!(ends("a->n2"), ("a".into(), "n2~2".into()));
    assert_eq!(ends("n2->a"), ("n2".into(), "a".into()));
}

#[test]
fn places_are_never_a_conflict() {
    let at = |x: f64| {
        let mut flow = flow("a, b");
        flow.graph.node_mut(&"a".into()).expect("there").pos.x = x;
        flow
    };
    for (base, ours, theirs, result) in [
        (0.0, 1.0, 2.0, 1.0),
        (0.0, 0.0, 2.0, 2.0),
        (0.0, 1.0, 0.0, 1.0),
        // Ours is what the file rounded, so it has not moved.
        (0.12, 0.1234, 5.0, 5.0),
    ] {
        let merged = merge(&at(base), &at(ours), &at(theirs));
        assert!(merged.conflicts.is_empty());
        assert_eq!(merged.flow, at(result), "{base} {ours} {theirs}");
    }
    let moved = at(3.0);
    let gone = flow("b");
    for (ours, theirs) in [(&moved, &gone), (&gone, &moved)] {
        let merged = merge(&at(0.0), ours, theirs);
        assert_eq!(merged.flow, gone, "a move is no reason to keep a node");
        assert!(merged.conflicts.is_empty());
    }
}

#[test]
fn edges_of_both_that_close_a_cycle_are_a_conflict() {
    let merged = check(
        [
            "a, b, c; a -> b",
            "a, b, c; a -> b, b -> c",
            "a, b, c; a -> b, c -> a",
        ],
        "a, b, c; a -> b, b -> c",
        &["Cycle echo a → echo b → echo c → echo a edges: b → c | c → a => Ours"],
    );
    let picks = Picks::from([(merged.conflicts[0].key.clone(), Side::Theirs)]);
    let merged = merge_with(
        &flow("a, b, c; a -> b"),
        &flow("a, b, c; a -> b, b -> c"),
        &flow("a, b, c; a -> b, c -> a"),
        &picks,
    );
    assert_eq!(merged.flow, flow("a, b, c; a -> b, c -> a"));
}

/// Any flow, small enough that two of them share ids, edges and values often.
fn any_flow(random: &mut fastrand::Rng) -> Flow {
    let mut flow = Flow::default();
    for _ in 0..random.usize(..8) {
        change(&mut flow, random);
    }
    flow
}

const IDS: [&str; 6] = ["1", "2", "3", "4", "5", "6"];

/// One change of any kind.
fn change(flow: &mut Flow, random: &mut fastrand::Rng) {
    let text = |random: &mut fastrand::Rng| ["", "a", "b", "c"][random.usize(..4)].to_owned();
    let id = NodeId::new(IDS[random.usize(..IDS.len())]);
    match random.u8(..16) {
        0..4 => {
            let x = f64::from(random.u8(..3));
            let node = Node::new(id, text(random), Point { x, y: 0.0 });
            flow.graph.add_node(node).ok();
        }
        4 => {
            flow.graph.remove_node(&id).ok();
        }
        5..8 => {
            let spec = EdgeSpec {
                edge: Edge {
                    id: ["x", "y", "z", "w"][random.usize(..4)].into(),
                    kind: [EdgeKind::Blocking, EdgeKind::NonBlocking][random.usize(..2)],
                },
                source: id,
                target: IDS[random.usize(..6)].into(),
            };
            if random.u8(..3) == 0 {
                flow.graph.remove_edge(&spec.edge.id).ok();
            }
            flow.graph.add_edge(spec).ok();
        }
        8 => {
            let edge = ["x", "y", "z", "w"][random.usize(..4)];
            flow.graph.remove_edge(&edge.into()).ok();
        }
        9 => {
            let frame = Frame {
                id: FrameId(["f", "g"][random.usize(..2)].into()),
                rect: Rect {
                    x: f64::from(random.u8(..2)),
                    ..Rect::default()
                },
                title: text(random),
                text: text(random),
            };
            let known = flow.frames.iter().position(|f| f.id == frame.id);
            match known {
                Some(at) if random.bool() => drop(flow.frames.remove(at)),
                Some(at) => flow.frames[at] = frame,
                None => flow.frames.push(frame),
            }
        }
        10 => match random.u8(..8) {
            0 => flow.title = text(random),
            1 => flow.group = text(random),
            2 => flow.wrapper = random.bool().then(|| Wrapper::new("x {}")),
            3 => flow.shell = text(random),
            4 => flow.cwd = text(random),
            5 => flow.env = Env::parse(["", "A=1", "A=2"][random.usize(..3)]).0,
            6 => flow.max_passes = random.bool().then_some(3),
            _ => flow.jobs_max = random.bool().then_some(2),
        },
        n => {
            let Ok(node) = flow.graph.node_mut(&id) else {
                return;
            };
            match n + random.u8(..4) {
                11 | 12 => node.command = text(random),
                13 => node.title = text(random),
                14 => node.disabled ^= true,
                15 => node.cwd = text(random),
                16 => node.timeout = random.bool().then_some(Duration::from_secs(1)),
                17 => node.retries = random.u32(..3),
                _ => node.pos.x = f64::from(random.u8(..4)),
            }
        }
    }
}

type Listed = Vec<(Key, Option<String>, Option<String>)>;

/// The conflicts as seen from the other side.
fn mirrored(merged: &Merged) -> Listed {
    let mut list = listed(merged);
    for (_, ours, theirs) in &mut list {
        std::mem::swap(ours, theirs);
    }
    list.sort();
    list
}

/// Conflicts but for cycles: which of those come up depends on what is picked, and that is ours on either side.
fn listed(merged: &Merged) -> Listed {
    let conflicts = merged.conflicts.iter().filter(|c| c.key.kind != "cycle");
    let mut list: Listed = conflicts
        .map(|c| (c.key.clone(), c.ours.clone(), c.theirs.clone()))
        .collect();
    list.sort();
    list
}

/// What each change of one side must have left in the result, when the other side did not touch that thing.
fn one_sided_edits_stand(base: &Flow, side: &Flow, other: &Flow, merged: &Merged) {
    let spoken_of: HashSet<&str> = merged.conflicts.iter().map(|c| c.key.id.as_str()).collect();
    let cycle = merged.conflicts.iter().any(|c| c.key.kind == "cycle");
    for node in side.graph.nodes() {
        let id = &node.id;
        let renamed = merged.renamed.iter().any(|r| r.from == id.as_str());
        if spoken_of.contains(id.as_str()) || renamed {
            continue;
        }
        let (old, their) = (base.graph.node(id), other.graph.node(id));
        let result = merged.flow.graph.node(id);
        match (old, their) {
            (None, None) => assert_eq!(result, Some(node), "a new node is lost"),
            (Some(old), Some(their)) => {
                for field in OF_NODE {
                    if (field.same)(old, their) {
                        assert!(
                            result.is_some_and(|r| (field.same)(r, node)),
                            "{} of {id} is lost",
                            field.name
                        );
                    }
                }
                if old.pos == their.pos {
                    assert_eq!(result.map(|r| r.pos), Some(node.pos), "a move");
                }
            }
            (Some(old), None) if !same_but_place(old, node) => {
                panic!("{id} was edited and removed, and no conflict tells")
            }
            _ => {}
        }
    }
    for old in base.graph.nodes() {
        // Removed by one side, left alone by the other.
        let untouched =
            other.graph.node(&old.id) == Some(old) && !joined(base, other).contains(&old.id);
        if side.graph.node(&old.id).is_none() && untouched {
            assert!(!merged.flow.graph.contains(&old.id), "a removal is lost");
        }
    }
    for (source, target, edge) in side.graph.edges() {
        let is_new = base.graph.edge(&edge.id).is_none() && other.graph.edge(&edge.id).is_none();
        let nodes_stand = [source, target]
            .iter()
            .all(|node| !merged.renamed.iter().any(|r| r.from == node.id.as_str()));
        if is_new && nodes_stand && !cycle {
            let found = merged.flow.graph.edge(&edge.id);
            assert!(
                found.is_some_and(|(s, t, e)| e == edge && s.id == source.id && t.id == target.id),
                "the new edge {} is lost",
                edge.id
            );
        }
    }
    for field in OF_FLOW {
        if (field.same)(base, other) {
            assert!((field.same)(&merged.flow, side), "{} is lost", field.name);
        }
    }
}

#[test]
fn random_triples_lose_nothing_that_one_side_did() {
    let mut n_conflicts = 0;
    seeds::each(seeds::drawn(30_000), |random| {
        let base = any_flow(random);
        let (mut ours, mut theirs) = (base.clone(), base.clone());
        for side in [&mut ours, &mut theirs] {
            for _ in 0..random.usize(..6) {
                change(side, random);
            }
        }
        assert_eq!(merge(&base, &ours, &base).flow, ours, "theirs = base");
        assert_eq!(merge(&base, &base, &theirs).flow, theirs, "ours = base");
        let same = merge(&base, &ours, &ours);
        assert_eq!(same.flow, ours, "both the same");
        assert!(same.conflicts.is_empty());
        let merged = merge(&base, &ours, &theirs);
        let mirror = merge(&base, &theirs, &ours);
        assert_eq!(
            listed(&merged),
            mirrored(&mirror),
            "conflicts differ by side"
        );
        if listed(&merged).is_empty() {
            let has_cycle = |merged: &Merged| !merged.conflicts.is_empty();
            assert_eq!(
                has_cycle(&merged),
                has_cycle(&mirror),
                "a cycle of one side"
            );
        }
        one_sided_edits_stand(&base, &ours, &theirs, &merged);
        one_sided_edits_stand(&base, &theirs, &ours, &mirror);
        let had = |flow: &Flow| flow.graph.blocking_cycle().is_some();
        if !had(&ours) && !had(&theirs) {
            assert!(!had(&merged.flow), "a cycle came of the merge");
        }
        // Every pick is carried out, and the same conflicts are there whatever is picked.
        let picks: Picks = merged
            .conflicts
            .iter()
            .map(|c| (c.key.clone(), c.pick.other()))
            .collect();
        merge_with(&base, &ours, &theirs, &picks);
        n_conflicts += merged.conflicts.len();
    });
    assert!(seeds::are_told() || n_conflicts > 0, "no two ever met");
}
