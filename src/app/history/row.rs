//! One run of the list, and what can be done with it.

use std::time::Duration;

use egui::{Rect, Ui, pos2, vec2};

use crate::app::action::{Action, Verb};
use crate::app::icons::Icon;
use crate::app::theme::{Theme, size};
use crate::app::view::{LogScope, View};
use crate::app::when;
use crate::app::widgets::{self, Row};
use crate::model::{Outcome, RunSummary, Timestamp, human_duration};
use crate::runtime::FlowBoard;

use super::words::{counts_words, run_status, run_words, time_of};

/// Width of the bars that show how long runs took, in points.
const BAR_W: f32 = 44.0;
/// Width of the time beside them.
const TIME_W: f32 = 46.0;
/// Width of the pane from which on the bars are shown.
pub(super) const BARS_FROM_W: f32 = 300.0;

/// A run of the list with what only the ledger knows of it.
pub(super) struct Listed<'a> {
    pub run: &'a RunSummary,
    /// It is kept whatever its age; `None` where that is not known yet.
    pub pinned: Option<bool>,
}

#[expect(clippy::too_many_arguments, reason = "one row, drawn from many sides")]
pub(super) fn run_ui(
    ui: &mut Ui,
    view: &mut View,
    listed: &Listed<'_>,
    newest: bool,
    longest: Duration,
    flow: &FlowBoard,
    now: Timestamp,
    actions: &mut Vec<Action>,
) {
    let theme = Theme::of(ui.ctx());
    let run = listed.run;
    let status = run_status(run);
    let shown = match &flow.shown_run {
        Some(id) => *id == run.id,
        None => newest,
    };
    let picked = view.history.asked.picked.as_ref() == Some(&run.id);
    let when = when::day_and_time(run.started, now, &view.zone);
    let on = run.place_words();
    let pinned = (listed.pinned == Some(true)).then(|| "pinned".to_owned());
    // In a small window the end is cut: how it ended is told by the icon, where it ran by nothing else.
    let words = [on, Some(run_words(run, flow, newest)), pinned];
    let words = words.into_iter().flatten().filter(|part| !part.is_empty());
    let detail = words.collect::<Vec<_>>().join(" · ");
    let took = time_of(run, now);
    let time = took.map(human_duration).unwrap_or_default();
    let bars = ui.available_width() >= BARS_FROM_W;
    let right = ui.max_rect().right();
    let top = ui.cursor().top();
    let short = when::short_day_and_time(run.started, now, &view.zone);
    let row = Row {
        text: if bars { &when } else { &short },
        name: Some(format!("Run {when}, {}, {detail}, {time}", status.word())),
        icon: Some((Icon::Status(status), theme.status(status))),
        detail: &detail,
        keep_detail: run.ran_on.is_some(),
        selected: picked || shown && flow.shown_run.is_some() && !view.history.asked.picking,
        keep_right: match bars {
            true => BAR_W + TIME_W + 8.0,
            false => TIME_W,
        },
        ..Row::default()
    };
    let response = row.show(ui);
    let y = top + size::ROW / 2.0;
    widgets::small_text_before(ui, right - 8.0, y, &time, theme.dim, TIME_W);
    if let Some(took) = took.filter(|_| bars && !longest.is_zero()) {
        let share = (took.as_secs_f32() / longest.as_secs_f32()).clamp(0.0, 1.0);
        let left = right - 8.0 - TIME_W - BAR_W;
        let track = Rect::from_min_size(pos2(left, y - 2.0), vec2(BAR_W - 4.0, 4.0));
        let bar = Rect::from_min_size(track.min, vec2((track.width() * share).max(2.0), 4.0));
        ui.painter()
            .rect_filled(track, 2, theme.line.gamma_multiply(0.6));
        ui.painter()
            .rect_filled(bar, 2, theme.status(status).gamma_multiply(0.85));
    }
    if response.clicked() {
        if view.history.asked.picking {
            view.history.asked.pick(run.id.clone());
        } else {
            actions.push(Action::ShowRun((!newest).then(|| run.id.clone())));
        }
    }
    menu(&response, view, listed, newest, flow, actions);
    let remark = run.outcome.map_or("", Outcome::remark);
    let words = [&*detail, &*run.id.to_string(), &*counts_words(run), remark].map(str::to_owned);
    let words = words.into_iter().filter(|line| !line.is_empty());
    response.on_hover_text(words.collect::<Vec<_>>().join("\n"));
}

/// What can be done with a run, by the right button.
fn menu(
    response: &egui::Response,
    view: &mut View,
    listed: &Listed<'_>,
    newest: bool,
    flow: &FlowBoard,
    actions: &mut Vec<Action>,
) {
    let run = listed.run;
    response.context_menu(|ui| {
        let show = || Action::ShowRun((!newest).then(|| run.id.clone()));
        if ui.button("Show on the canvas").clicked() {
            actions.push(show());
            ui.close();
        }
        if ui.button("Show its log").clicked() {
            actions.push(show());
            view.log.scope = LogScope::Run;
            actions.push(Action::Do(Verb::ShowLog));
            ui.close();
        }
        let known = flow.history.iter().position(|other| other.id == run.id);
        let before = match (&flow.live, known) {
            (Some(live), _) if live.id == run.id => flow.history.first(),
            (_, Some(at)) => flow.history.get(at + 1),
            _ => None,
        };
        if let Some(before) = before
            && ui.button("Compare with the run before").clicked()
        {
            view.history.asked.compared = Some((before.id.clone(), run.id.clone()));
            ui.close();
        }
        if ui.button("Compare with…").clicked() {
            view.history.asked.picking = true;
            view.history.asked.picked = Some(run.id.clone());
            ui.close();
        }
        if let Some(pinned) = listed.pinned.filter(|_| run.ended.is_some()) {
            let words = if pinned {
                "Unpin"
            } else {
                "Pin: keep it for good"
            };
            if ui.button(words).clicked() {
                actions.push(Action::PinRun(run.id.clone(), !pinned));
                ui.close();
            }
        }
    });
}
