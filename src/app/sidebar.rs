//! The left pane: the workspace, its flows by group with how each stands, the other workspaces.

use std::collections::BTreeMap;

use egui::{
    Popup, PopupCloseBehavior, ScrollArea, Sense, Stroke, StrokeKind, TextEdit, Ui, WidgetInfo,
    WidgetType, pos2, vec2,
};

use crate::model::{FlowEntry, NodeStatus, Outcome, RunSummary, Timestamp, WorkspaceEntry};
use crate::runtime::{Board, FlowBoard};

use super::action::{Action, Verb};
use super::icons::{self, Icon};
use super::theme::{Theme, regular, semibold, size, space};
use super::verbs;
use super::view::View;
use super::when;
use super::widgets::{self, Button, Row, heading};

/// The workspace whose flows are shown: the one chosen, else the first.
pub fn shown_workspace<'a>(view: &View, board: &'a Board) -> Option<&'a WorkspaceEntry> {
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
    let catalog = &board.catalog;
    if catalog.root.is_none() {
        let waiting = view.settings.collection.is_some();
        no_collection_ui(ui, waiting, actions);
        return;
    }
    if !catalog.trouble.is_empty() {
        trouble_ui(ui, &catalog.trouble, actions);
        return;
    }
    let Some(workspace) = shown_workspace(view, board).cloned() else {
        widgets::empty_state(
            ui,
            "No workspaces here",
            "A workspace is a folder with flow_modules in it.",
        );
        ui.add_space(space::M);
        choose_button(ui, actions);
        return;
    };
    selector_ui(ui, &workspace, board, actions);
    ui.add_space(space::S);
    filter_ui(ui, view);
    ui.add_space(space::XS);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        flows_ui(ui, view, board, &workspace, now, actions);
        others_ui(ui, board, &workspace, actions);
    });
}

fn no_collection_ui(ui: &mut Ui, waiting: bool, actions: &mut Vec<Action>) {
    if waiting {
        widgets::empty_state(ui, "Looking through the collection…", "");
        return;
    }
    widgets::empty_state(
        ui,
        "No collection",
        "A collection is the folder that holds your workspaces.",
    );
    ui.add_space(space::M);
    choose_button(ui, actions);
}

fn trouble_ui(ui: &mut Ui, trouble: &str, actions: &mut Vec<Action>) {
    widgets::empty_state(ui, "The collection cannot be read", trouble);
    ui.add_space(space::M);
    choose_button(ui, actions);
}

fn choose_button(ui: &mut Ui, actions: &mut Vec<Action>) {
    ui.vertical_centered(|ui| {
        let button = Button::new("Choose a folder…").icon(Icon::Folder);
        if button.show(ui).clicked() {
            actions.push(Action::Do(Verb::ChooseCollection));
        }
    });
}

fn selector_ui(ui: &mut Ui, workspace: &WorkspaceEntry, board: &Board, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 32.0), Sense::click());
    let fill = if response.hovered() {
        theme.hover()
    } else {
        theme.raised
    };
    let line = Stroke::new(1.0, theme.line);
    ui.painter()
        .rect(rect, size::RADIUS, fill, line, StrokeKind::Inside);
    let y = rect.center().y;
    widgets::text_at(
        ui,
        rect.left() + 10.0,
        y,
        &workspace.name,
        semibold(size::UI),
        theme.text,
        rect.width() - 36.0,
    );
    let at = icons::square(pos2(rect.right() - 15.0, y), 11.0);
    icons::paint(ui.painter(), at, Icon::ChevronDown, theme.dim);
    widgets::focus_ring(ui, &response, rect);
    let name = format!("Workspace {}", workspace.name);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::ComboBox, true, &name));
    let width = rect.width();
    Popup::menu(&response)
        .width(width)
        .close_behavior(PopupCloseBehavior::CloseOnClick)
        .show(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for other in &board.catalog.workspaces {
                let n = other.flows.len().to_string();
                let row = Row {
                    text: &other.name,
                    detail: &n,
                    selected: other.id == workspace.id,
                    icon: Some((Icon::Folder, theme.dim)),
                    ..Row::default()
                };
                if row.show(ui).clicked() {
                    actions.push(Action::ShowWorkspace(other.id.clone()));
                }
            }
            ui.add_space(space::XS);
            widgets::hairline(ui);
            ui.add_space(space::XS);
            let row = Row {
                text: "Choose collection…",
                icon: Some((Icon::Plus, theme.dim)),
                ..Row::default()
            };
            if row.show(ui).clicked() {
                actions.push(Action::Do(Verb::ChooseCollection));
            }
        });
}

fn filter_ui(ui: &mut Ui, view: &mut View) {
    let theme = Theme::of(ui.ctx());
    let response = ui.add(
        TextEdit::singleline(&mut view.flow_filter)
            .id(egui::Id::new("find flow"))
            .hint_text("Find flow…")
            .margin(widgets::field_margin())
            .desired_width(f32::INFINITY),
    );
    response.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, "Find flow"));
    if std::mem::take(&mut view.focus_flow_filter) {
        response.request_focus();
    }
    if response.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Escape)) {
        view.flow_filter.clear();
    }
    if view.flow_filter.is_empty() && !response.has_focus() {
        let mac = ui.ctx().os().is_mac();
        let key = verbs::entry(Verb::FindFlow).keys[0].short_label(mac);
        let galley = widgets::galley(ui, &key, regular(10.5), theme.dim, 80.0);
        let cap = egui::Rect::from_min_size(
            pos2(
                response.rect.right() - galley.size().x - 16.0,
                response.rect.center().y - 8.5,
            ),
            vec2(galley.size().x + 8.0, 17.0),
        );
        let line = Stroke::new(1.0, theme.line);
        ui.painter().rect_stroke(cap, 4, line, StrokeKind::Inside);
        let top = (cap.center().y - galley.size().y / 2.0).round();
        ui.painter()
            .galley(pos2(cap.left() + 4.0, top), galley, theme.dim);
    }
}

fn flows_ui(
    ui: &mut Ui,
    view: &View,
    board: &Board,
    workspace: &WorkspaceEntry,
    now: Timestamp,
    actions: &mut Vec<Action>,
) {
    let wanted = view.flow_filter.trim().to_lowercase();
    let mut groups: BTreeMap<&str, Vec<&FlowEntry>> = BTreeMap::new();
    for flow in &workspace.flows {
        let found = wanted.is_empty()
            || flow.title.to_lowercase().contains(&wanted)
            || flow.flow.file.to_lowercase().contains(&wanted);
        if found {
            groups.entry(&flow.group).or_default().push(flow);
        }
    }
    if groups.is_empty() {
        if wanted.is_empty() {
            let hint = "Press Ctrl+N to draw the first one.";
            widgets::empty_state(ui, "No flows yet", hint);
        } else {
            widgets::empty_state(ui, "No flow has this in its name", "");
        }
        return;
    }
    for (group, flows) in groups {
        let title = if group.is_empty() { "Flows" } else { group };
        heading(ui, title, Some(flows.len()));
        for flow in flows {
            flow_row(ui, view, board, flow, now, actions);
        }
        ui.add_space(space::S);
    }
}

fn flow_row(
    ui: &mut Ui,
    view: &View,
    board: &Board,
    entry: &FlowEntry,
    now: Timestamp,
    actions: &mut Vec<Action>,
) {
    let theme = Theme::of(ui.ctx());
    let last = board.last_runs.get(&entry.flow);
    let stands = match board.flow(&entry.flow) {
        Some(flow) if flow.loaded => Some(standing(flow, now)),
        _ => last.map(|last| last_standing(last, now)),
    };
    if let Some(last) = last {
        let since = last.ended.unwrap_or(last.started);
        ui.ctx()
            .request_repaint_after(when::ago_changes_in(since, now));
    }
    let (words, status) = match (&entry.problem, stands) {
        (Some(_), _) => ("unreadable".to_owned(), Some(theme.error())),
        (None, Some((words, status))) => (words, Some(theme.status(status))),
        (None, None) => (String::new(), None),
    };
    let name = if words.is_empty() {
        entry.title.clone()
    } else {
        format!("{}, {words}", entry.title)
    };
    let row = Row {
        text: &entry.title,
        name: Some(name),
        icon: Some((Icon::Flow, theme.dim)),
        detail: &words,
        dot: status.or(Some(theme.status(NodeStatus::Idle))),
        selected: view.flow_ref() == Some(&entry.flow),
        indent: 12.0,
        faint: entry.problem.is_some(),
        ..Row::default()
    };
    let response = row.show(ui);
    if response.clicked() {
        actions.push(Action::OpenFlow(entry.flow.clone()));
    }
    let text = match &entry.problem {
        Some(why) => format!("{}\n{why}", entry.flow.file),
        None => entry.flow.file.to_string(),
    };
    response.on_hover_text(text);
}

/// How a flow stands, in a few words and as a status.
fn standing(flow: &FlowBoard, now: Timestamp) -> (String, NodeStatus) {
    if flow.live.is_some() {
        let n = flow
            .nodes
            .values()
            .filter(|node| node.status == NodeStatus::Running)
            .count();
        let words = if flow.stopping {
            "stopping".to_owned()
        } else {
            format!("{n} running")
        };
        return (words, NodeStatus::Running);
    }
    if let Some(runner) = &flow.runner {
        return (format!("runs in {}", runner.face), NodeStatus::Running);
    }
    match flow.history.first() {
        Some(last) => last_standing(last, now),
        None => (String::new(), NodeStatus::Idle),
    }
}

/// How the last run of a flow ended, in a few words and as a status.
fn last_standing(last: &RunSummary, now: Timestamp) -> (String, NodeStatus) {
    let age = when::ago(last.ended.unwrap_or(last.started), now);
    match last.outcome {
        Some(Outcome::Succeeded) => (age, NodeStatus::Ran),
        Some(Outcome::Failed) => (format!("{} failed", last.counts.failed), NodeStatus::Failed),
        Some(Outcome::Stopped) => (format!("stopped {age}"), NodeStatus::Stopped),
        Some(Outcome::Interrupted) => ("interrupted".to_owned(), NodeStatus::Interrupted),
        None => (age, NodeStatus::Idle),
    }
}

fn others_ui(ui: &mut Ui, board: &Board, shown: &WorkspaceEntry, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let others: Vec<&WorkspaceEntry> = board
        .catalog
        .workspaces
        .iter()
        .filter(|w| w.id != shown.id)
        .collect();
    if others.is_empty() {
        return;
    }
    ui.add_space(space::M);
    heading(ui, "Other workspaces", None);
    for other in others {
        let n_live = board
            .flows
            .iter()
            .filter(|(id, flow)| id.workspace == other.id && flow.live.is_some())
            .count();
        let n_failed = other
            .flows
            .iter()
            .filter_map(|flow| board.last_runs.get(&flow.flow))
            .filter(|run| run.outcome == Some(Outcome::Failed))
            .count();
        let (words, status) = match n_live {
            0 if n_failed > 0 => (format!("{n_failed} failed"), NodeStatus::Failed),
            0 if other.flows.len() == 1 => ("1 flow".to_owned(), NodeStatus::Idle),
            0 => (format!("{} flows", other.flows.len()), NodeStatus::Idle),
            n => (format!("{n} running"), NodeStatus::Running),
        };
        let row = Row {
            text: &other.name,
            name: Some(format!("{}, {words}", other.name)),
            icon: Some((Icon::Folder, theme.dim)),
            detail: &words,
            dot: Some(theme.status(status)),
            indent: 12.0,
            ..Row::default()
        };
        if row.show(ui).clicked() {
            actions.push(Action::ShowWorkspace(other.id.clone()));
        }
    }
}
