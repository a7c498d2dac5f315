//! Text set round each command: `{}` stands for the command.
//!
//! The one question here is quoting: the same `{}` needs other care in `bash -c '{}'`, in
//! `ssh host "{}"` and in `{} >> log`. [`reader`] reads the template as a shell would and says where
//! each `{}` stands; this file writes the command for that place. Pure text; runs nothing.
//!
//! # Ambiguous templates
//! - In a comment the command stays a comment: its line ends become spaces.
//! - In a here-document the command must not hold a line equal to the delimiter, and a backslash at
//!   its very end joins the lines.
//! - `{} --flag`: a plain command takes the flag; a compound one (`a; b`) is put in as text, so its
//!   last part takes it.
//! - `time {}` with a compound command needs a shell that knows `time` as a word (bash, not dash).
//! - `bash -c '{} | tee x'`: what the inner program does with the text is its own affair; the
//!   command reaches it as written, so a comment at its end hides what follows on that line.
//! - `ssh host` without `{}` is followed by the command as text: `ssh host a; b` runs `b` here.
//!   Write `ssh host {}` to run all of it there.

mod levels;
mod line;
mod reader;
mod slot;
#[cfg(test)]
mod tests;

use slot::{Place, Slot};

/// A wrapper template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapper(String);

impl Wrapper {
    /// Takes the template as written.
    pub fn new(template: impl Into<String>) -> Self {
        Self(template.into())
    }

    /// The template as written.
    pub fn template(&self) -> &str {
        &self.0
    }

    /// True when the command runs as it is: the template is blank or exactly `{}`.
    pub fn is_plain(&self) -> bool {
        matches!(self.0.trim(), "" | "{}")
    }

    /// The shell line that runs for a command, every `{}` written for where it stands.
    pub fn line(&self, command: &str) -> String {
        if self.is_plain() {
            return command.to_owned();
        }
        let slots = reader::slots(&self.0);
        if slots.is_empty() {
            let template = self.0.trim_end();
            // The text of a command after `-c` would be cut at its first space.
            let rest = if ends_in_dash_c(template) {
                word(command, true)
            } else {
                command.to_owned()
            };
            return format!("{template} {rest}");
        }
        let mut line = String::with_capacity(self.0.len() + command.len() + 16);
        let mut from = 0;
        for slot in &slots {
            line.push_str(&self.0[from..slot.start]);
            from = slot.start + 2;
            let text = written(command, slot);
            // Inside backquotes the shell takes one layer of backslashes away first.
            let text = (0..slot.backquotes).fold(text, |text, _| escaped(&text, &['\\', '`']));
            if slot.after_backslash || slot.after_dollar {
                settle_last(&mut line, slot);
            }
            line.push_str(&text);
        }
        line.push_str(&self.0[from..]);
        line
    }
}

/// A `\` or `$` of the template that touches `{}` would act on the first character of the command;
/// it is made to stand for itself, or goes where the shell would have dropped it.
fn settle_last(line: &mut String, slot: &Slot) {
    let Some(last) = line.pop() else { return };
    let own = match (last, slot.place) {
        ('\\', Place::Word { .. } | Place::Code { .. }) => String::new(),
        _ => format!("\\{last}"),
    };
    line.push_str(&(0..slot.backquotes).fold(own, |text, _| escaped(&text, &['\\', '`'])));
}

fn written(command: &str, slot: &Slot) -> String {
    match slot.place {
        Place::Single => command.replace('\'', r"'\''"),
        Place::AnsiC => format!("'{}$'", quoted(command)),
        Place::Double => {
            let text = escaped(command, &['\\', '$', '`', '"']);
            // `"$x{}"` must not read a longer name than x.
            if slot.after_name && command.starts_with(is_name_char) {
                format!("\"\"{text}")
            } else {
                text
            }
        }
        Place::HereDoc { expands: true } => escaped(command, &['\\', '$', '`']),
        Place::HereDoc { expands: false } => command.to_owned(),
        Place::Comment => command.replace(['\n', '\r'], " "),
        Place::Word { redirects_next } => word(command, !slot.after_name && !redirects_next),
        Place::Code {
            alone,
            ends,
            assigned,
            redirects_next,
        } => code(command, alone, ends, assigned, redirects_next),
    }
}

/// A command where the shell expects one.
fn code(command: &str, alone: bool, ends: bool, assigned: bool, redirects_next: bool) -> String {
    if is_one_plain_command(command) {
        // `echo 2` before `>> log` would become a redirection of stream 2.
        let gap = if redirects_next { " " } else { "" };
        return format!("{command}{gap}");
    }
    if assigned && ends {
        // `X=1 { a; b; }` is not shell; `eval` takes the settings and the whole command.
        return format!("eval {}", quoted(command));
    }
    if alone || !ends {
        return command.to_owned();
    }
    // The line end before `}` closes a comment or a here-document of the command.
    let nothing = command
        .lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    let start = if nothing { ":\n" } else { "" };
    // A backslash at the very end of a script stands for itself; before a line end it would not.
    let backslashes = command.len() - command.trim_end_matches('\\').len();
    let end = if backslashes % 2 == 1 { "\\\n" } else { "\n" };
    let gap = if redirects_next { " " } else { "" };
    format!("{{ {start}{command}{end}}}{gap}")
}

/// Words at the start of a command that make it more than a list of words.
const RESERVED: [&str; 18] = [
    "!", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if",
    "in", "select", "then", "time", "until", "while",
];

fn is_one_plain_command(command: &str) -> bool {
    let first = command.split([' ', '\t']).next().unwrap_or_default();
    !first.is_empty()
        && !RESERVED.contains(&first)
        && command
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || " \t_-./:,+@%=".contains(c))
}

/// One shell word that is exactly `text`; without quotes where none are needed and `bare` allows it.
fn word(text: &str, bare: bool) -> String {
    let safe = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_-./:,+@%".contains(c));
    if bare && safe && !text.is_empty() {
        text.to_owned()
    } else {
        quoted(text)
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn escaped(text: &str, special: &[char]) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if special.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The last word is `-c`, or a cluster of options that ends in it (`-lc`).
fn ends_in_dash_c(template: &str) -> bool {
    template.split_whitespace().next_back().is_some_and(|last| {
        last.strip_prefix('-')
            .and_then(|letters| letters.strip_suffix('c'))
            .is_some_and(|letters| letters.chars().all(|c| c.is_ascii_alphabetic()))
    })
}
