//! Words on the canvas itself: what a run would do, and how to begin.

use egui::{CornerRadius, Rect, Stroke, StrokeKind, vec2};

use crate::app::theme::size;
use crate::model::Flow;
use crate::runtime::Preview;

use super::picture::Picture;
use super::text::{Face, Texts};

/// How much a run that is pointed at would do, or why it would not start.
pub fn preview_text(preview: &Preview, flow: &Flow) -> String {
    match &preview.nodes {
        Ok(nodes) => format!("would run {} of {}", nodes.len(), flow.graph.n_nodes()),
        Err(why) => why.clone(),
    }
}

/// How much a run that is pointed at would do, in the upper left corner.
pub fn preview_words(picture: &Picture<'_>, preview: &Preview, flow: &Flow, texts: &mut Texts) {
    let mut text = preview_text(preview, flow);
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let theme = picture.theme;
    let room = picture.seen.view.width() - 48.0;
    let galley = texts.line(picture.ctx, &text, Face::Plain, size::UI, room);
    let min = picture.seen.view.min + vec2(12.0, 12.0);
    let plate = Rect::from_min_size(min, galley.size() + vec2(20.0, 10.0));
    let line = Stroke::new(1.0, theme.accent);
    let radius = CornerRadius::same(size::RADIUS);
    picture
        .painter
        .rect(plate, radius, theme.raised, line, StrokeKind::Inside);
    picture
        .painter
        .galley(min + vec2(10.0, 5.0), galley, theme.text);
}

/// What to do on an empty canvas; `add` is the key that adds a node, if any.
pub fn empty_hint(picture: &Picture<'_>, add: &str, texts: &mut Texts) {
    let lines = [
        (
            "Nothing here yet".to_owned(),
            Face::Bold,
            size::TITLE,
            picture.theme.dim,
        ),
        (
            if add.is_empty() {
                "Double-click to add a command".to_owned()
            } else {
                format!("Double-click to add a command · {add} for more")
            },
            Face::Plain,
            size::UI,
            picture.theme.faint,
        ),
    ];
    let mut pos = picture.seen.view.center() - vec2(0.0, 24.0);
    for (text, face, size, color) in lines {
        let galley = texts.line(
            picture.ctx,
            &text,
            face,
            size,
            picture.seen.view.width() - 24.0,
        );
        let min = pos - vec2(galley.size().x / 2.0, 0.0);
        pos.y += galley.size().y + 6.0;
        picture.painter.galley(min, galley, color);
    }
}
