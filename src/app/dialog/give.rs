//! What a run needs and nobody keeps: asked for once the run was refused for want of it.

use std::sync::Arc;

use egui::{RichText, Ui};
use zeroize::Zeroizing;

use crate::app::action::{Action, Answer};
use crate::app::theme::{Theme, regular, semibold, size, space};
use crate::app::widgets::{self, Button};
use crate::model::{ResourceName, Secret, Secrets};
use crate::runtime::Wanting;

/// Values that are being typed for a run.
pub struct Give {
    /// The run, and what it lacks.
    pub wanting: Arc<Wanting>,
    fields: Vec<Field>,
    /// All of them, once each can be used.
    pub secrets: Option<Secrets>,
}

struct Field {
    name: ResourceName,
    value: Zeroizing<String>,
    trouble: &'static str,
}

impl Field {
    fn id(&self) -> egui::Id {
        egui::Id::new(("given value", self.name.as_str()))
    }
}

impl Give {
    /// A field for each name that a run lacks.
    pub fn new(wanting: Arc<Wanting>) -> Self {
        let field = |name: &ResourceName| Field {
            name: name.clone(),
            value: Zeroizing::default(),
            trouble: "",
        };
        Self {
            fields: wanting.names.iter().map(field).collect(),
            wanting,
            secrets: None,
        }
    }

    /// Takes what was typed, or says at each field why it is no value.
    fn take(&mut self) -> Option<Secrets> {
        let mut secrets = Secrets::default();
        let mut is_whole = true;
        for field in &mut self.fields {
            match Secret::new(Zeroizing::new((*field.value).clone())) {
                Ok(secret) => {
                    field.trouble = "";
                    secrets.insert(field.name.clone(), secret);
                }
                Err(why) => {
                    field.trouble = why;
                    is_whole = false;
                }
            }
        }
        is_whole.then_some(secrets)
    }
}

/// Asks for the values.
pub fn give_ui(ui: &Ui, give: &mut Give, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let room = ui.ctx().content_rect();
    let response = widgets::modal(ui, "give").show(ui.ctx(), |ui| {
        ui.set_width(420.0_f32.min(room.width() - 48.0));
        let (title, go) = match give.fields.len() {
            1 => ("This run needs a value".to_owned(), "Run with it"),
            n => (format!("This run needs {n} values"), "Run with them"),
        };
        ui.label(RichText::new(title).font(semibold(size::TITLE)));
        ui.add_space(space::XS);
        let hint = "Found neither in the keyring nor in the environment. What you type here serves \
                    this flow until Handmill ends; to keep a value for good, add it in Settings, \
                    Resources.";
        ui.add(egui::Label::new(RichText::new(hint).color(theme.dim)).wrap());
        let fields = egui::ScrollArea::vertical().max_height((room.height() - 260.0).max(80.0));
        let mut enter = false;
        fields.show(ui, |ui| {
            for field in &mut give.fields {
                let id = field.id();
                let width = ui.available_width();
                let typed =
                    widgets::masked_field(ui, id, field.name.as_str(), &mut field.value, width);
                enter |= typed.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
                if ui.memory(|memory| memory.focused().is_none())
                    && field.value.is_empty()
                    && !enter
                {
                    typed.request_focus();
                }
                if !field.trouble.is_empty() {
                    let why = RichText::new(field.trouble).font(regular(size::SMALL));
                    ui.add(egui::Label::new(why.color(theme.error())).wrap());
                }
            }
        });
        ui.add_space(space::L);
        widgets::answers_ui(ui, |ui| {
            let goes = Button::new(go).primary().show(ui).clicked();
            // Enter in one field leads to the next that is empty.
            let empty = give.fields.iter().find(|field| field.value.is_empty());
            match empty {
                Some(field) if enter => ui.memory_mut(|memory| memory.request_focus(field.id())),
                _ if goes || enter => {
                    give.secrets = give.take();
                    if give.secrets.is_some() {
                        actions.push(Action::Answer(Answer::Save));
                    } else if let Some(wrong) = give.fields.iter().find(|f| !f.trouble.is_empty()) {
                        ui.memory_mut(|memory| memory.request_focus(wrong.id()));
                    }
                }
                _ => {}
            }
            if Button::new("Don't run").show(ui).clicked() {
                actions.push(Action::Answer(Answer::Cancel));
            }
        });
    });
    if response.backdrop_response.clicked() {
        actions.push(Action::Answer(Answer::Cancel));
    }
}
