//! Text to flow: what the data of a scanned file mean.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization as _;

use super::decode::{Decoded, Encoding, decode, encode};
use super::edge_ids::{EdgeIds, Ends, edge_ids};
use super::element::{Data, EdgeElement, Layout};
use super::escape::{
    attribute_value, forbidden_in, forbidden_references, text_value, with_pictures,
};
use super::fields::{FlowReader, NodeReader, NodeValues, clean};
use super::keys::{Domain, Field};
use super::limits::FILE_BYTES_MAX;
use super::place::place;
use super::scan::scan;
use super::source::{Inner, Source};
use super::warning::{Warning, Warnings, shown};
use crate::model::{Edge, EdgeId, EdgeKind, EdgeSpec, FileResults, Flow, NodeId};

/// A workfile as it was read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What the file says.
    pub flow: Flow,
    /// Results another program left in it.
    pub results: FileResults,
    /// What is odd about it, in file order where a place is known.
    pub warnings: Vec<Warning>,
    /// The text, for a write that changes only what was edited.
    pub source: Source,
    /// The file ends early or is broken somewhere: the flow is only what stands before. Never save
    /// it over that file without asking.
    pub damaged: bool,
}

/// Why nothing could be read, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what the variant is")]
pub enum ReadError {
    #[error("empty file; restore it from a backup, or delete it and make a new one")]
    Empty,
    #[error("larger than 64 MiB; take logs and other results out of the file")]
    TooLarge,
    #[error("this is a {0} file; unpack it first")]
    Archive(&'static str),
    #[error("NUL byte on line {line}; save the file as UTF-8 text")]
    Nul { line: usize },
    #[error("not UTF-8 at byte {byte}; save the file as UTF-8, or declare its encoding")]
    NotUtf8 { byte: usize },
    #[error("encoding {0} is not supported; save the file as UTF-8")]
    UnknownEncoding(String),
    #[error("the bytes are not {0}, as the file declares; save it as UTF-8")]
    NotEncoded(String),
    #[error("git conflict markers on line {line}; settle the conflict first")]
    Conflict { line: usize },
    #[error("DOCTYPE with entities is not allowed (line {line}); take it out")]
    Doctype { line: usize },
    #[error("not XML: it begins with {found}; choose a GraphML file")]
    NotXml { found: String },
    #[error("not well-formed XML on line {line}: {why}; mend that line")]
    Broken { line: usize, why: String },
    #[error("not GraphML: the outermost element is {root} on line {line}; choose a GraphML file")]
    NotGraphml { line: usize, root: String },
    #[error("no <graph> before line {line}; restore the file from a backup")]
    NoGraph { line: usize },
    #[error("nested deeper than 64 elements on line {line}; this is no workfile")]
    TooDeep { line: usize },
    #[error("more than 256 attributes on one element on line {line}; this is no workfile")]
    TooManyAttributes { line: usize },
    #[error("attribute longer than 1 MiB on line {line}; shorten it")]
    AttributeTooLong { line: usize },
    #[error("text longer than 16 MiB on line {line}; take logs out of the file")]
    TextTooLong { line: usize },
    #[error("more than 200 000 nodes (line {line}); split the flow")]
    TooManyNodes { line: usize },
    #[error("more than 1 000 000 edges (line {line}); split the flow")]
    TooManyEdges { line: usize },
    #[error("node id {id} stands at lines {first} and {second}; rename one")]
    DuplicateNode {
        id: String,
        first: usize,
        second: usize,
    },
    #[error("key id {id} stands at lines {first} and {second}; rename one")]
    DuplicateKey {
        id: String,
        first: usize,
        second: usize,
    },
}

/// Reads a workfile's bytes.
pub fn read(bytes: &[u8]) -> Result<Reading, ReadError> {
    let decoded = decode(bytes)?;
    let raw = match decoded.encoding {
        Encoding::Utf8 => None,
        encoding => (encode(&decoded.text, encoding, decoded.bom).as_deref() != Some(bytes))
            .then(|| bytes.to_vec()),
    };
    read_decoded(decoded, raw)
}

/// Reads GraphML text, such as the clipboard's.
pub fn read_text(text: &str) -> Result<Reading, ReadError> {
    let text = text.trim_start_matches('\u{feff}');
    if text.is_empty() {
        return Err(ReadError::Empty);
    }
    if text.len() > FILE_BYTES_MAX {
        return Err(ReadError::TooLarge);
    }
    if let Some(at) = text.find('\0') {
        let line = text[..at].matches('\n').count() + 1;
        return Err(ReadError::Nul { line });
    }
    let decoded = Decoded {
        text: text.to_owned(),
        encoding: Encoding::Utf8,
        bom: false,
    };
    read_decoded(decoded, None)
}

fn read_decoded(decoded: Decoded, raw: Option<Vec<u8>>) -> Result<Reading, ReadError> {
    let text = decoded.text.as_str();
    let mut warnings = Warnings::new(text);
    if let Some(at) = conflict_marker(text) {
        let line = warnings.lines.at(at);
        return Err(ReadError::Conflict { line });
    }
    warn_of_forbidden(text, &mut warnings);
    let (layout, damaged) = scan(text, &mut warnings)?;
    check_node_ids(&layout, &mut warnings)?;

    let mut flow = FlowReader::new(text, &mut warnings).read(&layout);
    let mut results = FileResults::default();
    let placed = read_nodes(text, &layout, &mut flow, &mut results, &mut warnings);
    let edge_ids = read_edges(text, &layout, &mut flow, &mut results, &mut warnings);
    place(&mut flow, &placed);
    warn_of_leftovers(&layout, &flow, &mut warnings);

    let warnings = warnings.into_list();
    let source = Source(Arc::new(Inner {
        text: decoded.text,
        encoding: decoded.encoding,
        bom: decoded.bom,
        raw,
        layout,
        flow: flow.clone(),
        edge_ids,
        placed,
        damaged,
    }));
    Ok(Reading {
        flow,
        results,
        warnings,
        source,
        damaged,
    })
}

/// Where a line begins as git's conflict markers do. Well-formed XML has no such line.
fn conflict_marker(text: &str) -> Option<usize> {
    const MARKER: &str = "<<<<<<< ";
    if text.starts_with(MARKER) {
        return Some(0);
    }
    let mut places = text.match_indices(MARKER).map(|found| found.0);
    places.find(|at| text[..*at].ends_with('\n'))
}

/// Commands and notes in which somebody left git's conflict markers: the file is well-formed, what it runs is
/// not meant.
fn warn_of_leftovers(layout: &Layout, flow: &Flow, warnings: &mut Warnings<'_>) {
    let hint = "which no shell understands; settle them in the text";
    for placed in &layout.nodes {
        let Some(node) = flow.graph.node(&placed.id) else {
            continue;
        };
        if holds_conflict(&node.command) {
            warnings.at(placed.element.span.start as usize, || {
                let name = shown(node.name());
                format!("the command of ‘{name}’ holds git's conflict markers, {hint}")
            });
        }
    }
    for frame in flow
        .frames
        .iter()
        .filter(|frame| holds_conflict(&frame.text))
    {
        warnings.whole(|| {
            let name = shown(&frame.title);
            format!("the note ‘{name}’ holds git's conflict markers; settle them in the text")
        });
    }
}

/// All three markers, each at the start of a line, in their order.
fn holds_conflict(text: &str) -> bool {
    let mut lines = text.lines();
    ["<<<<<<< ", "=======", ">>>>>>> "]
        .iter()
        .all(|marker| lines.any(|line| line.starts_with(marker)))
}

fn warn_of_forbidden(text: &str, warnings: &mut Warnings<'_>) {
    let mut places = forbidden_in(text);
    for (range, _) in forbidden_references(text) {
        places = Some(places.map_or((range.start, 1), |(first, n)| {
            (first.min(range.start), n + 1)
        }));
    }
    if let Some((at, n)) = places {
        warnings.at(at, || {
            format!(
                "control characters that XML does not allow (the first of {n}); other programs \
                 cannot open this file; the next save that changes it writes visible signs instead"
            )
        });
    }
}

/// No two nodes of one id; those that differ only by case are told.
fn check_node_ids(layout: &Layout, warnings: &mut Warnings<'_>) -> Result<(), ReadError> {
    let mut seen: HashMap<&str, usize> = HashMap::with_capacity(layout.nodes.len());
    let mut folded: HashMap<String, &NodeId> = HashMap::with_capacity(layout.nodes.len());
    for node in &layout.nodes {
        let at = node.element.span.start as usize;
        if let Some(first) = seen.insert(node.id.as_str(), at) {
            return Err(ReadError::DuplicateNode {
                id: shown(node.id.as_str()),
                first: warnings.lines.at(first),
                second: warnings.lines.at(at),
            });
        }
        let lower = node.id.as_str().to_lowercase();
        // What a person cannot tell apart, and some file systems neither.
        let alike = match lower.is_ascii() {
            true => lower.clone(),
            false => lower.nfkc().collect(),
        };
        if let Some(other) = folded.insert(alike, &node.id) {
            warnings.at(at, || {
                let how = match other.as_str().to_lowercase() == lower {
                    true => "by case",
                    false => "in how their characters are encoded (Unicode normal form)",
                };
                let (other, id) = (shown(other.as_str()), shown(node.id.as_str()));
                format!("node ids {other} and {id} differ only {how}")
            });
        }
    }
    Ok(())
}

/// Fills the flow's nodes; gives back those whose place is not in the file.
fn read_nodes(
    text: &str,
    layout: &Layout,
    flow: &mut Flow,
    results: &mut FileResults,
    warnings: &mut Warnings<'_>,
) -> Vec<NodeId> {
    let mut placed = Vec::new();
    let mut n_unusable = 0;
    let mut first_placed = None;
    let mut n_running = 0;
    let mut reader = NodeReader::new(text, layout);
    for element in &layout.nodes {
        let NodeValues {
            node,
            result,
            has_place,
            unusable_place,
            running,
        } = reader.read(element, warnings);
        if !has_place {
            placed.push(node.id.clone());
            first_placed.get_or_insert(element.element.span.start as usize);
            n_unusable += usize::from(unusable_place);
        }
        n_running += usize::from(running);
        if result != crate::model::FileResult::default() {
            results.nodes.insert(node.id.clone(), result);
        }
        // Duplicates were refused before; there is no other reason for a refusal.
        let added = flow.graph.add_node(node);
        debug_assert!(added.is_ok(), "ids were checked");
    }
    if n_running > 0 {
        warnings.whole(|| {
            format!("nodes marked as running by another program ({n_running}) are read as idle")
        });
    }
    if let Some(at) = first_placed
        && (n_unusable > 0 || placed.len() < layout.nodes.len())
    {
        let n = placed.len();
        warnings.at(at, || {
            format!(
                "nodes without a usable position ({n}, the first here) are placed automatically"
            )
        });
    }
    placed
}

/// What the file says of one edge.
struct EdgeValues {
    kind: EdgeKind,
    to_run: bool,
}

/// Fills the flow's edges; gives back their ids by place in the layout.
fn read_edges(
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
        .map(|edge| explicit_id(text, layout, edge))
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
            both: is_both(layout, &layout.edges[place]),
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

/// An edge counts in both directions when it says so, else when its graph does.
pub(super) fn is_both(layout: &Layout, edge: &EdgeElement) -> bool {
    match edge.directed {
        Some((directed, _)) => !directed,
        None => layout.graph.undirected.is_some(),
    }
}

/// The id an edge has in the file: its attribute, else its data, as NetworkX reads it.
pub(super) fn explicit_id(text: &str, layout: &Layout, edge: &EdgeElement) -> Option<String> {
    let id = match edge.id {
        Some(span) => with_pictures(&attribute_value(span.of(text))).into_owned(),
        None => {
            let data = Layout::find(layout.data_of(edge.data), Field::EdgeId)?;
            clean(text, data).into_owned()
        }
    };
    (!id.is_empty()).then_some(id)
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
    let word = closed(Field::EdgeType).map(|d| clean(text, d));
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

/// The fields of `domain` for which a key declares a default; of several keys the last.
pub(super) fn defaults(layout: &Layout, domain: Domain) -> Vec<(Field, &str)> {
    let mut found: BTreeMap<Field, &str> = BTreeMap::new();
    for key in &layout.keys {
        if let (Some(default), Some(field)) = (key.default.as_deref(), key.field(domain))
            && !default.is_empty()
        {
            found.insert(field, default);
        }
    }
    found.into_iter().collect()
}
