//! Notices at the bottom right: errors stay until they are read, news goes by itself.

use egui::{
    Align, Align2, Area, CornerRadius, Frame, Id, Layout, Margin, Order, Rect, RichText, Stroke,
    Ui, vec2,
};

use crate::model::{Level, Notice};
use crate::runtime::Board;

use super::action::Action;
use super::icons::{self, Icon};
use super::theme::{Theme, regular, semibold, size, space};
use super::view::View;
use super::widgets::Button;

/// Seconds that news stays, and what each of its characters adds: a list of names takes time to read.
const NEWS_S: f64 = 4.0;
const NEWS_CHAR_S: f64 = 0.06;
/// Notices shown at once; the rest waits behind them.
const SHOWN_MAX: usize = 4;

/// Width of a notice, and its distance from the edge of the canvas, in points.
const WIDTH_MAX: f32 = 366.0;
const EDGE: f32 = 16.0;
/// About as high is a notice with its hint.
const NOTICE_H: f32 = 90.0;

/// Draws the newest notices in the lower right corner of `over`, the canvas: no pane is covered by them.
pub fn notices_ui(ui: &Ui, over: Rect, view: &mut View, board: &Board, actions: &mut Vec<Action>) {
    let of_board = board
        .notices
        .iter()
        .map(|(id, notice)| (*id, notice.clone()));
    let of_view = view.toasts.iter().map(|t| (t.id, t.notice.clone()));
    let all: Vec<(u64, Notice)> = of_board.chain(of_view).collect();
    if all.is_empty() {
        return;
    }
    let now = ui.input(|input| input.time);
    for (id, notice) in &all {
        let since = *view.notice_shown_at.entry(*id).or_insert(now);
        if notice.level == Level::Info {
            let left = news_s(notice) - (now - since);
            if left <= 0.0 {
                actions.push(Action::DismissNotice(*id));
            } else {
                let wait = std::time::Duration::from_secs_f64(left + 0.02);
                ui.ctx().request_repaint_after(wait);
            }
        }
    }
    let n_shown = ((over.height() / NOTICE_H) as usize).clamp(1, SHOWN_MAX);
    let n_behind = all.len().saturating_sub(n_shown);
    let width = (over.width() - 2.0 * EDGE).min(WIDTH_MAX);
    Area::new(Id::new("notices"))
        .order(Order::Foreground)
        .pivot(Align2::RIGHT_BOTTOM)
        .fixed_pos(over.right_bottom() - vec2(EDGE, EDGE))
        .show(ui.ctx(), |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            if n_behind > 0 {
                let theme = Theme::of(ui.ctx());
                let text = format!("{n_behind} more");
                ui.label(
                    RichText::new(text)
                        .font(regular(size::SMALL))
                        .color(theme.faint),
                );
            }
            for (id, notice) in all.iter().skip(n_behind) {
                notice_ui(ui, width, *id, notice, actions);
            }
        });
}

/// Seconds that this news stays.
fn news_s(notice: &Notice) -> f64 {
    let n_chars = notice.what.chars().count() + notice.hint.chars().count();
    NEWS_S + NEWS_CHAR_S * n_chars as f64
}

fn notice_ui(ui: &mut Ui, width: f32, id: u64, notice: &Notice, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let (icon, colour) = match notice.level {
        Level::Info => (Icon::Info, theme.dim),
        Level::Warning => (Icon::Warning, theme.warning()),
        Level::Error => (Icon::Error, theme.error()),
    };
    Frame::new()
        .fill(theme.raised)
        .stroke(Stroke::new(1.0, theme.line))
        .corner_radius(CornerRadius::same(8))
        .shadow(ui.visuals().popup_shadow)
        .inner_margin(Margin::symmetric(12, 10))
        .show(ui, |ui| {
            ui.set_width(width - 26.0);
            ui.with_layout(Layout::left_to_right(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.x = 10.0;
                let (rect, _) = ui.allocate_exact_size(vec2(15.0, 17.0), egui::Sense::hover());
                icons::paint(ui.painter(), rect, icon, colour);
                ui.vertical(|ui| {
                    ui.set_width(width - 94.0);
                    ui.spacing_mut().item_spacing.y = space::XXS;
                    let font = if notice.level == Level::Info {
                        regular(size::UI)
                    } else {
                        semibold(size::UI)
                    };
                    ui.add(egui::Label::new(RichText::new(&*notice.what).font(font)).wrap());
                    if !notice.hint.is_empty() {
                        let hint = RichText::new(&*notice.hint).color(theme.dim);
                        ui.add(egui::Label::new(hint).wrap());
                    }
                });
                ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
                    let close = Button::new("Dismiss").bare(Icon::Close).flat();
                    if close.show(ui).clicked() {
                        actions.push(Action::DismissNotice(id));
                    }
                });
            });
        });
}
