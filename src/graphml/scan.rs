//! XML events to the places of keys, nodes, edges and data. Knows the structure of GraphML and
//! nothing of what the data mean; iterative, and bounded before anything is allocated.

mod ending;

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::attributes::Attributes;
use super::element::{Data, EdgeElement, Element, Key, Layout, NodeElement, Span};
use super::error::ReadError;
use super::escape::{text_value, with_pictures};
use super::keys::Domain;
use super::limits::{DEPTH_MAX, EDGES_MAX, NODES_MAX, TEXT_BYTES_MAX};
use super::resolve::resolve_keys;
use super::warning::{Warnings, shown};
use crate::model::NodeId;

const NAMESPACE: &str = "http://graphml.graphdrawing.org/xmlns";

/// What an open element is to us.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Open {
    Root,
    Key,
    /// With where its content begins.
    Default(usize),
    Graph,
    Node,
    Edge,
    Data(Domain),
    /// Kept in the file and not looked into.
    Other,
}

struct Scan<'t, 'w> {
    text: &'t str,
    warnings: &'w mut Warnings<'t>,
    layout: Layout,
    /// What is open, and where its start tag begins.
    stack: Vec<(Open, usize)>,
    attributes: Attributes<'t>,
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
        attributes: Attributes::of(text),
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
        self.attributes.read(tag, start, self.warnings)?;
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
            (Some(Open::Key), "default") => Open::Default(end),
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
            Open::Default(content) => {
                let value = text_value(&self.text[content.min(start)..start]);
                if let Some(key) = layout.keys.last_mut() {
                    key.default = Some(with_pictures(&value).into_owned());
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
        match self.attributes.value(&declaration) {
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
        if self.attributes.value("edgedefault").as_deref() == Some("undirected") {
            self.layout.graph.undirected = self.attributes.span("edgedefault");
        }
        Open::Graph
    }

    fn open_key(&mut self, element: Element) -> Open {
        let at = element.span.start as usize;
        let Some(id) = self.attributes.value("id") else {
            self.warnings
                .at(at, || "a <key> without an id is left out".to_owned());
            return Open::Other;
        };
        let kind = self
            .attributes
            .value("attr.type")
            .zip(self.attributes.span("attr.type"));
        self.layout.keys.push(Key {
            element,
            id,
            domains: Domain::of_word(self.attributes.value("for").as_deref()),
            name: self.attributes.value("attr.name").unwrap_or_default(),
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
        let Some(id) = self.attributes.value("id") else {
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
        let (Some(source), Some(target)) = (
            self.attributes.value("source"),
            self.attributes.value("target"),
        ) else {
            self.warnings.at(at, || {
                "an <edge> without source or target is left out; it stays in the file".to_owned()
            });
            return Ok(Open::Other);
        };
        let directed = self
            .attributes
            .value("directed")
            .map(|word| word != "false");
        let n_data = self.layout.data.len();
        self.layout.edges.push(EdgeElement {
            element,
            source: NodeId::new(source),
            target: NodeId::new(target),
            id: self.attributes.span("id"),
            directed: directed.zip(self.attributes.span("directed")),
            data: Span::new(n_data, n_data),
        });
        Ok(Open::Edge)
    }

    fn open_data(&mut self, domain: Domain, element: Element) -> Open {
        let data = Data {
            element,
            key: self.attributes.span("key").unwrap_or_default(),
            field: None,
            closed: false,
        };
        match domain {
            Domain::Graph => self.layout.graph_data.push(data),
            Domain::Node | Domain::Edge => self.layout.data.push(data),
        }
        Open::Data(domain)
    }

    fn line(&self, at: usize) -> usize {
        self.warnings.lines.at(at)
    }
}

fn offset(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

fn first_chars(text: &str) -> String {
    const CHARS: usize = 20;
    text.chars().take(CHARS).collect()
}
