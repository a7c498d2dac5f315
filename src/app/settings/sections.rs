//! What stands in each section of the page.

use std::path::PathBuf;

use egui::{RichText, Ui};

use crate::app::action::{Action, Verb};
use crate::app::icons::Icon;
use crate::app::kill::{Kill, Names, Target, counted};
use crate::app::memory::{Settings, ThemeChoice};
use crate::app::theme::{Theme, semibold, size, space};
use crate::app::widgets::{self, Button, Row};
use crate::app::window::App;
use crate::runtime::KillScope;

use super::diagnostics::diagnostics_ui;
use super::field::{bytes, note, number};
use super::resources::resources_ui;
use super::{Page, Section};

/// Longest grace that may be set, in seconds: an hour.
const GRACE_MAX: u32 = 3_600;
/// Most nodes at once that may be set.
const SLOTS_MAX: u32 = 10_000;
/// Most days that may be set: a century.
const DAYS_MAX: u32 = 36_500;

/// Running nodes of one run listed before the rest is counted.
const NODES_MAX: usize = 50;

/// Draws the section that is chosen.
pub fn section_ui(ui: &mut Ui, app: &App, page: &mut Page, actions: &mut Vec<Action>) {
    let title = RichText::new(page.section.title()).font(semibold(size::UI));
    ui.label(title);
    let mut now = app.view.settings.clone();
    match page.section {
        Section::Collection => collection_ui(ui, app, page, &mut now, actions),
        Section::Look => look_ui(ui, &mut now),
        Section::Runs => runs_ui(ui, page, &mut now),
        Section::History => history_ui(ui, page, &mut now),
        Section::Resources => resources_ui(ui, &mut page.resources, actions),
        Section::Diagnostics => diagnostics_ui(ui, page, actions),
        Section::KillSwitch => kill_ui(ui, app, actions),
    }
    if now != app.view.settings {
        actions.push(Action::Configure(Box::new(now)));
    }
}

fn collection_ui(
    ui: &mut Ui,
    app: &App,
    page: &mut Page,
    now: &mut Settings,
    actions: &mut Vec<Action>,
) {
    let theme = Theme::of(ui.ctx());
    let help =
        "The folder that holds your workspaces. Nothing is made or changed in it by choosing it.";
    let typed = page.collection.show(ui, "Folder", ("none", help), |text| {
        let path = PathBuf::from(text);
        match text {
            "" => Ok(None),
            _ if path.is_absolute() => Ok(Some(path)),
            _ => Err("Write the whole path, from the root of the disk.".to_owned()),
        }
    });
    if let Some(folder) = typed {
        now.collection = folder;
    }
    let catalog = &app.board.catalog;
    if now.collection.is_some() && catalog.root == now.collection {
        let n_flows: usize = catalog.workspaces.iter().map(|w| w.flows.len()).sum();
        match catalog.trouble.as_str() {
            "" => {
                let count = |n: usize, one: &str| match n {
                    1 => format!("1 {one}"),
                    n => format!("{n} {one}s"),
                };
                let workspaces = count(catalog.workspaces.len(), "workspace");
                let found = format!("{workspaces} and {} found.", count(n_flows, "flow"));
                note(ui, &found, theme.dim);
            }
            why => note(ui, why, theme.error()),
        }
    }
    ui.add_space(space::S);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        let choose = Button::new("Choose a folder…").icon(Icon::Folder);
        if choose.show(ui).clicked() {
            actions.push(Action::Do(Verb::ChooseCollection));
        }
        if Button::new("Open the example").show(ui).clicked() {
            actions.push(Action::OpenExample);
        }
        let mut none = Button::new("Use none");
        none.disabled = now.collection.is_none().then(|| "There is none".to_owned());
        if none.show(ui).clicked() {
            now.collection = None;
        }
    });
}

fn look_ui(ui: &mut Ui, now: &mut Settings) {
    widgets::field_label(ui, "Theme");
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::L;
        for choice in [ThemeChoice::System, ThemeChoice::Dark, ThemeChoice::Light] {
            ui.radio_value(&mut now.theme, choice, choice.name());
        }
    });
    let dim = Theme::of(ui.ctx()).dim;
    note(
        ui,
        "System follows what your desktop says, also when that changes.",
        dim,
    );
}

fn runs_ui(ui: &mut Ui, page: &mut Page, now: &mut Settings) {
    let cores = crate::app::perform::cores();
    let cores = format!("{cores}, as many as there are cores");
    let help = "How many nodes may run at the same time, over all flows. Live runs follow at once.";
    let slots = |text: &str| number(text, 1, SLOTS_MAX);
    if let Some(slots) = page.slots.show(ui, "Slots", (&cores, help), slots) {
        now.slots = slots;
    }
    let help = "Seconds that a node has to end by itself when it is stopped, before it is forced.";
    let grace = |text: &str| number(text, 0, GRACE_MAX);
    if let Some(grace) = page.grace.show(ui, "Grace", ("5", help), grace) {
        now.grace_s = grace;
    }
    let help =
        "Runs the commands of flows that name no shell of their own. Applies to the next run.";
    let shell = |text: &str| Ok(text.to_owned());
    if let Some(shell) = page.shell.show(ui, "Shell", ("bash, else sh", help), shell) {
        now.shell = shell;
    }
}

fn history_ui(ui: &mut Ui, page: &mut Page, now: &mut Settings) {
    let help =
        "Days that a run is kept after its end. Failed runs are kept twice as long. 0 keeps all.";
    let days = |text: &str| number(text, 0, DAYS_MAX);
    if let Some(days) = page.days.show(ui, "Keep runs for", ("7", help), days) {
        now.retention_days = days;
    }
    let help = "Room that the logs of one workspace may take. Beyond it the oldest logs go and their runs stay listed. 0 sets no bound.";
    if let Some(most) = page
        .log_bytes
        .show(ui, "Keep logs up to", ("20 GiB", help), bytes)
    {
        now.log_bytes_max = most;
    }
    ui.add_space(space::S);
    widgets::field_label(ui, "Workfiles");
    ui.checkbox(&mut now.keep_results, "Keep results in the workfile");
    let help = "After a run, the status and exit code of its nodes are written into the file that was run, for those \
                who share it with other programs. Nothing else in it changes, and no output is written. Off, \
                results are on this machine only.";
    note(ui, help, Theme::of(ui.ctx()).dim);
}

fn kill_ui(ui: &mut Ui, app: &App, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let help = "Ends what runs, with everything that it started, without waiting for it. You are asked first and told what was ended.";
    note(ui, help, theme.dim);
    ui.add_space(space::S);
    let everything = Kill::of(KillScope::Everything, &app.board, &app.view as &dyn Names);
    let mut all = Button::new("Kill everything…").icon(Icon::Stop).danger();
    if everything.is_none() {
        all.disabled = Some("Nothing is running".to_owned());
    }
    if all.show(ui).clicked() {
        actions.push(Action::Do(Verb::KillAll));
    }
    ui.add_space(space::S);
    let Some(everything) = everything else {
        note(ui, "Nothing is running.", theme.dim);
        return;
    };
    widgets::field_label(ui, "Or one run, or one node of it");
    ui.spacing_mut().item_spacing.y = 1.0;
    for target in &everything.targets {
        run_ui(ui, target, actions);
    }
}

/// A live run and its running nodes, each to be killed alone.
fn run_ui(ui: &mut Ui, target: &Target, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let row = Row {
        text: &target.title,
        name: Some(format!("Kill the run of {}…", target.title)),
        icon: Some((Icon::Stop, theme.error())),
        detail: &counted(target.nodes.len(), "running node"),
        ..Row::default()
    };
    if row.show(ui).clicked() {
        actions.push(Action::Kill(KillScope::Run(target.flow.clone())));
    }
    for (node, name) in target.nodes.iter().take(NODES_MAX) {
        let row = Row {
            text: name,
            name: Some(format!("Kill node {name} of {}…", target.title)),
            icon: Some((Icon::Stop, theme.dim)),
            indent: 21.0,
            ..Row::default()
        };
        if row.show(ui).clicked() {
            let scope = KillScope::Nodes(target.flow.clone(), vec![node.clone()]);
            actions.push(Action::Kill(scope));
        }
    }
    if let Some(more) = target.nodes.len().checked_sub(NODES_MAX).filter(|n| *n > 0) {
        let more = format!("and {more} more; kill them from the canvas");
        note(ui, &more, theme.dim);
    }
}
