//! Edges of the layout to edges of the flow: their ids, their kinds, and those that lead nowhere.

use super::edge_ids::{EdgeIds, Ends, edge_ids};
use super::element::{Data, EdgeElement, Layout};
use super::escape::text_value;
use super::keys::Field;
use super::warning::{Warnings, shown};
use crate::model::{Edge, EdgeId, EdgeKind, EdgeSpec, FileResults, Flow, NodeId};

/// What the file says of one edge.
struct EdgeValues {
    kind: EdgeKind,
    to_run: bool,
}

/// Fills the flow's edges; gives back their ids by place in the layout.
pub(super) fn read_edges(
    text: &str,
    layout: &Layout,
    flow: &mut Flow,
    results: &mut FileResults,
    warnings: &mut Warnings<'_>,
) -> Vec<EdgeIds> {
    if let Some(at) = layout.graph.undirected {
        warnings.at(at.start as usize, || {
            "the graph is undirected: each edge is read in both directions, as Workforce does"
                .to_owned()
        });
    }
    let explicit: Vec<Option<String>> = (layout.edges.iter())
        .map(|edge| layout.own_id(text, edge))
        .collect();
    let mut live = Vec::with_capacity(layout.edges.len());
    for (place, edge) in layout.edges.iter().enumerate() {
        let missing = [&edge.source, &edge.target]
            .into_iter()
            .find(|id| !flow.graph.contains(id));
        match missing {
            None => live.push(place),
            Some(id) => warnings.at(edge.element.span.start as usize, || {
                let name = match &explicit[place] {
                    Some(own) => shown(own),
                    None => format!(
                        "{} → {}",
                        shown(edge.source.as_str()),
                        shown(edge.target.as_str())
                    ),
                };
                let id = shown(id.as_str());
                format!("edge {name}: no node {id}; the edge is left out and stays in the file")
            }),
        }
    }
    let ends: Vec<Ends<'_>> = live
        .iter()
        .map(|&place| Ends {
            explicit: explicit[place].as_deref(),
            source: &layout.edges[place].source,
            target: &layout.edges[place].target,
            both: layout.is_both(&layout.edges[place]),
        })
        .collect();
    let (ids, duplicates) = edge_ids(&ends);
    for duplicate in duplicates {
        let edge = &layout.edges[live[duplicate]];
        warnings.at(edge.element.span.start as usize, || {
            let id = shown(explicit[live[duplicate]].as_deref().unwrap_or_default());
            format!("edge id {id} is taken by an earlier edge; this one is named by its ends")
        });
    }
    let kind_default = layout
        .key(Field::EdgeType)
        .and_then(|k| k.default.as_deref());
    let mut by_place = vec![EdgeIds::default(); layout.edges.len()];
    for (place, ids) in live.into_iter().zip(ids) {
        let edge = &layout.edges[place];
        let values = read_edge(text, layout, edge, kind_default, warnings);
        let ways = [
            (&ids.forward, &edge.source, &edge.target),
            (&ids.back, &edge.target, &edge.source),
        ];
        for (id, source, target) in ways {
            let Some(id) = id else { continue };
            add_edge(flow, results, id, source, target, &values);
        }
        by_place[place] = ids;
    }
    by_place
}

fn add_edge(
    flow: &mut Flow,
    results: &mut FileResults,
    id: &EdgeId,
    source: &NodeId,
    target: &NodeId,
    values: &EdgeValues,
) {
    if values.to_run {
        results.marks.push(id.clone());
    }
    let added = flow.graph.add_edge(EdgeSpec {
        edge: Edge {
            id: id.clone(),
            kind: values.kind,
        },
        source: source.clone(),
        target: target.clone(),
    });
    debug_assert!(added.is_ok(), "ends and ids were checked");
}

fn read_edge(
    text: &str,
    layout: &Layout,
    edge: &EdgeElement,
    kind_default: Option<&str>,
    warnings: &mut Warnings<'_>,
) -> EdgeValues {
    let data = layout.data_of(edge.data);
    let closed = |field| Layout::find(data, field).filter(|d: &&Data| d.closed);
    let word = closed(Field::EdgeType).map(|d| d.value(text));
    let kind = match word.as_deref().or(kind_default).map(str::trim) {
        None | Some("" | "blocking") => EdgeKind::Blocking,
        Some("non-blocking" | "non_blocking" | "nonblocking") => EdgeKind::NonBlocking,
        Some(other) => {
            let at =
                closed(Field::EdgeType).map_or(edge.element.span.start, |d| d.element.span.start);
            warnings.at(at as usize, || {
                format!("edge type {} is not known; read as blocking", shown(other))
            });
            EdgeKind::Blocking
        }
    };
    let status = closed(Field::EdgeStatus).map(|d| text_value(d.element.inner.of(text)));
    EdgeValues {
        kind,
        to_run: status.is_some_and(|status| status.trim() == "to_run"),
    }
}
