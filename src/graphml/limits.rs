//! Limits on what a workfile may hold, by name. A file beyond one of them is refused, never cut.

pub use crate::model::{JOBS_MAX, PASSES_MAX, RETRIES_MAX, SECONDS_MAX};

/// Nodes in one workfile.
pub const NODES_MAX: usize = 200_000;
/// Edges in one workfile.
pub const EDGES_MAX: usize = 1_000_000;
/// Elements nested in one another.
pub const DEPTH_MAX: usize = 64;
/// Attributes of one element.
pub const ATTRIBUTES_MAX: usize = 256;
/// Bytes of one attribute's value.
pub const ATTRIBUTE_BYTES_MAX: usize = 1 << 20;
/// Bytes of one data element's text.
pub const TEXT_BYTES_MAX: usize = 16 << 20;
/// Bytes of the whole file.
pub const FILE_BYTES_MAX: usize = 64 << 20;
/// Warnings told one by one; further ones are counted.
pub const WARNINGS_MAX: usize = 100;
/// Distance of a node from the origin of the canvas; farther ones are placed automatically.
pub const POSITION_MAX: f64 = 1e9;
