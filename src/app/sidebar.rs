//! The left pane: the workspace, its flows by group with how each stands, the other workspaces.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{
    Popup, PopupCloseBehavior, RichText, ScrollArea, Sense, Stroke, StrokeKind, TextEdit, Ui,
    WidgetInfo, WidgetType, pos2, vec2,
};

use crate::model::{
    Catalog, FlowEntry, FlowRef, NodeStatus, Outcome, RunSummary, Timestamp, Trigger,
    WorkspaceEntry, WorkspaceId,
};
use crate::runtime::{Board, FlowBoard};

use super::action::{Action, Verb};
use super::control;
use super::icons::{self, Icon};
use super::outline::{self, CARD_H, Line, Outline, count, group_words};
use super::theme::{Theme, regular, semibold, size, space};
use super::verbs;
use super::view::View;
use super::when;
use super::widgets::{self, Button, Row, heading};

/// Other workspaces listed though nothing runs in them; the selector has them all.
const OTHERS_MAX: usize = 12;

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

/// What runs now, by workspace.
struct Alive<'a> {
    n_flows: BTreeMap<&'a WorkspaceId, usize>,
    first: BTreeMap<&'a WorkspaceId, &'a FlowRef>,
}

impl<'a> Alive<'a> {
    fn of(board: &'a Board) -> Self {
        let mut alive = Self {
            n_flows: BTreeMap::new(),
            first: BTreeMap::new(),
        };
        for (flow, stands) in &board.flows {
            if stands.live.is_some() || stands.runner.is_some() {
                *alive.n_flows.entry(&flow.workspace).or_default() += 1;
                alive.first.entry(&flow.workspace).or_insert(flow);
            }
        }
        alive
    }

    fn n(&self, workspace: &WorkspaceId) -> usize {
        self.n_flows.get(workspace).copied().unwrap_or_default()
    }
}

/// There is no workspace to show: why, and what to do.
fn no_workspace_ui(ui: &mut Ui, view: &View, catalog: &Catalog, actions: &mut Vec<Action>) {
    let configured = view.settings.collection.is_some() || catalog.root.is_some();
    if !catalog.trouble.is_empty() {
        let hint = format!("{}\nIt is looked for again by itself.", catalog.trouble);
        widgets::empty_state(ui, "The collection is away", &hint);
    } else if catalog.root.is_some() {
        let hint = "A workspace is a folder with flow_modules in it.";
        widgets::empty_state(ui, "No workspaces here", hint);
    } else if configured {
        widgets::empty_state(ui, "Looking through the collection…", "");
    } else {
        let hint = "Choose the folder that holds your workspaces.";
        widgets::empty_state(ui, "Workspace folder is not configured.", hint);
    }
    ui.add_space(space::M);
    ui.vertical_centered(|ui| {
        let choose = Button::new("Choose a folder…").icon(Icon::Folder);
        if choose.show(ui).clicked() {
            actions.push(Action::Do(Verb::ChooseCollection));
        }
        if !configured {
            // The page beside it offers the rest.
            return;
        }
        ui.add_space(space::S);
        let set_up = Button::new("Set up a workspace here…").icon(Icon::Plus);
        let tooltip = verbs::entry(Verb::SetUpWorkspace).tooltip;
        if set_up.flat().tooltip(tooltip).show(ui).clicked() {
            actions.push(Action::Do(Verb::SetUpWorkspace));
        }
    });
    ui.add_space(space::L);
    rejected_ui(ui, catalog);
}

/// The root is away, and what was known of it is still shown.
fn away_ui(ui: &mut Ui, trouble: &str, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    egui::Frame::new()
        .fill(theme.raised)
        .stroke(Stroke::new(1.0, theme.line))
        .corner_radius(size::RADIUS)
        .inner_margin(egui::Margin::same(8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 6.0;
                let (at, _) = ui.allocate_exact_size(vec2(13.0, 16.0), Sense::hover());
                icons::paint(ui.painter(), at, Icon::Warning, theme.warning());
                ui.label(RichText::new("The collection is away").font(semibold(size::UI)));
            });
            let text =
                format!("{trouble}\nShown as it was read last. It is looked for again by itself.");
            let text = RichText::new(text)
                .font(regular(size::SMALL))
                .color(theme.dim);
            ui.add(egui::Label::new(text).wrap());
            ui.add_space(space::XS);
            if Button::new("Choose a folder…").show(ui).clicked() {
                actions.push(Action::Do(Verb::ChooseCollection));
            }
        });
    ui.add_space(space::S);
}

fn selector_ui(
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

/// The lines of the workspace that are in view; the rest is only room.
fn tree_ui(
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

fn theme_of(ui: &Ui) -> Theme {
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

/// A flow that cannot be read: it says why, and a click shows the rest.
fn broken_card(ui: &mut Ui, view: &View, entry: &FlowEntry, actions: &mut Vec<Action>) {
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
        name: Some(name),
        icon: Some((icon, theme.dim)),
        detail: &words,
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
        Trigger::Manual => entry.flow.file.to_string(),
        other => format!(
            "{}\nMeant for the trigger ‘{}’, which this version does not carry out yet: run it by hand.",
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

/// The other workspaces: those that are alive, and the rest while they are few.
fn others_ui(
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
fn alive_elsewhere_ui(
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
        dot: Some(dot),
        indent: 12.0,
        ..Row::default()
    };
    row.show(ui).clicked()
}

/// Folders that would be workspaces but for their names.
fn rejected_ui(ui: &mut Ui, catalog: &Catalog) {
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
