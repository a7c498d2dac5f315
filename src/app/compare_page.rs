//! Two runs beside each other: what differs first, with how the commands differ.

use egui::text::LayoutJob;
use egui::{Color32, ScrollArea, Sense, TextFormat, Ui, WidgetInfo, WidgetType, vec2};

use crate::model::{
    DiffSide, NodeInRun, NodePair, NodeStatus, RunComparison, RunSummary, Timestamp, command_diff,
    human_duration,
};
use crate::runtime::ComparisonShown;

use super::action::Action;
use super::history::{counts_words, run_status, small, time_of};
use super::icons::{self, Icon};
use super::theme::{Theme, mono, regular, semibold, size, space};
use super::view::View;
use super::when;
use super::widgets::{self, Button};

/// Most lines of one command's difference that are shown; the rest is told by their number.
const DIFF_LINES_MAX: usize = 40;
/// Height of a run at the top, and of a node, in points.
const HEAD_H: f32 = 22.0;
const NODE_H: f32 = 40.0;

/// Draws the page.
pub fn compare_ui(
    ui: &mut Ui,
    view: &mut View,
    shown: Option<&ComparisonShown>,
    now: Timestamp,
    actions: &mut Vec<Action>,
) {
    ui.horizontal(|ui| {
        ui.add_space(space::XS);
        let back = Button::new("Back to runs").bare(Icon::Undo).flat();
        if back.tooltip("Back to the list of runs").show(ui).clicked() {
            view.history.leave_comparison();
        }
        ui.label(egui::RichText::new("Compared").font(semibold(size::UI)));
    });
    let comparison = match shown.map(|shown| &shown.result) {
        None => return widgets::empty_state(ui, "Comparing…", ""),
        Some(Err(why)) => {
            return widgets::empty_state(ui, "These runs cannot be compared", why);
        }
        Some(Ok(comparison)) => comparison,
    };
    ScrollArea::vertical()
        .id_salt("comparison")
        .auto_shrink(false)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::XXS;
            let frame = egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 2));
            frame.show(ui, |ui| {
                head_ui(ui, view, "A", &comparison.a, now);
                head_ui(ui, view, "B", &comparison.b, now);
                ui.add_space(space::S);
                let n = comparison.nodes.len();
                let words = match comparison.n_changed {
                    0 => format!("No difference in {n} nodes"),
                    changed => format!("{changed} of {n} nodes differ"),
                };
                ui.label(egui::RichText::new(words).font(semibold(size::UI)));
            });
            nodes_ui(ui, view, comparison, actions);
        });
}

/// One of the two runs, over the full width and no wider: letter, outcome, when, what, how long.
fn head_ui(ui: &mut Ui, view: &View, letter: &str, run: &RunSummary, now: Timestamp) {
    let theme = Theme::of(ui.ctx());
    let when = when::day_and_time(run.started, now, &view.zone);
    let time = time_of(run, now).map(human_duration).unwrap_or_default();
    let detail = format!("{} · {}", run.choice, counts_words(run));
    let status = run_status(run);
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), HEAD_H), Sense::hover());
    let y = rect.center().y;
    let mut x = rect.left();
    let letters = semibold(size::UI);
    widgets::text_at(ui, x, y, letter, letters, theme.accent, 16.0);
    x += 18.0;
    let place = icons::square(egui::pos2(x + 6.5, y), 13.0);
    icons::paint(
        ui.painter(),
        place,
        Icon::Status(status),
        theme.status(status),
    );
    x += 20.0;
    let mut right = rect.right();
    right -= widgets::small_text_before(ui, right, y, &time, theme.dim, 60.0) + 8.0;
    x += widgets::text_at(ui, x, y, &when, regular(size::UI), theme.text, right - x) + 8.0;
    if right - x > 24.0 {
        widgets::text_at(
            ui,
            x,
            y,
            &detail,
            regular(size::SMALL),
            theme.dim,
            right - x,
        );
    }
    let label = format!("{letter}: {when}, {}, {detail}, {time}", status.word());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, &label));
    response.on_hover_text(format!("{}\n{detail}", run.id));
}

fn nodes_ui(ui: &mut Ui, view: &View, comparison: &RunComparison, actions: &mut Vec<Action>) {
    for pair in comparison.nodes.iter().filter(|pair| pair.changed.any()) {
        ui.add_space(space::XS);
        node_ui(ui, view, pair, actions);
    }
}

fn node_ui(ui: &mut Ui, view: &View, pair: &NodePair, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let doc = view.doc();
    let node = doc.and_then(|doc| doc.flow().graph.node(&pair.node));
    let name = node.map_or(pair.node.as_str(), |node| node.name());
    let words = status_words(pair);
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), NODE_H), Sense::click());
    if response.hovered() {
        ui.painter().rect_filled(rect, size::RADIUS, theme.hover());
    }
    let y = rect.top() + 12.0;
    let mut x = rect.left() + 8.0;
    for (at, side) in [&pair.a, &pair.b].into_iter().enumerate() {
        let (status, colour) = match side {
            Some(node) => (node.status, theme.status(node.status)),
            None => (NodeStatus::Idle, theme.line),
        };
        icons::paint(
            ui.painter(),
            icons::square(egui::pos2(x + 6.5, y), 13.0),
            Icon::Status(status),
            colour,
        );
        x += 17.0;
        if at == 0 {
            x += widgets::text_at(ui, x, y, "→", regular(size::SMALL), theme.faint, 20.0) + 4.0;
        }
    }
    let room = rect.right() - x - 12.0;
    let font = regular(size::UI);
    widgets::text_at(ui, x + 4.0, y, name, font, theme.text, room);
    let under = rect.bottom() - 9.0;
    widgets::text_at(
        ui,
        x + 4.0,
        under,
        &words,
        regular(size::SMALL),
        theme.dim,
        room,
    );
    widgets::focus_ring(ui, &response, rect.shrink(1.0));
    let label = format!("{name}, {words}");
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, &label));
    if response.clicked() && node.is_some() {
        actions.push(Action::GoToNode(pair.node.clone()));
    }
    response.on_hover_text(label.clone());
    let (Some(a), Some(b)) = (&pair.a, &pair.b) else {
        return;
    };
    if pair.changed.command {
        diff_ui(ui, &a.command, &b.command, &theme);
    }
}

/// What differs, in words.
fn status_words(pair: &NodePair) -> String {
    let (a, b) = match (&pair.a, &pair.b) {
        (Some(_), None) => return "in A only".to_owned(),
        (None, Some(_)) => return "in B only".to_owned(),
        (Some(a), Some(b)) => (a, b),
        (None, None) => return String::new(),
    };
    let mut words = Vec::new();
    let word = |node: &NodeInRun| match node.kept {
        true => "kept",
        false => node.status.word(),
    };
    if pair.changed.status || a.kept != b.kept {
        words.push(format!("{} → {}", word(a), word(b)));
    }
    if pair.changed.exit
        && let Some((a, b)) = a.exit.as_ref().zip(b.exit.as_ref())
    {
        words.push(format!("{a} → {b}"));
    }
    if pair.changed.attempts {
        words.push(match a.passes == b.passes {
            true => format!("attempts {} → {}", a.attempts, b.attempts),
            false => format!("passes {} → {}", a.passes, b.passes),
        });
    }
    if let Some((a, b)) = a.time.zip(b.time).filter(|_| pair.changed.time) {
        words.push(format!("{} → {}", human_duration(a), human_duration(b)));
    }
    if words.is_empty() && pair.changed.command {
        words.push("command".to_owned());
    }
    words.join(" · ")
}

/// How a command differs: lines that went and that came, with the words that differ set off.
fn diff_ui(ui: &mut Ui, a: &str, b: &str, theme: &Theme) {
    let lines = command_diff(a, b);
    let n = lines.len();
    let frame = egui::Frame::new()
        .inner_margin(egui::Margin::symmetric(6, 3))
        .outer_margin(egui::Margin::symmetric(8, 0))
        .corner_radius(size::RADIUS)
        .fill(theme.bg);
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 0.0;
        for line in lines.into_iter().take(DIFF_LINES_MAX) {
            let (sign, ink) = match line.side {
                DiffSide::Both => (' ', theme.dim),
                DiffSide::First => ('-', theme.error()),
                DiffSide::Second => ('+', theme.status(NodeStatus::Ran)),
            };
            let mut job = LayoutJob::default();
            let mut add = |text: &str, strong: bool| {
                let background = match strong {
                    true => ink.gamma_multiply(0.22),
                    false => Color32::TRANSPARENT,
                };
                let format = TextFormat {
                    font_id: mono(size::SMALL),
                    color: ink,
                    background,
                    ..TextFormat::default()
                };
                job.append(text, 0.0, format);
            };
            add(&format!("{sign} "), false);
            for (strong, text) in line.parts {
                add(&text, strong);
            }
            ui.add(egui::Label::new(job).selectable(true).wrap());
        }
        if n > DIFF_LINES_MAX {
            small(ui, &format!("{} more lines", n - DIFF_LINES_MAX));
        }
    });
}
