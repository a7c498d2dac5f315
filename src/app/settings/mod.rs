//! The page of settings: sections at the left, one of them at the right. Each change applies at
//! once and is remembered; what makes no sense says so in its place and changes nothing.

mod diagnostics;
mod field;
mod resources;
mod sections;

use egui::{Align, Layout, RichText, ScrollArea, Ui, vec2};

use super::action::{Action, Answer};
use super::icons::Icon;
use super::memory::Settings;
use super::theme::{semibold, size, space};
use super::widgets::{self, Button};
use super::window::App;
use crate::model::Notice;
use crate::runtime::health::Row;

pub use resources::{Granted, Wish};

use field::{Typed, bytes_text};

/// Width of the list of sections in points.
const NAV_W: f32 = 168.0;
/// Size of the page in a window that has room for it.
const PAGE: egui::Vec2 = vec2(760.0, 500.0);

/// A part of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Section {
    /// Where the workspaces are.
    #[default]
    Collection,
    /// Theme.
    Look,
    /// Slots, grace, shell.
    Runs,
    /// How long runs and logs are kept.
    History,
    /// Passwords and the like that runs need.
    Resources,
    /// How this machine and its folders are.
    Diagnostics,
    /// Ending what runs.
    KillSwitch,
}

impl Section {
    const ALL: [Self; 7] = [
        Self::Collection,
        Self::Look,
        Self::Runs,
        Self::History,
        Self::Resources,
        Self::Diagnostics,
        Self::KillSwitch,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::Collection => "Collection",
            Self::Look => "Look",
            Self::Runs => "Runs",
            Self::History => "History",
            Self::Resources => "Resources",
            Self::Diagnostics => "Diagnostics",
            Self::KillSwitch => "Kill switch",
        }
    }
}

/// The page while it is open: which section, and what is being typed.
pub struct Page {
    section: Section,
    collection: Typed,
    slots: Typed,
    grace: Typed,
    shell: Typed,
    days: Typed,
    log_bytes: Typed,
    health: Health,
    resources: resources::Resources,
}

/// What is known of the machine's health.
#[derive(Debug, Default)]
pub enum Health {
    /// Nobody asked.
    #[default]
    Unasked,
    /// It is being looked at.
    Looking,
    /// What was seen.
    Seen(Vec<Row>),
}

impl Page {
    /// The page over these settings.
    pub fn new(now: &Settings, section: Section) -> Self {
        let number = |n: Option<u32>| Typed::new(n.map(|n| n.to_string()).unwrap_or_default());
        let collection = now.collection.as_ref();
        Self {
            section,
            collection: Typed::new(
                collection
                    .map(|p| p.display().to_string())
                    .unwrap_or_default(),
            ),
            slots: number(now.slots),
            grace: number(now.grace_s),
            shell: Typed::new(now.shell.clone()),
            days: number(now.retention_days),
            log_bytes: Typed::new(now.log_bytes_max.map(bytes_text).unwrap_or_default()),
            health: Health::default(),
            resources: resources::Resources::default(),
        }
    }

    /// What a person wants done about resources.
    pub fn take_wish(&mut self) -> Option<Wish> {
        self.resources.take_wish()
    }

    /// What came of such a wish. Gives back what has to be told elsewhere.
    pub fn granted(&mut self, granted: Granted) -> Option<Notice> {
        self.resources.granted(granted)
    }

    /// The machine was looked at.
    pub fn seen(&mut self, rows: Vec<Row>) {
        self.health = Health::Seen(rows);
    }
}

/// Draws the page.
pub fn page_ui(ui: &Ui, app: &App, page: &mut Page, actions: &mut Vec<Action>) {
    let screen = ui.ctx().content_rect().size();
    let size = PAGE.min(screen - vec2(48.0, 64.0));
    let response = widgets::modal(ui, "settings").show(ui.ctx(), |ui| {
        ui.set_width(size.x);
        ui.set_height(size.y);
        ui.horizontal(|ui| {
            ui.label(RichText::new("Settings").font(semibold(size::TITLE)));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let close = Button::new("Close settings").bare(Icon::Close).flat();
                if close.show(ui).clicked() {
                    actions.push(Action::Answer(Answer::Cancel));
                }
            });
        });
        ui.add_space(space::M);
        let height = ui.available_height();
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = space::XL;
            ui.allocate_ui_with_layout(
                vec2(NAV_W.min(size.x * 0.3), height),
                Layout::top_down(Align::Min),
                |ui| nav_ui(ui, page),
            );
            ui.vertical(|ui| {
                ui.set_height(height);
                let scroll = ScrollArea::vertical().id_salt(page.section.title());
                scroll.auto_shrink(false).show(ui, |ui| {
                    ui.spacing_mut().item_spacing = vec2(space::S, 5.0);
                    // The bar of the scroll area has its place beside the words.
                    ui.set_max_width(ui.available_width() - space::M);
                    widgets::seen_marks(ui);
                    sections::section_ui(ui, app, page, actions);
                });
            });
        });
    });
    if response.backdrop_response.clicked() {
        actions.push(Action::Answer(Answer::Cancel));
    }
}

fn nav_ui(ui: &mut Ui, page: &mut Page) {
    ui.spacing_mut().item_spacing.y = 1.0;
    for section in Section::ALL {
        let row = widgets::Row {
            text: section.title(),
            name: Some(format!("Section {}", section.title())),
            selected: page.section == section,
            ..widgets::Row::default()
        };
        if row.show(ui).clicked() {
            page.section = section;
        }
    }
}
