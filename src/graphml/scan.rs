//! XML events to the places of keys, nodes, edges and data. Knows the structure of GraphML and
//! nothing of what the data mean; iterative, and bounded before anything is allocated.

use std::collections::HashMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::element::{Data, EdgeElement, Element, Key, Layout, NodeElement, Span};
use super::error::ReadError;
use super::escape::{attribute_value, text_value, with_pictures};
use super::keys::{Domain, Field};
use super::limits::{
    ATTRIBUTE_BYTES_MAX, ATTRIBUTES_MAX, DEPTH_MAX, EDGES_MAX, NODES_MAX, TEXT_BYTES_MAX,
};
use super::warning::{Warnings, shown};
use crate::model::NodeId;

const NAMESPACE: &str = "http://graphml.graphdrawing.org/xmlns";

/// What an open element is to us.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Open {
    Root,
    Key,
    Default,
    Graph,
    Node,
    Edge,
    Data(Domain),
    /// Kept in the file and not looked into.
    Other,
}

/// One attribute of a start tag, borrowed from the text.
struct Attribute<'t> {
    name: &'t str,
    value: Span,
}

struct Scan<'t, 'w> {
    text: &'t str,
    warnings: &'w mut Warnings<'t>,
    layout: Layout,
    stack: Vec<(Open, usize)>,
    attributes: Vec<Attribute<'t>>,
    seen_root: bool,
    seen_graph: bool,
    n_other_graphs: usize,
    n_kept: usize,
}

/// Finds the elements of a workfile. The flag says whether the file is damaged: what stands before
/// the damage is in the layout.
pub(super) fn scan<'t>(
    text: &'t str,
    warnings: &mut Warnings<'t>,
) -> Result<(Layout, bool), ReadError> {
    let mut scan = Scan {
        text,
        warnings,
        layout: Layout::default(),
        stack: Vec::new(),
        attributes: Vec::new(),
        seen_root: false,
        seen_graph: false,
        n_other_graphs: 0,
        n_kept: 0,
    };
    let broken = scan.events()?;
    let damaged = scan.finish(broken)?;
    let mut layout = scan.layout;
    resolve_keys(text, &mut layout, scan.warnings)?;
    Ok((layout, damaged))
}

impl<'t> Scan<'t, '_> {
    /// Reads to the end, or to the first place that is no XML: where, and why.
    fn events(&mut self) -> Result<Option<(usize, String)>, ReadError> {
        let mut reader = Reader::from_str(self.text);
        reader.config_mut().allow_dangling_amp = true;
        let mut doctype = false;
        loop {
            let start = offset(&reader);
            let event = match reader.read_event() {
                Ok(event) => event,
                Err(why) => {
                    let at = usize::try_from(reader.error_position()).unwrap_or(start);
                    if self.text[start..].starts_with("<!DOCTYPE") {
                        return Err(ReadError::Doctype {
                            line: self.line(start),
                        });
                    }
                    return Ok(Some((at.min(self.text.len()), why.to_string())));
                }
            };
            let end = offset(&reader);
            match event {
                Event::Start(tag) => self.open(&tag, start, end, false)?,
                Event::Empty(tag) => {
                    self.open(&tag, start, end, true)?;
                    self.close(end, end)?;
                }
                Event::End(_) => self.close(start, end)?,
                Event::DocType(content) => {
                    // Entities are how XML bombs are made; nothing of GraphML needs them.
                    if content.contains('[') || doctype {
                        return Err(ReadError::Doctype {
                            line: self.line(start),
                        });
                    }
                    doctype = true;
                }
                Event::Text(content) if !self.seen_root => {
                    let trimmed = content.trim();
                    if !trimmed.is_empty() {
                        return Err(ReadError::NotXml {
                            found: shown(&first_chars(trimmed)),
                        });
                    }
                }
                Event::Eof => return Ok(None),
                _ => {}
            }
        }
    }

    fn open(
        &mut self,
        tag: &BytesStart<'t>,
        start: usize,
        end: usize,
        self_closing: bool,
    ) -> Result<(), ReadError> {
        if self.stack.len() >= DEPTH_MAX {
            return Err(ReadError::TooDeep {
                line: self.line(start),
            });
        }
        self.read_attributes(tag, start)?;
        let name_start = start + 1;
        let name = &self.text[name_start..name_start + tag.name().as_ref().len()];
        let (prefix, local) = match name.find(':') {
            Some(colon) => name.split_at(colon + 1),
            None => ("", name),
        };
        let element = Element {
            span: Span::new(start, end),
            inner: Span::new(end, end),
            self_closing,
        };
        let parent = self.stack.last().map(|open| open.0);
        // An element of another namespace is somebody else's, whatever its name.
        let ours = !self.seen_root || prefix == self.layout.prefix;
        let kind = match (parent, local) {
            _ if !ours => Open::Other,
            (None, _) if !self.seen_root => self.open_root(prefix, local, element)?,
            (Some(Open::Root | Open::Graph), "key") => self.open_key(element),
            (Some(Open::Key), "default") => Open::Default,
            (Some(Open::Root), "graph") if !self.seen_graph => self.open_graph(element),
            (Some(Open::Root), "graph") => {
                self.n_other_graphs += 1;
                Open::Other
            }
            (Some(Open::Graph), "node") => self.open_node(element)?,
            (Some(Open::Graph), "edge") => self.open_edge(element)?,
            (Some(Open::Graph), "data") => self.open_data(Domain::Graph, element),
            (Some(Open::Node), "data") => self.open_data(Domain::Node, element),
            (Some(Open::Edge), "data") => self.open_data(Domain::Edge, element),
            (Some(Open::Graph), "hyperedge") | (Some(Open::Node), "graph" | "port") => {
                self.n_kept += 1;
                if self.n_kept == 1 {
                    let what = local.to_owned();
                    self.warnings.at(start, || {
                        format!("<{what}> is not understood; it is kept in the file and takes no part in runs")
                    });
                }
                Open::Other
            }
            _ => Open::Other,
        };
        self.stack.push((kind, start));
        Ok(())
    }

    fn close(&mut self, start: usize, end: usize) -> Result<(), ReadError> {
        let Some((kind, opened)) = self.stack.pop() else {
            return Ok(());
        };
        let set = |element: &mut Element| {
            element.span.end = Span::new(end, end).end;
            if !element.self_closing {
                element.inner.end = Span::new(start, start).start;
            }
        };
        let layout = &mut self.layout;
        match kind {
            Open::Root => set(&mut layout.root),
            Open::Graph => set(&mut layout.graph.element),
            Open::Key => layout.keys.last_mut().map_or((), |k| set(&mut k.element)),
            Open::Node => {
                let n_data = layout.data.len();
                if let Some(node) = layout.nodes.last_mut() {
                    set(&mut node.element);
                    node.data.end = Span::new(n_data, n_data).end;
                }
            }
            Open::Edge => {
                let n_data = layout.data.len();
                if let Some(edge) = layout.edges.last_mut() {
                    set(&mut edge.element);
                    edge.data.end = Span::new(n_data, n_data).end;
                }
            }
            Open::Data(domain) => {
                let list = match domain {
                    Domain::Graph => &mut layout.graph_data,
                    Domain::Node | Domain::Edge => &mut layout.data,
                };
                if let Some(data) = list.last_mut() {
                    set(&mut data.element);
                    data.closed = true;
                    if data.element.inner.range().len() > TEXT_BYTES_MAX {
                        return Err(ReadError::TextTooLong {
                            line: self.line(opened),
                        });
                    }
                }
            }
            Open::Default => {
                let raw = if start == end {
                    ""
                } else {
                    let open_end = self.text[opened..start]
                        .find('>')
                        .map_or(start, |i| opened + i + 1);
                    &self.text[open_end..start]
                };
                if let Some(key) = layout.keys.last_mut() {
                    key.default = Some(with_pictures(&text_value(raw)).into_owned());
                }
            }
            Open::Other => {}
        }
        Ok(())
    }

    fn open_root(
        &mut self,
        prefix: &str,
        local: &str,
        element: Element,
    ) -> Result<Open, ReadError> {
        self.seen_root = true;
        let at = element.span.start as usize;
        if local != "graphml" {
            return Err(ReadError::NotGraphml {
                line: self.line(at),
                root: shown(local),
            });
        }
        self.layout.prefix = prefix.to_owned();
        self.layout.root = element;
        let declaration = match prefix.strip_suffix(':') {
            Some(name) => format!("xmlns:{name}"),
            None => "xmlns".to_owned(),
        };
        match self.value(&declaration) {
            Some(namespace) if namespace == NAMESPACE => {}
            other => self.warnings.at(at, || {
                let other = other.unwrap_or_default();
                format!(
                    "the namespace is {} and not GraphML's; read as GraphML, other programs may refuse it",
                    shown(&other)
                )
            }),
        }
        Ok(Open::Root)
    }

    fn open_graph(&mut self, element: Element) -> Open {
        self.seen_graph = true;
        self.layout.graph.element = element;
        if self.value("edgedefault").as_deref() == Some("undirected") {
            self.layout.graph.undirected = self.span("edgedefault");
        }
        Open::Graph
    }

    fn open_key(&mut self, element: Element) -> Open {
        let at = element.span.start as usize;
        let Some(id) = self.value("id") else {
            self.warnings
                .at(at, || "a <key> without an id is left out".to_owned());
            return Open::Other;
        };
        let kind = self.value("attr.type").zip(self.span("attr.type"));
        self.layout.keys.push(Key {
            element,
            id,
            domains: Domain::of_word(self.value("for").as_deref()),
            name: self.value("attr.name").unwrap_or_default(),
            kind,
            default: None,
        });
        Open::Key
    }

    fn open_node(&mut self, element: Element) -> Result<Open, ReadError> {
        let at = element.span.start as usize;
        if self.layout.nodes.len() >= NODES_MAX {
            return Err(ReadError::TooManyNodes {
                line: self.line(at),
            });
        }
        let Some(id) = self.value("id") else {
            self.warnings.at(at, || {
                "a <node> without an id is left out; it stays in the file".to_owned()
            });
            return Ok(Open::Other);
        };
        let n_data = self.layout.data.len();
        self.layout.nodes.push(NodeElement {
            element,
            id: NodeId::new(id),
            data: Span::new(n_data, n_data),
        });
        Ok(Open::Node)
    }

    fn open_edge(&mut self, element: Element) -> Result<Open, ReadError> {
        let at = element.span.start as usize;
        if self.layout.edges.len() >= EDGES_MAX {
            return Err(ReadError::TooManyEdges {
                line: self.line(at),
            });
        }
        let (Some(source), Some(target)) = (self.value("source"), self.value("target")) else {
            self.warnings.at(at, || {
                "an <edge> without source or target is left out; it stays in the file".to_owned()
            });
            return Ok(Open::Other);
        };
        let directed = self.value("directed").map(|word| word != "false");
        let n_data = self.layout.data.len();
        self.layout.edges.push(EdgeElement {
            element,
            source: NodeId::new(source),
            target: NodeId::new(target),
            id: self.span("id"),
            directed: directed.zip(self.span("directed")),
            data: Span::new(n_data, n_data),
        });
        Ok(Open::Edge)
    }

    fn open_data(&mut self, domain: Domain, element: Element) -> Open {
        let data = Data {
            element,
            key: self.span("key").unwrap_or_default(),
            field: None,
            closed: false,
        };
        match domain {
            Domain::Graph => self.layout.graph_data.push(data),
            Domain::Node | Domain::Edge => self.layout.data.push(data),
        }
        Open::Data(domain)
    }

    fn read_attributes(&mut self, tag: &BytesStart<'t>, start: usize) -> Result<(), ReadError> {
        self.attributes.clear();
        // No check for duplicates by the library: it compares each with each.
        for attribute in tag.attributes().with_checks(false) {
            let Ok(attribute) = attribute else {
                self.warnings.at(start, || {
                    "a malformed attribute and those after it are ignored".to_owned()
                });
                break;
            };
            if self.attributes.len() >= ATTRIBUTES_MAX {
                return Err(ReadError::TooManyAttributes {
                    line: self.line(start),
                });
            }
            if attribute.value.len() > ATTRIBUTE_BYTES_MAX {
                return Err(ReadError::AttributeTooLong {
                    line: self.line(start),
                });
            }
            let (Some(name), Some(value)) = (
                within(self.text, attribute.key.as_ref()),
                within(self.text, &attribute.value),
            ) else {
                continue;
            };
            self.attributes.push(Attribute {
                name: name.of(self.text),
                value,
            });
        }
        Ok(())
    }

    fn span(&self, name: &str) -> Option<Span> {
        let found = self.attributes.iter().find(|a| a.name == name);
        found.map(|a| a.value)
    }

    fn value(&self, name: &str) -> Option<String> {
        let raw = self.span(name)?.of(self.text);
        Some(with_pictures(&attribute_value(raw)).into_owned())
    }

    fn line(&self, at: usize) -> usize {
        self.warnings.lines.at(at)
    }

    /// Judges how the text ended; true when the file is damaged.
    fn finish(&mut self, broken: Option<(usize, String)>) -> Result<bool, ReadError> {
        if !self.seen_root {
            return Err(match broken {
                Some((at, why)) => ReadError::Broken {
                    line: self.line(at),
                    why,
                },
                None => ReadError::NotXml {
                    found: shown(&first_chars(self.text.trim_start())),
                },
            });
        }
        if !self.seen_graph {
            return Err(ReadError::NoGraph {
                line: self.line(broken.map_or(self.text.len(), |b| b.0)),
            });
        }
        if self.n_other_graphs > 0 {
            let n = self.n_other_graphs;
            self.warnings
                .whole(|| format!("only the first graph is read; {n} more are kept in the file"));
        }
        let damaged = broken.is_some() || !self.stack.is_empty();
        if damaged {
            let cut = broken
                .as_ref()
                .is_none_or(|(at, _)| self.text[*at..].find('>').is_none());
            let inside = self.inside();
            let at = broken.as_ref().map_or(self.text.len(), |b| b.0);
            self.warnings.at(at, || match broken {
                Some((_, why)) if !cut => {
                    format!("the file is broken here, inside {inside} ({why}); what stands before was read")
                }
                _ => format!("the file ends inside {inside}; what stands before was read"),
            });
            // Whatever is still open ends where the reading ended.
            while !self.stack.is_empty() {
                if matches!(self.stack.last(), Some((Open::Data(_) | Open::Default, _))) {
                    self.stack.pop();
                } else {
                    self.close(at, at)?;
                }
            }
        }
        Ok(damaged)
    }

    /// The innermost open element that a person would recognise.
    fn inside(&self) -> String {
        for (kind, _) in self.stack.iter().rev() {
            match kind {
                Open::Node => {
                    let id = self.layout.nodes.last().map_or("", |n| n.id.as_str());
                    return format!("<node id={}>", shown(id));
                }
                Open::Edge => {
                    if let Some(edge) = self.layout.edges.last() {
                        let (source, target) = (edge.source.as_str(), edge.target.as_str());
                        return format!("<edge source={} target={}>", shown(source), shown(target));
                    }
                }
                Open::Key => {
                    let id = self.layout.keys.last().map_or("", |k| k.id.as_str());
                    return format!("<key id={}>", shown(id));
                }
                Open::Graph => return "<graph>".to_owned(),
                Open::Root => return "<graphml>".to_owned(),
                Open::Data(_) | Open::Default | Open::Other => {}
            }
        }
        "the document".to_owned()
    }
}

/// Gives each data element its meaning, after all keys are known: they may stand after the data.
fn resolve_keys(
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

fn offset(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

/// Where a piece that was borrowed from `text` stands in it.
fn within(text: &str, piece: &str) -> Option<Span> {
    let start = (piece.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let end = start + piece.len();
    (end <= text.len()).then(|| Span::new(start, end))
}

fn first_chars(text: &str) -> String {
    const CHARS: usize = 20;
    text.chars().take(CHARS).collect()
}
