//! Places for nodes whose file says none: in layers along the edges, the same each time.

use std::collections::HashMap;

use super::number::rounded;
use crate::model::{Flow, NodeId, Point};

const COLUMN: f64 = 220.0;
const ROW: f64 = 120.0;

/// Places `missing`, which are in file order. With all missing, layers downwards along the edges;
/// else a block of rows below what has a place.
pub(super) fn place(flow: &mut Flow, missing: &[NodeId]) {
    if missing.is_empty() {
        return;
    }
    let places = if missing.len() == flow.graph.n_nodes() {
        layers(flow, missing)
    } else {
        block(flow, missing)
    };
    for (id, pos) in missing.iter().zip(places) {
        if let Ok(node) = flow.graph.node_mut(id) {
            node.pos = pos;
        }
    }
}

/// Layer of each node: one below its lowest source. Nodes of a cycle stand after the rest.
fn layers(flow: &Flow, ids: &[NodeId]) -> Vec<Point> {
    let index: HashMap<&NodeId, usize> = ids.iter().enumerate().map(|(i, id)| (id, i)).collect();
    let mut targets: Vec<Vec<usize>> = vec![Vec::new(); ids.len()];
    let mut waits = vec![0_usize; ids.len()];
    for (source, target, _) in flow.graph.edges() {
        if let (Some(&s), Some(&t)) = (index.get(&source.id), index.get(&target.id))
            && s != t
        {
            targets[s].push(t);
            waits[t] += 1;
        }
    }
    let mut layer = vec![0_usize; ids.len()];
    let mut done = vec![false; ids.len()];
    let mut queue: Vec<usize> = (0..ids.len()).filter(|&i| waits[i] == 0).collect();
    let mut next = 0;
    let mut unplaced = 0;
    loop {
        while let Some(&at) = queue.get(next) {
            next += 1;
            done[at] = true;
            for &to in &targets[at] {
                if done[to] {
                    continue;
                }
                layer[to] = layer[to].max(layer[at] + 1);
                waits[to] -= 1;
                if waits[to] == 0 {
                    queue.push(to);
                }
            }
        }
        // All that is left waits in a cycle: the first in file order begins it.
        while unplaced < ids.len() && done[unplaced] {
            unplaced += 1;
        }
        if unplaced == ids.len() {
            break;
        }
        done[unplaced] = true;
        queue.push(unplaced);
    }
    let mut in_layer: HashMap<usize, u32> = HashMap::new();
    let place = |&layer: &usize| {
        let column = in_layer.entry(layer).or_default();
        *column += 1;
        #[expect(clippy::cast_precision_loss, reason = "at most 200 000 layers")]
        let y = layer as f64 * ROW;
        Point {
            x: f64::from(*column - 1) * COLUMN,
            y,
        }
    };
    layer.iter().map(place).collect()
}

fn block(flow: &Flow, missing: &[NodeId]) -> Vec<Point> {
    let without: std::collections::HashSet<&NodeId> = missing.iter().collect();
    let placed = flow.graph.nodes().filter(|n| !without.contains(&n.id));
    let (left, bottom) = placed.fold((f64::INFINITY, f64::NEG_INFINITY), |(left, bottom), n| {
        (left.min(n.pos.x), bottom.max(n.pos.y))
    });
    let columns = u32::try_from(missing.len().isqrt()).unwrap_or(1).max(4);
    (0_u32..)
        .take(missing.len())
        .map(|i| Point {
            x: rounded(left + f64::from(i % columns) * COLUMN),
            y: rounded(bottom + f64::from(i / columns + 1) * ROW),
        })
        .collect()
}
