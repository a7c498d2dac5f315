//! The strips over the canvas when something is not as it was left: the file under it changed or
//! is gone, another process runs the flow, a dead Handmill left processes, an older run is shown.

use egui::{Align, Color32, Frame, Layout, Margin, Ui};

use crate::editor::DiskState;
use crate::model::{RunId, Timestamp};
use crate::runtime::{Board, FlowBoard};

use super::action::{Action, BannerAct, Verb};
use super::control;
use super::icons::{self, Icon};
use super::room::Pane;
use super::theme::{Theme, size, space};
use super::view::{SidePane, View, runner_words};
use super::when;
use super::widgets::{self, Button, hairline};

/// Draws a strip for each thing there is to say.
pub fn banner_ui(
    ui: &mut Ui,
    view: &mut View,
    board: &Board,
    now: Timestamp,
    actions: &mut Vec<Action>,
) {
    super::safety::trail_ui(ui, view, now, actions);
    file_ui(ui, view, actions);
    let Some(flow) = view.flow_board(board).cloned() else {
        return;
    };
    orphans_ui(ui, view, &flow, actions);
    runner_ui(ui, &flow, now, actions);
    elsewhere_ui(ui, &flow, now);
    if let Some(run) = &flow.shown_run {
        older_run_ui(ui, view, &flow, run, now, actions);
    }
}

fn file_ui(ui: &mut Ui, view: &mut View, actions: &mut Vec<Action>) {
    let Some(doc) = view.doc() else {
        return;
    };
    let n_warnings = doc.warnings.len();
    let (what, acts): (String, &[(&str, Option<BannerAct>)]) = match &doc.disk {
        DiskState::Deleted => (
            "This workfile is gone from the disk. Save to bring it back.".to_owned(),
            &[
                ("Save it back", Some(BannerAct::KeepMine)),
                ("Save a copy", Some(BannerAct::SaveCopy)),
            ],
        ),
        DiskState::InStep(_) | DiskState::New if n_warnings > 0 && !doc.can_undo() => {
            let first = doc.warnings.first().cloned().unwrap_or_default();
            let more = match n_warnings {
                1 => String::new(),
                n => format!(" And {} more.", n - 1),
            };
            (format!("{first}{more}"), &[("Problems", None)])
        }
        DiskState::InStep(_) | DiskState::New | DiskState::Changed { .. } => return,
    };
    let names: Vec<&str> = acts.iter().map(|(name, _)| *name).collect();
    let warning = Theme::of(ui.ctx()).warning();
    match strip_ui(ui, (Icon::Warning, warning), &what, &names).map(|at| acts[at].1) {
        Some(Some(act)) => actions.push(Action::Banner(act)),
        Some(None) => show_problems(view),
        None => {}
    }
}

fn orphans_ui(ui: &mut Ui, view: &mut View, flow: &FlowBoard, actions: &mut Vec<Action>) {
    let Some((node, pid)) = flow.orphans.first() else {
        return;
    };
    let name = view
        .doc()
        .and_then(|doc| doc.flow().graph.node(node))
        .map_or_else(|| node.as_str().to_owned(), |node| node.name().to_owned());
    let what = match flow.orphans.len() {
        1 => format!("‘{name}’ of an interrupted run still runs (process {pid})."),
        n => format!("{n} nodes of an interrupted run still run, ‘{name}’ among them."),
    };
    let warning = Theme::of(ui.ctx()).warning();
    let names = ["Stop what is left", "Problems"];
    match strip_ui(ui, (Icon::Warning, warning), &what, &names) {
        Some(0) => actions.push(Action::Do(Verb::Stop)),
        Some(_) => show_problems(view),
        None => {}
    }
}

fn runner_ui(ui: &mut Ui, flow: &FlowBoard, now: Timestamp, actions: &mut Vec<Action>) {
    let Some(runner) = &flow.runner else {
        return;
    };
    let since = when::ago(runner.since, now);
    let what = format!("{} runs this flow, started {since}.", runner_words(runner));
    let running = Theme::of(ui.ctx()).status(crate::model::NodeStatus::Running);
    if strip_ui(ui, (Icon::Info, running), &what, &["Stop it"]).is_some() {
        actions.push(Action::Do(Verb::Stop));
    }
}

/// The statuses shown are those of another workstation's run.
fn elsewhere_ui(ui: &mut Ui, flow: &FlowBoard, now: Timestamp) {
    let newest = flow.history.first().filter(|_| flow.shown_run.is_none());
    let Some((run, host)) = newest.and_then(|run| Some((run, control::runs_on(run)?))) else {
        return;
    };
    let since = when::ago(run.started, now);
    let what = format!("This flow is running on {host}, started {since}.");
    let running = Theme::of(ui.ctx()).status(crate::model::NodeStatus::Running);
    strip_ui(ui, (Icon::Info, running), &what, &[]);
}

fn older_run_ui(
    ui: &mut Ui,
    view: &View,
    flow: &FlowBoard,
    shown: &RunId,
    now: Timestamp,
    actions: &mut Vec<Action>,
) {
    let run = flow.history.iter().find(|run| run.id == *shown);
    let when = run.map(|run| when::day_and_time_inside(run.started, now, &view.zone));
    let what = match when {
        Some(when) => format!("An older run is shown: {when}."),
        None => "An older run is shown.".to_owned(),
    };
    let dim = Theme::of(ui.ctx()).dim;
    if strip_ui(ui, (Icon::Info, dim), &what, &["Back to the newest"]).is_some() {
        actions.push(Action::ShowRun(None));
    }
}

fn show_problems(view: &mut View) {
    view.side_pane = SidePane::Problems;
    view.bring(Pane::Bottom);
}

/// One strip; gives back which of its buttons was pressed. Its words have three rows beside the buttons; the rest is told
/// by pointing at them.
pub(super) fn strip_ui(
    ui: &mut Ui,
    (icon, colour): (Icon, Color32),
    what: &str,
    acts: &[&str],
) -> Option<usize> {
    let theme = Theme::of(ui.ctx());
    let mut pressed = None;
    Frame::new()
        .fill(theme.panel.lerp_to_gamma(colour, 0.12))
        .inner_margin(Margin::symmetric(12, 4))
        .show(ui, |ui| {
            let buttons: f32 = acts.iter().map(|name| Button::room(ui, name)).sum();
            let room = ui.available_width() - buttons - 15.0 - 2.0 * space::S;
            let galley = widgets::rows(ui, what, 3, room.max(80.0));
            let height = galley.size().y.max(size::CONTROL);
            let row = egui::vec2(ui.available_width(), height);
            let layout = Layout::right_to_left(Align::Center);
            ui.allocate_ui_with_layout(row, layout, |ui| {
                ui.spacing_mut().item_spacing.x = space::S;
                for (at, name) in acts.iter().enumerate().rev() {
                    if Button::new(name).show(ui).clicked() {
                        pressed = Some(at);
                    }
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let (rect, _) =
                        ui.allocate_exact_size(egui::Vec2::splat(15.0), egui::Sense::hover());
                    icons::paint(ui.painter(), rect, icon, colour);
                    widgets::rows_ui(ui, galley, what);
                });
            });
        });
    hairline(ui);
    pressed
}
