//! What stands over the window and asks: save before closing, replace, wrapper, settings, all keys.

use egui::{Align, Grid, Layout, RichText, ScrollArea, TextEdit, Ui};

use crate::model::{Flow, Node, Wrapper};

use super::action::{Action, Answer};
use super::kill::Kill;
use super::path_dialog::List;
use super::settings;
use super::theme::{Theme, mono, regular, semibold, size, space};
use super::verbs::{Group, VERBS};
use super::view::Dialog;
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
            // A flow that is not on the screen is told by its workspace, too.
            let away = app.view.away_with(*id);
            let workspaces = &app.board.catalog.workspaces;
            let place = away.map(|away| match workspaces.iter().find(|w| w.id == *away) {
                Some(workspace) => format!(" in {}", workspace.name),
                None => format!(" in {away}"),
            });
            let place = place.unwrap_or_default();
            let what = format!("Save the changes to ‘{title}’{place}?");
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
        Dialog::Settings(page) => settings::page_ui(ui, app, page, &mut actions),
        Dialog::Kill(kill) => kill_ui(ui, kill, &mut actions),
        Dialog::Killing => killing_ui(ui, app, &mut actions),
        Dialog::Keys => keys_ui(ui, &mut actions),
        Dialog::Safety(page) => page.show(ui, app, &mut actions),
        Dialog::Control(page) => page.show(ui, app, &mut actions),
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

/// Asks before anything is killed, and names it.
fn kill_ui(ui: &Ui, kill: &Kill, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let response = widgets::modal(ui, "kill").show(ui.ctx(), |ui| {
        ui.set_width(420.0);
        ui.label(RichText::new(kill.question()).font(semibold(size::TITLE)));
        ui.add_space(space::XS);
        for line in kill.lines() {
            ui.add(egui::Label::new(RichText::new(line)).wrap());
        }
        ui.add_space(space::S);
        let hint = "It is ended at once, with all that it started. What it has written stays.";
        ui.add(egui::Label::new(RichText::new(hint).color(theme.dim)).wrap());
        ui.add_space(space::L);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = space::S;
            if Button::new("Kill").danger().show(ui).clicked() {
                actions.push(Action::Answer(Answer::Discard));
            }
            let cancel = Button::new("Cancel").show(ui);
            // Enter must not kill.
            if ui.memory(|memory| memory.focused().is_none()) {
                cancel.request_focus();
            }
            if cancel.clicked() {
                actions.push(Action::Answer(Answer::Cancel));
            }
        });
    });
    if response.backdrop_response.clicked() {
        actions.push(Action::Answer(Answer::Cancel));
    }
}

/// How far a kill is. It goes on when this is closed.
fn killing_ui(ui: &Ui, app: &App, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let Some(kill) = app.view.killing.last() else {
        return;
    };
    let (n, n_left) = (kill.n_nodes(), kill.n_left(&app.board));
    widgets::modal(ui, "killing").show(ui.ctx(), |ui| {
        ui.set_width(420.0);
        ui.label(RichText::new("Killing…").font(semibold(size::TITLE)));
        ui.add_space(space::S);
        let ended = format!("{} of {n} ended", n - n_left);
        let part = if n == 0 {
            1.0
        } else {
            (n - n_left) as f32 / n as f32
        };
        let (rect, bar) =
            ui.allocate_exact_size(egui::vec2(ui.available_width(), 4.0), egui::Sense::hover());
        ui.painter().rect_filled(rect, 2, theme.line);
        let mut done = rect;
        done.max.x = rect.left() + rect.width() * part;
        ui.painter().rect_filled(done, 2, theme.error());
        bar.widget_info(|| {
            egui::WidgetInfo::labeled(egui::WidgetType::ProgressIndicator, true, "Progress")
        });
        ui.add_space(space::XS);
        ui.label(RichText::new(&ended).color(theme.dim));
        ui.add_space(space::L);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if Button::new("Close")
                .tooltip("It goes on")
                .show(ui)
                .clicked()
            {
                actions.push(Action::Answer(Answer::Cancel));
            }
        });
    });
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
                    &[0, 1, 2, 0, 2, 2]
                } else {
                    &[0, 1, 0, 1, 0, 0]
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
    ("Drag a bare node onto an edge", "Set it into the edge"),
    ("Ctrl while dragging a node", "Onto the grid"),
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
