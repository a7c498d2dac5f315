//! Quotes and substitutions inside one another.

use super::line::Line;

/// What a stretch of text is to the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// The template itself.
    Top,
    /// `(…)`, `$(…)`.
    Paren,
    /// `$((…))` and other nested parentheses where words are no commands.
    Sum,
    /// `` `…` ``.
    Backquote,
    /// `"…"`.
    Double,
    /// `'…'`.
    Single,
    /// `$'…'`.
    AnsiC,
    /// `${…}`.
    Brace,
}

/// The open levels, the template itself outermost. How many are of a kind is counted as they open and
/// close: a template may nest them by the thousand.
pub(super) struct Levels {
    top: Line,
    open: Vec<(Level, Line)>,
    n_double: usize,
    n_backquotes: usize,
}

impl Levels {
    pub(super) fn new() -> Self {
        Self {
            top: Line::new(true),
            open: Vec::new(),
            n_double: 0,
            n_backquotes: 0,
        }
    }

    /// The innermost one.
    pub(super) fn last(&self) -> Level {
        self.open.last().map_or(Level::Top, |(level, _)| *level)
    }

    /// The line of the innermost one.
    pub(super) fn line(&mut self) -> &mut Line {
        match self.open.last_mut() {
            Some((_, line)) => line,
            None => &mut self.top,
        }
    }

    pub(super) fn push(&mut self, level: Level) {
        self.n_double += usize::from(level == Level::Double);
        self.n_backquotes += usize::from(level == Level::Backquote);
        self.open.push((level, Line::new(false)));
    }

    pub(super) fn pop(&mut self) -> Option<Level> {
        let (level, _) = self.open.pop()?;
        self.n_double -= usize::from(level == Level::Double);
        self.n_backquotes -= usize::from(level == Level::Backquote);
        Some(level)
    }

    /// Closes the innermost backquote with all that is open in it; false when none is.
    pub(super) fn close_backquote(&mut self) -> bool {
        let any = self.n_backquotes > 0;
        while any && self.pop().is_some_and(|level| level != Level::Backquote) {}
        any
    }

    /// True inside `"…"`, however deep.
    pub(super) fn in_double(&self) -> bool {
        self.n_double > 0
    }

    /// Backquote substitutions round this place.
    pub(super) fn n_backquotes(&self) -> usize {
        self.n_backquotes
    }
}
