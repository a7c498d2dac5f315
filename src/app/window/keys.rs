//! Keys become verbs here, unless something that is typed into wants them.

use egui::{Context, Event, Key};

use crate::app::action::{Action, Verb};
use crate::app::{verbs, widgets};

use super::App;

impl App {
    pub(super) fn keys(&mut self, ctx: &Context) {
        let typing = ctx.egui_wants_keyboard_input() && ctx.text_edit_focused();
        let covered = self.view.is_covered();
        let on_control = widgets::control_has_focus(ctx);
        let mut verbs_pressed = Vec::new();
        let mut pasted = Vec::new();
        ctx.input(|input| {
            for event in &input.events {
                match event {
                    Event::Key {
                        key,
                        pressed: true,
                        modifiers,
                        repeat,
                        ..
                    } => {
                        let Some((entry, chord)) = verbs::verb_of(*key, *modifiers) else {
                            continue;
                        };
                        let closes = covered && entry.verb == Verb::Escape;
                        if typing && chord.belongs_to_text() && !closes {
                            continue;
                        }
                        let moves = matches!(
                            entry.verb,
                            Verb::Walk(_) | Verb::Nudge(_) | Verb::Undo | Verb::Redo
                        ) || matches!(entry.verb, Verb::ZoomIn | Verb::ZoomOut);
                        if *repeat && !moves {
                            continue;
                        }
                        let own = matches!(
                            key,
                            Key::Enter
                                | Key::Space
                                | Key::ArrowUp
                                | Key::ArrowDown
                                | Key::ArrowLeft
                                | Key::ArrowRight
                        );
                        if on_control && own && !chord.command && !chord.alt {
                            continue;
                        }
                        verbs_pressed.push(entry.verb);
                    }
                    Event::Copy if !typing => verbs_pressed.push(Verb::Copy),
                    Event::Cut if !typing => verbs_pressed.push(Verb::Cut),
                    Event::Paste(text) if !typing => pasted.push(text.clone()),
                    _ => {}
                }
            }
        });
        let canvas_has_keys = self.view.tab().is_some_and(|tab| tab.canvas.holds_keys());
        if canvas_has_keys {
            // Typing in place, a menu or a gesture: letters, arrows and Esc are the canvas's.
            verbs_pressed.retain(|verb| {
                let keys = verbs::entry(*verb).keys;
                keys.iter().any(|key| key.command && !key.belongs_to_text())
            });
        }
        if covered {
            // Only what closes the cover goes through.
            verbs_pressed.retain(|verb| *verb == Verb::Escape);
            pasted.clear();
        }
        self.actions
            .extend(verbs_pressed.into_iter().map(Action::Do));
        self.actions
            .extend(pasted.into_iter().map(Action::PasteText));
    }
}
