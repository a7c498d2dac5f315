//! Where each `{}` of a template stands, by reading the template as a shell reads a line.
//!
//! Not a shell parser: it knows quotes, substitutions, comments, here-documents, and whether the
//! next word is a command. What it cannot tell it takes for an argument, the place where one quoted
//! word is always safe.

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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Top,
    /// `(…)`, `$(…)`.
    Paren,
    /// `$((…))` and other nested parentheses where words are no commands.
    Sum,
    Backquote,
    Double,
    Single,
    AnsiC,
    /// `${…}`.
    Brace,
}

/// What the shell expects at a level that holds commands.
#[derive(Clone, Debug)]
struct Line {
    command_next: bool,
    assigned: bool,
    /// Only `;`, a line end or the start precedes.
    fresh: bool,
    /// A file name is due after `<` or `>`.
    target_next: bool,
    word: String,
    in_word: bool,
}

impl Line {
    fn new(fresh: bool) -> Self {
        Self {
            command_next: true,
            assigned: false,
            fresh,
            target_next: false,
            word: String::new(),
            in_word: false,
        }
    }

    fn end_word(&mut self) {
        if !self.in_word {
            return;
        }
        let word = std::mem::take(&mut self.word);
        self.in_word = false;
        if std::mem::take(&mut self.target_next) || !self.command_next {
            return;
        }
        self.fresh = false;
        match word.as_str() {
            "then" | "do" | "else" | "elif" | "if" | "while" | "until" | "!" | "{" | "time" => {
                self.assigned = false;
            }
            _ if is_assignment(&word) => self.assigned = true,
            _ => self.command_next = false,
        }
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(super::is_name_char)
    })
}

struct HereDoc {
    delimiter: String,
    expands: bool,
    strips_tabs: bool,
}

/// Every `{}` of the template, in order.
pub(super) fn slots(template: &str) -> Vec<Slot> {
    Reader {
        text: template,
        at: 0,
        levels: vec![(Level::Top, Line::new(true))],
        heredocs: Vec::new(),
        slots: Vec::new(),
    }
    .read()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    levels: Vec<(Level, Line)>,
    heredocs: Vec<HereDoc>,
    slots: Vec<Slot>,
}

impl Reader<'_> {
    fn read(mut self) -> Vec<Slot> {
        while let Some(c) = self.rest().chars().next() {
            if self.rest().starts_with("{}") {
                self.slot();
                continue;
            }
            match self.level() {
                Level::Single => {
                    if c == '\'' {
                        self.levels.pop();
                    }
                    self.at += c.len_utf8();
                }
                Level::AnsiC => match c {
                    '\\' => self.skip_escape(),
                    _ => {
                        if c == '\'' {
                            self.levels.pop();
                        }
                        self.at += c.len_utf8();
                    }
                },
                Level::Double => self.in_double(c),
                Level::Brace | Level::Sum => self.in_expression(c),
                Level::Top | Level::Paren | Level::Backquote => self.in_commands(c),
            }
        }
        self.slots
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn level(&self) -> Level {
        self.levels.last().map_or(Level::Top, |(level, _)| *level)
    }

    fn line(&mut self) -> &mut Line {
        if self.levels.is_empty() {
            self.levels.push((Level::Top, Line::new(true)));
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last].1
    }

    fn push(&mut self, level: Level, bytes: usize) {
        self.at += bytes;
        self.levels.push((level, Line::new(false)));
    }

    /// Passes a backslash and the character it escapes, but never a `{}`.
    fn skip_escape(&mut self) {
        self.at += 1;
        if !self.rest().starts_with("{}") {
            self.at += self.rest().chars().next().map_or(0, char::len_utf8);
        }
    }

    /// Openers that mean the same in commands, in double quotes and in `${…}`.
    fn substitution(&mut self) -> bool {
        let rest = self.rest();
        if rest.starts_with("$((") {
            self.push(Level::Sum, 3);
            // The second parenthesis is a level of its own, so that `))` closes both.
            self.levels.push((Level::Sum, Line::new(false)));
        } else if rest.starts_with("$(") {
            self.push(Level::Paren, 2);
        } else if rest.starts_with("${") && !rest.starts_with("${}") {
            self.push(Level::Brace, 2);
        } else if rest.starts_with('`') {
            match self
                .levels
                .iter()
                .rposition(|(level, _)| *level == Level::Backquote)
            {
                Some(open) => {
                    self.levels.truncate(open);
                    self.at += 1;
                }
                None => self.push(Level::Backquote, 1),
            }
        } else {
            return false;
        }
        true
    }

    fn in_double(&mut self, c: char) {
        match c {
            '\\' => self.skip_escape(),
            '"' => {
                self.levels.pop();
                self.at += 1;
            }
            _ => {
                if !self.substitution() {
                    self.at += c.len_utf8();
                }
            }
        }
    }

    fn in_expression(&mut self, c: char) {
        let in_double = self
            .levels
            .iter()
            .rev()
            .any(|(level, _)| *level == Level::Double);
        match (self.level(), c) {
            (_, '\\') => self.skip_escape(),
            (Level::Brace, '}') | (Level::Sum, ')') => {
                self.levels.pop();
                self.at += 1;
            }
            (Level::Sum, '(') => self.push(Level::Sum, 1),
            (_, '\'') if !in_double => self.push(Level::Single, 1),
            (_, '"') => self.push(Level::Double, 1),
            _ => {
                if !self.substitution() {
                    self.at += c.len_utf8();
                }
            }
        }
    }

    fn in_commands(&mut self, c: char) {
        let in_word = self.line().in_word;
        match c {
            '\\' => {
                if self.rest().starts_with("\\\n") {
                    self.at += 2;
                    return;
                }
                self.line().in_word = true;
                self.line().word.push('\\');
                self.skip_escape();
            }
            '\'' => self.quote(Level::Single, 1),
            '"' => self.quote(Level::Double, 1),
            '$' if self.rest().starts_with("$'") => self.quote(Level::AnsiC, 2),
            '$' if self.rest().starts_with("$\"") => self.quote(Level::Double, 2),
            '#' if !in_word => self.comment(),
            ' ' | '\t' | '\r' => {
                self.line().end_word();
                self.at += 1;
            }
            '\n' => {
                *self.line() = Line::new(true);
                self.at += 1;
                self.bodies();
            }
            ';' | '|' | '&' => self.operator(c),
            '(' => {
                *self.line() = Line::new(false);
                self.push(Level::Paren, 1);
            }
            ')' => {
                self.line().end_word();
                if self.level() == Level::Paren {
                    self.levels.pop();
                }
                let line = self.line();
                line.in_word = true;
                line.word.push(')');
                self.at += 1;
            }
            '<' | '>' => self.redirection(),
            _ => {
                let line = self.line();
                line.in_word = true;
                line.word.push(c);
                if !self.substitution() {
                    self.at += c.len_utf8();
                }
            }
        }
    }

    fn quote(&mut self, level: Level, bytes: usize) {
        let line = self.line();
        line.in_word = true;
        line.word.push('"');
        self.push(level, bytes);
    }

    fn operator(&mut self, c: char) {
        let double = self.rest().starts_with("&&") || self.rest().starts_with("||");
        // `;;` of a case and `|&` need no care of their own.
        self.line().end_word();
        *self.line() = Line::new(c == ';' || (c == '&' && !double));
        self.at += if double { 2 } else { 1 };
    }

    fn redirection(&mut self) {
        let line = self.line();
        if line.word.chars().all(|c| c.is_ascii_digit()) {
            // The number of a stream is no word.
            line.word.clear();
            line.in_word = false;
        }
        line.end_word();
        let rest = self.rest();
        if rest.starts_with("<<<") {
            self.at += 3;
        } else if rest.starts_with("<<") {
            self.heredoc();
            return;
        } else if rest.starts_with("<(") || rest.starts_with(">(") {
            self.line().in_word = true;
            self.line().word.push('<');
            self.push(Level::Paren, 2);
            return;
        } else {
            self.at += 1;
            let more = self
                .rest()
                .chars()
                .take_while(|c| matches!(c, '>' | '&' | '|'))
                .count();
            self.at += more.min(1);
        }
        self.line().target_next = true;
    }

    /// Reads `<<[-] delimiter`; its text is read at the next line end.
    fn heredoc(&mut self) {
        self.at += 2;
        let strips_tabs = self.rest().starts_with('-');
        self.at += usize::from(strips_tabs);
        let blanks = self
            .rest()
            .chars()
            .take_while(|c| matches!(c, ' ' | '\t'))
            .count();
        self.at += blanks;
        let end = self
            .rest()
            .find(|c: char| c.is_whitespace() || ";&|<>()".contains(c))
            .unwrap_or(self.rest().len());
        let written = &self.rest()[..end];
        let delimiter: String = written.chars().filter(|c| !"'\"\\".contains(*c)).collect();
        let expands = delimiter.len() == written.len();
        self.at += end;
        if !delimiter.is_empty() {
            self.heredocs.push(HereDoc {
                delimiter,
                expands,
                strips_tabs,
            });
        }
    }

    fn bodies(&mut self) {
        for doc in std::mem::take(&mut self.heredocs) {
            while !self.rest().is_empty() {
                let end = self.rest().find('\n').map_or(self.rest().len(), |n| n + 1);
                let stop = self.at + end;
                let line = self.rest()[..end].trim_end_matches('\n');
                let line = if doc.strips_tabs {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                let last = line == doc.delimiter;
                if !last {
                    let expands = doc.expands;
                    self.slots_until(stop, Place::HereDoc { expands });
                }
                self.at = stop;
                if last {
                    break;
                }
            }
        }
    }

    fn comment(&mut self) {
        let end = self.rest().find('\n').unwrap_or(self.rest().len());
        self.slots_until(self.at + end, Place::Comment);
        self.at = self.at.max(self.text.len().min(self.at + end));
    }

    fn slots_until(&mut self, stop: usize, place: Place) {
        let start = self.at;
        for (offset, _) in self.text[start..stop].match_indices("{}") {
            self.at = start + offset;
            self.add(place);
        }
        self.at = start;
    }

    fn slot(&mut self) {
        let place = match self.level() {
            Level::Single => Place::Single,
            Level::Double => Place::Double,
            Level::AnsiC => Place::AnsiC,
            Level::Brace | Level::Sum => {
                if self.levels.iter().any(|(level, _)| *level == Level::Double) {
                    Place::Double
                } else {
                    Place::Word {
                        redirects_next: false,
                    }
                }
            }
            Level::Top | Level::Paren | Level::Backquote => self.bare(),
        };
        self.add(place);
        self.at += 2;
    }

    fn bare(&mut self) -> Place {
        let after = &self.text[self.at + 2..];
        let next = after.chars().next();
        let redirects_next = matches!(next, Some('<' | '>'));
        let level = self.level();
        let touches_word =
            next.is_some_and(|c| !c.is_whitespace() && !";&|()<>".contains(c) && c != '`');
        let line = self.line();
        let code = line.command_next && !line.target_next && !line.in_word && !touches_word;
        let place = if code {
            let rest = after.trim_start_matches([' ', '\t']);
            let ends = rest.is_empty()
                || rest.starts_with(['\n', ';', '&', '|', ')', '<', '>', '`', '#', '}'])
                || starts_with_stream(rest);
            Place::Code {
                alone: line.fresh && level == Level::Top && rest.trim_end().is_empty(),
                ends,
                assigned: line.assigned,
                redirects_next,
            }
        } else {
            Place::Word { redirects_next }
        };
        line.in_word = true;
        line.word.push_str("{}");
        if code {
            // What follows a whole command can only be an operator, whatever the command was.
            line.command_next = false;
        }
        place
    }

    fn add(&mut self, place: Place) {
        let before = &self.text[..self.at];
        let backslashes = before.len() - before.trim_end_matches('\\').len();
        let expands = !matches!(
            place,
            Place::Single | Place::Comment | Place::HereDoc { expands: false }
        );
        let odd = |count: usize| count % 2 == 1;
        let dollar = before.strip_suffix('$').is_some_and(|before| {
            let escapes = before.len() - before.trim_end_matches('\\').len();
            !odd(escapes)
        });
        // The reader has stepped into the quote that touches the slot, where `$'` ended.
        self.slots.push(Slot {
            start: self.at,
            place,
            backquotes: self
                .levels
                .iter()
                .filter(|(level, _)| *level == Level::Backquote)
                .count(),
            after_backslash: expands && odd(backslashes),
            after_dollar: expands && dollar && place != Place::AnsiC,
            after_name: before.ends_with(super::is_name_char),
        });
    }
}

/// `2>…`: a stream's number, then a redirection.
fn starts_with_stream(rest: &str) -> bool {
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    after.len() < rest.len() && after.starts_with(['<', '>'])
}
