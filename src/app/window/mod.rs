//! The window itself: what it owns, and what it does in each frame.
//!
//! A frame is: take the newest board once, drain what came from files and workers, carry out what
//! the frame before asked for (`logic`), then draw everything from the same picture (`ui`).

mod app;
mod came;
mod follow;
mod frame;
mod keys;
mod remember;

pub use app::{App, Ports};
pub(super) use came::Came;
pub(super) use frame::list_when_asked;
