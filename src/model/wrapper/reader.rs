//! Where each `{}` of a template stands, by reading the template as a shell reads a line.
//!
//! Not a shell parser: it knows quotes, substitutions, comments, here-documents, and whether the
//! next word is a command. What it cannot tell it takes for an argument, the place where one quoted
//! word is always safe.

use super::levels::{Level, Levels};
use super::line::Line;
use super::slot::{Place, Slot};

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
        levels: Levels::new(),
        heredocs: Vec::new(),
        slots: Vec::new(),
    }
    .read()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    levels: Levels,
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
            match self.levels.last() {
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

    fn push(&mut self, level: Level, bytes: usize) {
        self.at += bytes;
        self.levels.push(level);
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
            self.levels.push(Level::Sum);
        } else if rest.starts_with("$(") {
            self.push(Level::Paren, 2);
        } else if rest.starts_with("${") && !rest.starts_with("${}") {
            self.push(Level::Brace, 2);
        } else if rest.starts_with('`') {
            if self.levels.close_backquote() {
                self.at += 1;
            } else {
                self.push(Level::Backquote, 1);
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
        let in_double = self.levels.in_double();
        match (self.levels.last(), c) {
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
        let in_word = self.levels.line().in_word;
        match c {
            '\\' => {
                if self.rest().starts_with("\\\n") {
                    self.at += 2;
                    return;
                }
                self.levels.line().in_word = true;
                self.levels.line().word.push('\\');
                self.skip_escape();
            }
            '\'' => self.quote(Level::Single, 1),
            '"' => self.quote(Level::Double, 1),
            '$' if self.rest().starts_with("$'") => self.quote(Level::AnsiC, 2),
            '$' if self.rest().starts_with("$\"") => self.quote(Level::Double, 2),
            '#' if !in_word => self.comment(),
            ' ' | '\t' | '\r' => {
                self.levels.line().end_word();
                self.at += 1;
            }
            '\n' => {
                *self.levels.line() = Line::new(true);
                self.at += 1;
                self.bodies();
            }
            ';' | '|' | '&' => self.operator(c),
            '(' => {
                *self.levels.line() = Line::new(false);
                self.push(Level::Paren, 1);
            }
            ')' => {
                self.levels.line().end_word();
                if self.levels.last() == Level::Paren {
                    self.levels.pop();
                }
                let line = self.levels.line();
                line.in_word = true;
                line.word.push(')');
                self.at += 1;
            }
            '<' | '>' => self.redirection(),
            _ => {
                let line = self.levels.line();
                line.in_word = true;
                line.word.push(c);
                if !self.substitution() {
                    self.at += c.len_utf8();
                }
            }
        }
    }

    fn quote(&mut self, level: Level, bytes: usize) {
        let line = self.levels.line();
        line.in_word = true;
        line.word.push('"');
        self.push(level, bytes);
    }

    fn operator(&mut self, c: char) {
        let double = self.rest().starts_with("&&") || self.rest().starts_with("||");
        // `;;` of a case and `|&` need no care of their own.
        self.levels.line().end_word();
        *self.levels.line() = Line::new(c == ';' || (c == '&' && !double));
        self.at += if double { 2 } else { 1 };
    }

    fn redirection(&mut self) {
        let line = self.levels.line();
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
            self.levels.line().in_word = true;
            self.levels.line().word.push('<');
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
        self.levels.line().target_next = true;
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
        let place = match self.levels.last() {
            Level::Single => Place::Single,
            Level::Double => Place::Double,
            Level::AnsiC => Place::AnsiC,
            Level::Brace | Level::Sum => {
                if self.levels.in_double() {
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
        let level = self.levels.last();
        let touches_word =
            next.is_some_and(|c| !c.is_whitespace() && !";&|()<>".contains(c) && c != '`');
        let line = self.levels.line();
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
            backquotes: self.levels.n_backquotes(),
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
