//! Control of workspaces, as far as it is the runtime's: the keeper that joins the pure lease with the shared folder,
//! the sitter and the runs, and what faces see of it.
//!
//! See `docs/CONTROL.md`.

mod board;
mod desk;

pub use board::ControlBoard;

// Faces read and wish in the words of the protocol.
pub use crate::lease::{
    Answer, Banner, BannerKind, Can, Epoch, Folder, MachineId, Moment, MyRequest, Owner, Policy,
    Request, Stand, Status, When, Wish,
};
