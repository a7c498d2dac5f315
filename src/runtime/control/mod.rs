//! Control of workspaces, as far as it is the runtime's: the keeper that joins the pure lease with the shared folder,
//! the sitter and the runs, and what faces see of it.
//!
//! One process of a machine keeps control of a workspace for all of them; the others are its guests. See
//! `docs/CONTROL.md`.

mod board;
mod clerk;
mod controls;
mod desk;
mod gate;
mod keeper;
mod look;
mod notice;
mod opening;
mod record;
mod sleep;
mod tend;

pub use board::ControlBoard;
pub use controls::Setup;
pub use look::{Looked, Looker, import, keeper_of, within};

pub(super) use controls::Controls;
pub(super) use desk::ControlNews;
pub(super) use gate::Gate;

// Faces read and wish in the words of the protocol.
pub use crate::lease::{
    Answer, Banner, BannerKind, Can, Epoch, Folder, MachineId, Moment, MyRequest, Owner, Policy,
    Request, Stand, Status, When, Wish, coarse_seconds,
};
