//! The window is to close while runs live: they go on, or are stopped, or the window stays.

use egui::Ui;

use crate::app::action::{Action, Answer};
use crate::app::kill::{Kill, Names, counted};
use crate::app::window::App;
use crate::runtime::KillScope;

use super::ask::{Choice, Question, ask_ui};

/// Flows told one by one; the rest is counted.
const FLOWS_MAX: usize = 5;

/// Asks what becomes of what runs now. What has ended meanwhile is told no longer.
pub fn quit_ui(ui: &Ui, app: &App, actions: &mut Vec<Action>) {
    let everything = Kill::of(KillScope::Everything, &app.board, &app.view as &dyn Names);
    let running = everything.map(|all| all.targets).unwrap_or_default();
    if running.is_empty() {
        let question = Question {
            what: "Quit?",
            lines: &[],
            hint: "What was running has come to its end meanwhile.",
            choices: &[
                Choice::new("Quit", Answer::Discard),
                Choice::new("Cancel", Answer::Cancel),
            ],
        };
        return ask_ui(ui, &question, actions);
    }
    let line = |(title, n): (&str, usize)| match n {
        0 => format!("‘{title}’, waiting"),
        n => format!("‘{title}’, {}", counted(n, "running node")),
    };
    let named = running.iter().map(|of| (of.title.as_str(), of.nodes.len()));
    let mut lines: Vec<String> = named.take(FLOWS_MAX).map(line).collect();
    if let Some(more) = running.len().checked_sub(FLOWS_MAX).filter(|n| *n > 0) {
        lines.push(format!("and {}", counted(more, "more flow")));
    }
    let (what, hint) = match running.len() {
        1 => (
            "A flow is still running".to_owned(),
            "Without the window it goes on in the background, and the next start shows it again. \
             If you stop it, Resume starts again what was stopped.",
        ),
        n => (
            format!("{n} flows are still running"),
            "Without the window they go on in the background, and the next start shows them again. \
             If you stop them, Resume starts again what was stopped.",
        ),
    };
    let question = Question {
        what: &what,
        lines: &lines,
        hint,
        choices: &[
            Choice::new("Keep running", Answer::KeepRunning),
            Choice::danger("Stop and quit", Answer::Discard),
            Choice::new("Cancel", Answer::Cancel),
        ],
    };
    ask_ui(ui, &question, actions);
}
