//! Asking when control is to be given up.

use egui::Ui;

use crate::app::action::{Action, Answer};
use crate::app::theme::{Theme, space};
use crate::app::widgets::{self, Button};
use crate::runtime::control::{MachineId, When, Wish};

use super::page::{Act, ask, foot_ui, title_ui, words_ui};
use super::seat::{Seat, Work};
use super::words::count;

/// The dialog while it is open.
pub struct Leave {
    /// For whom, and what it is called; `None` when nobody asked.
    to: Option<(MachineId, String)>,
    when: When,
}

/// A moment that can be chosen, and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Choice {
    when: When,
    name: &'static str,
    means: String,
}

fn choices(work: Work) -> Vec<Choice> {
    let nodes = count(work.n_nodes, "node");
    let choice = |when, name, means| Choice { when, name, means };
    let mut choices = Vec::new();
    if work.n_runs > 0 {
        let goes = match work.n_runs {
            1 => "The run goes on to its end; no new one starts.".to_owned(),
            n => format!("{n} runs go on to their end; no new one starts."),
        };
        choices.push(choice(When::AfterRuns, "When the runs have ended", goes));
    }
    if work.n_nodes > 0 {
        let ends =
            "They end by themselves; what waits behind them can be resumed later, here or there.";
        let name = "When the running nodes have ended";
        choices.push(choice(
            When::AfterNodes,
            name,
            format!("{nodes} running. {ends}"),
        ));
    }
    let means = match (work.n_nodes, work.n_runs) {
        (0, 0) => "Nothing runs here.".to_owned(),
        (0, _) => "No node runs at this moment; the rest can be resumed later.".to_owned(),
        (1, _) => "1 node is stopped. It can be resumed later, here or there.".to_owned(),
        (_, _) => format!("{nodes} are stopped. They can be resumed later, here or there."),
    };
    choices.push(choice(When::Now, "Now", means));
    choices
}

impl Leave {
    /// The dialog for whoever asked, with a moment proposed.
    pub fn new(to: Option<(MachineId, String)>, when: When) -> Self {
        Self { to, when }
    }

    fn title(&self, seat: &Seat) -> String {
        match &self.to {
            Some((_, host)) => format!("Hand over control of ‘{}’ to {host}?", seat.name),
            None => format!("Give up control of ‘{}’?", seat.name),
        }
    }

    fn wish(&self) -> Wish {
        let when = self.when;
        match &self.to {
            Some((to, _)) => Wish::HandOver {
                to: to.clone(),
                when,
            },
            None => Wish::Release { when },
        }
    }

    /// Draws the dialog.
    pub(super) fn show(&mut self, ui: &Ui, seat: &Seat, actions: &mut Vec<Action>) {
        if seat.status.can.release.is_err() {
            // It passed on while this was open: there is nothing left to answer.
            actions.push(Action::Answer(Answer::Cancel));
            return;
        }
        let theme = Theme::of(ui.ctx());
        let choices = choices(seat.work);
        // What was proposed may have ended meanwhile.
        if !choices.iter().any(|choice| choice.when == self.when) {
            self.when = choices.first().map_or(When::Now, |choice| choice.when);
        }
        let response = widgets::modal(ui, "leave").show(ui.ctx(), |ui| {
            ui.set_width(440.0);
            title_ui(ui, &self.title(seat));
            if self.to.is_none() {
                let words = "Another workstation can take it then. This one does not, until you ask for it.";
                words_ui(ui, words, theme.dim);
                ui.add_space(space::XS);
            }
            widgets::seen_marks(ui);
            for choice in &choices {
                ui.radio_value(&mut self.when, choice.when, choice.name);
                widgets::note_ui(ui, &choice.means, true, theme.dim);
                ui.add_space(space::XS);
            }
            let text = match self.to {
                Some(_) => "Hand over",
                None => "Give up control",
            };
            let stops = self.when == When::Now && seat.work.n_nodes > 0;
            let main = Button::new(text);
            let main = if stops { main.danger() } else { main.primary() };
            if foot_ui(ui, main, actions) {
                ask(seat, Act::Wish(self.wish()), actions);
                actions.push(Action::Answer(Answer::Cancel));
            }
        });
        if response.backdrop_response.clicked() {
            actions.push(Action::Answer(Answer::Cancel));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(n_runs: usize, n_nodes: usize) -> String {
        let lines = choices(Work { n_runs, n_nodes });
        let lines = lines.iter().map(|c| format!("{}: {}", c.name, c.means));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_moment_says_what_becomes_of_what_runs() {
        assert_eq!(told(0, 0), "Now: Nothing runs here.");
        assert_eq!(
            told(2, 3),
            "When the runs have ended: 2 runs go on to their end; no new one starts.\n\
             When the running nodes have ended: 3 nodes running. They end by themselves; what waits behind them can \
             be resumed later, here or there.\n\
             Now: 3 nodes are stopped. They can be resumed later, here or there."
        );
        assert_eq!(
            told(1, 0),
            "When the runs have ended: The run goes on to its end; no new one starts.\n\
             Now: No node runs at this moment; the rest can be resumed later."
        );
    }
}
