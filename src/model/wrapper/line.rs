//! Words of a shell line, as far as it matters whether the next one is a command.

/// What the shell expects at a level that holds commands.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// The next word is a command.
    pub(super) command_next: bool,
    /// `NAME=value` stands before it.
    pub(super) assigned: bool,
    /// Only `;`, a line end or the start precedes.
    pub(super) fresh: bool,
    /// A file name is due after `<` or `>`.
    pub(super) target_next: bool,
    /// The word so far; quoted parts are one `"`.
    pub(super) word: String,
    pub(super) in_word: bool,
}

impl Line {
    pub(super) fn new(fresh: bool) -> Self {
        Self {
            command_next: true,
            assigned: false,
            fresh,
            target_next: false,
            word: String::new(),
            in_word: false,
        }
    }

    /// A blank or an operator ends the word.
    pub(super) fn end_word(&mut self) {
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
