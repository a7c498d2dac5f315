//! What holds for control of a workspace on this machine. Each change applies at once.

use egui::{ScrollArea, Ui};

use crate::app::action::{Action, Answer};
use crate::app::theme::{Theme, space};
use crate::app::widgets::{self, Button};
use crate::runtime::control::{Answer as PolicyAnswer, Folder, When};

use super::page::{Act, ask, title_ui};
use super::seat::Seat;

/// What can become of a request that nobody answers.
const ANSWERS: [(PolicyAnswer, &str); 5] = [
    (
        PolicyAnswer::HandOver(When::AfterRuns),
        "Hand over when the runs have ended",
    ),
    (
        PolicyAnswer::HandOver(When::AfterNodes),
        "Hand over when the running nodes have ended",
    ),
    (
        PolicyAnswer::HandOver(When::Now),
        "Hand over at once, and stop what runs",
    ),
    (PolicyAnswer::Deny, "Refuse it"),
    (PolicyAnswer::Wait, "Leave it open until somebody answers"),
];

/// What the folder of the workspace was found to be.
fn folder_words(folder: Option<&Folder>) -> String {
    match folder {
        None => "The folder is being tested.".to_owned(),
        Some(Folder::Exclusive { is_slow: false }) => {
            "Exclusive: one workstation at a time runs this workspace.".to_owned()
        }
        Some(Folder::Exclusive { is_slow: true }) => {
            "Exclusive, slow: one workstation at a time runs this workspace, and what you see of it may be old."
                .to_owned()
        }
        Some(Folder::Advisory { why, .. }) => {
            format!("Advisory: two workstations may both believe that they have control. {why}")
        }
        Some(Folder::Unfit(why)) => why.clone(),
        Some(Folder::Vanished) => "The workspace folder is not there.".to_owned(),
    }
}

/// Draws the dialog.
pub fn show(ui: &Ui, seat: &Seat, actions: &mut Vec<Action>) {
    let screen = ui.ctx().content_rect();
    let theme = Theme::of(ui.ctx());
    let mut policy = seat.policy.clone();
    let response = widgets::modal(ui, "policy").show(ui.ctx(), |ui| {
        ui.set_width((screen.width() - 80.0).min(520.0));
        title_ui(ui, &format!("Control of ‘{}’ on this workstation", seat.name));
        let scroll = ScrollArea::vertical().max_height(screen.height() - 200.0);
        scroll.auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 5.0;
            widgets::seen_marks(ui);
            heading_ui(ui, "The folder");
            widgets::note_ui(ui, &folder_words(seat.status.folder.as_ref()), false, theme.dim);
            heading_ui(ui, "Taking control");
            ui.checkbox(
                &mut policy.claims_when_free,
                "Take control when nobody has it",
            );
            ui.checkbox(
                &mut policy.takes_over,
                "Take over without asking when the owner is silent",
            );
            widgets::note_ui(
                ui,
                "After 90 seconds without a sign of life, as this workstation saw it.",
                true,
                theme.dim,
            );
            ui.checkbox(
                &mut policy.resumes,
                "Go on with automation when control comes here",
            );
            heading_ui(ui, "When another workstation asks, and nobody answers within a minute");
            for (answer, name) in ANSWERS {
                ui.radio_value(&mut policy.answer, answer, name);
            }
            heading_ui(ui, "When the folder is away");
            ui.checkbox(
                &mut policy.finishes_when_away,
                "Let running nodes finish",
            );
            let colour = match policy.finishes_when_away {
                true => theme.warning(),
                false => theme.dim,
            };
            widgets::note_ui(
                ui,
                "Control is not exclusive then: another workstation may take over after 90 seconds and run the same \
                 nodes while they still run here. Without it, nodes are stopped when the folder is away for a minute.",
                true,
                colour,
            );
        });
        ui.add_space(space::M);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if Button::new("Close").show(ui).clicked() {
                actions.push(Action::Answer(Answer::Cancel));
            }
        });
    });
    if policy != seat.policy {
        ask(seat, Act::SetPolicy(policy), actions);
    }
    if response.backdrop_response.clicked() {
        actions.push(Action::Answer(Answer::Cancel));
    }
}

fn heading_ui(ui: &mut Ui, text: &str) {
    ui.add_space(space::S);
    widgets::field_label(ui, text);
}
