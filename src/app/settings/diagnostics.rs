//! The section that shows how this machine and its folders are: the rows of `handmill doctor`.

use egui::{Color32, Label, RichText, Ui, Vec2};

use crate::app::action::Action;
use crate::app::icons::{self, Icon};
use crate::app::theme::{Theme, regular, semibold, size, space};
use crate::app::widgets::{self, Button};
use crate::model::NodeStatus;
use crate::runtime::health::{Row, State};

use super::{Health, Page};

/// Draws the rows, and has them looked for when the section is opened.
pub fn diagnostics_ui(ui: &mut Ui, page: &mut Page, actions: &mut Vec<Action>) {
    if matches!(page.health, Health::Unasked) {
        page.health = Health::Looking;
        actions.push(Action::Diagnose);
    }
    let Health::Seen(rows) = &page.health else {
        widgets::empty_state(ui, "Looking at this machine and its folders…", "");
        return;
    };
    let mut again = false;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        again = Button::new("Look again").show(ui).clicked();
        let copy = Button::new("Copy as text").icon(Icon::Copy);
        let copy = copy.tooltip("What `handmill doctor` prints");
        if copy.show(ui).clicked() {
            actions.push(Action::CopyText(text_of(rows)));
        }
    });
    ui.add_space(space::XS);
    for row in rows {
        row_ui(ui, row);
    }
    if again {
        page.health = Health::Unasked;
    }
}

fn row_ui(ui: &mut Ui, row: &Row) {
    let theme = Theme::of(ui.ctx());
    let (icon, colour) = sign(row.state, &theme);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(16.0), egui::Sense::hover());
        icons::paint(ui.painter(), rect.shrink(1.5), icon, colour);
        let name = format!("{}: {}", row.what, row.state.word());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Label, true, &name));
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = space::XXS;
            ui.label(RichText::new(&row.what).font(semibold(size::SMALL)));
            let words =
                |text: &str, colour| RichText::new(text).font(regular(size::SMALL)).color(colour);
            ui.add(Label::new(words(&row.text, theme.text)).wrap());
            if !row.remedy.is_empty() {
                ui.add(Label::new(words(&row.remedy, theme.dim)).wrap());
            }
        });
    });
    ui.add_space(space::XS);
}

fn sign(state: State, theme: &Theme) -> (Icon, Color32) {
    match state {
        State::Ok => (Icon::Status(NodeStatus::Ran), theme.status(NodeStatus::Ran)),
        State::Warn => (Icon::Warning, theme.warning()),
        State::Bad => (Icon::Error, theme.error()),
    }
}

fn text_of(rows: &[Row]) -> String {
    let lines = rows.iter().map(|row| {
        let remedy = if row.remedy.is_empty() {
            String::new()
        } else {
            format!(" {}", row.remedy)
        };
        format!(
            "{:4}  {}: {}.{remedy}",
            row.state.word(),
            row.what,
            row.text
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}
