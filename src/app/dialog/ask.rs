//! A question with a few answers. The first answer is the one that loses nothing.

use egui::{RichText, Ui};

use crate::app::action::{Action, Answer};
use crate::app::theme::{Theme, semibold, size, space};
use crate::app::widgets::{self, Button};

/// A question.
pub struct Question<'a> {
    /// What is asked.
    pub what: &'a str,
    /// What it is about, line by line.
    pub lines: &'a [String],
    /// What the answers mean.
    pub hint: &'a str,
    /// The answers; the first is the main one.
    pub choices: &'a [Choice<'a>],
}

/// One answer.
pub struct Choice<'a> {
    /// What its button says.
    pub name: &'a str,
    /// What it is.
    pub answer: Answer,
    /// It ends or loses something.
    pub danger: bool,
}

impl<'a> Choice<'a> {
    /// An answer that loses nothing.
    pub fn new(name: &'a str, answer: Answer) -> Self {
        Self {
            name,
            answer,
            danger: false,
        }
    }

    /// One that ends or loses something.
    pub fn danger(name: &'a str, answer: Answer) -> Self {
        Self {
            danger: true,
            ..Self::new(name, answer)
        }
    }
}

/// Asks.
pub fn ask_ui(ui: &Ui, question: &Question<'_>, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let room = ui.ctx().content_rect().width();
    widgets::modal(ui, "ask").show(ui.ctx(), |ui| {
        ui.set_width(420.0_f32.min(room - 48.0));
        let what = RichText::new(question.what).font(semibold(size::TITLE));
        ui.add(egui::Label::new(what).wrap());
        ui.add_space(space::XS);
        for line in question.lines {
            ui.add(egui::Label::new(line).truncate());
        }
        if !question.lines.is_empty() {
            ui.add_space(space::XS);
        }
        let hint = RichText::new(question.hint).color(theme.dim);
        ui.add(egui::Label::new(hint).wrap());
        ui.add_space(space::L);
        widgets::answers_ui(ui, |ui| {
            for (at, choice) in question.choices.iter().enumerate() {
                let mut button = Button::new(choice.name);
                button.primary = at == 0 && !choice.danger;
                button.danger = choice.danger;
                let response = button.show(ui);
                // Enter takes what loses nothing.
                let is_safe = question.choices.iter().find(|choice| !choice.danger);
                let is_safe = is_safe.is_some_and(|safe| safe.name == choice.name);
                if is_safe && ui.memory(|memory| memory.focused().is_none()) {
                    response.request_focus();
                }
                if response.clicked() {
                    actions.push(Action::Answer(choice.answer.clone()));
                }
            }
        });
    });
}
