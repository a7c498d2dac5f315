//! The head of the log pane: whose log it is, and what can be done with it.

use std::sync::Arc;

use egui::{Align, Key, Layout, TextEdit, Ui, WidgetInfo, WidgetType};

use crate::app::action::Action;
use crate::app::icons::Icon;
use crate::app::theme::{Theme, semibold, size, space};
use crate::app::view::{LogScope, View};
use crate::app::widgets::{self, Button};
use crate::model::{LogTail, NodeStatus};
use crate::runtime::Board;

/// Draws it.
pub(super) fn header_ui(
    ui: &mut Ui,
    view: &mut View,
    board: &Board,
    log: Option<&Arc<LogTail>>,
    actions: &mut Vec<Action>,
) {
    let theme = Theme::of(ui.ctx());
    let (narrow, tiny) = (ui.available_width() < 480.0, ui.available_width() < 360.0);
    ui.spacing_mut().item_spacing.x = if narrow { space::M } else { space::L };
    if !tiny {
        ui.label(egui::RichText::new("Log").font(semibold(size::UI)));
    }
    let node_name = view.log.node.as_ref().and_then(|id| {
        let node = view.doc()?.flow().graph.node(id)?;
        Some(node.name().to_owned())
    });
    let chosen = view.log.shown_scope() == LogScope::Node;
    if let Some(name) = &node_name
        && widgets::tab_header(ui, name, &format!("Log of {name}"), chosen).clicked()
    {
        view.log.scope = LogScope::Node;
    }
    if widgets::tab_header(ui, "Whole run", "Log of the whole run", !chosen).clicked() {
        view.log.scope = LogScope::Run;
    }
    let n_active = view.flow_board(board).map_or(0, |flow| flow.n_active());
    if !chosen && n_active > 0 && !tiny {
        let words = egui::RichText::new(format!("{n_active} active"));
        ui.label(words.small().color(theme.status(NodeStatus::Running)));
    }
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        let follow = if view.log.follow {
            "Following"
        } else {
            "Follow"
        };
        let mut button = Button::new(follow)
            .icon(Icon::ToEnd)
            .flat()
            .tooltip("Keep the newest line in view");
        button.flat = !view.log.follow;
        button.bare = narrow;
        if button.show(ui).clicked() {
            view.log.follow ^= true;
            view.log.to_end = view.log.follow;
        }
        if tiny {
            return;
        }
        let mut wrap = Button::new("Wrap lines")
            .bare(Icon::Wrap)
            .tooltip("Wrap long lines");
        wrap.flat = !view.layout.panes.log_wrap;
        if wrap.show(ui).clicked() {
            view.layout.panes.log_wrap ^= true;
        }
        let mut copy = Button::new("Copy log")
            .bare(Icon::Copy)
            .flat()
            .tooltip("Copy every line shown");
        let text = || log.map(|log| plain_text(log)).unwrap_or_default();
        if log.is_none_or(|log| log.lines.is_empty()) {
            copy.disabled = Some("There is nothing to copy".to_owned());
        }
        if copy.show(ui).clicked() {
            actions.push(Action::CopyText(text()));
        }
        find_ui(ui, view, &theme);
    });
}

fn find_ui(ui: &mut Ui, view: &mut View, theme: &Theme) {
    let Some(find) = &mut view.log.find else {
        let button = Button::new("Find in log")
            .bare(Icon::Search)
            .flat()
            .tooltip("Find in this log");
        if button.show(ui).clicked() {
            view.log.find = Some(String::new());
        }
        return;
    };
    let n = view.log.cache.hits.len();
    let empty = find.is_empty();
    let field = ui.add(
        TextEdit::singleline(find)
            .id(egui::Id::new("find in log"))
            .hint_text("Find in log")
            .margin(egui::Margin::symmetric(8, 4))
            .desired_width(150.0),
    );
    field.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, "Text to find in log"));
    if !field.has_focus() && !field.lost_focus() && empty {
        field.request_focus();
    }
    if field.changed() {
        (view.log.hit, view.log.jump) = (0, true);
    }
    let escaped = ui.input(|i| i.key_pressed(Key::Escape));
    if field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter)) {
        let back = ui.input(|i| i.modifiers.shift);
        let step = if back { n.saturating_sub(1) } else { 1 };
        view.log.hit = (view.log.hit + step) % n.max(1);
        view.log.jump = true;
        field.request_focus();
    } else if field.lost_focus() && (escaped || empty) {
        view.log.find = None;
        return;
    }
    let words = match (empty, n) {
        (true, _) => String::new(),
        (false, 0) => "none".to_owned(),
        (false, n) => format!("{} of {n}", view.log.hit.min(n - 1) + 1),
    };
    ui.label(egui::RichText::new(words).small().color(theme.dim));
}

fn plain_text(log: &LogTail) -> String {
    let mut text = String::new();
    for line in &log.lines {
        text.push_str(&line.text);
        text.push('\n');
    }
    text
}
