//! Context menus: what can be done with what lies under the pointer, and by which key.

use egui::{
    Area, Button, Color32, Context, CornerRadius, Frame, Id, Key, Margin, Modifiers, Order, Pos2,
    Rect, RichText, Shadow, Stroke, Ui, vec2,
};

use crate::app::theme::size;
use crate::app::{Theme, Verb};
use crate::model::FrameId;

use super::scene::Hit;

/// How a verb is called, which key does it, and why it cannot be done now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerbInfo {
    /// As menus show it, sentence case.
    pub name: String,
    /// As people write it (`Ctrl+D`); empty when no key does it.
    pub key_text: String,
    /// One short sentence when it cannot be done now.
    pub disabled_because: Option<String>,
}

/// Tells how a verb stands now.
pub type VerbInfos<'a> = &'a dyn Fn(Verb) -> VerbInfo;

/// Groups of verbs, with a line between groups.
type Groups = &'static [&'static [Verb]];

const NODE: Groups = &[
    &[
        Verb::Run,
        Verb::RunFromHere,
        Verb::RunUpToHere,
        Verb::Retry,
        Verb::Stop,
        Verb::KillNodes,
        Verb::ClearStatus,
        Verb::ShowLog,
    ],
    &[
        Verb::EditCommand,
        Verb::ToggleMute,
        Verb::Connect,
        Verb::Disconnect,
        Verb::ToggleEdgeKind,
        Verb::GroupIntoFrame,
    ],
    &[Verb::Copy, Verb::Cut, Verb::Duplicate],
    &[Verb::Delete],
];
const EDGE: Groups = &[&[Verb::ToggleEdgeKind], &[Verb::Delete]];
const FRAME: Groups = &[&[Verb::FrameSelection], &[Verb::Delete]];
/// What stands under the palette when it was opened by a right click.
pub const CANVAS: &[Verb] = &[
    Verb::Paste,
    Verb::SelectAll,
    Verb::FrameAll,
    Verb::AutoLayout,
    Verb::Undo,
];

/// An open menu.
#[derive(Debug)]
pub struct Menu {
    of: Hit,
    at: Pos2,
    fresh: bool,
    /// The verb that the pointer or the keyboard is on.
    pointed: Option<Verb>,
}

/// What was chosen.
#[derive(Debug, PartialEq)]
pub enum Choice {
    /// A verb.
    Verb(Verb),
    /// To type a frame's title or a note's text.
    EditFrame(FrameId),
}

impl Menu {
    /// A menu for what was hit, at the pointer.
    pub fn new(of: Hit, at: Pos2) -> Self {
        Self {
            of,
            at,
            fresh: true,
            pointed: None,
        }
    }

    /// The verb that the pointer or the keyboard is on.
    pub fn pointed(&self) -> Option<Verb> {
        self.pointed
    }

    /// Draws it. `Err` asks to close it, with what was chosen.
    pub fn ui(
        &mut self,
        ctx: &Context,
        id: Id,
        theme: &Theme,
        verbs: VerbInfos<'_>,
    ) -> Result<(), Option<Choice>> {
        let groups = match &self.of {
            Hit::Node(_) | Hit::Handle(_) | Hit::Canvas => NODE,
            Hit::Edge(_) => EDGE,
            Hit::Frame(_) | Hit::FrameCorner(_) => FRAME,
        };
        let mut chosen = None;
        let mut pointed = None;
        let (rect, ()) = popup(ctx, id, self.at, theme, |ui| {
            ui.set_width(232.0);
            let mut first = None;
            if let Hit::Frame(frame) | Hit::FrameCorner(frame) = &self.of {
                let info = VerbInfo {
                    name: "Edit text".into(),
                    key_text: "double-click".into(),
                    disabled_because: None,
                };
                let row = row(ui, &info, theme);
                if row.clicked() {
                    chosen = Some(Choice::EditFrame(frame.clone()));
                }
                first.get_or_insert(row.id);
            }
            for (n, group) in groups.iter().enumerate() {
                if n > 0 {
                    line(ui, theme);
                }
                for &verb in *group {
                    let row = row(ui, &verbs(verb), theme);
                    if row.enabled() {
                        first.get_or_insert(row.id);
                    }
                    if row.hovered() || row.has_focus() {
                        pointed = Some(verb);
                    }
                    if row.clicked() {
                        chosen = Some(Choice::Verb(verb));
                    }
                }
            }
            let down = ui.input(|i| i.key_pressed(Key::ArrowDown));
            if let Some(first) = first
                && down
                && ui.memory(|m| m.focused()).is_none()
            {
                ui.memory_mut(|m| m.request_focus(first));
            }
        });
        self.pointed = pointed;
        if chosen.is_some() {
            return Err(chosen);
        }
        if left(ctx, rect, std::mem::take(&mut self.fresh)) {
            return Err(None);
        }
        Ok(())
    }
}

/// True when a popup should close: Esc, or a press outside after the frame it opened in.
pub fn left(ctx: &Context, rect: Rect, fresh: bool) -> bool {
    if ctx.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Escape)) {
        return true;
    }
    !fresh
        && ctx.input(|i| {
            i.pointer.any_pressed()
                && i.pointer
                    .interact_pos()
                    .is_some_and(|pos| !rect.contains(pos))
        })
}

/// A raised panel at a place, kept within the window.
pub fn popup<R>(
    ctx: &Context,
    id: Id,
    at: Pos2,
    theme: &Theme,
    content: impl FnOnce(&mut Ui) -> R,
) -> (Rect, R) {
    let inner = Area::new(id)
        .order(Order::Foreground)
        .fixed_pos(at)
        .constrain_to(ctx.content_rect().shrink(4.0))
        .show(ctx, |ui| {
            let shade = if theme.dark { 110 } else { 40 };
            Frame::new()
                .fill(theme.raised)
                .stroke(Stroke::new(1.0, theme.line))
                .corner_radius(CornerRadius::same(8))
                .shadow(Shadow {
                    offset: [0, 6],
                    blur: 18,
                    spread: 0,
                    color: Color32::from_black_alpha(shade),
                })
                .inner_margin(Margin::same(5))
                .show(ui, |ui| {
                    ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
                    content(ui)
                })
                .inner
        });
    (inner.response.rect, inner.inner)
}

/// A one-pixel line between groups.
pub fn line(ui: &mut Ui, theme: &Theme) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 9.0), egui::Sense::hover());
    let y = rect.center().y;
    ui.painter()
        .hline(rect.x_range(), y, Stroke::new(1.0, theme.line));
}

/// A row with the name at the left and the key at the right.
pub fn row(ui: &mut Ui, info: &VerbInfo, theme: &Theme) -> egui::Response {
    let enabled = info.disabled_because.is_none();
    ui.scope(|ui| {
        let widgets = &mut ui.visuals_mut().widgets;
        for state in [
            &mut widgets.inactive,
            &mut widgets.hovered,
            &mut widgets.active,
            &mut widgets.noninteractive,
        ] {
            state.weak_bg_fill = Color32::TRANSPARENT;
            state.bg_stroke = Stroke::NONE;
            state.expansion = 0.0;
            state.corner_radius = CornerRadius::same(5);
        }
        let lit = if theme.dark { theme.line } else { theme.select };
        widgets.hovered.weak_bg_fill = lit;
        widgets.active.weak_bg_fill = lit;
        ui.spacing_mut().button_padding = vec2(8.0, 4.0);
        let color = if enabled { theme.text } else { theme.faint };
        let button = Button::new(RichText::new(&info.name).size(size::UI).color(color))
            .shortcut_text(
                RichText::new(&info.key_text)
                    .size(size::SMALL)
                    .color(theme.faint),
            )
            .min_size(vec2(ui.available_width(), size::ROW));
        let response = ui.add_enabled(enabled, button);
        match &info.disabled_because {
            Some(why) => response.on_disabled_hover_text(why),
            None => response,
        }
    })
    .inner
}
