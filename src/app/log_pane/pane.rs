//! The pane: its head, then the lines, or why there are none.

use std::sync::Arc;

use egui::{Align, Layout, Margin, Ui};

use crate::app::action::Action;
use crate::app::side_pane::HEADER_H;
use crate::app::theme::{Theme, size};
use crate::app::view::{LogScope, View};
use crate::app::{when, widgets};
use crate::model::{LogTail, NodeStatus, Published};
use crate::runtime::Board;

use super::header::header_ui;
use super::lines::lines_ui;

/// Draws the pane.
pub fn log_pane_ui(
    ui: &mut Ui,
    view: &mut View,
    board: &Board,
    log: Option<&Arc<LogTail>>,
    actions: &mut Vec<Action>,
) {
    egui::Frame::new()
        .inner_margin(Margin::symmetric(12, 0))
        .show(ui, |ui| {
            ui.set_height(HEADER_H);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                header_ui(ui, view, board, log, actions);
            });
        });
    widgets::hairline(ui);
    let Some(doc) = view.doc() else {
        return;
    };
    let loaded = board.flow(&doc.flow_ref).is_some_and(|flow| flow.loaded);
    let whole_run = view.log.shown_scope() == LogScope::Run;
    match log {
        None if loaded => widgets::empty_state(ui, "Reading the log…", ""),
        None => widgets::empty_state(ui, "Reading the last run…", ""),
        Some(log) if !log.trouble.is_empty() => {
            widgets::empty_state(ui, "The log cannot be read", &log.trouble);
        }
        Some(log) if log.removed => widgets::empty_state(
            ui,
            "The log of this run was removed",
            "Settings say how long logs are kept; a pinned run keeps its own.",
        ),
        Some(log) if log.lines.is_empty() && log.published.is_some() => {
            widgets::empty_state(
                ui,
                "No lines of this log were published",
                "Another workstation ran it; it shares the last lines of a node when that ends.",
            );
        }
        Some(log) if log.lines.is_empty() => {
            let (what, hint) = nothing_printed(view, board, whole_run);
            widgets::empty_state(ui, what, hint);
        }
        Some(log) => {
            if let Some(published) = &log.published {
                published_ui(ui, view, published);
            }
            lines_ui(ui, view, log);
        }
    }
}

/// Whose lines these are, and how old what is known of them is.
fn published_ui(ui: &mut Ui, view: &View, published: &Published) {
    let theme = Theme::of(ui.ctx());
    let seen = when::clock_ms(published.seen, &view.zone);
    let seen = seen.split('.').next().unwrap_or_default();
    let text = format!("As published by {} · seen {seen}", published.host);
    egui::Frame::new()
        .inner_margin(Margin::symmetric(12, 4))
        .show(ui, |ui| {
            let text = egui::RichText::new(text).size(size::SMALL).color(theme.dim);
            ui.add(egui::Label::new(text).truncate());
        });
    widgets::hairline(ui);
}

/// Why a log is empty, in the words of how its node stands.
fn nothing_printed(view: &View, board: &Board, whole_run: bool) -> (&'static str, &'static str) {
    let flow = view.flow_board(board);
    if whole_run {
        return match flow {
            Some(flow) if flow.live.is_none() && flow.history.is_empty() => (
                "This flow has not run yet",
                "What its nodes print appears here.",
            ),
            _ => ("Nothing was printed", "What the nodes print appears here."),
        };
    }
    let node = flow.zip(view.log.node.as_ref());
    match node.map_or(NodeStatus::Idle, |(flow, id)| flow.node(id).status) {
        NodeStatus::Idle => ("This node has not run yet", "What it prints appears here."),
        NodeStatus::Waiting | NodeStatus::Ready => ("This node waits for its turn", ""),
        NodeStatus::Running => ("Nothing was printed yet", "What it prints appears here."),
        NodeStatus::Skipped => (
            "This node was not run",
            "Something it waits for failed or was stopped.",
        ),
        _ => ("Nothing was printed", ""),
    }
}
