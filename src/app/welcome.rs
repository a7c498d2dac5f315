//! Calm pages for when there is no flow to show: nothing configured, nothing open, loading, broken.

use std::path::Path;

use egui::{Align, Layout, RichText, Ui, Vec2};

use crate::runtime::Board;

use crate::model::Timestamp;

use super::action::{Action, TabId, Verb};
use super::icons::{self, Icon};
use super::theme::{Theme, regular, semibold, size, space};
use super::verbs;
use super::view::View;
use super::widgets::Button;

/// The page when no tab is open.
pub fn welcome_ui(ui: &mut Ui, view: &View, board: &Board, actions: &mut Vec<Action>) {
    let configured = view.settings.collection.is_some() || board.catalog.root.is_some();
    if configured {
        page(
            ui,
            Icon::Flow,
            "No flow is open",
            "Choose one in the sidebar, or begin a new one.",
            |ui| {
                for verb in [Verb::NewFlow, Verb::Open, Verb::CommandPalette] {
                    verb_row(ui, verb, actions);
                }
            },
        );
    } else {
        page(
            ui,
            Icon::Flow,
            "Handmill",
            "Draw shell workflows by hand, run them by key, read every node's log.",
            |ui| {
                let example = Button::new("Open the example").primary().icon(Icon::Play);
                if centred(ui, |ui| example.show(ui).clicked()) {
                    actions.push(Action::OpenExample);
                }
                ui.add_space(space::S);
                for verb in [
                    Verb::ChooseCollection,
                    Verb::SetUpWorkspace,
                    Verb::Open,
                    Verb::NewFlow,
                ] {
                    verb_row(ui, verb, actions);
                }
            },
        );
    }
}

/// The page while a file is being read.
pub fn loading_ui(ui: &mut Ui, path: &Path) {
    let path = path.display().to_string();
    page(ui, Icon::Clock, "Reading the workfile…", &path, |_| {});
}

/// The page of a file that cannot be read.
pub fn broken_ui(
    ui: &mut Ui,
    (path, broken): (&Path, &super::ports::Broken),
    tab: TabId,
    now: Timestamp,
    zone: &jiff::tz::TimeZone,
    actions: &mut Vec<Action>,
) {
    page(
        ui,
        Icon::Error,
        "This workfile cannot be opened",
        &broken.why,
        |ui| {
            let theme = Theme::of(ui.ctx());
            ui.label(
                RichText::new(path.display().to_string())
                    .font(super::theme::mono(size::SMALL))
                    .color(theme.faint),
            );
            ui.add_space(space::M);
            super::safety::broken_help_ui(ui, broken, tab, now, zone, actions);
            let again = Button::new("Try again");
            if centred(ui, |ui| again.show(ui).clicked()) {
                actions.push(Action::OpenPath(path.to_owned()));
            }
            ui.add_space(space::XS);
            let close = Button::new("Close").flat();
            if centred(ui, |ui| close.show(ui).clicked()) {
                actions.push(Action::CloseTab(tab));
            }
        },
    );
}

fn page(ui: &mut Ui, icon: Icon, title: &str, text: &str, more: impl FnOnce(&mut Ui)) {
    let theme = Theme::of(ui.ctx());
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.28).max(16.0));
        let (rect, _) = ui.allocate_exact_size(Vec2::splat(34.0), egui::Sense::hover());
        icons::paint(ui.painter(), rect, icon, theme.faint);
        ui.add_space(space::M);
        ui.label(RichText::new(title).font(semibold(18.0)).color(theme.text));
        ui.add_space(space::XS);
        ui.scope(|ui| {
            ui.set_max_width(ui.available_width().min(520.0));
            ui.label(RichText::new(text).font(regular(size::UI)).color(theme.dim));
        });
        ui.add_space(space::XL);
        more(ui);
    });
}

fn verb_row(ui: &mut Ui, verb: Verb, actions: &mut Vec<Action>) {
    let entry = verbs::entry(verb);
    let mac = ui.ctx().os().is_mac();
    let mut button = Button::new(entry.name).tooltip(entry.tooltip).flat();
    button.key = entry.keys.first().map(|key| key.short_label(mac));
    if centred(ui, |ui| button.show(ui).clicked()) {
        actions.push(Action::Do(verb));
    }
}

/// Buttons allocate their own width, so a centred column centres them.
fn centred<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    ui.with_layout(Layout::top_down(Align::Center), add).inner
}
