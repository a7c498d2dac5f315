//! Beside the log: the run history, when each node ran, and what is wrong.

use std::collections::BTreeMap;

use egui::{
    Align, Layout, Margin, Rect, ScrollArea, Sense, Ui, WidgetInfo, WidgetType, pos2, vec2,
};

use crate::model::{NodeId, NodeState, NodeStatus, Timestamp, human_duration};
use crate::runtime::{Board, FlowBoard};

use super::action::{Action, Verb};
use super::history::history_ui;
use super::icons::Icon;
use super::theme::{Theme, regular, size, space};
use super::view::{SidePane, View};
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
    let problems = problems(view, flow.as_deref());
    egui::Frame::new()
        .inner_margin(Margin::symmetric(12, 0))
        .show(ui, |ui| {
            ui.set_height(HEADER_H);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = space::L;
                let n = problems.len();
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
        ScrollArea::vertical()
            .id_salt(view.side_pane as u8)
            .auto_shrink(false)
            .show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                match view.side_pane {
                    SidePane::Runs => {}
                    SidePane::Timeline => timeline_ui(ui, view, &flow, now, actions),
                    SidePane::Problems => problems_ui(ui, &problems, actions),
                }
            });
    });
}

fn timeline_ui(
    ui: &mut Ui,
    view: &View,
    flow: &FlowBoard,
    now: Timestamp,
    actions: &mut Vec<Action>,
) {
    let Some(doc) = view.doc() else {
        return;
    };
    let newest = flow.shown_run.as_ref().or(flow
        .live
        .as_ref()
        .or(flow.history.first())
        .map(|run| &run.id));
    // Sorted by start; ties by id, so that rows never swap places between frames.
    let mut bars: BTreeMap<(Timestamp, NodeId), &NodeState> = BTreeMap::new();
    let states: &std::collections::HashMap<NodeId, NodeState> = &flow.nodes;
    for node in doc.flow().graph.nodes() {
        if let Some(state) = states.get(&node.id)
            && let Some(started) = state.started
            && state.run.as_ref() == newest
        {
            bars.insert((started, node.id.clone()), state);
        }
    }
    let Some(((first, _), _)) = bars.first_key_value() else {
        widgets::empty_state(ui, "Nothing ran in this run yet", "");
        return;
    };
    let first = *first;
    let last = bars
        .values()
        .map(|state| state.ended.unwrap_or(now))
        .max()
        .unwrap_or(now);
    let span = last.since(first).as_secs_f32().max(0.001);
    let theme = Theme::of(ui.ctx());
    let name_w = (ui.available_width() * 0.36).clamp(70.0, 160.0);
    let row_h = 20.0;
    let (area, _) = ui.allocate_exact_size(
        vec2(ui.available_width(), row_h * bars.len() as f32),
        Sense::hover(),
    );
    let clip = ui.clip_rect();
    let left = area.left() + name_w + 8.0;
    let width = (area.right() - left - 54.0).max(20.0);
    for (at, ((started, id), state)) in bars.iter().enumerate() {
        let top = area.top() + at as f32 * row_h;
        if top > clip.bottom() || top + row_h < clip.top() {
            continue;
        }
        let rect = Rect::from_min_size(pos2(area.left(), top), vec2(area.width(), row_h));
        let response = ui.interact(rect, ui.id().with(id), Sense::click());
        if response.hovered() {
            ui.painter().rect_filled(rect, 4, theme.hover());
        }
        let name = doc.flow().graph.node(id).map_or(id.as_str(), |n| n.name());
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
        let end = state.ended.unwrap_or(now);
        let from = left + width * (started.since(first).as_secs_f32() / span);
        let to = left + width * (end.since(first).as_secs_f32() / span);
        let bar = Rect::from_min_max(pos2(from, y - 4.0), pos2(to.max(from + 2.0), y + 4.0));
        ui.painter().rect_filled(bar, 2, theme.status(state.status));
        let time = human_duration(end.since(*started));
        widgets::text_at(ui, bar.right() + 6.0, y, &time, font, theme.dim, 60.0);
        let label = format!("{name}, {}, {time}", state.status.word());
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, &label));
        if response.clicked() {
            actions.push(Action::GoToNode(id.clone()));
        }
    }
}

/// Something that is wrong: what, and the node it is about.
struct Problem {
    text: String,
    node: Option<NodeId>,
    level: Icon,
}

fn problems(view: &View, flow: Option<&FlowBoard>) -> Vec<Problem> {
    let Some(doc) = view.doc() else {
        return Vec::new();
    };
    let mut all: Vec<Problem> = doc
        .warnings
        .iter()
        .map(|text| Problem {
            text: text.clone(),
            node: None,
            level: Icon::Warning,
        })
        .collect();
    if let Some(flow) = flow {
        for node in doc.flow().graph.nodes() {
            let Some(state) = flow.nodes.get(&node.id) else {
                continue;
            };
            if state.status == NodeStatus::Failed {
                let exit = state.exit.as_ref().map(ToString::to_string);
                all.push(Problem {
                    text: format!("{}: {}", node.name(), exit.unwrap_or("failed".to_owned())),
                    node: Some(node.id.clone()),
                    level: Icon::Status(NodeStatus::Failed),
                });
            }
        }
        for (node, pid) in flow.orphans.iter() {
            all.push(Problem {
                text: format!("{node} still runs as process {pid}, left by a Handmill that died"),
                node: Some(node.clone()),
                level: Icon::Warning,
            });
        }
    }
    all
}

fn problems_ui(ui: &mut Ui, problems: &[Problem], actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    if problems.is_empty() {
        widgets::empty_state(ui, "No problems", "");
        return;
    }
    for problem in problems {
        let colour = match problem.level {
            Icon::Warning => theme.warning(),
            _ => theme.error(),
        };
        let row = Row {
            text: &problem.text,
            icon: Some((problem.level, colour)),
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
}
