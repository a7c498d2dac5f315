//! What stands over the window and asks: save before closing, quit, replace, wrapper, settings, all keys.

mod ask;
mod give;
mod keys;
mod kill;
mod quit;
mod wrapper;

use egui::Ui;

use super::action::{Action, Answer, TabId};
use super::path_dialog::List;
use super::settings;
use super::view::Dialog;
use super::window::App;

pub use give::Give;

use ask::{Choice, Question, ask_ui};

/// Draws the open dialog; gives the folder whose list the path dialog wants.
pub fn dialogs_ui(ui: &Ui, app: &mut App) -> Option<List> {
    let mut dialog = app.view.dialog.take()?;
    let mut list = None;
    let mut actions = Vec::new();
    match &mut dialog {
        Dialog::Close(id) => close_ui(ui, app, *id, &mut actions),
        Dialog::QuitRunning => quit::quit_ui(ui, app, &mut actions),
        Dialog::Replace(_, path) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let question = Question {
                what: &format!("‘{name}’ is there already. Replace it?"),
                lines: &[],
                hint: "What it holds now is lost.",
                choices: &[
                    Choice::danger("Replace", Answer::Save),
                    Choice::new("Cancel", Answer::Cancel),
                ],
            };
            ask_ui(ui, &question, &mut actions);
        }
        Dialog::Path(dialog) => list = dialog.show(ui, &mut actions),
        Dialog::Wrapper(text) => wrapper::wrapper_ui(ui, app, text, &mut actions),
        Dialog::Settings(page) => settings::page_ui(ui, app, page, &mut actions),
        Dialog::Kill(kill) => kill::kill_ui(ui, kill, &mut actions),
        Dialog::Killing => kill::killing_ui(ui, app, &mut actions),
        Dialog::Give(give) => give::give_ui(ui, give, &mut actions),
        Dialog::Keys => keys::keys_ui(ui, &mut actions),
        Dialog::Safety(page) => page.show(ui, app, &mut actions),
        Dialog::Control(page) => page.show(ui, app, &mut actions),
    }
    // What the dialog asked for is carried out while it still stands.
    app.view.dialog = Some(dialog);
    app.parts().2.extend(actions);
    list
}

fn close_ui(ui: &Ui, app: &mut App, id: TabId, actions: &mut Vec<Action>) {
    let title = app.view.tab_of(id).map(|tab| tab.title());
    let title = title.unwrap_or_default();
    // A flow that is not on the screen is told by its workspace, too.
    let away = app.view.away_with(id);
    let workspaces = &app.board.catalog.workspaces;
    let place = away.map(|away| match workspaces.iter().find(|w| w.id == *away) {
        Some(workspace) => format!(" in {}", workspace.name),
        None => format!(" in {away}"),
    });
    let place = place.unwrap_or_default();
    let question = Question {
        what: &format!("Save the changes to ‘{title}’{place}?"),
        lines: &[],
        hint: "They are lost if you don't save them.",
        choices: &[
            Choice::new("Save", Answer::Save),
            Choice::danger("Don't save", Answer::Discard),
            Choice::new("Cancel", Answer::Cancel),
        ],
    };
    ask_ui(ui, &question, actions);
}
