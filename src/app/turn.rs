//! One thing at a time: what the hand does faster than frames are drawn keeps its order and its meaning.
//!
//! egui hands over all that came since the last frame at once. A double-click and the first letters of the
//! command it is for would then meet before there is a field to type in, and the letters would be taken for
//! keys: the `q` of `sqlite3` would close the flow. Two clicks in one frame would both be the second of a
//! double-click. So a frame gets events up to the first that may change
//! where keys go, and the rest waits for the next frame.
//!
//! Unaware of what any key does. [`super::App`] calls it before egui sees the events.

use std::collections::VecDeque;

use egui::{Event, Key, RawInput};

/// Events that wait for their frame.
#[derive(Debug, Default)]
pub struct Turn {
    /// With the time each came, in seconds.
    waiting: VecDeque<(f64, Event)>,
    /// The time of the last frame, in seconds.
    now: f64,
}

impl Turn {
    /// Leaves in `raw` what this frame hears of what waited and what came.
    ///
    /// `typing`: a text field has the keys, so letters go on in one frame. `unsettled`: something that was
    /// asked for is carried out in this frame and may take the keys, so none is heard before it has.
    pub fn admit(&mut self, raw: &mut RawInput, typing: bool, unsettled: bool) {
        let came = raw.time.unwrap_or(self.now);
        let new = std::mem::take(&mut raw.events);
        self.waiting
            .extend(new.into_iter().map(|event| (came, event)));
        let mut clicked = None;
        while let Some((at, event)) = self.waiting.pop_front() {
            let ends = ends_the_frame(&event, typing);
            // Enter takes what the list shows for the letters before it, so the list is drawn first.
            let after_letters = ends && is_key(&event) && raw.events.iter().any(is_key);
            if unsettled && is_key(&event) || after_letters {
                self.waiting.push_front((at, event));
                break;
            }
            if matches!(event, Event::PointerButton { .. }) {
                clicked = Some(at);
            }
            raw.events.push(event);
            if ends {
                // A key and the letter it types are one.
                if let Some((_, Event::Text(_))) = self.waiting.front() {
                    let letter = self.waiting.pop_front();
                    raw.events.extend(letter.map(|(_, event)| event));
                }
                break;
            }
        }
        // Whether two clicks are a double-click is judged by when they were made, not by when each was heard.
        // Time never stands still, or a motion would have no speed.
        const A_MOMENT: f64 = 1e-6;
        self.now = clicked.unwrap_or(came).max(self.now + A_MOMENT);
        if raw.time.is_some() {
            raw.time = Some(self.now);
        }
    }

    /// True when another frame is needed.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }
}

/// True for what goes where the keyboard goes.
fn is_key(event: &Event) -> bool {
    matches!(
        event,
        Event::Key { pressed: true, .. }
            | Event::Text(_)
            | Event::Copy
            | Event::Cut
            | Event::Paste(_)
            | Event::Ime(_)
    )
}

/// True for what may change where the keys after it go.
fn ends_the_frame(event: &Event, typing: bool) -> bool {
    match event {
        Event::PointerButton { pressed: false, .. } => true,
        Event::Key {
            key,
            pressed: true,
            modifiers,
            ..
        } => {
            let is_for_the_list = matches!(
                key,
                Key::Enter | Key::Escape | Key::Tab | Key::ArrowUp | Key::ArrowDown
            );
            !typing || is_for_the_list || modifiers.command || modifiers.alt
        }
        Event::Copy | Event::Cut | Event::Paste(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{Modifiers, PointerButton, pos2};

    fn key(key: Key) -> Event {
        Event::Key {
            key,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: Modifiers::NONE,
        }
    }

    fn text(text: &str) -> Event {
        Event::Text(text.to_owned())
    }

    fn button(pressed: bool) -> Event {
        Event::PointerButton {
            pos: pos2(1.0, 1.0),
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        }
    }

    fn frame(turn: &mut Turn, came: &[Event], typing: bool, unsettled: bool) -> Vec<Event> {
        let mut raw = RawInput {
            events: came.to_vec(),
            ..RawInput::default()
        };
        turn.admit(&mut raw, typing, unsettled);
        raw.events
    }

    #[test]
    fn letters_after_a_double_click_wait_until_its_field_is_there() {
        let mut turn = Turn::default();
        let came = [
            button(true),
            button(false),
            key(Key::Q),
            text("q"),
            key(Key::D),
            text("d"),
        ];
        assert_eq!(frame(&mut turn, &came, false, false), came[..2]);
        // The click's wish is carried out in this frame; the field has the keys from the next one on.
        assert_eq!(frame(&mut turn, &[], false, true), []);
        assert_eq!(frame(&mut turn, &[], true, false), came[2..]);
        assert!(!turn.is_waiting());
    }

    #[test]
    fn a_key_and_its_letter_stay_together_and_the_next_key_waits() {
        let mut turn = Turn::default();
        let came = [key(Key::N), text("n"), key(Key::L), text("l")];
        assert_eq!(frame(&mut turn, &came, false, false), came[..2]);
        assert!(turn.is_waiting());
        assert_eq!(frame(&mut turn, &[], true, false), came[2..]);
    }

    #[test]
    fn enter_and_escape_have_a_frame_of_their_own() {
        let mut turn = Turn::default();
        let came = [
            key(Key::A),
            text("a"),
            key(Key::Escape),
            key(Key::D),
            text("d"),
        ];
        assert_eq!(frame(&mut turn, &came, true, false), came[..2]);
        assert_eq!(frame(&mut turn, &[], true, false), came[2..3]);
        assert_eq!(frame(&mut turn, &[], false, false), came[3..]);
    }

    #[test]
    fn each_click_has_its_own_frame_and_waits_for_no_wish() {
        let mut turn = Turn::default();
        let click = [
            button(true),
            Event::PointerMoved(pos2(2.0, 2.0)),
            button(false),
        ];
        let twice = [click.clone(), click.clone()].concat();
        assert_eq!(frame(&mut turn, &twice, false, true), click);
        assert_eq!(frame(&mut turn, &[], false, true), click);
        assert!(!turn.is_waiting());
    }

    #[test]
    fn a_click_that_waited_has_the_time_it_was_made() {
        let mut turn = Turn::default();
        let click = [button(true), button(false)];
        let mut heard_at = |time: f64, events: Vec<Event>| {
            let mut raw = RawInput {
                time: Some(time),
                events,
                ..RawInput::default()
            };
            turn.admit(&mut raw, false, false);
            raw.time.expect("set above")
        };
        assert!(heard_at(5.0, [click.clone(), click.clone()].concat()) < 5.1);
        assert!(heard_at(6.0, Vec::new()) < 5.1, "the second click");
        assert!(heard_at(6.1, Vec::new()) > 6.0, "time goes on");
    }

    #[test]
    fn order_is_kept_when_more_comes_while_something_waits() {
        let mut turn = Turn::default();
        let first = [key(Key::N), key(Key::M)];
        frame(&mut turn, &first, false, false);
        let later = [Event::PointerMoved(pos2(2.0, 2.0))];
        let both = [first[1].clone(), later[0].clone()];
        assert_eq!(frame(&mut turn, &later, true, false), both);
    }
}
