//! The rows of one table that an owner publishes: most of them encoded once and for all.
//!
//! New rows gather in an open part, which is encoded for each snapshot. When it is full, its
//! settled rows become a segment. A row that changes after all takes its segment back into the open
//! part.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::row::{RowKey, StateRow};
use super::super::table::{Cells, Segment, assemble, decode_segment};

/// Rows of one table.
#[derive(Debug)]
pub(super) struct Shelf<R> {
    /// Sealed rows, oldest first.
    sealed: BTreeMap<u64, Sealed>,
    /// Open rows in the order they came.
    open: BTreeMap<u64, R>,
    places: HashMap<RowKey, Place>,
    next: u64,
}

#[derive(Debug)]
struct Sealed {
    segment: Segment,
    keys: Vec<RowKey>,
    /// Runs that have a row in it; with none left it is dropped. Empty for rows without runs.
    runs: HashSet<RowKey>,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Sealed(u64),
    Open(u64),
}

impl<R> Default for Shelf<R> {
    fn default() -> Self {
        Self {
            sealed: BTreeMap::new(),
            open: BTreeMap::new(),
            places: HashMap::new(),
            next: 0,
        }
    }
}

impl<R: StateRow> Shelf<R> {
    /// Puts a row in place of the one with its key, or behind all others.
    pub(super) fn put(&mut self, row: R) -> Result<(), String> {
        let key = row.key();
        if let Some(Place::Sealed(at)) = self.places.get(&key) {
            self.unseal(*at)?;
        }
        let at = match self.places.get(&key) {
            Some(Place::Open(at)) => *at,
            _ => self.take_number(),
        };
        self.places.insert(key, Place::Open(at));
        self.open.insert(at, row);
        Ok(())
    }

    /// Encodes settled rows for good while more than `open_max` are open.
    pub(super) fn seal(&mut self, open_max: usize) -> Result<(), String> {
        while self.open.len() > open_max {
            let settled = self.open.iter().filter(|(_, row)| row.is_settled());
            let chosen: Vec<u64> = settled.map(|(at, _)| *at).take(open_max).collect();
            // Too few to be worth a row group: they are open because much is under way.
            if chosen.len() < open_max / 2 || chosen.is_empty() {
                return Ok(());
            }
            let number = self.take_number();
            let mut cells = Cells::new(R::TABLE);
            let mut sealed = Sealed {
                segment: Segment::encode(R::TABLE, &cells).map_err(|why| why.to_string())?,
                keys: Vec::with_capacity(chosen.len()),
                runs: HashSet::new(),
            };
            for at in &chosen {
                let Some(row) = self.open.get(at) else {
                    continue;
                };
                cells.push(row);
                sealed.keys.push(row.key());
                sealed
                    .runs
                    .extend(row.run().map(|run| RowKey::text(&[run])));
            }
            sealed.segment = Segment::encode(R::TABLE, &cells).map_err(|why| why.to_string())?;
            for at in chosen {
                self.open.remove(&at);
            }
            for key in &sealed.keys {
                self.places.insert(*key, Place::Sealed(number));
            }
            self.sealed.insert(number, sealed);
        }
        Ok(())
    }

    /// Drops the oldest segments as long as `keep` rows remain, and gives the keys of their rows.
    pub(super) fn drop_oldest(&mut self, keep: usize) -> HashSet<RowKey> {
        let mut dropped = HashSet::new();
        while let Some(oldest) = self.sealed.first_entry() {
            if self.places.len() - oldest.get().keys.len() < keep {
                break;
            }
            for key in oldest.remove().keys {
                self.places.remove(&key);
                dropped.insert(key);
            }
        }
        dropped
    }

    /// Drops what belongs to runs that are gone. A segment goes with the last of its runs.
    pub(super) fn forget(&mut self, runs: &HashSet<RowKey>) {
        let of_gone = |row: &R| {
            row.run()
                .is_some_and(|run| runs.contains(&RowKey::text(&[run])))
        };
        let places = &mut self.places;
        self.open.retain(|_, row| {
            let goes = of_gone(row);
            if goes {
                places.remove(&row.key());
            }
            !goes
        });
        self.sealed.retain(|_, sealed| {
            let had_runs = !sealed.runs.is_empty();
            sealed.runs.retain(|run| !runs.contains(run));
            let goes = had_runs && sealed.runs.is_empty();
            if goes {
                for key in &sealed.keys {
                    places.remove(key);
                }
            }
            !goes
        });
    }

    /// A file of all rows, newest row group first.
    pub(super) fn file(&self, generation: &str) -> Result<Vec<u8>, String> {
        let open = Cells::of_rows(self.open.values());
        let open = Segment::encode(R::TABLE, &open).map_err(|why| why.to_string())?;
        let sealed = self.sealed.values().rev().map(|sealed| &sealed.segment);
        let segments: Vec<&Segment> = std::iter::once(&open).chain(sealed).collect();
        assemble(R::TABLE, Some(generation), &segments).map_err(|why| why.to_string())
    }

    fn unseal(&mut self, number: u64) -> Result<(), String> {
        let Some(sealed) = self.sealed.get(&number) else {
            return Ok(());
        };
        let cells = decode_segment(R::TABLE, &sealed.segment).map_err(|why| why.to_string())?;
        let rows: Vec<R> = cells.rows().map_err(|why| why.to_string())?;
        self.sealed.remove(&number);
        for row in rows {
            let at = self.take_number();
            self.places.insert(row.key(), Place::Open(at));
            self.open.insert(at, row);
        }
        Ok(())
    }

    fn take_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}
