//! The past runs of the shown flow: found, picked, put beside each other.
//!
//! What is listed comes from the board: the newest at once with the flow, the rest as it is asked for
//! ([`HistoryView::ask`]). Unaware of the ledger.

use egui::{Align, Layout, Rect, ScrollArea, TextEdit, Ui, WidgetInfo, WidgetType, pos2, vec2};

use crate::model::{
    FlowRef, HistoryFilter, HistoryRun, NodeId, NodeStatus, Outcome, RunId, RunSummary, Timestamp,
    human_duration,
};
use crate::runtime::{Board, CompareAsk, FlowBoard, HISTORY_MAX, HistoryAsk, SHOWN_RUNS_MAX};

use super::action::{Action, Verb};
use super::compare_page;
use super::icons::Icon;
use super::theme::{Theme, regular, size, space};
use super::view::View;
use super::when;
use super::widgets::{self, Button, Row};

/// Width of the bars that show how long runs took, in points.
const BAR_W: f32 = 44.0;
/// Width of the time beside them.
const TIME_W: f32 = 46.0;
/// Width of the pane from which on the bars are shown.
const BARS_FROM_W: f32 = 300.0;

/// What a person does with the list.
#[derive(Default)]
pub struct HistoryView {
    /// Whose flow all this is about.
    flow: Option<FlowRef>,
    /// Text that is looked for.
    find: String,
    /// Only runs that failed.
    failed: bool,
    /// Runs asked for.
    n: usize,
    /// Clicks pick runs to compare.
    picking: bool,
    /// The first of them.
    picked: Option<RunId>,
    /// These are beside each other.
    compared: Option<(RunId, RunId)>,
    /// Nodes whose name holds the text, worked out once per text and revision.
    named: (String, u64, Vec<NodeId>),
}

impl HistoryView {
    /// What the board is to hold for the pane as it is now.
    pub fn ask(&mut self, doc: &crate::editor::Document) -> HistoryAsk {
        self.about(&doc.flow_ref);
        let text = self.find.trim().to_owned();
        let key = (&text, doc.revision());
        if (&self.named.0, self.named.1) != key {
            let lower = text.to_lowercase();
            // Nobody waits for a hundred thousand names when nothing is looked for.
            let nodes = doc.flow().graph.nodes().take_while(|_| !lower.is_empty());
            let nodes = nodes.filter(|node| node.name().to_lowercase().contains(&lower));
            self.named = (
                text.clone(),
                doc.revision(),
                nodes.map(|node| node.id.clone()).collect(),
            );
        }
        HistoryAsk {
            flow: doc.flow_ref.clone(),
            filter: HistoryFilter {
                text,
                nodes: self.named.2.clone(),
                outcomes: match self.failed {
                    true => vec![Outcome::Failed],
                    false => Vec::new(),
                },
                ..HistoryFilter::default()
            },
            n: self.n.clamp(HISTORY_MAX, SHOWN_RUNS_MAX),
        }
    }

    /// The comparison that the pane shows now.
    pub fn compare_ask(&self) -> Option<CompareAsk> {
        let (a, b) = self.compared.clone()?;
        Some(CompareAsk {
            flow: self.flow.clone()?,
            a,
            b,
        })
    }

    /// Back from the comparison to the list.
    pub fn leave_comparison(&mut self) {
        self.compared = None;
        self.picking = false;
        self.picked = None;
    }

    /// Another flow begins with nothing asked.
    fn about(&mut self, flow: &FlowRef) {
        if self.flow.as_ref() != Some(flow) {
            *self = Self {
                flow: Some(flow.clone()),
                ..Self::default()
            };
        }
    }

    /// A run was picked; with the second they are put beside each other, the older first.
    fn pick(&mut self, run: RunId) {
        match self.picked.take() {
            Some(other) if other == run => {}
            Some(other) => {
                // Ids begin with their time.
                self.compared = Some((other.clone().min(run.clone()), other.max(run)));
                self.picking = false;
            }
            None => self.picked = Some(run),
        }
    }
}

/// Draws the list, or the comparison.
pub fn history_ui(
    ui: &mut Ui,
    view: &mut View,
    board: &Board,
    flow: &FlowBoard,
    now: Timestamp,
    actions: &mut Vec<Action>,
) {
    let Some(doc) = view.doc() else {
        return;
    };
    let flow_ref = doc.flow_ref.clone();
    view.history.about(&flow_ref);
    if let Some(ask) = view.history.compare_ask() {
        let shown = board.comparison.as_ref().filter(|shown| shown.ask == ask);
        compare_page::compare_ui(ui, view, shown.map(|shown| &**shown), now, actions);
        return;
    }
    let page = board
        .history
        .as_ref()
        .filter(|shown| shown.ask.flow == flow_ref);
    let is_all = view.history.find.trim().is_empty() && !view.history.failed;
    let nothing_ran = flow.live.is_none() && flow.history.is_empty();
    if nothing_ran && is_all {
        widgets::empty_state(ui, "This flow has not run yet", "Press R to run it.");
        return;
    }
    bar_ui(ui, view);
    // Until the page has come, what the flow itself brings is all that there is to show.
    let (runs, more) = match page {
        Some(shown) if !shown.trouble.is_empty() => {
            widgets::empty_state(ui, "The history cannot be read", &shown.trouble);
            return;
        }
        Some(shown) => (listed(&shown.page.runs, flow, is_all), shown.page.more),
        None if is_all => (listed(&[], flow, true), flow.history.len() >= HISTORY_MAX),
        None => {
            widgets::empty_state(ui, "Searching…", "");
            return;
        }
    };
    if runs.is_empty() {
        widgets::empty_state(
            ui,
            "No such run",
            "Text is looked for in what was asked, and in names and commands of nodes.",
        );
        return;
    }
    list_ui(ui, view, &runs, more, flow, now, actions);
}

/// The field and the buttons over the list.
fn bar_ui(ui: &mut Ui, view: &mut View) {
    let theme = Theme::of(ui.ctx());
    let history = &mut view.history;
    ui.add_space(space::XS);
    let is_narrow = ui.available_width() < BARS_FROM_W;
    if is_narrow && !history.picking {
        // Beside the buttons no word would be left of it.
        ui.horizontal(|ui| {
            ui.add_space(space::S);
            field_ui(ui, history);
        });
    }
    ui.allocate_ui_with_layout(
        vec2(ui.available_width(), size::CONTROL),
        Layout::right_to_left(Align::Center),
        |ui| {
            ui.spacing_mut().item_spacing.x = space::XS;
            if history.picking {
                if Button::new("Cancel").flat().show(ui).clicked() {
                    history.leave_comparison();
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.add_space(space::S);
                    let words = match &history.picked {
                        None => "Pick two runs to compare",
                        Some(_) => "Pick the second run",
                    };
                    ui.label(egui::RichText::new(words).color(theme.text));
                });
                return;
            }
            asks_ui(ui, history);
            if !is_narrow {
                field_ui(ui, history);
            }
        },
    );
    ui.add_space(space::XS);
}

/// The buttons, from the right.
fn asks_ui(ui: &mut Ui, history: &mut HistoryView) {
    let compare = Button::new("Compare").flat();
    if compare
        .tooltip("Pick two runs and see what differs")
        .show(ui)
        .clicked()
    {
        history.picking = true;
    }
    let mut failed = Button::new("Failed").tooltip("List only runs that failed");
    failed.flat = !history.failed;
    if failed.show(ui).clicked() {
        history.failed ^= true;
        history.n = 0;
    }
}

/// The field that runs are looked for in.
fn field_ui(ui: &mut Ui, history: &mut HistoryView) {
    let field = TextEdit::singleline(&mut history.find)
        .id(egui::Id::new("find run"))
        .hint_text("Find run")
        .margin(egui::Margin::symmetric(8, 5))
        .desired_width(ui.available_width() - 12.0);
    let field = ui.add(field);
    field.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, "Find run"));
    if field.changed() {
        history.n = 0;
    }
    if field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Escape)) {
        history.find.clear();
    }
}

/// A run of the list with what only the ledger knows of it.
struct Listed<'a> {
    run: &'a RunSummary,
    pinned: Option<bool>,
}

/// What is listed: the page, with a live run as it is at this moment, which may be newer than the page.
fn listed<'a>(page: &'a [HistoryRun], flow: &'a FlowBoard, is_all: bool) -> Vec<Listed<'a>> {
    let live = flow.live.as_ref();
    let mut runs: Vec<Listed<'a>> = Vec::with_capacity(page.len() + 1);
    let known = |id: &RunId| page.iter().any(|run| run.summary.id == *id);
    if is_all {
        // Newer than the page: it is being read anew.
        let newest = live.into_iter().chain(flow.history.iter());
        let fresh = newest.take_while(|run| page.is_empty() || !known(&run.id));
        let mut before: Option<&RunId> = None;
        for run in fresh {
            if before != Some(&run.id) {
                runs.push(Listed { run, pinned: None });
            }
            before = Some(&run.id);
        }
    }
    runs.extend(page.iter().map(|run| {
        Listed {
            run: live
                .filter(|live| live.id == run.summary.id)
                .unwrap_or(&run.summary),
            pinned: Some(run.pinned),
        }
    }));
    runs
}

fn list_ui(
    ui: &mut Ui,
    view: &mut View,
    runs: &[Listed<'_>],
    more: bool,
    flow: &FlowBoard,
    now: Timestamp,
    actions: &mut Vec<Action>,
) {
    let newest = flow
        .live
        .as_ref()
        .or(flow.history.first())
        .map(|run| &run.id);
    let longest = runs
        .iter()
        .filter_map(|listed| time_of(listed.run, now))
        .max()
        .unwrap_or_default();
    let full = runs.len() >= SHOWN_RUNS_MAX;
    let n_rows = runs.len() + usize::from(more);
    ScrollArea::vertical()
        .id_salt("runs")
        .auto_shrink(false)
        .show_rows(ui, size::ROW, n_rows, |ui, rows| {
            for at in rows {
                let Some(listed) = runs.get(at) else {
                    more_ui(ui, view, full);
                    continue;
                };
                let is_newest = newest == Some(&listed.run.id);
                run_ui(ui, view, listed, is_newest, longest, flow, now, actions);
            }
        });
}

fn more_ui(ui: &mut Ui, view: &mut View, full: bool) {
    let row = Row {
        text: match full {
            true => "There are older ones; search for them",
            false => "More runs…",
        },
        faint: true,
        ..Row::default()
    };
    if row.show(ui).clicked() && !full {
        view.history.n = view.history.n.max(HISTORY_MAX) + HISTORY_MAX;
    }
}

#[expect(clippy::too_many_arguments, reason = "one row, drawn from many sides")]
fn run_ui(
    ui: &mut Ui,
    view: &mut View,
    listed: &Listed<'_>,
    newest: bool,
    longest: std::time::Duration,
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
    let picked = view.history.picked.as_ref() == Some(&run.id);
    let when = when::day_and_time(run.started, now, &view.zone);
    let on = run.place_words();
    let pinned = (listed.pinned == Some(true)).then(|| "pinned".to_owned());
    let words = [Some(run_words(run, flow, newest)), on, pinned];
    let words = words.into_iter().flatten().filter(|part| !part.is_empty());
    let detail = words.collect::<Vec<_>>().join(" · ");
    let took = time_of(run, now);
    let time = took.map(human_duration).unwrap_or_default();
    let bars = ui.available_width() >= BARS_FROM_W;
    let right = ui.max_rect().right();
    let top = ui.cursor().top();
    let row = Row {
        text: &when,
        name: Some(format!("Run {when}, {}, {detail}, {time}", status.word())),
        icon: Some((Icon::Status(status), theme.status(status))),
        detail: &detail,
        selected: picked || shown && flow.shown_run.is_some() && !view.history.picking,
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
        if view.history.picking {
            view.history.pick(run.id.clone());
        } else {
            actions.push(Action::ShowRun((!newest).then(|| run.id.clone())));
        }
    }
    menu(&response, view, listed, newest, flow, actions);
    let remark = run.outcome.map_or("", Outcome::remark);
    let words = format!("{}\n{}\n{remark}", run.id, counts_words(run));
    response.on_hover_text(words.trim_end());
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
            view.log.scope = super::view::LogScope::Run;
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
            view.history.compared = Some((before.id.clone(), run.id.clone()));
            ui.close();
        }
        if ui.button("Compare with…").clicked() {
            view.history.picking = true;
            view.history.picked = Some(run.id.clone());
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

/// How long a run took; `None` where that is not known: of another program's results, and of a run
/// that broke off with the program.
pub fn time_of(run: &RunSummary, now: Timestamp) -> Option<std::time::Duration> {
    let unknown = &*run.choice == "imported" || run.outcome == Some(Outcome::Interrupted);
    (!unknown).then(|| run.ended.unwrap_or(now).since(run.started))
}

/// A run's outcome as the status of a node is shown.
pub fn run_status(run: &RunSummary) -> NodeStatus {
    match run.outcome {
        None => NodeStatus::Running,
        Some(Outcome::Succeeded) => NodeStatus::Ran,
        Some(Outcome::Failed) => NodeStatus::Failed,
        Some(Outcome::Stopped) => NodeStatus::Stopped,
        Some(Outcome::Interrupted) => NodeStatus::Interrupted,
    }
}

fn run_words(run: &RunSummary, flow: &FlowBoard, newest: bool) -> String {
    match run.outcome {
        Some(Outcome::Failed) => format!("{} failed", run.counts.failed),
        Some(Outcome::Stopped | Outcome::Interrupted) if newest && flow.resumable > 0 => {
            "resumable".to_owned()
        }
        Some(Outcome::Stopped | Outcome::Interrupted) => {
            format!("{} of {}", run.counts.ran, run.counts.subset)
        }
        Some(Outcome::Succeeded) | None if &*run.choice == "full" => String::new(),
        Some(Outcome::Succeeded) | None => run.choice.to_string(),
    }
}

/// Nodes of a run by how they ended.
pub fn counts_words(run: &RunSummary) -> String {
    let counts = &run.counts;
    let parts = [
        (counts.ran, "ran"),
        (counts.failed, "failed"),
        (counts.stopped, "stopped"),
        (counts.skipped, "skipped"),
        (counts.kept, "kept"),
    ];
    let words: Vec<String> = parts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
    if words.is_empty() {
        format!("{} nodes", counts.subset)
    } else {
        format!("{} of {} nodes", words.join(", "), counts.subset)
    }
}

/// The words over the pane's own font, as labels of small facts.
pub fn small(ui: &mut Ui, text: &str) {
    let theme = Theme::of(ui.ctx());
    ui.label(
        egui::RichText::new(text)
            .font(regular(size::SMALL))
            .color(theme.dim),
    );
}
