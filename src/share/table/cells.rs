//! Rows as columns in memory, and the times that the tables hold as text.

use crate::model::Timestamp;

use super::schema::{Kind, Table};

/// A row of one of the tables.
pub trait Row: Sized {
    /// Which table.
    const TABLE: Table;

    /// Appends the row's cells in the order of the table's columns, without the generation that
    /// [`Table::is_state`] tables carry in front.
    fn put(&self, cells: &mut Cells);

    /// Reads the same cells.
    fn take(cells: &mut Reading<'_>) -> Result<Self, BadCell>;
}

/// Columns of one table, filled row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cells {
    columns: Vec<Column>,
    at: usize,
    n_rows: usize,
}

/// A column; an absent cell is null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Text(Texts),
    Int(Vec<Option<i64>>),
}

/// Texts end to end, which costs one allocation instead of one per cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Texts {
    text: String,
    /// Where each cell ends in `text`, and whether it is there at all.
    ends: Vec<(u32, bool)>,
}

impl Texts {
    pub(super) fn push(&mut self, cell: Option<&str>) {
        self.text.push_str(cell.unwrap_or_default());
        // A segment of more than 4 GiB cannot arise: files are at most 256 MiB, decoded as well.
        let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        self.ends.push((end, cell.is_some()));
    }

    pub(super) fn get(&self, row: usize) -> Option<&str> {
        let start = match row.checked_sub(1) {
            Some(before) => self.ends.get(before)?.0,
            None => 0,
        };
        let (end, there) = *self.ends.get(row)?;
        there.then(|| self.text.get(start as usize..end as usize))?
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.text.len() + self.ends.len() * size_of::<(u32, bool)>()
    }
}

impl Column {
    pub(super) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(Texts::default()),
            Kind::Int => Self::Int(Vec::new()),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(texts) => texts.len(),
            Self::Int(ints) => ints.len(),
        }
    }
}

impl Cells {
    /// Of a table, without rows.
    pub fn new(table: Table) -> Self {
        let columns = table.columns().iter();
        Self {
            columns: columns.map(|(_, kind)| Column::of(*kind)).collect(),
            at: 0,
            n_rows: 0,
        }
    }

    /// With these rows.
    pub fn of_rows<'a, R: Row + 'a>(rows: impl IntoIterator<Item = &'a R>) -> Self {
        let mut cells = Self::new(R::TABLE);
        for row in rows {
            cells.push(row);
        }
        cells
    }

    /// Made of columns of one length; `None` when they are not.
    pub(super) fn of_columns(columns: Vec<Column>, n_rows: usize) -> Option<Self> {
        let fits = columns.iter().all(|column| column.len() == n_rows);
        fits.then_some(Self {
            columns,
            at: 0,
            n_rows,
        })
    }

    /// Appends a row.
    pub fn push<R: Row>(&mut self, row: &R) {
        row.put(self);
        debug_assert_eq!(self.at, self.columns.len(), "a row fills every column");
        self.at = 0;
        self.n_rows += 1;
    }

    /// Rows in it.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The rows as values; the first that makes no sense ends it.
    pub fn rows<R: Row>(&self) -> Result<Vec<R>, BadCell> {
        (0..self.n_rows)
            .map(|row| {
                R::take(&mut Reading {
                    cells: self,
                    table: R::TABLE,
                    row,
                    at: 0,
                })
            })
            .collect()
    }

    /// The next cell of the row under way.
    pub fn text(&mut self, cell: &str) {
        self.maybe_text(Some(cell));
    }

    /// The next cell, perhaps empty.
    pub fn maybe_text(&mut self, cell: Option<&str>) {
        if let Some(Column::Text(texts)) = self.columns.get_mut(self.at) {
            texts.push(cell);
        }
        self.at += 1;
    }

    /// The next cell.
    pub fn int(&mut self, cell: i64) {
        self.maybe_int(Some(cell));
    }

    /// The next cell, perhaps empty.
    pub fn maybe_int(&mut self, cell: Option<i64>) {
        if let Some(Column::Int(ints)) = self.columns.get_mut(self.at) {
            ints.push(cell);
        }
        self.at += 1;
    }

    /// The next cell: a time, as text.
    pub fn time(&mut self, cell: Timestamp) {
        self.text(&time_text(cell));
    }

    /// The next cell: a time, as text, perhaps empty.
    pub fn maybe_time(&mut self, cell: Option<Timestamp>) {
        self.maybe_text(cell.map(time_text).as_deref());
    }
}

/// A cell that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {row}: {column} {why}")]
pub struct BadCell {
    /// Which row, from 1.
    pub row: usize,
    /// Which column.
    pub column: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
}

/// One row being read, cell by cell.
#[derive(Debug)]
pub struct Reading<'a> {
    cells: &'a Cells,
    table: Table,
    row: usize,
    at: usize,
}

impl Reading<'_> {
    fn bad(&self, why: &'static str) -> BadCell {
        let column = self.table.columns().get(self.at.saturating_sub(1));
        BadCell {
            row: self.row + 1,
            column: column.map_or("", |(name, _)| name),
            why,
        }
    }

    fn next_text(&mut self) -> Result<Option<&str>, BadCell> {
        let at = self.at;
        self.at += 1;
        match self.cells.columns.get(at) {
            Some(Column::Text(texts)) => Ok(texts.get(self.row)),
            _ => Err(self.bad("is no text")),
        }
    }

    /// The next cell.
    pub fn text(&mut self) -> Result<String, BadCell> {
        match self.maybe_text()? {
            Some(text) => Ok(text),
            None => Err(self.bad("is empty")),
        }
    }

    /// The next cell, perhaps empty.
    pub fn maybe_text(&mut self) -> Result<Option<String>, BadCell> {
        Ok(self.next_text()?.map(str::to_owned))
    }

    /// The next cell.
    pub fn int(&mut self) -> Result<i64, BadCell> {
        match self.maybe_int()? {
            Some(int) => Ok(int),
            None => Err(self.bad("is empty")),
        }
    }

    /// The next cell, perhaps empty.
    pub fn maybe_int(&mut self) -> Result<Option<i64>, BadCell> {
        let at = self.at;
        self.at += 1;
        match self.cells.columns.get(at) {
            Some(Column::Int(ints)) => Ok(ints.get(self.row).copied().flatten()),
            _ => Err(self.bad("is no number")),
        }
    }

    /// The next cell, a time.
    pub fn time(&mut self) -> Result<Timestamp, BadCell> {
        match self.maybe_time()? {
            Some(time) => Ok(time),
            None => Err(self.bad("is empty")),
        }
    }

    /// The next cell, a time, perhaps empty.
    pub fn maybe_time(&mut self) -> Result<Option<Timestamp>, BadCell> {
        match self.next_text()?.map(time_of) {
            None => Ok(None),
            Some(Some(time)) => Ok(Some(time)),
            Some(None) => Err(self.bad("is no time")),
        }
    }

    /// The next cell, a time that is only shown: what makes no sense is no time.
    pub fn time_if_sane(&mut self) -> Result<Option<Timestamp>, BadCell> {
        Ok(self.next_text()?.and_then(time_of))
    }
}

/// A time as the seed writes it: ISO 8601 with the offset of UTC, and a fraction unless it is zero.
pub fn time_text(time: Timestamp) -> String {
    let time = jiff::Timestamp::from_microsecond(time.0).unwrap_or_default();
    let micros = time.as_microsecond().rem_euclid(1_000_000);
    let seconds = time.strftime("%Y-%m-%dT%H:%M:%S");
    if micros == 0 {
        format!("{seconds}+00:00")
    } else {
        format!("{seconds}.{micros:06}+00:00")
    }
}

/// The instant of such a text: with or without a fraction, any offset; UTC when it has none.
pub fn time_of(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let instant = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let naive = text.parse::<jiff::civil::DateTime>().ok()?;
        naive
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    })?;
    Some(Timestamp(instant.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_9_times_with_and_without_fraction_or_offset_are_instants_of_utc() {
        let at = |micros: i64| Some(Timestamp(1_795_219_155_000_000 + micros));
        for (text, time) in [
            ("2026-11-20T23:59:15+00:00", at(0)),
            ("2026-11-20T23:59:15Z", at(0)),
            ("2026-11-20T23:59:15", at(0)),
            ("2026-11-20 23:59:15", at(0)),
            ("2026-11-20T23:59:15.5+00:00", at(500_000)),
            ("2026-11-20T23:59:15.530618", at(530_618)),
            ("2026-11-21T00:59:15.530618+01:00", at(530_618)),
            ("", None),
            ("yesterday", None),
            ("2026-13-40T99:99:99", None),
        ] {
            assert_eq!(time_of(text), time, "{text}");
        }
    }

    #[test]
    fn a_time_is_written_as_the_seed_writes_it() {
        for text in [
            "2026-11-20T23:59:15+00:00",
            "2026-11-20T23:59:15.530618+00:00",
            "1969-12-31T23:59:59.999999+00:00",
        ] {
            assert_eq!(time_text(time_of(text).expect("a time")), text);
        }
    }
}
