//! What was odd about a file that could be read all the same.

use std::cell::OnceCell;
use std::fmt;

use super::limits::WARNINGS_MAX;

/// One sentence about a place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Line, counted from 1, where there is one.
    pub line: Option<usize>,
    /// What is odd and what was made of it.
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

/// Line numbers of a text; counted when first asked, because most files never ask.
pub(super) struct Lines<'a> {
    text: &'a str,
    breaks: OnceCell<Vec<usize>>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            breaks: OnceCell::new(),
        }
    }

    /// The line of a byte offset, from 1.
    pub(super) fn at(&self, offset: usize) -> usize {
        let breaks = self.breaks.get_or_init(|| {
            let bytes = self.text.bytes().enumerate();
            bytes.filter(|b| b.1 == b'\n').map(|b| b.0).collect()
        });
        breaks.partition_point(|&at| at < offset) + 1
    }
}

/// Warnings as they arise, bounded: a hostile file must not fill the memory with sentences.
pub(super) struct Warnings<'a> {
    pub(super) lines: Lines<'a>,
    list: Vec<Warning>,
    n: usize,
}

impl<'a> Warnings<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            lines: Lines::new(text),
            list: Vec::new(),
            n: 0,
        }
    }

    /// Warns about a place; the sentence is made only when it will be told.
    pub(super) fn at(&mut self, offset: usize, text: impl FnOnce() -> String) {
        self.push(Some(offset), text);
    }

    /// Warns about the file as a whole.
    pub(super) fn whole(&mut self, text: impl FnOnce() -> String) {
        self.push(None, text);
    }

    fn push(&mut self, offset: Option<usize>, text: impl FnOnce() -> String) {
        self.n += 1;
        if self.list.len() < WARNINGS_MAX {
            let line = offset.map(|offset| self.lines.at(offset));
            self.list.push(Warning { line, text: text() });
        }
    }

    /// All of them, and how many were not told.
    pub(super) fn into_list(mut self) -> Vec<Warning> {
        let more = self.n - self.list.len();
        if more > 0 {
            self.list.push(Warning {
                line: None,
                text: format!("{more} more warnings of this kind"),
            });
        }
        self.list
    }
}

/// A name from the file as a sentence may show it: in quotes, short, with nothing invisible.
pub(super) fn shown(name: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 64;
    let mut out = String::from("‘");
    for (i, c) in name.chars().enumerate() {
        if i == SHOWN_CHARS_MAX {
            out.push('…');
            break;
        }
        if is_invisible(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out.push('’');
    out
}

/// Control characters, direction marks and zero-width ones: they would forge what is shown.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_from_one() {
        let lines = Lines::new("a\nb\n\nc");
        assert_eq!([0, 1, 2, 4, 5].map(|at| lines.at(at)), [1, 1, 2, 3, 4]);
    }

    #[test]
    fn a_hostile_name_is_shown_inert_and_short() {
        assert_eq!(shown("a\u{202e}b\u{1b}[0m"), "‘a\\u{202e}b\\u{1b}[0m’");
        assert_eq!(shown(&"x".repeat(10_000)).chars().count(), 67);
    }

    #[test]
    fn warnings_are_bounded_and_the_rest_counted() {
        let mut warnings = Warnings::new("");
        for i in 0..WARNINGS_MAX + 7 {
            warnings.whole(|| format!("{i}"));
        }
        let list = warnings.into_list();
        assert_eq!(list.len(), WARNINGS_MAX + 1);
        assert_eq!(list[WARNINGS_MAX].text, "7 more warnings of this kind");
    }
}
