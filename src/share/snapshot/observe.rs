//! The other machines' side: the files of one generation as rows that are new to this ledger.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use crate::lease::Generation;

use super::super::row::StateRow;
use super::super::table::{Damage, Decoded, ReadError, Row, Table, TableReader};
use super::Rows;

/// What was taken over already.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    /// The generation that the ledger shows.
    generation: Option<String>,
    /// Row groups whose rows the ledger has.
    known: HashMap<Table, HashSet<[u8; 32]>>,
}

/// What came of reading a snapshot.
#[derive(Debug)]
pub(crate) enum Picture {
    /// A whole snapshot. Once the ledger has the rows, [`Observer::keep`] remembers it.
    Whole(Whole),
    /// There is nothing, or nothing new.
    Nothing,
    /// No whole snapshot is there: a fragment that says why.
    Mixed(String),
}

/// One generation, and the rows of it that are new.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) rows: Rows,
    generation: String,
    known: HashMap<Table, HashSet<[u8; 32]>>,
}

impl Observer {
    /// True when the ledger shows this generation.
    pub(crate) fn shows(&self, generation: &str) -> bool {
        self.generation.as_deref() == Some(generation)
    }

    /// Reads the files of a snapshot; absent files are `None`.
    ///
    /// `wanted` is the generation that the lease row names. Without a lease row any will do, if it
    /// is one. Handmill writes all four files, so that one missing is still to come; older programs
    /// leave files out that have no rows.
    pub(crate) fn read(
        &self,
        reader: &TableReader,
        files: HashMap<Table, Option<Bytes>>,
        wanted: Option<&str>,
    ) -> Result<Picture, ReadError> {
        let nothing = HashSet::new();
        let mut generation = wanted.map(str::to_owned);
        let mut decoded = HashMap::new();
        let mut missing = None;
        for table in Table::STATE {
            let Some(file) = files.get(&table).cloned().flatten() else {
                missing = Some(table);
                continue;
            };
            let known = self.known.get(&table).unwrap_or(&nothing);
            let read = match reader.read(table, file, known) {
                Err(why @ ReadError::NoReader(_)) => return Err(why),
                Err(why) => return Ok(Picture::Mixed(format!("the {}: {why}", table.noun()))),
                Ok(read) => read,
            };
            for found in generations(&read) {
                match &generation {
                    None => generation = Some(found.to_owned()),
                    Some(wanted) if wanted == found => {}
                    Some(_) => {
                        return Ok(Picture::Mixed(format!(
                            "the {} is of another generation",
                            table.noun()
                        )));
                    }
                }
            }
            decoded.insert(table, read);
        }
        let is_ours = generation
            .as_deref()
            .is_some_and(|generation| Generation::parse(generation).epoch.is_some());
        if let Some(missing) = missing.filter(|_| is_ours) {
            return Ok(Picture::Mixed(format!("the {} is missing", missing.noun())));
        }
        if decoded.values().all(|read| read.groups.is_empty()) {
            return Ok(Picture::Nothing);
        }
        let rows = Rows {
            runs: rows_of(&decoded)?,
            steps: rows_of(&decoded)?,
            logs: rows_of(&decoded)?,
            files: rows_of(&decoded)?,
        };
        let known = decoded
            .into_iter()
            .map(|(table, read)| (table, read.groups.iter().map(|group| group.hash).collect()));
        Ok(Picture::Whole(Whole {
            rows,
            generation: generation.unwrap_or_default(),
            known: known.collect(),
        }))
    }

    /// The ledger has the rows now.
    pub(crate) fn keep(&mut self, whole: Whole) {
        self.generation = Some(whole.generation);
        self.known = whole.known;
    }

    /// A generation without rows needs no second look.
    pub(crate) fn saw(&mut self, generation: Option<String>) {
        self.generation = generation;
    }

    /// This machine publishes itself; what others write later is read from the beginning.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// Every generation that a file names.
fn generations(read: &Decoded) -> impl Iterator<Item = &str> {
    let of_groups = read
        .groups
        .iter()
        .filter_map(|group| group.generation.as_deref());
    read.generation.as_deref().into_iter().chain(of_groups)
}

fn rows_of<R: StateRow>(decoded: &HashMap<Table, Decoded>) -> Result<Vec<R>, ReadError> {
    let groups = decoded.get(&<R as Row>::TABLE).map(|read| &read.groups);
    let mut rows = Vec::new();
    for cells in groups
        .into_iter()
        .flatten()
        .filter_map(|group| group.cells.as_ref())
    {
        let found: Vec<R> = cells
            .rows()
            .map_err(|why| ReadError::Damage(Damage(format!("the {}: {why}", R::TABLE.noun()))))?;
        rows.extend(found);
    }
    Ok(rows)
}
