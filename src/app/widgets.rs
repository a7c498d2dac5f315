//! The few controls the panes are made of: button, row, field label, tab header, key cap.
//!
//! Each paints itself from the theme and names itself to the accessibility tree. Unaware of
//! actions and of the model.

use std::sync::Arc;

use egui::text::{LayoutJob, TextWrapping};
use egui::{
    Align2, Color32, CornerRadius, FontId, Galley, Rect, Response, Sense, Stroke, StrokeKind, Ui,
    Vec2, WidgetInfo, WidgetType, pos2, vec2,
};

use super::icons::{self, Icon};
use super::theme::{Theme, regular, semibold, size, space};

/// One line of text, cut with an ellipsis when it is wider than `max_width`.
pub fn galley(ui: &Ui, text: &str, font: FontId, colour: Color32, max_width: f32) -> Arc<Galley> {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), font, colour);
    job.wrap = TextWrapping::truncate_at_width(max_width.max(0.0));
    ui.painter().layout_job(job)
}

/// Words of a line that may have so many rows; the last one is cut with an ellipsis.
pub fn rows(ui: &Ui, text: &str, rows_max: usize, max_width: f32) -> Arc<Galley> {
    let theme = Theme::of(ui.ctx());
    let font = regular(size::UI);
    let mut job = LayoutJob::simple(text.to_owned(), font, theme.text, max_width);
    job.wrap.max_rows = rows_max;
    ui.painter().layout_job(job)
}

/// Draws [`rows`]; all of `text` is told by pointing at what was cut.
pub fn rows_ui(ui: &mut Ui, galley: Arc<Galley>, text: &str) {
    let theme = Theme::of(ui.ctx());
    let is_cut = galley.elided;
    let (rect, words) = ui.allocate_exact_size(galley.size(), Sense::hover());
    ui.painter().galley(rect.min, galley, theme.text);
    words.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, text));
    if is_cut {
        words.on_hover_text(text);
    }
}

/// Paints one line of text with its middle at `y`, from `x` rightwards; gives its width.
pub fn text_at(
    ui: &Ui,
    x: f32,
    y: f32,
    text: &str,
    font: FontId,
    colour: Color32,
    max_width: f32,
) -> f32 {
    let galley = galley(ui, text, font, colour, max_width);
    let width = galley.size().x;
    let top = (y - galley.size().y / 2.0).round();
    ui.painter().galley(pos2(x, top), galley, colour);
    width
}

/// Paints one line of small text that ends at `right`; gives its width.
pub fn small_text_before(
    ui: &Ui,
    right: f32,
    y: f32,
    text: &str,
    colour: Color32,
    max_width: f32,
) -> f32 {
    let galley = galley(ui, text, regular(size::SMALL), colour, max_width);
    let width = galley.size().x;
    let top = (y - galley.size().y / 2.0).round();
    ui.painter()
        .galley(pos2(right - width, top), galley, colour);
    width
}

/// The row of answers at the foot of a dialog, from the right; no taller than a button, however
/// tall the dialog was before.
pub fn answers_ui(ui: &mut Ui, answers: impl FnOnce(&mut Ui)) {
    let layout = egui::Layout::right_to_left(egui::Align::Center);
    let size = vec2(ui.available_width(), size::CONTROL);
    ui.allocate_ui_with_layout(size, layout, |ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        answers(ui);
    });
}

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

/// The accent ring round what has the keyboard; also tells the keys that a control has it.
pub fn focus_ring(ui: &Ui, response: &Response, rect: Rect) {
    if response.has_focus() {
        let theme = Theme::of(ui.ctx());
        ui.painter().rect_stroke(
            rect.expand(1.0),
            CornerRadius::same(size::RADIUS + 1),
            Stroke::new(1.5, theme.accent),
            StrokeKind::Outside,
        );
        let pass = ui.ctx().cumulative_pass_nr();
        ui.data_mut(|data| data.insert_temp(focus_mark(), pass));
    }
}

fn focus_mark() -> egui::Id {
    egui::Id::new("handmill control has focus")
}

/// True when one of these controls had the keyboard in the pass before: Enter, Space and the
/// arrows are then its own.
pub fn control_has_focus(ctx: &egui::Context) -> bool {
    let pass = ctx.cumulative_pass_nr();
    ctx.data(|data| data.get_temp::<u64>(focus_mark()))
        .is_some_and(|at| at + 1 >= pass)
}

/// A row of a list.
#[derive(Clone, Debug, Default)]
pub struct Row<'a> {
    /// What it says.
    pub text: &'a str,
    /// Its name in the accessibility tree, when the text alone does not tell.
    pub name: Option<String>,
    /// Before the text, with its colour.
    pub icon: Option<(Icon, Color32)>,
    /// At the right, in faint small text.
    pub detail: &'a str,
    /// At the far right, in text of its own column.
    pub figure: &'a str,
    /// A status dot at the far right.
    pub dot: Option<Color32>,
    /// It is the one shown.
    pub selected: bool,
    /// Space before the icon in points.
    pub indent: f32,
    /// It cannot be used: shown faint.
    pub faint: bool,
    /// Room at the far right, in points, that is painted by whoever shows the row.
    pub keep_right: f32,
}

impl Row<'_> {
    /// Draws it over the full width.
    pub fn show(self, ui: &mut Ui) -> Response {
        let theme = Theme::of(ui.ctx());
        let desired = vec2(ui.available_width(), size::ROW);
        let (rect, response) = ui.allocate_exact_size(desired, Sense::click());
        if ui.is_rect_visible(rect) {
            let fill = match (self.selected, response.hovered()) {
                (true, _) => theme.select,
                (false, true) => theme.hover(),
                (false, false) => Color32::TRANSPARENT,
            };
            let radius = CornerRadius::same(size::RADIUS);
            ui.painter().rect_filled(rect, radius, fill);
            let y = rect.center().y;
            let mut right = rect.right() - 8.0 - self.keep_right;
            if let Some(dot) = self.dot {
                icons::paint(
                    ui.painter(),
                    icons::square(pos2(right - 4.0, y), 8.0),
                    Icon::Dot,
                    dot,
                );
                right -= 16.0;
            }
            let second = if self.selected {
                theme.text
            } else {
                theme.faint
            };
            let ink = if self.faint { theme.faint } else { theme.text };
            let mut left = rect.left() + 8.0 + self.indent;
            if let Some((icon, colour)) = self.icon {
                let at = icons::square(pos2(left + 6.5, y), 13.0);
                icons::paint(ui.painter(), at, icon, colour);
                left += 21.0;
            }
            if !self.figure.is_empty() {
                right -= small_text_before(ui, right, y, self.figure, theme.dim, 90.0) + 8.0;
            }
            // The text has the room first; the detail takes what is left, or stays away.
            let room = (right - left).max(0.0);
            let width = text_at(ui, left, y, self.text, regular(size::UI), ink, room);
            let rest = room - width - 6.0;
            if !self.detail.is_empty() && rest > 24.0 {
                small_text_before(ui, right, y, self.detail, second, rest);
            }
        }
        focus_ring(ui, &response, rect.shrink(1.0));
        let name = self.name.unwrap_or_else(|| self.text.to_owned());
        response.widget_info(|| {
            WidgetInfo::selected(
                WidgetType::SelectableLabel,
                true,
                self.selected,
                name.clone(),
            )
        });
        response
    }
}

/// A heading over rows, with a count at the right.
pub fn heading(ui: &mut Ui, text: &str, count: Option<usize>) {
    let theme = Theme::of(ui.ctx());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 24.0), Sense::hover());
    let y = rect.bottom() - 10.0;
    let font = regular(size::SMALL);
    text_at(
        ui,
        rect.left() + 8.0,
        y,
        text,
        font.clone(),
        theme.dim,
        rect.width() - 40.0,
    );
    if let Some(count) = count {
        ui.painter().text(
            pos2(rect.right() - 8.0, y),
            Align2::RIGHT_CENTER,
            count.to_string(),
            font,
            theme.faint,
        );
    }
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, text));
}

/// A header of a pane: a word that is underlined by the accent when its pane is shown.
pub fn tab_header(ui: &mut Ui, text: &str, name: &str, selected: bool) -> Response {
    let theme = Theme::of(ui.ctx());
    let colour = if selected { theme.text } else { theme.dim };
    let galley = galley(ui, text, regular(size::UI), colour, 160.0);
    let height = ui.available_height().max(size::CONTROL);
    let (rect, response) = ui.allocate_exact_size(vec2(galley.size().x, height), Sense::click());
    let colour = if response.hovered() {
        theme.text
    } else {
        colour
    };
    let top = (rect.center().y - galley.size().y / 2.0).round();
    ui.painter()
        .galley_with_override_text_color(pos2(rect.left(), top), galley, colour);
    if selected {
        let line = Rect::from_min_max(pos2(rect.left(), rect.bottom() - 2.0), rect.max);
        ui.painter().rect_filled(line, 0, theme.accent);
    }
    focus_ring(ui, &response, rect);
    response
        .widget_info(|| WidgetInfo::selected(WidgetType::SelectableLabel, true, selected, name));
    response
}

/// The name over a field.
pub fn field_label(ui: &mut Ui, text: &str) -> Response {
    let theme = Theme::of(ui.ctx());
    ui.add_space(space::XS);
    let label = egui::RichText::new(text)
        .font(regular(size::SMALL))
        .color(theme.dim);
    ui.add(egui::Label::new(label).selectable(false))
}

/// A field whose text is shown as dots and cannot be copied, with its name over it. Nothing typed in it stays behind in
/// its own memory; `text` is the caller's to wipe.
pub fn masked_field(
    ui: &mut Ui,
    id: egui::Id,
    label: &str,
    text: &mut String,
    width: f32,
) -> Response {
    let label = field_label(ui, label);
    let field = egui::TextEdit::singleline(text)
        .id(id)
        .password(true)
        .margin(field_margin())
        .desired_width(width);
    let response = ui.add(field).labelled_by(label.id);
    if let Some(mut state) = egui::text_edit::TextEditState::load(ui.ctx(), id) {
        state.clear_undoer();
        state.store(ui.ctx(), id);
    }
    response
}

/// Draws boxes and rings to be ticked in this part of the window so that one sees them before they are.
pub fn seen_marks(ui: &mut Ui) {
    let theme = Theme::of(ui.ctx());
    ui.visuals_mut().widgets.inactive.bg_stroke = Stroke::new(1.0, theme.faint);
}

/// Small words that explain what stands above them, under its text where that has a box or a ring.
pub fn note_ui(ui: &mut Ui, text: &str, is_under_mark: bool, colour: Color32) {
    let spacing = ui.spacing();
    let left = match is_under_mark {
        true => spacing.icon_width + spacing.icon_spacing,
        false => 0.0,
    };
    let margin = egui::Margin {
        left: left as i8,
        bottom: 2,
        ..egui::Margin::ZERO
    };
    egui::Frame::new().inner_margin(margin).show(ui, |ui| {
        let text = egui::RichText::new(text).font(regular(size::SMALL));
        ui.add(egui::Label::new(text.color(colour)).wrap());
    });
}

/// A value that is shown in a field's frame but cannot be typed.
pub fn shown_value(ui: &mut Ui, text: &str, colour: Color32) -> Response {
    let theme = Theme::of(ui.ctx());
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), size::CONTROL), Sense::hover());
    ui.painter().rect(
        rect,
        CornerRadius::same(size::RADIUS),
        theme.panel,
        Stroke::new(1.0, theme.line),
        StrokeKind::Inside,
    );
    text_at(
        ui,
        rect.left() + 8.0,
        rect.center().y,
        text,
        regular(size::UI),
        colour,
        rect.width() - 16.0,
    );
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, text));
    response
}

/// Calm words in the middle of an empty pane: what is so, then what to do.
pub fn empty_state(ui: &mut Ui, what: &str, hint: &str) {
    let theme = Theme::of(ui.ctx());
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.3).clamp(8.0, 120.0));
        ui.label(egui::RichText::new(what).color(theme.dim));
        if !hint.is_empty() {
            ui.label(
                egui::RichText::new(hint)
                    .font(regular(size::SMALL))
                    .color(theme.faint),
            );
        }
    });
}

/// A line of one pixel over the full width.
pub fn hairline(ui: &mut Ui) {
    let theme = Theme::of(ui.ctx());
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 1.0), Sense::hover());
    ui.painter().hline(
        rect.x_range(),
        rect.center().y,
        Stroke::new(1.0, theme.line),
    );
}

/// The frame of a text field, for [`egui::TextEdit::frame`].
pub fn field_margin() -> egui::Margin {
    egui::Margin::symmetric(8, 6)
}

/// A dialog that takes all clicks; its contents stand on the spacing grid.
pub fn modal(ui: &Ui, id: &str) -> egui::Modal {
    let frame = egui::Frame::window(ui.style()).inner_margin(egui::Margin::same(16));
    egui::Modal::new(egui::Id::new(id))
        .frame(frame)
        .backdrop_color(Color32::from_black_alpha(90))
}
