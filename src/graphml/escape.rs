//! Characters of values as XML writes them, and back. Lenient in reading, strict in writing.

use std::borrow::Cow;
use std::ops::Range;

use super::literal::Literals;

/// Longer than any reference that means something.
const REFERENCE_BYTES_MAX: usize = 12;

/// True for characters that XML 1.0 cannot hold, not even as a reference.
fn is_forbidden(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// Where the first character stands that XML 1.0 cannot hold, and how many there are.
pub(super) fn forbidden_in(text: &str) -> Option<(usize, usize)> {
    // Bytes first: almost every text has none, and this is read over the whole file.
    let suspicious = |b: u8| (b < 0x20) & (b != b'\t') & (b != b'\n') & (b != b'\r') | (b == 0xef);
    // In blocks without an early end, which the compiler turns into wide instructions.
    const BLOCK: usize = 256;
    let mut blocks = text.as_bytes().chunks(BLOCK);
    if !blocks.any(|block| block.iter().fold(false, |any, b| any | suspicious(*b))) {
        return None;
    }
    let mut found = text.char_indices().filter(|(_, c)| is_forbidden(*c));
    let first = found.next()?.0;
    Some((first, found.count() + 1))
}

/// The visible picture of a forbidden character: `␛` for ESC.
fn picture(c: char) -> char {
    let code = u32::from(c);
    if code < 0x20 {
        char::from_u32(0x2400 + code).unwrap_or(char::REPLACEMENT_CHARACTER)
    } else {
        char::REPLACEMENT_CHARACTER
    }
}

/// Places of references to forbidden characters, each with its visible picture.
pub(super) fn forbidden_references(text: &str) -> impl Iterator<Item = (Range<usize>, char)> {
    let mut literals = Literals::of(text);
    text.match_indices("&#").filter_map(move |(at, _)| {
        // A short look ahead: a text full of `&#` must not be searched to its end each time.
        let name = text.as_bytes()[at..].iter().take(REFERENCE_BYTES_MAX);
        let end = at + name.into_iter().position(|b| *b == b';')?;
        let c = referenced(text.get(at + 1..end)?).filter(|c| is_forbidden(*c))?;
        // In a comment or in CDATA it is no reference.
        (!literals.contain(at)).then(|| (at..end + 1, picture(c)))
    })
}

/// The text with every forbidden character as its picture.
pub(super) fn with_pictures(text: &str) -> Cow<'_, str> {
    if forbidden_in(text).is_none() {
        return Cow::Borrowed(text);
    }
    let heal = |c| if is_forbidden(c) { picture(c) } else { c };
    Cow::Owned(text.chars().map(heal).collect())
}

/// The value of an element's raw content: references and CDATA resolved, comments and child
/// elements left out, line ends as XML reads them.
pub(super) fn text_value(raw: &str) -> Cow<'_, str> {
    let special = |b: u8| matches!(b, b'<' | b'&' | b'\r');
    if !raw.bytes().any(special) {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    let mut depth = 0_usize;
    while let Some(at) = rest.bytes().position(special) {
        let (plain, tail) = rest.split_at(at);
        if depth == 0 {
            out.push_str(plain);
        }
        let mut inside = String::new();
        rest = match tail.as_bytes()[0] {
            b'<' => markup(tail, &mut inside, &mut depth),
            b'&' => reference(tail, &mut inside),
            _ => line_end(tail, &mut inside),
        };
        if depth == 0 {
            out.push_str(&inside);
        }
    }
    if depth == 0 {
        out.push_str(rest);
    }
    Cow::Owned(out)
}

/// The value of an attribute: references resolved, line breaks and tabs as blanks.
pub(super) fn attribute_value(raw: &str) -> Cow<'_, str> {
    let special = |b: u8| matches!(b, b'&' | b'\r' | b'\n' | b'\t');
    if !raw.bytes().any(special) {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.bytes().position(special) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        rest = match tail.as_bytes()[0] {
            b'&' => reference(tail, &mut out),
            b'\r' => {
                out.push(' ');
                tail.strip_prefix("\r\n").unwrap_or(&tail[1..])
            }
            _ => {
                out.push(' ');
                &tail[1..]
            }
        };
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Takes one piece of markup off the front of `tail`; its text goes to `out`.
fn markup<'a>(tail: &'a str, out: &mut String, depth: &mut usize) -> &'a str {
    let until = |start: &str, end: &str| -> Option<(&'a str, &'a str)> {
        tail.strip_prefix(start)?.split_once(end)
    };
    if let Some((content, rest)) = until("<![CDATA[", "]]>") {
        let mut content = content;
        while let Some(at) = content.find('\r') {
            out.push_str(&content[..at]);
            content = line_end(&content[at..], out);
        }
        out.push_str(content);
        return rest;
    }
    if let Some((_, rest)) = until("<!--", "-->").or_else(|| until("<?", "?>")) {
        return rest;
    }
    let mut quote = None;
    for (i, b) in tail.bytes().enumerate().skip(1) {
        match (quote, b) {
            (None, b'>') => {
                let tag = &tail[..i];
                if tag.starts_with("</") {
                    *depth = depth.saturating_sub(1);
                } else if !tag.ends_with('/') {
                    *depth += 1;
                }
                return &tail[i + 1..];
            }
            (None, b'"' | b'\'') => quote = Some(b),
            (Some(open), _) if open == b => quote = None,
            _ => {}
        }
    }
    ""
}

/// Takes one reference off the front of `tail`. One that means nothing stays as it is written.
fn reference<'a>(tail: &'a str, out: &mut String) -> &'a str {
    let name_end = tail
        .bytes()
        .take(REFERENCE_BYTES_MAX)
        .position(|b| b == b';');
    if let Some(end) = name_end
        && let Some(c) = referenced(&tail[1..end])
    {
        out.push(c);
        return &tail[end + 1..];
    }
    out.push('&');
    &tail[1..]
}

/// The character of a reference's name (`lt`, `#10`, `#x1F642`).
fn referenced(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code).filter(|c| *c != '\0')?
        }
    })
}

fn line_end<'a>(tail: &'a str, out: &mut String) -> &'a str {
    out.push('\n');
    tail.strip_prefix("\r\n").unwrap_or(&tail[1..])
}

/// A value as element content, with the file's own line ends. The caller has seen to it that
/// nothing forbidden is in it.
pub(super) fn escape_text(value: &str, eol: &str) -> String {
    let mut out = String::with_capacity(value.len() + value.len() / 16);
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A bare CR would come back as LF.
            '\r' => out.push_str("&#13;"),
            '\n' => out.push_str(eol),
            c => out.push(c),
        }
    }
    out
}

/// A value as it stands between double quotes.
pub(super) fn escape_attribute(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Single quotes delimit attributes in some files.
            '\'' => out.push_str("&apos;"),
            '\r' => out.push_str("&#13;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_reads_as_xml_says() {
        for (raw, value) in [
            ("echo", "echo"),
            ("a &amp;&amp; b &lt; c", "a && b < c"),
            ("&#65;&#x1F642;&quot;&apos;", "A🙂\"'"),
            ("a\r\nb\rc", "a\nb\nc"),
            ("a&#13;b", "a\rb"),
            ("<![CDATA[x < y && z]]> t", "x < y && z t"),
            ("a<!-- no -->b<?no?>c", "abc"),
            ("a<b x='>'>no<c/></b>d", "ad"),
            ("a && b &nbsp; &;", "a && b &nbsp; &;"),
            ("<![CDATA[never closed", ""),
            ("&amp;amp; &amp;#10;", "&amp; &#10;"),
        ] {
            assert_eq!(text_value(raw), value, "{raw}");
        }
    }

    #[test]
    fn what_is_escaped_reads_back() {
        for value in ["a\n\tb", "<&>\"'", "cr\rlf\r\n", " 🙂 ]]>", ""] {
            for eol in ["\n", "\r\n"] {
                assert_eq!(text_value(&escape_text(value, eol)), value, "{value:?}");
            }
            assert_eq!(attribute_value(&escape_attribute(value)), value);
        }
    }

    #[test]
    fn forbidden_characters_are_found_and_have_pictures() {
        assert_eq!(forbidden_in("a\tb\r\nü \u{ef}"), None);
        assert_eq!(forbidden_in("ab\u{1b}[0m\u{7}"), Some((2, 2)));
        assert_eq!(with_pictures("\u{1b}[\u{fffe}"), "␛[\u{fffd}");
    }
}
