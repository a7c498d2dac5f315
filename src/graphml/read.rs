//! Text to flow: the scan, then the readers of the flow, its nodes and its edges.

use std::sync::Arc;

use super::decode::{Decoded, Encoding, decode, encode};
use super::edge_reader::read_edges;
use super::element::Layout;
use super::error::ReadError;
use super::escape::{forbidden_in, forbidden_references};
use super::flow_reader::FlowReader;
use super::limits::FILE_BYTES_MAX;
use super::literal::Literals;
use super::node_ids::check_node_ids;
use super::node_reader::read_nodes;
use super::place::place;
use super::scan::scan;
use super::source::{Inner, Source};
use super::warning::{Warning, Warnings, shown};
use crate::model::{FileResults, Flow};

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

/// Where a line begins as git's conflict markers do. No markup does; a command in CDATA may.
fn conflict_marker(text: &str) -> Option<usize> {
    let mut literals = Literals::of(text);
    text.match_indices("<<<<<<< ")
        .map(|(at, _)| at)
        .find(|&at| (at == 0 || text[..at].ends_with('\n')) && !literals.contain(at))
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
                let name = shown(node.id.as_str());
                format!("the command of {name} holds git's conflict markers, {hint}")
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
            format!("the note {name} holds git's conflict markers; settle them in the text")
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
