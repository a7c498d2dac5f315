//! Columns to a Parquet file.
//!
//! A file is put together from *segments*: rows that were encoded once, each a row group. Only the
//! generation's column is made anew for every file, and it is one value; so a snapshot costs the
//! new rows and a copy of the bytes of the others.

use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::column::writer::{ColumnCloseResult, ColumnWriter};
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, RowGroupMetaDataPtr};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::arrow::{ARROW_KEY, arrow_schema};
use super::cells::{Cells, Column};
use super::schema::{GENERATION, Kind, Table};

/// The key under which a file of ours says its generation even when it has no row.
pub(super) const GENERATION_KEY: &str = "handmill.generation";

/// Rows that were encoded once and can be copied into any number of files.
#[derive(Clone, Debug)]
pub struct Segment {
    /// A Parquet file of its own with one row group and no generation.
    file: Bytes,
    group: Option<RowGroupMetaDataPtr>,
    n_rows: usize,
}

impl Segment {
    /// Encodes rows. Fails only when the encoder does, which is an error of Handmill.
    pub fn encode(table: Table, cells: &Cells) -> Result<Self, ParquetError> {
        let n_rows = cells.n_rows();
        if n_rows == 0 {
            return Ok(Self {
                file: Bytes::new(),
                group: None,
                n_rows,
            });
        }
        let schema = schema(table, false)?;
        let mut file = SerializedFileWriter::new(Vec::new(), schema, properties(Vec::new()))?;
        let mut group = file.next_row_group()?;
        for column in cells.columns() {
            write_column(&mut group, column)?;
        }
        let group = group.close()?;
        Ok(Self {
            file: file.into_inner()?.into(),
            group: Some(group),
            n_rows,
        })
    }

    /// Rows in it.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The segment as a file of its own, to be decoded again.
    pub(super) fn file(&self) -> &Bytes {
        &self.file
    }
}

/// A file of these segments in this order. State tables get `generation` on every row and in the
/// footer; other tables have none.
pub fn assemble(
    table: Table,
    generation: Option<&str>,
    segments: &[&Segment],
) -> Result<Vec<u8>, ParquetError> {
    let schema = schema(table, generation.is_some())?;
    let room = segments.iter().map(|segment| segment.file.len() + 256);
    let room = Vec::with_capacity(room.sum::<usize>() + 1_024);
    let notes = notes(table, generation);
    let mut file = SerializedFileWriter::new(room, schema, properties(notes))?;
    for segment in segments {
        let Some(from) = &segment.group else { continue };
        let mut group = file.next_row_group()?;
        if let Some(generation) = generation {
            write_same(&mut group, generation, segment.n_rows)?;
        }
        for column in from.columns() {
            let copied = ColumnCloseResult {
                bytes_written: column.compressed_size().cast_unsigned(),
                rows_written: segment.n_rows as u64,
                metadata: column.clone(),
                bloom_filter: None,
                column_index: None,
                offset_index: None,
            };
            group.append_column(&segment.file, copied)?;
        }
        group.close()?;
    }
    file.into_inner()
}

/// A whole file of rows that are written once.
pub fn encode(table: Table, cells: &Cells) -> Result<Vec<u8>, ParquetError> {
    assemble(table, None, &[&Segment::encode(table, cells)?])
}

fn schema(table: Table, with_generation: bool) -> Result<Arc<Type>, ParquetError> {
    let columns = columns(table, with_generation)
        .map(|(name, kind)| {
            let column = match kind {
                Kind::Text => Type::primitive_type_builder(name, Physical::BYTE_ARRAY)
                    .with_logical_type(Some(LogicalType::String)),
                Kind::Int => Type::primitive_type_builder(name, Physical::INT64),
            };
            // Optional, as in every file of the seed.
            let column = column.with_repetition(Repetition::OPTIONAL).build()?;
            Ok(Arc::new(column))
        })
        .collect::<Result<Vec<_>, ParquetError>>()?;
    let root = Type::group_type_builder("root").with_fields(columns);
    Ok(Arc::new(root.build()?))
}

/// The columns of a file.
fn columns(
    table: Table,
    with_generation: bool,
) -> impl Iterator<Item = &'static (&'static str, Kind)> {
    let generation = with_generation.then_some(&(GENERATION, Kind::Text));
    generation.into_iter().chain(table.columns())
}

/// What stands in the footer beside the columns.
fn notes(table: Table, generation: Option<&str>) -> Vec<KeyValue> {
    let arrow = arrow_schema(columns(table, generation.is_some()));
    let arrow = KeyValue::new(ARROW_KEY.to_owned(), arrow);
    let generation = generation.map(|it| KeyValue::new(GENERATION_KEY.to_owned(), it.to_owned()));
    generation.into_iter().chain([arrow]).collect()
}

fn properties(notes: Vec<KeyValue>) -> Arc<WriterProperties> {
    // What only large files gain from (statistics, page indexes) would be most of a small footer.
    let properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(concat!("handmill ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_key_value_metadata(Some(notes));
    Arc::new(properties.build())
}

type Group<'a> = SerializedRowGroupWriter<'a, Vec<u8>>;

fn write_column(group: &mut Group<'_>, column: &Column) -> Result<(), ParquetError> {
    let Some(mut writer) = group.next_column()? else {
        return Err(ParquetError::General("one column too many".to_owned()));
    };
    match (writer.untyped(), column) {
        (ColumnWriter::ByteArrayColumnWriter(out), Column::Text(texts)) => {
            let cells = || (0..texts.len()).map(|row| texts.get(row));
            let levels: Vec<i16> = cells().map(|cell| i16::from(cell.is_some())).collect();
            let values: Vec<ByteArray> = cells().flatten().map(ByteArray::from).collect();
            out.write_batch(&values, Some(&levels), None)?;
        }
        (ColumnWriter::Int64ColumnWriter(out), Column::Int(ints)) => {
            let levels: Vec<i16> = ints.iter().map(|cell| i16::from(cell.is_some())).collect();
            let values: Vec<i64> = ints.iter().flatten().copied().collect();
            out.write_batch(&values, Some(&levels), None)?;
        }
        _ => return Err(ParquetError::General("a column of another kind".to_owned())),
    }
    writer.close()
}

/// A column with the same text on every row.
fn write_same(group: &mut Group<'_>, text: &str, n_rows: usize) -> Result<(), ParquetError> {
    let Some(mut writer) = group.next_column()? else {
        return Err(ParquetError::General("one column too many".to_owned()));
    };
    if let ColumnWriter::ByteArrayColumnWriter(out) = writer.untyped() {
        let text = Bytes::copy_from_slice(text.as_bytes());
        let values = vec![ByteArray::from(text); n_rows];
        out.write_batch(&values, Some(&vec![1; n_rows]), None)?;
    }
    writer.close()
}
