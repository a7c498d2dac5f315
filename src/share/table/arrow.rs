//! What a column was before it was Parquet, in the words of Arrow.
//!
//! Parquet knows text, and Arrow two kinds of it: with short and with long offsets. A file says in its footer, under
//! `ARROW:schema`, which it was. The seed's files say *long* (`large_string`), so ours do: else a program that puts
//! theirs and ours together, as pyarrow does, finds two kinds of column. The value is a message of Arrow's own format
//! (an encapsulated schema, `format/Message.fbs` and `format/Schema.fbs`), in base 64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flatbuffers::{FlatBufferBuilder, TableFinishedWIPOffset, WIPOffset};

use super::schema::Kind;

/// The key in the footer.
pub(super) const ARROW_KEY: &str = "ARROW:schema";

/// `MetadataVersion.V5`.
const VERSION: i16 = 4;
/// `MessageHeader.Schema`.
const HEADER_SCHEMA: u8 = 1;
/// `Type.Int`, and `Type.LargeUtf8` below.
const TYPE_INT: u8 = 2;
const TYPE_LARGE_TEXT: u8 = 20;
/// What an encapsulated message begins with.
const CONTINUES: [u8; 4] = [0xff; 4];
/// The length of a message is a multiple of this.
const ALIGN: usize = 8;

/// The place of the n-th field of a table in its list of places.
const fn slot(n_th: u16) -> u16 {
    4 + 2 * n_th
}

type Offset = WIPOffset<TableFinishedWIPOffset>;

/// The value of [`ARROW_KEY`] for these columns, each of which may be empty.
pub(super) fn arrow_schema<'a>(columns: impl Iterator<Item = &'a (&'a str, Kind)>) -> String {
    let mut fbb = FlatBufferBuilder::new();
    let fields: Vec<Offset> = columns
        .map(|(name, kind)| field(&mut fbb, name, *kind))
        .collect();
    let fields = fbb.create_vector(&fields);

    let table = fbb.start_table();
    fbb.push_slot_always(slot(1), fields);
    let schema = fbb.end_table(table);

    let table = fbb.start_table();
    fbb.push_slot_always(slot(0), VERSION);
    fbb.push_slot_always(slot(1), HEADER_SCHEMA);
    fbb.push_slot_always(slot(2), schema);
    let message = fbb.end_table(table);
    fbb.finish_minimal(message);

    let message = fbb.finished_data();
    let len = message.len().next_multiple_of(ALIGN);
    let mut bytes = Vec::with_capacity(CONTINUES.len() + 4 + len);
    bytes.extend(CONTINUES);
    bytes.extend(u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(message);
    bytes.resize(CONTINUES.len() + 4 + len, 0);
    STANDARD.encode(bytes)
}

fn field(fbb: &mut FlatBufferBuilder<'_>, name: &str, kind: Kind) -> Offset {
    let name = fbb.create_string(name);
    let children = fbb.create_vector::<Offset>(&[]);
    let table = fbb.start_table();
    let code = match kind {
        Kind::Int => {
            fbb.push_slot_always(slot(0), 64_i32);
            fbb.push_slot_always(slot(1), true);
            TYPE_INT
        }
        Kind::Text => TYPE_LARGE_TEXT,
    };
    let kind = fbb.end_table(table);

    let table = fbb.start_table();
    fbb.push_slot_always(slot(0), name);
    fbb.push_slot_always(slot(1), true);
    fbb.push_slot_always(slot(2), code);
    fbb.push_slot_always(slot(3), kind);
    fbb.push_slot_always(slot(5), children);
    fbb.end_table(table)
}
