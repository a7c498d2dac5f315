//! Asking before control is taken over from a machine that is silent: what was last known of it.

use egui::Ui;

use crate::app::action::{Action, Answer};
use crate::app::theme::Theme;
use crate::app::widgets::{self, Button};
use crate::runtime::control::Wish;

use super::page::{Act, ask, foot_ui, part_ui, title_ui, words_ui};
use super::seat::Seat;
use super::words;

/// What the dialog says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Question {
    title: String,
    silence: String,
    runs: String,
    automation: &'static str,
    /// Why it cannot be done now.
    not_now: Option<String>,
}

impl Question {
    fn of(seat: &Seat) -> Self {
        let host = seat.host();
        let silent = seat.status.owner.as_ref().map(|owner| owner.silent);
        let silence = match silent {
            Some(silent) => format!(
                "This workstation has seen no sign of it for {}.",
                words::long(silent)
            ),
            None => "Nobody has control any more.".to_owned(),
        };
        let names = &seat.running_there;
        let runs = match names.len() {
            0 => "No node that is known here was running.".to_owned(),
            1 => format!(
                "{} was running. It counts as interrupted here, and can be resumed.",
                words::named(names)
            ),
            n => format!(
                "{n} nodes were running: {}. They count as interrupted here, and can be resumed.",
                words::named(names)
            ),
        };
        let automation = match seat.policy.resumes {
            true => "What was on goes on here.",
            false => "It stays off here until you turn it on.",
        };
        Self {
            title: format!("Take over control of ‘{}’ from {host}?", seat.name),
            silence,
            runs,
            automation,
            not_now: seat.status.can.take_over.as_ref().err().cloned(),
        }
    }
}

/// Draws the dialog.
pub fn show(ui: &Ui, seat: &Seat, actions: &mut Vec<Action>) {
    let question = Question::of(seat);
    let theme = Theme::of(ui.ctx());
    let response = widgets::modal(ui, "take over").show(ui.ctx(), |ui| {
        ui.set_width(440.0);
        title_ui(ui, &question.title);
        words_ui(ui, &question.silence, theme.text);
        part_ui(ui, "When it was last heard of", &question.runs);
        part_ui(ui, "Automation", question.automation);
        part_ui(
            ui,
            "If it only slept",
            "It loses control when it wakes, and ends its nodes. It can write nothing over what you do.",
        );
        if let Some(why) = &question.not_now {
            words_ui(ui, why, theme.warning());
        }
        let mut main = Button::new("Take over").danger();
        main.disabled = question.not_now.clone();
        if foot_ui(ui, main, actions) {
            ask(seat, Act::Wish(Wish::TakeOver), actions);
            actions.push(Action::Answer(Answer::Cancel));
        }
    });
    if response.backdrop_response.clicked() {
        actions.push(Action::Answer(Answer::Cancel));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::control::situation::seat;

    fn told(seat: &Seat) -> String {
        let q = Question::of(seat);
        let not_now = q.not_now.unwrap_or_default();
        [&q.title, &q.silence, &q.runs, q.automation, &not_now].join("\n")
    }

    #[test]
    fn it_names_the_host_its_silence_what_ran_there_and_what_becomes_of_automation() {
        let mut seat = seat("watching silent=130");
        seat.running_there = vec!["bake".to_owned(), "grind".to_owned()];
        assert_eq!(
            told(&seat),
            "Take over control of ‘mill’ from wsA?\n\
             This workstation has seen no sign of it for 2 min.\n\
             2 nodes were running: bake, grind. They count as interrupted here, and can be resumed.\n\
             What was on goes on here.\n"
        );
        seat.running_there.truncate(1);
        seat.policy.resumes = false;
        let told = told(&seat);
        assert!(
            told.contains("bake was running. It counts as interrupted here"),
            "{told}"
        );
        assert!(
            told.contains("It stays off here until you turn it on."),
            "{told}"
        );
    }

    #[test]
    fn an_owner_that_comes_back_while_it_is_asked_keeps_control() {
        let told = told(&seat("watching silent=2"));
        assert!(
            told.ends_with("wsA has control; a takeover is possible in 90s."),
            "{told}"
        );
    }
}
