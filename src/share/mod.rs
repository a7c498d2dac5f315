//! The folder that several machines share: who controls a workspace there, and what it publishes.
//!
//! Unaware of when to act: `lease` decides, `share` carries. Every call may hang for as long as a
//! file server does, so `runtime` gives each workspace a [`Carrier`], a thread of its own.
//!
//! Stored, in `<workspace>/.workspace_state/`: see `docs/FORMATS.md`.

mod ask;
mod carrier;
mod claim;
mod fault;
mod folder;
mod foreign;
mod hydrate;
mod import;
mod look;
mod machine;
mod name;
mod namesakes;
mod note;
mod publish;
mod row;
mod scale;
mod self_test;
mod shared;
mod signs;
mod snapshot;
pub mod table;

#[cfg(test)]
mod tests;

pub use carrier::{Carrier, Errand, News, Tools};
pub use import::Imported;
pub use machine::{Machine, MachineError};
pub use row::{FileStateRow, LogRow, RowKey, RunRow, StateRow, StepRow};
pub use scale::control_limits;
pub use self_test::{Measured, self_test};
pub use shared::{SharedFolder, has_state, shared_name};
pub use snapshot::{Adoption, LedgerSide, Rows, Wanted};
