//! All keys and gestures.

use egui::{Align, Grid, Layout, RichText, ScrollArea, Ui};

use crate::app::action::{Action, Answer};
use crate::app::theme::{Theme, mono, regular, semibold, size, space};
use crate::app::verbs::{Group, VERBS};
use crate::app::widgets::{self, Button};

/// Draws the list.
pub fn keys_ui(ui: &Ui, actions: &mut Vec<Action>) {
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
