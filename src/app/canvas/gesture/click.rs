//! A press and a release in one place.

use egui::PointerButton;

use super::{Signal, Surroundings, Wish, centred};
use crate::app::canvas::scene::Hit;
use crate::app::{Action, Selection};

/// What a click at `start` asks for; `double` when it is the second of two.
pub(super) fn click(
    button: PointerButton,
    double: bool,
    start: &Signal,
    around: &Surroundings<'_>,
    wishes: &mut Vec<Wish>,
) {
    match button {
        PointerButton::Secondary => {
            if !has(around.selection, &start.hit) {
                wishes.push(Wish::Act(alone(&start.hit).into_action()));
            }
            wishes.push(Wish::Menu(start.hit.clone(), start.at));
        }
        PointerButton::Primary => {
            let more = start.mods.shift || start.mods.command;
            let opened = (double && !more).then(|| opened(start)).flatten();
            wishes.extend(opened.or_else(|| selected(start, more, around.selection)));
        }
        _ => {}
    }
}

/// What a double click opens; an edge has nothing to open.
fn opened(start: &Signal) -> Option<Wish> {
    Some(match &start.hit {
        Hit::Node(id) | Hit::Handle(id) => Wish::Act(Action::BeginEdit(id.clone())),
        Hit::Frame(id) | Hit::FrameCorner(id) => Wish::EditFrame(id.clone()),
        Hit::Canvas => Wish::Act(Action::NewNodeAt {
            pos: centred(start.world),
            from: None,
        }),
        Hit::Edge(_) => return None,
    })
}

/// The selection after a click, when it is another one; `more` adds to it or takes out of it.
fn selected(start: &Signal, more: bool, before: &Selection) -> Option<Wish> {
    let after = if more {
        toggled(before.clone(), &start.hit)
    } else {
        alone(&start.hit)
    };
    (after != *before).then(|| Wish::Act(after.into_action()))
}

fn alone(hit: &Hit) -> Selection {
    toggled(Selection::default(), hit)
}

fn toggled(mut selection: Selection, hit: &Hit) -> Selection {
    match hit {
        Hit::Node(id) | Hit::Handle(id) => selection.toggle_node(id.clone()),
        Hit::Edge(id) => selection.toggle_edge(id.clone()),
        Hit::Frame(id) | Hit::FrameCorner(id) => selection.toggle_frame(id.clone()),
        Hit::Canvas => {}
    }
    selection
}

/// True when what was hit is selected; nothing is missing where nothing was hit.
fn has(selection: &Selection, hit: &Hit) -> bool {
    match hit {
        Hit::Node(id) | Hit::Handle(id) => selection.has_node(id),
        Hit::Edge(id) => selection.has_edge(id),
        Hit::Frame(id) | Hit::FrameCorner(id) => selection.has_frame(id),
        Hit::Canvas => true,
    }
}
