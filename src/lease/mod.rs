//! Control of a workspace that several machines share through a folder: who may run it, and how that passes on.
//!
//! A pure core like `sched`: told everything with the time beside it, asks nothing, gives back effects. Unaware of
//! files, threads, clocks, processes and of what a run is. `share` carries its file operations out, a sitter keeps its
//! deadline, the runtime tells it what runs. The protocol and its reasons stand in `docs/CONTROL.md`.

mod act;
mod agenda;
mod aging;
mod claim;
mod claims;
mod control;
mod defect;
mod desk;
mod dress;
mod lapse;
pub mod limits;
mod look;
mod message;
mod name;
mod note;
mod op;
mod prune;
mod publish;
mod release;
mod replies;
mod status;
mod steps;
mod tell;
mod tree;
mod wishes;

#[cfg(test)]
mod tests;

pub use aging::coarse_seconds;
pub use control::Lease;
pub use limits::Limits;
pub use message::{
    Answer, ChildOrder, Effect, Fact, Folder, Input, Keepsake, Loss, Policy, Sighting, When, Wish,
    Work,
};
pub use name::{Beat, Epoch, MachineId, Me, Moment, Now, Ticket, Token};
pub use note::{ClaimNote, Denial, EndedNote, Generation, Hint, LeaseRow, RequestNote, RowStatus};
pub use op::{
    Asked, EpochSeen, Fault, Hydrated, Listing, Markers, Op, Page, PenSeen, Reply, RowSeen, Table,
};
pub use status::{Banner, BannerKind, Can, MyRequest, Owner, Request, Stand, Status};
pub use tree::Tree;
