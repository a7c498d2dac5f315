//! The file operations of the protocol, one at a time: each is one thing that a file server does as a whole, or a
//! short sequence in which a crash or another machine can come between without harm, because whatever is half done
//! is repeated or ignored. Where the files lie is said by [`super::Tree`].

use std::fmt;

use super::name::{Beat, Epoch, MachineId, Token};
use super::note::{ClaimNote, Denial, EndedNote, Hint, LeaseRow, RequestNote};

/// One of the four tables of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// `state/runs/<ws>.parquet`
    Runs,
    /// `state/step_runs/<ws>.parquet`
    StepRuns,
    /// `state/logs/<ws>.parquet`
    Logs,
    /// `state/file_state/<ws>.parquet`
    FileState,
}

impl Table {
    /// In the order in which they are published; the lease row follows them.
    pub const ALL: [Self; 4] = [Self::Runs, Self::StepRuns, Self::Logs, Self::FileState];

    /// The name of the table's folder below `state/`.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::StepRuns => "step_runs",
            Self::Logs => "logs",
            Self::FileState => "file_state",
        }
    }
}

/// What is published through a pen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// A table of the snapshot, every row of which carries `generation`. The carrier takes the rows from the ledger;
    /// all four tables of one generation show the ledger as it was at one moment. A table without rows is a file
    /// without rows, never an absent one.
    Table {
        /// Which.
        table: Table,
        /// `<epoch>-<uuid>`: see [`super::note::Generation`].
        generation: super::note::Generation,
    },
    /// The lease row: the checkpoint itself, and always the last page.
    Row(LeaseRow),
}

impl Page {
    /// Which page, without its content: also the name of its temporary file inside the pen.
    pub fn stem(&self) -> &'static str {
        match self {
            Self::Table { table, .. } => table.folder(),
            Self::Row(_) => "lease",
        }
    }
}

/// A file operation. What it answers stands with each: [`Reply::Done`] unless told otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    // --- looking -------------------------------------------------------------------------------------------------
    /// Create `epochs/<ws>/.touch-<token>` exclusively and remove it: our own change makes this client's cached
    /// listing of the folder void. Creates `epochs/<ws>` when it is not there. The lease row needs no such thing, since
    /// opening it anew asks the server for its name.
    Touch {
        /// Makes the name unique.
        token: Token,
    },
    /// List `epochs/<ws>`. Answers [`Reply::Epochs`]; a folder that is not there has no epochs.
    ListEpochs,
    /// Read `claim.json`, whether there is `pen/` or `released/`, and `released/next.json`. Answers [`Reply::Epoch`].
    /// Opens files anew and tries `ESTALE` three times.
    ReadEpoch {
        /// Which.
        epoch: Epoch,
    },
    /// Read the lease row with a newly opened file. Answers [`Reply::Row`].
    ReadRow,
    /// See which of `available/<ws>` and `leased/<ws>` is there and whether the tree is one we do not understand.
    /// Answers [`Reply::Markers`].
    ReadMarkers,
    /// Read `requests/<ws>/*.json`, at most [`super::limits::REQUESTS_MAX`], and the request row of older programs.
    /// Answers [`Reply::Requests`].
    ReadRequests,

    // --- claim ---------------------------------------------------------------------------------------------------
    /// Make `.new-<token>/` with `claim.json` and an empty `pen/`, both synced, inside the folder of the epoch below the
    /// claimed one. Private until renamed. [`Fault::Gone`] when that folder is not there: the number was given long ago.
    MakeNew {
        /// The content of `claim.json`; its token names the folder.
        note: ClaimNote,
    },
    /// Rename `.new-<token>` out of the folder of the epoch below to the epoch's number: the claim itself. The target is never an empty folder,
    /// so every file system refuses when it is there: [`Fault::Exists`]. Syncs the parent.
    RenameNew {
        /// Names the source.
        token: Token,
        /// The target.
        epoch: Epoch,
    },
    /// Remove `.new-<token>` and what is in it, after a claim that came too late. Done when it is not there.
    DropNew {
        /// Whose.
        token: Token,
        /// What was to be claimed.
        epoch: Epoch,
    },
    /// Remove every entry of an epoch's `pen/`. Done when the pen is not there.
    EmptyPen {
        /// Whose pen.
        epoch: Epoch,
    },
    /// `rmdir` an epoch's `pen/`: the fence. From its success on the server refuses every later create in it and
    /// rename out of it. [`Fault::NotEmpty`] when something was put there meanwhile; [`Fault::Gone`] when there is none.
    RemovePen {
        /// Whose pen.
        epoch: Epoch,
    },
    /// Write `ended.json` into an epoch that was taken over. Kept when it is there already.
    WriteEnded {
        /// Which.
        epoch: Epoch,
        /// What is written.
        note: EndedNote,
    },
    /// Copy the lease row, when there is one, to `stale/<name>/metadata/lease.parquet`.
    Quarantine {
        /// `<ws>__<utc>__<host>`.
        name: String,
    },
    /// Read the four tables of the snapshot and adopt them into the ledger if all carry the lease row's generation,
    /// else keep what the ledger has; mark what ran elsewhere as interrupted. Answers [`Reply::Hydrated`].
    Hydrate,

    // --- publish -------------------------------------------------------------------------------------------------
    /// Write and sync a page as `pen/<stem>-<token>`. [`Fault::Gone`] means ousted.
    WritePage {
        /// Through whose pen.
        epoch: Epoch,
        /// Makes the temporary name unique.
        token: Token,
        /// What.
        page: Page,
    },
    /// Rename `pen/<stem>-<token>` over the page's final name. [`Fault::Gone`] means ousted. On a sharing violation
    /// the carrier tries again, ten times 50 ms.
    MovePage {
        /// Through whose pen.
        epoch: Epoch,
        /// Names the temporary file.
        token: Token,
        /// What: as in the [`Op::WritePage`] before.
        page: Page,
    },
    /// Make the mirrors say who has control, for older programs and for people: with a note, `leased/<ws>` with
    /// `owner.json` and no `available/<ws>`; without, `available/<ws>` with `note.json` and no `leased/<ws>`.
    SetMirrors {
        /// The owner.
        owner: Option<ClaimNote>,
    },

    // --- release -------------------------------------------------------------------------------------------------
    /// Write `pen/next.json`: who is to claim after the release. [`Fault::Gone`] means ousted.
    WriteHint {
        /// Through whose pen.
        epoch: Epoch,
        /// Who.
        hint: Hint,
    },
    /// Rename `pen/` to `released/`: ends the right to publish and the epoch in one step. [`Fault::Gone`] means that
    /// there is no pen any more.
    ReleasePen {
        /// Whose pen: our own.
        epoch: Epoch,
    },

    // --- keeping the log short -----------------------------------------------------------------------------------
    /// Remove an old epoch's folder with what is in it, provided that there is none with the number before it: see the
    /// module `prune`. [`Fault::Gone`] when it is not there.
    RemoveEpoch {
        /// Which; number 0 is the folder in which the first claim is made.
        epoch: Epoch,
    },

    // --- requests ------------------------------------------------------------------------------------------------
    /// Replace `requests/<ws>/<machine>.json`.
    WriteRequest {
        /// What is written; its machine names the file.
        note: RequestNote,
    },
    /// Replace `control_requests/<ws>.parquet` by one row in the older shape.
    WriteRequestRow {
        /// What the row says.
        note: RequestNote,
    },
    /// Remove `requests/<ws>/<machine>.json` and the answer to it. Done when neither is there.
    RemoveRequest {
        /// Whose.
        machine: MachineId,
    },
    /// Remove `control_requests/<ws>.parquet` if it names this machine or host. Done when it is not there.
    RemoveRequestRow {
        /// Whose: the column `requester_machine_id`.
        machine: MachineId,
    },
    /// Write `requests/<ws>/<machine>.denied.json`, which answers one request.
    WriteDenial {
        /// The answer.
        denial: Denial,
    },
}

#[cfg(test)]
impl Op {
    /// It changes nothing in the folder.
    pub fn is_read(&self) -> bool {
        matches!(
            self,
            Self::ListEpochs
                | Self::ReadEpoch { .. }
                | Self::ReadRow
                | Self::ReadMarkers
                | Self::ReadRequests
        )
    }
}

/// What came of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It was done.
    Done,
    /// Of [`Op::ListEpochs`].
    Epochs(Listing),
    /// Of [`Op::ReadEpoch`].
    Epoch(EpochSeen),
    /// Of [`Op::ReadRow`].
    Row(RowSeen),
    /// Of [`Op::ReadMarkers`].
    Markers(Markers),
    /// Of [`Op::ReadRequests`].
    Requests(Asked),
    /// Of [`Op::Hydrate`].
    Hydrated(Hydrated),
    /// It was not done, or nobody knows.
    Failed(Fault),
}

/// Why an operation was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The target is there already (`EEXIST`, `ENOTEMPTY` of a rename, a name collision). Not done.
    Exists,
    /// The folder to remove has entries. Not done.
    NotEmpty,
    /// The file or the folder above it is not there, or its handle is stale (`ENOENT`, `ESTALE`). Not done.
    Gone,
    /// The workspace folder itself is not there. Not done.
    Vanished,
    /// Permission, read-only, no space, quota: definitely not done.
    Refused(String),
    /// A lost reply, a timeout, an I/O error: done, not done, or still on its way.
    Unknown(String),
    /// What is there is not what it should be (a symbolic link, a damaged file). Nothing was touched.
    NotUnderstood(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists => f.write_str("already there"),
            Self::NotEmpty => f.write_str("folder not empty"),
            Self::Gone => f.write_str("not there"),
            Self::Vanished => f.write_str("the workspace folder is not there"),
            Self::Refused(why) | Self::Unknown(why) | Self::NotUnderstood(why) => f.write_str(why),
        }
    }
}

/// What a listing of `epochs/<ws>` showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The highest epoch.
    pub newest: Option<Epoch>,
    /// The next lower one that is there; more than one below means that numbers were made by hand.
    pub before: Option<Epoch>,
    /// The lowest that is there; number 0 counts.
    pub oldest: Option<Epoch>,
    /// Names that tell of a conflict: copies by a sync program, one number twice. At most a few.
    pub conflicts: Vec<String>,
}

/// What is known of one epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochSeen {
    /// Who claimed it; `None` when `claim.json` is not there or cannot be read.
    pub claim: Option<ClaimNote>,
    /// Its pen.
    pub pen: PenSeen,
    /// More than one claim file lies in it: a sync program merged two claims.
    pub is_doubled: bool,
}

/// What became of a pen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PenSeen {
    /// `pen/` is there.
    Alive,
    /// It was renamed to `released/` by its owner.
    Released {
        /// Who is to claim next.
        next: Option<Hint>,
    },
    /// Neither is there: another machine removed it.
    Removed,
}

/// The file `leases/<ws>.parquet`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowSeen {
    /// Not there.
    Absent,
    /// One row.
    Is {
        /// Of all its bytes.
        beat: Beat,
        /// What it says.
        row: LeaseRow,
    },
    /// Something that is no lease row. Never treated as free.
    Damaged {
        /// Of all its bytes.
        beat: Beat,
        /// What is wrong: a fragment.
        why: String,
    },
}

impl RowSeen {
    /// The hash of the bytes, when there are any.
    pub fn beat(&self) -> Option<Beat> {
        match self {
            Self::Absent => None,
            Self::Is { beat, .. } | Self::Damaged { beat, .. } => Some(*beat),
        }
    }

    /// The row, when it is one.
    pub fn row(&self) -> Option<&LeaseRow> {
        match self {
            Self::Is { row, .. } => Some(row),
            Self::Absent | Self::Damaged { .. } => None,
        }
    }
}

/// The mirrors, and signs of other programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Markers {
    /// `available/<ws>` is there.
    pub is_available: bool,
    /// `leased/<ws>` is there.
    pub is_leased: bool,
    /// The token in `leased/<ws>/owner.json`; an older program writes none.
    pub token: Option<Token>,
    /// Why this tree is not ours to touch: a bundle of a later program (`leased/<ws>__<token>`), a symbolic link.
    /// A sentence.
    pub foreign: Option<String>,
    /// It is what Data Engine 0.5 left, and nobody holds it: [`super::Wish::Import`] makes it ours.
    pub is_importable: bool,
}

/// All that was asked for control.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// One per machine.
    pub requests: Vec<RequestNote>,
    /// The request row in the older shape, unless it repeats one of `requests`.
    pub seed: Option<RequestNote>,
    /// Answers to this machine's request.
    pub denial: Option<Denial>,
    /// There are more requests than are read.
    pub is_cut: bool,
}

/// What came of hydrating.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hydrated {
    /// All four tables were of the lease row's generation and are in the ledger.
    Adopted,
    /// There was nothing to adopt.
    Nothing,
    /// The tables are of different generations, or damaged: the former picture is kept. A fragment.
    Kept(String),
}
