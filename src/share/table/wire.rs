//! What a reader child tells its parent: columns in a format of our own, so plain that reading it
//! can neither panic nor ask for more memory than was sent.
//!
//! Question: table (1 byte), count and hashes of known groups, then the file to its end. Answer:
//! the magic, then either a sentence or the groups, then an end mark, so that an answer cut short
//! is none. Numbers are little-endian.

use std::collections::HashSet;

use bytes::Bytes;

use super::cells::{Cells, Column, Texts};
use super::decode::{Damage, Decoded, Group};
use super::schema::{Kind, Table};

const MAGIC: &[u8; 4] = b"HMT1";
const END: &[u8; 4] = b"done";
/// Length of a text that is not there.
const ABSENT: u32 = u32::MAX;
/// Bytes of a sentence that are passed on.
const WHY_BYTES_MAX: usize = 512;

/// What the child is asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) table: Table,
    pub(super) known: HashSet<[u8; 32]>,
    pub(super) file: Bytes,
}

/// The part of a question before the file.
pub(super) fn question(table: Table, known: &HashSet<[u8; 32]>) -> Vec<u8> {
    let place = Table::ALL.iter().position(|other| *other == table);
    let mut out = vec![u8::try_from(place.unwrap_or_default()).unwrap_or_default()];
    put_u32(&mut out, known.len());
    let mut hashes: Vec<_> = known.iter().collect();
    hashes.sort_unstable();
    for hash in hashes {
        out.extend_from_slice(hash);
    }
    out
}

pub(super) fn read_question(bytes: &Bytes) -> Option<Question> {
    let mut at = Input(bytes);
    let table = *Table::ALL.get(usize::from(*at.take(1)?.first()?))?;
    let n_known = at.u32()?;
    let mut known = HashSet::new();
    for _ in 0..n_known {
        known.insert(at.hash()?);
    }
    let file = bytes.slice_ref(at.0);
    Some(Question { table, known, file })
}

pub(super) fn answer(result: &Result<Decoded, Damage>) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    match result {
        Err(Damage(why)) => {
            out.push(0);
            let cut = why.floor_char_boundary(WHY_BYTES_MAX);
            put_text(&mut out, Some(&why[..cut]));
        }
        Ok(decoded) => {
            out.push(1);
            put_text(&mut out, decoded.generation.as_deref());
            put_u32(&mut out, decoded.groups.len());
            for group in &decoded.groups {
                put_group(&mut out, group);
            }
        }
    }
    out.extend_from_slice(END);
    out
}

fn put_group(out: &mut Vec<u8>, group: &Group) {
    out.extend_from_slice(&group.hash);
    put_u32(out, group.n_rows);
    put_text(out, group.generation.as_deref());
    out.push(u8::from(group.cells.is_some()));
    for column in group.cells.iter().flat_map(Cells::columns) {
        match column {
            Column::Text(texts) => {
                for row in 0..texts.len() {
                    put_text(out, texts.get(row));
                }
            }
            Column::Int(ints) => {
                for int in ints {
                    out.push(u8::from(int.is_some()));
                    out.extend_from_slice(&int.unwrap_or_default().to_le_bytes());
                }
            }
        }
    }
}

/// `None` when the answer is not whole, which means that the child died or lost its way.
pub(super) fn read_answer(table: Table, bytes: &[u8]) -> Option<Result<Decoded, Damage>> {
    let mut at = Input(bytes.strip_prefix(MAGIC)?.strip_suffix(END)?);
    let result = match at.take(1)? {
        [0] => Err(Damage(at.text()?.unwrap_or_default().to_owned())),
        [1] => {
            let generation = at.text()?.map(str::to_owned);
            let mut groups = Vec::new();
            for _ in 0..at.u32()? {
                groups.push(read_group(table, &mut at)?);
            }
            Ok(Decoded { generation, groups })
        }
        _ => return None,
    };
    at.0.is_empty().then_some(result)
}

fn read_group(table: Table, at: &mut Input<'_>) -> Option<Group> {
    let hash = at.hash()?;
    let n_rows = usize::try_from(at.u32()?).ok()?;
    let generation = at.text()?.map(str::to_owned);
    let cells = match at.take(1)? {
        [0] => None,
        [1] => {
            let columns = table.columns().iter();
            let columns = columns
                .map(|(_, kind)| read_column(*kind, n_rows, at))
                .collect::<Option<Vec<_>>>()?;
            Some(Cells::of_columns(columns, n_rows)?)
        }
        _ => return None,
    };
    Some(Group {
        hash,
        n_rows,
        generation,
        cells,
    })
}

fn read_column(kind: Kind, n_rows: usize, at: &mut Input<'_>) -> Option<Column> {
    // Nothing is reserved for `n_rows`: it is only a number until the cells have come.
    match kind {
        Kind::Text => {
            let mut texts = Texts::default();
            for _ in 0..n_rows {
                texts.push(at.text()?);
            }
            Some(Column::Text(texts))
        }
        Kind::Int => {
            let mut ints = Vec::new();
            for _ in 0..n_rows {
                let there = at.take(1)? == [1];
                let int = i64::from_le_bytes(at.take(8)?.try_into().ok()?);
                ints.push(there.then_some(int));
            }
            Some(Column::Int(ints))
        }
    }
}

fn put_u32(out: &mut Vec<u8>, n: usize) {
    out.extend_from_slice(&u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => out.extend_from_slice(&ABSENT.to_le_bytes()),
        Some(text) => {
            put_u32(out, text.len());
            out.extend_from_slice(text.as_bytes());
        }
    }
}

/// What is left to read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn hash(&mut self) -> Option<[u8; 32]> {
        self.take(32)?.try_into().ok()
    }

    fn text(&mut self) -> Option<Option<&'a str>> {
        match self.u32()? {
            ABSENT => Some(None),
            len => std::str::from_utf8(self.take(usize::try_from(len).ok()?)?)
                .ok()
                .map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_cut_anywhere_is_no_answer() {
        let mut cells = Cells::new(Table::Request);
        for row in 0..3 {
            cells.maybe_text(None);
            cells.text("ä");
            cells.text("");
            cells.int(row);
            cells.text("ui");
            cells.text("2026");
            cells = Cells::of_columns(cells.columns().to_vec(), row as usize + 1).expect("whole");
        }
        let decoded = Decoded {
            generation: Some("g".to_owned()),
            groups: vec![Group {
                hash: [7; 32],
                n_rows: 3,
                generation: None,
                cells: Some(cells),
            }],
        };
        let whole = answer(&Ok(decoded.clone()));
        assert_eq!(read_answer(Table::Request, &whole), Some(Ok(decoded)));
        for end in 0..whole.len() {
            assert_eq!(read_answer(Table::Request, &whole[..end]), None, "{end}");
        }
        assert_eq!(read_answer(Table::Lease, &whole), None);
    }

    #[test]
    fn a_question_comes_back_as_it_was() {
        let known = HashSet::from([[1; 32], [2; 32]]);
        let mut asked = question(Table::Logs, &known);
        asked.extend_from_slice(b"the file");
        let question = read_question(&asked.into()).expect("whole");
        assert_eq!(question.table, Table::Logs);
        assert_eq!(question.known, known);
        assert_eq!(&question.file[..], b"the file");
    }
}
