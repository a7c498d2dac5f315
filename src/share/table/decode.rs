//! A Parquet file to columns, as far as the tables need it.
//!
//! The bytes come from a folder that others write: every length is checked before it is used, what
//! is decoded is bounded, and `reader` runs this in a process of its own, because the library below
//! may still panic or ask for any amount of memory. Our own segments are decoded in place.

use std::collections::HashSet;
use std::ops::Range;

use bytes::Bytes;
use parquet::basic::{Compression, ConvertedType, LogicalType, Type as Physical};
use parquet::column::reader::ColumnReader;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{FileReader as _, SerializedFileReader};

use super::cells::{Cells, Column};
use super::encode::{GENERATION_KEY, Segment};
use super::schema::{GENERATION, Kind, Table};

/// Rows of one table that are taken from a file.
const ROWS_MAX: i64 = 4_000_000;
/// Bytes of decoded cells that are taken from a file.
const DECODED_BYTES_MAX: usize = 256 << 20;
/// Bytes of a footer; one of 1 000 groups has about 700 KiB.
const FOOTER_BYTES_MAX: usize = 32 << 20;
/// Rows decoded at a time: bounds what one call may allocate.
const BATCH_ROWS: usize = 4_096;
/// Columns that a file may have beside ours.
const COLUMNS_MAX: usize = 256;
/// Bytes at each end of a Parquet file.
const MAGIC: &[u8; 4] = b"PAR1";
/// Length of the footer, then the magic.
const TAIL_BYTES: usize = 8;

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// The generation that the footer names, in files of ours.
    pub generation: Option<String>,
    /// Its row groups in order.
    pub groups: Vec<Group>,
}

/// One row group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Stands for its rows, whatever their generation: equal hashes are equal rows.
    pub hash: [u8; 32],
    /// How many rows.
    pub n_rows: usize,
    /// The generation on its rows; `None` for tables without one.
    pub generation: Option<String>,
    /// The rows; `None` when the asker knew the hash.
    pub cells: Option<Cells>,
}

/// Why a file is not a table of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Damage(pub String);

impl From<ParquetError> for Damage {
    fn from(why: ParquetError) -> Self {
        // The library's sentences name its own parts; kept short, escaped where shown.
        Self(format!("it is damaged ({why})"))
    }
}

fn damage<T>(why: impl Into<String>) -> Result<T, Damage> {
    Err(Damage(why.into()))
}

/// Decodes a file, without the rows of groups in `known`.
pub fn decode(table: Table, bytes: &Bytes, known: &HashSet<[u8; 32]>) -> Result<Decoded, Damage> {
    let data = data_range(bytes)?;
    let file = SerializedFileReader::new(bytes.clone())?;
    let meta = file.metadata();
    check_counts(meta)?;
    let with_generation = table.is_state();
    let places = places(table, meta, with_generation)?;
    let mut decoded = Decoded {
        generation: footer_generation(meta),
        groups: Vec::with_capacity(meta.num_row_groups()),
    };
    let mut budget = DECODED_BYTES_MAX;
    for (idx, group) in meta.row_groups().iter().enumerate() {
        let n_rows = usize::try_from(group.num_rows()).unwrap_or(0);
        // Some programs write such groups, with columns that lie nowhere.
        if n_rows == 0 {
            continue;
        }
        let hash = hash(table, group, &places.columns, bytes, &data)?;
        let reader = file.get_row_group(idx)?;
        let generation = match places.generation {
            Some(place) => Some(only_text(&mut reader.get_column_reader(place)?, n_rows)?),
            None => None,
        };
        let cells = match known.contains(&hash) {
            true => None,
            false => {
                let mut columns = Vec::with_capacity(places.columns.len());
                for (place, (name, kind)) in places.columns.iter().zip(table.columns()) {
                    let column = reader.get_column_reader(*place)?;
                    let column = read_column(column, *kind, n_rows, &mut budget)
                        .map_err(|Damage(why)| Damage(format!("column {name}: {why}")))?;
                    columns.push(column);
                }
                match Cells::of_columns(columns, n_rows) {
                    Some(cells) => Some(cells),
                    None => return damage("its columns differ in length"),
                }
            }
        };
        decoded.groups.push(Group {
            hash,
            n_rows,
            generation,
            cells,
        });
    }
    Ok(decoded)
}

/// The rows of a segment of ours.
pub fn decode_segment(table: Table, segment: &Segment) -> Result<Cells, Damage> {
    if segment.n_rows() == 0 {
        return Ok(Cells::new(table));
    }
    let file = SerializedFileReader::new(segment.file().clone())?;
    let reader = file.get_row_group(0)?;
    let mut budget = usize::MAX;
    let columns = table.columns().iter().enumerate();
    let columns = columns
        .map(|(place, (_, kind))| {
            let column = reader.get_column_reader(place)?;
            read_column(column, *kind, segment.n_rows(), &mut budget)
        })
        .collect::<Result<Vec<_>, Damage>>()?;
    Cells::of_columns(columns, segment.n_rows())
        .ok_or_else(|| Damage("its columns differ in length".to_owned()))
}

/// Where column data may lie: between the first magic and the footer.
fn data_range(bytes: &Bytes) -> Result<Range<usize>, Damage> {
    if bytes.is_empty() {
        return damage("it is empty");
    }
    let is_parquet = bytes.len() >= MAGIC.len() + TAIL_BYTES
        && bytes.starts_with(MAGIC)
        && bytes.ends_with(MAGIC);
    if !is_parquet {
        return damage("it is no Parquet file, or was cut off");
    }
    let tail = bytes.len() - TAIL_BYTES;
    let mut length = [0; 4];
    length.copy_from_slice(&bytes[tail..tail + 4]);
    let footer = u32::from_le_bytes(length) as usize;
    if footer > FOOTER_BYTES_MAX || footer > tail - MAGIC.len() {
        return damage("its footer has an impossible length");
    }
    Ok(MAGIC.len()..tail - footer)
}

fn check_counts(meta: &ParquetMetaData) -> Result<(), Damage> {
    let mut n_rows = 0i64;
    for group in meta.row_groups() {
        if group.num_rows() < 0 {
            return damage("a row group has a negative length");
        }
        n_rows = n_rows.saturating_add(group.num_rows());
    }
    if n_rows > ROWS_MAX {
        return damage(format!("it has more than {ROWS_MAX} rows"));
    }
    if n_rows != meta.file_metadata().num_rows() {
        return damage("its row groups do not add up");
    }
    if meta.file_metadata().schema_descr().num_columns() > COLUMNS_MAX {
        return damage(format!("it has more than {COLUMNS_MAX} columns"));
    }
    Ok(())
}

/// Where the columns of a table stand in a file.
struct Places {
    generation: Option<usize>,
    columns: Vec<usize>,
}

fn places(table: Table, meta: &ParquetMetaData, generation: bool) -> Result<Places, Damage> {
    let generation = match generation {
        true => Some(place(meta, GENERATION, Kind::Text)?),
        false => None,
    };
    let columns = table.columns().iter();
    Ok(Places {
        generation,
        columns: columns
            .map(|(name, kind)| place(meta, name, *kind))
            .collect::<Result<_, Damage>>()?,
    })
}

fn place(meta: &ParquetMetaData, name: &str, kind: Kind) -> Result<usize, Damage> {
    let schema = meta.file_metadata().schema_descr();
    let found = schema
        .columns()
        .iter()
        .position(|column| column.path().parts() == [name]);
    let Some(place) = found else {
        return damage(format!("column {name} is missing"));
    };
    let column = schema.column(place);
    let is_plain = column.max_rep_level() == 0 && column.max_def_level() <= 1;
    let logical = column.logical_type_ref();
    let fits = match kind {
        Kind::Text => {
            column.physical_type() == Physical::BYTE_ARRAY
                && matches!(logical, None | Some(LogicalType::String))
                && matches!(
                    column.converted_type(),
                    ConvertedType::NONE | ConvertedType::UTF8
                )
        }
        Kind::Int => {
            matches!(column.physical_type(), Physical::INT64 | Physical::INT32)
                && matches!(logical, None | Some(LogicalType::Integer { .. }))
        }
    };
    if !(is_plain && fits) {
        let wanted = match kind {
            Kind::Text => "text",
            Kind::Int => "whole numbers",
        };
        return damage(format!("column {name} holds something else than {wanted}"));
    }
    Ok(place)
}

fn footer_generation(meta: &ParquetMetaData) -> Option<String> {
    let notes = meta.file_metadata().key_value_metadata()?;
    let note = notes.iter().find(|note| note.key == GENERATION_KEY)?;
    note.value.clone()
}

/// The bytes of a column chunk, with each number checked that says where they are.
fn chunk(
    column: &ColumnChunkMetaData,
    n_rows: i64,
    data: &Range<usize>,
) -> Result<Range<usize>, Damage> {
    let start = column
        .dictionary_page_offset()
        .filter(|offset| *offset > 0)
        .unwrap_or(column.data_page_offset());
    let range = usize::try_from(start).ok().and_then(|start| {
        let len = usize::try_from(column.compressed_size()).ok()?;
        Some(start..start.checked_add(len)?)
    });
    let Some(range) = range.filter(|range| data.start <= range.start && range.end <= data.end)
    else {
        return damage("a column lies outside of the file");
    };
    if column.num_values() != n_rows {
        return damage("a column has another length than its row group");
    }
    if !matches!(
        column.compression(),
        Compression::UNCOMPRESSED
            | Compression::SNAPPY
            | Compression::ZSTD(_)
            | Compression::LZ4
            | Compression::LZ4_RAW
    ) {
        return damage("a column is compressed in a way that Handmill does not read");
    }
    Ok(range)
}

/// What stands for the rows of a group: the bytes of its columns, and how they are to be read.
fn hash(
    table: Table,
    group: &RowGroupMetaData,
    places: &[usize],
    bytes: &Bytes,
    data: &Range<usize>,
) -> Result<[u8; 32], Damage> {
    let mut hasher = blake3::Hasher::new();
    for (place, (name, _)) in places.iter().zip(table.columns()) {
        let Some(column) = group.columns().get(*place) else {
            return damage("a row group lacks a column");
        };
        let range = chunk(column, group.num_rows(), data)?;
        hasher.update(
            format!(
                "{name} {} {} {:?} {:?};",
                column.num_values(),
                range.len(),
                column.compression(),
                column.column_type()
            )
            .as_bytes(),
        );
        hasher.update(bytes.get(range).unwrap_or_default());
    }
    Ok(*hasher.finalize().as_bytes())
}

fn read_column(
    column: ColumnReader,
    kind: Kind,
    n_rows: usize,
    budget: &mut usize,
) -> Result<Column, Damage> {
    let mut out = Column::of(kind);
    match (column, &mut out) {
        (ColumnReader::ByteArrayColumnReader(mut column), Column::Text(texts)) => {
            let mut values: Vec<ByteArray> = Vec::new();
            in_batches(n_rows, |levels, n| {
                values.clear();
                let read = column.read_records(n, Some(levels), None, &mut values)?;
                let before = texts.bytes();
                each(levels, &values, read, |value| {
                    let text = value.map(|value| std::str::from_utf8(value.data()));
                    texts.push(text.transpose().ok()?);
                    Some(())
                })?;
                spend(budget, texts.bytes() - before)?;
                Ok(read.0)
            })?;
        }
        (ColumnReader::Int64ColumnReader(mut column), Column::Int(ints)) => {
            let mut values: Vec<i64> = Vec::new();
            in_batches(n_rows, |levels, n| {
                values.clear();
                let read = column.read_records(n, Some(levels), None, &mut values)?;
                spend(budget, read.0 * size_of::<Option<i64>>())?;
                each(levels, &values, read, |value| {
                    ints.push(value.copied());
                    Some(())
                })?;
                Ok(read.0)
            })?;
        }
        (ColumnReader::Int32ColumnReader(mut column), Column::Int(ints)) => {
            let mut values: Vec<i32> = Vec::new();
            in_batches(n_rows, |levels, n| {
                values.clear();
                let read = column.read_records(n, Some(levels), None, &mut values)?;
                spend(budget, read.0 * size_of::<Option<i64>>())?;
                each(levels, &values, read, |value| {
                    ints.push(value.copied().map(i64::from));
                    Some(())
                })?;
                Ok(read.0)
            })?;
        }
        _ => return damage("it is of another kind"),
    }
    Ok(out)
}

/// Calls `read` with the room for levels and the rows still wanted until all are there.
fn in_batches(
    n_rows: usize,
    mut read: impl FnMut(&mut Vec<i16>, usize) -> Result<usize, Damage>,
) -> Result<(), Damage> {
    let mut levels = Vec::with_capacity(n_rows.min(BATCH_ROWS));
    let mut n_read = 0;
    while n_read < n_rows {
        levels.clear();
        let n = read(&mut levels, BATCH_ROWS.min(n_rows - n_read))?;
        if n == 0 {
            return damage("it ends too early");
        }
        n_read += n;
    }
    Ok(())
}

/// Calls `take` for each row: with its value, or without one where the level says that it is null.
fn each<T>(
    levels: &[i16],
    values: &[T],
    (n_rows, n_values, n_levels): (usize, usize, usize),
    mut take: impl FnMut(Option<&T>) -> Option<()>,
) -> Result<(), Damage> {
    let mut values = values.iter().take(n_values);
    // A required column has no levels.
    let is_required = n_levels == n_rows && levels.is_empty();
    for row in 0..n_rows {
        let there = is_required || levels.get(row).is_some_and(|level| *level > 0);
        let value = match there {
            true => match values.next() {
                Some(value) => Some(value),
                None => return damage("it ends too early"),
            },
            false => None,
        };
        if take(value).is_none() {
            return damage("a text is not UTF-8");
        }
    }
    Ok(())
}

fn spend(budget: &mut usize, bytes: usize) -> Result<(), Damage> {
    match budget.checked_sub(bytes) {
        Some(rest) => {
            *budget = rest;
            Ok(())
        }
        None => damage(format!(
            "it unfolds to more than {} MiB",
            DECODED_BYTES_MAX >> 20
        )),
    }
}

/// The one text that stands on every row of a column.
fn only_text(column: &mut ColumnReader, n_rows: usize) -> Result<String, Damage> {
    let ColumnReader::ByteArrayColumnReader(column) = column else {
        return damage("it is of another kind");
    };
    let mut only: Option<String> = None;
    let mut values: Vec<ByteArray> = Vec::new();
    in_batches(n_rows, |levels, n| {
        values.clear();
        let read = column.read_records(n, Some(levels), None, &mut values)?;
        if read.1 != read.0 {
            return damage(format!("column {GENERATION} has an empty cell"));
        }
        for value in &values {
            match &only {
                None => match std::str::from_utf8(value.data()) {
                    Ok(text) => only = Some(text.to_owned()),
                    Err(_) => return damage("a text is not UTF-8"),
                },
                Some(text) if text.as_bytes() == value.data() => {}
                Some(_) => return damage("its rows are of several generations"),
            }
        }
        Ok(read.0)
    })?;
    Ok(only.unwrap_or_default())
}
