//! Comments, CDATA sections and processing instructions: what looks like markup or a reference in
//! them is neither.

use std::ops::Range;

const KINDS: [(&str, &str); 3] = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];

/// The literals of a text, looked for as far as somebody asks.
pub(super) struct Literals<'t> {
    text: &'t str,
    /// The first one that ends behind all places asked for.
    found: Range<usize>,
}

impl<'t> Literals<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self { text, found: 0..0 }
    }

    /// True when a place lies in one. Places are asked for in ascending order.
    pub(super) fn contain(&mut self, at: usize) -> bool {
        while self.found.end <= at {
            self.found = self.after(self.found.end);
        }
        self.found.start <= at
    }

    fn after(&self, from: usize) -> Range<usize> {
        let brackets = self.text[from..].match_indices('<');
        for start in brackets.map(|(at, _)| from + at) {
            let rest = &self.text[start..];
            let kind = KINDS.iter().find(|(open, _)| rest.starts_with(open));
            let Some((open, close)) = kind else { continue };
            let body = start + open.len();
            let end = self.text[body..].find(close);
            return start..end.map_or(usize::MAX, |end| body + end + close.len());
        }
        // None any more: a range behind every place of the text.
        self.text.len()..usize::MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_in_a_literal_is_in_one() {
        let text = "@<a>@<!--@<b>@--><![CDATA[@]]>@<?x @?>@<!-- never closed @";
        let mut literals = Literals::of(text);
        let places = text.match_indices('@').map(|(at, _)| at);
        let inside: Vec<bool> = places.map(|at| literals.contain(at)).collect();
        assert_eq!(
            inside,
            [false, false, true, true, true, false, true, false, true]
        );
    }
}
