//! Beside the log: the run history, when each node ran, and what is wrong.

use std::sync::Arc;

use egui::{
    Align, Layout, Margin, Rect, ScrollArea, Sense, Ui, WidgetInfo, WidgetType, pos2, vec2,
};

use crate::model::{NodeStatus, Timestamp, human_duration};
use crate::runtime::Board;

use super::action::{Action, Verb};
use super::history::history_ui;
use super::icons::Icon;
use super::tally::{Bar, Lists, Problem};
use super::theme::{Theme, regular, size, space};
use super::view::{Content, SidePane, View};
use super::widgets::{self, Row};

/// Height of the headers over the bottom panes.
pub const HEADER_H: f32 = 34.0;

/// Draws the pane that is chosen.
pub fn side_pane_ui(
    ui: &mut Ui,
    view: &mut View,
    board: &Board,
    now: Timestamp,
    actions: &mut Vec<Action>,
) {
    let flow = view.flow_board(board).cloned();
    let lists = lists(ui, view, board);
    egui::Frame::new()
        .inner_margin(Margin::symmetric(12, 0))
        .show(ui, |ui| {
            ui.set_height(HEADER_H);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = space::L;
                let n = lists.problems.len();
                let third = if n == 0 {
                    "Problems".to_owned()
                } else {
                    format!("Problems {n}")
                };
                for (pane, text) in [
                    (SidePane::Runs, "Runs"),
                    (SidePane::Timeline, "Timeline"),
                    (SidePane::Problems, third.as_str()),
                ] {
                    if widgets::tab_header(ui, text, text, view.side_pane == pane).clicked() {
                        view.side_pane = pane;
                    }
                }
            });
        });
    widgets::hairline(ui);
    let body = egui::Frame::new().inner_margin(Margin::symmetric(4, 4));
    body.show(ui, |ui| {
        let Some(flow) = flow else {
            widgets::empty_state(ui, "Nothing known yet", "");
            return;
        };
        if !flow.loaded {
            widgets::empty_state(ui, "Reading the history…", "");
            return;
        }
        ui.spacing_mut().item_spacing.y = 0.0;
        if view.side_pane == SidePane::Runs {
            history_ui(ui, view, board, &flow, now, actions);
            return;
        }
        let scroll = ScrollArea::vertical()
            .id_salt(view.side_pane as u8)
            .auto_shrink(false);
        match view.side_pane {
            SidePane::Runs => {}
            SidePane::Timeline => timeline_ui(ui, scroll, view, &lists.bars, now, actions),
            SidePane::Problems => problems_ui(ui, scroll, &lists.problems, actions),
        }
    });
}

/// The lists of the flow shown, brought up to date.
fn lists(ui: &Ui, view: &mut View, board: &Board) -> Arc<Lists> {
    let Some(tab) = view.tab_mut() else {
        return Arc::default();
    };
    let Content::Open(doc) = &tab.content else {
        return Arc::default();
    };
    let flow = board.flow(&doc.flow_ref).map(|flow| &**flow);
    tab.tally.follow(ui.ctx(), doc, flow);
    tab.tally.lists.clone()
}

/// Height of a row of the timeline.
const BAR_H: f32 = 20.0;

fn timeline_ui(
    ui: &mut Ui,
    scroll: ScrollArea,
    view: &View,
    bars: &[Bar],
    now: Timestamp,
    actions: &mut Vec<Action>,
) {
    let (Some(doc), Some(first)) = (view.doc(), bars.first()) else {
        widgets::empty_state(ui, "Nothing ran in this run yet", "");
        return;
    };
    let first = first.started;
    let ends = bars.iter().map(|bar| bar.ended.unwrap_or(now));
    let span = ends
        .max()
        .unwrap_or(now)
        .since(first)
        .as_secs_f32()
        .max(0.001);
    let theme = Theme::of(ui.ctx());
    let name_w = (ui.available_width() * 0.36).clamp(70.0, 160.0);
    scroll.show_rows(ui, BAR_H, bars.len(), |ui, rows| {
        for bar in &bars[rows] {
            let (rect, response) =
                ui.allocate_exact_size(vec2(ui.available_width(), BAR_H), Sense::click());
            if response.hovered() {
                ui.painter().rect_filled(rect, 4, theme.hover());
            }
            let node = doc.flow().graph.node(&bar.node);
            let name = node.map_or(bar.node.as_str(), |node| node.name());
            let y = rect.center().y;
            let font = regular(size::SMALL);
            widgets::text_at(
                ui,
                rect.left() + 8.0,
                y,
                name,
                font.clone(),
                theme.text,
                name_w - 8.0,
            );
            let left = rect.left() + name_w + 8.0;
            let width = (rect.right() - left - 54.0).max(20.0);
            let end = bar.ended.unwrap_or(now);
            let from = left + width * (bar.started.since(first).as_secs_f32() / span);
            let to = left + width * (end.since(first).as_secs_f32() / span);
            let strip = Rect::from_min_max(pos2(from, y - 4.0), pos2(to.max(from + 2.0), y + 4.0));
            ui.painter().rect_filled(strip, 2, theme.status(bar.status));
            let time = human_duration(end.since(bar.started));
            widgets::text_at(ui, strip.right() + 6.0, y, &time, font, theme.dim, 60.0);
            let label = format!("{name}, {}, {time}", bar.status.word());
            response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, &label));
            if response.clicked() {
                actions.push(Action::GoToNode(bar.node.clone()));
            }
        }
    });
}

fn problems_ui(ui: &mut Ui, scroll: ScrollArea, problems: &[Problem], actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    if problems.is_empty() {
        widgets::empty_state(ui, "No problems", "");
        return;
    }
    scroll.show_rows(ui, size::ROW, problems.len(), |ui, rows| {
        for problem in &problems[rows] {
            let icon = match problem.is_failure {
                true => (Icon::Status(NodeStatus::Failed), theme.error()),
                false => (Icon::Warning, theme.warning()),
            };
            let row = Row {
                text: &problem.text,
                icon: Some(icon),
                ..Row::default()
            };
            let response = row.show(ui);
            if response.clicked()
                && let Some(node) = &problem.node
            {
                actions.push(Action::GoToNode(node.clone()));
                actions.push(Action::Do(Verb::ShowLog));
            }
            response.on_hover_text(&problem.text);
        }
    });
}
