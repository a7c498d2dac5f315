//! Frames as text: one per line, so that a moved frame is one changed line.
//!
//! `"id" x y w h "title" "text"`, the texts with `\"`, `\\`, `\n`, `\r` and `\t` escaped.

use std::fmt::Write as _;

use super::number::{position, position_text};
use crate::model::{Frame, FrameId, Rect};

/// One line per frame.
pub(super) fn frames_text(frames: &[Frame]) -> String {
    let mut out = String::new();
    for frame in frames {
        if !out.is_empty() {
            out.push('\n');
        }
        quote(&frame.id.0, &mut out);
        let Rect { x, y, w, h } = frame.rect;
        for value in [x, y, w, h] {
            // Writing to a string cannot fail.
            write!(out, " {}", position_text(value)).unwrap_or_default();
        }
        for text in [&frame.title, &frame.text] {
            out.push(' ');
            quote(text, &mut out);
        }
    }
    out
}

/// The frames of a text, and the lines that are none.
pub(super) fn read_frames(text: &str) -> (Vec<Frame>, Vec<&str>) {
    let mut frames: Vec<Frame> = Vec::new();
    let mut bad = Vec::new();
    let mut ids = std::collections::HashSet::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match read_frame(line.trim()) {
            Some(frame) if ids.insert(frame.id.clone()) => frames.push(frame),
            _ => bad.push(line),
        }
    }
    (frames, bad)
}

fn read_frame(line: &str) -> Option<Frame> {
    let (id, rest) = unquote(line)?;
    let mut rest = rest.trim_start();
    let mut sides = [0.0; 4];
    for side in &mut sides {
        let (word, tail) = rest.split_once(' ')?;
        *side = position(word)?;
        rest = tail.trim_start();
    }
    let [x, y, w, h] = sides;
    let (title, rest) = unquote(rest)?;
    let (text, rest) = unquote(rest.trim_start())?;
    (rest.trim().is_empty() && w >= 0.0 && h >= 0.0).then_some(Frame {
        id: FrameId(id),
        rect: Rect { x, y, w, h },
        title,
        text,
    })
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn unquote(text: &str) -> Option<(String, &str)> {
    let body = text.strip_prefix('"')?;
    let mut out = String::new();
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, &body[at + 1..])),
            '\\' => out.push(match chars.next()?.1 {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                c => c,
            }),
            c => out.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(id: &str, title: &str, text: &str) -> Frame {
        Frame {
            id: FrameId(id.to_owned()),
            rect: Rect {
                x: -10.5,
                y: 0.0,
                w: 300.0,
                h: 200.25,
            },
            title: title.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn frames_are_one_line_each_and_read_back() {
        let frames = vec![
            frame("f1", "Load", ""),
            frame("f \"2\"", "a\\b", "one\n\ttwo\r"),
        ];
        let text = frames_text(&frames);
        assert_eq!(
            text,
            "\"f1\" -10.5 0 300 200.25 \"Load\" \"\"\n\
             \"f \\\"2\\\"\" -10.5 0 300 200.25 \"a\\\\b\" \"one\\n\\ttwo\\r\""
        );
        assert_eq!(read_frames(&text), (frames, vec![]));
    }

    #[test]
    fn lines_that_are_no_frames_are_given_back() {
        let text = "\"a\" 0 0 1 1 \"\" \"\"\nnonsense\n\"a\" 0 0 1 1 \"\" \"\"\n\"b\" 0 0 nan 1 \"\" \"\"\n\"c\" 0 0 -1 1 \"\" \"\"";
        let (frames, bad) = read_frames(text);
        assert_eq!((frames.len(), bad.len()), (1, 4));
    }
}
