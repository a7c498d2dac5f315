//! What is said of a run in a list.

use std::time::Duration;

use crate::app::theme::{Theme, regular, size};
use crate::model::{NodeStatus, Outcome, RunSummary, Timestamp};
use crate::runtime::FlowBoard;

use egui::Ui;

/// How long a run took; `None` where that is not known: of another program's results, and of a run
/// that broke off with the program.
pub fn time_of(run: &RunSummary, now: Timestamp) -> Option<Duration> {
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

pub(super) fn run_words(run: &RunSummary, flow: &FlowBoard, newest: bool) -> String {
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
