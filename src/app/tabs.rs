//! The row of open flows over the canvas.

use egui::{
    CornerRadius, Rect, ScrollArea, Sense, Stroke, Ui, Vec2, WidgetInfo, WidgetType, pos2, vec2,
};

use super::action::Action;
use super::icons::{self, Icon};
use super::theme::{Theme, regular, size};
use super::view::{Tab, View};
use super::widgets;

/// Draws the row.
pub fn tabs_ui(ui: &mut Ui, view: &View, actions: &mut Vec<Action>) {
    ScrollArea::horizontal()
        .scroll_bar_visibility(egui::scroll_area::ScrollBarVisibility::AlwaysHidden)
        .auto_shrink([false, true])
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 0.0;
                ui.add_space(8.0);
                for tab in &view.tabs {
                    tab_ui(ui, tab, view.shown == Some(tab.id), actions);
                }
            });
        });
}

fn tab_ui(ui: &mut Ui, tab: &Tab, shown: bool, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let title = tab.title();
    let ink = if shown { theme.text } else { theme.dim };
    let galley = widgets::galley(ui, &title, regular(size::UI), ink, 180.0);
    // Room for the mark and the cross is always kept, so nothing jumps.
    let desired = vec2(galley.size().x + 44.0, 30.0);
    let (rect, response) = ui.allocate_exact_size(desired, Sense::click());
    if shown {
        let radius = CornerRadius {
            nw: size::RADIUS,
            ne: size::RADIUS,
            sw: 0,
            se: 0,
        };
        ui.painter().rect(
            rect,
            radius,
            theme.bg,
            Stroke::new(1.0, theme.line),
            egui::StrokeKind::Inside,
        );
        let foot = Rect::from_min_max(
            pos2(rect.left() + 1.0, rect.bottom() - 1.0),
            pos2(rect.right() - 1.0, rect.bottom() + 1.0),
        );
        ui.painter().rect_filled(foot, 0, theme.bg);
        response.scroll_to_me(None);
    } else if response.hovered() {
        ui.painter()
            .rect_filled(rect.shrink2(vec2(0.0, 3.0)), size::RADIUS, theme.hover());
    }
    let top = (rect.center().y - galley.size().y / 2.0).round();
    ui.painter()
        .galley(pos2(rect.left() + 12.0, top), galley, ink);

    let end = Rect::from_center_size(
        pos2(rect.right() - 16.0, rect.center().y),
        Vec2::splat(18.0),
    );
    let close = ui.interact(end, response.id.with("close"), Sense::click());
    let over = response.hovered() || close.hovered();
    if close.hovered() {
        ui.painter().rect_filled(end, 4, theme.line);
    }
    if tab.is_dirty() && !close.hovered() {
        icons::paint(ui.painter(), end.shrink(5.5), Icon::Dot, theme.text);
    } else if over || shown {
        icons::paint(ui.painter(), end.shrink(3.0), Icon::Close, theme.dim);
    }
    let name = if tab.is_dirty() {
        format!("{title}, unsaved")
    } else {
        title.clone()
    };
    widgets::focus_ring(ui, &response, rect);
    response.widget_info(|| {
        WidgetInfo::selected(
            WidgetType::SelectableLabel,
            true,
            shown,
            format!("Tab {name}"),
        )
    });
    close.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, format!("Close {title}")));
    if close.clicked() || response.middle_clicked() {
        actions.push(Action::CloseTab(tab.id));
    } else if response.clicked() {
        actions.push(Action::ShowTab(tab.id));
    }
    let path = tab.path.display().to_string();
    if !path.is_empty() {
        response.on_hover_text(path);
    }
}
