//! Why there is no workspace to show, or only one as it was, and what to do.

use egui::{RichText, Sense, Stroke, Ui, vec2};

use crate::app::action::{Action, Verb};
use crate::app::icons::{self, Icon};
use crate::app::theme::{Theme, regular, semibold, size, space};
use crate::app::verbs;
use crate::app::view::View;
use crate::app::widgets::{self, Button};
use crate::model::Catalog;

use super::others::rejected_ui;

/// There is no workspace to show: why, and what to do.
pub(super) fn no_workspace_ui(
    ui: &mut Ui,
    view: &View,
    catalog: &Catalog,
    actions: &mut Vec<Action>,
) {
    let configured = view.settings.collection.is_some() || catalog.root.is_some();
    if !catalog.trouble.is_empty() {
        let hint = format!("{}\nIt is looked for again by itself.", catalog.trouble);
        widgets::empty_state(ui, "The collection is away", &hint);
    } else if catalog.root.is_some() {
        let hint = "A workspace is a folder with flow_modules in it.";
        widgets::empty_state(ui, "No workspaces here", hint);
    } else if configured {
        widgets::empty_state(ui, "Looking through the collection…", "");
    } else {
        let hint = "Choose the folder that holds your workspaces.";
        widgets::empty_state(ui, "Workspace folder is not configured.", hint);
    }
    ui.add_space(space::M);
    ui.vertical_centered(|ui| {
        let choose = Button::new("Choose a folder…").icon(Icon::Folder);
        if choose.show(ui).clicked() {
            actions.push(Action::Do(Verb::ChooseCollection));
        }
        if !configured {
            // The page beside it offers the rest.
            return;
        }
        ui.add_space(space::S);
        let set_up = Button::new("Set up a workspace here…").icon(Icon::Plus);
        let tooltip = verbs::entry(Verb::SetUpWorkspace).tooltip;
        if set_up.flat().tooltip(tooltip).show(ui).clicked() {
            actions.push(Action::Do(Verb::SetUpWorkspace));
        }
    });
    ui.add_space(space::L);
    rejected_ui(ui, catalog);
}

/// The root is away, and what was known of it is still shown.
pub(super) fn away_ui(ui: &mut Ui, trouble: &str, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    egui::Frame::new()
        .fill(theme.raised)
        .stroke(Stroke::new(1.0, theme.line))
        .corner_radius(size::RADIUS)
        .inner_margin(egui::Margin::same(8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 6.0;
                let (at, _) = ui.allocate_exact_size(vec2(13.0, 16.0), Sense::hover());
                icons::paint(ui.painter(), at, Icon::Warning, theme.warning());
                ui.label(RichText::new("The collection is away").font(semibold(size::UI)));
            });
            let text =
                format!("{trouble}\nShown as it was read last. It is looked for again by itself.");
            let text = RichText::new(text)
                .font(regular(size::SMALL))
                .color(theme.dim);
            ui.add(egui::Label::new(text).wrap());
            ui.add_space(space::XS);
            if Button::new("Choose a folder…").show(ui).clicked() {
                actions.push(Action::Do(Verb::ChooseCollection));
            }
        });
    ui.add_space(space::S);
}
