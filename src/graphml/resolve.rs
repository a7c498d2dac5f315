//! From the key of each data element to what it means, by the keys that the file declares.

use std::collections::HashMap;

use super::element::{Data, Layout, Span};
use super::error::ReadError;
use super::escape::attribute_value;
use super::keys::{Domain, Field};
use super::warning::{Warnings, shown};

/// Gives each data element its meaning, after all keys are known: they may stand after the data.
pub(super) fn resolve_keys(
    text: &str,
    layout: &mut Layout,
    warnings: &mut Warnings<'_>,
) -> Result<(), ReadError> {
    let mut fields: HashMap<(&str, Domain), (Option<Field>, usize)> = HashMap::new();
    for key in &layout.keys {
        let at = key.element.span.start as usize;
        for &domain in key.domains {
            let entry = (key.field(domain), at);
            if let Some((_, first)) = fields.insert((&key.id, domain), entry) {
                return Err(ReadError::DuplicateKey {
                    id: shown(&key.id),
                    first: warnings.lines.at(first),
                    second: warnings.lines.at(at),
                });
            }
        }
    }
    let mut undeclared: Option<(Span, usize)> = None;
    let mut resolve = |data: &mut Data, domain: Domain| {
        let id = attribute_value(data.key.of(text));
        match fields.get(&(id.as_ref(), domain)) {
            Some((field, _)) => data.field = *field,
            None => {
                undeclared = Some((
                    undeclared.map_or(data.key, |u| u.0),
                    undeclared.map_or(1, |u| u.1 + 1),
                ))
            }
        }
    };
    for data in &mut layout.graph_data {
        resolve(data, Domain::Graph);
    }
    for node in &layout.nodes {
        for data in layout.data.get_mut(node.data.range()).unwrap_or_default() {
            resolve(data, Domain::Node);
        }
    }
    for edge in &layout.edges {
        for data in layout.data.get_mut(edge.data.range()).unwrap_or_default() {
            resolve(data, Domain::Edge);
        }
    }
    if let Some((key, n)) = undeclared {
        warnings.at(key.start as usize, || {
            let name = shown(key.of(text));
            format!("key {name} is not declared; {n} such data are kept in the file and not read")
        });
    }
    Ok(())
}
