//! Changes to a text by place: everything between them stays byte for byte.

use super::change::Change;
use super::element::{Data, Element, Layout, Span};
use super::escape::escape_text;
use super::keys::Field;
use super::style::{Leads, Style, lead};

/// Replacements in a text, gathered in any order.
pub(super) struct Patches<'t> {
    text: &'t str,
    style: &'t Style,
    list: Vec<(usize, usize, String)>,
}

impl<'t> Patches<'t> {
    pub(super) fn new(text: &'t str, style: &'t Style) -> Self {
        Self {
            text,
            style,
            list: Vec::new(),
        }
    }

    /// Puts `new` in the place of `span`.
    pub(super) fn replace(&mut self, span: Span, new: impl Into<String>) {
        let range = span.range();
        self.list.push((range.start, range.end, new.into()));
    }

    /// Puts `new` at a place. Several at one place stand in the order they were given.
    pub(super) fn insert(&mut self, at: usize, new: String) {
        self.list.push((at, at, new));
    }

    /// Takes an element out with its line.
    pub(super) fn remove(&mut self, span: Span) {
        let range = span.range();
        let lead = lead(self.text, range.start).len();
        if lead > 0 {
            self.list
                .push((range.start - lead, range.end, String::new()));
            return;
        }
        // Right behind its parent's tag: then the break that follows is its own.
        let after = &self.text[range.end..];
        let eol = ["\r\n", "\n"]
            .into_iter()
            .find(|eol| after.starts_with(eol));
        let end = range.end + eol.map_or(0, str::len);
        self.list.push((range.start, end, String::new()));
    }

    /// Puts text between the tags of an element: after `last` where it has such a child, else at
    /// its beginning.
    pub(super) fn add_child(
        &mut self,
        element: &Element,
        last: Option<Span>,
        new: &str,
        leads: &Leads,
        name: &str,
    ) {
        if element.self_closing {
            let (start, end) = self.tag_tail(element);
            let (p, close) = (&self.style.prefix, &leads.close);
            self.list
                .push((start, end, format!(">{new}{close}</{p}{name}>")));
        } else if let Some(last) = last {
            self.insert(last.end as usize, new.to_owned());
        } else {
            let at = element.inner.start as usize;
            let close = if element.inner.range().is_empty() {
                leads.close.as_str()
            } else {
                ""
            };
            self.insert(at, format!("{new}{close}"));
        }
    }

    /// Puts an attribute at the end of an element's start tag.
    pub(super) fn add_attribute(&mut self, element: &Element, attribute: &str) {
        let (start, _) = self.tag_tail(element);
        self.insert(start, format!(" {attribute}"));
    }

    /// Where the end of a start tag stands: `>`, or `/>` with the blanks before it.
    fn tag_tail(&self, element: &Element) -> (usize, usize) {
        let (end, bracket) = if element.self_closing {
            (element.span.end as usize, "/>")
        } else {
            (element.inner.start as usize, ">")
        };
        let tag = &self.text[element.span.start as usize..end];
        let kept = tag.strip_suffix(bracket).unwrap_or(tag).trim_end();
        (element.span.start as usize + kept.len(), end)
    }

    /// Sets and takes out data of one element. `key` gives the key's id of a field, and whether
    /// that key has a default, which leaving the data out would bring back.
    pub(super) fn change_data(
        &mut self,
        (name, element): (&str, &Element),
        data: &[Data],
        changes: &[Change],
        leads: &Leads,
        key: &dyn Fn(Field) -> (String, bool),
    ) {
        let mut new = String::new();
        let own_lead = data
            .last()
            .map(|d| lead(self.text, d.element.span.start as usize));
        let data_lead = own_lead
            .filter(|lead| !lead.is_empty())
            .unwrap_or(&leads.data);
        for (field, value) in changes {
            let (key, has_default) = key(*field);
            let value = match value {
                Some(value) => Some(value.as_str()),
                None => has_default.then(|| field.nothing()),
            };
            match (Layout::find(data, *field), value) {
                (Some(there), Some(value)) => self.set_data(there, value),
                (Some(_), None) => {
                    for there in data.iter().filter(|d| d.field == Some(*field)) {
                        self.remove(there.element.span);
                    }
                }
                (None, Some(value)) => {
                    new.push_str(data_lead);
                    new.push_str(&self.style.data(&key, value));
                }
                (None, None) => {}
            }
        }
        if !new.is_empty() {
            let last = data.last().map(|d| d.element.span);
            self.add_child(element, last, &new, leads, name);
        }
    }

    fn set_data(&mut self, data: &Data, value: &str) {
        let element = &data.element;
        if value.is_empty() {
            // As this file writes empty data.
            let key = super::escape::attribute_value(data.key.of(self.text));
            let new = self.style.data(&key, value);
            self.replace(element.span, new);
            return;
        }
        let value = escape_text(value, self.style.eol);
        if element.self_closing {
            let (start, end) = self.tag_tail(element);
            let p = &self.style.prefix;
            self.list.push((start, end, format!(">{value}</{p}data>")));
        } else {
            self.replace(element.inner, value);
        }
    }

    /// The text with all changes made.
    pub(super) fn apply(mut self) -> String {
        // Stable: what was inserted at one place keeps its order.
        self.list.sort_by_key(|patch| patch.0);
        let grown: usize = self.list.iter().map(|patch| patch.2.len()).sum();
        let mut out = String::with_capacity(self.text.len() + grown);
        let mut at = 0;
        for (start, end, new) in &self.list {
            // Two neighbours taken out may both claim the break between them.
            if *start > at {
                out.push_str(&self.text[at..*start]);
                at = *start;
            }
            out.push_str(new);
            at = at.max(*end);
        }
        out.push_str(&self.text[at..]);
        out
    }
}
