//! The section for resources: which names there are, whether each can be had, and the keyring they come from.
//!
//! What a person types as a value is held masked and in memory that is overwritten; it is handed over once and shown
//! never. The keyring is asked on a worker thread, since it may ask the person for its password.

use egui::{Align, Color32, Label, Layout, RichText, TextEdit, Ui, vec2};
use zeroize::Zeroizing;

use crate::app::action::Action;
use crate::app::icons::{self, Icon};
use crate::app::theme::{Theme, mono, regular, semibold, size, space};
use crate::app::widgets::{self, Button};
use crate::model::{NodeStatus, Notice, ResourceName, ResourceSource, Secret};
use crate::runtime::resources::{Keep, KeyringState, ResourceRow, ResourceView, Standing};

use super::field::note;

/// What resources are for, in one sentence.
const PURPOSE: &str = "Passwords, connection strings and the like that runs need and no file may hold: Handmill writes \
                       down their names only.";
/// Width of a field in points.
const FIELD_W: f32 = 360.0;

/// The section while the page is open.
#[derive(Default)]
pub struct Resources {
    seen: Seen,
    draft: Option<Draft>,
    /// Whose removal is to be confirmed.
    removing: Option<ResourceName>,
    /// What is being done, in a person's words.
    busy: Option<String>,
    /// Why the last wish was not granted.
    trouble: Option<Notice>,
    wish: Option<Wish>,
}

#[derive(Default)]
enum Seen {
    #[default]
    Unasked,
    Looking,
    Known(Result<ResourceView, Notice>),
}

/// A resource that is being added or replaced.
struct Draft {
    name: String,
    /// It is in the list: its name stands.
    is_listed: bool,
    source: ResourceSource,
    value: Zeroizing<String>,
    trouble: String,
    /// It was brought into view.
    is_seen: bool,
}

/// What a person wants done. Holds a value, so it is no action: it stays here until it is carried out.
pub enum Wish {
    /// See how everything stands.
    Look,
    /// Keep a value, or only the name.
    Keep(ResourceName, Keep),
    /// Forget a name and its value.
    Remove(ResourceName),
}

/// What came of a wish.
pub struct Granted {
    /// Whether it was done; nothing for a look.
    pub done: Option<Result<(), Notice>>,
    /// How everything stands now.
    pub view: Result<ResourceView, Notice>,
}

impl Resources {
    /// The wish that is to be carried out.
    pub fn take_wish(&mut self) -> Option<Wish> {
        self.wish.take()
    }

    /// A wish was carried out, or was not. Gives back what has to be told elsewhere: it was wished on a page that was
    /// closed meanwhile.
    pub fn granted(&mut self, granted: Granted) -> Option<Notice> {
        self.seen = Seen::Known(granted.view);
        let done = granted.done?;
        if self.busy.take().is_none() {
            return done.err();
        }
        self.trouble = match done {
            Ok(()) => {
                self.draft = None;
                None
            }
            Err(why) => Some(why),
        };
        None
    }

    fn ask(&mut self, wish: Wish, actions: &mut Vec<Action>) {
        self.busy = match &wish {
            Wish::Look => None,
            Wish::Keep(name, Keep::Value(_)) => Some(format!(
                "Keeping {name}… The keyring may ask for its password."
            )),
            Wish::Keep(name, Keep::Environment) => Some(format!("Listing {name}…")),
            Wish::Remove(name) => Some(format!(
                "Removing {name}… The keyring may ask for its password."
            )),
        };
        self.wish = Some(wish);
        actions.push(Action::CarryOutResourceWish);
    }
}

impl Draft {
    fn new(keyring: &KeyringState) -> Self {
        Self {
            name: String::new(),
            is_listed: false,
            source: match keyring {
                KeyringState::Absent(..) => ResourceSource::Environment,
                _ => ResourceSource::Keyring,
            },
            value: Zeroizing::default(),
            trouble: String::new(),
            is_seen: false,
        }
    }

    fn of(row: &ResourceRow) -> Self {
        Self {
            name: row.name.to_string(),
            is_listed: true,
            source: row.source,
            value: Zeroizing::default(),
            trouble: String::new(),
            is_seen: false,
        }
    }

    /// What it asks for; an error is one sentence. `listed` are the names there are.
    fn wish(&mut self, listed: &[ResourceRow]) -> Result<Wish, String> {
        let name = ResourceName::new(self.name.trim())?;
        if !self.is_listed && listed.iter().any(|row| row.name == name) {
            return Err(format!("{name} is in the list already; replace it there."));
        }
        let keep = match self.source {
            ResourceSource::Environment => Keep::Environment,
            ResourceSource::Keyring => {
                // What is typed stays until it was kept: a keyring that refuses is no reason to type it again.
                let value = Zeroizing::new((*self.value).clone());
                Keep::Value(Secret::new(value).map_err(str::to_owned)?)
            }
        };
        Ok(Wish::Keep(name, keep))
    }
}

/// Draws the section, and has everything looked for when it is opened.
pub fn resources_ui(ui: &mut Ui, page: &mut Resources, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    // The bar of a list that is longer than the page stands over what reaches to its edge.
    ui.set_max_width(ui.available_width() - space::L);
    note(ui, PURPOSE, theme.dim);
    ui.add_space(space::S);
    if matches!(page.seen, Seen::Unasked) {
        page.seen = Seen::Looking;
        page.ask(Wish::Look, actions);
    }
    let view = match &page.seen {
        Seen::Known(Ok(view)) => view.clone(),
        Seen::Known(Err(why)) => {
            notice_ui(ui, why);
            return;
        }
        _ => {
            note(ui, "Looking at the keyring…", theme.dim);
            return;
        }
    };
    keyring_ui(ui, page, &view.keyring, actions);
    ui.add_space(space::S);
    widgets::hairline(ui);
    ui.add_space(space::XS);
    if view.rows.is_empty() {
        note(ui, "There are none yet.", theme.dim);
    }
    for row in &view.rows {
        row_ui(ui, page, row, actions);
    }
    ui.add_space(space::S);
    if let Some(why) = page.trouble.clone() {
        notice_ui(ui, &why);
        ui.add_space(space::S);
    }
    if let Some(busy) = &page.busy {
        note(ui, busy, theme.dim);
    }
    match page.draft.take() {
        Some(draft) => draft_ui(ui, page, draft, &view, actions),
        None => {
            let mut add = Button::new("Add a resource…").icon(Icon::Plus);
            add.disabled = is_busy(page);
            if add.show(ui).clicked() {
                page.draft = Some(Draft::new(&view.keyring));
                (page.removing, page.trouble) = (None, None);
            }
        }
    }
}

fn is_busy(page: &Resources) -> Option<String> {
    page.busy
        .as_ref()
        .map(|_| "Wait for what was asked for before".to_owned())
}

/// How the keyring stands, and what to do.
fn keyring_ui(
    ui: &mut Ui,
    page: &mut Resources,
    keyring: &KeyringState,
    actions: &mut Vec<Action>,
) {
    let theme = Theme::of(ui.ctx());
    let (icon, colour) = match keyring {
        KeyringState::Ready => (Icon::Status(NodeStatus::Ran), theme.status(NodeStatus::Ran)),
        KeyringState::Locked | KeyringState::Absent(..) => (Icon::Info, theme.dim),
        KeyringState::Troubled(..) => (Icon::Warning, theme.warning()),
    };
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        let name = format!("Keyring: {}", keyring.word());
        sign_ui(ui, icon, colour, &name);
        let words = vec2(ui.available_width() - 96.0, 0.0);
        ui.allocate_ui_with_layout(words, Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = space::XXS;
            let text = RichText::new(keyring.text()).font(semibold(size::SMALL));
            ui.add(Label::new(text).wrap());
            if !keyring.remedy().is_empty() {
                note(ui, keyring.remedy(), theme.dim);
            }
        });
        ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
            let mut again = Button::new("Look again");
            again.disabled = is_busy(page);
            if again.show(ui).clicked() {
                page.ask(Wish::Look, actions);
            }
        });
    });
}

fn sign_ui(ui: &mut Ui, icon: Icon, colour: Color32, name: &str) {
    let (rect, response) = ui.allocate_exact_size(vec2(16.0, 16.0), egui::Sense::hover());
    icons::paint(ui.painter(), rect.shrink(1.5), icon, colour);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Label, true, name));
}

/// A name, where it is, and what can be done with it; or the question whether it is to go.
fn row_ui(ui: &mut Ui, page: &mut Resources, row: &ResourceRow, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let (icon, colour) = match row.standing {
        Standing::There(_) => (Icon::Status(NodeStatus::Ran), theme.status(NodeStatus::Ran)),
        Standing::Locked => (Icon::Info, theme.dim),
        Standing::Missing | Standing::OutOfReach => (Icon::Warning, theme.warning()),
    };
    let is_removing = page.removing.as_ref() == Some(&row.name);
    let name = row.name.as_str();
    let wide = vec2(ui.available_width(), size::CONTROL);
    ui.allocate_ui_with_layout(wide, Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        if is_removing {
            let keep = Button::new("Keep it").show(ui);
            let mut remove = Button::new("Remove").danger();
            remove.disabled = is_busy(page);
            if remove.show(ui).clicked() {
                page.removing = None;
                page.ask(Wish::Remove(row.name.clone()), actions);
            }
            if keep.clicked() {
                page.removing = None;
            }
        } else {
            let remove = format!("Remove {name}…");
            let mut remove = Button::new(&remove).bare(Icon::Close).flat();
            remove.disabled = is_busy(page);
            if remove.show(ui).clicked() {
                page.removing = Some(row.name.clone());
                page.draft = None;
            }
            let replace = format!("Replace {name}…");
            let mut replace = Button::new("Replace…").name(&replace).flat();
            replace.disabled = is_busy(page);
            if replace.show(ui).clicked() {
                page.draft = Some(Draft::of(row));
                (page.removing, page.trouble) = (None, None);
            }
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            sign_ui(
                ui,
                icon,
                colour,
                &format!("{name}: {}", row.standing.words()),
            );
            let words = match (is_removing, row.source) {
                (false, _) => row.standing.words(),
                (true, ResourceSource::Keyring) => "Remove it and its value?",
                (true, ResourceSource::Environment) => "Remove it from the list?",
            };
            let words = RichText::new(words).font(regular(size::SMALL));
            let ink = if is_removing { theme.text } else { theme.dim };
            // The name has the room that the words leave: names are long, and the words short.
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.add(Label::new(words.color(ink)));
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let name = RichText::new(name).font(mono(size::MONO));
                    ui.add(Label::new(name).truncate());
                });
            });
        });
    });
}

/// The fields of a resource that is being added or replaced.
fn draft_ui(
    ui: &mut Ui,
    page: &mut Resources,
    mut draft: Draft,
    view: &ResourceView,
    actions: &mut Vec<Action>,
) {
    let theme = Theme::of(ui.ctx());
    let width = ui.available_width().min(FIELD_W);
    let mut enter = false;
    if draft.is_listed {
        let title = format!("Replace {}", draft.name);
        ui.label(RichText::new(title).font(semibold(size::SMALL)));
    } else {
        let label = widgets::field_label(ui, "Name");
        let field = TextEdit::singleline(&mut draft.name)
            .font(mono(size::MONO))
            .hint_text(RichText::new("DATABASE_URL").font(mono(size::MONO)))
            .margin(widgets::field_margin())
            .desired_width(width);
        let field = ui.add(field).labelled_by(label.id);
        if draft.name.is_empty() && ui.memory(|memory| memory.focused().is_none()) {
            field.request_focus();
        }
        enter |= field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        note(
            ui,
            "Nodes find it in the environment variable of this name.",
            theme.dim,
        );
    }
    ui.add_space(space::XS);
    let keyring = ResourceSource::Keyring;
    let environment = "Keep no value: take it from the environment that Handmill is started with";
    ui.scope(|ui| {
        ui.spacing_mut().interact_size.y = 20.0;
        widgets::seen_marks(ui);
        ui.radio_value(&mut draft.source, keyring, "Keep its value in the keyring");
        ui.radio_value(&mut draft.source, ResourceSource::Environment, environment);
    });
    if draft.source == ResourceSource::Keyring {
        let id = egui::Id::new("resource value");
        let field = widgets::masked_field(ui, id, "Value", &mut draft.value, width);
        enter |= field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    }
    if !draft.trouble.is_empty() {
        note(ui, &draft.trouble, theme.error());
    }
    ui.add_space(space::S);
    let mut cancelled = false;
    let answers = ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        let mut keep = Button::new("Keep").primary();
        keep.disabled = is_busy(page);
        let pressed = keep.show(ui).clicked() || enter && page.busy.is_none();
        if pressed {
            match draft.wish(&view.rows) {
                Ok(wish) => {
                    (draft.trouble, page.trouble) = (String::new(), None);
                    page.ask(wish, actions);
                }
                Err(why) => draft.trouble = why,
            }
        }
        cancelled = Button::new("Cancel").show(ui).clicked();
    });
    if !std::mem::replace(&mut draft.is_seen, true) {
        answers.response.scroll_to_me(None);
    }
    if cancelled {
        page.trouble = None;
    } else {
        page.draft = Some(draft);
    }
}

fn notice_ui(ui: &mut Ui, notice: &Notice) {
    let theme = Theme::of(ui.ctx());
    note(ui, &notice.what, theme.error());
    if !notice.hint.is_empty() {
        note(ui, &notice.hint, theme.dim);
    }
}
