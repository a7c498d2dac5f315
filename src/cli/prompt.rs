//! A line typed at the terminal that nobody sees.

use std::io::{self, Write as _};

use rustix::stdio;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use zeroize::Zeroizing;

use crate::model::SECRET_MAX;

/// Asks on standard error and reads a line from the terminal that standard input is, without showing it. `None` when
/// the person gave up (Ctrl-C, or Ctrl-D before anything was typed).
pub fn hidden_line(ask: &str) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let hidden = Hidden::begin()?;
    let mut err = io::stderr();
    err.write_all(ask.as_bytes())?;
    err.flush()?;
    let mut line = Line::default();
    let typed = loop {
        let mut byte = Zeroizing::new([0]);
        match rustix::io::read(stdio::stdin(), &mut *byte) {
            Ok(0) => break None,
            Ok(_) => match line.key(byte[0]) {
                Key::More => {}
                Key::Done => break Some(line.0),
                Key::GivenUp => break None,
            },
            Err(rustix::io::Errno::INTR) => {}
            Err(why) => return Err(why.into()),
        }
    };
    drop(hidden);
    err.write_all(b"\n")?;
    Ok(typed)
}

/// The terminal shows nothing and hands over each key, until this is dropped. Ctrl-C comes as a key too: killed by it,
/// we would leave a terminal that shows nothing any more.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(stdio::stdin())?;
        let mut quiet = before.clone();
        quiet
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(stdio::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        tcsetattr(stdio::stdin(), OptionalActions::Flush, &self.0).ok();
    }
}

/// What was typed so far.
struct Line(Zeroizing<Vec<u8>>);

impl Default for Line {
    fn default() -> Self {
        // Room for all of it from the start: growing would leave copies behind.
        Self(Zeroizing::new(Vec::with_capacity(SECRET_MAX + 4)))
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Key {
    More,
    Done,
    GivenUp,
}

impl Line {
    fn key(&mut self, byte: u8) -> Key {
        const CTRL_C: u8 = 0x03;
        const CTRL_D: u8 = 0x04;
        const CTRL_U: u8 = 0x15;
        const BACKSPACE: u8 = 0x08;
        const DELETE: u8 = 0x7f;
        match byte {
            b'\r' | b'\n' => Key::Done,
            CTRL_C => Key::GivenUp,
            CTRL_D if self.0.is_empty() => Key::GivenUp,
            CTRL_D => Key::Done,
            CTRL_U => {
                self.0.clear();
                Key::More
            }
            BACKSPACE | DELETE => {
                // A letter may be of several bytes.
                while self.0.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
                Key::More
            }
            // One too many is kept, so that the value is refused and not cut.
            _ if self.0.len() > SECRET_MAX => Key::More,
            _ => {
                self.0.push(byte);
                Key::More
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> (Key, String) {
        let mut line = Line::default();
        let ends = keys.iter().map(|byte| line.key(*byte));
        let end = ends.last().expect("keys");
        (end, String::from_utf8_lossy(&line.0).into_owned())
    }

    #[test]
    fn keys_make_a_line_as_a_terminal_would() {
        assert_eq!(typed(b"hunter2\r"), (Key::Done, "hunter2".to_owned()));
        assert_eq!(
            typed("hü\x7f\x08x\n".as_bytes()),
            (Key::Done, "x".to_owned())
        );
        assert_eq!(typed(b"\x7fx\n").1, "x");
        assert_eq!(typed(b"wrong\x15right\n").1, "right");
        assert_eq!(typed(b"abc\x04").0, Key::Done);
        assert_eq!(typed(b"\x04").0, Key::GivenUp);
        assert_eq!(typed(b"abc\x03").0, Key::GivenUp);
    }
}
