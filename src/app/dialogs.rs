//! What stands over the window and asks: save before closing, replace, wrapper, settings, all keys.

use std::path::PathBuf;

use egui::{Align, Grid, Layout, RichText, ScrollArea, TextEdit, Ui};

use crate::model::{Flow, Node, Wrapper};

use super::action::{Action, Answer};
use super::memory::ThemeChoice;
use super::path_dialog::List;
use super::theme::{Theme, mono, regular, semibold, size, space};
use super::verbs::{Group, VERBS};
use super::view::{Dialog, SettingsDraft};
use super::widgets::{self, Button};
use super::window::App;

/// Draws the open dialog; gives the folder whose list the path dialog wants.
pub fn dialogs_ui(ui: &Ui, app: &mut App) -> Option<List> {
    let mut dialog = app.view.dialog.take()?;
    let mut list = None;
    let mut actions = Vec::new();
    match &mut dialog {
        Dialog::Close(id) => {
            let title = app.view.tab_of(*id).map(|tab| tab.title());
            let title = title.unwrap_or_default();
            let what = format!("Save the changes to ‘{title}’?");
            let choices = [
                ("Save", Answer::Save),
                ("Don't save", Answer::Discard),
                ("Cancel", Answer::Cancel),
            ];
            ask_ui(
                ui,
                &what,
                "They are lost if you don't save them.",
                &choices,
                &mut actions,
            );
        }
        Dialog::QuitRunning(n) => {
            let what = match *n {
                1 => "One flow is running.".to_owned(),
                n => format!("{n} flows are running."),
            };
            let choices = [
                ("Keep running", Answer::KeepRunning),
                ("Stop and quit", Answer::Discard),
                ("Cancel", Answer::Cancel),
            ];
            let hint = match *n {
                1 => {
                    "It can go on without the window; the next start shows it again. What is stopped can be resumed."
                }
                _ => {
                    "They can go on without the window; the next start shows them again. What is stopped can be resumed."
                }
            };
            ask_ui(ui, &what, hint, &choices, &mut actions);
        }
        Dialog::Replace(_, path) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let what = format!("‘{name}’ is there already. Replace it?");
            let choices = [("Replace", Answer::Save), ("Cancel", Answer::Cancel)];
            ask_ui(
                ui,
                &what,
                "What it holds now is lost.",
                &choices,
                &mut actions,
            );
        }
        Dialog::Path(dialog) => list = dialog.show(ui, &mut actions),
        Dialog::Wrapper(text) => wrapper_ui(ui, app, text, &mut actions),
        Dialog::Settings(draft) => settings_ui(ui, draft, &mut actions),
        Dialog::Keys => keys_ui(ui, &mut actions),
    }
    // What the dialog asked for is carried out while it still stands.
    app.view.dialog = Some(dialog);
    app.parts().2.extend(actions);
    list
}

fn ask_ui(ui: &Ui, what: &str, hint: &str, choices: &[(&str, Answer)], actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    widgets::modal(ui, "ask").show(ui.ctx(), |ui| {
        ui.set_width(400.0);
        ui.add(egui::Label::new(RichText::new(what).font(semibold(size::TITLE))).wrap());
        ui.add_space(space::XS);
        ui.add(egui::Label::new(RichText::new(hint).color(theme.dim)).wrap());
        ui.add_space(space::L);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = space::S;
            for (at, (name, answer)) in choices.iter().enumerate() {
                let mut button = Button::new(name);
                button.primary = at == 0;
                let response = button.show(ui);
                if at == 0 && ui.memory(|memory| memory.focused().is_none()) {
                    response.request_focus();
                }
                if response.clicked() {
                    actions.push(Action::Answer(answer.clone()));
                }
            }
        });
    });
}

fn wrapper_ui(ui: &Ui, app: &App, text: &mut String, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let Some(tab) = app.view.tab() else {
        return;
    };
    let Some(doc) = tab.doc() else {
        return;
    };
    let graph = &doc.flow().graph;
    let node = tab
        .selection
        .nodes()
        .last()
        .and_then(|id| graph.node(id))
        .or_else(|| graph.nodes().next());
    let wrapper = (!text.trim().is_empty()).then(|| Wrapper::new(text.as_str()));
    let response = widgets::modal(ui, "wrapper").show(ui.ctx(), |ui| {
        ui.set_width(560.0);
        ui.label(RichText::new("Wrapper").font(semibold(size::TITLE)));
        ui.add_space(space::XS);
        let hint = "Set round each command of this flow; {} stands for the command.";
        ui.add(egui::Label::new(RichText::new(hint).color(theme.dim)).wrap());
        ui.add_space(space::S);
        let label = widgets::field_label(ui, "Wrapper");
        let field = TextEdit::multiline(text)
            .id(egui::Id::new("wrapper field"))
            .font(mono(size::MONO))
            .hint_text("ssh worker {}")
            .margin(widgets::field_margin())
            .desired_rows(2)
            .desired_width(f32::INFINITY);
        let field = ui.add(field).labelled_by(label.id);
        if ui.memory(|memory| memory.focused().is_none()) {
            field.request_focus();
        }
        if let Some(node) = node {
            ui.add_space(space::XS);
            widgets::field_label(ui, &format!("What will run for ‘{}’", node.name()));
            let line = preview(app, doc.flow(), node, wrapper.clone());
            let frame = egui::Frame::new()
                .stroke(egui::Stroke::new(1.0, theme.line))
                .corner_radius(size::RADIUS)
                .inner_margin(widgets::field_margin());
            frame.show(ui, |ui| {
                ui.set_width(ui.available_width());
                let shown = RichText::new(line).font(mono(size::MONO)).color(theme.dim);
                let scroll = ScrollArea::vertical()
                    .max_height(120.0)
                    .auto_shrink([false, true]);
                scroll.show(ui, |ui| {
                    ui.add(egui::Label::new(shown).selectable(true).wrap());
                });
            });
        }
        ui.add_space(space::L);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = space::S;
            let enter = ui.input(|i| i.modifiers.command && i.key_pressed(egui::Key::Enter));
            if Button::new("Use wrapper").primary().show(ui).clicked() || enter {
                actions.push(Action::SetWrapper(wrapper.clone()));
            }
            if Button::new("Cancel").show(ui).clicked() {
                actions.push(Action::Answer(Answer::Cancel));
            }
        });
    });
    if response.backdrop_response.clicked() {
        actions.push(Action::Answer(Answer::Cancel));
    }
}

fn preview(app: &App, flow: &Flow, node: &Node, wrapper: Option<Wrapper>) -> String {
    // Only what goes round the command matters; nodes are shared, so the copy is cheap.
    let flow = Flow {
        wrapper,
        shell: flow.shell.clone(),
        ..Flow::default()
    };
    app.engine.command_line(&flow, node)
}

fn settings_ui(ui: &Ui, draft: &mut SettingsDraft, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let response = widgets::modal(ui, "settings").show(ui.ctx(), |ui| {
        ui.set_width(460.0);
        ui.spacing_mut().item_spacing.y = 5.0;
        ui.label(RichText::new("Settings").font(semibold(size::TITLE)));
        widgets::field_label(ui, "Theme");
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = space::M;
            for choice in [ThemeChoice::System, ThemeChoice::Dark, ThemeChoice::Light] {
                ui.radio_value(&mut draft.new.theme, choice, choice.name());
            }
        });
        let field = |ui: &mut Ui, label: &str, hint: &str, text: &mut String| {
            let label = widgets::field_label(ui, label);
            let edit = TextEdit::singleline(text)
                .hint_text(hint)
                .margin(widgets::field_margin())
                .desired_width(f32::INFINITY);
            ui.add(edit).labelled_by(label.id);
        };
        let cores = format!("{} (as many as there are cores)", super::perform::cores());
        field(
            ui,
            "Nodes at once in this process",
            &cores,
            &mut draft.slots,
        );
        field(
            ui,
            "Seconds from stop to kill",
            "built-in",
            &mut draft.grace,
        );
        field(
            ui,
            "Shell of flows that name none",
            "bash, else sh",
            &mut draft.new.shell,
        );
        field(ui, "Collection folder", "none", &mut draft.collection);
        let slots = number(&draft.slots);
        let grace = number(&draft.grace);
        let bad = if slots.is_err() || slots == Ok(Some(0)) {
            Some("Nodes at once is a number above 0, or empty")
        } else if grace.is_err() {
            Some("Seconds is a number, or empty")
        } else {
            None
        };
        ui.add_space(space::XS);
        let words = RichText::new(bad.unwrap_or_default())
            .font(regular(size::SMALL))
            .color(theme.error());
        ui.label(words);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = space::S;
            let mut use_them = Button::new("Use settings").primary();
            use_them.disabled = bad.map(str::to_owned);
            if use_them.show(ui).clicked() {
                let mut settings = draft.new.clone();
                settings.slots = slots.unwrap_or_default();
                settings.grace_s = grace.unwrap_or_default();
                let folder = draft.collection.trim();
                settings.collection = (!folder.is_empty()).then(|| PathBuf::from(folder));
                actions.push(Action::Configure(Box::new(settings)));
            }
            if Button::new("Cancel").show(ui).clicked() {
                actions.push(Action::Answer(Answer::Cancel));
            }
        });
    });
    if response.backdrop_response.clicked() {
        actions.push(Action::Answer(Answer::Cancel));
    }
}

fn number(text: &str) -> Result<Option<u32>, ()> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| ()),
    }
}

fn keys_ui(ui: &Ui, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let mac = ui.ctx().os().is_mac();
    let screen = ui.ctx().content_rect();
    let response = widgets::modal(ui, "keys").show(ui.ctx(), |ui| {
        ui.set_width((screen.width() - 80.0).min(900.0));
        ui.horizontal(|ui| {
            ui.label(RichText::new("All keys").font(semibold(size::TITLE)));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if Button::new("Close").flat().show(ui).clicked() {
                    actions.push(Action::Answer(Answer::Cancel));
                }
            });
        });
        ui.add_space(space::S);
        let scroll = ScrollArea::vertical()
            .max_height(screen.height() - 160.0)
            .min_scrolled_height(screen.height() - 160.0);
        scroll.auto_shrink([false, true]).show(ui, |ui| {
            let columns = if ui.available_width() > 700.0 { 3 } else { 2 };
            ui.columns(columns, |columns| {
                // By length: Edit and Gestures are the long ones.
                let places: &[usize] = if columns.len() == 3 {
                    &[0, 1, 2, 0, 2]
                } else {
                    &[0, 1, 0, 1, 0]
                };
                for (group, at) in Group::ALL.iter().zip(places) {
                    group_ui(&mut columns[*at], *group, mac, &theme);
                }
                let last = columns.len() - 1;
                gestures_ui(&mut columns[last], &theme);
            });
        });
    });
    if response.backdrop_response.clicked() {
        actions.push(Action::Answer(Answer::Cancel));
    }
}

fn group_ui(ui: &mut Ui, group: Group, mac: bool, theme: &Theme) {
    let lines = VERBS
        .iter()
        .filter(|entry| entry.group == group && !entry.keys.is_empty())
        .map(|entry| {
            let keys: Vec<String> = entry.keys.iter().map(|key| key.label(mac)).collect();
            (keys.join("  "), entry.name)
        });
    key_list_ui(ui, group.title(), lines, theme);
}

/// What the mouse does on the canvas.
const GESTURES: &[(&str, &str)] = &[
    ("Double-click", "New node, or edit the command"),
    ("Right-drag", "Blocking edge to another node"),
    ("Ctrl+Shift+right-drag", "Non-blocking edge"),
    ("Shift+drag", "Select by a box"),
    ("Shift/Ctrl+click", "Add to the selection"),
    ("Drag, middle-drag", "Move the view"),
    ("Wheel, pinch", "Zoom at the pointer"),
    ("Right-click", "Menu"),
];

fn gestures_ui(ui: &mut Ui, theme: &Theme) {
    let lines = GESTURES
        .iter()
        .map(|(keys, what)| ((*keys).to_owned(), *what));
    key_list_ui(ui, "Mouse", lines, theme);
}

fn key_list_ui<'a>(
    ui: &mut Ui,
    title: &str,
    lines: impl Iterator<Item = (String, &'a str)>,
    theme: &Theme,
) {
    ui.label(
        RichText::new(title)
            .font(semibold(size::UI))
            .color(theme.dim),
    );
    ui.spacing_mut().interact_size.y = 18.0;
    Grid::new(("keys", title))
        .num_columns(2)
        .spacing([12.0, 3.0])
        .show(ui, |ui| {
            for (keys, name) in lines {
                ui.label(
                    RichText::new(keys)
                        .font(mono(size::SMALL))
                        .color(theme.accent),
                );
                ui.label(RichText::new(name).font(regular(size::SMALL + 0.5)));
                ui.end_row();
            }
        });
    ui.add_space(space::M);
}
