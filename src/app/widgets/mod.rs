//! The few controls the panes are made of: button, row, field label, masked field, tab header, key cap.
//!
//! Each paints itself from the theme and names itself to the accessibility tree. Unaware of
//! actions and of the model.

mod button;
mod field;
mod focus;
mod frame;
mod label;
mod modal;
mod row;
mod text;

pub use button::Button;
pub use field::masked_field;
pub use focus::{control_has_focus, focus_ring};
pub use frame::{answers_ui, field_margin, hairline, seen_marks};
pub use label::{empty_state, field_label, heading, note_ui, shown_value, tab_header};
pub use modal::{PASSES_MAX, measured_anew, modal, show_at_once};
pub use row::Row;
pub use text::{galley, rows, rows_ui, small_text_before, text_at};
