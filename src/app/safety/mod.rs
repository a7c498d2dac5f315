//! Dialogs about the safety of a workfile: what a crash left unsaved, what another program changed, earlier
//! versions, what git could not merge, and what a file from elsewhere would run.
//!
//! Each page is a value that stands in [`super::view::Dialog`]; what it asks for is an [`Act`], which `perform`
//! carries out.

mod banner;
mod changes;
mod choice;
mod merge_page;
mod page;
mod review_page;
mod versions_page;

pub use banner::{broken_help_ui, trail_ui};
pub use changes::ChangesPage;
pub use merge_page::{MergePage, Purpose};
pub use page::{Act, Page, Trail};
pub use review_page::ReviewPage;
pub use versions_page::VersionsPage;
