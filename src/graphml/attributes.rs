//! The attributes of one start tag.

use quick_xml::events::BytesStart;

use super::element::Span;
use super::error::ReadError;
use super::escape::{attribute_value, with_pictures};
use super::limits::{ATTRIBUTE_BYTES_MAX, ATTRIBUTES_MAX};
use super::warning::Warnings;

struct Attribute<'t> {
    name: &'t str,
    value: Span,
}

/// The attributes of the tag that was read last, by their places in the text.
pub(super) struct Attributes<'t> {
    text: &'t str,
    list: Vec<Attribute<'t>>,
}

impl<'t> Attributes<'t> {
    /// None yet, of the tags of `text`.
    pub(super) fn of(text: &'t str) -> Self {
        Self {
            text,
            list: Vec::new(),
        }
    }

    /// Reads those of a tag that begins at `start`, in the place of the last tag's.
    pub(super) fn read(
        &mut self,
        tag: &BytesStart<'t>,
        start: usize,
        warnings: &mut Warnings<'t>,
    ) -> Result<(), ReadError> {
        self.list.clear();
        // No check for duplicates by the library: it compares each with each.
        for attribute in tag.attributes().with_checks(false) {
            let Ok(attribute) = attribute else {
                warnings.at(start, || {
                    "a malformed attribute and those after it are ignored".to_owned()
                });
                break;
            };
            if self.list.len() >= ATTRIBUTES_MAX {
                return Err(ReadError::TooManyAttributes {
                    line: warnings.lines.at(start),
                });
            }
            if attribute.value.len() > ATTRIBUTE_BYTES_MAX {
                return Err(ReadError::AttributeTooLong {
                    line: warnings.lines.at(start),
                });
            }
            let (Some(name), Some(value)) = (
                within(self.text, attribute.key.as_ref()),
                within(self.text, &attribute.value),
            ) else {
                continue;
            };
            self.list.push(Attribute {
                name: name.of(self.text),
                value,
            });
        }
        Ok(())
    }

    /// Where the value of one stands.
    pub(super) fn span(&self, name: &str) -> Option<Span> {
        let found = self.list.iter().find(|a| a.name == name);
        found.map(|a| a.value)
    }

    /// The value of one, with visible signs for what XML does not allow.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        let raw = self.span(name)?.of(self.text);
        Some(with_pictures(&attribute_value(raw)).into_owned())
    }
}

/// Where a piece that was borrowed from `text` stands in it.
fn within(text: &str, piece: &str) -> Option<Span> {
    let start = (piece.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let end = start + piece.len();
    (end <= text.len()).then(|| Span::new(start, end))
}
