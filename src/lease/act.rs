//! The words of the untimed core: one file operation without its content, and what its reply comes down to.
//!
//! [`super::dress`] turns an act into an [`super::Op`] and a [`super::Reply`] into what was said. Both are small and
//! without texts, so that the very same steps can be explored exhaustively.

use super::name::Epoch;
use super::op::Table;

/// A page to publish: one of the tables, or the lease row, which is always the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sheet {
    Table(Table),
    Row,
}

/// One file operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Act {
    Touch,
    List,
    ReadEpoch(Epoch),
    ReadRow,
    ReadMarkers,
    Make(Epoch),
    Rename(Epoch),
    Drop,
    Empty(Epoch),
    Remove(Epoch),
    Ended(Epoch),
    Quarantine,
    Mirrors { is_leased: bool },
    Hydrate,
    Write(Epoch, Sheet),
    Move(Epoch, Sheet),
    Hint(Epoch),
    Release(Epoch),
    RemoveEpoch(Epoch),
}

/// What a reply comes down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Said {
    Done,
    /// The highest epoch of a listing.
    Newest(Option<Epoch>),
    /// An epoch, seen by one who may have claimed it.
    Epoch {
        /// It carries the token of our claim.
        is_mine: bool,
        /// Its pen is there.
        has_pen: bool,
    },
    /// The lease row or the mirrors, compared with what they were when the claim was decided.
    Same(bool),
    Failed(Why),
}

/// Why an act was not done, as far as the steps care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Why {
    NotEmpty,
    Gone,
    /// Definitely not done, for whatever reason.
    NotDone,
    /// Done, not done, or still on its way.
    Unknown,
}
