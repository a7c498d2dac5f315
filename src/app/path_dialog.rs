//! The window's own file dialog: a path is typed, with completion from the folder it is in.
//!
//! Shown where the desktop has no dialog. Unaware of the disk: it asks for a folder's list and is
//! given it by a later frame.

use std::path::{Path, PathBuf};

use egui::{Key, ScrollArea, TextEdit, Ui};

use super::action::{Action, Answer, TabId};
use super::icons::Icon;
use super::ports::{Ask, FolderEntry};
use super::theme::{Theme, mono, semibold, size, space};
use super::widgets::{self, Button, Row};

/// A folder whose list is wanted.
pub struct List(pub PathBuf);

/// The open dialog.
pub struct PathDialog {
    /// What is asked.
    pub ask: Ask,
    /// The tab that is to be saved.
    pub tab: Option<TabId>,
    text: String,
    /// The folder whose list is shown.
    listed: PathBuf,
    entries: Vec<FolderEntry>,
    at: Option<usize>,
    fresh: bool,
}

impl PathDialog {
    /// A dialog that begins at a path: a file to be saved, else a folder.
    pub fn new(ask: Ask, tab: Option<TabId>, start: &Path) -> Self {
        let mut text = start.display().to_string();
        if !matches!(ask, Ask::SaveFile(_)) && !text.ends_with('/') && !text.is_empty() {
            text.push('/');
        }
        Self {
            ask,
            tab,
            text,
            listed: PathBuf::new(),
            entries: Vec::new(),
            at: None,
            fresh: true,
        }
    }

    /// The folder of what is typed.
    pub fn folder(&self) -> PathBuf {
        let path = Path::new(&self.text);
        if self.text.ends_with('/') || self.text.ends_with('\\') {
            return path.to_owned();
        }
        path.parent().map(Path::to_owned).unwrap_or_default()
    }

    /// A folder's list has come.
    pub fn listed(&mut self, folder: &Path, entries: Vec<FolderEntry>) {
        self.listed = folder.to_owned();
        self.entries = entries;
        self.at = None;
    }

    fn part(&self) -> &str {
        self.text.rsplit(['/', '\\']).next().unwrap_or_default()
    }

    fn matching(&self) -> Vec<FolderEntry> {
        if self.listed != self.folder() {
            return Vec::new();
        }
        let part = self.part().to_lowercase();
        self.entries
            .iter()
            .filter(|entry| entry.is_folder || self.ask_takes_files())
            .filter(|entry| part.starts_with('.') || !entry.name.starts_with('.'))
            .filter(|entry| entry.name.to_lowercase().starts_with(&part))
            .cloned()
            .collect()
    }

    fn take(&mut self, entry: &FolderEntry) {
        let cut = self.text.len() - self.part().len();
        self.text.truncate(cut);
        self.text.push_str(&entry.name);
        if entry.is_folder {
            self.text.push('/');
        }
        self.at = None;
    }

    fn ask_takes_files(&self) -> bool {
        !matches!(self.ask, Ask::OpenFolder | Ask::WorkspaceFolder)
    }

    fn words(&self) -> (&'static str, &'static str) {
        match self.ask {
            Ask::OpenFile => ("Open workfile", "Open"),
            Ask::OpenFolder => ("Choose collection", "Choose"),
            Ask::WorkspaceFolder => ("Set up a workspace in a folder", "Set up"),
            Ask::SaveFile(_) => ("Save as", "Save"),
        }
    }

    /// Draws it; gives the folder whose list it wants.
    pub fn show(&mut self, ui: &Ui, actions: &mut Vec<Action>) -> Option<List> {
        let theme = Theme::of(ui.ctx());
        let (title, verb) = self.words();
        let before = self.folder();
        let modal = widgets::modal(ui, "path dialog").show(ui.ctx(), |ui| {
            ui.set_width(520.0);
            ui.label(egui::RichText::new(title).font(semibold(size::TITLE)));
            ui.add_space(space::S);
            let matching = self.matching();
            let (up, down, tab, enter) = ui.input_mut(|i| {
                let mut take = |key| i.consume_key(egui::Modifiers::NONE, key);
                (
                    take(Key::ArrowUp),
                    take(Key::ArrowDown),
                    take(Key::Tab),
                    take(Key::Enter),
                )
            });
            let n = matching.len();
            if n > 0 && (up || down) {
                self.at = Some(match (self.at, down) {
                    (None, true) => 0,
                    (None, false) => n - 1,
                    (Some(at), true) => (at + 1) % n,
                    (Some(at), false) => (at + n - 1) % n,
                });
            }
            let chosen = self.at.and_then(|at| matching.get(at)).cloned();
            if tab && let Some(entry) = chosen.as_ref().or(matching.first()) {
                self.take(entry);
                self.fresh = true;
            }
            let label = widgets::field_label(ui, "Path");
            let mut out = TextEdit::singleline(&mut self.text)
                .id(egui::Id::new("path field"))
                .font(mono(size::MONO))
                .margin(widgets::field_margin())
                .desired_width(f32::INFINITY)
                .lock_focus(true)
                .show(ui);
            let field = out.response.response.clone().labelled_by(label.id);
            if std::mem::take(&mut self.fresh) {
                field.request_focus();
                let end = egui::text::CCursor::new(self.text.chars().count());
                let range = egui::text::CCursorRange::one(end);
                out.state.cursor.set_char_range(Some(range));
                out.state.store(ui.ctx(), field.id);
            }
            ui.add_space(space::XS);
            let list = ScrollArea::vertical()
                .max_height(260.0)
                .min_scrolled_height(260.0);
            list.auto_shrink(false).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                if matching.is_empty() {
                    let reading = self.listed != self.folder();
                    let what = if reading {
                        "Reading the folder…"
                    } else {
                        "Nothing here has this name"
                    };
                    widgets::empty_state(ui, what, "");
                }
                for (at, entry) in matching.iter().enumerate() {
                    let icon = if entry.is_folder {
                        Icon::Folder
                    } else {
                        Icon::Flow
                    };
                    let row = Row {
                        text: &entry.name,
                        icon: Some((icon, theme.dim)),
                        selected: self.at == Some(at),
                        ..Row::default()
                    };
                    if row.show(ui).clicked() {
                        self.take(entry);
                        self.fresh = true;
                    }
                }
            });
            ui.add_space(space::S);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let done = Button::new(verb).primary().show(ui).clicked();
                if Button::new("Cancel").show(ui).clicked() {
                    actions.push(Action::Answer(Answer::Cancel));
                }
                let enter_takes = enter && chosen.as_ref().is_some_and(|entry| entry.is_folder);
                if enter_takes && let Some(entry) = &chosen {
                    self.take(entry);
                    self.fresh = true;
                } else if done || enter {
                    if let Some(entry) = &chosen {
                        self.take(entry);
                    }
                    let path = PathBuf::from(self.text.trim_end_matches('/'));
                    actions.push(Action::Answer(Answer::Path(path)));
                }
            });
        });
        if modal.backdrop_response.clicked() {
            actions.push(Action::Answer(Answer::Cancel));
        }
        let folder = self.folder();
        (folder != before || self.listed != folder)
            .then(|| {
                // Asked once: what is not there gives an empty list, not a loop.
                let asked = folder != before;
                asked.then_some(List(folder))
            })
            .flatten()
    }
}
