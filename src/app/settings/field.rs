//! A setting that is typed: its text while it is typed, what it means, and why it means nothing.

use egui::{RichText, TextEdit, Ui};

use crate::app::theme::{Theme, regular, size};
use crate::app::widgets;

/// What is being typed for one setting.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    text: String,
    /// Why it cannot be used; empty when it can.
    trouble: String,
}

impl Typed {
    /// A field that holds this text.
    pub fn new(text: String) -> Self {
        Self {
            text,
            trouble: String::new(),
        }
    }

    /// Draws the field with its name, and under it what it is for or why it cannot be used. Gives
    /// the value when the field is left: half a number is none yet.
    pub fn show<T>(
        &mut self,
        ui: &mut Ui,
        label: &str,
        (hint, help): (&str, &str),
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let label = widgets::field_label(ui, label);
        let edit = TextEdit::singleline(&mut self.text)
            .hint_text(hint)
            .margin(widgets::field_margin())
            .desired_width(ui.available_width().min(360.0));
        let edit = ui.add(edit).labelled_by(label.id);
        let read = parse(self.text.trim());
        if edit.changed() || edit.lost_focus() {
            self.trouble = read.as_ref().err().cloned().unwrap_or_default();
        }
        let theme = Theme::of(ui.ctx());
        let (words, colour) = if self.trouble.is_empty() {
            (help, theme.dim)
        } else {
            (self.trouble.as_str(), theme.error())
        };
        note(ui, words, colour);
        read.ok().filter(|_| edit.lost_focus())
    }
}

/// Small words under a field.
pub fn note(ui: &mut Ui, words: &str, colour: egui::Color32) {
    let words = RichText::new(words)
        .font(regular(size::SMALL))
        .color(colour);
    ui.add(egui::Label::new(words).wrap());
}

/// A whole number within bounds; nothing is `None`.
pub fn number(text: &str, least: u32, most: u32) -> Result<Option<u32>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = text.parse().ok().filter(|n| (least..=most).contains(n));
    match read {
        Some(n) => Ok(Some(n)),
        None => Err(format!(
            "Write a whole number from {least} to {most}, or nothing."
        )),
    }
}

/// Units of [`bytes()`], by their words.
const UNITS: [(&str, u64); 5] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// A number of bytes: `20 GiB`, `500 MiB`, `0`; nothing is `None`. Units may be short (`20G`).
pub fn bytes(text: &str) -> Result<Option<u64>, String> {
    let refused = || {
        let why = "Write a size such as 20 GiB or 500 MiB, 0 for no bound, or nothing.";
        Err(why.to_owned())
    };
    if text.is_empty() {
        return Ok(None);
    }
    let cut = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(cut.unwrap_or(text.len()));
    let unit = unit.trim().to_ascii_lowercase();
    let Ok(number) = number.parse::<f64>() else {
        return refused();
    };
    let known = UNITS.iter().find(|(word, _)| {
        let word = word.to_ascii_lowercase();
        let short = word.trim_end_matches('b').trim_end_matches('i');
        !unit.is_empty() && (unit == word || unit == short || unit == format!("{short}b"))
    });
    let one = match known {
        Some((_, bytes)) => *bytes,
        // A bare number can only be meant when the unit does not matter.
        None if number == 0.0 && unit.is_empty() => 1,
        None => return refused(),
    };
    let all = number * one as f64;
    // Far beyond any disk, and still exact enough to be told back.
    if !(0.0..=(1_u64 << 52) as f64).contains(&all) {
        return refused();
    }
    Ok(Some(all as u64))
}

/// A number of bytes as [`bytes()`] reads it, in the largest unit that holds it whole.
pub fn bytes_text(n: u64) -> String {
    let fits = UNITS
        .iter()
        .find(|(_, bytes)| n >= *bytes && n.is_multiple_of(*bytes));
    match fits {
        Some((word, bytes)) => format!("{} {word}", n / bytes),
        None => "0".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_bounds_and_say_them() {
        assert_eq!(number("", 1, 9), Ok(None));
        assert_eq!(number("9", 1, 9), Ok(Some(9)));
        for bad in ["0", "10", "-1", "many", "1.5"] {
            let why = number(bad, 1, 9).expect_err(bad);
            assert!(why.contains("from 1 to 9"), "{why}");
        }
    }

    #[test]
    fn sizes_are_read_as_people_write_them_and_told_back_the_same() {
        for (text, n) in [
            ("20 GiB", 20 << 30),
            ("20G", 20 << 30),
            ("1.5 gb", 3 << 29),
            ("500MiB", 500 << 20),
            ("17 B", 17),
            ("0", 0),
        ] {
            assert_eq!(bytes(text), Ok(Some(n)), "{text}");
            assert_eq!(bytes(&bytes_text(n)), Ok(Some(n)), "{text}");
        }
        for bad in [
            "20",
            "much",
            "5 parsecs",
            "-1 GiB",
            "1e99 GiB",
            "9999999 TiB",
        ] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
        assert_eq!(bytes(""), Ok(None));
    }
}
