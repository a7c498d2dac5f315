//! Which dialogs of control there are, and what is asked for.

use egui::{Align, Label, Layout, RichText, Ui};

use crate::app::action::{Action, Answer};
use crate::app::theme::{Theme, semibold, size, space};
use crate::app::widgets::{self, Button};
use crate::app::window::App;
use crate::runtime::control::{MachineId, Policy, When, Wish};

use super::leave::Leave;
use super::seat::{Seat, seat_of};
use super::{about, import, policy, take_over};

/// What is asked for, of a workspace.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Have the runtime do this.
    Wish(Wish),
    /// Ask whether control is to be taken over.
    AskTakeOver,
    /// Ask when control is to be given up, and for whom: the machine and its name. The second is proposed.
    AskLeave(Option<(MachineId, String)>, When),
    /// Ask whether what another program left is to be taken over.
    AskImport,
    /// Explain what is wrong, or cannot be promised.
    Explain,
    /// Show what holds for control.
    ShowPolicy,
    /// This holds from now on.
    SetPolicy(Policy),
}

/// A dialog about control of the workspace shown.
pub enum Page {
    /// Take over: really?
    TakeOver,
    /// Give control up: when?
    Leave(Leave),
    /// Take over what another program left: really?
    Import,
    /// What is wrong, or cannot be promised.
    About,
    /// What holds for control.
    Policy,
}

impl Page {
    /// Draws it.
    pub fn show(&mut self, ui: &Ui, app: &App, actions: &mut Vec<Action>) {
        // The workspace may have gone while the dialog stood.
        let Some(seat) = seat_of(&app.view, &app.board) else {
            actions.push(Action::Answer(Answer::Cancel));
            return;
        };
        match self {
            Self::TakeOver => take_over::show(ui, &seat, actions),
            Self::Leave(page) => page.show(ui, &seat, actions),
            Self::Import => import::show(ui, &seat, actions),
            Self::About => about::show(ui, &seat, actions),
            Self::Policy => policy::show(ui, &seat, actions),
        }
    }
}

/// Asks for something of the seat's workspace.
pub(super) fn ask(seat: &Seat, act: Act, actions: &mut Vec<Action>) {
    actions.push(Action::Control(seat.workspace.clone(), act));
}

/// A dialog's heading.
pub(super) fn title_ui(ui: &mut Ui, text: &str) {
    ui.add(Label::new(RichText::new(text).font(semibold(size::TITLE))).wrap());
    ui.add_space(space::S);
}

/// A paragraph.
pub(super) fn words_ui(ui: &mut Ui, text: &str, colour: egui::Color32) {
    ui.add(Label::new(RichText::new(text).color(colour)).wrap());
}

/// A paragraph under a small heading.
pub(super) fn part_ui(ui: &mut Ui, label: &str, text: &str) {
    let theme = Theme::of(ui.ctx());
    widgets::field_label(ui, label);
    words_ui(ui, text, theme.text);
}

/// The buttons at the foot of a dialog, from the right; true when the main one was pressed. Enter takes the one that
/// has the keyboard, and what ends or overrules something never has it at first.
pub(super) fn foot_ui(ui: &mut Ui, main: Button<'_>, actions: &mut Vec<Action>) -> bool {
    ui.add_space(space::L);
    let layout = Layout::right_to_left(Align::Center);
    ui.with_layout(layout, |ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        let is_safe = main.primary && main.disabled.is_none();
        let main = main.show(ui);
        let cancel = Button::new("Cancel").show(ui);
        if ui.memory(|memory| memory.focused().is_none()) {
            if is_safe { &main } else { &cancel }.request_focus();
        }
        if cancel.clicked() {
            actions.push(Action::Answer(Answer::Cancel));
        }
        main.clicked()
    })
    .inner
}
