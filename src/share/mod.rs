//! The folder that several machines share: who controls a workspace there, and what it publishes.
//!
//! Unaware of when to act: `lease` decides, `share` carries. Every call may hang for as long as a
//! file server does, so `runtime` calls it on a thread per workspace.

mod row;
pub mod table;

pub use row::{FileStateRow, LeaseRow, LogRow, RequestRow, RowKey, RunRow, StateRow, StepRow};
