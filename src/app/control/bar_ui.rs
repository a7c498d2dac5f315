//! Draws the bar under the toolbar, the lines below it, and the dot in the footer that says enough for one who is alone.

use egui::{
    Align, Color32, Frame, Layout, Margin, Popup, PopupCloseBehavior, Response, RichText, Sense,
    Stroke, StrokeKind, Ui, WidgetInfo, WidgetType, pos2, vec2,
};

use crate::app::action::{Action, Verb};
use crate::app::icons::{self, Icon};
use crate::app::theme::{Theme, regular, size, space};
use crate::app::verbs::{self, Context};
use crate::app::view::View;
use crate::app::widgets::{self, Button, Row, hairline};
use crate::model::NodeStatus;
use crate::runtime::Board;

use super::bar::{Bar, Line, Tone, changes_in, is_quiet};
use super::offer::{Does, Offer};
use super::page::{Act, ask};
use super::seat::{Seat, seat_of};

/// Height of the bar in points.
const BAR_H: f32 = 34.0;
/// Side margin of the bar and its lines.
const MARGIN: f32 = 12.0;
/// In a narrower window the small words stay away.
const WIDE: f32 = 720.0;
/// Where buttons would take more of a line than this part, they go into a menu.
const BUTTONS_PART_MAX: f32 = 0.62;
/// Width of a menu.
const MENU_W: f32 = 236.0;

/// Verbs of control, as the menu lists them.
const MENU: [Verb; 11] = [
    Verb::TakeControl,
    Verb::RequestControl,
    Verb::CancelRequest,
    Verb::TakeOver,
    Verb::HandOver,
    Verb::RefuseRequest,
    Verb::GiveUpControl,
    Verb::KeepControl,
    Verb::CheckFolder,
    Verb::AboutControl,
    Verb::ControlSettings,
];

impl Tone {
    fn mark(self, theme: &Theme) -> (Icon, Color32) {
        match self {
            Self::Ours => (Icon::Dot, theme.status(NodeStatus::Ran)),
            Self::Theirs => (Icon::Dot, theme.status(NodeStatus::Ready)),
            Self::Open => (Icon::Dot, theme.status(NodeStatus::Idle)),
            Self::Heed => (Icon::Warning, theme.warning()),
            Self::Wrong => (Icon::Error, theme.error()),
        }
    }
}

/// Draws the bar where there is something to say, and asks for the frame in which it will say something else.
pub fn bar_ui(ui: &mut Ui, view: &View, board: &Board, actions: &mut Vec<Action>) {
    let Some(seat) = seat_of(view, board) else {
        return;
    };
    if let Some(wait) = changes_in(&seat) {
        ui.ctx().request_repaint_after(wait);
    }
    if is_quiet(&seat) {
        return;
    }
    let bar = Bar::of(&seat);
    let facts = view.context(board);
    head_ui(ui, &seat, &bar, &facts, actions);
    for line in &bar.lines {
        line_ui(ui, &seat, line, actions);
    }
}

fn head_ui(ui: &mut Ui, seat: &Seat, bar: &Bar, facts: &Context, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let row = vec2(ui.available_width(), BAR_H - 1.0);
    ui.painter().rect_filled(
        egui::Rect::from_min_size(ui.cursor().min, row),
        0,
        theme.panel,
    );
    ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
        ui.set_min_size(row);
        ui.spacing_mut().item_spacing.x = space::S;
        ui.add_space(MARGIN - space::S);
        menu_ui(ui, facts, actions);
        offers_ui(ui, seat, &bar.offers, actions);
        if let Some((word, why)) = &bar.badge
            && badge_ui(ui, word, why).clicked()
        {
            ask(seat, Act::Explain, actions);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.add_space(MARGIN);
            mark_ui(ui, bar.tone, &theme);
            let text = RichText::new(&bar.text).font(regular(size::UI));
            ui.add(egui::Label::new(text.color(theme.text)).truncate());
            if ui.ctx().content_rect().width() >= WIDE && !bar.aside.is_empty() {
                let aside = RichText::new(&bar.aside).font(regular(size::SMALL));
                ui.add(egui::Label::new(aside.color(theme.dim)).truncate());
            }
        });
    });
    hairline(ui);
}

fn mark_ui(ui: &mut Ui, tone: Tone, theme: &Theme) {
    let (icon, colour) = tone.mark(theme);
    let side = if icon == Icon::Dot { 8.0 } else { 14.0 };
    let (rect, _) = ui.allocate_exact_size(vec2(14.0, 14.0), Sense::hover());
    let at = icons::square(rect.center(), side);
    icons::paint(ui.painter(), at, icon, colour);
}

/// Draws buttons from the right, the first one leftmost.
fn offers_ui(ui: &mut Ui, seat: &Seat, offers: &[Offer], actions: &mut Vec<Action>) {
    for offer in offers.iter().rev() {
        let mut button = Button::new(&offer.text);
        button.disabled.clone_from(&offer.disabled);
        button.primary = offer.is_main;
        if let Does::Verb(verb) = &offer.does {
            button.tooltip = verbs::entry(*verb).tooltip;
        }
        if button.show(ui).clicked() {
            carry(seat, &offer.does, actions);
        }
    }
}

fn carry(seat: &Seat, does: &Does, actions: &mut Vec<Action>) {
    match does {
        Does::Verb(verb) => actions.push(Action::Do(*verb)),
        Does::Act(act) => ask(seat, act.clone(), actions),
    }
}

fn menu_ui(ui: &mut Ui, facts: &Context, actions: &mut Vec<Action>) {
    let button = Button::new("Control menu").bare(Icon::ChevronDown).flat();
    let response = button
        .tooltip("All that can be done about control")
        .show(ui);
    popup(&response, |ui| {
        let theme = Theme::of(ui.ctx());
        for verb in MENU {
            let entry = verbs::entry(verb);
            let why = facts.disabled_because(verb);
            let row = Row {
                text: entry.name,
                faint: why.is_some(),
                ..Row::default()
            };
            let response = row.show(ui);
            if response.clicked() && why.is_none() {
                actions.push(Action::Do(verb));
            }
            response.on_hover_text(why.as_deref().unwrap_or(entry.tooltip));
            if verb == Verb::KeepControl {
                ui.add_space(space::XS);
                ui.painter().hline(
                    ui.max_rect().x_range(),
                    ui.cursor().top() - 2.0,
                    Stroke::new(1.0, theme.line),
                );
            }
        }
    });
}

fn popup(response: &Response, contents: impl FnOnce(&mut Ui)) {
    Popup::menu(response)
        .width(MENU_W)
        .close_behavior(PopupCloseBehavior::CloseOnClick)
        .show(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            contents(ui);
        });
}

/// A small word in an outline that says what cannot be promised.
fn badge_ui(ui: &mut Ui, word: &str, why: &str) -> Response {
    let theme = Theme::of(ui.ctx());
    let ink = theme.warning();
    let galley = widgets::galley(ui, word, regular(size::SMALL), ink, 120.0);
    let (rect, response) =
        ui.allocate_exact_size(vec2(galley.size().x + 16.0, 20.0), Sense::click());
    let fill = match response.hovered() {
        true => theme.hover(),
        false => Color32::TRANSPARENT,
    };
    let line = Stroke::new(1.0, ink.gamma_multiply(0.7));
    ui.painter().rect(rect, 10, fill, line, StrokeKind::Inside);
    let top = (rect.center().y - galley.size().y / 2.0).round();
    ui.painter()
        .galley(pos2(rect.left() + 8.0, top), galley, ink);
    widgets::focus_ring(ui, &response, rect);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, why));
    response.on_hover_text(format!("{why} Click for more."))
}

/// A line below the bar. Its words have two rows; the rest is told by pointing at them.
fn line_ui(ui: &mut Ui, seat: &Seat, line: &Line, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let (icon, colour) = line.tone.mark(&theme);
    let width = ui.available_width();
    let reserved: f32 = line.offers.iter().map(|o| Button::room(ui, &o.text)).sum();
    let folded = reserved > width * BUTTONS_PART_MAX && line.offers.len() > 1;
    let reserved = match folded {
        true => Button::room(ui, ANSWER) + 20.0,
        false => reserved,
    };
    let room = width - reserved - 2.0 * MARGIN - 15.0 - 2.0 * space::S;
    let galley = widgets::rows(ui, &line.text, 2, room.max(80.0));
    let height = (galley.size().y + 2.0 * space::S)
        .max(size::CONTROL + 8.0)
        .round();
    let fill = theme.panel.lerp_to_gamma(colour, 0.12);
    Frame::new()
        .fill(fill)
        .inner_margin(Margin::symmetric(MARGIN as i8, 0))
        .show(ui, |ui| {
            let row = vec2(ui.available_width(), height);
            ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
                ui.set_min_size(row);
                ui.spacing_mut().item_spacing.x = space::S;
                if folded {
                    folded_ui(ui, seat, line, actions);
                } else {
                    offers_ui(ui, seat, &line.offers, actions);
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let (rect, _) = ui.allocate_exact_size(vec2(15.0, 15.0), Sense::hover());
                    icons::paint(ui.painter(), rect, icon, colour);
                    widgets::rows_ui(ui, galley, &line.text);
                });
            });
        });
    hairline(ui);
}

const ANSWER: &str = "Answer";

fn folded_ui(ui: &mut Ui, seat: &Seat, line: &Line, actions: &mut Vec<Action>) {
    let response = Button::new(ANSWER).icon(Icon::ChevronDown).show(ui);
    popup(&response, |ui| {
        for offer in &line.offers {
            let row = Row {
                text: &offer.text,
                faint: offer.disabled.is_some(),
                ..Row::default()
            };
            if row.show(ui).clicked() && offer.disabled.is_none() {
                carry(seat, &offer.does, actions);
            }
        }
    });
}

/// The dot in the footer: all there is to say to one who is alone.
pub fn footer_ui(ui: &mut Ui, view: &View, board: &Board, actions: &mut Vec<Action>) {
    let Some(seat) = seat_of(view, board).filter(is_quiet) else {
        return;
    };
    let theme = Theme::of(ui.ctx());
    let (icon, colour) = Bar::of(&seat).tone.mark(&theme);
    let text = &seat.status.text;
    let galley = widgets::galley(ui, text, regular(size::SMALL), theme.dim, 260.0);
    let (rect, response) =
        ui.allocate_exact_size(vec2(galley.size().x + 14.0, 20.0), Sense::click());
    let dot = icons::square(pos2(rect.left() + 4.0, rect.center().y), 7.0);
    icons::paint(ui.painter(), dot, icon, colour);
    let top = (rect.center().y - galley.size().y / 2.0).round();
    let ink = match response.hovered() {
        true => theme.text,
        false => theme.dim,
    };
    ui.painter()
        .galley_with_override_text_color(pos2(rect.left() + 14.0, top), galley, ink);
    widgets::focus_ring(ui, &response, rect);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, text));
    let response = response.on_hover_text(
        "No other workstation was seen to share this workspace. Click for the settings of control.",
    );
    if response.clicked() {
        actions.push(Action::Do(Verb::ControlSettings));
    }
}
