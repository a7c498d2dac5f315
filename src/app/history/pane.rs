//! The pane: the list of runs, or the comparison.

use egui::{ScrollArea, Ui};

use crate::app::action::Action;
use crate::app::compare_page;
use crate::app::theme::size;
use crate::app::view::View;
use crate::app::widgets::{self, Row};
use crate::model::{HistoryRun, RunId, Timestamp};
use crate::runtime::{Board, FlowBoard, HISTORY_MAX, SHOWN_RUNS_MAX};

use super::bar::bar_ui;
use super::row::{Listed, run_ui};
use super::words::time_of;

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
    let is_all = view.history.asked.is_all();
    let nothing_ran = flow.live.is_none() && flow.history.is_empty();
    if nothing_ran && is_all {
        widgets::empty_state(ui, "This flow has not run yet", "Press R to run it.");
        return;
    }
    bar_ui(ui, view, now);
    if !view.history.asked.flaw.is_empty() {
        widgets::empty_state(ui, "No such time", &view.history.asked.flaw);
        return;
    }
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
            "Text is looked for in what was asked, and in names and commands of nodes. Times: 7d, today, 2026-11-21.",
        );
        return;
    }
    list_ui(ui, view, &runs, more, flow, now, actions);
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
        view.history.asked.n = view.history.asked.n.max(HISTORY_MAX) + HISTORY_MAX;
    }
}
