//! Bytes of a log as inert lines: nothing a process prints can move a cursor, set a title, reach the
//! clipboard or reverse the reading order in a window or a terminal. Pure; unaware of files.

use std::fmt::Write;

/// Longest line that is shown; the log file holds the rest.
pub const LINE_BYTES_MAX: usize = 16 * 1024;
/// How much of a log's start decides whether it is text.
pub const PROBE_BYTES: usize = 8 * 1024;

/// Splits bytes into lines as they arrive. What a `\r` overwrites is dropped, so a progress bar is
/// one line in its last state. Memory is bounded by [`LINE_BYTES_MAX`].
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// The unfinished line, as far as it is shown.
    part: Vec<u8>,
    /// Bytes of it that are not shown.
    cut: u64,
    /// A `\r` was last: the next byte starts the line anew, unless it ends it.
    returned: bool,
    /// Bytes taken in all.
    taken: u64,
}

impl Lines {
    /// Takes bytes and hands each finished line on, with the number of bytes up to its end.
    pub fn push(&mut self, bytes: &[u8], mut line: impl FnMut(String, u64)) {
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            self.add(&rest[..at]);
            self.taken += 1;
            if rest[at] == b'\n' {
                line(self.text(), self.taken);
                self.part.clear();
                self.cut = 0;
                self.returned = false;
            } else {
                self.returned = true;
            }
            rest = &rest[at + 1..];
        }
        self.add(rest);
    }

    /// The unfinished last line, as it stands; `None` when the last byte ended a line.
    pub fn partial(&self) -> Option<String> {
        (!self.part.is_empty()).then(|| self.text())
    }

    /// Bytes taken in all.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    fn add(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if std::mem::take(&mut self.returned) {
            self.part.clear();
            self.cut = 0;
        }
        self.taken += bytes.len() as u64;
        let room = LINE_BYTES_MAX - self.part.len();
        let shown = bytes.len().min(room);
        self.part.extend_from_slice(&bytes[..shown]);
        self.cut += (bytes.len() - shown) as u64;
    }

    fn text(&self) -> String {
        let mut text = inert(&self.part);
        if self.cut > 0 && write!(text, " … {} more bytes in the log file", self.cut).is_err() {
            // Writing into a String does not fail.
        }
        text
    }
}

/// True when these first bytes of a log are no text: many NULs.
pub fn is_binary(start: &[u8]) -> bool {
    let start = &start[..start.len().min(PROBE_BYTES)];
    let nuls = start.iter().filter(|byte| **byte == 0).count();
    // Random bytes hold one in 256; text holds none, or a stray one.
    nuls >= 8 && nuls * 512 >= start.len()
}

/// What is shown instead of a binary log.
pub fn binary_line(bytes_total: u64) -> String {
    format!("binary output, {bytes_total} bytes")
}

/// One line as inert text: bytes that are no UTF-8 become `�`, colours and other terminal sequences
/// go, other control characters become visible signs (`␛`), so do those that turn the reading order.
pub fn inert(bytes: &[u8]) -> String {
    // Most lines are plain ASCII; without an early end the test takes many bytes at a time.
    let plain = |byte: &u8| matches!(byte, 0x20..=0x7e) || *byte == b'\t';
    if bytes.iter().fold(true, |all, byte| all & plain(byte)) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let text = String::from_utf8_lossy(bytes);
    if !text.chars().any(is_special) {
        return text.into_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(c) = rest.chars().next() {
        let skipped = if c == '\u{1b}' { sequence(rest) } else { 0 };
        if skipped > 0 {
            rest = &rest[skipped..];
            continue;
        }
        out.push(match c {
            '\t' => c,
            '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
            '\u{7f}' => '\u{2421}',
            _ if is_special(c) => '\u{fffd}',
            _ => c,
        });
        rest = &rest[c.len_utf8()..];
    }
    out
}

fn is_special(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{2028}' | '\u{2029}'
            | '\u{200e}' | '\u{200f}' | '\u{061c}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}')
}

/// Length of the terminal sequence that `text` starts with; 0 when it is not a whole one.
fn sequence(text: &str) -> usize {
    let bytes = text.as_bytes();
    let length = match bytes.get(1) {
        // CSI: parameters, intermediates, one final byte.
        Some(b'[') => bytes[2..]
            .iter()
            .position(|byte| !matches!(byte, 0x20..=0x3f))
            .filter(|at| matches!(bytes[2 + at], 0x40..=0x7e))
            .map(|at| at + 3),
        // OSC, DCS, SOS, PM, APC: a text up to BEL or ESC \.
        Some(b']' | b'P' | b'X' | b'^' | b'_') => bytes[2..]
            .iter()
            .position(|byte| matches!(byte, 0x07 | 0x1b))
            .and_then(|at| match bytes[2 + at] {
                0x07 => Some(at + 3),
                _ => (bytes.get(3 + at) == Some(&b'\\')).then_some(at + 4),
            }),
        // Two or three bytes: intermediates, one final byte.
        Some(0x20..=0x2f) => bytes[1..]
            .iter()
            .position(|byte| !matches!(byte, 0x20..=0x2f))
            .filter(|at| matches!(bytes[1 + at], 0x30..=0x7e))
            .map(|at| at + 2),
        Some(0x30..=0x7e) => Some(2),
        _ => None,
    };
    length.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::seeds;

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let mut reader = Lines::default();
        let mut all = Vec::new();
        for chunk in chunks {
            reader.push(chunk, |line, _| all.push(line));
        }
        all.extend(reader.partial());
        all
    }

    #[test]
    fn lines_are_the_same_however_the_bytes_arrive() {
        let alphabet = b"ab\n\r\x1b[0;m]\x07\\\xc3\xa9\0 ";
        seeds::each(seeds::drawn(300), |rng| {
            let bytes: Vec<u8> = (0..rng.usize(..200))
                .map(|_| alphabet[rng.usize(..alphabet.len())])
                .collect();
            let whole = lines(&[&bytes]);
            let cut = rng.usize(..=bytes.len());
            assert_eq!(lines(&[&bytes[..cut], &bytes[cut..]]), whole);
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(lines(&single), whole);
        });
    }

    #[test]
    fn whatever_is_printed_becomes_inert() {
        let cases: [(&[u8], &str); 14] = [
            (b"plain \xc3\xa9", "plain é"),
            (b"\x1b[1;31mred\x1b[0m", "red"),
            (b"\x1b]0;title\x07x", "x"),
            (b"\x1b]52;c;ZXZpbA==\x1b\\x", "x"),
            (b"\x1b]52;c;no end", "␛]52;c;no end"),
            (b"\x1b(Bx\x1b=y", "xy"),
            (b"a\x08b\x07", "a␈b␇"),
            (b"\xff\xfe", "\u{fffd}\u{fffd}"),
            (b"\xc2\x9b31mx", "\u{fffd}31mx"),
            ("a\u{202e}b".as_bytes(), "a\u{fffd}b"),
            (b"a\tb\0c", "a\tb␀c"),
            (b"\x1b", "␛"),
            (b"\x1b[", "␛["),
            (b"\x1b[12\x01m", "␛[12␁m"),
        ];
        for (bytes, text) in cases {
            assert_eq!(inert(bytes), text, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn no_byte_string_leaves_a_control_character() {
        seeds::each(seeds::drawn(2_000), |rng| {
            let bytes: Vec<u8> = (0..rng.usize(..64))
                .map(|_| {
                    if rng.bool() {
                        rng.u8(..0x40)
                    } else {
                        rng.u8(..)
                    }
                })
                .collect();
            let text = inert(&bytes);
            assert!(
                !text.chars().any(|c| c != '\t' && is_special(c)),
                "{bytes:?} gave {text:?}"
            );
        });
    }

    #[test]
    fn a_progress_line_is_one_line_in_its_last_state() {
        assert_eq!(lines(&[b"1%\r50%\r", b"100%\n"]), ["100%"]);
        assert_eq!(lines(&[b"dos\r\nunix\n"]), ["dos", "unix"]);
        assert_eq!(lines(&[b"1%\r50%\r"]), ["50%"]);
    }

    #[test]
    fn a_line_without_end_stays_bounded() {
        let mut reader = Lines::default();
        let chunk = [b'x'; 64 * 1024];
        for _ in 0..1_000 {
            reader.push(&chunk, |_, _| panic!("there is no line end"));
            assert!(reader.part.capacity() <= 2 * LINE_BYTES_MAX);
        }
        let line = reader.partial().expect("a line");
        let more = 1_000 * chunk.len() - LINE_BYTES_MAX;
        assert!(line.ends_with(&format!("x … {more} more bytes in the log file")));
    }

    #[test]
    fn binary_is_told_from_text() {
        let mut random = vec![0; PROBE_BYTES];
        fastrand::Rng::with_seed(1).fill(&mut random);
        assert!(is_binary(&random));
        assert!(is_binary(&[0; 64]));
        assert!(!is_binary(b""));
        assert!(!is_binary(b"a\0b\0"));
        assert!(!is_binary("täglich ".repeat(1_000).as_bytes()));
    }
}
