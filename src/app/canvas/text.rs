//! Laid-out text, kept from frame to frame.
//!
//! Sizes go in half-point steps, so that zooming rasters each glyph a few times and not at every
//! frame, and a text is laid out once per step. Colour is given when it is painted.

use std::collections::HashMap;
use std::sync::Arc;

use egui::epaint::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Color32, Context, FontFamily, FontId, Galley};

use crate::model::Node;

use super::scene::LINES_MAX;

/// Texts kept beyond what the last frames used.
const SPARE_MAX: usize = 4_096;
/// Characters of one line that may ever be laid out; no node is wide enough for more.
const LINE_CHARS_MAX: usize = 160;
/// Name of the bold family that the shell installs.
pub const BOLD: &str = "semibold";

/// Which face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Face {
    /// Interface text.
    Plain,
    /// Titles.
    Bold,
    /// Commands.
    Mono,
}

#[derive(PartialEq, Eq, Hash)]
enum Key {
    /// By address: an edited node is a new one, and the entry keeps the old one alive.
    Command {
        node: usize,
        step: u16,
        width: u16,
        n_lines: u8,
    },
    Line {
        text: Box<str>,
        face: Face,
        step: u16,
        width: u16,
    },
}

struct Entry {
    galley: Arc<Galley>,
    used: u64,
    _node: Option<Arc<Node>>,
}

/// Laid-out texts.
#[derive(Default)]
pub struct Texts {
    entries: HashMap<Key, Entry>,
    frame: u64,
    /// A text of egui's own store: another one means that the glyph atlas was made anew.
    probe: Option<Arc<Galley>>,
    pixels_per_point: f32,
    has_bold: bool,
}

/// The largest half-point step that is not above `size`.
pub fn step(size: f32) -> f32 {
    ((size * 2.0 + 0.02).floor() / 2.0).max(1.0)
}

impl Texts {
    /// To be called at the start of a frame.
    pub fn begin(&mut self, ctx: &Context) {
        let bold = FontFamily::Name(BOLD.into());
        let (probe, has_bold) = ctx.fonts_mut(|fonts| {
            let font = FontId::proportional(8.0);
            let probe = fonts.layout_no_wrap("0".to_owned(), font, Color32::PLACEHOLDER);
            (probe, fonts.definitions().families.contains_key(&bold))
        });
        // A new or emptied glyph atlas makes every kept text point at the wrong glyphs. egui then
        // lays everything out anew, while within one atlas it keeps what each frame asks for.
        let same = self.probe.as_ref().is_some_and(|p| Arc::ptr_eq(p, &probe));
        if !same || ctx.pixels_per_point() != self.pixels_per_point || has_bold != self.has_bold {
            self.entries.clear();
        }
        self.probe = Some(probe);
        self.pixels_per_point = ctx.pixels_per_point();
        self.has_bold = has_bold;
        self.frame += 1;
        if self.entries.len() > SPARE_MAX {
            let last = self.frame - 1;
            self.entries.retain(|_, entry| entry.used >= last);
        }
    }

    fn font(&self, face: Face, size: f32) -> FontId {
        let family = match face {
            Face::Mono => FontFamily::Monospace,
            Face::Bold if self.has_bold => FontFamily::Name(BOLD.into()),
            Face::Plain | Face::Bold => FontFamily::Proportional,
        };
        FontId::new(size, family)
    }

    /// One line, cut with an ellipsis when wider than `width` (in points at this size).
    pub fn line(
        &mut self,
        ctx: &Context,
        text: &str,
        face: Face,
        size: f32,
        width: f32,
    ) -> Arc<Galley> {
        let font = self.font(face, size);
        let text = head(text, LINE_CHARS_MAX);
        let key = Key::Line {
            text: text.into(),
            face,
            step: (size * 2.0) as u16,
            width: width.clamp(0.0, 60_000.0) as u16,
        };
        self.get(key, None, || {
            let mut job = LayoutJob::default();
            append_line(&mut job, text, &font);
            job.wrap = one_line(width);
            ctx.fonts_mut(|fonts| fonts.layout_job(job))
        })
    }

    /// The first lines of a command, at most `lines_max`, each cut at `width` (in points at this
    /// size).
    pub fn command(
        &mut self,
        ctx: &Context,
        node: &Arc<Node>,
        size: f32,
        (width, lines_max): (f32, usize),
    ) -> Arc<Galley> {
        let lines_max = lines_max.clamp(1, LINES_MAX);
        let font = self.font(Face::Mono, size);
        let key = Key::Command {
            node: Arc::as_ptr(node) as usize,
            step: (size * 2.0) as u16,
            width: width.clamp(0.0, 60_000.0) as u16,
            n_lines: lines_max as u8,
        };
        self.get(key, Some(node), || {
            // Lines are cut one by one and then laid out as one block, so that a node costs one text.
            let mut block = String::new();
            let n_lines = node.command.lines().count();
            for (n, line) in node.command.lines().take(lines_max).enumerate() {
                if n > 0 {
                    block.push('\n');
                }
                let mut job = LayoutJob::default();
                append_line(&mut job, line, &font);
                job.wrap = one_line(width);
                let galley = ctx.fonts_mut(|fonts| fonts.layout_job(job));
                block.extend(
                    galley
                        .rows
                        .iter()
                        .flat_map(|row| row.glyphs.iter().map(|g| g.chr)),
                );
                if n + 1 == lines_max && n_lines > lines_max && !galley.elided {
                    block.push_str(" …");
                }
            }
            let mut job = LayoutJob::default();
            let mut format = TextFormat::simple(font.clone(), Color32::PLACEHOLDER);
            format.line_height = Some(size * LINE_PER_SIZE);
            job.append(&block, 0.0, format);
            job.wrap.max_width = f32::INFINITY;
            ctx.fonts_mut(|fonts| fonts.layout_job(job))
        })
    }

    fn get(
        &mut self,
        key: Key,
        node: Option<&Arc<Node>>,
        make: impl FnOnce() -> Arc<Galley>,
    ) -> Arc<Galley> {
        let frame = self.frame;
        let entry = self.entries.entry(key).or_insert_with(|| Entry {
            galley: make(),
            used: frame,
            _node: node.cloned(),
        });
        entry.used = frame;
        entry.galley.clone()
    }
}

/// Height of a line of a command per point of its size: 16 units at 12.5.
pub const LINE_PER_SIZE: f32 = 16.0 / 12.5;

fn one_line(width: f32) -> TextWrapping {
    TextWrapping {
        max_width: width.max(1.0),
        max_rows: 1,
        break_anywhere: true,
        ..TextWrapping::default()
    }
}

/// The first characters of a text: what is laid out, hashed and compared in each frame has a bound,
/// whatever a workfile holds.
pub fn head(text: &str, chars_max: usize) -> &str {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// Tabs become spaces and control characters vanish: both would be drawn as boxes.
fn append_line(job: &mut LayoutJob, text: &str, font: &FontId) {
    let mut clean = String::with_capacity(text.len().min(LINE_CHARS_MAX));
    for c in head(text, LINE_CHARS_MAX).chars() {
        match c {
            '\t' => clean.push_str("    "),
            c if c.is_control() => {}
            c => clean.push(c),
        }
    }
    job.append(
        &clean,
        0.0,
        TextFormat::simple(font.clone(), Color32::PLACEHOLDER),
    );
}

/// What stands in bold in a node: its title, else the program that its first command line starts.
pub fn title(node: &Node) -> &str {
    let title = node.title.trim();
    if !title.is_empty() {
        return title.lines().next().unwrap_or(title);
    }
    program(&node.command).unwrap_or_else(|| node.id.as_str())
}

/// Words before a program that are not its name.
const BEFORE: [&str; 9] = [
    "sudo", "env", "exec", "time", "if", "while", "until", "then", "do",
];

/// The program's name in the first command line: past settings (`A=b`), words of the shell and bare
/// signs (`:`, `[`, `!`), without its folder. A line of signs alone is its own name.
fn program(command: &str) -> Option<&str> {
    let line = command
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))?;
    let is_setting = |word: &str| {
        word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
    };
    let word = line
        .split_whitespace()
        .find(|word| {
            let says_something = word.chars().any(char::is_alphanumeric);
            says_something && !is_setting(word) && !BEFORE.contains(word)
        })
        .unwrap_or(line);
    let word = word.trim_matches(|c| matches!(c, '"' | '\'' | ';' | '(' | ')' | '{' | '}'));
    let name = word.rsplit('/').find(|part| !part.is_empty())?;
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Point;

    #[test]
    fn an_untitled_node_is_called_by_its_program() {
        let cases = [
            ("python3 check.py", "python3"),
            ("/usr/bin/awk -f x", "awk"),
            ("\n  A=1 B=2 make -j", "make"),
            ("# comment\nsudo apt update", "apt"),
            ("(cd x; ls)", "cd"),
            ("A=1", "A=1"),
            (": nothing yet", "nothing"),
            ("[ -e go ] && make", "-e"),
            ("until test -e go; do sleep 1; done", "test"),
            (":", ":"),
            ("", "n7"),
            ("/", "n7"),
        ];
        for (command, want) in cases {
            let node = Node::new("n7", command, Point::default());
            assert_eq!(title(&node), want, "{command:?}");
        }
        let mut node = Node::new("n7", "ls", Point::default());
        node.title = " List\nthem ".into();
        assert_eq!(title(&node), "List");
    }

    #[test]
    fn sizes_go_in_half_points_and_never_up() {
        assert_eq!(step(13.0), 13.0);
        assert_eq!(step(12.9), 12.5);
        assert_eq!(step(0.0), 1.0);
    }

    #[test]
    fn what_no_node_is_wide_enough_for_is_neither_laid_out_nor_kept() {
        let ctx = Context::default();
        let mut texts = Texts::default();
        let mut out = ctx.run_ui(egui::RawInput::default(), |ui| {
            texts.begin(ui.ctx());
            let mut line = |end: &str| {
                let text = format!("{}{end}", "é".repeat(LINE_CHARS_MAX));
                texts.line(ui.ctx(), &text, Face::Bold, 13.0, 100.0)
            };
            assert!(Arc::ptr_eq(&line("a"), &line("b")));
        });
        out.textures_delta.clear();
    }

    #[test]
    fn a_new_glyph_atlas_makes_kept_texts_anew() {
        let ctx = Context::default();
        let mut texts = Texts::default();
        let pass = |texts: &mut Texts| {
            let mut got = None;
            let mut out = ctx.run_ui(egui::RawInput::default(), |ui| {
                texts.begin(ui.ctx());
                got = Some(texts.line(ui.ctx(), "a node", Face::Plain, 13.0, 100.0));
            });
            out.textures_delta.clear();
            got.expect("laid out")
        };
        let first = pass(&mut texts);
        assert!(
            Arc::ptr_eq(&first, &pass(&mut texts)),
            "kept while nothing changes"
        );
        ctx.set_fonts(crate::app::fonts::definitions(None));
        assert!(
            !Arc::ptr_eq(&first, &pass(&mut texts)),
            "laid out in the new faces"
        );
    }
}
