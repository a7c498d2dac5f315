//! A button.

use egui::{
    Color32, CornerRadius, Rect, Response, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo,
    WidgetType, pos2, vec2,
};

use crate::app::icons::{self, Icon};
use crate::app::theme::{Theme, regular, semibold, size, space};

use super::focus::focus_ring;
use super::text::galley;

/// A button.
#[derive(Clone, Debug)]
pub struct Button<'a> {
    /// What it says, and its name in the accessibility tree.
    pub text: &'a str,
    /// Its name there, when the text alone does not tell; empty when it does.
    pub name: &'a str,
    /// Before the text.
    pub icon: Option<Icon>,
    /// The key that does the same, in a cap behind the text.
    pub key: Option<String>,
    /// The main action of its place.
    pub primary: bool,
    /// It destroys or ends something for good.
    pub danger: bool,
    /// Why it cannot be pressed; `None` when it can.
    pub disabled: Option<String>,
    /// What it does.
    pub tooltip: &'a str,
    /// Shows the icon only; the text is its name.
    pub bare: bool,
    /// Paints no frame until the pointer is over it.
    pub flat: bool,
}

impl<'a> Button<'a> {
    /// Room that a plain button with this text takes in a row, with the gap beside it.
    pub fn room(ui: &Ui, text: &str) -> f32 {
        let galley = galley(ui, text, regular(size::UI), Color32::WHITE, f32::INFINITY);
        galley.size().x + 22.0 + space::S
    }

    /// A button that says `text`.
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            name: "",
            icon: None,
            key: None,
            primary: false,
            danger: false,
            disabled: None,
            tooltip: "",
            bare: false,
            flat: false,
        }
    }

    /// With a name of its own in the accessibility tree.
    pub fn name(mut self, name: &'a str) -> Self {
        self.name = name;
        self
    }

    /// With an icon before the text.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// With an icon instead of the text.
    pub fn bare(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self.bare = true;
        self
    }

    /// Without a frame at rest.
    pub fn flat(mut self) -> Self {
        self.flat = true;
        self
    }

    /// As the main action of its place.
    pub fn primary(mut self) -> Self {
        self.primary = true;
        self
    }

    /// As what cannot be taken back.
    pub fn danger(mut self) -> Self {
        self.danger = true;
        self
    }

    /// With a tooltip.
    pub fn tooltip(mut self, tooltip: &'a str) -> Self {
        self.tooltip = tooltip;
        self
    }

    /// Draws it; the response is clicked only when it can be pressed.
    pub fn show(self, ui: &mut Ui) -> Response {
        let theme = Theme::of(ui.ctx());
        let enabled = self.disabled.is_none();
        let font = if self.primary {
            semibold(size::UI)
        } else {
            regular(size::UI)
        };
        let ink = match (self.primary && enabled, enabled) {
            (true, _) => theme.accent_text,
            (false, true) if self.danger => theme.error(),
            (false, true) => theme.text,
            (false, false) => theme.faint,
        };
        let text =
            (!self.bare).then(|| galley(ui, self.text, font, ink, ui.available_width().max(120.0)));
        let cap = self
            .key
            .as_deref()
            .map(|key| galley(ui, key, regular(10.5), ink, f32::INFINITY));
        let icon_w = 13.0;
        let gap = 6.0;
        let pad = if self.bare { 7.5 } else { 11.0 };
        let mut width = pad * 2.0;
        width += self.icon.map_or(0.0, |_| icon_w);
        if let Some(text) = &text {
            width += text.size().x + if self.icon.is_some() { gap } else { 0.0 };
        }
        if let Some(cap) = &cap {
            width += gap + 2.0 + cap.size().x + 8.0 - 4.0;
        }
        let sense = if enabled {
            Sense::click()
        } else {
            Sense::hover()
        };
        let desired = vec2(width.round(), size::CONTROL);
        let (rect, response) = ui.allocate_exact_size(desired, sense);
        let hot = enabled && (response.hovered() || response.is_pointer_button_down_on());
        let fill = match (self.primary && enabled, hot, self.flat) {
            (true, false, _) => theme.accent,
            (true, true, _) => theme.accent.lerp_to_gamma(theme.text, 0.12),
            (false, true, _) => theme.hover(),
            (false, false, true) => Color32::TRANSPARENT,
            (false, false, false) => theme.raised,
        };
        let line = if (self.primary && enabled) || (self.flat && !hot) {
            Color32::TRANSPARENT
        } else if self.danger && enabled {
            theme.error()
        } else {
            theme.line
        };
        let radius = CornerRadius::same(size::RADIUS);
        let painter = ui.painter();
        painter.rect(
            rect,
            radius,
            fill,
            Stroke::new(1.0, line),
            StrokeKind::Inside,
        );
        let mut x = rect.left() + pad;
        if let Some(icon) = self.icon {
            let at =
                Rect::from_min_size(pos2(x, rect.center().y - icon_w / 2.0), Vec2::splat(icon_w));
            icons::paint(painter, at, icon, ink);
            x += icon_w + gap;
        }
        if let Some(text) = text {
            let width = text.size().x;
            let top = (rect.center().y - text.size().y / 2.0).round();
            painter.galley(pos2(x, top), text, ink);
            x += width + gap + 2.0;
        }
        if let Some(cap) = cap {
            let at = Rect::from_min_size(
                pos2(x, rect.center().y - 8.5),
                vec2(cap.size().x + 8.0, 17.0),
            );
            let line = ink.gamma_multiply(if self.primary && enabled { 0.55 } else { 0.3 });
            painter.rect_stroke(at, 4, Stroke::new(1.0, line), StrokeKind::Inside);
            let ink = if self.primary && enabled {
                ink
            } else {
                theme.dim
            };
            let top = (at.center().y - cap.size().y / 2.0).round();
            painter.galley_with_override_text_color(pos2(at.left() + 4.0, top), cap, ink);
        }
        focus_ring(ui, &response, rect);
        let name = if self.name.is_empty() {
            self.text
        } else {
            self.name
        };
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, enabled, name));
        if let Some(why) = &self.disabled {
            ui.ctx()
                .accesskit_node_builder(response.id, |node| node.set_description(why.as_str()));
        }
        let tooltip = match &self.disabled {
            Some(why) => why.as_str(),
            None => self.tooltip,
        };
        if tooltip.is_empty() {
            response
        } else {
            response.on_hover_text(tooltip)
        }
    }
}
