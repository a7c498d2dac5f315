//! A checkpoint: the pages go through the pen one by one, the lease row last.
//!
//! The row is the commit point. Whoever reads accepts the tables only when all carry the row's generation.

use super::act::{Act, Said, Sheet, Why};
use super::defect::planted;
use super::name::Epoch;
use super::op::Table;

/// A checkpoint under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Publish {
    epoch: Epoch,
    /// The tables go too, and not only the row.
    has_tables: bool,
    /// An earlier try may have left pages in the pen, and may still be on its way with them.
    clears: bool,
    at: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    List,
    Clear,
    Write(Sheet),
    Move(Sheet),
}

/// What a checkpoint came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Published {
    /// The row is in its place.
    Yes,
    /// Nobody knows, or it was refused for now: the pen may still be there.
    NotConfirmed,
    /// The pen is gone, or a higher epoch is there.
    Ousted,
}

/// What follows.
pub(super) type Next = Result<(Publish, Act), Published>;

impl Publish {
    /// A checkpoint of an owner: first a look whether a higher epoch is there. The look only tells early what the pen
    /// would tell anyway; it guards nothing.
    pub(super) fn checkpoint(epoch: Epoch, has_tables: bool, clears: bool) -> (Self, Act) {
        let start = Self {
            epoch,
            has_tables,
            clears,
            at: Step::List,
        };
        (start, Act::List)
    }

    /// The first checkpoint of a claim, whose look was just taken.
    pub(super) fn first(epoch: Epoch, has_tables: bool) -> (Self, Act) {
        let start = Self {
            epoch,
            has_tables,
            clears: false,
            at: Step::List,
        };
        start.write(start.first_sheet())
    }

    pub(super) fn next(self, said: Said) -> Next {
        match (self.at, said) {
            (Step::List, Said::Newest(Some(newest))) if newest > self.epoch => {
                Err(Published::Ousted)
            }
            // An older listing comes from a cache. Had our epoch been removed, the pen would refuse.
            (Step::List, Said::Newest(_)) if self.clears => {
                let next = Self {
                    at: Step::Clear,
                    ..self
                };
                Ok((next, Act::Empty(self.epoch)))
            }
            (Step::List, Said::Newest(_)) => Ok(self.write(self.first_sheet())),
            // A late rename of an old page now finds nothing to rename.
            (Step::Clear, Said::Done) => Ok(self.write(self.first_sheet())),
            (Step::Write(sheet), Said::Done) => {
                let next = Self {
                    at: Step::Move(sheet),
                    ..self
                };
                Ok((next, Act::Move(self.epoch, sheet)))
            }
            (Step::Move(sheet), Said::Done) => match self.sheet_after(sheet) {
                Some(next) => Ok(self.write(next)),
                None => Err(Published::Yes),
            },
            // Into or out of a pen that is not there: another machine has removed it.
            (Step::Write(_) | Step::Move(_), Said::Failed(Why::Gone)) => Err(Published::Ousted),
            _ => Err(Published::NotConfirmed),
        }
    }

    fn write(self, sheet: Sheet) -> (Self, Act) {
        let next = Self {
            at: Step::Write(sheet),
            ..self
        };
        (next, Act::Write(self.epoch, sheet))
    }

    fn first_sheet(self) -> Sheet {
        if self.has_tables && !planted!(RowFirst) {
            Sheet::Table(Table::ALL[0])
        } else {
            Sheet::Row
        }
    }

    fn sheet_after(self, sheet: Sheet) -> Option<Sheet> {
        let row_first = planted!(RowFirst) && self.has_tables;
        match sheet {
            Sheet::Row if row_first => Some(Sheet::Table(Table::ALL[0])),
            Sheet::Row => None,
            Sheet::Table(table) => match Table::ALL.iter().skip_while(|t| **t != table).nth(1) {
                Some(next) => Some(Sheet::Table(*next)),
                None if row_first => None,
                None => Some(Sheet::Row),
            },
        }
    }
}
