//! The add-node palette: type a few letters, Enter takes the first.
//!
//! The list is `egui_node_graph`'s node finder. It paints a fixed grey of its own, has no arrow
//! keys, and searches only within categories, which it folds; all three are mended from outside.

use std::borrow::Cow;

use egui::{Color32, Context, Id, Key, Pos2, Shape, Stroke};
use egui_node_graph::{Graph, NodeFinder, NodeId, NodeTemplateIter, NodeTemplateTrait};

use crate::app::theme::size;
use crate::app::{Theme, Verb};
use crate::model::Point;

use super::menu::{self, VerbInfos};

/// Something the palette can add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// An empty node, typed at once.
    Command,
    /// A frame to group nodes.
    Frame,
    /// A note.
    Note,
    /// A node with a command to be adapted: its title and its command.
    Snippet(&'static str, &'static str),
    /// A node with what was typed as its command.
    Typed,
}

/// Width inside the popup.
const WIDTH: f32 = 264.0;

const TEMPLATES: &[Template] = &[
    Template::Command,
    Template::Snippet("Python script", "python3 script.py"),
    Template::Snippet("Python, inline", "python3 - <<'END'\nprint('hello')\nEND"),
    Template::Snippet("Wait / sleep", "sleep 5"),
    Template::Snippet("Check file exists", "test -f path/to/file"),
    Template::Snippet(
        "HTTP fetch (curl)",
        "curl --fail --silent --show-error --location \\\n  --output page.html https://example.com/",
    ),
    Template::Snippet(
        "SQLite query",
        "sqlite3 -header -csv data.db \\\n  'select count(*) as n from items'",
    ),
    Template::Snippet(
        "Poll until",
        "until test -f path/to/file; do\n  sleep 5\ndone",
    ),
    Template::Snippet(
        "For each file",
        "for file in *.csv; do\n  wc -l \"$file\"\ndone",
    ),
    Template::Frame,
    Template::Note,
];

impl NodeTemplateTrait for Template {
    type NodeData = ();
    type DataType = ();
    type ValueType = ();
    type UserState = ();
    type CategoryType = ();

    fn node_finder_label(&self, (): &mut ()) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::Command => "Command",
            Self::Frame => "Frame round nodes",
            Self::Note => "Note / comment",
            Self::Typed => "Add this as a command",
            Self::Snippet(title, _) => title,
        })
    }

    fn node_graph_label(&self, state: &mut ()) -> String {
        self.node_finder_label(state).into_owned()
    }

    fn user_data(&self, (): &mut ()) {}

    // The canvas keeps its own graph; what was chosen becomes an edit of the document.
    fn build_node(&self, _: &mut Graph<(), (), ()>, (): &mut (), _: NodeId) {}
}

/// What the list shows.
struct Templates(Vec<Template>);

impl NodeTemplateIter for Templates {
    type Item = Template;

    fn all_kinds(&self) -> Vec<Template> {
        self.0.clone()
    }
}

/// What fits what was typed, names that begin with it first; last, what was typed itself.
fn matching(query: &str) -> Vec<Template> {
    let query = query.trim().to_lowercase();
    let mut ranked: Vec<(usize, Template)> = TEMPLATES
        .iter()
        .filter_map(|template| {
            let label = template.node_finder_label(&mut ()).to_lowercase();
            Some((label.find(&query)?.min(1), *template))
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut found: Vec<Template> = ranked.into_iter().map(|(_, template)| template).collect();
    if !query.is_empty() {
        found.push(Template::Typed);
    }
    found
}

/// An open palette.
pub struct Finder {
    inner: NodeFinder<Template>,
    at: Pos2,
    /// Where on the canvas the chosen thing goes.
    pub place: Point,
    with_verbs: bool,
    fresh: bool,
}

/// What was chosen.
#[derive(Debug, PartialEq)]
pub enum Found {
    /// Something to add.
    Template(Template),
    /// This command.
    Command(String),
    /// A verb from under the list.
    Verb(Verb),
}

impl Finder {
    /// A palette at a place on the screen and on the canvas; `with_verbs` when it serves as the
    /// menu of the empty canvas too.
    pub fn new(at: Pos2, place: Point, with_verbs: bool) -> Self {
        Self {
            inner: NodeFinder::new_at(at),
            at,
            place,
            with_verbs,
            fresh: true,
        }
    }

    /// Draws it. `Err` asks to close it, with what was chosen.
    pub fn ui(
        &mut self,
        ctx: &Context,
        id: Id,
        theme: &Theme,
        verbs: VerbInfos<'_>,
    ) -> Result<(), Option<Found>> {
        // The text field keeps the arrows to itself; down leaves it for the list, where egui's own
        // focus keys and Enter go on.
        if ctx.text_edit_focused()
            && ctx.input_mut(|i| i.consume_key(egui::Modifiers::NONE, Key::ArrowDown))
        {
            ctx.memory_mut(|m| m.move_focus(egui::FocusDirection::Next));
        }
        let mut found = None;
        let (rect, layer) = menu::popup(ctx, id, self.at, theme, |ui| {
            ui.set_width(WIDTH);
            let top = ui.min_rect().min;
            ui.scope(|ui| {
                let style = ui.style_mut();
                style.spacing.text_edit_width = WIDTH - 12.0;
                style.spacing.interact_size.y = 24.0;
                style.spacing.item_spacing = egui::vec2(8.0, 2.0);
                style.spacing.button_padding = egui::vec2(6.0, 3.0);
                style.visuals.override_text_color = Some(theme.text);
                style.visuals.window_stroke = Stroke::NONE;
                for font in style.text_styles.values_mut() {
                    font.size = size::UI;
                }
                for state in [
                    &mut style.visuals.widgets.inactive,
                    &mut style.visuals.widgets.hovered,
                    &mut style.visuals.widgets.active,
                ] {
                    state.corner_radius = egui::CornerRadius::same(4);
                }
                style.visuals.extreme_bg_color = theme.bg;
                style.visuals.text_edit_bg_color = Some(theme.bg);
                style.visuals.selection.bg_fill = theme.select;
                style.visuals.selection.stroke = Stroke::new(1.0, theme.accent);
                let before = self.inner.query.clone();
                let list = Templates(matching(&before));
                let mut chosen = self.inner.show(ui, list, &mut ());
                // Letters and Enter in one frame: the list was made before the letters.
                if chosen.is_some() && self.inner.query != before {
                    chosen = matching(&self.inner.query).first().copied();
                }
                found = chosen.map(|template| match template {
                    Template::Typed => Found::Command(self.inner.query.trim().to_owned()),
                    other => Found::Template(other),
                });
            });
            if self.inner.query.is_empty() {
                // Where the finder puts its text, past its own margin and the field's.
                ui.painter().text(
                    top + egui::vec2(10.0, 7.0),
                    egui::Align2::LEFT_TOP,
                    "Find, or type a command",
                    egui::FontId::proportional(size::UI),
                    theme.faint,
                );
            }
            if self.with_verbs && self.inner.query.is_empty() {
                menu::line(ui, theme);
                for &verb in menu::CANVAS {
                    if menu::row(ui, &verbs(verb), theme).clicked() {
                        found = Some(Found::Verb(verb));
                    }
                }
            }
            ui.layer_id()
        });
        recolour(ctx, layer);
        if found.is_some() {
            return Err(found);
        }
        if menu::left(ctx, rect, std::mem::take(&mut self.fresh)) {
            return Err(None);
        }
        Ok(())
    }
}

/// The finder's panel is one of two fixed greys, whatever the style says: make it clear, so that
/// the popup's own panel shows. Only this popup's layer is touched.
fn recolour(ctx: &Context, layer: egui::LayerId) {
    const FIXED: [Color32; 2] = [
        Color32::from_rgb(0x3f, 0x3f, 0x3f),
        Color32::from_rgb(0xfe, 0xfe, 0xfe),
    ];
    ctx.graphics_mut(|graphics| {
        let list = graphics.entry(layer);
        for at in 0..list.next_idx().0 {
            list.mutate_shape(egui::layers::ShapeIdx(at), |shape| {
                if let Shape::Rect(rect) = &mut shape.shape
                    && FIXED.contains(&rect.fill)
                {
                    rect.fill = Color32::TRANSPARENT;
                }
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_begin_with_the_letters_come_first_and_the_letters_themselves_last() {
        let labels: Vec<String> = matching("co")
            .iter()
            .map(|template| template.node_finder_label(&mut ()).into_owned())
            .collect();
        assert_eq!(
            labels,
            ["Command", "Note / comment", "Add this as a command"]
        );
        assert_eq!(matching("").len(), TEMPLATES.len());
        assert_eq!(matching("zzz"), [Template::Typed]);
    }
}
