//! A row of a list.

use egui::{Color32, CornerRadius, Response, Sense, Ui, WidgetInfo, WidgetType, pos2, vec2};

use crate::app::icons::{self, Icon};
use crate::app::theme::{Theme, regular, size};

use super::focus::focus_ring;
use super::text::{galley, small_text_before, text_at};

/// The most of a row that a detail takes from its text.
const DETAIL_PART_MAX: f32 = 0.6;

/// Room from which on a detail is cut rather than left out, in points.
const CUT_DETAIL_W_MIN: f32 = 60.0;

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
    /// The detail is what matters: it has its room before a long text has.
    pub keep_detail: bool,
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
            let mut room = (right - left).max(0.0);
            if self.keep_detail && !self.detail.is_empty() {
                let most = room * DETAIL_PART_MAX;
                right -= small_text_before(ui, right, y, self.detail, second, most) + 6.0;
                room = (right - left).max(0.0);
            }
            // Else the text has the room first; the detail takes what is left, or stays away.
            let width = text_at(ui, left, y, self.text, regular(size::UI), ink, room);
            let rest = room - width - 6.0;
            if !self.keep_detail && !self.detail.is_empty() && rest > 24.0 {
                // A few letters of a short word say nothing; of a long one they are a beginning.
                let font = regular(size::SMALL);
                let whole = galley(ui, self.detail, font, second, f32::INFINITY)
                    .size()
                    .x;
                if whole <= rest || rest >= CUT_DETAIL_W_MIN {
                    small_text_before(ui, right, y, self.detail, second, rest);
                }
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
