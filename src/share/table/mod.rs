//! The seed's Parquet tables: columns, files, and reading files that others wrote.
//!
//! Unaware of folders and of what the rows mean. `share` calls it; `parquet` is known nowhere else.

mod arrow;
mod cells;
mod decode;
mod encode;
mod reader;
mod schema;
mod wire;

#[cfg(test)]
mod tests;

pub use cells::{BadCell, Cells, Reading, Row, time_of, time_text};
pub use decode::{Damage, Decoded, Group, decode, decode_segment};
pub use encode::{Segment, assemble, encode};
pub use reader::{ReadError, TableReader, read_table_main};
pub use schema::{Kind, Table};
