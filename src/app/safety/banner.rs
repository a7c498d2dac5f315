//! The strips over the canvas about what a crash or another program left, and what may help a file that cannot be
//! opened.

use egui::Ui;

use crate::app::action::{Action, BannerAct, TabId};
use crate::app::banner::strip_ui;
use crate::app::icons::Icon;
use crate::app::ports::Broken;
use crate::app::theme::Theme;
use crate::app::view::View;
use crate::app::when;
use crate::app::widgets::Button;
use crate::editor::DiskState;
use crate::model::Timestamp;

use super::Act;

/// Draws a strip for each thing that waits.
pub fn trail_ui(ui: &mut Ui, view: &View, now: Timestamp, actions: &mut Vec<Action>) {
    let Some(tab) = view.tab() else {
        return;
    };
    let theme = Theme::of(ui.ctx());
    let mut act = |act| actions.push(Action::Safety(act));
    if let Some(unsaved) = &tab.trail.unsaved {
        let when = when::day_and_time_inside(unsaved.at, now, &view.zone);
        let torn = match unsaved.torn {
            true => " The last one could not be read.",
            false => "",
        };
        let what = match unsaved.n_steps {
            1 => format!("An edit of {when} was not saved.{torn}"),
            n => format!("{n} edits of {when} were not saved.{torn}"),
        };
        let names = ["Restore", "Show difference", "Discard"];
        match strip_ui(ui, (Icon::Info, theme.accent), &what, &names) {
            Some(0) => act(Act::Restore),
            Some(1) => act(Act::ShowUnsaved),
            Some(_) => act(Act::DropUnsaved),
            None => {}
        }
    }
    if !tab.trail.came.is_empty() {
        let what = match tab.trail.came.len() {
            1 => "Another program changed this workfile. Its change stands beside yours now."
                .to_owned(),
            n => format!(
                "Another program changed this workfile. Its {n} changes stand beside yours now."
            ),
        };
        match strip_ui(ui, (Icon::Info, theme.accent), &what, &["Show", "Close"]) {
            Some(0) => act(Act::ShowCame),
            Some(_) => act(Act::CloseCame),
            None => {}
        }
    }
    let changed = tab
        .doc()
        .is_some_and(|doc| matches!(doc.disk, DiskState::Changed { .. }));
    if changed || tab.trail.unreadable.is_some() {
        let (what, acts): (String, &[(&str, BannerAct)]) = match &tab.trail.unreadable {
            Some(why) => (
                format!("Another program changed this workfile, and it cannot be read now. {why}"),
                &[
                    ("Look again", BannerAct::Look),
                    ("Keep mine", BannerAct::KeepMine),
                    ("Save a copy", BannerAct::SaveCopy),
                ],
            ),
            None => (
                "Another program changed the same things as you.".to_owned(),
                &[
                    ("Choose…", BannerAct::Settle),
                    ("Keep mine", BannerAct::KeepMine),
                    ("Save a copy", BannerAct::SaveCopy),
                ],
            ),
        };
        let names: Vec<&str> = acts.iter().map(|(name, _)| *name).collect();
        if let Some(at) = strip_ui(ui, (Icon::Warning, theme.warning()), &what, &names) {
            actions.push(Action::Banner(acts[at].1));
        }
    }
}

/// Buttons for a workfile that cannot be opened: what may help.
pub fn broken_help_ui(
    ui: &mut Ui,
    broken: &Broken,
    tab: TabId,
    now: Timestamp,
    zone: &jiff::tz::TimeZone,
    actions: &mut Vec<Action>,
) {
    let help = &broken.help;
    let mut offers: Vec<(String, Act)> = Vec::new();
    if help.in_conflict {
        offers.push(("Merge both sides…".to_owned(), Act::TakeApart(tab)));
    }
    if let Some(unsaved) = &help.unsaved {
        let when = when::day_and_time_inside(unsaved.at, now, zone);
        let name = format!("Open what was not saved {when}");
        offers.push((name, Act::OpenUnsaved(tab)));
    }
    if let Some(backup) = help.backup.as_ref().filter(|_| !help.in_conflict) {
        let when = when::day_and_time_inside(backup.written, now, zone);
        let name = format!("Put back the version of {when}");
        offers.push((name, Act::PutBack(tab, backup.clone())));
    }
    for (at, (name, act)) in offers.into_iter().enumerate() {
        let mut button = Button::new(&name);
        button.primary = at == 0;
        let layout = egui::Layout::top_down(egui::Align::Center);
        if ui.with_layout(layout, |ui| button.show(ui).clicked()).inner {
            actions.push(Action::Safety(act));
        }
        ui.add_space(crate::app::theme::space::XS);
    }
}
