//! A Rust source as words and signs, without comments and texts.

pub struct Token {
    pub text: String,
    pub line: usize,
}

impl Token {
    pub fn is_name(&self) -> bool {
        self.text
            .starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// Names, `::` and single signs; comments and the insides of texts and characters are left out.
pub fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let next_is = |at: usize, c: char| chars.get(at) == Some(&c);
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut at = 0;
    while at < chars.len() {
        let start = at;
        let c = chars[at];
        if c == '/' && next_is(at + 1, '/') {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
        } else if c == '/' && next_is(at + 1, '*') {
            let mut depth = 0;
            while at < chars.len() {
                if chars[at] == '/' && next_is(at + 1, '*') {
                    depth += 1;
                    at += 2;
                } else if chars[at] == '*' && next_is(at + 1, '/') {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        break;
                    }
                } else {
                    at += 1;
                }
            }
        } else if let Some(n_hashes) = raw_text_hashes(&chars, at) {
            let end: String = std::iter::once('"')
                .chain(std::iter::repeat_n('#', n_hashes))
                .collect();
            while chars[at] != '"' {
                at += 1;
            }
            at += 1;
            while at < chars.len()
                && !chars[at..]
                    .iter()
                    .take(end.len())
                    .collect::<String>()
                    .eq(&end)
            {
                at += 1;
            }
            at += end.len();
        } else if c == '"' {
            at += 1;
            while at < chars.len() && chars[at] != '"' {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
        } else if c == '\'' && (next_is(at + 1, '\\') || next_is(at + 2, '\'')) {
            // A character; otherwise the quote begins a lifetime, whose name does no harm.
            at += if next_is(at + 1, '\\') { 3 } else { 2 };
            while at < chars.len() && chars[at] != '\'' {
                at += 1;
            }
            at += 1;
        } else if c.is_alphabetic() || c == '_' {
            while chars
                .get(at)
                .is_some_and(|c| c.is_alphanumeric() || *c == '_')
            {
                at += 1;
            }
            let text = chars[start..at].iter().collect();
            tokens.push(Token { text, line });
        } else if c == ':' && next_is(at + 1, ':') {
            at += 2;
            tokens.push(Token {
                text: "::".to_owned(),
                line,
            });
        } else {
            at += 1;
            if !c.is_whitespace() {
                tokens.push(Token {
                    text: c.to_string(),
                    line,
                });
            }
        }
        let end = at.min(chars.len());
        line += chars[start..end].iter().filter(|c| **c == '\n').count();
    }
    tokens
}

/// Number of `#` when a raw text (`r"…"`, `br#"…"#`) begins here and is no part of a name.
pub fn raw_text_hashes(chars: &[char], at: usize) -> Option<usize> {
    if at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_') {
        return None;
    }
    let after_b = at + usize::from(matches!(chars[at], 'b' | 'c'));
    if chars.get(after_b) != Some(&'r') {
        return None;
    }
    let n_hashes = chars[after_b + 1..]
        .iter()
        .take_while(|c| **c == '#')
        .count();
    (chars.get(after_b + 1 + n_hashes) == Some(&'"')).then_some(n_hashes)
}
