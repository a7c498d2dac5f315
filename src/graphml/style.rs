//! How a file is laid out, so that what is added looks as if its own program had written it.

use super::element::{Data, Element, Layout};
use super::escape::{escape_attribute, escape_text};
use super::keys::Field;

/// Line break and indent before the parts of an element.
#[derive(Clone, Debug, Default)]
pub(super) struct Leads {
    /// Before the element.
    pub(super) own: String,
    /// Before each of its data.
    pub(super) data: String,
    /// Before its end tag.
    pub(super) close: String,
}

/// How a file is laid out.
#[derive(Clone, Debug)]
pub(super) struct Style {
    /// `\n` or `\r\n`.
    pub(super) eol: &'static str,
    /// Namespace prefix of elements with its colon.
    pub(super) prefix: String,
    /// What ends a self-closing tag: ` />` or `/>`.
    tail: &'static str,
    /// Empty data are written as `<data></data>`.
    empty_as_pair: bool,
    pub(super) key_lead: String,
    pub(super) graph: Leads,
    pub(super) node: Leads,
    pub(super) edge: Leads,
    /// Edge ids stand in data, not in attributes.
    pub(super) edge_id_is_data: bool,
    /// Blocking edges say so.
    pub(super) edge_type_is_said: bool,
}

impl Style {
    pub(super) fn of(text: &str, layout: &Layout) -> Self {
        let first_break = text.find('\n');
        let eol = match first_break {
            Some(at) if text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        };
        let graph_own = lead(text, layout.graph.element.span.start as usize);
        let deeper = |lead: &str| {
            if lead.is_empty() {
                String::new()
            } else {
                format!("{lead}  ")
            }
        };
        let first_of = |places: &mut dyn Iterator<Item = usize>| {
            let mut leads = places.map(|at| lead(text, at));
            leads.find(|lead| !lead.is_empty())
        };
        let nodes = &layout.nodes;
        let edges = &layout.edges;
        let starts = |e: &Element| e.span.start as usize;
        // The first child may stand right behind its parent's tag; a few are looked at.
        const LOOKED_AT: usize = 4;
        let node_own = first_of(
            &mut nodes
                .iter()
                .rev()
                .take(LOOKED_AT)
                .map(|n| starts(&n.element)),
        );
        let edge_own = first_of(
            &mut edges
                .iter()
                .rev()
                .take(LOOKED_AT)
                .map(|e| starts(&e.element)),
        );
        let graph_data = first_of(&mut layout.graph_data.iter().rev().map(|d| starts(&d.element)));
        let child = node_own
            .or(edge_own)
            .or(graph_data)
            .map_or_else(|| deeper(graph_own), str::to_owned);
        let inner = |elements: &mut dyn Iterator<Item = (Element, &[Data])>| {
            let mut with_data = elements.filter(|(_, data)| !data.is_empty());
            let (element, data) = with_data.next()?;
            let close = lead(text, element.inner.end as usize);
            let last = data.last()?;
            Some((
                lead(text, starts(&last.element)).to_owned(),
                close.to_owned(),
            ))
        };
        let mut of_nodes = nodes.iter().map(|n| (n.element, layout.data_of(n.data)));
        let mut of_edges = edges.iter().map(|e| (e.element, layout.data_of(e.data)));
        let leads = inner(&mut of_nodes)
            .or_else(|| inner(&mut of_edges))
            .unwrap_or_else(|| (deeper(&child), child.clone()));
        let common = Leads {
            own: child.clone(),
            data: leads.0,
            close: leads.1,
        };
        let own_of = |own: Option<&str>| Leads {
            own: own.map_or_else(|| child.clone(), str::to_owned),
            ..common.clone()
        };
        let key_lead = layout
            .keys
            .iter()
            .rev()
            .map(|k| lead(text, starts(&k.element)))
            .find(|lead| !lead.is_empty())
            .unwrap_or(graph_own);
        let edge_data = || edges.iter().flat_map(|e| layout.data_of(e.data));
        let any_data = layout.data.iter().chain(&layout.graph_data);
        let empty = any_data
            .map(|d| d.element)
            .find(|e| e.inner.range().is_empty());
        Self {
            eol,
            prefix: layout.prefix.clone(),
            tail: tail(text, layout),
            empty_as_pair: empty.is_some_and(|e| !e.self_closing),
            key_lead: key_lead.to_owned(),
            graph: Leads {
                own: graph_own.to_owned(),
                data: graph_data.map_or_else(|| child.clone(), str::to_owned),
                close: graph_own.to_owned(),
            },
            node: own_of(node_own),
            edge: own_of(edge_own),
            edge_id_is_data: edges.iter().all(|e| e.id.is_none())
                && edge_data().any(|d| d.field == Some(Field::EdgeId)),
            edge_type_is_said: edge_data().any(|d| d.field == Some(Field::EdgeType)),
        }
    }

    /// A data element.
    pub(super) fn data(&self, key: &str, value: &str) -> String {
        let (p, key) = (&self.prefix, escape_attribute(key));
        if !value.is_empty() {
            let value = escape_text(value, self.eol);
            format!("<{p}data key=\"{key}\">{value}</{p}data>")
        } else if self.empty_as_pair {
            format!("<{p}data key=\"{key}\"></{p}data>")
        } else {
            format!("<{p}data key=\"{key}\"{}", self.tail)
        }
    }

    /// A key declaration.
    pub(super) fn key(&self, id: &str, field: Field) -> String {
        let (p, tail) = (&self.prefix, self.tail);
        let (domain, name, kind) = (field.domain().word(), field.name(), field.kind());
        format!(
            "<{p}key id=\"{id}\" for=\"{domain}\" attr.name=\"{name}\" attr.type=\"{kind}\"{tail}"
        )
    }

    /// An element with its data. `start` is its tag without brackets and prefix.
    pub(super) fn element(
        &self,
        name: &str,
        start: &str,
        data: &[String],
        leads: &Leads,
    ) -> String {
        let p = &self.prefix;
        let own = &leads.own;
        if data.is_empty() {
            return format!("{own}<{p}{start}{}", self.tail);
        }
        let mut out = format!("{own}<{p}{start}>");
        for data in data {
            out.push_str(&leads.data);
            out.push_str(data);
        }
        out.push_str(&leads.close);
        out.push_str(&format!("</{p}{name}>"));
        out
    }
}

/// The line break and indent that stand right before `at`; empty when there is no break.
pub(super) fn lead(text: &str, at: usize) -> &str {
    let before = &text[..at];
    let blank = before.len() - before.trim_end_matches([' ', '\t', '\r', '\n']).len();
    let run = &before[before.len() - blank..];
    match run.rfind('\n') {
        Some(at) if run[..at].ends_with('\r') => &run[at - 1..],
        Some(at) => &run[at..],
        None => "",
    }
}

/// How self-closing tags of this file end.
fn tail(text: &str, layout: &Layout) -> &'static str {
    let mut elements = (layout.keys.iter().map(|k| k.element))
        .chain(layout.data.iter().map(|d| d.element))
        .chain(layout.edges.iter().map(|e| e.element))
        .chain(layout.nodes.iter().map(|n| n.element))
        .chain([layout.graph.element]);
    match elements.find(|e| e.self_closing) {
        Some(e) if !e.span.of(text).ends_with(" />") => "/>",
        _ => " />",
    }
}
