//! Ids of edges: the file's own, else one made from the ends, the same each time a file is read.

use std::collections::{HashMap, HashSet};

use crate::model::{EdgeId, NodeId};

/// What is known of one edge before it has an id.
#[derive(Clone, Copy)]
pub(super) struct Ends<'a> {
    pub(super) explicit: Option<&'a str>,
    pub(super) source: &'a NodeId,
    pub(super) target: &'a NodeId,
    /// Undirected: it is read in both directions.
    pub(super) both: bool,
}

/// Ids of the edges that one `<edge>` element stands for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct EdgeIds {
    /// Source to target; `None` when the edge is left out of the flow.
    pub(super) forward: Option<EdgeId>,
    /// Target to source, for an undirected edge.
    pub(super) back: Option<EdgeId>,
}

/// Gives each edge its ids, and the places of those whose own id was taken already.
pub(super) fn edge_ids(edges: &[Ends<'_>]) -> (Vec<EdgeIds>, Vec<usize>) {
    let mut taken: HashSet<EdgeId> = HashSet::with_capacity(edges.len());
    let mut duplicates = Vec::new();
    let mut ids: Vec<EdgeIds> = Vec::with_capacity(edges.len());
    // The file's own ids come first, so that a made one never takes the name of a later edge.
    for (place, edge) in edges.iter().enumerate() {
        let own = edge.explicit.filter(|id| !id.is_empty()).map(EdgeId::from);
        let forward = own.filter(|id| {
            let free = taken.insert(id.clone());
            if !free {
                duplicates.push(place);
            }
            free
        });
        ids.push(EdgeIds {
            forward,
            back: None,
        });
    }
    // Counting on from where the last one stopped keeps many parallel edges linear.
    let mut next: HashMap<String, u32> = HashMap::new();
    let mut made = |source: &NodeId, target: &NodeId| -> EdgeId {
        let plain = format!("{source}->{target}");
        let n = next.entry(plain.clone()).or_insert(1);
        loop {
            let id = match *n {
                1 => EdgeId::new(plain.as_str()),
                n => EdgeId::new(format!("{plain}#{n}")),
            };
            *n += 1;
            if taken.insert(id.clone()) {
                return id;
            }
        }
    };
    for (edge, ids) in edges.iter().zip(&mut ids) {
        if ids.forward.is_none() {
            ids.forward = Some(made(edge.source, edge.target));
        }
        if edge.both && edge.source != edge.target {
            ids.back = Some(made(edge.target, edge.source));
        }
    }
    (ids, duplicates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_ids_never_take_a_name_that_stands_in_the_file() {
        let (a, b) = (NodeId::from("a"), NodeId::from("b"));
        let edge = |explicit, both| Ends {
            explicit,
            source: &a,
            target: &b,
            both,
        };
        let edges = [
            edge(None, true),
            edge(Some(""), false),
            edge(Some("a->b"), false),
            edge(Some("a->b"), false),
        ];
        let (ids, duplicates) = edge_ids(&edges);
        let forward: Vec<_> = ids.iter().flat_map(|i| i.forward.as_ref()).collect();
        let back: Vec<_> = ids.iter().flat_map(|i| i.back.as_ref()).collect();
        assert_eq!(format!("{forward:?}"), "[a->b#2, a->b#3, a->b, a->b#4]");
        assert_eq!(format!("{back:?}"), "[b->a]");
        assert_eq!(duplicates, [3]);
    }
}
