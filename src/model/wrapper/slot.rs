//! A `{}` of a template and what surrounds it.

/// What surrounds a `{}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Inside `'…'`.
    Single,
    /// Inside `"…"`.
    Double,
    /// Inside `$'…'`.
    AnsiC,
    /// In the text of a here-document; `expands` unless its delimiter is quoted.
    HereDoc { expands: bool },
    /// In a comment.
    Comment,
    /// Part of an argument, a file name, or a longer word.
    Word {
        /// A `<` or `>` touches it, so a bare number would name a stream.
        redirects_next: bool,
    },
    /// Where the shell expects a command.
    Code {
        /// A command of its own, with nothing it could be bound to on either side.
        alone: bool,
        /// The command ends after it (an operator, a redirection, the end), so it can be grouped.
        ends: bool,
        /// `NAME=value` stands before it.
        assigned: bool,
        /// A `<` or `>` touches it.
        redirects_next: bool,
    },
}

/// One `{}` of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Byte offset of the `{`.
    pub start: usize,
    pub place: Place,
    /// Backquote substitutions round it.
    pub backquotes: usize,
    /// An active `\` touches it.
    pub after_backslash: bool,
    /// A `$` that would expand touches it.
    pub after_dollar: bool,
    /// A character that could be the end of `$name` touches it.
    pub after_name: bool,
}
