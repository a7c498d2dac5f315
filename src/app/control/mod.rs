//! Control between workstations, as the operator sees it: the bar under the toolbar, its badges, its dialogs.
//!
//! `seat` gathers what is known of the workspace shown (`watch` what only frames before can tell); `bar`, `offer`, `request`
//! and `trouble` turn it into words and acts (pure, tested as text); the rest draws. Unaware of the protocol and of files: it reads a `Status` and sends wishes.

mod about;
mod bar;
mod bar_ui;
mod import;
mod leave;
mod offer;
mod page;
mod policy;
mod request;
mod seat;
#[cfg(test)]
mod situation;
mod take_over;
mod trouble;
mod watch;
mod words;

pub use bar_ui::{bar_ui, footer_ui};
pub use leave::Leave;
pub use page::{Act, Page};
pub use seat::{Blocked, Facts, Seat, runs_on, seat_of, told_of, workspace_in_front};
#[cfg(test)]
pub use situation::seat;
pub use watch::Watch;
