//! The workspace that is shown, and the list to choose another from.

use std::sync::Arc;

use egui::{
    Popup, PopupCloseBehavior, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo, WidgetType,
    pos2, vec2,
};

use crate::app::action::{Action, Verb};
use crate::app::control;
use crate::app::icons::{self, Icon};
use crate::app::outline::count;
use crate::app::theme::{Theme, semibold, size, space};
use crate::app::verbs;
use crate::app::widgets::{self, Row};
use crate::model::{NodeStatus, WorkspaceEntry};
use crate::runtime::Board;

use super::alive::Alive;

pub(super) fn selector_ui(
    ui: &mut Ui,
    shown: Option<&Arc<WorkspaceEntry>>,
    board: &Board,
    alive: &Alive<'_>,
    actions: &mut Vec<Action>,
) {
    let theme = Theme::of(ui.ctx());
    let enabled = shown.is_some();
    let text = shown.map_or("(no workspace)", |workspace| workspace.name.as_str());
    let sense = if enabled {
        Sense::click()
    } else {
        Sense::hover()
    };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 32.0), sense);
    let fill = match (enabled, response.hovered()) {
        (true, true) => theme.hover(),
        (true, false) => theme.raised,
        (false, _) => theme.panel,
    };
    let line = Stroke::new(1.0, theme.line);
    ui.painter()
        .rect(rect, size::RADIUS, fill, line, StrokeKind::Inside);
    let y = rect.center().y;
    let ink = if enabled { theme.text } else { theme.faint };
    let room = rect.width() - 52.0;
    widgets::text_at(
        ui,
        rect.left() + 10.0,
        y,
        text,
        semibold(size::UI),
        ink,
        room,
    );
    let wants = |other: &&Arc<WorkspaceEntry>| {
        let is_shown = shown.is_some_and(|shown| shown.id == other.id);
        !is_shown && control::told_of(board, &other.id).is_some_and(|(_, wants)| wants)
    };
    let wanting = board.catalog.workspaces.iter().find(wants);
    if wanting.is_some() {
        let dot = icons::square(pos2(rect.right() - 32.0, y), 8.0);
        icons::paint(ui.painter(), dot, Icon::Dot, theme.warning());
    }
    let at = icons::square(pos2(rect.right() - 15.0, y), 11.0);
    let ink = if enabled { theme.dim } else { theme.faint };
    icons::paint(ui.painter(), at, Icon::ChevronDown, ink);
    widgets::focus_ring(ui, &response, rect);
    let mut name = format!("Workspace {text}");
    if let Some(other) = wanting {
        name.push_str(&format!(", {} wants attention", other.name));
    }
    response.widget_info(|| WidgetInfo::labeled(WidgetType::ComboBox, enabled, &name));
    let Some(shown) = shown else {
        return;
    };
    let width = rect.width();
    Popup::menu(&response)
        .width(width)
        .close_behavior(PopupCloseBehavior::CloseOnClick)
        .show(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let list = ScrollArea::vertical().max_height(size::ROW * 14.0);
            list.auto_shrink([false, true]).show(ui, |ui| {
                for other in &board.catalog.workspaces {
                    let n_live = alive.n(&other.id);
                    let told = control::told_of(board, &other.id);
                    let (detail, dot) = match (n_live, told) {
                        (_, Some((words, true))) => (words, Some(theme.warning())),
                        (0, Some((words, false))) => (words, None),
                        (0, None) => (count(other.flows.len(), "flow"), None),
                        (n, _) => {
                            let dot = theme.status(NodeStatus::Running);
                            (format!("{n} running"), Some(dot))
                        }
                    };
                    let row = Row {
                        text: &other.name,
                        name: Some(format!("Show {}, {detail}", other.name)),
                        detail: &detail,
                        selected: other.id == shown.id,
                        icon: Some((Icon::Folder, theme.dim)),
                        dot,
                        ..Row::default()
                    };
                    if row.show(ui).clicked() {
                        actions.push(Action::ShowWorkspace(other.id.clone()));
                    }
                }
            });
            ui.add_space(space::XS);
            widgets::hairline(ui);
            ui.add_space(space::XS);
            for (verb, icon) in [
                (Verb::ChooseCollection, Icon::Folder),
                (Verb::SetUpWorkspace, Icon::Plus),
            ] {
                let row = Row {
                    text: verbs::entry(verb).name,
                    icon: Some((icon, theme.dim)),
                    ..Row::default()
                };
                if row.show(ui).clicked() {
                    actions.push(Action::Do(verb));
                }
            }
        });
}
