//! The line at the bottom: what there is, how large it is shown, whether it is saved.

use std::collections::BTreeSet;

use egui::{Align, Layout, RichText, Ui};

use crate::editor::DiskState;
use crate::runtime::Board;

use super::action::{Action, Verb};
use super::sidebar::shown_workspace;
use super::theme::{Theme, regular, size, space};
use super::view::{Tab, View};

/// Draws the line.
pub fn footer_ui(ui: &mut Ui, view: &View, board: &Board, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let word = |text: String| {
        RichText::new(text)
            .font(regular(size::SMALL))
            .color(theme.dim)
    };
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = space::L;
        ui.label(word(what_there_is(view, board)));
        if let Some(doc) = view.doc() {
            let graph = &doc.flow().graph;
            let text = format!(
                "{} · {}",
                count(graph.n_nodes(), "node"),
                count(graph.n_edges(), "edge")
            );
            ui.label(word(text));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(word(format!("v{}", env!("CARGO_PKG_VERSION"))));
            if let Some(tab) = view.tab()
                && tab.doc().is_some()
            {
                ui.label(word(saved_word(tab).to_owned()));
                let zoom = format!("{:.0}%", tab.canvas.zoom() * 100.0);
                let response = ui.add(
                    egui::Label::new(word(zoom))
                        .selectable(false)
                        .sense(egui::Sense::click()),
                );
                if response.on_hover_text("Zoom. Click for 100%").clicked() {
                    actions.push(Action::Do(Verb::ZoomReset));
                }
            }
        });
    });
}

fn saved_word(tab: &Tab) -> &'static str {
    let Some(doc) = tab.doc() else {
        return "";
    };
    match &doc.disk {
        _ if tab.saving => "Saving…",
        DiskState::New => "Not saved yet",
        DiskState::Changed { .. } => "Changed on disk",
        DiskState::Deleted => "Deleted on disk",
        DiskState::InStep(_) if doc.is_dirty() => "Unsaved",
        DiskState::InStep(_) => "Saved",
    }
}

fn what_there_is(view: &View, board: &Board) -> String {
    let Some(workspace) = shown_workspace(view, board) else {
        return match &board.catalog.root {
            Some(_) => "No workspaces".to_owned(),
            None => "No collection".to_owned(),
        };
    };
    let groups: BTreeSet<&str> = workspace
        .flows
        .iter()
        .map(|flow| flow.group.as_str())
        .filter(|group| !group.is_empty())
        .collect();
    let flows = count(workspace.flows.len(), "flow");
    match groups.len() {
        0 => flows,
        n => format!("{} · {flows}", count(n, "group")),
    }
}

fn count(n: usize, what: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {what}{s}")
}
