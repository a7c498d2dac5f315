//! A flow in the tree: how it stands, or why it cannot be read.

use egui::{Sense, Stroke, StrokeKind, Ui, WidgetInfo, WidgetType, pos2, vec2};

use crate::app::action::Action;
use crate::app::control;
use crate::app::icons::{self, Icon};
use crate::app::outline::CARD_H;
use crate::app::theme::{Theme, regular, size};
use crate::app::view::View;
use crate::app::when;
use crate::app::widgets::{self, Row};
use crate::model::{FlowEntry, NodeStatus, Outcome, RunSummary, Timestamp, Trigger};
use crate::runtime::{Board, FlowBoard};

/// A flow that cannot be read: it says why, and a click shows the rest.
pub(super) fn broken_card(ui: &mut Ui, view: &View, entry: &FlowEntry, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let why = entry.problem.as_deref().unwrap_or_default();
    let (whole, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), CARD_H), Sense::click());
    let rect = whole.shrink2(vec2(0.0, 2.0));
    let fill = if response.hovered() {
        theme.hover()
    } else {
        theme.raised
    };
    let line = Stroke::new(1.0, theme.line);
    ui.painter()
        .rect(rect, size::RADIUS, fill, line, StrokeKind::Inside);
    let left = rect.left() + 20.0;
    let at = icons::square(pos2(left + 6.5, rect.top() + 13.0), 13.0);
    icons::paint(ui.painter(), at, Icon::Error, theme.error());
    let x = left + 21.0;
    let room = rect.right() - 8.0 - x;
    let ink = theme.text;
    widgets::text_at(
        ui,
        x,
        rect.top() + 13.0,
        &entry.title,
        regular(size::UI),
        ink,
        room,
    );
    let short = in_short(why);
    let ink = theme.dim;
    widgets::text_at(
        ui,
        x,
        rect.top() + 30.0,
        short,
        regular(size::SMALL),
        ink,
        room,
    );
    widgets::focus_ring(ui, &response, rect);
    let selected = view.tab().is_some_and(|tab| tab.path == entry.flow.path());
    let name = format!("{}, cannot be read: {short}", entry.title);
    response
        .widget_info(|| WidgetInfo::selected(WidgetType::SelectableLabel, true, selected, &name));
    if response.clicked() {
        actions.push(Action::OpenFlow(entry.flow.clone()));
    }
    response.on_hover_text(format!("{}\n{why}", entry.flow.file));
}

/// A reason without the words that the card says already.
fn in_short(why: &str) -> &str {
    why.strip_prefix("failed to read workfile: ")
        .or_else(|| why.strip_prefix("failed to read file: "))
        .unwrap_or(why)
}

pub(super) fn flow_row(
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
    let (words, status) = stands.unwrap_or((String::new(), NodeStatus::Idle));
    let name = if words.is_empty() {
        entry.title.clone()
    } else {
        format!("{}, {words}", entry.title)
    };
    let icon = match entry.trigger {
        Trigger::Manual => Icon::Flow,
        Trigger::Poll => Icon::Eye,
        Trigger::Schedule => Icon::Clock,
    };
    let row = Row {
        text: &entry.title,
        name: Some(name.clone()),
        icon: Some((icon, theme.dim)),
        detail: &words,
        // That it runs or went wrong is said before the whole of a long title.
        keep_detail: !matches!(status, NodeStatus::Idle | NodeStatus::Ran),
        dot: Some(theme.status(status)),
        selected: view.flow_ref() == Some(&entry.flow),
        indent: 12.0,
        ..Row::default()
    };
    let response = row.show(ui);
    if response.clicked() {
        actions.push(Action::OpenFlow(entry.flow.clone()));
    }
    let text = match entry.trigger {
        Trigger::Manual => format!("{name}\n{}", entry.flow.file),
        other => format!(
            "{name}\n{}\nMeant for the trigger ‘{}’, which this version does not carry out yet: run it by hand.",
            entry.flow.file,
            other.word()
        ),
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
    if let Some(host) = control::runs_on(last) {
        return (format!("running on {host}"), NodeStatus::Running);
    }
    match last.outcome {
        Some(Outcome::Succeeded) => (age, NodeStatus::Ran),
        Some(Outcome::Failed) => (format!("{} failed", last.counts.failed), NodeStatus::Failed),
        Some(Outcome::Stopped) => (format!("stopped {age}"), NodeStatus::Stopped),
        Some(Outcome::Interrupted) => ("interrupted".to_owned(), NodeStatus::Interrupted),
        None => (age, NodeStatus::Idle),
    }
}
