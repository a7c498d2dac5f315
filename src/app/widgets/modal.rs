//! A dialog that takes all clicks, also the first.
//!
//! egui measures a new area in a pass of its own, in which it is neither seen nor hit: a click that follows the key that
//! opened a dialog would fall through to what lies below it. Contents that fill their room have another size in the
//! pass after, and stand beside their place. So a frame is drawn again, before it is shown, until the dialog has its
//! size; [`PASSES_MAX`] bounds that.

use std::num::NonZeroUsize;

use egui::{Area, AreaState, Color32, Context, Id, Margin, ModalResponse, Ui};

/// Passes of a frame: measured, drawn, and drawn in its place.
pub const PASSES_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

/// A dialog, not yet shown.
pub struct Modal(egui::Modal, Id);

/// A dialog of this name; its contents stand on the spacing grid.
pub fn modal(ui: &Ui, id: &str) -> Modal {
    let frame = egui::Frame::window(ui.style()).inner_margin(Margin::same(16));
    let area = egui::Modal::default_area(Id::new(id));
    let area = measured_anew(ui.ctx(), area);
    let modal = egui::Modal::new(Id::new(id)).area(area).frame(frame);
    Modal(
        modal.backdrop_color(Color32::from_black_alpha(90)),
        Id::new(id),
    )
}

impl Modal {
    /// Draws it.
    pub fn show<T>(self, ctx: &Context, contents: impl FnOnce(&mut Ui) -> T) -> ModalResponse<T> {
        let size = || AreaState::load(ctx, self.1).and_then(|state| state.size);
        let before = size();
        let mut is_measured = false;
        let shown = self.0.show(ctx, |ui| {
            is_measured = ui.is_sizing_pass();
            contents(ui)
        });
        if is_measured || size() != before {
            ctx.request_discard("a dialog has another size");
        }
        shown
    }
}

/// An area that may hold something else than when it was shown last.
pub fn measured_anew(ctx: &Context, area: Area) -> Area {
    let is_new = !ctx.memory(|memory| memory.areas().visible_last_frame(&area.layer()));
    area.sizing_pass(is_new)
}

/// Has the frame drawn again when what is drawn now is only measured.
pub fn show_at_once(ui: &Ui) {
    if ui.is_sizing_pass() {
        ui.ctx().request_discard("an area was measured");
    }
}
