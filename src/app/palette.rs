//! The command palette: every verb, flow and node by a few of its letters.

use egui::{
    Align2, Area, CornerRadius, Frame, Id, Key, Margin, Modifiers, Order, ScrollArea, Sense,
    Stroke, TextEdit, Ui, vec2,
};

use crate::runtime::Board;

use super::action::{Action, Verb};
use super::icons::{self, Icon};
use super::sidebar::shown_workspace;
use super::theme::{Theme, regular, size, space};
use super::verbs::{Context, VERBS};
use super::view::{PaletteScope, View};
use super::widgets;

/// Lines listed at most; more letters find the rest.
const LISTED_MAX: usize = 60;

/// One line.
struct Item {
    text: String,
    detail: String,
    key: String,
    icon: Icon,
    disabled: Option<String>,
    action: Action,
    score: i32,
}

/// Draws the palette when it is open.
pub fn palette_ui(ui: &Ui, view: &mut View, board: &Board, actions: &mut Vec<Action>) {
    let Some(open) = &view.palette else {
        return;
    };
    let (query, scope, fresh) = (open.query.clone(), open.scope, open.fresh);
    let mac = ui.ctx().os().is_mac();
    let items = items(view, board, &query, scope, mac);
    let theme = Theme::of(ui.ctx());
    let screen = ui.ctx().content_rect();
    // What lies under the palette takes no clicks while it is open.
    let under = Area::new(Id::new("palette under"))
        .order(Order::Middle)
        .fixed_pos(screen.min)
        .show(ui.ctx(), |ui| {
            ui.allocate_response(screen.size(), Sense::click())
        })
        .inner;
    under.widget_info(|| {
        egui::WidgetInfo::labeled(egui::WidgetType::Button, true, "Close the palette")
    });
    let mut close = under.clicked();
    let mut chosen = None;
    let area = Area::new(Id::new("palette")).order(Order::Foreground);
    widgets::measured_anew(ui.ctx(), area)
        .anchor(
            Align2::CENTER_TOP,
            vec2(0.0, (screen.height() * 0.12).min(110.0)),
        )
        .show(ui.ctx(), |ui| {
            let frame = Frame::new()
                .fill(theme.panel)
                .stroke(Stroke::new(1.0, theme.line))
                .corner_radius(CornerRadius::same(10))
                .shadow(ui.visuals().popup_shadow)
                .inner_margin(Margin::same(8));
            widgets::show_at_once(ui);
            frame.show(ui, |ui| {
                ui.set_width((screen.width() - 48.0).min(560.0));
                let n = items.len();
                let (up, down, enter, escape) = ui.input_mut(|input| {
                    let mut take = |key| input.consume_key(Modifiers::NONE, key);
                    (
                        take(Key::ArrowUp),
                        take(Key::ArrowDown),
                        take(Key::Enter),
                        take(Key::Escape),
                    )
                });
                let Some(palette) = &mut view.palette else {
                    return;
                };
                if n > 0 {
                    palette.at = palette.at.min(n - 1);
                    if down {
                        palette.at = (palette.at + 1) % n;
                    } else if up {
                        palette.at = (palette.at + n - 1) % n;
                    }
                }
                let hint = match scope {
                    PaletteScope::Everything => "Find or do…",
                    PaletteScope::Nodes => "Find node by name or command…",
                };
                let field = ui.add(
                    TextEdit::singleline(&mut palette.query)
                        .id(Id::new("palette field"))
                        .hint_text(hint)
                        .font(regular(size::TITLE))
                        .margin(Margin::symmetric(10, 8))
                        .frame(Frame::new())
                        .desired_width(f32::INFINITY),
                );
                field.widget_info(|| {
                    egui::WidgetInfo::labeled(egui::WidgetType::TextEdit, true, "Palette")
                });
                if std::mem::take(&mut palette.fresh) || !field.has_focus() {
                    field.request_focus();
                }
                if field.changed() {
                    palette.at = 0;
                }
                close |= escape;
                let at = palette.at;
                ui.add_space(space::XS);
                widgets::hairline(ui);
                ui.add_space(space::XS);
                let list = ScrollArea::vertical().max_height(400.0);
                list.auto_shrink([false, true]).show(ui, |ui| {
                    ui.spacing_mut().item_spacing.y = 0.0;
                    if items.is_empty() {
                        ui.add_space(space::S);
                        widgets::empty_state(ui, "Nothing has this in its name", "");
                        ui.add_space(space::L);
                    }
                    for (i, item) in items.iter().enumerate() {
                        let response = item_ui(ui, item, i == at);
                        if i == at && (up || down || fresh) {
                            response.scroll_to_me(None);
                        }
                        if response.clicked() || (enter && i == at) {
                            chosen = Some(i);
                        }
                    }
                });
            });
        });
    if let Some(item) = chosen.and_then(|i| items.get(i))
        && item.disabled.is_none()
    {
        actions.push(item.action.clone());
        close = true;
    }
    if close {
        view.palette = None;
    }
}

fn item_ui(ui: &mut Ui, item: &Item, selected: bool) -> egui::Response {
    let theme = Theme::of(ui.ctx());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 30.0), Sense::click());
    if selected || response.hovered() {
        let fill = if selected {
            theme.select
        } else {
            theme.hover()
        };
        ui.painter().rect_filled(rect, size::RADIUS, fill);
    }
    let enabled = item.disabled.is_none();
    let ink = if enabled { theme.text } else { theme.faint };
    let y = rect.center().y;
    let at = icons::square(egui::pos2(rect.left() + 16.0, y), 13.0);
    icons::paint(ui.painter(), at, item.icon, theme.dim);
    let mut right = rect.right() - 10.0;
    if !item.key.is_empty() {
        let galley = widgets::galley(ui, &item.key, regular(size::SMALL), theme.dim, 140.0);
        right -= galley.size().x;
        let top = (y - galley.size().y / 2.0).round();
        ui.painter()
            .galley(egui::pos2(right, top), galley, theme.dim);
        right -= 12.0;
    }
    let x = rect.left() + 32.0;
    let width = widgets::text_at(ui, x, y, &item.text, regular(size::UI), ink, right - x);
    let note = item.disabled.as_deref().unwrap_or(&item.detail);
    let second = if selected { theme.dim } else { theme.faint };
    let from = x + width + 12.0;
    widgets::text_at(
        ui,
        from,
        y,
        note,
        regular(size::SMALL),
        second,
        right - from,
    );
    response.widget_info(|| {
        let name = item.text.as_str();
        egui::WidgetInfo::selected(egui::WidgetType::SelectableLabel, enabled, selected, name)
    });
    response
}

fn items(view: &View, board: &Board, query: &str, scope: PaletteScope, mac: bool) -> Vec<Item> {
    let mut items = Vec::new();
    if scope == PaletteScope::Everything {
        verb_items(&view.context(board), query, mac, &mut items);
        flow_items(view, board, query, &mut items);
    }
    // Nodes would drown the verbs before anything is typed.
    if scope == PaletteScope::Nodes || !query.trim().is_empty() {
        node_items(view, query, &mut items);
    }
    // Stable, so that equals stay in the order of the table.
    items.sort_by_key(|item| std::cmp::Reverse(item.score));
    items.truncate(LISTED_MAX);
    items
}

fn verb_items(facts: &Context, query: &str, mac: bool, items: &mut Vec<Item>) {
    for entry in VERBS {
        if matches!(entry.verb, Verb::CommandPalette | Verb::Escape) {
            continue;
        }
        let Some(score) = score(entry.name, query) else {
            continue;
        };
        let disabled = facts.disabled_because(entry.verb);
        items.push(Item {
            text: entry.name.to_owned(),
            detail: entry.group.title().to_owned(),
            key: entry.keys.first().map(|k| k.label(mac)).unwrap_or_default(),
            icon: icon_of(entry.verb),
            action: Action::Do(entry.verb),
            // What can be done stands before what cannot.
            score: score + if disabled.is_none() { 5 } else { 0 },
            disabled,
        });
    }
}

fn flow_items(view: &View, board: &Board, query: &str, items: &mut Vec<Item>) {
    let shown = shown_workspace(view, board).map(|w| &w.id);
    for workspace in &board.catalog.workspaces {
        for flow in &workspace.flows {
            let found = score(&flow.title, query).or_else(|| score(&flow.flow.file, query));
            let Some(score) = found else {
                continue;
            };
            let near = if shown == Some(&workspace.id) { 8 } else { 4 };
            items.push(Item {
                text: flow.title.clone(),
                detail: format!("Flow in {}", workspace.name),
                key: String::new(),
                icon: Icon::Flow,
                disabled: None,
                action: Action::OpenFlow(flow.flow.clone()),
                score: score + near,
            });
        }
    }
}

fn node_items(view: &View, query: &str, items: &mut Vec<Item>) {
    let Some(doc) = view.doc() else {
        return;
    };
    for node in doc.flow().graph.nodes() {
        let by_name = score(node.name(), query).or_else(|| score(node.id.as_str(), query));
        let by_command = || score(&node.command, query).map(|score| score - 30);
        let Some(score) = by_name.or_else(by_command) else {
            continue;
        };
        let line = node.command.lines().next().unwrap_or_default();
        items.push(Item {
            text: node.name().to_owned(),
            detail: line.to_owned(),
            key: String::new(),
            icon: Icon::Dot,
            disabled: None,
            action: Action::GoToNode(node.id.clone()),
            score,
        });
    }
}

fn icon_of(verb: Verb) -> Icon {
    match verb {
        Verb::Run | Verb::RunAll | Verb::RunFromHere | Verb::RunUpToHere => Icon::Play,
        Verb::Resume | Verb::Retry => Icon::Resume,
        Verb::Stop | Verb::KillNodes | Verb::KillRun | Verb::KillAll => Icon::Stop,
        Verb::Undo => Icon::Undo,
        Verb::Redo => Icon::Redo,
        Verb::Open | Verb::Save | Verb::SaveAs | Verb::SaveAndClose => Icon::File,
        Verb::ChooseCollection => Icon::Folder,
        Verb::NewFlow | Verb::NewNode | Verb::AddNode | Verb::SetUpWorkspace => Icon::Plus,
        Verb::FindNode | Verb::FindFlow => Icon::Search,
        Verb::CloseTab | Verb::Delete | Verb::Quit => Icon::Close,
        Verb::Copy | Verb::Duplicate => Icon::Copy,
        _ => Icon::ChevronRight,
    }
}

/// How well `text` answers a query: its letters in order, best when they begin words; `None` when
/// they are not all there.
fn score(text: &str, query: &str) -> Option<i32> {
    let query = query.trim().to_lowercase();
    if query.is_empty() {
        return Some(0);
    }
    let lower = text.to_lowercase();
    if let Some(at) = lower.find(&query) {
        let begins = lower[..at]
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric());
        let early = i32::try_from(at.min(30)).unwrap_or(30);
        return Some(100 + if begins { 40 } else { 0 } - early);
    }
    let mut total = 0;
    let mut last = None;
    let mut chars = lower.chars().enumerate();
    for wanted in query.chars().filter(|c| !c.is_whitespace()) {
        let (at, _) = chars.find(|(_, c)| *c == wanted)?;
        let gap = last.map_or(0, |last| at - last - 1);
        total += if gap == 0 { 6 } else { 2 };
        last = Some(at);
    }
    Some(total.min(60))
}

#[cfg(test)]
mod tests {
    use super::score;

    #[test]
    fn what_begins_a_word_stands_before_what_lies_within() {
        let best = score("Run whole flow", "run");
        assert!(best > score("Prune", "run"));
        assert!(score("Prune", "run") > score("r-u-n scattered", "run"));
        assert_eq!(score("Stop", "run"), None);
        assert_eq!(score("anything", " "), Some(0));
    }

    #[test]
    fn letters_may_be_left_out_but_not_swapped() {
        assert!(score("Toggle edge type", "tet").is_some());
        assert!(score("Toggle edge type", "pyt").is_none());
    }
}
