//! What lies below the tree: other workspaces, what runs elsewhere, folders with names that no workspace may have.

use egui::Ui;

use crate::app::action::Action;
use crate::app::control;
use crate::app::icons::Icon;
use crate::app::outline::{Outline, count};
use crate::app::theme::{Theme, space};
use crate::app::widgets::{Row, heading};
use crate::model::{Catalog, NodeStatus, WorkspaceEntry};
use crate::runtime::Board;

use super::alive::Alive;

/// Other workspaces listed though nothing runs in them; the selector has them all.
const OTHERS_MAX: usize = 12;

/// The other workspaces: those that are alive, and the rest while they are few.
pub(super) fn others_ui(
    ui: &mut Ui,
    board: &Board,
    shown: &WorkspaceEntry,
    outline: &Outline,
    alive: &Alive<'_>,
    actions: &mut Vec<Action>,
) {
    let theme = Theme::of(ui.ctx());
    let all = &board.catalog.workspaces;
    let few = all.len() <= OTHERS_MAX + 1;
    let mut others = all
        .iter()
        .filter(|w| {
            let wants = || control::told_of(board, &w.id).is_some_and(|(_, wants)| wants);
            w.id != shown.id && (few || alive.n(&w.id) > 0 || wants())
        })
        .peekable();
    if others.peek().is_none() {
        return;
    }
    heading(ui, "Other workspaces", None);
    for other in others {
        let n_failed = outline.n_failed(&other.id);
        let status = |words, status| (words, theme.status(status));
        let told = control::told_of(board, &other.id);
        let (words, dot) = match (alive.n(&other.id), told) {
            (_, Some((words, true))) => (words, theme.warning()),
            (0, Some((words, false))) => status(words, NodeStatus::Idle),
            (0, None) if n_failed > 0 => status(format!("{n_failed} failed"), NodeStatus::Failed),
            (0, None) => status(count(other.flows.len(), "flow"), NodeStatus::Idle),
            (n, _) => status(format!("{n} running"), NodeStatus::Running),
        };
        if workspace_row(ui, &other.name, &words, dot) {
            actions.push(Action::ShowWorkspace(other.id.clone()));
        }
    }
    ui.add_space(space::S);
}

/// What runs outside of the collection shown: its flow is a click away.
pub(super) fn alive_elsewhere_ui(
    ui: &mut Ui,
    catalog: &Catalog,
    alive: &Alive<'_>,
    actions: &mut Vec<Action>,
) {
    let theme = Theme::of(ui.ctx());
    let mut elsewhere = alive
        .first
        .iter()
        .filter(|(id, _)| !catalog.workspaces.iter().any(|w| w.id == ***id))
        .peekable();
    if elsewhere.peek().is_none() {
        return;
    }
    heading(ui, "Running elsewhere", None);
    for (id, flow) in elsewhere {
        let name = flow.root.file_name().unwrap_or(flow.root.as_os_str());
        let words = format!("{} running", alive.n(id));
        let dot = theme.status(NodeStatus::Running);
        if workspace_row(ui, &name.to_string_lossy(), &words, dot) {
            actions.push(Action::OpenFlow((*flow).clone()));
        }
    }
    ui.add_space(space::S);
}

fn workspace_row(ui: &mut Ui, name: &str, words: &str, dot: egui::Color32) -> bool {
    let theme = Theme::of(ui.ctx());
    let row = Row {
        text: name,
        name: Some(format!("{name}, {words}")),
        icon: Some((Icon::Folder, theme.dim)),
        detail: words,
        keep_detail: true,
        dot: Some(dot),
        indent: 12.0,
        ..Row::default()
    };
    let response = row.show(ui);
    let is_clicked = response.clicked();
    response.on_hover_text(format!("{name}\n{words}"));
    is_clicked
}

/// Folders that would be workspaces but for their names.
pub(super) fn rejected_ui(ui: &mut Ui, catalog: &Catalog) {
    if catalog.rejected.is_empty() {
        return;
    }
    let theme = Theme::of(ui.ctx());
    heading(ui, "Not taken as workspaces", Some(catalog.rejected.len()));
    for rejected in &catalog.rejected {
        let shown: String = rejected
            .name
            .chars()
            .map(|c| if c.is_control() { '␣' } else { c })
            .collect();
        let row = Row {
            text: &shown,
            name: Some(format!("{shown}, not a workspace: {}", rejected.why)),
            icon: Some((Icon::Warning, theme.warning())),
            detail: &rejected.why,
            indent: 12.0,
            faint: true,
            ..Row::default()
        };
        row.show(ui).on_hover_text(&rejected.why);
    }
    ui.add_space(space::S);
}
