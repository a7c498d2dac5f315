//! Earlier versions of a workfile, with what taking one back would change.

use egui::{Align, Key, Layout, Modifiers, ScrollArea, Ui};

use crate::app::action::{Action, Answer, TabId};
use crate::app::theme::space;
use crate::app::when;
use crate::app::widgets::{self, Button, Row};
use crate::app::window::App;
use crate::editor::{Backup, Version};
use crate::model::Change;

use super::Act;
use super::changes::{changes_ui, framed, head_ui, step};

/// The page.
pub struct VersionsPage {
    /// Whose tab.
    pub tab: TabId,
    /// What there is; `None` while the folder is being read.
    list: Option<Vec<Backup>>,
    /// Why it cannot be read.
    trouble: Option<String>,
    at: usize,
    /// The one whose difference is shown, and what using it would change.
    shown: Option<(Backup, Version, Vec<Change>)>,
}

impl VersionsPage {
    /// A page that waits for its list.
    pub fn new(tab: TabId) -> Self {
        Self {
            tab,
            list: None,
            trouble: None,
            at: 0,
            shown: None,
        }
    }

    /// The list came; gives the version to be read first.
    pub fn listed(&mut self, list: Result<Vec<Backup>, String>) -> Option<Backup> {
        match list {
            Ok(list) => {
                let first = list.first().cloned();
                self.list = Some(list);
                first
            }
            Err(why) => {
                self.list = Some(Vec::new());
                self.trouble = Some(why);
                None
            }
        }
    }

    /// A version was read.
    pub fn read(&mut self, backup: Backup, version: Result<(Version, Vec<Change>), String>) {
        match version {
            Ok((version, list)) => {
                self.trouble = None;
                self.shown = Some((backup, version, list));
            }
            Err(why) => {
                self.trouble = Some(why);
                self.shown = None;
            }
        }
    }

    /// The version that is shown.
    pub fn chosen(&self) -> Option<&Version> {
        self.shown.as_ref().map(|(_, version, _)| version)
    }

    /// Draws it.
    pub(super) fn show(&mut self, ui: &Ui, app: &App, actions: &mut Vec<Action>) {
        let screen = ui.ctx().content_rect();
        let response = widgets::modal(ui, "versions").show(ui.ctx(), |ui| {
            ui.set_width((screen.width() - 80.0).min(820.0));
            head_ui(
                ui,
                "Older versions",
                "Kept on this machine each time a save replaced one: the last 20, and one per day for 30 days.",
            );
            let height = (screen.height() - 260.0).clamp(120.0, 420.0);
            self.body_ui(ui, app, height, actions);
            ui.add_space(space::L);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = space::S;
                let mut button = Button::new("Use this version").primary();
                button.disabled = match &self.shown {
                    None => Some("No version is shown".to_owned()),
                    Some((_, _, list)) if list.is_empty() => Some("It is what you see already".to_owned()),
                    Some(_) => None,
                };
                let may = button.disabled.is_none();
                let enter = ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Enter));
                if button.show(ui).clicked() || enter && may {
                    actions.push(Action::Safety(Act::UseVersion));
                }
                if Button::new("Close").show(ui).clicked() {
                    actions.push(Action::Answer(Answer::Cancel));
                }
            });
        });
        if response.backdrop_response.clicked() {
            actions.push(Action::Answer(Answer::Cancel));
        }
    }

    fn body_ui(&mut self, ui: &mut Ui, app: &App, height: f32, actions: &mut Vec<Action>) {
        let Some(list) = &self.list else {
            widgets::empty_state(ui, "Looking for older versions…", "");
            return;
        };
        if list.is_empty() {
            let why = self
                .trouble
                .as_deref()
                .unwrap_or("The first one is kept when a save replaces what the file holds now.");
            widgets::empty_state(ui, "No older version yet", why);
            return;
        }
        let now = app.engine.now();
        let before = self.at;
        let mut at = step(ui, self.at, list.len());
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = space::M;
            let list_ui = Layout::top_down(Align::Min);
            ui.allocate_ui_with_layout(egui::vec2(230.0, height), list_ui, |ui| {
                let scroll = ScrollArea::vertical()
                    .id_salt("versions")
                    .max_height(height);
                scroll.auto_shrink([false, false]).show(ui, |ui| {
                    ui.spacing_mut().item_spacing.y = 0.0;
                    for (row, backup) in list.iter().enumerate() {
                        let text = when::day_and_time(backup.written, now, &app.view.zone);
                        let bytes = size_words(backup.len);
                        let response = Row {
                            text: &text,
                            figure: &bytes,
                            selected: row == at,
                            ..Row::default()
                        }
                        .show(ui);
                        if response.clicked() {
                            at = row;
                        }
                        if row == at && at != before {
                            response.scroll_to_me(None);
                        }
                    }
                });
            });
            ui.vertical(|ui| {
                ui.set_width(ui.available_width());
                widgets::field_label(ui, "Using it would change");
                match (&self.shown, &self.trouble) {
                    (Some((_, _, list)), _) => framed(ui, |ui| changes_ui(ui, list, height - 40.0)),
                    (None, Some(why)) => {
                        widgets::empty_state(ui, "This version cannot be read", why)
                    }
                    (None, None) => widgets::empty_state(ui, "Reading this version…", ""),
                }
            });
        });
        if at != self.at
            && let Some(backup) = list.get(at)
        {
            actions.push(Action::Safety(Act::ReadVersion(backup.clone())));
        }
        self.at = at;
    }
}

fn size_words(len: u64) -> String {
    match len {
        0..1_000 => format!("{len} B"),
        1_000..1_000_000 => format!("{} kB", len / 1_000),
        _ => format!("{:.1} MB", len as f64 / 1e6),
    }
}
