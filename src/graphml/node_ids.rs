//! Ids of nodes: no two are the same, and those that look the same are told.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;

use super::element::Layout;
use super::error::ReadError;
use super::warning::{Warnings, shown};
use crate::model::NodeId;

/// No two nodes of one id; those that differ only by case are told.
pub(super) fn check_node_ids(
    layout: &Layout,
    warnings: &mut Warnings<'_>,
) -> Result<(), ReadError> {
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
