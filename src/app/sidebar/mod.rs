//! The left pane: the workspace, its flows by group with how each stands, the other workspaces.

mod alive;
mod empty;
mod filter;
mod flow;
mod others;
mod selector;
mod tree;

use std::sync::Arc;

use egui::{ScrollArea, Ui};

use crate::app::action::Action;
use crate::app::theme::space;
use crate::app::view::View;
use crate::model::{Timestamp, WorkspaceEntry};
use crate::runtime::Board;

use alive::Alive;
use empty::{away_ui, no_workspace_ui};
use filter::filter_ui;
use others::{alive_elsewhere_ui, others_ui, rejected_ui};
use selector::selector_ui;
use tree::tree_ui;

/// The workspace whose flows are shown: the one chosen, else the first.
pub fn shown_workspace<'a>(view: &View, board: &'a Board) -> Option<&'a Arc<WorkspaceEntry>> {
    let all = &board.catalog.workspaces;
    let chosen = view.layout.workspace.as_deref();
    all.iter()
        .find(|w| Some(w.id.as_str()) == chosen)
        .or(all.first())
}

/// Draws the pane.
pub fn sidebar_ui(
    ui: &mut Ui,
    view: &mut View,
    board: &Board,
    now: Timestamp,
    actions: &mut Vec<Action>,
) {
    let shown = shown_workspace(view, board);
    let alive = Alive::of(board);
    selector_ui(ui, shown, board, &alive, actions);
    ui.add_space(space::S);
    let Some(workspace) = shown else {
        no_workspace_ui(ui, view, &board.catalog, actions);
        alive_elsewhere_ui(ui, &board.catalog, &alive, actions);
        return;
    };
    if !board.catalog.trouble.is_empty() {
        away_ui(ui, &board.catalog.trouble, actions);
    }
    filter_ui(ui, view);
    ui.add_space(space::XS);
    let mut outline = std::mem::take(&mut view.outline);
    outline.update(workspace, board, &view.flow_filter, &view.layout.folded);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        tree_ui(ui, view, board, workspace, &outline, now, actions);
        // An id of its own, because how many rows come before depends on what is in view.
        let below = egui::UiBuilder::new().id(egui::Id::new("below the tree"));
        ui.scope_builder(below, |ui| {
            others_ui(ui, board, workspace, &outline, &alive, actions);
            alive_elsewhere_ui(ui, &board.catalog, &alive, actions);
            rejected_ui(ui, &board.catalog);
        });
    });
    view.outline = outline;
}
