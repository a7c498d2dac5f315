//! Colours, type, spacing: the one file that knows them (source: the design tokens).

use egui::epaint::Shadow;
use egui::style::{ScrollStyle, Selection, WidgetVisuals, Widgets};
use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, Stroke, TextStyle, Visuals, vec2};

use crate::model::NodeStatus;

use super::memory::ThemeChoice;

/// The colours of one theme. Every text and status colour has a contrast of at least 4.5:1 on
/// `panel` and `bg`.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    /// True for the dark theme.
    pub dark: bool,
    /// Canvas.
    pub bg: Color32,
    /// Side panes and bars.
    pub panel: Color32,
    /// Controls, nodes, menus.
    pub raised: Color32,
    /// One-pixel lines between panes, borders.
    pub line: Color32,
    /// Dots of the canvas grid.
    pub grid: Color32,
    /// Text.
    pub text: Color32,
    /// Second text.
    pub dim: Color32,
    /// Third text.
    pub faint: Color32,
    /// Main action, selection, focus. Nothing else.
    pub accent: Color32,
    /// Text on the accent.
    pub accent_text: Color32,
    /// Fill of a selected row.
    pub select: Color32,
    idle: Color32,
    ready: Color32,
    running: Color32,
    ran: Color32,
    failed: Color32,
    stopped: Color32,
    skipped: Color32,
    interrupted: Color32,
}

/// Spacing steps in points; everything stands on this grid.
pub mod space {
    /// 2 points.
    pub const XXS: f32 = 2.0;
    /// 4 points.
    pub const XS: f32 = 4.0;
    /// 8 points.
    pub const S: f32 = 8.0;
    /// 12 points.
    pub const M: f32 = 12.0;
    /// 16 points.
    pub const L: f32 = 16.0;
    /// 24 points.
    pub const XL: f32 = 24.0;
}

/// Sizes in points.
pub mod size {
    /// Interface text.
    pub const UI: f32 = 13.0;
    /// Small text.
    pub const SMALL: f32 = 11.5;
    /// Titles.
    pub const TITLE: f32 = 15.0;
    /// Monospace.
    pub const MONO: f32 = 12.5;
    /// Height of a control.
    pub const CONTROL: f32 = 28.0;
    /// Height of a row in a list.
    pub const ROW: f32 = 26.0;
    /// Corner of a control.
    pub const RADIUS: u8 = 6;
    /// Corner of a node.
    pub const NODE_RADIUS: u8 = 8;
    /// Width of a node at zoom 1.
    pub const NODE_W: f32 = 200.0;
    /// Least height of a node at zoom 1.
    pub const NODE_H_MIN: f32 = 56.0;
    /// Padding inside a node.
    pub const NODE_PAD: f32 = 10.0;
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

impl Theme {
    /// The dark theme.
    pub const fn dark() -> Self {
        Self {
            dark: true,
            bg: rgb(0x16181D),
            panel: rgb(0x1C1F26),
            raised: rgb(0x242832),
            line: rgb(0x323846),
            grid: rgb(0x1F232B),
            text: rgb(0xE6E9EF),
            dim: rgb(0xA3ACBD),
            faint: rgb(0x828CA0),
            accent: rgb(0x4FB3A5),
            accent_text: rgb(0x0E1513),
            select: rgb(0x2B4A52),
            idle: rgb(0x8A93A6),
            ready: rgb(0x6FC3DF),
            running: rgb(0x5AA2F5),
            ran: rgb(0x57C28B),
            failed: rgb(0xF2786B),
            stopped: rgb(0xD9A441),
            skipped: rgb(0x8A93A6),
            interrupted: rgb(0xB892F0),
        }
    }

    /// The light theme.
    pub const fn light() -> Self {
        Self {
            dark: false,
            bg: rgb(0xF6F7F9),
            panel: rgb(0xFFFFFF),
            raised: rgb(0xFFFFFF),
            line: rgb(0xD5DAE3),
            grid: rgb(0xE9ECF1),
            text: rgb(0x1B1F27),
            dim: rgb(0x4A5263),
            faint: rgb(0x667085),
            accent: rgb(0x0F7B6C),
            accent_text: rgb(0xFFFFFF),
            select: rgb(0xD3ECE7),
            idle: rgb(0x667085),
            ready: rgb(0x0B7794),
            running: rgb(0x1D63C4),
            ran: rgb(0x1A7A4C),
            failed: rgb(0xC0392B),
            stopped: rgb(0x8A5A00),
            skipped: rgb(0x667085),
            interrupted: rgb(0x6D3FC0),
        }
    }

    /// The colour of a status, for its bar, icon, dot and the edges that carry it.
    pub fn status(&self, status: NodeStatus) -> Color32 {
        match status {
            NodeStatus::Idle | NodeStatus::Waiting => self.idle,
            NodeStatus::Ready => self.ready,
            NodeStatus::Running => self.running,
            NodeStatus::Ran => self.ran,
            NodeStatus::Failed => self.failed,
            NodeStatus::Stopped => self.stopped,
            NodeStatus::Skipped => self.skipped,
            NodeStatus::Interrupted => self.interrupted,
        }
    }
}

/// Semi-bold interface text.
pub fn semibold(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name("semibold".into()))
}

/// Regular interface text.
pub fn regular(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

/// Monospace text.
pub fn mono(size: f32) -> FontId {
    FontId::new(size, FontFamily::Monospace)
}

impl Theme {
    /// The theme a context shows now.
    pub fn of(ctx: &egui::Context) -> Self {
        match ctx.theme() {
            egui::Theme::Dark => Self::dark(),
            egui::Theme::Light => Self::light(),
        }
    }

    /// Gives both themes to egui, so that following the system's choice costs nothing later.
    pub fn install(ctx: &egui::Context) {
        ctx.set_style_of(egui::Theme::Dark, Self::dark().style());
        ctx.set_style_of(egui::Theme::Light, Self::light().style());
    }

    /// Shows the chosen theme from the next frame on.
    pub fn choose(ctx: &egui::Context, choice: ThemeChoice) {
        ctx.set_theme(match choice {
            ThemeChoice::System => egui::ThemePreference::System,
            ThemeChoice::Dark => egui::ThemePreference::Dark,
            ThemeChoice::Light => egui::ThemePreference::Light,
        });
    }

    /// Fill of a control or row under the pointer.
    pub fn hover(&self) -> Color32 {
        self.raised.lerp_to_gamma(self.text, 0.06)
    }

    /// Text and icons of a warning.
    pub fn warning(&self) -> Color32 {
        self.stopped
    }

    /// Text and icons of an error.
    pub fn error(&self) -> Color32 {
        self.failed
    }

    /// Fill of a text field.
    pub fn field(&self) -> Color32 {
        self.bg
    }

    fn style(&self) -> egui::Style {
        let mut style = egui::Style {
            text_styles: [
                (TextStyle::Body, regular(size::UI)),
                (TextStyle::Button, regular(size::UI)),
                (TextStyle::Small, regular(size::SMALL)),
                (TextStyle::Heading, semibold(size::TITLE)),
                (TextStyle::Monospace, mono(size::MONO)),
            ]
            .into(),
            animation_time: 0.09,
            visuals: self.visuals(),
            ..egui::Style::default()
        };
        let spacing = &mut style.spacing;
        spacing.item_spacing = vec2(space::S, space::XS);
        spacing.button_padding = vec2(10.0, space::XS);
        spacing.interact_size = vec2(size::CONTROL, size::CONTROL);
        spacing.menu_margin = Margin::same(4);
        spacing.window_margin = Margin::same(16);
        spacing.menu_spacing = 2.0;
        spacing.tooltip_width = 360.0;
        spacing.icon_width = 16.0;
        spacing.icon_width_inner = 10.0;
        spacing.combo_height = 320.0;
        spacing.scroll = ScrollStyle {
            bar_width: 8.0,
            floating_width: 4.0,
            bar_inner_margin: 2.0,
            bar_outer_margin: 2.0,
            handle_min_length: 24.0,
            dormant_background_opacity: 0.0,
            active_background_opacity: 0.0,
            interact_background_opacity: 0.0,
            dormant_handle_opacity: 0.35,
            active_handle_opacity: 0.5,
            interact_handle_opacity: 0.8,
            foreground_color: true,
            ..ScrollStyle::floating()
        };
        style.interaction.tooltip_delay = 0.4;
        style.interaction.selectable_labels = false;
        style
    }

    fn visuals(&self) -> Visuals {
        let base = if self.dark {
            Visuals::dark()
        } else {
            Visuals::light()
        };
        let radius = CornerRadius::same(size::RADIUS);
        let widget = |fill: Color32, line: Color32, text: Color32| WidgetVisuals {
            bg_fill: fill,
            weak_bg_fill: fill,
            bg_stroke: Stroke::new(1.0, line),
            corner_radius: radius,
            fg_stroke: Stroke::new(1.0, text),
            expansion: 0.0,
        };
        let shadow = Shadow {
            offset: [0, 6],
            blur: 20,
            spread: 0,
            color: Color32::from_black_alpha(if self.dark { 110 } else { 36 }),
        };
        Visuals {
            widgets: Widgets {
                noninteractive: widget(self.panel, self.line, self.text),
                inactive: widget(self.raised, self.line, self.text),
                hovered: widget(self.hover(), self.line, self.text),
                active: widget(self.hover(), self.accent, self.text),
                open: widget(self.hover(), self.line, self.text),
            },
            selection: Selection {
                bg_fill: self.select,
                stroke: Stroke::new(1.5, self.accent),
            },
            weak_text_color: Some(self.dim),
            hyperlink_color: self.accent,
            faint_bg_color: self.grid,
            extreme_bg_color: self.bg,
            text_edit_bg_color: Some(self.field()),
            code_bg_color: self.bg,
            warn_fg_color: self.stopped,
            error_fg_color: self.failed,
            window_corner_radius: CornerRadius::same(10),
            window_shadow: shadow,
            window_fill: self.panel,
            window_stroke: Stroke::new(1.0, self.line),
            window_highlight_topmost: false,
            menu_corner_radius: CornerRadius::same(8),
            panel_fill: self.panel,
            popup_shadow: shadow,
            text_cursor: egui::style::TextCursorStyle {
                stroke: Stroke::new(1.5, self.accent),
                // A blinking cursor would repaint the whole window for ever.
                blink: false,
                ..base.text_cursor.clone()
            },
            indent_has_left_vline: false,
            disabled_alpha: 0.45,
            ..base
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(c: Color32) -> f64 {
        let part = |v: u8| {
            let v = f64::from(v) / 255.0;
            if v <= 0.04045 {
                v / 12.92
            } else {
                ((v + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * part(c.r()) + 0.7152 * part(c.g()) + 0.0722 * part(c.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_and_status_can_be_read_on_panel_and_background() {
        for theme in [Theme::dark(), Theme::light()] {
            let colours = [
                theme.text,
                theme.dim,
                theme.faint,
                theme.accent,
                theme.idle,
                theme.ready,
                theme.running,
                theme.ran,
                theme.failed,
                theme.stopped,
                theme.skipped,
                theme.interrupted,
            ];
            for colour in colours {
                for ground in [theme.panel, theme.bg] {
                    let ratio = contrast(colour, ground);
                    assert!(ratio >= 4.5, "{colour:?} on {ground:?}: {ratio:.2}");
                }
            }
            assert!(contrast(theme.accent_text, theme.accent) >= 4.5);
            assert!(contrast(theme.text, theme.select) >= 4.5);
        }
    }
}
