//! The line at the bottom: what there is, how large it is shown, whether it is saved.

use egui::{Align, Layout, RichText, Ui};

use crate::editor::DiskState;
use crate::runtime::Board;

use super::action::{Action, Verb};
use super::outline::count;
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
            super::control::footer_ui(ui, view, board, actions);
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
        return "No workspace".to_owned();
    };
    let recent = board.recent_runs.get(&workspace.id).copied();
    summary(
        workspace.modules.len(),
        workspace.groups().count(),
        workspace.flows.len(),
        usize::try_from(recent.unwrap_or_default()).unwrap_or(usize::MAX),
    )
}

/// What a workspace holds, and how much it was used (conformance, item 65).
fn summary(n_modules: usize, n_groups: usize, n_flows: usize, n_runs: usize) -> String {
    format!(
        "{} · {} · {} · {} last 7 days",
        count(n_modules, "module"),
        count(n_groups, "group"),
        count(n_flows, "flow"),
        count(n_runs, "run")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_65_the_footer_counts_modules_groups_flows_and_runs() {
        let words = summary(6, 5, 6, 12);
        assert_eq!(
            words,
            "6 modules · 5 groups · 6 flows · 12 runs last 7 days"
        );
        let words = summary(1, 1, 1, 1);
        assert_eq!(words, "1 module · 1 group · 1 flow · 1 run last 7 days");
    }
}
