//! How a text ended: whole, cut, or broken in the middle; and what of it is still worth reading.

use super::{Open, Scan, first_chars};
use crate::graphml::error::ReadError;
use crate::graphml::warning::shown;

impl Scan<'_, '_> {
    /// Judges how the text ended; true when the file is damaged.
    pub(super) fn finish(&mut self, broken: Option<(usize, String)>) -> Result<bool, ReadError> {
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
                if matches!(
                    self.stack.last(),
                    Some((Open::Data(_) | Open::Default(_), _))
                ) {
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
                Open::Data(_) | Open::Default(_) | Open::Other => {}
            }
        }
        "the document".to_owned()
    }
}
