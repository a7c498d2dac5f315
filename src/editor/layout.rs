//! Layered layout: where each node goes so that edges lead from left to right.
//!
//! `rust-sugiyama` does it within a second; beyond that, and for graphs it would take longer on, a
//! simple layering does. Pure: called on a worker thread, gives moves and changes nothing.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::time::Duration;

use rust_sugiyama::configure::Config;

use crate::model::{Flow, NodeId, Point};

/// Longest time the good layout may take.
const CAP: Duration = Duration::from_secs(1);
/// Nodes and edges above which the good layout is not tried: it would not end within the cap,
/// and its thread cannot be stopped.
const SIZE_MAX: usize = 6_000;
/// Room between layers, and between the nodes of one layer.
const GAP: (f64, f64) = (80.0, 40.0);

/// New places for the nodes of a flow, or for some of them; places that stay are left out.
/// The result begins where the nodes were: its top left corner is theirs.
pub fn layered(
    flow: &Flow,
    only: Option<&[NodeId]>,
    node_size: (f64, f64),
) -> Vec<(NodeId, Point)> {
    let graph = &flow.graph;
    let ids: Vec<&NodeId> = match only {
        Some(ids) => ids.iter().filter(|id| graph.contains(id)).collect(),
        None => graph.nodes().map(|node| &node.id).collect(),
    };
    if ids.len() < 2 {
        return Vec::new();
    }
    let place: HashMap<&NodeId, u32> = ids.iter().copied().zip(0u32..).collect();
    let edges: Vec<(u32, u32)> = graph
        .edges()
        .filter_map(|(source, target, _)| {
            let (a, b) = (*place.get(&source.id)?, *place.get(&target.id)?);
            (a != b).then_some((a, b))
        })
        .collect();
    let n = ids.len();
    let spots = sugiyama(n, &edges, node_size).unwrap_or_else(|| simple(n, &edges, node_size));

    let corner = |points: &mut dyn Iterator<Item = Point>| {
        points.fold((f64::MAX, f64::MAX), |(x, y), p| (x.min(p.x), y.min(p.y)))
    };
    let old = corner(&mut ids.iter().filter_map(|id| Some(graph.node(id)?.pos)));
    let new = corner(&mut spots.iter().copied());
    ids.into_iter()
        .zip(spots)
        .filter_map(|(id, spot)| {
            let to = Point {
                x: (spot.x - new.0 + old.0).round(),
                y: (spot.y - new.1 + old.1).round(),
            };
            (graph.node(id)?.pos != to).then(|| (id.clone(), to))
        })
        .collect()
}

/// The good layout; `None` when it would take too long or broke.
fn sugiyama(n: usize, edges: &[(u32, u32)], size: (f64, f64)) -> Option<Vec<Point>> {
    if n + edges.len() > SIZE_MAX {
        return None;
    }
    // It lays out from top to bottom; width and height are given the other way round.
    let vertices: Vec<(u32, (f64, f64))> = (0..u32::try_from(n).ok()?)
        .map(|i| (i, (size.1, size.0)))
        .collect();
    let edges = edges.to_vec();
    let (sender, receiver) = channel();
    std::thread::Builder::new()
        .name("handmill-sugiyama".to_owned())
        .spawn(move || {
            let config = Config {
                vertex_spacing: GAP.1,
                ..Config::default()
            };
            let parts = catch_unwind(AssertUnwindSafe(|| {
                rust_sugiyama::from_vertices_and_edges(&vertices, &edges, &config)
            }));
            // Nobody listens any more when the time is over.
            drop(sender.send(parts.ok()));
        })
        .ok()?;
    let parts = receiver.recv_timeout(CAP).ok()??;
    let mut spots = vec![None; n];
    let mut top = 0.0;
    // Parts that are not joined come one by one, each round its own origin: they are stacked.
    for (part, _, _) in parts {
        let low = part.iter().map(|(_, (x, _))| *x).fold(f64::MAX, f64::min);
        let first = part.iter().map(|(_, (_, y))| *y).fold(f64::MAX, f64::min);
        let mut bottom = top;
        let mut layers: Vec<f64> = part.iter().map(|(_, (_, y))| *y).collect();
        layers.sort_by(f64::total_cmp);
        layers.dedup();
        for (i, (x, y)) in part {
            let layer = layers.iter().position(|l| *l == y).unwrap_or(0);
            let across = top + (x - low);
            bottom = f64::max(bottom, across + size.1 + GAP.1);
            let _ = first;
            let spot = Point {
                x: layer as f64 * (size.0 + GAP.0),
                y: across,
            };
            *spots.get_mut(i)? = Some(spot);
        }
        top = bottom;
    }
    spots.into_iter().collect()
}

/// Layers by longest path, each in the order of its nodes' sources.
fn simple(n: usize, edges: &[(u32, u32)], size: (f64, f64)) -> Vec<Point> {
    let mut incoming = vec![0usize; n];
    let mut outgoing: Vec<Vec<usize>> = vec![Vec::new(); n];
    for &(a, b) in edges {
        outgoing[a as usize].push(b as usize);
        incoming[b as usize] += 1;
    }
    let mut layer = vec![0usize; n];
    let mut todo: Vec<usize> = (0..n).filter(|&i| incoming[i] == 0).collect();
    let mut seen = vec![false; n];
    let mut next_free = 0;
    let mut order = Vec::with_capacity(n);
    while order.len() < n {
        let Some(at) = todo.pop() else {
            // A cycle: it is cut at the first node not reached yet.
            while seen[next_free] {
                next_free += 1;
            }
            todo.push(next_free);
            continue;
        };
        if std::mem::replace(&mut seen[at], true) {
            continue;
        }
        order.push(at);
        for &to in &outgoing[at] {
            if !seen[to] {
                layer[to] = layer[to].max(layer[at] + 1);
                incoming[to] = incoming[to].saturating_sub(1);
                if incoming[to] == 0 {
                    todo.push(to);
                }
            }
        }
    }
    let mut layers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for at in order {
        layers.entry(layer[at]).or_default().push(at);
    }
    let mut sources: Vec<Vec<usize>> = vec![Vec::new(); n];
    for &(a, b) in edges {
        sources[b as usize].push(a as usize);
    }
    let mut rank = vec![0.0; n];
    let mut spots = vec![Point::default(); n];
    for (layer, mut nodes) in layers {
        let key = |at: usize, rank: &[f64]| {
            let from = &sources[at];
            if from.is_empty() {
                return f64::MAX;
            }
            from.iter().map(|&s| rank[s]).sum::<f64>() / from.len() as f64
        };
        nodes.sort_by(|&a, &b| key(a, &rank).total_cmp(&key(b, &rank)).then(a.cmp(&b)));
        for (row, &at) in nodes.iter().enumerate() {
            rank[at] = row as f64;
            spots[at] = Point {
                x: layer as f64 * (size.0 + GAP.0),
                y: row as f64 * (size.1 + GAP.1),
            };
        }
    }
    spots
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Edge, EdgeKind, EdgeSpec, Node};

    const SIZE: (f64, f64) = (200.0, 72.0);

    fn flow(n: usize, edges: &[(usize, usize)]) -> Flow {
        let mut flow = Flow::default();
        for i in 0..n {
            let at = Point { x: 50.0, y: 70.0 };
            flow.graph
                .add_node(Node::new(format!("{i}").as_str(), "", at))
                .expect("fresh id");
        }
        for (at, (a, b)) in edges.iter().enumerate() {
            let spec = EdgeSpec {
                edge: Edge {
                    id: format!("e{at}").as_str().into(),
                    kind: EdgeKind::Blocking,
                },
                source: format!("{a}").as_str().into(),
                target: format!("{b}").as_str().into(),
            };
            flow.graph.add_edge(spec).expect("fresh id");
        }
        flow
    }

    fn places(flow: &Flow, moves: Vec<(NodeId, Point)>) -> HashMap<String, Point> {
        let mut places: HashMap<String, Point> = flow
            .graph
            .nodes()
            .map(|node| (node.id.to_string(), node.pos))
            .collect();
        places.extend(moves.into_iter().map(|(id, to)| (id.to_string(), to)));
        places
    }

    fn check(flow: &Flow, moves: Vec<(NodeId, Point)>, forward: &[(usize, usize)]) {
        let places = places(flow, moves);
        for (a, b) in forward {
            let (from, to) = (places[&a.to_string()], places[&b.to_string()]);
            assert!(to.x >= from.x + SIZE.0, "{a} at {from:?}, {b} at {to:?}");
        }
        let all: Vec<&Point> = places.values().collect();
        for (i, p) in all.iter().enumerate() {
            for q in &all[i + 1..] {
                let apart = (p.x - q.x).abs() >= SIZE.0 || (p.y - q.y).abs() >= SIZE.1;
                assert!(apart, "{p:?} over {q:?}");
            }
        }
    }

    #[test]
    fn edges_lead_rightwards_and_nodes_do_not_overlap() {
        let edges = [(0, 1), (0, 2), (1, 3), (2, 3), (4, 5)];
        let flow = flow(6, &edges);
        check(&flow, layered(&flow, None, SIZE), &edges);
    }

    #[test]
    fn a_cycle_and_a_loop_are_laid_out_too() {
        let flow = flow(4, &[(0, 1), (1, 2), (2, 0), (3, 3)]);
        check(&flow, layered(&flow, None, SIZE), &[]);
    }

    #[test]
    fn the_simple_layout_holds_to_the_same() {
        let edges = [(0, 1), (0, 2), (1, 3), (2, 3), (4, 5)];
        let spots = simple(6, &edges, SIZE);
        let flow = flow(6, &edges.map(|(a, b)| (a as usize, b as usize)));
        let moves = spots.iter().enumerate();
        let moves = moves.map(|(i, p)| (NodeId::from(format!("{i}").as_str()), *p));
        check(&flow, moves.collect(), &[(0, 1), (0, 2), (1, 3), (2, 3)]);
        assert_eq!(simple(2, &[(0, 1), (1, 0)], SIZE).len(), 2);
    }

    #[test]
    fn what_was_not_chosen_stays_where_it_is() {
        let flow = flow(3, &[(0, 1), (1, 2)]);
        let only = [NodeId::from("0"), NodeId::from("1")];
        let moves = layered(&flow, Some(&only), SIZE);
        assert!(moves.iter().all(|(id, _)| id.as_str() != "2"));
        // The result keeps its corner.
        let places = places(&flow, moves);
        assert_eq!(places["0"].x, 50.0);
    }
}
