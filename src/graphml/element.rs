//! Where each element of a workfile stands in its text, as the scan found it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::escape::{attribute_value, text_value, with_pictures};
use super::keys::{Domain, Field};
use crate::model::NodeId;

/// Byte offsets into the text. Files are at most 64 MiB, so 32 bits do, and halve the memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        let narrow = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            start: narrow(start),
            end: narrow(end),
        }
    }

    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    pub(super) fn of(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or_default()
    }
}

/// An element: its start tag, its content, its end tag.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Element {
    /// From `<` of the start tag to the end of the end tag.
    pub(super) span: Span,
    /// Between the tags. Empty and at the end when there is no end tag.
    pub(super) inner: Span,
    /// Written as `<a/>`.
    pub(super) self_closing: bool,
}

/// A `<data>` element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Data {
    pub(super) element: Element,
    /// The raw value of its `key` attribute.
    pub(super) key: Span,
    /// What it means, when its key is one we know.
    pub(super) field: Option<Field>,
    /// False where the file ends inside it: half a command is no command.
    pub(super) closed: bool,
}

impl Data {
    /// Its value, with visible signs for what XML does not allow.
    pub(super) fn value<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let value = text_value(self.element.inner.of(text));
        match with_pictures(&value) {
            Cow::Borrowed(_) => value,
            Cow::Owned(healed) => Cow::Owned(healed),
        }
    }
}

/// A `<key>` declaration.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) element: Element,
    pub(super) id: String,
    pub(super) domains: &'static [Domain],
    pub(super) name: String,
    /// `attr.type`, and where its value stands.
    pub(super) kind: Option<(String, Span)>,
    pub(super) default: Option<String>,
}

impl Key {
    /// What the key means on elements of `domain`.
    pub(super) fn field(&self, domain: Domain) -> Option<Field> {
        if self.domains.contains(&domain) {
            Field::find(domain, &self.name)
        } else {
            None
        }
    }
}

/// A `<node>` element.
#[derive(Clone, Debug)]
pub(super) struct NodeElement {
    pub(super) element: Element,
    pub(super) id: NodeId,
    /// Its data, as a range of [`Layout::data`].
    pub(super) data: Span,
}

/// An `<edge>` element.
#[derive(Clone, Debug)]
pub(super) struct EdgeElement {
    pub(super) element: Element,
    pub(super) source: NodeId,
    pub(super) target: NodeId,
    /// Its `id` attribute: where the value stands.
    pub(super) id: Option<Span>,
    /// Its `directed` attribute, and where the value stands.
    pub(super) directed: Option<(bool, Span)>,
    /// Its data, as a range of [`Layout::data`].
    pub(super) data: Span,
}

/// The `<graph>` element.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct GraphElement {
    pub(super) element: Element,
    /// The value of `edgedefault`, and where it stands.
    pub(super) undirected: Option<Span>,
}

/// A whole file.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    /// Namespace prefix of the GraphML elements with its colon, mostly empty.
    pub(super) prefix: String,
    pub(super) root: Element,
    pub(super) graph: GraphElement,
    pub(super) keys: Vec<Key>,
    pub(super) nodes: Vec<NodeElement>,
    pub(super) edges: Vec<EdgeElement>,
    /// Data of nodes and edges, each element's in one run.
    pub(super) data: Vec<Data>,
    pub(super) graph_data: Vec<Data>,
}

impl Layout {
    pub(super) fn data_of(&self, range: Span) -> &[Data] {
        self.data.get(range.range()).unwrap_or_default()
    }

    /// The data that gives `field`: the last one, as NetworkX reads it.
    pub(super) fn find(data: &[Data], field: Field) -> Option<&Data> {
        data.iter().rev().find(|d| d.field == Some(field))
    }

    /// The first key that means `field`.
    pub(super) fn key(&self, field: Field) -> Option<&Key> {
        let domain = field.domain();
        self.keys.iter().find(|k| k.field(domain) == Some(field))
    }

    /// The fields of `domain` for which a key declares a default; of several keys the last.
    pub(super) fn defaults(&self, domain: Domain) -> Vec<(Field, &str)> {
        let mut found: BTreeMap<Field, &str> = BTreeMap::new();
        for key in &self.keys {
            if let (Some(default), Some(field)) = (key.default.as_deref(), key.field(domain))
                && !default.is_empty()
            {
                found.insert(field, default);
            }
        }
        found.into_iter().collect()
    }

    /// An edge counts in both directions when it says so, else when its graph does.
    pub(super) fn is_both(&self, edge: &EdgeElement) -> bool {
        match edge.directed {
            Some((directed, _)) => !directed,
            None => self.graph.undirected.is_some(),
        }
    }

    /// The id an edge has in the file: its attribute, else its data, as NetworkX reads it.
    pub(super) fn own_id(&self, text: &str, edge: &EdgeElement) -> Option<String> {
        let id = match edge.id {
            Some(span) => with_pictures(&attribute_value(span.of(text))).into_owned(),
            None => {
                let data = Self::find(self.data_of(edge.data), Field::EdgeId)?;
                data.value(text).into_owned()
            }
        };
        (!id.is_empty()).then_some(id)
    }
}
