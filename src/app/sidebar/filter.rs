//! The field that flows are looked for in.

use egui::{Stroke, StrokeKind, TextEdit, Ui, WidgetInfo, WidgetType, pos2, vec2};

use crate::app::action::Verb;
use crate::app::theme::{Theme, regular};
use crate::app::verbs;
use crate::app::view::View;
use crate::app::widgets;

pub(super) fn filter_ui(ui: &mut Ui, view: &mut View) {
    let theme = Theme::of(ui.ctx());
    let response = ui.add(
        TextEdit::singleline(&mut view.flow_filter)
            .id(egui::Id::new("find flow"))
            .hint_text("Find flow…")
            .margin(widgets::field_margin())
            .desired_width(f32::INFINITY),
    );
    response.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, "Find flow"));
    if std::mem::take(&mut view.focus_flow_filter) {
        response.request_focus();
    }
    if response.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Escape)) {
        view.flow_filter.clear();
    }
    if view.flow_filter.is_empty() && !response.has_focus() {
        let mac = ui.ctx().os().is_mac();
        let key = verbs::entry(Verb::FindFlow).keys[0].short_label(mac);
        let galley = widgets::galley(ui, &key, regular(10.5), theme.dim, 80.0);
        let cap = egui::Rect::from_min_size(
            pos2(
                response.rect.right() - galley.size().x - 16.0,
                response.rect.center().y - 8.5,
            ),
            vec2(galley.size().x + 8.0, 17.0),
        );
        let line = Stroke::new(1.0, theme.line);
        ui.painter().rect_stroke(cap, 4, line, StrokeKind::Inside);
        let top = (cap.center().y - galley.size().y / 2.0).round();
        ui.painter()
            .galley(pos2(cap.left() + 4.0, top), galley, theme.dim);
    }
}
