//! The lines of the workspace: groups, flows, modules.

use egui::{Sense, Ui, WidgetInfo, WidgetType, pos2, vec2};

use crate::app::action::Action;
use crate::app::icons::{self, Icon};
use crate::app::outline::{self, CARD_H, Line, Outline, count, group_words};
use crate::app::theme::{Theme, regular, size, space};
use crate::app::view::View;
use crate::app::widgets::{self, Row};
use crate::model::{NodeStatus, Timestamp, WorkspaceEntry};
use crate::runtime::Board;

use super::flow::{broken_card, flow_row};

/// The lines of the workspace that are in view; the rest is only room.
pub(super) fn tree_ui(
    ui: &mut Ui,
    view: &mut View,
    board: &Board,
    workspace: &WorkspaceEntry,
    outline: &Outline,
    now: Timestamp,
    actions: &mut Vec<Action>,
) {
    if outline.is_empty() {
        if view.flow_filter.trim().is_empty() {
            let hint = "Press Ctrl+N to draw the first one.";
            widgets::empty_state(ui, "No flows yet", hint);
        } else {
            widgets::empty_state(ui, "No flow has this in its name", "");
        }
        ui.add_space(space::L);
        return;
    }
    let running = outline.running(&workspace.id, board);
    let (left, top) = (ui.cursor().left(), ui.cursor().top());
    let width = ui.available_width();
    let clip = ui.clip_rect();
    for (line, y) in outline.between(clip.top() - top, clip.bottom() - top) {
        let height = match line {
            Line::Broken(_) => CARD_H,
            Line::Gap => continue,
            _ => size::ROW,
        };
        let rect = egui::Rect::from_min_size(pos2(left, top + y), vec2(width, height));
        // Named by what it is: a row that scrolls keeps its focus.
        let id = egui::Id::new((
            "tree",
            workspace.id.as_str(),
            key_of(line, workspace, outline),
        ));
        let ui = &mut ui.new_child(egui::UiBuilder::new().max_rect(rect).id(id));
        match line {
            Line::Group(at) => {
                let group = &outline.groups[at];
                let words = group_words(group.n_flows, running[at], group.n_failed);
                let tone = match (running[at], group.n_failed) {
                    (0, 0) => theme_of(ui).faint,
                    (0, _) => theme_of(ui).status(NodeStatus::Failed),
                    _ => theme_of(ui).status(NodeStatus::Running),
                };
                if fold_row(ui, &group.title, &words, tone, group.folded) {
                    fold(view, workspace, &group.title);
                }
            }
            Line::Flow(at) => flow_row(ui, view, board, &workspace.flows[at], now, actions),
            Line::Broken(at) => broken_card(ui, view, &workspace.flows[at], actions),
            Line::Modules => {
                let words = count(workspace.modules.len(), "module");
                let key = outline::fold_key(&workspace.id, outline::MODULES);
                let folded =
                    view.flow_filter.trim().is_empty() && view.layout.folded.contains(&key);
                let faint = theme_of(ui).faint;
                if fold_row(ui, outline::MODULES, &words, faint, folded) {
                    fold(view, workspace, outline::MODULES);
                }
            }
            Line::Module(at) => {
                let module = &workspace.modules[at];
                let row = Row {
                    text: module.name(),
                    name: Some(format!("{}, module, not run yet", module.name())),
                    icon: Some((Icon::File, theme_of(ui).dim)),
                    detail: "not run yet",
                    indent: 12.0,
                    faint: true,
                    ..Row::default()
                };
                let text = format!(
                    "{}\nThis version lists Python modules and does not run them yet.",
                    module.file
                );
                row.show(ui).on_hover_text(text);
            }
            Line::Gap => {}
        }
    }
    ui.allocate_space(vec2(width, outline.height()));
}

pub(super) fn theme_of(ui: &Ui) -> Theme {
    Theme::of(ui.ctx())
}

fn key_of<'a>(line: Line, workspace: &'a WorkspaceEntry, outline: &'a Outline) -> (u8, &'a str) {
    match line {
        Line::Group(at) => (0, &outline.groups[at].title),
        Line::Flow(at) | Line::Broken(at) => (1, &workspace.flows[at].flow.file),
        Line::Module(at) => (2, &workspace.modules[at].file),
        Line::Modules => (3, ""),
        Line::Gap => (4, ""),
    }
}

fn fold(view: &mut View, workspace: &WorkspaceEntry, title: &str) {
    let key = outline::fold_key(&workspace.id, title);
    if !view.layout.folded.remove(&key) {
        view.layout.folded.insert(key);
    }
}

/// A heading that folds what stands under it; true when it was clicked.
fn fold_row(ui: &mut Ui, title: &str, words: &str, tone: egui::Color32, folded: bool) -> bool {
    let theme = Theme::of(ui.ctx());
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), size::ROW), Sense::click());
    let y = rect.bottom() - 11.0;
    let ink = if response.hovered() {
        theme.text
    } else {
        theme.dim
    };
    let icon = if folded {
        Icon::ChevronRight
    } else {
        Icon::ChevronDown
    };
    let at = icons::square(pos2(rect.left() + 10.0, y), 9.0);
    icons::paint(ui.painter(), at, icon, ink);
    let words_w = {
        let galley = widgets::galley(ui, words, regular(size::SMALL), tone, rect.width() * 0.7);
        let w = galley.size().x;
        let top = (y - galley.size().y / 2.0).round();
        ui.painter()
            .galley(pos2(rect.right() - 8.0 - w, top), galley, tone);
        w
    };
    let room = rect.width() - 20.0 - words_w - 16.0;
    widgets::text_at(
        ui,
        rect.left() + 20.0,
        y,
        title,
        regular(size::SMALL),
        ink,
        room,
    );
    widgets::focus_ring(ui, &response, rect.shrink(1.0));
    let name = format!("{title}, {words}");
    response
        .widget_info(|| WidgetInfo::selected(WidgetType::CollapsingHeader, true, !folded, &name));
    response.clicked()
}
