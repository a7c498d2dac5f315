//! A key with its modifiers.

use egui::{Key, Modifiers};

/// A key with its modifiers, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chord {
    /// Ctrl, or Command on a Mac.
    pub command: bool,
    /// Shift.
    pub shift: bool,
    /// Alt, or Option on a Mac.
    pub alt: bool,
    /// The key.
    pub key: Key,
}

impl Chord {
    pub(super) const fn plain(key: Key) -> Self {
        Self {
            command: false,
            shift: false,
            alt: false,
            key,
        }
    }

    /// True when a press of `key` under `modifiers` is this chord and no other.
    pub fn matches(&self, key: Key, modifiers: Modifiers) -> bool {
        // On most keyboards the question mark is itself typed with Shift.
        let shift = self.key == Key::Questionmark || self.shift == modifiers.shift;
        self.key == key && self.command == modifiers.command && self.alt == modifiers.alt && shift
    }

    /// True for a key that types a character or moves a cursor when a text field has the focus.
    pub fn belongs_to_text(&self) -> bool {
        !matches!(
            self.key,
            Key::F1 | Key::K | Key::P | Key::S | Key::Q | Key::W | Key::Period | Key::Comma
        ) || !(self.command || self.key == Key::F1)
    }

    /// As a person reads it: `Ctrl+Shift+Z`, or `⌘⇧Z` on a Mac.
    pub fn label(&self, mac: bool) -> String {
        let mut text = String::new();
        let parts = [
            (self.command, "Ctrl+", "⌘"),
            (self.alt, "Alt+", "⌥"),
            (self.shift, "Shift+", "⇧"),
        ];
        for (on, name, symbol) in parts {
            if on {
                text.push_str(if mac { symbol } else { name });
            }
        }
        text.push_str(match self.key {
            Key::ArrowUp => "↑",
            Key::ArrowDown => "↓",
            Key::ArrowLeft => "←",
            Key::ArrowRight => "→",
            Key::Escape => "Esc",
            Key::Period => ".",
            Key::Comma => ",",
            Key::Questionmark => "?",
            Key::PageUp => "PgUp",
            Key::PageDown => "PgDn",
            Key::Num1 => "1",
            other => other.name(),
        });
        text
    }

    /// As it stands on a button, where room is scarce: `⇧R`, `Ctrl K`.
    pub fn short_label(&self, mac: bool) -> String {
        self.label(mac).replace("Shift+", "⇧").replace('+', " ")
    }
}
