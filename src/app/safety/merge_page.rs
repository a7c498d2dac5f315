//! Both changed the same: each thing with both versions side by side, to be chosen by mouse or keys.

use std::path::PathBuf;
use std::sync::Arc;

use egui::{Align, Key, Layout, Modifiers, RichText, ScrollArea, Sense, Ui, vec2};

use crate::app::action::{Action, Answer, TabId};
use crate::app::theme::{Theme, regular, semibold, size, space};
use crate::app::widgets::{self, Button};
use crate::editor::{Sides, Version, WorkedOut};
use crate::model::merge::Side;

use super::Act;
use super::changes::{head_ui, step};
use super::choice::choice_ui;

/// What the merge is for.
pub enum Purpose {
    /// Another program changed the file.
    Disk {
        /// What it wrote.
        theirs: Version,
    },
    /// A crash left edits, and the file moved on.
    Unsaved {
        /// Their journal.
        file: PathBuf,
    },
    /// Git left both sides in the file.
    Git {
        /// Which file.
        path: PathBuf,
        /// Both sides.
        sides: Arc<Sides>,
    },
}

/// The page.
pub struct MergePage {
    /// Whose tab.
    pub tab: TabId,
    /// What for.
    pub purpose: Purpose,
    /// The three flows, what was picked, and what they came to when that was last worked out.
    pub worked: WorkedOut,
    /// Something was picked since.
    is_behind: bool,
    /// The result is to be used as soon as it is worked out.
    pub is_wanted: bool,
    /// The row that the keys act on.
    at: usize,
}

impl MergePage {
    /// A page over what three flows come to.
    pub fn new(tab: TabId, purpose: Purpose, worked: WorkedOut) -> Self {
        Self {
            tab,
            purpose,
            worked,
            is_behind: false,
            is_wanted: false,
            at: 0,
        }
    }

    /// What was picked is worked out; false when more was picked meanwhile.
    pub fn take(&mut self, worked: WorkedOut) -> bool {
        if worked.merging.picks != self.worked.merging.picks {
            return false;
        }
        self.worked = worked;
        self.is_behind = false;
        let n = self.worked.merged.conflicts.len();
        self.at = self.at.min(n.saturating_sub(1));
        true
    }

    /// The result is that of what was picked.
    pub fn is_ready(&self) -> bool {
        !self.is_behind
    }

    /// Picks sides. What that leads to is worked out elsewhere; which side has a thing is shown at once.
    fn pick(
        &mut self,
        rows: impl IntoIterator<Item = usize>,
        side: Side,
        actions: &mut Vec<Action>,
    ) {
        for row in rows {
            if let Some(conflict) = self.worked.merged.conflicts.get_mut(row) {
                conflict.pick = side;
                let key = conflict.key.clone();
                self.worked.merging.picks.insert(key, side);
            }
        }
        self.is_behind = true;
        actions.push(Action::Safety(Act::WorkOut));
    }

    fn words(&self) -> (&'static str, &'static str, [&'static str; 2]) {
        match self.purpose {
            Purpose::Disk { .. } => (
                "Both changed the same",
                "Another program changed this workfile in the same places as you. Choose for each; \
                 the rest of both is in the result. Undo takes it back.",
                ["Mine", "On the disk"],
            ),
            Purpose::Unsaved { .. } => (
                "The workfile changed since these edits",
                "Your unsaved edits and the workfile differ in the same places. Choose for each; \
                 the rest of both is in the result. Undo takes it back.",
                ["Unsaved edits", "On the disk"],
            ),
            Purpose::Git { .. } => (
                "Merge both sides",
                "Git left both sides of this workfile for you to settle. Choose for each; the rest \
                 of both is in the result. The file as it is now is kept among its older versions.",
                ["Ours", "Theirs"],
            ),
        }
    }

    /// Draws it.
    pub(super) fn show(&mut self, ui: &Ui, actions: &mut Vec<Action>) {
        let screen = ui.ctx().content_rect();
        let (title, hint, names) = self.words();
        let response = widgets::modal(ui, "merge").show(ui.ctx(), |ui| {
            ui.set_width((screen.width() - 80.0).min(860.0));
            head_ui(ui, title, hint);
            let n = self.worked.merged.conflicts.len();
            self.keys(ui, n, actions);
            self.rows_ui(
                ui,
                names,
                actions,
                (screen.height() - 300.0).clamp(80.0, 460.0),
            );
            ui.add_space(space::S);
            self.rest_ui(ui);
            ui.add_space(space::L);
            self.buttons_ui(ui, names, actions);
        });
        if response.backdrop_response.clicked() {
            actions.push(Action::Answer(Answer::Cancel));
        }
    }

    fn keys(&mut self, ui: &Ui, n: usize, actions: &mut Vec<Action>) {
        self.at = step(ui, self.at, n);
        let (left, right) = ui.input_mut(|i| {
            (
                i.consume_key(Modifiers::NONE, Key::ArrowLeft),
                i.consume_key(Modifiers::NONE, Key::ArrowRight),
            )
        });
        if left {
            self.pick([self.at], Side::Ours, actions);
        } else if right {
            self.pick([self.at], Side::Theirs, actions);
        }
    }

    fn rows_ui(
        &mut self,
        ui: &mut Ui,
        names: [&'static str; 2],
        actions: &mut Vec<Action>,
        height: f32,
    ) {
        const ROW: f32 = 76.0;
        let theme = Theme::of(ui.ctx());
        let n = self.worked.merged.conflicts.len();
        if n == 0 {
            widgets::empty_state(
                ui,
                "Nothing to choose",
                "Both sides fit together as they are.",
            );
            return;
        }
        let mut picked = None;
        ui.spacing_mut().item_spacing.y = 0.0;
        let scroll = ScrollArea::vertical()
            .id_salt("conflicts")
            .max_height(height)
            .auto_shrink([false, true]);
        scroll.show_rows(ui, ROW, n, |ui, range| {
            for row in range {
                let Some(conflict) = self.worked.merged.conflicts.get(row) else {
                    continue;
                };
                let (rect, _) =
                    ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
                let what = match conflict.field {
                    "" => conflict.subject.to_string(),
                    field => format!("{}: {field}", conflict.subject),
                };
                let is_at = row == self.at;
                let colour = if is_at { theme.text } else { theme.dim };
                let line = widgets::galley(ui, &what, semibold(size::UI), colour, rect.width());
                ui.painter()
                    .galley(rect.left_top() + vec2(2.0, 2.0), line, colour);
                let half = (rect.width() - space::S) / 2.0;
                for (place, side) in [Side::Ours, Side::Theirs].into_iter().enumerate() {
                    let corner = rect.left_top() + vec2(place as f32 * (half + space::S), 22.0);
                    let cell = egui::Rect::from_min_size(corner, vec2(half, 46.0)).shrink(1.0);
                    let value = match side {
                        Side::Ours => &conflict.ours,
                        Side::Theirs => &conflict.theirs,
                    };
                    let chosen = conflict.pick == side;
                    if choice_ui(
                        ui,
                        cell,
                        (row, names[place], &what),
                        value.as_deref(),
                        chosen,
                        is_at,
                    ) {
                        picked = Some((row, side));
                    }
                }
            }
        });
        if let Some((row, side)) = picked {
            self.at = row;
            self.pick([row], side, actions);
        }
    }

    fn rest_ui(&self, ui: &mut Ui) {
        let theme = Theme::of(ui.ctx());
        let mut lines = Vec::new();
        match self.worked.came.len() {
            0 => {}
            1 => lines.push(format!(
                "In the result beside yours: {}.",
                self.worked.came[0]
            )),
            n => lines.push(format!(
                "In the result beside yours: {} and {} more.",
                self.worked.came[0],
                n - 1
            )),
        }
        if let Some(renamed) = self.worked.merged.renamed.first() {
            let more = match self.worked.merged.renamed.len() {
                1 => String::new(),
                n => format!(" and {} more", n - 1),
            };
            let (from, to) = (&renamed.from, &renamed.to);
            lines.push(format!(
                "Both gave the id ‘{from}’; yours becomes ‘{to}’{more}."
            ));
        }
        for line in lines {
            let text = RichText::new(line)
                .font(regular(size::SMALL))
                .color(theme.dim);
            ui.add(egui::Label::new(text).wrap());
        }
    }

    fn buttons_ui(&mut self, ui: &mut Ui, names: [&str; 2], actions: &mut Vec<Action>) {
        let n = self.worked.merged.conflicts.len();
        let mut all = None;
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = space::S;
            if n > 1 {
                for (name, side) in names.iter().zip([Side::Ours, Side::Theirs]) {
                    if Button::new(&format!("All: {}", name.to_lowercase()))
                        .flat()
                        .show(ui)
                        .clicked()
                    {
                        all = Some(side);
                    }
                }
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = space::S;
                let enter = ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Enter));
                let button = Button::new("Use this").primary().show(ui);
                if button.clicked() || enter {
                    actions.push(Action::Safety(Act::UseMerged));
                }
                if Button::new("Cancel").show(ui).clicked() {
                    actions.push(Action::Answer(Answer::Cancel));
                }
            });
        });
        if let Some(side) = all {
            self.pick(0..n, side, actions);
        }
    }
}
